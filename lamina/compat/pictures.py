"""tf.image: changes of colours, sizes and boxes, and random ones by the seeds of `tf.random.stateless_*`."""

from __future__ import annotations

import glob
import io
import os
import shutil
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat import images
from lamina.compat.arrays import array
from lamina.compat.host import as_bytes, as_text, each, on_host
from lamina.compat.random_numbers import RANDOM

__all__ = ["MORE_IMAGE", "MORE_IO"]

_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])
_YIQ = np.array([[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])
_in_floats = images._in_floats


def _matrix(kernel):
    return lambda images: jnp.tensordot(array(images), jnp.asarray(kernel, "float32"), 1)


@_in_floats
def adjust_hue(image: Any, delta: Any, name: Any = None) -> Any:
    """`tf.image.adjust_hue`: turn the hue by a part of the circle."""
    hue, saturation, value = jnp.split(images.rgb_to_hsv(array(image)), 3, -1)
    return images.hsv_to_rgb(jnp.concatenate([(hue + delta) % 1.0, saturation, value], -1))


@_in_floats
def adjust_saturation(image: Any, saturation_factor: Any, name: Any = None) -> Any:
    """`tf.image.adjust_saturation`."""
    hue, saturation, value = jnp.split(images.rgb_to_hsv(array(image)), 3, -1)
    saturation = jnp.clip(saturation * saturation_factor, 0, 1)
    return images.hsv_to_rgb(jnp.concatenate([hue, saturation, value], -1))


def pad_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
                        ) -> Any:  # fmt: skip
    """`tf.image.pad_to_bounding_box`: zeros around."""
    image = array(image)
    rows = (offset_height, target_height - offset_height - image.shape[-3])
    columns = (offset_width, target_width - offset_width - image.shape[-2])
    return jnp.pad(image, [(0, 0)] * (image.ndim - 3) + [rows, columns, (0, 0)])


def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Any:
    """`tf.image.resize_with_crop_or_pad`: the middle, or zeros around."""
    image = array(image)
    height, width = image.shape[-3:-1]
    top, left = max(height - target_height, 0) // 2, max(width - target_width, 0) // 2
    image = image[..., top : top + min(height, target_height), left : left + min(width, target_width), :]
    above, before = max(target_height - height, 0) // 2, max(target_width - width, 0) // 2
    return pad_to_bounding_box(image, above, before, target_height, target_width)


def resize_with_pad(image: Any, target_height: Any, target_width: Any, method: Any = "bilinear",
                    antialias: Any = False) -> Any:  # fmt: skip
    """`tf.image.resize_with_pad`: resize without another ratio of the sides, then zeros around."""
    height, width = np.shape(image)[-3:-1]
    ratio = max(height / target_height, width / target_width)
    size = (int(height / ratio), int(width / ratio))
    above, before = (max(0, int((want - have) / 2)) for want, have in zip((target_height, target_width), size,
                                                                          strict=True))  # fmt: skip
    small = images.resize(image, size, method, antialias=antialias)
    return pad_to_bounding_box(small, above, before, target_height, target_width)


def crop_and_resize(image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: Any = "bilinear",
                    extrapolation_value: Any = 0.0, name: Any = None) -> Any:  # fmt: skip
    """`tf.image.crop_and_resize`: boxes (y1, x1, y2, x2) in parts of the image, resized."""
    image, boxes = array(image, "float32"), array(boxes)
    (rows, columns), (height, width) = map(int, crop_size), image.shape[1:3]

    def places(low, high, count, size):
        step = jnp.arange(count) / max(count - 1, 1) if count > 1 else jnp.array([0.5])
        return (low + (high - low) * step) * (size - 1)

    def crop(box, index):
        y, x = places(box[0], box[2], rows, height), places(box[1], box[3], columns, width)
        grid = jnp.meshgrid(y, x, indexing="ij")
        order = 1 if method == "bilinear" else 0
        one = lambda channel: jax.scipy.ndimage.map_coordinates(channel, grid, order, mode="nearest")  # noqa: E731
        found = jnp.stack([one(image[index, ..., channel]) for channel in range(image.shape[-1])], -1)
        inside = ((grid[0] >= 0) & (grid[0] <= height - 1) & (grid[1] >= 0) & (grid[1] <= width - 1))[..., None]
        return jnp.where(inside, found, extrapolation_value)

    return jnp.stack([crop(box, int(index)) for box, index in zip(boxes, np.ravel(box_indices), strict=True)])


