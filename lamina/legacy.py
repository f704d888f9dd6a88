"""The one table of old spellings: what Keras 1 and 2 called an argument, a method or a module, and what it is today.

Programs go through it when an object is made or a method is called (`accepting_old_names`), files when a config is
read. A program is told each use in one line, once for each place in it.
"""

import contextlib
import functools
import importlib
import inspect
import sys
import types
from collections import namedtuple
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from lamina.errors import ConfigError, warn

Row = namedtuple("Row", "owner old new since")
"""One argument of a class or method. `new` is the name of today, a function from the old value to new arguments, a Part
of a new argument, a MovedTo where it is written today, or None where there is nothing like it."""

Part = namedtuple("Part", "name index")
"""The old argument is one number of a new one, which is a tuple."""

MovedTo = namedtuple("MovedTo", "spelling passed_on", defaults=(False,))
"""Today it is spelled elsewhere. Where it is `passed_on`, the class still reads it under its old name."""


class OldSpelling(FutureWarning):
    """A spelling of an earlier Keras, with today's."""


_in_file = ContextVar("in_file", default=False)


@contextlib.contextmanager
def without_rename_warnings():
    """Inside the block old spellings are read without a word: nobody can change those of a file."""
    token = _in_file.set(True)
    try:
        yield
    finally:
        _in_file.reset(token)


def warn_renamed(message):
    """Say in one line what an old spelling is called today."""
    if not _in_file.get():
        warn(message, OldSpelling)


def data_format_of(dim_ordering):
    """'tf' and 'th' of Keras 1 in today's words."""
    return {"th": "channels_first", "tf": "channels_last"}.get(dim_ordering, dim_ordering)


def _data_format(value):
    return {"data_format": data_format_of(value)}


def _unit_forget_bias(value):
    return {"unit_forget_bias": value in ("one", "ones")}


_WEIGHTS = {
    "init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias",
}  # fmt: skip


@dataclass(frozen=True)
class FixedValue:
    """An argument that could only be `usual`; another value is for the class to refuse."""

    usual: Any
    name: str

    def __call__(self, value):
        return {} if value == self.usual else {self.name: value}


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
        "RNN": {"time_major": FixedValue(False, "time_major")},
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
        "Optimizer": {
            "decay": MovedTo("learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay)", passed_on=True),
        },
        "Model.compile": dict.fromkeys((
            "sample_weight_mode", "target_tensors", "distribute", "experimental_run_tf_function",
        )),
        **{f"Model.{method}{kind}": _QUEUE for method in ("fit", "evaluate", "predict") for kind in ("", "_generator")},
    },
}  # fmt: skip

ROWS = [
    Row(owner, old, new, since)
    for since, owners in _OLD.items()
    for owner, names in owners.items()
    for old, new in names.items()
]
_ARGUMENTS = {}
for _row in ROWS:
    _ARGUMENTS.setdefault(_row.owner, {})[_row.old] = _row
_ARGUMENTS["Functional"] = _ARGUMENTS["Model"]
_BASES = ("Layer", "Optimizer")  # their arguments are those of every class below them

CLASSES = {
    **{f"{old}{rank}D": f"{new}{rank}D" for rank in _RANKS for old, new in (
        ("Convolution", "Conv"), ("AtrousConvolution", "Conv"), ("SeparableConvolution", "SeparableConv"),
        ("DepthwiseConvolution", "DepthwiseConv"),
    )},
    **{f"{old}{rank}D": f"Conv{rank}DTranspose" for rank in (2, 3) for old in ("Deconvolution", "Deconv")},
    "TimeDistributedDense": "Dense", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU", "ThresholdedReLU": "ReLU",
    **dict.fromkeys(("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"), "BatchNormalization"),
    **dict.fromkeys(("Policy", "PolicyV1"), "DTypePolicy"),
}  # fmt: skip
"""Classes by the name they had. Files find them; in programs they are gone, but for those of `OldClass`."""

METHODS = [
    Row("Model", "fit_generator", "fit(generator)", "3"),
    Row("Model", "evaluate_generator", "evaluate(generator)", "3"),
    Row("Model", "predict_generator", "predict(generator)", "3"),
    Row("Model", "predict_proba", "predict(x)", "3"),
    Row("Model", "predict_classes", "predict(x).argmax(axis=-1), or predict(x) > 0.5 for one output,", "3"),
    Row("Model", "reset_states", "reset_state() of its stateful layers", "3"),
    Row("Optimizer", "lr", "learning_rate", "3"),
    Row("backend", "image_dim_ordering", "image_data_format", "2"),
    Row("backend", "set_image_dim_ordering", "set_image_data_format", "2"),
]


