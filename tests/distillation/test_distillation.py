"""Distillation against Keras."""

import keras as oracle
import numpy as np
import pytest

import lamina as keras

RNG = np.random.default_rng(0)
TEACHER, STUDENT = RNG.normal(size=(2, 4, 3)).astype("float32")
X, Y = RNG.normal(size=(8, 5)).astype("float32"), RNG.integers(0, 3, 8)
WEIGHTS = [RNG.normal(size=shape).astype("float32") for shape in ((5, 4), (4,), (4, 3), (3,)) * 2]

LOSSES = [
    lambda d: d.LogitsDistillation(),
    lambda d: d.LogitsDistillation(2.0, "mse"),
    lambda d: d.LogitsDistillation(2.0, "categorical_crossentropy"),
    lambda d: d.FeatureDistillation(),
    lambda d: d.FeatureDistillation("cosine_similarity", "a", "b"),
]


@pytest.mark.parametrize("make", LOSSES)
def test_losses(make):
    ours, theirs = make(keras.distillation), make(oracle.distillation)
    np.testing.assert_allclose(
        ours.compute_loss(TEACHER, STUDENT), theirs.compute_loss(TEACHER, STUDENT), rtol=1e-5, atol=1e-6
    )
    config = ours.get_config()
    assert type(ours).from_config(config).get_config() == config
    assert set(config) == set(theirs.get_config())


def test_losses_by_output():
    ours, theirs = (library.distillation.LogitsDistillation(2.0, ["mse", None, "mae"]) for library in (keras, oracle))
    outputs = [[one] * 3 for one in (TEACHER, STUDENT)]
    np.testing.assert_allclose(ours.compute_loss(*outputs), theirs.compute_loss(*outputs), rtol=1e-5)
    with pytest.raises(ValueError, match="outputs"):
        ours.compute_loss([TEACHER], [STUDENT])
    with pytest.raises(ValueError, match="outputs"):
        ours.compute_loss([TEACHER], [STUDENT, STUDENT])


def make_model(keras, weights):
    layers = [keras.layers.Dense(4, activation="relu", name="hidden"), keras.layers.Dense(3, name="out")]
    model = keras.Sequential([keras.layers.Input((5,)), *layers])
    model.set_weights(weights)
    return model


def make_distiller(keras, losses, **kwargs):
    teacher, student = make_model(keras, WEIGHTS[:4]), make_model(keras, WEIGHTS[4:])
    distiller = keras.distillation.Distiller(teacher, student, losses(keras.distillation), **kwargs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    distiller.compile("sgd", loss, metrics=["accuracy"])
    return distiller


@pytest.mark.parametrize(
    "losses, kwargs",
    [
        (lambda d: d.LogitsDistillation(), {}),
        (
            lambda d: [d.LogitsDistillation(2.0), d.FeatureDistillation("mse", "hidden", "hidden")],
            {"distillation_loss_weights": [1.0, 0.5], "student_loss_weight": 0.3},
        ),
        (lambda d: d.LogitsDistillation(), {"student_loss_weight": 0.0}),
        (lambda d: d.LogitsDistillation(), {"student_loss_weight": 1.0}),
    ],
)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own with NumPy 2
def test_training(losses, kwargs):
    def train(library):
        distiller = make_distiller(library, losses, **kwargs)
        history = distiller.fit(X, Y, epochs=2, batch_size=4, verbose=0, shuffle=False).history
        return history, distiller

    (history, ours), (expected, theirs) = train(keras), train(oracle)
    assert set(history) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    for one, other in zip(ours.student.get_weights(), theirs.student.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(ours.teacher.get_weights(), WEIGHTS, strict=False):
        np.testing.assert_array_equal(one, other)
    assert not ours.teacher.trainable
    assert len(ours.trainable_variables) == 4
    np.testing.assert_allclose(ours.predict(X, verbose=0), ours.student.predict(X, verbose=0), rtol=1e-6)


def test_config():
    distiller = make_distiller(keras, lambda d: d.LogitsDistillation(2.0), student_loss_weight=0.3)
    theirs = make_distiller(oracle, lambda d: d.LogitsDistillation(2.0), student_loss_weight=0.3)
    config = distiller.get_config()
    assert set(config) == set(theirs.get_config())
    again = keras.distillation.Distiller.from_config(config)
    assert (again.name, again.student_loss_weight, again.distillation_losses[0].temperature) == ("distiller", 0.3, 2.0)


WRONG = [
    lambda d, t, s, n, w: d.LogitsDistillation(temperature=0),
    lambda d, t, s, n, w: d.LogitsDistillation(loss=None),
    lambda d, t, s, n, w: d.FeatureDistillation(loss=[None, None]),
    lambda d, t, s, n, w: d.LogitsDistillation(loss="unknown"),
    lambda d, t, s, n, w: d.Distiller(t, s, None),
    lambda d, t, s, n, w: d.Distiller(t, 3, d.LogitsDistillation()),
    lambda d, t, s, n, w: d.Distiller(t, s, [d.LogitsDistillation()], [1.0, 2.0]),
    lambda d, t, s, n, w: d.Distiller(t, s, d.LogitsDistillation(), student_loss_weight=2.0),
    lambda d, t, s, n, w: d.Distiller(t, s, d.FeatureDistillation("mse", "unknown", "hidden")),
    lambda d, t, s, n, w: d.Distiller(n, s, d.LogitsDistillation()),
    lambda d, t, s, n, w: d.Distiller(w, s, d.LogitsDistillation()),
    lambda d, t, s, n, w: d.Distiller(t, s, d.LogitsDistillation()).compile("sgd"),
]


@pytest.mark.parametrize("library", [keras, oracle], ids=["lamina", "keras"])
@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_keras_refuses_is_refused(number, library):
    teacher, student = make_model(library, WEIGHTS[:4]), make_model(library, WEIGHTS[4:])
    narrow = library.Sequential([library.layers.Input((6,)), library.layers.Dense(3)])
    wide = library.Sequential([library.layers.Input((5,)), library.layers.Dense(4)])
    with pytest.raises(ValueError):
        WRONG[number](library.distillation, teacher, student, narrow, wide)


def test_a_loss_of_ones_own_needs_compute_loss():
    with pytest.raises(NotImplementedError, match="compute_loss"):
        keras.distillation.DistillationLoss().compute_loss(TEACHER, STUDENT)
