"""What may have been meant by the path of a file or folder that is not there."""

from __future__ import annotations

import os
from pathlib import Path

from lamina.errors import FileError
from lamina.spelling.nearest import nearest

__all__ = ["MissingFile", "nearest_path"]


class MissingFile(FileError, FileNotFoundError):
    """There is no such file."""


def nearest_path(path: str | os.PathLike[str], endings: tuple[str, ...] = ("",), folders: bool = False) -> str:
    """The fix for a path that is not there: the likeliest one beside it, or what there is.

    Args:
        path: Path that is not there.
        endings: Endings of the files that would do.
        folders: Whether it is the path of a folder.

    >>> nearest_path("no/such/file.csv")[:43]
    'Pass the path of a file that is there. The '
    """
    path = Path(path)
    folder = path.parent if path.parent.is_dir() else Path()
    there = sorted(one.name for one in folder.iterdir() if one.is_dir() == folders and one.name.endswith(endings))
    there = [name for name in there if name[0] != "."]
    near = nearest(path.name, there, 1)
    if near:
        return f"Did you mean {str(folder / near[0])!r}?"
    found = f"; there are: {', '.join(there[:5])}" if there and endings != ("",) else ""
    kind = "folder" if folders else "file"
    return f"Pass the path of a {kind} that is there. The folder in use is {Path().absolute()}{found}."
