"""What a training step holds, computes and exchanges, from the program that XLA compiles for it. Nothing is run."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context, tree
from lamina.core.dtypes import numpy_dtype
from lamina.core.placement import sharding_of
from lamina.errors import CallError
from lamina.facts.cost import count
from lamina.facts.words import memory
from lamina.rematerialization import RematScope
from lamina.training.executor import Runner
from lamina.training.sharding import ShardedExecution
from lamina.training.state import peek

__all__ = ["StepCosts", "step_costs"]

_GROUPS = ("trainable", "others", "optimizer", "metrics")
_SIZES = {"pred": 1, "bf16": 2, "f8": 1}


@dataclasses.dataclass
class StepCosts:
    """The costs of one training step; bytes are those of the fullest device.

    Attributes:
        devices: Number of devices.
        batch_size: Samples of a step, over all devices.
        weights: Bytes of the variables of the model.
        gradients: Bytes of the gradients.
        slots: Bytes of what the optimizer keeps.
        activations: Bytes that the forward pass stores for the backward pass, as if batches alone were split.
        temporaries: Bytes that the compiled program needs beside its arguments and results, activations and gradients
            among them.
        total: Bytes of the compiled step: arguments, results that take no argument's place, temporaries, code.
        flops: Operations of a step, over all devices.
        exchanged: Kind of exchange ("all-reduce") -> (how often in a step, bytes that a device hands in).
        rematerialized: (activations, flops) if layers computed what is inside them again; None where nothing would
            change.
    """

    devices: int
    batch_size: int
    weights: int
    gradients: int
    slots: int
    activations: int
    temporaries: int
    total: int
    flops: int
    exchanged: dict[str, tuple[int, int]]
    rematerialized: tuple[int, int] | None

    def __str__(self) -> str:
        each = "a device" if self.devices > 1 else "in all"
        lines = [
            f"A training step on {self.batch_size:,} samples, on {self.devices:,} device{'s' * (self.devices > 1)}"
        ]
        rows = [
            (name, memory(getattr(self, name)))
            for name in ("weights", "gradients", "slots", "activations", "temporaries", "total")
        ]
        rows += [("FLOPs", f"{self.flops:,}")]
        lines += [f"  {name:<12} {value:>12}" + (f"  {each}" if name == "weights" else "") for name, value in rows]
        lines += [
            f"  {kind:<18} {times:,} times, {memory(size)} a device" for kind, (times, size) in self.exchanged.items()
        ]
        return "\n".join(lines)


def step_costs(model: Any, batch_size: int = 32, distribution: Any = None, rematerialize: bool = True) -> StepCosts:
    """The costs of a training step of a compiled model, with values or in `keras.abstract()`.

    Args:
        model: Model whose inputs have shapes, compiled.
        batch_size: Samples of a step.
        distribution: Distribution over whose devices the step is compiled; None means the current one.
        rematerialize: Whether to count what rematerialization would change as well.

    Raises:
        CallError: The model is not compiled, or the shapes of its inputs are not known.
    """
    distribution = context.distribution() if distribution is None else distribution
    batch = _batch(model, batch_size)
    runner = Runner(model)
    runner.build(batch)
    runner.groups = {
        "trainable": model.trainable_variables, "others": model.non_trainable_variables,
        "optimizer": model.optimizer.variables, "metrics": model.metrics_variables,
    }  # fmt: skip
    with _laid_out(runner, distribution):
        sizes = {name: sum(map(_bytes, runner.groups[name])) for name in _GROUPS}
        traced, compiled = _compiled(runner, batch)
    held: Any = compiled.memory_analysis()
    replicas = 1 if distribution is None else distribution.num_model_replicas
    activations, flops = _activations(model, batch) // replicas, count(traced.jaxpr.jaxpr)
    again = None
    if rematerialize:
        with _rematerialized(model) as changes:
            stored = _activations(model, batch) // replicas
            more = _work(model, batch) if changes and stored < activations else None
        again = None if more is None else (stored, flops + more - _work(model, batch))
    return StepCosts(
        devices=1 if distribution is None else int(distribution.device_mesh.devices.size),
        batch_size=batch_size,
        weights=sizes["trainable"] + sizes["others"],
        gradients=sizes["trainable"],
        slots=sizes["optimizer"],
        activations=activations,
        temporaries=held.temp_size_in_bytes,
        total=held.argument_size_in_bytes + held.output_size_in_bytes - held.alias_size_in_bytes
        + held.temp_size_in_bytes + held.generated_code_size_in_bytes,
        flops=flops,
        exchanged=exchanges(compiled.as_text() or ""),
        rematerialized=again,
    )  # fmt: skip


def _batch(model, batch_size):
    """Inputs and targets without values."""
    if not model.compiled or model.optimizer is None:
        raise CallError(
            f"{model.name} is not compiled: a step depends on its optimizer and loss.",
            fix='model.compile("adam", loss="mse")',
        )
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise CallError(
            f"The shapes of the inputs of {model.name} are not known.", fix="Begin the model with a keras.Input."
        )

    def described(tensor, dtype=None):
        dtype = jax.dtypes.canonicalize_dtype(numpy_dtype(dtype or tensor.dtype))
        return jax.ShapeDtypeStruct((batch_size, *(size or 1 for size in tensor.shape[1:])), dtype)

    x = tree.map_structure(described, model.input)
    losses = tree.flatten(model._compile_arguments["loss"])
    outputs, y = tree.flatten(model.outputs), []
    for index, output in enumerate(outputs):
        loss = losses[index if len(losses) > 1 else 0] if losses else None
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
        one = described(output)
        is_sparse = name.lower().startswith("sparse")
        y.append(jax.ShapeDtypeStruct(one.shape[:-1] if is_sparse else one.shape, "int32" if is_sparse else "float32"))
    return x, None if losses in ([], [None]) else y[0] if len(y) == 1 else y


@contextlib.contextmanager
def _laid_out(runner: Any, distribution: Any) -> Iterator[None]:
    """Inside the block the variables have the layouts of the distribution; no value is moved."""
    if distribution is None:
        yield
        return
    variables = [variable for group in _GROUPS for variable in runner.groups[group]]
    kept = [variable.layout for variable in variables]
    with distribution.scope():
        runner.sharded = ShardedExecution(distribution)
        try:
            for variable, layout in runner.sharded.layouts(variables, runner.model.optimizer):
                variable.set_layout(layout)
            yield
        finally:
            for variable, layout in zip(variables, kept, strict=True):
                variable.layout = layout


def _bytes(variable):
    """What a device stores of a variable."""
    shape, sharding = variable.shape, sharding_of(variable.layout)
    shape = shape if sharding is None else sharding.shard_shape(shape)
    return math.prod(shape) * numpy_dtype(variable.dtype).itemsize


def _described(variables):
    """The values of variables as shapes and types with the shardings of their layouts."""
    return [
        jax.ShapeDtypeStruct(v.shape, value.dtype, sharding=sharding_of(v.layout))
        for v, value in zip(variables, peek(variables), strict=True)
    ]


def _compiled(runner, batch):
    groups = {name: _described(runner.groups[name]) for name in _GROUPS}
    sharded, shardings = runner.sharded, None
    if sharded is not None:
        shardings = sharded.results("train", runner.groups)
        batch = sharded.described(batch)
    step: Any = runner.build_step("train", "train", "lamina_train")
    step.__name__ = "lamina_train"
    program = jax.jit(step, donate_argnums=0, out_shardings=shardings)
    donated = (groups["trainable"], groups["others"], groups["optimizer"])
    values = [jax.ShapeDtypeStruct(np.shape(value), value.dtype) for value in context.global_values()]
    traced = program.trace(donated, (groups["metrics"], {}), values, batch)
    return traced, traced.lower().compile()


# Activations


def _given(model, batch):
    """(trainable values, other values, batch) as shapes and types."""
    described = [[jax.ShapeDtypeStruct(v.shape, value.dtype) for v, value in zip(group, peek(group), strict=True)]
                 for group in (model.trainable_variables, model.non_trainable_variables)]  # fmt: skip
    return *described, batch


def _loss(model, others, batch):
    x, y = batch

    def loss(trainable):
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        refs = context.global_refs()
        with context.bind([*refs, *variables], [*map(jnp.asarray, context.global_values()), *trainable, *others]):
            return model.compute_loss(x, y, model(x, training=True), None)

    return loss


def _work(model, batch):
    """Operations of the gradients."""

    def gradients(trainable, others, batch):
        return jax.grad(_loss(model, others, batch))(trainable)

    return count(jax.make_jaxpr(gradients)(*_given(model, batch)).jaxpr)


def _activations(model, batch):
    """Bytes of what the forward pass stores: what the backward pass takes and is no argument of the step."""

    def stored(trainable, others, batch):
        return jax.tree_util.tree_leaves(jax.vjp(_loss(model, others, batch), trainable)[1])

    jaxpr = jax.make_jaxpr(stored)(*_given(model, batch)).jaxpr
    given = {id(variable) for variable in (*jaxpr.invars, *jaxpr.constvars)}
    kept = {id(one): one.aval for one in jaxpr.outvars if not hasattr(one, "val") and id(one) not in given}
    return sum(aval.size * aval.dtype.itemsize for aval in kept.values() if hasattr(aval.dtype, "itemsize"))


@contextlib.contextmanager
def _rematerialized(model: Any) -> Iterator[list[Any]]:
    """Inside the block what layers hold is computed again: repeated blocks by `rematerialize`, the others as in a
    RematScope. Yields the layers that this changes."""
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer._remat is None]
    repeats = [layer for layer in layers if hasattr(layer, "rematerialize")]
    chosen = [layer for layer in repeats if not layer.rematerialize]
    if not repeats:
        chosen = [layer for layer in model._flatten_layers(True, False)[1:] if layer._remat is None and layer.weights]
    try:
        for layer in chosen:
            layer.__dict__["rematerialize" if repeats else "_remat"] = True if repeats else RematScope("full")
        yield chosen
    finally:
        for layer in chosen:
            layer.__dict__["rematerialize" if repeats else "_remat"] = False if repeats else None


# Exchanges

_COLLECTIVE = re.compile(
    r"= (?P<shape>\(.*?\)|\S+) "
    r"(?P<kind>all-reduce|all-gather|reduce-scatter|all-to-all|collective-permute)(?:-start)?\("
)
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")
_CALLED = re.compile(r"(?:body|condition|calls|to_apply|true_computation|false_computation)=%?([\w.\-]+)")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')


def exchanges(program: str) -> dict[str, tuple[int, int]]:
    """Kind of exchange -> (how often in one run, bytes of its results on one device), from the text of a compiled
    program. What is in a loop counts as often as the loop runs.

    Args:
        program: Text of the optimized HLO.
    """
    lines: dict[str, list[str]] = {}
    entry = name = ""
    for line in program.splitlines():
        if line and not line[0].isspace() and "{" in line and "->" in line:
            name = line.removeprefix("ENTRY ").split("(")[0].strip().lstrip("%")
            entry = name if line.startswith("ENTRY") else entry
            lines[name] = []
        elif name:
            lines[name].append(line)
    times, sizes = Counter(), Counter()

    def visit(computation, repeated):
        for line in lines.get(computation, ()):
            found = _COLLECTIVE.search(line)
            if found:
                times[found["kind"]] += repeated
                sizes[found["kind"]] += repeated * sum(map(_array_bytes, _ARRAY.findall(found["shape"])))
            trips = _TRIPS.search(line)
            for called in _CALLED.findall(line):
                visit(called, repeated * (int(trips[1]) if trips and " while(" in line else 1))

    visit(entry, 1)
    return {kind: (times[kind], sizes[kind]) for kind in times}


def _array_bytes(array):
    kind, sizes = array
    bits = re.search(r"\d+", kind)
    size = next((size for start, size in _SIZES.items() if kind.startswith(start)), int(bits[0]) // 8 if bits else 0)
    return size * math.prod(map(int, filter(None, sizes.split(","))))
