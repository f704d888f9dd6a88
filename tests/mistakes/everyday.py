# ruff: noqa: E501
"""Everyday mistakes by the folder whose fix they lead to: positions, own classes, targets of several outputs, texts."""

from tests.mistakes.mistake import Mistake

FIT = "model.compile('sgd', LOSS); model.fit(x, y, verbose=0)"
LAYER = "class Mine(keras.layers.Layer):\n    BODY\nkeras.Sequential([keras.Input((4,)), Mine()])"
BUILT = "class Mine(keras.layers.Layer):\n    def build(self, input_shape): self.w = WEIGHT\n    def call(self, x): return x @ self.w\nMine()(np.ones((2, 4), 'float32'))"
CONFIG = (
    "class Mine(keras.layers.Layer):\n    INIT\n    def get_config(self): return {'n': 3, 'size': 2}\n"
    "Mine.from_config(Mine(3).get_config())"
)
TWO = (
    "x = np.ones((8, 2)); i = keras.Input((2,)); a, b = keras.layers.Dense(1, name='a')(i), keras.layers.Dense(3, name='b')(i)\n"
    "model = keras.Model(i, [a, b]); "
)
STEP = (
    "class Mine(keras.Model):\n    def call(self, x): return x\n    def train_step(self, data):\n        UNPACK\n"
    "        return {'loss': 0.0}\nmodel = Mine(); model.compile('sgd'); model.fit(np.ones((2, 1)), np.ones(2), verbose=0)"
)
WORDS = "x, y = np.array([['good', 'film'], ['bad', 'film']]), np.ones(2); "
EMBEDDED = "model = keras.Sequential([keras.layers.Embedding(9, 2), keras.layers.Flatten(), keras.layers.Dense(1)]); "
VECTORIZED = (
    "x, y = np.array([['good film'], ['bad']]), np.ones(2); v = keras.layers.TextVectorization(output_sequence_length=2); v.adapt(x)\n"
    "model = keras.Sequential([INPUT, v, keras.layers.Embedding(9, 2), keras.layers.Flatten(), keras.layers.Dense(1)]); "
)
TABLE = "x, y = [{'a': 1.0, 'b': 2.0}, {'a': 3.0, 'b': 1.0}], [1.0, 2.0]; import pandas as pd; "
LINEAR = "model = keras.Sequential([keras.layers.Dense(1)]); "
PICTURES = "x, y = [np.ones((4, 4, 3)), np.ones((5, 4, 3))], [0, 1]; model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)]); "


def replaced(text, says, name, wrong, right, prose=False):
    """A mistake in one place of a program."""
    return Mistake(text.replace(name, wrong), text.replace(name, right), says, prose)


