"""Every loss against Keras: values, gradients, weights, masks, reductions, configs; and the errors."""

import functools
import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import config, losses
from lamina.core.keras_tensor import KerasTensor, get_mask, set_mask, trace
from lamina.errors import ConfigError, ShapeError
from lamina.ops import crossentropy

random = np.random.default_rng(0)


def numbers(*shape):
    return random.normal(size=shape).astype("float32")


def positive(*shape):
    return random.uniform(0.05, 2, size=shape).astype("float32")


def chances(*shape):
    return random.uniform(0.02, 0.98, size=shape).astype("float32")


def bits(*shape):
    return random.integers(0, 2, size=shape).astype("float32")


def one_hot(*shape):
    return np.eye(shape[-1], dtype="float32")[random.integers(0, shape[-1], size=shape[:-1])]


def distributions(*shape):
    values = positive(*shape)
    return values / values.sum(-1, keepdims=True)


def labels(*shape):
    return random.integers(0, shape[-1], size=shape[:-1]).astype("int32")


SMOOTH = {"from_logits": True, "label_smoothing": 0.2}
BALANCED = {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, **SMOOTH}
BY_CLASS = {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 3.0, **SMOOTH}
IGNORE = {"from_logits": True, "ignore_class": 1}
# class, function, settings, targets, outputs
CASES = [
    ("MeanSquaredError", "mean_squared_error", {}, numbers, numbers),
    ("MeanAbsoluteError", "mean_absolute_error", {}, numbers, numbers),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {}, positive, numbers),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", {}, numbers, positive),
    ("Huber", "huber", {}, numbers, numbers),
    ("Huber", "huber", {"delta": 0.3}, numbers, numbers),
    ("LogCosh", "log_cosh", {}, numbers, numbers),
    ("CosineSimilarity", "cosine_similarity", {}, numbers, numbers),
    ("CosineSimilarity", "cosine_similarity", {"axis": 1}, numbers, numbers),
    ("Hinge", "hinge", {}, bits, numbers),
    ("Hinge", "hinge", {}, numbers, numbers),
    ("SquaredHinge", "squared_hinge", {}, bits, numbers),
    ("CategoricalHinge", "categorical_hinge", {}, one_hot, numbers),
    ("KLDivergence", "kl_divergence", {}, distributions, distributions),
    ("Poisson", "poisson", {}, positive, positive),
    ("BinaryCrossentropy", "binary_crossentropy", {}, bits, chances),
    ("BinaryCrossentropy", "binary_crossentropy", SMOOTH, bits, numbers),
    ("BinaryCrossentropy", "binary_crossentropy", {"label_smoothing": 0.1, "axis": 1}, bits, chances),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", {}, bits, chances),
    ("BinaryFocalCrossentropy", "binary_focal_crossentropy", BALANCED, bits, numbers),
    ("CategoricalCrossentropy", "categorical_crossentropy", {}, one_hot, distributions),
    ("CategoricalCrossentropy", "categorical_crossentropy", {}, one_hot, positive),
    ("CategoricalCrossentropy", "categorical_crossentropy", SMOOTH, one_hot, numbers),
    ("CategoricalCrossentropy", "categorical_crossentropy", {"axis": 1}, bits, positive),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", {}, one_hot, distributions),
    ("CategoricalFocalCrossentropy", "categorical_focal_crossentropy", BY_CLASS, one_hot, numbers),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", {}, labels, distributions),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", {"from_logits": True}, labels, numbers),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", IGNORE, labels, numbers),
    ("CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", {"q": 0.7}, labels, distributions),
    ("Dice", "dice", {}, bits, chances),
    ("Dice", "dice", {"axis": (1, 2)}, bits, chances),
    ("Tversky", "tversky", {}, bits, chances),
    ("Tversky", "tversky", {"alpha": 0.3, "beta": 0.8, "axis": 1}, bits, chances),
]  # fmt: skip
IDS = [f"{case[0]}-{number}" for number, case in enumerate(CASES)]
each = pytest.mark.parametrize(("cls", "function", "settings", "targets", "outputs"), CASES, ids=IDS)


def close(ours, theirs, tolerance=1e-5):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def same_values_and_gradients(ours, theirs, y_true, y_pred, tolerance=1e-5, **settings):
    """One program each: the values, and the gradient of their sum weighted by 1, 2, 3, ..."""

    def total(loss, y_pred):
        values = loss(y_true, y_pred, **settings)
        return jnp.sum(values * (1 + jnp.arange(values.size).reshape(values.shape))), values

    results = [jax.jit(jax.grad(functools.partial(total, loss), has_aux=True))(y_pred) for loss in (ours, theirs)]
    (gradient, values), (keras_gradient, keras_values) = results
    close(values, keras_values, tolerance)
    close(gradient, keras_gradient, 1e-4)


