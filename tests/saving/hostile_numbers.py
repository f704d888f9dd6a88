"""A config of each exported object with one value replaced by a hostile one, through every way to read a config.

    python tests/saving/hostile_numbers.py [--entries json,keras] [--every N] [--first K] [--only NAME] [--sizes]
        [--several N [--seed N]]

Objects are layers, and optimizers, schedules, losses, metrics, initializers, regularizers, constraints, quantizers and
dtype policies in a model that uses them. With --several, N mutants of each layer have several numbers at once, none of
them absurd; in rows of four such layers they multiply. Each mutant is read within 10 seconds and 8 GiB of memory by a
process that may be killed; what is killed, takes more than a second of CPU time or 100 MiB, or ends in another error
than those of files is printed, and the exit status is 1 if there was any.
"""

import argparse
import contextlib
import copy
import io
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS, MEMORY, PEAK, CPU = 10, 8 << 30, 100 << 20, 1.0
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}
HOSTILE = [
    10**9, 10**5, -1, float("nan"), float("inf"), 1e308, "text", [1, 2, 3, 4, 5, 6, 7], [10**9, 10**9], {}, True, None,
    2**63, DENSE, {"class_name": "__tuple__", "config": {"value": [10**9, 10**9]}}, [[[10**9]]], {"a": {"b": [10**9]}},
]  # fmt: skip
ENTRIES = ("json", "keras", "explain", "check", "view", "summary", "convert")
SEVERAL: tuple[int, int] | None = None


def configs():
    """name -> archive of a model with an example of each exported object."""
    import lamina
    from tests import contract

    made = {}

    def add(name, model):
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/m.keras")
            made[name] = pathlib.Path(folder, "m.keras").read_bytes()

    def around(settings=None, **arguments):
        row = lamina.layers.Dense(2, name="hostile", **arguments)
        model = lamina.Sequential([lamina.Input((3,)), row])
        model.compile(**{"optimizer": "sgd", "loss": "mse", **(settings or {})})
        return model

    for name in contract.LAYERS:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            example = contract.example_of_layer(name)
            layer = contract.make_layer(example, name="hostile")
            inputs = contract.symbols(example, contract.input_type(layer))
            add(name, lamina.Model(inputs, layer(*inputs)))
    for name, (shape, kwargs) in ROWS.items():
        made_of = getattr(lamina.layers, name)
        rows = [made_of(**kwargs, name=f"hostile_{number}") for number in range(4)]
        add(f"row of {name}", lamina.Sequential([lamina.Input(shape), *rows, lamina.layers.Flatten()]))
    schedules = contract.exported(lamina.optimizers.schedules, lamina.optimizers.schedules.LearningRateSchedule)
    tables = [
        (contract.OPTIMIZERS, contract.OPTIMIZER_EXAMPLES, lambda one: around({"optimizer": one})),
        (contract.LOSSES, contract.LOSS_EXAMPLES, lambda one: around({"loss": one})),
        (contract.METRICS, contract.METRIC_EXAMPLES, lambda one: around({"metrics": [one]})),
        (schedules, SCHEDULES, lambda one: around({"optimizer": lamina.optimizers.Adam(one)})),
        (contract.INITIALIZERS, {}, lambda one: around(kernel_initializer=one)),
        (contract.REGULARIZERS, {}, lambda one: around(kernel_regularizer=one)),
        (contract.CONSTRAINTS, {}, lambda one: around(kernel_constraint=one)),
        (contract.exported(lamina.dtype_policies, lamina.dtype_policies.DTypePolicy), POLICIES,
         lambda one: around(dtype=one)),
        (contract.exported(lamina.quantizers, lamina.quantizers.QuantizationConfig), {},
         lambda one: around(quantization_config=one)),
    ]  # fmt: skip
    for table, examples, put in tables:
        for name, cls in table.items():
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                kwargs = examples[name][0]() if name in examples else {}
                add(f"{cls.__module__.split('.')[1]}.{name}", put(cls(**kwargs)))
    return made


