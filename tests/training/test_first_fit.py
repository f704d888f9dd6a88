"""A first fit compiles its steps and nothing else: no value is made, and no shape found, by a program of its own."""

import logging
import re

import jax
import numpy as np
import pytest

import lamina as keras
from lamina import layers

X = np.random.default_rng(0).normal(size=(20, 8, 3)).astype("float32")
Y = np.arange(20) % 2


def dense():
    return [layers.Flatten(), layers.Dense(4, "gelu"), layers.BatchNormalization(), layers.Dropout(0.2)]


def recurrent():
    return [layers.LSTM(2), layers.LayerNormalization()]


def convolutional():
    return [layers.Conv1D(2, 3, activation="relu"), layers.MaxPooling1D(), layers.Flatten()]


def compiled_programs(caplog, run):
    """The names of the programs that XLA compiles in `run()`, in order."""
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        run()
    found = [re.search(r"Finished XLA compilation of jit\((\w+)\)", one.getMessage()) for one in caplog.records]
    return [one[1] for one in found if one]


@pytest.mark.compiles
@pytest.mark.parametrize("inner", [dense, recurrent, convolutional])
def test_a_first_fit_compiles_its_steps_alone(inner, caplog):
    def run():
        model = keras.Sequential([keras.Input((8, 3)), *inner(), layers.Dense(2, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X[:16], Y[:16], batch_size=8, epochs=2, verbose=0)
        model.fit(X[:16], Y[:16], batch_size=8, verbose=0, validation_data=(X[:8], Y[:8]), validation_batch_size=8)
        model.fit(X, Y, batch_size=8, verbose=0)  # the last batch has four samples

    assert compiled_programs(caplog, run) == ["lamina_train", "lamina_test", "lamina_train"]
