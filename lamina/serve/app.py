"""The ASGI application: addresses, limits, keys and counts around a Batcher."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.errors import LaminaError
from lamina.serve import kserve
from lamina.serve.batching import Batcher
from lamina.serve.bodies import read_body, written_body
from lamina.serve.errors import Refused
from lamina.serve.metrics import Metrics
from lamina.serve.page import openapi, page, version
from lamina.serve.served import ServedModel

__all__ = ["Limits", "make_app"]

OPEN = ("/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready")
"""Paths that need no key."""
LARGE = 2**16  # bytes of a body that is read in a thread, so that other requests do not wait


@dataclass(frozen=True)
class Limits:
    """What a server takes.

    Attributes:
        body: Most bytes of a body.
        seconds: Most seconds from the head of a request to its answer.
        batch: Most samples of one prediction.
        wait: Seconds that a request waits for others while nothing is computed.
        waiting: Most samples that wait.
    """

    body: int = 32 * 2**20
    seconds: float = 30.0
    batch: int = 32
    wait: float = 0.0
    waiting: int = 10_000


def make_app(model: Any, name: str | None = None, limits: Limits | None = None, keys: Sequence[str] = ()) -> Any:
    """The ASGI application that serves a model, for uvicorn and its like, or to be mounted in another application.

    Args:
        model: Model.
        name: Its name in addresses; None means the name of the model.
        limits: Limits; None means the defaults.
        keys: Keys, of which each request has one; none means that no key is needed.

    Returns:
        An application of Starlette (`pip install "lamina[serve]"`).

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> [route.path for route in make_app(model).routes][:3]
    ['/', '/docs', '/openapi.json']
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    server = _Server(ServedModel(model, name), limits or Limits(), keys)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        await server.batcher.start()
        try:
            yield
        finally:
            await server.batcher.stop()

    model_path = f"/v2/models/{server.served.name}"
    routes = [
        ("/", server.docs), ("/docs", server.docs), ("/openapi.json", server.openapi),
        ("/metrics", server.metrics_text),
        ("/predict", server.predict), ("/v2", server.about),
        *((f"/v1/models/{server.served.name}{version}{end}", function) for version in ("", "/versions/1")
          for end, function in [(":predict", server.predict), ("", server.status)]),
        *((f"{start}/health/live", server.live) for start in ("", "/v2")),
        *((f"{start}/health/ready", server.is_ready) for start in ("", "/v2")),
        *((f"{model_path}{version}{end}", function) for version in ("", "/versions/1") for end, function in
          [("", server.describe), ("/ready", server.is_ready), ("/infer", server.infer)]),
    ]  # fmt: skip
    posted = (server.predict, server.infer)
    app = Starlette(
        routes=[Route(path, server.answered(f), methods=["POST" if f in posted else "GET"]) for path, f in routes],
        lifespan=lifespan,
        exception_handlers={HTTPException: server.not_found},
    )
    app.state.server = server
    return app


