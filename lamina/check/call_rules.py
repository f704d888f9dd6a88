"""LAM2xx, sixth part: how layers are called, and what a first pass through them shows."""

from __future__ import annotations

import inspect

import numpy as np

from lamina.check.plans import is_fresh_model, optimizer_of, rate_of
from lamina.check.rule import rule
from lamina.core.call_sites import op_of
from lamina.core.registry import is_builtin
from lamina.facts.outside_numbers import numbers_drawn_in

__all__ = []

_DEAD = 0.95  # share of units that are 0 for each row
_FLAT = 0.8  # share of values at the ends of a sigmoid or tanh
_GROWN, _LARGE = 300.0, 1000.0  # size of values beside that of the inputs, and in itself
_DRAWN = ("GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "VarianceScaling",
          "Orthogonal", "Identity")  # fmt: skip
_DECAYS = 4  # a decay whose share of weights of 0.25 is as large as a step of Adam
_FORGETS = 5e-3  # share of a weight that one step takes
_UNSEEN = 3  # positions
_QUICK = 100  # calls of layers that run in a moment


@rule(
    "LAM235", "warning", "positions of a map that are skipped or thrown away", "model",
    "A window that moves farther than it is wide never sees what lies between; pooling that follows pooling, or pools "
    "the picture itself by much, throws away what no layer has looked at.",
    "Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (2019)",
)  # fmt: skip
def _skipped_positions(subject):
    for fact in subject.facts:
        window, strides = _window(fact)
        if not window or fact.inner:
            continue
        gaps = [(size, step) for size, step in zip(window, strides, strict=False) if step > size > 1]
        if gaps:
            size, step = gaps[0]
            yield (
                fact.name, gaps, f"{fact.name} looks at {size} positions and moves {step} on.",
                f"Use strides={size} or less in {fact.name}.",
            )  # fmt: skip
            continue
        if not fact.has("pooling") or min(strides) < 2:
            continue
        before = fact.sources[0] if len(fact.sources) == 1 else None
        if before is not None and before.has("pooling") and min(_window(before)[1] or (1,)) > 1:
            yield (
                fact.name, before.name, f"{fact.name} pools what {before.name} has pooled.",
                f"Remove {fact.name}, or put a convolution between them.",
            )  # fmt: skip
        elif min(window) >= 6 and len(window) > 1 and all((size or 2) > 1 for size in fact.output[1:-1]):
            if fact.reads or fact.kind.startswith("Max"):  # an average of many positions may be meant
                yield _pools_by_much(fact, window[0])
        elif (left := _left_out(fact, window, strides)) >= _UNSEEN:
            yield (
                fact.name, left, f"{fact.name} never looks at the last {left} of {fact.input[1]} positions.",
                f"Use a pool_size of 2 in {fact.name}, or a Global{fact.kind} in its place.",
            )  # fmt: skip


def _pools_by_much(fact, size):
    if fact.reads:
        return (
            fact.name, size, f"{fact.name} keeps one of {size} positions of the picture along each axis, before any "
            "layer has seen it.",
            f"Put {fact.name} after a convolution, and use a pool_size of 2.",
        )  # fmt: skip
    return (
        fact.name, size, f"{fact.name} keeps one of {size} positions of its map along each axis.",
        f"Use a pool_size of 2 in {fact.name}, and more convolutions with pooling.",
    )  # fmt: skip


def _left_out(fact, window, strides):
    """How many positions at the end no window reaches, where that is a fifth of them."""
    size, out = fact.input[1], fact.output[1]
    last = getattr(fact.layer, "data_format", "") == "channels_last"
    if not size or not out or not last or getattr(fact.layer, "padding", "") != "valid":
        return 0
    left = size - (out - 1) * strides[0] - window[0]
    return left if left * 5 >= size else 0


