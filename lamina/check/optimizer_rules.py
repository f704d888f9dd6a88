"""LAM3xx, second part: learning rates, optimizers, regularization, and whether the steps are enough."""

import numpy as np

from lamina.check.own_loss_rules import divergence_of
from lamina.check.plans import (
    callbacks_of,
    has_learned,
    is_from_scratch,
    optimizer_of,
    samples_of,
    schedule_of,
    steps_of,
)
from lamina.check.rule import rule

__all__ = []

_USUAL = {  # optimizer -> the learning rates between which it is known to learn
    "adam": (1e-7, 0.05), "adamw": (1e-7, 0.05), "nadam": (1e-7, 0.05), "adamax": (1e-7, 0.1), "rmsprop": (1e-7, 0.05),
    "lion": (1e-8, 0.01), "lamb": (1e-7, 0.1), "sgd": (1e-7, 2.0), "adagrad": (1e-6, 1.0), "ftrl": (1e-6, 2.0),
    "adadelta": (0.02, 10.0),
}  # fmt: skip
_DEEP = {"adam": 0.02, "adamw": 0.02, "nadam": 0.02, "adamax": 0.04, "rmsprop": 0.02, "sgd": 0.9}
"""The highest rates for four weighted layers or more."""
_WITH_MOMENTUM = 5.0
"""The highest rate of SGD, over 1 - momentum, for fewer layers."""
_DEFAULTS = {"sgd": "0.01", "lion": "0.0001", "adadelta": "1.0"}
_BENGIO = "Bengio: Practical Recommendations for Gradient-Based Training of Deep Architectures (2012)"
_PLAIN = "Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep learning (2013)"
_TUNING = 1e-5  # rates below are not even used to tune trained models
_KEPT = 7  # values that dropout leaves
_OUTWEIGHS = 10.0  # times the loss
_OF_A_CODE = 0.25  # of the loss; sound ones measured 0.09 at most
_STRONG = 0.01  # l1 of activations, which takes more from each unit than a usual loss gives
_SLOPE, _NEEDED = 0.25, 0.03  # of sigmoid at most; how far the weights before it must move at least
_HANDFUL, _MANY = 10, 256  # steps that train nothing, samples that are no trial of a program
_ENOUGH = 2e-3  # how far each weight can move; initial weights are about 0.1 in size


@rule(
    "LAM301", "warning", "an unusual learning rate", "compiled",
    "If it is too large, the loss jumps or becomes NaN; if it is too small, nothing is learned in the available time.",
    _BENGIO,
)  # fmt: skip
def _unusual_learning_rate(subject):
    optimizer = optimizer_of(subject)
    name = type(optimizer).__name__.lower()
    rate = getattr(optimizer, "learning_rate", None)
    if name not in _USUAL or rate is None:
        return
    rate = float(np.asarray(rate))
    if rate < 0:
        yield (
            None, rate, f"The learning rate of {type(optimizer).__name__} is {rate:g}: steps go up the loss.",
            f"Use a learning rate above 0: {-rate:g}.",
        )  # fmt: skip
        return
    low, high = _USUAL[name]
    scheduled = schedule_of(optimizer) is not None or any(
        "LearningRate" in type(callback).__name__ for callback in callbacks_of(subject)
    )
    layers = sum(1 for fact in subject.facts if not fact.inner and fact.trainable_count and fact.has("weighted"))
    deep = layers >= 4 and not _is_normalized(subject)
    high = min(high, _DEEP.get(name, high)) if deep else high
    plain = name == "sgd" and not _is_normalized(subject)
    momentum = min(getattr(optimizer, "momentum", 0.0) or 0.0, 0.99) if plain else 0.0
    high = _WITH_MOMENTUM if momentum and not deep else high
    if (rate / (1 - momentum) > 1.001 * high and layers > 1) or (rate < low and not scheduled):
        side = "small" if rate < low else "large"
        high = high * (1 - momentum)
        yield (
            None, rate,
            f"The learning rate of {type(optimizer).__name__} is {rate:g}, which is {side} for {layers} layers with "
            f"weights{f' and a momentum of {momentum:g}' * bool(momentum)}; usual values are {low:g} to {high:.2g}.",
            f"Use keras.optimizers.{type(optimizer).__name__}({_DEFAULTS.get(name, '0.001')}).",
        )  # fmt: skip


