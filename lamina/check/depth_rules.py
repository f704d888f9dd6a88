"""LAM2xx, fourth part: depth, width and the activations between layers."""

import math

from lamina.check.neighbours import next_call
from lamina.check.plans import optimizer_of
from lamina.check.rule import rule
from lamina.core.registry import is_builtin
from lamina.facts.activations import bounds_of

__all__ = []

_GLOROT = "Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (2010)"
_NARROW = 4  # units
_FEW = 2
_LONG, _FORGOTTEN = 60, 200  # steps: of a recurrence without bounds, and of one that forgets


def _hidden(subject):
    """The calls with weights that are trained, in order, without models that hold others."""
    return [fact for fact in subject.facts if not fact.inner and fact.has("weighted") and fact.trainable_count]


def _has_remedy(subject):
    """Whether a normalization or a skip between layers keeps gradients in size."""
    if subject.applied is not None and any(
        fact.is_affine and fact.layer not in subject.applied for fact in _hidden(subject)
    ):
        return True
    return any(
        (fact.has("normalization") and not fact.reads)
        or (fact.has("merge") and len(fact.inputs) > 1)
        or fact.kind == "Add"
        for fact in subject.facts
    )


@rule(
    "LAM222", "warning", "softmax inside the network", "model",
    "Softmax lets the units of a layer share a total of 1: most are near 0, and little passes on to the next layer.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2.3: softmax is for outputs",
)  # fmt: skip
def _softmax_inside(subject):
    for fact in subject.facts:
        dense = _is_dense(fact) or (fact.has("activation") and any(map(_is_dense, fact.sources)))
        following = next_call(fact, "passes_through", "normalization") if dense else None
        if fact.activation != "softmax" or following is None:
            continue
        if following.has("recurrent") or (following.is_affine and len(fact.output) == 2):
            yield (
                fact.name, "softmax",
                f"{fact.name} ends in softmax, and {following.name} takes the shares as features.",
                f"Use activation='relu' in {fact.name}.",
            )  # fmt: skip


def _is_dense(fact):
    return "Dense" in (fact.kind, type(getattr(fact.layer, "layer", None)).__name__)  # TimeDistributed


@rule(
    "LAM223", "warning", "sigmoid or tanh through many layers", "model",
    "The slope of sigmoid is at most 1/4, and that of tanh below 1: through several layers the gradient of the first "
    "ones vanishes.",
    _GLOROT,
)  # fmt: skip
def _saturating_stack(subject):
    if _has_remedy(subject):
        return
    optimizer = optimizer_of(subject)
    plain = type(optimizer).__name__ == "SGD" and not optimizer.momentum  # whose steps shrink with the gradient
    for name, least, sure in (("sigmoid", 3, 3), ("hard_sigmoid", 3, 5), ("tanh", 8, 15 if plain else 99)):
        stack = [
            fact for fact in _hidden(subject) if _activation(subject, fact) == name and not fact.ends and fact.is_affine
        ]
        if len(stack) >= least:
            yield (
                stack[0].name, len(stack),
                f"{len(stack)} layers from {stack[0].name} to {stack[-1].name} end in {name}, without normalization or "
                "skips.",
                f"Use activation='relu' in {stack[0].name} to {stack[-1].name}.",
                *([] if len(stack) >= sure else ["info"]),
            )  # fmt: skip


def _activation(subject, fact):
    """The activation of a layer, or of the activation layer or function after it."""
    applied = (subject.applied or {}).get(fact.layer) if fact.activation == "linear" else None
    if applied is not None:
        return applied
    following = next_call(fact, "passes_through") if fact.activation == "linear" else None
    return following.activation if following is not None and following.has("activation") else fact.activation


@rule(
    "LAM224", "info", "a deep stack without normalization or skips", "model",
    "The size of activations and gradients changes from layer to layer, and multiplies through the depth.",
    "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2016)",
)  # fmt: skip
def _deep_without_remedy(subject):
    layers = [fact for fact in _hidden(subject) if fact.is_affine]
    if len(layers) >= 10 and not _has_remedy(subject):
        yield (
            layers[0].name, len(layers),
            f"{len(layers)} layers with weights, from {layers[0].name} to {layers[-1].name}, have no normalization and "
            "no skips.",
            "Put layers.BatchNormalization() after every layer, or add the input of every second layer to its output.",
        )  # fmt: skip


