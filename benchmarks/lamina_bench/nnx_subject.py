"""A training loop with Flax NNX and Optax, as their guides write it: `nnx.jit` with `nnx.cached_partial`."""

import jax
import optax
from flax import nnx

from lamina_bench import jax_models
from lamina_bench.made_layers import Loops, MadeLayers

__all__ = ["Subject"]


class Subject(Loops):
    """One workload, trained with Flax NNX."""

    def build(self):
        """Make the model and its optimizer."""
        trained, workload = nnx.All(nnx.Param, nnx.Not(nnx.PathContains("base"))), self.workload
        self.net = Net(self.model)
        self.net(self.example(), training=False)
        optimizer = nnx.Optimizer(self.net, optax.adam(1e-3, eps=1e-7), wrt=trained)

        @nnx.jit
        def step(net, optimizer, x, y, chosen):
            def loss(net):
                return jax_models.loss_of(workload.target, net(x[chosen], training=True), y[chosen])

            value, gradients = nnx.value_and_grad(loss, argnums=nnx.DiffState(0, trained))(net)
            optimizer.update(net, gradients)
            return value

        @nnx.jit
        def outputs(net, x):
            return jax_models.predictions_of(workload.target, net(x, training=False))

        self.step = nnx.cached_partial(step, self.net, optimizer)
        self.outputs = nnx.cached_partial(outputs, self.net)
        self._trained = trained

    def parameters(self):
        """The number of trainable parameters."""
        return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(self.net, self._trained)))


class Net(nnx.Module):
    """A model of layers of NNX."""

    def __init__(self, model):
        self.model, self.rngs = model, nnx.Rngs(0)
        self.layers, self.base = nnx.List([]), nnx.List([])

    def __call__(self, x, training):
        return self.model(Layers(self, training), x)


class Layers(MadeLayers):
    """The layers of NNX."""

    def __init__(self, net, training):
        super().__init__(net.layers, net.base, training)
        self._rngs = net.rngs

    def _made(self, kind, *arguments, **settings):
        return self.layer(lambda: kind(*arguments, **settings, rngs=self._rngs))

    def dense(self, x, units):
        """`nnx.Linear`."""
        return self._made(nnx.Linear, x.shape[-1], units)(x)

    def convolution(self, x, filters, size, strides=1, padding="SAME", bias=True, groups=1):
        """`nnx.Conv`."""
        size = (size,) * (x.ndim - 2) if isinstance(size, int) else size
        settings = {"strides": strides, "padding": padding, "use_bias": bias, "feature_group_count": groups}
        return self._made(nnx.Conv, x.shape[-1], filters, size, **settings)(x)

    def transposed(self, x, filters, size, strides=1):
        """`nnx.ConvTranspose`."""
        rank = x.ndim - 2
        return self._made(nnx.ConvTranspose, x.shape[-1], filters, (size,) * rank, strides=(strides,) * rank)(x)

    def batch_norm(self, x, scale=True, frozen=False):
        """`nnx.BatchNorm`."""
        layer = self._made(nnx.BatchNorm, x.shape[-1], epsilon=1e-3, momentum=0.99, use_scale=scale)
        return layer(x, use_running_average=frozen or not self.training)

    def layer_norm(self, x):
        """`nnx.LayerNorm`."""
        return self._made(nnx.LayerNorm, x.shape[-1], epsilon=1e-6)(x)

    def dropout(self, x, rate):
        """`nnx.Dropout`."""
        return self._made(nnx.Dropout, rate)(x, deterministic=not self.training)

    def embedding(self, x, count, units):
        """`nnx.Embed`."""
        return self._made(nnx.Embed, count, units)(x)

    def lstm(self, x, units):
        """The last output of `nnx.RNN` around an LSTM."""
        return self._recurrent(nnx.OptimizedLSTMCell, x, units)

    def gru(self, x, units):
        """The last output of `nnx.RNN` around a GRU."""
        return self._recurrent(nnx.GRUCell, x, units)

    def _recurrent(self, cell, x, units):
        return self.layer(lambda: nnx.RNN(cell(x.shape[-1], units, rngs=self._rngs)))(x)[:, -1]
