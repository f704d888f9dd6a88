"""Mutants of files of every format that lamina reads: each is read, or refused by an error of files, and then the model
is as it was.

    python -m tests.fuzz.files COUNT [--formats keras,safetensors,...] [--first N] [--jobs N] [--seconds N]

reads COUNT mutants of each format, from number N on, as many formats at once as there are jobs, and stops after that
many seconds of a format. A mutant is made from its number alone, so the printed number
makes it again. They are read in processes that may die, within 2 GiB of memory more than the start took and 60 seconds
of processor time each; what dies, hangs, raises another error or changes a model that refused it is printed, and the
exit status is 1.
With `--atheris` the mutants come from Atheris (`pip install atheris`), which looks for new paths through the code.
The nightly job runs `python -m tests.fuzz.files 100000 --first $(date +%s)`.
"""

import argparse
import contextlib
import gc
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

import lamina
from lamina import layers, saving
from lamina.cli.scan_files import findings_in
from lamina.compat.checkpoints import Checkpoint
from lamina.runtime.protobufs import encode
from lamina.utils.archives import extract_archive
from tests.saving.mutants import CLEAN, mutated_bytes, mutated_hdf5, mutated_json

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHUNK, MEMORY, SECONDS = 10_000, 2 << 30, 60
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
OLD_FILES = ("adam", "frozen", "recurrent", "keras1_branches", "keras1_gates", "keras1_places")


@dataclass
class Format:
    """Good files, and what reads one of their mutants: a function of the path and the model that may not change. The
    other files that it reads lie in the folder `beside`."""

    files: list
    mutate: Any
    read: Any
    model: Any = None
    beside: Any = None


def small(value=1.0):
    rows = [layers.Dense(4, activation="relu", kernel_regularizer="l2"), layers.BatchNormalization(), layers.Dense(2)]
    model = lamina.Sequential([lamina.Input((3,)), *rows], name="small")
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([np.full(weight.shape, value, "float32") for weight in model.weights])
    return model


def read_model(path, model):
    saving.load_model(path)


def read_weights(path, model):
    model.load_weights(path)


def resume(path, model):
    """`fit` with a folder of one checkpoint. The run is over there, so that nothing is trained."""
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, resume=path.parent)


def read_folder(path, model):
    saving.load_model(path.parent)


def restore(path, model):
    """A checkpoint of TensorFlow, whose two files begin alike."""
    Checkpoint(model=model, optimizer=model.optimizer).restore(path.parent / path.name.partition(".")[0])


def extract(path, model):
    extract_archive(path, path.parent / "out")


def scan(path, model):
    findings_in(path)


def mutated_zip(rng, data):
    """An archive with one member damaged, or the bytes of the archive itself."""
    if rng.random() < 0.3:
        return mutated_bytes(rng, data)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            if name == chosen:
                member = _mutated_member(rng, name, member)
            new.writestr(name, member)
    return buffer.getvalue()


def _mutated_member(rng, name, member):
    if name.endswith(".json") and rng.random() < 0.9:
        return json.dumps(mutated_json(rng, json.loads(member))).encode()
    return rng.choice((mutated_hdf5, mutated_bytes) if name.endswith(".h5") else (mutated_bytes,))(rng, member)


def mutated_hdf5_or_bytes(rng, data):
    return rng.choice((mutated_bytes, mutated_hdf5))(rng, data)


def mutated_safetensors(rng, data):
    if rng.random() < 0.3:
        return mutated_bytes(rng, data)
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(mutated_json(rng, json.loads(data[8 : 8 + length]))).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def mutated_record(rng, data):
    """Mostly a record whose checksum is right, made by somebody who can compute one."""
    if rng.random() < 0.1:
        return mutated_bytes(rng, data)
    length = int.from_bytes(data[8:16], "little")
    head = json.dumps(mutated_json(rng, json.loads(data[16 : 16 + length]))).encode()
    body = data[:8] + len(head).to_bytes(8, "little") + head + data[16 + length : -32]
    return body + hashlib.sha256(body).digest()


def mutated_text(rng, data):
    return json.dumps(mutated_json(rng, json.loads(data))).encode() if rng.random() < 0.8 else mutated_bytes(rng, data)