@each
def test_function_gives_keras_values_and_gradients(cls, function, settings, targets, outputs):
    ours, theirs = getattr(losses, function), getattr(keras.losses, function)
    for shape in ((5, 4), (3, 2, 4)):
        if settings.get("axis") == (1, 2) and len(shape) == 2:
            continue
        same_values_and_gradients(ours, theirs, targets(*shape), outputs(*shape), **settings)


@each
def test_object_gives_keras_value_weighted_masked_and_reduced(cls, function, settings, targets, outputs):
    shape = (3, 2, 4)
    y_true, y_pred = targets(*shape), jnp.asarray(outputs(*shape))
    values = np.shape(getattr(losses, function)(y_true, y_pred, **settings))
    for reduction in losses.loss.REDUCTIONS:
        ours = getattr(losses, cls)(reduction=reduction, **settings)
        theirs = getattr(keras.losses, cls)(reduction=reduction, **settings)
        for weights in (None, positive(*values), positive(3, *(1 for _ in values[1:])) if values else 0.5):
            close(ours(y_true, y_pred, sample_weight=weights), theirs(y_true, y_pred, sample_weight=weights))
    if values == shape[:2]:
        mask = np.array([[True, False], [True, True], [False, False]])
        theirs_in, ours_in = jnp.array(y_pred), jnp.array(y_pred)
        keras.src.backend.set_keras_mask(theirs_in, mask)
        set_mask(ours_in, mask)
        for reduction in losses.loss.REDUCTIONS:
            ours = getattr(losses, cls)(reduction=reduction, **settings)
            theirs = getattr(keras.losses, cls)(reduction=reduction, **settings)
            for weights in (None, positive(*values)):
                close(ours(y_true, ours_in, sample_weight=weights), theirs(y_true, theirs_in, sample_weight=weights))


@each
def test_config_is_keras_config_and_goes_both_ways(cls, function, settings, targets, outputs):
    ours, theirs = getattr(losses, cls)(**settings), getattr(keras.losses, cls)(**settings)
    unwritten = ours._unwritten if "ignore_class" not in settings else {}
    assert {k: v for k, v in ours.get_config().items() if k not in unwritten} == theirs.get_config()
    assert losses.deserialize(keras.losses.serialize(theirs)).get_config().items() >= theirs.get_config().items()
    written = losses.serialize(ours)
    assert losses.serialize(losses.deserialize(written)) == written
    read = type(theirs).from_config(written["config"])
    assert json.dumps(read.get_config()) == json.dumps(theirs.get_config())
    assert getattr(losses, cls)().get_config() == getattr(keras.losses, cls)().get_config()


@pytest.mark.parametrize("cls", ["MeanSquaredError", "BinaryCrossentropy", "Hinge", "KLDivergence", "Dice"])
@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((4,), (4, 1)), ((4, 1), (4,)), ((3, 2, 1), (3, 2)), ((3, 2), (3, 2, 1))]
)
def test_trailing_axis_of_one_is_aligned_as_in_keras(cls, true_shape, pred_shape):
    y_true, y_pred = bits(*true_shape), chances(*pred_shape)
    for weights in (None, positive(pred_shape[0]), positive(pred_shape[0], 1)):
        if weights is not None and (cls == "Dice" or (weights.ndim == 1 and len(pred_shape) == 3)):
            continue  # Keras spreads (batch,) weights over the last axis
        ours, theirs = getattr(losses, cls)(), getattr(keras.losses, cls)()
        close(ours(y_true, y_pred, sample_weight=weights), theirs(y_true, y_pred, sample_weight=weights))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("cls", ["MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy"])
def test_low_precision_is_that_of_keras(cls, dtype):
    y_true, y_pred = one_hot(6, 4), distributions(6, 4)
    ours, theirs = getattr(losses, cls)(dtype=dtype), getattr(keras.losses, cls)(dtype=dtype)
    assert ours.dtype == theirs.dtype == dtype
    ours, theirs = ours(y_true, y_pred), theirs(y_true, y_pred)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(np.asarray(ours, "float32"), np.asarray(theirs, "float32"), rtol=2e-2)
    assert getattr(losses, cls)(dtype=f"mixed_{dtype}").dtype == dtype
    assert getattr(losses, cls)(dtype=dtype).get_config()["dtype"] == dtype