class _Server:
    """The answers."""

    def __init__(self, served, limits, keys):
        self.served, self.limits, self.keys = served, limits, [key.encode() for key in keys]
        self.metrics = Metrics()
        self.batcher = Batcher(served, limits.batch, limits.wait, limits.waiting, self.metrics)

    def answered(self, function):
        """An endpoint that checks the key and the time, counts, and tells what is refused as JSON."""
        from starlette.requests import ClientDisconnect
        from starlette.responses import JSONResponse

        async def endpoint(request):
            start, route = time.perf_counter(), request.scope["path"]
            self.metrics.in_flight += 1
            try:
                if route not in OPEN:
                    self._check_key(request)
                async with asyncio.timeout(self.limits.seconds):
                    response = await function(request)
            except Refused as error:
                response = JSONResponse(error.body(), error.status, _headers(error.status))
            except ClientDisconnect:
                response = JSONResponse({}, 499)  # nobody reads it; the status is that of nginx in its counts
            except TimeoutError:
                seconds = f"{self.limits.seconds:g} seconds, which include the time to send the body"
                message = f"The answer took more than {seconds}."
                response = JSONResponse({"error": message}, 504, _headers(504))
            except Exception as error:
                logging.getLogger("lamina").exception("a prediction failed")
                said = (
                    str(error)
                    if isinstance(error, LaminaError)
                    else "The model failed; the log of the server says why."
                )
                response = JSONResponse({"error": said}, 500)
            finally:
                self.metrics.in_flight -= 1
            self.metrics.requests[route, response.status_code] += 1
            if function in (self.predict, self.infer):
                self.metrics.seconds.observe(time.perf_counter() - start)
            return response

        return endpoint

    async def not_found(self, request, error):
        """The answer to addresses and methods that are not served."""
        from starlette.responses import JSONResponse

        self.metrics.requests["other", error.status_code] += 1
        path, method = request.scope["path"], request.method
        said = f"{method} {path[:200]} is not served." if error.status_code in (404, 405) else error.detail
        fix = f"POST /predict, /v2/models/{self.served.name}/infer; GET / has them all."
        return JSONResponse({"error": said, "fix": fix}, error.status_code, error.headers)

    def _check_key(self, request):
        if not self.keys:
            return
        bearer = request.headers.get("authorization", "")
        given = bearer[7:] if bearer[:7].lower() == "bearer " else request.headers.get("x-api-key", "")
        if not any([hmac.compare_digest(given.encode(), key) for key in self.keys]):
            came = "a wrong one" if given else "none"
            raise Refused(401, f"A request has an API key; got {came}.", "Send the header Authorization: Bearer KEY.")

    async def _body(self, request):
        """The body, of which no more is read than is allowed."""
        limit, stated = self.limits.body, request.headers.get("content-length", "")
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, f"A body is sent as it is; got {request.headers['content-encoding'][:40]!r}.")
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > 2 * limit or (stated.isdigit() and int(stated) > 2 * limit):
                break
            parts.append(part)
            if size > limit:
                parts.clear()  # the rest is read all the same: a client that is cut off would not read the answer
        if size > limit or (stated.isdigit() and int(stated) > limit):
            raise Refused(413, f"A body has at most {limit} bytes; got {stated if stated.isdigit() else 'more'}.")
        return b"".join(parts)

    async def _compute(self, given):
        if not self.batcher.ready:
            raise Refused(503, "The server is not ready, or it is stopping.", "Try again later.")
        return await self.batcher.predict(self.served.check(given))

    async def predict(self, request):
        from starlette.responses import Response

        body = await self._body(request)
        read = functools.partial(read_body, body, self.served, self.limits.body)
        given, kind = read() if len(body) < LARGE else await asyncio.to_thread(read)
        accepted = request.headers.get("accept", "").lower()
        body, type = written_body(await self._compute(given), kind, accepted)
        return Response(body, media_type=type)

    async def infer(self, request):
        from starlette.responses import Response

        body = await self._body(request)
        arrays, head = kserve.read_request(body, request.headers.get("inference-header-content-length"))
        body, headers = kserve.write_response(self.served, await self._compute(arrays), head)
        return Response(body, headers=headers)

    async def live(self, request):
        return _json({"live": True})

    async def is_ready(self, request):
        return _json({"name": self.served.name, "ready": self.batcher.ready}, 200 if self.batcher.ready else 503)

    async def status(self, request):
        states = [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
        return _json({"model_version_status": states})

    async def about(self, request):
        return _json({"name": "lamina", "version": version(), "extensions": ["binary_tensor_data"]})

    async def describe(self, request):
        return _json(kserve.describe(self.served))

    async def metrics_text(self, request):
        from starlette.responses import PlainTextResponse

        text = self.metrics.text(self.served.name, self.batcher.waiting)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def openapi(self, request):
        return _json(openapi(self.served, self.limits.body, bool(self.keys)))

    async def docs(self, request):
        from starlette.responses import HTMLResponse

        policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
        return HTMLResponse(
            page(self.served, self.limits, bool(self.keys)), headers={"content-security-policy": policy}
        )


def _json(value, status=200):
    from starlette.responses import Response

    return Response(json.dumps(value), status, media_type="application/json")


def _headers(status):
    more = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": "1"}}.get(status, {})
    return {**more, "connection": "close"} if status in (413, 504) else more
