"""Every metric against Keras over three updates and a reset: results, state, configs; and the errors."""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from lamina import losses, metrics
from lamina.core.context import bind
from lamina.core.keras_tensor import set_mask
from lamina.errors import CallError, ConfigError, ShapeError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's confusion matrix
random = np.random.default_rng(0)
SHAPE = (6, 4)


def numbers(*shape):
    return random.normal(size=shape).astype("float32")


def positive(*shape):
    return random.uniform(0.05, 2, size=shape).astype("float32")


def chances(*shape):
    return random.uniform(0.02, 0.98, size=shape).astype("float32")


def tenths(*shape):
    return (random.integers(0, 11, size=shape) / 10).astype("float32")


def bits(*shape):
    return random.integers(0, 2, size=shape).astype("float32")


def one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[random.integers(0, shape[-1], size=shape[:-1])]


def distributions(*shape):
    values = positive(*shape)
    return values / values.sum(-1, keepdims=True)


def labels(*shape):
    return random.integers(0, shape[-1], size=shape[:-1]).astype("int32")


def classes(*shape):
    return random.integers(0, 3, size=shape).astype("int32")


def column(*shape):
    return labels(*shape)[:, None]


# class, settings, targets, outputs
CASES = [
    ("Accuracy", {}, classes, classes),
    ("BinaryAccuracy", {}, bits, chances),
    ("BinaryAccuracy", {"threshold": 0.7}, bits, chances),
    ("CategoricalAccuracy", {}, one_hot, distributions),
    ("SparseCategoricalAccuracy", {}, labels, distributions),
    ("SparseCategoricalAccuracy", {}, column, distributions),
    ("TopKCategoricalAccuracy", {"k": 2}, one_hot, tenths),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, labels, tenths),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, labels, classes),
    ("MeanSquaredError", {}, numbers, numbers),
    ("MeanAbsoluteError", {}, numbers, numbers),
    ("MeanAbsolutePercentageError", {}, positive, numbers),
    ("MeanSquaredLogarithmicError", {}, positive, positive),
    ("RootMeanSquaredError", {}, numbers, numbers),
    ("LogCoshError", {}, numbers, numbers),
    ("CosineSimilarity", {}, numbers, numbers),
    ("CosineSimilarity", {"axis": 0}, numbers, numbers),
    ("PearsonCorrelation", {}, numbers, numbers),
    ("PearsonCorrelation", {"axis": (0, 1)}, numbers, numbers),
    ("ConcordanceCorrelation", {}, numbers, numbers),
    ("R2Score", {}, numbers, numbers),
    ("R2Score", {"class_aggregation": None}, numbers, numbers),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, numbers, numbers),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, bits, chances),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, one_hot, numbers),
    ("SparseCategoricalCrossentropy", {}, labels, distributions),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, labels, distributions),
    ("KLDivergence", {}, distributions, distributions),
    ("Poisson", {}, positive, positive),
    ("Hinge", {}, bits, numbers),
    ("SquaredHinge", {}, bits, numbers),
    ("CategoricalHinge", {}, one_hot, numbers),
    ("TruePositives", {}, bits, chances),
    ("FalsePositives", {"thresholds": [0.2, 0.8]}, bits, chances),
    ("TrueNegatives", {"thresholds": 0.3}, bits, tenths),
    ("FalseNegatives", {"thresholds": [0.9, 0.1]}, bits, tenths),
    ("Precision", {}, bits, chances),
    ("Precision", {"thresholds": [0.2, 0.8]}, bits, tenths),
    ("Precision", {"top_k": 2}, one_hot, tenths),
    ("Precision", {"class_id": 1}, bits, chances),
    ("Recall", {"top_k": 2, "class_id": 0}, one_hot, distributions),
    ("Recall", {"thresholds": 0.3}, bits, chances),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, bits, chances),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 1}, bits, chances),
    ("PrecisionAtRecall", {"recall": 0.6, "num_thresholds": 11}, bits, tenths),
    ("RecallAtPrecision", {"precision": 0.5, "class_id": 2}, bits, chances),
    ("AUC", {}, bits, chances),
    ("AUC", {"num_thresholds": 11}, bits, tenths),
    ("AUC", {"curve": "PR"}, bits, chances),
    ("AUC", {"curve": "PR", "summation_method": "minoring", "thresholds": [0.7, 0.2, 0.4]}, bits, chances),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 5}, bits, chances),
    ("AUC", {"summation_method": "majoring", "from_logits": True}, bits, numbers),
    ("AUC", {"multi_label": True, "num_labels": 4}, bits, chances),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 0.0, 2.0, 3.0], "curve": "PR"}, bits, chances),
    ("AUC", {"label_weights": [1.0, 0.0, 2.0, 3.0], "num_thresholds": 20}, bits, chances),
    ("F1Score", {}, one_hot, distributions),
    ("F1Score", {"average": "micro", "threshold": 0.4}, bits, chances),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, one_hot, distributions),
    ("FBetaScore", {"average": "weighted", "beta": 0.5, "threshold": 0.5}, bits, chances),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, classes, classes),
    ("IoU", {"num_classes": 3, "target_class_ids": (1,), "ignore_class": 0, "dtype": "float32"}, classes, classes),
    ("BinaryIoU", {}, bits, tenths),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3, "dtype": "float32"}, bits, chances),
    ("MeanIoU", {"num_classes": 3}, classes, classes),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False, "dtype": "float32"}, labels, distributions),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3], "dtype": "float32"}, one_hot, distributions),
    ("OneHotMeanIoU", {"num_classes": 4}, one_hot, distributions),
]  # fmt: skip
IDS = [f"{case[0]}-{number}" for number, case in enumerate(CASES)]
each = pytest.mark.parametrize(("cls", "settings", "targets", "outputs"), CASES, ids=IDS)


