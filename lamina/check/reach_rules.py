"""LAM2xx, third part: layers, inputs and masks that do not reach what they should."""

import numpy as np

from lamina.check.attention_rules import steps_not_used
from lamina.check.neighbours import next_call
from lamina.check.notes import variables_of_nobody
from lamina.check.pairs import twins
from lamina.check.rule import rule
from lamina.core import tree
from lamina.facts.equations import maker_name
from lamina.facts.flows import consumers_of, roots_of

__all__ = []


@rule(
    "LAM215", "warning", "a recurrent layer over one step, or of which one step is used", "model",
    "A recurrence over a sequence of length 1 remembers nothing: it is a Dense layer with gates. Read backwards, the "
    "last step is the first.",
    "Keras: LSTM, inputs (batch, timesteps, features)",
)  # fmt: skip
def _one_step(subject):
    for fact in subject.facts:
        layer = fact.layer
        states = getattr(layer, "stateful", False) or getattr(layer, "return_state", False) or len(fact.inputs) > 1
        recurrent = fact.has("recurrent") and not states and len(fact.input) == 3
        flat = _flattened_before(fact) if recurrent else None
        if flat is not None:
            yield (
                fact.name, fact.input, f"{fact.name} reads the {flat.input[-1]} features of a step one by one, "
                f"since {flat.name} joined them with the steps.",
                f"Remove {flat.name} and the layer after it: {fact.name} takes (steps, features).",
            )  # fmt: skip
        if recurrent and fact.input[1] == 1:
            before = _recurrent_behind(fact)
            stacked = f"; {before.name} before it returns only its last step" if before else ""
            fix = "Shape the data as (samples, steps, features): several steps in the middle axis."
            yield (
                fact.name, fact.input, f"{fact.name} gets {fact.input[-1]} features at one step{stacked}.",
                f"Use return_sequences=True in {before.name}, without the layer between." if before else fix,
            )  # fmt: skip
        if fact.kind == "Bidirectional" and len(fact.receivers) == 1 and _is_last_step(fact.receivers[0]):
            yield (
                fact.name, -1, f"Only the last step of {fact.name} is used: its backward half has read one step there.",
                f"Leave return_sequences=True out of {fact.name}: it then gives the last state of each half.",
            )  # fmt: skip


def _is_last_step(fact):
    """Whether a call is `z[:, -1]` on a sequence."""
    if getattr(fact.layer, "op_name", "") != "get_item" or fact.arguments is None or len(fact.input) != 3:
        return False
    key = fact.arguments[0][1] if len(fact.arguments[0]) > 1 else fact.arguments[1].get("key")
    return isinstance(key, tuple) and len(key) > 1 and key[0] == slice(None) and key[1] == -1


def _flattened_before(fact):
    """The Flatten whose values a recurrent layer reads one after the other, steps and features alike."""
    shaped = fact.sources[0] if len(fact.sources) == 1 else None
    flat = shaped.sources[0] if shaped is not None and len(shaped.sources) == 1 else None
    joined = flat is not None and flat.kind == "Flatten" and len(flat.input) > 2 and (flat.input[-1] or 1) > 1
    return flat if joined and fact.input[-1] == 1 else None


def _recurrent_behind(fact):
    """The recurrent layer whose last step was made a sequence of one."""
    shaped = fact.sources[0] if fact.sources else None
    if shaped is None or not shaped.sources or not (shaped.has("rearranging") or shaped.is_a("ExpandDims")):
        return None
    before = shaped.sources[0]
    return before if before.has("recurrent") and not before.has("wrapper") else None


