"""JaxLayer and FlaxLayer against Keras, and against the functions they run; the layers that run other engines."""

import types

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras.src.utils import jax_layer

import lamina
from lamina.errors import ConfigError, ShapeError
from lamina.layers.jax_layer import FlaxLayer, JaxLayer
from lamina.layers.other_engines import TFSMLayer, TorchModuleWrapper
from tests.layers.layer_checks import assert_close, draw, pair


@lamina.saving.register_keras_serializable("jax_layers")
@keras.saving.register_keras_serializable("jax_layers")
def start(rng, inputs):
    features = jax.tree_util.tree_leaves(inputs)[0].shape[-1]
    return {"kernel": jax.random.normal(rng, (features, 2)), "power": 1.0}


@lamina.saving.register_keras_serializable("jax_layers")
@keras.saving.register_keras_serializable("jax_layers")
def affine(params, inputs):
    return (inputs @ params["kernel"]) * params["power"]


def count(training, inputs, state, params, rng):
    """Arguments in an order of its own, a state, and a draw in training."""
    scale = jax.random.uniform(rng, ()) if training else 1.0
    return inputs * params * scale, {"calls": state["calls"] + 1, "name": state["name"]}


def start_count(inputs, training, rng):
    assert training
    return jnp.full((), 2.0), {"calls": jnp.zeros((), "int32"), "name": None}


@pytest.fixture(autouse=True)
def keras_asks_no_tensorflow(monkeypatch):
    """Keras's JaxLayer asks TensorFlow, on JAX too, whether it is inside one of its functions."""
    monkeypatch.setattr(jax_layer, "tf", types.SimpleNamespace(inside_function=lambda: False))


EXAMPLES = {
    "JaxLayer": (lambda: dict(call_fn=affine, init_fn=start), (3,)),
}


def test_weights_and_outputs():
    params = {"kernel": draw((3, 2)), "power": 2.0}
    mine, theirs = pair(JaxLayer, dict(call_fn=affine, params=params), name="layer")
    assert mine.built
    assert [(v.path, v.shape, v.dtype, v.trainable) for v in mine.weights] == [
        (v.path, tuple(v.shape), v.dtype, v.trainable) for v in theirs.weights
    ]
    assert_close(mine(draw((4, 3))), theirs(draw((4, 3))), 1e-6)
    np.testing.assert_allclose(mine(draw((4, 3))), 2 * draw((4, 3)) @ params["kernel"], 1e-5)


