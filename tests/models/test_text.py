"""Models that read text: what reads strings runs on the host, the rest in the compiled step, and files keep it all."""

import threading

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina import layers
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import CallError, ConfigError, DataError, ShapeError
from lamina.models.host import HostPart, Prepared, host_part
from lamina.training.data.base import ahead

TEXTS = np.array(["good film", "bad film", "so good", "so bad", "great good fun", "awful bad"] * 4)
LABELS = np.array([1, 0, 1, 0, 1, 0] * 4)


def vectorizer(**kwargs):
    layer = layers.TextVectorization(output_sequence_length=4, **kwargs)
    layer.adapt(TEXTS)
    return layer


def classifier(first):
    lamina.utils.set_random_seed(0)
    rest = [layers.Embedding(12, 4), layers.GlobalAveragePooling1D(), layers.Dense(1, "sigmoid")]
    model = lamina.Sequential([*first, *rest])
    model.compile(lamina.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def trained():
    model = classifier([vectorizer()])
    model.fit(TEXTS, LABELS, batch_size=8, epochs=15, verbose=0)
    return model


def test_a_classifier_learns_from_text(trained):
    loss, accuracy = trained.evaluate(TEXTS, LABELS, verbose=0)
    assert accuracy == 1 and loss < 0.3
    assert trained.input_shape == (None,) and trained.layers[1].input.shape == (None, 4)


def test_text_in_every_form_gives_the_same(trained):
    texts = TEXTS[:6]
    expected = trained.predict(texts, verbose=0)
    for form in (list(texts), texts[:, None], texts.astype("S"), texts.astype(object), pd.Series(texts)):
        np.testing.assert_allclose(trained.predict(form, verbose=0, batch_size=4), expected, 1e-6)
    np.testing.assert_allclose(trained.predict((texts[i : i + 2] for i in (0, 2, 4)), verbose=0), expected, 1e-6)
    for outputs in (trained(texts), trained(list(texts)), trained.predict_on_batch(list(texts))):
        np.testing.assert_allclose(outputs, expected, 1e-6)


def test_training_on_text_is_training_on_its_numbers():
    numbers = np.asarray(vectorizer()(TEXTS))
    histories = []
    for model, data in (
        (classifier([vectorizer()]), TEXTS),
        (classifier([lamina.Input((4,), dtype="int32")]), numbers),
    ):
        lamina.utils.set_random_seed(1)
        history = model.fit(data, LABELS, batch_size=8, epochs=3, verbose=0, validation_split=0.25)
        histories.append(history.history)
        loss = model.train_on_batch(data[:4], LABELS[:4])
        histories[-1]["last"] = [loss, model.test_on_batch(data[:4], LABELS[:4])]
    for key, values in histories[0].items():
        np.testing.assert_allclose(np.ravel(values), np.ravel(histories[1][key]), 1e-5)


def test_the_step_compiles_once_and_never_sees_text(trained):
    seen = []
    model = lamina.Sequential([vectorizer(), layers.Lambda(lambda x: seen.append(x) or x + 0.0)])
    model.predict(TEXTS[:8], batch_size=4, verbose=0)
    model.predict(TEXTS[:8], batch_size=4, verbose=0)
    assert len([x for x in seen if not isinstance(x, KerasTensor)]) <= 4  # two to draw, one to compile, one to spare
    assert isinstance(trained._prepare(TEXTS[:2]), Prepared)


def test_models_in_models(trained):
    text = lamina.Input((1,), dtype="string")
    expected = trained.predict(TEXTS[:6], verbose=0)
    inner = lamina.Sequential([lamina.Input((4,)), *trained.layers[1:]])
    end_to_end = lamina.Model(text, inner(trained.layers[0](text)))
    around = lamina.Model(text, trained(text))
    twice = lamina.Model(text, lamina.Sequential([lamina.Input((1,), dtype="string"), around])(text) * 2)
    for model, factor in ((end_to_end, 1), (around, 1), (twice, 2)):
        np.testing.assert_allclose(model.predict(TEXTS[:6], verbose=0), expected * factor, 1e-5)
        np.testing.assert_allclose(model(TEXTS[:6]), expected * factor, 1e-5)
    around.compile("sgd", "binary_crossentropy")
    before = trained.layers[1].get_weights()[0]
    around.fit(TEXTS, LABELS, verbose=0)
    assert np.abs(trained.layers[1].get_weights()[0] - before).max() > 0, "weights of a model inside are trained"


def table():
    return {"job": np.array(["x", "y", "q", "x"]), "code": np.array([3, 4, 5, 3]), "size": np.arange(4.0)}


@pytest.fixture
def structured():
    job, code = lamina.Input((1,), dtype="string", name="job"), lamina.Input((1,), dtype="int64", name="code")
    size = lamina.Input((1,), name="size")
    names = layers.StringLookup(output_mode="one_hot")
    names.adapt(["x", "y", "x"])
    numbers = layers.IntegerLookup(output_mode="one_hot")
    numbers.adapt([3, 3, 4])
    parts = [
        names(job), numbers(code), layers.HashedCrossing(8, output_mode="one_hot")([job, code]),
        layers.Normalization(mean=1.0, variance=4.0)(size),
    ]  # fmt: skip
    model = lamina.Model([job, code, size], layers.Dense(1)(layers.Concatenate()(parts)))
    model.compile("adam", "mse")
    return model


def test_only_what_reads_text_runs_on_the_host(structured):
    part = host_part(structured._graph)
    assert {type(node.operation).__name__ for node in part.nodes} == {"StringLookup", "HashedCrossing"}
    assert "IntegerLookup" in {type(node.operation).__name__ for node in part.rest}
    data = table()
    structured.fit(data, np.arange(4.0), verbose=0, epochs=2)
    outputs = structured.predict(data, verbose=0)
    np.testing.assert_allclose(outputs, structured(data), 1e-5)
    np.testing.assert_allclose(outputs, structured.predict(dict(pd.DataFrame(data)), verbose=0), 1e-6)
    batches = [({name: column[:2] for name, column in data.items()}, np.zeros(2))] * 2
    structured.fit(iter(batches), verbose=0)
    structured.evaluate(iter(batches), verbose=0)


def test_files_keep_vocabularies(structured, trained, tmp_path):
    for number, (model, data) in enumerate(((structured, table()), (trained, TEXTS[:4]))):
        path = tmp_path / f"{number}.keras"
        model.save(path)
        again = lamina.models.load_model(path)
        np.testing.assert_allclose(again.predict(data, verbose=0), model.predict(data, verbose=0), 1e-6)
    with pytest.raises(lamina.errors.FileError, match="cannot store vocabulary.txt"):
        trained.save(tmp_path / "old.h5")


def test_a_new_vocabulary_is_seen_by_the_compiled_step():
    layer = layers.IntegerLookup(vocabulary=[5, 6])
    model = lamina.Sequential([lamina.Input((1,), dtype="int32"), layer])
    assert model.predict(np.array([[6]]), verbose=0).item() == 2
    layer.set_vocabulary([6, 5])
    assert model.predict(np.array([[6]]), verbose=0).item() == 1


def test_text_where_none_is_read():
    model = lamina.Sequential([lamina.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    for use in (lambda: model.predict(TEXTS), lambda: model.fit(TEXTS, LABELS), lambda: model.fit(LABELS, TEXTS)):
        with pytest.raises(DataError, match="contains strings"):
            use()
    reader = lamina.Sequential([lamina.Input((1,), dtype="string"), vectorizer()])
    with pytest.raises(ShapeError, match="built for inputs of shape"):
        reader.predict(np.array([["a", "b"]]), verbose=0)


def test_layers_that_compute_say_that_strings_are_no_numbers():
    with pytest.raises(CallError, match=r"Ops cannot compute with strings(.|\n)*In dense.* \(Dense\)"):
        layers.Dense(1)(lamina.Input((1,), dtype="string"))


def test_what_reads_text_has_no_weights_to_train():
    class Reader(layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(name="scale")

        def compute_output_spec(self, inputs):
            return KerasTensor(inputs.shape)

        def call(self, inputs):
            return np.vectorize(len)(inputs) * self.scale.value

    text = lamina.Input((1,), dtype="string")
    model = lamina.Model(text, Reader()(text))
    with pytest.raises(ConfigError, match="has trainable weights"):
        model.predict(TEXTS[:2], verbose=0)
    model.trainable = False
    assert model.predict(TEXTS[:2], verbose=0).shape == (2, 1)


def test_what_comes_before_a_reader_of_text_runs_on_the_host_too():
    number, text = lamina.Input((1,)), lamina.Input((1,), dtype="string")
    bins = layers.Discretization([0.5])(number)
    crossed = layers.HashedCrossing(7)([text, bins])
    model = lamina.Model([number, text], [crossed, bins])
    part = HostPart(model._graph)
    assert len(part.nodes) == 2 and len(part.cut) == 2 and not part.rest
    data = [np.array([[0.0], [1.0]]), np.array([["a"], ["a"]])]
    for one, other in zip(model.predict(data, verbose=0), model(data), strict=True):
        np.testing.assert_array_equal(one, other)


def test_ahead_keeps_the_order_works_beside_and_passes_errors_on():
    threads = set()

    def work(batch):
        threads.add(threading.current_thread().name)
        if batch == 5:
            raise DataError("five")
        return -batch

    assert list(ahead(range(5), work)) == [0, -1, -2, -3, -4]
    assert not {threading.main_thread().name} & threads
    taken = []
    with pytest.raises(DataError, match="five"):
        taken.extend(ahead(iter(range(9)), work))
    stream = ahead(iter(range(4)), work)
    assert next(stream) == 0
    stream.close()
