"""Convert calls of TensorFlow functions in tf.keras graphs to ops. The layers `TFOpLambda`, `SlicingOpLambda` and
`TensorFlowOpLayer` each represent one function call."""

from __future__ import annotations

import inspect
import json
from typing import Any

from lamina.core.keras_tensor import OPS
from lamina.core.op import class_name_of
from lamina.errors import ConfigError

__all__ = ["CLASSES", "translate"]

REWRITE = "Write the model in code with layers and keras.ops, then model.load_weights(path)."

CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")

# Columns: TensorFlow's names for the function; the op; the op's first argument; other arguments as theirs=ours.
_FUNCTIONS = """
__operators__.add,math.add,math.add_v2 add x1 y=x2
math.subtract subtract x1 y=x2
math.multiply multiply x1 y=x2
math.truediv,math.divide,math.div,RealDiv true_divide x1 y=x2
math.floordiv floor_divide x1 y=x2
math.floormod,math.mod mod x1 y=x2
math.pow power x1 y=x2
math.maximum maximum x1 y=x2
math.minimum minimum x1 y=x2
math.divide_no_nan divide_no_nan x1 y=x2
math.greater greater x1 y=x2
math.greater_equal greater_equal x1 y=x2
math.less less x1 y=x2
math.less_equal less_equal x1 y=x2
math.equal,__operators__.eq equal x1 y=x2
math.not_equal,__operators__.ne not_equal x1 y=x2
math.logical_and logical_and x1 y=x2
math.logical_or logical_or x1 y=x2
math.logical_not logical_not x
math.atan2 arctan2 x1 x=x2
math.negative negative x
math.abs absolute x
math.sign sign x
math.square square x
math.sqrt sqrt x
math.rsqrt rsqrt x
math.reciprocal reciprocal x
math.exp exp x
math.expm1 expm1 x
math.log log x
math.log1p log1p x
math.sin sin x
math.cos cos x
math.tan tan x
math.sinh sinh x
math.cosh cosh x
math.tanh,nn.tanh tanh x
math.atan arctan x
math.asin arcsin x
math.acos arccos x
math.erf erf x
math.floor floor x
math.ceil ceil x
math.round round x
math.sigmoid,nn.sigmoid sigmoid x
math.softplus,nn.softplus softplus x
nn.softsign softsign x
nn.relu relu x
nn.relu6 relu6 x
nn.elu elu x
nn.selu selu x
nn.silu,nn.swish silu x
nn.gelu gelu x approximate=approximate
nn.leaky_relu leaky_relu x alpha=negative_slope
nn.softmax,math.softmax softmax x axis=axis
nn.log_softmax,math.log_softmax log_softmax x axis=axis
nn.l2_normalize,math.l2_normalize,linalg.l2_normalize normalize x axis=axis
nn.bias_add,math.bias_add add x1 bias=x2
math.reduce_mean mean x axis=axis keepdims=keepdims
math.reduce_sum sum x axis=axis keepdims=keepdims
math.reduce_max max x axis=axis keepdims=keepdims
math.reduce_min min x axis=axis keepdims=keepdims
math.reduce_prod prod x axis=axis keepdims=keepdims
math.reduce_any any x axis=axis keepdims=keepdims
math.reduce_all all x axis=axis keepdims=keepdims
math.reduce_variance var x axis=axis keepdims=keepdims
math.reduce_std std x axis=axis keepdims=keepdims
math.reduce_logsumexp logsumexp x axis=axis keepdims=keepdims
math.argmax argmax x axis=axis
math.argmin argmin x axis=axis
math.cumsum cumsum x axis=axis
linalg.norm,norm norm x axis=axis ord=ord keepdims=keepdims
linalg.matmul matmul x1 b=x2
linalg.matrix_transpose swapaxes x
tensordot,linalg.tensordot tensordot x1 b=x2 axes=axes
concat concatenate xs axis=axis
stack stack x axis=axis
unstack unstack x axis=axis num=num
split split x num_or_size_splits=indices_or_sections axis=axis
reshape reshape x shape=newshape
transpose transpose x perm=axes
squeeze squeeze x axis=axis
expand_dims expand_dims x axis=axis
cast cast x dtype=dtype
tile tile x multiples=repeats
repeat repeat x repeats=repeats axis=axis
reverse flip x axis=axis
roll roll x shift=shift axis=axis
pad pad x paddings=pad_width mode=mode constant_values=constant_values
where where condition x=x1 y=x2
one_hot one_hot x depth=num_classes axis=axis dtype=dtype
gather take x indices=indices axis=axis
clip_by_value clip x clip_value_min=x_min clip_value_max=x_max
zeros_like zeros_like x dtype=dtype
ones_like ones_like x dtype=dtype
broadcast_to broadcast_to x shape=shape
stop_gradient stop_gradient variable
math.top_k,nn.top_k top_k x k=k sorted=sorted
sort sort x axis=axis
nn.depth_to_space depth_to_space x block_size=block_size
nn.space_to_depth space_to_depth x block_size=block_size
image.resize resize images size=size method=interpolation antialias=antialias
__operators__.getitem get_item x slice_spec=key
"""
_ROWS: dict = {}
for _line in _FUNCTIONS.split("\n")[1:-1]:
    _names, _op, _first, *_rest = _line.split()
    _ROWS.update(
        dict.fromkeys(
            _names.split(","),
            (_op, _first, {theirs: ours for theirs, _, ours in (pair.partition("=") for pair in _rest)}),
        )
    )