@rule(
    "LAM216", "warning", "a mask that is lost on the way", "model",
    "A later layer would skip padded steps, but gets no mask: it treats padding as data.",
    "Keras guide: Masking and padding",
)  # fmt: skip
def _mask_dropped(subject):
    for fact in subject.facts:
        if not fact.masked or fact.gives_mask or len(fact.output) < 3 or fact.inner or not fact.is_builtin:
            continue
        user = _user_of_mask(fact)
        if user is not None and user is not fact and fact.input[1] == fact.output[1]:
            yield (
                fact.name, fact.kind, f"{fact.name} gets a mask and does not pass it on; {user.name} would use it.",
                f"Remove mask_zero=True, or put {user.name} before {fact.name}.",
            )  # fmt: skip
    for fact in subject.facts:
        behind = next_call(fact, "passes_through") if fact.is_a("Flatten") and fact.masked and not fact.inner else None
        if behind is not None and behind.kind == "Dense":
            yield (
                fact.name, fact.kind, f"{fact.name} gets a mask, and {behind.name} after it has weights for each step: "
                "it reads the padding.",
                f"Use layers.GlobalAveragePooling1D() in place of {fact.name}, or a recurrent layer with "
                "return_sequences=False before it.",
            )  # fmt: skip


def _user_of_mask(fact):
    """The first layer behind that would use a mask and has none."""
    following = next_call(fact, "passes_through", "activation", "normalization", "Dense")
    if following is None or following.masked:
        return None
    return following if following.has("recurrent", "attention") or following.is_a("GlobalAveragePooling1D") else None


@rule(
    "LAM217", "warning", "layers that no loss reaches", "compiled",
    "Their weights get no gradient: they never change.",
    "Keras: losses of several outputs",
)  # fmt: skip
def _layers_without_loss(subject):
    found = list(_outputs_without_loss(subject))
    yield from found or _weights_without_gradient(subject)


def _weights_without_gradient(subject):
    """The layers from whose weights no way leads to the loss along which a gradient can flow."""
    given = subject.model.loss is not None if subject.own_step else subject.own_loss_alone
    if not given or not subject.model.compiled or subject.traced is None:
        return
    program = subject.traced.training(subject.y)
    if program is None:
        return
    weights, living = subject.traced.weights_in(program), roots_of(program.outputs, with_gradient=True)
    used = roots_of(program.outputs)
    dead = {id(variable) for value, variable in weights.items() if value not in living}
    cut = {id(variable) for value, variable in weights.items() if value in used and value not in living}
    layers = [fact.layer for fact in subject.facts if not fact.inner and fact.trainable_count and fact.use == 1]
    count = len(layers)
    layers = [layer for layer in layers if all(id(weight) in dead for weight in layer.trainable_weights)]
    if not subject.own_step and len(layers) < count:  # a loss of one's own may be about some layers alone
        return
    for layer in layers[:1]:
        others = f", and those of {len(layers) - 1} others" if len(layers) > 1 else ""
        is_cut = any(id(weight) in cut for weight in layer.trainable_weights)
        yield (
            layer.name, len(layers),
            f"No gradient flows from the loss to the weights of {layer.name}{others}: "
            + ("a rounding, a comparison or stop_gradient lies between." if is_cut else "its outputs are not used."),
            f"Let the gradient pass by: x + ops.stop_gradient(f(x) - x); or set {layer.name}.trainable = False."
            if is_cut else f"Pass the outputs of {layer.name} on, or remove it.",
        )  # fmt: skip


def _outputs_without_loss(subject):
    if subject.own_step and not all(fact.is_builtin for fact in subject.facts):
        return  # a layer of the user's own may add a loss
    lossless = [head for head in subject.heads if not _counts(subject, head)]
    if subject.own_step and lossless and lossless == subject.heads and all(head.loss for head in lossless):
        yield None, 0, "loss_weights are 0 for each output: nothing is trained.", "Leave loss_weights out of compile."
    if not subject.own_step or not lossless or len(lossless) == len(subject.heads):
        return
    reached, waiting = set(), [head.fact for head in subject.heads if head not in lossless]
    while waiting:
        fact = waiting.pop()
        if fact not in reached:
            reached.add(fact)
            waiting.extend(fact.sources)
    living = {id(weight) for fact in reached for weight in getattr(fact.layer, "trainable_weights", [])}
    for head in lossless:
        fact = head.fact
        while fact.trainable_count == 0 and len(fact.sources) == 1:
            fact = fact.sources[0]
        weights = getattr(fact.layer, "trainable_weights", [])
        dead = fact not in reached and weights and not any(id(weight) in living for weight in weights)
        if dead and not getattr(fact.layer, "activity_regularizer", None):
            yield (
                fact.name, fact.trainable_count,
                f"{fact.name} leads only to the output {head.name}, {'whose' if head.loss else 'which has no'} loss"
                f"{' has the weight 0' if head.loss else ''}: its {fact.trainable_count:,} weights are not trained.",
                f"Give {head.name} a {'larger weight' if head.loss else 'loss'}, or set trainable=False in "
                f"{fact.name}.",
            )  # fmt: skip


