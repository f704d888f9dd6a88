"""Upgrade the configs of earlier versions of Keras to Keras 3. Configs of Keras 3 are left unchanged.

`lamina.legacy` has the renamed arguments and classes, `graphs` upgrades graphs, and the table `_UPGRADES` converts
arguments whose meaning has changed.
"""

from __future__ import annotations

from typing import Any

from lamina import legacy
from lamina.core import registry
from lamina.core.serialization import is_description
from lamina.saving.migration.graphs import graph_of_merge, is_merge, upgrade_graph
from lamina.saving.migration.version import origin_of

__all__ = ["upgrade", "upgrade_compile"]

_OPTIMIZERS = frozenset("SGD RMSprop Adam AdamW Adagrad Adadelta Adamax Nadam Ftrl Adafactor Lion".split())
_MODELS = frozenset(("Sequential", "Model", "Functional"))


def upgrade(config: Any, version: Any = None, backend: Any = None) -> Any:
    """Convert a config, or a structure that contains configs, to the format of Keras 3.

    Args:
        version, backend: Version and backend of the Keras that wrote the config, if the file names them. Otherwise
            they are inferred from the config.

    >>> upgrade({"class_name": "Dropout", "config": {"p": 0.5}})
    {'class_name': 'Dropout', 'config': {'rate': 0.5}}
    """
    origin = origin_of(config, version, backend)
    if origin.major == 1:  # padding, cropping and upsampling layers had no data format of their own
        origin = origin._replace(data_format=next(_data_formats(config), None))
    return _upgrade(config, origin)


def _data_formats(config):
    """Yield the data format of each layer in a Keras 1 config."""
    if isinstance(config, dict):
        if config.get("dim_ordering") in ("th", "tf"):
            yield legacy.data_format_of(config["dim_ordering"])
        config = list(config.values())
    for item in config if isinstance(config, list) else ():
        yield from _data_formats(item)


def upgrade_compile(config: Any, version: Any = None, backend: Any = None, outputs: Any = ()) -> Any:
    """The arguments of `compile` in a file under their Keras 3 names. Arguments that are None are left out.

    Args:
        outputs: Names of the model's outputs. For several outputs, tf.keras prefixed metric names with the output
            name.
    """
    origin = origin_of(config, version, backend)
    upgraded: Any = _upgrade(config, origin)
    config, _ = legacy.rename("Model.compile", upgraded)
    prefixes = [f"{name}_" for name in outputs] if len(outputs) > 1 else []
    metrics = _metrics(config.get("metrics"), prefixes)
    if prefixes and origin.major < 3 and metrics and isinstance(metrics, list):
        metrics = metrics if any(isinstance(one, list) for one in metrics) else [metrics for _ in outputs]  # for all
    config["metrics"] = metrics
    if "optimizer_config" in config:
        config["optimizer"] = config.pop("optimizer_config")
    return {name: value for name, value in config.items() if value is not None}


def _metrics(metrics, prefixes):
    """The metrics as the user passed them to `compile`. For "accuracy" tf.keras stored an object; it also prefixed
    names with output names."""
    if isinstance(metrics, list):
        return [_metrics(metric, prefixes) for metric in metrics]
    if not isinstance(metrics, dict):
        return metrics
    if not is_description(metrics) or not isinstance(metrics["config"], dict):
        return {key: _metrics(metric, prefixes) for key, metric in metrics.items()}
    name = metrics["config"].get("name")
    if not isinstance(name, str):
        return metrics
    name = name.removeprefix(next((prefix for prefix in prefixes if name.startswith(prefix)), ""))
    if metrics["class_name"] == "MeanMetricWrapper" and name in ("accuracy", "acc"):
        return name
    return {**metrics, "config": {**metrics["config"], "name": name}}


def _upgrade(value, origin):
    if isinstance(value, (list, tuple)):
        return [_upgrade(item, origin) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _upgrade(item, origin) for key, item in value.items()}
    if is_description(value):
        return _description(value, origin)
    return _plain(value) if origin.major < 3 else value


def _plain(value):
    """Convert arrays, tuples, regularizers and constraints from the JSON form that Keras 1 and 2 gave them."""
    kind = value.get("class_name")
    if kind in ("__tuple__", "TensorShape") and "items" in value:
        return list(value["items"])
    if kind == "__ellipsis__":
        return {"class_name": kind, "config": {}}
    if value.get("type") == "ndarray" and "value" in value:
        return value["value"]
    if value.get("name") in _NAMED:  # Keras 1 stored the class name among the arguments
        name, rest = _NAMED[value["name"]], {key: item for key, item in value.items() if key != "name"}
        return {"class_name": name, "config": legacy.rename(name, rest)[0]}
    return value


