"""Iterators of ImageDataGenerator over arrays: endless batches by `next`, and batch i by index, as `fit` reads them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as Iteration
from typing import Any

import numpy as np

from lamina.core.arguments import choice, whole
from lamina.core.dtypes import numpy_dtype
from lamina.errors import ConfigError, DataError, ShapeError
from lamina.runtime import settings
from lamina.runtime.tracebacks import filters_traceback
from lamina.training.data import PyDataset
from lamina.training.data.threads import in_threads, worker_count
from lamina.utils.images import array_to_img

__all__ = ["Iterator", "NumpyArrayIterator", "split_of"]


class Iterator(PyDataset):
    """Base of iterators over images. Subclasses write `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: Number of images.
        batch_size: Number of images in a batch.
        shuffle: Whether to shuffle the images in each pass.
        seed: Seed of the order and of the changes, or None.
        **kwargs: Arguments of PyDataset.
    """

    n: int
    batch_size: int
    shuffle: bool
    seed: int | None
    lock: Any

    white_list_formats: Any = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
    save_to_dir: Any
    save_prefix: str
    save_format: str
    data_format: Any
    reads_ahead = True  # `fit` computes the next batches in a thread, in order

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any):
        super().__init__(**kwargs)
        batch_size = whole(self, "batch_size", batch_size, example=32)
        self.n, self.batch_size, self.shuffle, self.seed = n, batch_size, shuffle, seed
        self.batch_index: int = 0
        self.total_batches_seen: int = 0
        self.index_array: Any = None
        self.lock = threading.Lock()

    def _set_index_array(self):
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed(self):
        if self.seed is not None:
            np.random.seed((self.seed + self.total_batches_seen) % 2**32)
        self.total_batches_seen += 1

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} batches; batch {index} was asked for.")
        with self.lock:
            self._seed()
            if self.index_array is None:
                self._set_index_array()
            return self._batch(index % len(self))

    def __repr__(self) -> str:
        classes = getattr(self, "class_indices", None)
        of = f" of {len(classes)} classes" if classes else ""
        return f"{type(self).__name__}({self.n} images{of} in {len(self)} batches of {self.batch_size})"

    def on_epoch_end(self) -> None:
        self._set_index_array()

    def reset(self) -> None:
        """Go back to the first batch."""
        self.batch_index = 0

    def __iter__(self) -> Iteration[Any]:
        return self

    @filters_traceback
    def __next__(self) -> Any:
        with self.lock:
            self._seed()
            if self.batch_index == 0:
                self._set_index_array()
            index, self.batch_index = self.batch_index, (self.batch_index + 1) % max(len(self), 1)
            return self._batch(index)

    def _batch(self, index):
        first = self.batch_size * index
        return self._get_batches_of_transformed_samples(self.index_array[first : first + self.batch_size])

    def next(self) -> Any:
        """The next batch; after the last one comes the first of another pass."""
        return self.__next__()

    def get_state(self) -> dict[str, Any]:
        """The position, which `fit` saves."""
        order = None if self.index_array is None else self.index_array.tolist()
        return {"batch_index": self.batch_index, "seen": self.total_batches_seen, "order": order}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the position of another run.

        Args:
            state: What `get_state` returned.
        """
        self.batch_index, self.total_batches_seen = state["batch_index"], state["seen"]
        self.index_array = None if state["order"] is None else np.array(state["order"])

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} needs _get_batches_of_transformed_samples(self, index_array)."
        )

    def _changed(self, indices, shape, load, generator):
        """The images after their random changes. Random numbers are drawn in order, the rest is done in threads; a
        function of the user, which may draw too, is called in order."""
        loaded = in_threads(load, indices, worker_count(), 2 * worker_count())
        if not generator:
            return np.stack(list(loaded))
        if generator.preprocessing_function:
            return np.stack([generator.standardize(generator.random_transform(image)) for image in loaded])
        drawn = [generator.get_random_transform(shape) for _ in indices]

        def make(pair):
            return generator.standardize(generator.apply_transform(load(pair[0]), pair[1]))

        pairs = zip(indices, drawn, strict=True)
        return np.stack(list(in_threads(make, pairs, worker_count(), 2 * worker_count())))

    def _write(self, images, indices, names):
        """Write images to `save_to_dir`, with the numbers of Keras in their names."""
        for image, index in zip(images, indices, strict=True):
            name = f"{self.save_prefix}_{index}_{np.random.randint(names)}.{self.save_format}"
            array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(Iterator):
    """Batches of arrays, from `ImageDataGenerator.flow`, whose arguments these are.

    Args:
        x: Images of rank 4; or a tuple of them and of a list of other arrays.
        y: Targets, or None.
        image_data_generator: ImageDataGenerator with the changes.
        batch_size: Number of images in a batch.
        shuffle: Whether to shuffle the images in each pass.
        sample_weight: Weights of the images, or None.
        seed: Seed, or None.
        data_format: "channels_last" or "channels_first".
        save_to_dir: Folder that the changed images are written to, or None.
        save_prefix: Beginning of the names of those files.
        save_format: "png" or "jpeg".
        subset: "training" or "validation", or None.
        ignore_class_split: Whether the classes in the two subsets may differ.
        dtype: Type of the batches.

    Raises:
        DataError: The arrays do not fit together.
        ShapeError: The images are not of rank 4.
    """

    dtype: Any
    data_format: Any
    y: Any
    sample_weight: Any
    x_misc: Any
    save_to_dir: Any
    save_prefix: str
    save_format: str

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ):
        self.dtype = numpy_dtype(dtype or settings.floatx())
        self.data_format = settings.standardize_data_format(data_format)
        others = []
        if isinstance(x, (tuple, list)):
            x, others = x[0], x[1] if isinstance(x[1], list) else [x[1]]
        parts = {"x": np.asarray(x), **{f"x[1][{i}]": np.asarray(other) for i, other in enumerate(others)}}
        parts |= {name: np.asarray(v) for name, v in (("y", y), ("sample_weight", sample_weight)) if v is not None}
        if len({len(part) for part in parts.values()}) > 1:
            sizes = ", ".join(f"{name}: {len(part)}" for name, part in parts.items())
            least = min(map(len, parts.values()))
            fix = f"x, y = x[:{least}], y[:{least}]"
            raise DataError(f"All arrays must have the same number of samples; got {sizes}.", fix=fix)
        if parts["x"].ndim != 4:
            raise ShapeError(
                f"flow takes images of rank 4; got shape {parts['x'].shape}.",
                fix="x[..., None]" if parts["x"].ndim == 3 else None,
            )
        if subset is not None:
            border = int(len(parts["x"]) * split_of(image_data_generator, subset)[2])
            _check_classes(parts.get("y"), border, ignore_class_split)
            rows = slice(border) if subset == "validation" else slice(border, None)
            parts = {name: part[rows] for name, part in parts.items()}
        self.x = parts["x"].astype(self.dtype)
        self.y, self.sample_weight = parts.get("y"), parts.get("sample_weight")
        self.x_misc = [part for name, part in parts.items() if name.startswith("x[")]
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array):
        images = self._changed(index_array, self.x.shape[1:], self.x.__getitem__, self.image_data_generator)
        images = images.astype(self.dtype, copy=False)
        if self.save_to_dir:
            self._write(images, index_array, 10_000)
        inputs = [images, *(part[index_array] for part in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return inputs
        batch = (inputs, self.y[index_array])
        return batch if self.sample_weight is None else (*batch, self.sample_weight[index_array])


def split_of(generator: Any, subset: str) -> tuple[float, float, float]:
    """(first share, last share, share for validation) of the samples of a subset.

    Args:
        generator: ImageDataGenerator.
        subset: "training" or "validation".

    Raises:
        ConfigError: There is no such subset.
    """
    share = generator.validation_split
    choice("ImageDataGenerator", "subset", subset, ("training", "validation"))
    if not share:
        raise ConfigError(
            f"subset={subset!r} needs an ImageDataGenerator with validation_split.",
            fix="ImageDataGenerator(validation_split=0.2)",
        )
    return (0, share, share) if subset == "validation" else (share, 1, share)


def _check_classes(y, border, ignore_class_split):
    if y is None or ignore_class_split or np.array_equal(np.unique(y[:border]), np.unique(y[border:])):
        return
    raise DataError(
        "The training and the validation part do not have the same classes: y seems to be sorted.",
        fix="order = np.random.permutation(len(x)); x, y = x[order], y[order]",
    )
