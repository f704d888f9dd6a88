"""The same programs on one device and on many, in one process and in several, give the same numbers.

`python -m tests.processes.same_numbers` starts each of PLACES and compares what the cases give with what they give on
one device; `... NAME NAME` runs these cases alone. With a file as its only argument, it is the program that the
processes run.
"""

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import traceback

import numpy as np

import lamina as keras
from tests.processes import start

PLACES = [(1, 2), (1, 4), (1, 8), (2, 1), (2, 2), (2, 4), (4, 1), (4, 2), (4, 4)]  # (processes, devices of each)
GENERATOR = np.random.default_rng(3)
ROWS = 42  # in batches of 12: 3 full ones, which divide by 2 and 4, and one of 6
X = GENERATOR.normal(size=(ROWS, 8)).astype("float32")
LABELS = GENERATOR.integers(0, 3, ROWS)
IMAGES = GENERATOR.normal(size=(ROWS, 8, 8, 2)).astype("float32")
TOKENS = GENERATOR.integers(0, 12, (ROWS, 7))
WEIGHTS = GENERATOR.uniform(0.1, 2, ROWS).astype("float32")
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def dense(*layers, loss="sparse_categorical_crossentropy", units=3, activation="softmax", inputs=(8,), **settings):
    model = keras.Sequential([keras.Input(inputs), *layers, keras.layers.Dense(units, activation)])
    model.compile(settings.pop("optimizer", keras.optimizers.Adam(0.01)), loss, **settings)
    return model


def fitted(model, x=X, y=LABELS, **settings):
    """What a run gives: its logs, what `evaluate` and `predict` give after it, and the weights."""
    settings = {"batch_size": 12, "epochs": 2, "verbose": 0, **settings}
    if not isinstance(x, (np.ndarray, dict)):
        y = settings.pop("batch_size") and None
    found = {f"log {name}": values for name, values in model.fit(x, y, **settings).history.items()}
    if y is not None:
        found["evaluate"] = model.evaluate(x, y, batch_size=10, verbose=0)
        for place, part in enumerate(keras.tree.flatten(model.predict(x, batch_size=9, verbose=0))):
            found[f"predict {place}"] = part
    return found | {f"weight {place}": value for place, value in enumerate(model.get_weights())}


@case
def batch_statistics():
    layers, conv = keras.layers, {"use_bias": False}  # Adam would turn the rounding of a bias without effect into steps
    model = dense(layers.Conv2D(4, 3, **conv), layers.BatchNormalization(momentum=0.5), layers.ReLU(),
                  layers.Conv2D(4, 3, **conv), layers.BatchNormalization(momentum=0.5, synchronized=True),
                  layers.Flatten(), inputs=(8, 8, 2), metrics=["accuracy"])  # fmt: skip
    return fitted(model, IMAGES, validation_split=0.3)


@case
def sample_weights():
    model = dense(keras.layers.Dense(5, "tanh"), loss="mse", units=1, activation=None, weighted_metrics=["mae", "mse"])
    return fitted(model, X, X.sum(1, keepdims=True), sample_weight=WEIGHTS)


@case
def class_weights():
    return fitted(dense(keras.layers.Dense(5, "relu"), metrics=["accuracy"]), class_weight={0: 1.0, 1: 3.0, 2: 0.2})


@case
def metrics():
    one_hot, of = keras.utils.to_categorical(LABELS, 3), keras.metrics
    model = dense(loss="categorical_crossentropy", metrics=[
        "accuracy", of.Precision(), of.Recall(), of.AUC(num_thresholds=20), of.F1Score(average="macro"),
        of.TopKCategoricalAccuracy(2), of.CosineSimilarity(), of.OneHotMeanIoU(3), of.KLDivergence()])  # fmt: skip
    return fitted(model, X, one_hot)


