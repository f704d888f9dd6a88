"""Damaged files end in a clean load or a clean error, within bounds of memory and time. See mutants.py."""

import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies as st

import lamina
from lamina import layers, saving
from tests.saving import mutants

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_damaged_files_are_read_or_refused():
    """In a process of its own, so that a crash or a hang would be seen; `mutants.py 0 1000000` goes on for hours."""
    result = subprocess.run(
        [sys.executable, mutants.__file__, "0", "150"],
        cwd=pathlib.Path(lamina.__file__).parents[1],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    assert "'read'" in result.stdout and "'UnsafeFileError'" in result.stdout


def described():
    start = lamina.Input((4, 3), name="start")
    y = layers.LSTM(2, return_sequences=True)(layers.Dense(3, activation="relu", kernel_regularizer="l2")(start))
    return json.loads(lamina.Model(start, layers.Flatten()(y + 1)).to_json())


DESCRIBED = described()


@hypothesis.settings(derandomize=True, max_examples=150, deadline=None, database=None)
@hypothesis.given(st.integers(0, 2**32))
def test_damaged_descriptions_are_read_or_refused(number):
    text = json.dumps(mutants.mutated_json(random.Random(number), DESCRIBED))
    with contextlib.suppress(*mutants.CLEAN):
        saving.model_from_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(mutants.VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@hypothesis.settings(derandomize=True, max_examples=100, deadline=None, database=None)
@hypothesis.given(st.sampled_from(["Dense", "LSTM", "Conv2D", "Reshape", "InputLayer", "Bidirectional"]), st.data())
def test_layers_of_any_json_values_are_made_or_refused(name, data):
    arguments = {"Bidirectional": ["layer", "merge_mode"], "InputLayer": ["batch_shape", "dtype"]}
    keys = arguments.get(name, ["units", "filters", "kernel_size", "target_shape", "activation", "dtype", "name"])
    config = data.draw(st.dictionaries(st.sampled_from(keys), json_values, max_size=3))
    start = {"class_name": "InputLayer", "config": {"batch_shape": [None, 4, 3]}}
    rows = [start, {"class_name": name, "config": config}]
    with contextlib.suppress(*mutants.CLEAN):
        saving.model_from_json(json.dumps({"class_name": "Sequential", "config": {"layers": rows}}))
