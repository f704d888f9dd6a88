"""What fit, evaluate, predict and the steps promise beyond Keras's numbers."""

import gc
import itertools
import os
import signal
import threading
import weakref

import jax
import numpy as np
import pytest

import lamina as keras
from lamina import errors, layers
from lamina.core.variable import Variable, own_copy
from lamina.training import executor, multi_step, state

draw = np.random.default_rng(1)
X = draw.normal(size=(40, 6)).astype("float32")
Y = draw.normal(size=(40, 1)).astype("float32")


def regression(*middle, **compile_with):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="tanh"), *middle, layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_with})
    return model


def same(before, after):
    return all((a == b).all() for a, b in zip(before, after, strict=True))


def test_frozen_layers_stay_from_the_next_step_on_without_compiling_again():
    model = regression()
    first = model.layers[0]
    model.fit(X, Y, verbose=0)
    first.trainable = False
    kept, others = first.get_weights(), model.layers[1].get_weights()
    model.train_on_batch(X, Y)
    model.fit(X, Y, verbose=0)
    assert same(kept, first.get_weights()) and not same(others, model.layers[1].get_weights())
    first.trainable = True
    model.train_on_batch(X, Y)
    assert not same(kept, first.get_weights())


def test_freezing_and_thawing_compiles_each_program_once():
    model = regression()
    for _ in range(3):
        for flag in (True, False):
            model.layers[0].trainable = flag
            model.train_on_batch(X, Y)
    assert [program._cache_size() for program in _programs(model, "train")] == [1, 1]


def _programs(model, kind):
    return [programs[kind] for programs, _ in model._runner._all_programs.values() if kind in programs]


def test_a_last_batch_of_another_size_compiles_once_and_weighs_by_its_samples():
    model = regression(optimizer=keras.optimizers.SGD(0.0))  # weights stay, so the mean can be computed by hand
    history = model.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    expected = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-5)
    assert [program._cache_size() for program in _programs(model, "train")] == [2]  # 16 rows, 8 rows


def test_values_read_during_fit_are_current_and_stay_valid():
    seen = []

    class Reader(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.layers[0].kernel.value)

    model = regression()
    before = model.layers[0].kernel.value
    model.fit(X, Y, batch_size=20, epochs=2, verbose=0, callbacks=[Reader()])
    values = [np.asarray(value) for value in (before, *seen)]  # none was donated away
    assert all((a != b).any() for a, b in itertools.pairwise(values))
    np.testing.assert_array_equal(values[-1], model.layers[0].kernel.numpy())


def frozen_first():
    """A model whose first kernel is large and frozen."""
    first = layers.Dense(4000, trainable=False)
    model = keras.Sequential([keras.Input((6,)), first, layers.Dense(1)])
    model.compile("sgd", "mse")
    assert first.kernel.value.nbytes >= executor.READ_ONLY_BYTES
    return model, first.kernel


