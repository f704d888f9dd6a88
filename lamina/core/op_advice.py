"""What to write with keras.ops in place of Python or NumPy code, for a place in a user's program."""

from __future__ import annotations

import ast
import functools
import math
from typing import Any

import numpy as np

from lamina.core.call_sites import CallSite, op_of, package_of

SIZES = "A size or an axis is a number of Python, as x.shape[1] is; keras.ops.where(mask, x, 0) keeps the size of x."


def for_condition(site: CallSite) -> Any:
    """What to write in place of an `if`, `while`, `and` or `max` over tensors."""
    if site.callee and op_of(site.callee, package_of(site.function)):
        return f"{op_of(site.callee, package_of(site.function))}({site.arguments})"
    if site.statement.startswith("assert"):
        return "Leave the assert out of the model, and check the numbers before fit."
    for node in site.nodes(ast.IfExp):
        return f"keras.ops.where({_logical(node.test)}, {ast.unparse(node.body)}, {ast.unparse(node.orelse)})"
    for node in site.nodes((ast.If, ast.While)):
        if isinstance(node, ast.While):
            return f"x = keras.ops.while_loop(lambda x: {_logical(node.test)}, step, x), where step(x) is the next x."
        return f"keras.ops.where({_logical(node.test)}, a, b), where a is the result if it holds, and b otherwise."
    if isinstance(site.node, (ast.BoolOp, ast.UnaryOp, ast.Compare)):
        return _logical(site.node)
    return "keras.ops.where(condition, a, b), where a is the result if it holds, and b otherwise."


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


def for_attribute(site: CallSite, name: str) -> Any:
    """What to write in place of a method that tensors of another library have."""
    if name in ("numpy", "item", "tolist", "cpu", "cuda", "eval"):
        return f"Leave .{name}() out: keras.ops takes the tensor as it is. After fit: keras.ops.convert_to_numpy(x)."
    if name in ("append", "extend", "insert"):
        return "keras.ops.concatenate([x, more], axis=0)"
    op, owner, arguments = op_of({"view": "reshape"}.get(name, name)), "x", "..."
    for call in site.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) in (site.text, site.callee):
            owner = ast.unparse(call.func.value)
            arguments = ", ".join([*map(ast.unparse, call.args), *map(ast.unparse, call.keywords)])
    return op and f"{op}({', '.join(part for part in (owner, arguments) if part)})"


def for_function(site: CallSite) -> Any:
    """The op that does what the called function does, or None."""
    name = site.callee or getattr(site.function, "__name__", "")
    op = op_of(name, package_of(site.function)) if site.function is not None else None
    return op and (f"{op}({site.arguments})" if site.callee else op)


def for_values(site: CallSite) -> Any:
    """What to write where Python or NumPy needs values."""
    name, arguments = site.callee or getattr(site.function, "__name__", ""), site.arguments or "x"
    if name.rpartition(".")[2] in ("numpy", "item", "tolist") and site.function is None:
        owner, _, method = name.rpartition(".")
        return f"{owner}  # the tensor as it is, without .{method}()"
    if package_of(site.function).startswith(("lamina", "jax")):
        return SIZES
    assignment = for_assignment(site, "keras.ops.convert_to_tensor({})")
    if isinstance(site.node, ast.Subscript):
        taken = f"keras.ops.take({ast.unparse(site.node.value)}, {ast.unparse(site.node.slice)}, axis=0)"
        return assignment or taken
    if name in ("float", "int"):
        return f'keras.ops.cast({arguments}, "{name}32")'
    if name == "range":
        return f"x = keras.ops.fori_loop(0, {arguments}, lambda i, x: step(x), x), where step(x) is the next x."
    return (
        for_function(site)
        or assignment
        or ("Compute it by functions of keras.ops, or before fit, outside of the model.")
    )


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
