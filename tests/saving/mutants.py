"""Good files, damaged at random and read again: each is read, or refused by an error of the kinds `CLEAN`.

    python tests/saving/mutants.py FIRST COUNT [LOG]

reads the mutants FIRST ... FIRST + COUNT - 1, each made from its number alone, within 3 GiB of memory more than the
start took and 20 seconds each, and ends with status 1 if any was neither read nor refused so.
"""

import copy
import io
import json
import pathlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile

import h5py
import numpy as np

import lamina
from lamina import layers, saving
from lamina.errors import LaminaError

CLEAN = (LaminaError, OSError)
MEMORY, SECONDS = 3 << 30, 20
VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 7, 10**4, 10**9, 10**13, -(10**9), 2**63, 0.5, -0.5, 1e-30, 1e300, float("nan"),
    float("inf"), "", "x", "same", "valid", "relu", "float16", "int8", "channels_first", "../x", "/etc/hostname",
    "\0", "a" * 5000, [], {}, [[]], [None], [1, 2, 3], [0], [[1, 2], [3, 4]], {"a": 1}, {"class_name": "Dense"},
    {"class_name": "Dense", "config": {"units": 3}}, {"class_name": "Zeros", "config": {}},
    {"class_name": "__lambda__", "config": {"code": "x"}}, {"class_name": "function", "config": "eval"},
    {"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}},
    {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32"}},
]  # fmt: skip


def models():
    """Small models that have, together, most of what files hold."""
    rows = [layers.Dense(4, activation="relu", kernel_regularizer="l2"), layers.BatchNormalization()]
    mlp = lamina.Sequential([lamina.Input((3,)), *rows, layers.Dropout(0.5), layers.Dense(2)])
    mlp.compile("adam", "mse", metrics=["mae"])
    mlp.optimizer.build(mlp.trainable_variables)
    image = lamina.Input((8, 8, 1), name="image")
    x = layers.Conv2D(2, 3, padding="same")(image)
    x = layers.Add()([x, layers.SeparableConv2D(2, 3, padding="same")(x)])
    graph = lamina.Model(image, [layers.GlobalAveragePooling2D()(x) * 2 + 1, layers.Flatten()(x)])
    words = lamina.Input((5,), dtype="int32", name="words")
    x = layers.Embedding(7, 3, mask_zero=True)(words)
    x = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x)
    x = layers.MultiHeadAttention(2, 2)(x, x)
    text = lamina.Model(words, layers.TimeDistributed(layers.Dense(2))(x))
    inner = lamina.Sequential([lamina.Input((3,)), layers.Dense(3)], name="inner")
    start = lamina.Input((3,), name="start")
    nested = lamina.Model(start, inner(inner(start)))
    return {"mlp": mlp, "graph": graph, "text": text, "nested": nested}


def good_files(folder):
    """(model, bytes by name of file) for each model."""
    made = []
    for name, model in models().items():
        files = {}
        for ending in (".keras", ".h5", ".weights.h5"):
            path = pathlib.Path(folder, name + ending)
            (model.save_weights if ending == ".weights.h5" else model.save)(path)
            files[ending] = path.read_bytes()
            path.unlink()
        made.append((model, files))
    return made


def mutated_json(rng, value):
    """A copy of a structure with a few of its places changed."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        spots = list(_spots(value))
        if spots:
            _change(rng, spots, *rng.choice(spots))
    return value


def _spots(value):
    """(container, key) of each place in a structure."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _spots(item)


def _change(rng, spots, container, key):
    action = rng.random()
    if action < 0.15:
        del container[key]
    elif action < 0.3:
        other, place = rng.choice(spots)
        container[key] = json.loads(json.dumps(other[place]))
    elif action < 0.4 and isinstance(container, dict):
        container[rng.choice(("name", "config", "class_name", "module", "x", "layers", "dtype"))] = container.pop(key)
    elif action < 0.5 and isinstance(container[key], int) and not isinstance(container[key], bool):
        container[key] = container[key] + rng.choice((-1, 1, 2, 100))
    elif action < 0.55 and isinstance(container, list):
        container.insert(key, json.loads(json.dumps(container[key])))
    else:
        container[key] = copy.deepcopy(rng.choice(VALUES))


