"""Runs on two processes that one of them ends: by signals, deaths, errors and exits at each place of `fit`.

`python -m tests.processes.endings [NAME ...]` runs each of ENDINGS: within a limit, the processes have the expected
statuses, and the same program started again ends with the bits of a run that nothing ended. With a folder as its only
argument, it is the program that the processes run.
"""

import hashlib
import os
import pathlib
import signal
import sys
import tempfile
import time

import numpy as np

from tests.processes import start

LIMIT = 240  # seconds of one start, after which a hang is a failure
TERM, USR1, INT, KILL = signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGKILL
# name: (who, hook, at which call of the hook, what it does, statuses of both)
ENDINGS = {
    "term_at_the_begin": (1, "on_train_begin", 1, [TERM], (75, 75)),
    "term_before_a_step": (1, "on_train_batch_begin", 2, [TERM], (75, 75)),
    "term_after_a_step": (0, "on_train_batch_end", 5, [TERM], (75, 75)),
    "term_in_a_validation": (1, "on_test_batch_end", 3, [TERM], (75, 75)),
    "term_after_an_epoch": (1, "on_epoch_end", 1, [TERM], (75, 75)),
    "term_at_the_end": (1, "on_train_end", 1, [TERM], (0, 0)),
    "term_twice": (1, "on_train_batch_end", 5, [TERM, TERM], (75, -TERM)),
    "usr1_twice": (1, "on_train_batch_end", 5, [USR1, USR1], (75, -USR1)),
    "term_in_both": (None, "on_train_batch_end", 5, [TERM], (75, 75)),
    "ctrl_c_twice": (1, "on_train_batch_end", 5, [INT, INT], (1, -INT)),
    "death_after_a_step": (1, "on_train_batch_end", 5, [KILL], (75, -KILL)),
    "death_of_the_first": (0, "on_train_batch_end", 5, [KILL], (-KILL, 75)),
    "death_in_a_validation": (1, "on_test_batch_end", 3, [KILL], (75, -KILL)),
    "death_after_an_epoch": (0, "on_epoch_end", 2, [KILL], (-KILL, 75)),
    "death_at_the_end": (1, "on_train_end", 1, [KILL], (75, -KILL)),
    "abort": (1, "on_train_batch_end", 5, [signal.SIGABRT], (75, -signal.SIGABRT)),
    "error": (1, "on_train_batch_end", 5, ValueError("the disk is full"), (1, 1)),
    "exit": (1, "on_train_batch_end", 5, SystemExit(0), (1, 0)),
    "death_in_a_write": (0, "write", 3, [KILL], (-KILL, 75)),
}


def hooks(keras, ending):
    """A callback that does what an ending says."""
    who, hook, at, does, _ = ENDINGS[ending]
    state = {"count": 0}

    def come(*args, **kwargs):
        state["count"] += 1
        if state["count"] != at or who not in (None, int(os.environ["PROCESS"])):
            return
        if isinstance(does, BaseException):
            raise does
        for number in does:
            os.kill(os.getpid(), number)
            time.sleep(0.3 * (len(does) > 1))

    if hook != "write":
        return keras.callbacks.LambdaCallback(**{hook: come})
    from lamina.saving import checkpoints

    write = checkpoints.write_record

    def half(record, file):
        write(record, file)
        file.truncate(file.tell() // 2)
        come()
        file.seek(0)
        write(record, file)

    checkpoints.write_record = half
    return keras.callbacks.Callback()


def train(folder):
    import lamina as keras

    keras.distribution.initialize(wait_limit=60)
    keras.utils.set_random_seed(1)
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    generator, layers = np.random.default_rng(0), keras.layers
    x, y = generator.normal(size=(90, 6)).astype("float32"), generator.integers(0, 3, 90)
    hidden = [layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input((6,)), *hidden, layers.Dense(3)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [hooks(keras, os.environ["ENDING"])] if os.environ["ENDING"] else []
    saves = keras.callbacks.Resume(pathlib.Path(folder, "run"), 3)
    model.fit(x, y, 8, 3, 0, callbacks, validation_split=0.2, resume=saves)
    values = b"".join(np.asarray(weight).tobytes() for weight in model.get_weights())
    pathlib.Path(folder, f"end{os.environ['PROCESS']}").write_text(hashlib.sha256(values).hexdigest())


def run(folder, ending):
    program = start.Start("-m", "tests.processes.endings", folder, environment={"ENDING": ending})
    return program.end(LIMIT)


def digests(folder):
    return {path.read_text() for path in pathlib.Path(folder).glob("end*")}


def main(names):
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "")
        expected = digests(folder)
    for name in names or ENDINGS:
        with tempfile.TemporaryDirectory() as folder:
            ended = run(folder, name)
            wrong = [] if tuple(one.status for one in ended) == ENDINGS[name][-1] else [
                f"{one.status}: {one.errors[-300:]}" for one in ended]  # fmt: skip
            again = run(folder, "")
            wrong += [one.errors[-300:] for one in again if one.status != 0]
            wrong += [] if digests(folder) == expected != set() else ["other bits after a new start"]
        bad += bool(wrong)
        print(f"{name}: {'; '.join(wrong) or 'as expected'}, {max(one.seconds for one in ended):.0f} s", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    if "PROCESSES" in os.environ:
        train(sys.argv[1])
    else:
        sys.exit(main(sys.argv[1:]))