_NAMED = {
    **dict.fromkeys(("WeightRegularizer", "ActivityRegularizer", "L1L2Regularizer"), "L1L2"),
    "MaxNorm": "MaxNorm", "NonNeg": "NonNeg", "UnitNorm": "UnitNorm", "MinMaxNorm": "MinMaxNorm",
}  # fmt: skip


def _description(described, origin):
    name, config = described["class_name"], described["config"]
    if name in _MODELS and (isinstance(config, list) or "layers" in config):
        return _model(described, origin)
    if not isinstance(config, dict):
        return _meant_function(described, origin)
    if "input_layers" in config:  # a subclass of Model, by the user, that was built as a functional model
        return {**described, "config": upgrade_graph(config)}
    if origin.major < 3 and _is_time_major(config):
        return _wrap_time_major(described, origin)
    today = legacy.CLASSES.get(name, name) if origin.major < 3 else name
    if today.startswith("Custom>") and today[7:] in _OPTIMIZERS and registry.get_registered_object(today) is None:
        today = today[7:]
    if today == "BatchNormalization" and config.get("mode"):
        today = "BatchNormalizationOfKeras1"
    config, _ = legacy.rename(today, config)
    if origin.major < 3:
        config = _of_old_layer(name, today, config, origin)
        if name in _UPGRADES:
            config = _UPGRADES[name](config, origin)
    renamed = {**described, "class_name": today, "config": config}
    if today != name:
        renamed.update({key: None for key in ("module", "registered_name") if key in described})
    return renamed


def _is_time_major(config):
    """Whether a recurrent layer, or the layer inside a Bidirectional, has time as its first axis."""
    layer = config.get("layer")
    return config.get("time_major") or (isinstance(layer, dict) and layer.get("class_name") == "TimeMajor")


def _wrap_time_major(described, origin):
    """A time-major layer as a batch-major layer inside a TimeMajor wrapper, which swaps the first two axes before and
    after it."""
    config = {key: value for key, value in described["config"].items() if key != "time_major"}
    for key in ("layer", "backward_layer"):
        if isinstance(config.get(key), dict) and config[key].get("class_name") == "TimeMajor":
            config[key] = config[key]["config"]["layer"]
    outside = {key: config.pop(key) for key in ("batch_input_shape",) if key in config}
    layer = _description({"class_name": described["class_name"], "config": config}, origin)
    held = {"name": config.get("name"), "layer": layer, **outside}
    renamed = {key: None for key in ("module", "registered_name") if key in described}
    return {**described, **renamed, "class_name": "TimeMajor", "config": held}


def _model(described, origin):
    """Upgrade a Sequential or functional model."""
    name, config = described["class_name"], described["config"]
    if isinstance(config, list):  # Keras 1 and 2.0 stored only the list of layers
        config = {"layers": config}
    if "input_layers" in config:
        if name == "Model":  # renamed to Functional in Keras 2.4
            described = {**described, "class_name": "Functional"}
        return {**described, "config": upgrade_graph(config)}
    if origin.major < 3:
        if is_merge(config["layers"]):
            return {**described, "class_name": "Functional", "config": graph_of_merge(config)}
        layers = [{key: part for key, part in layer.items() if key != "build_config"} for layer in config["layers"]]
        config = {**config, "layers": layers}
    return {**described, "config": config}


def _meant_function(described, origin):
    if described["class_name"] == "function" and origin.major < 3 and described["config"] == "hard_sigmoid":
        return _HARD_SIGMOID
    return described


_HARD_SIGMOID = "hard_sigmoid_of_keras_2"  # clip(0.2 x + 0.5, 0, 1); Keras 3 has another function of that name


def _of_old_layer(name, today, config, origin):
    """Apply the changes common to all layers: replace hard_sigmoid and drop redundant or TensorFlow-only arguments."""
    config = dict(config)
    for key in ("activation", "recurrent_activation"):
        if config.get(key) == "hard_sigmoid":
            config[key] = _HARD_SIGMOID
    if "batch_input_shape" in config or today == "Embedding":
        for key in ("input_length", *(() if today == "Embedding" else ("input_dim",))):
            config.pop(key, None)
    for key in ("type_spec", "rng_type", "force_generator"):  # these configure TensorFlow tensors and random generators
        config.pop(key, None)
    return config


def _recurrent(config, origin):
    if origin.version < (2, 3):
        config = {"recurrent_activation": _HARD_SIGMOID, **config}
    return config


def _gru(config, origin):
    return _recurrent({"reset_after": False, **config}, origin)


def _cudnn(config, origin):
    return {**config, "activation": "tanh", "recurrent_activation": "sigmoid"}


