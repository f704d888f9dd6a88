"""tf.function: the body of a function as one program of JAX, with the variables that it reads and writes as state."""

from __future__ import annotations

import copy
import functools
import inspect
import os
import traceback
import types
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.compat import autograph
from lamina.compat.branches import Undefined
from lamina.compat.concrete import (
    ConcreteFunction,
    Same,
    SignatureError,
    described,
    fitting,
    is_variable,
    kind_of,
    results_of,
    spec_of,
)
from lamina.compat.lifting import VARIABLES_MADE, NeedsEager, VariablesFirst, inside, tracing
from lamina.compat.reachable import reachable
from lamina.core import context
from lamina.core.arguments import shown
from lamina.core.keras_tensor import is_symbolic
from lamina.core.recording import NEEDS_VALUES, NeedsTape, recorded, recording
from lamina.core.slots import Slots
from lamina.core.tape import FunctionTape
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, is_internal, warn
from lamina.training.data.elements import Composite, TensorSpec

__all__ = ["AUTOGRAPH", "CONFIG", "FUNCTIONS", "Function", "function"]

CANNOT_BE_ONE_PROGRAM = (NeedsEager, *NEEDS_VALUES)
NEEDS_NUMBERS = ("Reverse-mode differentiation", "must be static integers", "sequences of concrete values")  # JAX says
_settings = {"eagerly": False}


