"""TensorFlow functions that differ from an op of lamina only in names: a table with one row each, and its parser.

A row is `name: target parameters`. Parameters are in TensorFlow's order. `@x` is a tensor (lists are converted to
arrays), `axis=0` has a default value, and `a>x=0` is called x by the op; `a>-=0` is left out. Others are passed by
position. Every function accepts `name=` and ignores it.
"""

from __future__ import annotations

import ast
import importlib
from typing import Any

from lamina import ops
from lamina.errors import CallError

__all__ = ["BINARY", "DTYPES", "ELEMENTWISE", "MATH", "NN", "QUANTIZATION", "ROOT", "functions_of"]

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "string": 7, "complex64": 8,
          "int64": 9, "bool": 10, "bfloat16": 14, "uint16": 17, "float16": 19, "uint32": 22, "uint64": 23}  # fmt: skip
"""dtypes and their numbers in TensorFlow's files, which are dtypes to its functions too."""
_UNARY = """abs acos:arccos acosh:arccosh asin:arcsin asinh:arcsinh atan:arctan atanh:arctanh ceil conj cos cosh erf exp
    expm1 floor imag is_finite:isfinite is_inf:isinf is_nan:isnan log log1p log_sigmoid logical_not negative real
    reciprocal:reciprocal rint:round round rsqrt sigmoid sign sin sinh softplus softsign sqrt square tan tanh angle
    digamma:jax.scipy.special.digamma lgamma:jax.scipy.special.gammaln erfinv"""
_BINARY = """add atan2:arctan2 divide equal floordiv:floor_divide floormod:mod mod greater greater_equal less
    less_equal logical_and logical_or logical_xor maximum minimum multiply not_equal pow:power subtract
    truediv:true_divide"""
BINARY = {word.partition(":")[0] for word in _BINARY.split()}
ELEMENTWISE = [word.partition(":")[0] for word in f"{_UNARY} {_BINARY}".split()]
_REDUCE = "all any max mean:lamina.compat.counting.mean min prod sum std variance:var logsumexp"


def _rows(names, form):
    pairs = ((name, *(target or [name])) for name, *target in (word.split(":") for word in names.split()))
    return "\n".join(form.format(name=name, target=target) for name, target in pairs)


MATH = f"""
{_rows(_UNARY, "{name}: {target} @x")}
{_rows(_BINARY, "{name}: {target} @x @y")}
{_rows(_REDUCE, "reduce_{name}: {target} @input_tensor>x axis=None keepdims=False")}
{_rows("real imag angle", "{name}: {target} @input>x")}
{_rows("softplus softsign", "{name}: {target} @features>x")}
count_nonzero: count_nonzero @input>x axis=None
reduce_euclidean_norm: norm @input_tensor>x ord=None axis=None keepdims=False
argmax: argmax @input>x axis=0 output_type>-=None
argmin: argmin @input>x axis=0 output_type>-=None
bincount: bincount @arr>x weights=None minlength=0
cumsum: cumsum @x axis=0
cumprod: cumprod @x axis=0
in_top_k: in_top_k @targets @predictions k
segment_sum: segment_sum @data @segment_ids
segment_max: segment_max @data @segment_ids
unsorted_segment_sum: segment_sum @data @segment_ids num_segments
unsorted_segment_max: segment_max @data @segment_ids num_segments
"""
ROOT = """
argsort: argsort @values>x axis=-1
broadcast_to: broadcast_to @input>x shape
clip_by_value: clip @t>x clip_value_min>x_min clip_value_max>x_max
concat: concatenate values>xs axis
expand_dims: expand_dims @input>x axis
eye: eye num_rows>N num_columns>M=None
identity: lamina.backend.identity @input>x
linspace: linspace start stop num
matrix_diag: diag @diagonal>x
ones: ones shape dtype="float32"
ones_like: ones_like @input>x dtype=None
rank: ndim @input>x
repeat: repeat @input>x repeats axis=None
reshape: reshape @tensor>x shape>newshape
reverse: flip @tensor>x axis
roll: roll @input>x shift axis
searchsorted: searchsorted @sorted_sequence @values side="left"
shape: shape @input>x
size: size @input>x
sort: sort @values>x axis=-1
squeeze: squeeze @input>x axis=None
stack: stack values>x axis=0
stop_gradient: stop_gradient @input>variable
tensordot: tensordot @a>x1 @b>x2 axes
tile: tile @input>x multiples>repeats
transpose: transpose @a>x perm>axes=None
unstack: unstack @value>x num=None axis=0
zeros: lamina.compat.arrays.zeros shape dtype="float32"
zeros_like: zeros_like @input>x dtype=None
"""
NN = """
depth_to_space: depth_to_space @input>x block_size data_format="NHWC"
elu: elu @features>x
gelu: gelu @features>x approximate=False
leaky_relu: leaky_relu @features>x alpha>negative_slope=0.2
log_softmax: log_softmax @logits>x axis=-1
moments: moments @x axes
relu: relu @features>x
relu6: relu6 @features>x
selu: selu @features>x
sigmoid: sigmoid @x
silu: silu @features>x
swish: silu @features>x
softmax: softmax @logits>x axis=-1
softplus: softplus @features>x
softsign: softsign @features>x
tanh: tanh @x
space_to_depth: space_to_depth @input>x block_size data_format="NHWC"
embedding_lookup: lamina.backend.gather @params>reference @ids>indices
"""
_ROUNDED = "lamina.quantizers.fake_quant_with_min_max_vars @inputs"
QUANTIZATION = f"""
fake_quant_with_min_max_args: {_ROUNDED} min>min_vals=-6 max>max_vals=6 num_bits=8 narrow_range=False
fake_quant_with_min_max_vars: {_ROUNDED} @min>min_vals @max>max_vals num_bits=8 narrow_range=False
fake_quant_with_min_max_vars_per_channel: {_ROUNDED} @min>min_vals @max>max_vals num_bits=8 narrow_range=False axis=-1
"""


