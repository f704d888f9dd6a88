"""RemoteMonitor: losses and metrics sent to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from lamina.callbacks.callback import Callback
from lamina.errors import ConfigError, warn
from lamina.runtime import processes

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Sends the losses and metrics of each epoch to a server, by HTTP POST. A server that does not respond causes a
    warning.

    Args:
        root: Address of the server.
        path: Path on the server; the request goes to `root + path`.
        field: Name of the form field that holds the JSON.
        headers: Additional headers of the request, by name.
        send_as_json: Whether the body is JSON instead of a form.

    Raises:
        ConfigError: If `root` is not the address of an HTTP server.

    >>> import lamina as keras
    >>> monitor = keras.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ):
        if not root.startswith(("http://", "https://")):
            raise ConfigError(f"root is the address of an HTTP server; got {root!r}.", fix="http://localhost:9000")
        self.root: str = root
        self.path: str = path
        self.field: str = field
        self.headers: dict[str, str] | None = headers
        self.send_as_json: bool = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not processes.is_first():
            return
        text = json.dumps({"epoch": epoch, **{name: _number(value) for name, value in (logs or {}).items()}})
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, body.encode(), {"Content-Type": kind, **(self.headers or {})}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()
            warn(f"RemoteMonitor: {self.root + self.path} answered {error.code} {error.reason}.")
        except OSError as error:
            warn(f"RemoteMonitor could not reach {self.root}: {error}.")


def _number(value):
    """A number, or a list of numbers, that JSON can hold."""
    return value.tolist() if hasattr(value, "tolist") else value
