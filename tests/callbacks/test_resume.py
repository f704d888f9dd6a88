"""fit(resume=folder): killed at any moment and started again, a run ends with the bits of one that was never killed."""

import datetime
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import lamina as keras
from lamina.callbacks.run_state import Changes
from lamina.errors import ConfigError, FileError
from lamina.saving.checkpoints import LatestWriter
from lamina.saving.safety.records import read_record
from tests.callbacks.test_backup_and_restore import Killed, X, Y, assert_same, killed_after, start


def fit(model, folder, *callbacks, epochs=4, **kwargs):
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=10, restore_best_weights=True)
    slower = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10, factor=0.5)
    callbacks = [slower, *([stopping] if kwargs.pop("stopping", False) else []), *callbacks]
    settings = {"batch_size": 6, "epochs": epochs, "verbose": 0, "validation_split": 0.25, **kwargs}
    return model.fit(X, Y, callbacks=callbacks, resume=folder, **settings)


@pytest.mark.parametrize(
    "save_freq, steps, together", [("epoch", 7, 1), (1, 7, 1), (2, 8, 1), (datetime.timedelta(0), 2, 1), (1, 5, 2)]
)
def test_a_killed_run_ends_the_same(tmp_path, save_freq, steps, together):
    """Of 3 batches an epoch, so that the last of two executions of 2 steps has one step."""

    def begin(seed):
        model = start(seed)
        model.compile(model.optimizer, "mse", metrics=["mae"], steps_per_execution=together)
        return model

    whole = begin(
        1
    )  # where callbacks look at batches, executions of 2 steps are not one program, which rounds otherwise
    expected = fit(whole, None if together == 1 else keras.callbacks.Resume(tmp_path / "whole", save_freq)).history
    with pytest.raises(Killed):
        fit(begin(1), keras.callbacks.Resume(tmp_path, save_freq), killed_after(steps))
    again = begin(2)
    assert fit(again, keras.callbacks.Resume(tmp_path, save_freq)).history == expected
    assert expected["learning_rate"][0] > expected["learning_rate"][-1]  # the state of a callback came back too
    assert_same(again, whole)


def test_a_run_that_ended_or_was_stopped_trains_no_more(tmp_path):
    first = start(1)
    history = fit(first, tmp_path, stopping=True).history
    assert len(history["loss"]) == 2  # EarlyStopping
    again = start(2)
    assert fit(again, tmp_path, stopping=True, epochs=9).history == history
    assert_same(again, first)


def test_more_epochs_go_on(tmp_path):
    whole = start(1)
    expected = fit(whole, None, epochs=3).history
    fit(start(1), tmp_path, epochs=2)
    again = start(2)
    assert fit(again, tmp_path, epochs=3).history == expected
    assert_same(again, whole)