# Arguments that have no effect on the result here.
_IGNORED_ARGUMENTS = frozenset(
    "name conjugate out_type output_type validate_indices batch_dims keep_dims data_format".split()
)

# Ops of TensorFlow's own graph: op -> (function, names of its inputs after the first).
_NODES = {
    "AddV2": ("math.add", "y"), "Add": ("math.add", "y"), "Sub": ("math.subtract", "y"), "Mul": ("math.multiply", "y"),
    "RealDiv": ("math.truediv", "y"), "Pow": ("math.pow", "y"), "Maximum": ("math.maximum", "y"),
    "Minimum": ("math.minimum", "y"), "BiasAdd": ("nn.bias_add", "bias"), "Neg": ("math.negative", ""),
    "Mean": ("math.reduce_mean", "axis"), "Sum": ("math.reduce_sum", "axis"), "Max": ("math.reduce_max", "axis"),
    "Min": ("math.reduce_min", "axis"), "Prod": ("math.reduce_prod", "axis"), "Reshape": ("reshape", "shape"),
    "Transpose": ("transpose", "perm"), "ExpandDims": ("expand_dims", "axis"), "Tile": ("tile", "multiples"),
    "GatherV2": ("gather", "indices axis"), "MatMul": ("linalg.matmul", "b"), "BatchMatMulV2": ("linalg.matmul", "b"),
    "Greater": ("math.greater", "y"), "Less": ("math.less", "y"), "SelectV2": ("where", "x y"),
    "Squeeze": ("squeeze", ""),
    **{name: (f"math.{name.lower()}", "") for name in "Abs Sign Square Sqrt Rsqrt Exp Log Sin Cos Floor Erf".split()},
    **{name: (f"nn.{name.lower()}", "") for name in "Tanh Sigmoid Relu Relu6 Elu Selu Softplus Softmax".split()},
    "LeakyRelu": ("nn.leaky_relu", ""), "LogSoftmax": ("nn.log_softmax", ""),
}  # fmt: skip


