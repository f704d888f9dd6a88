"""LAM2xx, second part: activations, normalization and dropout in an order that does nothing, or not what was meant."""

import math

from lamina.check.neighbours import comes_from_convolution, next_call
from lamina.check.rule import rule
from lamina.facts.activations import bounds_of, is_activation, meaning_of_activation
from lamina.facts.loss_names import REGRESSION

__all__ = []

_FOR_OUTPUTS = ("linear", "softmax", "log_softmax", "exponential")  # or none at all


@rule(
    "LAM205", "warning", "two linear layers in a row", "model",
    "Without an activation between them two linear layers are one linear layer: the weights of the second add nothing "
    "that can be learned.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.1",
)  # fmt: skip
def _linear_layers_in_a_row(subject):
    for fact in subject.facts:
        following = next_call(fact, "passes_through")
        if following is None or not (fact.is_builtin and following.is_builtin) or fact.activation != "linear":
            continue
        dense = (
            fact.kind == following.kind == "Dense"
            and fact.layer is not following.layer
            and not _is_narrow(fact, following)
        )
        if (dense or _both_windows(fact, following)) and fact.trainable_count:
            yield (
                fact.name, "linear", f"{fact.name} has no activation, and {following.name} comes next.",
                f"Use activation='relu' in {fact.name}.",
            )  # fmt: skip


def _is_narrow(fact, following):
    """Whether it is a bottleneck, which two linear layers may well make: fewer units than what is around it."""
    before, units, after = fact.input[-1], fact.output[-1], following.output[-1]
    return before is None or units < min(before, after) or getattr(fact.layer, "lora_enabled", False)


def _both_windows(fact, following):
    windows = [getattr(one.layer, "kernel_size", (1,)) for one in (fact, following)]
    plain = all(map(_is_plain_convolution, (fact, following)))
    square = all(len(set(window)) == 1 and window[0] > 1 for window in windows)
    return plain and square and following.input[-1] is not None and fact.output[-1] >= (fact.input[-1] or 0)


def _is_plain_convolution(fact):
    special = fact.has("transposed_convolution", "recurrent_cell") or hasattr(fact.layer, "depth_multiplier")
    return fact.has("convolution") and not special


@rule(
    "LAM206", "warning", "an activation twice", "model",
    "The layer before has this activation inside: a second one does nothing (relu) or squeezes the numbers again "
    "(sigmoid, tanh, softmax).",
    "Keras: the activation argument of a layer, and the layer Activation",
)  # fmt: skip
def _activation_twice(subject):
    for outer in subject.facts:
        fact, following = outer.innermost, next_call(outer, "passes_through")
        if following is None or not is_activation(following.layer):
            continue
        first, second = fact.activation, following.activation
        pair = first != second and _bends(first) and _bends(second)
        if pair and not following.ends and (fact.kind == "Dense" or _is_plain_convolution(fact)):
            yield (
                following.name, second, f"{following.name} applies {second} to what {fact.name} made with {first}.",
                f"Remove {following.name}.",
            )  # fmt: skip
        if first == second and bounds_of(first) is not None and _has_default_bounds(following):
            yield (
                following.name, second, f"{following.name} applies {second} to what {fact.name} made with {first}.",
                f"Remove {following.name}.",
            )  # fmt: skip


def _bends(name):
    """Whether it is an activation of hidden layers."""
    return meaning_of_activation(name) is not None and name not in _FOR_OUTPUTS


def _has_default_bounds(fact):
    return fact.kind != "ReLU" or (getattr(fact.layer, "max_value", None) is None)


