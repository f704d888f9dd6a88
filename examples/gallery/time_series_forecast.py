"""Forecast a time series

Windows of the past go in, the next value comes out. A forecast has to beat the simplest rule: tomorrow is like today.
"""

import numpy as np

import lamina as keras
from lamina import layers

rng = np.random.default_rng(0)
hours = np.arange(24 * 120)
series = (
    10 + 5 * np.sin(2 * np.pi * hours / 24) + 2 * np.sin(2 * np.pi * hours / (24 * 7)) + rng.normal(0, 0.7, len(hours))
)
split = 24 * 90
mean, deviation = series[:split].mean(), series[:split].std()
scaled = ((series - mean) / deviation).astype("float32")

# %%
# `timeseries_dataset_from_array` cuts windows of 48 hours; the target is the hour after each window.

length = 48


def windows(values, shuffle):
    """Batches of (window, next value)."""
    return keras.utils.timeseries_dataset_from_array(
        values[:-1, None], values[length:], sequence_length=length, batch_size=64, shuffle=shuffle, seed=0
    )


train, test = windows(scaled[:split], True), windows(scaled[split:], False)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((length, 1)),
        layers.Conv1D(16, 6, activation="relu"),
        layers.GRU(16),
        layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
history = model.fit(train, validation_data=test, epochs=8, verbose=0)
history.plot()

# %%
# In the units of the series, beside two simple rules:

truth = series[split + length :]
forecast = model.predict(test, verbose=0)[:, 0] * deviation + mean
print(f"the model:             {np.abs(forecast - truth).mean():.2f}")
print(f"like an hour before:   {np.abs(series[split + length - 1 : -1] - truth).mean():.2f}")
print(f"like a day before:     {np.abs(series[split + length - 24 : -24] - truth).mean():.2f}")

# %%
# What is left: the residuals.

keras.visualization.plot_residuals(truth, forecast)
