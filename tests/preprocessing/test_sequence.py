"""TimeseriesGenerator, skipgrams, make_sampling_table, one_hot and hashing_trick, against the Keras wheel."""

import random

import keras.src.legacy.preprocessing.sequence as theirs
import keras.src.legacy.preprocessing.text as their_text
import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError, DataError
from lamina.legacy import OldSpelling
from lamina.preprocessing import sequence as ours
from lamina.preprocessing import text

pytestmark = [
    pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling"),
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]
DATA = np.arange(40.0).reshape(20, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        {"length": 3},
        {"length": 4, "sampling_rate": 2, "stride": 3, "batch_size": 2},
        {"length": 3, "start_index": 2, "end_index": 15, "reverse": True, "batch_size": 5},
        {"length": 2, "shuffle": True, "batch_size": 4},
    ],
)
def test_windows(arguments):
    found = []
    for module in (ours, theirs):
        np.random.seed(0)
        generator = module.TimeseriesGenerator(DATA, DATA[:, 0], **arguments)
        found.append([len(generator), *(part.tolist() for i in range(len(generator)) for part in generator[i])])
    assert found[0] == found[1]
    config = ours.TimeseriesGenerator(DATA, DATA[:, 0], **arguments).get_config()
    assert config["length"] == arguments["length"] and config["data"].startswith("[[0.0, 1.0], ")


def test_the_spelling_of_today_gives_the_same_windows():
    with pytest.warns(OldSpelling, match="timeseries_dataset_from_array") as told:
        generator = ours.TimeseriesGenerator(DATA, DATA[:, 0], 3, batch_size=50)
    data, targets = DATA, DATA[:, 0]
    line = str(told[0].message).split(" is ")[1].split(" since")[0]
    ((x, y),) = eval(line, {"keras": keras, "data": data, "targets": targets}).as_numpy_iterator()
    np.testing.assert_array_equal(x, generator[0][0])
    np.testing.assert_array_equal(y, generator[0][1])
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(generator, epochs=1, verbose=0)
    with pytest.raises(DataError, match=r"No window fits.*\nlength=19"):
        ours.TimeseriesGenerator(DATA, DATA, 30)
    with pytest.raises(DataError, match="one length; got 20 and 3"):
        ours.TimeseriesGenerator(DATA, DATA[:3], 2)


@pytest.mark.parametrize("arguments", [{}, {"categorical": True, "window_size": 1}, {"shuffle": False, "seed": 3},
                                       {"negative_samples": 0.5, "seed": 1}])  # fmt: skip
def test_skipgrams(arguments, monkeypatch):
    draw = random.randint
    monkeypatch.setattr(random, "randint", lambda low, high: draw(low, int(high)))  # Keras asks for one up to 10e6
    table = ours.make_sampling_table(10, sampling_factor=0.5)
    np.testing.assert_array_equal(table, theirs.make_sampling_table(10, sampling_factor=0.5))
    found = []
    for module in (ours, theirs):
        random.seed(7)
        found.append(module.skipgrams([1, 0, 3, 5, 2, 9], 10, sampling_table=table, **arguments))
    assert found[0] == found[1]


def test_numbers_of_words():
    words = "The cat, the DOG"
    assert text.hashing_trick(words, 50, "md5") == their_text.hashing_trick(words, 50, "md5")
    assert text.one_hot(words, 50) == their_text.one_hot(words, 50)
    assert text.hashing_trick(words, 9, len, lower=False) == their_text.hashing_trick(words, 9, len, lower=False)
    with pytest.warns(OldSpelling, match="keras.layers.Hashing"):
        text.one_hot(words, 50)
    with pytest.raises(ConfigError, match="2 or more"):
        text.hashing_trick(words, 1)
    with pytest.warns(OldSpelling, match="num_words"):
        assert text.Tokenizer(nb_words=5).num_words == 5
