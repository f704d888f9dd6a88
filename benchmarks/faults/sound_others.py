"""Sound recipes of other kinds: reinforcement, physics, distillation, adapters, fewer bits, models of one's own."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, initializers, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import sound

FIT = {"epochs": 30, "batch_size": 32}
SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"


@sound("Mnih et al.: Human-level control through deep reinforcement learning (2015)")
def values_of_actions():
    """A linear output for each action and the Huber loss of the returns."""
    states = rows(4)
    model = Sequential([Input((4,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(3, "linear")])
    model.compile(optimizers.Adam(2.5e-4, clipnorm=1.0), losses.Huber())
    return model, states, 2 * quantity(states, 3), {"epochs": 60}


@sound("Mnih et al. (2015), frames of a game")
def values_from_frames():
    """Four frames of 0 to 255, scaled in the model, three convolutions."""
    x, _ = images(42, 4, 4, count=128)
    model = Sequential([
        Input((42, 42, 4)), layers.Rescaling(1 / 255), layers.Conv2D(16, 8, strides=4, activation="relu"),
        layers.Conv2D(32, 4, strides=2, activation="relu"), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dense(4),
    ])  # fmt: skip
    model.compile(optimizers.Adam(2.5e-4), "huber")
    return model, (255 * x).astype("uint8"), quantity(x[:, :4, :4, 0], 4), {"epochs": 60, "batch_size": 16}


@sound("Williams: REINFORCE (1992), weights by returns")
def policy_by_weights():
    """Actions taken as labels, weighted by what they returned."""
    states = rows(4)
    inputs = Input((4,))
    model = Model(inputs, layers.Dense(2, activation="softmax")(layers.Dense(32, activation="relu")(inputs)))
    model.compile(optimizers.Adam(0.003), SPARSE)
    return model, states, choices(states, 2), {"epochs": 30}


@sound("Keras example: actor critic method")
def actor_and_critic():
    """A softmax and a linear output; trained by a loop of its own."""
    inputs = Input((4,))
    common = layers.Dense(128, activation="relu")(inputs)
    return Model(inputs, [layers.Dense(2, activation="softmax")(common), layers.Dense(1)(common)]), rows(4), None


@sound("Lillicrap et al.: Continuous control with deep reinforcement learning (2016)")
def continuous_actor():
    """tanh with small initial weights, for actions of -1 to 1."""
    states = rows(3)
    last = initializers.RandomUniform(-0.003, 0.003)
    model = Sequential([Input((3,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"),
                        layers.Dense(1, activation="tanh", kernel_initializer=last)])  # fmt: skip
    model.compile("adam", "mse")
    return model, states, np.tanh(quantity(states)), {"epochs": 60}


@sound("Ha, Schmidhuber: World Models (2018), imitation of actions")
def imitation():
    """Actions of an expert as labels."""
    states = rows(8)
    model = Sequential([Input((8,)), layers.Dense(64, "tanh"), layers.Dense(64, "tanh"), layers.Dense(4, "softmax")])
    model.compile(optimizers.Adam(1e-3), SPARSE, metrics=["accuracy"])
    return model, states, choices(states, 4), {"epochs": 40}


@sound("Raissi et al.: Physics-informed neural networks (2019)")
def physics_informed():
    """tanh through five layers; the data part of the loss, with coordinates of -1 to 1."""
    x = draw(0).uniform(-1, 1, (512, 2)).astype("float32")
    y = np.exp(-x[:, 1]) * np.sin(np.pi * x[:, 0])
    model = Sequential([Input((2,)), *[layers.Dense(20, "tanh", kernel_initializer="glorot_normal") for _ in range(5)]])
    model.add(layers.Dense(1))
    model.compile(optimizers.Adam(1e-3), "mse")
    return model, x, y.astype("float32"), {"epochs": 200}


class _Oscillator(Model):
    """A network of time whose loss is the equation of a spring."""

    def __init__(self):
        super().__init__()
        self.body = Sequential(
            [layers.Dense(32, activation="tanh"), layers.Dense(32, activation="tanh"), layers.Dense(1)]
        )

    def call(self, time):
        return self.body(time)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        step = 1e-2
        bend = (self.body(x + step) - 2 * y_pred + self.body(x - step)) / step**2
        start = ops.square(self.body(ops.zeros((1, 1))) - 1)
        return ops.mean(ops.square(bend + y_pred)) + ops.mean(start)


@sound("Raissi et al. (2019), the residual of an equation")
def equation_of_a_spring():
    """No targets: the loss is how far the equation is from true."""
    model = _Oscillator()
    model.compile(optimizers.Adam(1e-3))
    return model, draw(0).uniform(0, 6, (512, 1)).astype("float32"), None, {"epochs": 200}


@sound("Sitzmann et al.: Implicit Neural Representations with Periodic Activation Functions (2020)")
def sines_as_activation():
    """A picture as a function of its coordinates by sines."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 24)] * 2), axis=-1).reshape(-1, 2).astype("float32")
    shade = np.cos(6 * grid[:, :1]) * np.sin(4 * grid[:, 1:])
    wide = initializers.RandomUniform(-0.5, 0.5)
    model = Sequential([
        Input((2,)), layers.Dense(64, activation=lambda t: ops.sin(10 * t), kernel_initializer=wide),
        layers.Dense(64, activation=ops.sin), layers.Dense(1),
    ])  # fmt: skip
    model.compile(optimizers.Adam(1e-3), "mse")
    return model, grid, shade, {"epochs": 200}


