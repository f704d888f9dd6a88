"""Many steps in one program give what single steps give, to the bit, and only where nobody looks at each step."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback, ModelCheckpoint, Resume
from lamina.training import multi_step

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 9)).astype("float32")
Y = RNG.integers(0, 3, (70, 1)).astype("int32")


@pytest.fixture(autouse=True)
def worth(monkeypatch):
    monkeypatch.setattr(multi_step, "MIN_STEPS_TO_FUSE", 0)


def network(*inner, **compiled):
    model = keras.Sequential([keras.Input((9,)), *inner, layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(**{"optimizer": "adam", "loss": loss, "metrics": ["accuracy"], **compiled})
    return model


def small(**compiled):
    return network(layers.Dense(8, "relu"), layers.Dropout(0.3), layers.BatchNormalization(), **compiled)


def kinds(model):
    return [one.kind for one in model.compilations()]


def train(make, singly, **settings):
    """(weights, optimizer's variables, figures, kinds of programs) of a training."""
    keras.utils.set_random_seed(1)
    model = make()
    heard = LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    callbacks = [*settings.pop("callbacks", []), *([heard] if singly else [])]
    history = model.fit(X, Y, batch_size=8, verbose=0, callbacks=callbacks, **settings).history
    return model.get_weights(), [v.numpy() for v in model.optimizer.variables], history, kinds(model)


def with_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
    return small(optimizer=keras.optimizers.SGD(schedule, momentum=0.9))


@pytest.mark.parametrize("make, settings", [
    (small, {"epochs": 3, "validation_split": 0.2}),
    (small, {"epochs": 2, "shuffle": False, "class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}),
    (with_schedule, {"epochs": 4, "callbacks": [EarlyStopping("loss", patience=0, min_delta=10)]}),
], ids=["shuffled", "weighted", "stopped"])  # fmt: skip
def test_the_same_to_the_bit(make, settings):
    one, many = train(make, True, **settings), train(make, False, **settings)
    assert "train, many of 8" in many[3] and "train, many of 8" not in one[3]
    for a, b in zip((*one[0], *one[1]), (*many[0], *many[1]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one[2] == many[2]


def test_steps_per_execution_is_how_many_steps_a_program_has(monkeypatch):
    monkeypatch.setattr(multi_step, "MIN_STEPS_TO_FUSE", 10**9)
    model = network(steps_per_execution=3)
    taken = []
    train_many = model._runner.train_many
    monkeypatch.setattr(model._runner, "train_many", lambda *a: (taken.append(a[-1].steps), train_many(*a))[1])
    model.fit(X, Y, batch_size=8, verbose=0)
    assert taken == [3, 3, 2] and kinds(model) == ["train, many of 8", "train"]


def test_callbacks_that_save_after_epochs_do_not_look_at_batches(tmp_path):
    model = network()
    callbacks = [ModelCheckpoint(tmp_path / "best.keras"), BackupAndRestore(tmp_path / "backup")]
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=callbacks)
    assert kinds(model) == ["train, many of 8", "train"]
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "often.keras", save_freq=4)])
    assert kinds(model)[2:] == ["train"]


def test_a_resumed_run_ends_with_the_same_weights(tmp_path):
    def run(callbacks, **settings):
        keras.utils.set_random_seed(1)
        model = small()
        model.fit(X, Y, batch_size=8, verbose=0, epochs=3, callbacks=callbacks, **settings)
        assert "train, many of 8" in kinds(model)
        return model.get_weights()

    def crash(epoch, logs):
        raise RuntimeError("crash")

    whole = run([])
    with pytest.raises(RuntimeError, match="crash"):
        run(
            [LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch and crash(epoch, logs))],
            resume=Resume(tmp_path, save_freq="epoch"),
        )
    for a, b in zip(whole, run([], resume=Resume(tmp_path, save_freq="epoch")), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("singly", [True, False])
def test_data_changed_in_place_between_epochs_is_used(singly):
    x = X.copy()
    model = network(optimizer=keras.optimizers.SGD(0.1))
    clear = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: x.fill(0.0) if epoch else None,
        on_train_batch_end=(lambda batch, logs: None) if singly else None,
    )
    kernels = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kernels.append(model.get_weights()[0]))
    model.fit(x, Y, batch_size=8, verbose=0, epochs=2, callbacks=[clear, keep])
    assert ("train, many of 8" in kinds(model)) != singly
    np.testing.assert_array_equal(*kernels)


