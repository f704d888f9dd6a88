"""What to write with keras.ops in place of Python or NumPy code, for a place in a user's program."""

from __future__ import annotations

import ast
import functools
import linecache
import math
import re
from types import FrameType
from typing import Any

import numpy as np

from lamina.core.call_sites import CallSite, op_of, package_of
from lamina.errors import is_internal, is_library
from lamina.spelling import public_names
from lamina.spelling.nearest import nearest

_TEMPLATES = {  # {x} is the tensor, {0} and {1} the first arguments, {a} all of them, {t} all of them as a tuple
    **dict.fromkeys(("view", "reshape", "set_shape"), "keras.ops.reshape({x}, {t})"),
    **dict.fromkeys(("permute", "transpose"), "keras.ops.transpose({x}, {t})"),
    **dict.fromkeys(("expand", "broadcast_to"), "keras.ops.broadcast_to({x}, {t})"),
    **dict.fromkeys(("repeat", "tile"), "keras.ops.tile({x}, {t})"),
    **dict.fromkeys(("float", "half", "double", "long", "int", "bool"), 'keras.ops.cast({x}, "{dtype}")'),
    **dict.fromkeys(("contiguous", "cuda", "cpu", "to", "clone"), "{x}"),
    "size": "{x}.shape", "shape": "{x}.shape", "get_shape": "{x}.shape", "dim": "len({x}.shape)",
    "chunk": "keras.ops.split({x}, {a})", "assign": "{x} = {a}", "type": "keras.ops.cast({x}, {a})",
    "backward": "jax.value_and_grad(loss)(weights); model.fit computes the gradients by itself",
}  # fmt: skip
_DTYPES = {"float": "float32", "half": "float16", "double": "float64", "long": "int64", "int": "int32", "bool": "bool"}
_KEYWORDS = {"dim": "axis", "keepdim": "keepdims", "keep_dims": "keepdims", "reduction_indices": "axis"}


def as_op(call: ast.Call) -> str | None:
    """Code with keras.ops for a call of a method of another library, or None where it is not known.

    Args:
        call: The call, `x.view(2, -1)`.

    >>> def code(text):
    ...     return as_op(ast.parse(text, mode="eval").body)
    >>> code("x.view(2, -1)"), code("x.mean(dim=1, keepdim=True)"), code("x.size(0)")
    ('keras.ops.reshape(x, (2, -1))', 'keras.ops.mean(x, axis=1, keepdims=True)', 'x.shape[0]')
    """
    if not isinstance(call.func, ast.Attribute):
        return None
    name, owner = call.func.attr, ast.unparse(call.func.value)
    args = [ast.unparse(arg) for arg in call.args]
    named = [
        f"{_KEYWORDS.get(keyword.arg or '', keyword.arg)}={ast.unparse(keyword.value)}" for keyword in call.keywords
    ]
    if name == "transpose" and len(args) == 2:
        return f"keras.ops.swapaxes({owner}, {args[0]}, {args[1]})"
    if name == "size" and len(args) == 1:
        return f"{owner}.shape[{args[0]}]"
    template = _TEMPLATES.get(name)
    if template is not None:
        each = ", ".join(args)
        whole = (
            args[0]
            if len(args) == 1 and isinstance(call.args[0], (ast.Tuple, ast.List))
            else f"({each}{',' * (len(args) == 1)})"
        )
        return template.format(x=owner, a=", ".join([*args, *named]), t=whole, dtype=_DTYPES.get(name))
    op = op_of(name)
    return op and f"{op}({', '.join([owner, *args, *named])})"


SIZES = "A size or an axis is a number of Python, as x.shape[1] is; keras.ops.where(mask, x, 0) keeps the size of x."