@rule(
    "LAM207", "error", "an activation before or after softmax that spoils it", "model",
    "Softmax and sigmoid map any values to probabilities. An activation with bounds before them keeps probabilities "
    "from 0 and 1; an activation after them distorts the probabilities.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2",
)  # fmt: skip
def _activation_around_softmax(subject):
    for outer in subject.facts:
        fact, following = outer.innermost, next_call(outer, "passes_through")
        if following is not None and _normalizes_what_is_said(fact, following):
            yield (
                following.name, fact.activation,
                f"{following.name} normalizes the {fact.activation} of {fact.name}: what comes out is no probability.",
                f"Remove {following.name}, or put it before {fact.name}.",
            )  # fmt: skip
        if following is None or not is_activation(following.layer):
            continue
        first, second = fact.activation, following.activation
        if first == "softmax" and second != "softmax" and bounds_of(second) is not None:
            yield (
                following.name, second, f"{following.name} applies {second} to the softmax of {fact.name}.",
                f"Remove {following.name}.",
            )  # fmt: skip
        bounds = bounds_of(first) if _is_dense(fact) or fact.has("activation") else None
        if bounds is not None and first != second and second in ("softmax", "sigmoid") and following.ends:
            yield (
                fact.name, first,
                f"{following.name} takes {second} of values that {first} in {fact.name} keeps {bounds}.",
                f"Use activation=None in {fact.name}.",
            )  # fmt: skip


def _normalizes_what_is_said(head, fact):
    """Whether a call normalizes probabilities, and nothing but dropout comes between it and an output."""
    if not fact.has("normalization") or not fact.is_builtin or head.activation not in ("softmax", "sigmoid"):
        return False
    while not fact.ends and len(fact.receivers) == 1 and fact.receivers[0].has("dropout", "passes_through"):
        fact = fact.receivers[0]
    return fact.ends and not fact.receivers


def _is_dense(fact):
    """Whether a call multiplies by a kernel, as a layer or inside of a wrapper."""
    return fact.is_affine or (fact.has("wrapper") and not fact.has("recurrent"))


@rule(
    "LAM208", "info", "a bias before BatchNormalization", "model",
    "BatchNormalization subtracts the mean, and any bias with it; its own beta takes the place of the bias.",
    "Ioffe, Szegedy: Batch Normalization (2015), 3.2",
)  # fmt: skip
def _bias_before_batch_normalization(subject):
    for fact in subject.facts:
        following = next_call(fact)
        if following is None or following.kind != "BatchNormalization":
            continue
        if getattr(fact.layer, "use_bias", False) and fact.activation == "linear":
            yield (
                fact.name, fact.output[-1], f"{fact.name} has a bias that {following.name} cancels.",
                f"Use use_bias=False in {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM209", "info", "Dropout right before BatchNormalization", "model",
    "Dropout changes the variance in training but not in prediction, and BatchNormalization has learned the variance "
    "of training.",
    "Li, Chen, Hu, Yang: Understanding the Disharmony between Dropout and Batch Normalization (2019)",
)  # fmt: skip
def _dropout_before_batch_normalization(subject):
    for fact in subject.facts:
        following = next_call(fact)
        dropped = fact.has("dropout") or fact.is_a("GaussianDropout")
        if dropped and following is not None and following.kind == "BatchNormalization":
            yield (
                fact.name, getattr(fact.layer, "rate", None), f"{fact.name} comes right before {following.name}.",
                f"Put {fact.name} after {following.name} and its activation.",
            )  # fmt: skip


@rule(
    "LAM210", "info", "Dropout of single values between convolutions", "model",
    "Neighbours in a feature map are similar, so a dropped value survives in the next one: it regularizes little.",
    "Tompson, Goroshin, Jain, LeCun, Bregler: Efficient Object Localization Using Convolutional Networks (2015)",
)  # fmt: skip
def _dropout_between_convolutions(subject):
    through = ("pooling", "activation", "normalization")
    for fact in subject.facts:
        whole = getattr(fact.layer, "noise_shape", None) is None
        if fact.kind != "Dropout" or not whole or not 3 <= len(fact.input) <= 5:
            continue
        following = next_call(fact, *through)
        if following is not None and following.has("convolution") and comes_from_convolution(fact, *through):
            yield (
                fact.name, fact.layer.rate, f"{fact.name} drops single values of a feature map {fact.input[1:]}.",
                f"Use SpatialDropout{len(fact.input) - 2}D({fact.layer.rate}), which drops whole channels.",
            )  # fmt: skip


