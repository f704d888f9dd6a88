"""What is said about recurrent layers, their wrappers, masks and attention."""

from lamina.explain.table import says
from lamina.explain.words import product, shape_of

__all__ = []

_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def _recurrent_sum(fact):
    layer, gates = fact.layer, _GATES[next(kind for kind in _GATES if fact.is_a(kind))]
    units, features = layer.units, fact.input[-1]
    parts = f"{gates} x ({product((features, units))} kernel + {product((units, units))} recurrent kernel"
    two = getattr(layer, "reset_after", False) and layer.use_bias
    bias = f" + {'2 x ' if two else ''}{units} bias" if layer.use_bias else ""
    return f"{parts}{bias})"


def _returned(layer, fact):
    steps = fact.input[1]
    if layer.return_sequences:
        said = f"return_sequences=True: it gives its output after every step, {shape_of(fact.output)}."
    else:
        said = (
            f"return_sequences=False: it gives only the output after the last step, {shape_of(fact.output)}; a "
            "recurrent "
            "layer behind it would need return_sequences=True here."
        )
    if layer.return_state:
        said += " return_state=True: its state comes as further outputs."
    return f"{'Steps may differ from batch to batch. ' if steps is None else ''}{said}"


@says("LSTM", "GRU", "SimpleRNN", weights=_recurrent_sum)
def _recurrent(fact):
    layer = fact.layer
    kind = next(kind for kind in _GATES if fact.is_a(kind))
    steps = "any number of" if fact.input[1] is None else f"{fact.input[1]:,}"
    inside = {
        "LSTM": "an input, a forget and an output gate decide what its cell takes in, keeps and shows",
        "GRU": "an update and a reset gate decide how much of the old state stays",
        "SimpleRNN": "each state is the activation of inputs and the state before; over many steps it forgets soon",
    }[kind]
    said = [
        f"Reads {steps} steps of {fact.input[-1]:,} features one after the other with the same weights, and carries a "
        "state "
        f"of {layer.units:,} numbers along: {inside}.",
        _returned(layer, fact),
    ]
    if layer.stateful:
        said.append("stateful=True: the state goes on from batch to batch until reset_state().")
    if layer.go_backwards:
        said.append("go_backwards=True: it reads from the last step to the first.")
    if fact.masked:
        said.append("A mask comes in: masked steps are passed over, the state stays as it was there.")
    return said


@says("RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def _any_recurrent(fact):
    cell = type(getattr(fact.layer, "cell", fact.layer)).__name__
    return [f"Runs {cell} over the steps, the state goes from step to step.", _returned(fact.layer, fact)]


@says("Bidirectional")
def _bidirectional(fact):
    layer = fact.layer
    merge = {"concat": "put side by side", "sum": "added", "mul": "multiplied", "ave": "averaged", None: "given apart"}
    return [
        f"Two copies of {type(layer.forward_layer).__name__}({layer.forward_layer.units}), each with its own weights: "
        "one "
        f"reads forward, one backward, and their outputs are {merge[layer.merge_mode]}: {shape_of(fact.output)}.",
        "Each output has seen the whole sequence, so it is of no use where the future is not known yet.",
    ]


@says("TimeDistributed")
def _time_distributed(fact):
    return [
        f"{type(fact.layer.layer).__name__} at each of {fact.input[1] or 'any number of'} steps, with the same "
        "weights: "
        f"{shape_of(fact.input)} becomes {shape_of(fact.output)}."
    ]


@says("Masking")
def _masking(fact):
    value = fact.layer.mask_value
    return [f"A mask starts here: steps in which every feature is {value:g} are left out by the layers behind it."]


@says("Attention", "AdditiveAttention")
def _attention(fact):
    score = "their product" if fact.kind == "Attention" else "tanh of their sum"
    return [
        f"Each query looks at all values: the score with each key ({score}) becomes a share by softmax, and the "
        "output is "
        "the mean of the values with these shares.",
        "Masked values get no share." if fact.masked else "",
    ]


@says("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
def _heads(fact):
    layer = fact.layer
    heads = getattr(layer, "num_heads", None) or layer.num_query_heads
    size = getattr(layer, "key_dim", None) or layer.head_dim
    length = fact.input[1] if len(fact.input) > 2 else None
    pairs = f"{length:,} x {length:,} scores a head" if length else "a score for each pair of positions"
    return [
        f"{heads} heads: each projects query, key and value to {size} numbers and lets every position take a weighted "
        "mean "
        f"of the values ({pairs}), then the heads are put together and projected back: {shape_of(fact.output)}.",
        "It does not know the order of positions; an embedding of positions before it does.",
        "Masked positions get no share." if fact.masked else "",
    ]
