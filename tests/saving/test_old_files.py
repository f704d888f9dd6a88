"""Files of Keras 1 and 2, laid out here as those versions did; what they compute is checked by NumPy."""

import json

import h5py
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, FileError, UnsafeFileError
from lamina.legacy import OldSpelling
from lamina.saving.migration.configs import upgrade_compile

random = np.random.default_rng(3)


def numbers(*shape):
    return random.normal(size=shape).astype("float32") * 0.5


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, "trainable": True, **config}}


def node(*names, **kwargs):
    return [[name, 0, 0, kwargs] for name in names]


def write(path, config, weights, version="1.2.2", backend=None, training=None, state=()):
    """A whole-model file: `weights` is layer name -> {name of a weight: array}."""
    with h5py.File(path, "w") as file:
        if version:
            file.attrs["keras_version"] = version.encode()
        if backend:
            file.attrs["backend"] = backend.encode()
        file.attrs["model_config"] = json.dumps(config).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            part = group.create_group(name)
            part.attrs["weight_names"] = [key.encode() for key in arrays]
            for key, array in arrays.items():
                part[key] = array
        if training:
            file.attrs["training_config"] = json.dumps(training).encode()
            slots = file.create_group("optimizer_weights")
            slots.attrs["weight_names"] = [f"Variable_{place}:0".encode() for place in range(len(state))]
            for place, array in enumerate(state):
                slots[f"Variable_{place}:0"] = array
    return path


def sequential(*layers):
    return {"class_name": "Sequential", "config": list(layers)}


def by_number(*arrays):
    return {f"param_{place}": array for place, array in enumerate(arrays)}


def old_hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def test_dense_of_keras_1(tmp_path):
    rows = [
        layer(
            "Dense", "d", batch_input_shape=[None, 3], output_dim=2, init="uniform", activation="hard_sigmoid",
            bias=True, input_dim=None, b_regularizer=None,
            W_regularizer={"name": "WeightRegularizer", "l1": 0.0, "l2": 0.25},
            activity_regularizer=None, W_constraint={"name": "MaxNorm", "m": 2, "axis": 0}, b_constraint=None,
        ),
        layer("Dropout", "p", p=0.5),
        layer("TimeDistributedDense", "t", output_dim=2, init="one", activation="linear"),
    ]  # fmt: skip
    kernel, bias = numbers(3, 2), numbers(2)
    weights = {"d": {"d_W": kernel, "d_b": bias}, "p": {}, "t": by_number(np.eye(2, dtype="float32"), np.zeros(2))}
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(*rows), weights, version=None))
    x = numbers(4, 3) * 9
    np.testing.assert_allclose(model(x), old_hard_sigmoid(x @ kernel + bias), 1e-5, 1e-6)
    first = model.layers[0]
    assert (float(first.kernel_regularizer.l2), first.kernel_constraint.max_value) == (0.25, 2)
    assert model.layers[1].rate == 0.5


def convolution(x, kernel):
    """(batch, rows, columns, channels) by (rows, columns, channels, filters), as a correlation."""
    rows, columns = (x.shape[axis + 1] - kernel.shape[axis] + 1 for axis in (0, 1))
    patches = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    assert patches.shape[1:3] == (rows, columns)
    return np.einsum("brciyx,yxif->brcf", patches, kernel)


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("order", ["th", "tf"])
def test_convolutions_of_keras_1(order, backend, tmp_path):
    """Theano kept (filters, channels, rows, columns), and turned kernels round, as a convolution does."""
    kernel, bias = numbers(2, 3, 2, 4), numbers(4)
    kept = kernel[::-1, ::-1] if backend == "theano" else kernel
    kept = kept.transpose(3, 2, 0, 1) if order == "th" else kept
    shape = [None, 2, 5, 6] if order == "th" else [None, 5, 6, 2]
    row = layer(
        "Convolution2D", "c", batch_input_shape=shape, nb_filter=4, nb_row=2, nb_col=3, border_mode="valid",
        subsample=[1, 1], dim_ordering=order, init="he_normal", activation="linear", bias=True,
    )  # fmt: skip
    path = write(tmp_path / "m.h5", sequential(row), {"c": by_number(kept, bias)}, backend=backend)
    model = lamina.models.load_model(path)
    x = numbers(2, 5, 6, 2)
    if order == "th":
        got = lamina.ops.nn.conv(np.asarray(x), model.layers[0].kernel, padding="valid") + bias  # the CPU has no NCHW
        assert model.layers[0].data_format == "channels_first"
    else:
        got = model(x)
    np.testing.assert_allclose(got, convolution(x, kernel) + bias, 1e-4, 1e-5)