LAYERS = [
    Mistake("keras.layers.Reshape(4, 2)", "keras.layers.Reshape((4, 2))", "keras.layers.Reshape((4, 2))"),
    Mistake("keras.layers.Flatten(28, 28)", "keras.layers.Flatten()", "keras.layers.Flatten()"),
    Mistake("keras.layers.Resizing(8)", "keras.layers.Resizing(8, 8)", "keras.layers.Resizing(8, 8)"),
    Mistake("keras.layers.Permute((0, 2, 1))", "keras.layers.Permute(dims=(2, 1))", "dims=(2, 1)"),
    Mistake("keras.layers.Lambda('relu')", "keras.layers.Activation('relu')", "keras.layers.Activation('relu')"),
    replaced(LAYER, "def call(self, inputs):", "BODY", "def call(self): return 1", "def call(self, inputs): return inputs"),
    replaced(
        BUILT, "self.add_weight(shape=(input_shape[-1], 3,))", "WEIGHT",
        "self.add_weight(shape=(input_shape, 3))", "self.add_weight(shape=(input_shape[-1], 3,))",
    ),
    replaced(
        CONFIG, "def __init__(self, n, size=None, **kwargs): super().__init__(**kwargs)", "INIT",
        "def __init__(self, n, **kwargs): super().__init__(**kwargs)",
        "def __init__(self, n, size=None, **kwargs): super().__init__(**kwargs)",
    ),
    Mistake(
        "x = keras.Input((8, 8, 3)); keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3, name='c'))(x)",
        "x = keras.Input((8, 8, 3)); x = keras.layers.Conv2D(2, (3, 3), name=\"c\")(x)",
        "x = keras.layers.Conv2D(2, (3, 3), name=\"c\")(x)",
    ),
]  # fmt: skip
LOSSES = [
    Mistake(
        "keras.losses.LossFunctionWrapper(lambda y, p: [abs(y - p), 0.1])(np.ones(2), np.ones(2))",
        "values = lambda y, p: [abs(y - p), 0.1]\nkeras.losses.LossFunctionWrapper(lambda y, p: sum(values(y, p)))(np.ones(2), np.ones(2))",
        "return sum(values)",
        prose=True,
    )
]
METRICS = [
    Mistake(
        "keras.metrics.MeanMetricWrapper(lambda y, p: None)(np.ones(2), np.ones(2))",
        "keras.metrics.MeanMetricWrapper(lambda y, p: y - p)(np.ones(2), np.ones(2))",
        "return values",
        prose=True,
    ),
    Mistake(
        "class Mine(keras.metrics.Metric):\n    def __init__(self): self.total = 0\nMine().name",
        "class Mine(keras.metrics.Metric):\n    def __init__(self): super().__init__(); self.total = 0\nMine().name",
        "Call super().__init__() first.",
        prose=True,
    ),
]
OPTIMIZERS = [
    Mistake(
        "layer = keras.layers.Dense(1); layer.build((None, 2)); keras.optimizers.SGD(layer.trainable_variables, learning_rate=0.1)",
        "keras.optimizers.SGD(learning_rate=0.1)",
        "keras.optimizers.SGD(learning_rate=0.1)",
    )
]
TRAINING = [
    replaced(
        TWO + "y = ORDER; " + FIT.replace("LOSS", "'mse'"), "y = [y[1], y[0]]", "ORDER",
        "[np.ones((8, 3)), np.ones(8)]", "[np.ones((8, 3)), np.ones(8)]; y = [y[1], y[0]]",
    ),
    replaced(
        TWO.replace("Dense(3", "Dense(1") + "y = ONE; " + FIT.replace("LOSS", "'mse'"), "y = [y, y]", "ONE",
        "np.ones(8)", "np.ones(8); y = [y, y]",
    ),
    Mistake(
        LINEAR + "X_train = y_train = np.ones((4, 1)); model.compile('sgd', 'mse'); model.fit(X_train=X_train, y_train=y_train)",
        LINEAR + "x = y = np.ones((4, 1)); model.compile('sgd', 'mse'); model.fit(x=x, y=y)",
        "model.fit(x=x, y=y)",
    ),
    replaced(
        STEP, "x, y, w = keras.utils.unpack_x_y_sample_weight(data)", "UNPACK", "x, y, w = data",
        "x, y, w = keras.utils.unpack_x_y_sample_weight(data)",
    ),
]  # fmt: skip
DATA = [
    replaced(
        WORDS + EMBEDDED + "ADAPT" + FIT.replace("LOSS", "'mse'"),
        "words = keras.layers.StringLookup(); words.adapt(x); x = np.asarray(words(x))", "ADAPT", "",
        "words = keras.layers.StringLookup(); words.adapt(x); x = np.asarray(words(x)); ",
    ),
    replaced(
        VECTORIZED + FIT.replace("LOSS", "'mse'"), "keras.Input((1,), dtype='string')", "INPUT", "keras.Input((1,))",
        "keras.Input((1,), dtype='string')", True,
    ),
    replaced(TABLE + LINEAR + "ROWS" + FIT.replace("LOSS", "'mse'"), "x = pd.DataFrame(x)", "ROWS", "", "x = pd.DataFrame(x); y = np.array(y); ", True),
    replaced(
        PICTURES + "SIZE" + FIT.replace("LOSS", "'mse'"),
        "x = np.stack([keras.ops.image.resize(one, (4, 4)) for one in x])", "SIZE", "",
        "x = np.stack([keras.ops.image.resize(one, (4, 4)) for one in x]); ",
    ),
]  # fmt: skip
NAMED = "import pandas as pd; x = pd.DataFrame({'a': [1.0, 2.0], 'price': [3.0, 4.0]}); y = 'price'; "
POLARS = NAMED + "import polars; x = polars.DataFrame(x.to_dict('list')); "
DATA.append(
    replaced(
        "x, y = np.empty(2, object), np.ones(2); x[:] = [np.ones((4, 4, 3)), np.ones((5, 4, 3))]\nSIZE\n"
        + PICTURES.partition("; ")[2] + FIT.replace("LOSS", "'mse'"),
        "x = np.stack([keras.ops.image.resize(one, (224, 224)) for one in x])", "SIZE", "",
        "x = np.stack([keras.ops.image.resize(one, (224, 224)) for one in x])",
    )
)  # fmt: skip
TRAINING += [
    replaced(NAMED + LINEAR + "NAME; " + FIT.replace("LOSS", "'mse'"), "y = x.pop('price')", "NAME", "0", "y = x.pop('price')"),
    replaced(
        POLARS + LINEAR + "NAME; " + FIT.replace("LOSS", "'mse'"), "y = x['price']; x = x.drop('price')", "NAME", "0",
        "y = x['price']; x = x.drop('price')",
    ),
]  # fmt: skip
LAYERS += [
    Mistake("keras.layers.Dense(4, use_bias='no')", "keras.layers.Dense(4, use_bias=False)", "use_bias=False"),
    Mistake("keras.losses.BinaryCrossentropy(from_logits='True')", "keras.losses.BinaryCrossentropy(from_logits=True)", "from_logits=True"),
    Mistake(
        "keras.layers.TextVectorization(ngrams='2', output_sequence_length='10')",
        "keras.layers.TextVectorization(ngrams=2, output_sequence_length=10)",
        "keras.layers.TextVectorization(ngrams=2, output_sequence_length=10)",
    ),
    Mistake(
        "x = [['good', 'film'], ['bad']]; keras.layers.TextVectorization().adapt(x)",
        "x = [['good', 'film'], ['bad']]; x = [\" \".join(words) for words in x]; keras.layers.TextVectorization().adapt(x)",
        'x = [" ".join(words) for words in x]',
    ),
    replaced(
        LAYER, "b, h = x.shape", "BODY", "def call(self, x):\n        b, h, w, c = x.shape\n        return x",
        "def call(self, x):\n        b, h = x.shape\n        return x",
    ),
]  # fmt: skip
TRACED = [
    replaced(
        BUILT.partition("Mine()(")[0] + "x, y = np.ones((2, 4), 'float32'), np.ones(2); model = keras.Sequential([Mine()]); " + FIT.replace("LOSS", "'mse'"),
        "trainable=False", "WEIGHT", "self.add_weight(shape=(4, 1), dtype='int32')",
        "self.add_weight(shape=(4, 1), dtype='int32', trainable=False)",
    )
]  # fmt: skip
CALLBACKS = [
    Mistake(
        "keras.callbacks.LearningRateScheduler(lambda: 0.1)",
        "def schedule(epoch, rate):\n    return 0.1\nkeras.callbacks.LearningRateScheduler(schedule)",
        "def schedule(epoch, rate):",
    )
]
DATA += [
    replaced(LINEAR + "x, y = [['1', '2']], [1.0]; TEXTS" + FIT.replace("LOSS", "'mse'"), "x = np.asarray(x).astype('float32')", "TEXTS", "", "x = np.asarray(x).astype('float32'); y = np.array(y); "),
    Mistake(
        LINEAR + "x, y = np.ones((2, 1)), np.ones(2); model.compile('sgd', 'mse'); model.fit(x, y, sample_weight='balanced')",
        LINEAR + "x, y = np.ones((2, 1)), np.ones(2); model.compile('sgd', 'mse'); sample_weight = np.ones(len(y)); model.fit(x, y, sample_weight=sample_weight, verbose=0)",
        "sample_weight = np.ones(len(y))",
    ),
]  # fmt: skip
UTILS = [
    Mistake(
        "keras.utils.img_to_array('cat.png')",
        "keras.utils.save_img('cat.png', np.ones((4, 4, 3))); keras.utils.img_to_array(keras.utils.load_img('cat.png'))",
        "keras.utils.img_to_array(keras.utils.load_img('cat.png'))",
    )
]
OPTIMIZERS.append(
    Mistake("keras.optimizers.Adam(0.1, 0.9, 1.5)", "keras.optimizers.Adam(0.1, 0.9, beta_2=0.999)", "beta_2=0.999")
)
UTILS.append(
    Mistake(
        "x = np.ones((2, 2, 3)); keras.utils.save_img('a.xyz', x)",
        "x = np.ones((2, 2, 3)); keras.utils.save_img('a.png', x)", "keras.utils.save_img('a.png', x)",
    )
)  # fmt: skip
PREPROCESSING = [
    replaced(
        "texts = [1, 2]; STRkeras.preprocessing.text.Tokenizer().fit_on_texts(texts)",
        "texts = [str(text) for text in texts]", "STR", "", "texts = [str(text) for text in texts]; ",
    )
]  # fmt: skip
TRAINING.append(
    replaced(
        LINEAR + "x, y = np.ones((2, 1)), np.ones(2); model.compile('sgd', 'mse'); model.fit(x, y, validation_data=DATA, verbose=0)",
        "validation_data=(x, y)", "DATA", "'test'", "(x, y)",
    )
)  # fmt: skip
MODELS = [
    replaced(
        "import pandas as pd; x, y = dict(pd.DataFrame(np.ones((2, 3)), columns=[*'abc'])), np.ones(2)\nTABLE"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); " + FIT.replace("LOSS", "'mse'"),
        "np.column_stack(list(x.values()))", "TABLE", "", "x = np.column_stack(list(x.values())); ",
    )
]  # fmt: skip
SAVING = [
    Mistake(
        "keras.utils.custom_object_scope([keras.layers.Dense])",
        "Dense = keras.layers.Dense; keras.utils.custom_object_scope(custom_objects={'Dense': Dense})",
        "custom_objects={'Dense': Dense}",
    )
]
APPLICATIONS = [
    Mistake(
        "keras.applications.vgg16.preprocess_input('cat.png')",
        "keras.utils.save_img('cat.png', np.ones((4, 4, 3)))\n"
        "keras.applications.vgg16.preprocess_input(keras.utils.img_to_array(keras.utils.load_img('cat.png', target_size=(224, 224)))[None])",
        "keras.utils.img_to_array(keras.utils.load_img('cat.png', target_size=(224, 224)))[None]",
    )
]

