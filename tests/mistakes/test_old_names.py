"""Mistakes with names and functions of Keras 1 and 2, and with finders; whether the fixes printed for them work."""

import pytest

from tests.mistakes import notebooks
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MODEL = """
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((8, 8), "float32"), np.zeros((8, 1), "float32")
variable = model.weights[0]
import jax
"""
MAKE = """
from lamina.wrappers.old_estimators import KerasClassifier
def make(units=4):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model
x, y = np.zeros((4, 4)), np.array([0, 1, 0, 1])
"""
SKLEARN = """
from lamina.wrappers import SKLearnRegressor
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
"""
FIT = "SKLearnRegressor(model, fit_kwargs={'verbose': 0}).fit(np.zeros((4, 4)), np.zeros(4))"
SESSION = "outputs = model.predict(x); value = keras.backend.get_value(variable)"
MERGE = "from lamina.models.merge import Merge\n"
OLD = "from lamina.utils.old_functions import *\n"
LAYER = "layer = keras.layers.Conv1D(2, 3)\nlayer.build((None, 8, 1))\n"
RATES = "find_learning_rate(model, x, y, min_learning_rate=1e-7, max_learning_rate=10.0, steps=100)"
DATA = """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 1
    def __getitem__(self, index):
        return x, y
"""


def at(before, wrong, right, says, **kwargs):
    return Mistake(before + wrong, before + right, says, **kwargs)


