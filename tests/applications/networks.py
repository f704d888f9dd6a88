"""What the tests of applications compare: a description of a network that both libraries give, and random weights."""

import hashlib
import json

import numpy as np

SMALL = {"include_top": False, "input_shape": [96, 96, 3]}
# (name, arguments) of the networks whose descriptions are compared
CALLS = [
    *((f"ConvNeXt{kind}", {}) for kind in ("Base", "Large", "Small", "Tiny", "XLarge")),
    *((f"DenseNet{depth}", {}) for depth in (121, 169, 201)),
    *((f"EfficientNetB{index}", {}) for index in range(8)),
    *((f"EfficientNetV2{kind}", {}) for kind in ("B0", "B1", "B2", "B3", "L", "M", "S")),
    *((f"MobileNetV3{kind}", {}) for kind in ("Large", "Small")),
    *((f"NASNet{kind}", {}) for kind in ("Large", "Mobile")),
    *((f"ResNet{depth}{version}", {}) for depth in (50, 101, 152) for version in ("", "V2")),
    *((name, {}) for name in "InceptionResNetV2 InceptionV3 MobileNet MobileNetV2 VGG16 VGG19 Xception".split()),
    ("ConvNeXtTiny", {**SMALL, "pooling": "max", "include_preprocessing": False}),
    ("ConvNeXtTiny", {**SMALL}),
    ("DenseNet121", {**SMALL, "pooling": "avg"}),
    ("EfficientNetB0", {**SMALL, "pooling": "max", "name": "other"}),
    ("EfficientNetB2", {"input_shape": [33, 47, 1], "classes": 3, "classifier_activation": None}),
    ("EfficientNetV2B0", {"include_top": False, "include_preprocessing": False}),
    ("EfficientNetV2S", {**SMALL, "pooling": "avg"}),
    ("InceptionResNetV2", {**SMALL, "pooling": "avg"}),
    ("InceptionV3", {"include_top": False, "input_shape": [150, 150, 3]}),
    ("InceptionV3", {"include_top": False, "pooling": "max"}),
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5, "input_shape": [128, 128, 3]}),
    ("MobileNet", {**SMALL, "alpha": 0.5, "pooling": "avg"}),
    ("MobileNetV2", {"alpha": 0.35, "input_shape": [96, 96, 3], "classes": 5}),
    ("MobileNetV2", {"alpha": 1.4, "include_top": False, "input_shape": [37, 61, 3]}),
    ("MobileNetV3Large", {**SMALL, "alpha": 1.25, "pooling": "max"}),
    ("MobileNetV3Large", {"minimalistic": True, "input_shape": [224, 224, 3]}),
    ("MobileNetV3Small", {"alpha": 0.75, "dropout_rate": 0.0, "include_preprocessing": False}),
    ("NASNetMobile", {"include_top": False, "pooling": "avg", "input_shape": [97, 97, 3]}),
    ("ResNet50", {**SMALL, "pooling": "max"}),
    ("ResNet50V2", {"include_top": False}),
    ("VGG16", {**SMALL, "pooling": "avg"}),
    ("Xception", {**SMALL, "pooling": "max"}),
]
# (name, arguments) of the networks whose outputs are compared
OUTPUTS = [
    ("EfficientNetB0", {"input_shape": [64, 64, 3], "classes": 10, "classifier_activation": None}),
    ("InceptionV3", {"input_shape": [75, 75, 3], "classes": 10, "classifier_activation": None}),
    ("MobileNetV2", {"input_shape": [64, 64, 3], "alpha": 0.35, "classes": 10, "classifier_activation": None}),
    ("ResNet50", {"input_shape": [64, 64, 3], "classes": 10, "classifier_activation": None}),
]
SETTINGS = (
    "activation cropping depth_multiplier dilation_rate epsilon groups keepdims kernel_size max_value momentum "
    "negative_slope noise_shape padding pool_size rate scale offset strides target_shape threshold units use_bias"
).split()


def key(name, kwargs):
    """The name of a call in facts.json."""
    return f"{name}({', '.join(f'{argument}={value!r}' for argument, value in kwargs.items())})"


def describe(model):
    """Of each layer and op in order: name, class, settings, where its inputs come from, shapes of its weights."""
    return [
        [
            operation.name,
            type(operation).__name__,
            {name: value for name, value in operation.get_config().items() if name in SETTINGS},
            [_source(tensor) for node in operation._inbound_nodes for tensor in _inputs(node)],
            [list(weight.shape) for weight in getattr(operation, "weights", [])],
        ]
        for operation in model.operations
    ]


def _inputs(node):
    return node.input_tensors if hasattr(node, "input_tensors") else node.tensors


def _source(tensor):
    return tensor._keras_history.operation.name


def summarize(model):
    """The description as facts.json keeps it: the numbers that matter, and a hash of all."""
    text = json.dumps(describe(model), sort_keys=True, default=str)
    return {
        "name": model.name,
        "layers": len(model.layers),
        "parameters": int(sum(np.prod(weight.shape, dtype=np.int64) for weight in model.weights)),
        "output_shape": list(model.output_shape),
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }


def random_weights(model):
    """The same values for the same network in both libraries, such that activations keep their size."""
    draw = np.random.RandomState(0)  # its stream is frozen for all versions of NumPy
    return [_values(draw, weight.path.rsplit("/", 1)[-1], tuple(weight.shape), weight) for weight in model.weights]


def _values(draw, name, shape, weight):
    if "int" in str(weight.dtype):
        return np.zeros(shape, str(weight.dtype))
    if name in ("gamma", "moving_variance", "variance"):
        return draw.uniform(0.5, 1.5, shape).astype("float32")
    if len(shape) > 1:
        window = shape[:2] if name == "depthwise_kernel" or "depthwise" in weight.path else shape[:-1]
        return (draw.standard_normal(shape) * np.sqrt(2 / np.prod(window))).astype("float32")
    return (draw.standard_normal(shape) * 0.1).astype("float32")


def images(shape, count=2):
    """Pixels of 0 to 255."""
    return np.random.RandomState(1).uniform(0, 255, (count, *shape)).astype("float32")
