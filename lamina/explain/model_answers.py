"""Answers about a model as a whole: its head, what moves, masks, how layers are counted, what it costs."""

import math

from lamina.core.dtypes import numpy_dtype
from lamina.explain.basic_layers import activation_name, meaning_of_activation
from lamina.explain.explanation import Answer
from lamina.explain.words import count_of, list_of, memory, shape_of

__all__ = ["answers_about", "head_of", "title_of"]

_BATCH = 32


def title_of(model, facts):
    """The model in a line."""
    layers = [fact for fact in facts if not fact.is_input and fact.depth == 0]
    return f"{model.name} ({type(model).__name__}): {count_of(len(layers), 'layer')}, {model.count_params():,} weights"


def answers_about(model, facts):
    """An Answer for each question that this model gives rise to."""
    questions = (
        ("What do None, units and input_shape mean here?", _sizes),
        ("What comes out, and which loss and labels go with it?", _heads),
        ("What moves in the next training step, and what is frozen?", _movement),
        ("What is different in training and when predicting?", _modes),
        ("Where do masks start, pass and stop?", _masks),
        ("How many layers does it have?", _counted),
        ("What does it cost?", _cost),
    )
    answers = [Answer(question, [said for said in answer(model, facts) if said]) for question, answer in questions]
    return [answer for answer in answers if answer.sentences]


def _sizes(model, facts):
    if not facts:
        return []
    first = next((fact for fact in facts if not fact.is_input), facts[0])
    shape = first.input
    units = next((fact for fact in facts if hasattr(fact.layer, "units")), None)
    return [
        f"The model takes {shape}: None is the number of samples in a batch, which is open; each sample is "
        f"{shape_of(shape)}.",
        f"input_shape={tuple(shape[1:])} (or keras.Input({tuple(shape[1:])})) says that, without the batch. Only the "
        "first "
        f"layer needs it: every other layer sees the output of the layer before it.",
        f"units is how many numbers a layer gives: {units.name} has {units.layer.units:,}, so its last axis is "
        f"{units.output[-1]:,}."
        if units is not None and units.output
        else "",
    ]


def head_of(fact):
    """(activation, units) of what makes an output: the layer itself, or a linear layer before an Activation."""
    layer = fact.layer
    name = activation_name(layer) or {"Softmax": "softmax", "ReLU": "relu"}.get(fact.kind, "linear")
    return name, fact.output[-1] if len(fact.output) > 1 else 1


def _heads(model, facts):
    last = [fact for fact in facts if not fact.receivers and fact.depth == 0 and not fact.is_input]
    said = []
    for fact in last:
        name, units = head_of(fact)
        said.append(
            f"{fact.name} gives {shape_of(fact.output)}"
            + (f" through {name}" if name != "linear" else ", not bounded")
            + "."
        )
        meaning = meaning_of_activation(name) if units != 1 else None
        if meaning and name != "linear":
            said.append(f"{meaning[0].upper()}{meaning[1:]}.")
        said.append(_loss_for(name, units, fact))
    if model.compiled and isinstance(model.loss, (str, type(None))) and model.loss:
        said.append(f"It is compiled with {model.loss}.")
    return said


def _loss_for(name, units, fact):
    if units is None:
        return ""
    if name == "softmax":
        return (
            f"So it chooses one of {units:,} classes. With class numbers 0 to {units - 1:,} as labels, shape "
            "(samples,): "
            f"sparse_categorical_crossentropy; with one-hot rows of {units:,}: categorical_crossentropy. "
            "Metric: accuracy."
        )
    if name == "sigmoid" and units == 1:
        return "So it is the probability of yes. Labels 0 and 1, loss binary_crossentropy, metric accuracy; above "
        "0.5 means yes."
    if name == "sigmoid":
        return (
            f"So it gives {units:,} probabilities that do not exclude each other (multi-label). Labels: rows of "
            f"{units:,} "
            "zeros and ones, loss binary_crossentropy. For one class of several take softmax."
        )
    if name == "linear":
        classes = (
            f" If these are {units:,} classes, they are logits: a crossentropy with from_logits=True, or softmax "
            "behind it."
            if units > 1
            else " If it is yes or no, it is a logit: binary_crossentropy with from_logits=True."
        )
        return f"So it is a regression: any real number, loss mse or mae, labels of the same shape.{classes}"
    if name == "tanh":
        return "So targets must lie between -1 and 1: scale them, or take no activation here."
    if name in ("relu", "softplus", "exponential"):
        return "So it can give no negative number: targets must be 0 or more."
    return ""


