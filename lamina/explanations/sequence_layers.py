"""Descriptions of recurrent layers, their wrappers, masks and attention."""

import dataclasses

from lamina.explanations.descriptions import Once, describes, sentences_about
from lamina.facts.words import count_of, list_of, product, shape_of

__all__ = []

_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
_INSIDE = {
    "LSTM": "an input, a forget and an output gate decide what its cell takes in, keeps and outputs",
    "GRU": "an update gate and a reset gate decide how much of the old state stays",
    "SimpleRNN": "each state comes from the inputs of the step and the state before; early steps are soon forgotten",
}


def _family(layer):
    return next(kind for kind in _GATES if any(cls.__name__ == kind for cls in type(layer).__mro__))


def _recurrent_sum(fact):
    layer, features = fact.layer, fact.input[-1]
    gates, units = _GATES[_family(layer)], layer.units
    two = bool(getattr(layer, "reset_after", False)) and layer.use_bias
    biases = units * (1 + two) * layer.use_bias
    text = f"{product((features, units))} kernel + {product((units, units))} recurrent kernel"
    text += f" + {'2 x ' if two else ''}{units} bias" if layer.use_bias else ""
    text = text if gates == 1 else f"{gates} x ({text})"
    return text, gates * (features * units + units * units + biases) if features is not None else None


def _returned(layer, fact):
    """What it returns, for return_sequences and return_state."""
    if layer.return_sequences:
        said = [f"return_sequences=True: it returns its output after every step, {shape_of(fact.output)}."]
    else:
        last = "first" if layer.go_backwards else "last"
        said = [
            f"return_sequences=False: it returns only the output after the {last} step, {shape_of(fact.output)}.",
            Once("A recurrent layer after it would need return_sequences=True here.", "sequences"),
        ]
    if layer.return_state:
        said.append("return_state=True: its last state is returned as further outputs.")
    return said


def _around(layer, fact):
    """What holds for any recurrent layer."""
    said = []
    if layer.stateful:
        said.append("stateful=True: the state is kept from batch to batch, until reset_state().")
    if layer.go_backwards:
        said.append("go_backwards=True: it reads from the last step to the first.")
    if fact.masked:
        said.append("Its inputs have a mask: masked steps are skipped, and the state stays unchanged.")
    if getattr(layer, "dropout", 0) or getattr(layer, "recurrent_dropout", 0):
        said.append("Its dropout acts on the inputs of each step, in training only.")
    return said


def _steps(fact):
    return "any number of steps" if fact.input[1] is None else f"{fact.input[1]:,} step{'s' * (fact.input[1] > 1)}"


@describes("LSTM", "GRU", "SimpleRNN", weights=_recurrent_sum)
def _recurrent(fact):
    layer = fact.layer
    family = _family(layer)
    return [
        f"Reads {_steps(fact)} of {fact.input[-1]:,} features one after the other, with the same weights, and keeps "
        f"a state of {layer.units:,} numbers.",
        Once(f"{family}: {_INSIDE[family]}.", family),
        *_returned(layer, fact),
        *_around(layer, fact),
    ]


@describes("RNN")
def _any_recurrent(fact):
    cell = fact.layer.cell
    kinds = [type(one).__name__ for one in getattr(cell, "cells", [cell])]
    return [
        f"Runs {list_of(kinds)} over {_steps(fact)}; the state passes from step to step.",
        *_returned(fact.layer, fact),
        *_around(fact.layer, fact),
    ]


@describes("convolutional_recurrent")
def _convolutional_recurrent(fact):
    layer = fact.layer
    return [
        f"An LSTM over {_steps(fact)} whose inputs and states are maps: its sums are convolutions with "
        f"{count_of(layer.filters, 'filter')} of {product(layer.kernel_size)}.",
        *_returned(layer, fact),
        *_around(layer, fact),
    ]


@describes("recurrent_cell")
def _cell(fact):
    return [
        f"One step of a recurrent layer: from inputs of {shape_of(fact.input)} and the state before to an output of "
        f"{shape_of(fact.output)} and the next state. An RNN layer runs it over all steps."
    ]


def _of_inner(fact, layer, inputs, outputs):
    """The description of the layer inside a wrapper, for its own shapes."""
    return sentences_about(dataclasses.replace(fact, layer=layer, inputs=[inputs], outputs=[outputs], inner=[], uses=1))


