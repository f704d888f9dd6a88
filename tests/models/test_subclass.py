"""Models that a user writes: their layers, weights, names, configs and steps."""

import jax
import keras
import numpy as np
import pytest

import lamina
from lamina.errors import CallError
from tests.models import zoo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
X = np.random.default_rng(5).normal(size=(16, 6)).astype("float32")


def subclass(library):
    class Tower(library.Model):
        def __init__(self, width=4, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self.out = library.layers.Dense(1, name="out")
            self.blocks = []
            self.heads = {"a": library.layers.Dense(width), "b": library.layers.Dense(width, use_bias=False)}
            for _ in range(2):
                dense = library.layers.Dense(width)
                self.blocks.append((dense, library.layers.BatchNormalization()))

        def call(self, x, training=False):
            x = self.heads["a"](x) + self.heads["b"](x)
            for dense, norm in self.blocks:
                x = norm(dense(x), training=training)
            return self.out(x)

    return Tower


def test_weights_names_and_order():
    found = []
    for library in (lamina, keras):
        zoo.fresh(library)
        model = subclass(library)()
        model(X)
        layers = [layer.name for layer in model.layers]
        found.append((model.name, layers, zoo.described(model.weights), model.count_params()))
    assert found[0] == found[1]


def test_config_follows_from_the_signature():
    Tower = subclass(lamina)
    model = Tower(width=3, name="t")
    config = model.get_config()
    assert {key: config[key] for key in ("name", "width", "trainable")} == {"name": "t", "width": 3, "trainable": True}
    again = Tower.from_config(config)
    assert (again.width, again.name) == (3, "t")


def test_without_call_or_init():
    class Nothing(lamina.Model):
        pass

    with pytest.raises(NotImplementedError, match="has no `call`"):
        Nothing()(X)

    class Forgot(lamina.Model):
        def __init__(self):
            self.dense = lamina.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(CallError, match=r"super\(\).__init__"):
        Forgot()(X)


def test_a_functional_subclass_with_its_own_step():
    """Keras's guide to train_step on JAX, on Model(inputs, outputs)."""

    class Mine(lamina.Model):
        def loss_of(self, trainable, others, x, y):
            outputs, others = self.stateless_call(trainable, others, x, training=True)
            return self.compute_loss(x, y, outputs), others

        def train_step(self, state, data):
            trainable, others, optimizer, metrics = state
            x, y = data[:2]
            (loss, others), grads = jax.value_and_grad(self.loss_of, has_aux=True)(trainable, others, x, y)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            return {"loss": loss, "mine": loss * 2}, (trainable, others, optimizer, metrics)

    x = lamina.Input((6,))
    model = Mine(x, lamina.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    history = model.fit(X, X[:, :1], verbose=0).history
    assert history["mine"][0] == 2 * history["loss"][0] > 0
    assert type(lamina.models.clone_model(model)) is Mine
    described = lamina.saving.serialize_keras_object(model)
    again = lamina.saving.deserialize_keras_object(described, custom_objects={"Mine": Mine})
    assert type(again) is Mine and again.get_config() == model.get_config()


def test_a_model_that_draws_its_own_graph():
    class Drawn(lamina.Model):
        def __init__(self, units, **kwargs):
            x = lamina.Input((6,))
            super().__init__(inputs=x, outputs=lamina.layers.Dense(units)(x), **kwargs)
            self.units = units

    model = Drawn(3)
    assert model.output_shape == (None, 3) and model.get_config()["units"] == 3 and "layers" not in model.get_config()
    assert Drawn.from_config(model.get_config()).output_shape == (None, 3)


def test_models_hold_models():
    Tower = subclass(lamina)

    class Pair(lamina.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = Tower(), zoo.MODELS["mlp"][0](lamina)

        def call(self, x):
            return self.left(x) + self.right(x)

    model = Pair()
    assert model.compute_output_shape((None, 6)) == (None, 3)
    assert len(model.weights) == len(model.left.weights) + 8
    model.right.trainable = False
    assert len(model.trainable_weights) == len(model.left.trainable_weights)


def early_and_late(library):
    class Early(library.Model):
        def __init__(self, **kwargs):
            self.second = library.layers.Dense(2, name="second")  # before the graph
            inputs = library.Input((3,))
            first = library.layers.Dense(3, name="first")
            super().__init__(inputs=inputs, outputs=self.second(first(inputs)), **kwargs)
            self.third = library.layers.Dense(1, name="third")
            self.third.build((None, 2))

    return Early()


def test_weights_of_a_graph_whose_layers_are_attributes():
    ours, theirs = early_and_late(lamina), early_and_late(keras)
    assert [one.path for one in ours.weights] == [one.path for one in theirs.weights]
    assert [layer.name for layer in ours.layers[1:3]] == [layer.name for layer in theirs.layers[1:3]]
