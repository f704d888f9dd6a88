"""Hashing and HashedCrossing: the numbers of TensorFlow's hashes, on the host and inside a compiled program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.errors import ConfigError, DataError, ShapeError
from lamina.layers.input_layer import Input
from lamina.layers.text.hashing import HashedCrossing, Hashing
from lamina.layers.text.string_hashes import fingerprint64, fingerprint_cat64, siphash24

EXAMPLES = {
    "Hashing": (lambda: dict(num_bins=3, output_mode="one_hot"), (2,)),
    "HashedCrossing": (lambda: dict(num_bins=4, output_mode="one_hot"), [(1,), (1,)]),
}

# to_hash_bucket_fast and to_hash_bucket_strong (key 133, 137) of TensorFlow 2.21, modulo 2**62.
HASHES = {
    "": (1936946117179621455, 316627932347062996),
    "a": (3694432073954588131, 2466253977694453450),
    "ab": (3066228220894225694, 3814769135020288330),
    "abc": (2640714258260161385, 2288159068006480041),
    "abcd": (1897425971756105985, 3196519216900852167),
    "lamina": (1993324533639882222, 3212975131394931375),
    "8letters": (4142807736717087662, 3711347485234422634),
    "0123456789abcdef": (1493332391325024359, 4045071960732599654),
    "0123456789abcdefg": (2800675501336285770, 2112349501170619355),
    "x" * 31: (653807226908884511, 1571790521023093757),
    "y" * 32: (2351315479247125839, 1739609714814096713),
    "The quick brown fox jumps over the lazy dog": (3152101869897863476, 4100171707309238730),
    "z" * 63: (4328006109088684861, 122946166911681557),
    "w" * 64: (4555407945498560506, 702089228601891224),
    "v" * 65: (978096718525207200, 3711674255615176459),
    "u" * 128: (1466691541297801933, 737585212420610141),
    "The quick brown fox jumps over the lazy dog. " * 4: (2895500079757355426, 70175252174585679),
    "café": (2156005646011579779, 2200240678201728454),
}


def bytes_of(text):
    return [np.array([byte], "uint64") for byte in text.encode()]


@pytest.mark.parametrize("text", HASHES)
def test_hashes_like_tensorflow(text):
    fast, strong = HASHES[text]
    assert int(np.ravel(fingerprint64(bytes_of(text)))[0]) % 2**62 == fast
    assert int(siphash24(bytes_of(text), (133, 137))[0]) % 2**62 == strong


def test_siphash_of_its_paper():
    key = tuple(int.from_bytes(bytes(range(start, start + 8)), "little") for start in (0, 8))
    message = [np.array([byte], "uint64") for byte in range(15)]
    assert int(siphash24(message, key)[0]) == 0xA129CA6149BE45E5


def test_joined_fingerprints_like_tensorflow():
    first, second = (np.array(column, "int64").astype("uint64") for column in ([1, -5, 7, 2**40], [4, 3, 0, -9]))
    joined = fingerprint_cat64(fingerprint_cat64(np.full(4, 0xDECAFCAFFE, "uint64"), first), second)
    expected = [3174199038560320725, 1923979152196849786, 2404596619333551211, 2913134174513550188]
    assert (joined % np.uint64(2**62)).tolist() == expected


NUMBERS = [-7, 2147483647, -2147483648, 0, 99]


@pytest.mark.parametrize(("salt", "expected"), [(None, [62, 57, 69, 35, 2]), ([1, 2], [82, 66, 69, 23, 43])])
def test_integers_like_keras(salt, expected):
    layer = Hashing(100, salt=salt)
    assert layer(NUMBERS).tolist() == expected
    assert jax.jit(lambda x: layer(x))(jnp.asarray(NUMBERS)).tolist() == expected
    assert Hashing(100, salt=salt)(list(map(str, NUMBERS))).tolist() == expected


def test_strings_like_keras():
    words = [["A"], ["B"], ["C"], ["D"], ["E"]]
    assert Hashing(3)(words).ravel().tolist() == [1, 0, 1, 1, 2]
    assert Hashing(3, salt=[133, 137])(words).ravel().tolist() == [1, 2, 1, 0, 2]
    assert Hashing(3, salt=133)(np.array(words, "S")).ravel().tolist() == [0, 0, 2, 1, 0]
    assert Hashing(3, mask_value="")([["A"], ["B"], [""], ["C"]]).ravel().tolist() == [1, 1, 0, 2]
    assert Hashing(3, mask_value=0)([0, 1, 2, -7]).tolist() == [0, 2, 2, 1]


def test_modes_and_shapes():
    numbers = np.array([[0, 1, 2, 3, 4]])
    assert Hashing(3, output_mode="count")(numbers).tolist() == [[2, 2, 1]]
    assert Hashing(3, output_mode="multi_hot")(numbers).tolist() == [[1, 1, 1]]
    assert Hashing(3, output_mode="one_hot")(numbers).shape == (1, 5, 3)
    for mode, shape in (("int", (None, 4)), ("one_hot", (None, 4, 3)), ("count", (None, 3))):
        for dtype in ("int32", "string"):
            assert Hashing(3, output_mode=mode)(Input((4,), dtype=dtype)).shape == shape
    assert Hashing(3, salt=5).get_config()["salt"] == [5, 5]


def test_crosses_like_keras():
    words, numbers = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])
    layer = HashedCrossing(5)
    assert layer((words, numbers)).tolist() == [1, 4, 1, 1, 3]
    assert layer((words[:, None], numbers[:, None])).shape == (5, 1)
    assert HashedCrossing(100)((["a", "b"], ["c", "d"], [3, 4])).tolist() == [65, 49]
    columns = jnp.array([1, -2]), jnp.array([5, 6])
    assert HashedCrossing(100)(columns).tolist() == [33, 51]
    assert jax.jit(lambda a, b: HashedCrossing(100)((a, b)))(*columns).tolist() == [33, 51]
    one_hot = HashedCrossing(5, output_mode="one_hot")
    np.testing.assert_array_equal(one_hot((words, numbers)), np.eye(5)[[1, 4, 1, 1, 3]])
    inputs = [Input((1,), dtype="string"), Input((1,), dtype="int32")]
    assert (layer(inputs).shape, one_hot(inputs).shape) == ((None, 1), (None, 5))


def test_arguments_and_inputs():
    for kwargs, told in (
        (dict(num_bins=None), "must be a positive integer"),
        (dict(num_bins=2, salt="text"), "tuple of size 2"),
        (dict(num_bins=2, salt=[1]), "tuple of size 2"),
        (dict(num_bins=2, output_mode="other"), "must be 'int'"),
        (dict(num_bins=2, dtype="float32"), "should be an integer type"),
        (dict(num_bins=2, sparse=True), "`sparse` may only be true"),
    ):
        with pytest.raises(ConfigError, match=told):
            Hashing(**kwargs)
    with pytest.raises(ConfigError, match="HashedCrossing"):
        HashedCrossing(0)
    with pytest.raises(DataError, match="Only strings and integers"):
        Hashing(2)([1.5])
    layer = HashedCrossing(2)
    for inputs, told in (
        (np.array(1), "a list or tuple"),
        ([np.array(1)], "at least two inputs"),
        ((np.ones((1, 1, 1)),) * 2, "should have shape"),
        ((np.array([1, 2]), np.array([1])), "the same"),
        ((np.array([1.0]),) * 2, "integer or string dtype"),
    ):
        with pytest.raises((DataError, ShapeError), match=told):
            layer(inputs)
