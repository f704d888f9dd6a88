"""More sound networks, as tutorials have them: parts that look odd and are not."""

import numpy as np

import lamina as keras
from lamina import layers, losses, ops
from lamina.models import Model, Sequential
from tests.check.sound_models import classes, images, tokens, vectors


def vision_transformer():
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(16, 4, strides=4)(inputs)
    x = layers.Reshape((16, 16))(x)
    x = layers.Dense(24)(x) + layers.Embedding(16, 24)(ops.arange(16))
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.Add()([layers.MultiHeadAttention(2, 12, dropout=0.1)(y, y), x])
    y = layers.Dense(48, activation="gelu")(layers.LayerNormalization(epsilon=1e-6)(x))
    x = layers.Add()([layers.Dropout(0.1)(layers.Dense(24, activation="gelu")(layers.Dropout(0.1)(y))), x])
    x = layers.Dropout(0.5)(layers.Flatten()(layers.LayerNormalization()(x)))
    model = Model(inputs, layers.Dense(10)(layers.Dropout(0.5)(layers.Dense(32, activation="gelu")(x))))
    model.compile(
        keras.optimizers.AdamW(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(), keras.metrics.SparseTopKCategoricalAccuracy(5)],
    )  # fmt: skip
    return model, images(16), classes(10)


def conv_mixer():
    def normalized(x):
        return layers.BatchNormalization()(layers.Activation("gelu")(x))

    inputs = keras.Input((16, 16, 3))
    x = normalized(layers.Conv2D(16, 2, strides=2)(layers.Rescaling(1 / 255)(inputs)))
    x = layers.Add()([normalized(layers.DepthwiseConv2D(5, padding="same")(x)), x])
    x = normalized(layers.Conv2D(16, 1)(x))
    model = Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAvgPool2D()(x)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, 255 * images(16), classes(10)


def super_resolution():
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(16, 5, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.Lambda(lambda t: ops.repeat(ops.repeat(t[..., :1], 2, 1), 2, 2), output_shape=(None, None, 1))(x)
    model = Model(inputs, x)
    model.compile("adam", losses.MeanSquaredError())
    return model, images(8, 1), images(16, 1)


def tab_transformer():
    numbers, kinds = keras.Input((5,), name="numbers"), keras.Input((3,), dtype="int32", name="kinds")
    x = layers.Embedding(50, 8)(kinds)
    x = layers.LayerNormalization()(layers.Add()([layers.MultiHeadAttention(2, 8)(x, x), x]))
    x = layers.Concatenate()([layers.Flatten()(x), layers.LayerNormalization()(numbers)])
    for units in (16, 8):
        x = layers.Dropout(0.2)(layers.Dense(units, activation="selu")(layers.BatchNormalization()(x)))
    model = Model([numbers, kinds], layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy(name="accuracy")])
    return model, {"numbers": vectors(5), "kinds": tokens(3)}, classes(2)


def wide_and_deep():
    wide, deep = keras.Input((30,), name="wide"), keras.Input((5,), name="deep")
    x = deep
    for _ in range(2):
        x = layers.Dropout(0.1)(layers.ReLU()(layers.BatchNormalization()(layers.Dense(16)(x))))
    model = Model([wide, deep], layers.Dense(7, activation="softmax")(layers.Concatenate()([wide, x])))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"wide": (vectors(30) > 1).astype("float32"), "deep": vectors(5)}, classes(7)


def translation_with_teacher():
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    _, *state = layers.LSTM(8, return_state=True)(layers.Embedding(50, 8, mask_zero=True)(source))
    decoder = layers.LSTM(8, return_sequences=True, return_state=True)
    x, _, _ = decoder(layers.Embedding(50, 8, mask_zero=True)(target), initial_state=state)
    model = Model([source, target], layers.Dense(50, activation="softmax")(layers.Dropout(0.5)(x)))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    sentences = tokens(7)
    return model, [tokens(9), sentences[:, :-1]], sentences[:, 1:]


def text_reader():
    inputs = keras.Input((16, 40, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(8, 3, padding="same", activation="relu")(inputs))
    x = layers.Reshape((20, 64))(layers.Permute((2, 1, 3))(x))
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True, dropout=0.25))(
        layers.Dense(16, activation="relu")(x)
    )
    model = Model(inputs, layers.Dense(20, activation="softmax")(x))
    return model, np.random.default_rng(0).random((64, 16, 40, 1), "float32"), None


def pixel_by_pixel():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 7, padding="same", activation="relu")(inputs)
    for _ in range(2):
        y = layers.Conv2D(4, 1, activation="relu")(layers.ReLU()(x))
        x = layers.Add()(
            [layers.Conv2D(8, 1, activation="relu")(layers.Conv2D(4, 3, padding="same", activation="relu")(y)), x]
        )
    model = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.0005), "binary_crossentropy")
    x = (images(8, 1) > 0.3).astype("float32")
    return model, x, x


