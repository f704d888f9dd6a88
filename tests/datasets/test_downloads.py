"""The Keras sets, on archives of the same layout written here: no test touches a network."""

import gzip
import hashlib
import io
import json
import os
import pickle
import tarfile
from urllib.error import URLError

import keras
import numpy as np
import pytest

from lamina import datasets
from lamina.datasets import fetch, safe_pickle
from lamina.errors import ArgumentError, CallError, ConfigError, FileError, LaminaError, NetworkError
from lamina.runtime import settings

CIFAR10 = "cifar-10-batches-py-target_archive"
CIFAR100 = "cifar-100-python-target_archive"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    serve(monkeypatch, None)
    return tmp_path / "cache" / "datasets"


class Response(io.BytesIO):
    """A server's answer; `broken` makes the connection fail at the end."""

    broken = False

    def read(self, size=-1, /):
        data = super().read(size)
        if self.broken and not data:
            raise ConnectionResetError("connection lost")
        return data


def serve(monkeypatch, data, broken=False):
    """Let every download answer `data`, or fail if that is None."""
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        if data is None:
            raise URLError("no network here")
        response = Response(data)
        response.broken = broken
        return response

    monkeypatch.setattr(fetch, "urlopen", urlopen)
    return asked


def pin(monkeypatch, name, data):
    """Make `data` the bytes that the table expects under `name`."""
    old = fetch.FILES[name]
    digest = hashlib.sha256(data).hexdigest()
    monkeypatch.setitem(fetch.FILES, name, fetch.Remote(old.url, digest, old.folder, old.older_names))


def put(monkeypatch, name, data):
    """Put `data` where Keras would have cached `name`, and pin it. Returns the path."""
    pin(monkeypatch, name, data)
    path = fetch.cache_folder() / fetch.FILES[name].folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def tar(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def word_lists(count, seed):
    random = np.random.RandomState(seed)
    rows = np.empty(count, object)
    for i in range(count):
        rows[i] = random.randint(1, 30, random.randint(2, 9)).tolist()
    return rows


def keras_module(name, path, monkeypatch):
    """Keras's own module, reading `path` in place of a download."""
    module = getattr(keras.datasets, name)
    source = __import__(module.load_data.__module__, fromlist=["get_file"])
    monkeypatch.setattr(source, "get_file", lambda *args, **kwargs: str(path))
    return source


def assert_same(ours, theirs):
    for (x, y), (their_x, their_y) in zip(ours, theirs, strict=True):
        assert (y.dtype, y.shape) == (their_y.dtype, their_y.shape)
        np.testing.assert_array_equal(y, their_y)
        if their_x.dtype == object:  # equal lengths make Keras's a matrix, ours is always a row of lists
            assert x.ndim == 1 and [type(row) for row in x] == [list] * len(x)
            assert list(x) == [list(row) for row in their_x]
        else:
            assert x.dtype == their_x.dtype
            np.testing.assert_array_equal(x, their_x)


# The sets


def test_mnist(monkeypatch):
    random = np.random.RandomState(0)
    arrays = {
        "x_train": random.randint(0, 256, (6, 28, 28)).astype(np.uint8),
        "y_train": np.arange(6, dtype=np.uint8),
        "x_test": random.randint(0, 256, (3, 28, 28)).astype(np.uint8),
        "y_test": np.arange(3, dtype=np.uint8),
    }
    path = put(monkeypatch, "mnist.npz", npz(**arrays))
    assert_same(datasets.mnist.load_data(), keras_module("mnist", path, monkeypatch).load_data())


def test_fashion_mnist(monkeypatch, cache):
    random = np.random.RandomState(0)
    for part, count in (("train", 4), ("t10k", 2)):
        images = random.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        put(monkeypatch, f"{part}-images-idx3-ubyte.gz", gzip.compress(bytes(16) + images.tobytes()))
        put(monkeypatch, f"{part}-labels-idx1-ubyte.gz", gzip.compress(bytes(8) + bytes(range(count))))
    source = keras_module("fashion_mnist", "", monkeypatch)
    monkeypatch.setattr(source, "get_file", lambda name, **kwargs: str(cache / "fashion-mnist" / name))
    assert_same(datasets.fashion_mnist.load_data(), source.load_data())


def batch(count, seed, **label_lists):
    images = np.random.RandomState(seed).randint(0, 256, (count, 3072)).astype(np.uint8)
    return pickle.dumps({b"data": images, **{key.encode(): value for key, value in label_lists.items()}}, protocol=3)


def test_cifar100_in_both_modes_and_formats(monkeypatch, tmp_path):
    members = {
        f"cifar-100-python/{part}": batch(5, seed, fine_labels=[1, 99, 3, 4, 5], coarse_labels=[0, 19, 2, 3, 4])
        for seed, part in enumerate(("train", "test"))
    }
    put(monkeypatch, CIFAR100, tar(other=b"passed over", **members))
    for name, data in members.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    source = keras_module("cifar100", tmp_path, monkeypatch)
    for label_mode in ("fine", "coarse"):
        assert_same(datasets.cifar100.load_data(label_mode), source.load_data(label_mode))
    (x_last, _), _ = datasets.cifar100.load_data()
    monkeypatch.setitem(settings._settings, "image_data_format", "channels_first")
    (x_first, _), _ = datasets.cifar100.load_data()
    assert x_first.shape == (5, 3, 32, 32)
    np.testing.assert_array_equal(x_first.transpose(0, 2, 3, 1), x_last)
    with pytest.raises(ConfigError, match="'fine' or 'coarse'; got 'medium'"):
        datasets.cifar100.load_data("medium")


def test_cifar10(monkeypatch):
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    batches = {name: batch(2, seed, labels=[seed, 9]) for seed, name in enumerate(names)}
    members = {f"cifar-10-batches-py/{name}": data for name, data in batches.items()}
    put(monkeypatch, CIFAR10, tar(**dict(reversed(members.items()))))  # the order in the archive does not matter
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert y_train.ravel().tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9] and y_train.dtype == y_test.dtype == np.uint8
    assert y_train.shape == (10, 1) and x_train.shape == (10, 32, 32, 3) and x_test.shape == (2, 32, 32, 3)
    raw = pickle.loads(batches["data_batch_2"])[b"data"]
    assert x_train[2, 4, 5, 2] == raw[0, 2 * 1024 + 4 * 32 + 5]  # channel, row, column

    put(monkeypatch, CIFAR10, tar(**{name: members[name] for name in list(members)[:-1]}))
    with pytest.raises(FileError, match="lacks cifar-10-batches-py/test_batch"):
        datasets.cifar10.load_data()