def test_small_float_types_keep_class_numbers():
    outputs = np.zeros((1, 1000), "float32")
    outputs[0, 999] = 30
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, dtype="bfloat16")
    assert float(loss(np.array([999]), outputs)) < 0.01  # as a bfloat16 the class number would be 1000


def test_sparse_targets_with_and_without_a_last_axis():
    y_pred = distributions(4, 3)
    for y_true in (np.array([0, 1, 2, 1]), np.array([[0], [1], [2], [1]]), np.array([0.0, 1.0, 2.0, 1.0], "float32")):
        expected = -np.log(y_pred[np.arange(4), [0, 1, 2, 1]])
        np.testing.assert_allclose(losses.sparse_categorical_crossentropy(y_true, y_pred), expected, rtol=1e-5)
    image = positive(2, 3, 5, 5)
    classes = random.integers(0, 3, size=(2, 5, 5))
    close(
        losses.sparse_categorical_crossentropy(classes, image, axis=1),  # Keras on JAX takes the last axis only
        keras.losses.sparse_categorical_crossentropy(classes, np.moveaxis(image, 1, -1)),
    )


def test_a_number_that_is_no_class_is_nan_unless_it_has_no_weight():
    y_pred = distributions(4, 3)
    for wrong in (-1, 7, np.nan):  # Keras on JAX returns 0, as for a perfect prediction
        y_true = np.array([1, wrong, 2, 0])
        known = np.isfinite(losses.sparse_categorical_crossentropy(y_true, y_pred))
        assert known.tolist() == [True, False, True, True]
        for loss in (losses.SparseCategoricalCrossentropy(), losses.CategoricalGeneralizedCrossEntropy()):
            assert np.isnan(loss(y_true, y_pred))
            assert np.isfinite(loss(y_true, y_pred, sample_weight=np.array([1.0, 0.0, 1.0, 1.0])))
    assert np.isnan(losses.ctc(np.array([[1, 5]]), np.zeros((1, 4, 3), "float32")))


def test_ignored_class_leaves_the_mean():
    y_pred = distributions(4, 3)
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    expected = -np.log(y_pred[[0, 2], [1, 2]]).mean()
    np.testing.assert_allclose(loss(np.array([1, -1, 2, -1]), y_pred), expected, rtol=1e-5)
    values = losses.sparse_categorical_crossentropy(np.array([1, -1]), y_pred[:2], ignore_class=-1)
    assert np.array_equal(get_mask(values), [True, False])


def test_one_weight_a_sample_weighs_samples():
    y_true, y_pred = numbers(2, 2, 3), numbers(2, 2, 3)
    weights = np.array([1.0, 0.0], "float32")
    expected = np.mean((y_true[0] - y_pred[0]) ** 2) / 2
    np.testing.assert_allclose(losses.MeanSquaredError()(y_true, y_pred, sample_weight=weights), expected, rtol=1e-5)


def test_masked_mean_of_nothing_is_zero():
    y_pred = jnp.ones((2, 3))
    set_mask(y_pred, np.zeros(2, bool))
    assert float(losses.MeanSquaredError()(np.zeros((2, 3)), y_pred)) == 0


@pytest.mark.parametrize(
    ("function", "true_shape", "pred_shape", "fix"),
    [
        ("mean_squared_error", (4,), (4, 3), "sparse_categorical"),
        ("mean_squared_error", (4, 3), (4, 1), "last layer 3 units"),
        ("binary_crossentropy", (1,), (4,), "shape (4,)"),
        ("mean_absolute_error", (4,), (4, 7, 1), "Flatten"),
        ("huber", (), (4,), "not broadcast"),
        ("categorical_crossentropy", (4, 1), (4, 3), "to_categorical(y, 3)"),
        ("sparse_categorical_crossentropy", (4, 3), (4, 3), "One-hot targets"),
        ("sparse_categorical_crossentropy", (5,), (4, 3), "shape (4,), or (4, 1)"),
    ],
)
def test_targets_of_other_shapes_are_refused(function, true_shape, pred_shape, fix):
    with pytest.raises(ShapeError) as error:
        getattr(losses, function)(np.zeros(true_shape), np.ones(pred_shape))
    assert str(true_shape) in str(error.value)
    assert str(pred_shape) in str(error.value)
    assert fix in str(error.value)


@pytest.fixture
def broadcasting():
    yield config.set_broadcast_targets
    config.set_broadcast_targets("warn")