def close(ours, theirs, tolerance=1e-5):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def same_state(ours, theirs):
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        assert mine.dtype == other.dtype
        close(mine.value, other.value)


@each
def test_three_updates_and_a_reset_are_those_of_keras(cls, settings, targets, outputs):
    ours, theirs = getattr(metrics, cls)(**settings), getattr(keras.metrics, cls)(**settings)
    assert ours._direction == getattr(theirs, "_direction", None)
    for weighted in (False, True, True):
        y_true, y_pred = targets(*SHAPE), outputs(*SHAPE)
        weights = positive(SHAPE[0]) if weighted else None
        if settings.get("axis") in (0, (0, 1)):
            weights = None  # those values are not one a sample
        elif weighted and "IoU" in cls:
            weights = random.integers(1, 4, size=np.shape(ours._classes(y_true, ours.sparse_y_true)))
        ours.update_state(y_true, y_pred, sample_weight=weights)
        theirs.update_state(y_true, y_pred, sample_weight=weights)
        close(ours.result(), theirs.result())
    same_state(ours, theirs)
    ours.reset_state()
    assert all(not v.numpy().any() for v in ours.variables)


@each
def test_config_is_keras_config_and_goes_both_ways(cls, settings, targets, outputs):
    settings = {"name": "own", **settings}
    ours, theirs = getattr(metrics, cls)(**settings), getattr(keras.metrics, cls)(**settings)
    expected = json.loads(json.dumps(theirs.get_config(), default=lambda value: np.asarray(value).tolist()))
    got = json.loads(json.dumps(ours.get_config()))
    assert {key: got[key] for key in expected} == expected
    assert set(got) - set(expected) <= set(settings)  # Keras forgets some arguments
    written = json.loads(json.dumps(metrics.serialize(ours)))
    assert metrics.serialize(metrics.deserialize(written)) == written
    assert type(theirs).from_config(written["config"]).get_config().keys() == theirs.get_config().keys()
    assert repr(ours).startswith(f"{cls}(")


def test_names_and_paths_are_those_of_keras():
    for cls in ("AUC", "MeanSquaredError", "Mean"):
        ours, theirs = getattr(metrics, cls)(name="a/b"), getattr(keras.metrics, cls)(name="a/b")
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert metrics.AUC().name.startswith("auc")
    assert metrics.IoU(2, [0]).name.startswith("io_u")
    assert metrics.LogCoshError().name == "logcosh"


