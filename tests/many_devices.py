"""Programs that tests/test_distribution.py runs in processes of their own, over eight devices, over two processes, and
itself on one device."""

import contextlib
import io
import math
import pathlib
import re
import sys
import tracemalloc
import warnings

import numpy as np

import lamina as keras
from lamina.saving.safety.hdf5 import StoredArray

ROOT = pathlib.Path(__file__).parents[1]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(100, 12)).astype("float32")  # 100 = 6 * 16 + 4: the last batch divides by no 8 devices
Y = GENERATOR.integers(0, 3, 100)
WEIGHTS = np.linspace(0.5, 2, 100, dtype="float32")
SEQUENCES = GENERATOR.normal(size=(8, 6, 16)).astype("float32")


def classifier(dropout=0.0):
    """A small network with batch statistics, which are those of the whole batch on any number of devices."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((12,)),
        keras.layers.Dense(16, activation="relu", name="hidden"),
        keras.layers.BatchNormalization(momentum=0.5, synchronized=True),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(3, activation="softmax", name="classes"),
    ], name="classifier")  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained_with_dropout():
    """The losses and metrics of three epochs."""
    history = classifier(0.3).fit(X, Y, batch_size=16, epochs=3, verbose=0).history
    return {key: np.array(values) for key, values in history.items()}


def trained(callbacks=()):
    """(model, what came out of three epochs, `evaluate`, `predict`, one odd batch)."""
    model = classifier()
    history = model.fit(
        X, Y, batch_size=16, epochs=3, verbose=0, validation_data=(X[:32], Y[:32]), callbacks=callbacks,
        sample_weight=WEIGHTS,
    )  # fmt: skip
    results = {key: np.array(values) for key, values in history.history.items()}
    results["evaluate"] = np.array(model.evaluate(X, Y, verbose=0))
    results["predict"] = model.predict(X, batch_size=16, verbose=0)
    results["moving_mean"] = model.layers[1].moving_mean.numpy()
    results["odd_batch"] = np.array(model.train_on_batch(X[:5], Y[:5]))
    return model, results


def mixing():
    """What a model computes from several rows of a batch at once: each device has the whole batch then."""
    keras.utils.set_random_seed(3)
    centred = keras.layers.Lambda(lambda x: x - keras.ops.mean(x, axis=0))
    model = keras.Sequential([keras.Input((12,)), centred, keras.layers.Dense(3)], name="mixing")
    model.compile("sgd", "mse")
    return {"loss": np.array(model.train_on_batch(X[:20], X[:20, :3])), "predict": model.predict(X[:5], verbose=0)}


def train_of_its_own():
    """Two batches that do not divide, in a step that calls the model itself."""

    class Own(keras.Sequential):
        def train_step(self, data):
            return {"sum": keras.ops.sum(self(data[0], training=True))}

    model = Own([keras.Input((12,)), keras.layers.Dense(3)], name="own")
    model.compile("sgd", "mse")
    for rows in (20, 21):
        model.train_on_batch(X[:rows], Y[:rows])


def block():
    """A block of a transformer."""
    keras.utils.set_random_seed(3)
    x = keras.Input((6, 16))
    y = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(4, 4, name="mha")(x, x))
    z = keras.layers.Dense(16, name="down")(keras.layers.Dense(32, activation="gelu", name="up")(y))
    model = keras.Model(x, y + z)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


def split_block(mesh):
    """The layouts of that block over the axis "model" of a mesh: heads, and the units between the two Dense layers."""
    layouts = keras.distribution.LayoutMap(mesh)
    layouts["mha/(query|key|value)/kernel"] = (None, "model", None)
    layouts["mha/(query|key|value)/bias"] = ("model", None)
    layouts["mha/attention_output/kernel"] = ("model", None, None)
    layouts["up/kernel"], layouts["up/bias"], layouts["down/kernel"] = (None, "model"), ("model",), ("model", None)
    layouts["up/output"] = ("batch", None, "model")
    return keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")


def trained_block():
    """(model, {outputs before training, losses, outputs after it})."""
    model = block()
    before = model.predict(SEQUENCES, verbose=0)
    losses = model.fit(SEQUENCES, -SEQUENCES, batch_size=4, epochs=2, verbose=0, shuffle=False).history["loss"]
    return model, {"before": before, "losses": np.array(losses), "after": model.predict(SEQUENCES, verbose=0)}


def over_eight_devices(folder):
    """Everything that needs eight devices; results go to results.npz in `folder`."""
    results = {}
    data_parallel = keras.distribution.DataParallel()
    with data_parallel.scope(), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model, plain = trained(callbacks=orbax_callbacks(folder / "orbax"))
        results.update({f"plain/{key}": value for key, value in plain.items()})
        results["programs"] = np.array([program._cache_size() for program in model._runner.programs.values()])
        model.save(folder / "model.keras")
        model.save_weights(folder / "model.weights.h5")
        results["told_before"] = np.array([str(one.message) for one in told if "divide" in str(one.message)], "U200")
        model.train_on_batch(X[:20], Y[:20])
        results["told_of_rows"] = np.array([str(one.message) for one in told if "divide" in str(one.message)], "U200")
        results.update({f"mixing/{key}": value for key, value in mixing().items()})
        train_of_its_own()
        results["told"] = np.array([str(one.message) for one in told if "divide" in str(one.message)], "U200")
        assert model.layers[0].kernel.value.sharding.is_fully_replicated
        assert len(model.layers[0].kernel.value.devices()) == 8
    keras.random.normal((2,))  # the global seed stays usable outside of the scope
    assert classifier().predict(X[:3], verbose=0).shape == (3, 3)
    with data_parallel.scope():
        results.update({f"dropout/{key}": value for key, value in trained_with_dropout().items()})

    mesh = keras.distribution.DeviceMesh((2, 4), ["batch", "model"])
    drawn_by_part(mesh, ["batch", "model"])
    with split_block(mesh).scope():
        model, values = trained_block()
        results.update({f"block/{key}": value for key, value in values.items()})
        kernel = model.get_layer("up").kernel
        slot = next(v for v in model.optimizer.variables if "up_kernel" in v.path)
        for variable in (kernel, slot):
            assert {shard.data.shape for shard in variable.value.addressable_shards} == {(16, 8)}
        model.save(folder / "block.keras")
        kernel.assign(np.ones(kernel.shape))
        assert kernel.value.addressable_shards[0].data.shape == (16, 8)
        try:
            keras.layers.Dense(3, name="up").build((None, 4))
        except keras.errors.ShapeError as error:
            results["error"] = np.array(str(error))

    model = block()  # made outside, it moves to the mesh when it is used there, and from one mesh to the next
    with split_block(mesh).scope():
        results["moved"] = model.predict(SEQUENCES, verbose=0)
    assert model.get_layer("up").kernel.value.addressable_shards[0].data.shape == (16, 8)
    with split_block(keras.distribution.DeviceMesh((1, 2), ["batch", "model"], ["cpu:0", "cpu:1"])).scope():
        results["moved_again"] = model.predict(SEQUENCES, verbose=0)
        assert model.get_layer("up").kernel.value.addressable_shards[0].data.shape == (16, 16)

    with keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"]).scope():
        results.update({f"on_two/{key}": value for key, value in loaded(folder).items()})
    results.update({f"split/{key}": value for key, value in split_states().items()})
    each_reads_its_part(folder)
    run_page()
    np.savez(folder / "results.npz", allow_pickle=False, **results)


def deep():
    """A deep network, whose middle is one block three times."""
    keras.utils.set_random_seed(3)
    x = keras.Input((6, 16))
    y = keras.layers.Dense(64, activation="relu", name="up")(x)
    y = keras.layers.Repeat(keras.layers.Dense(64, activation="tanh", name="one"), 3, name="middle")(y)
    y = keras.layers.MultiHeadAttention(8, 8, name="mha")(y, y)
    model = keras.Model(x, keras.layers.Dense(16, name="down")(y), name="deep")
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def bytes_on_a_device(variables):
    """What one device stores of them."""
    return sum(variable.value.addressable_shards[0].data.nbytes for variable in variables)


INITIALIZERS = ["glorot_uniform", "he_normal", "random_normal", "ones"]


def drawn_by_part(mesh, names):
    """Initial values of a split variable have the bits of a whole one. NumPy allocates the parts of this process, which
    a CPU uses as they are, and a little beside: no part twice, and nothing for other processes."""
    seeded = [keras.initializers.get(one) for one in INITIALIZERS]
    for one in seeded:
        vars(one).update({name: 7 for name in ("seed", "_seed") if name in vars(one)})
    for initializer in seeded:
        for axes in [(None, names[-1]), (names[-1], None), (tuple(names), None)]:
            for dtype in ("float32", "bfloat16"):
                layout = keras.distribution.TensorLayout(axes, mesh)
                tracemalloc.start()
                split = keras.Variable(initializer, (1024, 1536), dtype, layout=layout)
                most = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                expected = np.asarray(initializer((1024, 1536), dtype))
                shards = split.value.addressable_shards
                assert all(shard.data.size < expected.size for shard in shards)
                for shard in shards:
                    assert np.asarray(shard.data).tobytes() == expected[shard.index].tobytes()
                own = sum({str(shard.index): shard.data.nbytes for shard in shards}.values())
                assert most < own + max(own // 4, 3 * 2**19), (initializer, axes, most, own)


def split_states():
    """{way of splitting: losses of two epochs}, each with its memory checked."""

    def train(model):
        history = model.fit(SEQUENCES, -SEQUENCES, batch_size=8, epochs=2, verbose=0, shuffle=False).history
        return (
            np.array(history["loss"]),
            bytes_on_a_device(model.variables),
            bytes_on_a_device(model.optimizer.variables),
        )

    data, mesh = keras.distribution.DataParallel(), keras.distribution.DeviceMesh((2, 4), ["batch", "model"])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        layouts = keras.distribution.auto_layout(deep(), mesh)
    assert 'layout_map["middle/one/kernel"] = (None, "model")' in printed.getvalue()
    ways = {
        "one": None, "data": data, "zero": keras.distribution.DataParallel(shard_optimizer=True),
        "fsdp": keras.distribution.ModelParallel.fsdp(),
        "auto": keras.distribution.ModelParallel(layout_map=layouts),
        "both": keras.distribution.ModelParallel.fsdp(layout_map=layouts),
    }  # fmt: skip
    found = {}
    for name, way in ways.items():
        with way.scope() if way else contextlib.nullcontext():
            with keras.abstract() if name == "fsdp" else contextlib.nullcontext():
                model = deep()
            found[name] = train(model)
    with ways["zero"].scope():  # what was made without it is split where it is used
        moved = deep()
        with data.scope():
            train(moved)
        assert train(moved)[2] == found["zero"][2]
    whole = found["one"]
    assert found["data"][1:] == whole[1:] and found["zero"][1] == whole[1]
    assert found["zero"][2] < whole[2] / 6 and max(found["fsdp"][i] / whole[i] for i in (1, 2)) < 1 / 6
    assert found["auto"][1] < whole[1] / 2.5 and found["both"][1] < found["auto"][1] / 1.7
    return {name: losses for name, (losses, _, _) in found.items()}


def each_reads_its_part(folder):
    """A file into a model without values: no device's part of a large variable is read for another."""
    model = deep()
    expected = model.predict(SEQUENCES, verbose=0)
    model.save_weights(folder / "deep.weights.h5")
    sizes, whole = [], StoredArray.part

    def part(self, index, dtype=None):
        values = whole(self, index, dtype)
        sizes.append((math.prod(self.shape), values.size))
        return values

    StoredArray.part = part
    try:
        with keras.distribution.ModelParallel.fsdp().scope():
            with keras.abstract():
                model = deep()
            model.load_weights(folder / "deep.weights.h5")
            np.testing.assert_allclose(model.predict(SEQUENCES, verbose=0), expected, rtol=1e-5, atol=1e-5)
    finally:
        StoredArray.part = whole
    assert all(size == (stored // 8 if stored >= 1024 else stored) for stored, size in sizes)


def orbax_callbacks(folder):
    """OrbaxCheckpoint where the package is there."""
    try:
        import orbax.checkpoint  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        return []
    return [keras.callbacks.OrbaxCheckpoint(folder)]


def loaded(folder):
    """What the models predict that eight devices wrote, read by all roads."""
    weights = classifier()
    weights.load_weights(folder / "model.weights.h5")
    model = keras.models.load_model(folder / "model.keras")
    results = {"keras": model, "weights": weights}
    if (folder / "orbax").is_dir():
        results["orbax"] = keras.models.load_model(folder / "orbax")
        results["orbax_weights"] = classifier()
        results["orbax_weights"].load_weights(folder / "orbax")
    predicted = {key: model.predict(X, verbose=0) for key, model in results.items()}
    predicted["block"] = keras.models.load_model(folder / "block.keras").predict(SEQUENCES, verbose=0)
    predicted["goes_on"] = np.array(model.train_on_batch(X, Y))  # with the state of the optimizer
    return predicted


def run_page():
    """The Python of docs/many_devices.md."""
    names = {"__name__": "program"}
    for code in re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "many_devices.md").read_text(), re.M | re.S):
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(code, "many_devices.md", "exec"), names)