@pytest.mark.parametrize("before_1_1", [True, False])
def test_convolution_1d_of_keras_1(before_1_1, tmp_path):
    kernel = numbers(3, 2, 4)
    kept = kernel.transpose(2, 1, 0)[..., None] if before_1_1 else kernel[:, None]
    row = layer("Convolution1D", "c", batch_input_shape=[None, 6, 2], nb_filter=4, filter_length=3, border_mode="valid",
                subsample_length=1, init="uniform", activation="relu")  # fmt: skip
    for names, wanted in ((("c_W:0", "c_b:0"), kernel), (("c_W", "c_b"), kernel[::-1])):  # of TensorFlow, of Theano
        arrays = dict(zip(names, (kept, np.zeros(4)), strict=True))
        path = write(tmp_path / "m.h5", sequential(row), {"c": arrays})
        np.testing.assert_array_equal(lamina.models.load_model(path).layers[0].kernel.numpy(), wanted)


def lstm(x, weights, act=old_hard_sigmoid):
    """Gates in the order i, c, f, o; each (kernel, recurrent kernel, bias)."""
    (wi, ui, bi), (wc, uc, bc), (wf, uf, bf), (wo, uo, bo) = weights
    h = c = np.zeros((len(x), len(bi)))
    for step in np.moveaxis(x, 1, 0):
        c = act(step @ wf + h @ uf + bf) * c + act(step @ wi + h @ ui + bi) * np.tanh(step @ wc + h @ uc + bc)
        h = act(step @ wo + h @ uo + bo) * np.tanh(c)
    return h


def gru(x, weights):
    """Gates in the order z, r, h; the reset gate falls on the state."""
    (wz, uz, bz), (wr, ur, br), (wh, uh, bh) = weights
    h = np.zeros((len(x), len(bz)))
    for step in np.moveaxis(x, 1, 0):
        z, r = old_hard_sigmoid(step @ wz + h @ uz + bz), old_hard_sigmoid(step @ wr + h @ ur + br)
        h = z * h + (1 - z) * np.tanh(step @ wh + (r * h) @ uh + bh)
    return h


@pytest.mark.parametrize(("kind", "gates", "compute"), [("LSTM", 4, lstm), ("GRU", 3, gru)])
def test_gates_one_by_one(kind, gates, compute, tmp_path):
    weights = [(numbers(3, 2), numbers(2, 2), numbers(2)) for _ in range(gates)]
    row = layer(
        kind, "r", batch_input_shape=[None, 4, 3], input_dim=3, input_length=None, output_dim=2, init="glorot_uniform",
        inner_init="orthogonal", activation="tanh", inner_activation="hard_sigmoid", dropout_W=0.0, dropout_U=0.0,
        U_regularizer=None, consume_less="cpu", return_sequences=False, go_backwards=False, stateful=False,
        unroll=False,
        **({"forget_bias_init": "one"} if kind == "LSTM" else {}),
    )  # fmt: skip
    arrays = by_number(*(array for gate in weights for array in gate))
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(row), {"r": arrays}))
    x = numbers(5, 4, 3)
    np.testing.assert_allclose(model(x), compute(x, weights), 1e-4, 1e-5)


