"""Small programs against NumPy: each kind of operation on arrays that lie in many ways."""

import concurrent.futures
import math

import lamina_native as native
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not native.has_small_programs(), reason="small programs need AVX-512")

ONE = {
    "copy": lambda a: a, "negative": np.negative, "magnitude": np.abs, "exp": np.exp, "exp_less_one": np.expm1,
    "log": lambda a: np.log(np.abs(a)), "log_one_more": lambda a: np.log1p(np.abs(a)), "tanh": np.tanh,
    "logistic": lambda a: 1 / (1 + np.exp(-a)), "sqrt": lambda a: np.sqrt(np.abs(a)),
    "rsqrt": lambda a: 1 / np.sqrt(np.abs(a)), "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}  # fmt: skip
POSITIVE = ("log", "log_one_more", "sqrt", "rsqrt", "power")
TWO = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "larger": np.maximum,
    "smaller": np.minimum, "power": lambda a, b: np.abs(a) ** b, "greater": np.greater, "equal": np.equal,
    "greater_equal": np.greater_equal, "less": np.less, "less_equal": np.less_equal, "not_equal": np.not_equal,
}  # fmt: skip
FOLDS = {"add_up": (np.sum, 0), "largest": (np.max, -np.inf), "smallest": (np.min, np.inf)}
SHAPES = [(1,), (40,), (3, 5), (4, 7, 33), (2, 3, 4, 5, 6)]


def numbers(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def program_of(shape, output_shape, fill):
    """A program from an input of a shape to an output, filled by a function of it."""
    program = native.SmallProgram(shape, output_shape)
    fill(program)
    program.finish()
    return program


def turned(view):
    """The axes in the other order."""
    return view.moved(0, view.shape[::-1], view.steps[::-1])


def close(found, wanted, tolerance=2e-6):
    assert found.shape == np.shape(wanted) and found.dtype == "float32"
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ONE)
def test_operations_on_one_array(kind, shape):
    x = np.abs(numbers(shape)) if kind in POSITIVE else numbers(shape)
    close(program_of(shape, shape, lambda p: p.add(kind, p.output, p.input))(x), ONE[kind](x))
    across = program_of(shape, shape[::-1], lambda p: p.add(kind, p.output, turned(p.input)))
    close(across(x), ONE[kind](x.T))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", TWO)
def test_operations_on_two_arrays(kind, shape):
    x = np.abs(numbers(shape)) if kind in POSITIVE else np.round(2 * numbers(shape)) / 2 + 0.25
    others = {  # as large, one number, of the last axis, of the first axis
        "whole": np.round(2 * numbers(shape, 1)) / 2 + 0.25,
        "number": np.float32(0.75),
        "last": numbers(shape[-1:], 2),
        "first": numbers((shape[0], *(1 for _ in shape[1:])), 3),
    }
    for other in others.values():

        def fill(program, other=other):
            b = program.array(other.shape, other)
            lead = len(shape) - other.ndim
            steps = [0 if size == 1 else step for size, step in zip(other.shape, b.steps, strict=True)]
            program.add(kind, program.output, program.input, b.moved(0, shape, [0] * lead + steps))

        close(program_of(shape, shape, fill)(x), TWO[kind](x, other))


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("kind", FOLDS)
def test_along_axes(kind, axes):
    shape, (fold, start) = (3, 20, 37), FOLDS[kind]
    x = numbers(shape)
    wanted = fold(x, axes)

    def fill(program):
        program.add("copy", program.output, program.array((), start).moved(0, wanted.shape, (0,) * wanted.ndim))
        steps = list(program.output.steps)
        for axis in axes:
            steps.insert(axis, 0)
        program.add(kind, program.output.moved(0, shape, steps), program.input)

    program = program_of(shape, wanted.shape, fill)
    close(program(x), wanted, 1e-5)
    if kind != "add_up":
        for place in ((0, 0, 0), (2, 19, 36), (1, 7, 16)):
            with_nan = x.copy()
            with_nan[place] = np.nan
            np.testing.assert_array_equal(np.isnan(program(with_nan)), np.isnan(fold(with_nan, axes)))