def non_max_suppression(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                        score_threshold: Any = -np.inf, name: Any = None) -> Any:  # fmt: skip
    """`tf.image.non_max_suppression`: the numbers of the boxes that stay."""
    boxes, scores, kept = np.asarray(boxes), np.asarray(scores), []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for at in np.argsort(-scores, kind="stable"):
        low, high = np.maximum(boxes[at, :2], boxes[kept, :2]), np.minimum(boxes[at, 2:], boxes[kept, 2:])
        common = np.prod(np.maximum(high - low, 0), -1)
        if scores[at] > score_threshold and not (common / (areas[at] + areas[kept] - common) > iou_threshold).any():
            kept.append(int(at))
        if len(kept) == int(max_output_size):
            break
    return jnp.asarray(kept, "int32")


def sobel_edges(image: Any) -> Any:
    """`tf.image.sobel_edges`: (..., 2) slopes by y and x."""
    image = array(image)
    padded = jnp.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    kernel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float32")
    height, width = image.shape[1:3]
    slopes = [sum(k[i, j] * padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3))
              for k in (kernel, kernel.T)]  # fmt: skip
    return jnp.stack(slopes, -1)


def image_gradients(image: Any) -> Any:
    """`tf.image.image_gradients`: (dy, dx)."""
    image = array(image)
    down = jnp.pad(image[:, 1:] - image[:, :-1], [(0, 0), (0, 1), (0, 0), (0, 0)])
    return down, jnp.pad(image[:, :, 1:] - image[:, :, :-1], [(0, 0), (0, 0), (0, 1), (0, 0)])


def total_variation(images: Any, name: Any = None) -> Any:
    """`tf.image.total_variation`: the sum of the differences of neighbours."""
    values = array(images)
    axes = (-3, -2, -1)
    return jnp.abs(jnp.diff(values, axis=-3)).sum(axes) + jnp.abs(jnp.diff(values, axis=-2)).sum(axes)


def psnr(a: Any, b: Any, max_val: Any, name: Any = None) -> Any:
    """`tf.image.psnr`: in decibels, of each image."""
    difference = jnp.square(array(a, "float32") - array(b, "float32")).mean((-3, -2, -1))
    return 20 * jnp.log10(jnp.asarray(max_val, "float32")) - 10 * jnp.log10(difference)


def encode(image: Any, kind: str = "PNG", **settings: Any) -> Any:
    """An image file of an array of bytes.

    Args:
        image: Array (height, width, channels).
        kind: Kind of the file, as Pillow calls it.
        **settings: Settings of Pillow.
    """
    from PIL import Image

    pixels, file = np.asarray(image, "uint8"), io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, kind, **settings)
    return on_host(file.getvalue())