def test_the_order_of_a_data_set_of_ones_own_comes_back(tmp_path):
    class Shuffled(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.x, self.order, self.random = X, np.arange(4), np.random.default_rng(3)

        def __len__(self):
            return 4

        def __getitem__(self, index):
            start = 6 * self.order[index]
            return self.x[start : start + 6], Y[start : start + 6]

        def on_epoch_end(self):
            self.random.shuffle(self.order)

    whole = start(1)
    whole.fit(Shuffled(), epochs=4, verbose=0)
    with pytest.raises(Killed):
        start(1).fit(
            Shuffled(), epochs=4, verbose=0, callbacks=[killed_after(10)], resume=keras.callbacks.Resume(tmp_path, 1)
        )
    again = start(2)
    again.fit(Shuffled(), epochs=4, verbose=0, resume=tmp_path)
    assert_same(again, whole)


def test_what_has_indices_is_not_read_again(tmp_path, capsys):
    reads = []

    class Counted(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            reads.append(index)
            return X[6 * index : 6 * index + 6], Y[6 * index : 6 * index + 6]

    def batches():
        return (Counted()[index % 4] for index in range(8))

    class Stateful:
        """A loader with a state, as those of torchdata."""

        first = position = 0

        def __iter__(self):
            first, self.first = self.first, 0
            for self.position in range(first + 1, 5):
                yield Counted()[self.position - 1]

        def state_dict(self):
            return {"position": self.position}

        def load_state_dict(self, state):
            self.first = state["position"]

    class Iterator:
        """An iterator with a state, as those of grain."""

        position = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.position += 1
            return Counted()[(self.position - 1) % 4]

        def get_state(self):
            return self.position

        def set_state(self, state):
            self.position = state

    class Changed(Iterator):
        def set_state(self, state):
            raise ValueError("other data")

    for make, steps, expected in [
        (Counted, None, [0, 2, 3]), (batches, 4, [0, 1, 2, 3]), (Stateful, None, [0, 2, 3]), (Iterator, 4, [0, 2, 3]),
        (Changed, 4, [0, 1, 2, 3]),
    ]:  # fmt: skip
        folder, settings = tmp_path / make.__name__, {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
        with pytest.raises(Killed):
            start(1).fit(make(), callbacks=[killed_after(3)], resume=keras.callbacks.Resume(folder, 1), **settings)
        reads.clear()
        start(2).fit(make(), resume=folder, **settings)
        assert reads == expected  # of what has indices the first, for its shapes, and those that were left
        said = capsys.readouterr().out
        assert ("2 batches of this pass, which are read again" in said) == (make in (batches, Changed))
        assert ("refuses the state that it had in the run to resume: ValueError: other data" in said) == (
            make is Changed
        )


def test_the_last_few_are_kept_and_a_damaged_one_is_named(tmp_path):
    whole = start(1)
    fit(whole, keras.callbacks.Resume(tmp_path, "epoch", max_to_keep=2))
    paths = sorted(tmp_path.glob("*.checkpoint"))
    assert len(paths) <= 2
    if len(paths) == 1:  # the writer was slower than two epochs
        pytest.fail("two checkpoints were expected")
    data = bytearray(paths[-1].read_bytes())
    data[len(data) // 2] ^= 1
    paths[-1].write_bytes(data)
    again = start(2)
    with pytest.warns(UserWarning, match=paths[-1].name):
        fit(again, tmp_path)
    assert_same(again, whole)


def test_csv_rows_are_neither_lost_nor_doubled(tmp_path):
    def log(name):
        return keras.callbacks.CSVLogger(tmp_path / name)

    fit(start(1), None, log("whole.csv"))
    killed = log("killed.csv")
    with pytest.raises(Killed):
        fit(start(1), keras.callbacks.Resume(tmp_path / "run", 2), killed, killed_after(10))
    killed.csv_file.close()
    fit(start(2), tmp_path / "run", log("killed.csv"))
    assert (tmp_path / "killed.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_other_data_another_model_and_wrong_arguments_are_errors(tmp_path):
    fit(start(1), tmp_path, epochs=1)
    with pytest.raises(FileError, match="18 samples"):
        start(1).fit(X, Y, batch_size=6, verbose=0, resume=tmp_path)
    for arguments in ((tmp_path, 0), (tmp_path, "batch"), (tmp_path, "epoch", 0)):
        with pytest.raises(ConfigError, match="save_freq|max_to_keep"):
            keras.callbacks.Resume(*arguments)


def test_a_state_of_its_own_making():
    class Counts(keras.callbacks.Callback):
        def __init__(self):
            self.seen = object()  # nothing plain

        def get_state(self):
            return {"seen": 3}

        def set_state(self, state):
            self.seen = state["seen"]

    changes, other = Changes(Counts()), Counts()
    changes.before.clear()
    Changes(other).restore(changes.state())
    assert other.seen == 3


def test_settings_are_no_state():
    stopping = keras.callbacks.EarlyStopping(patience=3)
    changes = Changes(stopping)
    stopping.wait = 2
    assert {name: read_record(data.tobytes()) for name, data in changes.state().items()} == {"wait": 2}


def test_a_full_disk_is_a_warning_and_the_last_value_is_written():
    written, begun, go_on = [], threading.Event(), threading.Event()

    def write(value):
        begun.set()
        go_on.wait(10)
        if value == "full":
            raise OSError("no space left")
        written.append(value)

    writer = LatestWriter(write)
    writer.put("first")
    begun.wait(10)
    writer.put("passed over")
    writer.put("full")
    go_on.set()
    with pytest.warns(UserWarning, match="no space left"):
        writer.finish()
    writer.put("last")
    writer.finish()
    assert written == ["first", "last"]


PROGRAM = """
import sys
import numpy as np
import lamina as keras

keras.utils.set_random_seed(int(sys.argv[2]))
x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
layers = keras.layers
model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dropout(0.3),
                          layers.BatchNormalization(), layers.Dense(1)])
model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 100)), "mse")
print("ready", flush=True)
model.fit(x, x.sum(-1), batch_size=8, epochs=30, verbose=0, resume=keras.callbacks.Resume(sys.argv[1], 1))
np.savez(sys.argv[3], *[v.numpy() for v in (*model.variables, *model.optimizer.variables)])
print("done", flush=True)
"""


def run(script, folder, result, kill_after=None):
    """Run the program; whether it was killed, `kill_after` seconds after its first new checkpoint. Where there is one
    already, it begins with other random numbers."""
    before = set(pathlib.Path(folder).glob("[0-9]*"))
    seed = 2 if before else 1
    process = subprocess.Popen([sys.executable, script, folder, str(seed), result], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if kill_after is not None:
        while process.poll() is None and set(pathlib.Path(folder).glob("[0-9]*")) <= before:
            time.sleep(0.001)
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    done = rest.endswith("done\n")
    assert done if kill_after is None else done or process.returncode == -signal.SIGKILL
    return not done


def kill_and_compare(folder, delays):
    """Kill one run after each of the delays, let it end, and compare with a run that was never killed."""
    folder = pathlib.Path(folder)
    script = folder / "program.py"
    script.write_text(PROGRAM)
    run(script, folder / "whole", folder / "whole.npz")
    killed = [run(script, folder / "killed", folder / "killed.npz", seconds) for seconds in delays]
    assert list((folder / "killed").glob("[0-9]*")), "killed before there was anything to go on from"
    run(script, folder / "killed", folder / "killed.npz")
    with np.load(folder / "whole.npz") as whole, np.load(folder / "killed.npz") as other:
        for name in whole:
            np.testing.assert_array_equal(whole[name], other[name])
    return sum(killed)


def test_sigkill(tmp_path):
    assert kill_and_compare(tmp_path, [0.05, 0.1]) > 0


TWICE = """
import signal, sys
from lamina.runtime import interrupts

interrupts._ONCE = float(sys.argv[1])
try:
    with interrupts.Interrupts(ends=True) as one:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        one.check()
except interrupts.EndRequested:
    print("saved")
"""


@pytest.mark.parametrize("once, ending", [(60.0, (0, "saved\n")), (0.0, (-signal.SIGTERM, ""))])
def test_a_signal_that_comes_by_two_ways_counts_once(once, ending):
    ended = subprocess.run([sys.executable, "-c", TWICE, str(once)], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == ending