@rule(
    "LAM225", "warning", "a layer too narrow for the classes, or one layer for several", "compiled",
    "All that the classes differ in must pass through these few numbers; relu makes half of them 0.",
    "Tishby, Zaslavsky: Deep Learning and the Information Bottleneck Principle (2015)",
)  # fmt: skip
def _narrow_before_classes(subject):
    heads = {id(head.fact): head for head in subject.heads}
    for fact in subject.facts:
        size, count = getattr(fact.layer, "key_dim", None), getattr(fact.layer, "num_heads", None)
        if isinstance(size, int) and isinstance(count, int) and size <= 2 and count > 1 and fact.is_builtin:
            width = fact.input[-1] or 8 * count
            yield (
                fact.name, size, f"Each of the {count} heads of {fact.name} compares {size} number{'s' * (size > 1)}.",
                f"Use key_dim={max(width // count, 8)}.",
            )  # fmt: skip
        if fact.kind == "Embedding" and fact.output[-1] == 1 and fact.trainable_count:
            reader = next_call(fact, "passes_through", "global_pooling", "pooling", "rearranging")
            classes = heads[id(reader)].units if id(reader) in heads and heads[id(reader)].exclusive else 0
            if (classes or 0) > 2 and reader is not None and reader.input[-1] == 1:
                yield (
                    fact.name, 1, f"{fact.name} has one number for each token, before {classes} classes.",
                    f"Use Embedding({fact.layer.input_dim}, 32).",
                )  # fmt: skip
        if fact.use == 1 and fact.uses > 1 and fact.kind == "Dense" and _reads_itself(fact):
            yield (
                fact.name, fact.uses, f"{fact.name} is called {fact.uses} times, on its own outputs: these are one set "
                "of weights.",
                "Make a layer for each call: [layers.Dense(...) for _ in range(n)], not [layers.Dense(...)] * n.",
            )  # fmt: skip
    found = list(_few_before_classes(subject, heads))
    yield from found or _few_relu(subject)


def _reads_itself(fact):
    """Whether all that reads a layer's output, over activations and dropout, is that layer."""
    following = next_call(fact, "passes_through", "activation", "normalization")
    return following is not None and following.layer is fact.layer


def _few_before_classes(subject, heads):
    """Layers with fewer units than there are classes after them."""
    for fact in _hidden(subject):
        following = next_call(fact, "passes_through", "activation", "normalization")
        head = heads.get(id(following))
        if head is None or following is None or not following.count or fact.kind != "Dense" or len(fact.output) != 2:
            continue  # a last layer without weights only reshapes what this one says
        units, classes = fact.output[-1], head.units if head.exclusive else 2 if "binary" in head.loss_name else 0
        cut = _activation(subject, fact) == "relu"
        if classes > 2 and units < min(classes, 10):
            sure = units == 1 or (cut and units <= _NARROW and 2 * units <= classes)
        elif classes == 2 and units == 1 and _activation(subject, fact) != "linear":
            sure = True
        else:
            continue
        yield (
            fact.name, units,
            f"{fact.name} has {units} unit{'s' * (units > 1)} before the {classes} classes of {head.layer}.",
            f"Give {fact.name} {max(16, 4 * classes)} units.", *([] if sure else ["info"]),
        )  # fmt: skip


def _few_relu(subject):
    """One or two relu units that all paths lead through: where they are 0, what comes after knows nothing."""
    if any(len(fact.receivers) + len(fact.ends) != 1 for fact in subject.facts if not fact.inner):
        return
    for fact in subject.facts:
        following = next_call(fact, "passes_through") if fact.has("global_pooling") and not fact.inner else None
        if following is not None and following.has("weighted") and fact.output[1:] == (1,):
            yield (
                fact.name, 1, f"{fact.name} leaves one number of {fact.input[1:]} for {following.name}.",
                f"Give the layer before {fact.name} more channels, or use Flatten in place of it.",
            )  # fmt: skip
            return
    for fact in _hidden(subject):
        narrow = fact.kind == "Dense" and len(fact.output) == 2 and fact.output[-1] <= _FEW
        if fact.has("recurrent") and not fact.ends and fact.output[-1] == 1 and fact.input[-1] > 1:
            yield (
                fact.name, 1, f"{fact.name} keeps one number from step to step, of {fact.input[-1]} that it reads.",
                f"Give {fact.name} 16 units.",
            )  # fmt: skip
            return
        if narrow and not fact.ends and _activation(subject, fact) == "relu":
            units = fact.output[-1]
            yield (
                fact.name, units, f"{fact.name} has {units} relu unit{'s' * (units > 1)}: where "
                f"{'both are' if units > 1 else 'it is'} 0, nothing passes, and no gradient comes back.",
                f"Give {fact.name} 16 units.",
            )  # fmt: skip
            return


