"""keras.ops.image and control flow: one table of images compared with Keras; loops by what they compute."""

import functools

import jax
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, ShapeError
from tests.ops.op_checks import check_gradients, check_symbolic, check_values

rng = np.random.default_rng(2)
IMAGES = rng.random((4, 6, 5, 3)).astype("float32")
FIRST = np.moveaxis(IMAGES, -1, 1).copy()
BYTES = (IMAGES * 255).astype("uint8")
LARGE, OTHER = rng.random((2, 4, 16, 15, 3)).astype("float32")
VOLUMES = rng.random((4, 4, 5, 6, 2)).astype("float32")
TRANSFORM = np.array([[1.1, 0.2, -1.3, -0.3, 0.9, 1.63, 0, 0]] * 4, "float32")
CORNERS = np.array([[[0, 0], [0, 6], [5, 0], [5, 6]]] * 4, "float32")
MOVED = (CORNERS + rng.random(CORNERS.shape)).astype("float32")
PLACES = rng.uniform(-9, 12, (2, 40)).astype("float32")
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
last, first = dict(data_format="channels_last"), dict(data_format="channels_first")


def case(name, *args, **kwargs):
    return f"image.{name}", args, kwargs


CASES = [
    *(case("resize", IMAGES, (4, 8), interpolation=i) for i in METHODS),
    *(case("resize", BYTES, (9, 3), interpolation=i) for i in METHODS[:3]),
    case("resize", IMAGES, (4, 3), antialias=True),
    case("resize", IMAGES, (4, 8), crop_to_aspect_ratio=True),
    case("resize", IMAGES, (9, 3), pad_to_aspect_ratio=True, fill_value=2.0),
    case("resize", IMAGES[0], (4, 8)),
    case("resize", FIRST, (4, 8), **first),
    case("rgb_to_grayscale", IMAGES),
    case("rgb_to_grayscale", BYTES),
    *(case(name, IMAGES) for name in ("rgb_to_hsv", "hsv_to_rgb")),
    *(case(name, FIRST, **first) for name in ("rgb_to_hsv", "hsv_to_rgb")),
    case("rgb_to_hsv", np.zeros((2, 2, 3), "float32")),
    case("crop_images", IMAGES, top_cropping=1, left_cropping=0, bottom_cropping=2, right_cropping=1),
    case("crop_images", IMAGES, bottom_cropping=1, right_cropping=1, target_height=3, target_width=2),
    case("pad_images", IMAGES, top_padding=1, left_padding=0, bottom_padding=2, right_padding=1),
    case("pad_images", FIRST, top_padding=1, left_padding=1, target_height=9, target_width=8, **first),
    *(case("extract_patches", IMAGES, size) for size in (2, (2, 3))),
    case("extract_patches", IMAGES, 2, strides=1, dilation_rate=2),
    case("extract_patches", FIRST, 3, strides=1, padding="same", **first),
    case("extract_patches", IMAGES[0], 2),
    case("extract_patches", VOLUMES, (2, 2, 3)),
    case("extract_patches_3d", VOLUMES, 2),
    *(case("gaussian_blur", IMAGES, kernel, (1.0, 2.0), **last) for kernel in ((3, 3), (4, 3))),
    case("sobel_edges", IMAGES, **last),
    case("sobel_edges", FIRST, **first),
    case("ssim", LARGE, OTHER, **last),
    case("ssim", LARGE[0], OTHER[0], filter_size=7, **last),
    *(
        case("affine_transform", IMAGES, TRANSFORM, interpolation=i, fill_mode=mode, fill_value=0.5)
        for mode, i in (("constant", "bilinear"), ("nearest", "nearest"), ("wrap", "bilinear"), ("reflect", "bilinear"))
    ),
    case("affine_transform", FIRST, TRANSFORM, **first),
    case("affine_transform", IMAGES[0], TRANSFORM[0]),
    case("perspective_transform", IMAGES, CORNERS, MOVED),
    *(
        case("map_coordinates", IMAGES[0, ..., 0], PLACES, order=order, fill_mode=mode, fill_value=0.3)
        for order in (0, 1)
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
    ),
    case("map_coordinates", BYTES[0, ..., 0].astype("int32"), PLACES, order=1),
    case("elastic_transform", IMAGES, alpha=0.0, seed=1),
]  # fmt: skip


def name_of(row):
    return "-".join([row[0][6:], *map(str, row[2].values())])


@pytest.mark.parametrize("row", CASES, ids=name_of)
def test_values_and_symbolic_shapes(row):
    exact = row[0] != "image.perspective_transform"  # where a system of equations is solved first
    ours = check_values(*row, tolerance=1e-5 if exact else 1e-3, compiled=row[0] != "image.elastic_transform")
    if row[0] not in ("image.map_coordinates", "image.elastic_transform"):
        check_symbolic(ours, *row)


@pytest.mark.parametrize("row", [row for row in CASES if row[0] in ("image.ssim", "image.sobel_edges")], ids=name_of)
def test_gradients(row):
    check_gradients(*row)


def test_scale_and_translate_against_keras():
    scale, translation = np.array([1.5, 0.7], "float32"), np.array([0.3, -1.0], "float32")
    for method in ("linear", "bicubic", "lanczos3"):
        check_values("image.scale_and_translate", (IMAGES, (4, 8, 9, 3), scale, translation, (1, 2), method), {})
    for keras in (lamina, pytest.importorskip("keras")):
        inputs = keras.Input((6, 7, 3))
        moved = keras.ops.image.scale_and_translate(inputs, (None, 8, 9, 3), scale, translation, (1, 2), "linear")
        assert moved.shape == (None, 8, 9, 3)


