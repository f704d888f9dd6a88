"""Convert model graphs from the format of Keras 1 and 2 to that of Keras 3.

In Keras 1 and 2 each input of a node was a list [layer name, node index, tensor index, keyword arguments].
"""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError
from lamina.saving.migration import tensorflow_ops

__all__ = ["graph_of_merge", "is_merge", "upgrade_graph"]

_RECURRENT = frozenset("RNN SimpleRNN GRU LSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional".split())
_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}


def upgrade_graph(config: Any) -> Any:
    """Convert the config of a functional model so that each call is stored as {"args", "kwargs"}."""
    if any(
        isinstance(node, dict) and "args" in node for one in config["layers"] for node in one.get("inbound_nodes", [])
    ):
        return config
    config = _count_calls_anew(config)
    layers, sizes = [], set()
    for layer in config["layers"]:
        layer = {**layer, "name": layer.get("name") or layer["config"]["name"]}
        layer.pop("build_config", None)
        layers.extend(_layer(layer, sizes))
    ends = {key: _single(config[key]) for key in ("input_layers", "output_layers")}
    return {**config, **ends, "layers": layers}


def _layer(layer, sizes):
    """The Keras 3 layers that replace one layer of the graph. `sizes` collects the names of layers that compute only
    with the sizes of a shape."""
    kind = layer["class_name"]
    if kind == "Merge":
        layer = {**layer, **_merge_of_today(layer["config"])}
    nodes = [_node(kind, node) for node in layer.get("inbound_nodes", [])]
    if kind in ("Attention", "AdditiveAttention") and layer["config"].get("causal"):  # since Keras 2.11 of each call
        layer = {**layer, "config": {key: value for key, value in layer["config"].items() if key != "causal"}}
        nodes = [{**node, "kwargs": {**node["kwargs"], "use_causal_mask": True}} for node in nodes]
    if kind not in tensorflow_ops.CLASSES:
        return [{**layer, "inbound_nodes": nodes}]
    if len(nodes) != 1:
        raise ConfigError(
            f"The layer {layer['name']} in the file calls TensorFlow {len(nodes)} times; one call can be read.",
            fix=tensorflow_ops.REWRITE,
        )
    args, kwargs = nodes[0]["args"], nodes[0]["kwargs"]
    sources = set(_sources([args, kwargs]))
    function = layer["config"].get("function", "").removeprefix("compat.v1.")
    if function == "shape" or (sources and sources <= sizes):
        sizes.add(layer["name"])
        return []
    return tensorflow_ops.translate(layer, args, kwargs)


def _node(kind, node):
    """Convert one call. Several inputs form a list of tensors; for a recurrent layer they are the input and its initial
    states."""
    if isinstance(node, dict):  # the layer was called on a dict of tensors
        node = {name: _tensor(source) for name, source in node.items()}
        return {"args": [node], "kwargs": {}}
    if node and isinstance(node[0], str):  # Keras 2.4 and later write a call on one tensor this way
        node = [node]
    tensors = [_argument(source) for source in node]
    kwargs = {key: _argument(value) for source in node for key, value in (source[3] if len(source) > 3 else {}).items()}
    if kind in _RECURRENT and len(tensors) > 1:
        return {"args": tensors[:1], "kwargs": {"initial_state": tensors[1:], **kwargs}}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}


def _tensor(place):
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(place[:3])}}


def _argument(value) -> Any:
    """Convert one argument of a call: a tensor reference, a plain value, or a nested structure of these."""
    if isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
            return value[2] if value[0] == "_CONSTANT_VALUE" else _tensor(value)
        return [_argument(item) for item in value]
    return {key: _argument(item) for key, item in value.items()} if isinstance(value, dict) else value


