"""Programs: functions that make a model with its data, once with the fault and once without."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from benchmarks.faults.library import keras

__all__ = ["KINDS", "Case", "Pick", "Program", "faulty", "programs_of", "sound"]

KINDS: dict[str, str] = {
    "output activation": "the activation of the last layer does not suit the loss or the targets",
    "loss": "the loss does not suit the task",
    "logits": "the loss takes logits and gets probabilities, or the other way round",
    "output units": "the number of outputs is not that of the classes or targets",
    "labels": "the form or the values of the labels are not those that the loss takes",
    "target scale": "targets of a regression that are far from unit scale",
    "shape": "the data do not fit the model, or the layers do not fit each other",
    "input scale": "inputs that are not scaled",
    "bad values": "NaN, infinity, constant or corrupt values in the data",
    "imbalance": "nearly all labels are of one class",
    "order of data": "sorted data that are not shuffled, or split before they are shuffled",
    "validation": "validation data that are unlike the training data, or part of them",
    "vocabulary": "token numbers that the embedding has no row for, or that mean two things",
    "hidden activation": "an activation inside the network that is missing, doubled or out of place",
    "initializer": "initial weights that are equal, or far too large or small",
    "gradient flow": "depth without skips or normalization, where gradients vanish, explode or die",
    "capacity": "layers that are too narrow for the task",
    "feature maps": "kernels, strides, pooling or filters that lose or never see the picture",
    "layer order": "layers in an order that does nothing or harm: flatten, pooling, dropout, normalization",
    "dropout": "a rate that drops too much, or dropout where it must not be",
    "regularization": "penalties that outweigh the loss",
    "optimizer": "an optimizer that is too weak for the network, or wrongly set",
    "learning rate": "a rate that is too large, too small, or falls to 0",
    "batch size": "batches that are too large or too small for the data or for the layers",
    "training length": "too few steps to learn",
    "metric": "a figure that says nothing about the task",
    "callback": "a callback that cannot act, or acts too early",
    "frozen weights": "weights that should train and do not, or the other way round",
    "disconnected": "an input or output that has no effect on the loss",
    "attention": "scores, scale, heads or axis of an attention that are wrong",
    "mask": "padding or the future that is not hidden, or data that are",
    "positions": "attention over a sequence that does not know its order",
    "recurrence": "a recurrent layer that keeps, drops or forgets what it should not",
    "label shift": "targets of a sequence that are shifted by the wrong number of steps",
}
"""Kind of fault -> what it means."""


class Pick:
    """Chooses between what the program had wrong and what mends it.

    Args:
        mended: Whether the mended version is made.
    """

    def __init__(self, mended: bool):
        self.mended: bool = mended

    def __call__(self, wrong: Any, right: Any) -> Any:
        """One of the two.

        Args:
            wrong: What the faulty program has.
            right: What the mended program has.
        """
        return right if self.mended else wrong


@dataclasses.dataclass(frozen=True)
class Case:
    """A model that is about to be trained.

    Attributes:
        model: Model, compiled unless the program trains it by itself.
        x: Inputs, or an object that gives batches.
        y: Targets, or None.
        fit: Other arguments of `fit`.
    """

    model: Any
    x: Any = None
    y: Any = None
    fit: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Program:
    """A faulty program with its mended twin, or a sound program.

    Attributes:
        name: Name of its function.
        kinds: The kinds of its fault, each of which is right; none for a sound program.
        source: The study, question or recipe that its facts come from.
        summary: What it is for, and what was wrong.
        make: The function that makes it.
    """

    name: str
    kinds: frozenset[str]
    source: str
    summary: str
    make: Callable[..., tuple[Any, ...]]

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions there are: "faulty" and "mended", or "sound"."""
        return ("faulty", "mended") if self.kinds else ("sound",)

    def case(self, version: str) -> Case:
        """The model and the data, with the same initial weights each time.

        Args:
            version: "faulty", "mended" or "sound".
        """
        keras.utils.set_random_seed(zlib.crc32(self.name.encode()))
        return Case(*(self.make() if version == "sound" else self.make(Pick(version == "mended"))))


def faulty(*kinds: str, source: str) -> Callable[[Callable[..., tuple[Any, ...]]], Program]:
    """Decorator: a function of a Pick that returns (model, x, y) or (model, x, y, arguments of fit) is a Program.

    Args:
        *kinds: The kinds of the fault; a linter that names one of them has found it.
        source: The study or the question that the facts come from.

    Raises:
        KeyError: A kind is not in the vocabulary.
    """
    for kind in kinds:
        KINDS[kind]
    return lambda make: Program(make.__name__, frozenset(kinds), source, (make.__doc__ or "").strip(), make)


def sound(source: str) -> Callable[[Callable[[], tuple[Any, ...]]], Program]:
    """Decorator: a function without arguments that returns (model, x, y, ...) is a sound Program.

    Args:
        source: The recipe.
    """
    return lambda make: Program(make.__name__, frozenset(), source, (make.__doc__ or "").strip(), make)


def programs_of(modules: Iterable[ModuleType]) -> list[Program]:
    """The programs that modules define, in order.

    Args:
        modules: Modules of this package.
    """
    return [value for module in modules for value in vars(module).values() if isinstance(value, Program)]
