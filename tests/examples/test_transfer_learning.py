"""Program 4: nothing frozen moved, Dropout touched one layer's output, nothing flows back through Dropout(1)."""

import h5py
import jax
import numpy as np
import pytest

from lamina import layers
from lamina.models import Model


def test_transfer_learning(run, tmp_path):
    names = run("transfer_learning", told=["RMSprop(lr=) is called learning_rate", "legacy format"])
    model, base = names["model"], names["pre_trained_model"]
    assert names["accuracy"] > 0.93
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    assert names["last_output"].shape == (None, 4, 4, 32)

    # The weights came by the legacy file, and training moved none of them.
    with h5py.File(tmp_path / "base_weights.h5") as file:
        groups = [file[name] for name in file.attrs["layer_names"]]
        written = [group[name][()] for group in groups for name in group.attrs["weight_names"]]
    for written_weight, weight, trained in zip(written, base.get_weights(), names["base"].get_weights(), strict=True):
        np.testing.assert_array_equal(weight, written_weight)
        np.testing.assert_array_equal(weight, trained)
    assert len(model.trainable_variables) == 6 and len(model.non_trainable_weights) == 10

    dropout_touches_only_the_layer_before_it(model, names["x_test"][:8].astype("float32"))
    nothing_flows_back_through_dropout_of_all(names["last_output"], model.input, names["x_test"][:8].astype("float32"))


def dropout_touches_only_the_layer_before_it(model, x):
    outputs = [layer.output for layer in model.layers]
    looked_into = Model(model.input, outputs)
    still, moving = looked_into(x, training=False), looked_into(x, training=True)
    at = next(i for i, layer in enumerate(model.layers) if isinstance(layer, layers.Dropout))
    for before, after in zip(still[:at], moving[:at], strict=True):
        np.testing.assert_array_equal(before, after)
    dropped, kept = np.asarray(moving[at]), np.asarray(still[at - 1])
    zero = (dropped == 0) & (kept != 0)
    assert 0.1 < zero.sum() / (kept != 0).sum() < 0.3
    np.testing.assert_allclose(dropped[~zero], kept[~zero] / 0.8, rtol=1e-6)


def nothing_flows_back_through_dropout_of_all(base_output, base_input, x):
    x_before = layers.Dense(8, activation="relu")(layers.Flatten()(base_output))
    model = Model(base_input, layers.Dense(1, activation="sigmoid")(layers.Dropout(1)(x_before)))
    others = [variable.value for variable in model.non_trainable_variables]

    def loss(trainable):
        outputs, _ = model.stateless_call(trainable, others, x, training=True)
        return (outputs - 1).sum()

    before_kernel, before_bias, _, bias = jax.grad(loss)([variable.value for variable in model.trainable_variables])
    assert not np.any(before_kernel) and not np.any(before_bias)
    assert np.all(bias != 0)
