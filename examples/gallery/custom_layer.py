"""Your own layer

Write `build` to make weights and `call` to use them. Output shapes, the summary, the config and saving follow from
those two.
"""

import numpy as np

import lamina as keras
from lamina import layers, ops


@keras.saving.register_keras_serializable()
class RadialBasis(layers.Layer):
    """Bumps: `exp(-width * distance(inputs, centre) ** 2)` for each of `units` trained centres."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.centres = self.add_weight(shape=(self.units, input_shape[-1]), initializer="random_normal", name="centres")
        self.width = self.add_weight(shape=(self.units,), initializer="ones", name="width")

    def call(self, inputs):
        squared = ops.sum((inputs[..., None, :] - self.centres) ** 2, axis=-1)
        return ops.exp(-ops.softplus(self.width) * squared)


# %%
# Two rings, which no straight line separates.

rng = np.random.default_rng(0)
angle, ring = rng.uniform(0, 2 * np.pi, 1000), rng.integers(0, 2, 1000)
radius = 1 + ring + rng.normal(0, 0.2, 1000)
x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype("float32")

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((2,)), RadialBasis(8), layers.Dense(1, activation="sigmoid")])
model.summary()
model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, ring, epochs=25, validation_split=0.2, verbose=0)
history.plot()

# %%
# The file holds the class name and its arguments. `get_config` was not needed: `units` is stored under its own name.

model.save("rings.keras")
again = keras.models.load_model("rings.keras")
print(again.layers[0].get_config())
bool(np.all(again.predict(x, verbose=0) == model.predict(x, verbose=0)))