def test_large_frozen_weights_are_read_where_they_are():
    seen = []

    class Reader(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(kernel.value)

    model, kernel = frozen_first()
    before, others = kernel.value, model.layers[1].get_weights()
    model.fit(X, Y, batch_size=20, verbose=0, callbacks=[Reader()])
    model.evaluate(X, Y, batch_size=20, verbose=0)
    assert len(seen) == 2 and all(value is before for value in (*seen, kernel.value))
    assert not same(others, model.layers[1].get_weights())


@pytest.mark.parametrize("singly", [False, True])
def test_a_step_may_change_large_weights_that_are_not_trained(singly, monkeypatch):
    monkeypatch.setattr(multi_step, "MIN_STEPS_TO_FUSE", 0)
    heard = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)

    def trained(only_read):
        monkeypatch.setattr(executor, "READ_ONLY_BYTES", only_read)
        keras.utils.set_random_seed(1)
        norm = layers.BatchNormalization()
        model = keras.Sequential([keras.Input((6,)), layers.Dense(20_000), norm, layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[heard] if singly else [])
        assert any("many" in one.kind for one in model.compilations()) != singly
        return [*model.get_weights(), model.evaluate(X, Y, verbose=0), norm.moving_mean.numpy()]

    assert executor.READ_ONLY_BYTES <= 4 * 20_000
    for apart, lent in zip(trained(executor.READ_ONLY_BYTES), trained(10**9), strict=True):
        np.testing.assert_array_equal(apart, lent)


@pytest.mark.filterwarnings("ignore:LAM402")
def test_large_frozen_weights_stay_where_a_step_is_not_finite():
    model, kernel = frozen_first()
    before, x = kernel.value, np.concatenate([X[:20], np.full((20, 6), np.nan, "float32")])
    with pytest.raises(ArithmeticError, match="Step 2 was not finite"):
        stop = keras.callbacks.StopOnNonFinite(raise_error=True)
        model.fit(x, Y, batch_size=20, verbose=0, shuffle=False, callbacks=[stop])
    assert kernel.value is before


def test_values_set_during_fit_take_effect():
    class Setter(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0
            self.model.layers[0].set_weights([np.ones((6, 4)), np.zeros(4)])

    model = regression()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[Setter()])
    assert (model.layers[0].kernel.numpy() == 1).all() and float(model.optimizer.learning_rate) == 0


def test_evaluate_and_predict_inside_fit_use_the_weights_of_now():
    found = []

    class Inside(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            loss = np.mean((self.model.predict(X, verbose=0) - Y) ** 2)
            found.append((loss, self.model.evaluate(X, Y, verbose=0)))

    regression().fit(X, Y, epochs=2, verbose=0, callbacks=[Inside()])
    np.testing.assert_allclose(*zip(*found, strict=True), rtol=1e-5)
    assert found[0][0] != found[1][0]


def test_a_layer_of_two_models_is_trained_by_each_in_turn():
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(6)])
    judge = keras.Sequential([keras.Input((6,)), layers.BatchNormalization(), layers.Dense(1, activation="sigmoid")])
    judge.compile("adam", "binary_crossentropy")
    judge.trainable = False
    inputs = keras.Input((3,))
    both = keras.Model(inputs, judge(generator(inputs)))
    both.compile("adam", "binary_crossentropy")
    ones = np.ones((40, 1))
    for _ in range(2):
        judge.trainable = True
        judge.train_on_batch(X, ones)
        judge.trainable = False
        kept, moving = judge.get_weights(), generator.get_weights()
        both.train_on_batch(X[:, :3], ones)
        assert same(kept, judge.get_weights()) and not same(moving, generator.get_weights())


