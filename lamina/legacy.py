"""The one table of old spellings: what Keras 1 and 2 called an argument, a method or a module, and what it is called today.

Programs go through it when a class is made (`accepting_old_names`), files when a config is read. Each use is told in one line.
"""

import functools
import importlib
import importlib.util
import inspect
import sys
import types
from collections import namedtuple

from lamina.errors import ConfigError, warn

Row = namedtuple("Row", "class_name old new since")
"""`new` is the name of today, a function from the old value to new arguments, or None where the argument is gone."""


class OldSpelling(FutureWarning):
    """A spelling of an earlier Keras, with today's."""


def told(message):
    """Say in one line what an old spelling is called today."""
    warn(message, OldSpelling)


def _data_format(value):
    return {"data_format": {"th": "channels_first", "tf": "channels_last"}.get(value, value)}


def _unit_forget_bias(value):
    return {"unit_forget_bias": value in ("one", "ones")}


_WEIGHTS = {"init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer",
            "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias"}  # fmt: skip
_CONV = {**_WEIGHTS, "nb_filter": "filters", "border_mode": "padding", "subsample": "strides", "dim_ordering": _data_format,
         "atrous_rate": "dilation_rate"}  # fmt: skip
_POOL = {"border_mode": "padding", "dim_ordering": _data_format}
_POOL1 = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_RECURRENT = {**_WEIGHTS, "output_dim": "units", "inner_init": "recurrent_initializer", "inner_activation": "recurrent_activation",
              "U_regularizer": "recurrent_regularizer", "dropout_W": "dropout", "dropout_U": "recurrent_dropout",
              "forget_bias_init": _unit_forget_bias, "consume_less": None, "implementation": None,
              "time_major": None}  # fmt: skip