MISTAKES = [
    # lamina/legacy: what replaces each name is run by tests/test_old_names.py
    at(MODEL, "keras.layers.LRN2D()", "keras.layers.BatchNormalization()", "keras.layers.BatchNormalization()"),
    at(MODEL, "from lamina.layers import LRN2D", "keras.layers.BatchNormalization()",
       "keras.layers.BatchNormalization()"),
    at(MODEL, "import lamina.estimator", "model.fit(x, y)", "model.fit(x, y)"),
    at(MODEL, "import lamina.engine; lamina.engine.nothing", "print(dir(keras))", "print(dir(keras))"),
    at(MODEL, "import lamina.engine; lamina.engine(1)", "dir(keras.engine)", "dir(keras.engine)"),
    # lamina/wrappers
    at(MAKE, "KerasClassifier(make, unit=3)", "def make(unit=None): ...\nKerasClassifier(make, unit=3)",
       "def make(unit=None): ..."),
    at(MAKE, "KerasClassifier().fit(x, y)", "KerasClassifier(build_fn=make).fit(x, y)",
       "KerasClassifier(build_fn=make)"),
    at(MAKE, "KerasClassifier(make).predict(x)",
       "estimator = KerasClassifier(make)\nestimator.fit(x, y)\nestimator.predict(x)", "estimator.fit(x, y)"),
    at(MAKE, "KerasClassifier(make).fit(x, np.zeros((4, 1, 2)))",
       "y = np.zeros((4, 1, 2)); y[0] = 1\nKerasClassifier(make).fit(x, y.argmax(-1) + [[0], [1], [0], [1]])",
       "y.argmax(-1)"),
    at(SKLEARN, FIT, f'model.compile("adam", "mse")\n{FIT}', 'model.compile("adam", "mse")'),
    # lamina/backend
    at(MODEL, "keras.backend.get_session()", SESSION, SESSION),
    at(MODEL, "keras.backend.gradients(y, [x])", "gradient = jax.grad(lambda x: keras.ops.sum(model(x)))(x)",
       "gradient = jax.grad(lambda x: keras.ops.sum(model(x)))(x)"),
    at(MODEL, "with keras.backend.learning_phase_scope(1): pass", "model(x, training=True)", "model(x, training=True)"),
    at(MODEL, "keras.backend.set_learning_phase(1)", "model(x, training=True)", "model(x, training=True)"),
    at("", "keras.backend.placeholder()", "keras.Input(shape=(784,))", "keras.Input(shape=(784,))"),
    at("x, k = np.zeros((1, 4, 4, 1), 'float32'), np.zeros((2, 2, 1, 1), 'float32')\n",
       "keras.backend.conv2d_transpose(x, k, (1, 9, 9, 1))",
       "output_shape=(1, 5, 5, 1)\nkeras.backend.conv2d_transpose(x, k, output_shape)", "output_shape=(1, 5, 5, 1)"),
    at("x = np.zeros((2, 3, 3), 'float32')\n", "keras.backend.batch_dot(x, x, axes=(0, 1))",
       "keras.backend.batch_dot(x, x, axes=(2, 1))", "axes=(2, 1)"),
    # lamina/models/merge.py
    at(MERGE, "Merge([keras.Sequential([keras.layers.Dense(2)])])",
       "part = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])\nMerge([part, part])",
       "keras.Input((8,))", prose=True),
    at(MERGE, 'Merge(mode="concatenate")', 'Merge(mode="concat")', 'mode="concat"'),
    # lamina/utils
    at(MODEL + OLD, "multi_gpu_model(model, gpus=1)", "multi_gpu_model(model, gpus=2)", "gpus=2"),
    at(OLD + LAYER, "convert_kernel(np.zeros(3))", "convert_kernel(layer.kernel)", "layer.kernel"),
    at(OLD, "normalize_tuple(2.5, 2, 'size')", "size=(3, 3)\nnormalize_tuple(size, 2, 'size')", "size=(3, 3)"),
    at(OLD, "normalize_padding('full')", 'padding="same"\nnormalize_padding(padding)', 'padding="same"'),
    at(MODEL, "keras.utils.find_learning_rate(model, x, y, steps=1)", f"keras.utils.{RATES}", RATES),
    at(MODEL + DATA, "keras.utils.find_learning_rate(model, iter([(x, y)]))",
       "keras.utils.find_learning_rate(model, Batches(), steps=4)", "keras.utils.PyDataset", prose=True),
    at(MODEL, "keras.utils.find_batch_size(model, x, y, min_batch_size=99)",
       "keras.utils.find_batch_size(model, x, y, min_batch_size=1, max_batch_size=1)", "min_batch_size=1"),
    at(MODEL + "data = [(x, y)]\n", "keras.utils.find_batch_size(model, iter(data))",
       "x, y = next(iter(data)); keras.utils.find_batch_size(model, np.asarray(x), np.asarray(y))",
       "x, y = next(iter(data)); keras.utils.find_batch_size(model, np.asarray(x), np.asarray(y))"),
    # lamina/training, lamina/optimizers
    at(MODEL, "model.fit(x, y, validation_steps_every=2)",
       "model.fit(x, y, validation_split=0.2, validation_steps_every=100)",
       "model.fit(x, y, validation_split=0.2, validation_steps_every=100)"),
    at("", "keras.optimizers.schedules.OneCycle(0.01, 0)",
       "keras.optimizers.schedules.OneCycle(0.01, total_steps=1000)",
       "keras.optimizers.schedules.OneCycle(0.01, total_steps=1000)"),
    at("", "keras.optimizers.schedules.OneCycle(0.1, 9, momentum_range=(0.95, 0.85))",
       "keras.optimizers.schedules.OneCycle(0.1, 9, momentum_range=(0.85, 0.95))", "momentum_range=(0.85, 0.95)"),
    at("", "keras.optimizers.schedules.OneCycle(0.01, 9, 2.0)",
       "keras.optimizers.schedules.OneCycle(0.01, 9, warmup_fraction=0.25)", "warmup_fraction=0.25"),
    at("", "keras.layers.Dense(output_dim=4, units=4)", "keras.layers.Dense(units=4)", "Dense(units=...)", prose=True),
    at(SKLEARN.replace("Regressor", "Classifier"),
       FIT.replace("Regressor", "Classifier"),
       "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, 'softmax')])\n"
       "model.compile('sgd', 'categorical_crossentropy')\n"
       + FIT.replace("Regressor", "Classifier").replace("np.zeros(4)", "np.array([0, 1, 0, 1])"),
       "np.unique(y) needs two classes or more", prose=True),
    at(MODEL + "from lamina.compat.sessions import Session\n", "Session().run(variable)", SESSION, SESSION),
]  # fmt: skip

MISTAKES += notebooks.WRAPPERS
MISTAKES.append(
    Mistake(
        "from lamina.compat.sessions import TPUEmbedding; TPUEmbedding()",
        "keras.layers.Embedding(1000, 16)",
        "keras.layers.Embedding(1000, 16)",
    )
)
test_fixes_work = fixes_work(MISTAKES)


@pytest.mark.parametrize(
    "place",
    ["legacy", "wrappers", "backend", "models/merge.py", "utils/old_functions.py", "utils/learning_rate_finder.py",
     "utils/kept_state.py", "optimizers/schedules/one_cycle.py", "training/loop.py", "compat/sessions.py"],
)  # fmt: skip
def test_fixes_are_tried(place, tmp_path, monkeypatch):
    but = [("error.fix", "the fix of the error that it replaces")]
    fixes_are_tried(f"lamina/{place}", MISTAKES, but)(tmp_path, monkeypatch)


def test_fixes_of_the_batch_size_finder_are_tried(tmp_path, monkeypatch):
    but = [("memory=8 * 2**30", "no machine here hides its memory")]
    fixes_are_tried("lamina/utils/batch_size_finder.py", MISTAKES, but)(tmp_path, monkeypatch)
