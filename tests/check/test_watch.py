"""LAM5xx: what Watch sees in trainings that fail, and that it is silent on sound ones; rules on histories alone too."""

import types

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.callbacks import StopOnNonFinite
from lamina.check import RULES, Watch
from lamina.check.watch import Record
from lamina.optimizers import SGD, Adam
from tests.check.cases import DRAW, QUANTITY, X, head, net

SPARSE = "sparse_categorical_crossentropy"
LEARNABLE = (X @ DRAW.normal(size=(4, 3))).argmax(-1)


def watched(model, x, y, epochs=4, every=1, ignore=(), **kwargs):
    watch = Watch(every=every, verbose=0, ignore=ignore)
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=[watch], **kwargs)
    return watch


def sound():
    return net(layers.Dense(16, "relu"), layers.Dense(3, "softmax"), loss=SPARSE, optimizer=Adam(0.01))


def dead(bias=-100.0):
    model = net(layers.Dense(8, "relu", name="dead"), layers.Dense(1), loss="mse")
    model.layers[0].bias.assign(np.full(8, bias))
    return model


def deep(activation, depth=12):
    stack = [layers.Dense(8, activation) for _ in range(depth)]
    return net(*stack, layers.Dense(1), loss="mse", optimizer=SGD(0.01))


def detached():
    inputs = keras.Input((4,))
    stopped = layers.Lambda(lambda x: keras.ops.stop_gradient(x))(layers.Dense(5, name="cut")(inputs))
    model = keras.Model(inputs, layers.Dense(1)(stopped))
    model.compile("sgd", "mse")
    return model


def test_a_sound_training_has_no_findings():
    watch = watched(sound(), X, LEARNABLE, epochs=5, validation_data=(X, LEARNABLE))
    assert not len(watch.findings), watch.findings.text
    assert len(watch.record.looks) == 20 - 1  # the last still waits for its step


def test_every_so_many_steps():
    assert len(watched(sound(), X, LEARNABLE, epochs=5, every=4).record.looks) == 5


@pytest.mark.parametrize(("code", "make", "x", "y"), [
    ("LAM501", dead, X, QUANTITY),
    ("LAM501", lambda: net(layers.Conv1D(4, 2, activation="relu", bias_initializer=keras.initializers.Constant(-50.0)),
                           layers.Flatten(), layers.Dense(1), shape=(4, 1), loss="mse"), X[..., None], QUANTITY),
    ("LAM502", lambda: net(layers.Dense(8, "tanh"), layers.Dense(1), loss="mse"), 1000 * X, QUANTITY),
    ("LAM502", lambda: net(layers.Dense(8, "sigmoid"), layers.Dense(1), loss="mse"), 1000 * X, QUANTITY),
    ("LAM503", lambda: deep("sigmoid"), X, QUANTITY),
    ("LAM503", lambda: deep("hard_sigmoid", 10), X, QUANTITY),
    ("LAM504", lambda: head(1, optimizer=SGD(1e-12)), X, 1e6 * QUANTITY),
    ("LAM504", lambda: head(1, optimizer=SGD(1e-12)), 1e5 * X, QUANTITY),
    ("LAM505", lambda: head(1, optimizer=Adam(0.5)), X, QUANTITY),
    ("LAM505", lambda: head(1, optimizer=SGD(1e-9)), X, QUANTITY),
    ("LAM506", detached, X, QUANTITY),
    ("LAM506", dead, X, QUANTITY),
    ("LAM507", lambda: head(1, optimizer=SGD(1e-9)), X, QUANTITY),
    ("LAM507", lambda: net(layers.Dense(1, "relu", bias_initializer=keras.initializers.Constant(-99.0)), loss="mse"), X,
     abs(QUANTITY)),
])  # fmt: skip
def test_finds(code, make, x, y):
    findings = watched(make(), x, y).findings
    assert code in findings.codes, findings.text


@pytest.mark.parametrize("make", [
    lambda: dead(bias=0.0),
    lambda: net(layers.Dense(8, "tanh"), layers.Dense(8, "sigmoid"), layers.Dense(1), loss="mse"),
    lambda: deep("relu", 6),
    lambda: head(1, optimizer=Adam(0.01)),
])  # fmt: skip
def test_is_silent_on_sound_trainings(make):
    keras.utils.set_random_seed(0)
    findings = watched(make(), X, QUANTITY).findings
    assert not len(findings), findings.text


@pytest.mark.filterwarnings("ignore:LAM402")
def test_not_finite_is_named_and_stops(capsys):
    x = X.copy()
    x[40, 1] = np.nan
    watch = Watch()
    history = head(1).fit(x, QUANTITY, batch_size=16, epochs=5, shuffle=False, verbose=0, callbacks=[watch])
    (finding,) = [one for one in watch.findings if one.code == "LAM509"]
    assert finding.layer == "the inputs" and "1 NaN" in finding.message and "Clean the data" in finding.fix
    assert len(history.epoch) == 1
    assert capsys.readouterr().out.count("Step 3 was not finite") == 1


def test_not_finite_by_the_learning_rate():
    watch = watched(head(1, optimizer=SGD(1e30)), X, QUANTITY, epochs=5)
    assert "LAM509" in watch.findings.codes


def test_says_once_and_ignores_what_it_is_told(capsys):
    watch = Watch(every=1)
    dead().fit(X, QUANTITY, batch_size=16, epochs=4, verbose=0, callbacks=[watch])
    assert capsys.readouterr().out.count("LAM501 ") == 1
    assert "LAM501" not in watched(dead(), X, QUANTITY, ignore=("LAM501",)).findings.codes


