"""RemoteMonitor."""

import json
import urllib.error
import urllib.parse
import urllib.request

from lamina.callbacks.callback import Callback
from lamina.errors import ConfigError, warn

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Sends the figures of each epoch to a server, by HTTP POST. A server that cannot be reached is a warning.

    Args:
        root, path: the address is `root + path`.
        field: the name of the form's field that holds the JSON.
        headers: further headers, a dict.
        send_as_json: send JSON alone instead of a form.

    >>> import lamina as keras
    >>> monitor = keras.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root="http://localhost:9000",
        path="/publish/epoch/end/",
        field="data",
        headers=None,
        send_as_json=False,
    ):
        if not root.startswith(("http://", "https://")):
            raise ConfigError(f"root is the address of an HTTP server; got {root!r}.", fix="http://localhost:9000")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
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
    """A number, or a list of them, that JSON knows."""
    return value.tolist() if hasattr(value, "tolist") else value
