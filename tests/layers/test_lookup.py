"""StringLookup and IntegerLookup: vocabularies, modes, unknown and masked tokens, adapting, files, configs.

Keras's own need TensorFlow; the expected numbers are those of Keras 3.15 on TensorFlow.
"""

import jax
import numpy as np
import pytest

from lamina.errors import CallError, ConfigError, DataError, FileError
from lamina.layers.input_layer import Input
from lamina.layers.serialization import deserialize, serialize
from lamina.layers.text.lookups import IntegerLookup, StringLookup

EXAMPLES = {
    "StringLookup": (lambda: dict(vocabulary=["a", "b"], output_mode="count"), (3,)),
    "IntegerLookup": (lambda: dict(vocabulary=[0, 2], output_mode="multi_hot"), (3,)),
}

WORDS = ["a", "a", "a", "b", "b", "c"]


def test_numbers_of_strings():
    layer = StringLookup(vocabulary=["a", "b", "c"])
    assert layer([["a", "c"], ["b", "z"]]).tolist() == [[1, 3], [2, 0]]
    assert layer(np.array(["b", b"c"], object)).tolist() == [2, 3]
    assert layer("b").tolist() == 2
    assert str(layer(["a"]).dtype) == layer(Input((3,), dtype="string")).dtype == "int32"
    assert StringLookup(vocabulary=["a"], mask_token="")(["", "a", "q"]).tolist() == [0, 2, 1]
    assert StringLookup(num_oov_indices=3, vocabulary=["a", "c", "b"], mask_token="")(
        ["b", "q", "zz", ""]
    ).tolist() == [6, 3, 2, 0]
    with pytest.raises(DataError, match=r"num_oov_indices=0.*'zz'"):
        StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "zz"])
    with pytest.raises(DataError, match="needs strings"):
        layer([1])


def test_numbers_of_integers():
    layer = IntegerLookup(vocabulary=[12, 36, 1138, 42])
    rows = np.array([[12, 1138, 42], [42, 1000, 36]])
    assert layer(rows).tolist() == jax.jit(lambda x: layer(x))(rows).tolist() == [[1, 3, 4], [4, 0, 2]]
    assert IntegerLookup(vocabulary=[1, 2], mask_token=0)([0, 1, 2, 9]).tolist() == [0, 2, 3, 1]
    assert IntegerLookup(vocabulary=[5, 6], num_oov_indices=3)([5, 9, 10, -4, 11]).tolist() == [3, 0, 1, 2, 2]
    hashed = IntegerLookup(vocabulary=[10, 20, 30], num_oov_indices=4, oov_method="farmhash")
    unknown = np.array([100, 200, 300, 400])
    assert hashed(unknown).tolist() == jax.jit(lambda x: hashed(x))(unknown).tolist() == [3, 1, 3, 1]
    with pytest.raises(DataError, match="needs integers"):
        layer(["a"])


def test_back_to_tokens():
    layer = StringLookup(vocabulary=["a", "b"], mask_token="", invert=True)
    assert layer([0, 1, 2, 3, 9]).tolist() == ["", "[UNK]", "a", "b", "[UNK]"]
    assert layer(Input((2,), dtype="int32")).dtype == "string"
    assert IntegerLookup(vocabulary=[7, 8], mask_token=0, invert=True)([0, 1, 2, 3, 9]).tolist() == [0, -1, 7, 8, -1]
    with pytest.raises(CallError, match="compiled program cannot"):
        jax.jit(lambda x: layer(x))(np.array([1]))


