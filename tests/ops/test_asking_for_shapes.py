"""Ops on KerasTensors made by hand, which ask for a shape: beside Keras."""

import jax
import numpy as np
import pytest

import lamina

QUESTIONS = {
    "bitwise": lambda ops, x: ops.bitwise_and(x(None, 3), x(None, 3)),
    "shift": lambda ops, x: ops.left_shift(x(2, 3), x(2, 3)),
    "not": lambda ops, x: ops.bitwise_not(x(None, 3)),
    "gcd of sizes that meet": lambda ops, x: ops.gcd(x(None, 3), x(2, None)),
    "integers second": lambda ops, x: ops.ldexp(x(None, 3), x(1, 3)),
    "indices": lambda ops, x: ops.take(x(None, 3, None, 5), x(6, 7), axis=2),
    "indices along": lambda ops, x: ops.take_along_axis(x(None, 3), x(1, 3), axis=0),
    "classes": lambda ops, x: ops.in_top_k(x(None), x(None, 10), k=1),
    "scatter": lambda ops, x: ops.scatter_update(x(4, None), x(5, 2), x(5)),
    "start": lambda ops, x: ops.slice_update(x(4, None), x(2), x(2, 2)),
    "branch": lambda ops, x: ops.switch(x(), [lambda a: a], x(None, 3)),
    "trace": lambda ops, x: ops.einsum("ii", x(None, 3)),
    "product": lambda ops, x: ops.dot(x(None, 3), x(None, None, 2)),
    "a shape given": lambda ops, x: ops.reshape(x(None, 3), (3, 2)),
    "a larger shape": lambda ops, x: ops.broadcast_to(x(None, 3), (2, 3, 3)),
    "array": lambda ops, x: ops.view(ops.array(x(None, 3), dtype="int32"), dtype="int16"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_shapes_are_those_of_keras(name):
    keras = pytest.importorskip("keras")
    ours, theirs = (QUESTIONS[name](one.ops, lambda *shape, one=one: one.KerasTensor(shape)) for one in (lamina, keras))
    assert ours.shape == theirs.shape


def test_in_a_graph_the_types_and_sizes_are_errors():
    x = lamina.Input((3,))
    with pytest.raises(lamina.errors.ShapeError, match="integers or booleans"):
        lamina.ops.bitwise_and(x, x)
    with pytest.raises(lamina.errors.LaminaError):
        lamina.ops.reshape(x, (2, 2))  # no batch of rows of 3 has 4 elements


def test_a_size_that_depends_on_a_tensor_is_an_error_at_once():
    with pytest.raises(lamina.errors.TracingError, match="needs the values"):
        lamina.ops.reshape(lamina.KerasTensor((None, 20)), (None, lamina.KerasTensor((), dtype="int32")))


WRONG = {
    "stft(x, 2, 0, 4)": ValueError, "istft((x[None], x[None]), 2, -5, 4)": ValueError, "stft(x, 2, 1.5, 4)": ValueError,
    "view_as_complex(x)": ValueError, "image.resize(x.reshape(2, 4, 1), (0, 10))": ValueError,
    "image.resize(x.reshape(2, 4, 1), (10, -1))": ValueError,
    "image.extract_patches(x.reshape(2, 4, 1), '5')": TypeError,
    "image.extract_patches_3d(x.reshape(2, 2, 2, 1), size=(4, 4))": TypeError,
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG)
def test_arguments_that_keras_refuses(call):
    keras = pytest.importorskip("keras")
    for one in (lamina, keras):
        with pytest.raises(WRONG[call]):
            eval(f"ops.{call}", {"ops": one.ops, "x": np.ones(8, "float32")})


def test_a_size_that_is_cast_stays_a_size_where_a_function_is_compiled():
    def column(x):
        return lamina.ops.ones((lamina.ops.cast(lamina.ops.shape(x)[0], "int64"), 1))

    assert jax.jit(column)(np.ones((3, 2))).shape == (3, 1)


def test_arguments_that_keras_takes():
    halves = [np.array(np.random.default_rng(0).random((1, 4, 2)), "float16") for _ in range(2)]
    warped = lamina.ops.image.perspective_transform(np.ones((4, 4, 3), "float16"), *halves)
    assert warped.shape == (4, 4, 3) and warped.dtype == "float16"
    assert lamina.random.beta((5, 3), [[7.0, 0.5, 1.5]], [[15.0, 0.9, 4.5]], seed=1).shape == (5, 3)
    assert type(lamina.ops.sum(lamina.Input((3, 4)), axis=2)._keras_history.operation)(axis=1).axis == 1
    assert sorted(np.array(lamina.ops.argpartition([[3, 1], [2, 4]], 2, axis=None)[:2]).tolist()) == [1, 2]
    with pytest.raises(lamina.errors.ShapeError, match="whole numbers"):
        lamina.KerasTensor((3, 4.5))


def test_graphs_of_tensors_made_by_hand():
    keras = pytest.importorskip("keras")
    for one in (lamina, keras):
        a, b = one.KerasTensor((2, 3)), one.KerasTensor((2, 3))
        product = a * b
        function = one.Function([a, b], product + 1)
        assert np.allclose(function([np.full((2, 3), 2.0), np.full((2, 3), 3.0)]), 7)
        assert [op.name for op in one.Function(product, product + 1).operations if "multiply" in op.name] == []
    a = lamina.KerasTensor((2, 3))
    model = lamina.models.clone_model(lamina.Model(a, a * 2))  # Keras has an AttributeError
    assert np.allclose(model(np.ones((2, 3))), 2)
    assert hasattr(lamina.ops.cast(lamina.KerasTensor((2,)), "float16"), "_keras_history")


def test_reshaping_may_fix_the_batch_size():
    """As in Keras: the model then takes batches of that size."""
    inputs = lamina.Input((6,))
    fixed = lamina.ops.reshape(inputs, (4, 2, 3))
    assert fixed.shape == (4, 2, 3)
    assert lamina.Model(inputs, fixed).predict(np.ones((8, 6)), batch_size=4, verbose=0).shape == (8, 2, 3)
    with pytest.raises(lamina.errors.LaminaError, match="newshape"):
        lamina.ops.reshape(inputs, (4, 2, 4))
