"""Files that layers save with their weights, such as vocabularies. In an archive they are in assets/<path of the
layer>/.

Layers define `save_assets(folder)` and `load_assets(folder)`. The folder is temporary and is deleted when the method
returns. Archive members are written to disk only there.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

from lamina.errors import FileError, UnsafeFileError
from lamina.saving.formats.weights_h5 import parts_of
from lamina.saving.safety.limits import naming
from lamina.saving.safety.zip import FREE, RATIO

__all__ = ["read_assets", "refuse_assets", "write_assets"]

_ROOT = "assets"
_FILES = 1000  # maximum number per layer
_DEPTH = 8


def write_assets(model: Any, archive: Any) -> None:
    """Write the assets of each layer of the model into the open archive."""
    for path, part in parts_of(model):
        for name, data in _assets_of(part):
            archive.writestr("/".join(filter(None, (_ROOT, path, name))), data)


def read_assets(model: Any, members: Any) -> None:
    """Let each layer of the model load its assets from the archive."""
    for path, part in parts_of(model):
        if hasattr(part, "load_assets"):
            names = _names_below("/".join(filter(None, (_ROOT, path))) + "/", members)
            if names:
                _load_into(part, names, members)


def refuse_assets(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Raise an error if a model with assets is saved in a format that cannot store them."""
    for _, part in parts_of(model):
        for name, _ in _assets_of(part):
            raise FileError(
                f"{filepath} cannot store {name} of the layer {part.name}: this format has weights and settings only.",
                fix=f"model.save({str(pathlib.Path(filepath).with_suffix('.keras'))!r})",
            )


def _assets_of(part):
    """(name, bytes) for each file that a layer saves."""
    if not hasattr(part, "save_assets"):
        return
    with tempfile.TemporaryDirectory(prefix="lamina-") as folder:
        part.save_assets(folder)
        for file in sorted(pathlib.Path(folder).rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield file.relative_to(folder).as_posix(), file.read_bytes()


def _names_below(prefix, members):
    """{member: its name relative to `prefix`}. Names with special components, and assets that are too large, are
    refused."""
    names = {name: name[len(prefix) :] for name in members.infos if name.startswith(prefix) and name != prefix}
    names = {member: name for member, name in names.items() if not name.endswith("/")}
    for member, name in names.items():
        parts = name.split("/")
        if len(parts) > _DEPTH or any(not _is_plain(part) for part in parts):
            raise UnsafeFileError(f"The member {member!r} has a name that is not a plain path.").within(
                members.filepath
            )
    packed = sum(members.packed(member) for member in names)
    size = sum(members.size(member) for member in names)
    if len(names) > _FILES or size > RATIO * packed + FREE:
        message = f"{prefix!r} has {len(names)} assets of {size >> 20} MiB, more than the archive can hold."
        raise UnsafeFileError(message).within(members.filepath)
    return names


def _is_plain(part):
    return part not in ("", ".", "..") and part.isprintable() and not set(part) & set('\\:*?"<>|')


def _load_into(part, names, members):
    with tempfile.TemporaryDirectory(prefix="lamina-") as folder:
        for member, name in names.items():
            file = pathlib.Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(file, "xb") as opened:
                opened.write(members.read(member))
        with naming(f"{members.filepath}, assets of {part.name}"):
            part.load_assets(folder)
