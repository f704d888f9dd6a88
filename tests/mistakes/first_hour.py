# ruff: noqa: E501
"""Mistakes of the first hour, by the folder whose fix they lead to: wrong shapes, names, data and habits of PyTorch."""

from tests.mistakes.mistake import Mistake

MODEL = (
    "x, y = np.ones((8, 2)), np.ones((8, 1)); "
    "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse')\n"
)
TWO = (
    "x, y = np.ones((8, 2)), {'a': np.ones((8, 1)), 'b': np.ones((8, 1))}; inputs = keras.Input((2,))\n"
    "model = keras.Model(inputs, {k: keras.layers.Dense(1, name=k)(inputs) for k in 'ab'})\n"
)
PAIR = (
    "a, b = keras.Input((2,), name='text'), keras.Input((1,), name='meta')\n"
    "model = keras.Model([a, b], keras.layers.Concatenate()([a, b])); x = np.ones((8, 3))\n"
)
STEP = "class Mine(keras.Model):\n    def call(self, x):\n        return x\n    "
FITTED = "\nmodel = Mine(); model.compile('sgd', 'mse'); model.fit(np.ones((2, 1)), verbose=0)"
COUNTER = (
    "class Mine(keras.layers.Layer):\n    def build(self, s):\n"
    "        self.n = self.add_weight(shape=(), trainable=False)\n"
    "    def call(self, x):\n        "
)
COUNTED = (
    "\nmodel = keras.Sequential([keras.Input((1,)), Mine()]); model.predict(np.ones((2, 1)), verbose=0)\n"
    "model.predict(np.ones((3, 1)), verbose=0)"
)
SCORED = (
    "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
    "model.compile('sgd', 'mse', metrics=[Mine()])\n"
    "model.test_on_batch(np.ones((2, 1)), np.ones((2, 1)))"
)
LAYER = (
    "class Mine(keras.layers.Layer):\n    def call(self, x):\n        return {}\nMine()(np.ones((2, 3, 4), 'float32'))"
)


def mistake(before, wrong, right, says=None):
    """The same program with a wrong and a right end; a fix in words where `says` is given."""
    return Mistake(before + wrong, before + right, right if says is None else says, prose=says is not None)


TRAINING = [
    mistake(MODEL, "model.train_on_batch(x)", "model.train_on_batch(x, y)", "fit(x, y), validation_data=(x, y)"),
    mistake(MODEL, "model.compile('sgd', 'mse', metrics='mae, mse'); model.train_on_batch(x, y)",
            "model.compile('sgd', 'mse', metrics=['mae', 'mse']); model.train_on_batch(x, y)",
            "metrics=['mae', 'mse']"),
    mistake(MODEL, "model.compile('sgd', 'binary_crossentropy', from_logits=True)",
            "model.compile('sgd', keras.losses.BinaryCrossentropy(from_logits=True))"),
    mistake(MODEL, "model.compile('adam', 'mse', learning_rate=0.1)",
            "model.compile(keras.optimizers.Adam(learning_rate=0.1), 'mse')"),
    mistake(MODEL, "model.compile('mse', 'adam')", "model.compile('adam', 'mse')"),
    mistake(MODEL, "model.fit({1, 2}, y)", "x = [[1, 2]] * 8; model.predict(x, verbose=0)", "is a list"),
    mistake(TWO, "model.compile('sgd', {'aa': 'mse', 'b': 'mae'}); model.train_on_batch(x, y)",
            "loss = {'b': 'mae', 'a': 'mse'}; model.compile('sgd', loss); model.train_on_batch(x, y)",
            "loss = {'a': 'mse', 'b': 'mae'}"),
    mistake(TWO, "model.compile('sgd', ['mse']); model.train_on_batch(x, y)",
            "model.compile('sgd', loss=['mse', 'mse']); model.train_on_batch(x, y)", "loss=['mse', 'mse']"),
    mistake(MODEL, "model.fit(x, y, class_weight=[1, 2])", "class_weight={0: 1.0, 1: 2.0}"),
    mistake(STEP, "def train_step(self, data):\n        return self.compute_loss(y=data, y_pred=data)" + FITTED,
            "def train_step(self, data):\n        loss = self.compute_loss(y=data, y_pred=data)\n"
            "        return {'loss': loss}" + FITTED, "return {'loss': loss}"),
    mistake(STEP, "def train_step(self, x, y):\n        return {'loss': 0.0}" + FITTED,
            "def train_step(self, data):\n        x, y = data, None\n        return {'loss': 0.0}" + FITTED,
            "def train_step(self, data): x, y = data"),
]  # fmt: skip