class Function:
    """`tf.function(f)`: f, compiled once for each kind of arguments."""

    def __init__(
        self, python_function: Any, input_signature: Any = None, autograph: bool = True, jit_compile: Any = None
    ) -> None:
        self.python_function, self.input_signature = python_function, input_signature
        self._autograph, self._jit_compile = autograph, jit_compile
        self._traces: dict[Any, Any] = {}
        self._bound: weakref.WeakKeyDictionary[Any, Function] = weakref.WeakKeyDictionary()
        self._was_called = self._warned = self._tape = False
        self.__name__ = type(python_function).__name__  # of an object that is called
        functools.update_wrapper(self, python_function, updated=())

    @functools.cached_property
    def _body(self):
        body = self.python_function
        return autograph.converted(body) if self._autograph and not isinstance(body, type) else body

    @functools.cached_property
    def _signature(self):
        return inspect.signature(self.python_function)

    def __deepcopy__(self, memo: Any) -> Function:
        body = copy.deepcopy(self.python_function, memo)
        return Function(body, self.input_signature, self._autograph, self._jit_compile)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        try:
            known = self._bound.get(owner)
        except TypeError:  # it cannot be hashed or weakly kept
            return types.MethodType(self, owner)
        if known is None:
            method = types.MethodType(self.python_function, owner)
            known = Function(method, self.input_signature, self._autograph, self._jit_compile)
            self._bound[owner] = known
        return known

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if inside() or _settings["eagerly"] or context.is_bound():
            return (self.python_function if _settings["eagerly"] else self._body)(*args, **kwargs)
        args, kwargs = self._standard(args, kwargs)
        leaves, structure = jax.tree_util.tree_flatten((args, kwargs), is_leaf=is_variable)
        kinds: list[Any] = [structure]
        arrays, has_texts = [], False
        for place, leaf in enumerate(leaves):
            kind = type(leaf)
            if isinstance(leaf, (np.ndarray, np.generic)):
                is_text = leaf.dtype.kind in "OUS"
                has_texts, leaf = has_texts or is_text, spec_of(leaf) if is_text else jnp.asarray(leaf)
                leaves[place] = leaf
            if isinstance(leaf, jax.Array):
                if isinstance(leaf, Tracer):
                    return self._body(*args, **kwargs)
                arrays.append(leaf)
                kinds.append((leaf.shape, leaf.dtype))
            else:
                kinds.append((kind, leaf) if isinstance(leaf, (int, float, str, bytes, bool)) else kind_of(leaf))
        trace = self._traces.get(key := tuple(kinds))
        if trace is None and has_texts:
            trace = self._traces[key] = EAGER  # each text would be another program
        elif trace is None:
            if is_symbolic(leaves):
                return self._body(*args, **kwargs)
            try:
                trace = self._traces[key] = self._traced(structure, leaves)
            except VariablesFirst:
                return self._body(*args, **kwargs)
        return trace.run(arrays) if trace is not EAGER else self._body(*args, **kwargs)

    def _standard(self, args, kwargs):
        """The arguments by position, as far as they can be; tensors of the dtypes of the input signature."""
        if kwargs:
            bound = self._signature.bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        if self.input_signature is None:
            return args, kwargs
        if len(args) < len(self.input_signature):
            bound = self._signature.bind_partial(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        if len(args) != len(self.input_signature):
            raise SignatureError(
                f"{self.__name__} takes {len(self.input_signature)} arguments by its input_signature; got {len(args)}.",
                fix="input_signature=[...] with a tf.TensorSpec for each argument",
            )
        return tuple(fitting(spec, arg) for spec, arg in zip(self.input_signature, args, strict=True)), kwargs

    def _traced(self, structure, leaves):
        had_calls, self._was_called = self._was_called, True
        refs = reachable(self.python_function, leaves)
        for _ in range(8):
            start = len(VARIABLES_MADE)
            slots = Slots()
            slots.unknown = {}
            trace = _Trace(self, structure, leaves, refs, slots)
            try:
                trace.make()
            except CANNOT_BE_ONE_PROGRAM as error:
                return self._given_up(error)
            except NeedsTape:
                self._tape = True
                continue
            except (ValueError, IndexError, TypeError) as error:
                if any(part in str(error) for part in NEEDS_NUMBERS):
                    return self._given_up(error)
                raise
            if had_calls and len(VARIABLES_MADE) > start:
                raise SignatureError(
                    f"{self.__name__} makes a variable at a later call; variables of a tf.function are made once.",
                    fix="Make the tf.Variable outside of the function, or only `if self.v is None`.",
                )
            if not slots.unknown:
                return trace
            had_calls, refs = True, [*refs, *slots.unknown]
        return self._given_up(NeedsEager("it makes new variables in every call"))

    def _given_up(self, error):
        if self._jit_compile:
            raise error
        if not self._warned:
            self._warned = True
            reason = str(error).split("\n")[0]
            warn(f"{self.__name__} runs op by op, not as one compiled program: {_line_of(error)}{reason}", once=True)
        return EAGER

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Any:
        """The function for one kind of arguments, given as tensors or TensorSpecs."""
        given = args or kwargs or not self.input_signature
        return ConcreteFunction(self, args if given else tuple(self.input_signature), kwargs)

    def experimental_get_tracing_count(self) -> int:
        """How many kinds of arguments there were."""
        return len(self._traces)

    def pretty_printed_concrete_signatures(self) -> str:
        """The kinds of arguments there were, one a line."""
        shown = []
        for (structure, *kinds), trace in self._traces.items():
            args, kwargs = structure.unflatten(map(spec_of, (kind.value if isinstance(kind, Same) else kind[1]
                if isinstance(kind[0], type) else TensorSpec(*kind) for kind in kinds)))  # fmt: skip
            captures = getattr(trace, "variables", ())
            shown += described(self._signature, args, kwargs, results_of(trace), captures), ""
        return "\n".join(shown)

    def experimental_get_compiler_ir(self, *args: Any, **kwargs: Any) -> Any:
        """A function whose result is the program as text."""
        return lambda stage="hlo": jax.jit(lambda *arrays: unwrap(self._body(*arrays, **kwargs))).lower(*args).as_text()


EAGER: Any = object()


class _Trace:
    """The program of a function for one kind of arguments."""

    def __init__(self, owner, structure, leaves, refs, slots):
        self.owner, self.structure, self.leaves, self.slots = owner, structure, list(leaves), slots
        self.places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
        self.refs, self.has_checks, self.failures = refs, False, []

    def make(self):
        starts, self.plain = [], {}
        for ref in self.refs:
            value = ref.read()
            if all(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(value)):
                starts.append((ref, value))
            else:
                self.plain[ref] = value
        flat, state = jax.tree_util.tree_flatten([value for _, value in starts])
        refs, count = [ref for ref, _ in starts], len(flat)
        arrays = [self.leaves[place] for place in self.places]
        closed = jax.make_jaxpr(lambda *given: self._pure(refs, state, given[:count], given[count:]))(*flat, *arrays)
        self.program = closed
        used = {id(var) for equation in closed.jaxpr.eqns for var in equation.invars}
        used |= {id(var) for var in closed.jaxpr.outvars}
        keep = [place for place, var in enumerate(closed.jaxpr.invars[:count]) if id(var) in used]
        owners = [ref for ref, child in zip(refs, state.children(), strict=True) for _ in range(child.num_leaves)]
        self.read = _reader(owners, keep)
        self.variables = [ref for ref in (owners[place] for place in keep) if isinstance(ref, Variable)]
        from jax.extend.core import jaxpr_as_fun  # pyright: ignore[reportPrivateImportUsage]

        program = jaxpr_as_fun(closed)
        blank: list[Any] = [None] * count

        def run(values, arrays):
            given = list(blank)
            for place, value in zip(keep, values, strict=True):
                given[place] = value
            for place in set(range(count)) - set(keep):
                given[place] = jnp.zeros(flat_shapes[place].shape, flat_shapes[place].dtype)
            return [jnp.asarray(result) for result in program(*given, *arrays)]  # constants come as arrays of NumPy

        flat_shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in flat]
        self._plain_run, self._run = run, jax.jit(run)
        self.leaves = []

    def _pure(self, refs, state, values, arrays):
        leaves = list(self.leaves)
        for place, array in zip(self.places, arrays, strict=True):
            leaves[place] = array
        args, kwargs = self.structure.unflatten(leaves)
        slots = self.slots
        dict.update(slots, {**self.plain, **dict(zip(refs, state.unflatten(values), strict=True))})
        before = dict(slots)
        tapes = [FunctionTape()] if self.owner._tape else []
        with context.set_within(tracing, self), context.recording_on(*tapes), context.with_slots(slots):
            outputs = self.owner._body(*args, **kwargs)
            outputs = jax.tree_util.tree_map(_result, outputs, is_leaf=is_variable)
        self.written = [ref for ref, value in slots.items() if value is not before.get(ref)]
        flat, structure = jax.tree_util.tree_flatten((outputs, [slots[ref] for ref in self.written]))
        self.outputs = structure, [None if isinstance(leaf, jax.Array) else (leaf,) for leaf in flat]
        return [leaf for leaf in flat if isinstance(leaf, jax.Array)]

    def run(self, arrays):
        values = self.read()
        on_tape = recording()
        for tape in context.open_tapes.get() if on_tape else ():
            for variable in self.variables:
                tape.reads(variable)
        found = recorded(self._plain_run, (values, arrays), {}, key=self) if on_tape else self._run(values, arrays)
        if self.has_checks:
            jax.effects_barrier()
            if self.failures:
                raise self.failures.pop()
        structure, statics = self.outputs
        found = iter(found)
        outputs, new = structure.unflatten([next(found) if static is None else static[0] for static in statics])
        for ref, value in zip(self.written, new, strict=True):
            ref.write(value)
        return outputs