def translate(layer: Any, args: Any, kwargs: Any) -> Any:
    """The Keras 3 layers, with one call each, that replace a layer representing one TensorFlow function call.

    References to tensors of the graph appear among the arguments as descriptions of tensors.
    """
    config = layer["config"]
    if layer["class_name"] == "TensorFlowOpLayer":
        function, args, kwargs = _of_node(config, args)
    else:
        function = config["function"]
    function = function.removeprefix("tf.").removeprefix("compat.v1.")
    args, kwargs = _normalized_arguments(function, args, kwargs)
    row = _ROWS.get(function)
    if row is None:
        raise ConfigError(
            f"{layer['name']} in the file calls tf.{function}, which has no equivalent in keras.ops.",
            fix=REWRITE,
        )
    op, first, names = row
    if function == "reshape" and _has_tensor(kwargs.get("shape")):
        return [_reshape_of_batch(layer, args, kwargs["shape"])]
    before, args, kwargs = _transposed(layer, args, kwargs) if op == "matmul" else ([], args, kwargs)
    given = dict(zip((first, *names.values()), args, strict=False))
    for theirs, value in kwargs.items():
        if theirs in names:
            if value is not None:
                given[names[theirs]] = value
        elif theirs not in _IGNORED_ARGUMENTS and value not in (None, False):
            raise ConfigError(
                f"{layer['name']} in the file calls tf.{function}({theirs}={value}), which keras.ops does not have.",
                fix=REWRITE,
            )
    return [*before, _call(layer["name"], op, _meant(op, given))]


def _normalized_arguments(function, args, kwargs):
    """Adapt arguments that some TensorFlow functions take in another position or form."""
    kwargs = {("axis" if key in ("axes", "dim") and "axes" not in _ROWS.get(function, ("",) * 3)[2] else key): value
              for key, value in kwargs.items()}  # fmt: skip
    if function.startswith("math.reduce") and "keep_dims" in kwargs:
        kwargs["keepdims"] = kwargs.pop("keep_dims")
    if function == "concat" and len(args) > 1:
        args, kwargs = args[:1], {**kwargs, "axis": args[1]}
    if function == "split" and isinstance(kwargs.get("num_or_size_splits"), list):
        sizes = kwargs["num_or_size_splits"]
        kwargs = {**kwargs, "num_or_size_splits": [sum(sizes[: place + 1]) for place in range(len(sizes) - 1)]}
    return args, kwargs


def _meant(op, given):
    """Add TensorFlow's default values and convert arguments to their meaning in lamina's op."""
    defaults = {
        "concatenate": {"axis": 0}, "argmax": {"axis": 0}, "argmin": {"axis": 0}, "gelu": {"approximate": False},
        "take": {"axis": 0}, "sum": {}, "cumsum": {"axis": 0}, "normalize": {"epsilon": 1e-6},
        "swapaxes": {"axis1": -2, "axis2": -1}, "one_hot": {"dtype": "float32"},
    }  # fmt: skip
    given = {**defaults.get(op, {}), **given}
    if op == "get_item":
        given["key"] = _key(given["key"])
    if op == "pad":
        given["mode"] = str(given.get("mode", "constant")).lower()
        if given["mode"] != "constant" or not given.get("constant_values"):
            given.pop("constant_values", None)
    return given


def _key(spec):
    """Convert a slice as tf.keras wrote it: {"start": 0, "stop": None, "step": None}, a number, or a list of those."""
    if isinstance(spec, list):
        return [_key(part) for part in spec]
    if isinstance(spec, dict) and "start" in spec:
        return {"class_name": "__slice__", "config": spec}
    if isinstance(spec, dict) and spec.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return spec


def _reshape_of_batch(layer, args, shape):
    """Convert `tf.reshape(x, [tf.shape(x)[0], ...])` to a Reshape layer, which keeps the batch axis."""
    if not _has_tensor(shape[0]) or any(map(_has_tensor, shape[1:])):
        raise ConfigError(
            f"{layer['name']} in the file reshapes to computed sizes; only the batch size may be computed.", fix=REWRITE
        )
    return {
        "class_name": "Reshape", "name": layer["name"],
        "config": {"name": layer["name"], "trainable": True, "target_shape": shape[1:]},
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }  # fmt: skip


