"""Old spellings: each row of the table, module paths, methods, and programs as they were written for Keras 1 and 2."""

import importlib
import inspect
import re
import warnings

import numpy as np
import pytest

import lamina
from lamina import legacy
from lamina.core import registry
from lamina.core.representation import signature_of
from lamina.core.serialization import deserialize, serialize
from lamina.errors import ConfigError
from lamina.layers import InputLayer
from lamina.legacy import MovedTo, OldSpelling, Part, Row
from lamina.legacy.table import Around
from lamina.training.trainer import Trainer

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(8) % 3]


def lines_of(program):
    """What the program was told, and what it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", OldSpelling)
        result = program()
    assert all(warning.filename == __file__ for warning in caught), [warning.filename for warning in caught]
    return [str(warning.message) for warning in caught], result


# The table

VALUES = {
    "dim_ordering": ("tf", "channels_last"), "grayscale": (True, "grayscale"), "forget_bias_init": ("one", True),
    **{name: (3, (3,)) for name in ("nb_row", "nb_col", "kernel_dim1", "kernel_dim2", "kernel_dim3")},
}  # fmt: skip
OPTIMIZERS = ["SGD", "RMSprop", "Adam", "Adagrad", "Adadelta", "Adamax", "Nadam", "AdamW", "Lion", "Ftrl"]
ELSEWHERE = (MovedTo, legacy.FixedValue, Around)
TAKEN = [row for row in legacy.ROWS if not isinstance(row.new, ELSEWHERE) and row.new is not None]
FUNCTIONS = {
    "to_categorical": lamina.utils.to_categorical,
    "relu": lamina.activations.relu,
    "leaky_relu": lamina.activations.leaky_relu,
    "random_shift": lamina.preprocessing.image.random_shift,
    "text_to_word_sequence": lamina.preprocessing.text.text_to_word_sequence,
    "preprocessing.text.one_hot": lamina.preprocessing.text.one_hot,
    "ImageDataGenerator": lamina.preprocessing.image.ImageDataGenerator,
    **{name: getattr(lamina.utils, name) for name in ("load_img", "img_to_array", "array_to_img")},
}


def parameters_of(owner):
    """The arguments that a class, method or function has today."""
    if owner in FUNCTIONS:
        return inspect.signature(FUNCTIONS[owner]).parameters
    if "." in owner:
        return inspect.signature(getattr(Trainer, owner.split(".")[1])).parameters
    if owner in ("ReduceLROnPlateau", "TensorBoard"):
        return inspect.signature(getattr(lamina.callbacks, owner)).parameters
    if owner == "Model":
        return inspect.signature(lamina.models.Functional.__init__).parameters
    return signature_of(registry.find(owner))


@pytest.mark.parametrize("row", TAKEN, ids=lambda row: f"{row.owner}-{row.old}")
def test_a_row_leads_to_an_argument_of_today(row):
    value, expected = VALUES.get(row.old, ("value", "value"))
    renamed, lines = legacy.rename(row.owner, {row.old: value})
    assert row.old not in renamed and set(renamed) <= set(parameters_of(row.owner))
    assert all(new == expected for new in renamed.values())
    assert len(lines) == 1 and f"{row.owner}({row.old}=)" in lines[0] and f"since Keras {row.since}" in lines[0]
    assert all(name in lines[0] for name in renamed) and "\n" not in lines[0]


ONLY = [row for row in legacy.ROWS if isinstance(row.new, legacy.FixedValue)]


@pytest.mark.parametrize("row", ONLY, ids=lambda row: f"{row.owner}-{row.old}")
def test_an_argument_of_one_value_is_left_out_with_it_and_handed_on_with_another(row):
    assert legacy.rename(row.owner, {row.old: row.new.usual})[0] == {}
    assert legacy.rename(row.owner, {row.old: "other"})[0] == {row.old: "other"}


OTHERS = [row for row in legacy.ROWS if row not in TAKEN and row not in ONLY]


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: f"{row.owner}-{row.old}")
def test_a_row_without_an_argument_of_today_says_what_to_write(row):
    renamed, lines = legacy.rename(row.owner, {row.old: 1})
    passed_on = isinstance(row.new, MovedTo) and row.new.passed_on
    assert renamed == ({row.old: 1} if passed_on else {})
    assert len(lines) == 1 and (row.new is None or row.new.spelling in lines[0])


def test_an_old_name_is_no_name_of_today():
    """A row that hides a current argument would change what programs of today mean."""
    for row in legacy.ROWS:
        if row.owner not in ("Layer", "Optimizer"):
            own = parameters_of(row.owner)
            found = own.get(row.old)
            inherited = isinstance(found, tuple) and found[1] is not registry.find(row.owner)
            assert found is None or inherited or isinstance(row.new, MovedTo), row


def test_functions_take_their_old_arguments(tmp_path):
    path = tmp_path / "image.png"
    lamina.utils.save_img(path, np.full((4, 4, 3), 8.0), scale=False)
    lines, rows = lines_of(lambda: lamina.utils.to_categorical(y=[0, 1], num_classes=2, dtype="int8"))
    assert len(lines) == 2 and rows.dtype == "int8" and rows.tolist() == [[1, 0], [0, 1]]
    image = lines_of(lambda: lamina.utils.load_img(path, grayscale=True))[1]
    assert image.mode == "L" and lines_of(lambda: lamina.utils.load_img(path, grayscale=False))[1].mode == "RGB"
    first = lines_of(lambda: lamina.utils.img_to_array(image, dim_ordering="th"))[1]
    assert first.shape == (1, 4, 4)
    assert lines_of(lambda: lamina.activations.relu(np.array([-1.0]), alpha=0.5))[1].item() == -0.5
    symbol = lines_of(lambda: lamina.activations.relu(lamina.Input((2,)), alpha=0.5))[1]
    assert symbol.shape == (None, 2) and isinstance(symbol, lamina.KerasTensor)


def make(owner, **kwargs):
    cls = registry.find(owner)
    needed = {"Dense": {"units": 2}, "Conv2D": {"filters": 2, "kernel_size": 3}, "LSTM": {"units": 2}}.get(owner, {})
    return cls(**{**needed, **kwargs})


@pytest.mark.parametrize(
    ("owner", "old", "new"),
    [
        ("Dense", {"init": "he_normal", "W_regularizer": "l2", "bias": False},
         {"kernel_initializer": "he_normal", "kernel_regularizer": "l2", "use_bias": False}),
        ("Conv2D", {"border_mode": "same", "subsample": (2, 2), "dim_ordering": "th"},
         {"padding": "same", "strides": (2, 2), "data_format": "channels_first"}),
        ("LSTM", {"inner_activation": "relu", "forget_bias_init": "zero", "dropout_U": 0.5, "consume_less": "gpu"},
         {"recurrent_activation": "relu", "unit_forget_bias": False, "recurrent_dropout": 0.5}),
        ("ReLU", {"alpha": 0.2}, {"negative_slope": 0.2}),
        ("LeakyReLU", {"alpha": 0.1}, {"negative_slope": 0.1}),
        ("SGD", {"lr": 0.5}, {"learning_rate": 0.5}),
        ("Adam", {"lr": 0.5, "decay": 0.0, "epsilon": None}, {"learning_rate": 0.5}),
        ("Nadam", {"lr": 0.5, "schedule_decay": 0.004}, {"learning_rate": 0.5}),
        ("Dropout", {"p": 0.25}, {"rate": 0.25}),
    ],
)  # fmt: skip
def test_old_arguments_make_the_same_object(owner, old, new):
    lines, mine = lines_of(lambda: make(owner, **old, name="it"))
    assert mine.get_config() == make(owner, **new, name="it").get_config()
    assert len(lines) == len(set(old) - {"epsilon"})


def test_sizes_of_a_kernel_come_together():
    lines, layer = lines_of(lambda: lamina.layers.Conv2D(nb_filter=8, nb_row=2, nb_col=5))
    assert (layer.filters, layer.kernel_size) == (8, (2, 5))
    assert lines[1] == "Conv2D(nb_row=) is kernel_size[0] since Keras 2."
    assert lines[2] == "Conv2D(nb_col=) is kernel_size[1] since Keras 2."


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_decay_of_every_optimizer(name):
    """lr / (1 + decay * step), as Keras 2 had it."""
    lines, optimizer = lines_of(lambda: getattr(lamina.optimizers, name)(lr=0.5, decay=0.1))
    weight = lamina.Variable([1.0])
    for step in range(3):
        assert float(np.asarray(optimizer.learning_rate)) == pytest.approx(0.5 / (1 + 0.1 * step))
        optimizer.apply([[1.0]], [weight])
    assert [line.split("=")[0] for line in lines] == [f"{name}(lr", f"{name}(decay"]
    assert optimizer.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


def test_lr_of_an_optimizer():
    optimizer = lamina.optimizers.Adam(0.5)
    lines, rate = lines_of(lambda: float(optimizer.lr.numpy()))
    assert rate == 0.5 and lines == ["Optimizer.lr is learning_rate since Keras 3."]
    with pytest.warns(OldSpelling):
        optimizer.lr = 0.25
    assert float(optimizer.learning_rate.numpy()) == 0.25


def test_the_old_and_the_new_name_together_are_refused():
    with pytest.raises(ConfigError, match="units"):
        lamina.layers.Dense(units=3, output_dim=4)


def test_an_unknown_name_is_still_unknown():
    with pytest.raises(ConfigError, match="nb_rows"):
        lamina.layers.Conv2D(2, 3, nb_rows=3)
    with pytest.raises(TypeError, match="nb_epochs"):
        lamina.Sequential([lamina.layers.Dense(1)]).fit(X, nb_epochs=3)


def test_a_line_is_told_once_for_each_place(recwarn):
    """With Python's own filter, which is "default" for a FutureWarning."""
    warnings.simplefilter("default")
    for _ in range(3):
        lamina.layers.Dense(output_dim=2)
    lamina.layers.Dense(output_dim=2)
    assert len(recwarn) == 2


