"""What does Dropout drop?

Each number by itself; or whole axes, where `noise_shape` has a 1: `(batch, 1, features)` drops a feature at all steps
of a sample, `(1, 1, features)` in all samples too.
"""

import numpy as np

import lamina as keras
from lamina.layers import Dropout

(x_train, _), _ = keras.datasets.japanese_vowels.load_data()
sequences = x_train[:4, :6]  # 4 utterances, their first 6 frames of 12 numbers; none is 0
rows = sequences[:, 0]
batch, time, features = sequences.shape

keras.utils.set_random_seed(0)
masks = {
    "each number": Dropout(0.5)(sequences, training=True) != 0,
    "(batch, 1, features)": Dropout(0.5, noise_shape=(batch, 1, features))(sequences, training=True) != 0,
    "(1, 1, features)": Dropout(0.5, noise_shape=(1, 1, features))(sequences, training=True) != 0,
    "(1, features)": Dropout(0.5, noise_shape=(1, features))(rows, training=True) != 0,
}

# %%
# `#` is kept, `.` is dropped.

for name, mask in masks.items():
    print(f"\n{name}: what is kept of the first sample")
    for row in np.atleast_2d(np.asarray(mask)[0]):
        print("".join("#" if kept else "." for kept in row))