def test_one_target_for_several_outputs_is_broadcast_and_reported(broadcasting):
    y_true, y_pred = numbers(4, 1), numbers(4, 3)
    with pytest.warns(UserWarning, match=r"shape \(batch, 1\) were broadcast to the outputs \(batch, 3\)"):
        found = losses.MeanSquaredError()(y_true, y_pred)
    np.testing.assert_allclose(found, np.mean((y_true - y_pred) ** 2), rtol=1e-6)
    broadcasting("error")
    with pytest.raises(ShapeError, match="same shape"):
        losses.MeanSquaredError()(y_true, y_pred)
    broadcasting("off")
    for shapes in [((4, 1), (4, 3)), ((1, 3), (4, 3)), ((4, 3), (4, 1)), ((4, 1, 1), (4, 5, 3))]:
        a, b = (numbers(*shape) for shape in shapes)
        np.testing.assert_allclose(losses.mean_absolute_error(a, b), np.abs(a - b).mean(-1), rtol=1e-5)
    for name, shape in [("binary_crossentropy", (4, 1)), ("mean_squared_error", (4, 2)), ("huber", (3, 1))]:
        with pytest.raises(ShapeError):
            getattr(losses, name)(numbers(*shape), y_pred)
    with pytest.raises(ConfigError, match="must be 'error', 'warn' or 'off'"):
        broadcasting("no")


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"\(3,\) do not fit values of shape \(4,\)"):
        losses.MeanSquaredError()(np.zeros((4, 2)), np.zeros((4, 2)), sample_weight=np.ones(3))


def test_bad_settings_are_named():
    with pytest.raises(ConfigError, match="Invalid value for argument `reduction`: expected one of"):
        losses.MeanSquaredError(reduction="average")
    with pytest.raises(ConfigError, match="axis of categorical_crossentropy"):
        losses.categorical_crossentropy(np.ones((2, 3)), np.ones((2, 3)), axis=(0, 1))
    with pytest.raises(ConfigError, match="q lies between"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.5)
    with pytest.raises(ConfigError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(NotImplementedError, match=r"call\(y_true, y_pred\)"):
        losses.Loss()(np.ones(2), np.ones(2))
    with pytest.warns(SyntaxWarning, match="always 0"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_get_knows_names_aliases_configs_and_objects():
    for name in "mse MSE mae MAE mape MAPE msle MSLE bce BCE kld KLD huber log_cosh dice tversky".split():
        assert losses.get(name).__name__ == keras.losses.get(name).__name__
    assert isinstance(losses.get("CategoricalCrossentropy"), losses.CategoricalCrossentropy)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}}).delta == 2.0
    assert losses.get(None) is None
    loss = losses.Poisson()
    assert losses.get(loss) is loss
    function = losses.deserialize(losses.serialize(losses.mean_squared_error))
    assert function is losses.deserialize("mean_squared_error") is losses.mean_squared_error


def test_a_function_with_settings_becomes_a_loss():
    wrapped = losses.LossFunctionWrapper(losses.huber, name="h", delta=2.0)
    theirs = keras.src.losses.losses.LossFunctionWrapper(keras.losses.huber, name="h", delta=2.0)
    y_true, y_pred = numbers(4), numbers(4, 1)
    close(wrapped(y_true, y_pred), theirs(y_true, y_pred))
    again = losses.deserialize(losses.serialize(wrapped))
    assert (again.fn, again.delta, again.name) == (losses.huber, 2.0, "h")


def test_own_loss_takes_structures_and_makes_its_config():
    class Both(losses.Loss):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * jnp.abs(y_true["a"] - y_pred["a"])

    loss = Both(factor=3.0)
    assert float(loss({"a": np.array([1, 2])}, {"a": np.array([2.0, 2.0])})) == 1.5
    assert loss.name == "both"
    assert loss.get_config() == {"factor": 3.0, "name": "both", "reduction": "sum_over_batch_size"}


