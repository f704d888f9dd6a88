"""Exports unusual models and runs what was written, by the runtime of each format:

    python benchmarks/export_models.py onnx jax litert tf_saved_model tfjs --tensorflow PYTHON --tfjs FOLDER

Each model is exported, run for one sample and for five, and compared with `predict`. A format that cannot say a model
has to refuse it and to leave no file. Prints a line for each model that is not right, counts, and the differences.
TensorFlow may be in an environment of its own, whose PYTHON is given; TensorFlow.js is looked for in FOLDER, which has
`node_modules`. `onnx:17` is ONNX of opset 17. `--only TEXT` takes the models with TEXT in their name, `--models` is
one of unusual, further, published, unseen, fourth, fifth, sixth, seventh, all. `--strict` fails if a model is wrong.
With `--results FILE` each result is added to FILE as it is known, a run that was stopped goes on where it was, and
several processes (`--shard 0/2`, `--shard 1/2`) may share the work; what is printed at the end is of all results in it.
"""

import argparse
import collections
import contextlib
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import traceback
from unittest import mock

import numpy as np

import fifth_models
import fourth_models
import further_models
import lamina as keras
import published_models
import seventh_models
import sixth_models
import unseen_models
import unusual_models
from lamina.errors import ConfigError
from lamina.export import comparison, formats, writing
from lamina.export.savedmodel import model as saved_models

HERE = pathlib.Path(__file__).parent
SETS = {
    "unusual": unusual_models.MODELS,
    "further": further_models.MODELS,
    "published": published_models.MODELS,
    "unseen": unseen_models.MODELS,
    "fourth": fourth_models.MODELS,
    "fifth": fifth_models.MODELS,
    "sixth": sixth_models.MODELS,
    "seventh": seventh_models.MODELS,
}
CHUNK = 12  # models whose files are kept until another process has run them
NODE = HERE.parent / "tests" / "export" / "run_in_node.js"
TENSORFLOW = """
import json, pathlib, sys, numpy, tensorflow
for folder in map(pathlib.Path, sys.stdin.read().split("\\n")):
    try:
        loaded = tensorflow.saved_model.load(str(folder / "model"))
        order = json.loads((folder / "names.json").read_text())
        for number in (0, 1):
            data = numpy.load(folder / f"in{number}.npz")
            given = {name: tensorflow.constant(data[f"arr_{n}"]) for n, name in enumerate(order["inputs"])}
            made = loaded.signatures["serving_default"](**given)
            results = [made[name] for name in order["outputs"]]
            results = [tensorflow.cast(r, "float32") if r.dtype.name == "bfloat16" else r for r in results]
            numpy.savez(folder / f"out{number}.npz", *(result.numpy() for result in results))
    except Exception as error:
        (folder / "error").write_text(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
"""


def inputs_of(avals, batch):
    """Random inputs: batch sizes that are fixed stay."""
    generator = np.random.default_rng(batch)
    for aval in avals:
        shape = [
            batch if str(size) == "batch" else size if isinstance(size, int) else 8 * _factor(size)
            for size in aval.shape
        ]
        dtype = np.dtype(aval.dtype)
        if dtype.kind == "O":
            yield generator.choice(np.array(aval.words, object), shape)
            continue
        yield (generator.random(shape) if dtype.kind in "fV" else generator.integers(0, 2, shape)).astype(dtype)


def _factor(size):
    return int(str(size).rpartition("*")[0] or 1) if str(size) != "any" else 1


