"""The fix for errors that Python raises in a user's line, because of what lamina's objects are or return."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from lamina.core import op_advice
from lamina.core.broadcast_fixes import for_broadcast
from lamina.core.call_sites import CallSite, op_of, site_in
from lamina.core.graph import Operation
from lamina.core.keras_tensor import KerasTensor
from lamina.spelling import public_names
from lamina.spelling.arguments import explain_call
from lamina.spelling.nearest import nearest

__all__ = ["fix_of"]

Fix: TypeAlias = "str | None"


def fix_of(error: BaseException) -> Fix:
    """What to write in place of the user's line that raised an error of Python's; None where lamina does not know.

    Args:
        error: The error.
    """
    text, site = str(error), site_in(error.__traceback__)
    if site is None:
        return None
    for pattern, explain in _FIXES:
        found = re.match(pattern, text)
        fix = explain(site, found) if found else None
        if fix:
            return fix
    return None


def _calls(site: CallSite) -> list[ast.Call]:
    return site.nodes(ast.Call)


def _called(site: CallSite, name: str) -> ast.Call | None:
    """The call in the line of a method of this name."""
    return next(
        (call for call in _calls(site) if getattr(call.func, "attr", getattr(call.func, "id", "")) == name), None
    )


def _layer_in(site: CallSite, call: ast.Call) -> tuple[str, str]:
    """(class, source) of the layer that a call calls: one that the line makes, or one that a name holds."""
    if isinstance(call.func, ast.Call):
        return ast.unparse(call.func.func).rpartition(".")[2], ast.unparse(call.func)
    value = site.value_of(ast.unparse(call.func))
    return (type(value).__name__, repr(value)) if isinstance(value, Operation) else ("", "")


def _unpacked(site: CallSite, found: Any) -> Fix:
    """x, h, c = Bidirectional(LSTM(4, return_state=True))(x), and loss, accuracy = model.evaluate(x, y)."""
    if _called(site, "evaluate") is not None:
        return "loss = model.evaluate(x, y): metrics=[...] in compile add further numbers to it."
    for call in _calls(site):
        kind, source = _layer_in(site, call)
        if "return_state=True" not in source and "return_attention_scores=True" not in source:
            continue
        states = ["state_h", "state_c"] if "LSTM" in source else ["state"]
        if kind == "Bidirectional":
            states = [f"{way}_{state[6:] or state}" for way in ("forward", "backward") for state in states]
        return f"{', '.join(['outputs', *states])} = {ast.unparse(call)}"
    return None


def _tensor_called(site: CallSite, found: Any) -> Fix:
    """layers.Dense(2)(x)(x)"""
    return "A tensor is no layer: a layer is called on a tensor once, x = layers.Dense(8)(x)."


_RETURN_NOTHING = ("add", "build", "compile", "load_weights", "save", "set_weights", "summary", "adapt", "pop")


def _none(site: CallSite, found: Any) -> Fix:
    """model = keras.Sequential().add(...), and then model.compile(...)."""
    method = found[1]
    for name, line in _assignments(site):
        made = re.search(rf"\.({'|'.join(_RETURN_NOTHING)})\([^()]*(\([^()]*(\([^()]*\)[^()]*)*\)[^()]*)*\)\s*$", line)
        if made and f"{name}.{method}" in site.statement and site.value_of(name) is None:
            before = line[: made.start()].strip()
            return f"{name} = {before}; {name}{line[made.start() :].strip()}  # .{made[1]}() returns None"
    return None


def _assignments(site: CallSite) -> list[tuple[str, str]]:
    """(name, value) of each assignment of one name in the program, as it is written."""
    import linecache

    lines = linecache.getlines(site.frame.f_code.co_filename, site.frame.f_globals)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return []
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    return [(getattr(node.targets[0], "id", ""), ast.unparse(node.value)) for node in nodes]


def _shape_is_none(site: CallSite, found: Any) -> Fix:
    """x.shape[0] * 5 of a symbolic tensor."""
    for node in site.nodes(ast.Subscript):
        owner = node.value
        if isinstance(owner, ast.Attribute) and owner.attr == "shape":
            tensor = ast.unparse(owner.value)
            if isinstance(site.value_of(tensor), KerasTensor):
                return f"keras.ops.shape({tensor})[{ast.unparse(node.slice)}], which is known when there are data."
    return None


def _logs_lack(site: CallSite, found: Any) -> Fix:
    """logs.get('acc') > 0.9, where logs have another name for it."""
    for call in _calls(site):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "get" or not call.args:
            continue
        figures, key = site.value_of(ast.unparse(call.func.value)), getattr(call.args[0], "value", None)
        if isinstance(figures, dict) and isinstance(key, str) and key not in figures:
            near, names = nearest(key, figures, 1), ", ".join(map(repr, figures))
            owner = ast.unparse(call.func.value)
            fix = f"{owner}[{near[0]!r}]" if near else f"compile(..., metrics=[{key.removeprefix('val_')!r}])"
            fix = "fit(..., validation_split=0.2)" if key.startswith("val_") and not near else fix
            return f"{fix}: {owner} have no {key!r}, but {names}."
    return None


def _call_refused(site: CallSite, found: Any) -> Fix:
    """metric.update_state([1.0]), whose targets or outputs are missing: a method or function of lamina."""
    for call in _calls(site):
        owner, _, name = ast.unparse(call.func).rpartition(".")
        of = site.value_of(owner)
        function = getattr(type(of), name, None) if of is not None and not isinstance(of, type) else None
        if name != found[1] or not str(getattr(function, "__module__", "")).startswith("lamina."):
            continue
        values = [_Source(part) for part in call.args], {k.arg: _Source(k.value) for k in call.keywords if k.arg}
        error = explain_call(function, (of, *values[0]), values[1])
        return error and error.fix and error.fix.replace(f"{error.fix.partition('.')[0]}.", f"{owner}.", 1)
    return None


class _Source:
    """A part of a program in place of its value, whose repr it is."""

    def __init__(self, node: ast.expr) -> None:
        self.text = ast.unparse(node)

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:  # with the value of a literal
        return True


def _of_list(site: CallSite, found: Any) -> Fix:
    """model.layers[:-1].trainable = False"""
    for node in site.nodes(ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Attribute) and "layers" in ast.unparse(target.value):
            return f"for layer in {ast.unparse(target.value)}: layer.{target.attr} = {ast.unparse(node.value)}"
    return _of_data_set(site, found)


_OF_DATA_SETS = ("batch", "shuffle", "map", "prefetch", "repeat", "cache", "take", "skip", "unbatch", "enumerate")


def _of_data_set(site: CallSite, found: Any) -> Fix:
    """data.batch(32) of a list or an array, as data sets of TensorFlow have it."""
    call = _called(site, found[1]) if found[1] in _OF_DATA_SETS else None
    if call is None or not isinstance(call.func, ast.Attribute):
        return None
    owner = ast.unparse(call.func.value)
    made = f"from_generator(lambda: {owner})" if found[0][1:4] in ("zip", "gen") else f"from_tensor_slices({owner})"
    return ast.unparse(call).replace(f"{owner}.", f"keras.utils.Dataset.{made}.", 1)


def _not_scalar(site: CallSite, found: Any) -> Fix:
    """jax.grad(lambda x: model(x))(x)"""
    for call in _calls(site):
        if ast.unparse(call.func).rpartition(".")[2] in ("grad", "value_and_grad") and call.args:
            function = call.args[0]
            if isinstance(function, ast.Lambda):
                arguments, result = ast.unparse(function.args), ast.unparse(function.body)
            else:
                arguments, result = "*args", f"{ast.unparse(function)}(*args)"
            call.args[0] = ast.parse(f"lambda {arguments}: keras.ops.sum({result})", mode="eval").body
            return ast.unparse(call)
    return None


def _not_json(site: CallSite, found: Any) -> Fix:
    if found[1] == "History":
        return "json.dumps(history.history): a History holds its figures in a dict of lists."
    return None


def _function_called(site: CallSite, found: Any) -> Fix:
    """compile(loss=my_loss()) for compile(loss=my_loss)"""
    name = found[1]
    if _called(site, "compile") is None or _called(site, name) is None:
        return None
    return f"compile takes the function itself: {name}, without ()."


def _layer_as_tensor(site: CallSite, found: Any) -> Fix:
    """x = layers.Dense(3), and then x + y or x[0]."""
    for node in site.nodes(ast.BinOp):
        parts = [ast.unparse(part) for part in (node.left, node.right)]
        if isinstance(node.op, ast.Add) and all(isinstance(site.value_of(part), Operation) for part in parts):
            return f"keras.Sequential([{', '.join(parts)}]) calls one after the other."
    for node in site.nodes(ast.Subscript):
        made = site.value_of(ast.unparse(node.value.func)) if isinstance(node.value, ast.Call) else None
        if isinstance(made, type) and issubclass(made, Operation):  # layers.Dense(3)[0]
            return f"{ast.unparse(node.value)}(x)[{ast.unparse(node.slice)}]  # a layer is called on a tensor x first"
    for node in site.nodes(ast.Name):
        if isinstance(site.value_of(node.id), Operation):
            return f"{node.id} is a layer: {node.id}(x) is the tensor that it computes."
    return None


def _of_scores(site: CallSite, found: Any) -> Fix:
    """accuracy_score(y, model.predict(x))"""
    return (
        "model.predict returns probabilities, no classes: (model.predict(x) > 0.5).astype(int) for one unit, "
        "model.predict(x).argmax(-1) for several."
    )


def _of_estimators(site: CallSite, found: Any) -> Fix:
    return "keras.wrappers.SKLearnClassifier(model), or SKLearnRegressor(model), is what scikit-learn takes."


def _of_arrays(site: CallSite, found: Any) -> Fix:
    """x.view(-1, 2), and what PyTorch's tensors have too, but otherwise."""
    if not isinstance(site.node, ast.Call) or not isinstance(site.node.func, ast.Attribute):
        return None
    return op_advice.as_op(site.node)


