"""Examples with a few numbers of what layers, losses, metrics, optimizers, activations and the like compute."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.constraints import Constraint
from lamina.core import tree
from lamina.core.variable import Variable, unwrap
from lamina.explanations.without_model import ARGUMENTS, example_layer, example_model
from lamina.facts.layer_facts import facts_of
from lamina.initializers import Initializer
from lamina.layers.base.layer import Layer
from lamina.layers.base.traits import has_trait
from lamina.layers.rnn import RNN
from lamina.losses import Loss
from lamina.metrics import Metric
from lamina.optimizers import Optimizer
from lamina.optimizers.schedules import LearningRateSchedule
from lamina.regularizers import Regularizer

__all__ = ["example_of"]

_MOST = 48  # numbers of an array that is written out
_SMALL = {
    **ARGUMENTS, "units": 2, "filters": 2, "kernel_size": 2, "input_dim": 5, "output_dim": 2, "num_heads": 1,
    "key_dim": 2, "head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1, "output_size": 2, "num_tokens": 5,
    "num_bins": 4, "height": 2, "width": 2, "groups": 1, "output_shape": 2, "num_buckets": 3, "crossing_dim": 3,
    "nb_feature": 2, "output_length": 2,
}  # fmt: skip
_SHAPES = (
    ((3,), "float32"), ((3,), "int32"), ((3, 2), "float32"), ((4, 4, 1), "float32"), ((4, 4, 3), "float32"),
    ((2, 4, 4, 1), "float32"), ((2, 2, 4, 4, 1), "float32"), ((4, 4, 4, 1), "float32"), ((64, 1), "float32"),
    ((), "string"),
)  # fmt: skip
_OF_LAYER: dict[str, dict[str, Any]] = {
    "Discretization": {"bin_boundaries": [0.0, 0.5]}, "IntegerLookup": {"vocabulary": [1, 2]},
    "StringLookup": {"vocabulary": ["a", "b"]}, "TextVectorization": {"vocabulary": ["a", "b"]},
    "GroupNormalization": {"groups": 1}, "STFTSpectrogram": {"frame_length": 4, "frame_step": 2, "fft_length": 4},
}  # fmt: skip
_WHOLE = ("CategoryEncoding", "Hashing", "HashedCrossing", "IntegerLookup", "Embedding")  # they take whole numbers
_TEXTS = ("StringLookup", "TextVectorization")
_OTHERS = {"num_classes": 2, "target_class_ids": [0], "recall": 0.5, "precision": 0.5, "sensitivity": 0.5,
           "specificity": 0.5, "initial_learning_rate": 0.1, "decay_steps": 100, "decay_rate": 0.5,
           "boundaries": [10, 100], "values": [0.1, 0.01, 0.001], "first_decay_steps": 100, "max_value": 1.0,
           "max_learning_rate": 0.1, "total_steps": 100}  # fmt: skip
_ROWS = [[0.2, 0.8], [0.6, 0.4]]
_TARGETS: dict[str, tuple[Any, Any]] = {  # words in the name of a loss or metric -> (targets, outputs)
    "Sparse": ([1, 1], _ROWS), "Generalized": ([1, 1], _ROWS), "Circle": ([1, 1], _ROWS),
    "Hinge": ([[1.0], [-1.0]], [[0.6], [0.3]]),
    "Binary": ([[1.0], [0.0]], [[0.8], [0.4]]), "Categorical": ([[0.0, 1.0], [0.0, 1.0]], _ROWS),
    "CTC": ([[1, 2]], np.log([[[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]]).tolist()),
    "IoU": ([0, 1, 1], [0, 1, 0]), "Mean": ([[1.0], [2.0]], [[1.5], [1.0]]),
    "": ([[0.0, 1.0], [0.0, 1.0]], _ROWS),
}  # fmt: skip


def example_of(thing: Any) -> list[str]:
    """The lines of an example: what is made, what goes in, what comes out.

    Args:
        thing: Class, or function of numbers.

    Raises:
        Exception: No example is known, or the one that was tried does not fit.

    >>> from lamina import activations, regularizers
    >>> example_of(activations.relu)
    ['relu([-2.0, -1.0, 0.0, 2.0]) = [0.0, 0.0, 0.0, 2.0]']
    >>> example_of(regularizers.L2)
    ['L2(l2=0.01)([1.0, -2.0]) = 0.05']
    """
    if inspect.isclass(thing) and issubclass(thing, Layer):
        return list(_layer_lines(thing))
    if inspect.isclass(thing) and issubclass(thing, (Loss, Metric)):
        return _score_lines(thing)
    if inspect.isclass(thing) and issubclass(thing, Optimizer):
        return _update_lines(thing)
    if inspect.isclass(thing):
        return _call_lines(thing)
    names = [name for name, one in inspect.signature(thing).parameters.items() if one.default is one.empty]
    if names[:1] == ["y_true"]:
        return _scored(thing.__name__, thing, "".join(word.title() for word in thing.__name__.split("_")))
    values = [-2.0, -1.0, 0.0, 2.0]
    return [f"{thing.__name__}({values}) = {_written(thing(np.array(values, 'float32')))}"]


def _layer_lines(cls) -> Iterator[str]:
    made = example_layer(cls, _SMALL, _OF_LAYER.get(cls.__name__, {}))
    if has_trait(made, "recurrent_cell"):
        made = RNN(made)
    first = {**dict.fromkeys(_WHOLE, ((1,), "int32")), **dict.fromkeys(_TEXTS, ((), "string"))}.get(cls.__name__)
    model = example_model(made, (first, *_SHAPES) if first else _SHAPES)
    function = model._graph
    (layer,) = {fact.layer for fact in facts_of(model) if type(fact.layer) is type(made)}
    inputs = [_values(tensor, number) for number, tensor in enumerate(function.input_tensors)]
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        if np.ptp(weight.numpy()) > 0:  # zeros and ones stay as they are
            weight.assign(rng.normal(size=weight.shape).round(1))
    written = re.sub(r'(, )?name="[^"]*"', "", repr(layer))
    yield f"keras.layers.{written}"
    for value in inputs:
        yield f"inputs {_shaped(value)}"
    for weight in layer.weights:
        if weight.trainable or weight.size > 2:
            yield f"{weight.path.rpartition(f'{layer.name}/')[2]} {_shaped(weight.numpy())}"
    for mode in ({"training": False}, {"training": True}) if has_trait(layer, "noise", "dropout") else ({},):
        outputs = function.run(inputs, lambda one, args, kwargs, mode=mode: one(*args, **kwargs, **mode))
        word = "outputs in training, for one draw," if mode.get("training") else "outputs"
        yield from (f"{word} {_shaped(unwrap(value))}" for value in tree.flatten(outputs))


def _values(tensor, number):
    shape = (1, *(2 if size is None else size for size in tensor.shape[1:]))
    if str(tensor.dtype) == "string":
        return np.array(["a", "b"])
    if str(tensor.dtype).startswith("int"):
        return np.arange(1, 1 + np.prod(shape)).reshape(shape).astype("int32")
    return np.random.default_rng(number).normal(size=shape).round(1).astype("float32")


def _shaped(values):
    values = np.asarray(values)
    return f"{values.shape}: {_written(values)}" if values.size <= _MOST else f"{values.shape}, too many to show"


def _written(values):
    values = np.asarray(values)
    if values.dtype.kind == "O" or not np.issubdtype(values.dtype, np.number):
        return str(values.tolist())
    return str(np.asarray(values, "float64").round(4).tolist() if values.dtype.kind not in "iu" else values.tolist())


def _made(cls):
    """An instance, with examples for the arguments that have no default."""
    parameters = inspect.signature(cls).parameters.values()
    wanted = [one.name for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    return cls(**{name: {**_OTHERS, **ARGUMENTS}[name] for name in wanted})


def _score_lines(cls):
    made = _made(cls)
    return _scored(repr(made) if len(repr(made)) < 60 else f"{cls.__name__}()", made, cls.__name__)


def _scored(written, function, name):
    if name in ("Mean", "Sum"):
        return [f"{written}([1.0, 2.0, 6.0]) = {_written(unwrap(function([1.0, 2.0, 6.0])))}"]
    true, pred = next(pair for word, pair in _TARGETS.items() if word in name)
    result = unwrap(function(np.array(true), np.array(pred, "float32") if name.find("IoU") < 0 else np.array(pred)))
    return [f"y_true = {true}", f"y_pred = {pred}", f"{written}(y_true, y_pred) = {_written(result)}"]


def _update_lines(cls):
    optimizer, variable = _made(cls), Variable(np.array([[1.0, -2.0]], "float32"), name="kernel")
    lines = [f"keras.optimizers.{cls.__name__}(learning_rate={float(np.asarray(optimizer.learning_rate)):g})",
             "kernel = [[1.0, -2.0]], and its gradient is [[0.5, -0.1]] in each step"]  # fmt: skip
    for step in (1, 2):
        optimizer.apply([np.array([[0.5, -0.1]], "float32")], [variable])
        lines.append(f"after step {step}: kernel = {np.asarray(variable.numpy(), 'float64').round(6).tolist()}")
    return lines


def _call_lines(cls):
    made = _made(cls)
    written = f"{cls.__name__}({', '.join(f'{k}={v}' for k, v in _config(made).items())})"
    if isinstance(made, LearningRateSchedule):
        values = ", ".join(f"{float(np.asarray(made(step))):.4g} in step {step}" for step in (0, 10, 100))
        return [f"{written}: {values}"]
    if isinstance(made, Initializer):
        return [f"{written}((2, 3)) = {_written(unwrap(made((2, 3))))}"]
    if isinstance(made, (Regularizer, Constraint)):
        is_matrix = isinstance(made, Constraint) or "Orthogonal" in cls.__name__
        values = [[1.0, -2.0], [3.0, 4.0]] if is_matrix else [1.0, -2.0]
        return [f"{written}({values}) = {_written(unwrap(made(np.array(values, 'float32'))))}"]
    raise TypeError(f"{cls.__name__} computes nothing from numbers.")


def _config(made):
    return {name: value for name, value in made.get_config().items() if value is not None and name != "name"}
