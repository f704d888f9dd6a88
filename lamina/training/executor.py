"""Runner: the compiled steps of a model and the values they work on."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.core.abstract import without_value
from lamina.core.context import building_lock
from lamina.core.no_values import rewritten
from lamina.core.placement import place, sharding_of
from lamina.core.registry import is_builtin
from lamina.core.variable import to_array, unwrap
from lamina.kernels.native import take_rows
from lamina.random import global_seed_generator
from lamina.runtime import compilation_cache, processes
from lamina.runtime.allocator import release_surplus
from lamina.runtime.compilations import Recorder
from lamina.runtime.process import configure_process
from lamina.runtime.tracebacks import later
from lamina.training.building import build
from lamina.training.data.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from lamina.training.kept_tensors import replace_kept
from lamina.training.nan_guard import Guard, keep_finite
from lamina.training.odd_rows import tell_of_own_step
from lamina.training.op_by_op import or_op_by_op
from lamina.training.predict_without_xla import PredictWithoutXLA
from lamina.training.sharding import real_rows, sharded_execution
from lamina.training.state import TrainingState, changed_values, checked_logs, peek, step_results
from lamina.training.step import direct, takes_state
from lamina.training.throttle import DispatchThrottle

told: Any = later("lamina.training.out_of_memory.told")
# The groups of variables that each kind of step reads and returns.
STATE: dict[str, Any] = {
    "train": ("trainable", "others", "optimizer", "metrics"),
    "test": ("trainable", "others", "metrics"),
    "predict": ("trainable", "others"),
}
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=context.structure_changed)  # the next step of each model looks where it runs
READ_ONLY_BYTES = 2**16  # larger frozen weights are not donated; a step that changes one allocates a new array


class Runner:
    """Runs the steps of `fit`, `evaluate`, `predict` and the `_on_batch` methods.

    `train` works on a TrainingState, which stays checked out between steps. `test` and `predict` donate no buffers and
    read the values where they are, as `train` does for large frozen weights. A change of the layers or of their
    `trainable` flags takes effect at the next step, which then uses programs compiled for it.
    """

    state: Any = None

    def __init__(self, model: Any):
        self._model: Any = weakref.ref(model)
        self._throttle = DispatchThrottle()
        compilation_cache.set_up()
        release_surplus()
        weakref.finalize(self, release_surplus).atexit = False
        self.recorder: Any = Recorder(partial(replace_kept, self._model))
        global_seed_generator()  # create it before the first program, which has its state as an input
        self._version = self._pattern = self._fresh_metrics = None
        self.sharded: Any = None  # a ShardedExecution while a distribution is set
        self.guard: Any = None  # a Guard against non-finite steps, if the run requests one
        self.steps_requested = 0  # total over all calls of fit
        self.groups, self._read_only = {}, []  # indices of the large frozen variables in "others"
        self.programs: dict[str, Any] = {}
        self.without_xla: Any = None  # PredictWithoutXLA for the current layers
        self._all_programs = {}  # pattern -> programs: toggling `trainable` compiles each pattern only once

    @property
    def model(self) -> Any:
        """The model. It owns the runner and its programs, which therefore refer to it weakly: all of them are freed as
        soon as the model is dropped."""
        return self._model()

    def refresh(self) -> None:
        """Select the compiled programs for the current layers and their `trainable` flags."""
        if self._version == context.structure_version():
            return
        configure_process()  # refuses a forked process
        model = self.model
        self.groups: Any = {
            "trainable": model.trainable_variables,
            "others": model.non_trainable_variables,
            "optimizer": model.optimizer.variables if model.optimizer is not None else [],
            "metrics": model.metrics_variables,
        }
        self.sharded = sharded_execution(self.sharded)
        frozen = tuple((layer.trainable, layer._revision) for layer in model._flatten_layers())
        ids = (tuple(map(id, self.groups[group])) for group in sorted(self.groups))
        pattern = (frozen, context.distribution(), *ids)
        if pattern != self._pattern:
            self.release()
            variables = [variable for group in self.groups.values() for variable in group]
            if self.sharded is not None:
                self.sharded.adopt(variables, model.optimizer)
            for variable in filter(without_value, variables):  # of `keras.abstract()`: its initial value is drawn
                variable.read()
            others = peek(self.groups["others"]) if self.sharded is None else []
            self._read_only = [index for index, array in enumerate(others) if array.nbytes >= READ_ONLY_BYTES]
            self._pattern = pattern
            self.programs, self.without_xla = self._all_programs.setdefault(pattern, ({}, PredictWithoutXLA()))
        self._version = context.structure_version()

    def prepare(self, kind: str, batch: Any) -> Any:
        """The compiled step of a kind for the current layers. Layers without variables are built first."""
        if self._version != context.structure_version():
            with building_lock:
                self.refresh()
        program = self.programs.get(kind if self.guard is None else self._key(kind))
        if program is None:
            with building_lock:  # threads that meet an unbuilt model build it once
                self.build(batch)
                self.refresh()
                program = self.program(kind)
        return program

    def program(self, kind: str) -> Any:
        """The compiled step of a kind: `build_step(kind)` as one XLA program."""
        key = self._key(kind)
        if key not in self.programs:
            shardings = None if self.sharded is None else self.sharded.results(kind, self.groups)
            name = f"lamina_{key}"
            compiled = self._compile(self.build_step(kind, key, name), name, shardings)
            self.programs[key] = or_op_by_op(self, kind, name, compiled)
        return self.programs[key]

    def _key(self, kind):
        return "guarded" if kind == "train" and self.guard is not None else kind

    def _compile(self, step, name, shardings=None):
        """Compile the step as a program with the given name, which appears in profiles and in the disk cache."""
        step.__name__ = name
        return step if self.model.run_eagerly else jax.jit(step, donate_argnums=0, out_shardings=shardings)

    def build_step(self, kind: str, label: str | None, name: str) -> Callable[..., Any]:
        """The pure step of a kind: (donated, kept, global values, batch) -> (results, changed global values by index).

        `donated` and `kept` are the values of the groups in `STATE[kind]`, split into those that the step may overwrite
        and those that it only reads; in a training step `kept` ends with the large frozen variables by index.

        Args:
            kind: "train", "test" or "predict".
            label, name: Names of the program for the recorder of compilations (None: it is not recorded) and for XLA.
        """
        get_model, groups = self._model, [self.groups[group] for group in STATE[kind]]
        pure, guarded = takes_state(getattr(self.model, f"{kind}_step")), kind == "train" and self.guard is not None
        bound = [] if pure else [variable for group in groups for variable in group]
        note = None if self.model.run_eagerly or not label else partial(self.recorder.traced, label, name)

        def step(donated, kept, global_values, batch):
            batch = real_rows(batch)
            if note is not None:
                note(batch)
            trainable, others, *more, read = *donated, *kept, *(() if kind == "train" else ({},))
            state = (trainable, [read.get(index, value) for index, value in enumerate(others)], *more)
            batch, alive = batch if guarded else (batch, None)
            data = pack_x_y_sample_weight(*unpack_x_y_sample_weight(batch))  # drops absent parts
            values = [] if pure else [value for group in state for value in group]
            method, refs = direct(rewritten(getattr(get_model(), f"{kind}_step"))), context.global_refs()
            with context.bind([*refs, *bound], [*global_values, *values]) as slots:
                if pure:
                    results, after = unwrap(method(state, data))
                    after = (trainable, after) if kind == "predict" else after
                else:
                    results = checked_logs(kind, unwrap(method(data)))
                    after = tuple([variable.read() for variable in group] for group in groups)
                global_after = [slots[ref] for ref in refs]
            tell_of_own_step(get_model(), kind, batch)
            if guarded:
                alive, after = keep_finite(results, after, state, alive)
                results = results, alive
            return step_results(kind, results, after, state, read), changed_values(global_after, global_values)

        return step

    # Steps

    def train(self, batch: Any, program: Any = None) -> Any:
        """Train on one batch, or on the data that `program` takes. Returns the logs as device arrays.

        The program may overwrite the whole state but the metrics: their initial values are kept for the next epoch.
        """
        program = program or self.prepare("train", batch)
        data = batch if self.sharded is None else self.sharded.batch(batch, training=True)
        if self.guard is not None:
            data = (data, self.guard.alive)
        if self.state is None or self.state.released:
            self.state = TrainingState(self.groups, self._read_only)
        values = self.state.values
        donated = values["trainable"], values["others"], values["optimizer"]
        arguments = donated, (values["metrics"], values["read"]), context.global_values(), data
        self._throttle.wait()
        try:
            if self.sharded is not None:
                self.sharded.comparison.first_step(self.model, "train", program, arguments)
            processes.computes()
            (logs, (*new, changed)), changed_globals = program(*arguments)
        except jax.errors.JaxRuntimeError as error:
            raise told(error, self.model, batch, True) from error
        finally:
            if self.recorder.current:
                self.recorder.finish()
        if changed_globals:
            self._write_globals(changed_globals)
        self._throttle.after(logs)
        processes.computes(logs)
        values["trainable"], values["others"], values["optimizer"], values["metrics"] = map(list, new)
        values["read"] |= changed
        if self.guard is not None:
            logs, alive = logs
            self.guard.after(batch, alive)
        return logs

    def train_many(self, size: int, arrays: Any, stretch: Any) -> Any:
        """Train on several full batches of `arrays` in one program. Returns the logs after the last batch."""
        self.refresh()
        label = f"train, many of {size}"
        if label not in self.programs:
            self.programs[label] = self._compile(self._build_many(size, label), "lamina_train_many")
        return self.train((arrays, *stretch), self.programs[label])

    def _build_many(self, size, label):
        """A training step whose batch is (arrays, order, first, count); it runs `count` steps in a loop."""
        step: Any = self.build_step("train", label, "lamina_train_many")
        get_model, metrics_variables = self._model, self.groups["metrics"]

        def many(donated, kept, global_values, data):
            arrays, order, first, count = data
            written = set()

            def body(index, carry):
                (*donated, metrics, read), global_values = carry
                rows = jax.lax.dynamic_slice_in_dim(order, index * size, size)
                batch = jax.tree_util.tree_map(lambda leaf: take_rows(leaf, rows), arrays)
                (_, (*new, large)), changed = step(donated, (metrics, read), global_values, batch)
                written.update(large)
                after = [changed.get(index, value) for index, value in enumerate(global_values)]
                return (*map(list, new), read | large), after

            carry = (*donated, *kept), global_values
            (*new, read), after = jax.lax.fori_loop(first, first + count, body, carry)
            with context.bind(metrics_variables, new[3]):
                logs = unwrap(get_model().get_metrics_result())
            return (logs, (*new, {index: read[index] for index in written})), dict(enumerate(after))

        return many

    def test(self, batch: Any) -> Any:
        """Test on one batch. Returns the logs as device arrays."""
        program = self.prepare("test", batch)
        state = tuple(peek(self.groups[group]) for group in STATE["test"])
        data = batch if self.sharded is None else self.sharded.batch(batch)
        logs, others, metrics = self._run("test", program, state, data)
        self._put_others(others)
        for variable, value in zip(self.groups["metrics"], metrics, strict=True):
            self._put(variable, value)
        return logs

    def predict(self, batch: Any) -> Any:
        """The outputs for one batch, as arrays."""
        program = self.prepare("predict", batch)
        sharded = self.sharded
        if sharded is None:
            outputs = self.without_xla(self, program, batch)
            if outputs is not None:
                return outputs
        state = (peek(self.groups["trainable"]), peek(self.groups["others"]))
        data = batch if sharded is None else sharded.batch(batch)
        outputs, changed = self._run("predict", program, state, data)
        self._put_others(changed or {})
        return outputs if sharded is None else sharded.outputs(outputs, batch)

    def _run(self, kind, program, state, data):
        """The results of a program that donates no buffers."""
        arguments = (), state, context.global_values(), data
        try:
            if self.sharded is not None:
                self.sharded.comparison.first_step(self.model, kind, program, arguments)
            processes.computes()
            results, changed_globals = program(*arguments)
        except jax.errors.JaxRuntimeError as error:
            raise told(error, self.model, data, False) from error
        finally:
            if self.recorder.current:
                self.recorder.finish()
        processes.computes(results)
        if changed_globals:
            self._write_globals(changed_globals)
        return results

    # Values

    def _write_globals(self, changed):
        refs = context.global_refs()
        for index, value in changed.items():  # global values are not sharded
            refs[index].write(value if self.sharded is None else to_array(np.asarray(value)))

    def reset_metrics(self) -> None:
        """Call `reset_state` of all metrics. If all of these are built-in, later calls restore the resulting values."""
        self.refresh()
        fresh = self._fresh_metrics
        if fresh is None or fresh[0] is not self._pattern:
            self.model.reset_metrics()
            self.refresh()
            inner = self.model._compile_metrics.metrics if self.model._compile_metrics else []
            builtin = all(is_builtin(type(metric).reset_state) for metric in (*self.model.metrics, *inner))
            self._fresh_metrics = (self._pattern, peek(self.groups["metrics"])) if builtin else None
        else:
            for variable, value in zip(self.groups["metrics"], fresh[1], strict=True):
                self._put(variable, value)

    def _put_others(self, changed):
        for index, value in changed.items():
            variable = self.groups["others"][index]
            self._put(variable, value if self.sharded is None else place(value, sharding_of(variable.layout)))

    @staticmethod
    def _put(variable, value):
        if variable._owner is None:
            variable._value = value
        else:
            variable._owner.put(variable, value)

    def release(self) -> None:
        """Return all values to their variables."""
        if self.state is not None:
            self.state.release()  # if this is broken off, the variables need the state
            self.state = None

    def __del__(self) -> None:
        self.release()  # variables and the state refer to each other

    def watch(self) -> Guard:
        """From now on, ignore the updates of non-finite steps. Returns the Guard that reports such steps."""
        self.guard = Guard(self)
        return self.guard

    def build(self, batch: Any) -> None:
        """Build all unbuilt layers, losses, metrics and optimizer slots from the shapes of a batch."""
        build(self.model, batch)