def _counts(subject, head):
    """Whether a head has a loss, and its weight is not 0."""
    weights = (subject.model._compile_arguments or {}).get("loss_weights")
    if isinstance(weights, (list, tuple)) and len(weights) == len(subject.heads):
        weights = dict(zip((one.name for one in subject.heads), weights, strict=True))
    weight = weights.get(head.name) if isinstance(weights, dict) else weights
    return head.loss is not None and not (isinstance(weight, (int, float)) and weight == 0)


@rule(
    "LAM218", "warning", "an input that is not used", "model",
    "Data passed to it have no effect.",
    "Keras: Model(inputs, outputs)",
)  # fmt: skip
def _inputs_not_used(subject):
    yield from steps_not_used(subject)
    graph = getattr(subject.model, "_graph", None)
    passed_on = {id(tensor) for tensor in tree.flatten(graph.outputs)} if graph is not None else ()
    for name, tensor in zip(subject.input_names, graph.input_tensors if graph is not None else (), strict=True):
        if not subject.readers[name] and id(tensor) not in passed_on:
            yield (
                name, tensor.shape, f"No layer takes the input {name}.",
                f"Connect {name}, or leave it out of Model(inputs=...).",
            )  # fmt: skip
    if graph is None and subject.traced is not None and len(subject.traced.leaves) > 1:
        program = subject.traced.equations
        used, given = roots_of(program.outputs), [value for value in program.inputs if value.varies]
        names = list(subject.named_inputs(subject.x))
        for name, value in zip(names, given, strict=False) if len(names) == len(given) else ():
            if value not in used:
                yield (
                    None, value.shape[1:], f"No prediction depends on {name}.",
                    "Use it in call, or leave it out of the inputs.",
                )  # fmt: skip


@rule(
    "LAM219", "warning", "a kernel whose initial values are equal", "model",
    "Units that begin equal get equal gradients and stay equal; with zeros and relu they get none at all.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 8.4",
)  # fmt: skip
def _constant_kernels(subject):
    for fact in subject.facts:
        layer, kernel = fact.layer, getattr(fact.layer, "kernel", None)
        name = type(getattr(layer, "kernel_initializer", None)).__name__
        if fact.has("recurrent") and not fact.has("wrapper") and not fact.inner and layer.trainable:
            cell = getattr(layer, "cell", None)
            kernels = [getattr(cell, one, None) for one in ("kernel", "recurrent_kernel")]
            given = [one.numpy() for one in kernels if one is not None]
            if len(given) == 2 and all(one.size > 1 and one.min() == one.max() for one in given):
                yield (
                    fact.name, float(given[0].min()), f"Each kernel of {fact.name} is one number: all units are alike.",
                    f"Leave out kernel_initializer and recurrent_initializer in {fact.name}.",
                )  # fmt: skip
        if name not in ("Zeros", "Ones", "Constant") or not fact.is_affine:
            continue
        hidden = next_call(fact, "passes_through", "activation", "rearranging", "pooling")
        feeds = hidden is not None and hidden.has("weighted")
        values = kernel.numpy() if kernel is not None and feeds and fact.output[-1] != 1 and layer.trainable else None
        if values is not None and values.size > 1 and values.min() == values.max():
            yield (
                fact.name, float(values.min()), f"All {values.size:,} numbers of the kernel of {fact.name} are "
                f"{values.min():g}.",
                f"Leave out kernel_initializer in {fact.name} (then it is 'glorot_uniform').",
            )  # fmt: skip
    yield from _equal_weights_of_own_layers(subject)