@pytest.fixture
def ctrl_c():
    """SIGINT as in a terminal; a shell that starts a program in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("at", [0, 3])
def test_interrupt_leaves_the_weights_of_the_last_finished_step(at, ctrl_c):
    after_each = []

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            after_each.append(self.model.get_weights())
            if batch == at:
                os.kill(os.getpid(), signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    model = regression()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[Interrupt()])
    assert len(after_each) == at + 1 and same(after_each[-1], model.get_weights())
    model.fit(X, Y, verbose=0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_within_a_step_waits_for_its_end(ctrl_c):
    from lamina.runtime.interrupts import Interrupts

    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        interrupts.hold()
        os.kill(os.getpid(), signal.SIGINT)
        done.append("stored")
        interrupts.release()
    assert done == ["stored"]


def test_an_error_in_a_callback_leaves_a_usable_model():
    class Failing(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("disk full")

    model = regression()
    with pytest.raises(RuntimeError, match="disk full"):
        model.fit(X, Y, verbose=0, callbacks=[Failing()])
    assert np.isfinite(model.predict(X, verbose=0)).all()
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("size", [1, 8, 40])
@pytest.mark.parametrize("of_batch", [False, True])
def test_predictions_are_the_callers_own_to_write_to(size, of_batch):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, [inputs, layers.Dense(2)(inputs)])
    x = X[:size].copy()
    predict = model.predict_on_batch if of_batch else lambda x: model.predict(x, batch_size=16, verbose=0)
    for output in predict(x):
        output[:] = 7
    np.testing.assert_array_equal(x, X[:size])
    np.testing.assert_array_equal(predict(x)[0], x)
    assert not (predict(x)[1] == 7).any()


def test_values_go_back_where_the_memory_ends_while_they_are_taken(monkeypatch):
    model, taken = regression(), []
    model.build()
    before = model.get_weights()

    def copy(array):
        taken.append(array)
        if len(taken) == 3:
            raise MemoryError
        return own_copy(array)

    monkeypatch.setattr(state, "own_copy", copy)
    with pytest.raises(MemoryError):
        model.fit(X, Y, verbose=0)
    monkeypatch.undo()
    assert len(taken) == 3 and same(before, model.get_weights())
    model.fit(X, Y, verbose=0)
    assert not same(before, model.get_weights())


def test_a_copy_of_a_variable_is_the_callers_own():
    variable = Variable(np.zeros(3, "float32"))
    copies = [np.array(variable), variable.numpy(), np.asarray(variable, "float64")]
    for copy in copies:
        copy[:] = 1
    assert not np.asarray(variable).any() and copies[2].dtype == "float64"
    with pytest.raises(ValueError, match="copy"):
        np.asarray(variable, "float64", copy=False)


def test_memory_stays_flat_over_models_and_predicts():
    def live():
        gc.collect()
        return len(jax.live_arrays())

    def round_():
        model = regression()
        model.fit(X, Y, verbose=0)
        return weakref.ref(model)

    round_()
    before = live()
    references = [round_() for _ in range(8)]
    assert live() <= before
    assert not any(reference() for reference in references)
    model = regression()
    model.predict(X, verbose=0)
    before = live()
    for _ in range(200):
        model.predict(X, verbose=0)
    assert live() <= before
    assert [one.kind for one in model.compilations()] == ["predict"] * 2


def test_train_step_written_the_way_of_keras_on_jax():
    class Doubled(keras.Model):
        def train_step(self, state, data):
            trainable, others, optimizer_values, metric_values = state
            x, y = data[:2]
            gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (_, (loss, _, others, metric_values)), gradients = gradient(
                trainable, others, metric_values, x, y, None, training=True, optimizer_variables=optimizer_values
            )
            trainable, optimizer_values = self.optimizer.stateless_apply(optimizer_values, gradients, trainable)
            return {"loss": loss, "twice": 2 * loss}, (trainable, others, optimizer_values, metric_values)

    inputs = keras.Input((6,))
    model = Doubled(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    kept = model.get_weights()
    history = model.fit(X, Y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["twice"], 2 * np.asarray(history["loss"]), rtol=1e-6)
    assert not same(kept, model.get_weights())


def test_compute_loss_written_anew():
    class Tripled(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 3 * super().compute_loss(x, y, y_pred, sample_weight, training)

    inputs = keras.Input((6,))
    outputs = layers.Dense(1)(inputs)
    plain, tripled = keras.Model(inputs, outputs), Tripled(inputs, outputs)
    for model in (plain, tripled):
        model.compile("sgd", "mse")
    np.testing.assert_allclose(tripled.evaluate(X, Y, verbose=0), 3 * plain.evaluate(X, Y, verbose=0), rtol=1e-6)


def test_metric_of_a_layer_and_add_loss_are_in_the_logs():
    class Watching(layers.Layer):
        def __init__(self):
            super().__init__()
            self.level = keras.metrics.Mean(name="level")

        def call(self, inputs):
            self.add_loss(5.0)
            self.level.update_state(inputs)
            return inputs

    model = keras.Sequential([keras.Input((6,)), Watching(), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    np.testing.assert_allclose(logs["level"], X.mean(), atol=1e-6)
    np.testing.assert_allclose(logs["loss"], 5 + np.mean(Y**2), rtol=1e-5)


def test_compute_loss_may_do_without_training():
    class Plain(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return super().compute_loss(x, y, y_pred, sample_weight)

    inputs = keras.Input((6,))
    model = Plain(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_a_metric_that_does_not_reset_goes_on():
    class Lasting(keras.metrics.Mean):
        def reset_state(self):
            pass

        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(1.0)

    metric = Lasting(name="lasting")
    regression(metrics=[metric]).fit(X, Y, batch_size=20, epochs=3, verbose=0)
    assert float(metric.count.numpy()) == 6


@pytest.mark.parametrize(("method", "flag", "hook"), [
    ("evaluate", "stop_evaluating", "on_test_batch_end"), ("predict", "stop_predicting", "on_predict_batch_end"),
])  # fmt: skip
def test_a_callback_can_stop_evaluate_and_predict(method, flag, hook):
    seen = []
    callback = keras.callbacks.Callback()
    model = regression()

    def stop(batch, logs=None):
        seen.append(batch)
        setattr(model, flag, len(seen) == 2)

    callback = type("Stop", (keras.callbacks.Callback,), {hook: lambda self, batch, logs=None: stop(batch)})()
    data = (X, Y) if method == "evaluate" else (X,)
    getattr(model, method)(*data, batch_size=8, verbose=0, callbacks=[callback])
    assert seen == [0, 1]


def test_callbacks_hear_of_steps_per_execution_batches_together():
    heard = []

    class Hearing(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            heard.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            heard.append(("end", batch))

    model = regression(steps_per_execution=2)
    model.fit(X, Y, batch_size=16, verbose=0, callbacks=[Hearing()])
    assert heard == [("begin", 0), ("end", 1), ("begin", 2), ("end", 3)]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_float32_weights_and_learns(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = regression(layers.BatchNormalization())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert {variable.dtype for variable in model.trainable_weights} == {"float32"}
    assert losses[-1] < losses[0]
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")


def test_unseeded_draws_differ_from_step_to_step():
    noise = layers.Lambda(lambda x: keras.random.uniform((2, 3)) + 0 * x[:2, :3])
    model = keras.Sequential([keras.Input((6,)), noise])
    first, second = (model.predict(X[:2], verbose=0) for _ in range(2))
    assert (first != second).all()


def test_set_random_seed_fixes_everything():
    def run():
        keras.utils.set_random_seed(3)
        model = regression(layers.Dropout(0.5))
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
        return model.get_weights()

    assert same(run(), run())


def test_a_loss_as_a_metric_has_its_own_name_in_the_logs():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[keras.losses.BinaryCrossentropy(), keras.losses.MeanSquaredError(name="own")])
    history = model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history
    assert set(history) == {"loss", "binary_crossentropy", "own"}


def test_resolved_tells_what_accuracy_means():
    def resolved(units, activation, loss, y):
        model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation=activation)])
        model.compile("sgd", loss, metrics=["acc"])
        model.train_on_batch(X, y)
        return type(model.resolved()["metrics"]["acc"]).__name__

    labels = np.arange(40) % 3
    assert resolved(1, "sigmoid", "binary_crossentropy", labels > 1) == "BinaryAccuracy"
    assert resolved(3, "softmax", "sparse_categorical_crossentropy", labels) == "SparseCategoricalAccuracy"
    assert resolved(3, "softmax", "categorical_crossentropy", np.eye(3)[labels]) == "CategoricalAccuracy"


def test_broadcast_of_targets_is_reported_once_and_other_shapes_are_refused():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    keras.config.set_broadcast_targets("error")
    try:
        with pytest.raises(errors.ShapeError, match=r"\(32, 1\).*\(32, 3\)") as raised:
            model.fit(X, Y, verbose=0)
    finally:
        keras.config.set_broadcast_targets("warn")
    assert raised.value.fix
    with pytest.warns(UserWarning, match=r"\(batch, 1\) were broadcast") as reported:
        model.fit(X, Y, verbose=0)
    assert len({str(warning.message) for warning in reported}) == 1


def test_errors_of_use():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)], name="net")
    with pytest.raises(errors.CallError, match="net is not compiled"):
        model.fit(X, Y)
    model.compile("sgd", "mse")
    with pytest.raises(errors.ShapeError, match=r"net was built for inputs of shape \(None, 6\).*got \(None, 5\)"):
        model.fit(X[:, :5], Y, verbose=0)
    with pytest.raises(errors.ShapeError, match=r"x\[None\], .* has shape \(1, 6\)"):
        model.predict(X[0], verbose=0)
    with pytest.raises(errors.ConfigError, match="no output is called|`loss_weights`"):
        model.compile("sgd", "mse", loss_weights={"nope": 1.0})
        model.fit(X, Y, verbose=0)
    model.compile("sgd")
    with pytest.raises(errors.CallError, match="no loss to minimize"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(errors.ConfigError, match="Did you mean 'adam'"):
        model.compile("adm", "mse")


def test_on_batch_methods_agree_with_evaluate():
    model = regression(metrics=["mae"])
    expected = model.evaluate(X, Y, batch_size=40, verbose=0)
    np.testing.assert_allclose(model.test_on_batch(X, Y), expected, rtol=1e-5)
    assert model.test_on_batch(X, Y, return_dict=True).keys() == {"loss", "mae"}
    np.testing.assert_allclose(model.train_on_batch(X, Y), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), model.predict(X, verbose=0), rtol=1e-6)


def test_a_generator_and_steps():
    def forever():
        while True:
            yield X[:8], Y[:8]

    history = regression().fit(
        forever(), steps_per_epoch=3, epochs=2, validation_data=(X, Y), verbose=0, initial_epoch=1
    )
    assert history.epoch == [1] and set(history.history) == {"loss", "val_loss"}


def test_run_eagerly_gives_the_same_numbers():
    losses = []
    for eager in (False, True):
        keras.utils.set_random_seed(0)
        losses.append(regression(run_eagerly=eager).fit(X, Y, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_variables_of_a_model_hold_no_tracers_after_training():
    model = regression(layers.Dropout(0.2), layers.BatchNormalization())
    model.fit(X, Y, verbose=0)
    held = [variable for variable in (*model.variables, *model.optimizer.variables, *model.metrics_variables)]
    assert all(isinstance(v, Variable) and not isinstance(v.read(), jax.core.Tracer) for v in held)


def test_a_step_of_ones_own_is_handed_what_is_there():
    seen = []

    class Own(keras.Sequential):
        def train_step(self, data):
            seen.append(data)
            return {"loss": keras.ops.sum(self(data[0] if isinstance(data, tuple) else data, training=True))}

        def test_step(self, data):
            seen.append(data)
            return {"loss": 0.0}

        def predict_step(self, data):
            seen.append(data)
            return self(data)

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model.fit(x, verbose=0)
    model.fit(x, y, verbose=0)
    model.fit(x, y, sample_weight=np.ones(4, "float32"), verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.train_on_batch(x)
    lengths = [len(data) if isinstance(data, tuple) else "x" for data in seen]
    assert list(dict.fromkeys(lengths)) == ["x", 2, 3]
    assert lengths[-1] == "x"


class Elevens(layers.Layer):
    """Computes batches of multiples of eleven rows only, as a kernel with blocks of a size does."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 3), name="w")

    def call(self, inputs):
        if inputs.shape[0] % 11:
            raise RuntimeError(f"{inputs.shape[0]} rows")
        return inputs @ self.w.value


