"""Mistakes with tensors, variables, graphs and settings, and whether the fixes printed for them work."""

from textwrap import indent

import pytest

from tests.mistakes import everyday, first_hour, ordinary, unseen
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work


def in_call(wrong, right, says, **kwargs):
    """A mistake in the `call` of a layer, which is called on a symbolic tensor x of shape (None, 4)."""

    def program(lines):
        body = indent(lines, " " * 8)
        return (
            f"import math\nclass Mine(keras.layers.Layer):\n    def call(self, x):\n{body}\nMine()(keras.Input((4,)))"
        )

    return Mistake(program(wrong), right and program(right), says, **kwargs)


def on_symbol(wrong, right, says, **kwargs):
    """A mistake with a symbolic tensor x of shape (None, 4)."""
    start = "import math\nx = keras.Input((4,))\n"
    return Mistake(start + wrong, right and start + right, says, **kwargs)


def in_step(wrong, right, says, **kwargs):
    """A mistake in a loss."""
    fit = (
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])\n"
        "model.compile('sgd', loss)\nmodel.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0)"
    )
    return Mistake(f"def loss(y, p):\n{wrong}\n{fit}", f"def loss(y, p):\n{right}\n{fit}", says, **kwargs)


NUMPY = [
    in_call(f"return np.{name}(x{rest})", f"return keras.ops.{name}(x{rest})", says=f"keras.ops.{name}(x{rest})")
    for name, rest in (("log", ""), ("where", " > 0, x, 0"))
]
VALUES = [
    in_call("return np.asarray(x)", "return keras.ops.convert_to_tensor(x)", says="keras.ops.convert_to_tensor(x)"),
    in_call(
        "return np.concatenate([x, x])", "return keras.ops.concatenate([x, x])", says="keras.ops.concatenate([x, x])"
    ),
    in_call("return np.linalg.norm(x)", "return keras.ops.norm(x)", says="keras.ops.norm(x)"),
    in_call(
        "return x + np.random.normal(x.shape[1] + 0 * x)",
        "return x + keras.random.normal((4,))",
        says="keras.random.normal(",
        prose=True,
    ),
    in_call("return x * math.sqrt(x[0, 0])", "return x * keras.ops.sqrt(x[0, 0])", says="keras.ops.sqrt(x[0, 0])"),
    in_call(
        "return x * float(x[0, 0])",
        'return x * keras.ops.cast(x[0, 0], "float32")',
        says='keras.ops.cast(x[0, 0], "float32")',
    ),
    in_call("return x * x[0, 0].item()", "return x * x[0, 0]", says="x[0, 0]"),
    in_call(
        "w = [1.0, 2.0]\ni = keras.ops.argmax(x[0, :2])\nreturn x * w[i]",
        "w = [1.0, 2.0]\ni = keras.ops.argmax(x[0, :2])\nreturn x * keras.ops.take(w, i, axis=0)",
        says="keras.ops.take(w, i, axis=0)",
    ),
    in_call(
        "n = keras.ops.argmax(x[0])\nfor i in range(n):\n    x = x + 1\nreturn x",
        "n = keras.ops.argmax(x[0])\nstep = lambda x: x + 1\n"
        "x = keras.ops.fori_loop(0, n, lambda i, x: step(x), x)\nreturn x",
        says="x = keras.ops.fori_loop(0, n, lambda i, x: step(x), x)",
    ),
    in_call(
        "a = np.zeros((4, 4))\na[0] = x[0]\nreturn x + a[0]",
        "a = np.zeros((4, 4))\na = keras.ops.convert_to_tensor(a).at[0].set(x[0])\nreturn x + a[0]",
        says="a = keras.ops.convert_to_tensor(a).at[0].set(x[0])",
    ),
    in_call("return x * '%.1f' % x[0, 0]", "return keras.ops.relu(x)", says="functions of keras.ops", prose=True),
    in_call(
        "return keras.ops.ones((keras.ops.argmax(x[0]), 2))",
        "return keras.ops.ones((x.shape[1], 2))",
        says="x.shape[1]",
    ),
    in_call("n = keras.ops.argmax(x[0])\nreturn x[:n]", "return x[:, : x.shape[1] - 1]", says="x.shape[1]"),
    in_call("print(f'{x[0, 0]:.2f}')\nreturn x", "print(x)\nreturn x", says="print(x)"),
    in_call("return keras.ops.nonzero(x)", "return keras.ops.where(x > 0, x, 0)", says="keras.ops.where(", prose=True),
]
CONDITIONS = [
    in_call(
        "return x if keras.ops.sum(x) > 0 else -x",
        "return keras.ops.where(keras.ops.sum(x) > 0, x, -x)",
        says="keras.ops.where(keras.ops.sum(x) > 0, x, -x)",
    ),
    in_call(
        "s = keras.ops.sum(x)\nreturn x if 0 < s < 1 and not s == 2 else -x",
        "s = keras.ops.sum(x)\nreturn keras.ops.where(keras.ops.logical_and(keras.ops.logical_and(0 < s, s < 1), "
        "keras.ops.logical_not(s == 2)), x, -x)",
        says="keras.ops.where(keras.ops.logical_and(keras.ops.logical_and(0 < s, s < 1), "
        "keras.ops.logical_not(s == 2)), x, -x)",
    ),
    in_call(
        "s = keras.ops.sum(x)\nif s > 0:\n    return x\nreturn -x",
        "s = keras.ops.sum(x)\na, b = x, -x\nreturn keras.ops.where(s > 0, a, b)",
        says="keras.ops.where(s > 0, a, b)",
    ),
    in_call(
        "while keras.ops.sum(x) > 0:\n    x = x - 1\nreturn x",
        "x = keras.ops.while_loop(lambda x: keras.ops.sum(x) > 0, lambda x: x - 1, x)\nreturn x",
        says="x = keras.ops.while_loop(lambda x: keras.ops.sum(x) > 0, lambda x: x - 1, x)",
    ),
    in_call(
        "while keras.ops.sum(x) > 0:\n    y = x - 1\n    x = y\nreturn x",
        "step = lambda x: x - 1\nx = keras.ops.while_loop(lambda x: keras.ops.sum(x) > 0, step, x)\nreturn x",
        says="x = keras.ops.while_loop(lambda x: keras.ops.sum(x) > 0, step, x)",
    ),
    in_call("return max(x[0, 0], 0.0) * x", "return keras.ops.maximum(x[0, 0], 0.0) * x", says="keras.ops.maximum("),
    in_call(
        "if keras.ops.any(x > 0):\n    return x\nreturn -x",
        "a, b = x, -x\nreturn keras.ops.where(keras.ops.any(x > 0), a, b)",
        says="keras.ops.where(keras.ops.any(x > 0), a, b)",
    ),
    in_call("assert keras.ops.all(x > 0)\nreturn x", "return x", says="Leave the assert out", prose=True),
    in_call("return x[x > 0]", "return keras.ops.where(x > 0, x, 0)", says="keras.ops.where(x > 0, x, 0)"),
    in_step(
        "    e = keras.ops.mean(abs(y - p))\n    return e if e > 1 else 2 * e",
        "    e = keras.ops.mean(abs(y - p))\n    return keras.ops.where(e > 1, e, 2 * e)",
        says="keras.ops.where(e > 1, e, 2 * e)",
    ),
    in_step("    return np.log(p)", "    return keras.ops.log(p)", says="keras.ops.log(p)"),
]
FIT = (
    "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])\n"
    "model.compile('sgd', 'mse', metrics=[Mine()])\nmodel.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0)"
)
UPDATE = "    def update_state(self, y, p, sample_weight=None): "
CHANGES = [
    Mistake(
        "class Mine(keras.metrics.Metric):\n    def __init__(self): super().__init__(); self.values = []\n"
        f"{UPDATE}self.values.append(keras.ops.mean(y - p))\n    def result(self): return sum(self.values)\n{FIT}",
        "class Mine(keras.metrics.Metric):\n"
        "    def __init__(self): super().__init__(); self.total = self.add_weight(name='total')\n"
        f"{UPDATE}self.total.assign_add(keras.ops.mean(y - p))\n    def result(self): return self.total\n{FIT}",
        says="keep its value in a weight: self.add_weight(...)",
        prose=True,
    ),
    in_call("x[0] = 1\nreturn x", "x = x.at[0].set(1)\nreturn x", says="x = x.at[0].set(1)"),
    in_call("x[:, 1:] *= 2\nreturn x", "x = x.at[:, 1:].multiply(2)\nreturn x", says="x = x.at[:, 1:].multiply(2)"),
    in_call(
        "x[x > 0] = 1\nreturn x", "x = keras.ops.where(x > 0, 1, x)\nreturn x", says="keras.ops.where(x > 0, 1, x)"
    ),
    in_call(
        "del x[0]\nreturn x",
        "start_indices, updates = [0, 0], keras.ops.zeros((1, 4))\n"
        "x = keras.ops.slice_update(x, start_indices, updates)\nreturn x",
        says="x = keras.ops.slice_update(x, start_indices, updates)",
    ),
    in_call("return x.unsqueeze(1)", "return keras.ops.expand_dims(x, 1)", says="keras.ops.expand_dims(x, 1)"),
    in_call("return x.numpy()", "return keras.ops.relu(x)", says="Leave .numpy() out", prose=True),
    in_call(
        "x.append(1)\nreturn x",
        "more = x\nreturn keras.ops.concatenate([x, more], axis=0)",
        says="keras.ops.concatenate([x, more], axis=0)",
    ),
    in_call(
        "Mine.seen = getattr(Mine, 'seen', x)\nreturn x + Mine.seen",
        "return x + x",
        says="Return it",
        prose=True,
    ),
    in_call("return keras.ops.reshape(x, (5, 7))", "return keras.ops.reshape(x, newshape=-1)", says="newshape=-1"),
]
METRIC = (
    "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\nm.compile('sgd', 'mse', metrics=[{}])\n"
    "m.evaluate(np.ones((2, 3)), np.ones((2, 1)), verbose=0)"
)
LIBRARIES = [
    Mistake(
        "import sklearn.metrics\n" + METRIC.format("sklearn.metrics.f1_score"),
        METRIC.format("keras.metrics.F1Score()"),
        says="keras.metrics.F1Score()",
    ),
]
SYMBOLS = [
    on_symbol("np.log(x)", "keras.ops.log(x)", says="keras.ops.log(x)"),
    on_symbol("np.mean(x, axis=1)", "keras.ops.mean(x, axis=1)", says="keras.ops.mean(x, axis=1)"),
    on_symbol("math.sqrt(x)", "keras.ops.sqrt(x)", says="keras.ops.sqrt(x)"),
    on_symbol("y = x if x > 0 else -x", "y = keras.ops.where(x > 0, x, -x)", says="keras.ops.where(x > 0, x, -x)"),
    on_symbol("sum(x)", "keras.ops.sum(x)", says="keras.ops.sum(x)"),
    on_symbol("[row for row in x]", "keras.ops.unstack(x, axis=1)", says="keras.ops.unstack(x, axis=1)"),
    on_symbol("len(x)", "keras.ops.shape(x)[0]", says="keras.ops.shape(x)[0]"),
    on_symbol(
        "x[0] = 1",
        "start_indices, updates = [0, 0], keras.ops.ones((1, 4))\n"
        "x = keras.ops.slice_update(x, start_indices, updates)",
        says="x = keras.ops.slice_update(x, start_indices, updates)",
    ),
    on_symbol("x.mean(axis=1)", "keras.ops.mean(x, axis=1)", says="keras.ops.mean(x, axis=1)"),
    on_symbol(
        "import scipy.special\nscipy.special.erfcx(x)", "keras.ops.erf(x)", says="functions of keras.ops", prose=True
    ),
]
START = "variable = keras.Variable(np.ones(3))\n"
VARIABLES = [
    Mistake(
        "keras.applications.resnet50(weights=None)",
        None,
        "keras.applications.resnet50.ResNet50(",
        because="takes seconds",
    ),
    Mistake(
        "v, value = keras.Variable(np.ones(4)), np.ones(3)\nv.assign(value)",
        "value = np.ones(3)\nv = keras.Variable(value)\nv.assign(value)",
        "keras.Variable(value)",
    ),
    Mistake("keras.Variable(1.0, aggregation='all')", 'keras.Variable(1.0, aggregation="mean")', 'aggregation="mean"'),
    Mistake("keras.Variable(1.0, name='a/b')", "keras.Variable(1.0, name='a_b')", "name='a_b'"),
    Mistake(
        "v, value = keras.Variable(np.ones(4)), np.ones((2, 2))\nv.assign(value)",
        "v, value = keras.Variable(np.ones(4)), np.ones((2, 2))\nv.assign(keras.ops.reshape(value, (4,)))",
        "keras.ops.reshape(value, (4,))",
    ),
    Mistake(
        "v, value = keras.Variable(np.ones((2, 4))), np.ones(4)\nv.assign(value)",
        "v, value = keras.Variable(np.ones((2, 4))), np.ones(4)\nv.assign(keras.ops.broadcast_to(value, (2, 4)))",
        "keras.ops.broadcast_to(value, (2, 4))",
    ),
    Mistake(
        "initializer = keras.initializers.Ones()\nkeras.Variable(initializer)",
        "initializer = keras.initializers.Ones()\nkeras.Variable(initializer, shape=(3,))",
        "keras.Variable(initializer, shape=(3,))",
    ),
    Mistake(
        "def initializer(shape, dtype): return np.ones(3)\nkeras.Variable(initializer, shape=(4,))",
        "def initializer(shape, dtype): return np.ones(3)\nkeras.Variable(initializer, shape=(3,))",
        "shape=(3,)",
    ),
    Mistake("keras.Variable(np.ones(3), shape=(4,))", "keras.Variable(np.ones(3), shape=(3,))", says="shape=(3,)"),
    *(
        Mistake(f"{START}{name} = {wrong}", f"{START}{fix}", fix)
        for name, wrong, fix in (
            ("variable.regularizer", "'l2'", "variable.regularizer = keras.regularizers.L2(0.01)"),
            ("variable.constraint", "0", "variable.constraint = keras.constraints.NonNeg()"),
            ("variable.overwrite_with_gradient", "1", "variable.overwrite_with_gradient = True"),
        )
    ),
]
GRAPHS = [
    Mistake("keras.layers.Dense(3, name='a/b')", "keras.layers.Dense(3, name='a_b')", says="name='a_b'"),
    Mistake("keras.KerasTensor(None)", "keras.KerasTensor(shape=(784,))", says="shape=(784,)"),
    Mistake("keras.KerasTensor((-1, 3))", "keras.KerasTensor(shape=(None, 3))", says="shape=(None, 3)"),
    Mistake(
        "keras.Model(inputs=np.ones(3), outputs=np.ones(3))",
        "x = keras.Input((3,))\nkeras.Model(inputs=x, outputs=keras.layers.Dense(3)(x))",
        says="keras.Input((3,))",
        prose=True,
    ),
    Mistake(
        "a, b = keras.Input((3,)), keras.Input((3,))\nkeras.Model(inputs=[a], outputs=a + b)",
        "a, b = keras.Input((3,)), keras.Input((3,))\nkeras.Model(inputs=[a, b], outputs=a + b)",
        says="Model(inputs=[",
        prose=True,
    ),
    Mistake(
        "keras.ops.add(keras.Input((3,), dtype='string'), 1)",
        "keras.layers.Hashing(10)(keras.Input((3,), dtype='string'))",
        says="layers.Hashing",
        prose=True,
    ),
    Mistake("keras.ops.cast(np.ones(3), 'float33')", "keras.ops.cast(np.ones(3), 'float32')", says="float32"),
    Mistake(
        "class Mine(keras.layers.Layer):\n    def __init__(self, units):\n        super().__init__(units)\nMine(3)",
        "class Mine(keras.layers.Layer):\n    def __init__(self, units, name=None, dtype=None):\n"
        "        super().__init__(name=name, dtype=dtype)\nMine(3)",
        says="super().__init__(name=name, dtype=dtype)",
    ),
]
SAVED = (
    "class Mine(keras.layers.Layer):\n    def call(self, x): return x\n"
    "keras.Sequential([keras.Input((3,)), Mine()]).save('m.keras', overwrite=True)\n"
)
DENSE = SAVED.replace("class Mine(", "@keras.saving.register_keras_serializable('mine')\nclass Dense(").replace(
    "Mine()", "Dense()"
)
DENSE += "del keras.saving.get_custom_objects()['mine>Dense']\n"
CONFIGS = [
    Mistake(
        "class Own(keras.layers.Layer):\n    def __init__(self, *sizes): super().__init__()\nOwn(1).get_config()",
        "class Own(keras.layers.Layer):\n    def __init__(self, *sizes): super().__init__()\n"
        "    def get_config(self): return {}\nOwn(1).get_config()",
        "def get_config(self)",
        prose=True,
    ),
    Mistake(
        SAVED + "keras.models.load_model('m.keras')",
        SAVED + "keras.models.load_model('m.keras', custom_objects={'Mine': Mine})",
        says="custom_objects={'Mine': Mine}",
    ),
    Mistake(
        DENSE + "keras.models.load_model('m.keras')",
        DENSE + "keras.models.load_model('m.keras', custom_objects={'mine>Dense': Dense})",
        says="custom_objects={'mine>Dense': Dense}",
    ),
    Mistake(
        SAVED.replace("Mine()]", "keras.layers.Lambda(lambda x: x)]") + "keras.models.load_model('m.keras')",
        SAVED.replace("Mine()]", "keras.layers.Lambda(lambda x: x)]")
        + "keras.models.load_model('m.keras', safe_mode=False)",
        says="safe_mode=False",
    ),
    Mistake(
        "@keras.saving.register_keras_serializable()\nclass Mine: pass",
        "@keras.saving.register_keras_serializable()\nclass Mine:\n    def get_config(self): return {}",
        says="def get_config(self): return {}",
    ),
    Mistake(
        "keras.saving.serialize_keras_object(object())",
        "class Mine:\n    def get_config(self): return {}\n"
        "    @classmethod\n    def from_config(cls, config): return cls()\n"
        "keras.saving.serialize_keras_object(Mine())",
        says="get_config() and from_config()",
        prose=True,
    ),
    Mistake(
        "class F:\n    def __call__(self, x): return x\nkeras.layers.Dense(3, activation=F()).get_config()",
        "def function(x): return x\nkeras.layers.Dense(3, activation=function).get_config()",
        says="def function(x):",
    ),
]
MESH = (
    "d = keras.distribution\nmesh = d.DeviceMesh((1,), ['x'], devices=d.list_devices()[:1])\n"
    "keras.Variable(np.ones(3), layout=d.TensorLayout({}, mesh))"
)
SETTINGS = [
    Mistake(MESH.format("['x', None]"), MESH.format("[None]"), says="None in the layout", prose=True),
    Mistake(
        "import os\nos.makedirs('d', exist_ok=True)\nos.chmod('d', 0o777)\nkeras.config.set_compilation_cache('d')",
        "import os\nos.makedirs('d', exist_ok=True)\nos.chmod('d', 0o700)\nkeras.config.set_compilation_cache('d')\n"
        "keras.config.set_compilation_cache(None)",
        says="chmod 700",
        prose=True,
    ),
    Mistake(
        "keras.ops.ones(3)\nkeras.config.set_process_settings(False)",
        None,
        says="set_process_settings(False)",
        because="the settings of the tests' process are changed already",
    ),
    Mistake(
        "keras.config.set_floatx('float33')", 'keras.config.set_floatx("float32")', 'keras.config.set_floatx("float32")'
    ),
    Mistake(
        "keras.layers.Flatten(data_format='channels')",
        'keras.layers.Flatten(data_format="channels_last")',
        says='data_format="channels_last"',
    ),
    Mistake(
        "keras.config.set_broadcast_targets('loud')",
        'keras.config.set_broadcast_targets("warn")',
        says='keras.config.set_broadcast_targets("warn")',
    ),
    Mistake("keras.config.set_checks('loud')", 'keras.config.set_checks("warn")', 'keras.config.set_checks("warn")'),
    Mistake(
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])\nm.predict(np.ones((2, 3)), verbose=7)",
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])\nm.predict(np.ones((2, 3)), verbose=1)",
        says="verbose=1",
    ),
    Mistake(
        "keras.utils.Progbar(2, stateful_metrics=['a'], stateless_metrics=['b'])",
        "keras.utils.Progbar(2, stateful_metrics=['a'])",
        says="stateless_metrics=None",
        prose=True,
    ),
    Mistake("keras.KerasTensor((3, 4.5))", "keras.KerasTensor(shape=(784,))", "shape=(784,)"),
    Mistake(
        'keras.saving.deserialize_keras_object({"class_name": "function", "config": ["relu"]})',
        'keras.saving.deserialize_keras_object({"class_name": "function", "config": "relu"})',
        '"config": "relu"',
    ),
    Mistake(
        'keras.saving.deserialize_keras_object({"class_name": "ReLU", "config": [1]})',
        'keras.saving.deserialize_keras_object({"class_name": "ReLU", "config": {}})',
        '"config": {}',
    ),
]
MISTAKES = [
    *NUMPY,
    *VALUES,
    *CONDITIONS,
    *CHANGES,
    *LIBRARIES,
    *SYMBOLS,
    *VARIABLES,
    *GRAPHS,
    *CONFIGS,
    *SETTINGS,
    *first_hour.METHODS,
    *first_hour.GRAPHS,
    *everyday.SAVING,
    *everyday.TRACED,
    *ordinary.CORE,
    *unseen.CORE,
]

test_fixes_work = fixes_work(MISTAKES)
FILES = (
    "bytecode.py", "dtypes.py", "graph.py", "keras_tensor.py", "no_values.py", "registry.py",
    "serialization.py", "traced_errors.py", "variable.py", "variable_settings.py",
)  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_fixes_are_tried(file, tmp_path, monkeypatch):
    fixes_are_tried(f"lamina/core/{file}", MISTAKES)(tmp_path, monkeypatch)
