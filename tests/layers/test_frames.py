"""How many functions of lamina stand between a user's call and the `call` of a layer: what a reader of a trace sees."""

import pathlib
import sys

import numpy as np
import pytest

import lamina as keras

LAMINA = f"{pathlib.Path(keras.__file__).parent}/"
X, Y = np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32")


class Watched(keras.layers.Dense):
    """A Dense that notes the frames of lamina below the test that called it, outermost last."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.frames = ()

    def call(self, inputs):
        frame, names = sys._getframe(1), []
        while frame is not None and frame.f_code.co_filename != __file__:
            if frame.f_code.co_filename.startswith(LAMINA):
                names.append(f"{frame.f_code.co_filename.removeprefix(LAMINA)}:{frame.f_code.co_name}")
            frame = frame.f_back
        self.frames = tuple(names)
        return super().call(inputs)


def sequential():
    return keras.Sequential([keras.Input((4,)), Watched(3, name="watched"), keras.layers.Dense(1)])


def functional():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(1)(Watched(3, name="watched")(inputs)))


def test_eager_call_of_a_layer():
    layer = Watched(3)
    layer(X)
    assert layer.frames == ("layers/base/layer.py:__call__",)


@pytest.mark.parametrize("make", [sequential, functional])
def test_eager_call_of_a_model(make):
    model = make()
    model(X)
    names = [name.rpartition(":")[2] for name in model.get_layer("watched").frames]
    assert names == ["__call__", "run", "call", "__call__"]


@pytest.mark.parametrize("make", [sequential, functional])
def test_fit(make):
    model = make()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    frames = model.get_layer("watched").frames
    assert len(frames) <= 12, "\n".join(frames)