def test_a_gru_without_reset_after_and_hard_sigmoid_of_each_keras(tmp_path):
    row = layer("GRU", "g", batch_input_shape=[None, 4, 3], units=2, activation="tanh", implementation=1,
                recurrent_activation="hard_sigmoid")  # fmt: skip
    gates = [(numbers(3, 2), numbers(2, 2), numbers(2)) for _ in range(3)]
    arrays = [np.concatenate(parts, -1) for parts in zip(*gates, strict=True)]
    path = write(tmp_path / "m.h5", sequential(row), {"g": by_number(*arrays)}, version="2.1.6")
    model = lamina.models.load_model(path)
    x = numbers(5, 4, 3)
    np.testing.assert_allclose(model(x), gru(x, gates), 1e-4, 1e-5)
    assert not model.layers[0].reset_after
    model.save(tmp_path / "again.keras")  # it keeps its meaning
    np.testing.assert_allclose(lamina.models.load_model(tmp_path / "again.keras")(x), gru(x, gates), 1e-4, 1e-5)
    today = lamina.Sequential([lamina.Input((3,)), lamina.layers.Activation("hard_sigmoid")])
    today.save(tmp_path / "today.h5")
    values = np.array([[-1.0, 0.5, 2.0]], "float32")
    np.testing.assert_allclose(lamina.models.load_model(tmp_path / "today.h5")(values), values / 6 + 0.5, 1e-6)


def cudnn_kernels(kernel, gates):
    """Each gate's kernel transposed in memory, in the same shape: how cuDNN has it."""
    return np.hstack([part.T.reshape(part.shape) for part in np.split(kernel, gates, 1)])


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_cudnn_layers(kind, gates, wrapped, tmp_path):
    units, shapes = 2, [(3, 2 * gates), (2, 2 * gates), (2, 2 * gates)]
    today, kept = [], []
    for _ in range(1 + wrapped):
        kernel, recurrent, biases = (numbers(*shape) for shape in shapes)
        today += [kernel, recurrent, biases if kind == "GRU" else biases.sum(0)]
        turned = np.hstack([part.T for part in np.split(recurrent, gates, 1)])
        kept += [cudnn_kernels(kernel, gates), turned, biases.ravel()]
    row = layer(f"CuDNN{kind}", "r", units=units, return_sequences=False, return_state=False, go_backwards=False,
                stateful=False, kernel_initializer="glorot_uniform")  # fmt: skip
    row = layer("Bidirectional", "b", layer=row, merge_mode="concat") if wrapped else row
    row["config"]["batch_input_shape"] = [None, 4, 3]
    path = write(tmp_path / "m.h5", sequential(row), {row["config"]["name"]: by_number(*kept)}, version="2.2.4")
    model = lamina.models.load_model(path)
    for got, wanted in zip(model.get_weights(), today, strict=True):
        np.testing.assert_allclose(got, wanted, 1e-6)
    inner = model.layers[0].forward_layer if wrapped else model.layers[0]
    assert inner.recurrent_activation.__name__ == "sigmoid" and getattr(inner, "reset_after", True)
    if not wrapped:  # the weights of the file in a model that a program made by the old name
        with pytest.warns(OldSpelling, match=f"CuDNN{kind} is called {kind}"):
            made = getattr(lamina.layers, f"CuDNN{kind}")(units, name="r")
        twin = lamina.Sequential([lamina.Input((4, 3)), made])
        twin.load_weights(path)
        for got, wanted in zip(twin.get_weights(), today, strict=True):
            np.testing.assert_allclose(got, wanted, 1e-6)


def dense_1(name, units, **config):
    return layer("Dense", name, output_dim=units, init="uniform", activation="linear", bias=True, **config)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "max", "ave", "dot"])