NET = "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name='a')]); x, y = np.ones((4, 2)), np.ones(4); "
MODELS += [
    Mistake(NET + "len(model)", NET + "len(model.layers)", "len(model.layers)"),
    Mistake(NET + "model.layers['a']", NET + "model.get_layer('a')", "model.get_layer('a')"),
    replaced(
        "from sklearn.model_selection import cross_val_score\n" + NET + "model.compile('sgd', 'mse')\ncross_val_score(MODEL, x, y, cv=2)",
        "keras.wrappers.SKLearnRegressor(model)", "MODEL", "model", "keras.wrappers.SKLearnRegressor(model)",
    ),
    replaced(
        "from sklearn.model_selection import GridSearchCV\n" + NET + "model.compile('sgd', 'binary_crossentropy'); y = np.arange(4) % 2\n"
        "GridSearchCV(MODEL, {'warm_start': [True]}, cv=2).fit(x, y)",
        "keras.wrappers.SKLearnClassifier(model)", "MODEL", "model", "keras.wrappers.SKLearnClassifier(model)",
    ),
    replaced(
        "x = np.ones((40, 4, 3)); model = keras.Sequential([keras.Input((40, 4, 3)), keras.layers.Flatten()]); model.predict(X, verbose=0)",
        "x[None]", "X", "x", "x[None]",
    ),
]  # fmt: skip
OPS = [
    Mistake("keras.GradientTape()", None, "jax.value_and_grad(loss)(weights)", because="loss and weights are the program's"),
    Mistake("keras.layers.PositionEmbedding()", None, "keras_hub.layers.PositionEmbedding", because="of another package"),
    Mistake("keras.models.ImageClassifier()", None, "keras.applications.ResNet50(", because="it loads weights"),
    Mistake("x = keras.ops.ones(2); x.cpu()", "x = keras.ops.ones(2); np.asarray(x)", "np.asarray(x)"),
    Mistake("x = keras.ops.ones(2); x.numel()", "x = keras.ops.ones(2); keras.ops.size(x)", "keras.ops.size(x)"),
    Mistake("x = keras.ops.ones(2); x.unsqueeze(0)", "x = keras.ops.ones(2); keras.ops.expand_dims(x, 0)", "expand_dims(x, 0)"),
]  # fmt: skip
LAYERS += [
    replaced(
        "x, z = keras.Input((4, 4, 2)), keras.Input((3,)); from lamina import layers; layers.Concatenate()([X, z])",
        "layers.Flatten()(x)", "X", "x", "layers.Flatten()(x)",
    ),
    replaced(
        "x = np.ones((40, 5, 2)); keras.Sequential([INPUT, keras.layers.LSTM(2)])",
        "keras.Input((5, 2)) if 40 is the number of samples", "INPUT", "keras.Input(x.shape)", "keras.Input((5, 2))", True,
    ),
    replaced(
        "from lamina import layers; keras.Sequential([keras.Input((5, 8, 8, 3)), LAYER])",
        "layers.TimeDistributed(layers.Conv2D(4, 3))", "LAYER", "layers.Conv2D(4, 3)", "layers.TimeDistributed(layers.Conv2D(4, 3))",
    ),
]  # fmt: skip
OPTIMIZERS += [
    Mistake(
        "keras.optimizers.Adam(momentum=0.9)", "keras.optimizers.Adam(beta_1=0.9)", "keras.optimizers.Adam(beta_1=0.9)"
    ),
    Mistake(
        "keras.optimizers.SGD(beta_1=0.9)", "keras.optimizers.SGD(momentum=0.9)", "keras.optimizers.SGD(momentum=0.9)"
    ),
]
FITTED = NET + "model.compile(OPTIMIZER, METRICSloss='mse'); model.fit(x, y, callbacks=[GIVEN], verbose=0)"
for part, name in (
    ("keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)", "OPTIMIZER"),
    ("keras.metrics.R2Score()", "METRICS"),
):
    right = f"optimizer=keras.optimizers.Adam(learning_rate={part})" if name == "OPTIMIZER" else f"metrics=[{part}]"
    CALLBACKS.append(
        Mistake(
            FITTED.replace("GIVEN", part).replace("OPTIMIZER", "'sgd'").replace("METRICS", ""),
            FITTED.replace("GIVEN", "")
            .replace(name, right + ", " * (name == "METRICS"))
            .replace("OPTIMIZER", "'sgd'")
            .replace("METRICS", ""),
            right.partition("(")[0],
        )
    )
