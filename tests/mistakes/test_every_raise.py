"""Every error that a user can meet says what to do: each `raise` has a fix, or stands below with the reason."""

import ast

import pytest

from tests.mistakes.mistake import ROOT

HOSTILE = "only a damaged or hostile file leads there; damaged() and UnsafeFileError say what to do"
PROTOCOL = "Python's own protocols ask for this error: hasattr, iteration, import"
INTERNAL = "lamina catches it, and does the work in another way"
WHY = {
    "saving/": HOSTILE, "legacy/saving": HOSTILE, "cli/scan_": HOSTILE, "runtime/protobufs.py": HOSTILE,
    "core/config_values.py": HOSTILE, "core/serialization.py": HOSTILE, "core/read_limits.py": HOSTILE,
    "core/registry.py": HOSTILE, "datasets/safe_pickle.py": HOSTILE, "utils/archives.py": HOSTILE,
    "compat/bundle.py": HOSTILE, "compat/saved_models.py": HOSTILE, "layers/lambda_layer.py": HOSTILE,
    "layers/pipeline.py": HOSTILE, "models/functional.py": HOSTILE, "datasets/fetch.py": HOSTILE,
    "serve/": "the answer of the server says what it expects",
    "compat/": "the sentence of lamina/compat/advice.py says what to write",
    "export/litert/runtime.py": INTERNAL, "export/functions.py": INTERNAL, "kernels/matmul.py": INTERNAL,
    "drawing/graph_layout.py": INTERNAL, "layers/weights/weight.py": INTERNAL,
    "drawing/diagram.py: has no attribute": PROTOCOL,
    "stop_on_nonfinite.py": "the diagnosis has it",
    "image_iterators.py": PROTOCOL, "preprocessing/sequence.py": PROTOCOL,
    "explanations/explanation.py": PROTOCOL, "explanations/tiny_examples.py": INTERNAL, "ops/arrays.py": PROTOCOL,
    "legacy/moves.py: has no attribute": PROTOCOL,
    "spelling/arrays.py: has no attribute": PROTOCOL,
    "core/keywords.py": "what was meant is added where the call is public",
    "core/kept.py": PROTOCOL, "core/no_values.py": PROTOCOL, "core/lazy.py": PROTOCOL, "spelling/__init__.py": PROTOCOL,
    "kept_tensors.py": PROTOCOL, "core/compiled_calls.py": INTERNAL,
    "utils/settings.py": "the message lists the names", "training/data/dataset.py": "the length of an endless data set",
    "core/graph.py: The graph of": "only a config that was changed by hand has a cycle",
}  # fmt: skip


def raised(path):
    """(line, code) of each error class that a file raises without a fix."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = ast.unparse(node.exc.func).rpartition(".")[2]
            is_class = name.endswith("Error") and name[0].isupper()
            if is_class and len(node.exc.args) < 2 and not any(k.arg in ("fix", None) for k in node.exc.keywords):
                yield node.lineno, ast.unparse(node.exc)


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "lamina").iterdir() if path.name[0] != "_"))
def test_each_raise_has_a_fix_or_a_reason(folder):
    top = ROOT / "lamina" / folder
    without = [
        f"{place}:{line}: {code}"
        for path in (sorted(top.rglob("*.py")) if top.is_dir() else [top] if top.suffix == ".py" else [])
        for place in [path.relative_to(ROOT / "lamina").as_posix()]
        for line, code in raised(path)
        if not any(part.partition(": ")[0] in place and part.partition(": ")[2] in code for part in WHY)
    ]
    assert not without, "\n".join(without)