def test_merge_of_branches(mode, tmp_path):
    branches = [sequential(dense_1(name, 2, batch_input_shape=[None, 3])) for name in ("a", "b")]
    merge = layer(
        "Merge", "m", layers=branches, mode=mode, concat_axis=-1, dot_axes=-1, mode_type="raw", output_shape=None
    )
    arrays = {name: (numbers(3, 2), numbers(2)) for name in ("a", "b")}
    end = {"concat": 4, "dot": 1}.get(mode, 2)
    arrays["c"] = numbers(end, 1), numbers(1)
    weights = {name: by_number(*pair) for name, pair in arrays.items()}
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(merge, dense_1("c", 1)), weights))
    x, y = numbers(4, 3), numbers(4, 3)
    left, right = x @ arrays["a"][0] + arrays["a"][1], y @ arrays["b"][0] + arrays["b"][1]
    merged = {
        "concat": np.concatenate([left, right], -1), "sum": left + right, "mul": left * right,
        "max": np.maximum(left, right), "ave": (left + right) / 2, "dot": (left * right).sum(-1, keepdims=True),
    }[mode]  # fmt: skip
    np.testing.assert_allclose(model([x, y]), merged @ arrays["c"][0] + arrays["c"][1], 1e-4, 1e-5)


def functional(layers, inputs, outputs):
    ends = {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": outputs}
    return {"class_name": "Model", "config": {"name": "model_1", "layers": layers, **ends}}


def input_layer(name, *shape, **config):
    settings = {"batch_input_shape": [None, *shape], "name": name, "sparse": False, **config}
    return {"class_name": "InputLayer", "name": name, "config": settings, "inbound_nodes": []}


def called(row, *nodes):
    return {**row, "name": row["config"]["name"], "inbound_nodes": list(nodes)}


def test_a_merge_layer_in_a_graph_and_one_of_a_function():
    merge = layer("Merge", "m", mode="mul", concat_axis=-1)
    rows = [input_layer("x", 2, input_dtype="float32"), called(merge, node("x", "x"))]
    config = functional(rows, ["x"], [["m", 0, 0]])
    model = lamina.models.model_from_json(json.dumps({**config, "keras_version": "1.1.0"}))
    np.testing.assert_allclose(model(np.array([[2.0, 3.0]], "float32")), [[4, 9]])
    merge["config"]["mode"] = "function"
    with pytest.raises(ConfigError, match="merges by 'function'"):
        lamina.models.model_from_json(json.dumps(config))


def test_a_model_in_a_model_counts_its_calls_from_one():
    inner = functional([input_layer("i", 2), called(layer("Dense", "d", units=2), node("i"))], ["i"], [["d", 0, 0]])
    inner["config"]["name"] = "inner"
    again = [["inner", 1, 0, {}]]
    rows = [input_layer("x", 2), {**inner, "name": "inner", "inbound_nodes": [node("x"), again]}]
    model = lamina.models.model_from_json(json.dumps(functional(rows, ["x"], [["inner", 2, 0]])))
    assert len(model.layers) == 2 and len(model.get_layer("inner")._inbound_nodes) == 2


def test_models_inside_a_sequential_whose_layers_were_listed_one_by_one(tmp_path):
    rows = [sequential(dense_1("a", 2, batch_input_shape=[None, 3]), dense_1("b", 2)), dense_1("c", 1)]
    arrays = {
        name: by_number(numbers(*shape), numbers(shape[1]))
        for name, shape in dict(a=(3, 2), b=(2, 2), c=(2, 1)).items()
    }
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(*rows), arrays))
    kept = [array for pair in arrays.values() for array in pair.values()]
    for got, wanted in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_layers_that_are_gone(tmp_path):
    rows = [
        layer("LocallyConnected1D", "l", batch_input_shape=[None, 4, 2], nb_filter=3, filter_length=2,
              border_mode="valid", subsample_length=1, activation="linear", bias=True),
        layer("Flatten", "f"),
        layer("MaxoutDense", "m", output_dim=2, nb_feature=3, init="uniform", bias=True),
        layer("Highway", "h", activation="tanh", transform_bias=-2, bias=True),
        layer("ThresholdedReLU", "t", theta=0.25),
    ]  # fmt: skip
    kernels, bias = numbers(3, 4, 3), numbers(3, 3)
    maxout, maxout_bias = numbers(3, 9, 2), numbers(3, 2)
    w, carry, b, carry_bias = numbers(2, 2), numbers(2, 2), numbers(2), numbers(2)
    weights = {
        "l": by_number(kernels, bias),
        "f": {},
        "m": by_number(maxout, maxout_bias),
        "h": by_number(w, carry, b, carry_bias),
    }
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(*rows), weights))
    x = numbers(5, 4, 2)
    local = np.stack([x[:, p : p + 2].reshape(5, 4) @ kernels[p] for p in range(3)], 1) + bias
    widest = (np.einsum("bi,nio->bno", local.reshape(5, 9), maxout) + maxout_bias).max(1)
    share = 1 / (1 + np.exp(-(widest @ carry + carry_bias)))
    expected = share * np.tanh(widest @ w + b) + (1 - share) * widest
    np.testing.assert_allclose(model(x), np.where(expected > 0.25, expected, 0), 1e-4, 1e-5)