def _window(fact):
    """(sizes of the window, strides) of a layer that slides one; two empty tuples for others."""
    slides = fact.has("convolution", "pooling") and not fact.has("transposed_convolution", "recurrent_cell")
    layer, rank = fact.layer, len(fact.input) - 2
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if not slides or not fact.is_builtin or size is None or rank < 1:
        return (), ()
    sizes, strides = (
        one if isinstance(one, (tuple, list)) else (one,) * rank
        for one in (size, getattr(layer, "strides", None) or size)
    )
    dilation = getattr(layer, "dilation_rate", 1)
    return ((), ()) if dilation not in (1, (1,) * rank) else (tuple(sizes), tuple(strides))


@rule(
    "LAM236", "warning", "dropout that is active in prediction", "model",
    "The same inputs get another prediction in each call. On purpose (Monte Carlo dropout) it is active in all layers.",
    "Srivastava et al.: Dropout (2014); Gal, Ghahramani: Dropout as a Bayesian Approximation (2016)",
)  # fmt: skip
def _dropout_in_prediction(subject):
    drops = [fact for fact in subject.facts if fact.has("dropout") and getattr(fact.layer, "rate", 0)]
    always = [fact for fact in drops if fact.training is True]
    attends = any(fact.has("attention") for fact in subject.facts)
    if always:
        mixed = len(always) < len(drops) or attends or any(map(_is_told_the_mode, always))
        yield (
            always[0].name, len(always), f"{always[0].name} is called with training=True.",
            f"Leave training=True out of the call of {always[0].name}.", *([] if mixed else ["info"]),
        )  # fmt: skip


def _is_told_the_mode(fact):
    """Whether it is called within a `call` of the user's own that takes the argument `training`."""
    call = getattr(type(fact.owner), "call", None)
    return call is not None and not is_builtin(call) and "training" in inspect.signature(call).parameters


@rule(
    "LAM237", "warning", "a first pass that dies or grows", "forward",
    "Before any step units are 0 for all rows, at the flat ends of their activation, or values are huge: gradients are "
    "0 there, or explode.",
    "He, Zhang, Ren, Sun: Delving Deep into Rectifiers (2015), 2.2; Glorot, Bengio (2010)",
)  # fmt: skip
def _first_pass(subject):
    traced = subject.traced
    if traced is None or not is_fresh_model(subject.model) or not _is_worth_a_pass(subject):
        return
    large, grown = (_LARGE, _GROWN) if not _drawn_otherwise(subject) else (_LARGE / 40, _GROWN / 10)
    size = max((float(np.sqrt(np.mean(np.square(leaf.astype("float64"))))) for leaf in traced.leaves), default=1.0)
    for layer, kind, share in traced.first_pass(subject.facts, subject.applied):
        if kind == "dead" and share >= _DEAD:
            yield (
                layer, share, f"{share:.0%} of the units of {layer} are 0 for all rows before the first step.",
                "Leave kernel_initializer and bias_initializer at their defaults; use wider layers, or skips.",
            )  # fmt: skip
            return
        if kind == "flat" and share >= _FLAT:
            yield (
                layer, share,
                f"{share:.0%} of the values of {layer} are at the ends of its activation before the first step.",
                f"Leave kernel_initializer of {layer} and the layers before it at its default; scale the inputs.",
            )  # fmt: skip
            return
        if kind == "size" and share > large and share > grown * max(size, 1.0):
            yield (
                layer, share, f"The outputs of {layer} are {share:.3g} in size before the first step, the inputs "
                f"{size:.3g}.",
                f"Use kernel_initializer='he_normal' in {layer} and the layers before it.",
            )  # fmt: skip
            return


def _is_worth_a_pass(subject):
    """Whether a first pass may show something: weights drawn in an unusual way, or much depth without remedies."""
    if len(subject.facts) > _QUICK:
        return False
    layers = _affine(subject)
    biases = {type(getattr(fact.layer, "bias_initializer", None)).__name__ for fact in layers}
    plain = not any(fact.has("normalization", "merge") for fact in subject.facts)
    return _drawn_otherwise(subject) or bool(biases - {"Zeros", "NoneType"}) or (plain and len(layers) >= 10)


