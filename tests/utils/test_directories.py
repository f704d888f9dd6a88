"""Data sets from folders, against the Keras wheel's grain data sets."""

import wave

import keras
import numpy as np
import pytest
from PIL import Image

import lamina
from lamina.errors import ConfigError, DataError
from lamina.utils.resampling import resample
from tests.cli.processes import python

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes (one with a folder inside, one with an image of another kind) and what must be left out."""
    root = tmp_path_factory.mktemp("data")
    for i, name in enumerate(["a/0", "a/2", "a/inner/1", "b/1", "b/9", "b/10", "b/3", ".hidden/0"]):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6 + i % 2, 9, 3)).astype("uint8")).save(path.with_suffix(".png"))
        path.with_suffix(".txt").write_text(f"wörd {i}", encoding="utf-8")
    Image.fromarray(rng.integers(0, 256, (6, 9)).astype("uint8")).save(root / "b" / "z.GIF")
    return root


def same(found, wanted):
    found, wanted = list(found), list(wanted)
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        ours, theirs = (b if isinstance(b, tuple) else (b,) for b in (ours, theirs))
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            other = np.asarray(other)
            if other.dtype.kind == "f":
                assert np.asarray(mine).dtype == other.dtype
                np.testing.assert_allclose(mine, other, rtol=1e-4, atol=2e-3)  # of 255
            else:
                np.testing.assert_array_equal(mine, other)


def compare(name, folder, **arguments):
    wanted = getattr(keras.utils, name)(folder, format="grain", verbose=False, **arguments)
    found = getattr(lamina.utils, name)(folder, verbose=False, **arguments)
    assert found.class_names == wanted.class_names
    assert found.file_paths == getattr(wanted, "file_paths", found.file_paths)  # texts have none
    same(found.as_numpy_iterator(), wanted)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shuffle": False},
        {"seed": 3, "label_mode": "binary"},
        {"seed": 3, "label_mode": "categorical", "color_mode": "grayscale", "data_format": "channels_first"},
        {"seed": 5, "batch_size": None, "color_mode": "rgba", "label_mode": "binary"},
        {"labels": None, "shuffle": False},
        {"labels": [3, 1, 1, 3, 1, 1, 3, 1, 0], "shuffle": False},
        {"class_names": ["b", "a"], "shuffle": False},
        {"shuffle": False, "validation_split": 0.3, "subset": "training"},
        {"seed": 2, "validation_split": 0.3, "subset": "validation"},
        {"seed": 2, "interpolation": "nearest"},
        {"seed": 2, "interpolation": "bicubic", "crop_to_aspect_ratio": True},
        {"seed": 2, "interpolation": "lanczos3", "pad_to_aspect_ratio": True},
        {"seed": 2, "interpolation": "LANCZOS5", "image_size": 6},
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Keras leaves image files open
def test_images(folder, arguments):
    compare("image_dataset_from_directory", folder, **{"image_size": (8, 5), "batch_size": 3, **arguments})


@pytest.mark.parametrize(
    "arguments",
    [{"shuffle": False}, {"seed": 1, "max_length": 2}, {"labels": None, "batch_size": None, "seed": 0}],
)
def test_texts(folder, arguments):
    compare("text_dataset_from_directory", folder, **{"batch_size": 3, **arguments})


def test_both_parts(folder):
    arguments = {"validation_split": 0.3, "seed": 3, "batch_size": None, "verbose": False}
    parts = lamina.utils.text_dataset_from_directory(folder, subset="both", **arguments)
    assert not set(parts[0].file_paths) & set(parts[1].file_paths)
    wanted = keras.utils.text_dataset_from_directory(folder, subset="both", format="grain", **arguments)
    for ours, theirs in zip(parts, wanted, strict=True):
        same(ours.as_numpy_iterator(), theirs)
        assert ours.class_names == theirs.class_names


def test_both_formats_hold_the_same(folder, capsys):
    import grain

    of = lambda kind: lamina.utils.text_dataset_from_directory(
        folder, subset="training", validation_split=0.5, seed=1, format=kind
    )
    ours, theirs = of("tf"), of("grain")
    assert isinstance(ours, lamina.utils.Dataset) and isinstance(theirs, grain.IterDataset)
    assert capsys.readouterr().out == "Found 7 files of 2 classes.\n4 of them are for training.\n" * 2
    for _ in range(3):  # each pass has an order of its own, and the same in both
        same(ours.as_numpy_iterator(), theirs)


def broken(folder, count):
    for i, text in enumerate(["no image at all", "", "x" * 50][:count]):
        (folder / "a" / f"broken{i}.jpg").write_text(text)


@pytest.fixture
def pictures(tmp_path):
    for i in range(6):
        path = tmp_path / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), 10 * i, "uint8")).save(path)
    return tmp_path


def test_a_broken_file_is_named(pictures):
    broken(pictures, 1)
    whole = (pictures / "b" / "1.png").read_bytes()
    (pictures / "b" / "1.png").write_bytes(whole[: len(whole) // 2])
    dataset = lamina.utils.image_dataset_from_directory(pictures, image_size=(4, 4), shuffle=False, verbose=False)
    with pytest.raises(DataError, match=r"broken0\.jpg cannot be read as image: cannot identify.*\n.*on_error='skip'"):
        list(dataset)
    (pictures / "a" / "broken0.jpg").unlink()
    with pytest.raises(DataError, match=r"1\.png cannot be read as image: "):
        dataset = lamina.utils.image_dataset_from_directory(pictures, image_size=(4, 4), shuffle=False, verbose=False)
        list(dataset.map(lambda x, y: (x, y)).prefetch(1))


def test_broken_files_are_left_out_and_counted(pictures):
    broken(pictures, 2)
    (pictures / "b" / "7.png").write_bytes(b"x")
    (pictures / "b" / "9.png").write_bytes(b"")
    dataset = lamina.utils.image_dataset_from_directory(
        pictures, image_size=(4, 4), shuffle=False, batch_size=4, verbose=False, on_error="skip"
    )
    with pytest.warns(UserWarning, match=r"4 of 10 files were skipped:\n.*broken0(.|\n)*and 1 more") as told:
        first = list(dataset.as_numpy_iterator())
    assert len(told) == 1 and told[0].filename == __file__
    assert [x[:, 0, 0, 0].tolist() for x, _ in first] == [[0, 20, 40, 10], [30, 50]]
    assert [y.tolist() for _, y in first] == [[0, 0, 0, 1], [1, 1]]
    same(dataset.as_numpy_iterator(), first)  # and is told once
    assert len(dataset) == 2


def test_in_an_install_without_grain(pictures):
    program = f"""