def thrice(x):
    return 3 * x


def test_lambdas_by_name_and_by_bytecode():
    row = layer("Lambda", "l", batch_input_shape=[None, 3], function="thrice", function_type="function", arguments={},
                module="program", output_shape=None, output_shape_type="raw", output_shape_module=None)  # fmt: skip
    text = json.dumps({**sequential(row), "keras_version": "2.2.4"})
    model = lamina.models.model_from_json(text, custom_objects={"thrice": thrice})
    np.testing.assert_array_equal(model(np.ones((1, 3), "float32")), [[3, 3, 3]])
    with pytest.raises(ConfigError, match="custom_objects={'thrice': thrice}"):
        lamina.models.model_from_json(text)
    row["config"].update(function=["4wEAAAAA\n", None, None], function_type="lambda")
    with pytest.raises(UnsafeFileError, match="arbitrary code"):
        lamina.models.model_from_json(json.dumps({**sequential(row), "keras_version": "2.2.4"}))


def test_batch_normalization_of_keras_1(tmp_path):
    row = layer("BatchNormalization", "n", batch_input_shape=[None, 3], mode=0, axis=-1, epsilon=0.5, momentum=0.9,
                gamma_regularizer=None, beta_regularizer=None)  # fmt: skip
    gamma, beta, mean, variance = numbers(3), numbers(3), numbers(3), np.abs(numbers(3))
    path = write(tmp_path / "m.h5", sequential(row), {"n": by_number(gamma, beta, mean, variance)})
    x = numbers(4, 3)
    expected = (x - mean) / np.sqrt(variance + 0.5) * gamma + beta
    np.testing.assert_allclose(lamina.models.load_model(path)(x), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("mode", [1, 2])
def test_other_modes_of_batch_normalization(mode):
    row = layer("BatchNormalization", "n", batch_input_shape=[None, 3], mode=mode, epsilon=0.01, gamma_init="one")
    model = lamina.models.model_from_json(json.dumps({**sequential(row), "keras_version": "1.0.8"}))
    gamma, beta, x = numbers(3), numbers(3) + 1, numbers(5, 3)
    model.set_weights([gamma, beta, np.zeros(3), np.ones(3)])
    axis = 1 if mode == 1 else 0
    deviation = np.sqrt(x.var(axis, keepdims=True) + 0.01) + (0.01 if mode == 1 else 0)
    expected = (x - x.mean(axis, keepdims=True)) / deviation * gamma + beta
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, 1e-5, 1e-5)
    with pytest.raises(ConfigError, match="mode"):
        lamina.layers.keras1.BatchNormalizationOfKeras1(3)


