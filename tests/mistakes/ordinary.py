# ruff: noqa: E501
"""Mistakes of ordinary people, by the folder whose fix they lead to: wrong places, classes, calls, and other libraries' order."""

from tests.mistakes.mistake import Mistake

LINEAR = "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse'); x, y = np.ones((8, 4)), np.ones(8); "
PARTS = LINEAR + "x_train, x_test, y_train, y_test = x, x[:4], y, y[:4]; "
OWN = "class Mine(keras.layers.Layer):\n    def INIT: super().__init__(); self.d = keras.layers.Dense(1)\n    def call(self, x): return self.d(x)\n"
LAYER = "class Mine(keras.layers.Layer):\n    def __init__(self): super().__init__(); self.dense = keras.layers.Dense(3)\n    def call(self, x): return CALL\nmodel = keras.Sequential([keras.Input((4,)), Mine()]); model.predict(np.ones((2, 4)), verbose=0)"
SIZED = "class Mine(keras.layers.Layer):\n    def build(self, shape): self.w = self.add_weight(SIZE)\n    def call(self, x): return x @ self.w\nMine()(np.ones((2, 4), 'float32'))"
SUM = "a, b = keras.ops.ones((3, 2)), keras.ops.ones((3,)); a + B"
POSITIONS = (
    "class Mine(keras.layers.Layer):\n    def __init__(self): super().__init__(); self.words = keras.layers.Embedding(9, 2); self.places = keras.layers.Embedding(9, 2)\n"
    "    def call(self, x): return self.words(x) + self.places(keras.ops.arange(SIZE))\nMine()(np.ones((2, 6), 'int32'))"
)
TWO = "i = keras.Input((4,)); model = keras.Model(i, {'a': keras.layers.Dense(1)(i), 'b': keras.layers.Dense(1)(i)}); model.compile('sgd', 'mse'); y = np.ones(8); "


def replaced(text, says, name, wrong, right, prose=False):
    """A mistake in one place of a program."""
    return Mistake(text.replace(name, wrong), text.replace(name, right), says, prose)


