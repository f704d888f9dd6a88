"""The small sets inside the package, against independent copies (scikit-learn) and known facts."""

import csv
import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets

from lamina import datasets
from lamina.datasets.packaged import data_path
from lamina.errors import LaminaError


def scikit(name):
    return getattr(sklearn.datasets, f"load_{name}")()


def sorted_rows(x, y):
    rows = np.column_stack([np.reshape(x, (len(x), -1)), y]).astype(np.float64)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_holds_the_rows_of_scikit_learns_copy(name):
    module = getattr(datasets, name)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    theirs = scikit(name)
    np.testing.assert_array_equal(sorted_rows(x, y), sorted_rows(theirs.data, theirs.target))
    assert y.dtype == np.int64
    assert len(module.feature_names) == theirs.data.shape[1]
    assert len(module.target_names) == len(theirs.target_names)


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_split_is_stratified_disjoint_and_seeded(name):
    load_data = getattr(datasets, name).load_data
    (x_train, y_train), (_, y_test) = load_data(test_split=0.25, seed=7)
    counts, test_counts = np.bincount(np.concatenate([y_train, y_test])), np.bincount(y_test)
    np.testing.assert_array_equal(test_counts, [round(count * 0.25) for count in counts])
    np.testing.assert_array_equal(load_data(test_split=0.25, seed=7)[0][0], x_train)
    assert not np.array_equal(load_data(test_split=0.25, seed=8)[0][0], x_train)
    assert len(load_data(test_split=0)[1][0]) == 0
    assert np.any(np.diff(y_train) < 0)  # shuffled, not sorted by class


def test_digits_are_images():
    (x_train, y_train), _ = datasets.digits.load_data()
    theirs = scikit("digits")
    assert x_train.shape == (1438, 8, 8) and x_train.dtype == np.uint8
    match = np.flatnonzero((theirs.images == x_train[0]).all(axis=(1, 2)))
    assert y_train[0] in theirs.target[match]


def test_auto_mpg_rows_and_features():
    (x_train, y_train), (x_test, y_test) = datasets.auto_mpg.load_data()
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert x.shape == (392, 9) and not np.isnan(x).any()
    assert len(datasets.auto_mpg.feature_names) == 9
    # Published statistics of the set without the six rows of unknown horsepower.
    assert abs(y.mean() - 23.445918) < 1e-6
    means = [5.471939, 194.411990, 104.469388, 2977.584184, 15.541327, 75.979592]
    np.testing.assert_allclose(x[:, :6].mean(0), np.array(means), rtol=1e-6)
    np.testing.assert_array_equal(x[:, 6:].sum(0), [245, 68, 79])
    malibu = [8, 307, 130, 3504, 12, 70, 1, 0, 0]
    assert y[np.flatnonzero((x == malibu).all(1))].tolist() == [18]


def test_auto_mpg_file_keeps_all_398_cars():
    with data_path("auto_mpg.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 398
    assert [i for i, row in enumerate(rows) if not row["horsepower"]] == [32, 126, 330, 336, 354, 374]


def test_japanese_vowels_keeps_the_official_split():
    (x_train, y_train), (x_test, y_test) = datasets.japanese_vowels.load_data()
    assert x_train.shape == (270, 29, 12) and x_test.shape == (370, 29, 12) and x_train.dtype == np.float32
    np.testing.assert_array_equal(np.bincount(y_train), [30] * 9)
    np.testing.assert_array_equal(np.bincount(y_test), [31, 35, 88, 44, 29, 24, 40, 50, 29])
    np.testing.assert_array_equal(x_train[0, 0, :2], np.array([1.860936, -0.207383], np.float32))
    for x, longest in ((x_train, 26), (x_test, 29)):
        real = (x != 0).any(-1)
        lengths = real.sum(1)
        assert (lengths.min(), lengths.max()) == (7, longest)
        np.testing.assert_array_equal(real, np.arange(29) < lengths[:, None])  # padded behind, nowhere else


def test_breast_cancer_csv_has_twenty_features_and_a_label():
    with datasets.breast_cancer.csv_path().open(newline="") as file:
        header, *rows = csv.reader(file)
    theirs = scikit("breast_cancer")
    assert header[:20] == [name.replace(" ", "_") for name in theirs.feature_names[:20]] and len(header) == 21
    np.testing.assert_array_equal(np.array(rows, float), np.column_stack([theirs.data[:, :20], theirs.target]))
    assert list(datasets.breast_cancer.feature_names) == list(theirs.feature_names)


@pytest.mark.parametrize("test_split", [-0.1, 1, 20])
def test_test_split_is_checked(test_split):
    with pytest.raises(LaminaError, match="test_split"):
        datasets.iris.load_data(test_split=test_split)
    with pytest.raises(LaminaError, match="test_split"):
        datasets.auto_mpg.load_data(test_split=test_split)


def test_modules_are_lazy_and_complete():
    program = (
        "import sys, lamina.datasets as d; assert 'numpy' not in sys.modules and 'jax' not in sys.modules;"
        "d.iris.load_data(); from lamina.datasets import wine; assert 'jax' not in sys.modules;"
        "assert all(callable(getattr(d, name).load_data) for name in d.__all__)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no_such_set"):
        getattr(datasets, "no_such_set")  # noqa: B009


def test_every_packaged_file_is_named_in_sources():
    sources = data_path("SOURCES.md").read_text()
    files = [file for file in data_path("").iterdir() if file.name != "SOURCES.md"]
    assert all(f"`{file.name}`" in sources for file in files)
    assert sum(file.stat().st_size for file in files) < 1_500_000
