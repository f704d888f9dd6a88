"""What comes out of a model: what each output means, which loss and labels go with it, and whether its loss fits."""

import dataclasses
from typing import Any

from lamina import losses
from lamina.core import tree
from lamina.core.context import snake_case
from lamina.core.registry import is_builtin
from lamina.facts.activations import activation_name, activation_of
from lamina.facts.layer_facts import Fact
from lamina.facts.words import shape_of
from lamina.losses import Loss

__all__ = ["Head", "heads_of", "innermost", "sentences_about_head"]

_EXCLUSIVE = (
    "sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
)  # fmt: skip
_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
_REGRESSION = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh",
)  # fmt: skip
_BOUNDS = {
    "sigmoid": "between 0 and 1", "hard_sigmoid": "between 0 and 1", "softmax": "between 0 and 1",
    "tanh": "between -1 and 1", "hard_tanh": "between -1 and 1", "softsign": "between -1 and 1", "relu": "0 or more",
    "relu6": "between 0 and 6", "softplus": "above 0", "exponential": "above 0",
}  # fmt: skip


@dataclasses.dataclass
class Head:
    """One output of a model.

    Attributes:
        fact: the call that computes it; `shape` of the output; `units` on its last axis.
        activation: what it ends in, "linear" for nothing; None where only the program knows.
        loss: as it was given to compile; None for none. `each`: whether compile told one for each
            output.
    """

    fact: Fact
    shape: tuple
    activation: str | None
    loss: Any = None
    each: bool = False

    @property
    def units(self):
        if self.activation != "softmax" and getattr(self.fact.layer, "data_format", None) == "channels_first":
            return self.shape[1] if len(self.shape) > 1 else 1
        return self.shape[-1] if len(self.shape) > 1 else 1


def innermost(fact):
    """The call that computes the output, of a model inside."""
    while fact.inner and hasattr(fact.layer, "fit"):
        ends = [one for one in fact.inner if one.ends]
        if len(ends) != 1:
            break
        fact = ends[0]
    return fact


def heads_of(model, facts):
    """A Head for each output that a layer or op computes."""
    ends = sorted((place, id(fact), fact, index) for fact in facts if fact.depth == 0 for place, index in fact.ends)
    losses, each = _losses(model, len(ends))
    return [
        Head(innermost(fact), fact.outputs[index], _activation(innermost(fact)), losses[place], each)
        for place, _, fact, index in ends
        if place < len(losses)
    ]


def _losses(model, count):
    """(the loss of each output, None where there is none or it is not known; whether compile was asked for each)."""
    own_step = all(is_builtin(getattr(type(model), name)) for name in ("train_step", "compute_loss"))
    given = model.loss if model.compiled and own_step else None
    names = _names(model)
    count = len(names) or count
    if isinstance(given, dict):
        known = bool(names) and set(given) <= set(names)
        return [given.get(name) for name in names] if known else [None] * count, known
    if isinstance(given, (list, tuple)):
        known = len(given) == count
        return list(given) if known else [None] * count, known
    return [given] * count, False


def _names(model):
    """What a dict of losses calls the outputs of a graph, in their order."""
    if getattr(model, "_graph", None) is None:
        return []
    if isinstance(model.output, dict):
        return tree.flatten({name: name for name in model.output})
    return model.output_names


def _activation(fact):
    """What the numbers went through last, before layers that only move them."""
    while len(fact.sources) == 1 and (
        fact.is_a("Reshape", "Flatten", "Permute", "Dropout", "Identity")
        or (fact.kind == "Activation" and activation_name(fact.layer) == "linear")
    ):
        fact = innermost(fact.sources[0])
    name = activation_of(fact)
    if fact.is_a("Softmax") and fact.layer.axis not in (-1, len(fact.output) - 1):
        return None
    if name is not None:
        return name
    layer = fact.layer.layer if fact.is_a("TimeDistributed") else fact.layer
    kinds = {cls.__name__ for cls in type(layer).__mro__}
    has_sum = is_builtin(type(layer)) and kinds & {"Dense", "EinsumDense", "_Windowed"}
    return (activation_name(layer) or "linear") if has_sum else None


def name_and_logits(loss):
    """(name, from_logits) of a loss; ("", None) of one that is not lamina's."""
    loss = losses.get(loss)
    if isinstance(loss, Loss):
        function = getattr(loss, "fn", None)
        settings = loss.get_config() if is_builtin(type(loss)) else {}
        name = getattr(function, "__name__", None) or snake_case(type(loss).__name__)
        return (name if is_builtin(type(loss)) else ""), settings.get("from_logits")
    name = getattr(loss, "__name__", "")
    return (name if is_builtin(loss) else ""), None


