"""tf.* by the values of TensorFlow in tensorflow_cases.json (a part of them; the file itself runs all), and tf.data."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from lamina.compat import datasets, messages, parsing, records
from lamina.compat.host import show_tensors
from lamina.compat.variables import Shape, patch_arrays
from lamina.training.data.elements import Views
from tests.cli import tensorflow_cases as cases
from tests.cli.test_tensorflow_values import namespace

VALUES = json.loads((pathlib.Path(__file__).parent / "tensorflow_cases.json").read_text("utf-8"))
PART = 7  # one of so many is a test


@pytest.fixture(autouse=True)
def tensors(monkeypatch):
    """Data sets show tensors, as in a program for TensorFlow."""
    for name in ("to_functions", "to_numpy", "to_text", "narrow", "shape"):
        monkeypatch.setattr(Views, name, getattr(Views, name))
    show_tensors(Shape)
    patch_arrays()


@pytest.mark.filterwarnings("ignore:.* runs op by op")
def test_values_are_those_of_tensorflow():
    tf = namespace("tensorflow")
    wrong = []
    for expression in [one for one in VALUES if ".experimental" not in one][::PART]:
        found = json.loads(json.dumps(cases.values(tf, [expression])[expression]))
        if not cases.alike(found, VALUES[expression]):
            wrong.append(f"{expression}: {VALUES[expression]}, got {found}")
    assert not wrong, "\n".join(wrong)


def test_file_has_the_values_of_tensorflow():
    """Where TensorFlow is installed; the nightly job compares too."""
    import importlib.util

    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    done = subprocess.run([sys.executable, cases.__file__, "--compare"], capture_output=True, text=True, check=True)
    assert not done.stdout.strip(), done.stdout


def test_records_and_examples(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    feature, names = messages.Feature, messages.MESSAGES
    for kind in ("", "GZIP", "ZLIB"):
        with records.TFRecordWriter(path, kind) as writer:
            for i in range(3):
                made = messages.Example(features=messages.Features(feature={
                    "i": feature(int64_list=names["Int64List"](value=[-i])),
                    "f": feature(float_list=names["FloatList"](value=[i / 2, 2.0])),
                    "s": feature(bytes_list=names["BytesList"](value=[b"\xff\0", "b"])),
                    "v": feature(int64_list=names["Int64List"](value=list(range(i)))),
                }))  # fmt: skip
                writer.write(made.SerializeToString())
        assert len(list(datasets.DATA["TFRecordDataset"](path, compression_type=kind))) == 3
    data = datasets.DATA["TFRecordDataset"]([path], "ZLIB")
    assert messages.Example.FromString(next(iter(data)).numpy()).features.feature["f"].float_list.value == [0.0, 2.0]
    spec = {"i": parsing.FixedLenFeature([], "int64"), "f": parsing.FixedLenFeature([2], "float32"),
            "s": parsing.FixedLenFeature([2], "string"), "v": parsing.VarLenFeature("int64"),
            "z": parsing.FixedLenFeature([], "int64", default_value=7)}  # fmt: skip
    one = list(data.map(lambda text: parsing.parse_single_example(text, spec)))[2]
    assert int(one["i"]) == -2 and one["f"].tolist() == [1.0, 2.0] and one["s"].numpy().tolist() == [b"\xff\0", b"b"]
    batch = next(iter(data.batch(3).map(lambda texts: parsing.parse_example(texts, spec))))
    assert batch["v"].to_dense().tolist() == [[0, 0], [0, 0], [0, 1]] and batch["z"].tolist() == [7, 7, 7]
    pathlib.Path(path).write_bytes(pathlib.Path(path).read_bytes()[:-1])
    with pytest.raises(Exception, match="damaged|incomplete"):
        list(datasets.DATA["TFRecordDataset"](path, "ZLIB"))


def test_files_of_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("survived,sex,age\n0,male,22.0\n1,female,\n1,female,4\n", "utf-8")
    lines = datasets.DATA["TextLineDataset"](str(path)).skip(1)
    assert [line.numpy() for line in lines][:1] == [b"0,male,22.0"]
    rows = datasets.EXPERIMENTAL["CsvDataset"](str(path), [np.dtype("int32"), "string", 28.0], header=True)
    assert [tuple(map(np.asarray, row))[2].item() for row in rows.as_numpy_iterator()] == [22.0, 28.0, 4.0]
    batches = datasets.EXPERIMENTAL["make_csv_dataset"](
        str(path), 2, label_name="survived", shuffle=False, num_epochs=1
    )
    columns, labels = next(iter(batches))
    assert list(columns) == ["sex", "age"] and labels.tolist() == [0, 1] and columns["age"].tolist() == [22.0, 0.0]
    assert columns["sex"].numpy().tolist() == [b"male", b"female"]


def test_groups_and_choices():
    Dataset = datasets.Dataset
    numbers = lambda data: [np.asarray(item).tolist() for item in data.as_numpy_iterator()]
    data = Dataset.range(10)
    assert numbers(data.scan(np.int64(0), lambda state, x: (state + x, state + x)))[-1] == 45
    by_parity = data.group_by_window(lambda x: x % 2, lambda key, window: window.batch(3), window_size=3)
    assert numbers(by_parity) == [[0, 2, 4], [1, 3, 5], [6, 8], [7, 9]]
    texts = Dataset.from_generator(lambda: ([1] * n for n in (1, 5, 2, 7, 3)))
    buckets = texts.bucket_by_sequence_length(len, [3, 5], [2, 2, 2])
    assert [np.shape(batch) for batch in numbers(buckets)] == [(2, 2), (2, 7), (1, 3)]
    mixed = Dataset.sample_from_datasets([Dataset.range(3), Dataset.range(5, 7)], [0.5, 0.5], seed=1)
    assert sorted(numbers(mixed)) == [0, 1, 2, 5, 6]
    chosen = Dataset.choose_from_datasets([Dataset.range(3), Dataset.range(5, 9)], Dataset.range(2).repeat(2))
    assert numbers(chosen) == [0, 5, 1, 6] and numbers(Dataset.range(3).concatenate(Dataset.range(3)).unique()) == [
        0,
        1,
        2,
    ]
    labels = Dataset.from_tensor_slices(np.array([0] * 90 + [1] * 10)).shuffle(100, seed=1)
    kept = [label for label, _ in labels.rejection_resample(lambda x: x, [0.5, 0.5], [0.9, 0.1], seed=2)]
    assert 0.25 < np.mean(kept) < 0.75
    iterator = iter(data.shuffle(10, seed=3))
    first = [int(iterator.get_next()) for _ in range(4)]
    state, after = iterator.get_state(), int(next(iterator))
    iterator.set_state(state)
    assert int(next(iterator)) == after and len(set(first)) == 4
    assert data.batch(4, drop_remainder=True).map(lambda x: x * 2).element_spec.shape == (4,)
