"""TensorBoard: the tensorboard package reads what is written."""

import json

import numpy as np
import pytest

import lamina as keras

event_accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
)

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def read(folder):
    events = event_accumulator.EventAccumulator(str(folder), size_guidance=dict.fromkeys(range(9), 0))
    return events.Reload()


def make_model():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, name="hidden"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def fit(folder, model=None, **kwargs):
    model = model or make_model()
    board = keras.callbacks.TensorBoard(folder, **kwargs)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[board])
    return model, history.history


def scalars(events, tag):
    return [(event.step, pytest.approx(event.value, rel=1e-6)) for event in events.Scalars(tag)]


def test_figures_of_epochs(tmp_path):
    _, history = fit(tmp_path, write_steps_per_second=True)
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert scalars(train, "epoch_loss") == list(enumerate(history["loss"]))
    assert scalars(train, "epoch_learning_rate") == [(0, 0.1), (1, 0.1)]
    assert scalars(validation, "epoch_loss") == list(enumerate(history["val_loss"]))
    steps = [3, 6]
    assert scalars(validation, "evaluation_loss_vs_iterations") == list(zip(steps, history["val_loss"], strict=True))
    assert all(event.value > 0 for event in train.Scalars("epoch_steps_per_second"))
    assert set(train.Tags()["scalars"]) == {"epoch_loss", "epoch_learning_rate", "epoch_steps_per_second"}


@pytest.mark.parametrize("update_freq, steps", [("batch", [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6])])
def test_figures_of_batches(tmp_path, update_freq, steps):
    fit(tmp_path, update_freq=update_freq, write_steps_per_second=True, write_graph=False)
    train = read(tmp_path / "train")
    assert [event.step for event in train.Scalars("batch_loss")] == steps
    assert [event.step for event in train.Scalars("batch_steps_per_second")] == steps


def test_histograms_images_and_the_model(tmp_path):
    model, _ = fit(tmp_path, histogram_freq=2, write_images=True)
    train = read(tmp_path / "train")
    (histogram,) = train.Histograms(f"{model.weights[0].path}/histogram")
    assert histogram.step == 0
    assert (histogram.histogram_value.num, sum(histogram.histogram_value.bucket)) == (6, 6)
    (image,) = train.Images(f"{model.weights[0].path}/image")
    assert (image.width, image.height) == (3, 2)
    assert image.encoded_image_string.startswith(b"\x89PNG")
    texts = {tag: train.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in train.Tags()["tensors"]}
    assert json.loads(texts["keras"])["class_name"] == "Sequential"
    assert "hidden" in texts["model"]
    assert train.SummaryMetadata("keras").plugin_data.plugin_name == "graph_keras_model"


def test_images_are_whole(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    from lamina.callbacks.event_files import png

    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), "uint8")
    (tmp_path / "a.png").write_bytes(png(pixels))
    with image.open(tmp_path / "a.png") as opened:
        np.testing.assert_array_equal(np.asarray(opened), pixels)


def test_figures_are_those_of_epochs_when_a_weight_is_not_finite(tmp_path):
    model = make_model()
    model.weights[0].assign(np.full((3, 2), np.nan))
    fit(tmp_path, model, histogram_freq=1)
    assert f"{model.weights[0].path}/histogram" not in read(tmp_path / "train").Tags()["histograms"]


def test_evaluate_alone(tmp_path):
    model = make_model()
    loss = model.evaluate(X, Y, verbose=0, callbacks=[keras.callbacks.TensorBoard(tmp_path)])
    assert scalars(read(tmp_path / "validation"), "evaluation_loss_vs_iterations") == [(0, loss)]


def test_profile(tmp_path):
    fit(tmp_path, profile_batch=(2, 3))
    assert list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_embeddings(tmp_path):
    model = keras.Sequential(
        [keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    board = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "names.tsv"})
    model.fit(np.array([[1, 2], [3, 4]]), np.ones((2, 1)), verbose=0, callbacks=[board])
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words.tsv"' in config and 'metadata_path: "names.tsv"' in config
    np.testing.assert_allclose(np.loadtxt(tmp_path / "words.tsv"), model.layers[0].embeddings, rtol=1e-6)
    board.embeddings_metadata = {"unknown": "names.tsv"}
    with pytest.raises(ValueError, match="unknown"):
        model.fit(np.array([[1, 2]]), np.ones((1, 1)), verbose=0, callbacks=[board])


@pytest.mark.parametrize(
    "kwargs", [{"update_freq": 0}, {"update_freq": "step"}, {"profile_batch": (3, 2)}, {"profile_batch": -1}]
)
def test_wrong_arguments(kwargs):
    with pytest.raises(ValueError, match="|".join(kwargs)):
        keras.callbacks.TensorBoard(**kwargs)