def for_condition(site: CallSite) -> Any:
    """What to write in place of an `if`, `while`, `and` or `max` over tensors."""
    if site.statement.startswith("assert"):
        return "Leave the assert out of the model, and check the numbers before fit."
    package = package_of(site.function)
    if site.callee in ("max", "min") and isinstance(site.node, ast.Call) and len(site.node.args) == 1:
        return f"keras.ops.{site.callee}({site.arguments})"
    if site.callee and not package.startswith("lamina") and op_of(site.callee, package):  # max(x, 0)
        return f"{op_of(site.callee, package)}({site.arguments})"
    for node in site.nodes(ast.IfExp):
        return f"keras.ops.where({_logical(node.test)}, {ast.unparse(node.body)}, {ast.unparse(node.orelse)})"
    for node in site.nodes((ast.If, ast.While)):
        if isinstance(node, ast.While):
            return _while_loop(site, node.test)
        return f"keras.ops.where({_logical(node.test)}, a, b), where a is the result if it holds, and b otherwise."
    if isinstance(site.node, (ast.BoolOp, ast.UnaryOp, ast.Compare)):
        return _logical(site.node)
    return "keras.ops.where(condition, a, b), where a is the result if it holds, and b otherwise."


def _while_loop(site, test):
    """The loop over the tensor that a condition reads, whose next value is that of the line below it, if it is one."""
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
    name = next((name for name in names if hasattr(site.value_of(name), "shape")), "x")
    below = linecache.getline(site.frame.f_code.co_filename, site.line + 1).strip()
    found = re.fullmatch(rf"{name} (?:= (.+)|([-+*/]+)= (.+))", below)
    loop = f"{name} = keras.ops.while_loop(lambda {name}: {_logical(test)}"
    if found is None:
        return f"{loop}, step, {name}), where step({name}) is the next {name}."
    return f"{loop}, lambda {name}: {found[1] or f'{name} {found[2]} ({found[3]})'}, {name})"


