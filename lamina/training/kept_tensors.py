"""Tensors that a user's code keeps in an attribute, a list, a dict or a global name while a step is being traced.

They have no values afterwards, and the error that JAX raises for one names none of the user's lines. After a trace each
is replaced by a stand-in, and any use of it raises an error that says where it was kept and what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

from jax.core import Tracer

from lamina.core import tree
from lamina.core.no_values import NoAttributeError, NoValues
from lamina.core.registry import is_builtin
from lamina.errors import CallError, TracingError
from lamina.runtime.tracebacks import filters_traceback


class KeptTensor(NoValues):
    """Stands in for a tensor that was kept.

    Args:
        tensor: The tensor, whose trace is done.
        kept_as: Where it is kept: "log.seen[0]".
        owner: The layer, metric or function whose code kept it.
    """

    shape: tuple[int, ...]
    dtype: Any

    def __init__(self, tensor: Any, kept_as: str, owner: Any) -> None:
        self.shape, self.dtype = tensor.shape, tensor.dtype
        self._kept_as, self._owner = kept_as, owner

    def _refuse(self, fix: Any, kind: type[CallError] = TracingError) -> Any:
        if isinstance(self._owner, FunctionType):
            advice = "model.predict(x)  # after fit: the outputs, as arrays"
        elif self.shape and getattr(self._owner, "_inbound_nodes", None):
            advice = f"keras.Model(model.inputs, model.get_layer({self._owner.name!r}).output).predict(x)"
        else:
            weight = f"self.add_weight(shape={self.shape}, trainable=False)"
            advice = f"In build: self.kept = {weight}; in call: self.kept.assign(x); after fit: layer.kept.numpy()"
        raise kind(f"{self._kept_as} is a tensor of a compiled step, which has no values after the step.", fix=advice)

    if not TYPE_CHECKING:  # an editor shall know a misspelling

        @filters_traceback
        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return self._refuse(None, NoAttributeError)

    def __repr__(self) -> str:
        return f"<tensor of a compiled step, without values: {self.dtype}{self.shape}>"


for _name in "add sub mul truediv floordiv mod pow matmul".split():
    setattr(KeptTensor, f"__{_name}__", NoValues._no_values)
    setattr(KeptTensor, f"__r{_name}__", NoValues._no_values)
for _name in "lt le gt ge eq ne neg abs getitem".split():
    setattr(KeptTensor, f"__{_name}__", NoValues._no_values)


_ITEM = "{}[{!r}]".format


def replace_kept(get_model: Callable[[], Any]) -> None:
    """Put stand-ins in place of the tensors that users' layers, losses, metrics and functions kept.

    Args:
        get_model: Gives the model of which a step has been traced.
    """
    model = get_model()
    compiled = tree.flatten(model._compile_arguments or {})
    for owner in (*model._flatten_layers(), *model.metrics, *compiled):
        if not is_builtin(owner if isinstance(owner, FunctionType) else type(owner)):
            for prefix, names, used in _namespaces(owner):
                _replace_in(names, used, "{}{}".format, prefix, owner)


def _namespaces(owner) -> Iterator[tuple[str, dict[str, Any], Iterable[str]]]:
    """(start of the names in code, values by name, names that count) of each place where the code of an owner can keep
    a tensor."""
    if isinstance(owner, FunctionType):
        functions = [owner]
    else:
        functions = [one for one in vars(type(owner)).values() if isinstance(one, FunctionType)]
        attributes = getattr(owner, "__dict__", {})
        yield f"{getattr(owner, 'name', type(owner).__name__)}.", attributes, list(attributes)
    for function in functions:
        yield "", function.__globals__, function.__code__.co_names
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        enclosing = {name: cell.cell_contents for name, cell in cells if cell != CellType()}  # but for empty ones
        yield "", enclosing, list(enclosing)


def _replace_in(container, keys, name_of, prefix, owner):
    """Replace such tensors among the items of a dict or list, and among those of the dicts and lists in it."""
    for key in keys:
        value = container.get(key) if isinstance(container, dict) else container[key]
        if isinstance(value, Tracer):
            kind: Any = dict if isinstance(container, dict) else list
            kind.__setitem__(container, key, KeptTensor(value, name_of(prefix, key), owner))  # past tracking of layers
        elif isinstance(value, (dict, list)) and name_of is not _ITEM:
            inner = list(value) if isinstance(value, dict) else range(len(value))
            _replace_in(value, inner, _ITEM, name_of(prefix, key), owner)