def test_cifar10_finds_the_archive_under_its_older_names(monkeypatch, cache):
    members = {f"cifar-10-batches-py/data_batch_{i}": batch(1, i, labels=[i]) for i in range(1, 6)}
    members["cifar-10-batches-py/test_batch"] = batch(1, 6, labels=[6])
    path = put(monkeypatch, CIFAR10, tar(**members))
    path.rename(cache / "cifar-10-batches-py.tar.gz")
    assert datasets.cifar10.load_data()[1][1].tolist() == [[6]]


ENCODINGS = [
    {},
    {"num_words": 12},
    {"maxlen": 6},
    {"skip_top": 5, "seed": 3},
    {"start_char": None},
    {"start_char": None, "index_from": None},
    {"start_char": 0, "index_from": 0, "oov_char": None, "num_words": 10},
]


@pytest.mark.parametrize("arguments", ENCODINGS)
def test_imdb(monkeypatch, arguments):
    arrays = {"x_train": word_lists(7, 0), "y_train": np.arange(7) % 2, "x_test": word_lists(5, 1)}
    path = put(monkeypatch, "imdb.npz", npz(y_test=np.arange(5) % 2, **arrays))
    ours = datasets.imdb.load_data(**arguments)
    assert_same(ours, keras_module("imdb", path, monkeypatch).load_data(path=str(path), **arguments))


@pytest.mark.parametrize("arguments", [*ENCODINGS, {"test_split": 0.5}])
def test_reuters(monkeypatch, arguments):
    path = put(monkeypatch, "reuters.npz", npz(x=word_lists(10, 0), y=np.arange(10)))
    ours = datasets.reuters.load_data(**arguments)
    assert_same(ours, keras_module("reuters", path, monkeypatch).load_data(**arguments))


