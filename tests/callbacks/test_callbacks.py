"""Callbacks: decisions over sequences of figures against the Keras wheel, and what they write."""

import contextlib
import csv
import json
import os
import sys
import tempfile
import types

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina import callbacks
from lamina.callbacks.logs import Logs
from lamina.errors import CallError, ConfigError
from lamina.legacy import OldSpelling


class Model:
    """As much of a model as callbacks touch. Its weights say in which epoch they were taken."""

    def __init__(self, rate=0.1, metrics=()):
        self.optimizer = types.SimpleNamespace(learning_rate=rate, name="sgd")
        self.stop_training = False
        self.metrics = list(metrics)
        self.epoch = self.restored = None
        self.saved = []

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.restored = weights

    def save(self, path, overwrite=True):
        self.saved.append(("model", path))
        with open(path, "w") as file:
            file.write(str(self.epoch))

    def save_weights(self, path, overwrite=True):
        self.save(path)
        self.saved[-1] = ("weights", path)


def run(callback, rows, model=None, batches=0):
    """Run the callback over one row of figures an epoch; what can be seen from outside after each epoch."""
    model = model or Model()
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, row in enumerate(rows):
        model.epoch = epoch
        logs = dict(row)
        callback.on_epoch_begin(epoch, {})
        for batch in range(batches):
            callback.on_train_batch_end(batch, dict(row))
        callback.on_epoch_end(epoch, logs)
        seen.append((model.stop_training, float(model.optimizer.learning_rate), logs))
        if model.stop_training:
            break
    callback.on_train_end()
    return seen, model.restored


figures = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.55, 1.0, float("nan")]), min_size=1, max_size=12)


def rows_of(values):
    return [{"val_loss": value} for value in values]


@settings(max_examples=150, deadline=None)
@given(
    figures,
    st.fixed_dictionaries(
        {
            "min_delta": st.sampled_from([0, 0.15]),
            "patience": st.integers(0, 3),
            "mode": st.sampled_from(["auto", "min", "max"]),
            "baseline": st.sampled_from([None, 0.25]),
            "restore_best_weights": st.booleans(),
            "start_from_epoch": st.sampled_from([0, 2]),
        }
    ),
)
def test_early_stopping_decides_as_keras(values, arguments):
    ours = run(callbacks.EarlyStopping(**arguments), rows_of(values))
    theirs = run(keras.callbacks.EarlyStopping(**arguments), rows_of(values))
    np.testing.assert_equal(ours, theirs)


@settings(max_examples=150, deadline=None)
@given(
    figures,
    st.fixed_dictionaries(
        {
            "factor": st.sampled_from([0.1, 0.5]),
            "patience": st.integers(0, 3),
            "mode": st.sampled_from(["auto", "min", "max"]),
            "min_delta": st.sampled_from([1e-4, 0.15]),
            "cooldown": st.integers(0, 2),
            "min_lr": st.sampled_from([0.0, 0.02]),
        }
    ),
)
def test_reduce_lr_on_plateau_decides_as_keras(values, arguments):
    ours = run(callbacks.ReduceLROnPlateau(**arguments), rows_of(values))
    theirs = run(keras.callbacks.ReduceLROnPlateau(**arguments), rows_of(values))
    np.testing.assert_equal(ours, theirs)


@settings(max_examples=60, deadline=None)
@given(figures, st.sampled_from(["min", "max"]), st.sampled_from([None, 0.3]))
def test_the_best_models_are_those_keras_saves(values, mode, threshold):
    def saved(kind):
        model = Model()
        model.save = lambda path, overwrite=True: (open(path, "w").close(), model.saved.append(model.epoch))
        run(kind("a.keras", save_best_only=True, mode=mode, initial_value_threshold=threshold), rows_of(values), model)
        return model.saved

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        assert saved(callbacks.ModelCheckpoint) == saved(keras.callbacks.ModelCheckpoint)


