"""A hand-written training loop in JAX."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina_bench import jax_models
from lamina_bench.jax_frame import Frame, initial

__all__ = ["Subject"]


class Subject:
    """One workload, trained with JAX."""

    def __init__(self, module, workload):
        self.workload = workload
        self.model = getattr(jax_models, workload.name)

    def build(self):
        """Initialize the weights and Adam's moments."""
        workload = self.workload
        x = jax.ShapeDtypeStruct((1, *workload.shape), "int32" if workload.tokens else "float32")
        state: dict[str, Any] = initial(self.model, x)
        state["first"] = [np.zeros_like(weight) for weight in state["trained"]]
        state["second"] = [np.zeros_like(weight) for weight in state["trained"]]
        state["count"], state["key"] = np.int32(0), np.array([0, 1], "uint32")
        self.state = jax.device_put(state)

    def parameters(self):
        """The number of trainable parameters."""
        return sum(weight.size for weight in self.state["trained"])

    def load(self, x, y):
        """Move the data to the device."""
        return jax.device_put((x, y))

    def samples(self, x):
        """Samples for `predict`: NumPy arrays, unchanged."""
        return x

    def train(self, data, epochs=1):
        """Train and return the loss of the last batch."""
        (x, y), batch = data, self.workload.batch
        loss = float("nan")
        for _ in range(epochs):
            order = np.random.permutation(len(x)).astype("int32")
            for start in range(0, len(x), batch):
                self.state, loss = self._step(self.state, x, y, order[start : start + batch])
        return float(loss)

    def predict(self, x):
        """The predictions as a NumPy array."""
        batch = self.workload.batch
        weights = [self.state[kind] for kind in ("trained", "fixed", "statistics")]
        return np.concatenate([np.asarray(self._outputs(weights, x[i : i + batch])) for i in range(0, len(x), batch)])

    @functools.cached_property
    def _step(self):
        return jax.jit(self.step, donate_argnums=0)

    @functools.cached_property
    def _outputs(self):
        return jax.jit(self.outputs)

    def step(self, state, x, y, chosen):
        """One step of Adam: the new state and the loss."""
        key = jax.random.fold_in(state["key"], state["count"])
        (loss, statistics), gradients = jax.value_and_grad(self._loss, has_aux=True)(
            state["trained"], state["fixed"], state["statistics"], x[chosen], y[chosen], key
        )
        count = state["count"] + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        first = [m + (g - m) * 0.1 for m, g in zip(state["first"], gradients, strict=True)]
        second = [v + (g * g - v) * 0.001 for v, g in zip(state["second"], gradients, strict=True)]
        moments = zip(state["trained"], first, second, strict=True)
        trained = [weight - rate * m / (jnp.sqrt(v) + 1e-7) for weight, m, v in moments]
        new = {"trained": trained, "statistics": statistics, "first": first, "second": second, "count": count}
        return {**state, **new}, loss

    def _loss(self, trained, fixed, statistics, x, y, key):
        frame = Frame(trained, fixed, statistics, True, key)
        outputs = self.model(frame, x)
        loss = jax_models.loss_of(self.workload.target, outputs, y)
        return loss, frame.updates

    def outputs(self, weights, x):
        """The outputs of the model in inference mode."""
        outputs = self.model(Frame(*weights), x)
        return jax_models.predictions_of(self.workload.target, outputs)
