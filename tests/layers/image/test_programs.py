"""Programs with augmentation, inside a model and in a data pipeline, next to the same program on Keras."""

import grain
import keras
import numpy as np

import lamina


def pictures(count=12, seed=0):
    source = np.random.default_rng(seed)
    labels = source.integers(0, 2, count)
    images = source.uniform(0, 0.5, (count, 8, 8, 3)) + 0.5 * labels[:, None, None, None]
    return images.astype("float32"), labels


def augmentation(library):
    return library.Sequential(
        [
            library.layers.RandomFlip("horizontal", seed=1),
            library.layers.RandomBrightness(0.2, value_range=(0, 1), seed=2),
            library.layers.RandomContrast(0.3, value_range=(0, 1), seed=3),
            library.layers.RandomTranslation(0.1, 0.1, seed=5),
        ],
        name="augmentation",
    )


def network(library):
    inputs = library.Input((8, 8, 3))
    x = augmentation(library)(inputs)
    x = library.layers.Conv2D(4, 3, activation="relu")(x)
    x = library.layers.GlobalAveragePooling2D()(x)
    model = library.Model(inputs, library.layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer=library.optimizers.SGD(0.5), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def test_training_with_augmentation_gives_the_losses_of_keras():
    x, y = pictures()
    mine, theirs = network(lamina), network(keras)
    source = np.random.default_rng(3)
    weights = [source.normal(size=w.shape).astype("float32") for w in theirs.weights]
    mine.set_weights(weights)
    theirs.set_weights(weights)
    histories = [m.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history for m in (mine, theirs)]
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, 1e-4)
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-4)
    assert len(set(histories[0]["loss"])) == 3


def test_predict_and_evaluate_leave_images_alone():
    x, _ = pictures()
    model = augmentation(lamina)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    assert np.abs(np.asarray(model(x, training=True)) - x).max() > 0.01


def test_a_policy_inside_a_model_draws_anew_each_step():
    """With a learning rate of 0 only the draws change the loss."""
    x, y = pictures(4)
    policy = lamina.layers.RandAugment(value_range=(0, 1), factor=0.4, seed=1)
    model = lamina.Sequential([lamina.Input((8, 8, 3)), policy, lamina.layers.Flatten(), lamina.layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(0.0), "mse")
    losses = model.fit(x, y, batch_size=4, epochs=6, verbose=0).history["loss"]
    assert len(set(losses)) == 6
    plain = np.mean((np.asarray(model(x, training=False))[:, 0] - y) ** 2)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), plain, 1e-5)


def test_layers_in_a_data_pipeline():
    """Single images from grain, batches to fit: the layer maps each, with draws of its own."""
    x, y = pictures()
    brighter = lamina.layers.RandomBrightness(0.5, value_range=(0, 1), seed=7)
    source = grain.MapDataset.source([{"images": image, "labels": label} for image, label in zip(x, y, strict=True)])
    samples = source.to_iter_dataset().map(brighter).batch(4)
    batches = list(samples)
    assert [batch["images"].shape for batch in batches] == [(4, 8, 8, 3)] * 3
    np.testing.assert_array_equal(np.concatenate([batch["labels"] for batch in batches]), y)
    moves = [np.abs(np.asarray(batch["images"]) - x[4 * i : 4 * i + 4]).max() for i, batch in enumerate(batches)]
    assert min(moves) > 0.01 and len(set(moves)) == 3


def test_a_saved_augmentation_draws_the_same(tmp_path):
    x, _ = pictures(2)
    model = network(lamina)
    model.save(tmp_path / "model.keras")
    loaded = lamina.models.load_model(tmp_path / "model.keras")
    one, other = (m.get_layer("augmentation")(x, training=True) for m in (model, loaded))
    np.testing.assert_array_equal(one, other)
