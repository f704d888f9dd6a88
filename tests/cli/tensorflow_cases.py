"""Expressions with tf.*, and what TensorFlow gives for them.

`python tests/cli/tensorflow_cases.py` in an environment with TensorFlow writes tensorflow_cases.json;
`python tests/cli/tensorflow_cases.py --compare` says where TensorFlow gives something else than the file has.
"""

import json
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
EXPRESSIONS = [
    line for line in (HERE / "tensorflow_cases.txt").read_text("utf-8").splitlines() if line and line[0] != "#"
]
rng = np.random.default_rng(0)
GIVEN = {"x": rng.normal(size=(2, 3)).astype("float32"), "y": rng.normal(size=(2, 3)).astype("float32"), "np": np}
GIVEN |= {"p": np.abs(GIVEN["x"]) + 0.1, "b": GIVEN["x"] > 0, "img": rng.uniform(0, 1, (2, 4, 6, 3)).astype("float32")}
GIVEN |= {"u8": (GIVEN["img"] * 255).astype("uint8"), "i": np.array([[1, 5, 3], [2, 9, 4]]), "lab": np.array([0, 2])}
GIVEN["k"] = rng.normal(size=(3, 3, 3, 2)).astype("float32")


def plain(value):
    """Lists of numbers and texts, whatever the kind of tensor."""
    if hasattr(value, "to_list") and hasattr(value, "row_splits"):
        return {"ragged": words(value.to_list())}
    if hasattr(value, "dense_shape"):
        return {"sparse": [plain(value.indices), plain(value.values), plain(value.dense_shape)]}
    if isinstance(value, (list, tuple)) and not (value and isinstance(value[0], (int, float, str))):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if value is None or isinstance(value, (str, bool)):
        return value
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if array.dtype.kind == "c":
        return [plain(array.real), plain(array.imag)]
    return words(array.astype("float64").round(6).tolist() if array.dtype.kind == "f" else array.tolist())


def words(value):
    if isinstance(value, list):
        return [words(one) for one in value]
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def values(tf, expressions=EXPRESSIONS):
    return {expression: plain(eval(expression, {"tf": tf, **GIVEN})) for expression in expressions}


def alike(a, b):
    """Equal, numbers up to rounding."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return bool(np.isclose(a, b, 1e-4, 3e-5, equal_nan=True))
    return a == b


if __name__ == "__main__":
    import tensorflow

    FILE = HERE / "tensorflow_cases.json"
    found = {}
    for one in EXPRESSIONS:
        try:
            found |= values(tensorflow, [one])
        except Exception as error:
            print(f"{one}: {type(error).__name__} {str(error)[:150]}")
    if "--compare" in sys.argv:
        kept = json.loads(FILE.read_text("utf-8"))
        print(
            *(
                f"{one}: {kept.get(one)}, TensorFlow {found[one]}"
                for one in found
                if not alike(kept.get(one), found[one])
            ),
            sep="\n",
        )
    else:
        FILE.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n", "utf-8")
