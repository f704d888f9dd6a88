"""As the first notebook of many: digits, Sequential, to_categorical."""

import tensorflow as tf
from keras.datasets import digits
from tensorflow.keras import datasets  # noqa: F401
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import to_categorical

tf.random.set_seed(42)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train = x_train.reshape(-1, 64).astype("float32") / 16.0
x_test = x_test.reshape(-1, 64).astype("float32") / 16.0
y_train, y_test = to_categorical(y_train, 10), to_categorical(y_test, 10)

model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(64,)))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(learning_rate=0.005), metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=5, verbose=0, validation_split=0.1)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print("accuracy", accuracy > 0.9, sorted(history.history))
