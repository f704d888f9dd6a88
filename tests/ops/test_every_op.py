"""Every op of Keras, once: its value, symbolic shape and type, gradient, and that a second call compiles nothing.

An op's case is its first row in the tables of the other tests of this folder, where its values are tested; what has no
row there has one here.
"""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from tests.ops import test_image, test_nn, test_numpy
from tests.ops.op_checks import BATCH, assert_same, check_gradients, find, is_float_array
from tests.ops.test_numpy import HOLES, REDUCTIONS, UNARY, X, Y, case

ACTIVATIONS = (
    "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax relu "
    "relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus "
    "swish tanh_shrink"
).split()
SCALE, SHIFT = np.array([1.5, 0.7], "float32"), np.array([0.3, -1.0], "float32")
HERE = [
    *(case(name, X) for name in ACTIVATIONS),
    case("glu", np.concatenate([X, Y], 1)),
    case("threshold", X, 0.1, 0.2),
    case("empty_like", X),
    case("argpartition", X, 1, axis=1),
    *(case(name, X) for name in ("convert_to_tensor", "convert_to_numpy", "stop_gradient", "shape", "dtype")),
    case("is_tensor", X),
    case("image.scale_and_translate", test_image.IMAGES, (4, 8, 9, 3), SCALE, SHIFT, (1, 2), "linear"),
    case("cond", np.array(True), lambda: X + 1, lambda: X - 1),
    case("switch", np.array(1), [jnp.sin, jnp.cos], X),
    case("fori_loop", 0, 3, lambda i, x: x * 2.0, X),
    case("while_loop", lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (np.int32(0), X)),
    case("scan", lambda carry, x: (carry + x, carry * x), X[0], X),
    case("associative_scan", jnp.add, X),
    *(case(name, jnp.sin, X) for name in ("map", "vectorized_map")),
    case("jvp", jnp.sin, (X,), (X,)),
]
ELSEWHERE = {
    "custom_gradient": "test_image.test_custom_gradient: a decorator",
    **dict.fromkeys(("grad", "value_and_grad", "jacobian"), "test_derivatives.py: they take functions"),
    "vectorize": "test_image.test_loops: a decorator",
}


def _first_rows():
    tables = (
        test_numpy.ELEMENTWISE, test_numpy.REDUCING, test_numpy.SHAPING, test_numpy.PRODUCTS, test_numpy.CREATED,
        test_nn.CONVOLUTIONS, test_nn.NETWORKS, test_nn.MATHEMATICS, test_image.CASES, HERE,
    )  # fmt: skip
    first = {}
    for row in (row for table in tables for row in table):
        first.setdefault(row[0], row)
    return first


CASES = _first_rows()


def _functions(module, prefix=""):
    return {prefix + name for name in dir(module) if not name.startswith("_") and callable(getattr(module, name))}


def test_no_op_is_without_a_case():
    public = _functions(keras.ops) | _functions(keras.ops.image, "image.")
    assert not public - set(CASES) - set(ELSEWHERE)
    for space in ("linalg", "nn", "numpy"):  # the same functions under a second name
        for name in _functions(getattr(keras.ops, space)):
            second = inspect.unwrap(getattr(getattr(lamina.ops, space), name))
            assert second is inspect.unwrap(getattr(lamina.ops, name))


# Values

VALUES = {
    "argpartition": "which order the parts are in is free: see test_numpy",
    "sparsemax": "Keras 3.15 is wrong: see tests/test_activations.py",
    "dtype": "a string",
}


@pytest.mark.parametrize("row", [row for row in HERE if row[0] not in VALUES], ids=lambda row: row[0])
def test_values(row):
    name, args, kwargs = row
    assert_same(find(lamina.ops, name)(*args, **kwargs), find(keras.ops, name)(*args, **kwargs))


# Symbolic shapes and types

SPEC_DIFFERS = {
    "Keras tells another type than it computes": "real imag angle polar eig lu_factor multi_hot",
    "Keras tells another shape than it computes": "corrcoef slogdet adaptive_average_pool adaptive_max_pool ndim "
    "image.scale_and_translate",
    "Keras refuses an unknown size": "fft2 ifft2 rearrange qr svd",
    "min(batch, 3) is told as 3, by Keras as None": "diag diagonal",
    "Keras warns": "tensordot",
    "how long the result is hangs on values, so no compiled function can have it": "unique bincount nonzero",
}
SPEC_DIFFERS = {name for names in SPEC_DIFFERS.values() for name in names.split()}
NO_TENSORS = {"cond", "convert_to_numpy", "dtype", "is_tensor", "shape", "jvp"}


def _symbol(library, arg):
    if isinstance(arg, np.ndarray):
        free = arg.shape[:1] == (BATCH,) and (arg.ndim > 1 or arg.dtype == int)
        return library.KerasTensor((None, *arg.shape[1:]) if free else arg.shape, arg.dtype.name)
    if isinstance(arg, (list, tuple)) and arg and isinstance(arg[0], np.ndarray):
        return type(arg)(_symbol(library, item) for item in arg)
    return arg


def _spec(library, name, args, kwargs):
    outputs = find(library.ops, name)(*(_symbol(library, arg) for arg in args), **kwargs)
    leaves = jax.tree_util.tree_leaves(outputs, is_leaf=lambda leaf: hasattr(leaf, "shape"))
    return [(tuple(leaf.shape), str(leaf.dtype)) for leaf in leaves]


@pytest.mark.parametrize("name", [name for name in CASES if name not in SPEC_DIFFERS | NO_TENSORS])
def test_symbolic_shapes_and_types_of_an_unknown_batch(name):
    assert _spec(lamina, *CASES[name]) == _spec(keras, *CASES[name])


