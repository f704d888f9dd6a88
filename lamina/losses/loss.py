"""Loss: a function of targets and outputs that gives the one number that training minimizes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import jax.numpy as jnp

from lamina import dtype_policies
from lamina.core import context, tree
from lamina.core.configurable import CompilesCalls, Configurable, compiles
from lamina.core.keras_tensor import get_mask
from lamina.core.no_values import rewritten
from lamina.core.op import op
from lamina.core.serialization import serialize
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError, MissingMethodError
from lamina.losses.alignment import broadcast_to_outputs, same_rank
from lamina.runtime import settings
from lamina.runtime.tracebacks import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import ArrayLike, Config, DTypeLike, PyTree, Tensor
    from lamina.dtype_policies import DTypePolicy

__all__ = [
    "DTypeOrPolicy", "Loss", "LossFunctionWrapper", "LossLike", "Reduction", "check_takes_targets", "compute_dtype",
    "divide_no_nan", "masked_weights", "reduce_weighted",
]  # fmt: skip

LossLike: TypeAlias = "str | Config | type[Loss] | Loss | Callable[[Any, Any], Any]"
"""A loss as users write it: its name, its config, its class, an object, or a function of y_true and y_pred."""

DTypeOrPolicy: TypeAlias = "DTypeLike | DTypePolicy | None"
"""The type a loss or metric computes in: a type, its name, a dtype policy, or None for `keras.config.floatx()`."""

Reduction: TypeAlias = Literal["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]
"""How a loss makes one number of its values."""

REDUCTIONS = get_args(Reduction)


def compute_dtype(dtype: DTypeOrPolicy) -> str:
    """The name of the type to compute in.

    Args:
        dtype: A type, the name of a type or policy, or a policy; None means `keras.config.floatx()`.
    """
    policy: Any = dtype_policies.get(settings.floatx() if dtype is None else dtype)
    return policy.compute_dtype


def divide_no_nan(a: Any, b: Any) -> Tensor:
    """a / b, and 0 where b is 0.

    Args:
        a: Numerator.
        b: Denominator.
    """
    zero = b == 0
    return jnp.where(zero, 0, a / jnp.where(zero, 1, b))


class Loss(CompilesCalls, Configurable):
    """Base class of losses. A subclass defines `call(y_true, y_pred)`, which returns one value per sample; calling the
    object multiplies these values by the sample weights and reduces them.

    Values that the mask of y_pred (or of what `call` returns) excludes count neither in the sum nor in the number of
    values.

    Args:
        name: Name of the loss; None makes one from the name of the class.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values), "sum", "mean_with_sample_weight"
            (sum / sum of weights), "none" or None (the values as they are).
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> class Absolute(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return abs(y_true - y_pred)
    >>> float(Absolute()([1.0, 2.0], [1.0, 4.0], sample_weight=[1.0, 0.5]))
    0.5
    """

    _set_by_init = "reduction"
    _integer_targets = False  # class numbers are not cast: a small float type cannot represent them
    _unwritten: dict[str, Any] = {}  # argument -> the default that is left out of the config

    def __init__(
        self, name: str | None = None, reduction: Reduction = "sum_over_batch_size", dtype: DTypeOrPolicy = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ConfigError(
                f"Invalid value for argument `reduction`: expected one of {REDUCTIONS}; got {reduction!r}.",
                fix='reduction="sum_over_batch_size"',
            )
        self.name: str = name or context.unique_name(context.snake_case(type(self).__name__))
        self.reduction: Reduction = reduction
        self._dtype = compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The name of the type the loss is computed in."""
        return self._dtype

    def __call__(self, y_true: PyTree, y_pred: PyTree, sample_weight: ArrayLike | None = None) -> Tensor:
        """The reduced loss: a scalar, or with reduction "none" one value per sample.

        Args:
            y_true: Targets, first axis batch.
            y_pred: Outputs, first axis batch.
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        try:
            return self._value(y_true, y_pred, sample_weight)
        except Exception as error:
            with readable(error) as shown:
                raise shown from None

    @compiles
    def _value(self, y_true, y_pred, sample_weight):
        return loss_value(self, y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample; each loss defines it.

        Args:
            y_true: Targets, cast to `dtype`.
            y_pred: Outputs, cast to `dtype`.
        """
        raise MissingMethodError(
            f"{type(self).__name__} needs a call(y_true, y_pred) method.",
            fix="def call(self, y_true, y_pred): return keras.ops.abs(y_true - y_pred)",
        )

    def get_config(self) -> Config:
        """The arguments by name. `dtype` (of some losses also `axis` or `delta`) is in it only where it is not the
        default, as in Keras's files."""
        config = super().get_config()
        unwritten = {"dtype": settings.floatx(), **self._unwritten}
        return {key: value for key, value in config.items() if key not in unwritten or value != unwritten[key]}


@op(settings=("loss",))
def loss_value(loss: Any, y_true: PyTree, y_pred: PyTree, sample_weight: ArrayLike | None = None) -> Tensor:
    """What `loss(y_true, y_pred, sample_weight)` computes.

    Args:
        loss: A `Loss`.
        y_true: Targets, first axis batch.
        y_pred: Outputs, first axis batch.
        sample_weight: Weights of the samples; None weighs all by 1.
    """
    targets = _arrays(y_true, None if loss._integer_targets else loss.dtype)
    values = unwrap(loss.call(targets, _arrays(y_pred, loss.dtype)))
    if values is None:
        raise CallError(f"The loss {loss.name!r} returned None.", fix="return values  # at the end of the function")
    if isinstance(values, (list, tuple, dict)):
        total = "sum(values.values())" if isinstance(values, dict) else "sum(values)"
        raise CallError(
            f"The loss {loss.name!r} returned a {type(values).__name__} of {len(values)} values; a loss is one tensor.",
            fix=f"return {total}  # the parts of the loss together",
        )
    mask = _both(get_mask(y_pred), get_mask(values))
    return reduce_weighted(jnp.asarray(values, loss.dtype), sample_weight, mask, loss.reduction)


def _both(mask, other):
    if mask is None or other is None:
        return other if mask is None else mask
    return jnp.asarray(mask, bool) & jnp.asarray(other, bool)


def _arrays(structure, dtype):
    """Arrays of `dtype` for the leaves of `structure`; a list of plain numbers is one array."""
    if all(isinstance(leaf, (bool, int, float)) for leaf in tree.flatten(structure)):
        return jnp.asarray(structure, dtype)
    return tree.map_structure(lambda leaf: leaf if leaf is None else jnp.asarray(unwrap(leaf), dtype), structure)


def reduce_weighted(
    values: Tensor, sample_weight: Any = None, mask: Any = None, reduction: Reduction = "sum_over_batch_size"
) -> Tensor:
    """Values times weights, reduced. Masked values count neither in the sum nor in the number of values.

    Args:
        values: One value per sample, shape (batch, ...).
        sample_weight: Weights that fit the first axes of `values`; None weighs all by 1.
        mask: False where a value is left out; None leaves out nothing.
        reduction: How the values are reduced; see `Loss`.
    """
    weights = masked_weights(sample_weight, mask, values.dtype, mean=reduction in ("mean", "sum_over_batch_size"))
    if weights is not None:
        weights_of_values, values = broadcast_to_outputs(weights, values)
        values = jnp.where(weights_of_values == 0, 0, values * weights_of_values)  # also where a value is NaN
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction == "sum":
        return jnp.sum(values)
    if reduction == "mean_with_sample_weight" and weights is not None:
        return divide_no_nan(jnp.sum(values), jnp.sum(weights))
    return divide_no_nan(jnp.sum(values), jnp.asarray(values.size, values.dtype))


def masked_weights(weights: Any, mask: Any, dtype: DTypeLike, mean: bool = False) -> Any:
    """Weights that are 0 where the mask is false; None without weights and mask.

    Args:
        weights: Weights of the values; None weighs all by 1.
        mask: False where a value is left out; None leaves out nothing.
        dtype: Type of the result.
        mean: Whether to scale the weights so that the sum divided by the number of all values is the mean of the
            values that are not masked.
    """
    weights = None if weights is None else jnp.asarray(unwrap(weights), dtype)
    if mask is None:
        return weights
    mask = jnp.asarray(mask, dtype)
    if mean:
        mask = mask * divide_no_nan(jnp.asarray(mask.size, dtype), jnp.sum(mask))
    if weights is None:
        return mask
    smaller, larger = broadcast_to_outputs(*sorted((weights, mask), key=lambda array: array.ndim))
    return smaller * larger


def check_takes_targets(function: Callable[..., Any], kind: str) -> None:
    """Raise ConfigError unless a function can be called with y_true and y_pred.

    Args:
        function: Function of a user.
        kind: "loss" or "metric".
    """
    try:
        inspect.signature(function).bind("y_true", "y_pred")
    except TypeError as error:
        name, signature = getattr(function, "__name__", "function"), inspect.signature(function)
        parts = getattr(getattr(function, "__code__", None), "co_consts", ())
        if any(inspect.iscode(part) and part.co_argcount == 2 for part in parts):  # a function that makes the loss
            example = ", ".join(f"{key}=1.0" for key, one in signature.parameters.items() if one.default is one.empty)
            fix = f"{kind}s=[{name}({example})]" if kind == "metric" else f"{kind}={name}({example})"
            fix += f"  # with the values that you mean: the function that {name} returns is the {kind}"
            message = f"A {kind} is called with y_true and y_pred; {name}{signature} returns a function."
            raise ConfigError(message, fix=fix) from None
        raise ConfigError(
            f"A {kind} is called with y_true and y_pred; {name}{signature} cannot be: {error}.",
            fix=f"def {name}(y_true, y_pred):" if name.isidentifier() else "lambda y_true, y_pred: ...",
        ) from None
    except ValueError:  # a function without a signature
        return


class LossFunctionWrapper(Loss):
    """A loss from a function `fn(y_true, y_pred, **kwargs)` that returns one value per sample.

    Args:
        fn: Function of y_true and y_pred.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss; None means the name of the function.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.
        **kwargs: Further arguments of `fn`, which become attributes of the object.

    >>> from lamina.losses import LossFunctionWrapper, huber
    >>> float(LossFunctionWrapper(huber, delta=2.0)([[0.0]], [[1.0]]))
    0.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        if not kwargs:
            check_takes_targets(fn, "loss")
        self.fn: Callable[..., Any] = fn
        self._settings = tuple(kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The values of `fn`, shape (batch, ...).

        Args:
            y_true: Targets.
            y_pred: Outputs.
        """
        if hasattr(y_true, "ndim") and hasattr(y_pred, "ndim"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return rewritten(self.fn)(y_true, y_pred, **{key: getattr(self, key) for key in self._settings})

    def get_config(self) -> Config:
        """The arguments by name; for a direct wrapper also `fn` and its further arguments."""
        config = super().get_config()
        if "fn" in config:
            config["fn"] = serialize(self.fn)
            config.update({key: serialize(getattr(self, key)) for key in self._settings})
        return config
