# ruff: noqa: E501
"""Mistakes of ordinary people, by the folder whose fix they lead to: wrong places, classes, calls, and other libraries' order."""

from tests.mistakes.mistake import Mistake

LINEAR = "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse'); x, y = np.ones((8, 4)), np.ones(8); "
PARTS = LINEAR + "x_train, x_test, y_train, y_test = x, x[:4], y, y[:4]; "
OWN = "class Mine(keras.layers.Layer):\n    def INIT: super().__init__(); self.d = keras.layers.Dense(1)\n    def call(self, x): return self.d(x)\n"
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


CONFIG = (
    "@keras.saving.register_keras_serializable()\nclass Mine(keras.layers.Layer):\n    def __init__(self, n, rate, **kwargs): super().__init__(**kwargs); self.n, self.rate = n, rate\n"
    "    def call(self, x): return x\n    def get_config(self): return PARTS\nMine.from_config(Mine(2, 0.5).get_config())"
)
ADDED = "class Mine(keras.layers.Layer):\n    def call(self, outputs): LOSS; return outputs\nMine()(np.ones((2, 3)))"
SEEN = LINEAR + "history = model.fit(x, y, verbose=0); "

CORE = [
    Mistake("keras.layers.Conv2D((3, 3), 32)", "keras.layers.Conv2D(32, (3, 3))", "keras.layers.Conv2D(32, (3, 3))"),
    Mistake("keras.layers.Dense('relu', 32)", "keras.layers.Dense(32, 'relu')", "keras.layers.Dense(32, 'relu')"),
    Mistake("keras.layers.Dense([4, 2])", "keras.layers.Dense(4), keras.layers.Dense(2)", "keras.layers.Dense(4), keras.layers.Dense(2)"),
    Mistake("keras.optimizers.Adam(clipnorm='1.0')", "keras.optimizers.Adam(clipnorm=1.0)", "keras.optimizers.Adam(clipnorm=1.0)"),
    Mistake("keras.optimizers.Adam(keras.callbacks.ReduceLROnPlateau())", LINEAR + "model.fit(x, y, verbose=0, validation_split=0.5, callbacks=[keras.callbacks.ReduceLROnPlateau(monitor=\"val_loss\")])", "callbacks=[keras.callbacks.ReduceLROnPlateau(monitor=\"val_loss\")]"),
    Mistake("keras.layers.GELU()", "keras.layers.Activation('gelu')", "keras.layers.Activation('gelu')"),
    Mistake(LINEAR + "model.fit(x, y, verbose=0).predict(x)", LINEAR + "model.fit(x, y, verbose=0); model.predict(x)", "model.predict"),
    Mistake(LINEAR + "model.compile('sgd', keras.metrics.MeanAbsoluteError()); model.train_on_batch(x, y)", LINEAR + "model.compile('sgd', loss=keras.losses.MeanAbsoluteError()); model.train_on_batch(x, y)", "loss=keras.losses.MeanAbsoluteError()"),
    replaced(CONFIG, "{**super().get_config(), 'rate': self.rate", "PARTS", "{'n': self.n}", "{**super().get_config(), 'rate': self.rate, 'n': self.n}"),
    Mistake("x = keras.Input((4,)); keras.layers.Dense(4) + x", "x = keras.Input((4,)); dense = keras.layers.Dense(4); dense(x) + x", "dense(x)"),
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
    Mistake("keras.layers.Lambda(3)", "keras.layers.Lambda(lambda inputs: inputs * 2.0)", "keras.layers.Lambda(lambda inputs: inputs * 2.0)"),
    Mistake("keras.layers.Conv2D(8, 3)(keras.Input((32, 9, 9, 1)))", "keras.layers.Conv2D(8, 3)(keras.Input((9, 9, 1)))", "keras.Input((9, 9, 1))"),
    Mistake("x = np.ones((2, 5, 3), 'float32'); keras.layers.LSTM(4)(x, mask=np.ones((2, 4), bool))", "x = np.ones((2, 5, 3), 'float32'); mask = keras.ops.any(x != 0, axis=-1); keras.layers.LSTM(4)(x, mask=mask)", "mask = keras.ops.any(x != 0, axis=-1)"),
    Mistake(
        "attention = keras.layers.Attention(name='attention'); query, value = np.ones((2, 5, 8)), np.ones((2, 6, 4)); attention([query, value])",
        "attention = keras.layers.Attention(name='attention'); query, value = np.ones((2, 5, 8)), np.ones((2, 6, 4)); key = keras.layers.Dense(8)(value); attention([query, value, key])",
        "key = keras.layers.Dense(8)(value); attention([query, value, key])",
    ),
    Mistake("keras.layers.Dense(2, name='dense')(keras.layers.InputLayer((4,), name='input_layer'))", "input_layer = keras.layers.InputLayer((4,)); dense = keras.layers.Dense(2); dense(input_layer.output)", "dense(input_layer.output)"),
    replaced(ADDED, "self.add_loss(keras.ops.mean(keras.ops.square(outputs)))", "LOSS", "self.add_loss('mse')", "self.add_loss(keras.ops.mean(keras.ops.square(outputs)))"),
    Mistake(
        "o, fh, fc, bh, bc = keras.layers.Bidirectional(keras.layers.LSTM(2, return_state=True))(keras.Input((5, 3))); keras.layers.LSTM(2)(keras.Input((4, 3)), initial_state=[fh, fc, bh, bc])",
        "from lamina import layers; o, forward_h, forward_c, backward_h, backward_c = layers.Bidirectional(layers.LSTM(2, return_state=True))(keras.Input((5, 3))); x = keras.Input((4, 3))\nlayers.LSTM(4)(x, initial_state=[keras.layers.Concatenate()([forward_h, backward_h]), keras.layers.Concatenate()([forward_c, backward_c])])",
        "layers.LSTM(4)(x, initial_state=[keras.layers.Concatenate()([forward_h, backward_h]), keras.layers.Concatenate()([forward_c, backward_c])])",
    ),
    Mistake("a, b = keras.Input((2,)), keras.Input((2,)); keras.layers.concatenate(a, b)", "x, y = keras.Input((2,)), keras.Input((2,)); keras.layers.concatenate([x, y])", "keras.layers.concatenate([x, y])"),
    Mistake("keras.Sequential([keras.layers.Dense(2)])(np.ones((2, 3)), np.ones((2, 2)))", "keras.Sequential([keras.layers.Dense(2)])(np.ones((2, 3)))", "sequential(x)", prose=True),
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
    Mistake("y = np.ones((4, 1, 3)); keras.losses.categorical_crossentropy(y, np.ones((4, 3)))", "y = np.ones((4, 1, 3)); y = y.reshape((-1, 3)); keras.losses.categorical_crossentropy(y, np.ones((4, 3)))", "y = y.reshape((-1, 3))"),
    Mistake(LINEAR + "model.compile('sgd', 'mse', metrics=[lambda p: p]); model.train_on_batch(x, y)", LINEAR + "model.compile('sgd', 'mse', metrics=[lambda y_true, y_pred: keras.ops.mean(y_pred)]); model.train_on_batch(x, y)", "lambda y_true, y_pred:"),
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
CALLBACKS = [
    Mistake(LINEAR + "model.fit(x, y, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch: print(epoch))])", LINEAR + "model.fit(x, y, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))])", "on_epoch_end=lambda epoch, logs:"),
]  # fmt: skip
PYTHON = [
    Mistake("x = keras.Input((None, 4)); x.shape[1] > 5", "x = keras.Input((None, 4)); keras.ops.shape(x)[1]", "keras.ops.shape(x)[1]"),
    Mistake(LINEAR + "tf.reduce_mean(x)", LINEAR + "keras.ops.mean(x)", "keras.ops.mean(x)"),
    Mistake("keras.layers.Dense(2); Flatten()", "from lamina.layers import Flatten; Flatten()", "from lamina.layers import Flatten"),
    Mistake("keras.layers.Dense(2); layers.Flatten()", "from lamina import layers; layers.Flatten()", "from lamina import layers"),
    Mistake(SEEN + "np.array([history, [1, 2]], float)", SEEN + "np.array(history.history['loss'], float)", "history.history['loss']"),
    replaced(SUM, "keras.ops.expand_dims(b, -1)", "B", "b", "keras.ops.expand_dims(b, -1)"),
    Mistake("a, b = keras.ops.ones((3, 2)), keras.ops.ones((2, 3)); a * b", "a, b = keras.ops.ones((3, 2)), keras.ops.ones((2, 3)); keras.ops.transpose(a) * b", "keras.ops.transpose(a)"),
    Mistake("a, b = keras.ops.ones((4, 3, 2)), keras.ops.ones((5, 2)); a * b", "a, b = keras.ops.ones((4, 3, 2)), keras.ops.ones((3, 2)); a * b", "b has 5 on axis -2, and a has 3", prose=True),
    replaced(OWN + "Mine()(np.ones((2, 3)))", "super().__init__()", "INIT", "__init__(self): super.__init__(); self", "__init__(self): super().__init__(); self"),
    Mistake(LINEAR + "model.predict(x, verbose=0).numpy()", LINEAR + "model.predict(x, verbose=0)", "model.predict(x, verbose=0)"),
    Mistake("a, b = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dense(2)]); c = a + b", "a, b = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dense(2)]); c = keras.Sequential([a, b])", "keras.Sequential([a, b])"),
]  # fmt: skip
