"""What was compiled: each shape once, whoever asks for it."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.runtime.compilations import Recorder

pytestmark = pytest.mark.compiles

X, Y = np.ones((10, 3), "float32"), np.ones((10, 2), "float32")


def model():
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def programs(made):
    return [(one.kind, one.batch) for one in made.compilations()]


def test_a_shape_is_compiled_once():
    made = model()
    for _ in range(2):
        made.fit(X, Y, batch_size=4, verbose=0, validation_data=(X, Y), validation_batch_size=5)
        made.train_on_batch(X[:4], Y[:4])
        made.evaluate(X, Y, batch_size=5, verbose=0)
        made.test_on_batch(X[:5], Y[:5])
        made.predict(X, batch_size=5, verbose=0)
        made.predict(X[:5], verbose=0)
        made.predict_on_batch(X[:5])
    assert programs(made) == [
        ("train", "float32(4, 3), float32(4, 2)"),
        ("train", "float32(2, 3), float32(2, 2)"),
        ("test", "float32(5, 3), float32(5, 2)"),
        ("predict", "float32(5, 3)"),
    ]


def test_a_record_says_how_long_it_took_and_prints_as_a_row():
    made = model()
    made.predict(X, verbose=0)
    (record,) = made.compilations()
    assert record.tracing > 0 and record.compiling > 0 and record.from_disk is False
    shown = repr(made.compilations())
    assert "predict" in shown and "float32(10, 3)" in shown and f"{record.when:%H:%M:%S}" in shown


def test_one_thawed_layer_is_another_program():
    made = model()
    made.fit(X, Y, verbose=0)
    made.layers[0].trainable = False
    made.fit(X, Y, verbose=0)
    made.layers[0].trainable = True
    made.fit(X, Y, verbose=0)
    assert len(made.compilations()) == 2


def test_what_was_traced_and_not_compiled_is_no_record():
    recorder = Recorder()
    recorder.traced("train", "program", (X, Y))
    recorder.finish()
    assert recorder.records == [] and not recorder.current