def test_sequences_of_one_length_stay_lists(monkeypatch):
    rows = np.empty(4, object)
    rows[:] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    put(monkeypatch, "reuters.npz", npz(x=rows, y=np.arange(4)))
    (x_train, _), _ = datasets.reuters.load_data()
    assert x_train.shape == (3,) and all(type(row) is list for row in x_train)


def test_word_arguments_are_checked(monkeypatch):
    put(monkeypatch, "reuters.npz", npz(x=word_lists(10, 0), y=np.arange(10)))
    with pytest.raises(CallError, match=r"maxlen=1 keeps only.*\nThe shortest sequence needs maxlen=4"):
        datasets.reuters.load_data(maxlen=1)
    with pytest.raises(ArgumentError, match="is 'num_words'"):
        datasets.imdb.load_data(nb_words=10)


def test_word_indices_and_label_names(monkeypatch):
    index = {"the": 1, "fawn": 34701, "d'été": 5}
    for name in ("imdb", "reuters"):
        put(monkeypatch, f"{name}_word_index.json", json.dumps(index).encode())
        assert getattr(datasets, name).get_word_index() == index
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
def test_housing(monkeypatch, name):
    path = put(monkeypatch, f"{name}.npz", npz(x=np.random.RandomState(0).rand(700, 3), y=np.arange(700.0)))
    ours, theirs = getattr(datasets, name), keras_module(name, path, monkeypatch)
    for arguments in ({}, {"test_split": 0.5, "seed": 1}, {"test_split": 0}):
        assert_same(ours.load_data(**arguments), theirs.load_data(**arguments))


def test_california_housing_versions(monkeypatch):
    path = put(monkeypatch, "california_housing.npz", npz(x=np.ones((700, 8)), y=np.arange(700.0)))
    theirs = keras_module("california_housing", path, monkeypatch)
    assert_same(datasets.california_housing.load_data(version="small"), theirs.load_data(version="small"))
    with pytest.raises(ConfigError, match="'small' or 'large'; got 'tiny'"):
        datasets.california_housing.load_data(version="tiny")


def test_table_is_keras_own(monkeypatch):
    """Each file's address, hash, folder and name in the cache are those Keras asks for."""
    asked = {}

    def get_file(fname, origin, file_hash=None, cache_subdir="datasets", extract=False):
        asked[fname + "_archive" if extract else fname] = (origin, file_hash, cache_subdir)
        raise InterruptedError

    for name in fetch_sets():
        source = keras_module(name, "", monkeypatch)
        monkeypatch.setattr(source, "get_file", get_file)
        for function in (source.load_data, getattr(source, "get_word_index", source.load_data)):
            with pytest.raises(InterruptedError):
                function()
    for name, (url, digest, folder) in asked.items():
        remote = fetch.FILES[name]
        assert (remote.url, remote.folder) == (url, folder)
        assert digest in (remote.digest, None)  # Keras checks no hash of Fashion-MNIST
    assert len(asked) == 10


def fetch_sets():
    return [name for name in datasets.__all__ if hasattr(keras.datasets, name)]


# Downloads


def test_downloads_once_and_keeps_the_file(monkeypatch, cache, capsys):
    data = npz(x=np.ones((10, 13)), y=np.arange(10.0))
    pin(monkeypatch, "boston_housing.npz", data)
    asked = serve(monkeypatch, data)
    assert datasets.boston_housing.load_data()[0][0].shape == (8, 13)
    assert datasets.boston_housing.load_data()[0][0].shape == (8, 13)
    assert asked == [fetch.FILES["boston_housing.npz"].url]
    assert [file.name for file in cache.iterdir()] == ["boston_housing.npz"]
    assert str(cache / "boston_housing.npz") in capsys.readouterr().err


def test_a_damaged_file_in_the_cache_is_replaced(monkeypatch, cache):
    data = npz(x=np.ones((10, 13)), y=np.arange(10.0))
    path = put(monkeypatch, "boston_housing.npz", data)
    path.write_bytes(data[:-1])
    serve(monkeypatch, data)
    datasets.boston_housing.load_data()
    assert path.read_bytes() == data


