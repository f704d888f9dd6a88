"""Callbacks, checkpoints, saving and loading."""

import os
import tempfile

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.callbacks import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 8)).astype("float32")
y = (x @ rng.normal(size=(8, 1))).astype("float32")
folder = tempfile.mkdtemp()
best = os.path.join(folder, "best.keras")

model = keras.Sequential([keras.Input(shape=(8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])


class Count(keras.callbacks.Callback):
    epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        assert {"loss", "mae", "val_loss", "val_mae"} <= set(logs)


count = Count()
history = model.fit(
    x, y, validation_split=0.2, epochs=6, verbose=0,
    callbacks=[
        EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True),
        ModelCheckpoint(best, save_best_only=True),
        ReduceLROnPlateau(patience=2),
        LearningRateScheduler(lambda epoch, lr: lr * 0.95),
        count,
    ],
)  # fmt: skip
loaded = keras.models.load_model(best)
np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)
model.save_weights(os.path.join(folder, "w.weights.h5"))
clone = keras.models.clone_model(model)
clone.load_weights(os.path.join(folder, "w.weights.h5"))
print("epochs", count.epochs == len(history.epoch), keras.__version__)
