"""Files whose large arrays HDF5 never gets: they are those of HDF5, and no array is copied."""

import io
import zipfile

import h5py
import ml_dtypes
import numpy as np

import lamina as keras
from lamina.saving.formats.hdf5_pieces import HDF5Pieces
from lamina.saving.safety.hdf5 import write_array

GENERATOR = np.random.default_rng(0)
ARRAYS = {
    "float32": GENERATOR.normal(size=(300, 301)).astype("float32"),
    "turned": GENERATOR.normal(size=(200, 100)).T,
    "bool": GENERATOR.integers(0, 2, 70_000).astype(bool),
    "bfloat16": GENERATOR.normal(size=40_000).astype(ml_dtypes.bfloat16),
    "float8": GENERATOR.normal(size=70_000).astype(ml_dtypes.float8_e4m3fn),
    "complex64": np.ones(10_000, "complex64") * 1j,
    "small": np.arange(5),
    "none": np.zeros((0, 70_000)),
    "number": np.float64(2.5),
}


def test_the_file_has_what_hdf5_would_have_written():
    pieces, whole = HDF5Pieces(), io.BytesIO()
    for kind, put in ((pieces, pieces.put), (whole, None)):
        with h5py.File(kind, "w") as file:
            for number in range(40):  # groups beyond one page
                group = file.require_group(f"layers/dense_{number}/vars")
                group.attrs["name"] = "a" * number
                for name, value in ARRAYS.items() if number % 20 == 0 else ():
                    write_array(group, name, value, put)
    given = [*pieces.pieces()]
    large = ARRAYS["float32"]
    assert any(np.shares_memory(np.frombuffer(piece, "uint8"), large) for piece in given if len(piece) > 2**16)
    data = b"".join(given)
    assert len(data) == pieces.size
    with h5py.File(io.BytesIO(data)) as file, h5py.File(whole) as expected:
        for number in (0, 20):
            for name in ARRAYS:
                path = f"layers/dense_{number}/vars/{name}"
                found, wanted = file[path], expected[path]
                assert isinstance(found, h5py.Dataset) and isinstance(wanted, h5py.Dataset)
                assert found.dtype == wanted.dtype and found.shape == wanted.shape
                assert dict(found.attrs) == dict(wanted.attrs)
                assert np.asarray(found).tobytes() == np.asarray(wanted).tobytes()


def test_a_file_and_a_folder_have_the_same_member(tmp_path):
    model = keras.Sequential([keras.Input((200,)), keras.layers.Dense(150), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 200)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "folder", zipped=False)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        assert archive.testzip() is None
        assert archive.read("model.weights.h5") == (tmp_path / "folder" / "model.weights.h5").read_bytes()
    again = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
