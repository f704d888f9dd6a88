"""Compute in sixteen bits

With `mixed_bfloat16` layers compute in a half type and keep their weights in float32. That halves the memory of
activations and is faster on GPUs and TPUs; on a CPU it shows what happens to the numbers.
"""

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16


def train(policy):
    """Train under a policy; the model."""
    keras.mixed_precision.set_global_policy(policy)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
            layers.Activation("softmax", dtype="float32"),  # the probabilities stay in float32
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=10, verbose=0)
    return model


for policy in ("float32", "mixed_bfloat16"):
    model = train(policy)
    dense = model.layers[0]
    print(
        f"{policy:15} computes in {dense.compute_dtype}, weights are {dense.variable_dtype}, "
        f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}"
    )
keras.mixed_precision.set_global_policy("float32")

# %%
# float16 has a smaller range, in which small gradients become 0. `LossScaleOptimizer` multiplies the loss, so that
# they do not; `compile` adds it by itself under the policy `mixed_float16`.

model = train("mixed_float16")
print(type(model.optimizer).__name__, f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
keras.mixed_precision.set_global_policy("float32")
