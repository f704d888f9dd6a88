"""TensorFlow's functions take their arguments by TensorFlow's names, with the result of the same call by position."""

import numpy as np
import pytest

import lamina as keras
from tests.compat.namespace import tf

X = np.array([[4.0, 1.0], [1.0, 3.0]], "float32")
N = np.array([3, 1])
CALLS = [
    ("", "reshape", dict(tensor=X, shape=[4])), ("", "transpose", dict(a=X, perm=[1, 0])),
    ("", "squeeze", dict(input=X[None], axis=0)), ("", "tile", dict(input=X, multiples=[1, 2])),
    ("", "expand_dims", dict(input=X, axis=0)), ("", "reverse", dict(tensor=X, axis=[0])),
    ("", "repeat", dict(input=X, repeats=2)), ("", "vectorized_map", dict(fn=abs, elems=X)),
    ("", "as_dtype", dict(type_value="float32")), ("", "as_string", dict(input=N)),
    *[("math", name, dict(input=X + 1j * X)) for name in ("real", "imag", "angle")],
    *[("math", name, dict(features=X)) for name in ("softplus", "softsign")],
    ("math", "zero_fraction", dict(value=X)), ("math", "nextafter", dict(x1=X, x2=X + 1)),
    ("math", "invert_permutation", dict(x=N // 2)), ("math", "zeta", dict(x=X + 1, q=X)),
    *[("linalg", name, dict(input=X)) for name in ("inv", "det", "cholesky", "slogdet")],
    ("linalg", "eigvalsh", dict(tensor=X)), ("linalg", "cross", dict(a=X[:, [0, 0, 1]], b=X[:, [1, 0, 1]])),
    *[("bitwise", name, dict(x=N, y=N[::-1])) for name in ("bitwise_and", "left_shift")],
    ("bitwise", "invert", dict(x=N)), ("image", "rgb_to_grayscale", dict(images=np.ones((2, 2, 3), "float32"))),
    ("image", "ssim", dict(img1=np.ones((1, 12, 12, 1)), img2=np.zeros((1, 12, 12, 1)), max_val=1.0)),
    ("strings", "bytes_split", dict(input=np.array(["ab"]))), ("io.gfile", "isdir", dict(path="/")),
    ("signal", "rfft", dict(input_tensor=X)), ("config", "set_soft_device_placement", dict(enabled=True)),
    ("nn", "erosion2d", dict(value=X[None, ..., None], filters=np.zeros((2, 2, 1), "float32"), strides=[1] * 4,
                             padding="SAME", data_format="NHWC", dilations=[1] * 4)),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name", "arguments"), CALLS, ids=[f"{one[0]}.{one[1]}" for one in CALLS])
def test_by_keyword_as_by_position(module, name, arguments):
    function = tf
    for part in filter(None, [*module.split("."), name]):
        function = getattr(function, part)
    by_name, by_place = (keras.tree.flatten(made) for made in (function(**arguments), function(*arguments.values())))
    for ours, theirs in zip(by_name, by_place, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_data_sets_by_keyword():
    numbers = tf.data.Dataset.range(3)
    assert [int(pair[1]) for pair in tf.data.Dataset.zip(datasets=(numbers, numbers))] == [0, 1, 2]
    assert len(numbers.apply(tf.data.experimental.assert_cardinality(expected_cardinality=3))) == 3
    inputs = keras.Input((2, 3))
    assert tf.transpose(a=inputs, perm=[0, 2, 1]).shape == (None, 3, 2)
