"""Runs that are killed at random and started again end with the bits of a run that nobody killed.

`python -m tests.processes.kills [KILLS] [PROCESSES ...]` kills runs on 1, 2 and 4 processes 50 times each, with 1, 2
or 4 devices a process, at a random moment: one process or all with SIGKILL, or one with SIGTERM, with a shared folder
or a disk of each process. Disks are lost too: the next start has to name the process that has none. With a folder as
its only argument, it is the program that the processes run.
"""

import hashlib
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import numpy as np

from tests.processes import start

LIMIT = 240  # seconds of one start, after which a hang is a failure
PROGRAM = ("-m", "tests.processes.kills")


def train(folder):
    import lamina as keras

    number = os.environ["PROCESS"]
    if os.environ["PROCESSES"] != "1":
        keras.distribution.initialize()
    keras.utils.set_random_seed(1)
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(90, 6)).astype("float32"), generator.integers(0, 3, 90)
    model = keras.Sequential([
        keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.2),
        keras.layers.Dense(3),
    ])  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    slow = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.02))
    pathlib.Path(folder, f"begun{number}").touch()
    place = pathlib.Path(folder, "shared" if os.environ["DISKS"] == "1" else f"disk{number}")
    model.fit(x, y, batch_size=8, epochs=6, verbose=0, callbacks=[slow], resume=keras.callbacks.Resume(place, 3))
    values = b"".join(np.asarray(weight).tobytes() for weight in model.get_weights())
    pathlib.Path(folder, f"end{number}").write_text(hashlib.sha256(values).hexdigest())


def begin(folder, processes, disks, devices):
    for path in folder.glob("begun*"):
        path.unlink()
    return start.Start(*PROGRAM, folder, processes=processes, devices=devices, environment={"DISKS": str(disks)})


def endings(folder, processes):
    return {path.read_text() for path in folder.glob("end*")}, len(list(folder.glob("end*"))) == processes


def hurt(draw, run, folder, disks, processes):
    """Kill what is running, at a random moment of its training. Returns what was done."""
    if not run.wait_for(folder / "begun0", LIMIT):
        return "it did not begin"
    time.sleep(draw.uniform(0, 3))
    way = draw.choice(["one", "all", "signal"])
    for process in [draw.choice(run.running)] if way != "all" else run.running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM if way == "signal" else signal.SIGKILL)
    return way


def lost(draw, folder, processes, devices):
    """Lose the disk of one process. Returns what went wrong: the next start ends with an error that names it."""
    if not all(list(folder.glob(f"disk{number}/*.checkpoint")) for number in range(processes)):
        return []
    number = draw.randrange(processes)
    shutil.rmtree(folder / f"disk{number}")
    ended = begin(folder, processes, processes, devices).end(LIMIT)
    for path in folder.glob("disk*"):
        shutil.rmtree(path)
    named = [f"process {number} has none" in one.errors and one.status not in (None, 0) for one in ended]
    return [] if all(named) else [f"a lost disk of process {number}: {[one.errors[-300:] for one in ended]}"]


def killed(draw, kills, processes, folder, disks, devices):
    """(the digests of the weights after so many kills and a last start, what went wrong)."""
    wrong = []
    for number in range(kills):
        run = begin(folder, processes, disks, devices)
        way = hurt(draw, run, folder, disks, processes)
        ended = run.end(LIMIT)
        if any(one.status is None for one in ended):
            wrong.append(f"kill {number} ({way}): a process did not end: {[one.errors[-300:] for one in ended]}")
        told = {one.status for one in ended} - {0, 75, -signal.SIGKILL, -signal.SIGTERM}
        if told:
            wrong.append(f"kill {number} ({way}): ended with {told}: {[one.errors[-300:] for one in ended]}")
        if disks > 1 and draw.random() < 0.15:
            wrong += lost(draw, folder, processes, devices)
        if endings(folder, processes)[1]:  # it was too fast: once more from the beginning
            for path in [*folder.glob("end*"), *folder.glob("disk*"), *folder.glob("shared")]:
                path.unlink() if path.is_file() else shutil.rmtree(path)
    run = begin(folder, processes, disks, devices)
    ended = run.end(LIMIT)
    wrong += [one.errors[-600:] for one in ended if one.status != 0]
    return endings(folder, processes)[0], wrong


def main(kills=50, numbers=(1, 2, 4), seed=0):
    draw, bad = random.Random(seed), 0
    for processes in numbers:
        done, wrong, expected = 0, [], {}
        while done < kills and not wrong:
            count, disks = min(draw.randint(1, 5), kills - done), draw.choice([1, processes])
            devices = draw.choice([1, 2, 4])
            with tempfile.TemporaryDirectory() as name:
                if devices not in expected:
                    expected[devices], wrong = killed(draw, 0, processes, pathlib.Path(name), 1, devices)
            with tempfile.TemporaryDirectory() as name:
                found, more = killed(draw, count, processes, pathlib.Path(name), disks, devices)
            wrong, done = wrong + more, done + count
            if found != expected[devices]:
                wrong.append(f"other bits: {found} for {expected[devices]}")
            run = f"{processes} processes of {devices} devices, {disks} disks"
            print(f"{run}: {done} kills, {'; '.join(wrong) or 'same bits'}", flush=True)
        bad += bool(wrong)
    return bad


if __name__ == "__main__":
    if "PROCESSES" in os.environ:
        train(sys.argv[1])
    else:
        given = [int(one) for one in sys.argv[1:]]
        sys.exit(main(*given[:1], *([given[1:]] if given[1:] else [])))