@pytest.mark.parametrize("frequency, sizes", [(3, (4, 4)), (5, (4, 4, 4)), (1, (2,)), (4, (4, 4))])
def test_checkpoints_of_batches(frequency, sizes, tmp_path):
    def saved(kind, folder):
        (tmp_path / folder).mkdir()
        callback = kind(tmp_path / folder / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=frequency)
        run(callback, [{"loss": 1.0}] * len(sizes), batches=sizes[0])
        return sorted(os.listdir(tmp_path / folder))

    assert saved(callbacks.ModelCheckpoint, "ours") == saved(keras.callbacks.ModelCheckpoint, "theirs") != []


def test_checkpoints_as_keras_2_spelt_them(tmp_path):
    model = Model()
    with pytest.warns(OldSpelling, match="period"):
        callback = callbacks.ModelCheckpoint(tmp_path / "{epoch}.hdf5", save_weights_only=True, period=2)
    run(callback, rows_of([0.5, 0.4, 0.3, 0.2]), model)
    assert sorted(os.listdir(tmp_path)) == ["2.hdf5", "4.hdf5"]


def test_checkpoints_are_named_by_figures(tmp_path):
    model = Model()
    path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.2f}.weights.h5"
    run(callbacks.ModelCheckpoint(path, save_weights_only=True), rows_of([0.5, 0.25]), model)
    assert sorted(os.listdir(tmp_path / "deep")) == ["01-0.50.weights.h5", "02-0.25.weights.h5"]
    assert {kind for kind, _ in model.saved} == {"weights"}


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filepath": "a.h6"}, ".keras or .h5"),
        ({"filepath": "a.keras", "save_weights_only": True}, ".weights.h5"),
        ({"filepath": "a.keras", "wrong": 1}, "'wrong'"),
        ({"filepath": "a.keras", "save_freq": "batch"}, "save_freq"),
    ],
)
def test_checkpoints_refuse(arguments, message):
    with pytest.raises(ConfigError, match=message):
        callbacks.ModelCheckpoint(**arguments)


def test_checkpoints_name_what_is_missing(tmp_path):
    with pytest.raises(ConfigError, match="has the name 'acc'.*val_loss"):
        run(callbacks.ModelCheckpoint(str(tmp_path / "{acc}.keras")), rows_of([1.0]))
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        run(callbacks.ModelCheckpoint(tmp_path / "folder.keras"), rows_of([1.0]))
    with pytest.warns(UserWarning, match="monitors 'val_loss'.*: loss"):
        run(callbacks.ModelCheckpoint(tmp_path / "a.keras", save_best_only=True), [{"loss": 1.0}])
    with pytest.warns(UserWarning, match="not a single number"):
        run(callbacks.ModelCheckpoint(tmp_path / "a.keras", save_best_only=True), rows_of([np.ones(2)]))


class Up:
    """A metric that should grow."""

    name, _direction = "accuracy", "up"


class Down(Up):
    """A metric that should shrink."""

    name, _direction = "error", "down"


class Holder:
    """What holds the metrics that compile was given."""

    name, metrics = "compile_metrics", (Up(), Down())


@pytest.mark.parametrize(
    "monitor, values, stops",
    [
        ("val_accuracy", [0.1, 0.2, 0.3], False),
        ("val_accuracy", [0.3, 0.2, 0.1], True),
        ("error", [0.1, 0.2, 0.3], True),
        ("val_head_accuracy", [0.1, 0.2, 0.3], False),
        ("head_loss", [0.1, 0.2, 0.3], True),
    ],
)
def test_the_direction_comes_from_the_metric(monitor, values, stops):
    seen, _ = run(callbacks.EarlyStopping(monitor), [{monitor: value} for value in values], Model(metrics=[Holder()]))
    assert seen[-1][0] == stops


def test_the_direction_of_functions():
    wrap = lamina.metrics.MeanMetricWrapper
    assert wrap(lamina.metrics.sparse_categorical_accuracy)._direction == "up"
    assert wrap(lamina.losses.mean_squared_error)._direction == "down"
    assert wrap(lambda y_true, y_pred: y_pred)._direction is None


