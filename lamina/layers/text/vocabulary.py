"""Checks and files of the vocabularies of StringLookup and IntegerLookup."""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from lamina.core.arguments import whole
from lamina.core.read_limits import reserve_array
from lamina.errors import ConfigError, FileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_arguments", "check_tokens", "lines_of", "write_lines"]


def check_arguments(layer: Any, idf_weights: Any) -> None:
    """Raises an error for arguments that contradict each other."""
    if layer.max_tokens is not None and layer.max_tokens <= 1:
        raise ConfigError(
            f"If set, `max_tokens` must be greater than 1. Received: max_tokens={layer.max_tokens}",
            fix="max_tokens=1000",
        )
    if layer.pad_to_max_tokens and layer.max_tokens is None:
        raise ConfigError(
            "If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None", fix="max_tokens=1000"
        )
    whole(layer, "num_oov_indices", layer.num_oov_indices, least=0, example=1)
    reserve_array((layer.num_oov_indices,), 8, "num_oov_indices")
    if layer.invert and layer.output_mode != "int":
        raise ConfigError(
            f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={layer.output_mode}",
            fix="output_mode='int'",
        )
    if idf_weights is not None and layer.output_mode != "tf_idf":
        raise ConfigError(
            "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. "
            f"Received: idf_weights={idf_weights} and output_mode={layer.output_mode}",
            fix="output_mode='tf_idf'",
        )


def check_tokens(layer: Any, tokens: list[Any]) -> None:
    """Raises an error for tokens that are repeated, reserved or too many."""
    repeated = [token for token, count in Counter(tokens).items() if count > 1]
    if repeated:
        raise ConfigError(
            "The passed vocabulary has at least one repeated term. Please uniquify your dataset. "
            f"The repeated terms are: {repeated[:8]}",
            fix="vocabulary=list(dict.fromkeys(vocabulary))",
        )
    for what, token in (("mask", layer.mask_token), *((("OOV", layer.oov_token),) if layer.invert else ())):
        if token is not None and token in tokens:
            raise ConfigError(
                f"Found reserved {what} token at unexpected location in `vocabulary`.",
                fix=f"Remove {token!r}, or put all special tokens first: {layer._special}.",
            )
    size = len(layer._special) + len(tokens)
    if layer.max_tokens is not None and size > layer.max_tokens:
        raise ConfigError(
            "Attempted to set a vocabulary larger than the maximum vocab size. "
            f"Received vocabulary size is {size}; `max_tokens` is {layer.max_tokens}.",
            fix=f"max_tokens={size}",
        )


def lines_of(path: str | Path) -> list[str]:
    """The lines of a vocabulary file."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileError(f"Vocabulary file {path} does not exist.", fix="It must be a text file with one token a line.")
    with open(path, encoding="utf-8", newline="") as file:  # only \n is a line break
        lines = file.read().split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def write_lines(path: Path, tokens: list[str], name: str) -> None:
    """Writes a vocabulary file; `name` is the layer of the vocabulary."""
    broken = [token for token in tokens if "\n" in token]
    if broken:
        raise FileError(
            f"The vocabulary of {name} has tokens with line breaks, such as {broken[0]!r}, and cannot be written as a "
            "file with one token a line.",
            fix="token.replace('\\n', ' ') for each token, or save the layer in a .keras file.",
        )
    path.write_text("\n".join(tokens), encoding="utf-8", newline="")