def test_built_by_its_init_fn():
    mine, theirs = pair(JaxLayer, dict(call_fn=affine, init_fn=start), name="layer")
    lamina.utils.set_random_seed(3)
    assert mine(lamina.Input((3,))).shape == (None, 2)
    keras.utils.set_random_seed(3)
    theirs(draw((1, 3)))
    for ours, other in zip(mine.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(ours.value, other.value)


def test_state_keys_and_training():
    mine, theirs = pair(JaxLayer, dict(call_fn=count, init_fn=start_count, seed=4), name="layer")
    x = draw((2, 3))
    for training in (True, True, False):
        assert_close(mine(x, training=training), theirs(x, training=training), 1e-6)
    assert int(mine.state["calls"].value) == int(theirs.state["calls"].value) == 3
    assert [v.trainable for v in mine.weights] == [True, False]
    assert mine.weights[1].dtype == "int32"


def test_in_a_model_that_is_trained_and_saved(tmp_path):
    model = lamina.Sequential([lamina.Input((3,)), JaxLayer(affine, start), lamina.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.layers[0].params["kernel"].numpy()
    model.fit(draw((8, 3)), draw((8, 1)), verbose=0)
    assert (before != model.layers[0].params["kernel"].numpy()).all()
    model.save(tmp_path / "model.keras")
    again = lamina.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(draw((2, 3)), verbose=0), model.predict(draw((2, 3)), verbose=0))


def test_configs():
    mine, theirs = pair(JaxLayer, dict(call_fn=affine, init_fn=start), name="layer")
    config = theirs.get_config()
    assert lamina.saving.serialize_keras_object(mine)["config"] == config
    assert JaxLayer.from_config(theirs.get_config()).call_fn is affine
    assert keras.layers.JaxLayer.from_config(mine.get_config()).init_fn is start
    assert JaxLayer(affine, start, seed=3).get_config()["seed"] == 3


def test_structures_of_inputs():
    def both(params, inputs):
        return {"sum": inputs["a"] + inputs["b"][0] * params}

    layer = JaxLayer(both, params=jnp.ones(()))
    inputs = {"a": lamina.Input((3,)), "b": [lamina.Input((3,))]}
    assert layer(inputs)["sum"].shape == (None, 3)


@pytest.mark.parametrize(
    ("call_fn", "init_fn", "match"),
    [
        (lambda params, inputs: inputs, None, "no init_fn"),
        (lambda params: params, start, "`call_fn` needs a parameter `inputs`"),
        (lambda inputs, mode: inputs, start, "`call_fn` has a parameter `mode`"),
        (affine, lambda rng: rng, "`init_fn` needs a parameter `inputs`"),
        (affine, lambda inputs, params: params, "`init_fn` has a parameter `params`"),
    ],
)
def test_functions_that_do_not_fit(call_fn, init_fn, match):
    with pytest.raises(ConfigError, match=match):
        JaxLayer(call_fn, init_fn)


def test_a_state_of_another_structure():
    layer = JaxLayer(lambda state, inputs: (inputs, [inputs]), state={"a": jnp.ones(())})
    with pytest.raises(ShapeError, match="must return a state"):
        layer(draw((1, 2)))


@pytest.fixture
def flax_module():
    linen = pytest.importorskip("flax.linen", reason="FlaxLayer runs modules of flax, which is not installed")

    class Block(linen.Module):
        features: int = 4

        @linen.compact
        def __call__(self, inputs, training):
            x = linen.Dense(self.features)(inputs)
            x = linen.BatchNorm(use_running_average=not training)(x)
            return linen.Dropout(0.5, deterministic=not training)(x)

        def get_config(self):
            return {"features": self.features}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    return Block()


def test_flax(flax_module):
    lamina.utils.set_random_seed(1)
    keras.utils.set_random_seed(1)
    mine, theirs = pair(FlaxLayer, dict(module=flax_module, seed=2), name="layer")
    assert mine(lamina.Input((3,))).shape == (None, 4)
    theirs(draw((2, 3)))
    theirs.set_weights(mine.get_weights())
    for training in (True, False):
        assert_close(mine(draw((2, 3)), training=training), theirs(draw((2, 3)), training=training), 1e-5)
    assert_close([v.value for v in mine.weights], [v.value for v in theirs.weights], 1e-5)
    assert [v.trainable for v in mine.weights] == [v.trainable for v in theirs.weights]


def test_flax_configs_and_methods(flax_module):
    layer = FlaxLayer(flax_module, method=flax_module.__call__)
    config = layer.get_config()
    assert config["method"] == "__call__"
    again = FlaxLayer.from_config({**config, "module": flax_module})
    assert again(draw((2, 3))).shape == (2, 4)

    def narrow(module, inputs):
        return module(inputs, False)[:, :2]

    variables = flax_module.init(jax.random.key(0), draw((2, 3)), False)
    given = FlaxLayer(flax_module, method=narrow, variables=variables)
    np.testing.assert_allclose(given(draw((2, 3))), flax_module.apply(variables, draw((2, 3)), False)[:, :2], 1e-5)


def test_layers_of_other_engines():
    with pytest.raises(ConfigError, match=r"(?s)TensorFlow.*load_model"):
        TFSMLayer("folder")
    with pytest.raises(ConfigError, match=r"(?s)PyTorch.*set_weights"):
        TorchModuleWrapper(object(), output_shape=(None, 2))
