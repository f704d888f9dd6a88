"""`lamina.as_keras()`: what `keras` and `tensorflow` are from then on. In processes of their own."""

import json

import pytest

from lamina import ops
from lamina.compat import advice, images, random_numbers, table
from lamina.compat.tensorflow import NAMESPACES
from lamina.errors import CallError, DataError
from lamina.training.data.dataset import Dataset
from tests.cli.processes import python

CHECKS = """
import json, sys, lamina
found = {}
def check(name, value):
    found[name] = bool(value)
def error_of(code):
    try:
        exec(code, {})
    except (ImportError, AttributeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
keras = lamina.as_keras()
check("twice is once", lamina.as_keras() is keras and sum("Finder" in type(f).__name__ for f in sys.meta_path) < 5)
import keras as k1
import tensorflow as tf
import tensorflow.keras as k2
from tensorflow import keras as k3
import tensorflow.compat.v2.keras as k4, tf_keras as k5, keras.api as k6
import keras_core as k7  # of the months before Keras 3
everywhere = (k1, k2, k3, k4, k5, k6, k7, tf.keras, tf.compat.v1.keras, sys.modules["keras"])
check("one keras", all(module is keras for module in everywhere))
check("versions", (keras.__version__, keras.version(), tf.__version__[:2]) == ("3.15.1", "3.15.1", "2.")
      and lamina.__version__ != keras.__version__)
import keras.layers, tensorflow.keras.layers, keras.backend as K
from tensorflow.keras.layers import Dense
from keras.layers.core import Dense as OldDense
from tensorflow.python.keras.layers import Dense as InnerDense
from keras.src.layers.core.dense import Dense as SourceDense
from keras.api.layers import Dense as ApiDense
check("one module", keras.layers is lamina.layers is tensorflow.keras.layers and K is lamina.backend)
check("one class", {Dense, OldDense, InnerDense, SourceDense, ApiDense} == {lamina.layers.Dense})
check("isinstance", isinstance(keras.layers.Dense(1), tf.keras.layers.Layer))
check("issubclass", issubclass(keras.Model, lamina.layers.Layer))
check("modules keep their specs", lamina.layers.__spec__.name == lamina.layers.__name__ == "lamina.layers")
from keras.src import backend, ops, testing
from keras.src.api_export import keras_export
from keras.src.backend.common.variables import standardize_dtype
from keras.src.saving import serialization_lib
check("inner names", backend.convert_to_tensor is lamina.ops.convert_to_tensor and standardize_dtype("float") and
      keras_export("keras.X")(Dense) is Dense and backend.Variable is lamina.Variable and
      serialization_lib.serialize_keras_object is lamina.saving.serialize_keras_object)
names = {}
exec("from keras import *", names)
check("star", names["layers"] is lamina.layers and names["Model"] is lamina.Model)
from keras.utils.np_utils import to_categorical
check("old modules", to_categorical is lamina.utils.to_categorical)
check("numpy of arrays", tf.constant([1, 2]).numpy().tolist() == [1, 2])
check("get_shape", keras.Input((3,)).get_shape().as_list() == [None, 3] and tf.zeros((2, 1)).get_shape() == (2, 1))
check("versions of names", tf.compat.v1.nn is tf.nn and tf.compat.v1.reduce_sum([1, 2]) == 3)
check("tf.Variable", isinstance(lamina.Variable(1.0), tf.Variable) and not isinstance(1, tf.Variable)
      and tf.Variable([1, 2]).dtype == "int32" and tf.Variable(1.0, trainable=False, name="a/b").trainable is False)
from tensorflow.python.framework import dtypes
from tensorflow.python.ops import math_ops, nn
from tensorflow.python.ops.numpy_ops import np_config
from tensorflow.python.client import device_lib
check("the inside", math_ops.cast is tf.cast and nn.moments is tf.nn.moments and dtypes.float32 == tf.float32
      and np_config.enable_numpy_behavior() is None and device_lib.list_local_devices()[0].device_type == "CPU")
check("namespaces", tf.losses is lamina.losses and tf.data.AUTOTUNE == -1 and tf.nn.relu is tf.nn.relu)
import io
model = keras.Sequential([keras.Input((2,)), Dense(1)])
from keras.src.saving.saving_lib import load_model, save_model
file = io.BytesIO(); save_model(model, file); file.seek(0)
check("open files", load_model(file).count_params() == 3)
errors = {code: error_of(code) for code in (
    "import tensorflow.python.keras.engine.input_layer.InputLayer", "import tensorflow.tpu",
    "from tensorflow.lite import toco_convert",
    "import tensorflow as tf; tf.no_such_name", "from tensorflow.python.ops import NoSuchKernel",
    "import keras.nonsense", "from keras import nonsense", "import tensorflow as tf; tf.compat.v1.placeholder",
    "import keras; keras.nonsense",
    "from keras.src.backend import NoSuchName",
    "from keras.src.backend import no_such", "import tensorflow as tf; tf.nn.no_such_name",
    "import tensorflow as tf; tf.data.no_such", "import tensorflow as tf; tf.random.experimental.no",
)}
print(json.dumps([found, errors]))
"""