def test_modes():
    words = [["a", "b", "d", "b"]]
    kwargs = dict(vocabulary=["a", "b", "c"], mask_token="")
    assert StringLookup(output_mode="multi_hot", **kwargs)(words).tolist() == [[1, 1, 1, 0]]
    assert StringLookup(output_mode="count", **kwargs)(words).tolist() == [[1, 1, 2, 0]]
    assert StringLookup(output_mode="count", **kwargs)([["a", "zz", "", ""]]).tolist() == [[1, 1, 0, 0]]
    assert StringLookup(output_mode="one_hot", **kwargs)(["a", "d"]).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    weighed = StringLookup(output_mode="tf_idf", idf_weights=[0.1, 0.2, 0.3], **kwargs)
    np.testing.assert_allclose(weighed(words), [[0.2, 0.1, 0.4, 0.0]], 1e-6)
    padded = IntegerLookup(
        5, 0, vocabulary=[1, 2], pad_to_max_tokens=True, output_mode="tf_idf", idf_weights=[0.5, 0.25]
    )
    np.testing.assert_allclose(padded([1, 1, 2]), [1, 0.25, 0, 0, 0], 1e-6)
    nested = IntegerLookup(vocabulary=[1, 2, 3], output_mode="one_hot")
    assert nested(np.ones((2, 3, 2), int)).shape == (2, 3, 2, 4) and nested(Input((3, 2))).shape == (None, 3, 2, 4)


def test_adapt_takes_the_most_frequent_tokens_first():
    layer = StringLookup()
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"] and layer.vocabulary_size() == 4
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "b", "c"]
    layer.adapt(iter([["x", "y"], ["y", "z"]]))
    assert layer.get_vocabulary() == ["[UNK]", "y", "z", "x"]  # of equally frequent ones the later
    small = StringLookup(max_tokens=3, mask_token="")
    small.adapt([*WORDS, "", "[UNK]"])
    assert small.get_vocabulary() == ["", "[UNK]", "a"]
    numbers = IntegerLookup()
    numbers.adapt(np.array([[5, 7], [7, 30], [4, 5], [100, 9]]))
    assert numbers.get_vocabulary() == [-1, 7, 5, 100, 30, 9, 4]
    padded = StringLookup(max_tokens=6, pad_to_max_tokens=True, output_mode="count")
    padded.adapt(["b", "b", "a"])
    assert padded(["b"]).tolist() == [0, 1, 0, 0, 0, 0]


def test_adapt_finds_the_weights_of_tf_idf():
    layer = StringLookup(output_mode="tf_idf", mask_token="")
    layer.adapt([["one", "one"], ["one", "two"], ["two", "three"]])
    np.testing.assert_allclose(layer.idf_weights[1:], np.log(1 + 3 / (1 + np.array([2, 2, 1]))), 1e-6)
    np.testing.assert_allclose(layer.idf_weights[0], layer.idf_weights[1:].mean(), 1e-6)
    alone = StringLookup(output_mode="tf_idf")
    alone.adapt(["one", "one", "one", "two", "two", "three"])
    np.testing.assert_allclose(alone(["one", "two", "four"]), [1.1337324, 0.91629076, 1.0986123, 0], 1e-6)


def test_states_add_up():
    layer = StringLookup()
    layer.reset_state()
    for part in (["a", "b"], ["b"]):
        layer.update_state(part)
    layer.finalize_state()
    layer.finalize_state()
    assert layer.get_vocabulary() == ["[UNK]", "b", "a"]


