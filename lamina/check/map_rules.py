"""LAM2xx, first part: Dense, convolutions, pooling and Flatten on feature maps."""

import math

from lamina.check.neighbours import comes_from_convolution, next_call
from lamina.check.rule import rule

__all__ = []

_MANY = 1_000_000  # weights


@rule(
    "LAM201", "warning", "Dense on the rows of what should be one vector", "model",
    "Dense works on the last axis: each row goes through the same weights on its own, and is never combined with the "
    "others.",
    "Keras: Dense, inputs of rank above 2",
)  # fmt: skip
def _dense_before_flatten(subject):
    for fact in subject.facts:
        if fact.kind != "Dense" or not fact.reads or len(fact.input) < 3:
            continue
        following = next_call(fact, "passes_through", "activation", "Dense")
        if following is not None and following.kind == "Flatten":
            rows = "x".join(str(size) for size in fact.input[1:-1])
            yield (
                fact.name, fact.input,
                f"{fact.name} sees {fact.input[-1]} numbers at a time, at each of {rows} positions; {following.name} "
                "comes only later.",
                f"Put Flatten() before {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM202", "info", "pooling over positions after Dense", "model",
    "Dense mixes the features of one position and looks at no neighbour; pooling then joins positions that were never "
    "compared. A convolution compares them.",
    "Lin, Chen, Yan: Network In Network (2014): Dense on positions is a 1x1 convolution",
)  # fmt: skip
def _pooling_after_dense(subject):
    for fact in subject.facts:
        following = next_call(fact, "passes_through", "activation")
        if fact.kind == "Dense" and following is not None and following.has("pooling"):
            yield (
                following.name, following.input, f"{following.name} pools positions that {fact.name} has not compared.",
                f"Use a Conv with kernel_size=3 in place of {fact.name}, if neighbours matter.",
            )  # fmt: skip


@rule(
    "LAM203", "info", "Dense between convolutions", "model",
    "On a feature map Dense is a convolution with a window of one position.",
    "Lin, Chen, Yan: Network In Network (2014)",
)  # fmt: skip
def _dense_between_convolutions(subject):
    through = ("passes_through", "pooling", "activation", "normalization")
    for fact in subject.facts:
        if fact.kind != "Dense" or len(fact.input) < 3 or not comes_from_convolution(fact, *through):
            continue
        following = next_call(fact, *through)
        if following is not None and following.has("convolution"):
            yield (
                fact.name, fact.input, f"{fact.name} works on each position of a feature map on its own.",
                f"Write it as Conv{len(fact.input) - 2}D({fact.output[-1]}, 1), or remove it.",
            )  # fmt: skip


@rule(
    "LAM204", "info", "Flatten on flat inputs", "model",
    "It changes nothing.",
    "Keras: Flatten",
)  # fmt: skip
def _flatten_on_flat(subject):
    for fact in subject.facts:
        if fact.kind == "Flatten" and len(fact.input) == 2:
            yield fact.name, fact.input, f"{fact.name} gets vectors already.", f"Remove {fact.name}."


@rule(
    "LAM213", "info", "Flatten that feeds millions of weights", "model",
    "Most of the model's weights are in one layer that learns each position of the image separately; it is slow, "
    "large, and overfits.",
    "Lin, Chen, Yan: Network In Network (2014), 3.2, global average pooling",
)  # fmt: skip
def _flatten_feeding_millions(subject):
    for fact in subject.facts:
        following = next_call(fact, "passes_through") if fact.kind == "Flatten" and len(fact.input) > 2 else None
        if following is None or following.kind != "Dense" or following.count < _MANY:
            continue
        spatial = math.prod(size or 1 for size in fact.input[1:-1])
        if spatial > 1 and not fact.reads:
            rank = len(fact.input) - 2
            yield (
                following.name, following.count,
                f"{fact.name} makes {fact.output[-1]} numbers of {fact.input[1:]}, and {following.name} has "
                f"{following.count:,} weights.",
                f"Use GlobalAveragePooling{rank}D() in place of {fact.name}: "
                f"{following.name} then has {(fact.input[-1] + 1) * following.output[-1]:,}.",
            )  # fmt: skip


@rule(
    "LAM214", "warning", "a feature map shrunk to nothing", "model",
    "The window lies almost entirely on padding: only the centre of the kernel ever sees data.",
    "Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (2019)",
)  # fmt: skip
def _shrunk_to_nothing(subject):
    found = [fact for fact in subject.facts if _slides_over_one_position(fact)]
    for fact in found[:1]:
        window = "x".join(map(str, fact.layer.kernel_size))
        others = f", and {len(found) - 1} layers after it too" if len(found) > 1 else ""
        given = fact.depth > 0 or not fact.trainable_count  # a published network, on small images
        yield (
            fact.name, fact.input, f"{fact.name} slides a window of {window} over a map of one position{others}.",
            f"Stop before {fact.name}: fewer strides and poolings, or larger images.", *(["info"] if given else []),
        )  # fmt: skip


def _slides_over_one_position(fact):
    spatial, window = _spatial(fact), getattr(fact.layer, "kernel_size", None)
    slides = fact.has("convolution") and not fact.has("transposed_convolution", "recurrent_cell")
    one = slides and spatial and set(spatial) == {1}
    return one and isinstance(window, tuple) and min(window) > 1


def _spatial(fact):
    first = getattr(fact.layer, "data_format", "channels_last") == "channels_first"
    return fact.input[2:] if first else fact.input[1:-1]


@rule(
    "LAM220", "warning", "channels first in data, channels last in the layer", "model",
    "The layer slides over colours and rows, and treats each column of the image as a channel.",
    "Keras: image_data_format",
)  # fmt: skip
def _channels_first_by_shape(subject):
    for fact in subject.facts:
        last = getattr(fact.layer, "data_format", "") == "channels_last"
        if not last or not fact.has("convolution") or len(fact.input) != 4 or not fact.reads:
            continue
        channels, height, width = fact.input[1:]
        window = getattr(fact.layer, "kernel_size", (1, 1))
        square = channels in (1, 3) and height == width and (height or 0) >= 8
        flat = channels == 1 and min(window) > 1 and min(height or 0, width or 0) >= 8
        if square or flat:
            yield (
                fact.name, fact.input, f"{fact.name} takes {fact.input[1:]} as (height, width, channels).",
                "Transpose the images: x.transpose(0, 2, 3, 1), with "
                f"keras.Input(({height}, {width}, {channels})).",
            )  # fmt: skip
