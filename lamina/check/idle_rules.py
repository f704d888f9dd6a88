"""LAM243: layers that do nothing, since what makes them do something is missing."""

import numpy as np

from lamina.check.rule import rule

__all__ = []


@rule(
    "LAM243", "warning", "a layer that does nothing", "model",
    "Its output is its input, or a multiple of it: what the layer was put there for does not happen.",
    "Keras: Normalization, adapt; LeakyReLU; He et al.: Deep Residual Learning (2016)",
)  # fmt: skip
def _layers_that_do_nothing(subject):
    for fact in subject.facts:
        layer = fact.layer
        if not fact.is_builtin:
            continue
        is_scaled = any(source.kind == "Rescaling" for source in fact.sources)  # as in EfficientNet without weights
        if fact.kind == "Normalization" and not is_scaled and _has_no_moments(layer):
            yield (
                fact.name, 0, f"{fact.name} was not adapted: it subtracts 0 and divides by 1.",
                f"Call {fact.name}.adapt(x) on the training data, before fit.",
            )  # fmt: skip
        elif fact.kind == "LeakyReLU" and float(layer.negative_slope) == 1.0:
            yield (
                fact.name, 1.0, f"{fact.name} has a negative_slope of 1: it is no activation.",
                "Use LeakyReLU(negative_slope=0.1).",
            )  # fmt: skip
        elif fact.kind == "BatchNormalization" and float(layer.momentum) == 1.0:
            yield (
                fact.name, 1.0, f"{fact.name} has a momentum of 1: predictions use mean 0 and variance 1 for ever.",
                "Use momentum=0.99.",
            )  # fmt: skip
        elif fact.has("merge") and fact.has("pointwise") and _gets_one_tensor(layer):
            yield (
                fact.name, None, f"{fact.name} ({fact.kind}) gets one tensor twice.",
                f"Call {fact.name} on two tensors: for a skip on [x, block], where block was computed from x.",
            )  # fmt: skip


def _has_no_moments(layer):
    """Whether a Normalization that takes its moments from data has those that it is made with."""
    if layer.input_mean is not None or not layer.built:
        return False
    mean, variance = np.asarray(layer.adapt_mean), np.asarray(layer.adapt_variance)
    return not mean.any() and bool((variance == 1).all())


def _gets_one_tensor(layer):
    """Whether a layer gets one tensor twice, and does not square it or repeat its channels, which are meant."""
    if type(layer).__name__ in ("Multiply", "Concatenate"):
        return False
    nodes = getattr(layer, "_inbound_nodes", [])
    return any(len(node.tensors) > 1 and len({id(one) for one in node.tensors}) == 1 for node in nodes)