import sys
for name in ("grain", "tensorflow", "torch", "pandas", "scipy"):
    sys.modules[name] = None
import lamina as keras
train = keras.utils.image_dataset_from_directory({str(pictures)!r}, image_size=(4, 4), batch_size=2, verbose=False)
print(train, train.element_spec)
model = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(2)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
data = train.cache().shuffle(10).map(lambda x, y: (x / 2, y), num_parallel_calls=-1).prefetch(-1)
history = model.fit(data, validation_data=train.take(1), epochs=2, verbose=0)
count = len(history.history["val_loss"])
print(len(data), int(data.cardinality()), data.class_names, count, model.predict(train, verbose=0).shape)
try:
    keras.utils.image_dataset_from_directory({str(pictures)!r}, format="grain", verbose=False)
except ImportError as error:
    print(error.fix)
"""
    done = python("-c", program)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == (
        "Dataset(3 batches: float32 (None, 4, 4, 3), int32 (None,); class_names=['a', 'b']) "
        "(TensorSpec(shape=(None, 4, 4, 3), dtype=float32), TensorSpec(shape=(None,), dtype=int32))"
    )
    assert second == "3 3 ['a', 'b'] 2 (6, 2)"
    assert "pip install grain" in third


@pytest.mark.parametrize("interpolation, weights", [("area", [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])])
def test_areas_are_means(interpolation, weights):
    image = rng.normal(size=(3, 3, 2)).astype("float32")
    wanted = np.einsum("ij,jkc,lk->ilc", weights, image, weights)
    np.testing.assert_allclose(resample(image, (2, 2), interpolation), wanted, rtol=1e-5)


@pytest.mark.parametrize("interpolation", ["gaussian", "mitchellcubic"])
def test_kernels_keep_what_is_even(interpolation):
    ramp = np.arange(20.0, dtype="float32").reshape(1, 20, 1)
    np.testing.assert_allclose(resample(np.ones((4, 5, 1), "float32"), (7, 3), interpolation), 1, rtol=1e-6)
    np.testing.assert_allclose(resample(ramp, (1, 10), interpolation)[0, 2:-2, 0], np.arange(4.5, 16, 2), rtol=1e-5)


def write_wav(path, samples, rate=8000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], width, rate, 0, "NONE", ""))
        numbers = np.round(samples * 2 ** (8 * width - 1)).astype("int64")
        numbers = numbers + 128 if width == 1 else numbers
        file.writeframes(b"".join(int(n).to_bytes(width, "little", signed=width > 1) for n in numbers.ravel()))


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_audio(tmp_path, width):
    sounds = {name: rng.uniform(-0.9, 0.9, (length, 2)) for name, length in (("a/0", 5), ("a/1", 8), ("b/0", 3))}
    for name, sound in sounds.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_wav(tmp_path / f"{name}.wav", sound, width=width)
    make = lambda **more: lamina.utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, **more)
    ((batch, labels),) = make()
    assert labels.tolist() == [0, 0, 1] and batch.dtype == "float32" and batch.shape == (3, 8, 2)
    np.testing.assert_allclose(batch[0, :5], sounds["a/0"], atol=2.0 ** (1 - 8 * width) + 1e-7)
    assert not batch[0, 5:].any()
    ((ragged, _),) = make(ragged=True)
    assert [len(sound) for sound in ragged] == [5, 8, 3]
    ((cut, _),) = make(output_sequence_length=4)
    assert cut.shape == (3, 4, 2) and not cut[2, 3].any()
    assert [len(x) for x, _ in make(batch_size=None)] == [5, 8, 3]


def test_audio_at_another_rate(tmp_path):
    time = np.arange(800) / 8000
    (tmp_path / "a").mkdir()
    write_wav(tmp_path / "a" / "0.wav", 0.5 * np.sin(2 * np.pi * 200 * time)[:, None])
    ((found, _),) = lamina.utils.audio_dataset_from_directory(tmp_path, sampling_rate=4000, verbose=False)
    wanted = 0.5 * np.sin(2 * np.pi * 200 * np.arange(400) / 4000)
    np.testing.assert_allclose(found[0, :, 0], wanted, atol=1e-4)


def test_no_wav(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match="0.wav cannot be read as sound: .*not a WAV file"):
        list(lamina.utils.audio_dataset_from_directory(tmp_path, verbose=False))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"label_mode": "x"}, "label_mode"),
        ({"labels": "x"}, "labels is"),
        ({"labels": [1]}, "1 entries for the 9 files"),
        ({"labels": [0] * 9, "class_names": ["a"]}, "class_names"),
        ({"class_names": ["a", "c"]}, r"\['c'\]"),
        ({"class_names": ["a"], "label_mode": "binary"}, "2 classes"),
        ({"validation_split": 0.2}, "belong together"),
        ({"validation_split": 2, "subset": "both"}, "from 0 to 1"),
        ({"validation_split": 0.2, "subset": "x"}, "`subset` must be"),
        ({"validation_split": 0.2, "subset": "both"}, "seed"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "No file is left"),
        ({"color_mode": "x"}, "color_mode"),
        ({"interpolation": "x"}, "interpolation"),
        ({"image_size": (1,)}, "image_size"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one"),
        ({"format": "x"}, "format"),
    ],
)
def test_refusals(folder, arguments, message):
    with pytest.raises((ConfigError, DataError), match=message):
        lamina.utils.image_dataset_from_directory(folder, verbose=False, **arguments)


def test_empty_and_absent_folders(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        lamina.utils.text_dataset_from_directory(tmp_path / "absent")
    with pytest.raises(DataError, match="no file"):
        lamina.utils.text_dataset_from_directory(tmp_path)
    (tmp_path / "0.PNG").write_bytes(b"")
    with pytest.raises(DataError, match=r"in a folder of a class.\ndirectory='.*', if .* is the folder of one class"):
        lamina.utils.image_dataset_from_directory(tmp_path)
    with pytest.raises(DataError, match=r"ends in \.wav; there are files that end in \.png"):
        lamina.utils.audio_dataset_from_directory(tmp_path)
    with pytest.raises(ConfigError, match="ragged"):
        lamina.utils.audio_dataset_from_directory(tmp_path, ragged=True, output_sequence_length=2)