def test_files_are_read_without_a_word():
    described = serialize(lamina.layers.Dense(2, name="d"))
    config = {key: value for key, value in described["config"].items() if key != "units"}
    lines, layer = lines_of(lambda: deserialize({**described, "config": {**config, "output_dim": 2, "input_dim": 3}}))
    assert layer.units == 2 and lines == []


# Shapes of inputs on a first layer


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (dict(input_shape=(5, 4)), (None, 5, 4)),
        (dict(input_shape=[5, 4]), (None, 5, 4)),
        (dict(input_shape=(None, 4)), (None, None, 4)),
        (dict(batch_input_shape=(2, 5, 4)), (2, 5, 4)),
        (dict(input_dim=4, input_length=5), (None, 5, 4)),
        (dict(input_shape=(5, 4), batch_size=2), (2, 5, 4)),
    ],
)
def test_input_shape_of_a_first_layer(arguments, shape):
    for layer in (lambda: lamina.layers.LSTM(3, **arguments), lambda: lamina.layers.Dense(3, **arguments)):
        lines, made = lines_of(layer)
        assert len(lines) == len(arguments) and all("keras.Input" in line for line in lines)
        assert lamina.Sequential([made]).input_shape == shape


def test_input_dim_and_types():
    assert lines_of(lambda: lamina.Sequential([lamina.layers.Dense(3, input_dim=4)]))[1].input_shape == (None, 4)
    assert lines_of(lambda: lamina.Sequential([lamina.layers.Dense(3, input_shape=[9])]))[1].input_shape == (None, 9)
    model = lines_of(lambda: lamina.Sequential([lamina.layers.Embedding(9, 2, input_length=5)]))[1]
    assert model.input_shape == (None, 5) and model.output_shape == (None, 5, 2) and model.inputs[0].dtype == "int32"
    model = lines_of(lambda: lamina.Sequential([InputLayer(input_shape=(4,)), lamina.layers.Dense(2)]))[1]
    assert model.output_shape == (None, 2)


