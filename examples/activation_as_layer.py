"""Look at what goes into an activation

An activation as an argument and as a layer of its own, two branches and their sum. Arithmetic and indexing on
symbolic tensors become layers of the model.
"""

import numpy as np

import lamina as keras
from lamina.datasets import breast_cancer
from lamina.layers import Activation, Dense, Input
from lamina.models import Model, Sequential

(x_train, y_train), (x_test, y_test) = breast_cancer.load_data()
x_train, x_test = x_train[:, :10], x_test[:, :10]  # the means of the ten measures
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation

# %%
# Two branches from one layer, and their sum.
keras.utils.set_random_seed(0)
inputs = Input((10,))
x = Dense(64)(inputs)
activated = Activation("relu")(x)
further = Dense(64)(x)
outputs = activated + further
branches = Model(inputs, outputs)
branches.summary()

classifier = Sequential([branches, Dense(1, activation="sigmoid")])
classifier.compile("adam", "binary_crossentropy", metrics=["accuracy"])
classifier.fit(x_train, y_train, epochs=20, verbose=2)
loss, accuracy = classifier.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {accuracy:.4f}")

# %%
# What goes into the activation is the output of the layer before it.
model = Sequential([Dense(64, input_shape=(10,)), Activation("sigmoid")])
before = Model(model.inputs, model.layers[0].output)
pre_activation = before.predict(x_test, verbose=0)
activation = model.predict(x_test, verbose=0)
print("sigmoid of it is the output:", np.allclose(1 / (1 + np.exp(-pre_activation)), activation, atol=1e-6))