@case
def stateful_recurrence():
    model = keras.Sequential([keras.Input(batch_shape=(6, 7, 4)), keras.layers.LSTM(5, stateful=True),
                              keras.layers.Dense(1)])  # fmt: skip
    model.compile("adam", "mse")
    x = np.stack([TOKENS, TOKENS[::-1], TOKENS**2, TOKENS % 5], -1) / 10
    found = {"log": model.fit(x, x.sum((1, 2)), batch_size=6, epochs=2, shuffle=False, verbose=0).history["loss"]}
    return found | {"state": np.asarray(model.layers[0].states[0]), "predict": model.predict(x, 6, verbose=0)}


class Gan(keras.Model):
    """Two networks with an optimizer each and a step of its own."""

    def __init__(self):
        super().__init__()
        self.maker = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(8)])
        self.judge = keras.Sequential([keras.Input((8,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(1)])
        self.tracker = keras.metrics.Mean(name="judged")

    def train_step(self, state, data):
        import jax

        trainable, others, slots, metrics = state
        size = len(self.maker.trainable_variables)

        def loss_of(trainable, others):
            noise = jax.random.normal(jax.random.key(len(data)), (len(data), 4))
            made, _ = self.maker.stateless_call(trainable[:size], [], noise)
            told = [self.judge.stateless_call(trainable[size:], [], x)[0] for x in (data, made)]
            return (told[1] ** 2).mean() + ((told[0] - 1) ** 2).mean(), others

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, others)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        metrics[-2:] = self.tracker.stateless_update_state(metrics[-2:], loss)
        return {"judged": self.tracker.stateless_result(metrics[-2:])}, (trainable, others, slots, metrics)

    def call(self, x):
        return self.judge(x)


@case
def own_step():
    model = Gan()
    model.compile(keras.optimizers.SGD(0.05))
    model(X[:2])
    found = {"log": model.fit(X, batch_size=12, epochs=2, verbose=0).history["judged"]}
    return found | {f"weight {place}": value for place, value in enumerate(model.get_weights()[:8])}


@case
def mixed_precision():
    with policy("mixed_bfloat16"):
        model = dense(keras.layers.Dense(16, "relu"), keras.layers.LayerNormalization())
    found = {f"rough {name}": value for name, value in fitted(model).items()}
    with policy("mixed_float16"):
        model = dense(keras.layers.Dense(16, "relu"), optimizer=keras.optimizers.SGD(0.1))
    return found | {f"rough 16 {name}": value for name, value in fitted(model, epochs=1).items()}


@contextlib.contextmanager
def policy(name):
    keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy("float32")


@case
def low_rank():
    layers = keras.layers
    model = dense(layers.Embedding(12, 6), layers.Dense(6, "relu"), layers.GlobalAveragePooling1D(), inputs=(7,))
    model.fit(TOKENS, LABELS, batch_size=12, verbose=0)
    for layer in model.layers[:2]:
        layer.enable_lora(2)
    model.compile("adam", "sparse_categorical_crossentropy")
    return fitted(model, TOKENS)


@case
def attention_in_parts():
    count = keras.distribution.get_device_count()
    mesh = keras.distribution.DeviceMesh((max(count // 2, 1), min(count, 2)), ["batch", "model"])
    layouts = keras.distribution.LayoutMap(mesh)
    layouts[".*(query|key|value)/kernel"] = (None, "model", None)
    layouts[".*attention_output/kernel"] = ("model", None, None)
    layouts[".*up/kernel"], layouts[".*up/output"] = (None, "model"), ("batch", None, "model")
    with keras.distribution.ModelParallel(layout_map=layouts).scope():
        x = keras.Input((7,), dtype="int32")
        y = keras.layers.Embedding(12, 8, mask_zero=True)(x)
        y = y + keras.layers.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True)
        y = keras.layers.Dense(8, "gelu", name="up")(keras.layers.LayerNormalization()(y))
        model = keras.Model(x, keras.layers.Dense(12)(y))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
        model.compile("adam", loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
        return fitted(model, TOKENS, np.roll(TOKENS, -1, 1))


@case
def several_outputs():
    inputs = {"a": keras.Input((8,), name="a"), "b": keras.Input((7,), name="b")}
    hidden = keras.layers.Concatenate()([inputs["a"], keras.layers.Dense(3)(inputs["b"])])
    model = keras.Model(inputs, {"one": keras.layers.Dense(1, name="one")(hidden), "two": keras.layers.Dense(
        3, "softmax", name="two")(hidden)})  # fmt: skip
    model.compile("adam", {"one": "mae", "two": "sparse_categorical_crossentropy"}, metrics={"two": ["accuracy"]})
    data = {"a": X, "b": TOKENS.astype("float32")}
    return fitted(model, data, {"one": X[:, :1], "two": LABELS}, sample_weight={"one": WEIGHTS, "two": WEIGHTS[::-1]})


@case
def generators():
    def batches():
        while True:
            for first in range(0, ROWS, 10):
                yield X[first : first + 10], LABELS[first : first + 10]

    return fitted(dense(keras.layers.Dense(5, "relu"), metrics=["accuracy"]), batches(), steps_per_epoch=5)


class Parts(keras.utils.PyDataset):
    """Batches of which each process reads its part."""

    def __len__(self):
        return 5

    def __getitem__(self, index, num_shards, shard):
        rows = np.array_split(np.arange(10 * index, min(10 * index + 10, ROWS)), num_shards)[shard]
        return X[rows], LABELS[rows], WEIGHTS[rows]


@case
def datasets_read_by_share():
    return fitted(dense(keras.layers.Dense(5, "relu"), weighted_metrics=["accuracy"]), Parts(), shuffle=True)


@case
def callbacks():
    of, seen = keras.callbacks, []
    watch = of.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    model = dense(keras.layers.Dense(5, "relu"), optimizer=keras.optimizers.Adam(0.3), metrics=["accuracy"])
    slower = of.LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    found = fitted(model, epochs=8, validation_split=0.3, callbacks=[
        watch, of.EarlyStopping("val_loss", patience=1, restore_best_weights=True),
        of.ReduceLROnPlateau("loss", 0.5, patience=1), slower])  # fmt: skip
    return found | {"seen": seen}


@case
def masks():
    layers = keras.layers
    model = dense(layers.Embedding(12, 6, mask_zero=True), layers.Bidirectional(layers.GRU(4, return_sequences=True)),
                  inputs=(7,), units=12, metrics=["accuracy"])  # fmt: skip
    return fitted(model, TOKENS, TOKENS)


@case
def losses_across_rows():
    """Each row is compared with all others of its batch."""

    def contrast(y, embedded):
        near = keras.ops.matmul(embedded, keras.ops.transpose(embedded))
        size = keras.ops.shape(embedded)[0]
        order = keras.ops.sort(keras.ops.cumsum(embedded, axis=0), axis=0)
        return keras.losses.sparse_categorical_crossentropy(keras.ops.arange(size), near, True) + order[:, 0]

    return fitted(dense(keras.layers.Dense(5, "relu"), loss=contrast, units=4, activation=None), X, X)


@case
def random_layers():
    layers = keras.layers
    model = dense(layers.RandomFlip("horizontal", seed=1), layers.GaussianNoise(0.1), layers.Conv2D(3, 3),
                  layers.SpatialDropout2D(0.3), layers.Flatten(), layers.Dropout(0.2), inputs=(8, 8, 2))  # fmt: skip
    return fitted(model, IMAGES)


@case
def optimizers():
    optimizer = keras.optimizers.AdamW(0.01, clipnorm=0.5, use_ema=True, ema_momentum=0.8,
                                       gradient_accumulation_steps=2)  # fmt: skip
    found = fitted(dense(keras.layers.Dense(5, "relu"), optimizer=optimizer))
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = dense(keras.layers.Dense(5), optimizer=keras.optimizers.SGD(rate, momentum=0.9), steps_per_execution=3)
    return found | {f"many {name}": value for name, value in fitted(model).items()}


@case
def mapped_files():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "x.npy")
        np.save(path, X)
        model = dense(keras.layers.Dense(5, "relu"))
        return fitted(model, np.load(path, mmap_mode="r"), shuffle="batch", validation_split=0.2)


class Penalized(keras.layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * keras.ops.mean(keras.ops.square(keras.ops.mean(x, axis=0))))
        return x


@case
def added_losses():
    layers = keras.layers
    model = dense(layers.Dense(6, "relu", kernel_regularizer="l1", activity_regularizer="l2"), Penalized(),
                  layers.GroupNormalization(2), layers.SpectralNormalization(layers.Dense(4)))  # fmt: skip
    return fitted(model)


@case
def single_batches():
    layers = keras.layers.Dense(5, "relu"), keras.layers.BatchNormalization()  # all classes are alike to it for one row
    sgd = keras.optimizers.SGD(0.05)  # Adam would turn the rounding of gradients that are 0 for one row into steps
    model, found = dense(*layers, optimizer=sgd, metrics=["sparse_categorical_crossentropy"]), {}
    for size in (1, 3, 7, 8, 13):
        found[f"train {size}"] = model.train_on_batch(X[:size], LABELS[:size], WEIGHTS[:size])
        found[f"test {size}"] = model.test_on_batch(X[:size], LABELS[:size])
        found[f"predict {size}"] = model.predict_on_batch(X[:size])
    return found


@case
def split_optimizers():
    found = {}
    for name, way in [("zero", keras.distribution.DataParallel(shard_optimizer=True)),
                      ("fsdp", keras.distribution.ModelParallel.fsdp())]:  # fmt: skip
        with way.scope():
            model = dense(keras.layers.Dense(128, "relu"), keras.layers.Dense(16, "relu"))
            found |= {f"{name} {key}": value for key, value in fitted(model).items()}
    return found


def run(path, names):
    keras.distribution.initialize() if int(os.environ["PROCESSES"]) > 1 else None
    found = {}
    for name in names or CASES:
        try:
            keras.utils.set_random_seed(5)
            with keras.distribution.DataParallel().scope():
                found[name] = {key: np.asarray(value, "float32") for key, value in CASES[name]().items()}
        except Exception:
            found[name] = traceback.format_exc()
    rows = {
        name: one if isinstance(one, str) else {k: v.tolist() for k, v in one.items()} for name, one in found.items()
    }
    pathlib.Path(f"{path}.{os.environ['PROCESS']}").write_text(json.dumps(rows))


def results(folder, processes, devices, names=(), limit=1500):
    """What the cases give in each process: name -> {key: value}, or the text of an error."""
    path = pathlib.Path(folder, f"{processes} x {devices}")
    program = start.Start("-m", "tests.processes.same_numbers", path, *names, processes=processes, devices=devices)
    ended = program.end(limit)
    wrong = [one.errors[-2000:] for one in ended if one.status != 0]
    assert not wrong, "\n".join(wrong)
    return [json.loads(pathlib.Path(f"{path}.{number}").read_text()) for number in range(processes)]


def differences(found, expected):
    """How the results of one process differ from those of one device, by the name of the case."""
    told = {}
    for name, values in found.items():
        if isinstance(values, str) or isinstance(expected[name], str):
            told[name] = values if isinstance(values, str) else expected[name]
            continue
        for key, value in values.items():
            rough = 0.05 if key.startswith("rough") else 2e-4
            if not np.allclose(value, expected[name][key], rtol=rough, atol=rough / 10, equal_nan=True):
                told[name] = f"{key}: {np.ravel(value)[:4]}, on one device {np.ravel(expected[name][key])[:4]}"
                break
    return told


def main(names):
    with tempfile.TemporaryDirectory() as folder:
        (one,) = results(folder, 1, 1, names)
        for name, text in one.items():
            if isinstance(text, str):
                print(f"on one device, {name}: {text}")
        bad = 0
        for processes, devices in PLACES:
            found = results(folder, processes, devices, names)
            told = {number: differences(each, one) for number, each in enumerate(found)}
            wrong = {name for each in told.values() for name in each}
            bad += len(wrong)
            print(f"{processes} x {devices}: {len(one) - len(wrong)} of {len(one)} cases as on one device", flush=True)
            for name in sorted(wrong):
                print(f"  {name}: {next(each[name] for each in told.values() if name in each)}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    if os.environ.get("PROCESSES"):
        run(sys.argv[1], sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