def test_another_hash_is_refused_and_nothing_is_kept(monkeypatch, cache):
    serve(monkeypatch, b"not the file")
    with pytest.raises(FileError, match=r"boston_housing.npz should have the hash f553886a.*\(12 bytes"):
        datasets.boston_housing.load_data()
    assert list(cache.iterdir()) == []


def test_a_server_cannot_fill_the_disk(monkeypatch, cache):
    monkeypatch.setattr(fetch, "LARGEST", 100)
    serve(monkeypatch, bytes(101))
    with pytest.raises(FileError, match="at most 100 bytes"):
        datasets.boston_housing.load_data()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"the first half"])
def test_a_lost_connection_leaves_no_half_file(monkeypatch, cache, data):
    serve(monkeypatch, data, broken=True)
    with pytest.raises(NetworkError, match="connection lost"):
        datasets.boston_housing.load_data()
    assert list(cache.iterdir()) == []


def test_an_interrupt_leaves_no_half_file_and_keeps_the_old_one(monkeypatch, cache):
    path = put(monkeypatch, "boston_housing.npz", b"new")
    path.write_bytes(b"old")

    def copy(*args):
        assert [file.name for file in cache.iterdir() if file.suffix == ".part"]
        raise KeyboardInterrupt

    serve(monkeypatch, b"new")
    monkeypatch.setattr(fetch, "_copy", copy)
    with pytest.raises(KeyboardInterrupt):
        datasets.boston_housing.load_data()
    assert [file.name for file in cache.iterdir()] == ["boston_housing.npz"] and path.read_bytes() == b"old"


@pytest.mark.parametrize("name", fetch_sets())
def test_offline_error_says_what_where_and_how(name, cache):
    with pytest.raises(NetworkError) as caught:
        getattr(datasets, name).load_data()
    text, remotes = str(caught.value), fetch.FILES
    [file] = [key for key, remote in remotes.items() if key in text and remote.url in text]
    place = os.path.join(cache.parent, remotes[file].folder, file)
    assert f"there is no such file at {place}" in text
    assert "no network here" in text
    assert f"copy it to {place}, or set KERAS_HOME" in text
    assert isinstance(caught.value, LaminaError) and isinstance(caught.value, OSError)


def test_offline_error_tells_of_a_file_with_another_hash(cache):
    cache.mkdir(parents=True)
    (cache / "mine.npz").write_bytes(b"something else")
    with pytest.raises(NetworkError, match=r"the file at .*mine.npz has another hash"):
        datasets.mnist.load_data(path="mine.npz")
    assert (cache / "mine.npz").read_bytes() == b"something else"


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("a file, not a folder")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "plain"))
    with pytest.raises(NetworkError, match="KERAS_HOME"):
        datasets.mnist.load_data()


def test_cache_is_keras_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setattr(fetch.Path, "home", lambda: tmp_path)
    assert fetch.cache_folder() == tmp_path / ".keras"


# Hostile pickles