def over_two_processes(folder, address, process):
    """The same training in each of two processes, of two devices each; results go to process_N.npz in `folder`."""
    keras.distribution.initialize(address, 2, process)
    results = {"drawn": np.random.uniform(size=3)}  # without a seed both draw alike
    distribution = keras.distribution.DataParallel()
    with distribution.scope():
        model, values = trained()
        results.update(values)
        results["kernel"] = model.get_weights()[0]
        whole = model.test_on_batch(X[:8], Y[:8])
        both = model.predict_on_batch(X[:8])
        distribution.auto_shard_dataset = False  # now each brings its half of the batch
        mine = slice(4 * process, 4 * process + 4)
        np.testing.assert_allclose(model.test_on_batch(X[:8][mine], Y[:8][mine]), whole, rtol=1e-6)
        np.testing.assert_allclose(model.predict_on_batch(X[:8][mine]), both[mine], rtol=1e-6)
        mine = slice(3 * process, 3 * process + 3)  # of two devices each
        uneven = model.test_on_batch(X[mine], Y[mine])
        distribution.auto_shard_dataset = True
        np.testing.assert_allclose(uneven, model.test_on_batch(X[:6], Y[:6]), rtol=1e-6)
    for names in (["batch", "model"], ["model", "batch"]):
        drawn_by_part(keras.distribution.DeviceMesh((2, 2), ["batch", "model"]), names)
    with split_block(keras.distribution.DeviceMesh((1, 4), ["batch", "model"])).scope():
        model, values = trained_block()
        results.update({f"block/{key}": value for key, value in values.items()})
        kernel = model.get_layer("up").kernel
        assert {shard.data.shape for shard in kernel.value.addressable_shards} == {(16, 8)}
        assert not kernel.value.is_fully_addressable and repr(kernel).startswith("<Variable path=up/kernel")
        model.save(folder / f"block_{process}.keras")  # each process gathers the whole
    np.savez(folder / f"process_{process}.npz", allow_pickle=False, **results)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        over_eight_devices(pathlib.Path(sys.argv[1]))
    else:
        over_two_processes(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