def test_a_stateful_rnn_with_a_batch_size():
    lines, layer = lines_of(lambda: lamina.layers.LSTM(3, stateful=True, batch_size=2, input_shape=(5, 4)))
    model = lamina.Sequential([layer])
    x = np.ones((2, 5, 4), "float32")
    assert not np.allclose(model.predict(x, verbose=0), model.predict(x, verbose=0)) and len(lines) == 2


def test_weights_to_start_with():
    kernel, bias = np.full((4, 2), 0.5, "float32"), np.ones(2, "float32")
    lines, layer = lines_of(lambda: lamina.layers.Dense(2, weights=[kernel, bias]))
    np.testing.assert_allclose(layer(X), X @ kernel + bias, 1e-5)
    assert len(lines) == 1 and "set_weights" in lines[0]


# Names of Keras 1


@pytest.mark.parametrize(
    ("name", "today", "sizes"),
    [("Convolution2D", "Conv2D", (3, 5)), ("Convolution3D", "Conv3D", (2, 3, 4)),
     ("SeparableConvolution2D", "SeparableConv2D", (3, 3))],
)  # fmt: skip
def test_sizes_of_a_kernel_by_position(name, today, sizes):
    old, new = getattr(lamina.layers, name), getattr(lamina.layers, today)
    lines, layer = lines_of(lambda: old(8, *sizes, border_mode="same"))
    assert type(layer) is new and isinstance(layer, old) and issubclass(new, old) and isinstance(old, type)
    assert layer.filters == 8 and layer.kernel_size == sizes and layer.padding == "same" and len(lines) == 2
    assert lines[0] == f"{name}{(8, *sizes)} is called {today}(8, {sizes}) since Keras 2."
    assert old(8, 3).kernel_size == (3,) * len(sizes)
    assert inspect.signature(old) == inspect.signature(new)
    assert not isinstance(lamina.layers.Dense(1), old)