def _reader(owners, keep):
    """A function that reads the values that a program uses. Others may have another structure than while it was traced,
    such as the losses of layers."""
    first = {id(ref): place for place, ref in reversed([*enumerate(owners)])}
    chosen = [(owners[place], place - first[id(owners[place])]) for place in keep]
    return lambda: [value if isinstance(value := ref.read(), jax.Array) else jax.tree_util.tree_leaves(value)[place]
                    for ref, place in chosen]  # fmt: skip


def _result(leaf):
    leaf = unwrap(leaf)
    if isinstance(leaf, Composite):
        raise NeedsEager("it returns a ragged or sparse tensor")
    if isinstance(leaf, Undefined):
        return None if leaf.name == "retval_" and not leaf.why else leaf._use()
    return jnp.asarray(leaf) if isinstance(leaf, (bool, int, float, np.ndarray, np.generic)) and getattr(
        leaf, "dtype", np.dtype(int)).kind not in "OUS" else leaf  # fmt: skip


def _line_of(error):
    """`file, line 3: ` of the innermost line of the user in a traceback."""
    frames = [frame for frame in traceback.walk_tb(error.__traceback__) if not is_internal(frame[0])]
    if not frames:
        return ""
    frame, line = frames[-1]
    return f"{os.path.basename(frame.f_code.co_filename)}, line {line}: "


def function(
    func: Any = None, input_signature: Any = None, autograph: bool = True, jit_compile: Any = None,
    reduce_retracing: bool = False, experimental_implements: Any = None, experimental_autograph_options: Any = None,
    experimental_attributes: Any = None, experimental_relax_shapes: Any = None, experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None,
) -> Any:  # fmt: skip
    """`tf.function(f)`, also as a decorator with settings."""
    settings = input_signature, autograph, experimental_compile if jit_compile is None else jit_compile
    if func is None:
        return lambda decorated: Function(decorated, *settings)
    if not callable(func):
        raise CallError(f"tf.function takes a function; got {shown(func)}.", fix="@tf.function above `def f(x):`")
    return Function(func.python_function if isinstance(func, Function) else func, *settings)


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Let tf.functions run as plain Python, to look into them."""
    _settings["eagerly"] = bool(run_eagerly)


FUNCTIONS: dict[str, Any] = {
    "function": function, "inside_function": inside, "executing_eagerly": lambda: not inside(),
}  # fmt: skip
"""Names of `tensorflow`."""
CONFIG: dict[str, Any] = {
    "experimental_run_functions_eagerly": run_functions_eagerly, "run_functions_eagerly": run_functions_eagerly,
    "functions_run_eagerly": lambda: _settings["eagerly"],
}  # fmt: skip
"""Names of `tensorflow.config`."""
AUTOGRAPH: dict[str, Any] = {
    "set_verbosity": lambda *_, **__: None, "trace": print,
    "to_graph": lambda entity, recursive=True, **_: autograph.converted(entity),
    "to_code": lambda entity, recursive=True, **_: autograph.source_of(getattr(entity, "python_function", entity)),
}  # fmt: skip
"""Names of `tensorflow.autograph`."""
