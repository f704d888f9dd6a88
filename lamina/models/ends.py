"""Outputs of models: their names, one output in place of a list of one; and what a model is taken for elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lamina.core.keras_tensor import KerasTensor, get_mask, set_mask
from lamina.errors import ArgumentError, CallError, UnknownNameError
from lamina.runtime.tracebacks import readable
from lamina.spelling import SaysWhatWasMeant, missing_attribute

_ASKED_OF_ESTIMATORS = "score", "__sklearn_tags__"


def unique_names(names: Any) -> Any:
    """The names, numbered where one is repeated."""
    counts, found = {}, []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}_{counts[name] - 1}")
    return found


def check_names(operations: Any, model_name: str) -> None:
    """Raise CallError if two layers have one name."""
    seen = set()
    for operation in operations:
        if operation.name in seen:
            raise CallError(
                f"Two layers of {model_name} are called {operation.name!r}; each needs a name of its own.",
                fix="Pass another name= to one of them.",
            )
        seen.add(operation.name)


def unpacked(outputs: Any) -> Any:
    """The element of a list or tuple of one output."""
    return outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs


def like(tensor: Any) -> KerasTensor:
    """A symbolic tensor of the shape, dtype and mask of another."""
    copy = KerasTensor(tensor.shape, tensor.dtype)
    set_mask(copy, get_mask(tensor))
    return copy


def one_or_list(values: list[Any]) -> Any:
    """The element of a list of one; else the list."""
    return values[0] if len(values) == 1 else values


def shown_index(key: Any) -> str:
    """An index or slice as Python writes it between brackets.

    Args:
        key: What `__getitem__` got.

    >>> shown_index(slice(1, None)), shown_index(-1)
    ('1:', '-1')
    """
    if not isinstance(key, slice):
        return repr(key)
    ends = ["" if end is None else repr(end) for end in (key.start, key.stop, key.step)]
    return ":".join(ends if key.step is not None else ends[:2])


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