def _affine(subject):
    return [fact for fact in subject.facts if not fact.inner and fact.is_affine and fact.trainable_count]


def _drawn_otherwise(subject):
    """Whether kernels are drawn in a way that does not look at how many inputs there are."""
    drawn = {type(getattr(fact.layer, "kernel_initializer", None)).__name__ for fact in _affine(subject)}
    return bool(drawn.difference(_DRAWN, ("NoneType",)))


@rule(
    "LAM238", "warning", "normalization over the steps of a sequence", "model",
    "LayerNormalization takes mean and deviation over the features of a step; over the steps it mixes the sequence, "
    "and removes what a feature has in all of them.",
    "Ba, Kiros, Hinton: Layer Normalization (2016), 3",
)  # fmt: skip
def _normalized_over_steps(subject):
    for fact in subject.facts:
        axis = getattr(fact.layer, "axis", None)
        before = fact.sources[0] if len(fact.sources) == 1 else None
        if fact.kind == "BatchNormalization" and isinstance(axis, int) and before and before.has("convolution"):
            rank, channels = len(fact.input), getattr(before.layer, "channel_axis", -1)
            if rank > 3 and axis % rank != channels % rank:
                yield (
                    fact.name, axis,
                    f"{fact.name} normalizes along axis {axis}; {before.name} has its channels at {channels}.",
                    f"Use axis={channels} in {fact.name}.",
                )  # fmt: skip
        if fact.kind == "LayerNormalization" and len(fact.input) == 3 and axis is not None:
            axes = axis if isinstance(axis, (list, tuple)) else [axis]
            if all(one % 3 != 2 for one in axes):
                yield (
                    fact.name, axis, f"{fact.name} normalizes over the axis {axis} of {('batch', *fact.input[1:])}."
                    .replace("'", ""),
                    f"Use layers.LayerNormalization() in place of {fact.name}: axis=-1.",
                )  # fmt: skip


@rule(
    "LAM317", "warning", "a setting of the optimizer that undoes its steps", "compiled",
    "Clipping to almost nothing leaves no step; momentum of 1 never forgets a gradient, so that steps only grow.",
    "Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep learning (2013)",
)  # fmt: skip
def _settings_that_undo(subject):
    optimizer = optimizer_of(subject)
    name = type(optimizer).__name__
    for setting in ("clipnorm", "global_clipnorm", "clipvalue"):
        value = getattr(optimizer, setting, None)
        if name == "SGD" and value is not None and value <= 1e-4:
            yield None, value, f"{name} clips gradients to {setting}={value:g}.", f"Use {setting}=1.0."
    epsilon, momentum = getattr(optimizer, "epsilon", None), getattr(optimizer, "momentum", None)
    rate = rate_of(optimizer)
    if rate is not None and "Ada" in name[:3] and isinstance(epsilon, (int, float)) and epsilon >= 0.1:
        share = rate / epsilon
        if share < 1e-3:
            words = f"by epsilon={epsilon:g} or more: they are {share:.2g} of the gradient at most."
            message = f"{name} divides steps {words}"
            yield None, epsilon, message, "Use epsilon=1e-7."
    if rate is not None and name == "SGD" and isinstance(momentum, (int, float)) and 0.99 < momentum < 1:
        reach = rate / (1 - momentum)
        if reach > 20:
            message = f"momentum={momentum:g} adds up {1 / (1 - momentum):.0f} steps: the rate is in effect {reach:g}."
            yield None, momentum, message, "Use momentum=0.9."
    yield from _shares_that_stay(optimizer, name, rate)


