"""Figures of results: their numbers are scikit-learn's, and they show themselves everywhere."""

import xml.etree.ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import calibration, metrics

import lamina as keras
from lamina.errors import DataError
from lamina.visualization import (
    plot_calibration,
    plot_confusion_matrix,
    plot_precision_recall,
    plot_residuals,
    plot_roc,
    plot_worst_samples,
)  # fmt: skip

RNG = np.random.default_rng(0)
TRUE = RNG.integers(0, 2, 200)
SHARE = np.round(np.clip(RNG.normal(0.4 + 0.2 * TRUE, 0.2), 0, 1), 2)  # with equal scores
TRUE_3 = RNG.integers(0, 3, 90)
SHARES_3 = RNG.random((90, 3)) + np.eye(3)[TRUE_3]
SHARES_3 /= SHARES_3.sum(1, keepdims=True)
CURVES = [(plot_roc, metrics.roc_auc_score), (plot_precision_recall, metrics.average_precision_score)]


@pytest.mark.parametrize("form", [lambda y: y, lambda y: y[:, None], lambda y: np.eye(3)[y], pd.Series, list])
def test_a_confusion_matrix_is_that_of_sklearn(form):
    numbers = plot_confusion_matrix(form(TRUE_3), SHARES_3).numbers
    said = SHARES_3.argmax(1)
    np.testing.assert_array_equal(numbers["matrix"], metrics.confusion_matrix(TRUE_3, said))
    np.testing.assert_allclose(numbers["shares"], metrics.confusion_matrix(TRUE_3, said, normalize="true"))
    assert numbers["accuracy"] == metrics.accuracy_score(TRUE_3, said)
    np.testing.assert_allclose(numbers["recall"], metrics.recall_score(TRUE_3, said, average=None))
    np.testing.assert_allclose(numbers["precision"], metrics.precision_score(TRUE_3, said, average=None))


@pytest.mark.parametrize("part", ["pred", "all"])
def test_shares_of_a_confusion_matrix(part):
    numbers = plot_confusion_matrix(TRUE_3, SHARES_3.argmax(1), normalize=part).numbers
    np.testing.assert_allclose(numbers["shares"], metrics.confusion_matrix(TRUE_3, SHARES_3.argmax(1), normalize=part))


def test_classes_of_a_confusion_matrix():
    texts = plot_confusion_matrix(["b", "a", "b"], ["b", "b", "a"])
    assert texts.numbers["classes"] == ["a", "b"] and texts.numbers["matrix"].tolist() == [[0, 1], [1, 1]]
    named = plot_confusion_matrix(["b", "a"], [0.3, 0.6], class_names=["a", "b"])
    assert named.numbers["matrix"].tolist() == [[0, 1], [1, 0]]
    assert plot_confusion_matrix([5, 900], [900, 900]).numbers["classes"] == ["5", "900"]
    logits = plot_confusion_matrix([0, 1], [[-3.0], [2.0]], from_logits=True)
    assert logits.numbers["accuracy"] == 1
    pictures = plot_confusion_matrix(np.zeros((2, 4, 4), int), np.ones((2, 4, 4, 3)) / 3)
    assert pictures.numbers["matrix"].sum() == 32
    many = plot_confusion_matrix(np.arange(60), np.arange(60)[::-1])
    assert max(map(len, str(many).splitlines())) < 80 and "and 40 with more" in str(many)


@pytest.mark.parametrize(("plot", "score"), CURVES)
def test_curves_are_those_of_sklearn(plot, score):
    numbers = plot(TRUE, SHARE).numbers
    if plot is plot_roc:
        expected = dict(
            zip(("fpr", "tpr", "thresholds"), metrics.roc_curve(TRUE, SHARE, drop_intermediate=False), strict=True)
        )
    else:
        expected = dict(
            zip(("precision", "recall", "thresholds"), metrics.precision_recall_curve(TRUE, SHARE), strict=True)
        )
    for name, values in expected.items():
        np.testing.assert_allclose(numbers[name], values)
    assert numbers["area"] == pytest.approx(score(TRUE, SHARE))
    two_columns = plot(TRUE, np.stack([1 - SHARE, SHARE], 1)).numbers
    assert two_columns["area"] == numbers["area"]


@pytest.mark.parametrize(("plot", "score"), CURVES)
def test_a_curve_for_each_class(plot, score):
    figure = plot(TRUE_3, SHARES_3, class_names=["a", "b", "c"])
    expected = [score(one == TRUE_3, SHARES_3[:, one]) for one in range(3)]
    assert list(figure.numbers["areas"].values()) == pytest.approx(expected)
    assert figure.numbers["area"] == pytest.approx(np.mean(expected))
    several = RNG.integers(0, 2, (90, 2))
    assert plot(several, SHARES_3[:, :2]).numbers["area"] == pytest.approx(score(several, SHARES_3[:, :2]))
    assert "No curve for 3" in str(plot(TRUE_3, np.pad(SHARES_3, ((0, 0), (0, 1)))))


def test_thresholds_can_be_read():
    text = str(plot_roc(TRUE, SHARE))
    assert "furthest from chance" in text and len(text.splitlines()) > 8
    words = [e.text for e in xml.etree.ElementTree.fromstring(plot_roc(TRUE, SHARE).svg()).iter() if e.text]
    assert {"0.5", "0.2"} <= set(words)


