"""Models as scikit-learn estimators: scikit-learn's own checks, and the promises beyond them."""

import functools
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import lamina
from lamina.errors import ConfigError
from lamina.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


@functools.cache
def compiled(features, outputs, loss, activation, learning_rate):
    """A model and its first values: kept, for the checks fit hundreds of models of few shapes."""
    model = lamina.Sequential([lamina.Input((features,)), lamina.layers.Dense(outputs, activation=activation)])
    model.compile(lamina.optimizers.Adam(learning_rate), loss)
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    return model, variables, [np.array(variable) for variable in variables]


def make(X, y, loss, activation=None, learning_rate=0.01):
    lamina.utils.set_random_seed(0)
    model, variables, start = compiled(X.shape[1], y.shape[1], loss, activation, learning_rate)
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    return model


QUIET = {"verbose": 0, "batch_size": 64}
CLASSIFIER = SKLearnClassifier(
    make, model_kwargs={"loss": "categorical_crossentropy", "activation": "softmax"}, fit_kwargs=QUIET
)
REGRESSOR = SKLearnRegressor(make, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET)
TRANSFORMER = SKLearnTransformer(make, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET)


UNFIT = {
    "check_classifiers_one_label_sample_weights": "a gradient step does not forget a class of weight 0 at once",
}


def checks(estimator):
    expected = UNFIT if isinstance(estimator, SKLearnClassifier) else {}
    return estimator_checks_generator(estimator, expected_failed_checks=expected, mark="xfail")


def label(value):
    """A name that is the same in every process, unlike the repr of an estimator with a function in it."""
    if not isinstance(value, functools.partial):
        return type(value).__name__
    return "-".join([value.func.__name__, *(f"{key}={setting}" for key, setting in sorted(value.keywords.items()))])


@pytest.mark.parametrize(
    ("estimator", "check"), [row for one in (CLASSIFIER, REGRESSOR, TRANSFORMER) for row in checks(one)], ids=label
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


X, Y = load_iris(return_X_y=True)


def classifier(**changes):
    return clone(CLASSIFIER).set_params(**changes)


def test_a_pipeline_with_a_search():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    pipeline = make_pipeline(StandardScaler(), classifier(fit_kwargs={"verbose": 0, "epochs": 10, "batch_size": 75}))
    grid = {"sklearnclassifier__model_kwargs": [
        {"loss": "categorical_crossentropy", "activation": "softmax", "learning_rate": rate} for rate in (1e-6, 0.1)
    ]}  # fmt: skip
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, names)
    assert search.best_params_["sklearnclassifier__model_kwargs"]["learning_rate"] == 0.1
    assert search.score(X, names) > 0.9
    assert set(search.predict(X)) == set(names)


def test_a_model_is_cloned_and_warm_start_goes_on():
    model = make(X, np.eye(3)[Y], "categorical_crossentropy", "softmax", 0.05)
    before = model.get_weights()[0]
    cold = classifier(model=model, model_kwargs=None).fit(X, Y, epochs=2, batch_size=150)
    assert cold.model_ is not model and len(cold.history_.history["loss"]) == 2
    np.testing.assert_array_equal(model.get_weights()[0], before)
    warm = classifier(
        model=model, model_kwargs=None, warm_start=True, fit_kwargs={"verbose": 0, "batch_size": 150}
    ).fit(X, Y)
    assert warm.model_ is model
    first = warm.history_.history["loss"][0]
    assert warm.fit(X, Y).history_.history["loss"][0] < first


def test_features_for_another_estimator():
    steps = make_pipeline(TRANSFORMER, LogisticRegression(max_iter=1000)).fit(X, Y)
    assert steps[0].transform(X).shape == (150, 1)


def test_regression_of_several_outputs():
    several = clone(REGRESSOR).fit(X[:, :2], X[:, 2:])
    assert several.predict(X[:, :2]).shape == (150, 2)


def test_an_estimator_is_pickled():
    fitted = classifier().fit(X, Y)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(fitted)).decision_function(X), fitted.decision_function(X))


@pytest.mark.parametrize("model", [lamina.Sequential([lamina.layers.Dense(3)]), lambda X, y: 3])
def test_what_is_no_compiled_model(model):
    with pytest.raises(ConfigError, match="compiled Model"):
        classifier(model=model, model_kwargs=None).fit(X, Y)


@pytest.mark.parametrize("outputs, loss", [(2, "sparse_categorical_crossentropy"), (1, "binary_crossentropy")])
def test_a_compiled_model_that_takes_the_numbers_of_classes(outputs, loss):
    activation = "softmax" if outputs == 2 else "sigmoid"
    model = lamina.Sequential([lamina.Input((2,)), lamina.layers.Dense(outputs, activation=activation)])
    model.compile(lamina.optimizers.Adam(0.1), loss)
    X, y = np.array([[0.0, 1.0], [1.0, 0.0]] * 8), np.array(["no", "yes"] * 8)
    estimator = SKLearnClassifier(model, fit_kwargs={**QUIET, "epochs": 40}).fit(X, y)
    assert estimator.score(X, y) == 1.0 and estimator.decision_function(X).shape == (16,)
