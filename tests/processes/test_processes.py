"""Several processes that train one model: what one does, suffers or lacks, all do, hear or agree on. Each start of
processes takes seconds, so one start runs all cases of cases.py that leave the processes alive."""

import json
import re
import threading

import pytest

from lamina.errors import FileError
from lamina.saving.checkpoints import LatestWriter
from tests.processes import start

CASES = start.ROOT / "tests" / "processes" / "cases.py"


def test_two_processes(tmp_path, subtests):
    ended = start.Start(CASES, processes=2, folder=tmp_path).end(limit=240)
    assert [one.status for one in ended] == [0, 0], [one.errors for one in ended]
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in range(2))
    with subtests.test("one writes the files and the lines of all"):
        assert first["files"] == second["files"]
        assert (tmp_path / "log.csv").read_text().count("\n") == 2
        assert len(list((tmp_path / "board" / "train").iterdir())) == len(list((tmp_path / "backup").iterdir())) == 1
        assert "a warning of the case of files" in ended[0].errors
        of_xla = r"(W.*preemption_notifier.*SIGTERM caught.*\n)?"  # of a signal below
        assert re.fullmatch(of_xla, ended[1].errors)
        assert "4/4" in ended[0].output and "4/4" not in ended[1].output
    with subtests.test("all have the same model"):
        assert first["plain"] == second["plain"] and first["plain"][1].startswith("2 epochs")
    with subtests.test("a stop in one stops all"):
        assert first["a_stop"] == second["a_stop"] and first["a_stop"].startswith("1 epochs")
    with subtests.test("data that differ are named"):
        arrays, validation, refused, after, _, warned = first["other_data"]
        assert "The processes have different data: y in process 1 and in process 0 differ." in arrays
        assert "different validation data: the number of rows, x, y" in validation
        assert refused.endswith("got x: 32, y: 31.") and second["other_data"][2].startswith("DataError: All arrays")
        assert after == first["plain"][1] and "different rows in batch 0" in warned[0]
        assert second["other_data"][:2] == first["other_data"][:2] and second["other_data"][3:] == [
            *first["other_data"][3:5], []]  # fmt: skip
    with subtests.test("without a distribution, each has a model of its own"):
        assert first["alone"] is second["alone"] is True
    with subtests.test("values that one changes are found after the epoch"):
        for one in (first, second):
            assert "After epoch 1: The processes have different values of adam/learning_rate" in one["drifts"][0]
            assert one["drifts"][1] == "2 epochs"
            assert "After epoch 1: The processes have different values of" in one["drifts"][2]
            assert "kernel" in one["drifts"][2]
    with subtests.test("a row of one that is not finite is found by all"):
        for one in (first, second):
            assert one["not_finite"][1] == "inputs" and "in process 1, the inputs contain 6 NaN" in one["not_finite"][2]
    with subtests.test("an error in one ends all with its words"):
        own, other = "ValueError: the disk is full", "ended the run of all: ValueError: the disk is full"
        assert second["an_error"][::3] + second["an_error"][1:2] + first["an_error"][2:3] == 4 * [own]
        told = first["an_error"][:2] + second["an_error"][2:3] + first["an_error"][3:]
        assert len(told) == 4 and all(one.endswith(other) for one in told)
    with subtests.test("who lacks a batch is named"):
        for one in (first, second):
            refused, whole, _, resumed, apart = one["fewer_batches"]
            assert apart < 1e-5
            assert "of batch 3, process 0 has 8 rows, process 1 has none" in refused
            assert resumed == whole == first["fewer_batches"][1] and whole.startswith("2 epochs")
    with subtests.test("each reads its rows alone, also of batches that do not divide"):
        for one, rows in ((first, 4), (second, 3)):
            *found, refused, apart, _ = one["shares"]
            assert "The data is divided among 3 processes, and batches among 2 here" in refused and apart < 1e-5
            weights = {same for same, *_ in found}
            assert len(weights) == 1 and "1 epochs" in weights.pop()
            assert [read for _, *read in found] == [[], [8, 7, rows, rows, rows], [rows] * 3, []]  # 8 are compared
        assert first["shares"][-2:] == second["shares"][-2:]
    with subtests.test("calls that one makes alone are named"):
        places = "Process 0 is at batch 2 of fit, and process 1 at the start of evaluate (batches of 32)"
        for one in (first, second):
            assert places in one["other_calls"][0]
            starts = "Process 0 is at the start of fit (batches of 8, epochs 0 to 2), and process 1 at the start of fit"
            assert f"{starts} (batches of 4, epochs 0 to 2)" in one["other_calls"][1]
            assert f"{starts} (batches of 8, epochs 0 to 3)" in one["other_calls"][2]
            assert "process 1 at reading an array of shape (6, 4)" in one["split"][3]
    whole = first["plain"][1]
    with subtests.test("a call for one batch is made by all, and the next run is right"):
        for one in (first, second):
            assert "batch 1 of fit, and process 1 at train_on_batch" in one["one_batch_alone"][0]
            assert one["one_batch_alone"][1] == whole
    with subtests.test("rows have one order, and what would be added up in silence is named"):
        for one in (first, second):
            order, shuffle, batch, values, step = one["unlike"]
            assert order == whole and "different data: shuffle in process 1" in shuffle
            assert "process 0 has 8 rows, process 1 has 9 rows" in batch and "dense/bias" in values
            assert "different steps of evaluate: loss is 'mse' in process 0 and 'mae' in process 1" in step
    with subtests.test("who waits too long says where each is"):
        waits = "waits at the start of fit (batches of 8, epochs 0 to 2) and has waited 2 s there, while Process 1 (p"
        assert waits in first["too_late"] and waits in second["too_late"]
        assert "Process 0" in second["too_late"] and "left the end of fit" in second["too_late"]
    with subtests.test("a signal in one saves all at the same step"):
        for one in (first, second):
            assert one["signals"] == ["SystemExit: 75", True, whole, "SystemExit: 138", True, "KeyboardInterrupt: ",
                                      False, whole, "SystemExit: 75", whole]  # fmt: skip
        assert "Its last saved state is nowhere" in ended[0].output
    with subtests.test("a signal between two runs ends the next one in all"):
        assert first["notice"] == second["notice"] == [True, "SystemExit: 75", whole]
    with subtests.test("on disks of their own they go on from the last step that all have"):
        for one in (first, second):
            assert one["disks"][1] == first["disks"][1] >= 2 and one["disks"][2] == whole
            assert "process 1 has none" in one["disks"][3]
    with subtests.test("seeds are agreed on, and other values are found before the first step"):
        assert first["seeds"][0] == second["seeds"][0] and "different seeds: 0, 1" in first["seeds"][1][0]
        for one in (first, second):
            assert "different values of" in one["seeds"][2] and "kernel" in one["seeds"][2]
    with subtests.test("losses that differ are found before the first step"):
        for one in (first, second):
            assert "different training steps: loss is 'mse' in process 0 and 'mae' in process 1" in one["losses"][0]
            assert "different training steps" in one["losses"][1] and "1 epochs" in one["losses"][2]
    with subtests.test("a model in parts resumes"):
        for one in (first, second):
            assert one["split"][2] == one["split"][0] and one["split"][1].endswith("a crash")
    with subtests.test("a model in parts is exported, saved with LoRA, quantized"):
        for one in (first, second):
            exported, apart, saved, quantized = one["split"][4]
            assert exported and max(apart, saved) < 1e-5 and 0 < quantized < 0.5