def _transposed(layer, args, kwargs):
    """Convert matmul(transpose_b=True) to a transpose followed by a matrix product."""
    kwargs, args = dict(kwargs), list(args)
    before = []
    if "b" in kwargs:
        args.append(kwargs.pop("b"))
    for index, side in enumerate(("a", "b")):
        turned = [kwargs.pop(f"{word}_{side}", False) for word in ("transpose", "adjoint")]
        if any(turned):
            name = f"{layer['name']}_transposed_{side}"
            before.append(_call(name, "swapaxes", {"x": args[index], "axis1": -2, "axis2": -1}))
            args[index] = {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
    return before, args, {key: value for key, value in kwargs.items() if "sparse" not in key}


def _call(name, op, given):
    """One call of an op, with settings in the config and tensors in the call, as `core.op` records it."""
    public = OPS[op]
    args, kwargs, settings = [], {}, {}
    for parameter in inspect.signature(public.compute).parameters.values():
        if parameter.name not in given:
            continue
        value = given[parameter.name]
        if parameter.name in public.settings and not _has_tensor(value):
            settings[parameter.name] = value
        elif settings:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return {
        "module": "keras.src.ops.numpy", "class_name": class_name_of(op), "name": name,
        "config": {"name": name, **settings}, "inbound_nodes": [{"args": args, "kwargs": kwargs}],
    }  # fmt: skip


def _has_tensor(value):
    if isinstance(value, dict):
        return value.get("class_name") == "__keras_tensor__" or any(map(_has_tensor, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_tensor, value))


def _of_node(config, args):
    """(function, args, kwargs) of a TensorFlow graph node, whose constant inputs are stored separately."""
    try:
        node = json.loads(config["node_def"])
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{config['name']} in the file is a TensorFlow graph node in binary form, which cannot be read.",
            fix=REWRITE,
        ) from error
    op, settings = node["op"], {key: _setting(value) for key, value in node.get("attr", {}).items()}
    constants = {int(place): value for place, value in config.get("constants", {}).items()}
    tensors = iter(args[0] if len(args) == 1 and isinstance(args[0], list) else args)
    count = sum(1 for name in node.get("input", []) if not name.startswith("^"))
    inputs = [constants[place] if place in constants else next(tensors) for place in range(count)]
    if op in ("ConcatV2", "Pack"):
        axis = inputs.pop() if op == "ConcatV2" else settings.get("axis", 0)
        return ("concat" if op == "ConcatV2" else "stack"), [inputs], {"axis": axis}
    if op == "StridedSlice":
        return "__operators__.getitem", inputs[:1], {"slice_spec": _strided(inputs[1:4], settings)}
    function, names = _NODES.get(op, (f"raw_ops.{op}", ""))
    kwargs = dict(zip(names.split(), inputs[1:], strict=False))
    known = {"keep_dims": "keepdims", "alpha": "alpha", "transpose_a": "transpose_a", "transpose_b": "transpose_b",
             "adj_x": "transpose_a", "adj_y": "transpose_b", "squeeze_dims": "axis"}  # fmt: skip
    kwargs.update({known[key]: value for key, value in settings.items() if key in known and value not in (False, [])})
    return function, inputs[:1], kwargs


def _setting(value):
    """Decode an attribute of a node: {"b": true}, {"i": "1"}, {"f": 0.5}, {"list": {"i": ["1"]}}."""
    kind, inner = next(iter(value.items()))
    if kind == "list":
        return [int(number) for number in inner.get("i", [])]
    return int(inner) if kind == "i" else inner


def _strided(bounds, settings):
    """The index of a StridedSlice. Bits of its masks mark open bounds, new axes and removed axes."""

    def bit(mask, place):
        return int(settings.get(mask) or 0) >> place & 1

    key: list = []
    for place, (start, stop, step) in enumerate(zip(*bounds, strict=True)):
        if bit("ellipsis_mask", place):
            key.append({"class_name": "__ellipsis__"})
        elif bit("new_axis_mask", place):
            key.append(None)
        elif bit("shrink_axis_mask", place):
            key.append(start)
        else:
            open_start, open_stop = bit("begin_mask", place), bit("end_mask", place)
            key.append({"start": None if open_start else start, "stop": None if open_stop else stop, "step": step})
    return key
