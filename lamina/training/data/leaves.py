"""What users hand over as data, as arrays: NumPy and JAX arrays, pandas, SciPy sparse, torch and TensorFlow tensors,
numbers.

Other libraries are recognised by the names of their classes; none is imported here.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.dtypes import numpy_dtype
from lamina.errors import DataError
from lamina.runtime import settings

__all__ = [
    "as_array",
    "as_arrays",
    "is_kind",
    "looks_like_arrays",
    "named_sizes",
    "split_validation",
]

_NAMES = ("x", "y", "sample_weight")


def is_kind(value, package, *names):
    """Whether the class of `value`, or one it derives from, is one of these names of `package`."""
    return any(kind.__name__ in names and kind.__module__.partition(".")[0] == package for kind in type(value).__mro__)


def looks_like_arrays(value):
    """Whether `value` is an array or a list, tuple or dict of such: something with rows that can be counted and
    sliced."""
    if isinstance(value, (list, tuple, dict, int, float, str)) or hasattr(value, "__array__"):
        return True
    return is_sparse(value) or is_kind(value, "jax", "JAXSparse")


def is_sparse(value):
    """Whether `value` is a SciPy sparse matrix or array. Batches of it are made dense."""
    return is_kind(value, "scipy", "sparray", "spmatrix")


def as_arrays(value, name, text=False):
    """The structure `value` with every leaf an array; a list of numbers is one array. With `text`, strings are too.

    >>> as_arrays({"a": [1.0, 2.0], "b": [[1], [2]]}, "x")["b"].shape
    (2, 1)
    """
    if value is None:
        return None
    if isinstance(value, dict):
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


def as_array(leaf, name, text=False):
    """One leaf as a NumPy array, a JAX array that stays on its accelerator, or sparse rows; floats as floatx."""
    if not isinstance(leaf, np.ndarray):
        leaf = _from_other_kind(leaf, name, text)
    if text and leaf.ndim and _is_text(leaf):
        return leaf
    _check(leaf, name)
    dtype = _dtype_for_jax(leaf.dtype)
    return leaf if leaf.dtype == dtype else leaf.astype(dtype)


def _from_other_kind(leaf, name, text=False):
    if isinstance(leaf, jax.Array):
        return np.asarray(leaf) if _on_cpu(leaf) else leaf
    if isinstance(leaf, (list, tuple)):
        return _from_numbers(leaf, name)
    if is_sparse(leaf):
        return leaf.tocsr()
    if is_kind(leaf, "pandas", "DataFrame", "Series", "Index"):
        return _from_pandas(leaf, name, text)
    if is_kind(leaf, "torch", "Tensor"):
        return leaf.detach().cpu().numpy()
    if is_kind(leaf, "jax", "JAXSparse"):
        return np.asarray(leaf.todense())
    if hasattr(leaf, "__array__"):
        return np.asarray(leaf)
    raise DataError(
        f"{name} must be an array or a list, tuple or dict of arrays; got {type(leaf).__name__}.",
        fix="Give NumPy or JAX arrays, a pandas DataFrame, a generator of batches, or a keras.utils.PyDataset.",
    )


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
        raise DataError(
            f"{name} is a list whose rows differ in length, so it is no array.",
            fix="Pad them to one length: keras.utils.pad_sequences(rows).",
        ) from None


def _from_pandas(table, name, text=False):
    """A DataFrame as (rows, columns), a Series as (rows, 1), as Keras does."""
    if text:
        array = table.to_numpy(dtype=object)
        if array.size and isinstance(array.flat[0], str):
            return array[:, None] if array.ndim == 1 else array
    columns = {table.name: table.dtype} if getattr(table, "ndim", 1) == 1 else dict(table.dtypes)
    unfit = [f"{column!r} ({dtype})" for column, dtype in columns.items() if dtype.kind not in "biuf"]
    if unfit:
        raise DataError(
            f"{name} has columns that are not numbers: {', '.join(unfit)}.",
            fix="Turn them into numbers first: df[column].astype('category').cat.codes, or pandas.get_dummies(df).",
        )
    known = all(isinstance(dtype, np.dtype) for dtype in columns.values())  # the others may hold pandas.NA
    dtype = np.result_type(*columns.values()) if known and columns else np.dtype("float64")
    array = table.to_numpy(dtype=dtype) if known else table.to_numpy(dtype=dtype, na_value=np.nan)
    return array[:, None] if array.ndim == 1 else array


def _is_text(array):
    first = array.flat[0] if array.dtype.kind == "O" and array.size else None
    return array.dtype.kind in "US" or isinstance(first, (str, bytes))


def _check(array, name):
    if _is_text(array):
        raise DataError(
            f"{name} holds strings; this model computes on numbers.",
            fix="Turn them into integers first, for instance with keras.layers.StringLookup or TextVectorization.",
        )
    if array.dtype.kind == "O":
        ragged = array.size and isinstance(array.flat[0], (list, tuple, np.ndarray))
        raise DataError(
            f"{name} is an array of Python objects ({'rows of different length' if ragged else 'dtype object'}).",
            fix="keras.utils.pad_sequences(rows) makes one array." if ragged else f"{name}.astype('float32')",
        )
    if array.dtype.kind in "mM":
        raise DataError(f"{name} holds dates ({array.dtype}).", fix=f"{name}.astype('int64') / 1e9 gives seconds.")
    if array.ndim == 0:
        raise DataError(f"{name} is a single number; an array with one row a sample is needed.", fix=f"{name}[None]")


def named_sizes(data):
    """'x' -> 10, "y['a']" -> 10: the number of samples of each leaf of (x, y, sample_weight)."""
    leaves = jax.tree_util.tree_flatten_with_path(tuple(data))[0]
    return {_NAMES[path[0].idx] + jax.tree_util.keystr(path[1:]): leaf.shape[0] for path, leaf in leaves}


def count_samples(data):
    """The number of samples of (x, y, sample_weight), or a DataError that names what disagrees."""
    sizes = {leaf.shape[0] for leaf in jax.tree_util.tree_leaves(data)}
    if not sizes:
        raise DataError("There is no data: x holds no array.", fix="model.fit(x, y)")
    if len(sizes) > 1:
        raise DataError(
            "All arrays need the same number of samples (rows); got "
            + ", ".join(f"{name}: {size}" for name, size in named_sizes(data).items())
            + ".",
            fix="Row i of y must be the target of row i of x.",
        )
    count = sizes.pop()
    if count == 0:
        raise DataError("The data is empty: 0 samples.", fix="Check the filter or the split that made x.")
    return count


def split_validation(data, fraction, text=False):
    """((x, y, w) for training, (x, y, w) for validation): the last `fraction` of the samples is held out, unshuffled.

    >>> train, validation = split_validation((np.arange(10), np.arange(10), None), 0.2)
    >>> validation[0]
    array([8, 9], dtype=int32)
    """
    if not 0 < fraction < 1:
        raise DataError(f"validation_split is a fraction between 0 and 1; got {fraction}.")
    unfit = [type(part).__name__ for part in data if part is not None and not looks_like_arrays(part)]
    if unfit:
        raise DataError(
            f"validation_split needs arrays, which have a last part; got {unfit[0]}.",
            fix="Make a second dataset and pass it as validation_data.",
        )
    data = tuple(as_arrays(part, name, text and name == "x") for part, name in zip(data, _NAMES, strict=True))
    count = count_samples(data)
    border = math.floor(count * (1.0 - fraction))
    if border in (0, count):
        raise DataError(f"{count} samples are too few to hold out a fraction of {fraction}.", fix="Give more data.")
    return (
        jax.tree_util.tree_map(lambda leaf: leaf[:border], data),
        jax.tree_util.tree_map(lambda leaf: leaf[border:], data),
    )
