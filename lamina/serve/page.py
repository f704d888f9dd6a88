"""The description of a server: OpenAPI 3.1 as JSON, and a page of HTML that needs nothing else."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any

import numpy as np

from lamina.core.dtypes import numpy_dtype
from lamina.runtime.terminal import escape
from lamina.serve.served import ServedModel, TensorSpec

__all__ = ["example", "openapi", "page", "version"]


def version() -> str:
    """The version of lamina."""
    return sys.modules["lamina"].__version__


def example(served: ServedModel) -> dict[str, Any]:
    """A body of JSON that the model takes, if it is small enough to read.

    Args:
        served: Model.
    """
    values = {spec.name: _value(spec)[0] for spec in served.inputs}
    return {"instances": [next(iter(values.values())) if len(values) == 1 else values]}


def _value(spec):
    shape = [size or 1 for size in (spec.shape or (1, 1))]
    if spec.dtype == "string":
        return np.full([1, *shape[1:]], "text", object).tolist()
    return np.zeros([1, *shape[1:]], numpy_dtype(spec.dtype)).tolist()


def _schema(spec: TensorSpec) -> dict[str, Any]:
    kinds = {"string": "string", "bool": "boolean"}
    kind = "integer" if "int" in spec.dtype else kinds.get(spec.dtype, "number")
    schema: dict[str, Any] = {"type": kind}
    for size in reversed((spec.shape or (None,))[1:]):
        schema = {"type": "array", "items": schema, **({} if size is None else {"minItems": size, "maxItems": size})}
    return {**schema, "description": spec.describe()}


def _row(served):
    sample = _schema(served.inputs[0])
    if len(served.inputs) > 1:
        by_name = {spec.name: _schema(spec) for spec in served.inputs}
        sample = {"type": "object", "properties": by_name, "required": list(by_name)}
    return {"type": "object", "properties": {"instances": {"type": "array", "items": sample}}}


def openapi(served: ServedModel, max_body: int, needs_key: bool) -> dict[str, Any]:
    """The description by OpenAPI 3.1.

    Args:
        served: Model.
        max_body: Most bytes of a body.
        needs_key: Whether requests need a key.
    """
    refused = {"description": "What was expected and what came", "content": {"application/json": {"schema": {
        "type": "object", "properties": {"error": {"type": "string"}, "fix": {"type": "string"}}}}}}  # fmt: skip
    errors = {code: refused for code in ("400", "401", "413", "415", "503", "504")}
    binary = {"schema": {"type": "string", "format": "binary"}}
    types = ("application/x-npy", "application/x-npz", "image/png", "image/jpeg")
    fine = {
        "description": "The outputs",
        "content": {"application/json": {}, "application/x-npy": binary, "application/x-npz": binary},
    }
    predict = {
        "summary": f"Predict with {served.name}",
        "requestBody": {"required": True, "content": {
            "application/json": {"schema": _row(served), "example": _short(served)}, **{one: binary for one in types}}},
        "responses": {"200": fine, **errors},
    }  # fmt: skip
    bodies = {"application/json": {"schema": {"type": "object"}}, "application/octet-stream": binary}
    infer = {
        **predict,
        "summary": "The inference protocol of KServe, version 2",
        "requestBody": {"required": True, "content": bodies},
    }
    got = {
        "/health/live": "Whether the process runs", "/health/ready": "Whether the model takes requests",
        "/metrics": "Counts for Prometheus", f"/v2/models/{served.name}": "Names, types and shapes",
    }  # fmt: skip
    paths = {"/predict": {"post": predict}, f"/v2/models/{served.name}/infer": {"post": infer}} | {
        path: {"get": {"summary": summary, "responses": {"200": {"description": "fine"}}}}
        for path, summary in got.items()
    }
    described: dict[str, Any] = {
        "openapi": "3.1.0", "paths": paths,
        "info": {"title": served.name, "version": version(), "description": f"A body has at most {max_body} bytes."},
    }  # fmt: skip
    if needs_key:
        described["components"] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
        described["security"] = [{"key": []}]
    return described


def _short(served):
    found = example(served)
    return found if len(json.dumps(found)) < 10_000 else {"instances": ["..."]}


def page(served: ServedModel, limits: Any, needs_key: bool) -> str:
    """The page at /docs.

    Args:
        served: Model.
        limits: Limits of the server.
        needs_key: Whether requests need a key.
    """
    rows = [
        f"<tr><td>{kind}</td><td><code>{escape(spec.name)}</code></td><td><code>{escape(spec.describe())}</code></td></tr>"
        for kind, specs in (("input", served.inputs), ("output", served.outputs))
        for spec in specs
    ]
    body = json.dumps(_short(served))
    key = ' -H "Authorization: Bearer $KEY"' if needs_key else ""
    shown = shlex.quote(body if len(body) < 200 else body[:200] + " ...")  # names of inputs come from a file
    v2 = f"/v2/models/{served.name}"
    values = {
        "NAME": served.name, "ROWS": "".join(rows), "KEY": key, "V2": v2, "BODY": body, "SHOWN": shown,
        "LIMITS": f"A body has at most {limits.body // 2**20} MiB; an answer takes at most {limits.seconds:g} seconds; "
        f"requests that arrive together are computed together, up to {limits.batch} samples."
        + (" Requests need a key." if needs_key else ""),
    }  # fmt: skip
    text = _PAGE
    for name, value in values.items():
        text = text.replace(f"@{name}@", value if name == "ROWS" else escape(value))
    return text


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>@NAME@</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
pre, textarea { font: 14px/1.4 ui-monospace, monospace; padding: .6rem; border: 1px solid #8886; border-radius: 6px;
  overflow: auto; width: 100%; box-sizing: border-box; background: #8881; color: inherit; white-space: pre-wrap }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1rem .2rem 0 }
button { font: inherit; padding: .3rem 1rem; margin: .4rem 0 }
</style></head><body>
<h1>@NAME@</h1>
<table><tr><th></th><th>name</th><th>type and shape</th></tr>@ROWS@</table>
<p>@LIMITS@</p>
<h2>Try it</h2>
<label for="body">Body of <code>POST /predict</code></label>
<textarea id="body" rows="6" spellcheck="false">@BODY@</textarea>
<p><label>Key, if one is needed <input id="key" type="password" autocomplete="off"></label>
<button id="send">Send</button></p>
<pre id="answer" aria-live="polite">The answer comes here.</pre>
<h2>Requests</h2>
<pre>curl localhost:8000/predict@KEY@ -d @SHOWN@
curl localhost:8000/predict@KEY@ --data-binary @x.npy -H "Accept: application/x-npy" -o y.npy
curl localhost:8000/predict@KEY@ --data-binary @picture.png</pre>
<table>
<tr><td><code>POST /predict</code></td><td>JSON with "instances" or "inputs", .npy, .npz or an image</td></tr>
<tr><td><code>POST /v1/models/@NAME@:predict</code></td><td>the same, under the address of TensorFlow Serving</td></tr>
<tr><td><code>POST @V2@/infer</code></td><td>the protocol of KServe, version 2, with binary data</td></tr>
<tr><td><code>GET @V2@</code></td><td>names, types and shapes</td></tr>
<tr><td><code>GET /health/live</code>, <code>/health/ready</code></td><td>200, or 503 while it starts or stops</td></tr>
<tr><td><code>GET /metrics</code></td><td>counts for Prometheus</td></tr>
<tr><td><code>GET /openapi.json</code></td><td>OpenAPI 3.1</td></tr>
</table>
<script>
document.getElementById("send").onclick = async () => {
  const shown = document.getElementById("answer"), key = document.getElementById("key").value;
  const start = performance.now();
  try {
    const answer = await fetch("predict", { method: "POST", body: document.getElementById("body").value,
      headers: { "content-type": "application/json", ...(key ? { authorization: "Bearer " + key } : {}) } });
    const text = await answer.text();
    shown.textContent = answer.status + " in " + (performance.now() - start).toFixed(1) + " ms\\n" + text;
  } catch (error) { shown.textContent = "No answer: " + error; }
};
</script></body></html>
"""