def test_an_unknown_direction_is_asked_for():
    with pytest.raises(ConfigError, match="'speed' should increase or decrease"):
        run(callbacks.EarlyStopping("speed"), [{"speed": 1.0}])
    with pytest.warns(UserWarning, match="'up' is taken as 'auto'"):
        callbacks.EarlyStopping(mode="up")
    for kind in (callbacks.EarlyStopping, callbacks.ReduceLROnPlateau):
        with pytest.warns(UserWarning, match="-3 is taken as 0"):
            assert kind(patience=-3).patience == 0
    with pytest.warns(UserWarning, match="EarlyStopping monitors 'val_loss', which is not in logs"):
        run(callbacks.EarlyStopping(), [{"loss": 1.0}])


def test_early_stopping_says_so(capsys):
    run(callbacks.EarlyStopping(verbose=1, restore_best_weights=True), rows_of([0.1, 0.2]))
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring model weights from the end of the best epoch: 1.",
    ]
    quiet = callbacks.EarlyStopping(patience=2)
    quiet.set_params({"verbose": 1})
    run(quiet, rows_of([0.1, 0.2, 0.3]))
    said = "Stopped early: val_loss did not improve for 2 epochs; the best value was 0.1, in epoch 1.\n"
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 1.0 / (epoch + 1)])
def test_learning_rate_scheduler(schedule):
    ours, theirs = (
        run(module.LearningRateScheduler(schedule), [{"loss": 1.0}] * 3) for module in (callbacks, keras.callbacks)
    )
    assert ours == theirs
    assert ours[0][-1][2]["learning_rate"] == ours[0][-1][1]


def test_learning_rate_scheduler_takes_scalars_and_refuses_the_rest(capsys):
    seen, _ = run(callbacks.LearningRateScheduler(lambda epoch, rate: rate * jnp.exp(-0.1), verbose=1), [{}])
    assert seen[0][1] == pytest.approx(0.1 * np.exp(-0.1))
    assert capsys.readouterr().out.startswith("Epoch 1: LearningRateScheduler setting learning rate to 0.0904")
    with pytest.raises(ConfigError, match="must return a float"):
        run(callbacks.LearningRateScheduler(lambda epoch: None), [{}])

    def broken(epoch, rate):
        raise TypeError("of the user's own")

    with pytest.raises(TypeError, match="of the user's own"):
        run(callbacks.LearningRateScheduler(broken), [{}])


def test_the_words_of_new_rates_are_those_of_keras(capsys):
    for make in (
        lambda module: module.LearningRateScheduler(lambda epoch: 0.5, verbose=1),
        lambda module: module.ReduceLROnPlateau(patience=1, factor=0.5, verbose=1),
    ):
        said = []
        for one in (callbacks, keras.callbacks):
            run(make(one), rows_of([1.0, 2.0, 3.0]))
            said.append([line for line in capsys.readouterr().out.split("\n") if line])
        assert said[0] == said[1] and "learning rate to 0." in said[0][0]


def test_several_optimizers():
    model = Model()
    parts = [types.SimpleNamespace(name=name, learning_rate=rate) for name, rate in (("a", 1.0), ("b", 0.001))]
    model.optimizer = types.SimpleNamespace(optimizers=parts, learning_rate=0.0)
    seen, _ = run(callbacks.ReduceLROnPlateau(patience=1, min_lr=0.01), rows_of([0.1, 0.2]), model)
    assert (parts[0].learning_rate, parts[1].learning_rate) == (pytest.approx(0.1), 0.001)
    assert seen[-1][2]["learning_rate_b"] == 0.001


def test_reduce_lr_on_plateau_refuses():
    with pytest.raises(ConfigError, match="below 1"):
        callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.warns(OldSpelling, match="min_delta"):
        assert callbacks.ReduceLROnPlateau(epsilon=0.1).min_delta == 0.1


@pytest.mark.parametrize(
    "rows",
    [
        [{"loss": 0.5, "accuracy": 1.0}, {"loss": 0.25, "accuracy": 1.0}],
        [{"loss": 0.5, "val_loss": 1.0}, {"loss": 0.25}],
        [{"loss": 0.5}, {"loss": 0.25, "val_loss": 1.0, "new": 3.0}],
        [{"loss": np.array([1.0, 2.0]), "name": "x;y"}],
    ],
)
@pytest.mark.parametrize("arguments", [{}, {"separator": ";"}, {"append": True}])
def test_csv_files_are_those_of_keras(rows, arguments, tmp_path):
    for module, name in ((callbacks, "ours.csv"), (keras.callbacks, "theirs.csv")):
        for _ in range(2):
            run(module.CSVLogger(tmp_path / name, **arguments), rows)
    texts = [(tmp_path / name).read_text() for name in ("ours.csv", "theirs.csv")]
    parsed = [list(csv.reader(text.splitlines(), delimiter=arguments.get("separator", ","))) for text in texts]
    assert parsed[0] == parsed[1]
    assert len(parsed[0]) == 1 + len(rows) * (2 if arguments.get("append") else 1)


