"""What tf.functions take: signatures, and functions for one kind of arguments."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.host import InvalidArgumentError, is_text, on_host
from lamina.compat.reachable import reachable
from lamina.core.context import Ref
from lamina.core.variable import Variable, unwrap
from lamina.training.data.elements import Composite, TensorSpec

__all__ = [
    "ConcreteFunction", "Same", "SignatureError", "described", "fitting", "is_variable", "kind_of", "results_of",
    "spec_of",
]  # fmt: skip


class SignatureError(InvalidArgumentError, TypeError):
    """Arguments that are not those of `input_signature`, or a variable made at a later call."""


class Same:
    """An argument that is no tensor, as a part of a key."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        try:
            return hash(self.value)
        except TypeError:
            return id(self.value)

    def __eq__(self, other):
        if not isinstance(other, Same):
            return False
        return self.value is other.value or (not isinstance(self.value, Ref) and self.value.__class__ is
                                             other.value.__class__ and _equal(self.value, other.value))  # fmt: skip


def kind_of(value: Any) -> Same:
    """An argument that is no tensor: what its `__tf_tracing_type__` says, or the value itself."""
    says = getattr(value, "__tf_tracing_type__", None)
    return Same(value if says is None else says(None))


def _equal(one, other):
    try:
        hash(one)
        return bool(one == other)
    except (TypeError, ValueError):
        return False


def is_variable(leaf: Any) -> bool:
    """Whether a leaf of the arguments is a variable."""
    return isinstance(leaf, Variable)


def fitting(spec: Any, value: Any) -> Any:
    """An argument as a tensor of the dtype that a signature says."""
    if not isinstance(spec, TensorSpec):
        return value
    takes_text = spec.dtype == "string"
    if takes_text and (is_text(value) or isinstance(value, Composite)):
        return value if isinstance(value, Composite) else on_host(value)
    is_array = takes_text or isinstance(value, (jax.Array, Variable))
    array = jnp.asarray(unwrap(value)) if is_array else jnp.asarray(value, spec.dtype)
    wanted = "string" if takes_text else jax.dtypes.canonicalize_dtype(spec.dtype)
    fits = spec.shape is None or (
        len(spec.shape) == array.ndim and all(a in (None, b) for a, b in zip(spec.shape, array.shape, strict=True))
    )
    if not fits or takes_text or array.dtype != wanted:
        changed = "tf.strings.as_string(x)" if takes_text else f"tf.cast(x, tf.{wanted})"
        raise SignatureError(
            f"The function takes {spec} by its signature; got {array.dtype}{tuple(array.shape)}.",
            fix=f"tf.TensorSpec({[None] * array.ndim}, tf.{array.dtype}) in the signature, or {changed}.",
        )
    return array


def described(signature: Any, args: Any, kwargs: Any, outputs: Any, captures: Any = ()) -> str:
    """The parameters, results and captures of a function, as TensorFlow prints them."""
    given = signature.bind(*args, **kwargs).arguments.items()
    lines = [f"  {name} ({signature.parameters[name].kind.name}): {value}" for name, value in given]
    lines = ["Input Parameters:", *lines, "Output Type:", f"  {outputs}", "Captures:"]
    return "\n".join([*lines, *(f"  {one.path}: {TensorSpec(one.shape, one.dtype)}" for one in captures)]) + (
        "" if captures else "\n  None"
    )


def results_of(trace: Any) -> Any:
    """The specs of what a traced function returns; None where they are not known."""
    if not hasattr(trace, "outputs"):
        return None
    kinds = [TensorSpec(kind.shape, kind.dtype) for kind in trace.program.out_avals]
    tree = trace.outputs[0]
    return tree.unflatten(kinds)[0] if tree.num_leaves == len(kinds) else None


class Graph:
    """The operations of a function, as `tf.Graph` lists them."""

    def __init__(self, name: str, inputs: list[Any], trace: Any) -> None:
        self.name = name
        equations = trace.program.jaxpr.eqns if trace else []
        kinds = ["Placeholder"] * len(inputs) + [one.primitive.name for one in equations]
        self.node: list[Any] = [
            SimpleNamespace(name=f"{kind}_{n}", op=kind, type=kind, input=[]) for n, kind in enumerate(kinds)
        ]

    def as_graph_def(self) -> Graph:
        """The graph itself, whose `node` has a `name` and an `op`."""
        return self

    def get_operations(self) -> list[Any]:
        """The operations."""
        return self.node