def test_select_and_numbers_without_end():
    x = np.array([np.nan, np.inf, -np.inf, -200, 88.5, 89, 0, 1e-40], "float32")
    exp = program_of(x.shape, x.shape, lambda p: p.add("exp", p.output, p.input))
    with np.errstate(over="ignore"):
        close(exp(x), np.exp(x), 1e-6)

    def fill(program):
        positive, numbers = program.array(x.shape), [program.array((), value) for value in (0.0, 1.0, 2.0)]
        zero, one, two = (number.moved(0, x.shape, (0,)) for number in numbers)
        program.add("greater", positive, program.input, zero)
        program.add("select", program.output, positive, one, two)

    close(program_of(x.shape, x.shape, fill)(x), np.where(x > 1e-30, 2, 1))  # what is no normal number is 0
    larger = program_of(
        (2, 4), (4,), lambda p: p.add("larger", p.output, p.input.moved(0, (4,), (1,)), p.input.moved(4, (4,), (1,)))
    )
    pairs = np.array([[np.nan, 1, 2, 0], [1, np.nan, 1, 3]], "float32")
    close(larger(pairs), np.array([np.nan, np.nan, 2, 3]))


@pytest.mark.parametrize("columns", [1, 3, 10, 16, 24, 32, 100])
@pytest.mark.parametrize("rows, inner", [(1, 5), (1, 600), (9, 16), (30, 33)])
def test_products(rows, inner, columns):
    x, w = numbers((rows, inner)), numbers((inner, columns), 1) / np.float32(np.sqrt(inner))
    for transposed in (False, True):

        def fill(program, transposed=transposed):
            left = program.input.moved(0, (1, rows, 1, inner), (0, inner, 0, 1))
            right = program.array(w.T.shape, w.T) if transposed else program.array(w.shape, w)
            program.add_product(program.output, left, right, transposed)

        close(program_of(x.shape, (rows, columns), fill)(x), x @ w, 2e-5)


@pytest.mark.parametrize("filters", [1, 5, 16, 48])
def test_products_with_windows_of_an_image(filters):
    x, kernel = numbers((10, 18, 16)), numbers((3, 2, 16, filters), 1) / 10
    seen = np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(0, 1))[::2, :, :]  # (4, 17, 16, 3, 2)
    wanted = np.einsum("ijcuv,uvcf->ijf", seen, kernel)
    transposed = filters < 16

    def fill(program):
        row, column, _ = program.input.steps
        windows = program.input.moved(0, (4, 17, 3, 32), (2 * row, column, row, 1))
        matrix = kernel.reshape(-1, filters)
        right = matrix.T if transposed else matrix
        program.add_product(program.output, windows, program.array(right.shape, right), transposed)

    close(program_of(x.shape, wanted.shape, fill)(x), wanted, 2e-5)


def test_what_is_done_once_is_done_again_after_writing():
    program = native.SmallProgram((3,), (3,))
    weights, squares = program.array((3,), [1, 2, 3]), program.array((3,))
    program.add("multiply", squares, weights, weights, once=True)
    program.add("add", program.output, program.input, squares)
    program.finish()
    x = np.ones(3, "float32")
    close(program(x), [2, 5, 10])
    program.write([(weights, np.array([0, 1, 5]))])
    close(program(x), [1, 2, 26])
    close(program(np.ones((3, 2), "float32")[:, 1]), [1, 2, 26])  # not side by side


def test_many_threads_take_turns():
    shape = 50, 50
    program = program_of(shape, shape, lambda p: p.add("tanh", p.output, p.input))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        inputs = [np.full(shape, i / 20, "float32") for i in range(60)]
        for x, y in zip(inputs, pool.map(program, inputs), strict=True):
            close(y, np.tanh(x))


def test_too_many_axes():
    program = native.SmallProgram((2,) * 6, (2,) * 6)
    with pytest.raises(ValueError, match="at most 5 axes"):
        program.add("copy", program.output, turned(program.input))
    program.add("copy", program.output, program.input)  # axes side by side are one
