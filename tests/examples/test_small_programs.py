"""Programs 1, 3, 5, 7, 8 and 9: what each promises, on its real data."""

import numpy as np

from lamina.models import Model


def test_first_model(run):
    names = run("first_model", told=["Dense(input_shape=)"])
    model = names["model"]
    assert [layer.output.shape for layer in model.layers] == [(None, 32), (None, 32), (None, 10), (None, 10)]
    assert model.count_params() == 784 * 32 + 32 + 32 * 10 + 10
    assert names["accuracy"] > 0.93


def test_activation_as_layer(run):
    names = run("activation_as_layer", told=["Dense(input_shape=)"])
    x = names["x_test"].astype("float32")
    (kernel, bias), (second, second_bias) = (layer.get_weights() for layer in names["branches"].layers if layer.weights)
    hidden = x @ kernel + bias
    expected = np.maximum(hidden, 0) + hidden @ second + second_bias
    np.testing.assert_allclose(names["branches"].predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    kernel, bias = names["model"].get_weights()
    np.testing.assert_allclose(names["pre_activation"], x @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(names["activation"], 1 / (1 + np.exp(-names["pre_activation"])), rtol=1e-5)
    assert names["accuracy"] > 0.9


def test_dropout_masks(run):
    names = run("dropout_masks")
    masks = {name: np.asarray(mask) for name, mask in names["masks"].items()}
    each = masks["each number"]
    assert each.shape == (4, 6, 12) and 0.35 < each.mean() < 0.65
    assert not (each == each[:, :1]).all() and not (each == each[:1]).all()
    per_sample = masks["(batch, 1, features)"]
    assert (per_sample == per_sample[:, :1]).all() and not (per_sample == per_sample[:1]).all()
    one = masks["(1, 1, features)"]
    assert (one == one[:1, :1]).all() and 0 < one[0, 0].sum() < 12
    rows = masks["(1, features)"]
    assert rows.shape == (4, 12) and (rows == rows[:1]).all() and 0 < rows[0].sum() < 12


def test_image_classification(run):
    names = run("image_classification", told=["Flatten(input_shape=)"])
    assert names["test_acc"] >= 0.97
    assert [layer.output.shape for layer in names["model"].layers] == [(None, 784), (None, 128), (None, 10)]
    np.testing.assert_allclose(names["predictions"].sum(axis=1), 1, rtol=1e-5)


def test_regression(run):
    names = run("regression", told=["Dense(input_shape=)"])
    assert names["mae"] <= 2.1
    epochs = len(names["history"].epoch)
    assert 100 < epochs < 1000, "EarlyStopping ends it"
    best = int(np.argmin(names["history"].history["val_loss"]))
    assert epochs == best + 1 + names["early_stop"].patience


def test_lstm_classifier(run):
    names = run("lstm_classifier", told=["Masking(input_shape=)"])
    assert names["accuracy"] > 0.9
    model, x = names["model"], names["x_test"][:8]
    lstm = Model(model.inputs, model.layers[1].output)(x)
    for row, sequence in zip(np.asarray(lstm), x, strict=True):
        frames = sequence[sequence.any(axis=-1)]  # 17 to 29 of the 29
        np.testing.assert_allclose(row, model.layers[1](frames[None])[0], rtol=1e-5, atol=1e-6)  # zeros say nothing


def test_text_classifier(run):
    names = run("text_classifier")
    model = names["model"]
    assert names["accuracy"] == 1
    assert model.layers[0].get_vocabulary()[:4] == ["", "[UNK]", "the", "and"]
    sentences = list(names["UNSEEN"])
    np.testing.assert_allclose(model(sentences).ravel(), names["scores"], 1e-5)