class ConcreteFunction:
    """A tf.function for one kind of arguments."""

    def __init__(self, owner: Any, args: Any, kwargs: Any) -> None:
        bound = owner._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        self.function, self.name, self._given = owner, f"__inference_{owner.__name__}", dict(bound.arguments)
        values = list(self._given.values())  # a dict would be flattened by its sorted names
        self._leaves, self._tree = jax.tree_util.tree_flatten(values, is_leaf=is_variable)
        self.specs: list[Any] = [spec_of(leaf) for leaf in self._leaves]
        self.structured_input_signature = (
            tuple(jax.tree_util.tree_map(spec_of, args)),
            jax.tree_util.tree_map(spec_of, kwargs),
        )
        self._free = [place for place, spec in enumerate(self.specs) if _is_spec(spec)]
        taken = [place for place, spec in enumerate(self.specs) if _is_spec(spec) or is_variable(spec)]
        self._ways = [self._free, taken, list(range(len(self.specs)))]  # variables and Python values may be given again
        shapes = [self.specs[place].shape for place in self._free]
        self.outputs: Any = None
        self.structured_outputs: Any = None
        self._trace: Any = None
        if all(shape is not None and None not in shape for shape in shapes):
            zeros = [jnp.zeros(self.specs[place].shape, self.specs[place].dtype) for place in self._free
                     if isinstance(self.specs[place], TensorSpec) and self.specs[place].dtype != "string"]  # fmt: skip
            if len(zeros) == len(self._free):
                self.outputs = self._shapes(zeros)

    def _shapes(self, zeros):
        given = self._filled(self._free, zeros)
        leaves, structure = jax.tree_util.tree_flatten((tuple(given.values()), {}), is_leaf=is_variable)
        trace = self.function._traced(structure, leaves)
        self.structured_outputs = results_of(trace)
        self._trace = trace if hasattr(trace, "outputs") else None
        return getattr(trace, "outputs", None)

    def __deepcopy__(self, memo: Any) -> ConcreteFunction:
        made = object.__new__(ConcreteFunction)
        vars(made).update(vars(self), function=copy.deepcopy(self.function, memo), _trace=None)
        return made

    @property
    def graph(self) -> Graph:
        """Its operations, those of JAX."""
        return Graph(self.name, [value for value in self.specs if isinstance(value, TensorSpec)], self._trace)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that it reads."""
        found = reachable(self.function, []) if self._trace is None else self._trace.variables
        return tuple(ref for ref in found if isinstance(ref, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those that are trainable."""
        return tuple(variable for variable in self.variables if variable.trainable)

    @property
    def captured_inputs(self) -> list[Any]:
        """The values that it reads besides its arguments."""
        return [variable.read() for variable in self.variables]

    @property
    def function_type(self) -> str:
        """Its arguments and results."""
        return f"{self.structured_input_signature} -> {self.structured_outputs}"

    @property
    def inputs(self) -> list[Any]:
        """The specs of its tensors."""
        return [self.specs[place] for place in self._free]

    def _filled(self, places, tensors):
        leaves = list(self._leaves)
        for place, tensor in zip(places, tensors, strict=True):
            leaves[place] = tensor
        return dict(zip(self._given, self._tree.unflatten(leaves), strict=True))

    def __repr__(self) -> str:
        args, kwargs = self.structured_input_signature
        shown = described(self.function._signature, args, kwargs, self.structured_outputs, self.variables)
        return f"ConcreteFunction {shown}"

    def _call(self):
        return f"{self.name}({', '.join(self._given)})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tensors = list(jax.tree_util.tree_leaves(args, is_leaf=is_variable))
        names = [name for name in self._given if name in kwargs]
        tensors += [leaf for name in names for leaf in jax.tree_util.tree_leaves(kwargs[name], is_leaf=is_variable)]
        places = next((places for places in self._ways if len(places) == len(tensors)), None)
        if places is None or set(kwargs) - set(names):
            message = f"{self.name} takes {len(self._free)} tensors, for {', '.join(self._given)}; got {len(tensors)}."
            raise SignatureError(message, fix=self._call())
        for place, value in zip(places, tensors, strict=True):
            spec = self.specs[place]
            if not _is_spec(spec) and not is_variable(spec) and Same(spec) != Same(value):
                raise SignatureError(f"{self.name} was made for {spec!r}; got {value!r}.", fix=self._call())
        given = self._filled(places, map(fitting, (self.specs[place] for place in places), tensors))
        bound = self.function._signature.bind_partial()
        bound.arguments.update(given)
        return self.function(*bound.args, **bound.kwargs)


def _is_spec(value):
    return isinstance(value, TensorSpec) or hasattr(value, "joined")


def spec_of(leaf: Any) -> Any:
    """The TensorSpec of a tensor; other values themselves."""
    if isinstance(leaf, (TensorSpec, Composite)):
        return getattr(leaf, "spec", leaf)
    if isinstance(leaf, (jax.Array, np.ndarray, np.generic)):
        return TensorSpec(leaf.shape, "string" if leaf.dtype.kind == "O" else leaf.dtype)
    return leaf
