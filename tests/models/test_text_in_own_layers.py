"""A layer of one's own that looks text up in its `call`: the look-up runs on the host, the rest is trained."""

import numpy as np

import lamina as keras


class Reader(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.ids = keras.layers.TextVectorization(output_sequence_length=3, vocabulary=["a", "b", "c"])
        self.rows, self.last = keras.layers.Embedding(5, 2, mask_zero=True), keras.layers.GlobalAveragePooling1D()
        self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

    def call(self, inputs):
        return self.last(self.rows(self.ids(inputs))) * self.scale


def test_an_own_layer_reads_text(tmp_path):
    words, numbers = keras.Input((1,), dtype="string"), keras.Input((2,))
    reader = Reader()
    outputs = keras.layers.Dense(1)(keras.layers.Concatenate()([reader(words), numbers]))
    model = keras.Model([words, numbers], outputs)
    model.compile(keras.optimizers.SGD(0.5), "mse")
    x, y = [np.array([["a b"], ["c"], ["d a"]]), np.ones((3, 2), "float32")], np.ones((3, 1), "float32")
    before = [weight.numpy() for weight in reader.trainable_weights]
    model.fit(x, y, verbose=0)
    assert len(before) == 2  # scale and rows
    assert all((w.numpy() != b).any() for w, b in zip(reader.trainable_weights, before, strict=True))
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(model(x), expected, rtol=1e-5)
    dense, by_hand = model.layers[-1], np.concatenate([reader(x[0]), x[1]], 1)  # eagerly, without the graph
    np.testing.assert_allclose(by_hand @ dense.kernel + dense.bias, expected, rtol=1e-5)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", custom_objects={"Reader": Reader})
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5)


def test_an_own_layer_begins_a_sequential():
    model = keras.Sequential([keras.Input((1,), dtype="string"), Reader()])
    assert model.output_shape == (None, 2)
    assert model.predict(np.array([["a"], ["b c"]]), verbose=0).shape == (2, 2)