SCHEDULES = {
    "ExponentialDecay": [lambda: dict(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.9)],
    "InverseTimeDecay": [lambda: dict(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.9)],
    "PiecewiseConstantDecay": [lambda: dict(boundaries=[10, 20], values=[0.1, 0.2, 0.3])],
    "PolynomialDecay": [lambda: dict(initial_learning_rate=0.1, decay_steps=10)],
    "CosineDecay": [lambda: dict(initial_learning_rate=0.1, decay_steps=10, warmup_target=0.2, warmup_steps=5)],
    "CosineDecayRestarts": [lambda: dict(initial_learning_rate=0.1, first_decay_steps=10)],
    "OneCycle": [lambda: dict(max_learning_rate=0.1, total_steps=10)],
}
POLICIES = {
    "DTypePolicy": [lambda: dict(name="mixed_bfloat16")], "FloatDTypePolicy": [lambda: dict(name="mixed_bfloat16")],
    "QuantizedDTypePolicy": [lambda: dict(mode="int8", source_name="float32")],
    "QuantizedFloat8DTypePolicy": [lambda: dict(mode="float8", source_name="float32")],
}  # fmt: skip


def config_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("config.json"))


def with_config(data, config):
    """The archive with another config."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(config) if name == "config.json" else old.read(name))
    return buffer.getvalue()


def places(value, path=()):
    """The path of each value in a structure, of texts those that may name something alone."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if key in ("module", "class_name", "registered_name", "name", "build_config") or key == "shared_object_id":
            continue
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, key))


ROWS = {
    **{f"UpSampling{n}D": ((*[2] * n, 1), dict(size=2)) for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": ((*[2] * n, 1), dict(padding=1)) for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": ((*[2] * n, 1), dict(filters=1, kernel_size=2, strides=2)) for n in (1, 2, 3)},
    "Dense": ((2,), dict(units=2)), "Conv2D": ((9, 9, 1), dict(filters=2, kernel_size=2)), "LSTM": (
        (3, 2), dict(units=2, return_sequences=True)), "Resizing": ((4, 4, 1), dict(height=3, width=3)),
}  # fmt: skip


def several(config, count, seed):
    """Mutants with about half of the numbers of a layer replaced, by as many digits as chance gives them."""
    rows = [one for one in config["config"]["layers"] if str(one["config"].get("name")).startswith("hostile")]
    if not rows:
        return
    numbers = [path for path in places(rows[0]["config"]) if _is_number(_at(rows[0]["config"], path))]
    for number in range(count if numbers else 0):
        rng = random.Random(f"{seed} {number} {json.dumps(config)}")
        changed = {path: int(10 ** rng.uniform(0, 7)) for path in numbers if rng.random() < 0.6}
        whole = json.loads(json.dumps(config))
        for row in whole["config"]["layers"]:
            for path, value in changed.items() if str(row["config"].get("name")).startswith("hostile") else ():
                _at(row["config"], path[:-1])[path[-1]] = value
        yield ", ".join(f"{'.'.join(map(str, path))} = {value}" for path, value in changed.items()), whole


def _is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def mutants(config):
    """(what was changed, config) of each mutant of the layer called `hostile`, or of the settings of compile()."""
    if SEVERAL:
        yield from several(config, *SEVERAL)
        return
    if not any(one["config"].get("name") == "hostile" for one in config["config"]["layers"]):
        return
    rows = config["config"]["layers"]
    place = next(i for i, one in enumerate(rows) if one["config"].get("name") == "hostile")
    roots = [("config", "layers", place, "config")] + [("compile_config",)] * bool(config.get("compile_config"))
    for root in roots:
        for path in places(_at(config, root), root):
            for value in HOSTILE:
                if _at(config, path) == value:
                    continue
                whole = json.loads(json.dumps(config))
                _at(whole, path[:-1])[path[-1]] = copy.deepcopy(value)
                yield f"{'.'.join(map(str, path[len(root) :]))} = {str(value)[:40]}", whole


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def read(entry, data, config, folder):
    """Read a config through one of the entries."""
    from lamina import cli, saving
    from lamina.errors import LaminaError

    if entry == "json":
        saving.model_from_json(json.dumps(config))
        return
    path = pathlib.Path(folder, "m.keras")
    path.write_bytes(with_config(data, config))
    if entry == "keras":
        saving.load_model(path)
        return
    extra = {"view": ["-o", f"{folder}/m.html"], "convert": [f"{folder}/o.keras", "--overwrite"]}.get(entry, [])
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        if cli.main([entry, str(path), *extra]) == 2:
            raise LaminaError(out.getvalue())


