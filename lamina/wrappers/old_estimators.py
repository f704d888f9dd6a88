"""KerasClassifier and KerasRegressor of Keras 1 and 2: a function that builds a model, as a scikit-learn estimator.

Today's are `keras.wrappers.SKLearnClassifier` and `SKLearnRegressor`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.legacy import rename, without_rename_warnings
from lamina.models import Model
from lamina.utils.arrays import to_categorical
from lamina.wrappers import BaseEstimator, ClassifierMixin, RegressorMixin

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]

_METHODS = ("fit", "predict", "evaluate")


class BaseWrapper(BaseEstimator):
    """An estimator that builds its model in `fit` by a function, and passes it what the function takes of `sk_params`.

    Args:
        build_fn: Function that returns a compiled model. None means the method `__call__` of a subclass.
        **sk_params: Arguments of `build_fn` and of the model's `fit`, `predict` and `evaluate`, such as `epochs`.
    """

    build_fn: Any

    model: Any
    history: Any

    def __init__(self, build_fn: Callable[..., Model] | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def check_params(self, params: dict[str, Any]) -> None:
        """Check that each argument is one of `build_fn`, `fit`, `predict` or `evaluate`.

        Args:
            params: Arguments by name.

        Raises:
            ConfigError: For an argument that none of them takes.
        """
        functions = [self._build_function(), *(getattr(Model, name) for name in _METHODS)]
        for name in params:
            if name != "nb_epoch" and not any(_takes(function, name) for function in functions):
                raise ConfigError(
                    f"{name!r} is no argument of the function that builds the model, nor of fit, predict or evaluate.",
                    fix=f"def {getattr(self.build_fn, '__name__', 'build')}({name}=None): ...",
                )

    def get_params(self, deep: bool = True, **_: Any) -> dict[str, Any]:
        """The arguments by name, with `build_fn`.

        Args:
            deep: Not used.
            **_: Not used.
        """
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        """Set arguments; returns the estimator.

        Args:
            **params: Arguments by name; `build_fn` among them.
        """
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable[..., Any], override: dict[str, Any] | None = None) -> dict[str, Any]:
        """The arguments that a function takes.

        Args:
            fn: Function.
            override: Arguments that are added, or replace those of the estimator.
        """
        with without_rename_warnings():
            known = rename("Model.fit", self.sk_params)[0]
        return {**{name: value for name, value in known.items() if _takes(fn, name, False)}, **(override or {})}

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build the model and train it. Returns the History of `Model.fit`, which scikit-learn does not use.

        Args:
            x: Samples.
            y: Targets, or labels, one for each sample.
            **kwargs: Arguments of `Model.fit`, which take precedence over those of the estimator.
        """
        build = self._build_function()
        self.model = build(**self.filter_sk_params(build))
        if self.model.loss == "categorical_crossentropy" and np.ndim(y) != 2:
            y = to_categorical(y)
        self.history = self.model.fit(x, y, **copy.copy(self.filter_sk_params(Model.fit, kwargs)))
        return self.history

    def _build_function(self):
        return self.__call__ if self.build_fn is None else self.build_fn

    def __call__(self, **_: Any) -> Model:
        raise ConfigError(
            f"{type(self).__name__} has no function that builds a model.", fix=f"{type(self).__name__}(build_fn=make)"
        )

    def _outputs(self, x, kwargs):
        if not hasattr(self, "model"):
            raise ConfigError(f"This {type(self).__name__} is not trained yet.", fix="estimator.fit(x, y)")
        return np.asarray(self.model.predict(x, **self.filter_sk_params(Model.predict, kwargs)))


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A classifier: `KerasClassifier(build_fn=make, epochs=10, batch_size=32, verbose=0)`.

    Args:
        build_fn: Function that returns a compiled model with one output for each class, or one in all for two classes.
        **sk_params: Arguments of `build_fn` and of the model's `fit`, `predict` and `evaluate`.

    >>> import lamina as keras
    >>> def make(units=4):
    ...     layers = [keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dense(2, activation="softmax")]
    ...     model = keras.Sequential(layers)
    ...     model.compile("sgd", "sparse_categorical_crossentropy")
    ...     return model
    >>> estimator = KerasClassifier(build_fn=make, units=3, epochs=2, verbose=0)
    >>> history = estimator.fit(np.eye(2), np.array(["no", "yes"]))
    >>> estimator.predict(np.eye(2)).shape, estimator.predict_proba(np.eye(2)).shape
    ((2,), (2, 2))
    """

    n_classes_: int

    classes_: Any

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Build the model and train it.

        Args:
            x: Samples.
            y: Labels, one for each sample, or one-hot rows.
            **kwargs: Arguments of `Model.fit`.

        Raises:
            ConfigError: For targets of more than two axes.
        """
        y = np.asarray(y)
        if y.ndim > 2:
            raise ConfigError(
                f"y has a label or a one-hot row for each sample; got shape {y.shape}.", fix="y.argmax(-1)"
            )
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_, y = np.unique(y.reshape(-1), return_inverse=True)
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each sample.

        Args:
            x: Samples.
            **kwargs: Arguments of `Model.predict`.
        """
        numbers = self.predict_proba(x, **kwargs).argmax(axis=-1)
        return self.classes_[numbers]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class: (samples, classes), two columns for a single output.

        Args:
            x: Samples.
            **kwargs: Arguments of `Model.predict`.
        """
        outputs = self._outputs(x, kwargs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]  # the names of Keras 2
        self, x: Any, y: Any, **kwargs: Any
    ) -> float:
        """The share of samples whose label is right.

        Args:
            x: Samples.
            y: Labels, or one-hot rows.
            **kwargs: `sample_weight`, and arguments of `Model.predict`.
        """
        y, weight = np.asarray(y), kwargs.pop("sample_weight", None)
        labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
        known = inspect.signature(Model.predict).parameters
        right = self.predict(x, **{name: value for name, value in kwargs.items() if name in known}) == labels
        return float(np.average(right, weights=weight))


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A regressor: `KerasRegressor(build_fn=make, epochs=10, batch_size=32, verbose=0)`.

    Args:
        build_fn: Function that returns a compiled model.
        **sk_params: Arguments of `build_fn` and of the model's `fit`, `predict` and `evaluate`.
    """

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The outputs of the model; (samples,) for a single one.

        Args:
            x: Samples.
            **kwargs: Arguments of `Model.predict`.
        """
        outputs = self._outputs(x, kwargs)
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]  # the names of Keras 2
        self, x: Any, y: Any, **kwargs: Any
    ) -> float:
        """The loss with its sign changed, so that more is better.

        Args:
            x: Samples.
            y: Targets.
            **kwargs: Arguments of `Model.evaluate`.
        """
        loss = self.model.evaluate(x, y, **self.filter_sk_params(Model.evaluate, kwargs))
        return -float(loss[0] if isinstance(loss, list) else loss)


def _takes(function, name, any_name=True):
    """Whether a function has an argument; with `any_name`, `**kwargs` of a function that builds models counts."""
    found = inspect.signature(function).parameters
    if name in found and name not in ("self", "x", "y"):
        return True
    is_method = getattr(function, "__name__", "") in _METHODS
    return any_name and not is_method and any(one.kind is one.VAR_KEYWORD for one in found.values())