class Attempt:
    """One model in one format, which is kept in `folder` until what another process computed was compared."""

    def __init__(self, name, make, format, folder, is_foreign, known=None, **options):
        self.name, self.format, self.folder, self.is_foreign = name, format, folder, is_foreign
        self.known = {} if known is None else known  # what `predict` gave for the same model in another format
        self.wanted, self.worst, self.options = [], 0.0, options
        self.halves = self.is_wide = False  # whether it computes in 16 bits; whether the file computes in 32 then
        folder.mkdir()
        self.result = self._exported(make)

    def _exported(self, make):
        entry = formats.FORMATS[self.format]
        try:
            with mock.patch.object(writing, "compare", self._compare), self._recorded():
                model = make()
                model.export(self.folder / f"model{entry.ending}", format=self.format, verbose=False, **self.options)
        except ConfigError as error:
            left = [path.name for path in self.folder.iterdir() if path.name.startswith("model")]
            return f"refused but left {left}" if left else "refused: " + " ".join(str(error).split())
        except Exception as error:
            words = " ".join(str(error).split())[:300]
            return f"FAILED {type(error).__name__}: {words}\n{traceback.format_exc()[-700:]}"
        return self._judged() if not self.is_foreign else "waits"

    @contextlib.contextmanager
    def _recorded(self):
        """The names that the signature of a SavedModel has."""
        real = saved_models.saved_model_files

        def write(endpoints, folder):
            function = saved_models._Function("serving_default", next(iter(endpoints.values())))
            order = {"inputs": [s.name for s in function.inputs], "outputs": [s.name for s in function.outputs]}
            (self.folder / "names.json").write_text(json.dumps(order))
            real(endpoints, folder)

        with mock.patch("lamina.export.functions.saved_model_files", write):
            yield

    def _compare(self, model, written, given, report):
        self.halves = comparison.in_16_bits(model)
        self.is_wide = self.halves and written.in_32_bits
        structure = model._symbolic_inputs()
        run = None if self.is_foreign else written.load()
        for number, batch in enumerate((1, 5)):
            inputs = list(inputs_of(written.avals, batch))
            key = batch, self.is_wide, tuple((array.shape, str(array.dtype)) for array in inputs)
            if key not in self.known:
                self.known[key] = self._predicted(model, keras.tree.pack_sequence_as(structure, inputs))
            self.wanted.append(self.known[key])
            if run is not None:
                self._measure(run(inputs), self.wanted[-1])
            elif self.format == "tfjs":
                described = [{"shape": array.shape, "data": array.ravel().tolist()} for array in inputs]
                (self.folder / f"in{number}.json").write_text(json.dumps(described))
            else:
                np.savez(self.folder / f"in{number}.npz", *inputs)

    def _predicted(self, model, arguments):
        before = [np.array(variable) for variable in model.non_trainable_variables]
        arguments = arguments[0] if len(arguments) == 1 else list(arguments)
        if self.is_wide:
            with comparison.computing_in_32_bits(model):
                wanted = model(arguments, training=False)
        else:
            wanted = model.predict(arguments, verbose=0)
        for variable, value in zip(model.non_trainable_variables, before, strict=True):
            variable.assign(value)
        return [np.asarray(value, "float64") for value in keras.tree.flatten(wanted)]

    def _measure(self, results, wanted):
        for result, value in zip(results, wanted, strict=True):
            assert np.shape(result) == value.shape, (np.shape(result), value.shape)
            result, finite = np.asarray(result, "float64"), np.isfinite(value)
            same = np.array_equal(np.isnan(result), np.isnan(value))
            off = np.abs(result - value)[finite].max(initial=0) / max(np.abs(value[finite]).max(initial=0), 1e-30)
            self.worst = max(self.worst, off if same else np.inf)

    def _judged(self):
        return (
            "right"
            if self.worst <= (2e-2 if self.halves and not self.is_wide else 1e-4)
            else f"WRONG by {self.worst:.1e}"
        )

    def finish(self):
        """Compare with what the other process left."""
        if self.result != "waits":
            return
        error = self.folder / "error"
        try:
            for number, wanted in enumerate(self.wanted):
                self._measure(self._left(number), wanted)
            self.result = self._judged()
        except (OSError, AssertionError, ValueError) as problem:
            self.result = "FAILED there: " + (error.read_text() if error.exists() else str(problem))

    def _left(self, number):
        if self.format == "tfjs":
            results = json.loads((self.folder / f"out{number}.json").read_text())
            return [np.reshape(np.array(result["data"], "float64"), result["shape"]) for result in results]
        data = np.load(self.folder / f"out{number}.npz")
        return [data[f"arr_{place}"] for place in range(len(data.files))]