MODELS = [
    mistake("keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save_weights('w.weights.h5')\n"
            "model = keras.Sequential([keras.layers.Dense(1)])\n", "model.load_weights('w.weights.h5')",
            "model.build((None, 2)); model.load_weights('w.weights.h5')", "model.build((None, ...))"),
    mistake("class Mine(keras.layers.Layer):\n    ",
            "def call(self, x, train):\n        return x\nMine()(np.ones((2, 3)))",
            "def call(self, x, training=False):\n        return x\nMine()(np.ones((2, 3)))",
            "def call(self, x, training=False):"),
    mistake(PAIR, "model(x)", "x = [x[:, 0:2], x[:, 2:3]]  # text, meta\nmodel(x)", "x = [x[:, 0:2], x[:, 2:3]]"),
    mistake(PAIR, "x = {'text': x[:, :2], 'metadata': x[:, 2:]}; model(x)",
            "x = {'text': x[:, :2], 'meta': x[:, 2:]}; model(x)", "'meta': x['metadata']"),
    mistake(MODEL, "model.get_layer('dens')", "model.get_layer('dense')"),
    mistake("", "keras.Sequential([keras.layers.Dense(1)]).output",
            "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); model.output", "keras.Input(shape)"),
    mistake("model = keras.Sequential([keras.Input((2,))]); ", "model.add(keras.activations.relu)",
            "model.add(keras.layers.Activation('relu'))"),
    mistake("layers = [keras.layers.Dense(1)]; ", "keras.Sequential([layers])",
            "model = keras.Sequential()\nfor layer in layers: model.add(layer)", "for layer in [Dense(1)]: model.add(layer)"),
    mistake(MODEL, "model.layers = []", "model.pop(); model.add(keras.layers.Dense(1))"),
    mistake("class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n        ",
            "self.layers = []\nNet()", "self.blocks = []\nNet()", "self.blocks"),
    mistake("x, f = keras.Input((2,)), keras.layers.Dense(1, name='f')\n", "keras.Model(inputs=x, outputs=f)",
            "keras.Model(inputs=x, outputs=f(x))", "outputs=f(x)"),
    mistake("model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]); x = np.ones((2, 4), 'complex64')\n",
            "model.predict(x, verbose=0)",
            "x = np.abs(x); model.predict(x, verbose=0)", "x = np.abs(x)  # or"),
]  # fmt: skip

LAYERS = [
    mistake(MODEL, "model.layers[0].set_weights(np.ones((2, 1)))",
            "kernel, bias = np.ones((2, 1)), np.ones(1); layer = model.layers[0]\nlayer.set_weights([kernel, bias])",
            "layer.set_weights([kernel, bias])"),
    mistake("layer = keras.layers.BatchNormalization(); layer.build((None, 1)); "
            "model = keras.Sequential([layer, keras.layers.BatchNormalization()]); model.build((None, 1)); ",
            "model.set_weights([1])", "layer = model; weights = layer.get_weights(); layer.set_weights(weights)",
            "weights = layer.get_weights()"),
    mistake("class Mine(keras.layers.Layer):\n",
            "    def call(self, x):\n        self.w = self.add_weight(shape=(2, 3))\n        return x @ self.w\n"
            "f = Mine(); f(np.ones((1, 2), 'float32')); f(np.ones((1, 2), 'float32'))",
            "    def build(self, input_shape): self.w = self.add_weight(shape=(2, 3))\n"
            "    def call(self, x):\n        return x @ self.w\n"
            "f = Mine(); f(np.ones((1, 2), 'float32')); f(np.ones((1, 2), 'float32'))",
            "def build(self, input_shape): self.w = self.add_weight(shape=(2, 3))"),
    mistake("class Mine(keras.layers.Layer):\n    def call(self, xs):\n        return xs[0] @ self.w\n",
            "    def build(self, s):\n        self.w = self.add_weight(shape=(s[0], 3))\n"
            "Mine()([np.ones((1, 2), 'float32')] * 2)",
            "    def build(self, input_shape):\n        self.w = self.add_weight(shape=(input_shape[0][-1], 3))\n"
            "Mine()([np.ones((1, 2), 'float32')] * 2)", "input_shape[0][-1]"),
    mistake("dense = keras.layers.Dense(1, name='dense'); ", "dense((None, 4))", "dense(keras.Input((4,)))"),
    mistake("", "keras.layers.Discretization(num_bins=2)(np.ones(3))",
            "layer, data = keras.layers.Discretization(num_bins=2), np.arange(3.0); layer.adapt(data)",
            "layer.adapt(data)"),
    mistake("", "keras.layers.StringLookup()(['a'])",
            "layer, data = keras.layers.StringLookup(), ['a']; layer.adapt(data)", "layer.adapt(data)"),
    mistake("", "keras.layers.IntegerLookup().adapt(np.array(['a']))",
            "layer = keras.layers.StringLookup(); layer.adapt(np.array(['a']))", "keras.layers.StringLookup()"),
    mistake("layer = keras.layers.Dense(1); ", "layer.trainable = 'False'", "layer.trainable = False"),
    mistake("class Mine(keras.layers.Layer):\n    def __init__(self):\n        super().__init__()\n        ",
            "self.weights = []\nMine()", "self.my_weights = []\nMine()", "self.my_weights"),
    mistake("", "keras.layers.Conv2D(4, 3)(keras.Input((1, 28, 28)))",
            "keras.layers.Conv2D(4, 3)(keras.Input((28, 28, 1)))", "keras.Input((28, 28, 1))"),
    mistake("i = keras.Input((3, 4)); ", "keras.layers.LSTM(2)(keras.layers.Embedding(5, 2)(i))",
            "x = np.ones((1, 3, 4)); keras.layers.LSTM(2)(keras.layers.Embedding(5, 2)(x.argmax(-1)))", "x.argmax(-1)"),
]  # fmt: skip

