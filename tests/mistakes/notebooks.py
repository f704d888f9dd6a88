# ruff: noqa: E501
"""Mistakes of notebooks by the folder whose fix they lead to: merged branches, functions that make losses, searches."""

from tests.mistakes.mistake import Mistake

XY = "x, y = np.ones((8, 4), 'float32'), np.ones((8, 1), 'float32'); "
MODEL = XY + "model = keras.Sequential([keras.layers.Dense(1)]); "
OWN = "class Mine(keras.layers.Layer):\n    BODY\n"
LOSS = (
    XY
    + "\ndef make(alpha):\n    def loss(y_true, y_pred): return alpha * keras.ops.mean((y_true - y_pred) ** 2)\n    return loss\n"
)
DECODER = "x = keras.Input((10, 3)); "
BUILD = (
    "def build(X, y, units=2):\n    model = keras.Sequential([keras.layers.Dense(units), keras.layers.Dense(2, activation='softmax')])\n"
    "    model.compile('sgd', 'categorical_crossentropy')\n    RETURN\nestimator = keras.wrappers.SKLearnClassifier(build, model_kwargs=None)\n"
)

SIZES = "from lamina.layers.image.random_sizes import RandomHeight\n"
CROSSING = "from lamina.layers.text.category_crossing import CategoryCrossing\n"
DRAWN = SIZES + (
    "images, y = np.ones((2, 8, 8, 3)), np.ones((2, 3))\nmodel = keras.Sequential([LAYER, keras.layers.GlobalAveragePooling2D()])\n"
    "model.compile('sgd', 'mse'); model.fit(images, y, verbose=0)"
)

