"""The source of a function with its statements as calls of `lamina.compat.control`."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["AG", "Body"]

AG = "ag__"  # the name of `control` in what is compiled


class _Names(ast.NodeVisitor):
    """The names that statements assign, outside of functions in them."""

    def __init__(self):
        self.found, self.outer = {}, {}

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.found[node.id] = None

    def visit_FunctionDef(self, node: Any) -> Any:
        self.found[node.name] = None

    visit_ClassDef = visit_FunctionDef

    def visit_alias(self, node):
        self.found[(node.asname or node.name).partition(".")[0]] = None

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)

    def visit_Global(self, node: Any) -> Any:
        self.outer.update(dict.fromkeys(node.names, type(node)))

    visit_Nonlocal = visit_Global

    def _apart(self, node):
        """Not looked into: names in it are its own."""

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _apart


def _assigned(statements):
    names = _Names()
    for statement in statements:
        names.visit(statement)
    return names


def _has(statements, kinds, through_loops=True):
    """Whether statements have one of these kinds inside, outside of functions (and of loops) in them."""
    stop = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    stop = stop if through_loops else (*stop, ast.For, ast.While)
    stack = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, kinds):
            return True
        if not isinstance(node, stop):
            stack += ast.iter_child_nodes(node)
    return False


class Body(ast.NodeTransformer):
    """Rewrites one function."""

    def __init__(self, tree: Any, owner: Any) -> None:
        self.tree, self.owner = tree, owner
        self.count: int = 0
        self.undefined: dict[str, Any] = {}
        names = _assigned(tree.body)
        arguments = tree.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.parameters: set[str] = {one.arg for one in every if one is not None}
        self.outer: dict[str, Any] = names.outer
        self.first: str = next((one.arg for one in every if one is not None), "")

    def rewrite(self) -> None:
        body = self.tree.body
        if _has([one for one in body if not isinstance(one, ast.Return)], ast.Return):
            body = body if _returns(body) else [*body, *_at(body[-1], ast.Return(None))]
            body = [*_parse("do_return_ = False"), *_parse(f"retval_ = {AG}.Undefined('retval_')"),
                    *self._returning(body), *_parse("return retval_")]  # fmt: skip
        self.tree.body = self._block(body)
        self.tree.body[:0] = [
            one for name in self.undefined if name not in self.parameters and name not in self.outer
            for one in _parse(f"{name} = {AG}.Undefined({name!r})")
        ]  # fmt: skip

    def _block(self, statements):
        return [one for statement in statements for one in _as_list(self.visit(statement))]

    def _returning(self, statements):
        """Statements with `return` as an assignment, and what follows it under `if not do_return_`."""
        made = []
        for place, one in enumerate(statements):
            rest = statements[place + 1 :]
            if isinstance(one, ast.Return):
                value = one.value or ast.Constant(None)
                return [*made, *_at(one, _assign("retval_", value), *_parse("do_return_ = True"))]
            if not _has([one], ast.Return):
                made.append(one)
                continue
            for field in ("body", "orelse", "finalbody"):
                if part := getattr(one, field, None):
                    setattr(one, field, self._returning(part))
            for handler in getattr(one, "handlers", ()):
                handler.body = self._returning(handler.body)
            if isinstance(one, (ast.For, ast.While)):
                one.body.append(ast.If(_name("do_return_"), [ast.Break()], []))
                _at(one, one.body[-1])
            made.append(one)
            if rest:
                guard = ast.If(ast.UnaryOp(ast.Not(), _name("do_return_")), self._returning(rest), [])
                made += _at(rest[0], guard)
            return made
        return made

    def _jumping(self, statements, kind, flag):
        """Statements of a loop with `break` or `continue` as a flag, and what follows under `if not` the flag."""
        made = []
        for place, one in enumerate(statements):
            if isinstance(one, kind):
                return [*made, *_at(one, *_parse(f"{flag} = True"))]
            if not isinstance(one, (ast.For, ast.While)) and _has([one], kind, through_loops=False):
                for field in ("body", "orelse", "finalbody"):
                    if part := getattr(one, field, None):
                        setattr(one, field, self._jumping(part, kind, flag))
                made.append(one)
                if rest := statements[place + 1 :]:
                    guard = ast.If(ast.UnaryOp(ast.Not(), _name(flag)), self._jumping(rest, kind, flag), [])
                    made += _at(rest[0], guard)
                return made
            made.append(one)
        return made

    def visit_FunctionDef(self, node: Any) -> Any:
        if _has(node.body, (ast.Yield, ast.YieldFrom)):
            return node
        Body(node, self.owner).rewrite()
        return node

    def visit_ClassDef(self, node: Any) -> Any:
        return node

    visit_AsyncFunctionDef = visit_ClassDef

    def _state(self, *blocks):
        """(number of a statement, the names that its blocks assign), before the blocks are rewritten."""
        names = dict.fromkeys(name for block in blocks for name in _assigned(block).found)
        self.undefined.update(names)
        self.count += 1
        return self.count, list(names)

    def _function(self, name, names, body, argument=""):
        """`def name(argument): nonlocal names; body`."""
        made = _parse(f"def {name}({argument}): pass")[0]
        inner, outer = ([n for n in names if (self.outer.get(n) is ast.Global) is told] for told in (False, True))
        declared = _parse(f"nonlocal {', '.join(inner)}") if inner else []
        declared += _parse(f"global {', '.join(outer)}") if outer else []
        made.body = [*declared, *body] or [ast.Pass()]
        return made

    def _frame(self, number, names):
        """The functions that read and write the state, and the arguments that every statement takes."""
        values = f"({', '.join(names)},)" if names else "()"
        read = self._function(f"get_{number}_", [], _parse(f"return {values}"))
        write = self._function(f"set_{number}_", names, _parse(f"{values} = given_") if names else [], "given_")
        return read, write, f"get_{number}_, set_{number}_, {tuple(names)!r}"

    def visit_If(self, node: Any) -> Any:
        number, names = self._state(node.body, node.orelse)
        test, body, other = self.visit(node.test), self._block(node.body), self._block(node.orelse)
        read, write, frame = self._frame(number, names)
        call = _parse(f"{AG}.if_stmt(test_, body_{number}_, other_{number}_, {frame}, {node.lineno})")[0]
        call.value.args[0] = test
        functions = (
            self._function(f"body_{number}_", names, body), self._function(f"other_{number}_", names, other),
        )  # fmt: skip
        return _at(node, *functions, read, write, call)

    def _loop(self, node):
        """(body of a loop without jumps, statements before it, the flag of `break` or "")."""
        before, flag, body = [], "", node.body
        if _has(body, ast.Continue, through_loops=False):
            self.count += 1
            body = [*_at(node, *_parse(f"continue_{self.count}_ = False")),
                    *self._jumping(body, ast.Continue, f"continue_{self.count}_")]  # fmt: skip
        if _has(body, ast.Break, through_loops=False):
            self.count += 1
            flag = f"break_{self.count}_"
            self.undefined[flag] = None
            before, body = _parse(f"{flag} = False"), self._jumping(body, ast.Break, flag)
        return body, before, flag

    def _loop_else(self, node, flag):
        rest = [ast.If(ast.UnaryOp(ast.Not(), _name(flag)), node.orelse, [])] if flag and node.orelse else node.orelse
        return self._block(_at(node, *rest) if flag else rest)

    def visit_While(self, node: Any) -> Any:
        plain, before, flag = self._loop(node)
        number, names = self._state(plain)
        test = ast.BoolOp(ast.And(), [ast.UnaryOp(ast.Not(), _name(flag)), node.test]) if flag else node.test
        test, body = self.visit(*_at(node, test)), self._block(plain)
        read, write, frame = self._frame(number, names)
        call = _parse(f"{AG}.while_stmt(test_{number}_, body_{number}_, {frame}, {node.lineno})")
        functions = (
            self._function(f"test_{number}_", [], [ast.Return(test)]),
            self._function(f"body_{number}_", names, body),
        )
        return _at(node, *before, *functions, read, write, *call) + self._loop_else(node, flag)

    def visit_For(self, node: Any) -> Any:
        plain, before, flag = self._loop(node)
        assign = ast.Assign([node.target], _name("item_"))
        number, names = self._state([assign], plain)
        items, body = self._items(node.iter), [assign, *self._block(plain)]
        read, write, frame = self._frame(number, names)
        call = _parse(f"{AG}.for_stmt(items_, test_{number}_, body_{number}_, {frame}, {node.lineno})")
        call[0].value.args[0] = items  # pyright: ignore[reportAttributeAccessIssue]
        test = _parse(f"return {AG}.not_({flag})" if flag else "return True")
        functions = (
            self._function(f"test_{number}_", [], test), self._function(f"body_{number}_", names, body, "item_"),
        )  # fmt: skip
        return _at(node, *before, *functions, read, write, *call) + self._loop_else(node, flag)

    def _items(self, node):
        """`range(...)` and `tf.range(...)` of a loop do not make the numbers."""
        if isinstance(node, ast.Call) and not any(isinstance(one, ast.Starred) for one in node.args):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "range":
                call = _call("range_of", node.func, *map(self.visit, node.args))
                call.keywords = [ast.keyword(one.arg, self.visit(one.value)) for one in node.keywords]
                return call
        return self.visit(node)

    def visit_BoolOp(self, node: Any) -> Any:
        if _has([node], (ast.NamedExpr, ast.Await)):
            return node
        name, values = "and_" if isinstance(node.op, ast.And) else "or_", [self.visit(one) for one in node.values]
        return ast.copy_location(_call(name, *map(_lambda, values)), node)

    def visit_UnaryOp(self, node: Any) -> Any:
        self.generic_visit(node)
        return ast.copy_location(_call("not_", node.operand), node) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: Any) -> Any:
        if _has([node], (ast.NamedExpr, ast.Await)):
            return node
        self.generic_visit(node)
        branches = _lambda(node.body), _lambda(node.orelse)
        return ast.copy_location(_call("if_exp", node.test, *branches, ast.Constant(node.lineno)), node)

    def visit_Assert(self, node: Any) -> Any:
        self.generic_visit(node)
        message = _lambda(node.msg or ast.Constant(""))
        return ast.copy_location(ast.Expr(_call("assert_stmt", node.test, message)), node)

    def visit_Call(self, node: Any) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            node.args = [_name("__class__"), _name(self.first)]
        elif not (isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == AG):
            node.func = ast.copy_location(_call("callee", node.func), node.func)
        return node

    def visit_Attribute(self, node: Any) -> Any:
        self.generic_visit(node)
        if self.owner and node.attr.startswith("__") and not node.attr.endswith("__"):
            node.attr = f"_{self.owner.lstrip('_')}{node.attr}"
        return node


def _returns(statements):
    """Whether statements always end with `return` or `raise`."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.If):
        return _returns(last.body) and _returns(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise)) or (isinstance(last, ast.With) and _returns(last.body))


def _parse(text):
    return ast.parse(text).body


def _name(name):
    return ast.Name(name, ast.Load())


def _assign(name, value):
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _lambda(body):
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), body)


def _call(name, *args):
    return ast.Call(ast.Attribute(_name(AG), name, ast.Load()), list(args), [])


def _as_list(found):
    return found if isinstance(found, list) else [] if found is None else [found]


def _at(node, *made):
    """New statements, at the line of one that was there."""
    for one in made:
        for inner in ast.walk(one):
            if isinstance(inner, (ast.stmt, ast.expr)) and getattr(inner, "lineno", 0) < node.lineno:
                ast.copy_location(inner, node)
    return list(made)