def warn_renamed_method(owner, old):
    """Say what a method or attribute is called today."""
    row = next(row for row in METHODS if (row.owner, row.old) == (owner, old))
    warn_renamed(f"{owner}.{old} is {row.new} since Keras {row.since}.")


MODULES = {
    **{f"lamina.layers.{old}": "lamina.layers" for old in (
        "core", "convolutional", "pooling", "recurrent", "normalization", "wrappers", "merge", "embeddings", "noise",
        "advanced_activations", "local", "convolutional_recurrent", "cudnn_recurrent", "experimental",
        "experimental.preprocessing",
    )},
    **{f"lamina.utils.{old}": "lamina.utils" for old in (
        "np_utils", "generic_utils", "data_utils", "vis_utils", "io_utils", "layer_utils", "visualize_util",
    )},
    "lamina.engine": "lamina",
    "lamina.engine.topology": "lamina",
    "lamina.engine.training": "lamina",
    "lamina.engine.base_layer": "lamina",
    "lamina.engine.sequential": "lamina",
    "lamina.engine.input_layer": "lamina.layers",
    "lamina.objectives": "lamina.losses",
}  # fmt: skip
STILL_FILES = frozenset(
    f"lamina.layers.{name}" for name in ("convolutional", "pooling", "recurrent", "normalization", "wrappers")
)
"""Those of them that are files of today, which give the names of old too: `moved_from`."""


_LOSSES = {
    "kullback_leibler_divergence": "kl_divergence", "cosine_proximity": "cosine_similarity", "logcosh": "log_cosh",
}  # fmt: skip
SHORT_LOSSES = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error", "kld": "kl_divergence", "bce": "binary_crossentropy",
}  # fmt: skip
SHORT_LOSSES |= {name.upper(): today for name, today in SHORT_LOSSES.items()}
NAMES = {
    "lamina.constraints": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "lamina.regularizers": {"l1l2": "l1_l2", "activity_l1": "l1", "activity_l2": "l2", "activity_l1l2": "l1_l2"},
    "lamina.losses": {**SHORT_LOSSES, **_LOSSES},
    "lamina.metrics": {**SHORT_LOSSES, **_LOSSES, "logcosh": "LogCoshError"},
}


def name_of_today(module, name):
    """What a function or class of a module is called today; None where the table has nothing."""
    today = NAMES.get(module, {}).get(name)
    if today is not None:
        warn_renamed(f"{module}.{name} is called {today} since Keras {3 if name in SHORT_LOSSES else 2}.")
    return today


def old_names_of(module):
    """A `__getattr__` for a module: its functions by their old names."""

    def get(name):
        today = name_of_today(module, name)
        if today is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(sys.modules[module], today)

    return get


def rename(owner, arguments, shown_as=None):
    """`arguments` of a class or method with today's names, and a line for each that changed."""
    rows = _ARGUMENTS.get(owner, {})
    renamed, parts, lines = {}, {}, []
    for name, value in arguments.items():
        row = rows.get(name)
        if row is None:
            renamed[name] = value
            continue
        new = row.new(value) if callable(row.new) else row.new
        if isinstance(new, Part):
            parts.setdefault(new.name, {})[new.index] = value
        elif isinstance(new, dict):
            renamed.update(new)
        elif isinstance(new, str):
            renamed[new] = value
        elif isinstance(new, MovedTo) and new.passed_on:
            renamed[name] = value
        lines.append(f"{shown_as or row.owner}({name}=) {_today(new)} since Keras {row.since}.")
    renamed.update({name: tuple(values[index] for index in sorted(values)) for name, values in parts.items()})
    return renamed, lines


def _today(new):
    if new is None or new == {}:
        return "is left out: it has no meaning"
    if isinstance(new, MovedTo):
        return f"is written as {new.spelling}"
    if isinstance(new, Part):
        return f"is {new.name}[{new.index}]"
    return f"is called {new if isinstance(new, str) else ' and '.join(new)}"


def accepts_old_names(owner):
    """Whether the table has anything for a class or method."""
    return owner in _ARGUMENTS