def test_each_program_is_compiled_once():
    model = network()
    for _ in range(2):
        model.fit(X, Y, batch_size=8, verbose=0, epochs=2)
    assert kinds(model) == ["train, many of 8", "train"]


class Watched(keras.Sequential):
    def train_step(self, state, data):
        return super().train_step(state, data)


def functional(call):
    inputs = keras.Input((9,))
    model = keras.Model(inputs, layers.Dense(3)(call(inputs)))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


class Convolved(keras.Sequential):
    def call(self, inputs, training=None):
        return keras.ops.conv(super().call(inputs)[..., None], np.ones((3, 1, 1), "float32"), padding="same")[..., 0]


def inside(kind):
    return functional(lambda x: kind([keras.Input((9,)), layers.Dense(4)])(x))


def own_step():
    model = Watched([keras.Input((9,)), layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.mark.parametrize("make, settings", [
    (lambda: network(layers.Reshape((9, 1)), layers.Conv1D(2, 3), layers.Flatten()), {}),
    (lambda: functional(lambda x: layers.LSTM(2)(layers.Reshape((3, 3))(x))), {}),
    (lambda: functional(lambda x: keras.ops.cumsum(x, axis=1)), {}),
    (lambda: inside(Convolved), {}),
    (own_step, {}),
    (network, {"stop_on_nonfinite": True}),
    (network, {"steps_per_epoch": 4}),
    (lambda: network(run_eagerly=True), {}),
], ids=["convolution", "recurrent", "op", "own call inside", "own step", "guarded", "part", "eager"])  # fmt: skip
def test_else_each_step_is_a_program_of_its_own(make, settings):
    model = make()
    model.fit(X, Y, batch_size=8, verbose=0, **settings)
    assert "train, many of 8" not in kinds(model)


def test_models_inside_are_looked_into():
    model = inside(keras.Sequential)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert kinds(model) == ["train, many of 8", "train"]


def test_short_runs_do_not_pay_for_another_program_until_there_were_many(monkeypatch):
    monkeypatch.setattr(multi_step, "MIN_STEPS_TO_FUSE", 24)
    model = network()
    for expected in ([], [], ["train, many of 8"]):  # 8 full batches a run
        model.fit(X, Y, batch_size=8, verbose=0)
        assert kinds(model) == ["train", "train", *expected]


def test_arrays_that_a_callback_changes_in_place_are_read_anew():
    x = X.copy()
    changing = LambdaCallback(on_epoch_end=lambda epoch, logs: x.__imul__(0))
    model = network(optimizer=keras.optimizers.SGD(0.0), steps_per_execution=2)
    losses = model.fit(x, Y, batch_size=35, epochs=2, shuffle=False, verbose=0, callbacks=[changing]).history["loss"]
    assert kinds(model) == ["train, many of 35"]
    np.testing.assert_allclose(losses[1], np.log(3), rtol=1e-5)  # of zeros: the same for all classes
    assert abs(losses[0] - losses[1]) > 1e-3


def test_layers_frozen_between_runs_are_seen():
    model = small()
    model.fit(X, Y, batch_size=8, verbose=0)
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    model.fit(X, Y, batch_size=8, verbose=0)
    np.testing.assert_array_equal(before[0], model.layers[0].get_weights()[0])


def test_a_learning_rate_set_between_epochs_is_used():
    def halve(epoch, logs):
        one.optimizer.learning_rate = 0.0

    one = network(optimizer=keras.optimizers.SGD(0.1))
    weights = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: (halve(epoch, logs), weights.append(one.get_weights()[0])))
    one.fit(X, Y, batch_size=8, verbose=0, epochs=2, callbacks=[keep])
    np.testing.assert_array_equal(*weights)
