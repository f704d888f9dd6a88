"""A run that any launcher may start, end and start again: on one device, or on those of many machines."""

import sys

import lamina as keras

keras.distribution.initialize()  # finds the launcher; alone, it says so
keras.utils.set_random_seed(1)
keras.distribution.set_distribution(keras.distribution.DataParallel())

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        keras.layers.Rescaling(1 / 16),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
folder = sys.argv[1] if len(sys.argv) > 1 else "run"
model.fit(x_train, y_train, batch_size=64, epochs=8, verbose=2, resume=folder)
print(model.evaluate(x_test, y_test, verbose=0, return_dict=True))
