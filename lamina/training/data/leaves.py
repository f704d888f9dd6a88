"""The data of users as arrays: NumPy and JAX arrays, pandas, SciPy sparse, torch and TensorFlow tensors, numbers.

Other libraries are recognised by the names of their classes; none is imported here.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import tree
from lamina.core.arguments import is_kind
from lamina.core.dtypes import numpy_dtype
from lamina.core.sparse import as_sparse, is_sparse, to_dense
from lamina.errors import DataError
from lamina.runtime import settings
from lamina.training.data.pictures import refuse_sizes
from lamina.training.data.tables import as_known_table, columns_for, is_large, without_rows
from lamina.training.data.unfit import columns_of, refuse, refuse_ragged

__all__ = [
    "as_array",
    "as_arrays",
    "looks_like_arrays",
    "named_sizes",
    "split_validation",
]

_NAMES = ("x", "y", "sample_weight")


def looks_like_arrays(value: Any) -> bool:
    """Whether a value is an array or a list, tuple or dict of arrays, with rows that can be counted and sliced.

    Args:
        value: Anything.
    """
    if isinstance(value, (list, tuple, dict, int, float, str)) or hasattr(value, "__array__"):
        return True
    if is_sparse(value):
        return True
    return any(hasattr(value, name) for name in ("__arrow_c_stream__", "__dataframe__", "collect_schema"))


def is_scipy_sparse(value: Any) -> bool:
    """Whether a value is a SciPy sparse matrix or array, whose batches are converted to dense arrays.

    Args:
        value: Anything.
    """
    return is_kind(value, "scipy", "sparray", "spmatrix")


def as_arrays(value: Any, name: str, text: bool = False) -> Any:
    """A structure with every leaf as an array; a list of numbers is one array.

    Args:
        value: Structure of data.
        name: Name of the data, for errors.
        text: Whether strings are accepted.

    Raises:
        DataError: If a leaf is no array of numbers.

    >>> as_arrays({"a": [1.0, 2.0], "b": [[1], [2]]}, "x")["b"].shape
    (2, 1)
    """
    if value is None:
        return None
    if isinstance(value, dict) and not is_scipy_sparse(value):  # SciPy's dok is a dict
        return {key: as_arrays(item, f"{name}[{key!r}]", text) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and not _is_numbers(value):
        items = [as_arrays(item, f"{name}[{i}]", text) for i, item in enumerate(value)]
        if hasattr(value, "_fields"):  # a named tuple
            return type(value)(*items)
        return items if isinstance(value, list) else tuple(items)
    return as_array(value, name, text)


def _is_numbers(value):
    while isinstance(value, (list, tuple)) and len(value):
        value = value[0]
    return isinstance(value, (bool, int, float, complex, str, bytes, np.generic, list, tuple))


def as_array(leaf: Any, name: str, text: bool = False) -> Any:
    """One leaf as a NumPy array, a JAX array that stays on its accelerator, or sparse rows; floats as floatx.

    Args:
        leaf: Data.
        name: Name of the data, for errors.
        text: Whether strings are accepted.
    """
    given = leaf
    if not isinstance(leaf, np.ndarray):
        leaf = _from_other_kind(leaf, name, text)
    if text and leaf.ndim and _is_text(leaf):
        return leaf
    _check(leaf, name, given)
    dtype = _dtype_for_jax(leaf.dtype)
    return leaf if leaf.dtype == dtype else leaf.astype(dtype)


def _from_other_kind(leaf, name, text=False):
    if isinstance(leaf, jax.Array):
        return np.asarray(leaf) if _on_cpu(leaf) else leaf
    if isinstance(leaf, (list, tuple)):
        return _from_numbers(leaf, name)
    if is_scipy_sparse(leaf):
        return leaf.tocsr()
    if is_kind(leaf, "pandas", "DataFrame", "Series", "Index"):
        return _from_pandas(leaf, name, text)
    if is_kind(leaf, "torch", "Tensor"):
        return leaf.detach().cpu().numpy()
    if is_kind(leaf, "jax", "JAXSparse"):
        return _from_jax_sparse(leaf)
    table = as_known_table(leaf)
    if table is not None:
        return as_array(table, name, text)
    if hasattr(leaf, "__array__"):
        if any(getattr(kind, "is_temporal", bool)() for kind in getattr(leaf, "dtypes", ())):  # polars numbers the days
            refuse(leaf, name)
        try:
            return np.asarray(leaf)
        except TypeError:  # columns that have no type in common, such as dates and numbers
            refuse(leaf, name)
    raise DataError(
        f"{name} must be an array or a list, tuple or dict of arrays; got {type(leaf).__name__}.",
        fix=_repair_kind(leaf, name, text),
    )


def _from_jax_sparse(leaf):
    """A matrix as one of SciPy, whose rows are read batch by batch; arrays of another rank are made dense."""
    if leaf.ndim != 2:
        return np.asarray(to_dense(leaf))
    from scipy.sparse import csr_matrix

    flat = as_sparse(leaf).update_layout(n_batch=0, n_dense=0)
    places = np.asarray(flat.indices)
    inside = (places < np.array(leaf.shape)).all(-1)  # padding stands outside
    return csr_matrix((np.asarray(flat.data)[inside], places[inside].T), shape=leaf.shape)


_OF_DICT = re.compile(r"[xy]\[\d+\]\['")  # a value in a list of dicts
_OF_PAIR = re.compile(r"x\[\d+\]\[1\]")  # the label in a list of (sample, label)


def _repair_kind(leaf, name, text):
    """The fix for something that is no array."""
    if is_kind(leaf, "PIL", "Image"):
        return f"{name} = keras.utils.img_to_array({name})[None]"
    if text and isinstance(leaf, str):
        return f"{name} = [{name}]"
    if isinstance(leaf, (str, os.PathLike)) and str(leaf).lower().endswith((".jpg", ".jpeg", ".png", ".bmp", ".gif")):
        size = "target_size=model.input_shape[1:3]"
        return f"{name} = keras.utils.img_to_array(keras.utils.load_img({str(leaf)!r}, {size}))[None]"
    if isinstance(leaf, (str, os.PathLike)) and str(leaf).lower().endswith((".csv", ".tsv", ".csv.gz")):
        return f"{name} = keras.utils.dataset_from_csv({str(leaf)!r}, label_column=-1)  # or the name of a column"
    if name == "sample_weight":
        return "sample_weight = np.ones(len(y))  # a weight for each row; class_weight={0: 1.0, 1: 2.0} weighs classes"
    if name == "y" and isinstance(leaf, str) and "." not in leaf:
        return f"y = x.pop({leaf!r})  # a column of the table x"
    if isinstance(leaf, (str, bytes, os.PathLike)):
        return f"{name} is a text or a path. Read the file: {name} = np.load({name}), or np.loadtxt for numbers."
    if _OF_PAIR.fullmatch(name):
        return f"The list has one pair for each sample: x, y = map(np.stack, zip(*{name[0]}))"
    if _OF_DICT.match(name) and not isinstance(leaf, Iterable):
        return f"A list of dicts is a table: {name[0]} = pd.DataFrame({name[0]})"
    if hasattr(leaf, "to_tensor"):
        return f"{name} = {name}.to_tensor()  # padded with zeros, which layers.Embedding(..., mask_zero=True) masks"
    if callable(leaf):
        return f"{name} = {name}()"
    if isinstance(leaf, Iterable):
        return f"{name} = np.array(list({name}))"
    if isinstance(leaf, (int, float)) and name.isidentifier():
        return f"{name} = np.array([[{leaf!r}]])  # one sample of one number"
    return "Give NumPy or JAX arrays, a pandas DataFrame, a generator of batches, or a keras.utils.PyDataset."


def _on_cpu(array):
    """Slices of a CPU array are cheapest as NumPy views, which cost no copy."""
    return array.is_fully_addressable and len(array.devices()) == 1 and next(iter(array.devices())).platform == "cpu"


def _dtype_for_jax(dtype):
    """floatx for floats; for the rest the type JAX would make of it (int64 -> int32 unless its 64-bit mode is on)."""
    if jnp.issubdtype(dtype, jnp.floating):
        return numpy_dtype(settings.floatx())
    return jax.dtypes.canonicalize_dtype(dtype)


def _from_numbers(value, name):
    try:
        return np.asarray(value)
    except ValueError:
        refuse_ragged(value, name)


def _from_pandas(table, name, text=False):
    """A DataFrame as (rows, columns), a Series as (rows, 1), as Keras does."""
    if text:
        array = table.to_numpy(dtype=object)
        if array.size and isinstance(array.flat[0], str):
            return array[:, None] if array.ndim == 1 else array
    columns = {table.name: table.dtype} if getattr(table, "ndim", 1) == 1 else dict(table.dtypes)
    if any(dtype.kind not in "biuf" for dtype in columns.values()):
        refuse(table, name)
    known = all(isinstance(dtype, np.dtype) for dtype in columns.values())  # the others may hold pandas.NA
    dtype = np.result_type(*columns.values()) if known and columns else np.dtype("float64")
    array = table.to_numpy(dtype=dtype) if known else table.to_numpy(dtype=dtype, na_value=np.nan)
    return array[:, None] if array.ndim == 1 else array


def _is_text(array):
    first = array.flat[0] if array.dtype.kind == "O" and array.size else None
    return array.dtype.kind in "US" or isinstance(first, (str, bytes))


def _check(array, name, given):
    if array.ndim == 1 and array.dtype.kind == "O":
        refuse_sizes(array, name, f"{name} = np.stack([keras.ops.image.resize(one, (224, 224)) for one in {name}])")
    if array.ndim and array.dtype.kind in "OUSTmM":
        refuse(array if columns_of(given)[0] is None else given, name, isinstance(given, (list, tuple)))
    if array.ndim == 0:
        fix = _repair_kind(None, name, False) if _OF_PAIR.fullmatch(name) else f"{name} = np.asarray({name})[None]"
        raise DataError(f"{name} is a single number; expected one row for each sample.", fix=fix)


def named_sizes(data: Iterable[Any]) -> dict[str, int]:
    """The number of samples of each leaf by its name: 'x' -> 10, "y['a']" -> 10.

    Args:
        data: (x, y, sample_weight).
    """
    leaves = jax.tree_util.tree_flatten_with_path(tuple(data))[0]
    return {_NAMES[path[0].idx] + jax.tree_util.keystr(path[1:]): leaf.shape[0] for path, leaf in leaves}


def count_samples(data: Any, is_part: bool = False) -> int:
    """The number of samples.

    Args:
        data: (x, y, sample_weight).
        is_part: Whether it is the part of a batch that one process reads, which may be empty.

    Raises:
        DataError: If the arrays differ in their number of samples, or have none.
    """
    sizes = {leaf.shape[0] for leaf in jax.tree_util.tree_leaves(data)}
    if not sizes:
        raise DataError("There is no data: x has no array.", fix="model.fit(x, y); in a data set: return x, y")
    if len(sizes) > 1:
        named = [f"{name}: {size}" for name, size in named_sizes(data).items()]
        some = ", ".join(named if len(named) <= 6 else [*named[:3], "...", named[-1]])
        message = f"All arrays must have the same number of samples (rows); got {some}."
        if isinstance(data[0], (list, tuple)) and len(data[0]) > 1:
            message += " A list or tuple x has one array for each input of the model."
        raise DataError(message, fix=_repair_counts(*data))
    count = sizes.pop()
    if count == 0 and not is_part:
        raise DataError("The data is empty: 0 samples.", fix="Check the filter or the split that produced x.")
    return count


def differ_in_rows(structure: Any) -> bool:
    """Whether the arrays of a batch differ in their first size, as the nodes and the edges of a graph do.

    Args:
        structure: Inputs.
    """
    return len({np.shape(leaf)[:1] for leaf in tree.flatten(structure) if leaf is not None}) > 1


def _repair_counts(x: Any, y: Any = None, sample_weight: Any = None) -> str:
    """The fix where arrays differ in their number of samples."""
    if sample_weight is not None and len({len(leaf) for leaf in jax.tree_util.tree_leaves((x, y))}) == 1:
        return "sample_weight=np.ones(len(y)), with the weight of row i of y in place of each 1."
    if isinstance(x, (list, tuple)) and len(x) > 1:
        shapes = {leaf.shape for leaf in x if hasattr(leaf, "shape")}
        if len(shapes) == 1:  # one array for each sample
            return "x = np.stack(x)"
        if {len(shape) for shape in shapes} == {1}:
            return "x = keras.utils.pad_sequences(x, dtype='float32')"
        if {len(shape) for shape in shapes} == {3} and len({shape[-1] for shape in shapes}) == 1:  # pictures
            return f"x = np.stack([keras.ops.image.resize(one, {x[0].shape[:2]}) for one in x])"
    shape, other = (getattr(one, "shape", ()) for one in (x, y))
    if len(shape) == len(other) > 1 and shape[1:] == other[1:]:  # y is a part of x
        return "x_train, x_test, y_train, y_test = sklearn.model_selection.train_test_split(x, y), in this order."
    if len(shape) == 2 and other and other[0] == shape[1]:
        return "x = x.T  # a sample is a row of x, and not a column"
    if len(other) == 2 and shape and shape[0] == other[1]:
        return "y = y.T  # a target is a row of y, and not a column"
    return "Row i of y must be the target of row i of x."


def split_validation(
    data: Any, fraction: float, text: bool = False, input_names: Sequence[str] = ()
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """((x, y, w) for training, (x, y, w) for validation); the last samples are held out, unshuffled.

    Args:
        data: (x, y, sample_weight) of arrays.
        fraction: Fraction of the samples that is held out, between 0 and 1.
        text: Whether the inputs may be strings.
        input_names: Names of the inputs of the model, which choose columns of a table.

    Raises:
        DataError: If the data is no arrays, or too few samples would be left.

    >>> train, validation = split_validation((np.arange(10), np.arange(10), None), 0.2)
    >>> validation[0]
    array([8, 9], dtype=int32)
    """
    if not 0 < fraction < 1:
        raise DataError(f"validation_split is a fraction between 0 and 1; got {fraction}.", fix="validation_split=0.2")
    x, y, *rest = data
    if is_large(x):
        border, rest = _border(len(x), fraction), [as_arrays(part, "y") for part in (y, *rest)]
        return (
            (x.select(range(border)), *jax.tree_util.tree_map(lambda leaf: leaf[:border], rest)),
            (x.select(range(border, len(x))), *jax.tree_util.tree_map(lambda leaf: leaf[border:], rest)),
        )
    data = (*without_rows(columns_for(x, input_names), y, input_names), *rest)
    unfit = [type(part).__name__ for part in data if part is not None and not looks_like_arrays(part)]
    if unfit:
        raise DataError(
            f"validation_split needs arrays; got {unfit[0]}.",
            fix="Create a second dataset and pass it as validation_data.",
        )
    data = tuple(as_arrays(part, name, text and name == "x") for part, name in zip(data, _NAMES, strict=True))
    border = _border(count_samples(data), fraction)
    return (
        jax.tree_util.tree_map(lambda leaf: leaf[:border], data),
        jax.tree_util.tree_map(lambda leaf: leaf[border:], data),
    )


def _border(count, fraction):
    border = math.floor(count * (1.0 - fraction))
    if border in (0, count):
        raise DataError(f"{count} samples are too few to hold out a fraction of {fraction}.", fix="Give more data.")
    return border
