"""`keras.utils.dataset_from_csv`."""

import gzip

import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError, DataError
from lamina.utils import csv_table

CARS = """mpg, horsepower, origin
18, 130, usa
31.5,95,japan
25,?,usa
24,46,europe
26,,japan
"""


@pytest.fixture(params=[2**26, 0], ids=["whole", "by rows"])
def cars(tmp_path, monkeypatch, request):
    monkeypatch.setattr(csv_table, "MAX_BYTES_READ", request.param)
    path = tmp_path / "cars.csv"
    path.write_text(CARS, encoding="utf-8-sig")
    return path


def read(path, **arguments):
    dataset = keras.utils.dataset_from_csv(
        path, **{"shuffle": False, "verbose": False, "batch_size": None, **arguments}
    )
    return dataset, list(dataset.as_numpy_iterator())


def test_a_missing_value_is_named_by_column_row_and_line(cars):
    with pytest.raises(
        DataError, match=r"'horsepower' has no value in row 2 \(line 4: '\?'\) \(1 more, in row 4\)\.\non_m"
    ):
        read(cars)


def test_rows_are_left_out_or_kept(cars, capsys):
    dataset, rows = read(cars, label_column="origin", on_missing="skip", verbose=True)
    said = capsys.readouterr().out
    assert said == "2 of 5 rows have a value missing and are left out.\nFound 3 rows of 2 columns and 3 classes.\n"
    assert [(x.tolist(), y.tolist()) for x, y in rows] == [([18, 130], 2), ([31.5, 95], 1), ([24, 46], 0)]
    assert dataset.class_names == ["europe", "japan", "usa"] and dataset.column_names == ["mpg", "horsepower"]
    _, rows = read(cars, label_column=0, on_missing="keep")
    assert [y.tolist() for _, y in rows] == [18, 31.5, 25, 24, 26] and rows[0][1].dtype == np.float32
    assert [x["origin"].tolist() for x, _ in rows] == ["usa", "japan", "usa", "europe", "japan"]
    assert np.isnan(rows[2][0]["horsepower"]) and rows[0][0].keys() == {"horsepower", "origin"}


def test_columns_labels_and_types(cars):
    _, rows = read(cars, columns=["mpg"], label_column=["mpg", 0])
    assert rows[0][0].tolist() == [18] and rows[1][1].tolist() == [31.5, 31.5]
    _, rows = read(cars, columns=[0], as_dict=True, dtypes={"mpg": "string"})
    assert rows[1]["mpg"].item() == "31.5"
    numbers = cars.with_name("numbers.csv.gz")
    with gzip.open(numbers, "wt") as file:
        file.write('1;2;0\n3;"4";1\n\n5;6;1')
    dataset, rows = read(numbers, header=False, label_column=-1, batch_size=2)
    assert repr(dataset) == "Dataset(2 batches: float32 (None, 2), int32 (None,))"
    assert [x.tolist() for x, _ in rows] == [[[1, 2], [3, 4]], [[5, 6]]] and dataset.column_names == ["0", "1"]


def test_parts_shuffle_and_fit(tmp_path):
    path = tmp_path / "xy.csv"
    path.write_text("a,b,y\n" + "\n".join(f"{i},{i / 2},{i % 2}" for i in range(20)))
    train, test = keras.utils.dataset_from_csv(path, "y", validation_split=0.25, subset="both", seed=1, verbose=False)
    seen = [np.concatenate([x[:, 0] for x, _ in part.as_numpy_iterator()]).tolist() for part in (train, test, train)]
    assert sorted(seen[0] + seen[1]) == list(range(20)) and len(seen[1]) == 5 and seen[0] != seen[2]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    assert "val_loss" in model.fit(train, validation_data=test, verbose=0).history


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("a,b\n1,2\n3,4,5\n", {}, "line 3 has 3 values; the first line has 2"),
        ("1,2\n3,4\n", {}, "has numbers.*\nheader=False"),
        ("a,a\n3,4\n", {}, "two columns called 'a'"),
        ("a,b\n", {}, "no rows"),
        ("", {}, "is empty"),
        ("a,b\n1,2\n", {"label_column": "bb"}, "no column 'bb'; it has 'a', 'b'.\nlabel_column='b'"),
        ("a,b\n1,2\n", {"columns": [5]}, "no column 5"),
        ("a\n1\n2\n3x\n4\n", {}, r"numbers in 3 of 4 rows, but row 2 \(line 4\) is '3x'.\nmissing_values=\['', '3x'\]"),
        ("a,b\nx,1\n", {"as_dict": False}, r"text cannot be part of one array of numbers: \['a'\]"),
        ("a,b\n?,?\n", {"on_missing": "skip"}, "No row of .* is complete"),
        ("a,b\nx,y\n", {"label_column": ["a", "b"], "columns": []}, "Only one label column may be text"),
        ("a\n1\n", {"on_missing": "drop"}, "`on_missing` must be"),
        ("a\n1\n", {"validation_split": 0.5, "subset": "both", "seed": 1}, "No row is left for validation"),
    ],
)
def test_mistakes(tmp_path, text, arguments, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises((ConfigError, DataError), match=message):
        read(tmp_path / "x.csv", **arguments)
    with pytest.raises(DataError, match="There is no file"):
        read(tmp_path / "y.csv")
    (tmp_path / "z.csv").write_bytes("größe\n1\n".encode("latin-1"))
    with pytest.raises(DataError, match="not text in utf-8-sig.*\nencoding='latin-1'"):
        read(tmp_path / "z.csv")
    assert read(tmp_path / "z.csv", encoding="latin-1")[0].column_names == ["größe"]


def test_a_large_file_is_read_by_rows(tmp_path, monkeypatch):
    path = tmp_path / "large.csv"
    rows = [f'{i},"{i} ä\n{i}",{"a" if i % 3 else "b"}' for i in range(50)]
    path.write_bytes("\r\n".join(["n,text,kind", *rows[:20], "", *rows[20:]]).encode())
    arguments = {"label_column": "kind", "batch_size": 8, "shuffle": True, "seed": 3}
    monkeypatch.setattr(csv_table, "_ROWS", 7)
    _, small = read(path, **arguments)
    monkeypatch.setattr(csv_table, "MAX_BYTES_READ", 0)
    dataset, large = read(path, **arguments)
    assert len(dataset) == 7 and dataset.class_names == ["a", "b"] and len(large) == 7
    for (x, y), (expected, labels) in zip(large, small, strict=True):
        assert x["text"].tolist() == expected["text"].tolist() and x["n"].dtype == np.int32
        np.testing.assert_array_equal((x["n"], y), (expected["n"], labels))
    path.write_text("n,text,kind\n1,b,c\n")
    with pytest.raises(DataError, match="was changed while it was in use"):
        list(dataset)
