"""An old program, unchanged

Spellings of Keras 1 and 2 work, and each is followed by one line with the current spelling. `lamina run program.py`
does the same for a file; `lamina.as_keras()` does it inside a program.
"""

import lamina

lamina.as_keras()

# %%
# From here on it is a program of 2018.

from keras.layers import Dense, Dropout  # noqa: E402
from keras.models import Sequential  # noqa: E402
from keras.optimizers import SGD  # noqa: E402
from keras.utils import np_utils  # noqa: E402

(x_train, y_train), (x_test, y_test) = lamina.datasets.digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16.0, x_test.reshape(-1, 64) / 16.0
Y_train, Y_test = np_utils.to_categorical(y_train, 10), np_utils.to_categorical(y_test, 10)

model = Sequential()
model.add(Dense(64, input_dim=64, init="uniform", activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.1, momentum=0.9, nesterov=True), metrics=["accuracy"])
history = model.fit(x_train, Y_train, nb_epoch=10, batch_size=32, verbose=0, validation_data=(x_test, Y_test))
print(model.evaluate(x_test, Y_test, verbose=0))

# %%
print("first digits:", model.predict_classes(x_test[:10], verbose=0), "written:", y_test[:10])

# %%
history.plot()