def formats(folder) -> dict[str, Format]:
    """name -> format, with good files written by lamina and by earlier versions of Keras."""
    model, other = small(), small(2.0)
    old = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ending in (".keras", ".h5"):
            other.save(folder / f"m{ending}")
        for ending in (".weights.h5", ".safetensors", ".hdf5"):
            other.save_weights(folder / f"w{ending}")
        other.save_weights(folder / "w.weights.json", max_shard_size=1e-7)
        other.export(folder / "web", format="tfjs", verbose=False)
        other.export(folder / "hub", format="huggingface", verbose=False)
        (folder / "tf").mkdir()
        Checkpoint(model=other, optimizer=other.optimizer).write(folder / "tf" / "w")
        other.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, resume=folder / "run")
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    for name in OLD_FILES:
        packed = ROOT / "tests/saving/files" / f"{name}.h5.gz"
        old[f"{name}.h5"] = gzip.decompress(packed.read_bytes())
    data = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    checkpoint = next((folder / "run").glob("*.checkpoint"))
    archives = dict(packed_in_ways(sorted(path for path in folder.iterdir() if path.is_file())[:4]))

    def inside(name, *endings):
        return [(path.name, path.read_bytes()) for path in sorted((folder / name).iterdir()) if path.suffix in endings]

    def of(*names):
        return [(name, data[name]) for name in names]

    scanned = [*of(*data), *old.items(), *archives.items(), *pickles(), *graphs(), *inside("web", ".json")]
    return {
        "keras": Format(of("m.keras"), mutated_zip, read_model),
        "keras_weights": Format(of("m.keras"), mutated_zip, read_weights, model),
        "h5": Format(of("m.h5"), mutated_hdf5_or_bytes, read_model),
        "old_h5": Format([*old.items()], mutated_hdf5_or_bytes, read_model),
        "legacy_weights": Format(of("w.hdf5"), mutated_hdf5_or_bytes, read_weights, model),
        "weights_h5": Format(of("w.weights.h5"), mutated_hdf5_or_bytes, read_weights, model),
        "safetensors": Format(of("w.safetensors"), mutated_safetensors, read_weights, model),
        "shards": Format(of("w.weights.json"), mutated_text, read_weights, model, folder),
        "checkpoint": Format([(checkpoint.name, checkpoint.read_bytes())], mutated_record, resume, model),
        "tfjs": Format(inside("web", ".json"), mutated_text, read_model, beside=folder / "web"),
        "huggingface": Format(inside("hub", ".json"), mutated_text, read_folder, beside=folder / "hub"),
        "tensorflow": Format(
            inside("tf", ".index", ".data-00000-of-00001"), mutated_bytes, restore, model, folder / "tf"
        ),
        "tar": Format([one for one in archives.items() if ".tar" in one[0]], mutated_bytes, extract),
        "zip": Format([("8.zip", archives["8.zip"]), *of("m.keras")], mutated_bytes, extract),
        "scan": Format(scanned, mutated_bytes, scan),
    }


def packed_in_ways(paths):
    """(name, archive) of files, in tar and zip with each kind of compression."""
    for ending in ("", "gz", "bz2", "xz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=f"w:{ending}") as archive:
            for path in paths:
                archive.add(path, path.name)
        yield f"a.tar.{ending}".rstrip("."), buffer.getvalue()
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for path in paths:
                archive.write(path, path.name)
        yield f"{method}.zip", buffer.getvalue()


def graphs():
    """Files for `lamina scan`: graphs of TensorFlow and ONNX."""
    tensor = encode((1, 3), (8, "w"), (9, bytes(12)), (13, encode((1, "location"), (2, "w.bin"))))
    yield "m.onnx", encode((1, 10), (7, encode((1, encode((4, "Add"), (5, encode((5, tensor))))), (5, tensor))))
    graph = encode((1, encode((1, "n"), (2, "ReadFile"))))
    words = encode((7, encode((1, encode((4, encode((3, '{"class_name": "Dense"}'))))))), (2, graph))
    yield "saved_model.pb", encode((1, 1), (2, words))
    yield "graph.pbtxt", b'node { name: "n" op: "ReadFile" }'


def pickles():
    """Files for `lamina scan`: pickles of every protocol, and what holds them."""
    import pickle

    plain = {"a": np.zeros(3), "b": {1, 2}, "c": [1.5, "os system", b"x"], "d": print}
    yield from ((f"p{number}.pkl", pickle.dumps(plain, number)) for number in range(6))
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3), b=np.array([plain], object))
    yield "a.npz", buffer.getvalue()
    yield "z.joblib", gzip.compress(pickle.dumps(plain))


def variables(model):
    return [] if model is None else [*model.weights, *model.optimizer.variables]


def same(old, new):
    """Whether two arrays are equal. An array never changes, so that most are one object."""
    return old is new or np.asarray(old).tobytes() == np.asarray(new).tobytes()


