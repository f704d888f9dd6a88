"""What is dropped is freed at once, without the garbage collector."""

import copy
import gc
import pickle
import platform
import weakref

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.runtime import allocator, tracebacks
from lamina.runtime.allocator import resident_bytes

X, Y = np.ones((8, 4), "float32"), np.zeros((8, 2), "float32")


@pytest.fixture(autouse=True)
def no_collector(monkeypatch):
    monkeypatch.setitem(tracebacks._state, "enabled", True)  # as users have it: a whole traceback holds its frames
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Subclassed(keras.Model):
    """Two layers, one of them in a list."""

    def __init__(self):
        super().__init__()
        self.first, self.others = layers.Dense(3), [layers.Dense(2)]

    def call(self, inputs):
        return self.others[0](self.first(inputs))


def functional():
    x = keras.Input((4,))
    inner = keras.Sequential([layers.Dense(3), layers.Dense(3)])
    return keras.Model(x, layers.Dense(2)(inner(x) * 2 + layers.Dropout(0.5)(inner(x))))


def recurrent():
    rows = [keras.Input((4,)), layers.Reshape((4, 1)), layers.Masking(), layers.Bidirectional(layers.GRU(1))]
    return keras.Sequential([*rows, layers.BatchNormalization(), layers.Activation("softmax")])


def sequential():
    return keras.Sequential([layers.Dense(3, activation="relu"), layers.Dense(2)])


def train_on_batch(model):
    model.train_on_batch(X, Y)  # the values stay checked out of the variables


def fit(model):
    model.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[keras.callbacks.EarlyStopping(), Epochs()])
    assert model.history.model is model


class Epochs(keras.callbacks.Callback):
    """Reads the history while the model trains."""

    def on_epoch_end(self, epoch, logs=None):
        assert self.model.history.model is self.model


def evaluate_and_predict(model):
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model(X)


def look(model):
    model(X)
    str(model.explain()), str(model.check(X, Y))
    model.summary(print_fn=lambda line: None)


CASES = [
    (sequential, fit), (functional, fit), (recurrent, train_on_batch), (Subclassed, train_on_batch),
    (Subclassed, evaluate_and_predict), (functional, look),
]  # fmt: skip


@pytest.mark.parametrize("make, use", CASES, ids=lambda function: function.__name__)
def test_a_model_its_weights_and_its_programs_are_freed_at_once(make, use):
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    use(model)
    programs = [program for program in model._runner.programs.values() if hasattr(program, "lower")]
    parts = [model, model.optimizer, model._runner, *model.layers, *model.variables, *programs]
    seen = [(type(part), weakref.ref(part)) for part in parts]
    del model, parts, programs
    assert [kind for kind, ref in seen if ref() is not None] == []


def test_a_layer_has_its_tensors_after_its_model_is_gone():
    layer = functional().layers[-1]
    output = layer.output
    assert output is layer.output and output.shape == (None, 2)
    assert output._keras_history.operation is layer
    assert keras.Model(keras.utils.get_source_inputs(output), output)(X).shape == (8, 2)


def test_the_mask_of_a_tensor_that_is_made_again():
    layer = layers.Embedding(3, 2, mask_zero=True)
    layer(keras.Input((4,)))
    assert layer.output._keras_mask.shape == (None, 4)


def test_a_history_keeps_its_model_and_a_model_its_history():
    model = sequential()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert model.history.history["loss"] and model.history.model is model
    history = model.history
    assert model.history is history
    del model
    assert history.model.history is history
    model = history.model
    model.history = {"of": "the user"}
    assert model.history == {"of": "the user"}
    del model.history
    assert not hasattr(model, "history")


def test_variables_keep_their_values_when_the_model_is_dropped_between_batches():
    model = sequential()
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    kernel = model.layers[0].kernel
    value = kernel.numpy()
    del model
    np.testing.assert_array_equal(kernel.numpy(), value)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda part: pickle.loads(pickle.dumps(part))], ids=["copy", "pickle"]
)
def test_copies_of_layers_with_nodes(copied):
    layer = layers.Dense(2)
    layer(layers.Dense(3)(keras.Input((4,))))
    twin = copied(layer)
    assert twin.output is not layer.output and twin.output._keras_history.operation is twin
    assert twin.input.shape == layer.input.shape


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator keeps freed memory on request")
def test_memory_that_steps_used_is_returned_with_their_model():
    model = sequential()
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    allocator._least[:] = [0]
    allocator.release_surplus()  # what other tests of this process have left
    np.ones(3 << 28, "uint8")  # as the working memory of a large step: freed, and kept by the allocator
    before = resident_bytes()
    del model
    assert resident_bytes() < before - (1 << 29)