def test_symbolic_tensors_give_shapes():
    y_true, y_pred = KerasTensor((None,), "int32"), KerasTensor((None, 5))
    assert trace(losses.sparse_categorical_crossentropy, y_true, y_pred).shape == (None,)
    assert trace(losses.SparseCategoricalCrossentropy(), y_true, y_pred).shape == ()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_mean_squared_error_of_any_shape(shape, seed):
    values = np.random.default_rng(seed)
    y_true, y_pred = values.normal(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(losses.mean_squared_error(y_true, y_pred), ((y_true - y_pred) ** 2).mean(-1), rtol=1e-5)
    np.testing.assert_allclose(losses.MeanSquaredError()(y_true, y_pred), ((y_true - y_pred) ** 2).mean(), rtol=1e-5)


def unit(*shape):
    vectors = numbers(*shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_circle_is_that_of_keras():
    y_true, y_pred = np.array([0, 1, 0, 2, 1, 3]), unit(6, 4)
    references = {"ref_labels": np.array([0, 3, 1, 1]), "ref_embeddings": numbers(4, 4)}
    for options in ({}, {"gamma": 2.0, "margin": 0.2, "remove_diagonal": False, **references}):
        same_values_and_gradients(losses.circle, keras.losses.circle, y_true, y_pred, **options)
    ours, theirs = losses.Circle(gamma=2.0, margin=0.1), keras.losses.Circle(gamma=2.0, margin=0.1)
    close(ours(y_true[:, None], y_pred), theirs(y_true[:, None], y_pred), 1e-4)
    assert ours.get_config() == theirs.get_config()
    with pytest.raises(ShapeError, match="class numbers"):
        losses.circle(one_hot(6, 4), y_pred)


def test_ctc_is_that_of_keras():
    y_true, y_pred = np.array([[1, 2, 0], [2, 2, 1], [3, 0, 2]]), numbers(3, 8, 5)
    same_values_and_gradients(losses.CTC(reduction=None), keras.losses.CTC(reduction=None), y_true, y_pred)
    assert losses.ctc(y_true, y_pred).shape == (3,)
    assert losses.CTC().get_config() == keras.losses.CTC().get_config()
    with pytest.raises(ShapeError, match="labels of shape .batch, length"):
        losses.ctc(y_true[0], y_pred)


@pytest.mark.parametrize("from_logits", [True, False])
def test_the_gradient_of_binary_crossentropy(from_logits):
    """Of logits that of the formula, sigmoid(z) - y and -z: zeros, and where the sigmoid is 0 or 1, too."""
    logits = np.array([-90, -20, -1.5, 0, 0, 0.7, 15, 90] if from_logits else [-9, -1.5, 0, 0, 0.7, 9, 3, 1], "float32")
    targets = np.array([1, 0, 0.3, 0, 1, 1, 0.5, 0], "float32")

    def loss(targets, logits):
        outputs = logits if from_logits else jax.nn.sigmoid(logits)
        return losses.binary_crossentropy(targets[:, None], outputs[:, None], from_logits=from_logits).sum()

    of_targets, of_logits = jax.grad(loss, (0, 1))(targets, logits)
    np.testing.assert_allclose(of_logits, 1 / (1 + np.exp(-logits.astype(float))) - targets, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(of_targets, -logits, rtol=2e-4, atol=1e-6)


def test_sparse_crossentropy_has_the_derivative_of_clipped_probabilities():
    """As -sum(one_hot * log(clip(p / sum(p)))), at the ends of the clip too; an index that is no class adds nothing."""
    epsilon = config.epsilon()
    outputs = jnp.asarray([[0.2, 0.8, 0.0], [1 - epsilon, epsilon, 0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25]])
    labels = jnp.asarray([1, 0, 0, 7])

    def expected(outputs):
        shares = jnp.clip(outputs / outputs.sum(-1, keepdims=True), epsilon, 1 - epsilon)
        return -(jax.nn.one_hot(labels, 3) * jnp.log(shares)).sum(-1)

    def got(outputs):
        return crossentropy.sparse_categorical_crossentropy(labels, outputs)

    np.testing.assert_allclose(got(outputs), expected(outputs), rtol=1e-6)
    for of_ours, of_theirs in zip(
        *(jax.grad(lambda x, f=f: f(x).sum())(outputs) for f in (got, expected)), strict=True
    ):
        np.testing.assert_allclose(of_ours, of_theirs, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Targets of shape")
@pytest.mark.parametrize("name", ["CosineSimilarity", "Dice", "Tversky", "KLDivergence", "LogCosh", "Huber", "Hinge"])
def test_norms_and_sums_of_targets_that_are_broadcast(name):
    """They are those of the targets themselves."""
    y_true, y_pred = np.ones((3, 1), "float32"), np.linspace(0.1, 0.9, 6, dtype="float32").reshape(3, 2)
    ours, theirs = (float(getattr(module, name)()(y_true, y_pred)) for module in (losses, keras.losses))
    assert ours == pytest.approx(theirs, 1e-5)


def test_a_focal_loss_refuses_one_label_for_several_outputs():
    y_true, y_pred = np.ones((3, 1)), np.full((3, 2), 0.5)
    for module in (losses, keras.losses):
        with pytest.raises(ValueError, match="same shape"):
            module.BinaryFocalCrossentropy()(y_true, y_pred)