LAYERS = [
    Mistake(
        DRAWN.replace("LAYER", "RandomHeight(0.2)"),
        DRAWN.replace("LAYER", "keras.layers.RandomZoom(height_factor=0.2, width_factor=0.0)"),
        "keras.layers.RandomZoom(height_factor=0.2, width_factor=0.0)",
    ),
    Mistake(SIZES + "RandomHeight((0.5, 0.1))", SIZES + "RandomHeight(factor=(-0.2, 0.3))", "factor=(-0.2, 0.3)"),
    Mistake(
        CROSSING + "CategoryCrossing(3)([['a'], ['b']])", CROSSING + "CategoryCrossing(2)([['a'], ['b']])", "CategoryCrossing(2)"
    ),
    Mistake(
        MODEL + "model.compile('sgd', 'mse'); x = {'a': np.ones(8), 'b': np.ones(8)}; model.fit(x, y, verbose=0)",
        MODEL + "model.compile('sgd', 'mse'); x = {'a': np.ones(8), 'b': np.ones(8)}; x = np.stack(list(x.values()), axis=-1); model.fit(x, y, verbose=0)",
        "x = np.stack(list(x.values()), axis=-1)",
    ),
    Mistake(
        "keras.layers.Dense(3, kernel_regularizer=0.01)",
        "keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.01))",
        "kernel_regularizer=keras.regularizers.L2(0.01)",
    ),
    Mistake(
        "keras.layers.Reshape((10, 10))(keras.Input((64,)))",
        "keras.layers.Reshape(target_shape=(8, 8))(keras.Input((64,)))",
        "target_shape=(8, 8)",
    ),
    Mistake(
        DECODER + "keras.layers.MultiHeadAttention(2, 4, name='attention')([x, x, x])",
        DECODER + "y = z = x; attention = keras.layers.MultiHeadAttention(2, 4); attention(x, y, z)  # 3 arguments, no list",
        "attention(x, y, z)  # 3 arguments, no list",
    ),
    Mistake(
        DECODER + "keras.layers.MultiHeadAttention(2, 4)(x, x, attention_mask=np.ones((1, 8, 8), bool))",
        DECODER + "keras.layers.MultiHeadAttention(2, 4)(x, x, attention_mask=keras.ops.ones((1, 10, 10), 'bool'))",
        "attention_mask=keras.ops.ones((1, 10, 10), 'bool')",
    ),
    Mistake(
        OWN.replace("BODY", "def call(self, inputs): return inputs[0] + inputs[1]") + DECODER + "Mine()(x, x)",
        OWN.replace("BODY", "def call(self, inputs): return inputs[0] + inputs[1]") + DECODER + "y, layer = x, Mine(); layer([x, y])",
        "layer([x, y])",
    ),
    Mistake(
        DECODER + "keras.layers.Lambda(lambda x, y: x + y)([x, x])",
        DECODER + "keras.layers.Lambda(lambda inputs: inputs[0] + inputs[1])([x, x])",
        "keras.layers.Lambda(lambda inputs: inputs[0] + inputs[1])",
    ),
    Mistake(
        OWN.replace("BODY", "def __init__(self): super(keras.layers.Layer).__init__()") + "Mine()(np.ones((2, 3)))",
        OWN.replace("BODY", "def __init__(self): super().__init__()")
        + "    def call(self, x): return x\nMine()(np.ones((2, 3)))",
        "super().__init__()",
    ),
    Mistake(
        OWN.replace("BODY", "def build(self, shape): self.w = self.add_weight(shape=(3,), initializer='xavier')") + "Mine().build((1, 3))",
        OWN.replace("BODY", "def build(self, shape): self.w = self.add_weight(shape=(3,), initializer='glorot_uniform')") + "Mine().build((1, 3))",
        "initializer='glorot_uniform'",
    ),
    Mistake("keras.layers.Dense(10, 5)", "keras.layers.Dense(units=5, activation='relu')", "units=5, activation='relu'"),
    Mistake(
        MODEL + "model(x); model.predict(np.ones((4, 1)), verbose=0)",
        MODEL + "model(x); x = np.ones((4, 1)); x = np.reshape(x, (1, 4)); model.predict(x, verbose=0)",
        "x = np.reshape(x, (1, 4))",
    ),
    Mistake(
        MODEL + "model.compile('sgd', 'mse'); model.fit((x, x), y, verbose=0)",
        MODEL + "model.compile('sgd', 'mse'); x = np.concatenate([x, y], axis=-1); model.fit(x, y, verbose=0)",
        "x = np.concatenate([x, y], axis=-1)",
    ),
    Mistake("keras.layers.Dense((10,))", "keras.layers.Dense(units=10)", "units=10"),
]  # fmt: skip
OPS = [
    Mistake(
        "token = keras.Variable(np.ones((1, 1, 4))); x = keras.Input((5, 4)); keras.ops.concatenate([token, x], axis=1)",
        "token = keras.Variable(np.ones((1, 1, 4))); x = keras.Input((5, 4)); token = keras.ops.broadcast_to(token, (keras.ops.shape(x)[0], *(1, 4))); keras.layers.Concatenate(axis=1)([keras.Input((1, 4)), x])",
        "keras.ops.broadcast_to(token, (keras.ops.shape(x)[0], *(1, 4)))",
    ),
    Mistake(
        "a = keras.layers.Conv2D(8, 3, padding='same')(keras.Input((8, 8, 3))); x2 = keras.Input((8, 8, 3)); a + x2",
        "a = keras.layers.Conv2D(8, 3, padding='same')(keras.Input((8, 8, 3))); x2 = keras.Input((8, 8, 3)); x2 = keras.layers.Dense(8)(x2); a + x2",
        "x2 = keras.layers.Dense(8)(x2)",
    ),
]
LOSSES = [
    Mistake(
        LOSS
        + "model = keras.Sequential([keras.layers.Dense(1)]); model.compile('sgd', make); model.fit(x, y, verbose=0)",
        LOSS
        + "model = keras.Sequential([keras.layers.Dense(1)]); model.compile('sgd', loss=make(alpha=1.0)); model.fit(x, y, verbose=0)",
        "loss=make(alpha=1.0)",
    ),
    Mistake(
        "x = np.ones((2, 8, 8, 1)); model = keras.Sequential([keras.layers.Conv2D(1, 3)]); model.compile('sgd', 'mse'); model.fit(x, x, verbose=0)",
        "x = np.ones((2, 8, 8, 1)); layers = keras.layers; model = keras.Sequential([keras.layers.Conv2D(1, 3), layers.Resizing(8, 8)]); "
        "model.compile('sgd', 'mse'); model.fit(x, x, verbose=0)",
        "layers.Resizing(8, 8)",
    ),
]
DATA = [
    Mistake(
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]); x = 10.0; model.predict(x, verbose=0)",
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]); x = np.array([[10.0]]); model.predict(x, verbose=0)",
        "x = np.array([[10.0]])",
    ),
    Mistake(
        XY
        + "y = [[0, 1], [2], [1], [0], [2], [1], [0], [2, 0]]; model = keras.Sequential([keras.layers.Dense(3, activation='sigmoid')]); "
        "model.compile('sgd', 'binary_crossentropy'); model.fit(x, y, verbose=0)",
        XY
        + "y = [[0, 1], [2], [1], [0], [2], [1], [0], [2, 0]]; y = np.array([np.isin(np.arange(3), row) for row in y], 'float32'); "
        "model = keras.Sequential([keras.layers.Dense(3, activation='sigmoid')]); "
        "model.compile('sgd', 'binary_crossentropy'); model.fit(x, y, verbose=0)",
        "y = np.array([np.isin(np.arange(3), row) for row in y], 'float32')",
    ),
]
UTILS = [
    Mistake(
        "keras.utils.save_img('cat1.jpg', np.ones((4, 4, 3))); keras.utils.load_img('cat2.jpg')",
        "keras.utils.save_img('cat1.jpg', np.ones((4, 4, 3))); keras.utils.load_img('cat1.jpg')",
        "'cat1.jpg'",
    ),
]
MODELS = [
    Mistake("keras.Sequential().add('relu')", "keras.Sequential().add(keras.layers.Activation('relu'))", "keras.layers.Activation('relu')"),
    Mistake(
        "inputs = keras.Input((3,)); outputs = keras.layers.Dense(1)(inputs); keras.Model(input, outputs)",
        "inputs = keras.Input((3,)); outputs = keras.layers.Dense(1)(inputs); keras.Model(inputs, outputs)",
        "keras.Model(inputs, outputs)",
    ),
    Mistake(
        "base = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); keras.Model(keras.Input((3,)), keras.layers.Dense(1)(base.output))",
        "base = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); keras.Model(base.input, keras.layers.Dense(1)(base.output))",
        "keras.Model(base.input, ", prose=True,
    ),
]  # fmt: skip
TRAINING = [
    Mistake(
        MODEL + "model.compile('adam', 'mse', ['mae'])", MODEL + "model.compile('adam', 'mse', metrics=['mae'])", "metrics=['mae']"
    ),
    Mistake(MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, validation_set=(x, y))",
            MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, validation_data=(x, y))", "validation_data="),
    Mistake(MODEL + "model.compile('sgd', 'mse', lr=0.1)",
            MODEL + "model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss='mse')", "keras.optimizers.SGD(learning_rate=0.1)"),
]  # fmt: skip
CALLBACKS = [
    Mistake(
        MODEL + "model.compile('sgd', 'mse'); history = model.fit(x, y, verbose=0); history.history['mae']",
        MODEL + "model.compile('sgd', 'mse', metrics=['mae']); history = model.fit(x, y, verbose=0); history.history['mae']",
        "metrics=['mae']",
    ),
    Mistake(
        "class Stop(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None): logs['acc']\n"
        + MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, callbacks=[Stop()])",
        "class Stop(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None): logs['loss']\n"
        + MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, callbacks=[Stop()])",
        "logs['loss']",
    ),
    Mistake(
        MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch, rate: None)])",
        MODEL + "model.compile('sgd', 'mse'); model.fit(x, y, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)])",
        "return rate", prose=True,
    ),
]  # fmt: skip
APPLICATIONS = [
    Mistake(
        "keras.applications.MobileNetV2(weights='imagenet', include_top=False, input_shape=(32, 32, 1))",
        None,
        "input_shape=(32, 32, 3)",
        because="it needs the file of the weights",
    ),
]
WRAPPERS = [
    Mistake(
        BUILD.replace("RETURN", "pass") + "estimator.fit(np.ones((4, 3)), np.array([0, 1, 0, 1]))",
        BUILD.replace("RETURN", "return model  # at the end of the function")
        + "estimator.fit(np.ones((4, 3)), np.array([0, 1, 0, 1]), verbose=0)",
        "return model  # at the end of the function",
    ),
    Mistake(
        BUILD.replace("RETURN", "return model") + "estimator.set_params(units=3)",
        BUILD.replace("RETURN", "return model") + 'estimator.set_params(**{"model_kwargs": {"units": 3}})',
        """{"model_kwargs": [{'units': 3}]}""", prose=True,
    ),
]  # fmt: skip