@sound("Mildenhall et al.: NeRF (2020), positions by sines")
def field_of_colours():
    """Sines of the position, eight layers with a skip, sigmoid colours."""
    points = draw(0).uniform(-1, 1, (512, 3)).astype("float32")
    colours = (np.sin(3 * points) / 2 + 0.5).astype("float32")
    inputs = Input((3,))
    code = ops.concatenate([inputs] + [part(inputs * 2.0**k) for k in range(4) for part in (ops.sin, ops.cos)], axis=-1)
    z = code
    for step in range(6):
        z = layers.Dense(64, activation="relu")(z)
        z = layers.Concatenate()([z, code]) if step == 2 else z
    model = Model(inputs, layers.Dense(3, activation="sigmoid")(z))
    model.compile(optimizers.Adam(5e-4), "mse")
    return model, points, colours, {"epochs": 100}


@sound("Hinton et al.: Distilling the Knowledge in a Neural Network (2015)")
def student_of_soft_labels():
    """Rows of probabilities from a teacher, and the divergence from them."""
    x = rows(16)
    scores = np.exp(2 * quantity(x, 5))
    soft = (scores / scores.sum(axis=1, keepdims=True)).astype("float32")
    model = Sequential([Input((16,)), layers.Dense(32, "relu"), layers.Dense(5, "softmax")])
    model.compile("adam", losses.KLDivergence(), metrics=["categorical_accuracy"])
    return model, x, soft, {"epochs": 60}


@sound("Hinton et al. (2015), scores of the teacher")
def student_of_scores():
    """Scores before softmax as targets, by the squared error."""
    x, _ = images(20, 1, 6)
    model = Sequential([Input((20, 20, 1)), layers.Conv2D(8, 3, strides=2, activation="relu"), layers.Flatten(),
                        layers.Dense(6)])  # fmt: skip
    model.compile("adam", "mse")
    return model, x, quantity(x, 6), FIT


@sound("Hu et al.: LoRA (2022)")
def low_rank_adapters():
    """Two linear layers side by side with a frozen one, and a head."""
    x = rows(24)
    inputs = Input((24,))
    frozen = layers.Dense(64, trainable=False)(inputs)
    low = layers.Dense(64, use_bias=False, kernel_initializer="zeros")(layers.Dense(4, use_bias=False)(inputs))
    z = layers.Activation("relu")(frozen + 2.0 * low)
    model = Model(inputs, layers.Dense(3, activation="softmax")(z))
    model.compile(optimizers.AdamW(1e-3), SPARSE)
    return model, x, choices(x, 3), {"epochs": 60}


@sound("Keras: Dense.enable_lora")
def lora_of_dense_layers():
    """enable_lora on the hidden layers before training goes on."""
    x = rows(24)
    hidden = [layers.Dense(64, activation="relu") for _ in range(2)]
    model = Sequential([Input((24,)), *hidden, layers.Dense(1, activation="sigmoid")])
    for layer in hidden:
        layer.enable_lora(4)
    model.compile(optimizers.Adam(1e-3), BINARY)
    return model, x, yes_no(x), {"epochs": 60}


@sound("Houlsby et al.: Parameter-Efficient Transfer Learning (2019)")
def bottleneck_adapters():
    """A frozen block with a small residual adapter."""
    x, y = texts(20, 200, 4)
    inputs = Input((20,), dtype="int32")
    z = layers.Embedding(200, 32, trainable=False)(inputs)
    attention = layers.MultiHeadAttention(2, 16, trainable=False)
    z = layers.LayerNormalization()(z + attention(z, z))
    z = z + layers.Dense(32, kernel_initializer=initializers.RandomNormal(stddev=1e-3))(
        layers.Dense(8, activation="gelu")(z)
    )
    z = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(z))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile(optimizers.AdamW(1e-3), SPARSE)
    return model, x, y, {"epochs": 60}