def mutated_bytes(rng, data):
    """A copy of bytes with some flipped, cut off, repeated or swapped for others."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        place = rng.randrange(max(len(data), 1))
        action = rng.random()
        if action < 0.05:
            del data[place:]
        elif action < 0.6:
            data[place : place + 1] = bytes([rng.randrange(256)])
        elif action < 0.8:
            data[place : place + 8] = rng.choice((b"\xff" * 8, bytes(8), b"\x01" + bytes(7), b"\0\0\0\0\xff\0\0\0"))
        else:
            source = rng.randrange(max(len(data), 1))
            data[place : place + 16] = data[source : source + 16]
        if not data:
            break
    return bytes(data)


def mutated_hdf5(rng, data):
    """A copy of an HDF5 file with attributes, arrays and links changed, by HDF5's own means."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        found = [file]
        file.visititems(lambda _, item: found.append(item))
        for _ in range(rng.choice((1, 1, 2, 4))):
            item = rng.choice(found)
            if not item or not item.name or item.name not in file:  # gone by an earlier change
                continue
            attributes = list(item.attrs)
            if attributes and rng.random() < 0.5:
                _change_attribute(rng, item, rng.choice(attributes))
            elif isinstance(item, h5py.Dataset):
                _change_array(rng, file, item.name)
            elif len(item):
                name = rng.choice(list(item))
                if rng.random() < 0.5:
                    del item[name]
                else:
                    item[f"again{rng.randrange(10**6)}"] = rng.choice((item[name], h5py.SoftLink("/"), file))
    return buffer.getvalue()


def _change_attribute(rng, item, name):
    if rng.random() < 0.2:
        del item.attrs[name]
        return
    old = item.attrs[name]
    if isinstance(old, (bytes, str)) and rng.random() < 0.5:
        old = old if isinstance(old, bytes) else old.encode()
        new = np.bytes_(mutated_bytes(rng, old).replace(b"\0", b" ") or b"x")
    else:
        new = rng.choice((b"", b"x", "x", 1, 1.5, np.arange(3), np.array([b"a", b"b"]), h5py.Empty("f4"), ["a", "b"]))
    item.attrs[name] = new


def _change_array(rng, file, name):
    shape, dtype = file[name].shape, file[name].dtype
    del file[name]
    shape = rng.choice((shape, shape[::-1], (*shape, 1), (), (0,), (10**9,), (2**40, 2**20)))
    dtype = rng.choice((dtype, dtype, "float64", "int8", "complex64", "S4", "V2", h5py.string_dtype(), h5py.ref_dtype))
    settings = {"chunks": True, "compression": "gzip"} if shape and 0 not in shape else {}
    file.create_dataset(name, shape, dtype, **settings)


def mutant(rng, files):
    """(ending, bytes) of a damaged file."""
    ending = rng.choice((".keras", ".keras", ".h5", ".weights.h5"))
    data = files[ending]
    if ending != ".keras":
        return ending, rng.choice((mutated_bytes, mutated_hdf5))(rng, data)
    if rng.random() < 0.2:
        return ending, mutated_bytes(rng, data)
    buffer = io.BytesIO()
    chosen = rng.choice(("config.json", "config.json", "config.json", "model.weights.h5", "metadata.json"))
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            if name == chosen and name.endswith("json") and rng.random() < 0.9:
                member = json.dumps(mutated_json(rng, json.loads(member))).encode()
            elif name == chosen:
                change = mutated_hdf5 if name.endswith("h5") and rng.random() < 0.5 else mutated_bytes
                member = change(rng, member)
            new.writestr(name, member)
    return ending, buffer.getvalue()


def read(model, path, ending):
    """Read a file as its ending says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if ending == ".weights.h5":
            model.load_weights(path)
        else:
            saving.load_model(path)


def main(first, count, log):
    """Read mutants; the number of those that were neither read nor cleanly refused."""
    wrong, kinds = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        made = good_files(folder)
        used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for number in range(first, first + count):
            print(f"@{number}", file=log, flush=True)
            rng = random.Random(number)
            model, files = rng.choice(made)
            ending, data = mutant(rng, files)
            path = pathlib.Path(folder, "mutant" + ending)
            path.write_bytes(data)
            signal.alarm(SECONDS)
            start = time.monotonic()
            try:
                read(model, path, ending)
                result = "read"
            except CLEAN as error:
                result = type(error).__name__
            except (Exception, KeyboardInterrupt) as error:
                result = "WRONG"
                wrong += 1
                print(f"WRONG {number}: {type(error).__name__}: {error}", file=log)
                traceback.print_exc(file=log)
            signal.alarm(0)
            if time.monotonic() - start > 5:
                print(f"SLOW {number}: {time.monotonic() - start:.1f} s", file=log)
            kinds[result] = kinds.get(result, 0) + 1
    print(kinds, file=log)
    return wrong


if __name__ == "__main__":
    log = open(sys.argv[3], "a") if len(sys.argv) > 3 else sys.stdout  # noqa: SIM115
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2]), log) else 0)