@rule(
    "LAM226", "warning", "a convolution without an activation", "model",
    "A convolution, an average or Flatten, and Dense after it are linear: together they are one linear layer. A "
    "maximum alone is a weak nonlinearity.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 9.3: convolution, detector stage, pooling",
)  # fmt: skip
def _linear_convolution(subject):
    layers = [fact for fact in _hidden(subject) if fact.is_affine]
    bare = [fact for fact in layers if _is_bare(fact)]
    inner = [fact for fact in layers if not fact.ends]
    for fact in bare[:1]:
        others = f" (as {len(bare) - 1} others)" if len(bare) > 1 else ""
        yield (
            fact.name, len(bare), f"{fact.name} has no activation{others}, and a layer with weights comes next.",
            f"Use activation='relu' in {fact.name}.", *([] if len(bare) == len(inner) else ["info"]),
        )  # fmt: skip


def _is_bare(fact):
    plain = fact.has("convolution") and not fact.has("transposed_convolution", "recurrent_cell") and fact.is_builtin
    if not plain or fact.activation != "linear" or getattr(fact.layer, "use_bias", True) is False:
        return False
    following = next_call(fact, "passes_through", "pooling", "global_pooling", "rearranging")
    first = next_call(fact, "passes_through")
    return following is not None and following.is_affine and first is not following and not following.has("attention")


@rule(
    "LAM227", "warning", "a picture that is made small early, or seen through growing windows", "model",
    "Detail that is pooled away before it was looked at is lost. Small windows first, and more filters the smaller the "
    "map, keep most for the fewest weights.",
    "Simonyan, Zisserman: Very Deep Convolutional Networks (2015), 2.3; Szegedy et al.: Rethinking Inception (2016), 2",
)  # fmt: skip
def _shape_of_the_pyramid(subject):
    convolutions = [fact for fact in _hidden(subject) if _sees_neighbours(fact)]
    yield from [] if convolutions else _windows_of_one(subject)
    yield from _channels_as_filters(convolutions)
    pools = [fact for fact in subject.facts if fact.has("pooling") and not fact.inner]
    first = convolutions[0] if convolutions else None
    for fact in pools:
        size = max(fact.layer.pool_size) if isinstance(fact.layer.pool_size, tuple) else fact.layer.pool_size
        whole = all(after in (1, None) for after in fact.output[1:-1])
        if fact.reads and first is not None:
            fix = f"Put {fact.name} after {first.name}."
            yield fact.name, size, f"{fact.name} pools the inputs themselves.", fix, "info"
        elif size >= 4 and not whole and convolutions:
            yield (
                fact.name, size, f"{fact.name} keeps one of {size} positions along each axis.", "Use a pool_size of 2.",
                "info",
            )  # fmt: skip
    if len(convolutions) < 2 or any(
        fact.has("transposed_convolution") or fact.is_a("UpSampling2D") for fact in subject.facts
    ):
        return
    first, last = convolutions[0], convolutions[-1]
    if subject.heads and all(len(head.shape) > 2 for head in subject.heads):
        return  # images of the size of the input
    windows = [max(fact.layer.kernel_size) for fact in convolutions]
    shrinks, grows = last.output[-1] * 2 <= first.output[-1], windows[-1] > windows[0] and windows[-1] >= 5
    milder = ["info"] if not (shrinks and grows) else []
    if shrinks:
        yield (
            last.name, (first.output[-1], last.output[-1]),
            f"The filters go down from {first.output[-1]} in {first.name} to {last.output[-1]} in {last.name}.",
            f"Give {last.name} {first.output[-1]} filters or more, and {first.name} {last.output[-1]}.", *milder,
        )  # fmt: skip
    if grows:
        yield (
            last.name, windows, f"The kernels grow from {windows[0]} in {first.name} to {windows[-1]} in {last.name}.",
            "Use kernel_size=3 in all of them.", *milder,
        )  # fmt: skip