def work(files, jobs):
    """Read the mutants whose numbers stand in `jobs`, and print the result of each."""
    import jax

    from lamina.errors import LaminaError

    jax.numpy.zeros(1).block_until_ready()
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    made = {name: list(mutants(config_of(data))) for name, data in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        known = set()
        for number, (name, index, entry) in jobs:
            if (name, entry) not in known:  # what it compiles once is not the mutant's
                known.add((name, entry))
                with contextlib.suppress(Exception), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    read(entry, files[name], config_of(files[name]), folder)
            print(f"@{number}", flush=True)
            pathlib.Path("/proc/self/clear_refs").write_text("5")
            before, start = memory(), time.process_time()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    read(entry, files[name], made[name][index][1], folder)
                result = "read"
            except (LaminaError, OSError) as error:
                result = type(error).__name__
                cause = error.__cause__ or error.__context__
                result += " LARGE MemoryError" if isinstance(cause, MemoryError) or "MemoryError" in str(error) else ""
            except BaseException as error:
                result = f"WRONG {type(error).__name__} {str(error)[:150]!r}"
            taken, peak = time.process_time() - start, memory("VmHWM:") - before
            result += f" SLOW {taken:.1f} s" if taken > CPU else ""
            result += f" LARGE {peak >> 20} MiB" if peak > PEAK else ""
            print(f"={number} {result}", flush=True)


def memory(key="VmRSS:"):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", default="json,keras")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only")
    parser.add_argument("--sizes", action="store_true", help="large numbers alone")
    parser.add_argument("--several", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    cache = pathlib.Path(tempfile.gettempdir(), "lamina_hostile_numbers.json")
    global HOSTILE, SEVERAL
    SEVERAL = (args.several, args.seed) if args.several else None
    HOSTILE = [*HOSTILE[:2], [10**9] * 2] if args.sizes else HOSTILE
    if args.work:
        files = {name: bytes.fromhex(text) for name, text in json.loads(cache.read_text()).items()}
        work(files, json.loads(pathlib.Path(args.work).read_text()))
        return 0
    files = configs()
    cache.write_text(json.dumps({name: data.hex() for name, data in files.items()}))
    everything = [
        (name, index, entry) for name, data in files.items() if args.only in (None, name)
        for index in range(len(list(mutants(config_of(data))))) for entry in args.entries.split(",")
    ]  # fmt: skip
    jobs = list(enumerate(everything))[args.first :: args.every]
    print(len(files), "layers,", len(jobs), "mutants", flush=True)
    names = {name: [what for what, _ in mutants(config_of(data))] for name, data in files.items()}
    wrong, counts = 0, {}
    while jobs:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(jobs, file)
            file.flush()
            done, results = run_worker(file.name)
        for number, result in results:
            name, index, entry = everything[number]
            counts[result.split()[0]] = counts.get(result.split()[0], 0) + 1
            if any(word in result for word in ("WRONG", "SLOW", "LARGE", "KILLED")):
                wrong += 1
                print(f"{entry} {name}: {names[name][index]} -> {result}", flush=True)
        jobs = jobs[done:]
    print(counts)
    return int(wrong > 0)


def run_worker(path):
    """(number of jobs that were finished or killed, [(number, result)])."""
    import select

    command = [sys.executable, __file__, "--work", path, *(["--sizes"] if len(HOSTILE) == 3 else [])]
    command += ["--several", str(SEVERAL[0]), "--seed", str(SEVERAL[1])] if SEVERAL else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1) as process:
        results, current, rest = [], None, ""
        while True:
            ready, _, _ = select.select([process.stdout], [], [], SECONDS if current is not None else 120)
            data = __import__("os").read(process.stdout.fileno(), 65536).decode() if ready else None
            if not data:
                process.kill()
                if current is not None:
                    why = "KILLED after 10 s" if data is None else f"KILLED by signal {process.wait()}"
                    results.append((current, why))
                return len(results), results
            *lines, rest = (rest + data).split("\n")
            for line in lines:
                if line.startswith("@"):
                    current = int(line[1:])
                elif line.startswith("="):
                    number, _, result = line[1:].partition(" ")
                    results.append((int(number), result))
                    current = None


if __name__ == "__main__":
    sys.exit(main())
