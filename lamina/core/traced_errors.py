"""Errors of JAX and Python in a user's `call`, loss, metric or `train_step`, told by the user's line and the op to use.

`explain` is called by `lamina.runtime.tracebacks.readable` for each error that leaves lamina.
"""

from __future__ import annotations

import functools
import importlib
import linecache
import os
import re
from typing import Any

import jax

from lamina.core import op_advice
from lamina.core.broadcast_fixes import for_broadcast
from lamina.core.call_sites import site_above, site_in
from lamina.core.probes import PROBE_SIZES
from lamina.errors import CallError, LaminaError, ShapeError, TracingError, is_internal, is_library

_NO_VALUES = "a tensor, which has no values while the model is being compiled"
_FIT_SHAPES = "print(x.shape) shows a shape; keras.ops.reshape, expand_dims, squeeze and transpose change it."
_SHAPE_WORDS = ("shape", "dimension", "size", "axis", "axes", "broadcast", "ndices", "label")
_PRODUCT = (
    "dot_general requires contracting dimensions to have the same shape, got",
    "the axes that are multiplied and summed must have the same size; got",
)
_KEEP = "Return it, or keep its value in a weight: self.add_weight(...) in build, then .assign(x)."
_TAKES_NO_VARIABLES = "Triggering __jax_array__() during abstractification"
Errors = jax.errors


def explain(error: BaseException) -> BaseException | None:
    """The error that says what to do about one that a tensor caused in the user's program; None for other errors.

    Args:
        error: An error that was caught.
    """
    if isinstance(error, TypeError) and _text(error).startswith("grad requires real"):
        message = "A weight of integers is trained, which has no gradient."
        return CallError(message, fix="self.add_weight(..., trainable=False), or without dtype.")
    if isinstance(error, LaminaError) or not isinstance(error, Exception) or not _is_about_tensors(error):
        return None
    if isinstance(error, Errors.UnexpectedTracerError) and (found := _of_jitted(error)):
        return found
    site = site_in(error.__traceback__)
    if site is None:  # the line may call an op, or use an operator of a symbolic tensor
        site = site_above(through=("lamina.runtime", "lamina.core", "lamina.ops", "lamina.random"))
    if site is None:
        return _of_kept_tensor(error) or _of_another_library(error)
    base, message, fix = _explanation(error, site, _text(error))
    return _class(base, type(error))(message, fix=fix)


_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CREATED = re.compile(r"was created on line (.+):(\d+):\d+ \((.+)\)")
_KEEPS = re.compile(r"(self\.\w+)(?: \+=| = \1 \+) (.+)")


def _of_kept_tensor(error):
    """The error for a tensor that a call kept in an attribute or a list, by the line of the user that made it; or
    None."""
    found = _CREATED.search(_text(error)) if isinstance(error, Errors.UnexpectedTracerError) else None
    if found is None:
        return None
    file, number, function = found.groups()
    line = linecache.getline(file, int(number)).strip()
    kept = _KEEPS.fullmatch(re.sub(r"def .*?\): ", "", line))
    fix = f"{kept[1]}.assign({kept[1]} + {kept[2]})  # {kept[1]} is a weight: {_made(kept[1])}" if kept else _KEEP
    fix = fix.replace("in build", "in __init__") if "update_state" in function else fix
    if os.path.abspath(file).startswith((_OURS, os.path.dirname(jax.__file__))):  # made by an op, kept by the program
        message = f"A tensor that {function} of an earlier step made was kept, and has no value after that step."
        return TracingError(message, fix=_KEEP)
    place = f"{function}, line {number} of {os.path.basename(file)}"
    return TracingError(f"`{line}` ({place}) keeps a tensor that has no value after the call.", fix=fix)


_TRACED = re.compile(r"value leaked was (\S+) at (.+):(\d+) traced for (\w+)")


