"""Receptive fields, against the gradients that really come back to the input."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.explanations import facts_of

layers = keras.layers


def plain(x):
    x = layers.Conv2D(2, 3, strides=2, padding="same")(x)
    x = layers.AveragePooling2D(2)(x)
    return layers.Conv2D(2, (3, 2), dilation_rate=2)(x)


def branches(x):
    a = layers.Conv2D(2, 5, padding="same")(x)
    b = layers.Conv2D(2, 3, padding="same", dilation_rate=(4, 1))(x)
    return layers.Conv2D(1, 2, padding="same")(layers.Concatenate()([a, b]))


def shifted(x):
    """Branches that look in different directions."""
    a = layers.Cropping2D(((4, 0), (0, 0)))(x)
    b = layers.Cropping2D(((0, 4), (0, 0)))(x)
    return layers.Add()([a, b])


def enlarged(x):
    x = layers.Conv2D(2, 3, strides=2, padding="same")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Conv2D(2, 3, padding="same")(x)
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
    return layers.Conv2D(1, 3, padding="same", strides=2)(x)


def transposed(x):
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(2, 3, strides=2)(x)
    return layers.Conv2DTranspose(1, 5, strides=1, padding="same")(x)


def u_net(x):
    a = layers.Conv2D(2, 3, padding="same")(x)
    b = layers.Conv2D(2, 3, padding="same")(layers.AveragePooling2D(2)(a))
    up = layers.Conv2DTranspose(2, 2, strides=2)(b)
    return layers.SeparableConv2D(1, 3, padding="same")(layers.Concatenate()([up, a]))


def inside(x):
    base = keras.Sequential([keras.Input((None, None, 1)), layers.ZeroPadding2D(1), layers.Conv2D(2, 3, strides=2)])
    return layers.DepthwiseConv2D(3)(base(x))


@pytest.mark.parametrize("net", [plain, branches, shifted, enlarged, transposed, u_net, inside])
def test_the_window_is_what_gradients_reach(net):
    inputs = keras.Input((32, 24, 1))
    model = keras.Model(inputs, net(inputs))
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    windows = [fact for fact in facts_of(model) if fact.ends and fact.depth == 0][-1].window
    x = np.ones((1, 32, 24, 1), "float32")
    seen = np.asarray(jax.jit(jax.jacrev(lambda x: model(x).sum(axis=(0, 3))))(x))[..., 0, :, :, 0] != 0
    for axis, window in enumerate(windows):
        reached = seen.any(axis=(1 - axis, 3 - axis))  # (outputs, inputs) along the axis
        first, last = reached.argmax(axis=1), reached.shape[1] - 1 - reached[:, ::-1].argmax(axis=1)
        inner = (first > 0) & (last < reached.shape[1] - 1)  # those that the border does not cut off
        assert inner.any()
        assert window.size == (last - first + 1)[inner].max(), axis
        assert window.step == pytest.approx((first[inner][-1] - first[inner][0]) / (inner.sum() - 1), abs=0.5)


def test_it_is_not_told_where_it_is_not_known():
    inputs = keras.Input((16, 16, 2))
    x = layers.Conv2D(2, 3, padding="same", name="conv")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    y = layers.Conv2D(2, 3, name="after_gate")(layers.Multiply()([x, gate]))
    z = layers.Conv2D(2, 3, name="after_swap")(layers.Permute((2, 1, 3))(x))
    own = layers.Conv2D(2, 3, name="after_own")(layers.Lambda(lambda x: x[:, ::-1])(x))
    known = {fact.name: fact.window for fact in facts_of(keras.Model(inputs, [y, z, own]))}
    assert known["conv"][0].size == 3 and known["conv"][0].whole == 16
    assert known["after_gate"] is known["after_swap"] is known["after_own"] is None


def test_the_whole_input():
    model = keras.Sequential(
        [keras.Input((4, 2)), layers.Conv1D(2, 3, padding="same"), layers.Conv1D(2, 3, name="wide")]
    )
    assert "depends on" not in model.explain("wide")["wide"].text
    assert "may depend on the whole input" in model.explain("wide")["wide"].text
