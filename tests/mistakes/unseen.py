# ruff: noqa: E501
"""Mistakes that were written down before any error was read, by the folder whose fix they lead to."""

from tests.mistakes.mistake import Mistake
from tests.mistakes.ordinary import LINEAR, replaced

COUNTING = (
    "class Counter(keras.metrics.Metric):\n    def __init__(self):\n        super().__init__(); self.total = START\n"
    "    def update_state(self, y_true, y_pred, sample_weight=None): ADD\n    def result(self): return self.total\n"
    + LINEAR
    + "model.compile('sgd', 'mse', metrics=[Counter()]); model.fit(x, y, verbose=0)"
)
LOOP = (
    "class Mine(keras.layers.Layer):\n    def call(self, x):\n        s = keras.ops.sum(x)\n        HALVE\n        return x * s\n"
    "keras.Sequential([keras.Input((3,)), Mine()]).predict(np.ones((2, 3)), verbose=0)"
)
KEPT = (
    "import jax; v = keras.Variable(np.ones(3))\n@jax.jit\ndef f(x):\n    BODY\n    return x\n"
    "f(np.zeros(3, 'float32'))\n"
)
SINGLE = (
    "class Data(keras.utils.PyDataset):\n    def __len__(self): return 4\n    def __getitem__(self, i):\n        x, y = np.ones(4), 1.0\n        RETURN\n"
    + LINEAR
    + "model.fit(Data(), verbose=0)"
)
WINDOW = "x = np.arange(10.0); model = keras.Sequential([keras.Input((10, 1)), keras.layers.SimpleRNN(2)])\n"
MAXIMUM = (
    LINEAR + "\ndef top(y, p): return RESULT\nmodel.compile('sgd', 'mse', metrics=[top]); model.test_on_batch(x, y)"
)
CORE = [
    Mistake(LINEAR + "model.fit(x, y, test_size=0.2)", LINEAR + "model.fit(x, y, validation_split=0.2)", "model.fit(x, y, validation_split=0.2)"),
    Mistake("model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); x, y = np.ones((8, 4)), np.ones(8); model.fit(x, y, loss='mse', optimizer='sgd')", LINEAR + "model.compile(loss='mse', optimizer='sgd'); model.fit(x, y)", "model.compile(loss='mse', optimizer='sgd'); model.fit(x, y)"),
    Mistake("keras.layers.Conv2D(3, 16, kernel_size=3, padding=1)", "keras.layers.Conv2D(16, kernel_size=3, padding='same')", "keras.layers.Conv2D(16, kernel_size=3, padding='same')"),
    Mistake("@keras.function\ndef f(x): return x", "import jax\n@jax.jit\ndef f(x): return x\nf(np.ones(3))", "jax.jit"),
    replaced(MAXIMUM, "keras.ops.max(p)", "RESULT", "max(p)", "keras.ops.max(p)"),
    Mistake("import pandas as pd; " + MAXIMUM.replace("RESULT", "keras.ops.mean(pd.Series(p[:, 0]))"), MAXIMUM.replace("RESULT", "keras.ops.mean(p[:, 0])"), "p[:, 0]"),
    Mistake("dense = keras.layers.Dense(3, name='dense'); keras.Model(inputs=dense, outputs=dense)", "dense = keras.layers.Dense(3, name='dense'); x = keras.Input((3,)); keras.Model(inputs=x, outputs=dense(x))", "x = keras.Input((3,)); keras.Model(inputs=x, outputs=dense(x))"),
    Mistake("keras.layers.Dense(3, kernel_initializer=lambda shape: np.ones(shape))(np.ones((2, 3)))", "keras.layers.Dense(3, kernel_initializer=lambda shape, dtype=None: np.ones(shape))(np.ones((2, 3)))", "lambda shape, dtype=None:"),
    Mistake("def init(shape): return keras.ops.ones(shape)\nkeras.layers.Dense(3, kernel_initializer=init)", "def init(shape, dtype=None): return keras.ops.ones(shape)\nkeras.layers.Dense(3, kernel_initializer=init)(np.ones((2, 3)))", "def init(shape, dtype=None):"),
    Mistake("def swish(x, beta): return x * beta\nkeras.layers.Dense(3, activation=swish)", "def swish(x): return x * 2\nkeras.layers.Dense(3, activation=swish)(np.ones((2, 3)))", "def swish(x):"),
    Mistake("keras.metrics.TopKCategoricalAccuracy('5')", "keras.metrics.TopKCategoricalAccuracy(5)", "keras.metrics.TopKCategoricalAccuracy(5)"),
    Mistake("keras.losses.Huber(delta='one')", "keras.losses.Huber(delta=1.0)", "keras.losses.Huber(delta=1.0)"),
    Mistake("keras.layers.Normalization(axis='columns')", "keras.layers.Normalization(axis=-1)", "keras.layers.Normalization(axis=-1)"),
    Mistake("keras.optimizers.schedules.CosineDecay('0.1', 100)", "keras.optimizers.schedules.CosineDecay(0.1, 100)", "keras.optimizers.schedules.CosineDecay(0.1, 100)"),
    Mistake("keras.regularizers.L2(lam=0.01)", "keras.regularizers.L2(l2=0.01)", "keras.regularizers.L2(l2=0.01)"),
    Mistake("keras.datasets.mnist.load()", "keras.datasets.mnist.load_data", "keras.datasets.mnist.load_data"),
    Mistake(LINEAR + "model.history.history", LINEAR + "history = model.fit(x, y, verbose=0); model.history.history", "history = model.fit(x, y"),
    Mistake(
        COUNTING.replace("START", "0.0").replace("ADD", "self.total += keras.ops.sum(y_pred)"),
        COUNTING.replace("START", "self.add_weight(shape=(), initializer='zeros')").replace("ADD", "self.total.assign(self.total + keras.ops.sum(y_pred))"),
        "self.total.assign(self.total + keras.ops.sum(y_pred))",
    ),
    replaced(LOOP, "s = keras.ops.while_loop(lambda s: s > 1, lambda s: s / 2, s)", "HALVE", "while s > 1:\n            s = s / 2", "s = keras.ops.while_loop(lambda s: s > 1, lambda s: s / 2, s)"),
    replaced(LOOP, "s = keras.ops.while_loop(lambda s: s > 1, lambda s: s * (0.5), s)", "HALVE", "while s > 1:\n            s *= 0.5", "s = keras.ops.while_loop(lambda s: s > 1, lambda s: s * (0.5), s)"),
    Mistake(KEPT.replace("BODY", "v.assign(x)") + "v.numpy()", KEPT.replace("BODY", "pass") + "variable = v; x = np.ones(3)\nnew = f(x); variable.assign(new)", "new = f(x); variable.assign(new)"),
    Mistake(KEPT.replace("BODY", "v.assign(x)") + "v + 1", KEPT.replace("BODY", "pass") + "variable = v; x = np.ones(3)\nnew = f(x); variable.assign(new)", "new = f(x); variable.assign(new)"),
    Mistake(
        "import jax; layer = keras.layers.BatchNormalization(); layer.build((None, 3))\n@jax.jit\ndef f(x): return layer(x, training=True)\nx = np.zeros((4, 3), 'float32'); f(x); layer(x)",
        "import jax; layer = keras.layers.BatchNormalization(); layer.build((None, 3)); trainable, non_trainable = layer.trainable_variables, layer.non_trainable_variables\n@jax.jit\ndef f(trainable, non_trainable, x):\n    outputs, new = layer.stateless_call(trainable, non_trainable, x)\n    return outputs, new\nf([v.value for v in trainable], [v.value for v in non_trainable], np.zeros((4, 3), 'float32'))",
        "outputs, new = layer.stateless_call(trainable, non_trainable, x)",
    ),
    Mistake("x = keras.ops.ones((2, 3)); x.detach().cpu().numpy()", "x = keras.ops.ones((2, 3)); keras.ops.convert_to_numpy(x)", "keras.ops.convert_to_numpy(x)"),
    Mistake("x = keras.ops.ones(()); x.detach().cpu().item()", "x = keras.ops.ones(()); keras.ops.convert_to_numpy(x).item()", "keras.ops.convert_to_numpy(x).item()"),
]  # fmt: skip
KEPT_LOSS = (
    "class Mine(keras.Model):\n    def __init__(self):\n        super().__init__(); self.dense = keras.layers.Dense(1); self.seen = START\n"
    "    def call(self, x): return self.dense(x)\n    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):\n"
    "        loss = keras.ops.mean((y - y_pred) ** 2); KEEP\n        return loss\n"
    "model = Mine(); model.compile('sgd'); history = model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)\n"
)
TRACKED = (
    KEPT_LOSS.replace("START", "keras.metrics.Mean('seen')").replace("KEEP", "self.seen.update_state(loss)")
    + "history.history['seen']"
)
OWN = [
    Mistake(KEPT_LOSS.replace("START", "[]").replace("KEEP", "self.seen.append(float(loss))"), TRACKED, "self.seen.update_state(loss)"),
    Mistake(KEPT_LOSS.replace("START", "0.0").replace("KEEP", "self.seen = float(loss)"), TRACKED, "self.seen.update_state(loss)"),
    replaced("import io, jax, sys; sys.stdout = io.StringIO()\n" + KEPT_LOSS.replace("START", "0.0"), "jax.debug.print(\"{}\", loss)", "KEEP", "print('loss', float(loss))", "jax.debug.print(\"{}\", loss)"),
]  # fmt: skip
CALLBACKS = [
    Mistake("keras.callbacks.EarlyStopping(5)", "keras.callbacks.EarlyStopping(patience=5)", "keras.callbacks.EarlyStopping(patience=5)"),
    Mistake("keras.callbacks.ModelCheckpoint('a.keras', 1)", "keras.callbacks.ModelCheckpoint('a.keras', monitor='val_loss')", "monitor='val_loss'"),
]  # fmt: skip
CELL = (
    "class Cell(keras.layers.Layer):\n    state_size = 3\n    def call(self, inputs, states):\n        outputs = inputs + states[0]\n        RETURN\n"
    "keras.layers.RNN(Cell())(np.ones((2, 5, 3), 'float32'))"
)
LAYERS = [
    Mistake(WINDOW + "model.predict(x, verbose=0)", WINDOW + "model.predict(x.reshape(1, 10, 1), verbose=0)", "x.reshape(1, 10, 1)"),
    Mistake("keras.layers.Conv3D(4, 3)(keras.Input((16, 16, 3)))", "from lamina import layers; layers.Conv2D(4, 3)(keras.Input((16, 16, 3)))", "layers.Conv2D(4, 3)"),
    Mistake("keras.layers.Conv3D(4, 3)(keras.Input((16, 16, 3)))", "keras.layers.Conv3D(4, 3)(keras.Input((None, 16, 16, 3)))", "keras.Input((None, 16, 16, 3))"),
    replaced(CELL, "return outputs, [outputs]", "RETURN", "return outputs", "return outputs, [outputs]"),
    Mistake("layer = keras.layers.StringLookup(vocabulary=['a', 'b'], invert=True); layer(np.array(['a']))", "x = np.array(['a']); keras.layers.StringLookup(vocabulary=['a', 'b'])(x)", "without invert=True", prose=True),
    Mistake("model = keras.Sequential([keras.layers.Dense(1)], name='net'); model.set_weights([np.ones((3, 1)), np.zeros(1)])", "net = keras.Sequential([keras.layers.Dense(1)]); net.build((None, 3)); net.set_weights([np.ones((3, 1)), np.zeros(1)])", "net.build((None, 3))"),
]  # fmt: skip
OPTIMIZERS = [
    Mistake(LINEAR + "keras.optimizers.Adam(model.trainable_variables, 0.001)", "keras.optimizers.Adam(learning_rate=0.001)", "keras.optimizers.Adam(learning_rate=0.001)"),
]  # fmt: skip
STEPS = (
    LINEAR
    + "x = np.ones((8, 5, 3)); model = keras.Sequential([keras.Input((5, 3)), keras.layers.SimpleRNN(2), keras.layers.Dense(UNITS)]); model.compile('sgd', 'mse')\n"
)
DATED = "import datetime; import pandas as pd; import LIBRARY as table\nx = table.MAKE({'day': [datetime.date(2024, 1, day) for day in (1, 2, 3)], 'b': [1.0, 2.0, 3.0]}); y = np.ones(3)\n"
DAYS = "x = x.to_pandas(); x['day'] = (pd.to_datetime(x['day']) - pd.to_datetime(x['day']).min()).dt.total_seconds() / 86400"
FIT_TWO = "\nmodel = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse'); model.fit(x, y, verbose=0)"
DATA = [
    *(Mistake(made + FIT_TWO, made + DAYS + FIT_TWO, DAYS) for made in (DATED.replace("LIBRARY", library).replace("MAKE", make) for library, make in (("pyarrow", "table"), ("polars", "DataFrame")))),
    *(Mistake(STEPS.replace("UNITS", units) + f"y = np.ones((8, 5, {units})); model.fit(x, y, verbose=0)", STEPS.replace("UNITS", units) + f"y = np.ones((8, 5, {units}))\nmodel.fit(x, y[:, -1], verbose=0)", "y[:, -1]") for units in "12"),
    Mistake(LINEAR + "y = np.ones((3, 8)); model.fit(x, y, verbose=0)", LINEAR + "y = np.ones((1, 8))\ny = y.T  # a target is a row of y\nmodel.fit(x, y, verbose=0)", "y = y.T  # a target is a row of y"),
    Mistake(LINEAR + "model.fit(x, y, verbose=0, resume=True)", LINEAR + "model.fit(x, y, verbose=0, resume='run')", "resume='run'"),
    Mistake(LINEAR + "x = np.ones((4, 90)); y = np.ones(90); model.fit(x, y, verbose=0)", LINEAR + "x = np.ones((4, 90)); y = np.ones(90)\nx = x.T  # a sample is a row of x\nmodel.fit(x, y, verbose=0)", "x = x.T  # a sample is a row of x"),
    replaced(SINGLE, "return x[None], np.array([y])", "RETURN", "return x, y", "return x[None], np.array([y])"),
    Mistake(
        "a, b = keras.Input((4,), name='a'), keras.Input((3,), name='b'); model = keras.Model([a, b], keras.layers.Dense(1)(keras.layers.Concatenate()([a, b]))); model.compile('sgd', 'mse')\n"
        "def batches():\n    while True: yield np.ones((4, 4)), np.ones((4, 3)), np.ones(4)\nmodel.fit(batches(), steps_per_epoch=2, verbose=0)",
        "a, b = keras.Input((4,), name='a'), keras.Input((3,), name='b'); model = keras.Model([a, b], keras.layers.Dense(1)(keras.layers.Concatenate()([a, b]))); model.compile('sgd', 'mse')\n"
        "def batches():\n    a, b, y = np.ones((4, 4)), np.ones((4, 3)), np.ones(4)\n    while True: yield ((a, b), y)\nmodel.fit(batches(), steps_per_epoch=2, verbose=0)",
        "((a, b), y)",
    ),
]  # fmt: skip
DISTRIBUTION = [
    Mistake("keras.distribution.DataParallel(devices=1)", "from lamina.distribution import DataParallel; DataParallel(devices=keras.distribution.list_devices()[:1])", "DataParallel(devices=keras.distribution.list_devices()[:1])"),
]  # fmt: skip
OPS = [
    Mistake("x = keras.ops.ones((4, 3)); keras.Input((3,))['age']", "x = keras.Input((3,)); x[:, 0]", "x[:, 0]"),
    Mistake("keras.random.uniform(0, 1, (3,))", "keras.random.uniform((3,), 0, 1)", "keras.random.uniform((3,), 0, 1)"),
]  # fmt: skip
PYTHON = [
    Mistake("data = [np.zeros(3), np.ones(3)]; data.batch(2)", "data = [np.zeros(3), np.ones(3)]; keras.utils.Dataset.from_tensor_slices(data).batch(2)", "keras.utils.Dataset.from_tensor_slices(data).batch(2)"),
    Mistake("x = np.zeros((4, 3)); x.shuffle(10)", "x = np.zeros((4, 3)); keras.utils.Dataset.from_tensor_slices(x).shuffle(10)", "keras.utils.Dataset.from_tensor_slices(x).shuffle(10)"),
    Mistake("x, y = np.zeros((4, 3)), np.ones(4); zip(x, y).batch(2)", "x, y = np.zeros((4, 3)), np.ones(4); keras.utils.Dataset.from_generator(lambda: zip(x, y)).batch(2)", "keras.utils.Dataset.from_generator(lambda: zip(x, y)).batch(2)"),
    Mistake("metric = keras.metrics.MeanSquaredError(); metric.update_state([1.0, 2.0])", "metric = keras.metrics.MeanSquaredError(); y_pred = [1.0, 2.0]; metric.update_state([1.0, 2.0], y_pred)", "metric.update_state([1.0, 2.0], y_pred)"),
    Mistake(LINEAR + "model.layers[:-1].trainable = False", LINEAR + "\nfor layer in model.layers[:-1]: layer.trainable = False", "for layer in model.layers[:-1]: layer.trainable = False"),
    Mistake(LINEAR + "import jax; jax.grad(lambda x: model(x))(x)", LINEAR + "import jax; jax.grad(lambda x: keras.ops.sum(model(x)))(x.astype('float32'))", "jax.grad(lambda x: keras.ops.sum(model(x)))"),
    Mistake(LINEAR + "import jax; jax.grad(model)(x)", LINEAR + "import jax; jax.grad(lambda *args: keras.ops.sum(model(*args)))(x.astype('float32'))", "jax.grad(lambda *args: keras.ops.sum(model(*args)))"),
    Mistake("from lamina import layers; layers.Dense(3)[0]", "from lamina import layers; x = np.ones((2, 3)); layers.Dense(3)(x)[0]", "layers.Dense(3)(x)[0]"),
]  # fmt: skip
