"""Traced: a model as the program that it computes for some rows of its data, to read and to run on changed data."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, tree
from lamina.core.variable import unwrap
from lamina.facts.activations import SATURATION
from lamina.facts.attentions import ScaledAttention, attentions_of
from lamina.facts.equations import Equations, Value, activation_of_value, twice_activated
from lamina.facts.flows import activation_after, consumers_of, roots_of, terms_of
from lamina.facts.known_losses import tried
from lamina.kernels.native import portable
from lamina.training import step
from lamina.training.state import peek

if TYPE_CHECKING:
    from lamina.core.typing import PyTree
    from lamina.facts.fact import Fact

__all__ = ["Traced", "differ"]

_CURVES: dict[Any, Any] = {"sigmoid": jax.nn.sigmoid, "tanh": jax.nn.tanh}
_PASS = 64  # rows of a first pass
ROWS = 7  # of the data; a size that is rarely that of another axis
_SMALLEST = 1e-5  # share of a change that is more than rounding


class Traced:
    """A model's prediction for the first rows of its data.

    Args:
        model: Model that is built, and runs on x.
        x: Inputs, arrays or structures of them.
    """

    def __init__(self, model: Any, x: PyTree):
        self.model: Any = model
        self.x: PyTree = _first(x, ROWS)
        self._whole: PyTree = x
        self._refs: Any = context.global_refs()
        self._variables: Any = [*model.trainable_variables, *model.non_trainable_variables]
        self._values: Any = peek(self._variables)
        self._globals: Any = context.global_values()
        self._training: Any = None

    def _predict(self, global_values, values, x):
        refs = [*self._refs, *self._variables]
        with context.bind(refs, [*global_values, *values]), portable():
            outputs = self.model(x, **self.model._training_argument(False))
            return [leaf for leaf in tree.flatten(unwrap(outputs)) if leaf is not None]

    @functools.cached_property
    def equations(self) -> Equations:
        """The program."""
        given = self._globals, self._values, self.x
        jaxpr = jax.make_jaxpr(lambda *a: self._predict(*a))(*given)
        return Equations(jaxpr, self._kinds)

    @property
    def _kinds(self):
        counts = [len(jax.tree_util.tree_leaves(part)) for part in (self._globals, self._values, self.x)]
        return ["other"] * counts[0] + ["weight"] * counts[1] + ["input"] * counts[2]

    @property
    def _arguments(self):
        return jax.tree_util.tree_leaves((self._globals, self._values, self.x))

    @property
    def outputs(self) -> list[Value]:
        """The outputs, as values of the program."""
        return self.equations.outputs

    @functools.cached_property
    def activations(self) -> list[str | None]:
        """The name of the activation that each output ends in; None where it is another function."""
        return [activation_of_value(output) for output in self.outputs]

    @functools.cached_property
    def attentions(self) -> list[ScaledAttention]:
        """The attentions. Their scales are computed from the constants of the program."""
        attentions = []
        for one in attentions_of(self.equations):
            numbers = self.equations.computing([value for value, _ in one.scales])(*self._arguments)
            arrays = [np.asarray(number, "float64") for number in numbers]
            known = all(array.size and array.min() == array.max() for array in arrays)
            powers = [float(array.flat[0]) ** power for array, (_, power) in zip(arrays, one.scales, strict=True)]
            attentions.append(ScaledAttention(one, float(np.prod(powers)) if known else None))
        return attentions

    def weights_of(self, found: ScaledAttention) -> np.ndarray:
        """The weights of an attention on the data, keys on the last axis.

        Args:
            found: The attention.
        """
        compute = jax.jit(self.equations.computing([found.attention.weights]))
        return np.moveaxis(np.asarray(compute(*self._arguments)[0], "float32"), found.attention.keys, -1)

    @functools.cached_property
    def _program(self):
        return jax.jit(lambda *a: self._predict(*a))

    def run(self, x: PyTree = None, changed: dict[int, Any] | None = None) -> list[np.ndarray]:
        """The outputs on other inputs of the same shapes, or with other weights.

        Args:
            x: Inputs; None for the rows of the data.
            changed: id of a variable -> its value.
        """
        values = [
            (changed or {}).get(id(variable), value)
            for variable, value in zip(self._variables, self._values, strict=True)
        ]
        outputs = self._program(self._globals, values, self.x if x is None else x)
        return [np.asarray(output, "float32") for output in jax.device_get(outputs)]

    @functools.cached_property
    def results(self) -> list[np.ndarray]:
        """The outputs on the rows of the data."""
        return self.run()

    def first_pass(
        self, facts: list[Fact], applied: dict[Any, str | None] | None = None
    ) -> Iterator[tuple[str, str, float]]:
        """(layer, what was measured, number) of each layer with a kernel: "dead", the share of its units that are 0 for
        all rows, of a relu; "flat", the share of its values at the ends of a sigmoid or tanh; and "size", the root of
        the mean square of its outputs.

        Args:
            facts: The facts of the model.
            applied: Layer -> the activation that a function applies to its outputs; None for no layer.
        """
        affine = [fact for fact in facts if fact.is_affine and fact.count and not fact.inner]
        kinds = {fact.layer: (applied or {}).get(fact.layer) or fact.activation for fact in affine if not fact.ends}
        kinds |= {fact.layer: None for fact in affine if fact.ends}
        inside = {fact.layer for fact in affine if fact.activation == kinds[fact.layer]}
        seen: dict[tuple[str, str], Any] = {}

        def note(layer, args, outputs):
            values = tree.flatten(outputs)[0] if layer in kinds else None
            if values is None or values.ndim < 2:
                return
            if kinds[layer] == "relu" and values.shape[-1] > 1:
                seen[layer.name, "dead"] = jnp.mean(jnp.all(values <= 0, axis=tuple(range(values.ndim - 1))))
            elif (curve := kinds[layer]) is not None and curve in _CURVES:
                ends = values if layer in inside else _CURVES[curve](values)
                low, high = SATURATION[curve]
                seen[layer.name, "flat"] = jnp.mean((ends < low) | (ends > high))
            seen[layer.name, "size"] = jnp.sqrt(jnp.mean(jnp.square(values.astype("float32"))))

        def run(*given):
            seen.clear()
            with context.watching_layers(note):
                self._predict(*given)
            return {f"{kind} {name}": value for (name, kind), value in seen.items()}

        found = jax.device_get(jax.jit(run)(self._globals, self._values, _first(self._whole, _PASS)))
        for key, value in found.items():
            kind, _, name = key.partition(" ")
            yield name, kind, float(value)

    def activation_twice(self, y: PyTree) -> tuple[str, str] | None:
        """(activation of the model, that of its loss) where the loss takes softmax or sigmoid of one of them.

        Args:
            y: Targets, or None.
        """
        program = self.training(y)
        return None if program is None else twice_activated(program)

    def training(self, y: PyTree) -> Equations | None:
        """The loss of the first rows in training, with all that layers add to it, as a program of the inputs and the
        targets; None where it cannot be traced.

        Args:
            y: Targets, or None.
        """
        if self._training is None:
            self._training = (self._trace_training(y),)
        return self._training[0]

    @property
    def rows(self) -> int:
        """How many rows the program is traced with."""
        return len(self.leaves[0]) if self.leaves else 0

    def trace_training(self, y: PyTree) -> Any:
        """The loss as a jaxpr.

        Args:
            y: Targets, or None.
        """
        return jax.make_jaxpr(lambda *a: self._loss(*a))(self._globals, self._values, self.x, _first(y, ROWS))

    def trace_prediction(self, slots: Any) -> None:
        """Traces the prediction once more, with other slots for the variables.

        Args:
            slots: Function from the slots to those that are used.
        """

        def run(global_values, values, x):
            refs = [*self._refs, *self._variables]
            with context.bind(refs, [*global_values, *values]) as own, context.with_slots(slots(own)):
                return tree.flatten(unwrap(self.model(x, **self.model._training_argument(False))))

        jax.make_jaxpr(run)(self._globals, self._values, self.x)

    def _trace_training(self, y):
        y = _first(y, ROWS)
        jaxpr = tried(self.trace_training, y)
        return jaxpr and Equations(jaxpr, [*self._kinds, *["other"] * len(jax.tree_util.tree_leaves(y))])

    def _loss(self, global_values, values, x, y):
        with context.bind(self._refs, global_values), portable():
            count, metrics = len(self.model.trainable_variables), peek(self.model.metrics_variables)
            return step.loss_and_updates(self.model, values[:count], values[count:], metrics, x, y, None, True)[0]

    def slopes(self, y: PyTree) -> tuple[float, list[tuple[Any, np.ndarray]]] | None:
        """(the loss of some rows in training, (trainable weight, its gradient) pairs); None where there is none.

        Args:
            y: Targets, or None.
        """
        weights = self.model.trainable_variables
        count, x, y = len(weights), _first(self._whole, _PASS), _first(y, _PASS)

        def loss(some, rest, global_values, x, y):
            return self._loss(global_values, [*some, *rest], x, y)

        given = self._values[:count], self._values[count:], self._globals, x, y
        found = tried(jax.jit(jax.value_and_grad(loss)), *given)
        return found and (float(found[0]), list(zip(weights, map(np.asarray, found[1]), strict=True)))

    def penalty(self, y: PyTree, active: bool, factor: float = 1.0) -> tuple[float, float]:
        """(sum of the terms of the loss in which the targets have no part, sum of the others), in training.

        Args:
            y: Targets.
            active: Whether terms that depend on the inputs count: those for the size of activations.
            factor: How many times as large the trainable weights are.
        """
        program = self.training(y)
        terms = [] if program is None else list(terms_of(program.outputs[0]))
        if program is None or len(terms) < 2:
            return 0.0, 0.0
        targets = set(program.inputs[len(self._arguments) :])
        free = [not targets & roots_of([term]) and term.learned and (active or not term.varies) for term in terms]
        given = [np.asarray(leaf)[:ROWS] for leaf in jax.tree_util.tree_leaves(y)]
        weights = self.weights_in(program)
        pairs = zip(program.inputs, self._arguments, strict=False)  # the targets come after them
        own = [number * factor if value in weights else number for value, number in pairs]
        numbers = jax.jit(program.computing(terms))(*own, *given)
        sums = [
            sum(float(one) for one, is_free in zip(numbers, free, strict=True) if is_free == kind) for kind in (1, 0)
        ]
        return sums[0], sums[1]

    def weights_in(self, program: Equations) -> dict[Value, Any]:
        """Value -> the trainable weight that it is, of a program of this model.

        Args:
            program: The program.
        """
        first = len(jax.tree_util.tree_leaves(self._globals))
        return dict(zip(program.inputs[first:], self.model.trainable_variables, strict=False))

    def applied(self, layers: Collection[Any]) -> dict[Any, str | None]:
        """Layer -> the activation that a function applies to its outputs, None for none, for those layers that all
        outputs depend on: none adds its inputs to what comes after it.

        Args:
            layers: Layers with a kernel.
        """
        made: list[Any] = []

        def run(*given):
            notes: list[Any] = []
            with context.watching_layers(lambda layer, args, outputs: notes.append((layer, outputs))):
                outputs = self._predict(*given)
            made[:] = [layer for layer, _ in notes if layer in layers]
            return outputs, [tree.flatten(unwrap(one))[0] for layer, one in notes if layer in layers]

        try:
            program = Equations(jax.make_jaxpr(run)(self._globals, self._values, self.x), self._kinds)
        except Exception:  # a layer inside a loop: its values are not those of the program
            return {}
        count = len(self.outputs)
        consumers, found = consumers_of(program), {}
        values, program.outputs = program.outputs[count:], program.outputs[:count]
        for layer, value in zip(made, values, strict=True):
            if value.maker is not None and not program.reaches(value.maker):
                found[layer] = activation_after(value, consumers)
        return found

    @property
    def leaves(self) -> list[np.ndarray]:
        """The arrays of the inputs."""
        return jax.tree_util.tree_leaves(self.x)

    def with_leaves(self, leaves: list[np.ndarray]) -> PyTree:
        """Inputs of other arrays.

        Args:
            leaves: The arrays, as many as there are.
        """
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(self.x), leaves)

    def with_leaf(self, place: int, values: np.ndarray) -> PyTree:
        """The inputs with another array at this place among their leaves.

        Args:
            place: Number of the leaf.
            values: The array.
        """
        leaves = self.leaves
        leaves[place] = values.astype(leaves[place].dtype)
        return self.with_leaves(leaves)


def _first(data, count):
    """The first rows of all arrays."""
    rows = tree.map_structure(lambda leaf: leaf if leaf is None else np.asarray(leaf)[:count], data)
    return None if data is None else rows


def differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where two arrays of outputs differ by more than rounding.

    Args:
        first: Outputs.
        second: Others.
    """
    size = max(float(np.abs(first).max(initial=0.0)), 1e-6)
    return np.abs(first - second) > _SMALLEST * size