@pytest.mark.parametrize("cls", ["Mean", "Sum"])
@pytest.mark.parametrize(
    ("shape", "weights"),
    [
        ((), None), ((3,), None), ((3, 2), None), ((3,), ()), ((3,), (3,)), ((3,), (3, 1)), ((3, 1), (3,)),
        ((3, 2), (3,)), ((3, 2), (3, 1)), ((3, 2), (3, 2)), ((3, 2, 2), (3, 2)),
    ],
)  # fmt: skip
def test_sums_and_means_weigh_as_keras(cls, shape, weights):
    ours, theirs = getattr(metrics, cls)(), getattr(keras.metrics, cls)()
    for _ in range(2):
        values, given = numbers(*shape), None if weights is None else positive(*weights)
        close(ours(values, sample_weight=given), theirs(values, sample_weight=given))
    same_state(ours, theirs)


@pytest.mark.parametrize("cls", ["MeanSquaredError", "SparseCategoricalAccuracy", "BinaryAccuracy"])
@pytest.mark.parametrize("weights", [None, (3, 2)])
def test_masks_weigh_as_in_keras(cls, weights):
    y_true, y_pred = (classes(3, 2) if cls.startswith("Sparse") else bits(3, 2, 4)), chances(3, 2, 4)
    if cls == "BinaryAccuracy":
        y_true, y_pred = y_true[..., 0], y_pred[..., 0]
    mask = np.array([[True, False], [True, True], [False, False]])
    ours_in, theirs_in = jnp.array(y_pred), jnp.array(y_pred)
    set_mask(ours_in, mask)
    keras.src.backend.set_keras_mask(theirs_in, mask)
    given = None if weights is None else positive(*weights)
    ours, theirs = getattr(metrics, cls)(), getattr(keras.metrics, cls)()
    close(ours(y_true, ours_in, sample_weight=given), theirs(y_true, theirs_in, sample_weight=given))


@pytest.mark.parametrize(
    "cls", ["BinaryAccuracy", "MeanSquaredError", "AUC", "Precision", "BinaryIoU", "RootMeanSquaredError"]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_vectors_meet_columns(cls, weighted):
    y_true, y_pred = bits(6), chances(6, 1)
    weights = positive(6) if weighted and cls != "BinaryIoU" else None
    ours, theirs = getattr(metrics, cls)(), getattr(keras.metrics, cls)()
    if cls in ("BinaryIoU", "RootMeanSquaredError"):  # Keras wants one rank there
        theirs.update_state(y_true[:, None], y_pred, sample_weight=weights)
    else:
        theirs.update_state(y_true, y_pred, sample_weight=weights)
    close(ours(y_true, y_pred, sample_weight=weights), theirs.result())


@pytest.mark.parametrize("cls", ["Mean", "AUC", "SparseCategoricalAccuracy", "F1Score"])
def test_pure_functions_under_jit_give_what_the_object_gives(cls):
    metric = getattr(metrics, cls)()
    if cls == "Mean":
        batch = (numbers(6),)
    elif cls == "AUC":
        batch = bits(6), chances(6)
    else:
        batch = labels(6, 4) if cls.startswith("Sparse") else one_hot(6, 4), distributions(6, 4)
    metric.update_state(*batch)
    expected, metric_variables = float(np.mean(metric.result())), metric.stateless_reset_state()
    metric.reset_state()
    update = jax.jit(lambda values, batch: metric.stateless_update_state(values, *batch))
    metric_variables = update(metric_variables, batch)
    assert not any(np.any(v.numpy()) for v in metric.variables)
    np.testing.assert_allclose(np.mean(jax.jit(metric.stateless_result)(metric_variables)), expected, rtol=1e-5)


def test_bound_variables_are_the_ones_written():
    metric = metrics.Mean()
    with bind(metric.variables, [jnp.float32(6), jnp.float32(2)]) as slots:
        assert float(metric.result()) == 3
        metric.update_state([1.0])
        assert [float(slots[v]) for v in metric.variables] == [7, 3]
    assert float(metric.result()) == 0
    with pytest.raises(CallError, match="2 variables; got 1"):
        metric.stateless_result([0.0])


def test_own_metric_holds_variables_and_metrics():
    class Both(metrics.Metric):
        def __init__(self, factor=2.0, name=None, dtype=None):
            super().__init__(dtype=dtype, name=name)
            self.factor = factor
            self.inner = [metrics.Mean(name="inner")]
            self.steps = self.add_weight(name="steps", initializer="ones")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.inner[0].update_state(y_pred)
            self.steps.assign_add(1.0)

        def result(self):
            return {"mean": self.inner[0].result() * self.factor, "steps": self.steps.value}

    metric = Both()
    assert [v.path for v in metric.variables] == ["both/steps", "inner/total", "inner/count"]
    assert metric(None, [1.0, 2.0]) == {"mean": 3.0, "steps": 2.0}
    assert metric.get_config() == {"factor": 2.0, "name": "both", "dtype": "float32"}
    metric.reset_state()
    assert [float(v.value) for v in metric.variables] == [0, 0, 0]

    class Forgetful(metrics.Metric):
        def __init__(self):
            pass

    with pytest.raises(UnknownNameError, match=r"Forgetful.__init__ has not called super\(\).__init__"):
        Forgetful().add_weight()


def test_wrapped_function_keeps_its_settings():
    ours = metrics.MeanMetricWrapper(losses.huber, name="h", delta=2.0)
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="h", delta=2.0)
    y_true, y_pred = numbers(5, 2), numbers(5, 2)
    close(ours(y_true, y_pred), theirs(y_true, y_pred))
    again = metrics.deserialize(metrics.serialize(ours))
    assert (again.fn, again.delta, again.name, again._direction) == (losses.huber, 2.0, "h", "down")
    assert ours.get_config().keys() == theirs.get_config().keys()


