"""ImageDataGenerator, its iterators and the changes of single images, against the Keras wheel with the same seeds."""

import keras.src.legacy.preprocessing.image as theirs
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lamina as keras
import lamina.preprocessing.image as ours
from lamina.errors import ConfigError, DataError, ShapeError
from lamina.legacy import OldSpelling

pytestmark = [
    pytest.mark.filterwarnings("ignore::lamina.legacy.OldSpelling"),
    pytest.mark.filterwarnings("ignore:.*scipy.ndimage.interpolation.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This ImageDataGenerator specifies:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (7, 6, 6, 3)).astype("float32")
LABELS = np.array([0, 1, 0, 1, 1, 0, 1])


def same(found, wanted):
    if isinstance(wanted, (tuple, list)):
        assert type(found) is type(wanted) and len(found) == len(wanted)
        for ours, theirs in zip(found, wanted, strict=True):
            same(ours, theirs)
    else:
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-3)


def both(**arguments):
    return [module.ImageDataGenerator(**arguments) for module in (ours, theirs)]


CHANGES = [
    {},
    {"rotation_range": 40, "horizontal_flip": True, "rescale": 1 / 255},
    {"width_shift_range": 0.3, "height_shift_range": 0.2, "fill_mode": "constant", "cval": 9.0},
    {"width_shift_range": 3, "height_shift_range": [-2, 0, 1], "vertical_flip": True, "fill_mode": "reflect"},
    {"width_shift_range": 2.0, "shear_range": 15, "fill_mode": "wrap", "interpolation_order": 0},
    {"zoom_range": 0.3, "channel_shift_range": 30.0, "brightness_range": (0.4, 1.5)},
    {"zoom_range": [0.7, 1.1], "samplewise_center": True, "samplewise_std_normalization": True},
    {"preprocessing_function": lambda x: x * np.random.uniform(), "rotation_range": 10},
]


@pytest.mark.parametrize("arguments", CHANGES)
def test_flow(arguments):
    batches = []
    for generator in both(**arguments):
        flow = generator.flow(IMAGES, LABELS, batch_size=3, seed=5)
        np.random.seed(1)
        batches.append([flow.next() if hasattr(flow, "next") else next(flow) for _ in range(4)] + [flow[1], flow[0]])
        assert (len(flow), flow.n, flow.batch_size, flow.total_batches_seen) == (3, 7, 3, 6)
        assert generator.get_random_transform((6, 6, 3), seed=2).keys() >= {"theta", "flip_horizontal", "brightness"}
    same(*batches)


def test_other_arrays_weights_and_subsets():
    for subset, count in (("validation", 2), ("training", 5)):
        flows = [
            g.flow((IMAGES, [LABELS * 2, LABELS * 3]), LABELS, 4, False, LABELS / 2, seed=1, subset=subset)
            for g in both(validation_split=0.3)
        ]
        assert {flow.n for flow in flows} == {count}
        found, wanted = (next(flow) for flow in flows)
        same(found[:2], wanted[:2])
        np.testing.assert_array_equal(found[2], found[1] / 2)  # Keras takes the first weights in both subsets
    plain = [g.flow(IMAGES, batch_size=2, shuffle=False) for g in both(data_format="channels_last")]
    same(*[next(flow) for flow in plain])


def test_channels_first():
    images = np.moveaxis(IMAGES, -1, 1)
    same(*[next(g.flow(images, seed=3)) for g in both(data_format="channels_first", rotation_range=30, zoom_range=0.2)])


@pytest.mark.parametrize(
    "arguments",
    [
        {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.5},
        {"zca_whitening": True, "zca_epsilon": 1e-2, "featurewise_center": True},
    ],
)
def test_fit(arguments):
    found = []
    for generator in both(**arguments, rotation_range=20):
        generator.fit(IMAGES / 255, augment="zca_whitening" not in arguments, rounds=2, seed=4)
        found.append((generator.mean, generator.standardize(IMAGES[0] / 255)))
    same(*found)
    with pytest.warns(UserWarning, match="no effect before ImageDataGenerator.fit"):
        ours.ImageDataGenerator(featurewise_center=True).standardize(IMAGES[0])
    with pytest.raises(ShapeError, match=r"rank 4; got shape \(6, 6, 3\)"):
        ours.ImageDataGenerator().fit(IMAGES[0])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("random_rotation", (30,)),
        ("random_shift", (0.2, 0.4)),
        ("random_shear", (20,)),
        ("random_zoom", ((0.5, 1.2),)),
        ("random_channel_shift", (40,)),
        ("random_brightness", ((0.3, 0.9),)),
        ("apply_brightness_shift", (1.3, False)),
    ],
)
def test_changes_of_single_images(name, arguments):
    found = []
    for module in (ours, theirs):
        np.random.seed(3)
        axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2} if "random_" in name and "bright" not in name else {}
        axes = {"channel_axis": 2} if "channel" in name else axes
        found.append(np.asarray(getattr(module, name)(IMAGES[0] - 20, *arguments, **axes)))
    same(*found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for i in range(9):
        path = root / "abc"[i % 3] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (5 + i % 2, 7, 3)).astype("uint8")).save(path)
    (root / "a" / "notes.txt").write_text("no image")
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"class_mode": "sparse", "color_mode": "grayscale", "shuffle": False, "subset": "training"},
        {"class_mode": "input", "color_mode": "rgba", "subset": "validation", "keep_aspect_ratio": True},
        {"class_mode": None, "classes": ["c", "a"], "interpolation": "bilinear"},
        {"class_mode": "binary", "classes": ["c", "a"]},
    ],
)
def test_flow_from_directory(folder, arguments):
    flows = [
        g.flow_from_directory(str(folder), target_size=(4, 5), batch_size=4, seed=2, **arguments)
        for g in both(rescale=1 / 255, horizontal_flip=True, rotation_range=5, validation_split=0.4)
    ]
    for name in (
        "class_indices",
        "filenames",
        "samples",
        "n",
        "num_classes",
        "image_shape",
        "target_size",
        "filepaths",
    ):
        assert getattr(flows[0], name) == getattr(flows[1], name), name
    np.testing.assert_array_equal(flows[0].classes, flows[1].classes)
    same(*[[next(flow) for _ in range(4)] for flow in flows])
    for flow in flows:
        flow.reset()
    same(*[[next(flow), flow[0]] for flow in flows])