OWN_FUNCTIONS = [
    mistake(
        COUNTER,
        "self.n = self.n + 1\n        return x" + COUNTED,
        "self.n.assign(self.n + 1)\n        return x" + COUNTED,
        "self.n.assign(self.n + 1)",
    ),
    mistake(
        "class Mine(keras.metrics.Metric):\n    def update_state(self, y, p, sample_weight=None):\n        return ",
        "float(np.sum(y == p))\n    def result(self):\n        return 0\n" + SCORED,
        'keras.ops.cast(keras.ops.sum(y == p), "float32")\n    def result(self):\n        return 0\n' + SCORED,
        'keras.ops.cast(keras.ops.sum(y == p), "float32")',
    ),
] + [
    Mistake(LAYER.format(wrong), LAYER.format(right), right)
    for wrong, right in (
        ("x.view(2, -1)", "keras.ops.reshape(x, (2, -1))"),
        ("x.mean(dim=1, keepdim=True)", "keras.ops.mean(x, axis=1, keepdims=True)"),
        ("x.transpose(1, 2)", "keras.ops.swapaxes(x, 1, 2)"),
        ("x.permute(0, 2, 1)", "keras.ops.transpose(x, (0, 2, 1))"),
        ("x.float()", 'keras.ops.cast(x, "float32")'),
        ("x.repeat(1, 2, 1)", "keras.ops.tile(x, (1, 2, 1))"),
        ("(x * 2).mean(dim=-1)", "keras.ops.mean(x * 2, axis=-1)"),
    )
]

CALLBACKS = [
    mistake(MODEL, "model.fit(x, y, callbacks='early_stopping')",
            "keras.callbacks.CallbackList(callbacks=[keras.callbacks.EarlyStopping()])",
            "callbacks=[keras.callbacks.EarlyStopping()]"),
    mistake("class Mine(keras.callbacks.Callback):\n    ",
            "def on_epoch_end(self, epoch):\n        pass\nkeras.callbacks.CallbackList([Mine()])",
            "def on_epoch_end(self, epoch, logs=None):\n        pass\nkeras.callbacks.CallbackList([Mine()])",
            "def on_epoch_end(self, epoch, logs=None):"),
    mistake("", "keras.callbacks.LearningRateScheduler(0.1)",
            "keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(rate * 0.9))"),
    mistake("", "keras.callbacks.LambdaCallback(on_epoch_ends=print)",
            "keras.callbacks.LambdaCallback(on_epoch_end=print)", "on_epoch_end=print"),
    mistake("history = keras.callbacks.History(); history.history['loss'] = [1.0]\n", "history['loss']",
            "history.history['loss']"),
    mistake("history = keras.callbacks.History(); history.history['accuracy'] = [1.0]\n", "history.history['acc']",
            "history.history['accuracy']"),
]  # fmt: skip

