"""Runner: the compiled steps of one model and the values they run on."""

import time
from operator import attrgetter
from typing import Any

import jax
import numpy as np

from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor, trace
from lamina.core.placement import place, sharding_of
from lamina.core.registry import is_builtin
from lamina.core.variable import to_array
from lamina.kernels.native import cpu_kernels, take_rows
from lamina.random import global_seed_generator
from lamina.runtime import compilation_cache
from lamina.runtime.compilations import Recorder
from lamina.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from lamina.training.nan_guard import Guard, guarded
from lamina.training.sharding import current_spread
from lamina.training.state import TrainingState, peek
from lamina.training.step import bound_step, takes_state
from lamina.training.throttle import Pace

ONLY_READ = 2**16  # bytes of a frozen weight from which a step rather makes a new one than has a copy of its own
MAX_SHAPES_WITHOUT_XLA = 16  # input shapes whose programs are kept: each has a copy of the weights

_read_value = attrgetter("_value")


class Runner:
    """What `fit`, `evaluate`, `predict` and the `_on_batch` methods run on.

    `train` works on a TrainingState that stays lent from step to step. `test` and `predict` donate nothing and read
    the values where they are, as `train` does with large weights that are frozen. A change of the layers or of their
    `trainable` flags is seen at the next step: it makes programs anew.
    """

    def __init__(self, model):
        self.model = model
        self._pace = Pace()
        compilation_cache.set_up()
        self.recorder = Recorder()
        global_seed_generator()  # made before the first program, which carries its state along
        self._version = self._pattern = None
        self.state = self._fresh_metrics = None
        self.spread = None  # how steps run over many devices, while a distribution is current
        self.guard: Any = None  # watches for steps that are not finite, where a run asks for it
        self.steps_asked_for = 0  # of all runs of fit
        self.groups = {}
        self._only_read = []  # which of the others are large: steps seldom change them
        self.programs = {}
        self._all_programs = {}  # pattern -> programs: a layer that is frozen and thawed again compiles once for each

    # Programs

    def refresh(self):
        """Turn to the compiled programs for the layers as they are now, and those of them that are frozen."""
        if self._version == context.structure_version():
            return
        model = self.model
        self.groups = {
            "trainable": model.trainable_variables,
            "others": model.non_trainable_variables,
            "optimizer": model.optimizer.variables if model.optimizer is not None else [],
            "metrics": model.metrics_variables,
        }
        self.spread = current_spread(self.spread)
        frozen = tuple((layer.trainable, layer._revision) for layer in model._flatten_layers())
        pattern = (
            frozen,
            context.distribution(),
            *(tuple(map(id, self.groups[group])) for group in sorted(self.groups)),
        )
        if pattern != self._pattern:
            self.release()
            if self.spread is not None:
                self.spread.adopt([variable for group in self.groups.values() for variable in group])
            others = peek(self.groups["others"]) if self.spread is None else []
            self._only_read = [index for index, array in enumerate(others) if array.nbytes >= ONLY_READ]
            self._pattern = pattern
            self.programs = self._all_programs.setdefault(pattern, {})
        self._version = context.structure_version()

    def prepare(self, kind, batch):
        """The compiled step of a kind, for the layers as they are; what has no variables yet makes them first."""
        if self._version != context.structure_version():
            self.refresh()
        program = self.programs.get(kind if self.guard is None else self._key(kind))
        if program is None:
            self.build(batch)
            self.refresh()
            program = self.program(kind)
        return program

    def program(self, kind):
        """The compiled step of a kind, 'train', 'test' or 'predict': (the part of the state that it may write over, the
        rest of it, global values, batch) -> (results, global values it changed)."""
        key = self._key(kind)
        if key not in self.programs:
            step = _with_global_state({"train": self._train, "test": self._test, "predict": self._predict}[kind]())
            where = None if self.spread is None else self.spread.results(kind, self.groups)
            self.programs[key] = self._compiled(f"lamina_{key}", key, step, where=where)
        return self.programs[key]

    def _compiled(self, name, kind, step, batch_of=None, where=None):
        """The step as a program of that name (in profiles, and in the disk cache), which is noted when it is traced."""

        def program(lent, kept, global_values, batch):
            if not self.model.run_eagerly:
                self.recorder.traced(kind, name, batch if batch_of is None else batch_of(batch))
            return step((*lent, *kept), global_values, batch)

        program.__name__ = name
        return program if self.model.run_eagerly else jax.jit(program, donate_argnums=0, out_shardings=where)

    def _key(self, kind):
        return "guarded" if kind == "train" and self.guard is not None else kind

    def watch(self):
        """From here on a step that is not finite changes nothing; the Guard that says so."""
        self.guard = Guard(self)
        return self.guard

    def _run(self, program, lent, kept, batch):
        try:
            results, changed = program(lent, kept, context.global_values(), batch)
        finally:
            if self.recorder.current is not None:
                self.recorder.finish()
        if changed:
            cells = context.global_refs()
            for index, value in changed.items():  # it stays on one device
                cells[index].write(value if self.spread is None else to_array(np.asarray(value)))
        return results

    def _train(self):
        step = self._step(self.model.train_step, "trainable", "others", "optimizer", "metrics")
        return _reading(step if self.guard is None else guarded(step))

    def _test(self):
        step = self._step(self.model.test_step, "trainable", "others", "metrics")

        def test(state, data):
            logs, (_, others, metrics) = step(state, data)
            return logs, _differing(others, state[1]), metrics

        return test

    def _predict(self):
        pure = not takes_state(self.model.predict_step)
        step = self._step(self.model.predict_step, "trainable", "others")
        return lambda state, data: _changed(step(state, data), state[1], pure)

    def _step(self, method, *names):
        """A method that a user may have written, in either way, as the pure (state, data) -> (results, state); data
        comes without the parts that are absent, as `(x, y)`."""
        step = method if takes_state(method) else bound_step(self.model, method, lambda: self._cells(*names))
        return lambda state, data: step(state, pack_x_y_sample_weight(*unpack_x_y_sample_weight(data)))

    def _cells(self, *names):
        return [self.groups[name] for name in names]

    # Steps

    def train(self, batch):
        """Train on one batch; the logs as device arrays."""
        program = self.prepare("train", batch)
        data = batch if self.spread is None else self.spread.batch(batch, training=True)
        if self.guard is None:
            return self._trained(program, data)
        logs, alive = self._trained(program, (data, self.guard.alive))
        self.guard.after(batch, alive)
        return logs

    def _trained(self, program, data):
        """The results of a program that takes and gives the whole state. It may write over all of it but the metrics,
        whose first values are kept for the next epoch."""
        if self.state is None or self.state.released:
            self.state = TrainingState(self.groups, self._only_read)
        values = self.state.values
        lent = (values["trainable"], values["others"], values["optimizer"])
        self._pace.wait()
        logs, (*new, changed) = self._run(program, lent, (values["metrics"], values["read"]), data)
        self._pace.after(logs)
        values["trainable"], values["others"], values["optimizer"], values["metrics"] = map(list, new)
        values["read"] |= changed
        return logs

    def train_many(self, size, arrays, stretch):
        """Train on full batches of `arrays`, one after the other in one program; the logs after the last."""
        self.refresh()
        kind = f"train, many of {size}"
        if kind not in self.programs:
            self.programs[kind] = self._many(kind, size)
        return self._trained(self.programs[kind], (arrays, *stretch))

    def _many(self, kind, size):
        """A program as the others, whose batch is (arrays, order, first, count)."""
        step = _with_global_state(self._train())

        def batch_at(data, index=0):
            arrays, order, _, _ = data
            rows = jax.lax.dynamic_slice_in_dim(order, index * size, size)
            return jax.tree_util.tree_map(lambda leaf: take_rows(leaf, rows), arrays)

        def many(state, global_values, data):
            _, _, first, count = data
            written = set()

            def one(index, carry):
                state, global_values = carry
                (_, (*new, large)), changed = step(state, global_values, batch_at(data, index))
                written.update(large)
                return (*map(list, new), state[-1] | large), [
                    changed.get(i, value) for i, value in enumerate(global_values)
                ]

            (*state, read), global_values = jax.lax.fori_loop(first, first + count, one, (state, global_values))
            with context.bind(self.groups["metrics"], state[3]):
                logs = self.model.get_metrics_result()
            return (logs, (*state, {index: read[index] for index in written})), dict(enumerate(global_values))

        return self._compiled("lamina_train_many", kind, many, lambda data: jax.eval_shape(batch_at, data))

    def test(self, batch):
        """Test on one batch; the logs as device arrays."""
        program = self.prepare("test", batch)
        state = tuple(peek(self.groups[name]) for name in ("trainable", "others", "metrics"))
        data = batch if self.spread is None else self.spread.batch(batch, training=False)
        logs, others, metrics = self._run(program, (), state, data)
        self._put_others(others)
        for cell, value in zip(self.groups["metrics"], metrics, strict=True):
            self._put(cell, value)
        return logs

    def predict(self, batch):
        """The outputs for one batch, as arrays."""
        program = self.prepare("predict", batch)
        outputs = self._predict_without_xla(program, batch)
        if outputs is not None:
            return outputs
        spread = self.spread
        state = (peek(self.groups["trainable"]), peek(self.groups["others"]))
        data = batch if spread is None else spread.batch(batch, training=False)
        outputs, changed = self._run(program, (), state, data)
        self._put_others(changed)
        return outputs if spread is None else spread.outputs(outputs, batch)

    def _predict_without_xla(self, program, batch):
        """The outputs by one call of lamina-native, where it is installed and the model does little work; else None."""
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        key = getattr(x, "shape", None), getattr(x, "dtype", None)
        if key[0] is None or self.spread is not None:
            return None
        if (y is not None or sample_weight is not None) and not is_builtin(type(self.model).predict_step):
            return None  # for that step may read them
        translated = self.programs.setdefault("predict, without XLA", {})
        if key not in translated:
            translated[key] = None if self.model.run_eagerly else self._translated(program, x)
            kept = [key for key, value in translated.items() if value is not None]
            if len(kept) > MAX_SHAPES_WITHOUT_XLA:
                del translated[kept[0]]
        if translated[key] is None:
            return None
        outputs = translated[key](x)
        compiled = self.programs.setdefault("predict, with XLA too", set())
        if outputs is None and key not in compiled:
            compiled.add(key)  # JAX has traced this shape already, so the recorder would not learn of it
            self.recorder.traced("predict", program.__name__, batch)
        return outputs

    def _translated(self, program, x):
        native = cpu_kernels()
        if native is None:
            return None
        groups, since = (self.groups["trainable"], self.groups["others"]), None

        def trace():
            nonlocal since
            traced = program.trace((), tuple(map(peek, groups)), context.global_values(), (x, None, None))
            since = time.perf_counter()
            return traced

        try:
            translated = native.translate_program(trace, [*groups[0], *groups[1]], _read_value, x)
        except BaseException:  # raised by a layer in its call
            self.recorder.finish()
            raise
        if translated is not None:
            self.recorder.finish(since)
        return translated

    def reset_metrics(self):
        """Start all metrics anew: by their `reset_state`, and where that is lamina's own, later from what it gave."""
        self.refresh()
        fresh = self._fresh_metrics
        if fresh is None or fresh[0] is not self._pattern:
            self.model.reset_metrics()
            self.refresh()
            inner = self.model._compile_metrics.metrics if self.model._compile_metrics else []
            ours = all(is_builtin(type(metric).reset_state) for metric in (*self.model.metrics, *inner))
            self._fresh_metrics = (self._pattern, peek(self.groups["metrics"])) if ours else None
        else:
            for cell, value in zip(self.groups["metrics"], fresh[1], strict=True):
                self._put(cell, value)

    def _put_others(self, changed):
        for index, value in changed.items():
            cell = self.groups["others"][index]
            self._put(cell, value if self.spread is None else place(value, sharding_of(cell.layout)))

    @staticmethod
    def _put(cell, value):
        owner = cell._owner
        if owner is None:
            cell._value = value
        else:
            owner.put(cell, value)

    def release(self):
        """Give all values back to their variables."""
        if self.state is not None:
            self.state.release()
            self.state = None

    # Building

    def build(self, batch):
        """Make what has no variables yet, from the shapes of a first batch: layers, losses and metrics, optimizer
        slots."""
        model = self.model
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        layers = model._flatten_layers()
        fixed = any(getattr(layer, "stateful", False) for layer in layers)  # states belong to one batch size
        unbuilt = [layer for layer in layers if not layer.built]
        if unbuilt == [model] and not model._has_call():  # a GAN: networks of their own, and a step that calls them
            model.built = True
            context.structure_changed()
        elif unbuilt:
            trace(model._run, *_symbols((x,), fixed))
            context.structure_changed()
        if y is not None and model._has_unbuilt_targets():
            x, y, sample_weight = _symbols((x, y, sample_weight), fixed)
            y_pred = model.compute_output_spec(x)
            trace(model._build_compiled, x, y, y_pred, sample_weight)
            context.structure_changed()
        if model.optimizer is not None:
            model.optimizer.ensure_built(model.trainable_variables)
            context.structure_changed()