def _uniform(seed: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    return RANDOM["stateless_uniform"]([], seed, low, high)


def stateless_random_crop(value: Any, size: Any, seed: Any, name: Any = None) -> Any:
    """`tf.image.stateless_random_crop`."""
    room = np.asarray(np.shape(value)) - np.asarray(size) + 1
    draws = RANDOM["stateless_uniform"]([len(room)], seed, 0, 2**31 - 1, "int32")
    starts = np.asarray(draws) % room
    return array(value)[tuple(slice(start, start + int(count)) for start, count in zip(starts, size, strict=True))]


def _flip(axis):
    def flip(image, seed):
        image = array(image)
        if image.ndim == 3:
            return jnp.flip(image, axis) if _uniform(seed) < 0.5 else image
        chosen = RANDOM["stateless_uniform"]([len(image)], seed)[:, None, None, None] < 0.5
        return jnp.where(chosen, jnp.flip(image, axis), image)

    return flip


def _by_seed(change, around=False):
    def changed(image, lower=None, upper=None, seed=None, max_delta=None, name=None):
        width: Any = lower if max_delta is None else max_delta
        low, high = (-width, width) if around else (lower, upper)
        seed = upper if around and seed is None else seed
        draw = (
            _uniform(seed, low, high)
            if seed is not None and np.ndim(seed)
            else RANDOM["uniform"]([], low, high, seed=seed)
        )
        return change(image, draw)

    return changed


_CHANGES: dict[str, Any] = {"brightness": (images.adjust_brightness, True), "hue": (adjust_hue, True),
                            "contrast": (images.adjust_contrast, False),
                            "saturation": (adjust_saturation, False)}  # fmt: skip
_ENCODERS: dict[str, Any] = {
    "encode_png": lambda image, compression=-1, name=None: encode(image),
    "encode_jpeg": lambda image, format="", quality=95, *_, **__: encode(image, "JPEG", quality=int(quality)),
}
_DECODERS: dict[str, Any] = {f"decode_{kind}": lambda contents, channels=0, *args, **kwargs: images.decode_image(
    as_bytes(contents), channels, *args, **kwargs) for kind in "image jpeg png bmp gif".split()}  # fmt: skip
MORE_IMAGE: dict[str, Any] = {
    **_ENCODERS, **_DECODERS, "adjust_gamma": _in_floats(
        lambda image, gamma=1, gain=1: gain * jnp.power(array(image), gamma)),
    "adjust_hue": adjust_hue, "adjust_saturation": adjust_saturation, "crop_and_resize": crop_and_resize,
    "image_gradients": image_gradients, "non_max_suppression": non_max_suppression,
    "pad_to_bounding_box": pad_to_bounding_box, "psnr": psnr, "resize_with_crop_or_pad": resize_with_crop_or_pad,
    "resize_with_pad": resize_with_pad, "rgb_to_yiq": _matrix(_YIQ), "rgb_to_yuv": _matrix(_YUV),
    "sobel_edges": sobel_edges, "stateless_random_crop": stateless_random_crop,
    "stateless_random_flip_left_right": _flip(-2), "stateless_random_flip_up_down": _flip(-3),
    "total_variation": total_variation, "transpose": lambda image, name=None: jnp.swapaxes(array(image), -3, -2),
    "yuv_to_rgb": _matrix(np.linalg.inv(_YUV)), "yiq_to_rgb": _matrix(np.linalg.inv(_YIQ)),
    **{f"stateless_random_{name}": _by_seed(*change) for name, change in _CHANGES.items()},
    **{f"random_{name}": _by_seed(*_CHANGES[name]) for name in ("hue", "saturation")},
    "is_jpeg": lambda contents, name=None: as_bytes(contents)[:3] == b"\xff\xd8\xff",
}  # fmt: skip


def _read(path):
    with open(as_text(path), "rb") as file:
        return file.read()


def _write_file(filename, contents, name=None):
    path = as_text(filename)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(as_bytes(contents))


def _of_paths(function):
    """A function of paths, which may be texts of tensors."""

    def run(*paths, **settings):
        paths = (*paths, *(settings.pop(key) for key in ("path", "top", "pattern", "src", "dst") if key in settings))
        return function(*(as_text(one) if isinstance(one, (bytes, np.ndarray)) else one for one in paths), **settings)

    return run


def _remake(path):
    os.makedirs(path, exist_ok=True)


_GFILE = SimpleNamespace(
    GFile=_of_paths(lambda name, mode="r": open(name, mode, encoding=None if "b" in mode else "utf-8")),  # noqa: SIM115
    copy=_of_paths(lambda src, dst, overwrite=False: shutil.copyfile(src, dst)), exists=_of_paths(os.path.exists),
    glob=_of_paths(lambda pattern: sorted(glob.glob(pattern))), isdir=_of_paths(os.path.isdir),
    join=_of_paths(os.path.join), listdir=_of_paths(os.listdir), makedirs=_of_paths(_remake), mkdir=_of_paths(os.mkdir),
    remove=_of_paths(os.remove), rename=_of_paths(lambda src, dst, overwrite=False: os.replace(src, dst)),
    rmtree=_of_paths(shutil.rmtree), stat=_of_paths(os.stat), walk=_of_paths(os.walk),
)  # fmt: skip
MORE_IO: dict[str, Any] = {
    "gfile": _GFILE, "matching_files": lambda pattern, name=None: on_host(
        np.asarray(sorted(glob.glob(as_text(pattern))), object)),
    **_ENCODERS, **_DECODERS, "read_file": lambda filename, name=None: each(_read, filename), "write_file": _write_file,
    "is_jpeg": MORE_IMAGE["is_jpeg"],
}  # fmt: skip