def test_time_major_is_dropped_when_false():
    row = layer("LSTM", "r", batch_input_shape=[None, 4, 3], units=2, time_major=False)
    assert type(lamina.models.model_from_json(json.dumps(sequential(row))).layers[0]) is lamina.layers.LSTM


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "Bidirectional"])
def test_time_major(kind, sequences, tmp_path):
    """The same weights with time first and with time second."""
    cell = {"units": 2, "return_sequences": sequences, "implementation": 2}
    sizes = {"LSTM": (8,), "GRU": (6,), "Bidirectional": (8, 8)}[kind]
    weights = {f"r/{place}:0": numbers(*shape) for place, shape in enumerate(
        shape for size in sizes for shape in ((3, size), (2, size), (size,)))}  # fmt: skip
    x, models = numbers(5, 4, 3), []
    for time_major in (True, False):
        shape = [5, 4, 3] if time_major else [4, 5, 3]
        inner = {**cell, "time_major": time_major}
        row = layer(kind, "r", batch_input_shape=shape, **inner)
        if kind == "Bidirectional":
            held = layer("LSTM", "l", **inner)
            row = layer(kind, "r", batch_input_shape=shape, merge_mode="concat", layer=held)
        path = write(tmp_path / f"{time_major}.h5", sequential(row), {"r": weights}, "2.4.0", "tensorflow")
        models.append(lamina.models.load_model(path))
    turned, plain = models
    expected = np.asarray(plain(x.swapaxes(0, 1)))
    np.testing.assert_allclose(turned(x), expected.swapaxes(0, 1) if sequences else expected, 1e-5, 1e-6)
    turned.save(tmp_path / "again.keras")
    np.testing.assert_allclose(lamina.models.load_model(tmp_path / "again.keras")(x), turned(x), 1e-6, 1e-6)


def test_time_major_with_a_mask_and_states():
    """The mask has time first too; states have no time."""
    inner = lamina.layers.GRU(2, return_sequences=True, return_state=True)
    turned, x, mask = lamina.layers.keras1.TimeMajor(inner), numbers(5, 4, 3), np.arange(5)[:, None] < [5, 3, 1, 2]
    state = numbers(4, 2)
    outputs, last = turned(x, mask=mask, initial_state=state)
    expected, plain_last = inner(x.swapaxes(0, 1), mask=mask.T, initial_state=state)
    np.testing.assert_allclose(np.asarray(outputs), np.asarray(expected).swapaxes(0, 1), 1e-6)
    np.testing.assert_array_equal(last, plain_last)


def test_embeddings_that_said_the_type_of_their_inputs(tmp_path):
    """Keras 2.0.5 and before."""
    row = layer("Embedding", "e", batch_input_shape=[None, 2], dtype="int32", input_dim=3, output_dim=4)
    table = numbers(3, 4)
    path = write(tmp_path / "m.h5", sequential(row), {"e": {"e/embeddings:0": table}}, "2.0.2", "tensorflow")
    np.testing.assert_array_equal(lamina.models.load_model(path)(np.array([[2, 0]])), table[[[2, 0]]])


def test_metrics_for_each_of_several_outputs():
    config = {"optimizer": "sgd", "loss": "mse", "metrics": ["accuracy", "mae"]}
    assert upgrade_compile(config, "2.2.4", outputs=["a", "b"])["metrics"] == [["accuracy", "mae"]] * 2
    assert upgrade_compile(config, "2.2.4", outputs=["a"])["metrics"] == ["accuracy", "mae"]
    assert upgrade_compile(config, "3.15.1", outputs=["a", "b"])["metrics"] == ["accuracy", "mae"]


def test_activations_that_were_lambdas():
    """tf.keras wrote their code nowhere, and their name alone."""
    row = layer("Dense", "d", batch_input_shape=[None, 3], units=2, activation="<lambda>")
    text = json.dumps({**sequential(row), "keras_version": "2.2.4-tf"})
    with pytest.raises(ConfigError, match="activation identifier '<lambda>'"):
        lamina.models.model_from_json(text)
    model = lamina.models.model_from_json(text, custom_objects={"<lambda>": lambda x: x + 100})
    assert (np.asarray(model(numbers(1, 3))) > 50).all()


