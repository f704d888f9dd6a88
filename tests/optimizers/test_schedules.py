"""The schedules against Keras over and beyond their steps."""

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError

SCHEDULES = [
    ("ExponentialDecay", (0.1, 5, 0.5)),
    ("ExponentialDecay", (0.1, 5, 0.5, True)),
    ("InverseTimeDecay", (0.1, 5, 0.5)),
    ("InverseTimeDecay", (0.1, 5, 0.5, True)),
    ("PolynomialDecay", (0.1, 10)),
    ("PolynomialDecay", (0.1, 10, 0.01, 2.0)),
    ("PolynomialDecay", (0.1, 10, 0.01, 0.5, True)),
    ("PiecewiseConstantDecay", ([3, 10], [0.1, 0.01, 0.001])),
    ("CosineDecay", (0.1, 10)),
    ("CosineDecay", (0.0, 10, 0.2, "warm", 0.3, 5)),
    ("CosineDecayRestarts", (0.1, 4)),
    ("CosineDecayRestarts", (0.1, 4, 1.0, 0.5, 0.1)),
    ("CosineDecayRestarts", (0.1, 4, 1.5, 0.9)),
]


@pytest.mark.parametrize(("name", "arguments"), SCHEDULES)
def test_schedule_gives_what_keras_gives(name, arguments):
    ours, theirs = (getattr(library.optimizers.schedules, name)(*arguments) for library in (lamina, keras))
    steps = [0, 1, 3, 4, 5, 7, 10, 11, 13, 25]
    got, expected = [np.asarray(ours(step)) for step in steps], [np.asarray(theirs(step)) for step in steps]
    assert {value.dtype.name for value in got} == {"float32"}
    np.testing.assert_allclose(got, expected, 1e-5, 1e-8)
    described = lamina.optimizers.schedules.serialize(ours)
    assert described == keras.optimizers.schedules.serialize(theirs)
    assert lamina.optimizers.schedules.deserialize(described).get_config() == ours.get_config()


def test_wrong_schedules_are_named():
    with pytest.raises(ConfigError, match="decay_steps is a number above 0; got 0"):
        lamina.optimizers.schedules.CosineDecay(0.1, 0)
    with pytest.raises(ConfigError, match="2 boundaries and 2 values"):
        lamina.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(NotImplementedError, match="__call__"):
        lamina.optimizers.schedules.LearningRateSchedule()(0)
