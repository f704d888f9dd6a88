"""A config of each exported layer with one number replaced by a hostile one, through every way to read a config.

    python tests/saving/hostile_numbers.py [--entries json,keras] [--every N] [--first K] [--only LAYER]

Each mutant is read within 10 seconds and 8 GiB of memory by a process that may be killed; what is killed, slow, large
or ends in another error than those of files is printed, and the exit status is 1 if there was any.
"""

import argparse
import contextlib
import copy
import io
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS, MEMORY, PEAK = 10, 8 << 30, 1 << 30
HOSTILE = [10**9, 10**5, -1, float("nan"), 1e308, "text", [1, 2, 3, 4, 5, 6, 7], [10**9, 10**9], {}, True, None, 2**63]
ENTRIES = ("json", "keras", "explain", "check", "view", "summary", "convert")


def configs():
    """name -> (config of a model around an example of each exported layer, bytes of its weights)."""
    import lamina
    from tests import contract

    made = {}
    for name in contract.LAYERS:
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            example = contract.example_of_layer(name)
            layer = contract.make_layer(example, name="hostile")
            inputs = contract.symbols(example, contract.input_type(layer))
            model = lamina.Model(inputs, layer(*inputs))
            with tempfile.TemporaryDirectory() as folder:
                model.save(f"{folder}/m.keras")
                made[name] = pathlib.Path(folder, "m.keras").read_bytes()
    return made


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


def numbers(value, path=()):
    """The path of each number and None in a structure, and of each list of numbers."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (int, float)) or item is None or (isinstance(item, list) and item):
            yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from numbers(item, (*path, key))


def mutants(config):
    """(what was changed, config) of each mutant of the layer called `hostile`."""
    place = next(i for i, one in enumerate(config["config"]["layers"]) if one["config"].get("name") == "hostile")
    layer = config["config"]["layers"][place]
    for path in numbers(layer["config"]):
        if path[0] == "dtype" or path[-1] in ("registered_name",):
            continue
        for value in HOSTILE:
            changed = copy.deepcopy(layer)
            target = changed["config"]
            for key in path[:-1]:
                target = target[key]
            if target[path[-1]] == value:
                continue
            target[path[-1]] = value
            whole = copy.deepcopy(config)
            whole["config"]["layers"][place] = changed
            yield f"{'.'.join(map(str, path))} = {str(value)[:40]}", whole


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
        for number, (name, index, entry) in jobs:
            print(f"@{number}", flush=True)
            pathlib.Path("/proc/self/clear_refs").write_text("5")
            before, start = memory(), time.monotonic()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    read(entry, files[name], made[name][index][1], folder)
                result = "read"
            except (LaminaError, ValueError, OSError, TypeError) as error:
                result = type(error).__name__
                cause = error.__cause__ or error.__context__
                result += " LARGE MemoryError" if isinstance(cause, MemoryError) or "MemoryError" in str(error) else ""
                if type(error).__name__ in ("TypeError", "XlaRuntimeError", "JaxRuntimeError"):
                    result = f"ODD {result} {str(error)[:150]!r}"
            except BaseException as error:
                result = f"WRONG {type(error).__name__} {str(error)[:150]!r}"
            taken, peak = time.monotonic() - start, memory("VmHWM:") - before
            result += f" SLOW {taken:.1f} s" if taken > 3 else ""
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
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    cache = pathlib.Path(tempfile.gettempdir(), "lamina_hostile_numbers.json")
    global HOSTILE
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
            if any(word in result for word in ("WRONG", "SLOW", "LARGE", "KILLED", "ODD")):
                wrong += "ODD" not in result
                print(f"{entry} {name}: {names[name][index]} -> {result}", flush=True)
        jobs = jobs[done:]
    print(counts)
    return int(wrong > 0)


def run_worker(path):
    """(number of jobs that were finished or killed, [(number, result)])."""
    import select

    command = [sys.executable, __file__, "--work", path, *(["--sizes"] if len(HOSTILE) == 3 else [])]
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
