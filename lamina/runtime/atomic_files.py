"""Files written whole or not at all."""

import contextlib
import os
import pathlib
import secrets

__all__ = ["atomic_write"]


@contextlib.contextmanager
def atomic_write(path):
    """The path of a file beside `path`, with the same ending, to be written inside the block; it then takes the place
    of `path`, once it is on the disk. If the block fails, `path` stays as it was and nothing is left beside it; after
    a crash or a full disk it is as it was, or as it should be.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with atomic_write(f"{folder.name}/a.txt") as beside:
    ...     _ = pathlib.Path(beside).write_text("whole")
    >>> os.listdir(folder.name)
    ['a.txt']
    >>> folder.cleanup()
    """
    path = pathlib.Path(path)
    beside = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield str(beside)
        _to_disk(beside)
        os.replace(beside, path)
        if os.name == "posix":
            _to_disk(path.parent)  # the new name
    finally:
        beside.unlink(missing_ok=True)


def _to_disk(path):
    """Wait until a file, or a folder's list of names, is on the disk."""
    number = os.open(path, os.O_RDONLY if os.path.isdir(path) else os.O_RDWR)  # Windows syncs only what it may write
    try:
        os.fsync(number)
    finally:
        os.close(number)