def _shares_that_stay(optimizer, name, rate):
    """Means that never forget, or forget in the wrong order, and decay that takes all."""
    first, second = (getattr(optimizer, name, None) for name in ("beta_1", "beta_2"))
    if "Ada" in name[:3] and isinstance(first, float) and isinstance(second, float) and 0.9 <= second < first < 1:
        yield (
            None, first, f"beta_1={first:g} of {name} is above beta_2={second:g}: it steps by gradients of "
            f"{1 / (1 - first):.0f} steps, and their sizes are of {1 / (1 - second):.0f}.",
            f"Use beta_1={second:g}, beta_2={first:g}.",
        )  # fmt: skip
    decay = getattr(optimizer, "weight_decay", None)
    if isinstance(decay, (int, float)) and decay >= _DECAYS and "Adam" in name:
        yield (
            None, decay,
            f"weight_decay={decay:g} of {name} takes as much from a weight of {1 / decay:.2g} as a step adds: none can "
            "stay larger.",
            "Use weight_decay=0.004.",
        )  # fmt: skip
    elif rate is not None and isinstance(decay, (int, float)) and rate * decay >= _FORGETS:
        yield (
            None, decay, f"weight_decay={decay:g} with the rate {rate:g} takes {1 - (1 - rate * decay) ** 100:.0%} of "
            "each weight in a hundred steps.",
            "Use weight_decay=0.004.",
        )  # fmt: skip
    for setting in ("momentum", "beta_1", "beta_2", "rho"):
        value = getattr(optimizer, setting, None)
        if isinstance(value, (int, float)) and value >= 1:
            yield (
                None, value, f"{setting} of {name} is {value:g}.",
                f"Use {setting}={'0.999' if setting == 'beta_2' else '0.9'}.",
            )  # fmt: skip


@rule(
    "LAM122", "error", "softmax or sigmoid twice in a loss of one's own", "forward",
    "The loss takes logits and gets probabilities: their differences are small, and so are the gradients.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2, output units",
)  # fmt: skip
def _twice_in_own_loss(subject):
    own = not subject.own_step or any(head.own is not None for head in subject.heads)
    if not own or subject.traced is None or len(subject.facts) > _QUICK:
        return
    twice = subject.traced.activation_twice(subject.y)
    if twice is not None:
        yield (
            None, twice[0], f"The loss takes {twice[1]} of what the model made with {twice[0]}.",
            "Leave out the last activation of the model, or use from_logits=False.",
        )  # fmt: skip


@rule(
    "LAM246", "warning", "random numbers that are drawn once", "model",
    "A layer, loss or train_step is compiled: what NumPy's or Python's generators give meanwhile is a constant of the "
    "program, the same in each batch and each epoch.",
    "JAX: Pseudorandom numbers, and How to think in JAX, on side effects of traced functions",
)  # fmt: skip
def _numbers_drawn_once(subject):
    if subject.model.run_eagerly:
        return
    for name, words, function in _own_functions(subject):
        drawn = numbers_drawn_in(function)
        if drawn:
            of = op_of(drawn, "numpy.random") or "keras.random.uniform"
            yield (
                name, drawn, f"{words} draws numbers by {drawn}: once, as it is compiled.",
                f"Use {of}(..., seed=self.seed_generator), with self.seed_generator = keras.random.SeedGenerator() in "
                "__init__.",
            )  # fmt: skip


def _own_functions(subject):
    """(name of a layer or None, words, function) of all that the user wrote and training compiles."""
    model = subject.model
    for layer in dict.fromkeys([model, *model._flatten_layers()]):
        for name in ("call", "train_step", "compute_loss", "function"):
            if _is_own(getattr(layer, name, None)):
                yield layer.name, f"{name} of {layer.name}", getattr(layer, name)
    losses = dict.fromkeys(getattr(head.loss, "fn", head.loss) for head in subject.heads) if model.compiled else ()
    yield from ((None, f"The loss {loss.__name__}", loss) for loss in losses if _is_own(loss))


def _is_own(function):
    return hasattr(function, "__code__") and not is_builtin(function)
