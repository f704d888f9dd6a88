"""A small client of pyright's language server: what an editor shows at the end of a piece of code."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import subprocess
import sys


class LanguageServer:
    """Pyright's language server on an empty folder, with this interpreter's packages. A context manager."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder, self._numbers, self._files = folder, itertools.count(1), itertools.count(1)

    def __enter__(self):
        command = [str(pathlib.Path(sys.executable).with_name("pyright-langserver")), "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        capabilities = {
            "textDocument": {
                "hover": {"contentFormat": ["markdown"]},
                "signatureHelp": {"signatureInformation": {"documentationFormat": ["markdown"]}},
            },
            "workspace": {"configuration": True},
        }
        root = self._folder.as_uri()
        self._ask("initialize", {"processId": None, "rootUri": root, "capabilities": capabilities,
                                 "workspaceFolders": [{"uri": root, "name": "folder"}]})  # fmt: skip
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def completions(self, code: str) -> set[str]:
        """The names offered after the last character of `code`."""
        found = self._at_end("completion", code)
        return {item["label"] for item in (found["items"] if isinstance(found, dict) else found)}

    def signatures(self, code: str) -> list[dict]:
        """What is shown after an opening parenthesis: the names of the parameters, and the documentation."""
        return [
            {
                "parameters": [
                    re.split("[:=]", parameter["label"])[0].strip() for parameter in signature["parameters"]
                ],
                "documentation": re.sub(r"\\|&nbsp;", "", signature.get("documentation", {}).get("value", "")),
            }
            for signature in self._at_end("signatureHelp", code)["signatures"]
        ]

    def hover(self, code: str) -> str:
        """What is shown on the last word of `code`."""
        return self._at_end("hover", code)["contents"]["value"]

    def _at_end(self, what, code):
        uri = (self._folder / f"program_{next(self._files)}.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": code}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        *before, last = code.split("\n")
        position = {"line": len(before), "character": len(last)}
        return self._ask(f"textDocument/{what}", {"textDocument": {"uri": uri}, "position": position})

    def _ask(self, method, params):
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                return message["result"]
            if "id" in message:  # a question of the server
                sections = message.get("params", {}).get("items", [])
                answer = [{"pythonPath": sys.executable} if s.get("section") == "python" else {} for s in sections]
                self._send({"id": message["id"], "result": answer or None})

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self):
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise EOFError("The language server ended.")
        return json.loads(self._process.stdout.read(length))
