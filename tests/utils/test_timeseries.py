"""Windows of a series, against the Keras wheel's grain data sets."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina.errors import ConfigError

ours, theirs = lamina.utils.timeseries_dataset_from_array, keras.utils.timeseries_dataset_from_array


def batches(dataset):
    return [[np.asarray(part).tolist() for part in (b if isinstance(b, tuple) else (b,))] for b in dataset]


@settings(max_examples=10, deadline=None)
@given(
    st.integers(9, 20), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2),
    st.sampled_from([None, 2, 5]), st.booleans(), st.integers(0, 9), st.sampled_from([None, 2]),
    st.sampled_from([None, 1]), st.sampled_from([None, 0, 3]),
)  # fmt: skip
def test_windows(steps, length, stride, rate, size, shuffle, seed, start, before_end, missing):
    data = np.arange(steps)[:, None] * [1.0, 10.0]
    targets = None if missing is None else np.arange(steps - missing) * 7
    if missing and start:
        start = None  # Keras counts windows from 0 there and reads behind the targets
    end = None if before_end is None else steps - before_end
    arguments = (data, targets, length, stride, rate, size, shuffle, seed, start, end, "grain")
    assert batches(ours(*arguments)) == batches(theirs(*arguments))


def test_each_pass_has_its_order_and_the_seed_fixes_it():
    def orders():
        dataset = ours(np.arange(20), None, 1, batch_size=20, shuffle=True, seed=3)
        return [batches(dataset)[0][0] for _ in range(3)]

    first, second, third = orders()
    assert first != second != third != first
    assert sorted(first) == sorted(second)
    assert orders() == [first, second, third]


def test_no_window_without_a_target():
    found = batches(ours(np.arange(9), np.arange(6), 1, start_index=2))
    assert found == [[[[2], [3], [4], [5]], [2, 3, 4, 5]]]


def test_the_end_of_the_data_is_an_end_index():
    assert batches(ours(np.arange(6), None, 3, end_index=6)) == batches(ours(np.arange(6), None, 3))


def test_fit_on_windows():
    data = np.arange(40, dtype="float32") / 40
    dataset = ours(data[:-3], data[3:], sequence_length=3, batch_size=8)
    assert len(dataset) == 5
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(1)])
    model.compile("sgd", "mse")
    losses = model.fit(dataset, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"sequence_length": 0}, "sequence_length"),
        ({"sequence_length": 2, "sequence_stride": 10}, "sequence_stride"),
        ({"sequence_length": 2, "sampling_rate": -1}, "sampling_rate"),
        ({"sequence_length": 2, "start_index": 10}, "start_index"),
        ({"sequence_length": 2, "start_index": 5, "end_index": 5}, "end_index"),
        ({"sequence_length": 2, "format": "torch"}, "format"),
        ({"sequence_length": 2, "batch_size": 0}, "batch_size"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ConfigError, match=message):
        ours(np.arange(10), None, **arguments)
