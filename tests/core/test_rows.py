"""Which programs compute each row of a batch from that row alone."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.core import context
from lamina.core.real_rows import count_only
from lamina.core.variable import unwrap
from lamina.facts.rows import rows_of_outputs

L, ops = keras.layers, keras.ops
SIZES = 4, 6


def found(function, *inputs):
    """What is found about a function of inputs with such shapes of a row."""
    programs = []
    for size in SIZES:
        given = [np.zeros((size, *shape), "int32" if shape == (5,) else "float32") for shape in inputs]
        with count_only(3, of=size):
            programs.append(jax.make_jaxpr(lambda *given: unwrap(function(*given)))(*given))
    return rows_of_outputs(*programs, *SIZES)


def called(layer, shape, inputs=1):
    """A call of a layer, in training if it takes that, that returns what its variables become, too."""
    layer.build(*[(None, *shape)] * inputs)
    settings = {"training": True} if inputs == 1 and layer._call_has_training_arg else {}

    def call(x):
        refs = [*context.global_refs(), *layer.variables]
        with context.bind(refs, [ref.read() for ref in refs]):
            return layer(*[x] * inputs, **settings), [variable.read() for variable in layer.variables]

    return call


APART = {
    "dense": (L.Dense(3), (4,)),
    "convolution": (L.Conv2D(2, 3, strides=2, padding="same"), (6, 6, 2)),
    "depthwise": (L.DepthwiseConv2D(3), (6, 6, 2)),
    "transposed": (L.Conv1DTranspose(2, 3, strides=2), (6, 2)),
    "pooling": (L.MaxPooling2D(2), (6, 6, 2)),
    "average pooling": (L.AveragePooling1D(2, padding="same"), (6, 2)),
    "attention": (L.MultiHeadAttention(2, 3), (6, 4)),
    "grouped attention": (L.GroupQueryAttention(2, 4, 2), (6, 4)),
    "recurrent": (L.Bidirectional(L.LSTM(3)), (6, 4)),
    "embedding": (L.Embedding(9, 4, mask_zero=True), (5,)),
    "layer normalization": (L.LayerNormalization(), (6, 4)),
    "group normalization": (L.GroupNormalization(2), (6, 4)),
    "batch normalization": (L.BatchNormalization(), (6, 4)),
    "of each step": (L.TimeDistributed(L.BatchNormalization()), (6, 4)),
    "dropout": (L.Dropout(0.5), (6, 4)),
    "noise": (L.GaussianNoise(0.5), (6, 4)),
    "reshape": (L.Reshape((3, 8)), (6, 4)),
    "up": (L.UpSampling2D(2), (3, 3, 2)),
    "repeat": (L.Repeat(L.Dense(4), 3), (4,)),
    "softmax": (L.Softmax(), (6, 4)),
}


@pytest.mark.parametrize("name", APART)
def test_layers_whose_rows_are_apart(name):
    layer, shape = APART[name]
    result = found(called(layer, shape, inputs=2 if name.endswith("attention") else 1), shape)
    assert result is not None and result[0] and not any(result[1:])


TOGETHER = {
    "mean": (lambda x: x - ops.mean(x, axis=0), (4,)),
    "softmax": (lambda x: ops.softmax(x, axis=0), (4,)),
    "similarity": (lambda x: ops.softmax(x @ ops.transpose(x)) @ x, (4,)),
    "order": (lambda x: x[::-1], (4,)),
    "shift": (lambda x: ops.roll(x, 1, axis=0), (4,)),
    "sum so far": (lambda x: ops.cumsum(x, axis=0), (4,)),
    "the first": (lambda x: x - x[:1], (4,)),
    "the number of rows": (lambda x: x / x.shape[0], (4,)),
    "twice": (lambda x: ops.concatenate([x, x], axis=0), (4,)),
    "as time": (lambda x: L.LSTM(2)(x[None])[0], (4,)),
    "window": (lambda x: ops.max_pool(ops.transpose(x)[None, :, :, None], 2, 1)[0, :, :, 0], (4,)),
    "mixed": (lambda x: ops.reshape(ops.transpose(x), x.shape), (4,)),
    "sorted": (lambda x: ops.sort(x, axis=0), (4,)),
    "largest": (lambda x: x / ops.max(ops.abs(x)), (4,)),
    "shuffled": (lambda x: keras.random.shuffle(x, seed=1), (4,)),
    "scattered": (lambda x: ops.segment_sum(x, ops.arange(x.shape[0]), 3), (4,)),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_programs_whose_rows_change_each_other(name):
    function, shape = TOGETHER[name]
    assert found(function, shape) is None


def test_outputs_without_rows():
    assert found(lambda x: (x + 1, ops.ones(3)), (4,)) == [True, False]
    assert found(lambda x: ops.transpose(x), (4,)) is None  # the rows are not its first axis