def _channels_as_filters(convolutions):
    """Conv2D(3, 16, 3) in PyTorch's order of arguments: channels of the inputs, filters, size of the window."""
    for fact in convolutions:
        layer = fact.layer
        if not all(hasattr(layer, name) for name in ("data_format", "filters", "kernel_size", "strides")):
            continue
        channels = fact.input[1 if layer.data_format == "channels_first" else -1]
        window, stride = set(layer.kernel_size), set(layer.strides)
        if len(window) == len(stride) == 1 and layer.filters == channels and 1 < min(stride) < min(window) > 7:
            yield (
                fact.name, channels, f"{fact.name} has {channels} filters, as many as its inputs have channels, and a "
                f"window of {min(window)} that moves by {min(stride)}: its arguments are filters, window and strides.",
                f"Use {type(layer).__name__}({min(window)}, {min(stride)}): the channels of the inputs follow from the "
                "data.",
            )  # fmt: skip


def _windows_of_one(subject):
    """Convolutions none of which sees two places at once, and pooling between them."""
    ones = [fact for fact in _hidden(subject) if fact.has("convolution") and fact.is_builtin]
    windows = [getattr(fact.layer, "kernel_size", None) for fact in ones]
    pooled = any(fact.has("pooling") and not fact.inner for fact in subject.facts)
    pooled = pooled or any(fact.is_a("GlobalAveragePooling2D") for fact in subject.facts)
    if len(ones) > 1 and pooled and all(isinstance(window, tuple) and max(window) == 1 for window in windows):
        yield (
            ones[0].name, 1, f"The kernels of all {len(ones)} convolutions, from {ones[0].name} on, have size 1: none "
            "sees two places at once.",
            "Use kernel_size=3 in all of them.",
        )  # fmt: skip


def _sees_neighbours(fact):
    window = getattr(fact.layer, "kernel_size", None)
    slides = fact.has("convolution") and not fact.has("transposed_convolution", "recurrent_cell") and fact.is_builtin
    plain = slides and not hasattr(fact.layer, "depth_multiplier")
    return plain and isinstance(window, tuple) and max(window) > 1


@rule(
    "LAM240", "warning", "a recurrence without bounds over many steps", "model",
    "Each step multiplies the state by the same kernel: without tanh, values and gradients grow or die by a power of "
    "the number of steps.",
    "Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks (2013); Le, Jaitly, Hinton: "
    "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units (2015), with an identity as kernel",
)  # fmt: skip
def _unbounded_recurrence(subject):
    for fact in subject.facts:
        cell = getattr(fact.layer, "cell", None)
        steps = (fact.input[1] if len(fact.input) == 3 else None) or 0
        if not fact.has("recurrent") or not fact.is_builtin or cell is None or steps < _LONG:
            continue
        if fact.kind == "SimpleRNN" and steps >= _FORGOTTEN and len(fact.output) == 2:
            yield (
                fact.name, steps, f"{fact.name} is a SimpleRNN over {steps} steps, of which the first hardly count in "
                "its last state.",
                f"Use layers.LSTM or layers.GRU in place of {fact.name}, or a Conv1D with strides before it.",
            )  # fmt: skip
            continue
        function = getattr(cell, "activation", None)
        curve, bounds = getattr(function, "__name__", "tanh"), bounds_of(getattr(function, "__name__", "tanh"))
        start = type(getattr(cell, "recurrent_initializer", None)).__name__
        if (
            is_builtin(function)
            and (bounds is None or bounds[1] == math.inf)
            and start not in ("Identity", "IdentityInitializer")
        ):
            yield (
                fact.name, steps, f"{fact.name} applies {curve} in each of {steps} steps.",
                f"Leave activation of {fact.name} at its default, 'tanh'.",
            )  # fmt: skip