def test_what_came_after_the_kernel():
    _, layer = lines_of(lambda: lamina.layers.Convolution2D(8, 3, 3, "he_normal", "relu"))
    assert type(layer.kernel_initializer).__name__ == "HeNormal" and layer.activation.__name__ == "relu"


def test_a_class_of_the_users_below_an_old_one():
    class Mine(lamina.layers.Convolution2D):
        pass

    _, layer = lines_of(lambda: Mine(4, 3, 3))
    assert type(layer) is Mine and layer.kernel_size == (3, 3)
    assert isinstance(layer, Mine) and not isinstance(lamina.layers.Conv2D(4, 3), Mine)


def test_model_of_input_and_output():
    inputs = lamina.Input((4,))
    outputs = lamina.layers.Dense(2)(inputs)
    lines, model = lines_of(lambda: lamina.Model(input=inputs, output=outputs))
    assert isinstance(model, lamina.models.Functional) and model.output_shape == (None, 2)
    assert lines == [f"Model({name}=) is called {name}s since Keras 2." for name in ("input", "output")]
    lines, model = lines_of(lambda: lamina.Model(input=[inputs], output=[outputs]))
    assert model.predict(X, verbose=0)[0].shape == (2,) or len(model.outputs) == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("layers.core", "Dropout"), ("layers.core", "Dense"), ("layers.convolutional", "MaxPooling2D"),
        ("layers.convolutional", "Conv2D"), ("layers.pooling", "MaxPooling1D"), ("layers.recurrent", "LSTM"),
        ("layers.normalization", "BatchNormalization"), ("layers.wrappers", "TimeDistributed"),
        ("layers.merge", "add"), ("layers.embeddings", "Embedding"), ("layers.noise", "GaussianNoise"),
        ("layers.advanced_activations", "LeakyReLU"), ("engine", "Model"), ("engine.topology", "Layer"),
        ("engine.training", "Model"), ("engine.input_layer", "Input"),
        ("utils.np_utils", "to_categorical"), ("utils.generic_utils", "Progbar"), ("utils.data_utils", "Sequence"),
        ("objectives", "mean_squared_error"), ("preprocessing.sequence", "pad_sequences"),
        ("layers.experimental.preprocessing", "RandomContrast"), ("layers.experimental", "EinsumDense"),
    ],
)  # fmt: skip
def test_module_paths(path, name):
    module = importlib.import_module(f"lamina.{path}")
    space = {}
    imported = compile(f"from lamina.{path} import {name} as found", __file__, "exec")
    lines_of(lambda: exec(imported, space))
    found = space["found"]
    lines, again = lines_of(lambda: getattr(module, name))
    assert again is found and callable(found) and len(lines) <= 1
    assert all(re.fullmatch(rf"lamina\.{path}\.{name} is lamina[.\w]* since Keras 2\.[46]\.", line) for line in lines)