def _of_jitted(error):
    """The error for a tensor of a function under `jax.jit` of the user, kept by a variable; None for others."""
    found = _TRACED.search(_text(error))
    if found is None or os.path.abspath(found[2]).startswith((_OURS, os.path.dirname(jax.__file__))):
        return None
    name, kind = found[1].rpartition(".")[2], found[4]
    message = (
        f"A tensor of {found[1]} (line {found[3]} of {os.path.basename(found[2])}) was kept by a variable or an "
        f"attribute, and has no value after the call: jax.{kind} compiles {name}, which can only return values."
    )
    created = _CREATED.search(_text(error))
    if created is not None and os.path.abspath(created[1]).startswith(_OURS):  # a layer's moving averages
        fix = f"In {name}: outputs, new = layer.stateless_call(trainable, non_trainable, x); return both."
        return TracingError(message, fix=fix)
    return TracingError(message, fix=f"new = {name}(x); variable.assign(new)  # outside of {name}, which returns it")


def _made(attribute):
    """Code that makes the weight of an attribute, which counts or sums."""
    return f"{attribute} = self.add_weight(shape=(), initializer='zeros'), in __init__"


def _of_another_library(error):
    """The error for a function of another library, such as scikit-learn, that is a loss or metric; or None."""
    traceback: Any = error.__traceback__
    while traceback is not None and is_internal(traceback.tb_frame):
        traceback = traceback.tb_next
    module = str(traceback and traceback.tb_frame.f_globals.get("__name__")).partition(".")[0]
    entries = []
    while traceback is not None and not is_internal(traceback.tb_frame):
        entries.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    name = next((one for one in entries if one not in ("wrapper", "inner", "<lambda>")), "")
    if not name or module in ("None", "jax"):
        return None
    if name in importlib.import_module("lamina.losses").__all__:  # the loss or a metric of this name
        return TracingError(f"{name} of {module} needs the values of {_NO_VALUES}.", fix=f"loss={name!r}")
    metric = op_advice.metric_of(name, strict=False)
    fix = metric or f"After fit: {name}(y, model.predict(x)), with NumPy arrays."
    return TracingError(f"{name} of {module} needs the values of {_NO_VALUES}.", fix=fix)


@functools.cache
def _class(base, kind):
    """`base`, which programs that catch `kind` catch as well."""
    if issubclass(base, kind) or issubclass(kind, AttributeError):  # Python adds suggestions of its own to these
        return base
    members = {"__module__": base.__module__, "__doc__": base.__doc__, "__reduce__": _reduce}
    return type(base.__name__, (base, kind), members)


def _reduce(error):
    return CallError, (error.message, error.fix)


def _text(error):
    return str(error.args[0]) if error.args else ""


def _is_about_tensors(error):
    text = _text(error)
    if type(error).__module__.startswith("jax") or "Tracer" in text:
        return True
    if text.startswith(("JAX ", "The truth value of an array", _TAKES_NO_VARIABLES)):
        return True
    if isinstance(error, AttributeError):
        return text == "__delitem__" or isinstance(getattr(error, "obj", None), jax.Array)
    if not isinstance(error, (TypeError, ValueError, IndexError, NotImplementedError)):
        return False
    if "values to unpack (expected" in text:
        site = site_in(error.__traceback__)
        steps = ("train_step", "test_step", "predict_step")
        return site is not None and (site.frame.f_code.co_name in steps or bool(op_advice.for_shape_names(site)))
    if isinstance(error, TypeError) and op_advice.METHOD_REFUSED.match(text):
        site = site_in(error.__traceback__)
        return site is not None and bool(op_advice.for_method(site, error))
    if error.__cause__ is not None and _is_about_tensors(error.__cause__):
        return True
    traceback, inside = error.__traceback__, False
    while traceback is not None:  # whether JAX was called by the last line of the user's program
        name = str(traceback.tb_frame.f_globals.get("__name__"))
        own = not is_internal(traceback.tb_frame) and not is_library(traceback.tb_frame)
        inside = not own and (inside or name.startswith("jax."))
        traceback = traceback.tb_next
    return inside