CORE = [
    Mistake("keras.layers.Dense(2, 'relu', 'softmax')", "from lamina.layers import Dense; Dense(units=2, activation=\"relu\", use_bias=True)", "Dense(units=2, activation=\"relu\", use_bias=True)"),
    Mistake("keras.losses.BinaryCrossentropy('from_logits')", "from lamina.losses import BinaryCrossentropy; BinaryCrossentropy(from_logits=True)", "BinaryCrossentropy(from_logits=True)"),
    Mistake("keras.Model([keras.layers.Dense(2), keras.layers.Dense(1)])", "keras.Sequential([keras.layers.Dense(2, name=\"dense\"), keras.layers.Dense(1, name=\"dense_1\")])", "keras.Sequential([keras.layers.Dense(2, name=\"dense\"), keras.layers.Dense(1, name=\"dense_1\")])"),
    replaced(OWN + "Mine(3)(np.ones((2, 3)))", "def __init__(self, n):", "INIT", "_init_(self, n)", "__init__(self, n)", prose=True),
    replaced(OWN + "Mine(n=3)(np.ones((2, 3)))", "def __init__(self, n):", "INIT", "__int__(self, n)", "__init__(self, n)", prose=True),
    replaced(OWN + "Mine()(np.ones((2, 3)))", "def __init__(self):", "INIT", "_init_(self)", "__init__(self)", prose=True),
    Mistake("keras.layers.LSTM('4')", "keras.layers.LSTM(4)", "keras.layers.LSTM(4)"),
    Mistake("keras.ops.zeros(3, 4)", "keras.ops.zeros((3, 4))", "keras.ops.zeros((3, 4))"),
    replaced(SIZED, "self.add_weight((4, 2))", "SIZE", "shape[-1], 2", "(4, 2)"),
    replaced(POSITIONS, "self.words(x) + self.places(keras.ops.arange(x.shape[1]))", "SIZE", "9", "x.shape[1]"),
    Mistake(LINEAR + "model.compile(0.001, 'mse')", LINEAR + "model.compile(optimizer=keras.optimizers.Adam(0.001), loss='mse')", "optimizer=keras.optimizers.Adam(0.001)"),
    Mistake("keras.layers.Dense(2, activation=keras.activations.relu())", "keras.layers.Dense(2, activation=keras.activations.relu)", "activation=keras.activations.relu"),
    Mistake("a, b = keras.Input((2,)), keras.Input((2,)); keras.layers.add(a, b)", "x, y = keras.Input((2,)), keras.Input((2,)); keras.layers.add([x, y])", "keras.layers.add([x, y])"),
]  # fmt: skip
LAYERS = [
    Mistake("a, b = keras.Input((2,)), keras.Input((2,)); keras.layers.concatenate(a, b)", "x, y = keras.Input((2,)), keras.Input((2,)); keras.layers.concatenate([x, y])", "keras.layers.concatenate([x, y])"),
    Mistake("keras.Sequential([keras.layers.Dense(2)])(np.ones((2, 3)), np.ones((2, 2)))", "keras.Sequential([keras.layers.Dense(2)])(np.ones((2, 3)))", "sequential(x)", prose=True),
    replaced(LAYER, "self.dense = keras.layers.Dense(3)", "CALL", "keras.layers.Dense(3)(x)", "self.dense(x)", prose=True),
    Mistake("dense = keras.layers.Dense(3, name='dense'); dense([1.0, 2.0])", "x = [1.0, 2.0]; dense = keras.layers.Dense(3, name='dense'); dense(np.array([x]))", "dense(np.array([x]))"),
    Mistake("dense = keras.layers.Dense(3, name='dense'); dense(5)", "x = 5; dense = keras.layers.Dense(3, name='dense'); dense(np.array([[x]]))", "dense(np.array([[x]]))"),
    Mistake(
        "keras.layers.LSTM(4, name='lstm')(np.ones((2, 5, 3), 'float32'), np.zeros((2, 4)), np.zeros((2, 4)))",
        "x = np.ones((2, 5, 3), 'float32'); hidden = carry = np.zeros((2, 4)); lstm = keras.layers.LSTM(4); lstm(x, initial_state=[hidden, carry])",
        "lstm(x, initial_state=[hidden, carry])",
    ),
    Mistake("keras.Sequential([keras.Input((9,)), keras.layers.Embedding(9, 2), keras.layers.Conv2D(4, 3)])", "from lamina import layers; keras.Sequential([keras.Input((9,)), keras.layers.Embedding(9, 2), layers.Conv1D(4, 3)])", "layers.Conv1D(4, 3)"),
]  # fmt: skip
MODELS = [
    Mistake(
        "model = keras.Sequential(); model.add([keras.layers.Dense(8), keras.layers.Dense(1)])",
        "from lamina.layers import Dense; model = keras.Sequential()\nfor layer in [Dense(8), Dense(1)]: model.add(layer)",
        "for layer in [Dense(8), Dense(1)]: model.add(layer)",
    ),
]  # fmt: skip
OPS = [
    Mistake(
        "x = keras.Input((9, 9, 3)); keras.layers.Conv2D(3, 16, 3)(x)", "from lamina import layers; x = keras.Input((9, 9, 3)); layers.Conv2D(16, 3)(x)", "layers.Conv2D(16, 3)",
    ),
]  # fmt: skip
LOSSES = [
    Mistake("keras.losses.mean_squared_error(np.ones((2, 4, 4, 1)), np.ones((2, 9, 1, 1)))", "keras.losses.mean_squared_error(np.ones((2, 4, 4, 1)), np.ones((2, 4, 4, 1)))", "(height, width, channels)", prose=True),
]  # fmt: skip
TRAINING = [
    Mistake(TWO + "model.fit(np.ones((8, 4)), y, verbose=0)", TWO + "y = {'a': y, 'b': y}; model.fit(np.ones((8, 4)), y, verbose=0)", "y = {'a': y, 'b': y}"),
    Mistake(LINEAR + "model.evaluate(x, verbose=0)", LINEAR + "model.evaluate(x, y, verbose=0)", "evaluate(x, y)", prose=True),
]  # fmt: skip
DATA = [
    Mistake(PARTS + "model.fit(x_train, x_test, y_train, y_test)", PARTS + "model.fit(x_train, y_train, validation_data=(x_test, y_test))", "model.fit(x_train, y_train, validation_data=(x_test, y_test))"),
    Mistake(PARTS + "model.fit(x_train, y_train, x_test, y_test)", PARTS + "model.fit(x_train, y_train, validation_data=(x_test, y_test))", "model.fit(x_train, y_train, validation_data=(x_test, y_test))"),
    Mistake(LINEAR + "model.fit(x, y, y)", LINEAR + "model.fit(x, y, sample_weight=y)", "model.fit(x, y, sample_weight=y)"),
    Mistake(LINEAR + "model.evaluate(x, y, y)", LINEAR + "model.evaluate(x, y)", "model.evaluate(x, y)"),
    Mistake(LINEAR + "model.predict(x, y)", LINEAR + "model.predict(x)", "model.predict(x)"),
]  # fmt: skip
RUNTIME = [
    Mistake("keras.device('cuda')", "keras.device('cpu')", "'cpu'"),
    Mistake("keras.distribution.list_devices('tpu')", "keras.distribution.list_devices('cpu')", "'cpu'"),
    Mistake("keras.config.set_image_data_format('channels-first')", "keras.config.set_image_data_format(data_format=\"channels_first\"); keras.config.set_image_data_format('channels_last')", "data_format=\"channels_first\""),
]  # fmt: skip
PYTHON = [
    replaced(SUM, "keras.ops.expand_dims(b, -1)", "B", "b", "keras.ops.expand_dims(b, -1)"),
    Mistake("a, b = keras.ops.ones((3, 2)), keras.ops.ones((2, 3)); a * b", "a, b = keras.ops.ones((3, 2)), keras.ops.ones((2, 3)); keras.ops.transpose(a) * b", "keras.ops.transpose(a)"),
    Mistake("a, b = keras.ops.ones((4, 3, 2)), keras.ops.ones((5, 2)); a * b", "a, b = keras.ops.ones((4, 3, 2)), keras.ops.ones((3, 2)); a * b", "b has 5 on axis -2, and a has 3", prose=True),
    replaced(OWN + "Mine()(np.ones((2, 3)))", "super().__init__()", "INIT", "__init__(self): super.__init__(); self", "__init__(self): super().__init__(); self"),
    Mistake(LINEAR + "model.predict(x, verbose=0).numpy()", LINEAR + "model.predict(x, verbose=0)", "model.predict(x, verbose=0)"),
    Mistake("a, b = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dense(2)]); c = a + b", "a, b = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dense(2)]); c = keras.Sequential([a, b])", "keras.Sequential([a, b])"),
]  # fmt: skip
