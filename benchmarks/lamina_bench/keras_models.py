"""The workloads in the Keras API. `keras` is the library module: lamina, Keras with any backend, or tf_keras."""

__all__ = [
    "autoencoder", "cnn_1d", "cnn_2d", "dense_32", "dense_128", "inception", "lstm", "regression", "resnet",
    "separable", "text_gru", "text_lstm", "transformer", "transposed_1d", "transposed_2d",
]  # fmt: skip


def dense_32(keras, units=32):
    """A dense network, 784-units-10."""
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((784,)), layers.Dense(units, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def dense_128(keras):
    """A dense network, 784-128-10."""
    return dense_32(keras, 128)


def regression(keras):
    """A dense network for regression, 9-64-64-1, as for Auto MPG."""
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((9,)), *hidden, keras.layers.Dense(1)])


def cnn_1d(keras):
    """1D convolutions over 20 features, with Dense layers between them."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((20, 1)),
            layers.Conv1D(128, 5, strides=2, padding="same"),
            layers.Dense(256, activation="relu"),
            layers.MaxPooling1D(),
            layers.Conv1D(128, 3, padding="same"),
            layers.Dense(64, activation="relu"),
            layers.MaxPooling1D(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(2, activation="softmax"),
        ]
    )


def lstm(keras):
    """An LSTM on sequences of 50 steps with 12 features."""
    layers = keras.layers
    return keras.Sequential([keras.Input((50, 12)), layers.LSTM(64), layers.Dense(9, activation="softmax")])


def cnn_2d(keras):
    """Two 2D convolutions on images of digits."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def inception(keras):
    """A new head on a frozen InceptionV3, whose batch normalization stays in inference mode."""
    layers = keras.layers
    base = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(150, 150, 3))
    base.trainable = False
    head = [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5)]
    return keras.Sequential([keras.Input((150, 150, 3)), base, *head, layers.Dense(1, activation="sigmoid")])


def _text(keras, recurrent):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((80,), dtype="int32"),
            layers.Embedding(5000, 32),
            layers.Bidirectional(recurrent),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def text_gru(keras):
    """A bidirectional GRU on texts of 80 words."""
    return _text(keras, keras.layers.GRU(32))


def text_lstm(keras):
    """A bidirectional LSTM on texts of 80 words."""
    return _text(keras, keras.layers.LSTM(32))


def resnet(keras):
    """A stem, a residual block, and a residual block that halves the image size."""
    layers = keras.layers

    def normalized(x, filters, size=3, strides=1, relu=True):
        x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        return layers.Activation("relu")(x) if relu else x

    def block(x, filters, strides=1):
        shortcut = x if strides == 1 else normalized(x, filters, 1, strides, relu=False)
        x = normalized(x, filters, strides=strides)
        return layers.Activation("relu")(layers.Add()([normalized(x, filters, relu=False), shortcut]))

    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(block(block(normalized(inputs, 32), 32), 64, 2))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def transformer(keras):
    """A Transformer encoder block on texts of 64 words."""
    layers = keras.layers
    inputs = keras.Input((64,), dtype="int32")
    x = layers.Embedding(5000, 64)(inputs)
    attended = layers.Dropout(0.1)(layers.MultiHeadAttention(4, 16)(x, x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, attended]))
    fed = layers.Dense(64)(layers.Dense(128, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(0.1)(fed)]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


def separable(keras):
    """Three separable convolutions."""
    layers = keras.layers

    def convolution(filters):
        return layers.SeparableConv2D(filters, 3, padding="same", activation="relu")

    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            convolution(32),
            convolution(64),
            layers.MaxPooling2D(),
            convolution(128),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def autoencoder(keras):
    """Downsample images to 7x7 with convolutions and pooling, and upsample them with transposed convolutions."""
    layers = keras.layers
    same = {"activation": "relu", "padding": "same"}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, **same),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, **same),
            layers.MaxPooling2D(),
            layers.Conv2DTranspose(32, 3, strides=2, **same),
            layers.Conv2DTranspose(32, 3, strides=2, **same),
            layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ]
    )


def transposed_1d(keras):
    """Downsample a series of 288 numbers to 72 and upsample it again."""
    layers = keras.layers
    halving = {"strides": 2, "activation": "relu", "padding": "same"}
    return keras.Sequential(
        [
            keras.Input((288, 1)),
            layers.Conv1D(32, 7, **halving),
            layers.Conv1D(16, 7, **halving),
            layers.Conv1DTranspose(16, 7, **halving),
            layers.Conv1DTranspose(32, 7, **halving),
            layers.Conv1DTranspose(1, 7, padding="same"),
        ]
    )


def transposed_2d(keras):
    """Generate an image from 64 numbers, as the generator of a GAN does."""
    layers = keras.layers
    doubling = {"strides": 2, "activation": "relu", "padding": "same"}
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(7 * 7 * 64, activation="relu"),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(64, 4, **doubling),
            layers.Conv2DTranspose(32, 4, **doubling),
            layers.Conv2D(1, 5, activation="sigmoid", padding="same"),
        ]
    )