def _explanation(error, site, text):
    """(class, message, fix) of an error at a place of the user's program."""
    shown, words = site.described, text.partition("\n")[0].rstrip(".")
    values = (Errors.ConcretizationTypeError, Errors.TracerArrayConversionError, Errors.TracerIntegerConversionError)
    if all(str(size) in text for size in PROBE_SIZES) or isinstance(error, Errors.UnexpectedTracerError):
        return (
            TracingError,
            f"{shown} uses a tensor that an earlier run of the function has kept.",
            _KEEP,
        )
    if isinstance(error, Errors.TracerBoolConversionError) or text.startswith("The truth value of an array"):
        return TracingError, f"{shown} decides by {_NO_VALUES}.", op_advice.for_condition(site)
    if isinstance(error, Errors.NonConcreteBooleanIndexError):
        return TracingError, f"{shown} takes a part whose size depends on {_NO_VALUES}.", op_advice.for_mask(site)
    if text.startswith(_TAKES_NO_VARIABLES):
        fix = "values = [variable.value for variable in model.trainable_variables]"
        return CallError, f"{shown}: functions of JAX take the values of variables; got variables.", fix
    if text.startswith("JAX arrays are immutable") or text == "__delitem__":
        fix = op_advice.for_assignment(site) or "x = keras.ops.slice_update(x, start_indices, updates)"
        return TracingError, f"{shown} changes a tensor in place, which tensors do not allow.", fix
    if "values to unpack (expected" in text and (names := op_advice.for_shape_names(site)):
        return ShapeError, f"{shown}: {words}.", names
    if "values to unpack (expected" in text:
        return CallError, f"{shown}: {words}. A batch is x, (x, y) or (x, y, sample_weight).", op_advice.for_batch(site)
    if fix := op_advice.for_method(site, error):
        return TracingError, f"{shown}: {words}.", fix
    if isinstance(error, AttributeError):
        name = error.name or words.rpartition(" ")[2]
        return TracingError, f"{shown}: a tensor has no attribute {name!r}.", op_advice.for_attribute(site, name)
    if text.startswith("Shapes must be") or re.search("[Ss]lice (entries|indices) must (be|have) static", text):
        return TracingError, f"{shown}: a size depends on {_NO_VALUES}.", op_advice.SIZES
    if isinstance(error, values) or isinstance(error.__cause__, values):
        return TracingError, f"{shown} needs the values of {_NO_VALUES}.", op_advice.for_values(site)
    if "Only integer scalar arrays" in text:
        return TracingError, f"{shown} needs the value of {_NO_VALUES}.", op_advice.for_values(site)
    if "Tracer" in text:
        words = re.sub(r"\w*Tracer\b", "a tensor", words)
        fix = "print(x), without a format, shows the shape." if "format" in words else op_advice.for_function(site)
        return TracingError, f"{shown}: {words}.", fix
    return _of_call(site, shown, words.replace(*_PRODUCT))


def _of_call(site, shown, words):
    """(class, message, fix) of an error that a function of JAX raised, by its own words."""
    shapes = site.shapes()
    if "nly scalar arrays" in words and site.callee in ("float", "int", "complex"):
        fix = f"{site.callee}(keras.ops.squeeze({site.arguments}))"
        return CallError, f"{shown}: only a tensor without axes is one number of Python.", fix
    message = f"{shown}: {words[:1].lower() if words[1:2].islower() else words[:1]}{words[1:]}."
    if not any(word in words for word in _SHAPE_WORDS):
        return CallError, message, op_advice.for_function(site)
    fix = for_broadcast(site, words) if "for broadcasting" in words else None
    return ShapeError, f"{message} {shapes}." if shapes else message, fix or _FIT_SHAPES
