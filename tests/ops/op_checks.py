"""What the tables of ops are checked for: the values, types, symbolic shapes and gradients of Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np

import lamina

BATCH = 4  # arrays with this first size have a batch, vectors if they hold integers


def find(module, name):
    """ops.image.resize from ("image.resize")."""
    for part in name.split("."):
        module = getattr(module, part)
    return module


def assert_same(ours, theirs, tolerance=1e-5):
    """Same structure, shapes, types and values."""
    ours, theirs = jax.tree_util.tree_leaves(ours), jax.tree_util.tree_leaves(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        a, b = jnp.asarray(a), jnp.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        wide = "complex64" if jnp.iscomplexobj(a) else "float32" if jnp.issubdtype(a.dtype, jnp.floating) else a.dtype
        half = 1e-2 if a.dtype in (jnp.bfloat16, jnp.float16) else tolerance
        np.testing.assert_allclose(np.asarray(a, wide), np.asarray(b, wide), rtol=half, atol=half)


def check_values(name, args, kwargs, tolerance=1e-5, compiled=False):
    """Our result and Keras's are the same; gives ours. compiled: each as one compiled function, which costs less."""
    run = _compiled if compiled else lambda function, args, kwargs: function(*args, **kwargs)
    ours = run(find(lamina.ops, name), args, kwargs)
    assert_same(ours, run(find(keras.ops, name), args, kwargs), tolerance)
    return ours


def _compiled(function, args, kwargs):
    leaves, structure = jax.tree_util.tree_flatten(args)
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray)]

    def on_arrays(arrays):
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        return function(*jax.tree_util.tree_unflatten(structure, filled), **kwargs)

    return jax.jit(on_arrays)([leaves[place] for place in places])


def is_float_array(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float32


def check_gradients(name, args, kwargs, tolerance=1e-4):
    """The gradients with respect to all float arrays are those of Keras."""
    places = tuple(index for index, arg in enumerate(args) if is_float_array(arg))

    def gradients(function):
        def total(*floats):
            filled = list(args)
            for place, value in zip(places, floats, strict=True):
                filled[place] = value
            outputs = jax.tree_util.tree_leaves(function(*filled, **kwargs))
            return sum(jnp.sum(jnp.sin(output)) for output in outputs if jnp.issubdtype(output.dtype, jnp.floating))

        return jax.jit(jax.grad(total, argnums=tuple(range(len(places)))))(*(args[place] for place in places))

    assert_same(gradients(find(lamina.ops, name)), gradients(find(keras.ops, name)), tolerance)


def check_symbolic(ours, name, args, kwargs):
    """On symbolic tensors of known sizes the op gives the shape and type it gives on arrays; with an unknown batch,
    None where the result has the size of the batch, and the other sizes as they are."""
    outputs = [jnp.asarray(output) for output in jax.tree_util.tree_leaves(ours)]
    for batch in (False, True):
        symbolic = [_symbol(arg, batch) for arg in args]
        results = lamina.tree.flatten(find(lamina.ops, name)(*symbolic, **kwargs))
        assert len(results) == len(outputs)
        for result, output in zip(results, outputs, strict=True):
            assert result.dtype == output.dtype.name
            assert len(result.shape) == output.ndim
            if not batch:
                assert result.shape == output.shape
            assert all(size in (None, real) for size, real in zip(result.shape, output.shape, strict=True))


def _symbol(arg, batch):
    if isinstance(arg, np.ndarray):
        shape = (
            (None, *arg.shape[1:])
            if batch and arg.shape[:1] == (BATCH,) and (arg.ndim > 1 or arg.dtype == int)
            else arg.shape
        )
        return lamina.Input(batch_shape=shape, dtype=arg.dtype.name)
    if isinstance(arg, list) and arg and isinstance(arg[0], np.ndarray):
        return [_symbol(item, batch) for item in arg]
    return arg