def run_elsewhere(format, attempts, options):
    """Run what was written in TensorFlow, or in node with TensorFlow.js."""
    folders = [attempt.folder for attempt in attempts if attempt.result == "waits"]
    if format == "tfjs":
        environment = {**os.environ, "NODE_PATH": str(options.tfjs / "node_modules")}
        for attempt in attempts:
            if attempt.result == "waits":
                moved = [path.rename(attempt.folder / path.name) for path in (attempt.folder / "model").iterdir()]
                assert moved
                made = subprocess.run(["node", NODE, attempt.folder], env=environment, capture_output=True, text=True)
                if made.returncode:
                    lines = [line for line in made.stderr.splitlines() if "Error" in line]
                    (attempt.folder / "error").write_text((lines or [made.stderr])[0][:300])
    else:
        environment = {**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("XLA_FLAGS", None)
        command = [options.tensorflow, "-c", TENSORFLOW]
        text = "\n".join(map(str, folders))
        subprocess.run(command, input=text, env=environment, check=True, text=True, capture_output=True)
    for attempt in attempts:
        attempt.finish()


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("formats", nargs="+")
    parser.add_argument("--tensorflow")
    parser.add_argument("--tfjs", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--models", choices=[*SETS, "all"], default="all")
    options = parser.parse_args()
    models = SETS.get(options.models) or {name: make for each in SETS.values() for name, make in each.items()}
    part, parts = map(int, options.shard.split("/"))
    names = [name for name in models if options.only in name][part::parts]
    results = Results(options.results)
    for start in range(0, len(names), CHUNK):
        with tempfile.TemporaryDirectory() as folder:
            run_chunk(names[start : start + CHUNK], models, pathlib.Path(folder), options, results)
    wrong = results.summary(options.formats)
    if options.strict and wrong:
        raise SystemExit(f"{wrong} are wrong")


class Results:
    """Results by (format, model), in a file if there is one, which other processes may add to."""

    def __init__(self, path):
        self.path, self.rows = path, []

    def add(self, format, attempt):
        row = [format, attempt.name, attempt.result, float(attempt.worst), attempt.halves]
        self.rows.append(row)
        if attempt.result != "right":
            print(f"{format} | {attempt.name} | {attempt.result}", flush=True)
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")

    def all(self):
        if self.path:
            return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []
        return self.rows

    def summary(self, formats):
        """Print a line for each format; returns how many are neither right nor refused."""
        wrong = 0
        for format in formats:
            rows = list({row[1]: row for row in self.all() if row[0] == format}.values())
            counts = collections.Counter(row[2].split()[0].rstrip(":") for row in rows)
            exact = [row[3] for row in rows if row[2] == "right" and not row[4]] or [0.0]
            print(f"{format} {dict(counts)}; median difference {np.median(exact):.0e}, largest {max(exact):.0e}")
            wrong += sum(row[2] != "right" and not row[2].startswith("refused:") for row in rows)
        return wrong


def run_chunk(names, models, folder, options, results):
    """Export some models in all formats, each built and predicted with once, and run what was written."""
    done, attempts = {tuple(row[:2]) for row in results.all()}, {named: [] for named in options.formats}
    for number, name in enumerate(names):
        left = [named for named in options.formats if (named, name) not in done]
        keras.utils.clear_session()
        make, known = functools.cache(models[name]), {}
        for named in left:
            format, _, opset = named.partition(":")
            further = {"opset_version": int(opset)} if opset else {}
            place = folder / f"{number}_{named.replace(':', '_')}"
            attempt = Attempt(name, make, format, place, is_foreign(format, options), known, **further)
            attempts[named].append(attempt)
            if attempt.result != "waits":
                results.add(named, attempt)
    for named, made in attempts.items():
        waiting = [attempt for attempt in made if attempt.result == "waits"]
        if waiting:
            run_elsewhere(named.partition(":")[0], waiting, options)
        for attempt in waiting:
            results.add(named, attempt)


def is_foreign(format, options):
    """Whether another process runs the format."""
    return bool((format == "tf_saved_model" and options.tensorflow) or (format == "tfjs" and options.tfjs))


if __name__ == "__main__":
    main()
