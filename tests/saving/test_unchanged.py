"""A file that is refused, and a fit that is broken off, leave the model as it was: for each format, at each moment."""

import ast
import inspect
import io
import itertools
import json
import random
import shutil
import signal
import tarfile
import textwrap
import time
import warnings

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.compat.bundle import Bundle
from lamina.compat.checkpoints import Checkpoint
from lamina.compat.random_numbers import Generator
from lamina.errors import FileError, LaminaError
from lamina.saving.safety.records import read_record, write_record
from lamina.training.data.dataset import Dataset
from lamina.training.state import TrainingState
from lamina.utils.archives import extract_archive
from tests.saving.mutants import mutated_bytes, mutated_json

pytestmark = pytest.mark.filterwarnings("ignore")
ENDINGS = (".safetensors", ".weights.h5", ".keras", ".h5", ".weights.json")


def make(value=1.0):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    model.set_weights([np.full(w.shape, value, "float32") for w in model.get_weights()])
    return model


def values(model):
    return [weight.tobytes() for weight in model.get_weights()]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(model, {ending: the files that were written}, folder)."""
    folder, made, other = tmp_path_factory.mktemp("files"), {}, make(2.0)
    for ending in ENDINGS:
        path = folder / f"m{ending}"
        if ending in (".keras", ".h5"):
            other.save(path)
        else:
            other.save_weights(path, **({"max_shard_size": 1e-7} if ending == ".weights.json" else {}))
        made[ending] = path.read_bytes()
    return make(), made, folder


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_is_refused_changes_nothing(files, ending):
    model, made, folder = files
    before, path, refused = values(model), folder / f"mutant{ending}", 0
    for number in range(40):
        rng = random.Random(number)
        path.write_bytes(change(rng, made[ending], ending))
        try:
            model.load_weights(path)
        except (LaminaError, ValueError, OSError):
            refused += 1
            assert values(model) == before, f"mutant {number}"
        else:
            model.set_weights([np.full(weight.shape, 1, "float32") for weight in model.weights])
    assert refused > 3


def change(rng, data, ending):
    """Bytes changed anywhere; of formats that begin with JSON, mostly there."""
    if ending == ".weights.json":
        return json.dumps(mutated_json(rng, json.loads(data))).encode()
    if ending != ".safetensors" or rng.random() < 0.2:
        return mutated_bytes(rng, data)
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(mutated_json(rng, json.loads(data[8 : 8 + length]))).encode()
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def test_a_warning_that_is_an_error_leaves_the_weights(files, tmp_path):
    model, _, _ = files
    before, longer = values(model), make(3.0)
    longer.add(layers.Dense(2))
    longer.save_weights(tmp_path / "m.safetensors")
    with warnings.catch_warnings(), pytest.raises(UserWarning):
        warnings.simplefilter("error")
        model.load_weights(tmp_path / "m.safetensors")
    assert values(model) == before


@pytest.mark.parametrize(
    "tree", [{"no such tag": 1}, {"array": 7}, {"a": 1, "b": 2}, {"generator": ["os", {}]}, [{"dict": [1]}]]
)
def test_a_record_of_another_structure_is_a_file_error(tree):
    """Its checksum is right: somebody made it so."""
    for arrays in ([], [["float32", [10**12]]], [["nothing", [1]]], [["float32", "x"]], 5):
        with pytest.raises(FileError, match="cannot be read|is damaged"):
            read_record(signed({"tree": tree, "arrays": arrays}), "file")


def signed(head):
    import hashlib

    text = json.dumps(head).encode()
    data = b"lamina 1" + len(text).to_bytes(8, "little") + text
    return data + hashlib.sha256(data).digest()


def test_a_backup_that_lacks_a_part_is_a_file_error(tmp_path):
    model = make()
    model.compile("sgd", "mse")
    for record in ({"data": "4 samples"}, [1, 2], {}):
        with open(tmp_path / "000001-000000000.checkpoint", "wb") as file:
            write_record(record, file)
        with pytest.raises(FileError, match="lacks a part"):
            model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, resume=tmp_path)
    assert values(model) == values(make())


def test_a_backup_whose_parts_are_of_another_kind_leaves_the_model(tmp_path):
    x, y = np.ones((4, 3)), np.ones((4, 2))
    other, model = make(2.0), make()
    for one in (other, model):
        one.compile("sgd", "mse")
    other.fit(x, y, verbose=0, resume=tmp_path)
    model.fit(x, y, verbose=0)
    (path,), before = tmp_path.glob("[0-9]*"), values(model)
    data = path.read_bytes()
    for key, part in {
        "epoch": "text", "batch": -1, "stopped": 7, "logs": 1, "values": [5] * 9, "callbacks": 5, "taken": None,
        "states": 3, "versions": {"jax": np.ones(3)}, "data": np.ones(3), "processes": {"0": 3},
    }.items():  # fmt: skip
        record = read_record(data, "backup")
        with open(path, "wb") as file:
            write_record({**record, "stopped": False, "epoch": 0, key: part}, file)
        with pytest.raises(FileError):
            model.fit(x, y, verbose=0, resume=tmp_path)
        assert values(model) == before, key


@pytest.mark.parametrize("format", ["tfjs", "shards", "tensorflow"])
def test_weights_beside_a_file_are_in_its_folder_where_links_lead_as_well(format, tmp_path):
    model, folder = make(2.0), tmp_path / "a"
    model.compile("sgd", "mse")
    folder.mkdir()
    if format == "tfjs":
        model.export(folder, format="tfjs", verbose=False)
        read = lambda path: lamina.saving.load_model(path / "model.json")
    elif format == "shards":
        model.save_weights(folder / "w.weights.json", max_shard_size=1e-7)
        read = lambda path: make().load_weights(path / "w.weights.json")
    else:
        Checkpoint(model=model).write(folder / "w")
        read = lambda path: Checkpoint(model=model).restore(path / "w")
    (tmp_path / "linked").mkdir()
    for path in folder.iterdir():  # as the cache of the Hugging Face hub has them: all are links to one folder
        (tmp_path / "linked" / path.name).symlink_to(path)
    read(tmp_path / "linked")
    for path in [path for path in folder.iterdir() if not path.name.endswith((".json", ".index"))]:
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    with pytest.raises(FileError, match="link to another folder"):
        read(folder)


@pytest.fixture(scope="module")
def orbax_folder(tmp_path_factory):
    pytest.importorskip("orbax.checkpoint")
    folder, other = tmp_path_factory.mktemp("orbax"), make(2.0)
    other.compile("adam", "mse")
    saved = lamina.callbacks.OrbaxCheckpoint(folder / "whole", save_weights_only=False)
    other.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, callbacks=[saved])
    return folder


def cut(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("pattern", "change"),
    [
        ("*/pytree/_METADATA", cut), ("*/pytree/_METADATA", lambda data: data.replace(b"kernel", b"krenel")),
        ("*/pytree/_METADATA", lambda data: b"[]"), ("*/pytree/manifest.ocdbt", cut), ("*/pytree/d/*", cut),
        ("*/model_config/_strings.json", cut), ("*/model_config/_strings.json", lambda data: b"[]"),
        ("*/model_config/_strings.json", lambda data: b'{"config": 100000000000}'),
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_of_orbax_is_a_file_error(pattern, change, orbax_folder, tmp_path):
    model, folder = make(), tmp_path / "damaged"
    model.compile("adam", "mse")
    shutil.copytree(orbax_folder / "whole", folder)
    for path in folder.glob(pattern):
        path.write_bytes(change(path.read_bytes()))
    before = values(model)
    with pytest.raises(FileError):
        lamina.saving.load_model(folder)
    if "model_config" not in pattern:
        with pytest.raises(FileError):
            model.load_weights(folder)
        assert values(model) == before


def test_a_checkpoint_of_tensorflow_with_a_damaged_state_changes_nothing(tmp_path, monkeypatch):
    """What generators and iterators make of their states is seen when they are assigned."""
    data, model, other = Dataset.range(10).batch(2), make(), make(2.0)
    generator, iterator = Generator.from_seed(3), iter(data)
    next(iterator)
    Checkpoint(model=other, generator=generator, iterator=iterator).write(tmp_path / "w")
    read, nothing = Bundle.read, {"passes": 0, "sources": []}
    late = json.dumps({"taken": 6, "data": {"passes": 0, "sources": [nothing]}}).encode()
    for key, wrong in (
        ("generator/_state_var", np.array([1, 2, np.nan])),
        *(("iterator/_state", np.array(text, object)) for text in (b"{", b"5", b'{"taken": 1}', late)),
    ):  # fmt: skip
        monkeypatch.setattr(Bundle, "read", lambda self, k, key=key, wrong=wrong: wrong if key in k else read(self, k))
        before, state, iterator = values(model), np.asarray(generator.state), iter(data)
        with pytest.raises(FileError, match="cannot be read|data set has 5"):
            Checkpoint(model=model, generator=generator, iterator=iterator).restore(tmp_path / "w")
        assert values(model) == before and (np.asarray(generator.state) == state).all() and iterator.taken == 0
        assert len(list(iterator)) == 5
    monkeypatch.undo()
    Checkpoint(model=model, iterator=(again := iter(data))).restore(tmp_path / "w")
    assert values(model) == values(other) and again.taken == 1


# Ctrl-C


def cells(count=40):
    model = lamina.Sequential([lamina.Input((2,)), *(layers.Dense(2) for _ in range(count // 2))])
    return list(model.variables)


def breaking_off(function, at):
    """A method with a KeyboardInterrupt before its `at`-th statement, counted over all turns of its loops.

    Raising from a trace function would do the same, but CPython 3.11 may then hang.
    """
    (definition,) = (tree := ast.parse(textwrap.dedent(inspect.getsource(function)))).body
    for node in list(ast.walk(definition)):
        for field in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, field, None), list):
                setattr(node, field, [part for one in statements for part in (ast.parse("_count()").body[0], one)])
    turns = itertools.count()

    def count():
        if next(turns) == at:
            raise KeyboardInterrupt

    exec(compile(tree, inspect.getsourcefile(function), "exec"), {**function.__globals__, "_count": count}, names := {})
    return names[definition.name]


@pytest.mark.parametrize("method", ["__init__", "release"])
def test_ctrl_c_while_values_go_to_a_run_or_come_back(method, monkeypatch):
    """At each of 60 statements of the checkout and of the return, over all their turns."""
    variables, seen = cells(), 0
    groups = {"trainable": variables, "others": [], "optimizer": [], "metrics": []}
    wanted = [np.asarray(variable) for variable in variables]
    whole = getattr(TrainingState, method)
    for at in range(0, 180, 3):
        state = TrainingState(groups) if method == "release" else None
        monkeypatch.setattr(TrainingState, method, breaking_off(whole, at))
        try:
            state.release() if state else TrainingState(groups)
        except KeyboardInterrupt:
            seen += 1
        monkeypatch.undo()
        for variable, value in zip(variables, wanted, strict=True):
            np.testing.assert_array_equal(variable.read(), value)
        TrainingState(groups).release()
        assert all(variable._owner is None and variable._value is not None for variable in variables)
    assert seen > 20


def test_ctrl_c_while_values_come_back_waits_until_they_are_back(monkeypatch):
    model = make()
    model.compile("sgd", "mse")
    release = TrainingState.release

    def slow(self):
        signal.raise_signal(signal.SIGINT)
        release(self)

    monkeypatch.setattr(TrainingState, "release", slow)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started this with it ignored
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    signal.signal(signal.SIGINT, before)
    assert all(variable._owner is None for variable in model.variables)
    monkeypatch.undo()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def test_ctrl_c_in_a_loop_of_one_s_own_comes_after_the_step(monkeypatch):
    x, y, model = np.ones((4, 3)), np.ones((4, 2)), make()
    model.compile("sgd", "mse")
    model.train_on_batch(x, y)
    train = model._runner.train

    def step(batch):
        signal.raise_signal(signal.SIGINT)
        return train(batch)

    monkeypatch.setattr(model._runner, "train", step)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        model.train_on_batch(x, y)
    signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert int(model.optimizer.iterations) == 2 and np.isfinite(model.train_on_batch(x, y))


# Archives of data


def test_hard_links_count_as_often_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.utils.archives.MIN_BYTES", 5000)
    monkeypatch.setattr("lamina.utils.archives.MAX_RATIO", 0)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo("a")
        entry.size = 1000
        archive.addfile(entry, io.BytesIO(bytes(1000)))
        for number in range(6):
            link = tarfile.TarInfo(f"link{number}")
            link.type, link.linkname = tarfile.LNKTYPE, "a"
            archive.addfile(link)
    with pytest.raises(FileError, match="far more bytes"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_many_links_and_folders_take_time_and_memory_as_their_number(tmp_path, monkeypatch):
    """tarfile looks for the target of a link among all members, and keeps them: 8,000 links took 4.7 s."""
    monkeypatch.setattr("lamina.utils.archives.MAX_ENTRIES", 2003)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number in range(2003):
            entry = tarfile.TarInfo(f"{number}")
            entry.type, entry.linkname = (tarfile.LNKTYPE, "2001") if number < 2001 else (tarfile.REGTYPE, "")
            entry.type = tarfile.DIRTYPE if number == 2002 else entry.type
            archive.addfile(entry, io.BytesIO())
    start = time.process_time()
    extract_archive(tmp_path / "a.tar", tmp_path / "out")
    assert time.process_time() - start < 3 and len(list((tmp_path / "out").iterdir())) == 2002
    monkeypatch.setattr("lamina.utils.archives.MAX_ENTRIES", 2002)
    with pytest.raises(FileError, match="more than 2002 entries"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")


@pytest.mark.parametrize("headers", [
    {"GNU.sparse.map": "0,1", "GNU.sparse.size": "100000000000"},
    {"GNU.sparse.size": "100000000000", "GNU.sparse.numblocks": "1"},
    {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "100000000000"},
])  # fmt: skip
def test_sparse_entries_are_refused_in_each_of_their_forms(headers, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("a")
        entry.size, entry.pax_headers = 512, headers
        archive.addfile(entry, io.BytesIO(b"1\n0\n1\n".ljust(512, b"\0")))
    with pytest.raises(FileError, match="sparse"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")