@sound("Micikevicius et al.: Mixed Precision Training (2018)")
def mixed_precision():
    """Half precision inside, float32 in the last layer."""
    x, y = images(20, 3, 5)
    half = {"dtype": "mixed_bfloat16"}
    inputs = Input((20, 20, 3))
    z = layers.MaxPooling2D(**half)(layers.Conv2D(16, 3, activation="relu", **half)(inputs))
    z = layers.Dense(5, **half)(layers.Flatten(**half)(z))
    model = Model(inputs, layers.Activation("softmax", dtype="float32")(z))
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, x, y, FIT


@sound("Keras: Model.quantize, predictions in int8")
def eight_bits():
    """A model that was quantized after training, and is only evaluated."""
    x = rows(24)
    model = Sequential([Input((24,)), layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(3, "softmax")])
    model.quantize("int8")
    return model, x, None


@sound("Courbariaux et al.: BinaryConnect (2015), straight-through signs")
def signs_for_weights():
    """A layer whose weights are their signs going forward."""
    x = rows(24)
    model = Sequential([Input((24,)), _Signed(64), layers.BatchNormalization(), layers.Activation("relu"),
                        layers.Dense(1, activation="sigmoid")])  # fmt: skip
    model.compile("adam", BINARY)
    return model, x, yes_no(x), {"epochs": 60}


class _Signed(layers.Layer):
    """Dense with weights of -1 and 1."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, x):
        signs = ops.sign(self.kernel)
        return ops.matmul(x, self.kernel + ops.stop_gradient(signs - self.kernel))


class _Residual(layers.Layer):
    """A layer of one's own with two layers inside."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(width, activation="gelu"), layers.Dense(width)
        self.norm = layers.LayerNormalization()

    def call(self, x):
        return x + self.second(self.first(self.norm(x)))


@sound("Keras guide: making new layers and models by subclassing")
def layers_of_ones_own():
    """Three residual layers of one's own between layers of Keras."""
    x = rows(20)
    inputs = Input((20,))
    z = layers.Dense(32)(inputs)
    for _ in range(3):
        z = _Residual(32)(z)
    model = Model(inputs, layers.Dense(4, activation="softmax")(layers.LayerNormalization()(z)))
    model.compile("adam", SPARSE, metrics=["accuracy"])
    return model, x, choices(x, 4), {"epochs": 40}


class _Subclassed(Model):
    """A model by subclassing, with dropout in training alone."""

    def __init__(self):
        super().__init__()
        self.look = layers.Conv2D(16, 3, activation="relu")
        self.pool, self.drop = layers.GlobalMaxPooling2D(), layers.Dropout(0.3)
        self.hidden, self.head = layers.Dense(32, activation="relu"), layers.Dense(5)

    def call(self, x, training=False):
        z = self.drop(self.hidden(self.pool(self.look(x))), training=training)
        return self.head(z)


@sound("TensorFlow tutorial: quickstart for experts, a subclassed model")
def model_by_subclassing():
    """Logits of a subclassed network."""
    x, y = images(20, 3, 5)
    model = _Subclassed()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, y, FIT


@sound("Lakshminarayanan et al.: Deep Ensembles (2017)")
def average_of_three():
    """Three networks and the mean of their probabilities."""
    x = rows(12)
    inputs = Input((12,))
    members = [layers.Dense(3, activation="softmax")(layers.Dense(24, activation="relu")(inputs)) for _ in range(3)]
    model = Model(inputs, layers.Average()(members))
    model.compile("adam", SPARSE)
    return model, x, choices(x, 3), {"epochs": 40}