def _cudnn_gru(config, origin):
    return {**_cudnn(config, origin), "reset_after": True}


def _batch_normalization(config, origin):
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config = {**config, "axis": axis[0]}
    return config


def _embedding(config, origin):
    """Drop an integer dtype: until Keras 2.0.6 the config of Embedding had the dtype of the inputs."""
    is_of_inputs = str(config.get("dtype")).startswith(("int", "uint"))
    return {key: value for key, value in config.items() if key != "dtype" or not is_of_inputs}


def _attention(config, origin):
    """Drop `causal=False`; what is true becomes an argument of each call, in `upgrade_graph`."""
    return {key: value for key, value in config.items() if key != "causal" or value}


def _depthwise(config, origin):
    """Drop the `kernel_*` arguments, which separable and depthwise convolutions stored but do not use."""
    return {key: value for key, value in config.items() if not key.startswith("kernel_") or key == "kernel_size"}


def _with_data_format(config, origin):
    return {"data_format": origin.data_format, **config} if origin.data_format else config


def _zero_padding(config, origin):
    config, padding = _with_data_format(config, origin), config.get("padding")
    if isinstance(padding, list) and len(padding) == 4:  # Keras 1: (top, bottom, left, right)
        config = {**config, "padding": [padding[:2], padding[2:]]}
    return config


def _lambda(config, origin):
    """Convert the function of a Lambda, which is a name or bytecode. Bytecode is loaded only if the caller allows
    it."""
    told = ("function_type", "module", "output_shape_type", "output_shape_module")
    kept = {key: value for key, value in config.items() if key not in told}
    function = config.get("function")
    if isinstance(function, str):
        kept["function"] = {"class_name": "function", "config": function}
    elif isinstance(function, list):
        names = ("code", "defaults", "closure")
        kept["function"] = {"class_name": "__lambda__", "config": dict(zip(names, function, strict=False))}
    if config.get("output_shape_type") != "raw":  # a function of shapes; tracing replaces it
        kept.pop("output_shape", None)
    return kept


def _wrapped_function(config, origin):
    """Convert a loss or metric that wraps a function given by name."""
    if isinstance(config.get("fn"), str):
        config = {**config, "fn": {"class_name": "function", "config": config["fn"]}}
    return _loss(config, origin)


def _wrapped_metric(config, origin):
    if config.get("fn") == "cosine_similarity":  # the metric has the opposite sign of the loss
        return {**config, "fn": {"class_name": "function", "config": config["fn"], "module": "keras.metrics"}}
    return _wrapped_function(config, origin)


def _loss(config, origin):
    if config.get("reduction") == "auto":
        config = {**config, "reduction": "sum_over_batch_size"}
    return config


def _named_loss(config, origin):
    return {key: value for key, value in _loss(config, origin).items() if key != "fn"}


def _optimizer(config, origin):
    useless = {"jit_compile", "is_legacy_optimizer", *(key for key in ("epsilon", "decay") if not config.get(key))}
    return {key: value for key, value in config.items() if key not in useless}


_LOSSES = (
    "BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy MeanSquaredError MeanAbsoluteError "
    "MeanAbsolutePercentageError MeanSquaredLogarithmicError BinaryFocalCrossentropy CategoricalFocalCrossentropy "
    "Hinge SquaredHinge CategoricalHinge Poisson LogCosh KLDivergence Huber CosineSimilarity"
)
_PIXEL_MOVERS = ("ZeroPadding", "Cropping", "UpSampling")
_UPGRADES = {
    **dict.fromkeys("LSTM LSTMCell UnifiedLSTM ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvRecurrent2D".split(), _recurrent),
    **dict.fromkeys(("GRU", "GRUCell", "UnifiedGRU"), _gru),
    "CuDNNLSTM": _cudnn, "CuDNNGRU": _cudnn_gru,
    **dict.fromkeys(("BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2"), _batch_normalization),
    **dict.fromkeys((f"{kind}Conv{rank}D" for kind in ("Separable", "Depthwise") for rank in (1, 2)), _depthwise),
    **dict.fromkeys((f"{kind}{rank}D" for kind in _PIXEL_MOVERS for rank in (2, 3)), _with_data_format),
    "Attention": _attention, "AdditiveAttention": _attention,
    "ZeroPadding2D": _zero_padding, "Lambda": _lambda, "Embedding": _embedding,
    "LossFunctionWrapper": _wrapped_function, "MeanMetricWrapper": _wrapped_metric,
    **dict.fromkeys(_LOSSES.split(), _named_loss),
    **dict.fromkeys(sorted(_OPTIMIZERS), _optimizer),
    **dict.fromkeys(sorted(f"Custom>{name}" for name in _OPTIMIZERS), _optimizer),
}  # fmt: skip
