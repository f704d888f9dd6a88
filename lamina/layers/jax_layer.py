"""JaxLayer and FlaxLayer: JAX functions and Flax modules as layers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import random
from lamina.core.dtypes import is_float, standardize_dtype
from lamina.core.variable import Variable
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.runtime.packages import MissingPackageError
from lamina.tree import map_shape_structure

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from lamina.core.typing import LayerArguments, PyTree, SeedLike

__all__ = ["FlaxLayer", "JaxLayer"]


class JaxLayer(Layer):
    """`outputs = call_fn(params, inputs)`, with `params` as trainable weights.

    The names of the parameters of `call_fn`, in any order, state what it gets: params; state, in which case it returns
    (outputs, new state); rng, a key in training and None otherwise; inputs, an array or structure of arrays; training.
    `init_fn` gets inputs (ones of the shape of the first inputs) and optionally rng and training (True); it returns
    params, or (params, state). Arguments are passed by position. Numbers and arrays in params and state become
    variables; other values are passed to the functions unchanged.

    Args:
        call_fn: Function that computes the outputs. Its parameters are `inputs` and any of `params`, `state`, `rng` and
            `training`.
        init_fn: Function that returns the initial params, or (params, state). Its parameters are `inputs` and any of
            `rng` and `training`. None if `params` or `state` are given.
        params: Initial parameters, trainable; None means that `init_fn` makes them.
        state: Initial state, not trainable; None means that `init_fn` makes it.
        seed: Seed of the keys that `call_fn` gets as `rng`; None draws one.
        native_serialization_platforms: Ignored; in Keras it is for TensorFlow.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: For functions with other parameters, or without params, state and init_fn.
        ShapeError: If call_fn returns a state of another structure.

    Configs and files hold the names of the functions: register them with `keras.saving.register_keras_serializable`.

    >>> import jax, lamina as keras
    >>> def init(rng, inputs):
    ...     return {"scale": jax.random.normal(rng, inputs.shape[-1:])}
    >>> layer = keras.layers.JaxLayer(lambda params, inputs: inputs * params["scale"], init)
    >>> layer(keras.Input((3,))).shape, layer.count_params()
    ((None, 3), 3)
    """

    _config_skips = frozenset(("autocast", "params", "state"))
    _config_optional = frozenset(("activity_regularizer", "seed"))

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: PyTree = None,
        state: PyTree = None,
        seed: SeedLike = None,
        native_serialization_platforms: Any = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.call_fn: Any = call_fn
        self.init_fn: Any = init_fn
        self.seed = seed
        self.native_serialization_platforms = native_serialization_platforms
        self._call_names = _names(call_fn, "call_fn", ("params", "state", "rng", "inputs", "training"))
        self._init_names = () if init_fn is None else _names(init_fn, "init_fn", ("rng", "inputs", "training"))
        self.seed_generator: Any = random.SeedGenerator(seed) if "rng" in self._call_names else None
        self.params: PyTree = self._variables_in(params, True)
        self.state: PyTree = self._variables_in(state, False)
        if params is not None or state is not None:
            self.built = True
        elif init_fn is None and self._has_variables:
            raise ConfigError(
                "JaxLayer has no init_fn that makes the `params` or `state` of call_fn.",
                fix="Pass init_fn, or params and state.",
            )

    @property
    def _has_variables(self):
        return "params" in self._call_names or "state" in self._call_names

    def _variables_in(self, values, trainable):
        """The structure with a variable for each array and number."""

        def variable(value):
            if not isinstance(value, (jax.Array, np.ndarray, np.generic, bool, int, float)):
                return value
            array = np.asarray(value)
            dtype = standardize_dtype(type(value) if isinstance(value, (bool, int, float)) else array.dtype)
            return self.add_weight(
                array.shape, lambda _, dtype: jnp.asarray(array, dtype), None if is_float(dtype) else dtype, trainable
            )

        return jax.tree_util.tree_map(variable, values)

    def build(self, input_shape: Any) -> None:
        if self.params is not None or self.state is not None or not self._has_variables:
            return
        inputs = map_shape_structure(
            lambda shape: jnp.ones([1 if size is None else size for size in shape]), input_shape
        )
        given = {"rng": self._get_init_rng(), "inputs": inputs, "training": True}
        made: Any = self.init_fn(*(given[name] for name in self._init_names))
        params, state = made if "state" in self._call_names else (made, None)
        self.params = self._variables_in(params, True)
        self.state = self._variables_in(state, False)

    # A subclass may pass other keys to its functions.

    def _get_init_rng(self) -> Any:
        """The argument `rng` of init_fn."""
        return random.draw_seed(None)

    def _get_call_rng(self, training) -> Any:
        """The argument `rng` of call_fn."""
        return self.seed_generator.next() if training else None

    def call(self, inputs: Any, training: bool = False) -> Any:
        given = {"params": _values(self.params), "state": _values(self.state), "inputs": inputs, "training": training}
        if "rng" in self._call_names:
            given["rng"] = self._get_call_rng(training)
        result = self.call_fn(*(given[name] for name in self._call_names))
        if "state" not in self._call_names:
            return result
        outputs, state = result
        self._take(state)
        return outputs

    def _take(self, state):
        current, new = jax.tree_util.tree_structure(self.state), jax.tree_util.tree_structure(state)
        if current != new:
            raise ShapeError(
                f"call_fn must return a state of the structure {current}; got {new}.",
                fix="Return (outputs, state) with a state like init_fn's.",
            )
        for variable, value in zip(
            jax.tree_util.tree_leaves(self.state), jax.tree_util.tree_leaves(state), strict=True
        ):
            if isinstance(variable, Variable):
                variable.assign(value)


class FlaxLayer(JaxLayer):
    """A module of Flax (`flax.linen.Module`) as a layer; needs the package flax.

    The method gets `inputs` and, if it has the parameter, `training`. The collection "params" is trainable; all others
    are state. In training the method gets a key for "dropout".

    Args:
        module: Module of Flax (`flax.linen.Module`).
        method: Name of a method of the module, or a function (module, inputs); None means `__call__`.
        variables: Initial variables, as the module's `init` returns them; None means that the layer calls `init`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`, `seed`.

    Configs and files hold the config of the module: its class needs get_config and from_config, and registration.
    """

    _config_skips = frozenset(("autocast", "params", "state", "call_fn", "init_fn", "variables"))

    def __init__(
        self,
        module: Any,
        method: str | Callable[..., Any] | None = None,
        variables: PyTree = None,
        **kwargs: Unpack[LayerArguments],
    ):
        self.module: Any = module
        self.method: Any = _method(module, method)
        params, state = _split(variables)
        super().__init__(*self._functions(), params=params, state=state, **kwargs)

    def _functions(self):
        """call_fn and init_fn, with `training` if the module's method has that parameter."""
        others = _all_but_params()
        takes_training = "training" in inspect.signature(self.method or self.module.__call__).parameters

        def apply(params, state, rng, inputs, **training):
            variables = {**(params or {}), **(state or {})}
            return self.module.apply(variables, inputs, rngs=rng, method=self.method, mutable=others, **training)

        def init(rng, inputs, **training):
            return _split(self.module.init(rng, inputs, method=self.method, **training))

        if not takes_training:
            return lambda params, state, rng, inputs: apply(params, state, rng, inputs), lambda rng, inputs: init(
                rng, inputs
            )
        return (
            lambda params, state, rng, inputs, training: apply(params, state, rng, inputs, training=training),
            lambda rng, inputs, training: init(rng, inputs, training=training),
        )

    def _argument(self, name, parameter, owner):
        if name == "method" and getattr(self.method, "__self__", None) == self.module:
            return self.method.__name__  # configs hold the name of a method of the module
        return super()._argument(name, parameter, owner)

    def _get_init_rng(self) -> Any:
        return {"params": random.draw_seed(None), "dropout": random.draw_seed(None)}

    def _get_call_rng(self, training):
        return {"dropout": self.seed_generator.next()} if training else {}


