"""LAM117 and LAM118: a model and data that do not fit, before they raise."""

import re

from lamina.check.rule import rule
from lamina.check.trials import misfit_of_labels
from lamina.core import tree
from lamina.errors import LaminaError

__all__ = []


@rule(
    "LAM117", "error", "inputs that the model cannot take", "inputs",
    "The first step would raise this error.",
    "Keras: Input, input_spec of layers",
)  # fmt: skip
def _inputs_that_do_not_fit(subject):
    if subject.misfit is not None:
        yield _as_finding(subject.misfit, "Give the data the shape that the model's Input names.")
    given = subject.settings.get("validation_data")
    if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 3 or any(map(_has_no_length, given[:2])):
        return
    counts = {name: len(leaf) for name, data in zip("xy", given, strict=False) for leaf in tree.flatten(data)}
    if len(set(counts.values())) > 1:
        yield (
            None, tuple(counts.values()), "The validation data have " + " and ".join(
                f"{count} rows of {name}" for name, count in counts.items()) + ".",
            "Pass validation_data=(x_val, y_val), whose rows belong to each other.",
        )  # fmt: skip


@rule(
    "LAM118", "error", "labels that the loss cannot compare with the outputs", "forward",
    "The first step would raise this error.",
    "Keras: y_true and y_pred have the same shape, but for sparse losses",
)  # fmt: skip
def _labels_that_do_not_fit(subject):
    if subject.own_step and subject.model.loss is not None:
        error = misfit_of_labels(subject.model, subject.x, subject.y, subject.sample_weight)
        if error is not None:
            layer, value, message, fix = _as_finding(error, "Give each sample a label of the shape of its output.")
            head = subject.heads[0] if len(subject.heads) == 1 else None
            cut = [fact.name for fact in subject.facts if getattr(fact.layer, "padding", "") == "valid"]
            if head is not None and cut and _is_larger(head.labels, head.shape):
                fix = f"Use padding='same' in {', '.join(cut)}, so that the output keeps the size of the input."
            yield layer or (head and head.layer), value, message, fix


def _has_no_length(data):
    return any(not getattr(leaf, "ndim", 0) for leaf in tree.flatten(data))


def _is_larger(labels, shape):
    """Whether labels have the rank of an output and more positions."""
    sizes = () if labels is None or labels.ndim != len(shape) else labels.shape[1:-1]
    return any(have > (size or have) for have, size in zip(sizes, shape[1:-1], strict=False))


def _as_finding(error, fix):
    """(layer, value, message, fix) of an error; the layer is the innermost that it names."""
    known = isinstance(error, LaminaError)
    message = error.message if known else f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    where = re.match(r"In (?:\S*/)?(\S+) \(\w+\)", (error.where or "") if known else "")
    return where and where[1], type(error).__name__, message, (known and error.fix) or fix
