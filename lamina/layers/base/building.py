"""Building: which shapes a layer's `build` is called with, and what happens around it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from lamina.core import context, tree
from lamina.core.context import building_lock
from lamina.errors import CallError
from lamina.layers.base import call_signature
from lamina.layers.base.shapes import open_batch, open_probes, tuples_of

if TYPE_CHECKING:
    from lamina.core.typing import Config

_REST = inspect.Parameter.VAR_POSITIONAL


def managed_build(build: Any) -> Any:
    """The `build` of a subclass, run under the layer's name; afterwards the layer is built."""

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        names = call_signature.signature_of(build).names
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        if self.__dict__.get("_build_shapes") is None:
            self._build_shapes = {name: shape for name, shape in shapes.items() if shape is not None}
        with self._scope(), context.concrete():
            result = build(self, *args, **kwargs)
        self.built = True
        self._after_build()
        if self.__dict__.get("_initial_weights") is not None:  # Dense(4, weights=[kernel, bias]), Keras 1 and 2
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        context.structure_changed()
        return result

    return wrapped


def build_for(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], has_build: Any) -> None:
    """Build `layer` for the shapes of the arguments of a call; `has_build` says that its class defines `build`."""
    with building_lock:  # threads that meet an unbuilt layer build it once
        if not layer.built:
            _build_for(layer, args, kwargs, has_build)


def _build_for(layer, args, kwargs, has_build):
    if not has_build and not layer._layers:
        layer.built = True
        return
    signature = call_signature.signature_of(type(layer).call)
    tensors = call_signature.tensors_of(signature, args, kwargs)
    layer.__dict__["_called_dtypes"] = [_whole_dtype(leaf) for leaf in tree.flatten(list(tensors.values()))]
    shapes = {f"{name}_shape": open_probes(call_signature.shape_of(value)) for name, value in tensors.items()}
    if not has_build:  # the layers inside build themselves in the call that follows
        layer.built = True
        layer._build_shapes = {name: open_batch(shape) for name, shape in shapes.items()}
        return
    parameters = call_signature.signature_of(type(layer).build).signature.parameters
    named = [name for name in [*parameters][1:] if parameters[name].kind not in (_REST, inspect.Parameter.VAR_KEYWORD)]
    wanted = named or [name for name in parameters if parameters[name].kind is _REST]
    if len(wanted) == 1:
        layer.build(next(iter(shapes.values()), None))  # None where nothing has a shape, as for text
    else:
        if len(wanted) > 1:
            _check_shape_names(layer, wanted, signature.names)
        layer.build(**{name: shapes.get(name) for name in wanted if name in shapes})


def _whole_dtype(leaf):
    """The dtype of an input of integers or truth values; None for others, which are cast."""
    dtype = str(getattr(leaf, "dtype", ""))
    return dtype if dtype == "bool" or "int" in dtype else None


def _check_shape_names(layer, wanted, called):
    """Each parameter of a `build` of several shapes is named after an argument of `call`."""
    owner = f"build() of {type(layer).__name__}"
    fix = "build(self, a_shape, b_shape) goes with call(self, a, b)."
    for name in wanted:
        if not name.endswith("_shape"):
            raise CallError(f"{owner} has the argument `{name}`, which does not end in `_shape`.", fix=fix)
        argument = name.removesuffix("_shape")
        if argument not in called:
            raise CallError(
                f"{owner} has the argument `{name}`, but `call()` does not have argument `{argument}`.", fix=fix
            )


class BuildConfigMixin:
    """What files hold of the shapes that a layer was built with."""

    built: bool
    _build_shapes: dict[str, Any] | None

    if TYPE_CHECKING:

        def build(self, *args: Any, **kwargs: Any) -> None: ...

    def get_build_config(self) -> Config | None:
        """The shapes it was built with, for files."""
        if not self._build_shapes:
            return None
        shapes = self._build_shapes
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: Config) -> None:
        """Build with the shapes a file holds.

        Args:
            config: What `get_build_config` returned.
        """
        if config and not self.built:
            if "shapes_dict" in config:
                self.build(**{name: tuples_of(shape) for name, shape in config["shapes_dict"].items()})
            elif config.get("input_shape") is not None:
                self.build(tuples_of(config["input_shape"]))