def accepting_old_names(function, owner):
    """An `__init__` or a method that takes the old names of its arguments too."""
    current = frozenset(inspect.signature(function).parameters)
    rows = _ARGUMENTS[owner]
    old_names = frozenset(name for name, row in rows.items() if name not in current or isinstance(row.new, MovedTo))

    @functools.wraps(function)
    def translated(self, *args, **kwargs):
        if kwargs and not old_names.isdisjoint(kwargs):
            old = {name: kwargs.pop(name) for name in list(kwargs) if name in old_names}
            new, lines = rename(owner, old, type(self).__name__ if owner in _BASES else None)
            twice = sorted(set(new) & set(kwargs))
            if twice:
                raise ConfigError(f"{owner} got {twice[0]!r} twice: under its old name and today's.")
            kwargs.update(new)
            for line in lines:
                warn_renamed(line)
        return function(self, *args, **kwargs)

    return translated


def only_old_names(owner, arguments):
    """`arguments` with today's names; a TypeError for one that the table does not know: it is not of today either."""
    unknown = next((name for name in arguments if name not in _ARGUMENTS[owner]), None)
    if unknown is not None:
        raise TypeError(f"{owner}() got an unexpected keyword argument {unknown!r}")
    new, lines = rename(owner, arguments)
    for line in lines:
        warn_renamed(line)
    return new


def old_names(owner) -> Any:
    """Decorator of a method: `accepting_old_names` for the row `owner`."""
    return functools.partial(accepting_old_names, owner=owner)


class OldClass(type):
    """Type of a class by the name it had in Keras 1: it makes objects of its base class, which count as its own.

    In Keras 1 the sizes of a kernel were arguments of their own, and others came in another order after them.

    >>> import lamina as keras
    >>> layer = keras.layers.Convolution2D(64, kernel_size=3)
    >>> type(layer).__name__, isinstance(layer, keras.layers.Convolution2D)
    ('Conv2D', True)
    """

    rank: int
    _after_kernel = ("init", "activation", "weights", "border_mode", "subsample", "dim_ordering")

    @property
    def _today(cls):
        return cls.__mro__[1] if type(cls.__mro__[1]) is type else cls

    @property
    def __signature__(cls):
        return inspect.signature(cls.__mro__[1])

    def __call__(cls, *args, **kwargs):
        args, named = cls._with_kernel(args)
        return type.__call__(cls._today, *args, **named, **kwargs)

    def _with_kernel(cls, args):
        """(64, 3, 3, "he_normal") as (64, (3, 3)) and {"init": "he_normal"}."""
        stop = 1 + cls.rank
        sizes = args[1:stop]
        if len(sizes) < cls.rank or not all(isinstance(size, int) for size in sizes):
            return args, {}
        name = cls._today.__name__
        warn_renamed(f"{cls.__name__}{(args[0], *sizes)} is called {name}({args[0]}, {sizes}) since Keras 2.")
        return (args[0], sizes), dict(zip(cls._after_kernel, args[stop:], strict=False))

    def __instancecheck__(cls, instance):
        return type.__instancecheck__(cls._today, instance)

    def __subclasscheck__(cls, subclass):
        return type.__subclasscheck__(cls._today, subclass)


class _OldModule(types.ModuleType):
    """A module that is gone: its names are those of the module they moved to."""

    def __init__(self, name, target):
        super().__init__(name, f"Old path of {target}.")
        self.__path__ = []
        self._target = target

    def __getattr__(self, name):
        return moved(self.__name__, self._target, name)


def moved(module, target, name):
    """What `module.name` is called today."""
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    try:
        found = getattr(importlib.import_module(target), name)
    except AttributeError:
        raise AttributeError(f"module {module!r} has no attribute {name!r}; nor has {target!r}, today's.") from None
    since = "2.6" if "experimental" in module else "2.4"
    warn_renamed(f"{module}.{name} is {target}.{name} since Keras {since}.")
    return found


def moved_from(module):
    """A `__getattr__` for a file of today whose path is an old one too: the names that moved out of it."""
    return functools.partial(moved, module, MODULES[module])


def install_old_modules(package):
    """Make old module paths below `package` importable; files of today with an old path have `moved_from`."""
    for path, target in MODULES.items():
        parent, _, name = path.rpartition(".")
        if parent != package and not (parent in MODULES and parent.rpartition(".")[0] == package):
            continue
        if path not in STILL_FILES:
            module = sys.modules[path] = _OldModule(path, target)
            setattr(sys.modules[parent], name, module)


def __getattr__(name):
    """`keras.legacy.saving` is `keras.utils.legacy`, which is floors above: read when it is asked for."""
    if name == "saving":
        return importlib.import_module("lamina.utils.legacy")
    raise AttributeError(f"module 'lamina.legacy' has no attribute {name!r}")