@sound("Gal, Ghahramani: Dropout as a Bayesian Approximation (2016)")
def dropout_on_purpose_in_prediction():
    """Dropout that stays on, to draw predictions, on a hidden layer of a regression."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dropout(0.1)(layers.Dense(64, activation="relu")(inputs))
    z = layers.Dense(64, activation="relu")(z)
    model = Model(inputs, layers.Dense(1)(z))
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 60}


@sound("Srivastava et al.: Highway Networks (2015)")
def highway():
    """Twelve gated layers."""
    x = rows(20)
    inputs = Input((20,))
    z = layers.Dense(32)(inputs)
    for _ in range(12):
        gate = layers.Dense(32, activation="sigmoid", bias_initializer=initializers.Constant(-2.0))(z)
        z = gate * layers.Dense(32, activation="relu")(z) + (1 - gate) * z
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    model.compile("adam", BINARY)
    return model, x, yes_no(x), {"epochs": 40}


@sound("Bai et al.: weight sharing; one layer used again and again")
def one_layer_six_times():
    """One residual step applied six times."""
    x = rows(16)
    inputs = Input((16,))
    step, norm = layers.Dense(16, activation="tanh"), layers.LayerNormalization()
    z = inputs
    for _ in range(6):
        z = z + step(norm(z))
    model = Model(inputs, layers.Dense(3, activation="softmax")(layers.LayerNormalization()(z)))
    model.compile("adam", SPARSE)
    return model, x, choices(x, 3), {"epochs": 40}


@sound("Jaegle et al.: Perceiver (2021)")
def few_queries_of_many_values():
    """A few learned queries that attend to a long series."""
    x, y = series(64, 3)
    inputs = Input((64, 3))
    keys = layers.Dense(24)(inputs) + layers.Embedding(64, 24)(ops.arange(64))
    query = layers.Dense(24)(inputs[:, :4]) + layers.Embedding(4, 24)(ops.arange(4))
    z = query + layers.MultiHeadAttention(2, 12)(query, keys)
    z = z + layers.Dense(24)(layers.Dense(48, activation="gelu")(layers.LayerNormalization()(z)))
    model = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@sound("Tolstikhin et al.: MLP-Mixer (2021)")
def mixer():
    """Layers over patches and over features in turn."""
    x, y = images(16, 3, 4)
    inputs = Input((16, 16, 3))
    z = layers.Reshape((16, 24))(layers.Conv2D(24, 4, strides=4)(inputs))
    for _ in range(2):
        y_ = layers.Permute((2, 1))(layers.LayerNormalization()(z))
        y_ = layers.Dense(16)(layers.Dense(32, activation="gelu")(y_))
        z = z + layers.Permute((2, 1))(y_)
        z = z + layers.Dense(24)(layers.Dense(48, activation="gelu")(layers.LayerNormalization()(z)))
    model = Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", SPARSE)
    return model, x, y, FIT


@sound("Ganin, Lempitsky: Unsupervised Domain Adaptation by Backpropagation (2015), two heads")
def class_and_domain():
    """A class and the origin of a row, from shared features."""
    x = rows(16)
    inputs = Input((16,))
    z = layers.Dense(32, activation="relu")(inputs)
    kind = layers.Dense(3, activation="softmax", name="kind")(z)
    origin = layers.Dense(1, activation="sigmoid", name="origin")(layers.Dense(16, activation="relu")(z))
    model = Model(inputs, {"kind": kind, "origin": origin})
    model.compile("adam", {"kind": SPARSE, "origin": BINARY}, loss_weights={"kind": 1.0, "origin": 0.1})
    return model, x, {"kind": choices(x, 3), "origin": yes_no(x, seed=5)}, {"epochs": 40}


@sound("Deng et al.: ArcFace (2019), cosines as scores")
def cosines_as_scores():
    """Cosines of features with a vector for each class, times a scale, as logits."""
    x, y = images(20, 3, 8)
    inputs = Input((20, 20, 3))
    z = layers.GlobalMaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(inputs))
    z = layers.UnitNormalization()(layers.Dense(16)(z))
    scores = layers.Dense(8, use_bias=False, kernel_constraint=keras.constraints.UnitNorm())(z)
    model = Model(inputs, scores * 16.0)
    model.compile("adam", losses.CategoricalCrossentropy(from_logits=True))
    return model, x, one_hot(y, 8), FIT


@sound("Platt: support vector machines as a layer (Tang 2013)")
def margins():
    """Labels -1 and 1, a linear output, the squared hinge and a penalty."""
    x = rows(16)
    model = Sequential([Input((16,)), layers.Dense(32, "relu"),
                        layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1e-3))])  # fmt: skip
    model.compile("adam", "squared_hinge")
    return model, x, 2.0 * yes_no(x)[:, None] - 1, {"epochs": 60}


@sound("Sequence labels of robots: a Masking layer over series of other lengths")
def series_of_other_lengths():
    """Padded series with Masking and an LSTM."""
    x, y = series(24, 2)
    x = np.where(np.arange(24)[None, :, None] < draw(1).integers(10, 25, (len(x), 1, 1)), x, -9.0).astype("float32")
    model = Sequential([Input((24, 2)), layers.Masking(-9.0), layers.LSTM(24), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@sound("Quickstart of many a tutorial: a batch as large as the data, many epochs")
def whole_batch_many_epochs():
    """Full-batch training of a small table for 500 steps."""
    x = rows(4, 120)
    model = Sequential([Input((4,)), layers.Dense(10, "relu"), layers.Dense(3, "softmax")])
    model.compile(optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    return model, x, choices(x, 3), {"epochs": 500, "batch_size": 120}


@sound("Batches from a generator, as data too large for memory are given")
def batches_from_a_generator():
    """A Python generator of batches."""
    x = rows(10)
    y = yes_no(x)

    def batches():
        while True:
            for start in range(0, len(x), 32):
                yield x[start : start + 32], y[start : start + 32]

    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", BINARY)
    return model, batches(), None, {"epochs": 30, "steps_per_epoch": 16}
