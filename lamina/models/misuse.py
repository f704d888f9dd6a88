"""What a model is taken for elsewhere: a list of its layers, or an estimator of scikit-learn."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lamina.errors import ArgumentError, UnknownNameError
from lamina.models.ends import shown_index
from lamina.runtime.tracebacks import readable
from lamina.spelling import SaysWhatWasMeant, missing_attribute

__all__ = ["NoListNorEstimator"]

_ASKED_OF_ESTIMATORS = "score", "__sklearn_tags__"


class NoListNorEstimator(SaysWhatWasMeant):
    """Base of models: Python's words, and scikit-learn's, do not say where the layers are, or which class it takes."""

    if not TYPE_CHECKING:  # for type checkers a model has none of these

        def __getitem__(self, key: Any) -> Any:
            fix = f"model.get_layer({key!r})" if isinstance(key, str) else f"model.layers[{shown_index(key)}]"
            raise ArgumentError(_no_list(self), fix=fix)

        def __len__(self) -> int:
            raise ArgumentError(_no_list(self), fix="len(model.layers)")

        def __bool__(self) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            asks = sys._getframe(1).f_globals.get("__name__", "") if name in _ASKED_OF_ESTIMATORS else ""
            if asks.startswith("sklearn."):
                kind = "Classifier" if "crossentropy" in str(self.__dict__.get("loss")) else "Regressor"
                message = f"scikit-learn takes estimators; {self.name} is a {type(self).__name__}."
                with readable(ArgumentError(message, fix=f"keras.wrappers.SKLearn{kind}(model)")) as error:
                    raise error
            found = missing_attribute(self, name)
            if not isinstance(found, UnknownNameError):
                return found
            with readable(found) as error:
                raise error


def _no_list(model):
    return f"{model.name} is a model, not a list: its layers are in `layers`."
