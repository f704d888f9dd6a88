"""BackupAndRestore: a run that was killed and resumed ends with the bits of one that was not."""

import random

import numpy as np
import pytest

import lamina as keras
from lamina.errors import FileError

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


class Killed(Exception):
    pass


def killed_after(steps):
    """A callback that raises after so many batches, as a crash would."""
    seen = []

    def count(batch, logs):
        seen.append(batch)
        if len(seen) == steps:
            raise Killed

    return keras.callbacks.LambdaCallback(on_train_batch_end=count)


def make_model():
    model = keras.Sequential(
        [
            keras.layers.Input((3,)),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def start(seed):
    keras.utils.set_random_seed(seed)
    return make_model()


def draw(batch, logs):
    np.random.normal()  # an odd number of draws leaves half of a pair behind
    random.random()


def fit(model, *callbacks, **kwargs):
    drawing = keras.callbacks.LambdaCallback(on_train_batch_end=draw)
    return model.fit(X, Y, batch_size=6, epochs=3, verbose=0, callbacks=[drawing, *callbacks], **kwargs)


def state(model):
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]


def assert_same(one, other):
    for left, right in zip(state(one), state(other), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("save_freq, shuffle", [("epoch", True), (1, True), (3, "batch")])
def test_a_killed_run_ends_the_same(tmp_path, save_freq, shuffle):
    whole = start(1)
    expected = fit(whole, shuffle=shuffle).history
    folder = tmp_path / "backup"
    first = start(1)
    with pytest.raises(Killed):
        fit(first, keras.callbacks.BackupAndRestore(folder, save_freq), killed_after(7), shuffle=shuffle)
    again = start(2)  # another process would begin with other numbers
    history = fit(again, keras.callbacks.BackupAndRestore(folder, save_freq), shuffle=shuffle).history
    assert_same(again, whole)
    assert history == expected
    assert not folder.exists()


@pytest.mark.parametrize(
    "data, save_freq", [("arrays", "epoch"), ("arrays", 1), ("generator", 1), ("dataset", "epoch")]
)
def test_epochs_that_stop_within_the_data(tmp_path, save_freq, data):
    def fit(model, *callbacks):
        def generate():
            while True:
                rows = np.random.permutation(24)[:6]
                yield X[rows], Y[rows]

        given = {"arrays": (X, Y), "generator": (generate(),), "dataset": (Batches(workers=1),)}[data]
        size = {"batch_size": 6} if data == "arrays" else {}
        model.fit(*given, **size, epochs=4, steps_per_epoch=2, verbose=0, callbacks=[*callbacks])

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return X[6 * index : 6 * index + 6], Y[6 * index : 6 * index + 6]

    def start(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    whole, first = start(1), start(1)
    keras.utils.set_random_seed(1)
    fit(whole)
    keras.utils.set_random_seed(1)
    with pytest.raises(Killed):
        fit(first, keras.callbacks.BackupAndRestore(tmp_path, save_freq), killed_after(7))
    again = start(2)
    keras.utils.set_random_seed(1 if data == "generator" else 2)
    fit(again, keras.callbacks.BackupAndRestore(tmp_path, save_freq))
    assert_same(again, whole)


def test_killed_twice_and_at_once(tmp_path):
    whole = start(1)
    fit(whole)
    for steps in (2, 4, 3):
        model = start(steps)
        if steps == 2:
            model = start(1)
        with pytest.raises(Killed):
            fit(model, keras.callbacks.BackupAndRestore(tmp_path, 1), killed_after(steps))
    last = start(9)
    fit(last, keras.callbacks.BackupAndRestore(tmp_path, 1))
    assert_same(last, whole)


def test_a_run_that_ended_trains_no_more(tmp_path):
    model = start(1)
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    fit(model, backup)
    before = state(model)
    assert len(fit(start(2), keras.callbacks.BackupAndRestore(tmp_path)).history["loss"]) == 3
    for left, right in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not list(tmp_path.glob("*"))


def test_double_checkpoint_outlives_a_damaged_one(tmp_path):
    model = start(1)
    fit(model, keras.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False))
    _, last = sorted(tmp_path.iterdir())
    last.write_bytes(b"damaged")
    again = start(2)
    with pytest.warns(UserWarning, match=last.name):
        history = fit(again, keras.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True)).history
    assert len(history["loss"]) == 3
    assert_same(again, model)


def test_what_does_not_fit_is_an_error(tmp_path):
    fit(start(1), keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False))
    other = keras.Sequential([keras.layers.Dense(1)])
    other.compile("sgd", "mse")
    with pytest.raises(FileError, match="variables"):
        fit(other, keras.callbacks.BackupAndRestore(tmp_path))
    next(tmp_path.iterdir()).write_bytes(b"damaged")
    with pytest.raises(FileError, match="damaged"):
        fit(start(1), keras.callbacks.BackupAndRestore(tmp_path))
    for arguments in (("",), (None,), (tmp_path, "batch"), (tmp_path, 0)):
        with pytest.raises(ValueError, match="backup_dir|save_freq"):
            keras.callbacks.BackupAndRestore(*arguments)


def test_bfloat16_comes_back(tmp_path):
    def make(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1, dtype="bfloat16")])
        model.compile("sgd", "mse")
        return model

    model = make(1)
    with pytest.raises(Killed):
        fit(model, keras.callbacks.BackupAndRestore(tmp_path, 1), killed_after(2))
    whole = make(1)
    fit(whole)
    again = make(2)
    fit(again, keras.callbacks.BackupAndRestore(tmp_path, 1))
    assert_same(again, whole)
