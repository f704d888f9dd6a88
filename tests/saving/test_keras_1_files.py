"""Files that Keras 1.2.2 wrote (files/write_keras_1.py.txt has the program): the same predictions."""

import gzip
import pathlib

import numpy as np
import pytest

import lamina

FILES = pathlib.Path(__file__).parent / "files"
NAMES = sorted(path.name.split(".")[0] for path in FILES.glob("keras1_*.gz"))


def test_there_are_files():
    assert len(NAMES) == 7


@pytest.mark.parametrize("name", NAMES)
def test_predictions(name, tmp_path):
    """Of Theano: kernels turned round, axes in its order, gates one by one; slots by the names of weights."""
    path, arrays = tmp_path / "model.h5", np.load(FILES / f"{name}.npz")
    path.write_bytes(gzip.decompress((FILES / f"{name}.h5.gz").read_bytes()))
    model = lamina.models.load_model(path)
    inputs = [arrays[key] for key in sorted(arrays.files) if key.startswith("x")]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    np.testing.assert_allclose(model.predict(inputs, verbose=0), arrays["p"], 1e-4, 1e-5)
