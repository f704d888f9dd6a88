"""Files that tf.keras 2.21 wrote (files/write.py.txt has the program): the same predictions, the same next epoch."""

import gzip
import pathlib

import numpy as np
import pytest

import lamina

FILES = pathlib.Path(__file__).parent / "files"


@pytest.fixture
def opened(tmp_path):
    """The path of a file of tf.keras, unpacked, and the arrays beside it."""

    def unpack(name):
        packed = next(FILES.glob(f"{name}.*.gz"))
        path = tmp_path / packed.name.removesuffix(".gz")
        path.write_bytes(gzip.decompress(packed.read_bytes()))
        return path, np.load(FILES / f"{name}.npz")

    return unpack


@pytest.mark.parametrize("name", ["recurrent", "frozen", "attention", "functions"])
def test_predictions(name, opened):
    path, arrays = opened(name)
    model = lamina.models.load_model(path)
    assert model.compiled
    np.testing.assert_allclose(model(arrays["x0"]), arrays["y0"], 1e-4, 1e-5)
    if name == "functions":  # and written anew, as ops of Keras 3
        model.save(path.with_suffix(".keras"))
        again = lamina.models.load_model(path.with_suffix(".keras"))
        np.testing.assert_allclose(again(arrays["x0"]), arrays["y0"], 1e-4, 1e-5)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_training_goes_on(name, opened):
    """Adam of Keras 2.11 keeps the slots of a variable together, RMSprop of before one slot of all variables."""
    path, arrays = opened(name)
    model = lamina.models.load_model(path)
    assert int(np.asarray(model.optimizer.iterations)) == 4
    assert model.get_compile_config()["metrics"] is not None
    model.fit(arrays["X"], arrays["Y"], batch_size=8, epochs=1, shuffle=False, verbose=0)
    for number, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, arrays[f"w{number}"], 1e-5, 1e-6)