class WithElevens(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.elevens = layers.Dense(5), Elevens()

    def call(self, inputs):
        return self.elevens(self.dense(inputs))


@pytest.mark.parametrize("make", [WithElevens, lambda: keras.Sequential([layers.Dense(5), Elevens()])])
def test_a_layer_for_some_batch_sizes_is_built_for_that_of_the_batch(make):
    x, y = np.ones((22, 4), "float32"), np.ones((22, 3), "float32")
    model = make()
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=11, verbose=0)
    assert len(model.weights) == 3 and model.predict(x, batch_size=22, verbose=0).shape == (22, 3)
    assert make()(x).shape == (22, 3)
    model = make()
    for _ in range(2):  # the model is as it was, and says the same again
        with pytest.raises(RuntimeError, match="rows"):
            model(x[:7])
    assert model(x).shape == (22, 3) and len(model.weights) == 3


def test_steps_of_the_user_may_call_those_of_the_model():
    class Mine(keras.Sequential):
        def train_step(self, data):
            return {**super().train_step(data), "own": 1.0}

        def test_step(self, data):
            return super().test_step(data)

        def predict_step(self, data):
            return 2 * super().predict_step(data)

    x, y = np.random.default_rng(0).normal(size=(12, 3)), np.ones((12, 1))
    found = []
    for cls in (keras.Sequential, Mine):
        keras.utils.set_random_seed(0)
        model = cls([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"])
        logs = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
        outputs = model.predict(x, verbose=0) * (2 if cls is keras.Sequential else 1)
        found.append((logs["loss"], logs["mae"], model.evaluate(x, y, verbose=0), model.get_weights(), outputs))
    assert logs["own"] == [1.0, 1.0]
    for first, second in zip(*found, strict=True):
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_initial_epoch_above_the_last_is_told():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Nothing is trained.*epochs=7 trains 2 more"):
        model.fit(np.ones((2, 1)), np.ones(2), epochs=2, initial_epoch=5, verbose=0)


def test_generators_that_are_zipped():
    def batches(value):
        while True:
            yield np.full((2, 1), value, "float32")

    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    assert model.fit(zip(batches(1), batches(3)), steps_per_epoch=1, verbose=0).history["loss"] == [9.0]  # noqa: B905
    for x in (np.ones((2, 1)), [[1.0], [1.0]], jax.numpy.ones((2, 1))):
        with pytest.raises(errors.DataError, match="it yields pairs of single samples"):
            model.fit(zip(x, x, strict=True))


def test_the_length_of_a_symbolic_tensor():
    assert not hasattr(keras.Input((3,)), "__len__") and len(keras.KerasTensor((2, 3))) == 2  # hasattr as in Keras
    with pytest.raises(TypeError, match="needs the values of"):
        len(keras.Input((3,)))


def test_without_compilation():
    x, found = np.random.default_rng(0).normal(size=(2, 3, 3, 1)).astype("float32"), []
    for disabled in (False, True):  # only this test asks for primitives outside of a compiled function
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3, 3, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)])
        with jax.disable_jit(disabled):
            found.append([model.predict(x, verbose=0), model(x)])
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5), *found)


def test_a_model_that_was_frozen_after_compile_says_so():
    """The discriminator of a GAN, which Keras 2 trained all the same."""
    model, x, y = keras.Sequential([keras.Input((2,)), layers.Dense(1)]), np.ones((4, 2)), np.ones((4, 1))
    model.compile("sgd", "mse")
    model.train_on_batch(x, y)
    model.trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="train_on_batch changes nothing"):
        model.train_on_batch(x, y)
    assert np.array_equal(before[0], model.get_weights()[0])
    model.compile("sgd", "mse")
    model.train_on_batch(x, y)