OPTIMIZERS = [
    mistake(MODEL, "keras.optimizers.Adam(model.trainable_variables)", "keras.optimizers.Adam(learning_rate=0.001)"),
    mistake(MODEL + "optimizer = keras.optimizers.SGD(0.1); gradients = [np.ones((2, 1)), np.ones(1)]\n",
            "optimizer.apply_gradients(gradients)",
            "optimizer.apply_gradients(zip(gradients, model.trainable_variables))"),
    mistake(MODEL, "model.compile({'adam': 0.1}, 'mse')",
            "model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss='mse')",
            "optimizer=keras.optimizers.Adam(learning_rate=0.001)"),
    mistake("rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)\n"
            "optimizer = keras.optimizers.SGD(rate)\n",
            "optimizer.learning_rate = 0.1", "keras.optimizers.SGD(learning_rate=0.01).learning_rate = 0.1",
            "keras.optimizers.SGD(learning_rate=0.01)"),
]  # fmt: skip

OPS = [
    mistake("x, y = np.ones(2), np.ones(2); ", "keras.ops.concatenate(x, y)", "keras.ops.concatenate([x, y])"),
    mistake("x = np.ones(6); ", "keras.ops.reshape(x, 2, 3)", "keras.ops.reshape(x, (2, 3))"),
]

SAVING = [
    mistake(MODEL, "keras.models.save_model('model.keras', model)", "keras.models.save_model(model, 'model.keras')"),
    mistake(
        "open('model.pt', 'wb').write(b'PK\\x03\\x04')\n",
        "keras.models.load_model('model.pt')",
        MODEL,
        "save the weights in PyTorch as safetensors",
    ),
]
RUNTIME = [
    mistake(
        "open('run', 'w').close(); from lamina.runtime.atomic_files import make_folder\n",
        "make_folder('run')",
        "make_folder('runs')",
        "Give the path of a folder.",
    ),
]

SAVING += [
    mistake("model = keras.Sequential([keras.Input((2,))]); open('m.json', 'w').write(model.to_json())\n",
            "keras.models.model_from_json('m.json')", "keras.models.model_from_json(open('m.json').read())"),
]  # fmt: skip

