"""What the labels of a head are: one-hot rows, class numbers, yes and no, quantities; and its metrics."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.check.subject import Subject
from lamina.facts.heads import Head
from lamina.facts.loss_names import BINARY, REGRESSION, name_of

if TYPE_CHECKING:
    from lamina.core.typing import Shape

__all__ = [
    "Kind",
    "by_exchange",
    "counts_hits",
    "is_one_hot",
    "kind_of",
    "metrics_of",
    "other_columns",
    "repair_of_classes",
]

_MOST = 100  # whole numbers from 0 that may be classes


class Kind(enum.Enum):
    """Kinds of labels."""

    ONE_HOT = "rows with a single 1"
    CLASSES = "the whole numbers from 0, each used"
    YES_NO = "0 and 1"
    OTHER = "anything else"


def kind_of(head: Head) -> Kind | None:
    """The Kind of the labels of a head; None where there are none.

    Args:
        head: Output of a model.
    """
    labels = head.numbers
    if labels is None or not labels.size:
        return None
    zero_one = bool(np.isin(labels, (0, 1)).all())
    if zero_one and is_one_hot(head) and bool((labels.sum(-1) == 1).all()):
        return Kind.ONE_HOT
    one_each = labels.size == len(labels)
    if zero_one:
        return Kind.YES_NO if one_each or head.units == labels.shape[-1] == 1 else Kind.OTHER
    if not one_each or not np.isfinite(labels).all() or (labels != np.round(labels)).any():
        return Kind.OTHER
    used = np.unique(labels)
    in_turn = used[0] in (0, 1) and used[-1] - used[0] == len(used) - 1
    return Kind.CLASSES if in_turn and len(used) <= min(_MOST, len(labels) // 2) else Kind.OTHER


def is_one_hot(head: Head) -> bool:
    """Whether the labels of a head have as many columns as it has units, and more than one.

    Args:
        head: Output of a model, with labels that are numbers.
    """
    labels = head.numbers
    if labels is None:
        return False
    return labels.ndim == len(head.shape) and labels.ndim > 1 and labels.shape[-1] == head.units != 1


def metrics_of(subject: Subject) -> Iterator[tuple[Head, Any]]:
    """(head, metric) for the metrics that were given to compile.

    Args:
        subject: What is checked.
    """
    given = (subject.model._compile_arguments or {}).get("metrics") if subject.own_step else None
    heads = {head.name: head for head in subject.heads}
    if given is None:
        return
    if not isinstance(given, (dict, list, tuple)):
        given = [given]
    if isinstance(given, dict):
        rows = [(heads[name], one) for name, one in given.items() if name in heads]
    elif len(heads) == 1:
        rows = [(next(iter(heads.values())), given)]
    else:
        rows = zip(heads.values(), given, strict=False) if len(given) == len(heads) else ()
    for head, metrics in rows:
        for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
            for one in metric if isinstance(metric, (list, tuple)) else [metric]:
                yield head, one


def counts_hits(subject: Subject, head: Head) -> bool:
    """Whether a metric of a head is an accuracy: its labels are then meant as classes.

    Args:
        subject: What is checked.
        head: One of its heads.
    """
    return any(one is head and "acc" in name_of(metric) for one, metric in metrics_of(subject))


def by_exchange(subject: Subject, head: Head) -> str | None:
    """The fix where the labels of a head fit the loss of another one, and those of that one its loss; None elsewhere.

    Args:
        subject: What is checked.
        head: One of its heads, whose labels its loss cannot take.
    """
    for other in subject.heads:
        if other is not head and _takes(head, other.numbers) and _takes(other, head.numbers):
            return (
                f"Exchange the losses of {head.name} and {other.name}, or their targets: those of each fit the loss of "
                "the other."
            )
    return None


def _takes(head, labels):
    """Whether the loss of a head takes labels of one number for each row."""
    if labels is None or labels.size != len(labels) or not np.isfinite(labels).all():
        return False
    if head.loss_name == "sparse_categorical_crossentropy":
        return bool((labels == np.round(labels)).all()) and labels.min() >= 0 and labels.max() < (head.units or 0)
    if head.units != 1:
        return False
    return head.loss_name in REGRESSION or (head.loss_name in BINARY and bool(np.isin(labels, (0, 1)).all()))


def other_columns(labels: np.ndarray, shape: Shape) -> str | None:
    """The fix where the axes of the labels are those of the output in another order, or where a column of them counts
    the rows, as the index of a table does; None elsewhere.

    Args:
        labels: Labels of several columns.
        shape: Shape of the output.
    """
    if labels.ndim == 3 and labels.shape[:0:-1] == tuple(shape[1:]):
        return "Use y.transpose(0, 2, 1) as labels."
    if labels.ndim != 2 or len(labels) < 8:
        return None
    steps = np.diff(labels, axis=0)
    counts = [column for column in range(labels.shape[1]) if steps[0, column] > 0 and not np.ptp(steps[:, column])]
    return f"Leave out column {counts[0]} of the labels, which counts the rows." if counts else None


def repair_of_classes(head: Any, part: Any, ignored: int | None) -> tuple[float, float, str]:
    """(the least label, the largest, what to do) where class numbers go beyond the units of an output.

    Args:
        head: Output of a model.
        part: Its labels.
        ignored: The label that its loss ignores.
    """
    labels = part.values[part.values != ignored]
    least, most = float(np.nanmin(labels)), float(np.nanmax(labels))
    fix = f"Number the classes from 0: np.unique({part.name}, return_inverse=True)[1]"
    if least < 0:
        return least, most, f"{fix}."
    units = f"{head.layer} {int(most) + 1} units"
    few = len(np.unique(labels)) <= min(head.units, most - 1)  # 10, 20, 30
    return least, most, f"{fix}; or give {units}." if few else f"Give {units}, or number the classes from 0."