@pytest.mark.parametrize("module", legacy.NAMES)
def test_names_of_functions(module):
    space = importlib.import_module(module)
    for old, today in legacy.NAMES[module].items():
        home, _, name = today.rpartition(".")
        lines, found = lines_of(lambda old=old: getattr(space, old))
        since = 3 if home or old.upper() in ("MSE", "MAE", "MAPE", "MSLE", "KLD", "BCE") else 2
        if inspect.ismodule(found) and not lines:  # a module has that name too: calling it is calling the function
            assert callable(found), old
            continue
        assert found is getattr(importlib.import_module(home or module), name)
        if old in legacy.INSTEAD:
            assert len(lines) == 1 and legacy.INSTEAD[old] in lines[0]
        elif old != name:
            assert lines == [f"{module}.{old} is called {today} since Keras {since}."]
        if hasattr(space, "get") and not home and module != "lamina.optimizers":
            assert type(lines_of(lambda old=old: space.get(old))[1]) is type(space.get(today))
    with pytest.raises(AttributeError, match="no_such"):
        getattr(space, "no_such")  # noqa: B009


def test_every_old_module_is_there():
    for path in legacy.MODULES:
        module = importlib.import_module(path)
        if legacy.MODULES[path] == "tensorflow":
            continue
        with pytest.raises(AttributeError, match="no_such"):
            getattr(module, "no_such")  # noqa: B009


# Methods


def small_model(outputs=3, activation="softmax", loss="categorical_crossentropy"):
    model = lamina.Sequential([lamina.Input((4,)), lamina.layers.Dense(outputs, activation=activation)])
    model.compile("sgd", loss, metrics=["acc"])
    return model


def batches(size=4):
    while True:
        for start in range(0, len(X), size):
            yield X[start : start + size], Y[start : start + size]


def test_fit_generator_as_in_keras_2():
    model, twin = small_model(), small_model()
    twin.set_weights(model.get_weights())
    lines, history = lines_of(
        lambda: model.fit_generator(
            batches(), 2, 3, verbose=0, validation_data=(X, Y), workers=4, use_multiprocessing=True, max_queue_size=20
        )
    )
    expected = twin.fit(batches(), steps_per_epoch=2, epochs=3, verbose=0, validation_data=(X, Y))
    assert history.history == expected.history and set(history.history) == {"loss", "acc", "val_loss", "val_acc"}
    assert sum("PyDataset(workers=...)" in line for line in lines) == 3 and len(lines) == 4
    assert "Model.fit_generator is fit(generator) since Keras 3." in lines


def test_predict_as_in_keras_2():
    model = small_model()
    lines, predicted = lines_of(lambda: model.predict(X, verbose=0, workers=2, max_queue_size=10))
    np.testing.assert_array_equal(predicted, model.predict(X, verbose=0))
    assert len(lines) == 2 and all("PyDataset(workers=...)" in line for line in lines)
    with pytest.raises(TypeError, match="Did you mean 'verbose'"):
        model.predict(X, verbos=0)


def test_a_predict_of_ones_own_may_pass_old_names_on():
    class Halved(lamina.Sequential):
        def predict(self, x, **kwargs):
            return super().predict(x, verbose=0, workers=1, **kwargs) / 2

    model = Halved([lamina.Input((X.shape[1],)), lamina.layers.Dense(2)])
    lines, predicted = lines_of(lambda: model.predict(X))
    np.testing.assert_array_equal(predicted, lamina.Sequential.predict(model, X, verbose=0) / 2)
    assert len(lines) == 1


