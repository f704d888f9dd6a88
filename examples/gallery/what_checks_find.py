"""What is wrong with this model?

`fit` looks at the model and the data before it starts, and prints what does not fit together, with the fix.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), _ = keras.datasets.wine.load_data()
x_train = (x_train - x_train.mean(axis=0)) / x_train.std(axis=0)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.Input((13,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="sigmoid", name="cultivar")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=1, verbose=2)

# %%
# The fix, done as told:

model = keras.Sequential(
    [keras.Input((13,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax", name="cultivar")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.check(x_train, y_train)

# %%
# Data are looked at too. One value that is not a number is enough to ruin all weights.

broken = np.array(x_train)
broken[3, 5] = np.nan
model.check(broken, y_train)
