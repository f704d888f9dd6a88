"""Shapes by formula equal shapes by tracing, for every layer that has a formula."""

import inspect

import jax.numpy as jnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina as keras
from lamina import layers
from lamina.core.keras_tensor import get_mask, trace
from lamina.errors import ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.base.output_specs import from_formula

# (layer, its arguments, shape of one sample)
CASES = [
    ("Activation", {"activation": "softmax"}, (3, 4)),
    ("AlphaDropout", {"rate": 0.5}, (3,)),
    ("AveragePooling1D", {"pool_size": 3, "padding": "same"}, (7, 2)),
    ("AveragePooling2D", {"pool_size": (2, 3), "strides": 1}, (7, None, 2)),
    ("AveragePooling3D", {"data_format": "channels_first"}, (2, 4, 5, None)),
    ("BatchNormalization", {"axis": 1}, (4, 5)),
    ("Cropping1D", {"cropping": (1, 2)}, (None, 4)),
    ("Cropping2D", {"cropping": ((1, 0), (2, 1)), "data_format": "channels_first"}, (2, 5, 6)),
    ("Cropping3D", {"cropping": 1}, (3, None, 5, 2)),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (9, 2)),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2, "activation": "relu"}, (7, 8, 2)),
    ("Conv3D", {"filters": 3, "kernel_size": 2, "strides": 2, "data_format": "channels_first"}, (2, 5, 6, None)),
    ("Dense", {"units": 5}, (None, 3)),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (9, 2)),
    ("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, "padding": "same"}, (7, 8, 2)),
    ("Dropout", {"rate": 0.5}, (3, 4)),
    ("ELU", {}, (3,)),
    ("GaussianDropout", {"rate": 0.5}, (3,)),
    ("GaussianNoise", {"stddev": 0.5}, (3,)),
    ("GlobalAveragePooling1D", {}, (None, 4)),
    ("GlobalAveragePooling2D", {"keepdims": True}, (3, 4, 2)),
    ("GlobalAveragePooling3D", {"data_format": "channels_first"}, (2, 3, 4, 5)),
    ("GlobalMaxPooling1D", {}, (5, 4)),
    ("GlobalMaxPooling2D", {}, (3, None, 2)),
    ("GlobalMaxPooling3D", {"data_format": "channels_first", "keepdims": True}, (2, 3, 4, 5)),
    ("LeakyReLU", {}, (3,)),
    ("MaxPooling1D", {}, (7, 2)),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2}, (7, 8, 2)),
    ("MaxPooling3D", {"padding": "same"}, (None, 3, 4, 2)),
    ("PReLU", {"shared_axes": [1]}, (3, 4)),
    ("ReLU", {"max_value": 6.0}, (3,)),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 2}, (9, 2)),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 3, "padding": "same"}, (7, 8, 2)),
    ("Softmax", {}, (3, 4)),
    ("SpatialDropout1D", {"rate": 0.5}, (3, 4)),
    ("SpatialDropout2D", {"rate": 0.5}, (3, 4, 2)),
    ("SpatialDropout3D", {"rate": 0.5}, (3, 4, 5, 2)),
    ("ZeroPadding1D", {"padding": (1, 2)}, (None, 4)),
    ("ZeroPadding2D", {"padding": ((1, 0), (2, 3)), "data_format": "channels_first"}, (2, 5, 6)),
    ("ZeroPadding3D", {"padding": 1}, (3, None, 5, 2)),
]


def assert_same(layer, inputs):
    layer(inputs)
    by_rule, traced = from_formula(layer, (inputs,), {}), trace(layer._run, inputs)
    assert (by_rule.shape, by_rule.dtype) == (traced.shape, traced.dtype)


@pytest.mark.parametrize(("name", "kwargs", "shape"), CASES)
def test_formula_and_tracing_agree(name, kwargs, shape):
    assert_same(getattr(layers, name)(**kwargs), keras.Input(shape))


def test_every_formula_has_a_case():
    public = {name: getattr(layers, name) for name in dir(layers)}
    named = {name: layer for name, layer in public.items() if inspect.isclass(layer) and issubclass(layer, Layer)}
    ruled = {layer.__name__ for layer in named.values() if layer._shape_rule is not Layer._shape_rule}
    without = {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
    assert {name for name in ruled if "Convolution" not in name} - without <= {case[0] for case in CASES}


@given(
    size=st.integers(1, 9), window=st.integers(1, 4), stride=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]), pool=st.booleans(), known=st.booleans(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_windows_of_any_size(size, window, stride, padding, pool, known):
    settings_of_both = {"strides": stride, "padding": padding}
    layer = layers.MaxPooling1D(window, **settings_of_both) if pool else layers.Conv1D(2, window, **settings_of_both)
    inputs = keras.Input((size if known else None, 2))
    if known and padding == "valid" and window > size:
        with pytest.raises(ShapeError, match="covers"):
            layer(inputs)
    else:
        assert_same(layer, inputs)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
@pytest.mark.parametrize("layer", [layers.Dense, layers.BatchNormalization, layers.Dropout, layers.Activation])
def test_types_agree(layer, dtype):
    first = {layers.Dense: 3, layers.Dropout: 0.5, layers.Activation: "relu"}.get(layer, -1)
    assert_same(layer(first, dtype=dtype), keras.Input((4,)))


def test_where_a_formula_could_be_wrong_the_layer_is_traced():
    class Doubled(layers.Dense):
        def call(self, inputs):
            return jnp.concatenate([super().call(inputs)] * 2, -1)

    inputs = keras.Input((4,))
    assert Doubled(3)(inputs).shape == (None, 6)
    assert layers.Dense(4, activation="glu")(inputs).shape == (None, 2)
    assert layers.Activation(lambda x: x[..., :1])(inputs).shape == (None, 1)
    assert layers.Activation("relu")(keras.Input((4,), dtype="int32")).dtype == "int32"
    masked = layers.Dense(3)(layers.Masking()(keras.Input((5, 4))))
    assert masked.shape == (None, 5, 3) and get_mask(masked) is not None
