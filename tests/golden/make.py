"""Writes the golden files of the version of lamina that runs it, into a folder named after that version, once:

    python tests/golden/make.py

Files of a version stay as they are for ever: `test_golden.py` loads those of every version. Each model is a little of
many layers, trained for two steps, so that no variable has its first value; `expected.npz` has its outputs."""

import pathlib
import sys

import numpy as np

import lamina as keras
from lamina import layers, optimizers

HERE = pathlib.Path(__file__).parent
OPTIMIZERS = (
    *("SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam", "Ftrl", "Lion", "Lamb"),
    *("LossScaleOptimizer", "Muon", "ScheduleFreeAdamW"),
)
RNG = np.random.default_rng(0)


def images():
    x = keras.Input((8, 8, 2), name="image")
    y = layers.RandomFlip("horizontal", seed=3)(layers.Rescaling(0.5)(x))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(y)
    y = layers.BatchNormalization()(y)
    y = layers.SeparableConv2D(4, 3, padding="same")(layers.DepthwiseConv2D(3, padding="same")(y)) + y
    y = layers.GroupNormalization(2)(layers.MaxPooling2D()(y))
    y = layers.Conv2DTranspose(3, 2, strides=2)(layers.PReLU()(y))
    y = layers.Concatenate()([layers.GlobalAveragePooling2D()(y), layers.Flatten()(layers.AveragePooling2D(4)(y))])
    y = layers.Dropout(0.25, seed=5)(layers.SpectralNormalization(layers.Dense(6, kernel_regularizer="l2"))(y))
    return keras.Model(x, layers.Dense(3, activation="softmax", name="kind")(y), name="images")


def sequences():
    x = keras.Input((6,), dtype="int32", name="word")
    y = layers.Embedding(11, 8, mask_zero=True)(x)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(y)
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(y, y) + y)
    y = layers.GRU(4, return_sequences=True)(layers.TimeDistributed(layers.Dense(5, activation="gelu"))(y))
    y = layers.Conv1D(4, 3, padding="causal")(layers.UnitNormalization()(y))
    y = layers.SimpleRNN(3)(layers.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d")(y))
    return keras.Model(x, layers.Dense(3, activation="softmax")(y), name="sequences")


def words():
    lookup = layers.StringLookup(vocabulary=["red", "green", "blue"], output_mode="multi_hot")
    text = keras.Input((2,), dtype="string")
    normalization = layers.Normalization()
    normalization.adapt(RNG.normal(2, 3, (16, 5)).astype("float32"))
    return keras.Sequential([text, lookup]), keras.Sequential([keras.Input((5,)), normalization, layers.Dense(2)])


def dense(optimizer):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def data():
    rng = np.random.default_rng(7)
    return rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")


def train(model, x, classes=3):
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, np.arange(len(x)) % classes, epochs=2, batch_size=len(x), verbose=0)


def resumed(folder):
    """A run of two epochs in a folder, as `test_golden.py` continues it for a third."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, activation="relu"), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model, lambda epochs: model.fit(*data(), epochs=epochs, batch_size=4, resume=str(folder), verbose=0)


def state(model):
    """All numbers of a model and its optimizer, one after the other."""
    return np.concatenate(
        [np.ravel(np.asarray(v.value, "float32")) for v in (*model.weights, *model.optimizer.variables)]
    )


def inputs():
    rng = np.random.default_rng(11)
    x = {"images": rng.normal(size=(3, 8, 8, 2)).astype("float32")}
    x["sequences"] = np.array([[1, 4, 2, 0, 0, 0], [3, 5, 10, 9, 8, 2], [7, 1, 0, 0, 0, 0]], "int32")
    x["quantized"] = rng.normal(size=(3, 8)).astype("float32")
    x["numbers"] = rng.normal(size=(3, 5)).astype("float32")
    return x


def main():
    folder = HERE / keras.__version__
    if folder.exists():
        sys.exit(f"{folder} is there: golden files are written once.")
    folder.mkdir()
    x, expected = inputs(), {}
    keras.utils.set_random_seed(0)
    for name, model in (("images", images()), ("sequences", sequences())):
        train(model, x[name])
        expected[name] = model.predict(x[name], verbose=0)
        for ending in ("keras", "h5"):
            model.save(folder / f"{name}.{ending}")
        model.save_weights(folder / f"{name}.weights.h5")
        model.save_weights(folder / f"{name}.safetensors")
        model.save_weights(folder / f"{name}.weights.json", max_shard_size=5e-6)
        (folder / f"{name}.json").write_text(model.to_json())
    strings, numbers = words()
    strings.save(folder / "strings.keras")
    numbers.save(folder / "numbers.keras")
    expected["numbers"] = numbers.predict(x["numbers"], verbose=0)
    for mode in ("int8", "int4", "float8"):
        model = keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="relu"), layers.Dense(3)])
        model.quantize(mode)
        expected[f"quantized_{mode}"] = model.predict(x["quantized"], verbose=0)
        model.save(folder / f"quantized_{mode}.keras")
    model = keras.Sequential([keras.Input((8,)), layers.Dense(6), layers.Dense(3, activation="softmax")])
    model.layers[0].enable_lora(2)
    train(model, x["quantized"])
    model.save(folder / "lora.keras")
    expected["lora"] = model.predict(x["quantized"], verbose=0)
    for name in OPTIMIZERS:
        inner = {"LossScaleOptimizer": [optimizers.SGD(0.1, momentum=0.9)]}.get(name, [])
        model = dense(getattr(optimizers, name)(*inner))
        model.fit(*data(), epochs=2, verbose=0)
        model.save(folder / f"optimizer_{name}.keras")
        expected[f"optimizer_{name}"] = state(model)
    model = keras.models.load_model(folder / "optimizer_Adam.keras")
    model.train_on_batch(*data())
    expected["after_Adam"] = state(model)
    model, fit = resumed(folder / "run")
    fit(2)
    history = fit(3).history["loss"]
    for new in sorted((folder / "run").glob("000003*")):
        new.unlink()
    expected["run"] = np.asarray(history)
    images_again = keras.models.load_model(folder / "images.keras")
    images_again.export(folder / "images.jax")
    images_again.export(folder / "images.onnx")
    np.savez_compressed(folder / "expected.npz", **expected)
    print(
        *sorted(f"{path.stat().st_size:8} {path.relative_to(HERE)}" for path in folder.rglob("*") if path.is_file()),
        sep="\n",
    )


if __name__ == "__main__":
    main()