def test_csv_rows_are_whole_after_each_epoch(tmp_path):
    log = callbacks.CSVLogger(tmp_path / "a.csv")
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 1.0})
    assert (tmp_path / "a.csv").read_text().splitlines() == ["epoch,loss,val_loss", "0,1.0,NA"]
    log.on_train_end()
    assert log.csv_file.closed


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_terminate_on_nan(loss, capsys):
    model = Model()
    stop = callbacks.CallbackList([callbacks.TerminateOnNaN()], model=model)
    assert stop.wants("train") and not stop.wants("test")
    stop.on_train_begin()
    stop.on_train_batch_end(0, {"loss": jnp.float32(1)})
    stop.on_train_batch_end(1, {})
    assert not model.stop_training
    stop.on_train_batch_end(2, {"loss": jnp.float32(loss)})
    assert model.stop_training
    assert capsys.readouterr().out.startswith("Batch 2: the loss is")
    with pytest.raises(RuntimeError, match="batch 4"):
        callbacks.TerminateOnNaN(raise_error=True).on_train_batch_end(4, {"loss": loss})


def test_history_is_that_of_keras():
    rows = [{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5}]
    ours, theirs = callbacks.History(), keras.callbacks.History()
    for history in (ours, theirs):
        run(history, rows)
        run(history, rows)
    assert (ours.history, ours.epoch) == (theirs.history, theirs.epoch)
    assert ours.model.history is ours


HOOKS = [
    *(f"on_{kind}_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")),
    *(f"on_{kind}_batch_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")),
    "on_epoch_begin",
    "on_epoch_end",
]


def arguments_of(hook):
    return (3,) if "batch" in hook or "epoch" in hook else ()


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_reaches_each_callback(hook):
    seen = []

    def listen(*args):
        seen.append(args)

    several = callbacks.CallbackList([callbacks.LambdaCallback(**{hook: listen})] * 2, model=Model())
    getattr(several, hook)(*arguments_of(hook), {"loss": jnp.float32(0.5)})
    assert seen == [(*arguments_of(hook), {"loss": 0.5})] * 2
    kind = hook.split("_")[1]
    assert [several.wants(name) for name in ("train", "test", "predict")] == [
        "batch" in hook and kind == name for name in ("train", "test", "predict")
    ]


def test_old_names_of_the_batch_hooks():
    class Old(callbacks.Callback):
        def __init__(self):
            self.seen = []

        def on_batch_begin(self, batch, logs=None):
            self.seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            self.seen.append(("end", batch, logs["loss"]))

    old = Old()
    several = callbacks.CallbackList([old])
    several.on_train_batch_begin(1)
    several.on_train_batch_end(1, {"loss": jnp.float32(2)})
    several.on_batch_end(2, {"loss": 3.0})
    assert old.seen == [("begin", 1), ("end", 1, 2.0), ("end", 2, 3.0)]
    assert several.wants("train") and not several.wants("predict")


def test_callbacks_made_for_keras_itself():
    class Theirs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.logs = logs

    theirs = Theirs()
    several = callbacks.CallbackList(theirs, model=Model(), epochs=2)
    assert not several.wants("train")
    several.on_epoch_end(0, {"loss": jnp.float32(1)})
    assert theirs.logs == {"loss": 1.0} and theirs.params == {"epochs": 2}


def test_figures_that_a_callback_adds_reach_the_history():
    model = Model()
    several = callbacks.CallbackList(
        [callbacks.LearningRateScheduler(lambda epoch: 0.5)], add_history=True, model=model
    )
    several.on_train_begin()
    several.on_epoch_begin(0)
    several.on_epoch_end(0, {"loss": 1.0})
    assert model.history.history == {"loss": [1.0], "learning_rate": [0.5]}


