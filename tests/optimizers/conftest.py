"""Both libraries side by side: the same optimizer on the same variables and gradients."""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np
import pytest

from lamina.core.variable import unwrap

SHAPES = {"dense/kernel": (3, 4), "dense/bias": (4,), "conv/kernel": (2, 3, 2)}


def variables(library, shapes=SHAPES):
    """Trainable variables with the same paths and values in either library."""
    random, made = np.random.default_rng(0), []
    for path, shape in shapes.items():
        scope, name = path.split("/")
        with library.name_scope(scope):
            made.append(library.Variable(random.normal(size=shape).astype("float32"), name=name))
    return made


def gradients(steps=10, shapes=SHAPES):
    """For each step a gradient of each variable."""
    random = np.random.default_rng(1)
    return [[random.normal(size=shape).astype("float32") for shape in shapes.values()] for _ in range(steps)]


def keras_steps(optimizer, variables, grads):
    """Keras's step, compiled once; the values of the variables after each step."""
    optimizer.build(variables)
    step = jax.jit(lambda own, g, values: optimizer.stateless_apply(own, g, values))
    values, own, seen = [v.value for v in variables], [v.value for v in optimizer.variables], []
    for gradient in grads:
        values, own = step(own, gradient, values)
        seen.append([np.asarray(value) for value in values])
    for variable, value in zip([*variables, *optimizer.variables], [*values, *own], strict=True):
        variable.assign(value)
    return seen


def lamina_steps(optimizer, variables, grads):
    """The values of the variables after each apply."""
    seen = []
    for gradient in grads:
        optimizer.apply(gradient, variables)
        seen.append([variable.numpy() for variable in variables])
    return seen


def assert_same(ours, theirs, our_variables, their_variables, grads, rtol=1e-6):
    """Trainables after every step, and at the end every variable of the optimizer, by order, path and value."""
    ours_seen = lamina_steps(ours, our_variables, grads)
    for number, (got, expected) in enumerate(zip(ours_seen, keras_steps(theirs, their_variables, grads), strict=True)):
        for ours_value, their_value in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours_value, their_value, rtol, 1e-7, err_msg=f"step {number}")
    for got, expected in zip(ours.variables, theirs.variables, strict=True):
        assert (got.shape, got.dtype) == (tuple(expected.shape), expected.dtype)
        np.testing.assert_allclose(got.numpy(), np.asarray(expected.value), 1e-5, 1e-7, err_msg=expected.path)
    assert int(unwrap(ours.iterations)) == int(getattr(theirs.iterations, "value", theirs.iterations))
    return [v.path for v in ours.variables], [v.path for v in theirs.variables]


@pytest.fixture
def pair():
    """The functions above."""
    return sys.modules[__name__]
