"""LAM6xx: how a model is laid out over devices."""

from __future__ import annotations

import math
import re

from lamina.check.rule import rule
from lamina.core import context
from lamina.distribution.automatic import inner_axes, split_over
from lamina.spelling.nearest import nearest

__all__ = []

_LARGE = 2**20  # numbers of a variable


def _layouts():
    """The LayoutMap of the current distribution, or None."""
    return getattr(context.distribution(), "layout_map", None)


@rule(
    "LAM601", "warning", "a key of a LayoutMap that matches nothing", "model",
    "What it was meant for stays whole on each device.",
    "Keras: keras.distribution.LayoutMap, the key is a regular expression for the whole path",
)  # fmt: skip
def _keys_without_a_path(subject):
    layouts, model = _layouts(), subject.model
    if layouts is None or any(not layer.built for layer in model._flatten_layers()):
        return
    variables = [*model.variables, *(model.optimizer.variables if model.optimizer is not None else ())]
    paths = [variable.path for variable in variables]
    paths += [f"{layer.path}/output" for layer in model._flatten_layers()]
    for key, layout in layouts.items():
        if not _matching(key, paths):
            wider = [one for one in (f".*{key}", f".*{key}.*") if _matching(one, paths)]
            meant = [*wider, *nearest(key, paths, 1), *paths[:1]]
            message = f"{key!r} matches no path of a variable, nor of outputs."
            yield None, key, message, f"layout_map[{meant[0]!r}] = {layout.axes!r}"


def _matching(key, paths):
    return [path for path in paths if re.fullmatch(key, path)]


@rule(
    "LAM602", "warning", "a large variable that is whole on each device", "model",
    "It takes as much memory on each of them, with its gradient and what the optimizer keeps of it.",
    "Shazeer et al.: Mesh-TensorFlow (2018), 3.1, variables whose layout has no dimension are replicated",
)  # fmt: skip
def _large_and_whole(subject):
    layouts = _layouts()
    if layouts is None:
        return
    distribution, mesh = context.distribution(), layouts.device_mesh
    others = [axis for axis in mesh.axis_names if axis != distribution.batch_dim_name]
    for variable in subject.model.variables if others else ():
        size, layout = math.prod(variable.shape), distribution.get_variable_layout(variable)
        if size < _LARGE or any(axis is not None for axis in getattr(layout, "axes", (others[0],))):
            continue
        shape = variable.shape[inner_axes(variable) :]
        whole = [None] * len(shape)
        whole[max(range(len(shape)), key=lambda place: shape[place])] = others[0]
        axes = tuple(getattr(split_over(shape, None, mesh, others[0]), "axes", whole))
        *_, layer, name = "", *variable.path.split("/")
        key = f".*{layer}/{name}"
        key = key if len(_matching(key, [one.path for one in subject.model.variables])) == 1 else variable.path
        message = f"{variable.path} has {size:,} numbers, and no key of the LayoutMap splits it."
        yield layer or None, size, message, f"layout_map[{key!r}] = {axes!r}"