@pytest.mark.parametrize(
    "arguments",
    [
        {"y_col": "kind"},
        {"y_col": "kind", "class_mode": "sparse", "classes": ["z", "y"]},
        {"y_col": "kind", "class_mode": "binary", "weight_col": "weight", "subset": "training"},
        {"y_col": "several"},
        {"y_col": ["weight", "size"], "class_mode": "raw"},
        {"y_col": "size", "class_mode": "raw"},
        {"y_col": ["weight", "size"], "class_mode": "multi_output"},
        {"class_mode": None},
        {"class_mode": "input"},
    ],
)
def test_flow_from_dataframe(folder, arguments):
    names = [f"{'abc'[i % 3]}/{i}.png" for i in range(9)]
    table = {
        "filename": [*names, "a/absent.png"],
        "kind": list("yzzyyzyzzy"),
        "several": [["p"], ["q", "p"], ["r"], "q", ["p"], ["q"], ["r", "q"], ["p"], ["p"], ["q"]],
        "weight": np.arange(10) / 2,
        "size": np.arange(10),
    }
    flows = []
    for generator, data in zip(both(validation_split=0.3), (table, pd.DataFrame(table)), strict=True):
        with pytest.warns(UserWarning, match="1 of 10 images are not there|1 invalid"):
            flows.append(
                generator.flow_from_dataframe(data, str(folder), target_size=(4, 4), batch_size=4, seed=1, **arguments)
            )
    for name in ("class_indices", "filenames", "samples", "classes"):
        assert getattr(flows[0], name, None) == getattr(flows[1], name, None), name
    same(*[[next(flow) for _ in range(3)] for flow in flows])


def test_images_are_written(folder, tmp_path):
    for name, generator in zip(("ours", "theirs"), both(horizontal_flip=True), strict=True):
        (tmp_path / name).mkdir()
        next(generator.flow(IMAGES, batch_size=3, seed=1, save_to_dir=tmp_path / name, save_prefix="p"))
    assert sorted(p.name for p in (tmp_path / "ours").iterdir()) == sorted(
        p.name for p in (tmp_path / "theirs").iterdir()
    )


def test_it_tells_the_layers_of_today():
    with pytest.warns(OldSpelling) as told:
        ours.ImageDataGenerator(rotation_range=40, zoom_range=0.2, horizontal_flip=True, rescale=0.5, shear_range=5)
    message = str(told[0].message)
    assert len(told) == 1 and "\n" not in message and told[0].filename == __file__
    assert "layers.RandomRotation(40 / 360), layers.RandomShear(5 / 57), layers.RandomZoom((-0.2, 0.2))" in message
    for layer in ("RandomFlip('horizontal')", "Rescaling(1 / 2)", "image_dataset_from_directory"):
        assert layer in message
    built = eval("[" + message.split("model, ")[1].split(" since")[0] + "]", {"layers": keras.layers})
    assert keras.Sequential(built)(IMAGES, training=True).shape == IMAGES.shape


def test_a_program_of_keras_2(folder):
    from lamina.legacy.preprocessing.image import ImageDataGenerator

    assert ImageDataGenerator is ours.ImageDataGenerator
    train = ImageDataGenerator(rescale=1 / 255, validation_split=0.4, width_shift_range=0.1)
    train_generator = train.flow_from_directory(
        folder, (6, 6), class_mode="categorical", batch_size=2, subset="training"
    )
    held_out = train.flow_from_directory(folder, (6, 6), batch_size=2, subset="validation", shuffle=False)
    model = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    with pytest.warns(UserWarning, match="batch_size=8 is left aside: a DirectoryIterator yields batches of"):
        history = model.fit(train_generator, batch_size=8, epochs=2, validation_data=held_out, verbose=0)
    assert len(history.history["val_loss"]) == 2 and train_generator.total_batches_seen >= 2 * len(train_generator)
    model.fit_generator(train_generator, steps_per_epoch=len(train_generator), epochs=1, verbose=0)
    held_out.reset()
    assert model.predict(held_out, verbose=0).shape == (held_out.samples, 3)


def test_mistakes(folder, tmp_path):
    generator = ours.ImageDataGenerator()
    with pytest.raises(ConfigError, match=r"validation_split.\nImageDataGenerator\(validation_split=0.2\)"):
        generator.flow_from_directory(folder, subset="training")
    with pytest.raises(DataError, match="There is no folder"):
        generator.flow_from_directory(tmp_path / "absent")
    with pytest.raises(DataError, match=r"same number of samples; got x: 7, y: 3"):
        generator.flow(IMAGES, LABELS[:3])
    with pytest.raises(DataError, match="no column 'file'; the table has 'name'"):
        generator.flow_from_dataframe({"name": ["a"]}, x_col="file")
    with pytest.raises(DataError, match=r"row 0 of column 'class' is 3"):
        generator.flow_from_dataframe({"filename": ["a/0.png"], "class": [3]}, folder)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_text("broken")
    with pytest.raises(DataError, match="x.jpg cannot be read as image"):
        next(generator.flow_from_directory(tmp_path))
    with pytest.raises(IndexError):
        generator.flow(IMAGES)[9]