def test_set_vocabulary():
    layer = StringLookup(mask_token="")
    layer.set_vocabulary(["", "[UNK]", "a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a"]
    layer.set_vocabulary(np.array(["b"]))
    assert layer(["b", "a"]).tolist() == [2, 1]
    given = StringLookup(vocabulary=["a"])
    given.set_vocabulary(["x", "y"])
    assert StringLookup.from_config(given.get_config()).get_vocabulary() == ["[UNK]", "x", "y"]
    weighed = StringLookup(output_mode="tf_idf")
    weighed.set_vocabulary(["[UNK]", "a"], idf_weights=[0.5, 2.0])
    np.testing.assert_allclose(weighed(["z", "a"]), [0.5, 2.0])


def test_vocabulary_of_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("b\na b\n\u2028\n".encode())  # a line ends where \n is, nowhere else
    layer = StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary(False) == ["b", "a b", "\u2028"]
    assert layer.get_config()["vocabulary"] is None
    path.write_text("10\n20\n")
    assert IntegerLookup(vocabulary=path)([20, 5]).tolist() == [2, 0]
    with pytest.raises(FileError, match="does not exist"):
        StringLookup(vocabulary=str(tmp_path / "other.txt"))


def test_assets(tmp_path):
    layer = StringLookup(mask_token="", num_oov_indices=2)
    layer.adapt(WORDS)
    layer.save_assets(tmp_path)
    assert (tmp_path / "vocabulary.txt").read_bytes() == b"\n[UNK]\n[UNK]\na\nb\nc"
    other = StringLookup(mask_token="", num_oov_indices=2)
    other.load_assets(tmp_path)
    assert other.get_vocabulary() == layer.get_vocabulary()
    StringLookup(vocabulary=["x"]).load_assets(tmp_path / "nowhere")  # what the config holds is not read again
    broken = StringLookup(vocabulary=np.array(["a\nb"]))
    broken.save_assets(tmp_path / "nowhere")
    broken = StringLookup()
    broken.adapt(["a\nb"])
    with pytest.raises(FileError, match="line breaks"):
        broken.save_assets(tmp_path)


def test_configs():
    # What Keras 3.15 writes.
    theirs = {
        "name": "words", "trainable": True, "invert": False, "max_tokens": None, "num_oov_indices": 1,
        "oov_token": "[UNK]", "mask_token": None, "output_mode": "tf_idf", "sparse": False, "pad_to_max_tokens": False,
        "idf_weights": [1.0, 2.0], "vocabulary": ["a", "b"], "vocabulary_size": 3, "oov_method": "floormod",
        "salt": None, "encoding": "utf-8",
    }  # fmt: skip
    layer = StringLookup.from_config(theirs)
    assert layer.idf_weights.tolist() == [1.5, 1.0, 2.0]
    config = layer.get_config()
    assert {key: config[key] for key in theirs if key != "oov_method"} == {
        key: value for key, value in theirs.items() if key != "oov_method"
    }
    numbers = IntegerLookup(vocabulary=[3, 1], num_oov_indices=2, oov_method="farmhash", salt=7, mask_token=0)
    again = deserialize(serialize(numbers))
    assert again.get_config() == numbers.get_config() and again.salt == [7, 7]
    with pytest.raises(FileError, match="never read"):
        StringLookup.from_config({"vocabulary": "/etc/hostname"})
    adapted = StringLookup()
    adapted.adapt(WORDS)
    assert StringLookup.from_config(adapted.get_config())._depth() == 4


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        (dict(max_tokens=1), "greater than 1"),
        (dict(pad_to_max_tokens=True), "must set `max_tokens`"),
        (dict(num_oov_indices=-1), "of 0 or more"),
        (dict(invert=True, output_mode="count"), "must be `'int'` when `invert`"),
        (dict(sparse=True), "`sparse` may only be true"),
        (dict(idf_weights=[1.0]), "should only be set if"),
        (dict(output_mode="other"), "must be 'int'"),
        (dict(vocabulary=["a", "a"]), "repeated term"),
        (dict(vocabulary=["a", "m"], mask_token="m"), "reserved mask token at unexpected location"),
        (dict(vocabulary=["a", "[UNK]"], invert=True), "reserved OOV token at unexpected location"),
        (dict(vocabulary=["a", "b"], max_tokens=2), "larger than the maximum"),
        (dict(vocabulary=[]), "empty vocabulary"),
        (dict(vocabulary=[1]), "must be strings"),
        (dict(vocabulary=["a"], output_mode="tf_idf"), "needs `idf_weights`"),
        (dict(vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]), "same length"),
        (dict(salt="text"), "tuple of size 2"),
    ],
)
def test_arguments(kwargs, told):
    with pytest.raises(ConfigError, match=told):
        StringLookup(**kwargs)


def test_arguments_of_integers_and_states():
    for kwargs in (dict(vocabulary_dtype="int32"), dict(oov_method="other"), dict(salt=3)):
        with pytest.raises(ConfigError):
            IntegerLookup(**kwargs)
    with pytest.raises(ConfigError, match="Cannot adapt layer"):
        StringLookup(vocabulary=["a"]).adapt(["b"])
    with pytest.raises(CallError, match="no vocabulary yet"):
        StringLookup()(["a"])
