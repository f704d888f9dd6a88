"""What a runtime computes from a file, beside `predict`: on random inputs and on given ones."""

from __future__ import annotations

import contextlib
import functools
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from lamina.errors import ConfigError
from lamina.export.report import HALF_TOLERANCE, ExportReport, Written

__all__ = ["compare", "computing_in_32_bits", "in_16_bits", "states_of"]

SIZES = (8, 16, 64, 256)  # tried in turn for open sizes other than that of the batch, as multiples of what they need
SECONDS = 0.1  # for the latency


def compare(model: Any, written: Written, given: Any, report: ExportReport) -> None:
    """Run what was written and put the results into the report.

    Args:
        model: Model.
        written: What was written.
        given: Further inputs for the comparison with `predict`; None means only random ones.
        report: Where the results go.

    Raises:
        ConfigError: The results differ from those of `predict`.
    """
    if written.load is None or written.avals is None:
        return
    try:
        run = _named(written, written.load)()
    except ImportError as error:
        report.checks.append(f"not run: {error}")
        return
    report.runtime = written.runtime
    predict = functools.partial(_predicted, model, written.in_32_bits and in_16_bits(model))
    cases = [
        ("random inputs", _fitting(predict, model, written.avals))
        if written.samples is None
        else ("representative inputs", _taken(predict, model, written.samples)),
        ("the given inputs", _given(predict, written.avals, given)),
    ]
    cases = [(name, *case) for name, case in cases if case is not None]
    if not cases:
        report.checks.append("not compared with predict: no inputs were found that it takes; verify=x gives them")
        return
    for name, inputs, wanted in cases:
        worst = _worst(_named(written, run)(inputs), wanted)
        _check_equal(model, worst, written, name)
        report.difference = max(worst, report.difference or 0.0)
        report.checks.append(f"differs from predict by {worst:.0e} of the largest output ({written.runtime}, {name})")
    is_open = [[str(size) for size in aval.shape[:1]] == ["batch"] for aval in written.avals]
    inputs = [array[:1] if by_batch else array for array, by_batch in zip(cases[-1][1], is_open, strict=True)]
    report.latency = seconds = _latency(run, inputs)
    report.checks.append(f"{'one sample' if all(is_open) else 'a batch'} takes {seconds * 1e3:.2f} ms")


def _named(written, function):
    """A function of the runtime whose errors name it."""

    def call(*args):
        try:
            return function(*args)
        except ImportError:
            raise
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"{written.runtime} does not run the program, so nothing was written: {first}",
                fix="verify=False writes it all the same; please report the model.",
            ) from error

    return call


def in_16_bits(model: Any) -> bool:
    """Whether a layer of a model computes in 16 bits.

    Args:
        model: Model.
    """
    return any("16" in str(layer.compute_dtype) for layer in model._flatten_layers())


@contextlib.contextmanager
def computing_in_32_bits(model: Any) -> Iterator[None]:
    """Inside the block calls of a model compute in float32, whatever the policies of its layers are; `predict`, which
    is compiled already, does not.

    Args:
        model: Model.
    """
    before = [(layer, layer.dtype_policy) for layer in model._flatten_layers()]
    try:
        for layer, _ in before:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in before:
            layer.dtype_policy = policy


def _check_equal(model, worst, written, name):
    tolerance = written.tolerance
    if tolerance is None:
        return
    halves = in_16_bits(model) and not written.in_32_bits
    if not worst <= (max(HALF_TOLERANCE, tolerance) if halves else tolerance):
        raise ConfigError(
            f"The exported program differs from predict by {worst:.1e} of the largest output on {name}, so nothing was "
            "written.",
            fix="verify=False writes it all the same; please report the model.",
        )


def _latency(run, inputs):
    run(inputs)
    times, end = [], time.perf_counter() + SECONDS
    while not times or (time.perf_counter() < end and len(times) < 50):
        start = time.perf_counter()
        run(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _taken(predict, model, inputs):
    structure = jax.tree_util.tree_structure(model._symbolic_inputs())
    return inputs, predict(jax.tree_util.tree_unflatten(structure, inputs))


def _fitting(predict, model, avals):
    """(random inputs for two samples that `predict` takes, what it gives for them), or None."""
    for size in SIZES:
        generator = np.random.default_rng(0)
        inputs = [_random(generator, aval, size) for aval in avals]
        try:
            return _taken(predict, model, inputs)
        except (TypeError, ValueError):  # ConfigError and ShapeError are ValueErrors
            continue
    return None


def _given(predict, avals, given):
    if given is None:
        return None
    arrays = jax.tree_util.tree_leaves(given)
    if len(arrays) != len(avals):
        raise ConfigError(
            f"verify takes the inputs of the model, {len(avals)} of them; got {len(arrays)}.",
            fix="verify=x_test[:8]",
        )
    shapes = [np.shape(array) for array in arrays]
    if not all(map(_fits, shapes, avals)):
        count = next((size for aval in avals for size in aval.shape[:1] if isinstance(size, int)), 8)
        raise ConfigError(
            f"verify takes the inputs of the model, of {[aval.shape for aval in avals]}; got {shapes}.",
            fix=f"verify=x_test[:{count}]",
        )
    inputs = [np.asarray(array).astype(aval.dtype) for array, aval in zip(arrays, avals, strict=True)]
    return inputs, predict([given] if not isinstance(given, (list, tuple)) else given)


def _fits(shape, aval):
    """Whether inputs of a shape are those of a program; sizes other than that of the batch `predict` looks at."""
    return len(shape) == len(aval.shape) and all(
        not isinstance(n, int) or n == m for n, m in zip(aval.shape, shape, strict=True)
    )


def states_of(model: Any) -> list[Any]:
    """The variables that `predict` changes: those of layers that are stateful.

    Args:
        model: Model.
    """
    layers = [layer for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
    return list({id(variable): variable for layer in layers for variable in layer.non_trainable_variables}.values())


def _predicted(model, wide, arguments):
    """What `predict` gives; variables that a call assigns to stay what they are in the file."""
    states = model.non_trainable_variables
    before = [np.array(variable) for variable in states]
    arguments = arguments[0] if len(arguments) == 1 else arguments
    if wide:
        with computing_in_32_bits(model):
            results = model(arguments, training=False)
    else:
        results = model.predict(arguments, verbose=0)
    for variable, value in zip(states, before, strict=True):
        variable.assign(value)
    return jax.tree_util.tree_leaves(results)


def _random(generator, aval, size):
    shape = [2 if str(n) == "batch" else n if isinstance(n, int) else _factor(n) * size for n in aval.shape]
    if aval.dtype.kind == "O":
        return generator.choice(np.array(aval.words, object), shape)
    if aval.dtype.kind == "f" or str(aval.dtype) == "bfloat16":
        return generator.random(shape).astype(aval.dtype)
    return generator.integers(0, 2, shape).astype(aval.dtype)


def _factor(size):
    factor, _, _ = str(size).rpartition("*")
    return int(factor or 1)


def _worst(results: Sequence[Any], wanted: Sequence[Any]) -> float:
    return max((_difference(np.asarray(a), b) for a, b in zip(results, wanted, strict=True)), default=0.0)


def _difference(result, wanted):
    if result.shape != wanted.shape:
        return float("inf")
    result, wanted = np.asarray(result, np.float64), np.asarray(wanted, np.float64)
    both = np.isfinite(result) & np.isfinite(wanted)
    if not np.array_equal(result[~both], wanted[~both], equal_nan=True):
        return float("inf")
    return float(np.abs(result[both] - wanted[both]).max(initial=0) / max(np.abs(wanted[both]).max(initial=0), 1e-30))