def _logical(node):
    """A condition with the ops for `and`, `or`, `not` and `a < b < c`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"keras.ops.logical_not({_logical(node.operand)})"
    if isinstance(node, ast.BoolOp):
        name = "and" if isinstance(node.op, ast.And) else "or"
        return functools.reduce(lambda a, b: f"keras.ops.logical_{name}({a}, {b})", map(_logical, node.values))
    if isinstance(node, ast.Compare) and len(node.ops) == 2:
        terms = [node.left, *node.comparators]
        pairs = [ast.Compare(terms[i], [node.ops[i]], [terms[i + 1]]) for i in range(2)]
        return f"keras.ops.logical_and({', '.join(map(ast.unparse, pairs))})"
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "bool" and node.args:
        return ast.unparse(node.args[0])
    return ast.unparse(node)


def for_iteration(site: CallSite) -> str:
    """What to write in place of a loop over a tensor, or of `sum`, `min` or `sorted` of one."""
    name = {"sorted": "sort"}.get(site.callee, site.callee)
    if name in ("sum", "min", "max", "any", "all", "sort"):
        return f"keras.ops.{name}({site.arguments})"
    return "keras.ops.unstack(x, axis=1) has the parts along axis 1; keras.ops.map(f, x) computes f for each sample."


def for_mask(site: CallSite) -> Any:
    """What to write in place of `x[mask]`."""
    if isinstance(site.node, ast.Subscript):
        return f"keras.ops.where({ast.unparse(site.node.slice)}, {ast.unparse(site.node.value)}, 0)"
    return "keras.ops.where(mask, x, 0)"


_IN_PLACE = {ast.Add: "add({})", ast.Sub: "add(-({}))", ast.Mult: "multiply({})", ast.Div: "divide({})"}


def for_assignment(site: CallSite, converted: str = "{}") -> str | None:
    """What to write in place of `x[index] = value`, or None where the line is no such assignment.

    Args:
        site: Place.
        converted: How the owner of the index becomes a tensor.
    """
    for statement in site.nodes((ast.Assign, ast.AugAssign)):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(target, ast.Subscript):
            owner, value = ast.unparse(target.value), ast.unparse(statement.value)
            index = ast.unparse(target)[len(owner) + 1 : -1]
            if isinstance(statement, ast.Assign) and isinstance(target.slice, ast.Compare):
                return f"{owner} = keras.ops.where({index}, {value}, {owner})"
            change = _IN_PLACE.get(type(getattr(statement, "op", None)), "set({})").format(value)
            return f"{owner} = {converted.format(owner)}.at[{index}].{change}  # or keras.ops.slice_update"
    return None


def for_batch(site: CallSite) -> str:
    """What to write in place of `x, y, w = data` in a step of training."""
    names, data = ["x", "y", "sample_weight"], "data"
    for statement in site.nodes(ast.Assign):
        if isinstance(statement.targets[0], ast.Tuple) and isinstance(statement.value, ast.Name):
            own = [one.id for one in statement.targets[0].elts if isinstance(one, ast.Name)]
            names, data = [*own[:3], *names[len(own) :]], statement.value.id
    return f"{', '.join(names)} = keras.utils.unpack_x_y_sample_weight({data})"


def for_shape_names(site: CallSite) -> str | None:
    """What to write in place of `b, h, w, c = x.shape`, where x has another rank; None for other lines."""
    for statement in site.nodes(ast.Assign):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Attribute) and value.attr == "shape":
            shape = getattr(site.value_of(ast.unparse(value.value)), "shape", None)
            names = [ast.unparse(one) for one in target.elts]
            if isinstance(shape, tuple) and shape:
                names = [*names, *(f"size_{axis}" for axis in range(len(names), len(shape)))][: len(shape)]
                return f"{', '.join(names)}{',' * (len(names) == 1)} = {ast.unparse(value)}  # {shape}"
    return None


def for_attribute(site: CallSite, name: str) -> Any:
    """What to write in place of a method that tensors of another library have."""
    if name in ("numpy", "item", "tolist", "cpu", "cuda", "eval"):
        return f"Leave .{name}() out: keras.ops takes the tensor as it is. After fit: keras.ops.convert_to_numpy(x)."
    if name in ("append", "extend", "insert"):
        return "keras.ops.concatenate([x, more], axis=0)"
    if call := for_missing_method(site):
        return call
    op = op_of(name)
    return op and f"{op}(x, ...)"


def for_missing_method(site: CallSite) -> str | None:
    """The op, with its arguments, that does what the method of another library does which a place asks for."""
    for call in site.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) in (site.text, site.callee):
            return _in_numpy(call, site) or as_op(call)
    return None


def _in_numpy(call, site):
    """What x.detach().cpu().numpy() and x.detach().item() are as a whole; None for a call that no other follows."""
    owner, methods = ast.unparse(call.func.value), {call.func.attr}
    around = [one for one in site.nodes(ast.Call) if isinstance(one.func, ast.Attribute)]
    for one in reversed(around):  # the inner ones first
        if ast.unparse(one).startswith(f"{ast.unparse(call)}."):
            methods.add(one.func.attr)
    if not methods <= {"detach", "cpu", "cuda", "clone", "numpy", "item"} or len(methods) == 1:
        return None
    array = f"keras.ops.convert_to_numpy({owner})"
    return f"{array}.item()" if "item" in methods else array


def op_at(frame: FrameType, instruction: int) -> str | None:
    """`for_missing_method` at a place of the user's program; None elsewhere.

    Args:
        frame: Frame that asks for the method.
        instruction: Index of the instruction (`f_lasti`).
    """
    return None if is_internal(frame) or is_library(frame) else for_missing_method(CallSite(frame, instruction))


METHOD_REFUSED = re.compile(
    r"_\w+\(\) (got an unexpected|takes)|'(int|tuple)' object is not callable|`type` argument of"
)


def for_method(site: CallSite, error: BaseException) -> str | None:
    """What to write in place of a method that tensors have with other arguments, or that is no method: x.size(0).

    Args:
        site: Place.
        error: The error that the call raised.
    """
    text = str(error.args[0]) if error.args else ""
    permuted = "isn't a permutation" in text and site.callee.endswith(".transpose")
    if not isinstance(site.node, ast.Call) or not (permuted or METHOD_REFUSED.match(text)):
        return None
    owner = site.callee.rpartition(".")[0]
    is_tensor = hasattr(site.value_of(owner), "shape") or (text.startswith("_") and not owner.isidentifier())
    return as_op(site.node) if is_tensor else None


def for_function(site: CallSite) -> Any:
    """The op that does what the called function does, or None."""
    name = site.callee or getattr(site.function, "__name__", "")
    op = op_of(name, package_of(site.function)) if site.function is not None else None
    return op and (f"{op}({site.arguments})" if site.callee else op)


def for_values(site: CallSite) -> Any:
    """What to write where Python or NumPy needs values."""
    name, arguments = site.callee or getattr(site.function, "__name__", ""), site.arguments or "x"
    arguments = re.sub(r"\b(np|numpy)\.(?=\w+\()", "keras.ops.", arguments)
    if name.rpartition(".")[2] in ("numpy", "item", "tolist") and site.function is None:
        owner, _, method = name.rpartition(".")
        return f"{owner}  # the tensor as it is, without .{method}()"
    if package_of(site.function).startswith(("lamina", "jax")):
        return SIZES
    if name.rpartition(".")[2] in ("Series", "DataFrame") and isinstance(site.node, ast.Call) and site.node.args:
        return f"{ast.unparse(site.node.args[0])}  # the tensor as it is, without {name}()"
    assignment = for_assignment(site, "keras.ops.convert_to_tensor({})")
    if isinstance(site.node, ast.Subscript):
        taken = f"keras.ops.take({ast.unparse(site.node.value)}, {ast.unparse(site.node.slice)}, axis=0)"
        return assignment or taken
    if name in ("float", "int") and (kept := _kept_or_shown(site, arguments)):
        return kept
    if name in ("float", "int"):
        return f'keras.ops.cast({arguments}, "{name}32")'
    if name == "range":
        return f"x = keras.ops.fori_loop(0, {arguments}, lambda i, x: step(x), x), where step(x) is the next x."
    return (
        for_function(site)
        or assignment
        or _metric_for(site)
        or ("Compute it by functions of keras.ops, or before fit, outside of the model.")
    )


def _kept_or_shown(site, value):
    """What to write for float(x) that is printed, or kept in a list or an attribute; None for other uses."""
    text, function = ast.unparse(site.node), site.frame.f_code.co_name
    for call in site.nodes(ast.Call):
        name = ast.unparse(call.func)
        if name == "print" and text in ast.unparse(call):
            return f'jax.debug.print("{{}}", {value})'
        if name.startswith("self.") and name.endswith(".append") and text in ast.unparse(call):
            return _tracked(name[5:-7], value, function)
    for node in site.nodes(ast.Assign):
        target = node.targets[0]
        if (
            isinstance(target, ast.Attribute)
            and ast.unparse(target.value) == "self"
            and ast.unparse(node.value) == text
        ):
            return _tracked(target.attr, value, function)
    return None


def _tracked(name, value, function):
    """A metric in place of the list or the number of a model, which fit shows and keeps in its history."""
    if function not in ("compute_loss", "train_step", "test_step"):
        return None
    made = f"self.{name} = keras.metrics.Mean({name!r}) in __init__; history.history[{name!r}] after fit"
    return f"self.{name}.update_state({value})  # {made}"


def _metric_for(site):
    """The metric of keras.metrics that has the name of a function of scikit-learn, or None."""
    is_of_sklearn = package_of(site.function).partition(".")[0] == "sklearn"
    metric = metric_of(site.function.__name__, strict=True) if is_of_sklearn else None
    return f"metrics=[{metric}]  # in compile" if metric else None


def metric_of(name: str, strict: bool) -> str | None:
    """The metric of keras.metrics that does what a function of another library does, or None.

    Args:
        name: Name of the function, such as "f1_score".
        strict: Whether the names must be nearly the same.
    """
    known = [metric for names in public_names for metric, module in names() if module.endswith(".metrics")]
    short = name.removesuffix("_score")
    near = nearest(f"{short}_score", known, strict=True) or nearest(short, known, strict=strict)
    return f"keras.metrics.{near[0]}()" if near else None


def for_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Code that gives a value the shape of a variable, if it has the sizes for it.

    Args:
        shape: Shape of the value.
        wanted: Shape of the variable.
    """
    if math.prod(shape) == math.prod(wanted):
        return f"keras.ops.reshape(value, {wanted})"
    try:
        if np.broadcast_shapes(shape, wanted) == wanted:
            return f"keras.ops.broadcast_to(value, {wanted})"
    except ValueError:
        pass
    return f"keras.Variable(value)  # another variable, of shape {shape}"