@pytest.mark.parametrize(
    "function",
    [
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
        "pearson_correlation",
        "concordance_correlation",
    ],
)
def test_functions_give_keras_values(function):
    for shape in ((5, 7), (2, 3, 7)):
        y_true = (
            labels(*shape)
            if function.startswith("sparse")
            else bits(*shape)
            if "accuracy" in function
            else numbers(*shape)
        )
        y_pred = tenths(*shape)
        ours, theirs = getattr(metrics, function)(y_true, y_pred), getattr(keras.metrics, function)(y_true, y_pred)
        close(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_a_number_that_is_no_class_is_nan_unless_it_has_no_weight():
    outputs = np.array([[0.2, 0.8], [np.nan, 0.5], [0.5, 0.5]], "float32")
    values = metrics.sparse_top_k_categorical_accuracy([5, 0, -1], outputs, k=1)
    np.testing.assert_array_equal(values, [np.nan, 0, np.nan])
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy([5, 1, -1], outputs), [np.nan, 0, np.nan])
    for metric in (
        metrics.SparseCategoricalAccuracy(), metrics.SparseTopKCategoricalAccuracy(1),
        metrics.SparseCategoricalCrossentropy(),
    ):  # fmt: skip
        for wrong in (5, -1, np.nan):
            assert np.isfinite(metric([1, wrong], outputs[::2], sample_weight=np.array([1, 0])))
            assert np.isnan(metric([1, wrong], outputs[::2]))
            assert np.isnan(metric([1, 0], outputs[::2]))  # until reset_state()
            metric.reset_state()


def test_accuracy_over_many_classes_takes_the_first_of_the_largest():
    outputs = tenths(50, 300)
    expected = (outputs.argmax(-1) == np.arange(50)).astype("float32")
    assert np.array_equal(metrics.sparse_categorical_accuracy(np.arange(50), outputs), expected)
    assert np.array_equal(metrics.categorical_accuracy(np.eye(50, 300), outputs), expected)


def test_an_output_that_is_no_number_says_no():
    metric = metrics.FalseNegatives(thresholds=[0.1, 0.5])
    assert metric([1, 1], [np.nan, 0.3]).tolist() == [1, 2]