@pytest.mark.parametrize("name", ["unique", "bincount", "nonzero"])
def test_sizes_that_hang_on_values(name):
    with pytest.raises(lamina.errors.ShapeError, match=r"known only with values|cannot know"):
        find(lamina.ops, name)(lamina.Input((3,), dtype="int32"))


# Gradients

NO_GRADIENT = {
    "the result is no float": "all allclose any argmax argmin argpartition argsort cast digitize dtype equal "
    "greater greater_equal in_top_k is_tensor isclose isfinite isinf isnan isneginf isposinf isreal less less_equal "
    "logical_and logical_not logical_or logical_xor matrix_rank nanargmax nanargmin ndim not_equal ones_like polar "
    "saturate_cast searchsorted shape signbit size view view_as_complex",
    "the values mean nothing, or it leaves JAX": "empty_like convert_to_numpy",
    "JAX has none": "nextafter segment_prod eig",
    "Keras cannot trace it": "rearrange image.elastic_transform",
    "Keras reads two numbers of a perspective, which an affine map has not": "image.affine_transform",
    "Keras 3.15 is wrong": "sparsemax",
}
NO_GRADIENT = {name for names in NO_GRADIENT.values() for name in names.split()}
TESTED = {row[0] for row in (*test_numpy.DIFFERENTIABLE, *test_nn.DIFFERENTIABLE)}


@pytest.mark.parametrize(
    "name",
    [name for name, row in CASES.items() if name not in NO_GRADIENT | TESTED and any(map(is_float_array, row[1]))],
)
def test_gradients(name):
    check_gradients(*CASES[name])


# Compilations

LOOPS = ["fori_loop", "map", "scan", "while_loop"]
_compiled = []


def _count(event, duration, **kwargs):
    if event == "/jax/core/compile/backend_compile_duration":
        _compiled.append(event)


@pytest.fixture(scope="module", autouse=True)
def compilations():
    """Each compilation from now on is written down."""
    jax.monitoring.register_event_duration_secs_listener(_count)


@pytest.mark.parametrize("name", CASES)
def test_a_second_call_compiles_nothing(name):
    function, (_, args, kwargs) = find(lamina.ops, name), CASES[name]
    function(*args, **kwargs)
    _compiled.clear()
    function(*args, **kwargs)
    assert not _compiled


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_compiled_once_inside_a_compiled_function(name):
    _, args, kwargs = CASES[name]
    run = jax.jit(lambda x: find(lamina.ops, name)(*args[:-1], x, **kwargs))
    run(args[-1])
    _compiled.clear()
    run(args[-1])
    assert not _compiled


def test_loops_of_new_functions_and_new_arrays_are_compiled_once():
    def cumulative(table, start):
        return lamina.ops.scan(lambda total, x: (total + x @ table, total), start, X)[0]

    table, start = np.eye(X.shape[-1], dtype=X.dtype), np.zeros_like(X[0])
    np.testing.assert_allclose(cumulative(table, start), X.sum(0), rtol=1e-6)
    _compiled.clear()
    np.testing.assert_allclose(cumulative(2 * table, start + 1), 2 * X.sum(0) + 1, rtol=1e-6)
    assert not _compiled


def test_a_loop_that_another_function_differentiates():
    def times(x):
        return lamina.ops.fori_loop(0, 3, lambda i, value: value * x, 1.0)

    assert times(2.0) == 8.0
    assert jax.grad(times)(2.0) == 12.0
    np.testing.assert_allclose(jax.vmap(times)(jnp.array([1.0, 3.0])), [1.0, 27.0])


def test_beam_search_is_compiled_once():
    for _ in range(2):
        _compiled.clear()
        lamina.ops.ctc_decode(X[None], np.array([BATCH]), strategy="beam_search", beam_width=3)
    assert not _compiled


# Edges: no elements, one number, NaN, an axis counted from the end

EDGES = {"empty": np.zeros((0, 3), "float32"), "scalar": np.float32(0.7), "nan": HOLES}


def _outcomes(library, names, x, **kwargs):
    """name -> result or "refused", all in one compiled function."""
    results = {}
    for name in names:
        try:
            jax.eval_shape(lambda x, name=name: find(library.ops, name)(x, **kwargs), x)
        except (ValueError, TypeError, IndexError):
            results[name] = "refused"
    allowed = [name for name in names if name not in results]
    run = jax.jit(lambda x: {name: find(library.ops, name)(x, **kwargs) for name in allowed})
    return {**results, **run(x)}


def _assert_same_outcomes(names, x, **kwargs):
    ours, theirs = (_outcomes(library, names, x, **kwargs) for library in (lamina, keras))
    refused = [name for name in names if isinstance(ours[name], str) or isinstance(theirs[name], str)]
    assert {name: ours[name] for name in refused} == {name: theirs[name] for name in refused}
    assert_same(*({name: result[name] for name in names if name not in refused} for result in (ours, theirs)))


@pytest.mark.parametrize("kind", EDGES)
def test_edges_of_elementwise_ops(kind):
    _assert_same_outcomes([*UNARY, *(name for name in ACTIVATIONS if name != "sparsemax")], jnp.asarray(EDGES[kind]))


@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("axis", [None, -1, 0])
def test_edges_of_reductions(kind, axis):
    _assert_same_outcomes(REDUCTIONS, jnp.asarray(EDGES[kind]), axis=axis)


@pytest.mark.parametrize("kind", EDGES)
def test_edges_of_orders_and_shapes(kind):
    names = "cumsum cumprod sort argsort flip ravel transpose squeeze tril triu diff nan_to_num isnan".split()
    _assert_same_outcomes(names, jnp.asarray(EDGES[kind]))