def _equal_weights_of_own_layers(subject):
    """The matrices of layers of one's own that are one number, and that values are multiplied with."""
    own = [fact for fact in subject.facts if not fact.is_builtin]
    if not own or subject.traced is None:
        return
    program, given = (
        subject.traced.equations,
        {id(weight): fact.layer.name for fact in own for weight in fact.own_weights},
    )
    consumers = consumers_of(program)
    for value, weight in subject.traced.weights_in(program).items():
        if id(weight) not in given or len(value.shape) < 2 or min(value.shape) < 2:
            continue
        products = [one for one in consumers.get(value, []) if maker_name(one) == "dot_general" and one.varies]
        numbers = weight.numpy()
        if products and numbers.min() == numbers.max() != 0:
            yield (
                given[id(weight)], float(numbers.min()), f"All {numbers.size:,} numbers of {weight.path} are "
                f"{numbers.min():g}.",
                "Use add_weight(..., initializer='glorot_uniform').",
            )  # fmt: skip


@rule(
    "LAM221", "info", "a model that has not been called", "model",
    "Without the shapes of its inputs the rules on layers and outputs cannot be applied.",
    "Keras: subclassed models are built at their first call",
)  # fmt: skip
def _unseen(subject):
    if not subject.facts and subject.own_step:
        yield (
            None, None, f"{subject.model.name} has not been called yet.",
            "Call model(x[:1]) first, or give check the data: model.check(x, y).",
        )  # fmt: skip


@rule(
    "LAM242", "warning", "weights that the model does not have", "inputs",
    "A model trains and saves the weights of the layers that it has: attributes of it, or calls in its graph. A layer "
    "made anew in each call, or used by a Lambda, is none of them: it stays as it was drawn.",
    "Keras guide: Making new layers and models via subclassing; Lambda, variables",
)  # fmt: skip
def _weights_of_nobody(subject):
    functions = any(not fact.is_builtin or fact.is_a("Lambda") for fact in subject.facts)
    if subject.traced is None or not (functions or getattr(subject.model, "_graph", None) is None):
        return
    found = variables_of_nobody(subject.traced)
    if found:
        others = f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield (
            None, len(found),
            f"The prediction reads the trainable variable {found[0].path}{others}, which the model does not have.",
            "Make the layer in __init__, and keep it as self.inner; use add_weight in a layer in place of a Lambda.",
        )  # fmt: skip


@rule(
    "LAM241", "warning", "weights that were copied, and are not shared", "model",
    "The copy is trained on its own: from the first step on, the table that reads tokens and the scores of tokens "
    "differ, and there are twice as many weights.",
    "Press, Wolf: Using the Output Embedding to Improve Language Models (2017)",
)  # fmt: skip
def _copied_weights(subject):
    for meet, one, two in twins(subject):
        yield (
            meet.name, two.name, f"{meet.name} takes the difference of {one.name} and {two.name}, which are made alike "
            "and have weights of their own: equal inputs are far from each other.",
            f"Call one layer for both inputs: use {one.name} in place of {two.name}.",
        )  # fmt: skip
    tables = [fact for fact in subject.facts if fact.is_a("Embedding") and fact.trainable_count and fact.use == 1]
    for fact in subject.facts if tables else ():
        kernel = getattr(fact.layer, "kernel", None)
        if fact.kind != "Dense" or kernel is None or not fact.trainable_count:
            continue
        for table in tables:
            values = getattr(table.layer, "embeddings", None)
            if values is not None and tuple(values.shape) == tuple(kernel.shape)[::-1] and _are_equal(values, kernel):
                yield (
                    fact.name, table.name,
                    f"The kernel of {fact.name} begins as the table of {table.name}, transposed.",
                    f"Use layers.ReversibleEmbedding in place of {table.name}, and {table.name}(h, reverse=True) in "
                    f"place of {fact.name}(h).",
                )  # fmt: skip


def _are_equal(table, kernel):
    rows, columns = (np.asarray(variable.numpy()) for variable in (table, kernel))
    return bool(np.ptp(rows[:8]) > 0 and (rows[:8] == columns[:, :8].T).all() and (rows == columns.T).all())
