"""The variables of a layer: how they are made, listed, counted, trained or frozen, and written to files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import constraints, initializers, regularizers
from lamina.core import context
from lamina.core.dtypes import is_float, standardize_dtype
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, ConfigError, ShapeError, UnsupportedError
from lamina.layers.base.known_lists import kept_list
from lamina.layers.base.misuse import refuse_weight
from lamina.layers.base.settings import weight_settings
from lamina.layers.base.tracking import KerasAttributes, unique
from lamina.legacy import name_first, warn_renamed
from lamina.metrics.metric import Metric
from lamina.random import SeedGenerator
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, DTypeLike, ShapeLike
    from lamina.initializers import InitializerLike


class VariablesMixin(KerasAttributes):
    """The variables of a layer and of the layers among its attributes."""

    name: str
    built: bool
    variable_dtype: Any
    _trainable: bool
    _own_variables: list[Variable]
    _scope: Any
    losses: Any

    @kept_list
    def variables(self) -> list[Variable]:
        """All variables: its own, the states of its seed generators, then those of the layers inside."""
        own = [*self._variables_of_its_own(), *(generator.state for generator in self._seed_generators)]
        return unique([*own, *(variable for layer in self._layers for variable in layer.variables)])

    @kept_list
    def weights(self) -> list[Variable]:
        """The variables without seed states: what `get_weights` and files hold, in this order."""
        inner = (variable for layer in self._layers for variable in layer.weights)
        return unique([*self._variables_of_its_own(), *inner])

    def _variables_of_its_own(self):
        own = [variable for variable in self._ordered_variables() if not variable.is_derived]
        return sorted(own, key=lambda variable: not variable.initially_trainable)

    @property
    def _seed_generators(self) -> list[SeedGenerator]:
        """The seed generators directly inside."""
        return self._parts(SeedGenerator)

    def _flatten_layers(self, include_self=True, recursive=True):
        """This layer and the layers inside, depth first."""
        found: list[Any] = [self] if include_self else []
        for layer in self._layers:
            found.extend(layer._flatten_layers() if recursive else [layer])
        return unique(found)

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change this layer. Setting it sets the layers inside too, from the next step on."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if isinstance(value, str):
            fix = f"layer.trainable = {value.strip().lower() in ('true', 'yes', '1')}"
            raise ConfigError(f"trainable is True or False; got the text {value!r}.", fix=fix)
        self._trainable = bool(value)
        for variable in self._variables_of_its_own():
            variable.trainable = bool(value) and variable.initially_trainable
        for layer in self._layers:
            layer.trainable = value
        context.structure_changed()

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables an optimizer may change now."""
        return [variable for variable in self.variables if variable.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All other variables, seed states included."""
        trainable = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights an optimizer may change now. A layer of Keras 1 sets them, in place of `add_weight`."""
        return self.trainable_variables

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Any]) -> None:
        warn_renamed("Layer.trainable_weights = [...] is written as add_weight(...) since Keras 2.")
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """All other weights, without seed states."""
        trainable = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.weights if id(variable) not in trainable]

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Any]) -> None:
        warn_renamed("Layer.non_trainable_weights = [...] is written as add_weight(trainable=False) since Keras 2.")
        self._non_trainable_weights = weights

    @property
    def metrics(self) -> list[Metric]:
        """The metrics kept as attributes, here and in the layers inside."""
        return unique([*self._parts(Metric), *(metric for layer in self._layers for metric in layer.metrics)])

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def get_weights(self) -> list[np.ndarray]:
        """The weights as NumPy arrays, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    @filters_traceback
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights.

        Args:
            weights: Arrays in the order and the shapes of `weights`.

        Raises:
            ShapeError: When their number or a shape differs; then no weight is changed.
        """
        variables = self.weights
        if len(variables) != len(weights) or (len(variables) > 1 and isinstance(weights, np.ndarray)):
            got = f"an array of shape {np.shape(weights)}" if hasattr(weights, "shape") else len(weights)
            shapes = ", ".join(f"{variable.name} {variable.shape}" for variable in variables[:6])
            first = np.shape(next(iter(weights), ()))
            raise ShapeError(
                f"{self.name} has {len(variables)} weights; set_weights was given {got}."
                + (f" They are: {shapes}." if self.built else " It is not built yet."),
                fix=f"layer.set_weights([{', '.join(variable.name for variable in variables[:6])}])"
                if 0 < len(variables) <= 6
                else "weights = layer.get_weights() has the arrays in their order."
                if self.built
                else f"{self.name}.build((None, {first[0] if len(first) == 2 else '...'}))  # the shape of a batch",
            )
        _assign_all(variables, [np.asarray(unwrap(weight)) for weight in weights], "set_weights was given")

    @filters_traceback
    def count_params(self) -> int:
        """The number of values in the weights.

        Raises:
            CallError: When the layer is not built.
        """
        if not self.built:
            raise CallError(f"{self.name} is not built: it has no weights yet.", fix="Call it, or build(input_shape).")
        return sum(variable.size for variable in self.weights)

    @filters_traceback
    @name_first("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
    def add_weight(
        self,
        shape: ShapeLike | None = None,
        initializer: InitializerLike = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this layer.

        Args:
            shape: Shape of the variable; None means a scalar.
            initializer: Initializer; None means glorot_uniform for floats and zeros for other types.
            dtype: Type of the values; None means that of the layer's variables.
            trainable: Whether an optimizer may change it.
            autocast: Whether it is read in the compute type of the layer.
            regularizer: Regularizer of the variable, added to the loss.
            constraint: Constraint on the variable after each update.
            aggregation: How replicas combine their values: "none", "mean", "sum" or "only_first_replica".
            overwrite_with_gradient: Whether a step of training stores the gradient as the new value.
            name: Name of the variable, the last part of its path.
        """
        refuse_weight(self, shape)
        dtype = self.variable_dtype if dtype is None else standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        with self._scope():
            variable = Variable(
                initializers.get(initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        variable.trainable = variable.trainable and self.trainable
        self._ordered_variables()  # those before this one
        self._own_variables.append(variable)
        context.structure_changed()
        return variable

    def _add_weight_of(self, family, shape, name=None, make: Callable[..., Any] | None = None, **changed) -> Any:
        """A weight with the settings of a family: "kernel" reads `kernel_initializer`, `kernel_regularizer` and
        `kernel_constraint`. `changed` replaces some; `make` is called in place of `add_weight`."""
        settings = {**weight_settings(self, family), **changed}
        return (make or self.add_weight)(shape=shape, name=name or family, **settings)

    @name_first("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
    def add_variable(
        self,
        shape: ShapeLike,
        initializer: InitializerLike = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_weight` with a shape that must be given.

        Args:
            shape: Shape of the variable.
            initializer: Initializer of the variable; None as in `add_weight`.
            dtype: Type of the values; None means that of the layer's variables.
            trainable: Whether an optimizer may change it.
            autocast: Whether it is read in the compute type of the layer.
            regularizer: Regularizer of the variable, added to the loss.
            constraint: Constraint on the variable after each update.
            name: Name of the variable, the last part of its path.
        """
        return self.add_weight(shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name)

    def stateless_call(
        self,
        trainable_variables: Sequence[Variable | ArrayLike],
        non_trainable_variables: Sequence[Variable | ArrayLike],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The call as a pure function: (outputs, new non-trainable values), and the losses if asked for.

        Args:
            trainable_variables: Values in the order of `self.trainable_variables`.
            non_trainable_variables: Values in the order of `self.non_trainable_variables`.
            *args: Arguments of the call.
            return_losses: Whether the losses of the call are a third result.
            **kwargs: Arguments of the call.

        Raises:
            CallError: When the layer is not built, or for another number of values.
        """
        if not self.built:
            raise CallError(f"{self.name} is not built: it has no variables yet.", fix="Call it once first.")
        trainable, others = self.trainable_variables, self.non_trainable_variables
        for what, expected, given in (
            ("trainable_variables", trainable, trainable_variables),
            ("non_trainable_variables", others, non_trainable_variables),
        ):
            if len(expected) != len(given):
                raise CallError(
                    f"{self.name} has {len(expected)} {what}; stateless_call was given {len(given)}.",
                    fix="stateless_call(layer.trainable_variables, layer.non_trainable_variables, x)",
                )
        values = [unwrap(value) for value in (*trainable_variables, *non_trainable_variables)]
        with context.bind([*trainable, *others], values) as slots:
            outputs = self(*args, **kwargs)  # pyright: ignore[reportCallIssue]
            updated = [slots[variable] for variable in others]
            losses = self.losses if return_losses else None
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    # Files

    def _saved_weights(self):
        return self._variables_of_its_own()

    def save_own_variables(self, store: Any) -> None:
        """Write the variables that are this layer's own, without those of layers inside.

        Args:
            store: Dict of arrays, which gets the keys "0", "1" and so on.
        """
        for index, variable in enumerate(self._saved_weights()):
            store[str(index)] = np.asarray(variable)

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote.

        Args:
            store: Dict of arrays with the keys "0", "1" and so on.

        Raises:
            ShapeError: When their number or a shape differs; then no variable is changed.
        """
        variables = self._saved_weights()
        if len(store.keys()) != len(variables):
            raise ShapeError(
                f"{self.name} has {len(variables)} variables; the file has {len(store.keys())} for it."
                + ("" if self.built else " The layer is not built."),
                fix="Build the model with the shape it was saved with, or see skip_mismatch.",
            )
        _assign_all(variables, [store[str(index)] for index in range(len(variables))], "the file has")

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Of Keras 2; raises NotImplementedError that says what Keras 3 has instead.

        Args:
            *args: Ignored.
            **kwargs: Ignored.
        """
        raise UnsupportedError(
            "Keras 3 has no add_metric. Make a metric in __init__, and give it the values in `call`.",
            fix="self.total = keras.metrics.Mean(), then self.total.update_state(value)",
        )


def _assign_all(variables, values, source):
    """Assign each value to its variable, once all shapes are known to match."""
    for variable, value in zip(variables, values, strict=True):
        if variable.shape != np.shape(value):
            raise ShapeError(
                f"{variable.path} has shape {variable.shape}; {source} {np.shape(value)}.",
                fix=f"np.reshape(value, {tuple(variable.shape)})"
                if math.prod(np.shape(value)) == variable.size  # its numbers may be in a file
                else f"Give a value of shape {tuple(variable.shape)}.",
            )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