def _with_global_state(step):
    """A step that carries the global seed along, for draws that were given no seed."""

    def carrying(state, global_values, batch):
        with context.bind(context.global_refs(), global_values) as slots:
            results = step(state, batch)
            after = [slots[cell] for cell in context.global_refs()]
        return results, _differing(after, global_values)

    return carrying


def _reading(step):
    """A training step whose state has the others that it only reads apart, and as results those of them that it
    changed nevertheless."""

    def reading(state, data):
        trainable, others, optimizer, metrics, read = state
        whole = [read.get(index, value) for index, value in enumerate(others)]
        logs, (trainable, after, optimizer, metrics) = step((trainable, whole, optimizer, metrics), data)
        changed = {index: after[index] for index, value in read.items() if after[index] is not value}
        after = [None if index in read else value for index, value in enumerate(after)]
        return logs, (trainable, after, optimizer, metrics, changed)

    return reading


def _differing(after, before):
    """What a step made anew, by its index."""
    return {index: new for index, (new, old) in enumerate(zip(after, before, strict=True)) if new is not old}


def _changed(result, before, pure):
    """Outputs, and only those of the other variables that the step changed: most models change none when they
    predict."""
    outputs, after = (result[0], result[1][1]) if pure else result
    return outputs, _differing(after, before)


def _symbols(batch, fixed):
    """A batch as symbolic tensors with an open batch size, unless it is fixed."""

    def symbol(value):
        if value is None:
            return None
        shape = getattr(value, "shape", ())
        sizes = (shape[0] if fixed else None, *shape[1:]) if shape else ()
        return KerasTensor(sizes, jax.dtypes.canonicalize_dtype(value.dtype).name)

    return tree.map_structure(symbol, batch)
