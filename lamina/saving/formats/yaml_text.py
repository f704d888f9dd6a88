"""Models as YAML, as `model.to_yaml()` of Keras 1 and 2 wrote them. Reading creates numbers, texts, lists and dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lamina.errors import FileError, UnsafeFileError
from lamina.saving.api import model_from_json
from lamina.saving.safety.limits import BRACKETS, DEPTH, TEXT

__all__ = ["model_from_yaml", "yaml_of"]

_PYTHON = "tag:yaml.org,2002:python/"  # of what PyYAML wrote for tuples and, in Python 2, texts


def _yaml():
    try:
        import yaml
    except ImportError as error:
        raise FileError("YAML is read by PyYAML, which is not installed.", fix="pip install pyyaml") from error
    return yaml


def yaml_of(model: Any) -> str:
    """The architecture of a model as YAML, without weights.

    Args:
        model: Model.
    """
    return _yaml().safe_dump(json.loads(model.to_json()))


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_yaml` of Keras 1 or 2 described, with new weights.

    Args:
        yaml_string: Text of `to_yaml`. Objects of Python in it are refused; tuples are lists.
        custom_objects: Classes and functions by the names that the text has for them.

    Raises:
        FileError: The text is not YAML of a model, or PyYAML is not installed.
        UnsafeFileError: It has an object of Python, or repeats parts of itself without end.
    """
    yaml = _yaml()

    class Loader(yaml.SafeLoader):
        """Reads tuples and texts of Python, and no other object of it."""

    Loader.add_constructor(f"{_PYTHON}tuple", lambda loader, node: loader.construct_sequence(node, deep=True))  # pyright: ignore[reportArgumentType]
    for kind in ("unicode", "str"):
        Loader.add_constructor(_PYTHON + kind, lambda loader, node: loader.construct_scalar(node))  # pyright: ignore[reportArgumentType]
    if len(yaml_string) > TEXT // 8:  # PyYAML takes a hundred times as long as JSON
        raise UnsafeFileError(f"The YAML has {len(yaml_string) >> 20} MiB; at most {TEXT >> 23} MiB are read.")
    try:
        config = yaml.load(yaml_string, Loader=Loader)
    except yaml.constructor.ConstructorError as error:
        raise UnsafeFileError(f"The YAML has an object of Python: {error.problem}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileError(f"The text is not YAML: {error}") from error
    _count(config, [BRACKETS], DEPTH)
    return model_from_json(json.dumps(config, default=str), custom_objects)


def _count(part, left, depth):
    """Refuse what repeats itself: an anchor of YAML is written once and may stand for any number of parts."""
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise UnsafeFileError(f"The YAML has more than {BRACKETS} parts, or more than {DEPTH} in one another.")
    if isinstance(part, dict):
        part = part.values()
    elif not isinstance(part, list):
        return
    for one in part:
        _count(one, left, depth - 1)