def test_elastic_transform_moves_pixels_by_the_seed():
    once, again = (lamina.ops.image.elastic_transform(IMAGES, seed=3) for _ in range(2))
    other = lamina.ops.image.elastic_transform(IMAGES, seed=4)
    np.testing.assert_array_equal(once, again)
    assert once.shape == IMAGES.shape and not np.allclose(once, IMAGES) and not np.allclose(once, other)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ConfigError, lambda image: image.resize(IMAGES, (2, 2), interpolation="cubic")),
        (ConfigError, lambda image: image.crop_images(IMAGES, 1)),
        (ShapeError, lambda image: image.crop_images(IMAGES, 4, 4, 4, 4)),
        (ConfigError, lambda image: image.rgb_to_hsv(BYTES)),
        (ShapeError, lambda image: image.resize(IMAGES[0, 0], (2, 2))),
        (ShapeError, lambda image: image.map_coordinates(IMAGES, PLACES, 1)),
        (ConfigError, lambda image: image.map_coordinates(IMAGES[0, ..., 0], PLACES, 3)),
        (ShapeError, lambda image: image.perspective_transform(IMAGES, CORNERS[:, :3], MOVED)),
    ],
)
def test_errors(error, call):
    with pytest.raises(error):
        call(lamina.ops.image)


# Control flow


def test_branches_run_the_one_chosen():
    ops = lamina.ops
    choose = jax.jit(lambda flag, x: ops.cond(flag, lambda: x + 1, lambda: x - 1))
    assert (int(choose(True, 5)), int(choose(False, 5))) == (6, 4)
    branches = [lambda x, y: x + y, lambda x, y: x * y]
    assert [int(ops.switch(index, branches, 3, 4)) for index in (-1, 0, 1, 7)] == [7, 7, 12, 12]


def test_loops():
    ops = lamina.ops
    assert int(ops.fori_loop(1, 5, lambda i, total: total * i, 1)) == 24
    count, total = ops.while_loop(lambda i, s: s < 100, lambda i, s: (i + 1, s + i), (0, 0))
    assert (int(count), int(total)) == (15, 105)
    assert int(ops.while_loop(lambda i: i < 100, lambda i: i + 1, 0, maximum_iterations=7)) == 7
    last, sums = ops.scan(lambda c, x: (c + x, c), np.float32(0), np.arange(4, dtype="float32"), reverse=True)
    assert float(last) == 6 and sums.tolist() == [6, 5, 3, 0]
    assert ops.associative_scan(lambda a, b: a * b, ops.array([1, 2, 3, 4])).tolist() == [1, 2, 6, 24]
    for mapped in (ops.map, ops.vectorized_map):
        assert mapped(lambda row: row.sum(), np.ones((2, 3))).tolist() == [3, 3]
    assert ops.vectorize(lambda a, b: a * b + 1)(np.arange(3), 2).tolist() == [1, 3, 5]


def test_loops_change_variables_of_no_one_and_take_them():
    variable = lamina.Variable([1.0, 2.0])
    doubled = lamina.ops.fori_loop(0, 3, lambda i, x: x * 2, variable.value)
    assert doubled.tolist() == [8, 16] and variable.numpy().tolist() == [1, 2]


def test_a_compiled_transform_of_several_images_is_that_of_each():
    """XLA computed the place of a pixel twice, and rounded it to two different ones."""
    images = np.random.default_rng(5).normal(size=(5, 16, 16, 3)).astype("float32")
    transform = np.array([0.9, 0.1, 1.0, -0.1, 0.9, 0.5, 0, 0], "float32")
    compiled = jax.jit(lambda images: lamina.ops.image.affine_transform(images, transform))(images)
    wanted = [lamina.ops.image.affine_transform(image, transform) for image in images]
    np.testing.assert_allclose(compiled, wanted, atol=1e-4)


def test_custom_gradient():
    @lamina.ops.custom_gradient
    def clipped(x):
        return x * x, lambda upstream: upstream * 7

    assert float(jax.grad(clipped)(3.0)) == 7 and float(clipped(3.0)) == 9


def test_conversions():
    ops = lamina.ops
    half = ops.convert_to_tensor([1.5], "bfloat16")
    assert ops.convert_to_numpy(half).dtype == "float32" and ops.dtype(half) == "bfloat16"
    assert ops.is_tensor(half) and not ops.is_tensor(np.ones(2)) and not ops.is_tensor(lamina.Variable(1.0))
    symbolic = lamina.Input((3,))
    assert ops.shape(symbolic) == (None, 3) and ops.convert_to_tensor(symbolic, "int32").dtype == "int32"
    assert float(jax.grad(lambda x: ops.stop_gradient(x) * x)(3.0)) == 3


def test_symbolic_reshape_keeps_unknown_sizes():
    x = lamina.Input((4, 6))
    ops = lamina.ops
    assert ops.reshape(x, (-1, 8)).shape == (None, 8)
    assert ops.reshape(x, (ops.shape(x)[0], 24)).shape == (None, 24)
    assert ops.reshape(x, (None, -1, 3)).shape == (None, 8, 3)
    assert functools.reduce(ops.add, [x, x, 1]).shape == (None, 4, 6)