_NORM = {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer", "mode": None}

_OLD = {
    "2": {
        "Dense": {**_WEIGHTS, "output_dim": "units"},
        "Conv1D": {**_CONV, "filter_length": "kernel_size", "subsample_length": "strides"},
        "Conv2D": _CONV,
        "Conv3D": _CONV,
        "Conv2DTranspose": {**_CONV, "output_shape": None},
        "SeparableConv2D": {**_CONV, "depthwise_init": "depthwise_initializer", "pointwise_init": "pointwise_initializer"},
        "MaxPooling1D": _POOL1,
        "AveragePooling1D": _POOL1,
        **{f"{kind}Pooling{rank}D": _POOL for kind in ("Max", "Average") for rank in (2, 3)},
        **{f"Global{kind}Pooling{rank}D": {"dim_ordering": _data_format} for kind in ("Max", "Average") for rank in (2, 3)},
        **{f"{kind}{rank}D": {"dim_ordering": _data_format} for kind in ("ZeroPadding", "Cropping", "UpSampling") for rank in (2, 3)},
        "UpSampling1D": {"length": "size"},
        "Dropout": {"p": "rate"},
        **{f"SpatialDropout{rank}D": {"p": "rate", "dim_ordering": _data_format} for rank in (1, 2, 3)},
        "GaussianDropout": {"p": "rate"},
        "GaussianNoise": {"sigma": "stddev"},
        "Embedding": {"init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
                      "W_constraint": "embeddings_constraint", "dropout": None},
        **{name: _RECURRENT for name in ("SimpleRNN", "GRU", "LSTM")},
        "BatchNormalization": _NORM,
        "Lambda": {"output_dim": "output_shape"},
    },
    "3": {
        "ReLU": {"alpha": "negative_slope"},
        "LeakyReLU": {"alpha": "negative_slope"},
        **{name: {"lr": "learning_rate", "schedule_decay": None}
           for name in ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lamb", "Lion")},
        "Embedding": {"input_length": lambda length: {"input_shape": length}},
    },
}  # fmt: skip

ROWS = [
    Row(class_name, old, new, since)
    for since, classes in _OLD.items()
    for class_name, names in classes.items()
    for old, new in names.items()
]
_ARGUMENTS = {}
for _row in ROWS:
    _ARGUMENTS.setdefault(_row.class_name, {})[_row.old] = _row
for _name in ("GRU", "LSTM", "SimpleRNN"):
    _ARGUMENTS[f"{_name}Cell"] = {key: row for key, row in _ARGUMENTS[_name].items() if key != "time_major"}

METHODS = {
    "fit_generator": "fit", "evaluate_generator": "evaluate", "predict_generator": "predict", "predict_proba": "predict",
    "predict_classes": "predict(x).argmax(-1)",
}  # fmt: skip
FIT = {"nb_epoch": "epochs", "nb_worker": "workers", "max_q_size": "max_queue_size", "pickle_safe": "use_multiprocessing"}

MODULES = {
    **{f"lamina.layers.{old}": "lamina.layers" for old in (
        "core", "convolutional", "pooling", "recurrent", "normalization", "wrappers", "merge", "embeddings", "noise",
        "advanced_activations", "local", "convolutional_recurrent", "cudnn_recurrent",
    )},
    "lamina.utils.np_utils": "lamina.utils",
    "lamina.utils.generic_utils": "lamina.utils",
    "lamina.utils.data_utils": "lamina.utils",
    "lamina.utils.vis_utils": "lamina.utils",
    "lamina.utils.io_utils": "lamina.utils",
    "lamina.utils.layer_utils": "lamina.utils",
    "lamina.engine": "lamina",
    "lamina.engine.topology": "lamina",
    "lamina.engine.training": "lamina",
    "lamina.engine.base_layer": "lamina",
    "lamina.engine.input_layer": "lamina.layers",
}  # fmt: skip


def rename(class_name, arguments):
    """`arguments` with today's names, and a line for each that changed; for a class by name."""
    rows = _ARGUMENTS.get(class_name, {})
    renamed, lines = {}, []
    for name, value in arguments.items():
        row = rows.get(name)
        if row is None:
            renamed[name] = value
        elif row.new is None:
            lines.append(f"{class_name}({name}=) has no meaning since Keras {row.since} and is left out.")
        elif callable(row.new):
            new = row.new(value)
            renamed.update(new)
            lines.append(f"{class_name}({name}=) is called {', '.join(new)} since Keras {row.since}.")
        else:
            renamed[row.new] = value
            lines.append(f"{class_name}({name}=) is called {row.new} since Keras {row.since}.")
    return renamed, lines


def accepts_old_names(class_name):
    """Whether the table has anything for a class."""
    return class_name in _ARGUMENTS


def accepting_old_names(initializer, class_name):
    """An `__init__` that takes the old names of its arguments too."""
    current = frozenset(inspect.signature(initializer).parameters)
    rows = _ARGUMENTS[class_name]
    old_names = frozenset(rows) - current

    @functools.wraps(initializer)
    def translated(self, *args, **kwargs):
        if kwargs and not old_names.isdisjoint(kwargs):
            old = {name: kwargs.pop(name) for name in list(kwargs) if name in old_names}
            new, lines = rename(class_name, old)
            twice = sorted(set(new) & set(kwargs))
            if twice:
                raise ConfigError(f"{class_name} got {twice[0]!r} twice: under its old name and today's.")
            kwargs.update(new)
            for line in lines:
                told(line)
        return initializer(self, *args, **kwargs)

    return translated


def fit_arguments(kwargs):
    """Arguments of fit, evaluate and predict and their `_generator` forms with today's names."""
    renamed = {}
    for name, value in kwargs.items():
        new = FIT.get(name, name)
        if new != name:
            told(f"{name}= is called {new} since Keras 2.")
        renamed[new] = value
    return renamed


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
        raise AttributeError(f"module {module!r} has no attribute {name!r}; nor has {target!r}, where its names went") from None
    told(f"{module}.{name} is {target}.{name} since Keras 2.4.")
    return found


def install_old_modules(package):
    """Make old module paths below `package` importable; a family file that has an old name gives the moved names as well."""
    for path, target in MODULES.items():
        parent = path.rpartition(".")[0]
        if parent != package and not (package == "lamina" and path.startswith("lamina.engine")):
            continue
        if path in sys.modules:
            sys.modules[path].__getattr__ = functools.partial(moved, path, target)
        elif not _has_file(path):
            sys.modules[path] = _OldModule(path, target)


def _has_file(path):
    return importlib.util.find_spec(path) is not None