def _is_normalized(subject):
    return any(fact.has("normalization") and not fact.reads for fact in subject.facts)


@rule(
    "LAM311", "warning", "too few steps for the learning rate", "fit",
    "A step moves a weight by about the learning rate at most: after all steps the weights are still nearly what they "
    "were drawn as.",
    "Kingma, Ba: Adam (2015), 2.1, the effective step is bounded by the rate; " + _BENGIO,
)  # fmt: skip
def _too_few_steps(subject):
    optimizer, steps = optimizer_of(subject), steps_of(subject)
    name = type(optimizer).__name__.lower()
    yield from _steps_that_do_not_count(optimizer, steps)
    scheduled = schedule_of(optimizer) is not None or callbacks_of(subject)
    if not steps or name not in _USUAL or scheduled or not is_from_scratch(subject):
        return
    rate = float(np.asarray(optimizer.learning_rate)) / (1 - min(getattr(optimizer, "momentum", 0.0) or 0.0, 0.99))
    rate = rate * {"sgd": 0.1}.get(name, 1.0)  # whose step is the gradient's, of which each weight has a small part
    reach = rate * steps * (1e-3 if name == "adadelta" else 1)
    words = f"{steps} steps with the rate {rate:g} move each weight by about {reach:.1g} at most"
    slow = name == "sgd" and rate <= _TUNING
    if reach < (5 * _ENOUGH if slow else _ENOUGH) and not (has_learned(subject.model) and _is_whole(subject)):
        better = max(0.01 if name == "sgd" else 0.001, rate)
        yield (
            None, reach, f"{words}; initial weights are about 0.1.",
            f"Use a learning rate of {better:g}, and {'' if better * steps > 0.1 else 'more '}epochs: steps times rate "
            "should be 1 or more.", *([] if slow or rate < _TUNING else ["info"]),
        )  # fmt: skip
    elif name == "sgd" and (flat := _sigmoids(subject)) and reach * _SLOPE ** len(flat) < _NEEDED:
        yield (
            flat[0].name, len(flat), f"{words}; {len(flat)} hidden layer{'s' * (len(flat) > 1)} with sigmoid, from "
            f"{flat[0].name} on, let a quarter of the gradient through at most.",
            f"Use activation='relu' in {flat[0].name}, and keras.optimizers.Adam(0.001).",
        )  # fmt: skip
    elif steps < 20:
        given, samples = subject.settings.get("steps_per_epoch"), samples_of(subject)
        size = subject.settings.get("batch_size") or 32
        unread = bool(given and samples and 2 * steps * size < samples)
        single = given == 1 and steps >= 5  # epochs of one batch each
        words = ", before half of the data was read" * unread or ", one batch in each epoch" * single
        yield (
            None, steps, f"Training ends after {steps} steps{words}.",
            "Leave out steps_per_epoch." if unread else "Use steps_per_epoch=len(x) // batch_size." if single
            else "Use more epochs, or smaller batches.",
            *([] if unread or single or (steps < _HANDFUL and (samples or 0) >= _MANY) else ["info"]),
        )  # fmt: skip


def _sigmoids(subject):
    """The calls whose sigmoid all gradients go back through; none where a normalization keeps their size."""
    if _is_normalized(subject) or any(len(fact.receivers) > 1 for fact in subject.facts):
        return []
    return [
        fact for fact in subject.facts
        if fact.activation == "sigmoid" and not fact.ends and not fact.inner and not fact.has("recurrent")
    ]  # fmt: skip


def _is_whole(subject):
    """Whether no layer is frozen: a model that has learned is then tuned, and no new layers are trained on it."""
    return not any(fact.count and not fact.trainable_count for fact in subject.facts if not fact.inner)


