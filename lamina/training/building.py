"""Build a model from the shapes of its first batch."""

from __future__ import annotations

from typing import Any

import jax

from lamina.core import context, registry, tree
from lamina.core.keras_tensor import KerasTensor, bind_symbolic, trace
from lamina.core.probes import unprinted
from lamina.core.recording import NEEDS_VALUES
from lamina.errors import LaminaError
from lamina.training import op_by_op
from lamina.training.data.leaves import differ_in_rows
from lamina.training.data.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = ["build"]


def build(model: Any, batch: Any) -> None:
    """Build all unbuilt layers, losses, metrics and optimizer slots from the shapes of a batch."""
    has_states = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())  # of the size of a batch
    fixed = has_states or differ_in_rows(unpack_x_y_sample_weight(batch)[0])
    with unprinted():
        try:
            _build(model, batch, fixed)
        except Exception as error:
            if fixed or not _is_built_for(model, batch):
                raise error


def _is_built_for(model, batch):
    """Whether the model can be built for the size of that batch, if it cannot for an open one: a layer of one's own may
    ask for multiples of 128 rows."""
    try:
        _build(model, batch, fixed=True)
    except Exception:  # the error for an open size is the one to show
        return False
    return True


def _build(model, batch, fixed):
    unbuilt = [layer for layer in model._flatten_layers() if not layer.built]
    if op_by_op.has_texts(batch):
        _build_by_texts(model, unbuilt, *unpack_x_y_sample_weight(batch))
        unbuilt = []
    try:
        _build_parts(model, unbuilt, fixed, *unpack_x_y_sample_weight(batch))
    except (LaminaError, TypeError, ValueError, LookupError, AttributeError) as error:
        if registry.is_builtin(type(model).train_step):
            raise
        if unbuilt not in ([], [model]):
            step = pack_x_y_sample_weight(*unpack_x_y_sample_weight(batch))
            try:
                _build_by_step(model, step)  # it calls its layers in its own way
            except (TypeError, ValueError, LookupError):  # the batch is not one of a training
                raise error from None
        model.built = True  # its own step takes a batch in another way, such as (x, y, z) as three inputs
        context.structure_changed()
    if model.optimizer is not None:
        model.optimizer.ensure_built(model.trainable_variables)
        context.structure_changed()


def _build_by_texts(model, unbuilt, x, y, sample_weight):
    """Build a model whose own code reads texts by a call of it, or a step of its own, whose results are discarded."""
    arrays = lambda one: one if one is None or op_by_op.has_texts(one) else jax.numpy.asarray(one)  # noqa: E731
    x, y, sample_weight = (tree.map_structure(arrays, part) for part in (x, y, sample_weight))
    has_own_step = not registry.is_builtin(type(model).train_step)
    by_step = has_own_step and (y is not None or registry.is_builtin(type(model).call))
    with bind_symbolic():
        if unbuilt and by_step:
            model.train_step(pack_x_y_sample_weight(x, y, sample_weight))
        elif unbuilt:
            model(x)
        if y is not None and not has_own_step and model._has_unbuilt_targets():
            model._build_compiled(x, y, model(x), sample_weight)
    model.built = True
    context.structure_changed()


def _build_by_step(model, step):
    try:
        trace(model.train_step, *_symbols((step,), fixed=True))
    except NEEDS_VALUES:
        if not op_by_op.is_allowed():
            raise
        with bind_symbolic():  # what it computes is discarded
            model.train_step(tree.map_structure(lambda one: None if one is None else jax.numpy.asarray(one), step))


def _build_parts(model, unbuilt, fixed, x, y, sample_weight):
    if unbuilt == [model] and not model._has_call():  # e.g. a GAN, which has submodels and a train_step that calls them
        model.built = True
        context.structure_changed()
    elif unbuilt:
        trace(model._run, *_symbols((x,), fixed))
        context.structure_changed()
    if y is not None and model._has_unbuilt_targets():
        x, y, sample_weight = _symbols((x, y, sample_weight), fixed)
        y_pred = model.compute_output_spec(x)
        trace(model._build_compiled, x, y, y_pred, sample_weight)
        context.structure_changed()


def _symbols(batch, fixed):
    """A batch as symbolic tensors. The batch size is unknown unless `fixed` is set."""

    def symbol(value):
        if value is None:
            return None
        shape = getattr(value, "shape", ())
        sizes = (shape[0] if fixed else None, *shape[1:]) if shape else ()
        return KerasTensor(sizes, jax.dtypes.canonicalize_dtype(value.dtype).name)

    return tree.map_structure(symbol, batch)
