"""Find what is unusual

An autoencoder that has seen benign tumours only reconstructs malignant ones badly. The size of that error is a score,
and no malignant sample was needed to train it.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.breast_cancer.load_data()
usual = x_train[y_train == 1]  # benign
mean, deviation = usual.mean(axis=0), usual.std(axis=0)
usual, x_test = (usual - mean) / deviation, (x_test - mean) / deviation

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((30,)),
        layers.Dense(16, activation="tanh"),
        layers.Dense(6, activation="tanh", name="bottleneck"),
        layers.Dense(16, activation="tanh"),
        layers.Dense(30),
    ]
)
model.compile("adam", "mse")
history = model.fit(usual, usual, epochs=100, batch_size=16, validation_split=0.2, verbose=0)
history.plot()

# %%
# The error of each test sample, and how well it separates the two kinds. 1 is the malignant class here.

errors = np.mean((model.predict(x_test, verbose=0) - x_test) ** 2, axis=1)
malignant = (y_test == 0).astype("int64")
print(
    f"median error: benign {np.median(errors[malignant == 0]):.2f}, malignant {np.median(errors[malignant == 1]):.2f}"
)
keras.visualization.plot_roc(malignant, errors / errors.max())