@rule(
    "LAM312", "warning", "plain SGD on a deep or recurrent network", "compiled",
    "Curvature differs from layer to layer: without momentum or rates of their own some layers hardly move.",
    _PLAIN,
)  # fmt: skip
def _plain_sgd(subject):
    optimizer = optimizer_of(subject)
    plain = type(optimizer).__name__ == "SGD" and not optimizer.momentum
    if not plain or not subject.own_step or _is_normalized(subject):
        return
    deep = [fact for fact in subject.facts if not fact.inner and fact.trainable_count and fact.has("weighted")]
    recurrent = [fact for fact in deep if fact.has("recurrent", "attention")]
    few = float(np.asarray(optimizer.learning_rate)) * (steps_of(subject) or np.inf) < (10 if recurrent else 1)
    if recurrent or len(deep) >= 6:
        yield (
            (recurrent or deep)[0].name, len(deep),
            f"SGD has no momentum, and {recurrent[0].name} is recurrent or attends." if recurrent
            else f"SGD has no momentum, and the model has {len(deep)} layers with weights.",
            "Use keras.optimizers.Adam(0.001), or SGD(0.01, momentum=0.9, clipnorm=1.0).", *([] if few else ["info"]),
        )  # fmt: skip


@rule(
    "LAM313", "warning", "much dropout", "model",
    "With so few values left a layer passes on little, and training is slow and noisy: the model underfits.",
    "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout (2014), 7.3: rates of 0.2 to 0.5",
)  # fmt: skip
def _much_dropout(subject):
    narrow = [fact for fact in subject.facts if _leaves_few(fact)]
    for fact in subject.facts:
        inside = {name: getattr(fact.layer, name, None) for name in ("dropout", "recurrent_dropout")}
        for name, share in inside.items() if fact.is_builtin else ():
            if isinstance(share, float) and share > 0.75:
                message = f"{fact.name} drops {share:.0%} of what it reads ({name})."
                yield fact.name, share, message, f"Use {name}=0.2 in {fact.name}."
        rate = getattr(fact.layer, "rate", None) if fact.has("dropout") else None
        if not isinstance(rate, float):
            continue
        if len(narrow) > 1 and fact is narrow[0]:
            yield (
                fact.name, rate, f"{fact.name} drops {rate:.0%} of {fact.output[-1]} values, and {narrow[1].name} "
                f"{narrow[1].layer.rate:.0%} of {narrow[1].output[-1]}: little is left.",
                f"Use a rate of 0.1 in {fact.name} and {narrow[1].name}, or more units before them.",
            )  # fmt: skip
            continue
        if rate > 0.6:
            yield (
                fact.name, rate, f"{fact.name} drops {rate:.0%} of the values.", "Use a rate of 0.2 to 0.5.",
                *([] if rate > 0.75 else ["info"]),
            )  # fmt: skip
        elif fact.reads and rate >= 0.3 and len(fact.input) != 3:
            table = len(fact.input) == 2 and subject.own_step and subject.heads
            sure = rate >= 0.5 and table and all(head.shape[1:] != fact.input[1:] for head in subject.heads)
            yield (
                fact.name, rate, f"{fact.name} drops {rate:.0%} of the inputs of the model.",
                f"Put {fact.name} after a hidden layer, or use a rate of 0.1 or 0.2.", *([] if sure else ["info"]),
            )  # fmt: skip


def _leaves_few(fact):
    """Whether dropout leaves few of the units of a Dense layer, beside which there are no others."""
    rate, before = getattr(fact.layer, "rate", None), fact
    if not fact.has("dropout") or not isinstance(rate, float) or not 0.4 <= rate <= 0.75 or len(fact.output) != 2:
        return False
    if (fact.output[-1] or _KEPT) * (1 - rate) > _KEPT:
        return False
    while len(before.sources) == 1 and before.has("dropout", "activation", "normalization"):
        before = before.sources[0]
    return before.kind == "Dense" and len(before.receivers) == 1


