"""Callbacks in a real `fit`."""

import csv

import numpy as np
import pytest

import lamina as keras

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def test_files_and_figures(model, tmp_path):
    rows = []
    history = model.fit(
        X,
        Y,
        epochs=3,
        batch_size=10,
        validation_split=0.25,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
            keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
            keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: rows.append((batch, logs["loss"]))),
        ],
    )
    figures = history.history
    assert figures["learning_rate"] == pytest.approx([0.05, 0.025, 0.0125])
    assert [batch for batch, _ in rows] == [0, 1, 2] * 3
    assert [loss for batch, loss in rows if batch == 2] == figures["loss"]
    table = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [float(row["val_mae"]) for row in table] == figures["val_mae"]
    best = keras.saving.load_model(tmp_path / "best.keras")
    assert best.evaluate(X[30:], Y[30:], verbose=0)[0] == pytest.approx(min(figures["val_loss"]), rel=1e-6)
    model.load_weights(tmp_path / "2.weights.h5")
    assert model.evaluate(X[30:], Y[30:], verbose=0)[0] == pytest.approx(figures["val_loss"][1], rel=1e-6)


def test_early_stopping_gives_the_best_weights_back(model):
    model.optimizer.learning_rate = 1.2  # too much: it diverges
    stop = keras.callbacks.EarlyStopping("val_mae", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=20, validation_data=(X, Y), verbose=0, callbacks=[stop], batch_size=40)
    values = history.history["val_mae"]
    assert len(values) == stop.best_epoch + 3 < 20
    assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(min(values), rel=1e-6)


@pytest.mark.filterwarnings("ignore:LAM402")
def test_training_stops_at_nan(model):
    bad = np.where(np.arange(40) < 20, Y[:, 0], np.nan)[:, None]
    seen = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, bad, batch_size=10, shuffle=False, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN(), count])
    assert seen == [0, 1, 2]
