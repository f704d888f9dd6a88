"""A training loop with Equinox and Optax as in their examples: `eqx.filter_jit`, layers mapped over the batch."""

import functools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from lamina_bench import jax_models
from lamina_bench.made_layers import Loops, MadeLayers

__all__ = ["Subject"]


class Subject(Loops):
    """One workload, trained with Equinox."""

    def build(self):
        """Make the model, its state and that of its optimizer."""
        layers, base = [], []
        self.model(Layers(layers, base, None, jax.random.key(0)), self.example())
        self.net, self.state = eqx.nn.make_with_state(Net)(layers, base)
        self.optimizer = optax.adam(1e-3, eps=1e-7)
        self.slots = self.optimizer.init(eqx.filter(self.net.layers, eqx.is_inexact_array))
        self.key = jax.random.key(1)

    def parameters(self):
        """The number of trainable parameters."""
        return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(self.net.layers, eqx.is_inexact_array)))

    def step(self, x, y, chosen):
        """One step of Adam; the loss."""
        state = self.net, self.state, self.slots, self.key
        loss, (self.net, self.state, self.slots, self.key) = self._step(state, x, y, chosen)
        return loss

    def outputs(self, x):
        """The outputs of the model in inference mode."""
        return self._outputs(self.net, self.state, x)

    @functools.cached_property
    def _step(self):
        model, target, optimizer = self.model, self.workload.target, self.optimizer

        def step(kept, x, y, chosen):
            net, state, slots, key = kept
            key, used = jax.random.split(key)

            def loss(layers):
                asked = Layers(layers, net.base, state, used, training=True)
                return jax_models.loss_of(target, model(asked, x[chosen]), y[chosen]), asked.state

            (value, state), gradients = eqx.filter_value_and_grad(loss, has_aux=True)(net.layers)
            updates, slots = optimizer.update(gradients, slots)
            return value, (Net(eqx.apply_updates(net.layers, updates), net.base), state, slots, key)

        return eqx.filter_jit(step)

    @functools.cached_property
    def _outputs(self):
        model, target = self.model, self.workload.target
        return eqx.filter_jit(
            lambda net, state, x: jax_models.predictions_of(target, model(Layers(net.layers, net.base, state), x))
        )


class Net(eqx.Module):
    """A model of layers of Equinox."""

    layers: list
    base: list


class Layers(MadeLayers):
    """The layers of Equinox, which take one sample, with its channels first."""

    def __init__(self, layers, base, state, key: Any = None, training=False):
        super().__init__(layers, base, training)
        self.state, self._key = state, key

    def _next_key(self):
        self._key, key = jax.random.split(self._key)
        return key

    def _made(self, kind, *arguments, **settings):
        return self.layer(lambda: kind(*arguments, **settings, key=self._next_key()))

    def dense(self, x, units):
        """`eqx.nn.Linear`, mapped over all axes but the last."""
        return _over(x.ndim - 1, self._made(eqx.nn.Linear, x.shape[-1], units))(x)

    def convolution(self, x, filters, size, strides=1, padding="SAME", bias=True, groups=1):
        """`eqx.nn.Conv`."""
        settings = {"stride": strides, "padding": padding, "use_bias": bias, "groups": groups}
        return _channels_last(self._made(eqx.nn.Conv, x.ndim - 2, x.shape[-1], filters, size, **settings), x)

    def transposed(self, x, filters, size, strides=1):
        """`eqx.nn.ConvTranspose`."""
        settings = {"stride": strides, "padding": "SAME"}
        return _channels_last(self._made(eqx.nn.ConvTranspose, x.ndim - 2, x.shape[-1], filters, size, **settings), x)

    def batch_norm(self, x, scale=True, frozen=False):
        """`eqx.nn.BatchNorm`, which has a scale in any case."""
        settings = {"axis_name": "batch", "eps": 1e-3, "momentum": 0.99, "mode": "batch"}
        layer = self.layer(lambda: eqx.nn.BatchNorm(x.shape[-1], **settings))
        if self.state is None:  # made here
            return x
        call = functools.partial(layer, inference=frozen or not self.training)
        mapped = jax.vmap(call, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
        outputs, self.state = mapped(jnp.moveaxis(x, -1, 1), self.state)
        return jnp.moveaxis(outputs, 1, -1)

    def layer_norm(self, x):
        """`eqx.nn.LayerNorm`, mapped over all axes but the last."""
        return _over(x.ndim - 1, self.layer(lambda: eqx.nn.LayerNorm(x.shape[-1], eps=1e-6)))(x)

    def dropout(self, x, rate):
        """`eqx.nn.Dropout`."""
        layer = self.layer(lambda: eqx.nn.Dropout(rate))
        return layer(x, key=self._next_key()) if self.training else x

    def embedding(self, x, count, units):
        """`eqx.nn.Embedding`, mapped over all axes."""
        return _over(x.ndim, self._made(eqx.nn.Embedding, count, units))(x)

    def lstm(self, x, units):
        """The last output of a loop over `eqx.nn.LSTMCell`."""
        return self._recurrent(eqx.nn.LSTMCell, x, units, 2)[0]

    def gru(self, x, units):
        """The last output of a loop over `eqx.nn.GRUCell`."""
        return self._recurrent(eqx.nn.GRUCell, x, units, 1)

    def _recurrent(self, kind, x, units, states):
        cell, zeros = self._made(kind, x.shape[-1], units), jnp.zeros(units)
        start = (zeros,) * states if states > 1 else zeros
        return jax.vmap(lambda xs: jax.lax.scan(lambda state, x: (cell(x, state), None), start, xs)[0])(x)


def _over(axes, layer):
    return functools.reduce(lambda function, _: jax.vmap(function), range(axes), layer)


def _channels_last(layer, x):
    return jnp.moveaxis(jax.vmap(layer)(jnp.moveaxis(x, -1, 1)), 1, -1)
