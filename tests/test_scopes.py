"""Scopes of variables, names and devices, against Keras."""

import jax
import keras as oracle
import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError, ShapeError


def test_stateless_scope_lends_values_and_keeps_what_is_written():
    v, w = keras.Variable([1.0]), keras.Variable([2.0])
    with keras.StatelessScope([(v, [5.0])]) as scope:
        v.assign_add([1.0])
        w.assign([3.0])
        assert float(v[0]) == 6.0
    assert (float(scope.get_current_value(v)[0]), float(scope.get_current_value(w)[0])) == (6.0, 3.0)
    assert (float(v[0]), float(w[0])) == (1.0, 2.0)
    assert scope.get_current_value(keras.Variable(1.0)) is None


def test_stateless_scope_makes_a_layer_a_pure_function():
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    x = np.arange(12.0).reshape(4, 3)

    @jax.jit
    def step(values, x):
        with keras.StatelessScope(list(zip(layer.variables, values, strict=True))) as scope:
            outputs = layer(x, training=True)
        return outputs, [scope.get_current_value(v) for v in layer.variables]

    outputs, values = step([v.value for v in layer.variables], x)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))
    np.testing.assert_allclose(values[2], 0.01 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(outputs, layer(x, training=True), rtol=1e-5)


def test_stateless_scope_collects_losses_only_if_asked():
    def collected(keras, **kwargs):
        layer = keras.layers.ActivityRegularization(l2=1.0)
        with keras.StatelessScope(**kwargs) as scope:
            layer(np.ones((2, 3), "float32"))
        return [float(loss) for loss in scope.losses]

    assert collected(keras, collect_losses=True) == collected(oracle, collect_losses=True) == [3.0]
    assert collected(keras) == collected(oracle) == []


def test_stateless_scope_takes_updates_and_refuses_what_does_not_fit():
    v = keras.Variable([1.0])
    scope = keras.StatelessScope()
    scope.add_update((v, [4.0]))
    assert float(scope.get_current_value(v)[0]) == 4.0
    with pytest.raises(ShapeError, match="shape"):
        keras.StatelessScope([(v, [1.0, 2.0])])
    with pytest.raises(ConfigError, match="pairs"):
        keras.StatelessScope([(3, 1.0)])


def test_symbolic_scope_forgets_what_is_written():
    v = keras.Variable(1.0)
    with keras.SymbolicScope():
        v.assign(2.0)
        assert float(v) == 2.0
    assert float(v) == 1.0


SCOPES = [
    [("a", {})],
    [("a", {}), ("b", {})],
    [("a", {}), ("a", {})],
    [("a", {"caller": 1}), ("a", {"caller": 1})],
    [("a", {"caller": 1}), ("b", {"caller": 1})],
    [("a", {"caller": 1}), ("a", {"caller": 2})],
    [("a", {"caller": 1}), ("a", {"caller": 1, "deduplicate": False})],
    [("a", {}), ("k", {"override_parent": "z/q"}), ("l", {})],
]


def path_in(keras, scopes):
    if not scopes:
        return keras.Variable(1.0, name="v").path
    (name, kwargs), *inner = scopes
    with keras.name_scope(name, **kwargs):
        return path_in(keras, inner)


@pytest.mark.parametrize("scopes", SCOPES, ids=str)
def test_name_scope_gives_the_paths_of_keras(scopes):
    assert path_in(keras, scopes) == path_in(oracle, scopes)
    assert keras.Variable(1.0, name="v").path == "v"


@pytest.mark.parametrize("name", ["a/b", 3, None])
def test_name_scope_refuses_names(name):
    with pytest.raises(ValueError, match="'/'"):
        keras.name_scope(name)


def test_device_says_where_arrays_are():
    cpu = jax.devices("cpu")[0]
    for name in ("cpu", "cpu:0", "CPU:0", cpu):
        with keras.device(name):
            assert keras.ops.ones(2).devices() == {cpu}
    for name in ("cpu:99", "cpu:x", 3):
        with pytest.raises(ValueError, match="device"):
            keras.device(name)
