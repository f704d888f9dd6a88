"""The formats that are written, by the ending of a file or by name, and the function that writes each."""

from __future__ import annotations

import importlib
import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from lamina.errors import ConfigError

__all__ = ["FORMATS", "Format", "check_format", "format_of"]


class Format(NamedTuple):
    """A format.

    Attributes:
        ending: That of its files; "" where it is a folder.
        writer: "module:function" that writes a model, see `lamina.export.report.Written`.
        options: Arguments of `Model.export` that are of this format.
        example: A call that writes it.
        endpoints: Whether functions with a signature can be written, for `ExportArchive`.
        replaced: Patterns of the files of an earlier export that go if they are not written again.
    """

    ending: str
    writer: str
    options: tuple[str, ...] = ()
    example: str = 'model.export("folder")'
    endpoints: bool = True
    replaced: tuple[str, ...] = ()

    def write(self, *args: Any, **options: Any) -> Any:
        """Call the writer."""
        module, _, name = self.writer.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function(*args, **options)


FORMATS = {
    "jax": Format(".jax", "lamina.export.functions:write_jax", (), 'model.export("model.jax")'),
    "onnx": Format(".onnx", "lamina.export.functions:write_onnx", ("opset_version",), 'model.export("model.onnx")'),
    "litert": Format(".tflite", "lamina.export.litert.writing:write_litert",
                     ("quantize", "representative_data", "optimizations", "representative_dataset", "target_spec",
                      "inference_input_type", "inference_output_type"),
                     'model.export("model.tflite")'),
    "tf_saved_model": Format("", "lamina.export.functions:write_saved_model", (),
                             'model.export("folder", format="tf_saved_model")'),
    "safetensors": Format(".safetensors", "lamina.export.huggingface.writing:write_weights", (),
                          'model.export("model.safetensors")', endpoints=False),
    "huggingface": Format("", "lamina.export.huggingface.writing:write_folder", ("max_shard_size", "repo_id"),
                          'model.export("folder", format="huggingface")', endpoints=False,
                          replaced=("model.safetensors", "model.safetensors.index.json",
                                    "model-?????-of-?????.safetensors", "keras.json")),
    "tfjs": Format("", "lamina.export.tensorflowjs.writing:write_tensorflowjs", ("weight_type",),
                   'model.export("folder", format="tfjs")', endpoints=False),
}  # fmt: skip
ALIASES = {"stablehlo": "jax", "tensorflowjs": "tfjs", "tflite": "litert", "saved_model": "tf_saved_model"}
ELSEWHERE = {  # what leads to the format of another engine
    "openvino": 'model.export("model.onnx"), then openvino.convert_model("model.onnx")',
    "torch": 'model.export("model.onnx"), then onnx2torch',
    "tensorrt": 'model.export("model.onnx"), then trtexec --onnx=model.onnx',
    "coreml": 'model.export("model.tflite"), which LiteRT runs on iOS',
}
OF_SAVE = (".keras", ".h5", ".hdf5")  # of files of a model with its code
OF_OTHERS = {
    ".lite": "litert",
    ".pb": "tf_saved_model",
    ".xml": "openvino",
    ".pt": "torch",
    ".pth": "torch",
    ".pt2": "torch",
    ".engine": "tensorrt",
    ".plan": "tensorrt",
    ".mlmodel": "coreml",
    ".mlpackage": "coreml",
}


def check_format(format: str) -> str:
    """The name of a format that is written.

    Args:
        format: Its name, or an alias.

    Raises:
        ConfigError: It is not written; the fix says how to get there.
    """
    name = ALIASES.get(format, format)
    if name not in FORMATS:
        instead = ELSEWHERE.get(name, "")
        raise ConfigError(
            f"The format {format!r} is not written; the formats are {', '.join(map(repr, FORMATS))}.",
            fix=f'format="onnx" or format="jax"{"; or " + instead if instead else ""}.',
        )
    return name


def format_of(filepath: str | os.PathLike[str], format: str | None = None) -> str:
    """The format of a file.

    Args:
        filepath: File or folder; one without such an ending is a folder for "tf_saved_model", as in Keras.
        format: Name of the format; None means that of the ending.

    Raises:
        ConfigError: The ending is not that of a format, or of another one.
    """
    if not isinstance(filepath, (str, os.PathLike)) or not str(filepath):
        raise ConfigError(f"export takes the path of a file or folder; got {filepath!r}.", fix='model.export("folder")')
    ending = pathlib.Path(filepath).suffix.lower()
    if ending in OF_SAVE:
        raise ConfigError(
            f"{ending!r} is the ending of a file that holds the model itself; got {str(filepath)!r}.",
            fix=f"model.save({str(pathlib.Path(filepath).with_suffix('.keras'))!r})",
        )
    endings = {entry.ending: name for name, entry in FORMATS.items() if entry.ending}
    by_ending = endings.get(ending, OF_OTHERS.get(ending))
    if format is None:
        name = check_format(by_ending or "tf_saved_model")
        right = FORMATS[name].ending
        if by_ending and ending != right:
            what = f"a file that ends in {right!r}" if right else "a folder"
            call = f"model.export({str(pathlib.Path(filepath).with_suffix(right))!r}"
            raise ConfigError(
                f"The format {name!r} is {what}; got {str(filepath)!r}.",
                fix=f"{call})" if right else f"{call}, format={name!r})",
            )
        return name
    name = check_format(format)
    if name == "safetensors" and not ending:
        return "huggingface"
    if by_ending not in (None, name):
        right = FORMATS[name].ending
        raise ConfigError(
            f"{filepath} has the ending of {by_ending!r}; got format={format!r}.",
            fix=f"model.export({str(pathlib.Path(filepath).with_suffix(right))!r}"
            + ("" if right else f", format={name!r}") + ")",
        )  # fmt: skip
    return name