def functions_of(table: Any, namespace: Any) -> Any:
    """The functions of a table as a dict by name."""
    rows = (line.partition(": ") for line in table.split("\n") if line.strip())
    return {name.strip(): _function(f"{namespace}.{name.strip()}", row) for name, _, row in rows}


def _function(name, row):
    target, *parameters = row.split()
    called, defaults, tensors = {}, {}, set()
    for parameter in parameters:
        theirs, has_default, default = parameter.partition("=")
        theirs, _, ours = theirs.partition(">")
        if theirs.startswith("@"):
            theirs = theirs[1:]
            tensors.add(theirs)
        called[theirs] = ours or theirs
        if has_default:
            defaults[theirs] = ast.literal_eval(default)

    def function(*args, **kwargs):
        given = _bound(name, called, args, kwargs)
        missing = [theirs for theirs in called if theirs not in given and theirs not in defaults]
        if missing:
            message = f"{name} needs {', '.join(missing)}; it takes {', '.join(called)}."
            raise CallError(message, fix=f"{name}({', '.join(one for one in called if one not in defaults)})")
        needed = [_value(theirs, given[theirs], tensors) for theirs in called if theirs not in defaults]
        settings = {theirs: _value(theirs, given.get(theirs, default), tensors) for theirs, default in defaults.items()}
        return _target(target)(
            *needed, **{called[theirs]: value for theirs, value in settings.items() if called[theirs] != "-"}
        )

    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = f"`{name}({', '.join(called)})`, which is {target} of lamina.ops."
    return function


def _bound(name, called, args, kwargs):
    kwargs.pop("name", None)
    if len(args) > len(called) + 1:  # `name` may be passed last
        raise CallError(f"{name} takes {len(called)} arguments; got {len(args)}.", fix=f"{name}({', '.join(called)})")
    given = dict(zip(called, args, strict=False))
    for theirs, value in kwargs.items():
        if theirs not in called or theirs in given:
            what = "twice" if theirs in given else "which it does not have on lamina"
            raise CallError(f"{name} got {theirs}=, {what}.", fix=f"{name}({', '.join(called)})")
        given[theirs] = value
    return given


def _value(name, value, tensors):
    if name == "data_format":
        return {"NHWC": "channels_last", "NCHW": "channels_first"}.get(value, value)
    if name == "dtype" and value.__class__ is int:
        return next(dtype for dtype, code in DTYPES.items() if code == value)
    if name in tensors and isinstance(value, (list, tuple, int, float)):
        return ops.convert_to_tensor(value)
    return tuple(value) if name in ("axis", "axes") and isinstance(value, list) and _flat(value) else value


def _flat(value):
    return all(isinstance(item, int) for item in value)


def _target(target):
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module) if module else ops, name)