def _steps_that_do_not_count(optimizer, steps):
    """Gradients that are never applied, and a mean of weights that is mostly the first ones."""
    saved, kept = getattr(optimizer, "gradient_accumulation_steps", None), getattr(optimizer, "ema_momentum", None)
    if steps and saved and saved > steps:
        yield (
            None, saved, f"gradient_accumulation_steps={saved}, and there are {steps} steps: no weight is changed.",
            "Use gradient_accumulation_steps=4.",
        )  # fmt: skip
    ends = getattr(optimizer, "use_ema", False) and not getattr(optimizer, "ema_overwrite_frequency", None)
    if steps and ends and kept and kept**steps > 0.5:
        yield (
            None, kept, f"With ema_momentum={kept:g} the mean after {steps} steps, which the weights become, is to "
            f"{kept**steps:.0%} what they began as.",
            f"Use ema_momentum={max(1 - 10 / steps, 0.5):.3g}.",
        )  # fmt: skip


@rule(
    "LAM314", "warning", "a penalty that outweighs the loss", "model",
    "The optimizer first makes the weights small, and what the data say hardly counts.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 7.1, parameter norm penalties",
)  # fmt: skip
def _strong_penalty(subject):
    found = False
    for fact in subject.facts:
        what = "embeddings" if fact.is_a("Embedding") else "kernel"
        penalty = getattr(fact.layer, f"{what}_regularizer", None)
        kernel = getattr(fact.layer, what, None)
        limit = getattr(getattr(fact.layer, f"{what}_constraint", None), "max_value", None)
        if fact.is_builtin and isinstance(limit, (int, float)) and limit < 0.05:
            found = True
            message = f"{what}_constraint keeps the weights of {fact.name} below {limit:g}: it passes on nothing."
            yield fact.name, limit, message, f"Use {what}_constraint=keras.constraints.MaxNorm(3.0)."
        if penalty is None or kernel is None or not fact.is_builtin or fact.use > 1:
            continue
        values = np.abs(kernel.numpy().astype("float32"))
        one, two = (float(np.asarray(getattr(penalty, name, 0.0) or 0.0)) for name in ("l1", "l2"))
        size = one * float(values.sum()) + two * float((values**2).sum())
        if (size > 1 or what != "kernel") and (one >= 0.01 or two >= 0.1):  # tables begin as small numbers
            which, usual = ("l1", 1e-5) if one >= 0.01 else ("l2", 1e-4)
            yield (
                fact.name, size, f"The penalty {which}={one if which == 'l1' else two:g} of {fact.name} is {size:.3g}, "
                + ("more than a usual loss." if size > 1 else "and pulls on all rows, of which a batch reads few."),
                f"Use {what}_regularizer=keras.regularizers.{which.upper()}({usual:g}).",
            )  # fmt: skip
            found = True
    if not found:
        yield from _measured_penalty(subject)


def _measured_penalty(subject):
    """The finding that what layers add to the loss, and the labels have no part in, is far larger than the rest."""
    penalty, rest = subject.penalty
    active = [fact for fact in subject.facts if getattr(fact.layer, "activity_regularizer", None) is not None]
    strong = any(getattr(fact.layer.activity_regularizer, "l1", 0.0) >= _STRONG for fact in active)
    if penalty > max(rest, 0.1) * (0.5 if strong else _OUTWEIGHS):
        where = active[0].name if active else None
        yield (
            where, penalty, f"What is added to the loss is {penalty:.3g} before the first step, and the loss itself "
            f"{rest:.3g}.",
            f"Make it {penalty / max(rest, 0.1) * 100:.1g} times smaller" + (f" in {where}." if where else "."),
        )  # fmt: skip
        return
    divergence, rest = divergence_of(subject) or (0.0, 0.0)
    if divergence > _OF_A_CODE * max(rest, 0.1):
        yield (
            None, divergence, f"What a code costs is {divergence:.3g} before the first step, and all of the "
            f"reconstruction {rest:.3g}: it is cheaper to tell nothing of the inputs.",
            "Take the error of the reconstruction as a sum over a sample too, or the divergence as its share: "
            "divide it by the numbers of a sample.",
        )  # fmt: skip