@rule(
    "LAM211", "error", "Dropout after the output", "model",
    "Part of the outputs is set to 0 in training, and the loss counts that as an error.",
    "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout (2014): of hidden and input units",
)  # fmt: skip
def _dropout_after_output(subject):
    for fact in subject.facts:
        last = fact.ends and fact.depth == 0 and not fact.receivers
        if last and fact.kind == "Dropout" and fact.layer.rate and fact.sources:
            source = fact.sources[0]
            scores = source.activation in ("softmax", "sigmoid")
            if (source.kind == "Dense" and subject.model.compiled) or (scores and not source.has("recurrent")):
                yield (
                    fact.name, fact.layer.rate, f"{fact.name} drops {fact.layer.rate:.0%} of the output {source.name}.",
                    f"Put {fact.name} before {source.name}.",
                )  # fmt: skip


@rule(
    "LAM212", "info", "Dropout right before the output of a regression", "compiled",
    "The output is a sum of the values that are dropped: its variance in training differs from that in prediction, "
    "which adds noise to predicted quantities. Classes suffer less.",
    "Srivastava et al.: Dropout (2014); Li et al. (2019) on the shift of variance",
)  # fmt: skip
def _dropout_before_regression(subject):
    for head in subject.heads:
        source = head.fact.sources[0] if len(head.fact.sources) == 1 else None
        regression = head.activation == "linear" and head.loss_name in REGRESSION
        if regression and source is not None and source.kind == "Dropout" and source.layer.rate:
            yield (
                source.name, source.layer.rate,
                f"{source.name} comes right before {head.layer}, which predicts a quantity.",
                f"Remove {source.name}, or move it one layer earlier.",
            )  # fmt: skip


@rule(
    "LAM239", "error", "normalization over one number, or of predicted quantities", "model",
    "The mean of one number is the number itself: minus the mean it is 0, whatever comes in, and no gradient passes. "
    "Quantities that are normalized over a batch depend on the other rows in it, and have another scale in prediction.",
    "Ba, Kiros, Hinton: Layer Normalization (2016), 3; Ioffe, Szegedy: Batch Normalization (2015), 3.1",
)  # fmt: skip
def _normalized_over_one_number(subject):
    for fact in subject.facts:
        if fact.kind not in ("LayerNormalization", "GroupNormalization") or len(fact.input) < 2:
            continue
        axis, groups = getattr(fact.layer, "axis", -1), getattr(fact.layer, "groups", 1)
        axes = {one % len(fact.input) for one in (axis if isinstance(axis, (list, tuple)) else [axis])}
        if fact.kind == "GroupNormalization":
            axes = set(range(1, len(fact.input)))
        sizes = [fact.input[one] for one in axes]
        if None not in sizes and math.prod(sizes) == (sizes[-1] if groups == -1 else groups):
            yield (
                fact.name, 1, f"{fact.name} takes mean and deviation of one number: its inputs are {fact.input[1:]}.",
                f"Remove {fact.name}, or put it before the layer that makes one number.",
            )  # fmt: skip
    for head in subject.heads if subject.model.compiled else ():
        fact, labels = head.fact, head.numbers
        measured = labels is not None and labels.dtype.kind == "f" and labels.size == len(labels)
        if fact.kind == "BatchNormalization" and head.loss_name in REGRESSION and measured:
            yield (
                fact.name, head.loss_name, f"{fact.name} normalizes the output over each batch, and the loss is "
                f"{head.loss_name} of quantities.",
                f"Remove {fact.name}, or put it before the last layer.", "warning",
            )  # fmt: skip
