"""Models as scikit-learn estimators (`pip install lamina[sklearn]`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import ArgumentError, ConfigError
from lamina.legacy import old_names_of
from lamina.models import Model, clone_model
from lamina.runtime.packages import MissingPackageError
from lamina.runtime.tracebacks import filters_traceback

try:
    import sklearn as _sklearn

    _is_installed = bool(_sklearn)
except ModuleNotFoundError:
    _is_installed = False

if TYPE_CHECKING or _is_installed:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
else:  # the classes can be looked at without scikit-learn, and say so when one is made

    def _refuse(cls, *args, **kwargs):
        raise MissingPackageError(cls.__name__, "scikit-learn")

    BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin = (
        type(name, (), {"__new__": _refuse})
        for name in ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")
    )

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


class _Estimator(BaseEstimator):
    """An estimator whose `fit(X, y)` makes and trains a model."""

    model_: Any
    history_: Any

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model: Any = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    @filters_traceback
    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Make the model, a clone or the result of the function, and train it.

        Args:
            X: Samples.
            y: Targets or labels, one for each sample.
            **kwargs: Arguments of `Model.fit`, which take precedence over `fit_kwargs`.

        Returns:
            The estimator itself.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=self._is_numeric)
        targets = self._targets(y)
        if not (self.warm_start and hasattr(self, "model_")):
            self.model_ = self._made(X, targets)
        arguments = {**(self.fit_kwargs or {}), **kwargs}
        self.history_ = self.model_.fit(X, targets, **arguments)
        self._epochs = self.epoch_ + len(self.history_.epoch) if self.warm_start else len(self.history_.epoch)
        return self

    def _made(self, X, targets):
        if not isinstance(self.model, Model):
            return self._compiled(self.model(X=X, y=targets, **(self.model_kwargs or {})))
        if self.warm_start:
            return self._compiled(self.model)
        clone = clone_model(self._compiled(self.model))
        clone.compile_from_config(self.model.get_compile_config())
        return clone

    @staticmethod
    def _compiled(model):
        if not isinstance(model, Model) or not model.compiled:
            what = "is not compiled" if isinstance(model, Model) else f"is {type(model).__name__}"
            raise ConfigError(
                f"model is a compiled Model or a function that gives one; it {what}.",
                fix="return model  # at the end of the function" if model is None else 'model.compile("adam", "mse")',
            )
        return model

    def set_params(self, **params: Any) -> Any:
        """Set arguments of the estimator, as searches of scikit-learn do.

        Args:
            **params: Arguments by name.
        """
        unknown = [name for name in params if name.partition("__")[0] not in self._get_param_names()]
        if unknown:
            grid = ", ".join(f"{name!r}: {params[name]!r}" for name in unknown)
            kind = "fit_kwargs" if {*unknown} <= {"epochs", "batch_size", "verbose", "callbacks"} else "model_kwargs"
            raise ArgumentError(
                f"{type(self).__name__} has no argument {unknown[0]!r}. The function that makes the model takes those "
                "of model_kwargs, Model.fit those of fit_kwargs.",
                fix=f'{{"{kind}": [{{{grid}}}]}}',
            )
        return super().set_params(**params)

    @property
    def epoch_(self) -> int:
        """The number of epochs that the model was trained for; with `warm_start` in all calls of `fit`."""
        return getattr(self, "_epochs", 0)

    def _outputs(self, X):
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.predict(validate_data(self, X, reset=False), verbose=0))

    _is_numeric = True

    def _targets(self, y):
        self._is_row = y.ndim == 1
        return y[:, None] if self._is_row else y


class SKLearnClassifier(ClassifierMixin, _Estimator):
    """A classifier for scikit-learn. The model is trained on one-hot labels and returns a number for each class; a
    compiled model with a `sparse_` loss, or with one output, is trained on the numbers of the classes.

    Args:
        model: Compiled model, of which `fit` trains a clone, or a function `model(X, y, **model_kwargs)` that returns
            one; `y` is one-hot.
        warm_start: Whether `fit` continues with the weights of the last `fit`, or of `model` itself.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    After `fit`, `model_` is the model, `history_` the result of its `fit`, and `classes_` are the labels.

    >>> import lamina as keras
    >>> def make(X, y):
    ...     model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(y.shape[1], activation="softmax")])
    ...     model.compile("adam", "categorical_crossentropy")
    ...     return model
    >>> X, y = np.eye(2), np.array(["no", "yes"])
    >>> SKLearnClassifier(make, fit_kwargs={"verbose": 0}).fit(X, y).predict(X).shape
    (2,)
    """

    _is_numeric = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # the checks of scikit-learn train for one epoch only
        return tags

    def _targets(self, y):
        check_classification_targets(y)
        self.classes_, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise ConfigError(
                f"Classifier can't train when only one class is present: {self.classes_}.",
                fix="np.unique(y) needs two classes or more: shuffle before splitting.",
            )
        return np.eye(len(self.classes_))[numbers] if self._one_hot() else numbers

    def _one_hot(self):
        """Whether the model takes a row of zeros and a one for each label: one that was given may take its number."""
        given: Any = self.model
        if not isinstance(given, Model) or not given.built or given.loss is None:
            return True
        return "sparse" not in str(given.loss) and given.output_shape[-1] != 1

    def predict(self, X: Any) -> np.ndarray:
        """The label of the largest output for each sample.

        Args:
            X: Samples.
        """
        outputs = self._outputs(X)
        if outputs.shape[-1] == 1:
            half = 0.0 if getattr(self.model_.loss, "from_logits", False) else 0.5
            return self.classes_[(outputs[:, 0] > half).astype(int)]
        return self.classes_[np.argmax(outputs, axis=-1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """The outputs of the model for each sample.

        Shapes: -> (samples, classes); with two classes (samples,), the second output minus the first.

        Args:
            X: Samples.
        """
        outputs = self._outputs(X)
        if outputs.shape[-1] == 1:
            return outputs[:, 0]
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs


class SKLearnRegressor(RegressorMixin, _Estimator):
    """A regressor for scikit-learn. The model is trained on targets of shape (samples, outputs).

    Args:
        model: Compiled model, of which `fit` trains a clone, or a function `model(X, y, **model_kwargs)` that returns
            one; `y` of shape (samples,) becomes (samples, 1).
        warm_start: Whether `fit` continues with the weights of the last `fit`, or of `model` itself.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    After `fit`, `model_` is the model and `history_` the result of its `fit`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """The outputs of the model, in the shape of the `y` of `fit`.

        Args:
            X: Samples.
        """
        outputs = self._outputs(X).astype("float64")
        return outputs[:, 0] if self._is_row else outputs


class SKLearnTransformer(TransformerMixin, _Estimator):
    """A transformer for scikit-learn. The features of samples are the outputs of the model.

    Args:
        model: Compiled model, of which `fit` trains a clone, or a function `model(X, y, **model_kwargs)` that returns
            one; `y` of shape (samples,) becomes (samples, 1).
        warm_start: Whether `fit` continues with the weights of the last `fit`, or of `model` itself.
        model_kwargs: Arguments of the function.
        fit_kwargs: Arguments of `Model.fit`.

    After `fit`, `model_` is the model and `history_` the result of its `fit`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # outputs have the type that the model computes in
        return tags

    def transform(self, X: Any) -> np.ndarray:
        """The outputs of the model: (samples, features).

        Args:
            X: Samples.
        """
        return self._outputs(X)


__getattr__: Any = old_names_of(__name__)