def test_calibration_is_that_of_sklearn():
    numbers = plot_calibration(TRUE, SHARE).numbers
    share, confidence = calibration.calibration_curve(TRUE, SHARE, n_bins=10)
    np.testing.assert_allclose(numbers["share"], share)
    np.testing.assert_allclose(numbers["confidence"], confidence)
    weights = numbers["counts"] / len(TRUE)
    assert numbers["error"] == pytest.approx(np.sum(weights * abs(share - confidence)))
    right = SHARES_3.argmax(1) == TRUE_3
    share, confidence = calibration.calibration_curve(right, SHARES_3.max(1), n_bins=5)
    np.testing.assert_allclose(plot_calibration(TRUE_3, SHARES_3, bins=5).numbers["share"], share)
    logits = np.log(SHARES_3)
    assert plot_calibration(TRUE_3, logits, from_logits=True).numbers["error"] == pytest.approx(
        plot_calibration(TRUE_3, SHARES_3).numbers["error"]
    )


@pytest.mark.parametrize("targets", [1, 2])
def test_residuals_are_those_of_sklearn(targets):
    true = RNG.normal(size=(50, targets))
    pred = true + RNG.normal(size=true.shape)
    numbers = plot_residuals(true, pred).numbers
    for name, score in (
        ("r2", metrics.r2_score),
        ("rmse", metrics.root_mean_squared_error),
        ("mae", metrics.mean_absolute_error),
    ):
        np.testing.assert_allclose(numbers[name], np.squeeze(score(true, pred, multioutput="raw_values")))
    assert plot_residuals(np.ones(3), np.ones(3)).numbers["r2"] == 1 == metrics.r2_score(np.ones(3), np.ones(3))


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.fixture(scope="module")
def data():
    return RNG.random((20, 8, 8)).astype("float32"), RNG.integers(0, 3, 20)


def test_a_model_with_its_data(model, data):
    x, y = data
    logits = model.predict(x, verbose=0)
    for plot in (plot_confusion_matrix, plot_roc, plot_precision_recall, plot_calibration):
        settings = {} if plot is plot_confusion_matrix else {"from_logits": True}
        assert str(plot(model, x, y)) == str(plot(y, logits, **settings))
        assert str(plot(model, [(x[:8], y[:8]), (x[8:], y[8:])].__iter__())) == str(plot(model, x, y))


def test_the_worst_samples_are_those_of_the_highest_loss(model, data):
    x, y = data
    figure = plot_worst_samples(model, x, y, count=3, class_names=["cat", "dog", "cow"])
    logits = model.predict(x, verbose=0).astype("float64")
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(20), y]
    assert figure.numbers["index"].tolist() == np.argsort(-losses)[:3].tolist()
    np.testing.assert_allclose(figure.numbers["losses"], losses, rtol=1e-4)
    assert figure.svg().count("<image ") == 3 and "true " in str(figure)
    assert plot_worst_samples(model, x, y, show=lambda one: f"mean {one.mean():.2f}").svg().count("<image ") == 0


def test_rows_and_texts_are_shown_as_they_are():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    rows = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 40.0]})
    assert "a: 2, b: 40" in str(plot_worst_samples(model, rows, np.zeros(2), loss="mse"))
    names = np.array(["good film", "bad film"])
    model.predict = lambda x, verbose: np.array([[0.1], [0.2]])
    assert "good film" in str(plot_worst_samples(model, names, np.array([1, 0]), loss="binary_crossentropy"))


@pytest.mark.parametrize(
    "figure",
    [
        plot_confusion_matrix(TRUE_3, SHARES_3, class_names=["a", "a long name of a class", "<b>"]),
        plot_roc(TRUE, SHARE),
        plot_roc(TRUE_3, SHARES_3), plot_precision_recall(TRUE, SHARE), plot_calibration(TRUE, SHARE),
        plot_residuals(SHARE, TRUE),
    ],
    ids=lambda figure: figure.title[:20],
)  # fmt: skip
def test_figures_show_themselves(figure, tmp_path):
    root = xml.etree.ElementTree.fromstring(figure.svg())
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height
    assert max(map(len, str(figure).splitlines())) <= 80 and figure._repr_html_().startswith("<div")
    figure.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (round(2 * figure.picture().width), round(2 * figure.picture().height))
        assert len(image.getcolors(1 << 20)) > 10


def test_what_cannot_be_read_is_said():
    for wrong, says in (
        (lambda: plot_roc([0, 1], [1, 0]), "without argmax"),
        (lambda: plot_roc([1, 1], [0.5, 0.6]), "both classes"),
        (lambda: plot_roc([0, 7], [[0.1, 0.9], [0.2, 0.8]]), "from 0"),
        (lambda: plot_calibration([0, 1], [-3.0, 2.0]), "from_logits=True"),
        (lambda: plot_confusion_matrix([0, 1, 1], [0, 1]), r"y_true\[:2\]"),
        (lambda: plot_confusion_matrix([0, 1], [0.2, np.nan]), "isfinite"),
        (lambda: plot_residuals(["a"], [1.0]), "plot_confusion_matrix"),
    ):
        with pytest.raises(DataError, match=says):
            wrong()
