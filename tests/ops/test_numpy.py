"""keras.ops.numpy: one table of ops and arguments, compared with Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from tests.ops.op_checks import check_gradients, check_symbolic, check_values, find, is_float_array

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 3)).astype("float32")
Y = rng.normal(size=(4, 3)).astype("float32")
POSITIVE = np.abs(X) + 0.5
UNIT = rng.uniform(-0.9, 0.9, (4, 3)).astype("float32")
CUBE = rng.normal(size=(4, 3, 2)).astype("float32")
SQUARE = rng.normal(size=(4, 3, 3)).astype("float32")
VECTOR = rng.normal(size=(5,)).astype("float32")
INTS = rng.integers(1, 9, (4, 3)).astype("int32")
MORE_INTS = rng.integers(1, 5, (4, 3)).astype("int32")
BOOLS = INTS > 4
HOLES = np.where(BOOLS, np.float32("nan"), X)
COMPLEX = (X + 1j * Y).astype("complex64")

UNARY = (
    "abs absolute cbrt ceil cos cosh deg2rad exp exp2 expm1 fabs floor i0 isfinite isinf isnan isneginf isposinf "
    "isreal negative rad2deg reciprocal sign signbit sin sinc sinh square tan tanh arcsinh arctan trunc nan_to_num "
    "logical_not round copy"
).split()
BINARY = (
    "add subtract multiply divide true_divide floor_divide mod fmod maximum minimum fmax fmin arctan2 hypot equal "
    "not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logaddexp logaddexp2 heaviside "
    "isclose divide_no_nan"
).split()
BITS = (
    "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm ldexp "
    "power"
).split()
REDUCTIONS = "sum mean var std max min amax amin prod all any ptp median argmax argmin logsumexp".split()
NAN_REDUCTIONS = "nansum nanmean nanvar nanstd nanmax nanmin nanprod nanmedian nanargmax nanargmin".split()


def case(name, *args, **kwargs):
    return name, args, kwargs


ELEMENTWISE = [
    *(case(name, X) for name in UNARY),
    *(case(name, POSITIVE) for name in "log log2 log10 log1p sqrt rsqrt".split()),
    *(case(name, UNIT) for name in "arcsin arccos arctanh erfinv erf erfc".split()),
    case("arccosh", POSITIVE + 1),
    *(case(name, X, Y) for name in BINARY),
    *(case(name, X, Y[0]) for name in ("add", "divide", "maximum")),
    *(case(name, X, 2) for name in ("add", "multiply", "power", "mod", "floor_divide", "true_divide", "less")),
    *(case(name, 2.5, INTS) for name in ("subtract", "divide", "power", "maximum")),
    *(case(name, INTS, MORE_INTS) for name in BITS),
    case("power", POSITIVE, Y),
    case("nextafter", X, Y),
    *(case(name, INTS) for name in ("bitwise_not", "bitwise_invert", "exp", "mean", "square", "reciprocal", "floor")),
    *(case(name, COMPLEX) for name in ("real", "imag", "conj", "conjugate", "angle", "abs", "view_as_real")),
    case("view_as_complex", CUBE),
    case("clip", X, -0.5, 0.5),
    case("round", X * 100, -1),
    case("round", np.array([14, 15, 25, -26]), -1),
    case("nan_to_num", HOLES, nan=1.5),
    case("isclose", HOLES, HOLES, equal_nan=True),
]

REDUCING = [
    *(case(name, X) for name in REDUCTIONS),
    *(case(name, CUBE, axis=1, keepdims=True) for name in REDUCTIONS),
    *(case(name, CUBE, axis=-1) for name in REDUCTIONS),
    *(case(name, HOLES, axis=0) for name in NAN_REDUCTIONS),
    *(case(name, HOLES) for name in NAN_REDUCTIONS),
    case("sum", CUBE, axis=(1, 2)),
    case("max", X, axis=1, initial=0.5),
    case("min", X, axis=1, initial=0.5),
    case("prod", INTS, dtype="float32"),
    case("average", X, 1, POSITIVE),
    case("average", X),
    case("count_nonzero", INTS * BOOLS, axis=1),
    case("allclose", X, X),
    *(case(name, X, 0.3, axis=1) for name in ("quantile", "nanquantile")),
    *(case(name, X, 30.0, axis=1, keepdims=True) for name in ("percentile", "nanpercentile")),
    *(
        case("quantile", X, np.array([0.2, 0.7], "float32"), method=m)
        for m in ("lower", "higher", "midpoint", "nearest")
    ),
    *(case(name, X, axis=1) for name in ("cumsum", "cumprod", "sort", "argsort", "diff", "trapezoid")),
    *(case(name, X) for name in ("cumsum", "cumprod", "corrcoef")),
    *(case(name, HOLES, axis=1) for name in ("nancumsum", "nancumprod")),
    case("cumsum", BOOLS, axis=0),
    case("argsort", X, axis=None),
    case("trapezoid", X, POSITIVE, axis=0),
    case("diff", X, n=2),
    case("correlate", VECTOR, VECTOR[:3], mode="same"),
    case("correlate", VECTOR, VECTOR[:3], mode="full"),
    case("correlate", VECTOR, VECTOR[:3]),
    case("searchsorted", np.sort(VECTOR), X),
    case("searchsorted", np.array([1, 2, 2, 3]), INTS, side="right"),
    case("digitize", X, np.array([-1.0, 0.0, 1.0], "float32")),
    case("isin", INTS, MORE_INTS),
    case("isin", INTS, np.array([1, 3]), invert=True),
]

SHAPING = [
    case("reshape", CUBE, (-1, 6)),
    case("reshape", CUBE, (3, -1)),
    case("transpose", CUBE),
    case("transpose", CUBE, (0, 2, 1)),
    case("swapaxes", CUBE, 1, 2),
    case("moveaxis", CUBE, 1, -1),
    case("moveaxis", CUBE, (0, 1), (1, 2)),
    case("expand_dims", X, 1),
    case("expand_dims", X, (0, -1)),
    case("squeeze", X[:, None]),
    case("squeeze", X[:, None], axis=1),
    case("ravel", X),
    case("broadcast_to", X[0], (2, 4, 3)),
    *(
        case(name, X)
        for name in ("flip", "fliplr", "flipud", "rot90", "diag", "diagflat", "trace", "tril", "triu", "diagonal")
    ),
    case("flip", CUBE, axis=1),
    case("rot90", CUBE, 2, (1, 2)),
    case("roll", X, 2, axis=1),
    case("roll", X, (1, 2), axis=(0, 1)),
    case("concatenate", [X, Y], axis=-1),
    case("concatenate", [X, INTS], axis=1),
    case("stack", [X, Y], axis=1),
    case("append", X, Y, axis=1),
    case("append", X, Y),
    *(case(name, [X, Y]) for name in ("hstack", "vstack", "dstack")),
    case("split", CUBE, 3, axis=1),
    case("split", CUBE, [1, 2], axis=1),
    case("array_split", CUBE, 2, axis=1),
    case("hsplit", CUBE, 3),
    case("vsplit", X, 2),
    case("dsplit", CUBE, 2),
    case("repeat", X, 2, axis=1),
    case("repeat", X, 2),
    case("tile", X, (1, 2)),
    case("tile", X, 2),
    case("pad", X, 1),
    case("pad", X, ((0, 0), (1, 2)), constant_values=3),
    *(case("pad", X, ((0, 0), (1, 2)), mode=mode) for mode in ("reflect", "symmetric", "edge", "wrap")),
    case("take", X, np.array([0, 2]), axis=1),
    case("take", CUBE, np.array([[0, -1], [1, 1]]), axis=1),
    case("take_along_axis", X, np.argsort(X, axis=1), axis=1),
    case("where", BOOLS, X, Y),
    case("where", BOOLS, X, 0),
    case("where", BOOLS, 1.0, INTS),
    case("select", [BOOLS, X > 0], [X, Y], 7),
    case("diag", VECTOR, k=1),
    case("diagonal", CUBE, 1, 1, 2),
    case("trace", SQUARE, axis1=1, axis2=2),
    case("tril", SQUARE, k=-1),
    case("unravel_index", INTS, (5, 4)),
    case("full_like", X, 2),
    case("zeros_like", INTS),
    case("ones_like", X, dtype="int32"),
    case("meshgrid", X[0], VECTOR, indexing="ij"),
    case("vander", VECTOR),
    case("vander", VECTOR, 3, increasing=True),
    case("view", X, "int32"),
    case("get_item", X, 0),
    case("get_item", CUBE, (slice(None), slice(1, None), None, -1)),
    case("get_item", CUBE, (..., [0, 1, 0])),
    case("size", X),
]

PRODUCTS = [
    case("matmul", X, Y.T.copy()),
    case("matmul", SQUARE, CUBE),
    case("matmul", SQUARE, VECTOR[:3]),
    case("matmul", INTS.astype("int8"), INTS.T.astype("int8")),
    case("dot", X, Y[0]),
    case("dot", SQUARE, Y.T.copy()),
    *(case(name, X, Y) for name in ("vdot", "inner", "outer", "kron", "cross")),
    case("tensordot", CUBE, CUBE, axes=[[1, 2], [1, 2]]),
    case("tensordot", CUBE, X.T.copy()[:2], axes=1),
    case("einsum", "bij,bjk->bik", SQUARE, CUBE),
    case("einsum", "...i->...", CUBE),
]

CREATED = [
    *(case(name, (2, 3)) for name in ("zeros", "ones", "empty")),
    case("zeros", (2,), dtype="int32"),
    case("full", (2, 3), 5),
    case("full", (2, 3), 5, dtype="bfloat16"),
    case("array", [1, 2]),
    case("array", [1.5, 2], dtype="float16"),
    case("array", [[1.5, 2], [0, 1]]),
    case("arange", 5),
    case("arange", 1, 7, 2),
    case("arange", 0.5, 3),
    case("arange", 3, dtype="float32"),
    case("linspace", 0, 1, 5),
    case("linspace", 0.0, 1.0, 4, endpoint=False, retstep=True),
    case("linspace", X, Y, 3, axis=1),
    case("logspace", 0, 2, 4),
    case("geomspace", 1, 8, 4),
    case("eye", 3),
    case("eye", 2, 3, 1, dtype="int32"),
    case("identity", 2),
    case("tri", 3, 2, -1),
    *(case(name, size) for name in ("bartlett", "blackman", "hamming", "hanning") for size in (1, 6)),
    case("kaiser", 6, 3.0),
    case("hanning", np.float32(6)),
    case("average", X.astype("float16"), weights=np.arange(X.size).reshape(X.shape)),
    case("unique", INTS),
    case("repeat", X, np.array([1, 0, 2]), axis=1),
    case("unique", INTS, return_index=True, return_inverse=True, return_counts=True),
    case("unique", INTS, size=20, fill_value=-1),
    case("bincount", INTS[0]),
    case("bincount", INTS, minlength=12),
    case("bincount", INTS[0], weights=POSITIVE[0]),
    case("histogram", VECTOR),
    case("histogram", VECTOR, 4, (-1.0, 1.0)),
    case("where", BOOLS),
    case("nonzero", BOOLS),
    case("ndim", CUBE),
]


def name_of(row):
    return "-".join([row[0], *map(str, row[2].values())])


@pytest.mark.parametrize("row", [*ELEMENTWISE, *REDUCING, *SHAPING, *PRODUCTS], ids=name_of)
def test_values_and_symbolic_shapes(row):
    ours = check_values(*row)
    check_symbolic(ours, *row)


@pytest.mark.parametrize("row", CREATED, ids=name_of)
def test_created_arrays(row):
    check_values(*row)


def test_argpartition_puts_the_smallest_first():
    order = np.asarray(lamina.ops.argpartition(X, 1, axis=1))
    assert order.dtype == "int32"
    sorted_rows = np.take_along_axis(X, order, axis=1)
    assert (sorted_rows[:, 1:] >= sorted_rows[:, 1:2]).all() and (sorted_rows[:, 0] <= sorted_rows[:, 1]).all()


# The other gradients are those of jax.numpy, untouched.
HAS_GRADIENT = (
    "divide_no_nan clip logaddexp reciprocal fabs mod mean var std max min median average quantile cumsum sort take "
    "pad where select matmul einsum get_item cross correlate rsqrt erf power logsumexp maximum arctan2"
).split()
DIFFERENTIABLE = [
    row
    for row in [*ELEMENTWISE, *REDUCING, *SHAPING, *PRODUCTS]
    if row[0] in HAS_GRADIENT and any(map(is_float_array, row[1]))
]


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=name_of)
def test_gradients(row):
    check_gradients(*row)


FEW_DTYPES = ["bool", "uint8", "int32", "bfloat16", "float32"]
DTYPES = ["bool", "uint8", "int8", "int32", "bfloat16", "float16", "float32"]


@pytest.mark.parametrize("name", [*UNARY, *REDUCTIONS, "sqrt", "log", "cumsum", "sort", "tril"])
def test_types_of_results(name):
    types = [_result_types(ops, name, [dtype]) for ops in (lamina.ops, keras.ops) for dtype in DTYPES]
    assert types[: len(DTYPES)] == types[len(DTYPES) :]


FLOAT_NUMBERS = {
    "arctan2",
    "logaddexp",
    "logaddexp2",
}  # where Keras makes a Python number float32, not the type of the array


@pytest.mark.parametrize("name", [*BINARY, "power", "matmul", "outer", "append", "tensordot"])
def test_types_of_results_of_two(name):
    numbers = [] if name in FLOAT_NUMBERS else [2, 2.0]
    pairs = [(a, b) for a in FEW_DTYPES for b in [*FEW_DTYPES, *numbers]]
    ours = {pair: _result_types(lamina.ops, name, pair) for pair in pairs}
    assert ours == {pair: _result_types(keras.ops, name, pair) for pair in pairs}


def _result_types(ops, name, dtypes):
    args = [np.ones((2, 2), dtype) if dtype in DTYPES[:4] or dtype in DTYPES[5:] else dtype for dtype in dtypes]
    args = [jnp.ones((2, 2), arg) if isinstance(arg, str) else arg for arg in args]
    try:
        return jax.eval_shape(lambda: find(ops, name)(*args)).dtype.name
    except (TypeError, ValueError):
        return "refused"


def test_cross_products_of_vectors_of_two():
    flat, full = X[:, :2], Y[:, :3]
    filled = np.concatenate([flat, np.zeros_like(flat[:, :1])], -1)
    np.testing.assert_allclose(lamina.ops.cross(flat, full), np.cross(filled, full), 1e-5, 1e-6)
    np.testing.assert_allclose(lamina.ops.cross(full, flat), np.cross(full, filled), 1e-5, 1e-6)
    np.testing.assert_allclose(lamina.ops.cross(flat, flat[::-1]), np.cross(filled, filled[::-1])[:, 2], 1e-5, 1e-6)
    with pytest.raises(ValueError, match="3 .or 2. elements"):
        lamina.ops.cross(X[:, :1], Y)


def test_what_raises_type_errors_in_keras_does_so_here():
    for library in (lamina, keras):
        for call in (lambda ops: ops.eye(3.0), lambda ops: ops.scan(123, X, X)):
            with pytest.raises(TypeError):
                call(library.ops)
        with pytest.raises(TypeError):
            library.layers.STFTSpectrogram()(np.zeros((1, 2000, 1), "int32"))
    with pytest.raises(TypeError, match="`.shape`"):  # Keras asks for TensorFlow first
        lamina.layers.Normalization().adapt(iter([42]))


def test_each_nan_is_one_distinct_element():
    for ours, theirs in zip(*(ops.unique(HOLES, return_counts=True) for ops in (lamina.ops, keras.ops)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
