"""Files written whole or not at all."""

import contextlib
import os
import pathlib
import secrets

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path):
    """The path of a file beside `path`, with the same ending, to be written inside the block; it then takes the place
    of
    `path`. If the block fails, `path` stays as it was and nothing is left beside it.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with replacing(f"{folder.name}/a.txt") as beside:
    ...     _ = pathlib.Path(beside).write_text("whole")
    >>> os.listdir(folder.name)
    ['a.txt']
    >>> folder.cleanup()
    """
    path = pathlib.Path(path)
    beside = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield str(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