MODELS += [
    Mistake(
        "d = keras.layers.Dense(3); model = keras.Sequential([keras.Input((3,)), d, d])",
        "d = keras.layers.Dense(3); model = keras.Sequential([keras.Input((3,)), d]); model.add(keras.layers.Dense(3))",
        "model.add(keras.layers.Dense(3))",
    ),
    Mistake(
        "class M(keras.Model):\n    def __init__(self, units): super().__init__(units)\nM(3)",
        "class M(keras.Model):\n    def __init__(self, units): super().__init__()\nM(3)", "super().__init__()",
    ),
]  # fmt: skip
LAYERS += [
    Mistake("keras.layers.Conv2D(8, '3x5')", "keras.layers.Conv2D(8, kernel_size=(3, 5))", "kernel_size=(3, 5)"),
    Mistake(
        "from lamina import layers; layers.GlobalAveragePooling2D()(keras.Input((5, 2)))",
        "from lamina import layers; layers.GlobalAveragePooling1D()(keras.Input((5, 2)))", "layers.GlobalAveragePooling1D()",
    ),
    Mistake(
        "keras.layers.Dense(8, activation=keras.losses.MeanSquaredError())", "keras.layers.Dense(8, activation='relu')",
        "activation='relu'",
    ),
]  # fmt: skip
OPTIMIZERS.append(
    Mistake("keras.optimizers.Adam([0.1, 0.2])", "keras.optimizers.Adam(learning_rate=0.1)", "learning_rate=0.1")
)
for loss, right in (("keras.layers.Dense(1)", "loss='mse'"), ("'accuracy'", "loss=keras.losses.BinaryCrossentropy()")):
    text = NET + "model.compile('sgd', LOSS); model.fit(x, y, verbose=0)"
    LOSSES.append(Mistake(text.replace("LOSS", loss), text.replace("LOSS", right), right))
DATA.append(
    replaced(
        "x, y = np.array(['good film', 'bad film']), np.ones(2)\nTEXTS\n" + EMBEDDED.replace("keras.layers.Flatten()",
        "keras.layers.GlobalAveragePooling1D()") + FIT.replace("LOSS", "'mse'"),
        "texts = keras.layers.TextVectorization(); texts.adapt(x); x = np.asarray(texts(x))", "TEXTS", "",
        "texts = keras.layers.TextVectorization(); texts.adapt(x); x = np.asarray(texts(x))",
    )
)  # fmt: skip
TRACED.append(
    Mistake(
        NET + "\nfrom sklearn.metrics import f1_score\ndef f1(y, p): return f1_score(np.round(y), np.round(p))\n"
        "model.compile('sgd', 'mse', metrics=[f1]); model.fit(x, y, verbose=0)",
        NET + "\nmodel.compile('sgd', 'mse', metrics=[keras.metrics.F1Score()]); model.fit(x, y[:, None], verbose=0)",
        "metrics=[keras.metrics.F1Score()]",
    )
)
