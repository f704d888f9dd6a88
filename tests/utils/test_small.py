"""Config, get_source_inputs and split_dataset."""

import copy
import pickle

import keras
import numpy as np
import pytest

import lamina
from lamina import utils
from lamina.errors import ConfigError, DataError


def test_config_is_that_of_keras():
    def story(config):
        config.b = [1, 2]
        config["c"] = "x"
        config.update({"d": 4}, e=5)
        config.pop("e")
        del config["d"]
        told = [repr(config), config.to_json(), len(config), list(config), "c" in config, config.get("z", 7), config.b]
        told += [config.as_dict(), list(config.items()), list(config.keys()), list(config.values())]
        config.freeze()
        for change in (lambda: config.pop("b"), lambda: setattr(config, "z", 1), lambda: config.update(z=1)):
            with pytest.raises(ValueError, match="frozen"):
                change()
        told.append(config.frozen)
        config.unfreeze()
        config.z = 1
        with pytest.raises(AttributeError, match="absent"):
            _ = config.absent
        return [*told, config.frozen, config.z]

    assert story(utils.Config(a=1)) == story(keras.utils.Config(a=1))


def test_config_is_copied_and_pickled():
    config = utils.Config(a=[1])
    config.freeze()
    for twin in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert twin.as_dict() == {"a": [1]} and twin.frozen
    config.unfreeze()
    del config.a
    with pytest.raises(AttributeError):
        del config.a


def test_source_inputs():
    x, y, z = (lamina.Input((3,)) for _ in range(3))
    inner = lamina.layers.Dense(3)(y)
    total = lamina.layers.Add()([x, inner]) * lamina.ops.relu(y)
    assert [id(t) for t in utils.get_source_inputs(total)] == [id(x), id(y)]
    assert utils.get_source_inputs(z)[0] is z


def split(data, **arguments):
    return [[np.asarray(s).tolist() for s in part] for part in utils.split_dataset(data, **arguments)]


@pytest.mark.parametrize(
    "arguments, left, right",
    [
        ({"left_size": 0.7}, [0, 1, 2, 3, 4, 5, 6], [7, 8, 9]),
        ({"left_size": 2}, [0, 1], [2, 3, 4, 5, 6, 7, 8, 9]),
        ({"right_size": 0.25}, [0, 1, 2, 3, 4, 5, 6, 7], [8, 9]),
        ({"left_size": 1, "right_size": 2}, [0], [8, 9]),
    ],
)
def test_split_sizes(arguments, left, right):
    assert split(np.arange(10), **arguments) == [left, right]
    assert split(iter(range(10)), **arguments) == [left, right]


def test_split_keeps_the_structure_and_the_seed():
    x, y = np.arange(12).reshape(6, 2), np.arange(6)
    left, right = utils.split_dataset({"x": x, "y": y}, left_size=4, shuffle=True, seed=1)
    assert len(left) == 4 and len(right) == 2
    samples = [*left, *right]
    assert [int(s["x"][1]) for s in samples] == [2 * int(s["y"]) + 1 for s in samples]
    found = [int(s["y"]) for s in samples]
    assert sorted(found) == list(range(6)) != found
    again = utils.split_dataset({"x": x, "y": y}, left_size=4, shuffle=True, seed=1)
    assert [int(s["y"]) for part in again for s in part] == found


@pytest.mark.parametrize(
    "data, arguments, error, message",
    [
        (np.arange(4), {}, ConfigError, "is needed"),
        (np.arange(4), {"left_size": 1.5}, ConfigError, "left_size is"),
        (np.arange(4), {"right_size": 5}, ConfigError, "right_size is"),
        (np.arange(4), {"left_size": 3, "right_size": 0.5}, ConfigError, "more than"),
        (np.arange(4), {"left_size": 0.01}, ConfigError, "empty"),
        ((np.arange(4), np.arange(3)), {"left_size": 1}, DataError, "one length"),
        (3, {"left_size": 1}, DataError, "int"),
    ],
)
def test_split_refuses(data, arguments, error, message):
    with pytest.raises(error, match=message):
        utils.split_dataset(data, **arguments)