@pytest.fixture(scope="module")
def found():
    done = python("-c", CHECKS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_keras_and_tensorflow_are_lamina(found):
    assert not [name for name, is_so in found[0].items() if not is_so]


@pytest.mark.parametrize(
    ("code", "kind", "parts"),
    [
        (
            "import tensorflow.python.keras.engine.input_layer.InputLayer",
            "ModuleNotFoundError",
            ["keras.layers.InputLayer"],
        ),
        ("import tensorflow.tpu", "ModuleNotFoundError", ["tf.tpu", "keras.distribution"]),
        ("from tensorflow.lite import toco_convert", "ImportError", ["tf.lite", "model.export"]),
        ("import tensorflow as tf; tf.no_such_name", "AttributeError", ["tf.no_such_name", "keras.ops"]),
        ("from tensorflow.python.ops import NoSuchKernel", "ImportError", ["tf.python.ops", "the inside"]),
        ("import keras.nonsense", "ModuleNotFoundError", ["keras.nonsense"]),
        ("from keras import nonsense", "ImportError", ["nonsense"]),
        ("import keras; keras.nonsense", "AttributeError", ["'keras' (lamina)", "nonsense"]),
        (
            "import tensorflow as tf; tf.compat.v1.placeholder",
            "AttributeError",
            ["tf.compat.v1.placeholder", "TensorFlow 1"],
        ),
        ("from keras.src.backend import NoSuchName", "UnknownImportError", ["NoSuchName"]),
        ("from keras.src.backend import no_such", "UnknownImportError", ["keras.src.backend.no_such", "inside"]),
        ("import tensorflow as tf; tf.nn.no_such_name", "AttributeError", ["tf.nn.no_such_name"]),
        ("import tensorflow as tf; tf.random.experimental.no", "AttributeError", ["tf.random.experimental.no is"]),
        ("import tensorflow as tf; tf.data.no_such", "AttributeError", ["tf.data.no_such", "tf.data.Dataset"]),
    ],
)
def test_what_is_not_there_is_named(found, code, kind, parts):
    error = found[1][code]
    assert error.startswith(f"{kind}: ") and all(part in error for part in parts), error


def test_too_late():
    program = """
import sys, types
sys.modules["keras"] = types.ModuleType("keras")
sys.modules["keras"].__version__ = "3.9.0"
import lamina
try:
    lamina.as_keras()
except ImportError as error:
    print(error)
"""
    done = python("-c", program)
    assert "keras 3.9.0 itself is imported already" in done.stdout and "lamina run SCRIPT" in done.stdout, done.stderr


def test_tables_lead_to_ops_that_are_there():
    for names in (table.MATH, table.ROOT, table.NN):
        for line in filter(None, map(str.strip, names.splitlines())):
            assert callable(table._target(line.split()[1])), line


def test_every_name_has_a_value():
    assert all(value is not None or name == "newaxis" for names in NAMESPACES.values() for name, value in names.items())
    assert len(NAMESPACES["tensorflow"]) > 150


def test_arguments_have_tensorflow_names():
    tf = NAMESPACES["tensorflow"]
    assert tf["reduce_sum"](input_tensor=[[1, 2], [3, 4]], axis=[0, 1], name="total") == 10
    assert tf["argmax"]([[1, 9], [8, 2]]).tolist() == [1, 0]  # along the first axis, where ops.argmax flattens
    assert tf["transpose"]([[1, 2]], perm=[1, 0]).shape == (2, 1)
    with pytest.raises(CallError, match="tf.reduce_mean|tf.math.reduce_mean got axes="):
        tf["reduce_mean"]([1.0], axes=0)
    with pytest.raises(CallError, match="tf.cast needs dtype"):
        tf["cast"]([1.0])


def test_images():
    image = ops.reshape(ops.arange(48), (4, 4, 3))
    tf = images.IMAGE
    assert tf["central_crop"](image, 0.5).shape == (2, 2, 3) and tf["random_crop"](image, (2, 3, 3)).shape == (2, 3, 3)
    assert tf["convert_image_dtype"](ops.cast(image, "uint8"), "float32").max() == pytest.approx(47 / 255)
    normal = tf["per_image_standardization"](image)
    assert float(normal.mean()) == pytest.approx(0, abs=1e-6) and float(normal.std()) == pytest.approx(1, abs=1e-6)
    assert tf["resize"](image, (2, 8)).shape == (2, 8, 3)
    assert tf["resize"](ops.ones((4, 8, 3)), (4, 4), preserve_aspect_ratio=True).shape == (2, 4, 3)


def test_texts():
    tf = NAMESPACES["tensorflow.strings"]
    assert tf["lower"]("AB") == "ab" and tf["strip"]([b" a ", "b"]).tolist() == ["a", "b"]
    assert tf["length"](["ä"]).tolist() == [2] and tf["length"](["ä"], unit="UTF8_CHAR").tolist() == [1]
    assert tf["join"]([["a", "b"], ["c", "d"]], separator="-").tolist() == ["a-c", "b-d"]
    assert tf["substr"](["hello"], 1, 3).tolist() == ["ell"] and not tf["regex_full_match"]("abc", "a.")
    assert tf["regex_replace"]("aXbX", "(b)X", r"\1") == "aXb"
    assert tf["regex_replace"]("aXbX", "X", "", replace_global=False) == "abX"


def test_draws_of_tensorflow():
    uniform = random_numbers.RANDOM["uniform"]((100,), 3, 7, "int32", seed=1)
    assert set(uniform.tolist()) == {3, 4, 5, 6}
    assert sorted(random_numbers.RANDOM["shuffle"]([4, 5, 6], seed=1).tolist()) == [4, 5, 6]


def test_dataset():
    data = Dataset.range(10)
    assert [int(i) for i in data.skip(2).take(3)] == [2, 3, 4] and len(data.skip(2).take(3)) == 3
    assert len(data.batch(3)) == 4 and len(data.batch(3, drop_remainder=True)) == 3
    assert [i.tolist() for i in data.filter(lambda i: i % 2 == 0).batch(4)] == [[0, 2, 4, 6], [8]]
    assert sorted(int(i) for i in data.shuffle(4)) == list(range(10))
    fixed = data.shuffle(10, seed=3, reshuffle_each_iteration=False)
    assert [int(i) for i in fixed] == [int(i) for i in fixed]
    moving = data.shuffle(10, seed=3)
    assert [int(i) for i in moving] != [int(i) for i in moving]
    assert [int(i) for i in data.batch(4).unbatch()] == list(range(10))
    calls = []
    cached = data.map(lambda i: calls.append(i) or i).cache()
    assert [int(i) for i in cached] == [int(i) for i in cached] and len(calls) == 10
    named = Dataset.from_tensor_slices({"a": [1, 2], "b": [[1.0], [2.0]]}).batch(2)
    assert {key: value.shape for key, value in next(iter(named)).items()} == {"a": (2,), "b": (2, 1)}
    assert int(data.repeat().cardinality()) == -1 and int(data.filter(bool).cardinality()) == -2
    with pytest.raises(TypeError):
        len(data.repeat())
    with pytest.raises(DataError, match=r"one length; got \[1, 2\]"):
        Dataset.from_tensor_slices(([1], [1, 2]))


def test_advice_is_for_the_nearest_name():
    assert "FeatureSpace" in advice.about("tensorflow.feature_column.numeric_column")
    assert advice.about("tensorflow.compat.v1.placeholder").startswith("tf.compat.v1.placeholder is TensorFlow's")
    assert "keras.optimizers" in advice.about("tensorflow.compat.v1.train.AdamOptimizer")
    assert "keras.layers" in advice.about("tensorflow.compat.v1.layers.dense")
    assert "compiled by XLA" in advice.about("tensorflow.compiler.xla")