def test_changes_nothing():
    """The same weights to the bit as with StopOnNonFinite alone, Dropout and BatchNormalization in the model."""

    def trained(callbacks):
        keras.utils.set_random_seed(0)
        model = net(
            layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1), loss="mse"
        )
        model.fit(X, QUANTITY, epochs=3, verbose=0, callbacks=callbacks)
        return model.get_weights()

    for a, b in zip(trained([StopOnNonFinite()]), trained([Watch(every=1)]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_batch_that_is_not_learned():
    x, y = X[:16], DRAW.permutation(QUANTITY)[:16]
    model = net(layers.Dense(64, "sigmoid"), layers.Dense(1), loss="mse", optimizer=SGD(1e-7))
    watch = watched(model, x, y, epochs=50, every=100)
    assert "LAM511" in watch.findings.codes
    model = net(layers.Dense(64, "relu"), layers.Dense(1), loss="mse", optimizer=Adam(0.02))
    assert "LAM511" not in watched(model, x, y, epochs=50, every=100).findings.codes


@pytest.mark.parametrize(
    ("rate", "rows", "jumps"), [(1.0, 16, True), (1.0, 48, True), (0.05, 16, False), (0.01, 48, False)]
)
def test_steps_from_one_slope_to_the_other(rate, rows, jumps):
    x, y = np.zeros((rows, 4), "float32"), np.full((rows, 1), 0.2, "float32")
    watch = watched(net(layers.Dense(1), loss="mae", optimizer=SGD(rate)), x, y, epochs=10)
    assert ("LAM508" in watch.findings.codes) == jumps


@pytest.mark.parametrize(("units", "rows"), [((64,), 64), ((64, 64), 32)])
def test_noise_learned_by_heart(units, rows):
    keras.utils.set_random_seed(0)
    noise = np.random.default_rng(0).normal(size=(rows, 1)).astype("float32")
    model = net(*(layers.Dense(size, "relu") for size in units), layers.Dense(1), loss="mse", optimizer=Adam(0.01))
    assert "LAM510" in watched(model, X[:rows], noise, epochs=40, validation_split=0.5).findings.codes
    line = net(layers.Dense(1), loss="mse", optimizer=Adam(0.01))
    assert "LAM510" not in watched(line, X[:rows], X[:rows, :1], epochs=40, validation_split=0.5).findings.codes


def found(code, logs, **kwargs):
    model = types.SimpleNamespace(trainable_variables=[types.SimpleNamespace(size=1000)])
    return list(RULES[code].findings(Record(model, logs=logs, **kwargs)))


def curve(losses, held_out=None):
    return [
        {"loss": loss, **({} if held_out is None else {"val_loss": held_out[epoch]})}
        for epoch, loss in enumerate(losses)
    ]


HISTORIES = [
    ("LAM507", curve([2.302, 2.3021, 2.3019, 2.302]), {}, True),
    ("LAM507", curve([0.693] * 5), {}, True),
    ("LAM507", curve([2.3, 2.2, 2.1, 2.0]), {}, False),
    ("LAM507", curve([0.2] * 5), {"fresh": False}, False),
    ("LAM508", curve([1, 3, 1, 3, 1, 3, 1]), {}, True),
    ("LAM508", curve([0.5, 2, 0.6, 4, 0.4, 3, 0.5, 2]), {}, True),
    ("LAM508", curve([2, 1.5, 1.2, 1.0, 0.9, 0.85, 0.8]), {}, False),
    ("LAM508", curve([1, 0.5, 0.52, 0.48, 0.5, 0.47, 0.49]), {}, False),
    ("LAM510", curve([1, 0.8, 0.6, 0.4, 0.2, 0.1], [1, 0.9, 1.0, 1.1, 1.2, 1.3]), {}, True),
    ("LAM510", curve(np.linspace(1, 0.1, 10), [1, 0.8, 0.7, 0.7, 0.8, 0.9, 0.9, 1, 1.1, 1.2]), {}, True),
    ("LAM510", curve([1, 0.8, 0.6, 0.5, 0.4, 0.3], [1, 0.9, 0.8, 0.7, 0.6, 0.62]), {}, False),
    ("LAM510", curve([1, 0.9, 0.9, 0.9, 0.9, 0.9], [1, 0.9, 1.0, 1.1, 1.2, 1.3]), {}, False),
    ("LAM511", curve([1.0] * 60), {"rows": 16, "steps": 1}, True),
    ("LAM511", curve(np.linspace(2.3, 1.9, 60)), {"rows": 32, "steps": 1}, True),
    ("LAM511", curve(np.linspace(2.3, 0.1, 60)), {"rows": 32, "steps": 1}, False),
    ("LAM511", curve([1.0] * 60), {"rows": 16, "steps": 40}, False),
]


@pytest.mark.parametrize(("code", "logs", "kwargs", "wrong"), HISTORIES)
def test_rules_on_histories(code, logs, kwargs, wrong):
    assert bool(found(code, logs, **kwargs)) == wrong


def test_every_watching_rule_has_a_test():
    tested = {"LAM501", "LAM502", "LAM503", "LAM504", "LAM505", "LAM506", "LAM509", *(row[0] for row in HISTORIES)}
    assert tested == {code for code, rule in RULES.items() if rule.needs == "watch"}
