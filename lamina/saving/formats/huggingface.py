"""A folder as the Hugging Face hub keeps models: `config.json` and safetensors, in shards with an index.

A model of lamina is in it as in a `.keras` archive, with safetensors in place of HDF5. A decoder of KerasHub is stored
as transformers reads it, and the config of Keras is `keras.json`.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from lamina.core.serialization import serialize
from lamina.saving.formats.folder import Folder
from lamina.saving.formats.safetensors import Tensors, tensors_of, write_tensors
from lamina.saving.formats.transformers_layout import config_for, family_of, load_transformers, tensors_for
from lamina.saving.formats.weights_h5 import read_tree
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.limits import TEXT, parse_json

__all__ = [
    "KERAS_CONFIG",
    "SHARD_BYTES",
    "has_safetensors",
    "open_safetensors",
    "read_safetensors",
    "write_huggingface",
]

KERAS_CONFIG = "keras.json"
SHARD_BYTES = 5 * 10**9  # as transformers writes by default
_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"


def write_huggingface(model: Any, folder: pathlib.Path, shard_bytes: int = SHARD_BYTES) -> None:
    """Write the configs and the weights.

    Args:
        model: Model.
        folder: Folder, which is there.
        shard_bytes: The most bytes in a file; a single larger weight has a file of its own.
    """
    known = family_of(model)
    tensors = tensors_for(model) if known else tensors_of(model)
    config = json.dumps(serialize(model))
    (folder / (KERAS_CONFIG if known else "config.json")).write_text(config, encoding="utf-8")
    if known:
        (folder / "config.json").write_text(json.dumps(config_for(model), indent=2), encoding="utf-8")
    shards: list[list[str]] = [[]]
    held = 0
    for name, array in tensors.items():
        if held + array.nbytes > shard_bytes and shards[-1]:
            shards.append([])
            held = 0
        shards[-1].append(name)
        held += array.nbytes
    count = len(shards)
    files = [_SINGLE] if count == 1 else [f"model-{n:05}-of-{count:05}.safetensors" for n in range(1, count + 1)]
    for file, names in zip(files, shards, strict=True):
        write_tensors({name: tensors[name] for name in names}, folder / file, "pt" if known else "keras")
    if count > 1:
        total = sum(array.nbytes for array in tensors.values())
        places = {name: file for file, names in zip(files, shards, strict=True) for name in names}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        (folder / _INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")


def has_safetensors(members: Any) -> bool:
    """Whether these are files of a folder whose weights are safetensors. An archive holds them as HDF5."""
    return isinstance(members, Folder) and (_SINGLE in members or _INDEX in members)


@contextlib.contextmanager
def open_safetensors(members: Any) -> Iterator[Tensors]:
    """The tensors of a folder, open for reading.

    Args:
        members: The files, a `lamina.saving.formats.folder.Folder`.
    """
    files = [_SINGLE]
    if _INDEX in members:
        index = parse_json(members.read(_INDEX, TEXT), f"{members.filepath}, {_INDEX}").get("weight_map")
        if not isinstance(index, dict) or not all(isinstance(file, str) for file in index.values()):
            raise damaged(f"{_INDEX} in {members.filepath} has no weight_map of names and files.")
        files = sorted(set(index.values()))
    with contextlib.ExitStack() as stack:
        parts = [
            Tensors(stack.enter_context(open(path, "rb")), path) for path in (members.path(file) for file in files)
        ]
        for part in parts[1:]:
            parts[0].join(part)
        yield parts[0]


def read_safetensors(model: Any, tensors: Tensors, name: Any, known: bool) -> Any:
    """Load the weights of a folder.

    Args:
        model: Model.
        tensors: What `open_safetensors` gave.
        name: The folder, for errors.
        known: Whether they have the names of transformers.
    """
    if not known:
        read_tree(model, tensors, name).tell()
        return
    arrays = tensors.by_name()
    missing = [] if family_of(model) else ["a family of transformers"]
    missing += [key for key in (tensors_for(model) if not missing else ()) if key not in arrays]
    if missing:
        raise damaged(f"{name} has no {', '.join(missing[:5])}.")
    load_transformers(model, arrays)
