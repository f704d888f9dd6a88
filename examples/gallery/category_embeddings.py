"""Categories as vectors

An `Embedding` gives each category a vector that is learned. Categories that act alike end close to each other.
"""

import numpy as np

import lamina as keras
from lamina import layers

days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
rng = np.random.default_rng(0)
day, hour = rng.integers(0, 7, 4000), rng.uniform(0, 24, 4000)
weekend = day >= 5
visitors = np.where(weekend, 60, 20) + 15 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 3, 4000)

keras.utils.set_random_seed(0)
day_input = keras.Input((), dtype="int32", name="day")
hour_input = keras.Input((1,), name="hour")
vector = layers.Embedding(7, 2, name="day_vectors")(day_input)
x = layers.Concatenate()([vector, layers.Rescaling(1 / 24)(hour_input)])
x = layers.Dense(32, activation="relu")(x)
model = keras.Model([day_input, hour_input], layers.Dense(1)(x))
model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
history = model.fit({"day": day, "hour": hour}, visitors, epochs=20, validation_split=0.2, verbose=0)
history.plot()

# %%
# Nobody said which days are the weekend. The vectors of Saturday and Sunday are near each other, and far from the
# rest.

vectors = model.get_layer("day_vectors").get_weights()[0]
distances = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
print("     " + "  ".join(f"{name:>4}" for name in days))
for name, row in zip(days, distances, strict=True):
    print(f"{name:5}" + "  ".join(f"{value:4.1f}" for value in row))