DENSE = "layer = keras.layers.Dense(2); layer.build((None, 2)); "
UNSUPPORTED = [
    mistake("", f"keras.layers.Flatten().{call}", MODEL + "model.quantize('int8')", "model.quantize(mode)")
    for call in ("quantize('int8')", "quantized_build((2,), 'int8')")
] + [
    mistake("class Mine(keras.layers.Dense):\n    pass\nlayer = Mine(2); layer.build((None, 2)); ", "layer.quantize('int8')",
            "layer.quantize('int8', type_check=False)", "layer.quantize(mode, type_check=False)"),
    mistake("layer = keras.layers.Embedding(2, 2); layer.build(); ", "layer.quantize('float8')", "layer.quantize('int8')"),
    mistake(DENSE, "layer.quantized_build((None, 2), 'int7')", "layer.quantized_build((None, 2), mode='int8')", "mode='int8'"),
    mistake(DENSE, "layer.quantize('float8'); layer.enable_lora(1)", "layer.enable_lora(1); layer.quantize('int8')",
            "enable_lora, and quantize('int8')"),
    mistake(DENSE, "layer.add_metric(1.0)", "layer.total = keras.metrics.Mean(); layer.total.update_state(1.0)",
            "self.total = keras.metrics.Mean()"),
    *(
        mistake(f"layer = keras.layers.{layer}; ", f"layer.transform_bounding_boxes({{}}, {drawn}, training=True)",
                "layer({'images': np.ones((2, 4, 4, 1)), 'segmentation_masks': np.ones((2, 4, 4, 1)), "
                "'labels': np.eye(2)}, training=False)", "Pass segmentation_masks")
        for layer, drawn in (("CutMix()", {"mix_weight": 1}), ("RandomElasticTransform()", {"seed": 1}))
    ),
]  # fmt: skip
LAYERS += UNSUPPORTED
METHODS = [
    mistake("", "keras.Operation().call(1)", "class Mine(keras.Operation):\n    def call(self, x):\n        return x\nMine().call(1)",
            "def call(self, x):"),
]  # fmt: skip
CACHED = [
    mistake(f"open('kept', 'wb').write({text!r}); dataset = keras.utils.Dataset.range(3)\n", "list(dataset.cache('kept'))",
            right, says)
    for text, right, says in (
        (b"x", "list(dataset.cache('another_name'))", "dataset.cache('another_name')"),
        (b"lamina cache 1\nx", "import os; os.remove('kept'); list(dataset.cache('kept'))", "os.remove('kept')"),
        (b"lamina cache 1\n" + (2).to_bytes(8, "little") + b"xx",
         "import os; os.remove('kept'); list(dataset.cache('kept'))", "os.remove('kept')"),
    )
]  # fmt: skip
CALLBACKS += [
    mistake("", "keras.callbacks.TerminateOnNaN(raise_error=True).on_batch_end(0, {'loss': float('nan')})",
            MODEL + "model.fit(x, y, verbose=0, callbacks=[keras.callbacks.StopOnNonFinite()])",
            "callbacks=[keras.callbacks.StopOnNonFinite()]"),
]  # fmt: skip
KL, IN, SEQ = (
    "L = keras.layers\n",
    "L = keras.layers; x = keras.Input((8, 4))\n",
    "L = keras.layers; keras.Sequential([keras.Input(",
)
LAYERS += [
    Mistake(
        SEQ + "(8, 8, 1)), L.Conv2D(2, 3), L.MaxPooling1D()])",
        SEQ + "(8, 8, 1)), L.Conv2D(2, 3), L.MaxPooling2D()])",
        "MaxPooling2D()",
    ),
    Mistake(SEQ + "(8, 8, 1)), L.Conv1D(2, 3)])", SEQ + "(8, 8, 1)), L.Conv2D(2, 3)])", "Conv2D(2, 3)"),
    Mistake(
        SEQ + "(16,)), L.Reshape((-1, 4, 4, 1)), L.Conv2D(2, 3)])",
        SEQ + "(16,)), L.Reshape((4, 4, 1)), L.Conv2D(2, 3)])",
        "Reshape((4, 4, 1))",
    ),
    Mistake(SEQ + "(None, 8, 4)), L.LSTM(2)])", SEQ + "(8, 4)), L.LSTM(2)])", "Input((8, 4))", prose=True),
    Mistake(
        SEQ + "(8, 4)), L.LSTM(2, return_sequences=True), L.RepeatVector(3)])",
        SEQ + "(8, 4)), L.LSTM(2), L.RepeatVector(3)])",
        "LSTM(2)",
    ),
    Mistake(
        SEQ + "(8, 4, 4)), L.TimeDistributed(L.Conv2D(2, 3))])",
        SEQ + "(8, 4, 4, 1)), L.TimeDistributed(L.Conv2D(2, 3))])",
        "a last size of 1 in keras.Input",
        prose=True,
    ),
    Mistake(
        IN + "m = L.Add()([x, keras.Input((7, 4))])",
        IN + "m = L.Add()([x, L.ZeroPadding1D((0, 1))(keras.Input((7, 4)))])",
        "ZeroPadding1D((0, 1))(x)",
        prose=True,
    ),
    Mistake(
        KL + "L.Add()([keras.Input((9, 9, 2)), keras.Input((8, 8, 2))])",
        KL + "L.Add()([keras.Input((9, 9, 2)), L.ZeroPadding2D(((0, 1), (0, 1)))(keras.Input((8, 8, 2)))])",
        "ZeroPadding2D(((0, 1), (0, 1)))(x)",
        prose=True,
    ),
    Mistake(
        IN + "L.MultiHeadAttention(2, 2)([x, x])",
        IN + "L.MultiHeadAttention(2, 2, name='multi_head_attention')(x, x)",
        "multi_head_attention(x, y)",
        prose=True,
    ),
    Mistake(
        IN + "dense = L.Dense(2); dense([x, x])",
        IN + "dense = L.Dense(2); dense(L.Concatenate()([x, x]))",
        "dense(layers.Concatenate()([x, y]))",
        prose=True,
    ),
    Mistake(
        IN + "L.MultiHeadAttention(2, 2)(x, x, attention_mask=keras.Input((4, 4)))",
        IN + "L.MultiHeadAttention(2, 2)(x, x, attention_mask=keras.ops.ones((1, 8, 8), 'bool'))",
        "attention_mask=keras.ops.ones((1, 8, 8), 'bool')",
    ),
    Mistake(
        IN
        + "mask = keras.Input((8,)); L.MultiHeadAttention(2, 2)(x, keras.Input((8, 4)), attention_mask=np.ones((2, 8)))",
        IN + "mask = np.ones((1, 8)); L.MultiHeadAttention(2, 2)(x, x, attention_mask=mask[:, None, :])",
        "attention_mask=mask[:, None, :]",
    ),
    Mistake(
        IN + "_, h, c = L.LSTM(3, return_state=True)(x); L.LSTM(2)(x, initial_state=[h, c])",
        IN + "_, h, c = L.LSTM(3, return_state=True)(x); L.LSTM(3)(x, initial_state=[h, c])",
        "LSTM(3)",
    ),
    Mistake(KL + "L.RandomRotation(90)", KL + "L.RandomRotation(factor=0.25)", "factor=0.25"),
    Mistake(KL + "L.RandomZoom(20)", KL + "L.RandomZoom(height_factor=0.2)", "height_factor=0.2"),
    Mistake(
        "import lamina\nL = keras.layers; L.Resizing((8, 8))",
        "keras.layers.Resizing(8, 8)",
        "keras.layers.Resizing(8, 8)",
    ),
    Mistake(
        KL + "L.Dot()([keras.Input((3,)), keras.Input((3,))])",
        "keras.layers.Dot(-1)([keras.Input((3,)), keras.Input((3,))])",
        "keras.layers.Dot(-1)",
    ),
    Mistake(
        "n = keras.layers.Normalization(name='n'); n.adapt(np.ones((4, 3))); n(np.ones((4, 2)))",
        "x = np.ones((4, 2)); n = keras.layers.Normalization(); n.adapt(x); n(x)",
        "n.adapt(x)",
    ),
    Mistake(
        "import pandas as pd; x = pd.DataFrame({'a': [1, 2], 'b': ['s', 't']}); keras.layers.Normalization().adapt(x)",
        "import pandas as pd; x = pd.DataFrame({'a': [1, 2], 'b': ['s', 't']}); keras.layers.Normalization().adapt(x.drop(columns=['b']))",
        "adapt(x.drop(columns=['b']))",
    ),
    Mistake(
        "keras.layers.TextVectorization().adapt([1, 2])",
        "l = keras.layers.IntegerLookup(); l.adapt([1, 2])",
        "layers.IntegerLookup()",
    ),
    Mistake(
        "import pandas as pd; x = pd.Series(['a', float('nan')]); keras.layers.TextVectorization().adapt(x)",
        "import pandas as pd; x = pd.Series(['a', float('nan')]); x = x.fillna(''); keras.layers.TextVectorization().adapt(x)",
        "x = x.fillna('')",
    ),
    Mistake(
        "x = np.array(['a', None], object); keras.layers.TextVectorization().adapt(x)",
        "x = np.array(['a', None], object); x = [text or '' for text in x]; keras.layers.TextVectorization().adapt(x)",
        "x = [text or '' for text in x]",
    ),
    Mistake(
        "class Mine(keras.layers.Layer):\n    def __init__(self, f):\n        super().__init__()\nMine(2, name='a')",
        "class Mine(keras.layers.Layer):\n    def __init__(self, f, **kwargs): super().__init__(**kwargs)\nMine(2, name='a')",
        "def __init__(self, f, **kwargs): super().__init__(**kwargs)",
    ),
    Mistake(
        "class Mine(keras.layers.Layer):\n    def call(x): return x\nMine()(np.ones(2))",
        "class Mine(keras.layers.Layer):\n    def call(self, x): return x\nMine()(np.ones(2))",
        "def call(self, x):",
    ),
    Mistake(
        "class Mine(keras.layers.Layer):\n    def bulid(self, s): self.w = 1\n    def call(self, x): return x * self.w\nMine()(np.ones(2))",
        "class Mine(keras.layers.Layer):\n    def build(self, input_shape): self.w = 1\n    def call(self, x): return x * self.w\nMine()(np.ones(2))",
        "def build(self, input_shape):",
    ),
]
MODELS += [
    Mistake(
        PAIR + "model([np.ones((8, 1)), np.ones((8, 2))])",
        PAIR + "x = [np.ones((8, 1)), np.ones((8, 2))]; x = [x[1], x[0]]; model(x)",
        "x = [x[1], x[0]]",
    ),
    Mistake(
        MODEL + "model({'x': x, 'y': y})",
        MODEL + "model.fit((p for p in [(x, y)]), verbose=0)",
        "yield x, y",
        prose=True,
    ),
]
NET = (
    MODEL
    + "class Net(keras.Model):\n    def __init__(self): super().__init__(); self.d = keras.layers.Dense(1)\n    def call(self, x): return self.d(x)\n"
    "    def train_step(self, data): FIRSTreturn {'loss': keras.ops.mean(self(data))}\nmodel = Net(); model.compile('sgd', 'mse'); "
)
GRAPHS = [
    Mistake(
        "i = keras.Input((2,)); o = keras.layers.Dense(1)(i); keras.Model(o, i)",
        "i = keras.Input((2,)); o = keras.layers.Dense(1)(i); keras.Model(i, o)",
        "keras.Model(outputs, inputs): swap the two",
        prose=True,
    ),
]
TRAINING += [
    Mistake(
        MODEL
        + "class Mine(keras.losses.Loss):\n    def __call__(self, y, p): return y - p\nmodel.compile('sgd', Mine()); model.fit(x, y, verbose=0)",
        MODEL
        + "class Mine(keras.losses.Loss):\n    def call(self, y_true, y_pred): return y_true - y_pred\nmodel.compile('sgd', Mine()); model.fit(x, y, verbose=0)",
        "def call(self, y_true, y_pred):",
    ),
    Mistake(
        MODEL
        + "class Mine(keras.metrics.Metric):\n    def update_state(self, *a, **k): pass\n    def result(self): pass\n"
        "model.compile('sgd', 'mse', metrics=[Mine()]); model.fit(x, y, verbose=0)",
        MODEL
        + "class Mine(keras.metrics.Metric):\n    def update_state(self, *a, **k): pass\n    def result(self): value = 0.0; return value\n"
        "model.compile('sgd', 'mse', metrics=[Mine()]); model.fit(x, y, verbose=0)",
        "return value",
    ),
    Mistake(
        MODEL + "model.fit(x, y, stop=keras.callbacks.TerminateOnNaN(), verbose=0)",
        MODEL + "model.fit(x, y, callbacks=[keras.callbacks.TerminateOnNaN()], verbose=0)",
        "callbacks=[keras.callbacks.TerminateOnNaN()]",
    ),
    Mistake(
        NET.replace("FIRST", "") + "model.fit(x, y, verbose=0)",
        NET.replace("FIRST", "x, y = data; data = x; ") + "model.fit(x, y, verbose=0)",
        "x, y = data",
    ),
]
METRICS = [
    Mistake(
        MODEL + "model.compile('sgd', 'mse', metrics=[lambda y, p: (y, p)]); model.fit(x, y, verbose=0)",
        MODEL
        + "first = lambda y, p: y; second = lambda y, p: p; model.compile('sgd', 'mse', metrics=[first, second]); model.fit(x, y, verbose=0)",
        "metrics=[first, second]",
    ),
]
DATA_SET = (
    MODEL
    + "import math\nclass Data(keras.utils.PyDataset):\n    x = x\n    batch_size = 4\n    def __getitem__(self, i): GET\n    def __len__(self): LEN\nmodel.fit(Data(), verbose=0)"
)
GET, LEN = "return np.ones((4, 2)), np.ones((4, 1))", "return math.ceil(len(self.x) / self.batch_size)"
DATA = [
    Mistake(
        DATA_SET.replace("GET", GET).replace("LEN", "return 8 / 5"),
        DATA_SET.replace("GET", GET).replace("LEN", LEN),
        LEN,
    ),
    Mistake(
        DATA_SET.replace("GET", "pass").replace("LEN", LEN),
        DATA_SET.replace("GET", "x, y = np.ones((4, 2)), np.ones((4, 1)); return x, y").replace("LEN", LEN),
        "return x, y",
    ),
    Mistake(
        MODEL
        + "import pandas as pd; x = pd.DataFrame({'a': [1.0, 2], 'b': [1.0, 2], 'p': [3.0, 4]}); model.fit(x, 'p', verbose=0)",
        MODEL
        + "import pandas as pd; x = pd.DataFrame({'a': [1.0, 2], 'b': [1.0, 2], 'p': [3.0, 4]}); y = x.pop('p'); model.fit(x, y, verbose=0)",
        "y = x.pop('p')",
    ),
]
MINE = "class Mine(keras.layers.Layer):\n    def build(self, input_shape): self.w = WEIGHT\n    def call(self, x): return x @ self.w\n"
LAYERS += [
    Mistake(
        MINE.replace("WEIGHT", "self.add_weight(shape=(input_shape[0], 2))") + "Mine()(keras.Input((3,)))",
        MINE.replace("WEIGHT", "self.add_weight(shape=(input_shape[-1], 2,))") + "Mine()(keras.Input((3,)))",
        "self.add_weight(shape=(input_shape[-1], 2,))",
    ),
    Mistake(
        "keras.layers.ConvLSTM2D(2, 3)(keras.Input((8, 8, 1)))",
        "keras.layers.ConvLSTM2D(2, 3)(keras.Input((None, 8, 8, 1)))",
        "keras.Input((None, 8, 8, 1))",
    ),
]
GRAPHS += [
    Mistake(
        "layer = keras.layers.Dense(1)\nclass Mine(keras.layers.Layer):\n    def call(self, x): return layer\nMine()(keras.Input((3,)))",
        "layer = keras.layers.Dense(1)\nclass Mine(keras.layers.Layer):\n    def call(self, x): return layer(x)\nMine()(keras.Input((3,)))",
        "return layer(x)",
    ),
]
CALLBACKS += [
    Mistake(
        MODEL + "class C:\n    def on_epoch_end(self, epoch, logs): pass\nmodel.fit(x, y, verbose=0, callbacks=[C()])",
        MODEL
        + "class C(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs): pass\nmodel.fit(x, y, verbose=0, callbacks=[C()])",
        "class C(keras.callbacks.Callback):",
    ),
]
TRAINING += [
    Mistake(
        TWO
        + "model = keras.Model(inputs, list(model.output.values())); model.compile('sgd', 'mse'); model.fit(x, np.ones((8, 2)), verbose=0)",
        TWO
        + "model = keras.Model(inputs, list(model.output.values())); model.compile('sgd', 'mse'); y = np.ones((8, 2)); y = [y[:, 0], y[:, 1]]; model.fit(x, y, verbose=0)",
        "y = [y[:, 0], y[:, 1]]",
    ),
]
OPS += [
    Mistake(
        "keras.ops.cdist(np.ones((2, 3)), np.ones((2, 2)))",
        "x1, x2 = np.ones((2, 3)), np.ones((2, 2)); keras.ops.cdist(x1[..., :2], x2[..., :2])",
        "cdist(x1[..., :2], x2[..., :2])",
    ),
]
TRAINING += [
    mistake(MODEL, "model.fit(x, y, validation_data=[(x, y)], verbose=0)",
            "x_val, y_val = x, y; model.fit(x, y, validation_data=(x_val, y_val), verbose=0)",
            "validation_data=(x_val, y_val)"),
    mistake("class Mine(keras.Model):\n    def call(self, outputs):\n        ",
            "pass" + FITTED.replace("1))", "1)), np.ones((2, 1))"),
            "return outputs  # at the end of call" + FITTED.replace("1))", "1)), np.ones((2, 1))"),
            "return outputs  # at the end of call"),
]  # fmt: skip
GRAPHS += [
    mistake("import sklearn.metrics\n" + MODEL,
            "model.compile('sgd', sklearn.metrics.mean_squared_error); model.train_on_batch(x, y)",
            "model.compile('sgd', loss='mean_squared_error'); model.train_on_batch(x, y)", "loss='mean_squared_error'"),
]  # fmt: skip
GRAPHS += [
    mistake("i = keras.Input((2,)); outputs = keras.layers.Dense(1)(i); ", "keras.Model(outputs)",
            "inputs = i; keras.Model(inputs=inputs, outputs=outputs)", "keras.Model(inputs=inputs, outputs=outputs)"),
]  # fmt: skip
DATA += [
    mistake(MODEL + "import sklearn.model_selection\n",
            "x_train, y_train, x_test, y_test = sklearn.model_selection.train_test_split(x, y); "
            "model.fit(x_train, y_train, verbose=0)",
            "x_train, x_test, y_train, y_test = sklearn.model_selection.train_test_split(x, y)\n"
            "model.fit(x_train, y_train, verbose=0)",
            "x_train, x_test, y_train, y_test = sklearn.model_selection.train_test_split(x, y)"),
    mistake("model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])\n"
            "x = ['a.png', 'b.png']; [keras.utils.save_img(path, np.ones((4, 4, 3))) for path in x]\n",
            "model.predict(x, verbose=0)",
            "x = np.stack([keras.utils.img_to_array(keras.utils.load_img(path)) for path in x])\n"
            "model.predict(x, verbose=0)",
            "x = np.stack([keras.utils.img_to_array(keras.utils.load_img(path)) for path in x])"),
]  # fmt: skip
METHODS += [
    mistake("", "model = keras.Sequential; model.add(keras.layers.Dense(1))",
            "model = keras.Sequential(); model.add(keras.layers.Dense(1))", "model = keras.Sequential()"),
]  # fmt: skip
LAYERS += [
    mistake("dense = keras.layers.Dense(1, name='dense'); ", "dense(keras.Input)", "dense(keras.Input((8,)))",
            "dense(keras.Input((8,)))"),
    mistake("", "keras.layers.Conv2D(8, '3')", "keras.layers.Conv2D(8, kernel_size=3)", "kernel_size=3"),
]  # fmt: skip