def _not_installed(site: CallSite, found: Any) -> Fix:
    """import tensorflow as tf"""
    file = os.path.basename(site.frame.f_code.co_filename)
    file = file if file.endswith(".py") else "notebook.ipynb"
    return f"lamina run {file}  # runs programs of {found[1]} without it"


def _already_numpy(site: CallSite, found: Any) -> Fix:
    """model.predict(x).numpy(), history.history['loss'].item()"""
    for call in _calls(site):
        if isinstance(call.func, ast.Attribute) and call.func.attr == found[1] and not call.args:
            return f"{ast.unparse(call.func.value)}  # is an array of NumPy already: leave .{found[1]}() out"
    return None


_IMPORTS = {
    "np": "import numpy as np", "keras": "import lamina as keras", "K": "from lamina import backend as K",
    "pd": "import pandas as pd", "plt": "import matplotlib.pyplot as plt",
    **{name: f"from lamina import {name}" for name in
       "layers models ops losses metrics optimizers callbacks initializers regularizers utils".split()},
}  # fmt: skip


def _unknown_name(site: CallSite, found: Any) -> Fix:
    """Sequential() without its import, and tf.reduce_mean(x) where there is no TensorFlow."""
    name = found[1]
    if name in ("tf", "torch", "F", "K", "nn"):
        node = _with_ops(site, name)
        if node is not None:
            return node
    if name in _IMPORTS:
        return _IMPORTS[name]
    homes = [home for names in public_names for key, home in names() if key == name and name[:1].isupper()]
    return f"from {homes[0].replace('keras', 'lamina', 1)} import {name}" if homes else None