def test_fit_generator_as_in_keras_1():
    model, twin = small_model(), small_model()
    twin.set_weights(model.get_weights())
    lines, history = lines_of(
        lambda: model.fit_generator(
            batches(),
            samples_per_epoch=8,
            nb_epoch=2,
            verbose=0,
            validation_data=batches(),
            nb_val_samples=6,
            nb_worker=2,
        )
    )
    expected = twin.fit(
        batches(), steps_per_epoch=2, epochs=2, verbose=0, validation_data=batches(), validation_steps=2
    )
    assert history.history == expected.history and len(lines) == 5


def test_evaluate_and_predict_generator():
    model = small_model()
    expected = model.evaluate(X, Y, verbose=0)
    for arguments in (dict(steps=2), dict(val_samples=8), dict(steps=2, workers=2)):
        lines, result = lines_of(lambda arguments=arguments: model.evaluate_generator(batches(), **arguments))
        np.testing.assert_allclose(result, expected, 1e-5)
        assert lines[-1] == "Model.evaluate_generator is evaluate(generator) since Keras 3."
        outputs = lines_of(lambda arguments=arguments: model.predict_generator(batches(), **arguments))[1]
        np.testing.assert_allclose(outputs, model.predict(X, verbose=0), 1e-5)


class Batches(lamina.utils.Sequence):
    """A Sequence as Keras 2 had it: no `super().__init__()`."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def test_a_sequence_in_a_generator_method():
    model = small_model()
    _, result = lines_of(lambda: model.evaluate_generator(Batches(), val_samples=8))
    np.testing.assert_allclose(result, model.evaluate(X, Y, verbose=0), 1e-5)


def test_predict_classes_and_proba():
    model = small_model()
    outputs = model.predict(X, verbose=0)
    lines, classes = lines_of(lambda: model.predict_classes(X))
    np.testing.assert_array_equal(classes, outputs.argmax(axis=-1))
    assert len(lines) == 1 and "argmax" in lines[0]
    np.testing.assert_array_equal(lines_of(lambda: model.predict_proba(X))[1], outputs)
    one = small_model(1, "sigmoid", "binary_crossentropy")
    classes = lines_of(lambda: one.predict_classes(X))[1]
    np.testing.assert_array_equal(classes, (one.predict(X, verbose=0) > 0.5).astype("int32"))
    assert classes.shape == (8, 1) and classes.dtype == "int32"


@pytest.mark.parametrize("row", legacy.METHODS, ids=lambda row: row.old)
def test_a_row_of_a_method(row):
    classes = {"Model": Trainer, "Metric": lamina.metrics.Metric, "Optimizer": lamina.optimizers.Optimizer}
    owner = {**classes, "backend": lamina.backend}[row.owner]
    assert isinstance(row, Row) and hasattr(owner, row.old)


def test_arguments_of_fit_compile_and_evaluate():
    model = small_model()
    lines, _ = lines_of(lambda: model.compile(loss="mse", optimizer="sgd", class_mode="categorical", metrics=["acc"]))
    assert lines == ["Model.compile(class_mode=) is left out: it has no meaning since Keras 2."]
    lines, history = lines_of(lambda: model.fit(X, Y, nb_epoch=2, verbose=0, show_accuracy=True, validation_split=0.25))
    assert len(history.history["val_acc"]) == 2 and len(lines) == 2
    assert 'compile(metrics=["accuracy"])' in lines[1]
    lines, _ = lines_of(lambda: model.evaluate(X, Y, verbose=0, show_accuracy=True))
    assert len(lines) == 1
    lines, _ = lines_of(lambda: model.predict(X, verbose=0, workers=2))
    assert len(lines) == 1 and "PyDataset" in lines[0]


def test_parts_and_places_are_plain_data():
    """The upgrader of files reads the same rows."""
    assert {type(row.new) for row in legacy.ROWS if not callable(row.new)} == {str, Part, MovedTo, Around, type(None)}