def test_optimizer_state_of_keras_2(tmp_path):
    """[steps, all first moments, all second moments, places for the maxima]"""
    kernel, bias = numbers(3, 2), numbers(2)
    state = [
        np.int64(7),
        numbers(3, 2),
        numbers(2),
        np.abs(numbers(3, 2)),
        np.abs(numbers(2)),
        np.zeros(1),
        np.zeros(1),
    ]
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {
            "lr": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-08, "decay": 0.0, "amsgrad": False}},
        "loss": "mse", "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None,
    }  # fmt: skip
    row = layer("Dense", "d", batch_input_shape=[None, 3], units=2)
    path = write(
        tmp_path / "m.h5", sequential(row), {"d": by_number(kernel, bias)}, "2.1.6", training=training, state=state
    )
    optimizer = lamina.models.load_model(path).optimizer
    values = {
        variable.name.rpartition("_")[0][-6:] + variable.name[-8:]: variable.numpy() for variable in optimizer.variables
    }
    assert int(np.asarray(optimizer.iterations)) == 7 and len(values) == len(optimizer.variables)
    slots = list(optimizer._slots.values())
    for place, name in enumerate(("momentum", "velocity")):
        for number in range(2):
            np.testing.assert_allclose(slots[number][name].numpy(), state[1 + 2 * place + number], 1e-6)


def test_weights_load_when_the_compile_settings_cannot(tmp_path):
    training = {"optimizer_config": {"class_name": "TFOptimizer", "config": {}}, "loss": "my_own_loss", "metrics": []}
    row = layer("Dense", "d", batch_input_shape=[None, 3], units=2)
    kernel = numbers(3, 2)
    path = write(tmp_path / "m.h5", sequential(row), {"d": by_number(kernel, np.zeros(2))}, "2.2.4", training=training)
    with pytest.warns(UserWarning, match="loaded but not compiled") as told:
        model = lamina.models.load_model(path)
    assert len(told) == 1 and not model.compiled
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_weights_by_name_and_what_is_left_over(tmp_path):
    row = layer("Dense", "d", batch_input_shape=[None, 3], units=2)
    arrays = {"d": by_number(numbers(3, 2), numbers(2)), "other": by_number(numbers(4, 4))}
    path = write(tmp_path / "m.h5", sequential(row), arrays, "2.2.4")
    model = lamina.models.model_from_json(json.dumps(sequential(row)))
    with pytest.raises(FileError, match="weights for 2 layers"):
        model.load_weights(path)
    with pytest.warns(UserWarning, match=r"takes: other: param_0 \(4, 4\)\.$"):
        report = model.load_weights(path, by_name=True)
    assert [shape for _, shape in report.loaded] == [(3, 2), (2,)] and report.unused == [("other: param_0", (4, 4))]
    np.testing.assert_array_equal(model.get_weights()[0], arrays["d"]["param_0"])


def test_hdf5_files_of_unbuilt_models_and_into_new_folders(tmp_path):
    path = tmp_path / "new" / "folder" / "model.h5"
    lamina.Sequential([lamina.layers.Dense(2)]).save(path)
    assert not lamina.models.load_model(path).built


@pytest.mark.parametrize("in_scope", [False, True])
def test_losses_and_metrics_of_the_user_by_name(tmp_path, in_scope):
    """A file has their names alone; they are found where it is loaded, not when the first batch comes."""

    def far(y_true, y_pred):
        return lamina.ops.mean(lamina.ops.abs(y_true - y_pred), axis=-1) + 100

    own, arrays = {"far": far}, {"d": {"d/kernel:0": numbers(3, 1), "d/bias:0": numbers(1)}}
    row = layer("Dense", "d", batch_input_shape=[None, 3], units=1, activation="linear", use_bias=True)
    training = {
        "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.1, "momentum": 0.0, "decay": 0.0}},
        "loss": "far", "metrics": ["far", "mae"], "sample_weight_mode": None, "loss_weights": None,
    }  # fmt: skip
    path = write(tmp_path / "m.h5", sequential(row), arrays, "2.2.4", "tensorflow", training)
    if in_scope:
        with lamina.utils.custom_object_scope(own):
            model = lamina.models.load_model(path)
    else:
        model = lamina.models.load_model(path, custom_objects=own)
    logs = model.evaluate(numbers(4, 3), numbers(4, 1), verbose=0, return_dict=True)
    assert logs["loss"] > 100 and logs["far"] == pytest.approx(100 + logs["mae"], 1e-5)


