"""Descriptions that earlier versions of Keras wrote, as Keras 3 writes them. What is of today passes unchanged.

Everything an old file says differently is mended here: renamed arguments come from `lamina.legacy`, the rest is below.
"""

from typing import Any

from lamina import legacy
from lamina.core.configurable import is_description


def upgrade(config) -> Any:
    """The description (or a structure with descriptions in it) in today's format.

    >>> upgrade({"class_name": "Dropout", "config": {"p": 0.5}})
    {'class_name': 'Dropout', 'config': {'rate': 0.5}}
    """
    if isinstance(config, (list, tuple)):
        return [upgrade(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {key: upgrade(value) for key, value in config.items()}
    return _upgrade_description(config) if is_description(config) else config


def _upgrade_description(described):
    name, config = described["class_name"], described["config"]
    if name == "Sequential" and isinstance(config, list):  # Keras 1 and 2.0: the layers alone
        return {**described, "config": {"layers": config}}
    if not isinstance(config, dict):
        return described
    if name == "Model" and "input_layers" in config:  # Functional since Keras 2.4
        described = {**described, "class_name": "Functional"}
    if "input_layers" in config:
        return {**described, "config": _upgrade_graph(config)}
    renamed, _ = legacy.rename(name, config)
    return {**described, "config": renamed}


def _upgrade_graph(config):
    """A graph whose nodes are lists of [layer, node, tensor, kwargs], as before Keras 3."""
    if any(isinstance(node, dict) for layer in config["layers"] for node in layer.get("inbound_nodes", [])):
        return config
    layers = []
    for layer in config["layers"]:
        nodes = [_upgrade_node(node) for node in layer.get("inbound_nodes", [])]
        layers.append({**layer, "name": layer.get("name") or layer["config"]["name"], "inbound_nodes": nodes})
    ends = {key: _single(config[key]) for key in ("input_layers", "output_layers")}
    return {**config, **ends, "layers": layers}


def _upgrade_node(node):
    """`[["dense", 0, 0, {}]]` as {"args": [tensor], "kwargs": {}}; several sources are a list of tensors."""
    if node and isinstance(node[0], str):  # Keras 2.4 and later, of a call on one tensor
        node = [node]
    tensors = [_tensor(source) for source in node]
    kwargs = {key: _argument(value) for source in node for key, value in (source[3] if len(source) > 3 else {}).items()}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}


def _tensor(place):
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(place[:3])}}


def _argument(value):
    """A keyword argument of a call: a place in the graph, or a value."""
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return value[2] if value[0] == "_CONSTANT_VALUE" else _tensor(value)
    return value


def _single(places):
    """`[["dense", 0, 0]]`, which Keras 2 wrote for one tensor too, without the outer list."""
    alone = isinstance(places, list) and len(places) == 1 and isinstance(places[0], list)
    return places[0] if alone else places