START = """
import os
import signal
import numpy as np
import lamina as keras

keras.distribution.initialize()
keras.distribution.set_distribution(keras.distribution.DataParallel())
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
"""
DYING = """
class Killed(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if os.environ["PROCESS"] == "1" and batch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


model.fit(np.ones((64, 3)), np.ones((64, 1)), batch_size=4, verbose=0, callbacks=[Killed()])
"""


def test_a_dead_neighbour_is_named(tmp_path):
    (tmp_path / "program.py").write_text(START + DYING)
    ended = start.Start(tmp_path / "program.py", processes=4, folder=tmp_path).end(limit=240)
    assert [one.status for one in ended] == [75, -9, 75, 75], [one.errors for one in ended]
    for number in (0, 2, 3):
        errors = ended[number].errors
        lines = [line for line in errors.splitlines() if line.startswith("Process 1 ")]
        assert len(lines) == 1 and lines[0].endswith(f"Process {number} ends as well.") and "Traceback" not in errors


FIRST = """
if os.environ["PROCESS"] == "0":
    os.kill(os.getpid(), signal.SIGKILL)
model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
"""


def test_the_first_process_dies(tmp_path):
    (tmp_path / "program.py").write_text(START + FIRST)
    ended = start.Start(tmp_path / "program.py", processes=2, folder=tmp_path).end(limit=120)
    assert [one.status for one in ended] == [-9, 75], [one.errors for one in ended]
    assert "which coordinates the others, ended. Process 1 ends as well." in ended[1].errors


STUCK = """
mesh = keras.distribution.DeviceMesh((4, 2), ["batch", "model"])  # whose axes meet in the same order in all processes
keras.distribution.ModelParallel(layout_map=keras.distribution.LayoutMap(mesh))


class Failing(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):  # all have agreed to take this step, and one does not
        if os.environ["PROCESS"] == "1" and batch == 2:
            raise ValueError("the disk is full")


for attempt in range(2):
    try:
        model.fit(np.ones((64, 3)), np.ones((64, 1)), batch_size=4, verbose=0, callbacks=[Failing()])
    except Exception as error:
        print(error, flush=True)
"""


def test_who_waits_on_the_devices_for_an_error_is_ended(tmp_path):
    (tmp_path / "program.py").write_text(START + STUCK)
    first, second = start.Start(tmp_path / "program.py", processes=2, devices=4, folder=tmp_path).end(limit=120)
    assert first.status == 75 and second.status is not None
    lines = [line for line in first.errors.splitlines() if line.startswith("Process 1 ")]
    assert len(lines) == 1 and "ended the run of all: ValueError: the disk is full" in lines[0]
    assert "Process 0 computes batch 2 of fit." in lines[0]
    assert "the disk is full" in second.output


def test_no_exception_of_the_writer_is_lost():
    began = threading.Event()

    def write(value):
        began.set()
        raise value

    writer = LatestWriter(write)
    writer.put(ValueError("not a number"))
    began.wait(5)
    with pytest.raises(ValueError, match="not a number"):
        writer.finish()
    writer.put(FileError("no room"))
    with pytest.raises(FileError, match="no room"):
        writer.finish()
    writer.finish()
