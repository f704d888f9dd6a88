"""A program that tests/processes/test_processes.py starts in two processes. It runs case after case and writes what
each gave to N.json of process N."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sys
import time
import traceback
import warnings

import numpy as np

import lamina as keras
from lamina.runtime import processes
from lamina.training import comparison
from tests.processes import parts

NUMBER = int(os.environ.get("PROCESS", "0"))
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(32, 6)).astype("float32")
Y = GENERATOR.integers(0, 3, 32)


def make():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def told(call):
    """What a call returns, or the words of its error."""
    try:
        return call()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return f"{type(error).__name__}: {error}"


class Once(keras.callbacks.Callback):
    """Calls `function` after one step, in some of the processes."""

    def __init__(self, step, function, numbers=(1,)):
        self.step, self.function, self.numbers, self.count = step, function, numbers, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        if self.count == self.step and NUMBER in self.numbers:
            self.function(self.model)

    def get_state(self):
        return {}

    def set_state(self, state):
        pass


class Cases:
    """The model, whose values return to the first ones before each case, and the cases in the order of their names."""

    def __init__(self):
        self.model = make()
        self.first = [variable.numpy() for variable in self.variables]

    @property
    def variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def fit(self, *callbacks, epochs=2, **settings):
        """What a run gives: the digest of its weights, or the words of its error."""
        np.random.seed(5)
        model = self.model
        model.history = None
        for variable, value in zip(self.variables, self.first, strict=True):
            variable.assign(value)
        settings = {"batch_size": 8, "epochs": epochs, "verbose": 0, "callbacks": list(callbacks), **settings}
        return told(lambda: model.fit(settings.pop("x", X), settings.pop("y", Y), **settings) and self.digest())

    def digest(self):
        values = b"".join(np.asarray(weight).tobytes() for weight in self.model.get_weights())
        return f"{len(self.model.history.epoch)} epochs, {hashlib.sha256(values).hexdigest()[:12]}"

    def plain(self):
        return [self.fit(verbose=2, epochs=1), self.fit(epochs=2)]

    def a_stop(self):
        def stop(model):
            model.stop_training = True

        return self.fit(Once(2, stop), epochs=3)

    def other_data(self):
        """Other arrays, batches in another order, and data that only one refuses, which the program survives."""

        def batches():
            yield from (X[:8], X[8:16])[:: -1 if NUMBER else 1]

        other = {"y": np.roll(Y, NUMBER)}, {"validation_data": (X[NUMBER:], Y[NUMBER:])}, {"y": Y[: 32 - NUMBER]}, {}
        found = [self.fit(**data) for data in other]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append(self.fit(x=((x, Y[:8]) for x in batches()), y=None, batch_size=None, epochs=1))
        return [*found, [str(one.message) for one in caught]]

    def alone(self):
        """Without a distribution, each has a model and data of its own."""
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(((x, x[:, :2]) for x in (X[:8] + NUMBER, X[:8])), verbose=0)
        losses = model.fit(X + NUMBER, X[:, :2], epochs=2, verbose=0).history["loss"]
        keras.distribution.set_distribution(before)
        return losses[1] < losses[0]

    def drifts(self):
        def faster(model):  # one sets another learning rate
            model.optimizer.learning_rate = 1.0

        def heavier(model):  # a weight as one of the large ones, which are compared in turn
            model.layers[-1].kernel.assign(model.layers[-1].kernel + 1.0)

        found = [self.fit(Once(2, faster)), self.fit(Once(2, faster, (0, 1)))[:8]]
        small, comparison._SMALL = comparison._SMALL, 1
        found.append(self.fit(Once(2, heavier)))
        comparison._SMALL = small
        return found

    def not_finite(self):
        """A row that only one process reads."""
        stop, x = keras.callbacks.StopOnNonFinite(), X.copy()
        x[13] = np.nan  # in the second half of its batch
        return [self.fit(stop, x=x, shuffle=False), stop.diagnosis.cause, str(stop.diagnosis)]

    def an_error(self):
        def fail(model):
            raise ValueError("the disk is full")

        late = keras.callbacks.LambdaCallback(on_train_end=lambda logs: fail(None) if NUMBER else None)
        early = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: fail(None) if NUMBER else None)
        return [self.fit(one) for one in (early, Once(2, fail), Once(2, fail, (0,)), late)]

    def files(self):
        callbacks = [
            keras.callbacks.CSVLogger("log.csv"), keras.callbacks.TensorBoard("board"),
            keras.callbacks.ModelCheckpoint("model.keras"), keras.callbacks.EarlyStopping("loss", verbose=1),
            keras.callbacks.BackupAndRestore("backup", delete_checkpoint=False),
        ]  # fmt: skip
        ran = self.fit(*callbacks, epochs=1)
        keras.errors.warn("a warning of the case of files")
        return ran

    def fewer_batches(self):
        distribution = keras.distribution.distribution()
        distribution.auto_shard_dataset = False
        rows = 32 - 8 * NUMBER
        found = [self.fit(x=X[:rows], y=Y[:rows])]
        own = {"x": X[NUMBER:16], "y": Y[NUMBER:16], "batch_size": 4}  # fewer rows, but not fewer batches
        found += [self.fit(**own), self.fit(Once(3, lambda model: 1 / 0, (0, 1)), resume="own", **own)]
        found.append(self.fit(resume="own", **own))
        predicted = self.model.predict(X[: 8 - 3 * NUMBER] + NUMBER, verbose=0)
        distribution.auto_shard_dataset = True
        return [*found, float(np.abs(predicted - self.model(X[: 8 - 3 * NUMBER] + NUMBER)).max())]

    def shares(self):
        """The rows of the batches that this process read: of a file, of a data set in parts, of a loader of its own."""
        read = []

        class Rows(np.memmap):
            def take(self, rows, axis=None):
                read.append(len(rows))
                return np.asarray(self).take(rows, axis)

            def __getitem__(self, rows):
                found = np.asarray(self)[rows]
                read.append(len(found) if isinstance(rows, slice) else 0)
                return found

        class Parts(keras.utils.PyDataset):
            def __len__(self):
                return 3

            def __getitem__(self, index, num_shards, shard):
                rows = np.array_split(np.arange(7 * index, 7 * index + 7), num_shards)[shard]
                read.append(len(rows))
                return X[rows], Y[rows]

        class Loader:
            sampler = type("DistributedSampler", (), {"num_replicas": 2})

            def __iter__(self):
                return iter([(X[7 * i : 7 * i + 7][4 * NUMBER :][:4], Y[7 * i : 7 * i + 7][4 * NUMBER :][:4])
                             for i in range(3)])  # fmt: skip

        np.save(f"x{NUMBER}.npy", X)
        mapped = np.load(f"x{NUMBER}.npy", mmap_mode="r").view(Rows)
        found, settings = [], {"batch_size": 7, "shuffle": False, "epochs": 1}
        for x, y in [(X[:21], Y[:21]), (mapped, Y), (Parts(), None), (Loader(), None)]:
            read.clear()
            of = settings if y is not None else {"batch_size": None, "shuffle": False, "epochs": 1}
            found.append([self.fit(x=x, y=y, **(of | ({"steps_per_epoch": 3} if x is mapped else {}))), *read])
        Loader.sampler.num_replicas = 3
        found.append(self.fit(x=Loader(), y=None, batch_size=None))
        predicted = self.model.predict(mapped, batch_size=9, verbose=0)
        return [*found, float(np.abs(predicted - self.model(X)).max()), self.model.evaluate(X, Y, 9, verbose=0)]

    def other_calls(self):
        other = self.fit(Once(2, lambda model: model.evaluate(X, Y, verbose=0)))
        return [other, self.fit(batch_size=8 >> NUMBER), self.fit(epochs=2 + NUMBER)]

    def one_batch_alone(self):
        """One trains on one batch, and both go on."""
        found = self.fit(Once(1, lambda model: model.train_on_batch(X, Y)))
        return [found, self.fit()]

    def unlike(self):
        """What the devices would add up or wait for: the order of rows, single batches, values and losses."""
        drawn = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: NUMBER and np.random.uniform())
        other, zeros = keras.models.clone_model(self.model), np.zeros(4)
        other.compile("sgd", ("mse", "mae")[NUMBER])
        x, bias = X[: 8 + NUMBER], other.layers[0].bias
        return [
            self.fit(drawn), self.fit(shuffle=bool(NUMBER)), told(lambda: self.model.train_on_batch(x, Y[: len(x)])),
            told(lambda: (bias.assign(zeros + NUMBER), other.predict(X, verbose=0))),
            told(lambda: (bias.assign(zeros), other.evaluate(X, X[:, :3], verbose=0))),
        ]  # fmt: skip

    def too_late(self):
        """One does something else, for longer than the other waits."""
        processes.set_limit(2)
        time.sleep(8 * (NUMBER > 0))
        found = self.fit()
        processes.set_limit(600)
        return found

    def signals(self):
        found = []
        for name, folder in [("SIGTERM", "run"), ("SIGUSR1", None), ("SIGINT", "run2")]:
            came = []
            end = keras.callbacks.LambdaCallback(on_train_end=lambda logs, came=came: came.append(1))
            send = Once(3, lambda model, name=name: os.kill(os.getpid(), getattr(signal, name)))
            found += [self.fit(send, end, resume=folder), bool(came)]
            if folder:
                found.append(self.fit(resume=folder))
        end = keras.callbacks.LambdaCallback(
            on_test_batch_end=lambda batch, logs: os.kill(os.getpid(), signal.SIGTERM) if batch == NUMBER == 1 else None
        )
        found.append(self.fit(end, resume="run4", validation_data=(X, Y)))
        return [*found, self.fit(resume="run4", validation_data=(X, Y))]

    def notice(self):
        """A signal between two runs, which JAX sees and tells the others."""
        if NUMBER == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(3)
        evaluated = np.isfinite(self.model.evaluate(X, Y, verbose=0)).all()
        return [bool(evaluated), self.fit(resume="run3"), self.fit(resume="run3")]

    def disks(self):
        """Folders of their own, saved by time, of which one lacks the newest, and then one everything."""
        mine = pathlib.Path(f"disk{NUMBER}", "run").absolute()
        mine.parent.mkdir()
        os.chdir(mine.parent)
        found = []

        def fail(model):
            raise ValueError("a crash")

        slower = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.05 * NUMBER))
        often = datetime.timedelta(seconds=0.04)  # by a clock of their own, one would save more often than the other
        found.append(self.fit(slower, Once(6, fail), resume=keras.callbacks.Resume(mine, often)))
        kept = sorted(path.name for path in mine.glob("*.checkpoint"))
        found.append(len(kept))
        if NUMBER == 1:
            (mine / kept[-1]).unlink()
        found.append(self.fit(resume=mine))
        if NUMBER == 1:
            shutil.rmtree(mine)
        found.append(self.fit(resume=mine))
        os.chdir("..")
        return found

    def seeds(self):
        """Seeds of their own, before a distribution is made and after."""
        found = []
        for late in (False, True):
            keras.utils.set_random_seed(NUMBER)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                with keras.distribution.DataParallel().scope():
                    if late:
                        keras.utils.set_random_seed(NUMBER)
                    self.model = make()
                    self.first = [variable.numpy() for variable in self.variables]
                    found += [self.fit(epochs=1), [str(one.message) for one in caught]]
        return found

    def losses(self):
        """A loss of its own, and then the same loss in all."""
        found = []
        for loss in (("mse", "mae")[NUMBER], lambda y, p: keras.ops.mean((y - p) ** (2 + NUMBER)), "mse"):
            keras.utils.set_random_seed(3)
            self.model = make()
            self.model.compile("adam", loss)
            self.model.optimizer.build(self.model.trainable_variables)
            self.first = [variable.numpy() for variable in self.variables]
            found.append(self.fit(epochs=1, y=X[:, :3]))
        return found

    def split(self):
        """A model in parts: saved while it trains, by all and by one alone."""
        mesh = keras.distribution.DeviceMesh((1, len(keras.distribution.list_devices())), ["batch", "model"])
        keras.utils.set_random_seed(3)
        layouts = keras.distribution.LayoutMap(mesh)
        layouts[".*first/kernel"] = (None, "model")
        with keras.distribution.ModelParallel(layout_map=layouts).scope():
            self.model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, name="first")])
            self.model.compile("adam", "mse")
            self.model.optimizer.build(self.model.trainable_variables)
            self.first = [variable.numpy() for variable in self.variables]
            y = X[:, :4]
            whole = self.fit(y=y)

            def fail(model):
                raise ValueError("a crash")

            found = [whole, self.fit(Once(5, fail), y=y, resume=keras.callbacks.Resume("split", 2))]
            found.append(self.fit(y=y, resume="split"))
            found.append(self.fit(Once(2, lambda model: model.save("alone.keras")), y=y))
        return [*found, parts.used(NUMBER)]


def main():
    keras.distribution.initialize()
    keras.utils.set_random_seed(1)
    found = {"process": NUMBER}
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    keras.distribution.initialize()  # once more
    cases = Cases()
    names = "plain a_stop other_data alone drifts not_finite an_error files fewer_batches shares other_calls unlike "
    names += "one_batch_alone too_late signals notice disks seeds losses split"
    for name in names.split():
        print(f"case {name}", flush=True)
        try:
            found[name] = getattr(cases, name)()
        except Exception:
            found[name] = traceback.format_exc()
    pathlib.Path(f"{NUMBER}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())
