"""The server itself: uvicorn around the application, ended by SIGTERM or Ctrl-C when what is in flight is answered."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from typing import Any

from lamina.errors import ConfigError
from lamina.serve.app import Limits, make_app

__all__ = ["serve"]


def serve(
    model: Any,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str | None = None,
    limits: Limits | None = None,
    keys: Sequence[str] = (),
) -> None:
    """Serve a model until the process gets SIGTERM or Ctrl-C.

    Args:
        model: Model.
        host: Address to listen at; "0.0.0.0" is every one of the machine.
        port: Port; 0 is any that is free.
        name: Name of the model in addresses; None means its own.
        limits: Limits; None means the defaults.
        keys: Keys, of which each request has one; none means that no key is needed.

    Raises:
        ConfigError: Starlette or uvicorn is not installed.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise ConfigError(
            f"Serving needs Starlette and uvicorn; {error.name} is not installed.", fix='pip install "lamina[serve]"'
        ) from error
    limits = limits or Limits()
    app = make_app(model, name, limits, keys)
    config = uvicorn.Config(
        app, host, port, log_level="info", access_log=False, timeout_graceful_shutdown=int(limits.seconds) + 1,
        timeout_keep_alive=15, server_header=False, ws="none", backlog=4096,
    )  # fmt: skip
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it has stopped: an exit code of 0
    uvicorn.Server(config).run()
