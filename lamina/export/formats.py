"""The formats that are written, by the ending of a file or by name."""

from __future__ import annotations

import os
import pathlib

from lamina.errors import ConfigError

__all__ = ["ENDINGS", "FOLDERS", "check_format", "format_of"]

ENDINGS = {"jax": ".jax", "onnx": ".onnx"}
FOLDERS = ("tfjs",)
"""Formats of a whole model, as several files in a folder."""
ALIASES = {"stablehlo": "jax", "tensorflowjs": "tfjs"}
ELSEWHERE = {  # what leads to the format of another engine
    "tf_saved_model": "jax.experimental.jax2tf.convert(model), then tf.saved_model.save, where TensorFlow is installed",
    "openvino": 'model.export("model.onnx"), then openvino.convert_model("model.onnx")',
    "litert": "litert-converter, from the StableHLO of a .jax file",
    "torch": 'model.export("model.onnx"), then onnx2torch',
}
OF_OTHERS = {
    ".tflite": "litert",
    ".pb": "tf_saved_model",
    ".xml": "openvino",
    ".pt": "torch",
    ".pth": "torch",
    ".pt2": "torch",
}


def check_format(format: str) -> str:
    """The name of a format that is written.

    Args:
        format: Its name, or an alias.

    Raises:
        ConfigError: It is not written; the fix says how to get there.
    """
    name = ALIASES.get(format, format)
    if name not in ENDINGS and name not in FOLDERS:
        instead = ELSEWHERE.get(name, ELSEWHERE["tf_saved_model"] if "saved_model" in str(name) else "")
        raise ConfigError(
            f"The format {format!r} is not written; the formats are {', '.join(map(repr, (*ENDINGS, *FOLDERS)))}.",
            fix=f'format="onnx" or format="jax"{"; or " + instead if instead else ""}.',
        )
    return name


def format_of(filepath: str | os.PathLike[str], format: str | None = None) -> str:
    """The format of a file.

    Args:
        filepath: File or folder; one without an ending is a folder for "jax".
        format: Name of the format; None means that of the ending.

    Raises:
        ConfigError: The ending is not that of a format, or of another one.
    """
    ending = pathlib.Path(filepath).suffix
    by_ending = {ending: name for name, ending in ENDINGS.items()}.get(ending, OF_OTHERS.get(ending))
    if format is None:
        return check_format(by_ending or "jax")
    name = check_format(format)
    if by_ending not in (None, name):
        of_folder = f", format={name!r}" if name in FOLDERS else ""
        raise ConfigError(
            f"{filepath} has the ending of {by_ending!r}; got format={format!r}.",
            fix=f"model.export({str(pathlib.Path(filepath).with_suffix(ENDINGS.get(name, '')))!r}{of_folder})",
        )
    return name