def _names(function, role, allowed):
    """The names of the parameters of a function, after a check that they are `inputs` and others of `allowed`."""
    names = list(inspect.signature(function).parameters)
    if "inputs" not in names:
        raise ConfigError(
            f"`{role}` needs a parameter `inputs`; it has {', '.join(names) or 'none'}.",
            fix=f"def {role}({', '.join(allowed)}): ...",
        )
    for name in names:
        if name not in allowed:
            raise ConfigError(
                f"`{role}` has a parameter `{name}`; allowed are {', '.join(allowed)}.",
                fix=f"def {role}({', '.join(allowed)}): ...",
            )
    return names


def _method(module, method):
    """The method of a module by its name; functions are returned unchanged."""
    if not isinstance(method, str):
        return method
    if (method.startswith("_") and method != "__call__") or not callable(getattr(type(module), method, None)):
        raise ConfigError(f"{type(module).__name__} has no method {method!r}.", fix="method='__call__'")
    return getattr(module, method)


def _values(structure):
    return jax.tree_util.tree_map(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, structure)


def _split(variables):
    """(params, state) of a module's variables."""
    if variables is None:
        return None, None
    return (
        {name: variables[name] for name in variables if name == "params"},
        {name: variables[name] for name in variables if name != "params"},
    )


def _all_but_params():
    try:
        from flax.linen import DenyList  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingPackageError("FlaxLayer", "flax") from error
    return DenyList(["params"])