class Evil:
    """Unpickled, it would run a function of the attacker's choice."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def ran(*args):
    raise AssertionError("the pickle ran code")


EVIL = [Evil(ran), Evil(os.system, "exit 1"), Evil(eval, "1"), Evil(getattr, "text", "upper"), np.random.RandomState(0)]


@pytest.mark.parametrize("evil", EVIL, ids=["own", "system", "eval", "getattr", "random"])
def test_hostile_pickles_are_refused_by_name(monkeypatch, evil):
    rows = np.empty(2, object)
    rows[:] = [[1], evil]
    put(monkeypatch, "reuters.npz", npz(x=rows, y=np.arange(2)))
    with pytest.raises(FileError, match=r"x.npy: the pickle names \S+, which no data set needs"):
        datasets.reuters.load_data()
    data = pickle.dumps({b"data": evil, b"labels": [1]}, protocol=2)
    put(monkeypatch, CIFAR10, tar(**{f"cifar-10-batches-py/{n}": data for n in cifar10_names()}))
    with pytest.raises(FileError, match=r"data_batch_1: the pickle names"):
        datasets.cifar10.load_data()


def cifar10_names():
    return [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]


def load(data, **kwargs):
    return safe_pickle.load_pickle(io.BytesIO(data), "somewhere", **kwargs)


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"(cnumpy\ndtype\n(S'%s'\nI00\nI01\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"


def array_pickle(shape, code, data):
    """An array as a text pickle (protocol 0), with any shape, dtype and data one likes."""
    dtype = DTYPE[1:] % code
    return RECONSTRUCT + b"(" + NDARRAY + b"(I0\ntS'b'\ntR(I1\n" + shape + dtype + b"I00\n" + data + b"tb."


def test_python_2_pickles_are_read():
    np.testing.assert_array_equal(
        load(array_pickle(b"(I2\nI2\nt", b"u1", b"S'abcd'\n"), encoding="bytes"),
        np.array([[97, 98], [99, 100]], np.uint8),
    )
    assert load(b"(dp0\nS'labels'\n(lp1\nI3\nas.", encoding="bytes") == {b"labels": [3]}


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["<i8", ">i4", "u1", "<f4", "?"])
@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_arrays_come_back_as_they_were(order, dtype, protocol):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    back = load(pickle.dumps(np.asarray(array, order=order), protocol=protocol))
    assert back.dtype == array.dtype and back.flags.writeable
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    "data",
    [
        array_pickle(b"(I9\nt", b"u1", b"S'abcd'\n"),  # fewer bytes than the shape says
        array_pickle(b"(I2\nt", b"O8", b"S'abcdefghijklmnop'\n"),  # bytes as pointers to objects
        array_pickle(b"(I2\nt", b"O8", b"(lI1\na"),  # fewer objects than the shape says
        array_pickle(b"(I-1\nt", b"O8", b"(l"),
        array_pickle(b"(I1\nt", b"V8", b"S'abcdefgh'\n"),  # a dtype of no data set
        array_pickle(b"(I4\nt", b"u1", b"S'abcd'\n")[:-9],  # cut off
        RECONSTRUCT + b".",
        RECONSTRUCT + b"(tR.",
        RECONSTRUCT + b"(dS'state'\nI1\nsb.",  # a state for the class itself
        b"\x80\x04\x8d" + b"\xff" * 8,  # a string of 2**64 bytes
        b"",
    ],
)
def test_damaged_pickles_are_refused(data):
    with pytest.raises(FileError, match="somewhere"):
        load(data)


def test_entries_must_be_lists_of_ints(monkeypatch):
    for entry in ("text", [1, "two"], [1, [2]], {1: 2}, np.array([0.5])):
        rows = np.empty(2, object)
        rows[0], rows[1] = [1], entry
        put(monkeypatch, "reuters.npz", npz(x=rows, y=np.arange(2)))
        with pytest.raises(FileError, match="entry 1 is not a list of integers"):
            datasets.reuters.load_data()
    rows[1] = np.array([5, 6])
    put(monkeypatch, "reuters.npz", npz(x=rows, y=np.arange(2)))
    assert sorted(datasets.reuters.load_data(test_split=0, num_words=99)[0][0]) == [[1, 4], [1, 8, 9]]


def test_shared_and_circular_values_cost_no_time():
    rows = np.empty(2, object)
    for _ in range(100):  # 2**100 arrays if each were built where it is named
        rows[:] = [rows.copy()] * 2
    with pytest.raises(FileError, match="dtype .O8, which no data set"):
        load(pickle.dumps(rows))
    rows[0] = rows
    with pytest.raises(FileError, match="dtype .O8, which no data set"):
        load(pickle.dumps(rows))


def test_an_archive_without_its_arrays_is_refused(monkeypatch):
    put(monkeypatch, "reuters.npz", npz(other=np.arange(2)))
    with pytest.raises(FileError, match=r"should contain x.npy; it contains \['other.npy'\]"):
        datasets.reuters.load_data()


def test_a_batch_without_its_keys_is_refused(monkeypatch):
    data = pickle.dumps({b"labels": [1]}, protocol=3)
    put(monkeypatch, CIFAR10, tar(**{f"cifar-10-batches-py/{n}": data for n in cifar10_names()}))
    with pytest.raises(FileError, match="data_batch_1 is not a CIFAR batch: KeyError"):
        datasets.cifar10.load_data()