@describes("Bidirectional")
def _bidirectional(fact):
    layer, forward = fact.layer, fact.layer.forward_layer
    merge = {
        "concat": "concatenated", "sum": "added", "mul": "multiplied", "ave": "averaged", None: "returned separately",
    }[layer.merge_mode]  # fmt: skip
    size = getattr(forward, "units", None) or getattr(forward, "filters", None)
    name = f"{type(forward).__name__}({size})" if size else type(forward).__name__
    said = [
        f"Two {name}, each with its own weights: one reads {_steps(fact)} forward, one backward; their outputs are "
        f"{merge}, {shape_of(fact.output)}.",
        *_around(forward, fact),
    ]
    if forward.return_state:
        said.append("return_state=True: the last states of both are returned as further outputs.")
    if forward.return_sequences:
        said.append("return_sequences=True: there is an output after every step.")
        said.append(
            Once("Each output depends on the whole sequence: useless where the future is unknown.", "both directions")
        )
    else:
        said.append(
            "return_sequences=False: each returns only the output after its own last step: the last one forward, "
            "the first one backward."
        )
    return said


@describes("TimeDistributed")
def _time_distributed(fact):
    layer = fact.layer.layer
    steps = "each step" if fact.input[1] is None else f"each of {fact.input[1]:,} steps"
    said = [
        f"Applies {layer.name} ({type(layer).__name__}) to {steps}, with the same weights: {shape_of(fact.output)}."
    ]
    if not hasattr(layer, "fit") and len(fact.inputs) == 1:
        inputs, outputs = ((one[0], *one[2:]) for one in (fact.input, fact.output))
        said += [
            f"At one step: {one}" if not index else one
            for index, one in enumerate(_of_inner(fact, layer, inputs, outputs))
        ]
    return said


@describes("Repeat")
def _repeat(fact):
    layer, block = fact.layer, fact.layer.layer
    inside = [one.name for one in block._flatten_layers(include_self=False) if not one._layers]
    of = f" of {list_of(inside)}" if 0 < len(inside) <= 8 else f" of {len(inside)} layers" if inside else ""
    said = [
        f"{block.name} ({type(block).__name__}{of}) {layer.n} times in a row, each time with weights of its own: what "
        f"one returns, {shape_of(fact.output)}, is the input of the next.",
        "It is compiled once and runs in a loop. Each variable holds the weights of all, one beside the other along "
        "its first axis.",
    ]
    if layer.rematerialize:
        said.append("The backward pass computes what is inside each again, and stores only what passes between them.")
    return said


@describes("SpectralNormalization")
def _spectral(fact):
    layer = fact.layer.layer
    return [
        f"Divides the kernel of {layer.name}, as a matrix, by its largest singular value, which it estimates in "
        "training.",
        *_of_inner(fact, layer, fact.input, fact.output),
    ]


@describes("wrapper")
def _wrapper(fact):
    return [f"A layer around {fact.layer.layer.name} ({type(fact.layer.layer).__name__})."]


@describes("Masking")
def _masking(fact):
    value = fact.layer.mask_value
    return [f"A mask starts here: layers that support masks skip the steps whose features are all {value:g}."]


@describes("Attention", "AdditiveAttention")
def _attention(fact):
    layer = fact.layer
    dot = layer.score_mode == "dot" and not fact.is_a("AdditiveAttention")
    score = "their product" if dot else "a sum of tanh(query + key)"
    said = [
        f"Each query looks at all values: its score with each key ({score}) becomes a weight by softmax, and the "
        f"output is the mean of the values with these weights, {shape_of(fact.output)}."
    ]
    return [*said, *_attention_settings(fact)]


def _attention_settings(fact):
    said = []
    settings = fact.arguments[1] if fact.arguments is not None else {}
    if settings.get("use_causal_mask"):
        said.append("use_causal_mask=True: no position sees later ones.")
    if getattr(fact.layer, "dropout", 0):
        said.append(f"In training each weight is dropped with probability {fact.layer.dropout:g}.")
    if fact.masked:
        said.append("Masked values get no weight.")
    return said


@describes("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
def _heads(fact):
    layer = fact.layer
    heads, size = layer.query_heads, layer.query_size
    shared = f", with {layer.key_heads} heads of keys and values between them" if layer.key_heads != heads else ""
    queries, values = fact.input, (fact.inputs[1] if len(fact.inputs) > 1 else fact.input)
    itself = (len(fact.sources) == 1 and not fact.reads) or (not fact.sources and len(set(fact.reads)) == 1)
    pairs = ""
    if len(queries) == 3 and queries[1] is not None and values[1] is not None:
        pairs = f" ({queries[1]:,} x {values[1]:,} scores in each head)"
    said = [
        f"{heads} heads{shared}: each projects queries, keys and values to {size} numbers and gives every position a "
        f"mean of the values, weighted by how their keys fit its query{pairs}; a last projection maps the heads to "
        f"{shape_of(fact.output)}.",
        "Self-attention: queries, keys and values come from the same tensor."
        if itself and len(fact.inputs) > 1
        else "",
        Once("By itself it ignores the order of positions; a position embedding adds it.", "order"),
    ]
    if layer.sliding_window is not None:
        said.append(f"A position sees those less than {layer.sliding_window} away.")
    return [*said, *_attention_settings(fact)]