def time_series():
    model = Sequential([keras.Input((24, 7)), layers.LSTM(16), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.001), "mse")
    draw = np.random.default_rng(0)
    return model, draw.normal(size=(64, 24, 7)).astype("float32"), draw.normal(size=(64, 1)).astype("float32")


def characters():
    model = Sequential([keras.Input((20, 30)), layers.LSTM(16), layers.Dense(30, activation="softmax")])
    model.compile(keras.optimizers.RMSprop(0.01), "categorical_crossentropy")
    kinds = np.random.default_rng(0).integers(0, 30, (64, 21))
    hot = np.eye(30, dtype="float32")[kinds]
    return model, hot[:, :20], hot[:, 20]


def critic():
    model = Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(8, 5, 2, padding="same"), layers.LeakyReLU(0.2), layers.Flatten(),
        layers.Dropout(0.2), layers.Dense(1),
    ])  # fmt: skip

    def wasserstein(y_true, y_pred):
        return ops.mean(y_true * y_pred)

    model.compile(keras.optimizers.Adam(0.0002, beta_1=0.5), wasserstein)
    return model, images(8, 1), 2.0 * classes(2)[:, None] - 1


def q_learning():
    model = Sequential([keras.Input((4,)), layers.Dense(24, activation="relu"), layers.Dense(24, activation="relu"),
                        layers.Dense(2, activation="linear")])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.001), "mse")
    return model, vectors(4), 30 * vectors(2)


def actor_and_critic():
    inputs = keras.Input((4,))
    common = layers.Dense(32, activation="relu")(inputs)
    return Model(inputs, [layers.Dense(2, activation="softmax")(common), layers.Dense(1)(common)]), vectors(4), None


def steering():
    """A bounded output for a bounded target."""
    model = Sequential([keras.Input((10,)), layers.Dense(16, activation="elu"), layers.Dense(1, activation="tanh")])
    model.compile("adam", "mse")
    return model, vectors(10), np.tanh(vectors(1))


def ordinary_perceptron():
    model = Sequential([keras.Input((2,)), layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    return model, vectors(2), classes(2).reshape(-1, 1)


def least_squares_classes():
    model = Sequential([keras.Input((10,)), layers.Dense(16, activation="relu"), layers.Dense(3)])
    model.compile("adam", "mse", metrics=["accuracy"])
    return model, vectors(10), np.eye(3, dtype="float32")[classes(3)]


def atrous_pyramid():
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    pooled = layers.AveragePooling2D((16, 16))(x)
    pooled = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(pooled)))
    pooled = layers.UpSampling2D((16, 16), interpolation="bilinear")(pooled)
    wide = [layers.Conv2D(8, 3, dilation_rate=rate, padding="same", activation="relu")(x) for rate in (1, 3, 6)]
    model = Model(inputs, layers.Conv2D(4, 1, padding="same")(layers.Concatenate()([pooled, *wide])))
    model.compile(
        "adam", losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255), metrics=["accuracy"]
    )
    labels = np.random.default_rng(0).integers(0, 4, (64, 16, 16, 1))
    labels[:, :2] = 255
    return model, images(16), labels


def detector():
    inputs = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(inputs))
    model = Model(inputs, {"box": layers.Dense(4, activation="sigmoid", name="box")(x),
                           "kind": layers.Dense(3, activation="softmax", name="kind")(x)})  # fmt: skip
    model.compile("adam", {"box": "mse", "kind": "categorical_crossentropy"}, loss_weights={"box": 1.0, "kind": 2.0},
                  metrics={"kind": ["accuracy"]})  # fmt: skip
    boxes = np.random.default_rng(0).random((64, 4))
    return model, images(16), {"box": boxes, "kind": np.eye(3)[classes(3)]}


def bag_of_words():
    model = Sequential([keras.Input((1000,)), layers.Dense(16, activation="relu"), layers.Dropout(0.5),
                        layers.Dense(46, activation="softmax")])  # fmt: skip
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (np.random.default_rng(0).random((64, 1000)) > 0.95).astype("float32"), classes(46)


def next_item():
    """More classes than a class has samples."""
    model = Sequential([keras.Input((12,), dtype="int32"), layers.Embedding(50, 8), layers.GRU(8), layers.Dense(5000)])
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, tokens(12), np.random.default_rng(0).integers(0, 5000, 64)


MORE = [
    vision_transformer, conv_mixer, super_resolution, tab_transformer, wide_and_deep, translation_with_teacher,
    text_reader, pixel_by_pixel, time_series, characters, critic, q_learning, actor_and_critic, steering,
    ordinary_perceptron, least_squares_classes, atrous_pyramid, detector, bag_of_words, next_item,
]  # fmt: skip
