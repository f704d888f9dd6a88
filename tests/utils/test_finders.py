"""Finders: what they suggest, what they show, and that they leave no trace in the model."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.errors import CallError, ConfigError, DataError
from lamina.utils import batch_size_finder
from lamina.utils.learning_rate_finder import LearningRates

SOURCE = np.random.default_rng(0)
X = SOURCE.normal(size=(96, 6)).astype("float32")
Y = (X @ SOURCE.normal(size=(6, 1)) > 0).astype("int32")


def make(optimizer, built=True):
    keras.utils.set_random_seed(3)
    inputs = [keras.Input((6,))] if built else []
    layers = [keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
    model = keras.Sequential([*inputs, *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(optimizer(), "binary_crossentropy", metrics=["accuracy"])
    return model


def schedule():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    return keras.optimizers.SGD(rate, momentum=0.9)


def trained(model):
    history = model.fit(X, Y, batch_size=16, epochs=2, verbose=0).history
    return history, [*model.get_weights(), *(np.asarray(variable) for variable in model.optimizer.variables)]


@pytest.mark.parametrize(("optimizer", "built"), [(keras.optimizers.Adam, False), (schedule, True)])
def test_a_fit_after_the_finders_is_the_fit_without_them(optimizer, built):
    history, values = trained(make(optimizer, built))
    model = make(optimizer, built)
    rate = model.optimizer._learning_rate
    found = keras.utils.find_learning_rate(model, X, Y, batch_size=16, steps=30)
    sizes = keras.utils.find_batch_size(model, X, Y, min_batch_size=48)
    assert model.optimizer._learning_rate is rate and sizes.suggestion == 96 and len(found.rates) <= 30
    again, others = trained(model)
    assert history == again
    for one, other in zip(values, others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_trained_model_keeps_its_state_and_its_data_theirs():
    class Data(keras.utils.PyDataset):
        epochs = 0

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[48 * index : 48 * index + 48], Y[48 * index : 48 * index + 48]

        def on_epoch_end(self):
            self.epochs += 1

    data, model = Data(), make(keras.optimizers.Adam)
    history = model.fit(data, verbose=0)
    before, ended, drawn = model.get_weights(), data.epochs, np.random.get_state()[1].copy()
    keras.utils.find_learning_rate(model, data, steps=5)
    assert data.epochs == ended and model.history is history and (np.random.get_state()[1] == drawn).all()
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_suggestion_is_where_the_loss_falls():
    rates = np.logspace(-6, 1, 80)
    losses = 2 / (1 + (rates / 1e-2) ** 2) + 0.1 * rates**2 + 0.01 * SOURCE.normal(size=80)
    found = LearningRates(rates, losses)
    assert 3e-3 < found.suggestion < 3e-2 and found.numbers["suggestion"] == found.suggestion
    assert f"Learning rate: {found.suggestion:.3g}" in str(found) and "suggested" in found.svg()
    rising = LearningRates(rates, 1 + rates)
    assert rising.suggestion is None and "never fell" in str(rising) and "<svg" in rising.svg()


def test_the_range_test_stops_where_the_loss_explodes():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    found = keras.utils.find_learning_rate(model, X, Y, max_learning_rate=1e6, steps=60)
    assert found.rates[-1] < 1e6 and np.isfinite(found.losses).all() and found.suggestion < 1


@pytest.mark.parametrize("find", [keras.utils.find_learning_rate, keras.utils.find_batch_size])
def test_mistakes(find):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    with pytest.raises(CallError, match="not compiled"):
        find(model, X, Y)
    model.compile("sgd", "mse")
    with pytest.raises(DataError):
        find(model, iter([(X, Y)]))
    with pytest.raises(ConfigError):
        find(model, X, Y, **({"steps": 1} if find is keras.utils.find_learning_rate else {"min_batch_size": 97}))


def test_the_batch_size_that_fits():
    model = make(keras.optimizers.Adam)
    found = keras.utils.find_batch_size(model, X, Y, min_batch_size=24, memory=10**9)
    assert list(found.memory) == [24, 48, 96] and found.suggestion == 96 and "not tried" in str(found)
    least = sorted(found.memory.values())
    assert keras.utils.find_batch_size(model, X, Y, min_batch_size=24, memory=least[1]).suggestion in (24, 48)
    none = keras.utils.find_batch_size(model, X, Y, min_batch_size=24, memory=10)
    assert none.suggestion is None and "none fits" in str(none) and "<svg" in none.svg()


def test_a_device_that_runs_out_of_memory(monkeypatch):
    def train(batch, program=None):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    model = make(keras.optimizers.Adam)
    monkeypatch.setattr(batch_size_finder.jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(model._runner, "train", train)
    found = keras.utils.find_batch_size(model, X, Y, min_batch_size=96)
    assert found.memory == {96: None} and found.suggestion is None and "more than there is" in str(found)


def test_one_cycle():
    cycle = keras.optimizers.schedules.OneCycle(0.5, 40, warmup_fraction=0.3, initial_divisor=10, final_divisor=1e3)
    for step in (0, 5, 12, 13, 30, 40, 90):
        share = min(step / 40, 1)
        first, last, place = (0.05, 0.5, share / 0.3) if share < 0.3 else (0.5, 0.0005, (share - 0.3) / 0.7)
        expected = last + (first - last) * (1 + np.cos(np.pi * place)) / 2
        np.testing.assert_allclose(cycle(step), expected, 1e-5)
    assert keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(cycle)).total_steps == 40
    for wrong in ({"total_steps": 0}, {"total_steps": 9, "warmup_fraction": 1.0}):
        with pytest.raises(ConfigError):
            keras.optimizers.schedules.OneCycle(0.1, **wrong)


@pytest.mark.parametrize(
    ("optimizer", "setting"),
    [
        (lambda rate: keras.optimizers.SGD(rate, momentum=0.5, nesterov=True), "momentum"),
        (lambda rate: keras.optimizers.RMSprop(rate, momentum=0.5), "momentum"),
        (lambda rate: keras.optimizers.AdamW(rate), "beta_1"),
        (lambda rate: keras.optimizers.Lion(rate), "beta_1"),
        (lambda rate: keras.optimizers.Nadam(rate), "beta_1"),
    ],
)
def test_momentum_runs_against_the_learning_rate(optimizer, setting):
    cycle = keras.optimizers.schedules.OneCycle(0.1, 8, momentum_range=(0.6, 0.9))
    cycled, by_hand = optimizer(cycle), optimizer(0.1)
    values, expected = keras.Variable([1.0, -2.0]), keras.Variable([1.0, -2.0])
    before = getattr(cycled, setting)
    for step in range(5):
        gradient = [0.3 * step - 0.5, 1.0]
        cycled.apply([gradient], [values])
        by_hand.learning_rate = float(cycle(step))
        setattr(by_hand, setting, float(cycle.momentum(step)))
        by_hand.apply([gradient], [expected])
    np.testing.assert_allclose(values, expected, 1e-5)
    assert getattr(cycled, setting) == before and type(cycled).from_config(cycled.get_config()).get_config()


def test_momentum_of_a_saved_cycle(tmp_path):
    np.testing.assert_allclose(
        [keras.optimizers.schedules.OneCycle(0.1, 8).momentum(step) for step in (0, 2, 8)], [0.95, 0.85, 0.95], 1e-6
    )
    assert keras.optimizers.schedules.OneCycle(0.1, 8, momentum_range=None).momentum(3) is None

    def trained(epochs):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
        rate = keras.optimizers.schedules.OneCycle(0.1, 12, momentum_range=(0.2, 0.9))
        model.compile(keras.optimizers.SGD(rate, 0.5), "mse")
        model.fit(X[:96], X[:96, :1], 32, epochs, shuffle=False, verbose=0)
        return model

    trained(2).save(tmp_path / "half.keras")
    resumed = keras.models.load_model(tmp_path / "half.keras")
    assert list(resumed.optimizer._learning_rate.momentum_range) == [0.2, 0.9]
    resumed.fit(X[:96], X[:96, :1], 32, 4, initial_epoch=2, shuffle=False, verbose=0)
    np.testing.assert_array_equal(resumed.get_weights()[0], trained(4).get_weights()[0])