def _sources(value):
    """Yield the names of the layers that produce the tensors in a nested structure."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]["keras_history"][0]
        for item in value.values():
            yield from _sources(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sources(item)


def _single(places):
    """Unwrap `[["dense", 0, 0]]`, which Keras 2 wrote even for a single tensor."""
    alone = isinstance(places, list) and len(places) == 1 and isinstance(places[0], list)
    return places[0] if alone else places


def _count_calls_anew(config):
    """Renumber calls from 0. Keras 2 counted the creation of a nested model as its call 0, so the calls in the outer
    graph began at 1."""
    calls = {}
    for layer in config["layers"]:
        calls[layer.get("name") or layer["config"]["name"]] = len(layer.get("inbound_nodes", []))
    numbers = {}
    for name, number in _places(config, calls):
        numbers.setdefault(name, set()).add(number)
    shifted = {name for name, used in numbers.items() if used and min(used) >= 1 and max(used) >= calls[name]}
    return _shift(config, shifted, top=True) if shifted else config


def _is_place(value, names):
    return (
        isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and value[0] in names
        and isinstance(value[1], int) and isinstance(value[2], int)
    )  # fmt: skip


def _graph_parts(config):
    return [
        config["input_layers"],
        config["output_layers"],
        *(one.get("inbound_nodes", []) for one in config["layers"]),
    ]


def _places(config, names):
    stack = _graph_parts(config)
    while stack:
        value = stack.pop()
        if _is_place(value, names):
            yield value[0], value[1]
        stack.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else [])


def _shift(value, names, top=False) -> Any:
    """Renumber the calls of `names` from 0 in this graph, but not in graphs nested in it."""
    if top:
        layers = [{**one, "inbound_nodes": _shift(one.get("inbound_nodes", []), names)} for one in value["layers"]]
        return {
            **value,
            "layers": layers,
            **{key: _shift(value[key], names) for key in ("input_layers", "output_layers")},
        }
    if isinstance(value, dict):
        return {key: _shift(item, names) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    moved = [_shift(item, names) for item in value]
    return [moved[0], moved[1] - 1, *moved[2:]] if _is_place(value, names) else moved


# Merge, the Keras 1 layer that combined what Add, Concatenate, Dot and similar layers do now


def is_merge(layers: Any) -> Any:
    """Whether a Sequential begins with a Merge layer, as in Keras 1."""
    return bool(layers) and layers[0]["class_name"] == "Merge"


def _merge_of_today(config):
    mode = config.get("mode", "sum")
    if mode in ("dot", "cos"):
        axes = config.get("dot_axes", -1)
        return {"class_name": "Dot", "config": _named(config, axes=axes, normalize=mode == "cos")}
    if mode not in _MERGES:
        raise ConfigError(
            f"A Merge layer in the file merges by {mode!r}, a function that the file does not contain.",
            fix=tensorflow_ops.REWRITE,
        )
    settings = {"axis": config.get("concat_axis", -1)} if mode == "concat" else {}
    return {"class_name": _MERGES[mode], "config": _named(config, **settings)}


def _named(config, **settings):
    return {
        **({"name": config["name"]} if "name" in config else {}),
        "trainable": config.get("trainable", True),
        **settings,
    }


def graph_of_merge(config: Any) -> Any:
    """Convert a Sequential that begins with Merge into a flat functional model. The order of the layers is that of the
    weights in the file."""
    layers, inputs = [], []
    end = _draw(config["layers"], layers, inputs)
    places = [[name, 0, 0] for name in inputs]
    return {
        "name": config.get("name", "model"), "trainable": True, "layers": layers,
        "input_layers": _single(places), "output_layers": [end, 0, 0],
    }  # fmt: skip


def _draw(row, layers, inputs):
    """Add a sequence of layers to the graph and return the name of the last one."""
    last = None
    for layer in row:
        config = layer["config"]
        if layer["class_name"] == "Sequential":
            last = _draw(config if isinstance(config, list) else config["layers"], layers, inputs)
            continue
        sources = [last]
        if layer["class_name"] == "Merge":
            sources = [_draw([branch], layers, inputs) for branch in config["layers"]]
            layer = _merge_of_today(config)
        elif last is None and "input_layers" in config:
            sources = _inputs_of(config, layers, inputs)
        elif last is None:
            sources = [_input(config, layers, inputs)]
        name = layer["config"].setdefault("name", f"merge_{len(layers)}")
        if any(name == one["name"] for one in layers):  # Keras 1 models had no names, so names can repeat
            name = layer["config"]["name"] = f"{name}_{len(layers)}"
        tensors = [_tensor([source, 0, 0]) for source in sources]
        node = {"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": {}}
        layers.append({**layer, "name": name, "inbound_nodes": [node]})
        last = name
    return last


def _inputs_of(config, layers, inputs):
    """Add copies of the inputs of a branch that is itself a functional model, and return their names."""
    names = [place[0] for place in config["input_layers"]] if _are_many(config["input_layers"]) else None
    own = {one["name"]: one["config"] for one in config["layers"] if one["class_name"] == "InputLayer"}
    made = []
    for name in names or [config["input_layers"][0]]:
        made.append(f"{config['name']}_{name}_{len(layers)}")
        settings = {**own[name], "name": made[-1]}
        layers.append({"class_name": "InputLayer", "config": settings, "name": made[-1], "inbound_nodes": []})
    inputs.extend(made)
    return made


def _are_many(places):
    return isinstance(places[0], list)


def _input(config, layers, inputs):
    name = f"{config['name']}_input"
    settings = {"batch_shape": config["batch_input_shape"], "dtype": config.get("input_dtype", "float32"), "name": name}
    layers.append({"class_name": "InputLayer", "config": settings, "name": name, "inbound_nodes": []})
    inputs.append(name)
    return name
