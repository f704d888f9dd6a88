"""The record of a run: the same program gives the same bits; of another it says what differs first."""

import json

import numpy as np
import pytest

import lamina as keras
from lamina.callbacks.run_record import differences, read_run, recording_elsewhere
from lamina.core import context
from lamina.errors import FileError
from lamina.runtime.digests import digest
from tests.callbacks.test_backup_and_restore import Killed, killed_after

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


def run(folder, x=X, seed=1, rate=0.01, name="dense", callbacks=()):
    context.reset_names()  # as in a process of its own
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name=name)], name="model")
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.fit(x, X.sum(1), batch_size=8, epochs=2, verbose=0, resume=folder, callbacks=list(callbacks))
    return read_run(getattr(folder, "folder", folder))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return run(tmp_path_factory.mktemp("first"))


def test_the_same_run_agrees(first, tmp_path):
    assert not list(differences(first, run(tmp_path / "again")))
    assert [place[:2] for place in sorted(first[1])][:3] == [(0, 1), (0, 2), (0, 4)] and len(first[1]) == 5
    assert set(first[0]["data"]) == {"x", "y"} and "model/dense/kernel" in first[0]["weights"]


@pytest.mark.parametrize(("change", "words"), [
    ({"x": X + np.float32(1e-6)}, ["data: x differs", "first different step: epoch 1, batch 1"]),
    ({"seed": 2}, ["initial weights of model/dense/kernel differs", "state of the random generator numpy differs"]),
    ({"rate": 0.02}, ["the config of the optimizer differs", "first different step: epoch 1, batch 1; model/"]),
    ({"name": "other"}, ["the config of the model differs"]),
])  # fmt: skip
def test_what_differs_is_said(first, tmp_path, change, words):
    found = list(differences(first, run(tmp_path, **change)))
    for part in words:
        assert any(one.startswith(part) for one in found), found


def test_a_run_is_recorded_elsewhere_and_begins_anew(first, tmp_path):
    run(tmp_path / "run")
    context.reset_names()  # as in a process of its own
    with recording_elsewhere(tmp_path / "run", tmp_path / "again"):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="dense")], name="model")
        model.compile(keras.optimizers.SGD(0.01), "mse")
        assert len(model.fit(X, X.sum(1), batch_size=8, epochs=2, verbose=0, resume=tmp_path / "run").epoch) == 2
    assert not list(differences(first, read_run(tmp_path / "again")))


@pytest.mark.parametrize("steps", [3, 4, 6])
def test_the_record_of_a_run_that_was_resumed_is_that_of_a_whole_one(first, tmp_path, steps):
    def resume():
        return keras.callbacks.Resume(tmp_path, 1, max_to_keep=9)

    with pytest.raises(Killed):
        run(resume(), callbacks=[killed_after(steps)])
    sorted(tmp_path.glob("*.checkpoint"))[-1].unlink()  # steps are made again that the record has
    with open(tmp_path / "steps.jsonl", "a") as file:
        file.write('{"epoch": 0, "batch"')  # of a process that was killed while it wrote
    again = run(resume(), seed=2)
    assert not list(differences(first, again)) and len(again[1]) == 5


def test_secrets_are_not_written_and_damage_is_said(first, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_SERVE_KEYS", "hidden")
    record, _ = run(tmp_path)
    assert "hidden" not in json.dumps(record)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FileError, match="no record of a run"):
        read_run(tmp_path)


def test_a_record_of_another_form_is_a_file_error(first, tmp_path):
    record, steps = run(tmp_path)
    whole = [*steps.values()]
    for part, value in [(name, 5) for name in record if name != "format"] + [("program", {"file": 1})]:
        (tmp_path / "run.json").write_text(json.dumps({**record, part: value}))
        with pytest.raises(FileError, match="no record of a run"):
            read_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(record))
    for change in ({"epoch": "x"}, {"logs": {"loss": 1}}, {"logs": {"loss": "0x1p9999999"}}, {"weights": None}):
        (tmp_path / "steps.jsonl").write_text(json.dumps({**whole[0], **change}))
        with pytest.raises(FileError, match="no record of a run"):
            read_run(tmp_path)


def test_a_large_memmap_is_known_by_its_rows_without_being_read_whole(tmp_path):
    big = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float32", (17 << 12, 256))
    before = digest(big, sample=True), digest(big)
    big[1] = 1.0  # is not among the rows of the sample
    assert digest(big, sample=True) == before[0]
    assert digest(big) != before[1]
    big[-1] = 1.0
    assert digest(big, sample=True) != before[0]