def test_area_under_a_perfect_and_a_blind_curve():
    y_true = np.array([0, 0, 1, 1], "float32")
    for curve in ("ROC", "PR"):
        assert float(metrics.AUC(curve=curve)(y_true, y_true)) == pytest.approx(1)
    assert float(metrics.AUC()(y_true, np.full(4, 0.5, "float32"))) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.AUC(num_thresholds=1), "2 or more"),
        (lambda: metrics.AUC(curve="x"), "curve of AUC"),
        (lambda: metrics.AUC(thresholds=[2.0]), r"\[0, 1\]"),
        (lambda: metrics.Precision(thresholds=[2.0]), r"\[0, 1\]"),
        (lambda: metrics.SensitivityAtSpecificity(2.0), "specificity lies"),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "1 or more"),
        (lambda: metrics.FBetaScore(average="a"), "average is"),
        (lambda: metrics.FBetaScore(beta=0), "beta is"),
        (lambda: metrics.F1Score(threshold=2.0), "threshold is"),
        (lambda: metrics.R2Score(class_aggregation="x"), "class_aggregation"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
        (lambda: metrics.IoU(2, [5]), "Target class ids"),
        (lambda: metrics.get("categorical_acuracy"), "Did you mean 'categorical_accuracy'"),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize("cls", ["BinaryAccuracy", "AUC", "Precision", "MeanSquaredError", "F1Score", "R2Score"])
def test_targets_are_never_broadcast(cls):
    with pytest.raises(ShapeError, match=r"targets \(6, 2\) and outputs \(6, 1\)"):
        getattr(metrics, cls)().update_state(np.zeros((6, 2)), np.zeros((6, 1)))
    with pytest.raises(ShapeError, match=r"\(5,\)"):
        getattr(metrics, cls)().update_state(np.zeros((6, 2)), np.zeros((6, 2)), sample_weight=np.ones(5))


def test_a_class_id_needs_outputs_of_several_classes():
    with pytest.raises(ShapeError, match=r"class_id=2 needs outputs of shape .*got shape \(5,\)"):
        metrics.Precision(class_id=2)(np.ones(5), np.ones(5))


def test_get_knows_names_aliases_configs_and_objects():
    for (
        name
    ) in "mse MSE mae MAE mape MAPE msle MSLE bce BCE auc AUC accuracy precision f1_score log_cosh_error".split():
        assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__
    assert metrics.get({"class_name": "TopKCategoricalAccuracy", "config": {"k": 3}}).k == 3
    assert metrics.get(None) is None
    metric = metrics.Mean()
    assert metrics.get(metric) is metric
    assert metrics.deserialize(metrics.serialize(metrics.binary_accuracy)) is metrics.binary_accuracy
    assert (
        metrics.deserialize(keras.metrics.serialize(keras.metrics.AUC(name="a", thresholds=[0.5]))).thresholds[1] == 0.5
    )


@pytest.mark.parametrize("label", [2.0, -1.0])
def test_binary_labels_that_are_neither_0_nor_1_are_nan(label):
    y_true, y_pred = np.array([[0.0], [1.0], [label]]), np.array([[0.2], [0.7], [0.9]])
    kinds = ["BinaryAccuracy", "BinaryCrossentropy", "Precision", "Recall", "TruePositives", "AUC"]
    for metric in (getattr(metrics, kind)() for kind in kinds):
        assert np.isnan(metric(y_true, y_pred)), metric.name
        metric.reset_state()
        assert np.isfinite(metric(y_true, y_pred, sample_weight=np.array([1.0, 1.0, 0.0])[:, None])), metric.name
    for loss in ("binary_crossentropy", "binary_focal_crossentropy"):
        values = np.asarray(losses.get(loss)(y_true, y_pred))
        assert np.isfinite(values[:2]).all() and np.isnan(values[2])
    noisy = np.array([[0.05], [1.05]])  # of a GAN
    assert np.isfinite(losses.BinaryCrossentropy()(noisy, y_pred[:2]))
