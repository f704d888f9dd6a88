"""Go on after a crash

`fit(resume=folder)` keeps checkpoints of the run. The program stops itself in the middle of an epoch, as a power cut
would, starts again, and ends with the same weights to the bit.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), _ = keras.datasets.digits.load_data()
x_train = x_train.reshape(-1, 64) / 16


class PowerCut(keras.callbacks.Callback):
    """Ends the run in the middle of the fourth epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if len(self.model.history.epoch) == 3 and batch == 20:
            raise KeyboardInterrupt("the power is gone")


def new_model():
    """A model with dropout, whose random numbers have to go on as well."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


keras.utils.set_random_seed(0)
model = new_model()
try:
    model.fit(x_train, y_train, epochs=8, verbose=0, resume="run", callbacks=[PowerCut()])
except KeyboardInterrupt as stop:
    print("stopped:", stop)

# %%
# The same program again, as after a restart; the new model has other weights at first.

again = new_model()
history = again.fit(x_train, y_train, epochs=8, verbose=0, resume="run")
history.plot()

# %%
# Beside a run that nothing interrupted:

keras.utils.set_random_seed(0)
whole = new_model()
whole.fit(x_train, y_train, epochs=8, verbose=0)
all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), again.get_weights(), strict=True))