def _movement(model, facts):
    trained = [fact for fact in _once(facts) if fact.trainable_count and not fact.inner]
    frozen = [fact for fact in _once(facts) if fact.count and not fact.trainable_count and not fact.inner]
    moving, total = sum(weight.size for weight in model.trainable_weights), model.count_params()
    said = [f"{moving:,} of {total:,} weights move, in {count_of(len(trained), 'layer')}."]
    if not moving:
        said.append("Nothing is trainable: fit would change nothing but moving averages.")
    if frozen:
        names = [fact.name for fact in frozen]
        said.append(f"Frozen: {list_of(names if len(names) <= 6 else [*names[:3], f'{len(names) - 3:,} more'])}.")
        said.append("A frozen layer still passes gradients to trained layers before it, and takes none itself.")
    running = sum(fact.count - fact.trainable_count for fact in trained if fact.is_a("BatchNormalization"))
    if running:
        said.append(f"{running:,} are moving averages of BatchNormalization: they follow the data, not the gradient.")
    if not model.compiled:
        said.append("It is not compiled yet: compile(optimizer, loss) says how they move.")
    return said


def _modes(model, facts):
    noise = [
        fact.name for fact in _once(facts) if "Dropout" in fact.kind or "Noise" in fact.kind or "Random" in fact.kind
    ]
    averages = [fact for fact in _once(facts) if fact.is_a("BatchNormalization")]
    said = []
    if noise:
        said.append(f"{list_of(noise)}: active only in training.")
    moving = [fact.name for fact in averages if fact.layer.trainable]
    still = [fact.name for fact in averages if not fact.layer.trainable]
    if moving:
        said.append(f"{_few(moving)}: statistics of the batch in training, moving averages when predicting.")
    if still:
        said.append(f"{_few(still)}: frozen, so moving averages in training too.")
    return said or ["Nothing: all layers compute the same in both."]


def _few(names):
    return list_of(names) if len(names) <= 4 else f"{names[0]} to {names[-1]} ({len(names)} layers)"


def _masks(model, facts):
    starts = [fact.name for fact in facts if fact.gives_mask and not fact.masked]
    passes = [fact.name for fact in facts if fact.gives_mask and fact.masked]
    stops = [fact.name for fact in facts if fact.masked and not fact.gives_mask]
    if not starts:
        return []
    return [
        f"A mask starts at {list_of(starts)}.",
        f"It passes {list_of(passes)}." if passes else "",
        f"It stops at {list_of(stops)}: what comes out has no padding any more, or the layer does not pass it on."
        if stops
        else "It reaches the outputs: loss and metrics leave masked positions out.",
    ]


def _counted(model, facts):
    layers = [fact for fact in _once(facts) if not fact.inner]
    inputs = [fact for fact in layers if fact.is_input]
    with_weights = [fact for fact in layers if fact.count]
    outputs = [fact for fact in layers if not fact.receivers]
    listed = len(getattr(model, "layers", layers))
    hidden = [fact for fact in with_weights if fact not in outputs]
    return [
        f"len(model.layers) is {listed}"
        + (f" (summary() shows {count_of(len(inputs), 'input')} too)" if inputs else "")
        + ".",
        f"As papers count, layers with weights: {len(with_weights)}, so a {len(with_weights)}-layer network, with "
        f"{count_of(len(hidden), 'hidden layer')}; activations, pooling, Dropout and Flatten are not counted.",
        f"The longest way from input to output passes {_longest(facts)} layers.",
    ]


def _longest(facts):
    lengths = {}
    for fact in facts:
        if fact.depth == 0:
            before = max((lengths.get(source, 0) for source in fact.sources), default=0)
            lengths[fact] = before + (0 if fact.is_input else 1)
    return max(lengths.values(), default=0)


def _cost(model, facts):
    layers = [fact for fact in facts if not fact.inner]
    operations = sum(fact.flops or 0 for fact in layers)
    weights = sum(_bytes(weight) for weight in model.weights)
    moving = sum(_bytes(weight) for weight in model.trainable_weights)
    slots = sum(_bytes(variable) for variable in getattr(model.optimizer, "variables", ())) if model.optimizer else 0
    values = sum(fact.values for fact in layers) * 4
    costly = max(layers, key=lambda fact: fact.flops or 0, default=None)
    heavy = max(_once(layers), key=lambda fact: fact.count, default=None)
    return [
        f"Weights: {model.count_params():,} ({memory(weights)})"
        + (f", most in {heavy.name} ({heavy.count:,})." if heavy is not None and heavy.count else "."),
        f"One sample forward: {operations:,} operations"
        + (
            f", {(costly.flops or 0) / operations:.0%} of them in {costly.name}."
            if operations and costly is not None
            else "."
        )
        + " Forward and backward are about three times that.",
        f"A training step on {_BATCH} samples holds about {memory(weights + moving + slots + _BATCH * values)}: "
        "weights "
        f"{memory(weights)}, gradients {memory(moving)}"
        + (f", optimizer {memory(slots)}" if slots else "")
        + f", outputs of layers {memory(_BATCH * values)}.",
    ]


def _bytes(variable):
    return math.prod(variable.shape) * numpy_dtype(variable.dtype).itemsize


def _once(facts):
    """Each layer once, at its first call."""
    return [fact for fact in facts if fact.use == 1]
