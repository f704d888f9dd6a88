"""Find out which version of Keras wrote a file, since the meaning of its settings depends on the version."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["TODAY", "Origin", "origin_of"]


class Origin(NamedTuple):
    """The version of Keras as a tuple of ints, its backend and its image data format, where the file specifies them."""

    version: tuple[int, ...]
    backend: str | None = None
    data_format: str | None = None

    @property
    def major(self) -> Any:
        """The major version: 1, 2 or 3. Versions before 1 count as 1."""
        return max(1, self.version[0])


TODAY = Origin((3, 15))
_OF_KERAS_1 = frozenset("nb_filter border_mode W_regularizer b_regularizer inner_activation dim_ordering init".split())
_OF_KERAS_2 = frozenset(("batch_input_shape", "data_format", "kernel_initializer", "keras_version"))


def origin_of(config: Any = None, version: Any = None, backend: Any = None) -> Any:
    """The origin stated in a file, or inferred from a config that has no version.

    >>> origin_of(version="2.2.4-tf").version
    (2, 2, 4)
    >>> origin_of({"class_name": "Dense", "config": {"output_dim": 2, "init": "uniform"}}).major
    1
    """
    stated = _text(version)
    if stated is None and isinstance(config, dict):
        stated, backend = _text(config.get("keras_version")), backend or config.get("backend")
    if stated is not None:
        numbers = re.findall(r"\d+", stated.partition("-")[0]) or re.findall(r"\d+", stated)
        is_script = "tfjs" in stated  # TensorFlow.js has version numbers of its own and writes the format of Keras 2
        return Origin(
            (2,) if is_script or not numbers else tuple(int(number) for number in numbers[:3]), _text(backend)
        )
    keys = frozenset(_keys(config))
    if keys & _OF_KERAS_1:
        return Origin((1,), _text(backend))
    old = "batch_input_shape" in keys or ("module" not in keys and keys & _OF_KERAS_2)
    return Origin((2,), _text(backend)) if old else TODAY


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _keys(config):
    """Yield every key of every dict in a config."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield from value
            stack.extend(value.values())
        elif isinstance(value, (list, tuple)):
            stack.extend(item for item in value if isinstance(item, (dict, list, tuple)))