def test_cells_in_an_rnn_without_constants():
    cell = {"class_name": "GRUCell", "config": {"name": "c", "units": 2, "reset_after": False, "implementation": 1}}
    row = layer("RNN", "r", batch_input_shape=[None, 4, 3], num_constants=0, cell=cell, return_sequences=True)
    model = lamina.models.model_from_json(json.dumps({**sequential(row), "keras_version": "2.1.6"}))
    assert model.output_shape == (None, 4, 2)


def test_a_model_that_is_saved_as_hdf5_is_told_the_format_of_today(tmp_path, caplog):
    """By the logging of Python, as Keras does it: no warning, which `-W error` would make an error."""
    model = lamina.Sequential([lamina.Input((2,)), lamina.layers.Dense(1)])
    model.save(tmp_path / "m.h5")
    assert "m.h5 is an HDF5 file, which is considered legacy: model.save('m.keras')" in caplog.text
    caplog.clear()
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    assert not caplog.text


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention"])
def test_causal_attention_of_tf_keras(kind, causal, tmp_path):
    """`causal` was an argument of the layer until Keras 2.11, and is one of its call since."""
    scale = np.float32(0.6) if kind == "Attention" else np.array([0.5, -0.25, 1.0], "float32")
    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4, 3], "name": "i"}, "name": "i",
             "inbound_nodes": []}  # fmt: skip
    row = {**layer(kind, "a", dtype="float32", causal=causal, dropout=0.0, use_scale=True), "name": "a",
           "inbound_nodes": [[["i", 0, 0, {}], ["i", 0, 0, {}]]]}  # fmt: skip
    ends = {"input_layers": [["i", 0, 0]], "output_layers": [["a", 0, 0]]}
    config = {"class_name": "Functional", "config": {"name": "model", "layers": [start, row], **ends}}
    model = lamina.models.load_model(write(tmp_path / "m.h5", config, {"i": {}, "a": {"a/scale:0": scale}}, "2.4.0"))
    x = numbers(2, 4, 3)
    scores = scale * np.einsum("bid,bjd->bij", x, x) if kind == "Attention" else (
        scale * np.tanh(x[:, :, None] + x[:, None])).sum(-1)  # fmt: skip
    weights = np.exp(scores) * (np.tri(4) if causal else 1)
    np.testing.assert_allclose(model(x), weights / weights.sum(-1, keepdims=True) @ x, 1e-5, 1e-6)
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(lamina.models.load_model(tmp_path / "m.keras")(x), model(x), 1e-6)


def test_layers_of_keras_2_that_keras_3_lacks(tmp_path):
    kernel, phases = numbers(2, 5), numbers(5)
    rows = [
        layer("RandomHeight", "h", batch_input_shape=[None, 4, 4, 2], factor=0.2, interpolation="bilinear", seed=None),
        layer("RandomWidth", "w", factor=[0.1, 0.2], interpolation="nearest", seed=None),
        layer("GlobalAveragePooling2D", "g", data_format="channels_last"),
        layer("RandomFourierFeatures", "f", output_dim=5, kernel_initializer="gaussian", scale=2.0),
    ]
    trained_first = {"f/kernel_scale:0": np.array([2.0]), "f/unscaled_kernel:0": kernel, "f/bias:0": phases}
    weights = {"h": {}, "w": {}, "g": {}, "f": trained_first}
    model = lamina.models.load_model(write(tmp_path / "m.h5", sequential(*rows), weights, version="2.6.0"))
    x = numbers(3, 4, 4, 2)
    np.testing.assert_allclose(model(x), np.cos(x.mean((1, 2)) @ kernel / 2 + phases), 1e-5, 1e-6)
    assert model.layers[1].factor == [0.1, 0.2]
