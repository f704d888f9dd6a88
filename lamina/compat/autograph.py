"""Python's if, while, for, return, break, continue, and, or and not on tensors: the source is rewritten to functions.

`converted(f)` reads the source of f, turns each statement that may depend on a tensor into a call of
`lamina.compat.control`, and compiles it under the same file and line numbers, with the same globals and closure. What a
converted function calls is converted when it is called, if it is the user's own Python.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import os
import sysconfig
import textwrap
import types
import weakref
from typing import Any

import jax

from lamina.compat import control
from lamina.compat.rewriting import AG, Body
from lamina.errors import HERE

__all__ = ["callee", "converted", "source_of", "when_traced"]

_LIBRARIES = (HERE, *(sysconfig.get_paths()[key] + os.sep for key in ("stdlib", "purelib", "platlib")), "<")
_codes: dict[types.CodeType, Any] = {}
_functions: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def converted(function: Any) -> Any:
    """The function with its statements on tensors rewritten; the function itself where its source is not known."""
    if isinstance(function, types.MethodType):
        return types.MethodType(converted(function.__func__), function.__self__)
    if not isinstance(function, types.FunctionType) or hasattr(function, "as_written"):
        return function
    if function not in _functions:
        _functions[function] = _converted(function)
    return _functions[function]


def callee(function: Any) -> Any:
    """What a converted function calls in place of `function`."""
    if isinstance(function, type) or not callable(function):
        return control.BUILTINS.get(function, function) if isinstance(function, type) else function
    if isinstance(function, types.BuiltinFunctionType):
        return control.BUILTINS.get(function, function) if function.__module__ == "builtins" else function
    if isinstance(function, functools.partial):
        return functools.partial(callee(function.func), *function.args, **function.keywords)
    return converted(function) if _is_of_program(function) else function


def _is_of_program(function):
    """Whether it is a function or method that the program wrote, in Python."""
    plain = function.__func__ if isinstance(function, types.MethodType) else function
    return isinstance(plain, types.FunctionType) and not plain.__code__.co_filename.startswith(_LIBRARIES)


def when_traced(function: Any) -> Any:
    """A function that is rewritten while it is called with tensors whose numbers are not known."""
    if not _is_of_program(function):
        return function

    @functools.wraps(function)
    def run(*args, **kwargs):
        traced = any(map(control.is_traced, jax.tree_util.tree_leaves((args, kwargs))))
        return (converted(function) if traced else function)(*args, **kwargs)

    return run


def source_of(function: Any) -> str:
    """The rewritten source, `tf.autograph.to_code`."""
    return ast.unparse(_tree(function))


def _converted(function):
    code = function.__code__
    if code not in _codes:
        try:
            _codes[code] = _compiled(function)
        except (OSError, SyntaxError, TypeError, IndentationError):  # there is no source, or not that of a function
            _codes[code] = None
    if (compiled := _codes[code]) is None:
        return function
    cells: dict[str, types.CellType] = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    cells[AG] = types.CellType(control)
    closure = tuple(cells[name] for name in compiled.co_freevars)
    made = types.FunctionType(compiled, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__, made.__dict__ = function.__kwdefaults__, {**vars(function), "as_written": function}
    return made


def _tree(function):
    start = function.__code__.co_firstlineno - 1
    lines = inspect.getblock(linecache.getlines(function.__code__.co_filename)[start:])
    text = textwrap.dedent("".join(lines))
    tree = next(iter(ast.parse(text).body), None)
    if not isinstance(tree, ast.FunctionDef) or tree.name != function.__code__.co_name:
        raise SyntaxError  # such as a lambda in the line of a `def`
    if function.__code__.co_flags & inspect.CO_GENERATOR:
        raise SyntaxError
    ast.increment_lineno(tree, start)
    indent = len(lines[0].encode()) - len(text.partition("\n")[0].encode()) - lines[0].endswith("\n")
    for node in ast.walk(tree):  # where they are in the file, for messages
        if indent and isinstance(node, (ast.expr, ast.stmt)) and node.end_col_offset is not None:
            node.col_offset, node.end_col_offset = node.col_offset + indent, node.end_col_offset + indent
    tree.decorator_list = []
    parts = function.__qualname__.split(".")
    owner = parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else ""
    Body(tree, owner).rewrite()
    return tree


def _compiled(function):
    """The code of the rewritten function, whose free variables are those of the function and `ag__`."""
    tree, free = _tree(function), [*function.__code__.co_freevars, AG]
    outer = ast.parse(f"def outer({', '.join(free)}):\n pass").body[0]
    name, tree.name = tree.name, f"{AG}_function"  # in its body its own name may mean something of the module
    outer.body = [tree]  # pyright: ignore[reportAttributeAccessIssue]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    code = compile(module, function.__code__.co_filename, "exec", dont_inherit=True)
    outer_code = next(one for one in code.co_consts if isinstance(one, types.CodeType))
    made = next(one for one in outer_code.co_consts if isinstance(one, types.CodeType))
    return made.replace(co_name=name, co_qualname=function.__qualname__)
