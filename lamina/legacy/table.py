"""Old spellings of arguments, of classes in files, and of methods in Keras 1 and 2, with today's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = [
    "ARGUMENTS", "CLASSES", "METHODS", "ROWS", "Around", "FixedValue", "MovedTo", "Part", "Row", "data_format_of",
]  # fmt: skip


class Part(NamedTuple):
    """The old argument is one number of a new one, which is a tuple."""

    name: str
    position: int


class MovedTo(NamedTuple):
    """The argument is written elsewhere today. Where it is `passed_on`, the class still reads it under its old name."""

    spelling: str
    passed_on: bool = False


class Around(NamedTuple):
    """What the argument did is written elsewhere today; `run(call, value)` makes the call and does it."""

    spelling: str
    run: Any


@dataclass(frozen=True)
class FixedValue:
    """An argument that only ever had one value, `usual`; the class refuses any other value itself."""

    usual: Any
    name: str

    def __call__(self, value: Any) -> dict[str, Any]:
        return {} if value == self.usual else {self.name: value}


class Row(NamedTuple):
    """An old spelling of an argument or a method.

    Attributes:
        owner: Class or method that has it, such as "Dense" or "Model.fit".
        old: The old name.
        new: Today's name, a function from the old value to new arguments, a `Part` of a new argument, a `MovedTo`,
            an `Around`, or None where the argument has no meaning any more.
        since: The version of Keras with the new name.
    """

    owner: str
    old: str
    new: Any
    since: str


def data_format_of(dim_ordering: Any) -> Any:
    """The data format that Keras 1 called "tf" or "th".

    Args:
        dim_ordering: "tf", "th" or today's name, which stays as it is.
    """
    return {"th": "channels_first", "tf": "channels_last"}.get(dim_ordering, dim_ordering)


def _data_format(value):
    return {"data_format": data_format_of(value)}


def _unit_forget_bias(value):
    return {"unit_forget_bias": value in ("one", "ones")}


_WEIGHTS = {
    "init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias",
}  # fmt: skip


_CONV = {
    **_WEIGHTS, "nb_filter": "filters", "border_mode": "padding", "subsample": "strides", "dim_ordering": _data_format,
    "atrous_rate": "dilation_rate",
}  # fmt: skip
_UNDILATED = {old: new for old, new in _CONV.items() if old != "atrous_rate"}
_CONV2D = {**_CONV, "nb_row": Part("kernel_size", 0), "nb_col": Part("kernel_size", 1)}
_CONV3D = {**_CONV, **{f"kernel_dim{axis + 1}": Part("kernel_size", axis) for axis in range(3)}}
_POOL = {"border_mode": "padding", "dim_ordering": _data_format}
_POOL1 = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_FORMAT = {"dim_ordering": _data_format}
_RECURRENT = {
    **_WEIGHTS, "output_dim": "units", "inner_init": "recurrent_initializer", "U_regularizer": "recurrent_regularizer",
    "dropout_W": "dropout", "dropout_U": "recurrent_dropout", "consume_less": None,
}  # fmt: skip
_GATES = {**_RECURRENT, "inner_activation": "recurrent_activation"}
_INNER = {name: today for name, today in _GATES.items() if name != "output_dim"}  # of a cell that convolves
_RATES = {"lr": "learning_rate"}
_QUEUE = dict.fromkeys(("workers", "max_queue_size", "use_multiprocessing"), MovedTo("PyDataset(workers=...)"))
_OLD_QUEUE = dict.fromkeys(("nb_worker", "max_q_size", "pickle_safe"), MovedTo("PyDataset(workers=...)"))
_ACCURACY = {"show_accuracy": MovedTo('compile(metrics=["accuracy"])')}
_IN_BATCHES = MovedTo("a number of steps, counted in batches", passed_on=True)
_RESET = {"reset_metrics": FixedValue(True, "reset_metrics")}
_RANKS = (1, 2, 3)

_OLD = {
    "2": {
        "Dense": {**_WEIGHTS, "output_dim": "units"},
        "Conv1D": {**_CONV, "filter_length": "kernel_size", "subsample_length": "strides"},
        "Conv2D": _CONV2D,
        "Conv3D": _CONV3D,
        "Conv2DTranspose": {**_CONV2D, "output_shape": None},
        "SeparableConv2D": {
            **{old: new for old, new in _CONV2D.items() if old[:2] != "W_"},
            "init": lambda value: {"depthwise_initializer": value, "pointwise_initializer": value},
        },
        "MaxPooling1D": _POOL1,
        "AveragePooling1D": _POOL1,
        **{f"{kind}Pooling{rank}D": _POOL for kind in ("Max", "Average") for rank in (2, 3)},
        **{f"Global{kind}Pooling{rank}D": _FORMAT for kind in ("Max", "Average") for rank in (2, 3)},
        **{f"{kind}{rank}D": _FORMAT for kind in ("ZeroPadding", "Cropping", "UpSampling") for rank in (2, 3)},
        "UpSampling1D": {"length": "size"},
        "LocallyConnected1D": {**_UNDILATED, "filter_length": "kernel_size", "subsample_length": "strides"},
        "LocallyConnected2D": {**_UNDILATED, "nb_row": Part("kernel_size", 0), "nb_col": Part("kernel_size", 1)},
        "MaxoutDense": _WEIGHTS,
        "Highway": {**_WEIGHTS, "transform_bias": None},
        **dict.fromkeys(("img_to_array", "array_to_img", "ImageDataGenerator"), _FORMAT),
        "text_to_word_sequence": {"text": "input_text"},
        "preprocessing.text.one_hot": {"text": "input_text"},
        "random_shift": {f"{name}_index": f"{name}_axis" for name in ("row", "col", "channel")},
        "ReduceLROnPlateau": {"epsilon": "min_delta"},
        "Dropout": {"p": "rate"},
        "SpatialDropout1D": {"p": "rate", "noise_shape": None},
        **{f"SpatialDropout{rank}D": {"p": "rate", "noise_shape": None, **_FORMAT} for rank in (2, 3)},
        "GaussianDropout": {"p": "rate"},
        "GaussianNoise": {"sigma": "stddev"},
        "PReLU": {"init": "alpha_initializer"},
        "MaxNorm": {"m": "max_value"},
        "Embedding": {
            "init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
            "W_constraint": "embeddings_constraint", "dropout": None,
        },
        **{
            f"{name}{kind}": names
            for kind in ("", "Cell")
            for name, names in (
                ("SimpleRNN", _RECURRENT),
                ("GRU", _GATES),
                ("LSTM", {**_GATES, "forget_bias_init": _unit_forget_bias}),
            )
        },
        "ConvLSTM2D": {**_INNER, **_CONV2D, "forget_bias_init": _unit_forget_bias},
        "BatchNormalization": {
            "beta_init": "beta_initializer", "gamma_init": "gamma_initializer", "mode": FixedValue(0, "mode"),
        },
        "Model": {"input": "inputs", "output": "outputs"},
        "Model.fit": {"nb_epoch": "epochs", **_ACCURACY},
        "Model.evaluate": _ACCURACY,
        "Model.train_on_batch": {"accuracy": MovedTo('compile(metrics=["accuracy"])')},
        "Model.test_on_batch": {"accuracy": MovedTo('compile(metrics=["accuracy"])')},
        "Model.compile": {"class_mode": None, "theano_mode": None},
        "Model.fit_generator": {
            "nb_epoch": "epochs", "samples_per_epoch": _IN_BATCHES, "nb_val_samples": _IN_BATCHES, **_ACCURACY,
            **_OLD_QUEUE,
        },
        "Model.evaluate_generator": {"val_samples": _IN_BATCHES, **_ACCURACY, **_OLD_QUEUE},
        "Model.predict_generator": {"val_samples": _IN_BATCHES, **_OLD_QUEUE},
    },
    "3": {
        "Layer": {
            "input_shape": MovedTo("keras.Input(shape) before it", passed_on=True),
            "batch_input_shape": MovedTo("keras.Input(batch_shape=...) before it", passed_on=True),
            "input_dim": MovedTo("keras.Input((input_dim,)) before it", passed_on=True),
            "input_length": MovedTo("the first size of keras.Input(shape) before it", passed_on=True),
            "input_dtype": MovedTo("keras.Input(shape, dtype=...) before it", passed_on=True),
            "batch_size": MovedTo("keras.Input(shape, batch_size=...) before it", passed_on=True),
            "weights": MovedTo("layer.set_weights(weights) once it is built", passed_on=True),
        },
        "InputLayer": {"input_shape": "shape", "batch_input_shape": "batch_shape", "input_dtype": "dtype"},
        "LeakyReLU": {"alpha": "negative_slope"},
        **{
            name: {"implementation": None, "time_major": FixedValue(False, "time_major")}
            for name in ("SimpleRNN", "GRU", "LSTM", *(f"ConvLSTM{rank}D" for rank in _RANKS))
        },
        **{f"{name}Cell": {"implementation": None} for name in ("SimpleRNN", "GRU", "LSTM")},
        "RNN": {"time_major": FixedValue(False, "time_major"), "num_constants": FixedValue(0, "num_constants")},
        "CategoryEncoding": {"max_tokens": "num_tokens"},
        "IntegerLookup": {"max_values": "max_tokens"},
        **{
            name: {"groups": FixedValue(1, "groups")}
            for name in (
                *(f"{who}Conv{rank}D" for who in ("Depthwise", "Separable") for rank in (1, 2)),
                *(f"Conv{rank}DTranspose" for rank in _RANKS),
            )
        },
        **{
            name: {"dtype": None}
            for name in (
                "Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
                "Orthogonal",
                *(f"{who}{how}" for who in ("Glorot", "He", "Lecun") for how in ("Normal", "Uniform")),
            )
        },
        "MultiHeadAttention": dict.fromkeys(("query_shape", "key_shape", "value_shape", "softmax_robust_masking")),
        "ReLU": {"alpha": "negative_slope", "theta": "threshold"},
        "BatchNormalization": dict.fromkeys(("fused", "virtual_batch_size")),
        **{name: _RATES for name in (
            "SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Ftrl", "Lamb", "Lion", "Adafactor",
        )},
        "Nadam": {**_RATES, "schedule_decay": None},
        "TensorBoard": dict.fromkeys(("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")),
        "Model.train_on_batch": _RESET,
        "Model.test_on_batch": _RESET,
        "to_categorical": {
            "y": "x",
            "dtype": Around("to_categorical(x).astype(dtype)", lambda call, value: call().astype(value)),
        },
        "relu": {"alpha": "negative_slope"},
        "leaky_relu": {"alpha": "negative_slope"},
        "load_img": {"grayscale": lambda value: {"color_mode": "grayscale"} if value else {}},
        "Optimizer": {
            "decay": MovedTo("learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay)", passed_on=True),
        },
        "Model.compile": dict.fromkeys((
            "sample_weight_mode", "target_tensors", "distribute", "experimental_run_tf_function",
        )),
        **{f"Model.{method}{kind}": _QUEUE for method in ("fit", "evaluate", "predict") for kind in ("", "_generator")},
    },
}  # fmt: skip

ROWS: list[Row] = [
    Row(owner, old, new, since)
    for since, owners in _OLD.items()
    for owner, names in owners.items()
    for old, new in names.items()
]
ARGUMENTS: dict[str, dict[str, Row]] = {}
for _row in ROWS:
    ARGUMENTS.setdefault(_row.owner, {})[_row.old] = _row
ARGUMENTS["Functional"] = ARGUMENTS["Model"]
"""owner -> old name -> row."""

CLASSES: dict[str, str] = {
    **{f"{old}{rank}D": f"{new}{rank}D" for rank in _RANKS for old, new in (
        ("Convolution", "Conv"), ("AtrousConvolution", "Conv"), ("SeparableConvolution", "SeparableConv"),
        ("DepthwiseConvolution", "DepthwiseConv"),
    )},
    **{f"{old}{rank}D": f"Conv{rank}DTranspose" for rank in (2, 3) for old in ("Deconvolution", "Deconv")},
    "TimeDistributedDense": "Dense", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU", "ThresholdedReLU": "ReLU",
    "UnifiedLSTM": "LSTM", "UnifiedGRU": "GRU",
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), "BatchNormalization"),
    **dict.fromkeys(("Policy", "PolicyV1"), "DTypePolicy"),
    "CosineProximity": "CosineSimilarity", "Logcosh": "LogCosh", "HuberLoss": "Huber",
}  # fmt: skip
"""Old names of classes. Files may use all of them, programs only those that are an `OldClass`."""

METHODS: list[Row] = [
    Row("Model", "fit_generator", "fit(generator)", "3"),
    Row("Model", "evaluate_generator", "evaluate(generator)", "3"),
    Row("Model", "predict_generator", "predict(generator)", "3"),
    Row("Model", "predict_proba", "predict(x)", "3"),
    Row("Model", "predict_classes", "predict(x).argmax(axis=-1), or predict(x) > 0.5 for one output,", "3"),
    Row("Model", "reset_states", "reset_state() of its stateful layers", "3"),
    Row("Metric", "reset_states", "reset_state()", "2.5"),
    Row("Optimizer", "lr", "learning_rate", "3"),
    Row("backend", "image_dim_ordering", "image_data_format", "2"),
    Row("backend", "set_image_dim_ordering", "set_image_data_format", "2"),
]