def attempt(form, path, data):
    """(result, what is wrong, if anything) of reading a mutant. The model has its values again afterwards."""
    path.write_bytes(data)
    before = [variable.value for variable in variables(form.model)]
    result, wrong = "read", ""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            form.read(path, form.model)
    except CLEAN as error:
        result = type(error).__name__
    except (Exception, KeyboardInterrupt):
        result, wrong = "WRONG", traceback.format_exc()
    signal.setitimer(signal.ITIMER_PROF, 0)
    changed = [(v, old) for v, old in zip(variables(form.model), before, strict=True) if not same(v.value, old)]
    if changed and result != "read":
        wrong = wrong or "it was refused, and the model is another"
    for variable, old in changed:
        variable.assign(old)
    return result, wrong


def work(name, first, count, until):
    """Read mutants of a format up to a time, and print the result of each."""
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory(dir=IN_MEMORY) as scratch:
        form = formats(pathlib.Path(made))[name]
        gc.freeze()
        used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        signal.signal(signal.SIGPROF, signal.default_int_handler)
        for number in range(first, first + count):
            if time.time() > until:
                break
            print(f"@{number}", flush=True)
            rng = random.Random(f"{name} {number}")
            file, data = rng.choice(form.files)
            start = time.process_time()
            try:
                mutant = form.mutate(rng, data)
            except Exception:  # a file that HDF5 cannot change any more
                mutant = mutated_bytes(rng, data)
            for path in pathlib.Path(scratch).iterdir():
                path.unlink() if path.is_file() else _remove(path)
            if form.beside:
                _neighbours(form.beside, pathlib.Path(scratch))
            result, wrong = attempt(form, pathlib.Path(scratch, file), mutant)
            slow = time.process_time() - start
            print(f"={number} {result}" + (f" SLOW {slow:.1f} s" if slow > 8 else ""), flush=True)
            if wrong:
                print(f"#{number} {json.dumps(wrong[-3000:])}", flush=True)


def _remove(folder):
    import shutil

    shutil.rmtree(folder)


def _neighbours(source, target):
    for path in source.iterdir():
        if path.is_file():
            (target / path.name).write_bytes(path.read_bytes())


def run(name, first, count, seconds):
    """Read mutants in processes of their own; the number of those that went wrong."""
    kinds, wrong, end, until = {}, 0, first + count, time.time() + seconds
    while first < end and time.time() < until:
        options = ["--first", str(first), "--work", name, "--seconds", str(until - time.time())]
        command = [sys.executable, "-m", "tests.fuzz.files", str(min(CHUNK, end - first)), *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as job:
            told, errors = job.communicate()
        last, done = None, set()
        for line in told.splitlines():
            number, _, rest = line[1:].partition(" ")
            if line.startswith("@"):
                last = int(number)
            elif line.startswith("="):
                done.add(int(number))
                kinds[rest.split()[0]] = kinds.get(rest.split()[0], 0) + 1
                if "SLOW" in rest:
                    print(f"{name} {number}: {rest}", flush=True)
            elif line.startswith("#"):
                wrong += 1
                print(f"{name} {number}: {json.loads(rest)}", flush=True)
        if last is None and time.time() > until:
            break
        if last is None:
            raise SystemExit(f"{name}: nothing was read: {errors[-2000:]}")
        if last not in done:
            wrong += 1
            print(f"{name} {last}: DIED with {job.returncode}: {errors[-500:]}", flush=True)
        first = last + 1
    print(f"{name}: {sum(kinds.values())} mutants up to {first}, {kinds}, {wrong} wrong", flush=True)
    return wrong


def with_atheris(name):
    """Let Atheris make the bytes, with the good files as its corpus."""
    import atheris

    folder, scratch = pathlib.Path(tempfile.mkdtemp()), pathlib.Path(tempfile.mkdtemp())
    form = formats(folder)[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for file, data in form.files:
        (corpus / file).write_bytes(data)
    signal.signal(signal.SIGPROF, signal.default_int_handler)

    def one(data):
        result, wrong = attempt(form, scratch / form.files[0][0], data)
        if wrong:
            raise RuntimeError(f"{result}: {wrong}")

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(corpus), "-runs=100000"], one)
    atheris.Fuzz()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--formats", default="")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work, args.first, args.count, time.time() + args.seconds)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        known = [*filter(None, args.formats.split(","))] or [*formats(pathlib.Path(folder))]
    with ThreadPoolExecutor(1 if args.atheris else args.jobs) as pool:
        one = with_atheris if args.atheris else lambda name: run(name, args.first, args.count, args.seconds)
        wrong = sum(pool.map(one, known))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
