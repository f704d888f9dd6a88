"""tf.lite: programs that turn a model into bytes for phones, and run these."""

from __future__ import annotations

import enum
import pathlib
import tempfile
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from lamina.errors import CallError
from lamina.models import Model
from lamina.runtime.packages import MissingPackageError

__all__ = ["LITE"]


class Optimize(enum.Enum):
    """What to make smaller; all mean the same, as in TensorFlow 2."""

    DEFAULT = "DEFAULT"
    OPTIMIZE_FOR_SIZE = "OPTIMIZE_FOR_SIZE"
    OPTIMIZE_FOR_LATENCY = "OPTIMIZE_FOR_LATENCY"


class OpsSet(enum.Enum):
    """Kinds of operators. Files hold LiteRT's own alone, whatever a program allows besides."""

    TFLITE_BUILTINS = "TFLITE_BUILTINS"
    TFLITE_BUILTINS_INT8 = "TFLITE_BUILTINS_INT8"
    SELECT_TF_OPS = "SELECT_TF_OPS"


class RepresentativeDataset:
    """Inputs from which the ranges of all values are taken.

    Args:
        input_gen: Function that returns lists of inputs, one after the other.
    """

    def __init__(self, input_gen: Callable[[], Any]) -> None:
        self.input_gen = input_gen


class TFLiteConverter:
    """A model, and how `convert` writes it: `optimizations`, `representative_dataset`, `target_spec.supported_types`,
    `inference_input_type`, `inference_output_type`. Other attributes can be set and have no effect.

    Args:
        model: Model.
    """

    inference_input_type = inference_output_type = representative_dataset = None

    def __init__(self, model: Any) -> None:
        self._model = model
        self.optimizations: list[Any] = []
        self.target_spec: SimpleNamespace = SimpleNamespace(supported_types=[], supported_ops=[])

    @classmethod
    def from_keras_model(cls, model: Any) -> TFLiteConverter:
        """A converter of a model.

        Args:
            model: Model.
        """
        return cls(model)

    @classmethod
    def from_keras_model_file(cls, model_file: Any, *_: Any, **__: Any) -> TFLiteConverter:
        """A converter of the model in a file, as in TensorFlow 1.

        Args:
            model_file: Path of the file.
        """
        from lamina.saving import load_model

        return cls(load_model(model_file))

    @classmethod
    def from_saved_model(cls, saved_model_dir: Any, *_: Any, **__: Any) -> TFLiteConverter:
        """Raise an error: a SavedModel holds a program, not layers.

        Args:
            saved_model_dir: Its folder.
        """
        raise CallError(
            f"A file for LiteRT is made from a model; got the SavedModel {str(saved_model_dir)!r}.",
            fix="converter = tf.lite.TFLiteConverter.from_keras_model(model)",
        )

    @classmethod
    def from_concrete_functions(cls, funcs: Any, trackable_obj: Any = None) -> TFLiteConverter:
        """A converter of the model that functions call.

        Args:
            funcs: Concrete functions.
            trackable_obj: The model.
        """
        return cls(trackable_obj) if isinstance(trackable_obj, Model) else cls.from_saved_model(funcs)

    def convert(self) -> bytes:
        """The contents of the file."""
        data = getattr(self.representative_dataset, "input_gen", self.representative_dataset)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.tflite"
            self._model.export(
                path, "litert", False, optimizations=self.optimizations or None, representative_dataset=data,
                target_spec=self.target_spec, inference_input_type=self.inference_input_type,
                inference_output_type=self.inference_output_type, verify=False,
            )  # fmt: skip
            return path.read_bytes()


def _interpreter(*args: Any, **kwargs: Any) -> Any:
    """LiteRT's interpreter, which has the arguments and methods of TensorFlow's."""
    try:
        from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingPackageError("tf.lite.Interpreter", "ai-edge-litert") from None
    return Interpreter(*args, **kwargs)


LITE: dict[str, Any] = {
    "Interpreter": _interpreter, "OpsSet": OpsSet, "Optimize": Optimize, "TFLiteConverter": TFLiteConverter,
    "RepresentativeDataset": RepresentativeDataset, "TargetSpec": SimpleNamespace,
}  # fmt: skip
"""Names of tf.lite."""