def test_what_a_callback_list_adds():
    history = callbacks.History()
    several = callbacks.CallbackList(
        [[history], callbacks.ProgbarLogger()], add_history=True, add_progbar=True, verbose=0
    )
    assert several.history is history and len(several.callbacks) == 2
    added = callbacks.CallbackList(None, add_history=True, add_progbar=True, verbose=0)
    assert [type(callback).__name__ for callback in added.callbacks] == ["History", "ProgbarLogger"]


@pytest.mark.parametrize("wrong, message", [(callbacks.History, "the class History"), (print, "not a Callback")])
def test_what_is_no_callback(wrong, message):
    with pytest.raises(CallError, match=message):
        callbacks.CallbackList([wrong])


def test_progbar_logger(capsys):
    several = callbacks.CallbackList(None, add_progbar=True, model=Model(), verbose=2, epochs=2, steps=2)
    several.on_train_begin()
    for epoch in range(2):
        several.on_epoch_begin(epoch)
        several.on_train_batch_end(0, {"loss": jnp.float32(1)})
        several.on_test_begin()
        several.on_test_batch_end(0, {"loss": 7.0})
        several.on_test_end({"loss": 7.0})
        several.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 7.0})
    several.on_train_end()
    several.on_test_begin()
    several.on_test_batch_end(0, {"loss": 7.0})
    several.on_test_end({"loss": 7.0})
    several.on_predict_begin()
    several.on_predict_batch_end(0, {"outputs": np.ones(3)})
    several.on_predict_end()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("/step")[2] for line in lines] == [" - loss: 1.0000 - val_loss: 7.0000"] * 2 + [
        " - loss: 7.0000",
        "",
    ]
    assert lines[0].startswith("Epoch 1/2 - 1/2")


class Unread:
    """A device value whose reading is seen."""

    shape = ()

    def __init__(self):
        self.reads = 0

    def __float__(self):
        self.reads += 1
        return 0.5


@pytest.mark.parametrize(
    "look",
    [  # noqa: RUF005
        dict,
        repr,
        lambda logs: {**logs},
        json.dumps,
        lambda logs: logs | {},
        lambda logs: {} | logs,
        lambda logs: logs.copy(),
    ]
    + [lambda logs: logs["loss"], lambda logs: logs.get("loss"), lambda logs: logs == {"loss": 0.5}, list],
)
def test_logs_are_read_when_someone_looks(look):
    value = Unread()
    logs = Logs({"loss": value})
    assert logs and len(logs) == 1 and value.reads == 0
    found, wanted = look(logs), look({"loss": 0.5})
    assert found == wanted and value.reads == 1
    look(logs)
    assert value.reads == 1


def test_logs_keep_what_is_put_in():
    logs = Logs({"loss": jnp.float32(0.5), "nested": {"a": jnp.float32(1)}, "text": "x", "row": jnp.ones(2)})
    logs["loss"] = 3
    logs.update(b=4)
    row = logs.pop("row")
    assert logs == {"loss": 3, "a": 1.0, "text": "x", "b": 4}
    np.testing.assert_array_equal(row, [1, 1])


def test_a_bar_in_a_terminal_does_not_read_what_is_not_shown(monkeypatch):
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(isatty=lambda: False, write=lambda text: None, flush=list))
    several = callbacks.CallbackList(None, add_progbar=True, verbose=2, epochs=1, steps=2)
    value = Unread()
    several.on_epoch_begin(0)
    several.on_train_batch_end(0, {})
    several.on_train_batch_end(1, {"loss": value})
    assert value.reads == 0


@pytest.mark.parametrize(("name", "meant"), [("on_epoch_ends", "on_epoch_end"), ("on_epoch_start", "on_epoch_begin")])
def test_a_misspelt_hook_is_told(name, meant):
    own = type("Own", (callbacks.Callback,), {name: lambda self, epoch, logs=None: None, "on_my_event": int})
    with pytest.warns(UserWarning, match=f"Own.{name} is never called: did you mean '{meant}'"):
        callbacks.CallbackList([own()])
