"""Tables of pandas, polars, pyarrow and Hugging Face `datasets`, as `fit`, `evaluate` and `predict` take them."""

import numpy as np
import pandas as pd
import pytest

import lamina as keras
from lamina.errors import DataError
from lamina.training.data import make_batches, tables
from lamina.training.data.stored_rows import RowBatches

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
hf = pytest.importorskip("datasets")

FRAME = pd.DataFrame({"a": np.arange(6.0), "b": np.arange(6), "c": [True, False] * 3})
Y = np.arange(6) % 2
ARROW = pa.Table.from_pandas(FRAME)
ROWS = hf.Dataset.from_pandas(FRAME)
LABELLED = hf.Dataset.from_pandas(FRAME.assign(label=Y))


class OnlyArrow:
    """What speaks Arrow's protocol, and no more."""

    def __arrow_c_stream__(self, requested_schema=None):
        return ARROW.__arrow_c_stream__(requested_schema)


def parts(x, y=None, **arguments):
    return [
        [None if part is None else np.asarray(part) for part in batch]
        for batch in make_batches(x, y, **arguments).epoch()
    ]


KINDS = {
    "pandas": (FRAME, pd.Series(Y)),
    "pandas on arrow": (FRAME.convert_dtypes(dtype_backend="pyarrow"), pd.Series(Y)),
    "polars": (pl.from_pandas(FRAME), pl.Series("y", Y)),
    "polars, lazy": (pl.from_pandas(FRAME).lazy(), pl.DataFrame({"y": Y})),
    "arrow": (ARROW, pa.chunked_array([Y[:2], Y[2:]])),
    "arrow batch": (ARROW.to_batches()[0], pa.array(Y)),
    "arrow protocol": (OnlyArrow(), Y),
    "hugging face": (ROWS, Y),
    "hugging face columns": (ROWS, LABELLED["label"]),
    "hugging face, numpy": (ROWS.with_format("numpy"), LABELLED.select_columns(["label"])),
    "hugging face, labelled": (LABELLED, None),
    "hugging face, stream": (LABELLED.to_iterable_dataset(), None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_batches(kind):
    found = parts(*KINDS[kind], batch_size=4)
    for (x, y, _), rows in zip(found, (slice(0, 4), slice(4, 6)), strict=True):
        np.testing.assert_allclose(x, FRAME.to_numpy(float)[rows])
        np.testing.assert_array_equal(np.ravel(y), Y[rows])


def test_fit_evaluate_and_predict():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert "val_loss" in model.fit(LABELLED, validation_split=0.4, batch_size=2, verbose=0).history
    assert "val_loss" in model.fit(pl.from_pandas(FRAME), pl.Series(Y), validation_data=LABELLED, verbose=0).history
    found = [model.predict(x, verbose=0) for x in (FRAME, pl.from_pandas(FRAME), ARROW, LABELLED, ROWS)]
    for prediction in found[1:]:
        np.testing.assert_allclose(prediction, found[0], rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(LABELLED, verbose=0), model.evaluate(FRAME, Y, verbose=0), rtol=1e-6)


def test_columns_go_to_the_inputs_of_their_names():
    inputs = [keras.Input((1,), name=name) for name in ("b", "a")]
    model = keras.Model(inputs, keras.layers.Subtract()(inputs))
    model.compile("sgd", "mse")
    table = FRAME.assign(b=FRAME["b"] * 3, label=Y)
    for x in (table, pl.from_pandas(table), pa.Table.from_pandas(table), hf.Dataset.from_pandas(table)):
        np.testing.assert_allclose(model.predict(x, verbose=0)[:, 0], np.arange(6) * 2.0)


def test_arrays_and_text_in_columns():
    rows = hf.Dataset.from_dict({"image": np.ones((4, 2, 3)).tolist(), "label": [0, 1, 0, 1]})
    ((x, y, _),) = parts(rows)
    assert x.shape == (4, 2, 3) and y.tolist() == [0, 1, 0, 1]
    ((both, _, _),) = [next(make_batches(rows.rename_column("label", "size")).epoch())]
    assert {name: part.shape for name, part in both.items()} == {"image": (4, 2, 3), "size": (4,)}
    texts = hf.Dataset.from_dict({"text": ["good film", "bad"], "label": [1, 0]})
    words = keras.layers.TextVectorization(output_sequence_length=2)
    words.adapt(texts["text"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), words, keras.layers.Embedding(9, 2)])
    assert model.predict(texts, verbose=0).shape == (2, 2, 2)


def test_missing_numbers_are_nan():
    for table in (pl.DataFrame({"a": [1.0, None]}), pa.table({"a": [1.0, None]}), pd.DataFrame({"a": [1.0, None]})):
        ((x, _, _),) = parts(table)
        np.testing.assert_array_equal(x, [[1.0], [np.nan]])


@pytest.mark.parametrize(
    "make", [pl.DataFrame, pa.table, hf.Dataset.from_dict], ids=["polars", "arrow", "hugging face"]
)
def test_text_is_named_with_a_repair_that_works(make):
    x = make({"a": ["u", "v", "u"], "b": [1, 2, 3]})
    with pytest.raises(DataError, match=r"x\['a'\] contains strings: 'u', 'v'") as error:
        parts(x)
    names = {"x": x, "pd": pd, "np": np}
    exec(error.value.fix, names)
    assert parts(names["x"])[0][0].shape == (3, 3)
    with pytest.raises(DataError, match=r"data sets 'train', 'test'; one is needed.\nx = x\['train'\]"):
        make_batches(hf.DatasetDict(train=ROWS, test=ROWS))


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_large_data_sets_are_read_by_batches(monkeypatch, shuffle):
    arguments = {"batch_size": 4, "shuffle": shuffle}

    def both(x, y=None):
        np.random.seed(5)
        return parts(x, y, **arguments)

    small = both(LABELLED), both(ROWS, Y)
    monkeypatch.setattr(tables, "MAX_BYTES_READ", 10)
    assert isinstance(make_batches(LABELLED), RowBatches)
    for found, expected in zip((both(LABELLED), both(ROWS, Y)), small, strict=True):
        for batch, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(batch[0], other[0])
            np.testing.assert_array_equal(np.ravel(batch[1]), np.ravel(other[1]))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(LABELLED, batch_size=2, validation_split=0.4, shuffle=shuffle, verbose=0).history
    assert len(history["val_loss"]) == 1 and model.predict(ROWS, verbose=0).shape == (6, 1)
    with pytest.raises(DataError, match="same number of samples"):
        model.fit(ROWS, Y[:3], verbose=0)


def test_pictures_of_several_sizes_are_refused_with_a_repair():
    sizes = [np.zeros((4 + row, 4, 3), "uint8") for row in range(3)]
    features = hf.Features({"image": hf.Image(), "label": hf.Value("int64")})
    x = hf.Dataset.from_dict({"image": sizes, "label": [0, 1, 0]}, features=features)
    with pytest.raises(DataError, match=r"row 0 has shape \(4, 4, 3\), row 1 has \(5, 4, 3\)") as caught:
        make_batches(x)
    names = {"x": x}
    exec(caught.value.fix, names)
    inputs, targets = next(iter(make_batches(names["x"]).open()))[:2]
    assert inputs.shape == (3, 224, 224, 3) and np.array_equal(targets, [0, 1, 0])


def test_the_name_of_a_column_as_targets():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    for table in (LABELLED, ARROW):
        name = table.column_names[1]
        with pytest.raises(DataError, match=f"got the name '{name}'") as caught:
            model.fit(table, name)
        names = {"x": table, "np": np}
        exec(caught.value.fix, names)
        assert name not in names["x"].column_names
        assert len(parts(names["x"], names["y"])[0][1]) == 6