def _with_ops(site: CallSite, owner: str) -> Fix:
    """The line with keras.ops in place of the functions of another library; None where one of them is not known."""
    tree = next(iter(site.nodes((ast.Return, ast.Assign, ast.Expr, ast.Call))), None)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(f"{owner}.") and node.attr != "nn":
            op = op_of(node.attr)
            if op is None:
                return None
            node.value, node.attr = ast.parse(op.rpartition(".")[0], mode="eval").body, op.rpartition(".")[2]
    return ast.unparse(tree)


def _history_as_array(site: CallSite, found: Any) -> Fix:
    """plt.plot(history)"""
    for node in site.nodes(ast.Name):
        value = site.value_of(node.id)
        if type(value).__name__ == "History" and isinstance(getattr(value, "history", None), dict):
            return f"{node.id}.history['loss']  # the figures of a History; {node.id}.plot() draws all of them"
    return None


_WITH_NONE = r"unsupported operand type\(s\) for .*'NoneType'|'[<>=]+' not supported between instances of .*'NoneType'"
_FIXES: list[tuple[str, Callable[[CallSite, Any], Fix]]] = [
    (r"No module named '(tensorflow|keras|tf_keras)\b", _not_installed),
    (r"'numpy\.\w+' object has no attribute '(numpy|cpu|detach|cuda|eval|data)'", _already_numpy),
    (r"(too many|not enough) values to unpack|cannot unpack non-iterable", _unpacked),
    (r"'KerasTensor' object is not callable", _tensor_called),
    (r"descriptor '__init__' of 'super' object needs an argument", lambda site, found: "super().__init__()"),
    (r"'NoneType' object has no attribute '(\w+)'", _none),
    (_WITH_NONE, _shape_is_none),
    (r"name '(\w+)' is not defined", _unknown_name),
    (r"setting an array element with a sequence|float\(\) argument must be .* not 'History'", _history_as_array),
    (_WITH_NONE, _logs_lack),
    (r"Object of type (\w+) is not JSON serializable", _not_json),
    (r"(?:\w+\.<locals>\.)?(\w+)\(\) missing \d+ required positional argument", _function_called),
    (r"\w+\.(\w+)\(\) (?:missing|got an unexpected|takes|got multiple)", _call_refused),
    (r"'list' object has no attribute '(\w+)'", _of_list),
    (r"'(?:tuple|dict|zip|generator|numpy\.ndarray)' object has no attribute '(\w+)'", _of_data_set),
    (r"Gradient only defined for scalar-output functions", _not_scalar),
    (r"unsupported operand type\(s\)|'\w+' object is not (subscriptable|iterable)", _layer_as_tensor),
    (r"Classification metrics can't handle a mix of|continuous is not supported", _of_scores),
    (r"(The estimator |If no scoring is specified, the |Cannot clone object |estimator should be)", _of_estimators),
    (op_advice.METHOD_REFUSED.pattern, _of_arrays),
    (r"(\w+ got i|I)ncompatible shapes for broadcasting: ", lambda site, found: for_broadcast(site, found.string)),
]
