"""Regression: how far does a car go on a gallon?

Nine features of a car, scaled to mean 0 and deviation 1. EarlyStopping ends the up to 1,000 epochs when the
validation loss has not improved for 100 of them, and restores the best weights.
"""

import lamina as keras
from lamina import layers

(train_data, train_labels), (test_data, test_labels) = keras.datasets.auto_mpg.load_data()
mean, deviation = train_data.mean(axis=0), train_data.std(axis=0)
train_data, test_data = (train_data - mean) / deviation, (test_data - mean) / deviation


def build_model():
    """Two layers of 64 and one number."""
    model = keras.Sequential(
        [
            layers.Dense(64, activation="relu", input_shape=[9]),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.RMSprop(0.001), metrics=["mae", "mse"])
    return model


# %%
# `history.epoch` has the epochs that were run; `evaluate` returns the loss and both metrics.

keras.utils.set_random_seed(0)
model = build_model()
early_stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=100, restore_best_weights=True)
history = model.fit(train_data, train_labels, epochs=1000, validation_split=0.2, verbose=0, callbacks=[early_stop])

loss, mae, mse = model.evaluate(test_data, test_labels, verbose=0)
print(f"{len(history.epoch)} epochs. Mean absolute error on the test set: {mae:.2f} MPG")

# %%
history.plot()