def sentences_about_head(head, alone):
    """What an output means, what goes with it, and whether its loss fits."""
    name, fact = head.activation, head.fact
    what = "one number" if head.shape[1:] in ((), (1,)) else shape_of(head.shape)
    through = f" through {name}" if name not in (None, "linear") else ", without an activation" if name else ""
    who = fact.name if fact.depth == 0 else f"{fact.name} in {fact.owner.name}"
    said = [f"{'The output is' if alone else 'One output is'} that of {who}: {what}{through}."]
    if head.each and head.loss is None:
        return [*said, "compile gives it no loss."]
    said.append(_goes_with(head))
    if head.loss is not None:
        loss, logits = name_and_logits(head.loss)
        if loss:
            said.append(_verdict(head, loss, logits))
        else:
            said.append("It is compiled with a loss of the program's own.")
    return said


def _samples(shape):
    sizes = ", ".join("any" if size is None else str(size) for size in shape)
    return f"(samples, {sizes})" if sizes else "(samples,)"


def _goes_with(head):
    name, units, shape = head.activation, head.units, head.shape
    if units is None:
        return ""
    spots = "at each position " if len(shape) > 2 else ""
    if name == "softmax" and units == 1:
        return "The softmax of one number is always 1: take sigmoid, or one unit for each class."
    if name == "softmax":
        return (
            f"So {spots}it gives the probabilities of {units:,} exclusive classes, which add up to 1. With class "
            f"numbers {'0 and 1' if units == 2 else f'0 to {units - 1:,}'} of shape {_samples(shape[1:-1])} as "
            f"labels: loss sparse_categorical_crossentropy; with one-hot rows of {units:,}: categorical_crossentropy. "
            "Metric: accuracy."
        )
    if name == "sigmoid" and units == 1:
        labels = "(samples,) or (samples, 1)" if len(shape) == 2 else _samples(shape[1:])
        return (
            f"So {spots}it gives the probability of yes. Labels: 0 and 1, of shape {labels}; loss "
            "binary_crossentropy, metric accuracy. Above 0.5 counts as yes."
        )
    if name == "sigmoid":
        return (
            f"So {spots}it gives {units:,} probabilities that do not exclude each other: several may be near 1, they "
            f"need not add up to 1. Labels: zeros and ones (or shares between) of shape {_samples(shape[1:])}, loss "
            "binary_crossentropy. For one class of several take softmax."
        )
    if name == "linear":
        return (
            "As a regression it can reach any number: loss mse or mae, targets of the same shape. As scores of classes "
            + (
                f"(logits of {units:,}): a categorical crossentropy with from_logits=True."
                if units > 1
                else "(a logit of yes): binary_crossentropy with from_logits=True."
            )
        )
    return f"So it can only give numbers {_BOUNDS[name]}: targets must lie there." if name in _BOUNDS else ""


def _verdict(head, loss, logits):
    fits, why = _fit(head.activation, head.units, loss, logits)
    told = f"{loss}{' with from_logits=True' if logits else ''}"
    if fits is None:
        return f"It is compiled with {told}{f': {why}' if why else ''}."
    return f"It is compiled with {told}, which {'fits' if fits else 'does not fit'}{f': {why}' if why else ''}."


def _fit(activation, units, loss, logits):
    """(whether they go together, why), None where it depends on what is wanted."""
    if activation is None:
        return None, ""
    crossentropy = loss in (*_EXCLUSIVE, *_BINARY)
    kind = "softmax" if loss in _EXCLUSIVE else "sigmoid"
    if crossentropy and logits:
        if activation in ("softmax", "sigmoid"):
            return False, f"the loss applies {kind} itself, so it would be applied twice"
        return (True, f"the loss applies {kind} itself") if activation == "linear" else (None, "")
    if loss in _EXCLUSIVE:
        if activation == "softmax":
            return units != 1, "" if units != 1 else "with one unit the output is always 1"
        if activation == "sigmoid":
            return False, "it takes the probabilities of exclusive classes, which softmax gives"
        return False, "it takes probabilities: put softmax here, or from_logits=True into the loss"
    if loss in _BINARY:
        if activation in ("sigmoid", "hard_sigmoid"):
            return True, ""
        if activation == "softmax":
            return (
                (None, "categorical_crossentropy is usual behind softmax") if units != 1 else (False, "it is always 1")
            )
        return False, "it takes probabilities: put sigmoid here, or from_logits=True into the loss"
    if loss in _REGRESSION:
        if activation == "linear":
            return True, ""
        return None, f"targets must be {_BOUNDS[activation]}" if activation in _BOUNDS else ""
    if loss in ("hinge", "squared_hinge"):
        return (True, "labels are -1 and 1") if activation in ("linear", "tanh") else (None, "labels are -1 and 1")
    return None, ""
