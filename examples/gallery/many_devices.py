"""One model on eight devices

`DataParallel` gives each device a copy of the weights and a share of each batch. The eight devices here are parts of
the processor, which JAX makes when an environment variable asks for them; on eight GPUs the program is the same.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"  # before the first array is made

import lamina as keras
from lamina import layers

keras.distribution.list_devices()

# %%
# Inside the scope nothing else changes.

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
keras.utils.set_random_seed(0)
with keras.distribution.DataParallel().scope():
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=64, epochs=10, verbose=0)
    print(f"Test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
history.plot()

# %%
# Each weight is on all eight devices:

len(model.layers[2].kernel.value.sharding.device_set)
