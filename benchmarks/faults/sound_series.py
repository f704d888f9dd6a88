"""Sound recipes for series and signals."""

from typing import Any

import numpy as np

from benchmarks.faults.data import choices, draw, quantity, rows, series, yes_no
from benchmarks.faults.library import Input, Model, Sequential, callbacks, layers, losses, ops, optimizers
from benchmarks.faults.program import sound

FIT = {"epochs": 30, "batch_size": 32, "validation_split": 0.2}


def _forecast(*stack, shape=(24, 1), loss: Any = "mse", optimizer: Any = "adam"):
    model = Sequential([Input(shape), *stack])
    model.compile(optimizer, loss, metrics=["mae"])
    return model


@sound("TensorFlow tutorial: time series forecasting, linear")
def next_value_by_a_line():
    """A linear model of the window."""
    x, y = series(24, 1)
    return _forecast(layers.Flatten(), layers.Dense(1)), x, y, FIT


@sound("TensorFlow tutorial: time series forecasting, LSTM")
def next_value_by_lstm():
    """One LSTM and a linear layer."""
    x, y = series(24, 3)
    return _forecast(layers.LSTM(32), layers.Dense(1), shape=(24, 3)), x, y, FIT


@sound("Chollet: Deep Learning with Python, 10.4, stacked GRUs with dropout")
def stacked_gru():
    """Recurrent dropout and a dropout before the last layer, with rmsprop."""
    x, y = series(24, 3)
    stack = (layers.GRU(32, recurrent_dropout=0.2, return_sequences=True), layers.GRU(32, recurrent_dropout=0.2),
             layers.Dropout(0.2), layers.Dense(1))  # fmt: skip
    return _forecast(*stack, shape=(24, 3), optimizer="rmsprop"), x, y, FIT


@sound("TensorFlow tutorial: time series forecasting, many steps at once")
def several_steps_at_once():
    """Eight values ahead from one vector."""
    x, y = series(24, 1, ahead=8)
    return _forecast(layers.LSTM(32), layers.Dense(8)), x, y, FIT


@sound("Keras RepeatVector: sequence to sequence forecasting")
def repeated_state():
    """The last state repeated for each step ahead."""
    x, y = series(24, 2, ahead=6)
    stack = (layers.LSTM(32), layers.RepeatVector(6), layers.LSTM(32, return_sequences=True),
             layers.TimeDistributed(layers.Dense(1)))  # fmt: skip
    return _forecast(*stack, shape=(24, 2)), x, y[..., None], FIT


@sound("van den Oord et al.: WaveNet (2016)")
def dilated_causal():
    """Causal convolutions of growing dilation with gates and skips."""
    x, y = series(32, 1)
    inputs = Input((32, 1))
    z, skips = layers.Conv1D(16, 1)(inputs), []
    for rate in (1, 2, 4, 8):
        gate = layers.Conv1D(16, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(z)
        y_ = layers.Multiply()([layers.Conv1D(16, 2, padding="causal", dilation_rate=rate, activation="tanh")(z), gate])
        skips.append(layers.Conv1D(16, 1)(y_))
        z = layers.Add()([z, skips[-1]])
    z = layers.Activation("relu")(layers.Add()(skips))
    model = Model(inputs, layers.Conv1D(1, 1)(layers.Conv1D(16, 1, activation="relu")(z)))
    model.compile("adam", "mae")
    return model, x, np.concatenate([x[:, 1:], y[:, None]], axis=1), FIT


@sound("Bai et al.: An Empirical Evaluation of Generic Convolutional Networks for Sequences (2018)")
def temporal_convolutions():
    """Residual blocks of causal convolutions with spatial dropout."""
    x, y = series(32, 2)
    z = inputs = Input((32, 2))
    for rate in (1, 2, 4):
        short = z if z.shape[-1] == 16 else layers.Conv1D(16, 1)(z)
        for _ in range(2):
            z = layers.Conv1D(16, 3, padding="causal", dilation_rate=rate)(z)
            z = layers.SpatialDropout1D(0.1)(layers.Activation("relu")(layers.LayerNormalization()(z)))
        z = layers.Activation("relu")(layers.Add()([short, z]))
    model = Model(inputs, layers.Dense(1)(z[:, -1]))
    model.compile("adam", "mse")
    return model, x, y, FIT


@sound("Fawaz et al.: Deep Learning for Time Series Classification (2019)")
def kinds_of_signals():
    """A fully convolutional network for classes, as in the Keras example."""
    x, _ = series(64, 1)
    y = choices(x[:, :8], 3)
    inputs = z = Input((64, 1))
    for size in (8, 5, 3):
        z = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(32, size, padding="same")(z)))
    model = Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    stop = [callbacks.EarlyStopping("val_loss", patience=10, verbose=0),
            callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=5, min_lr=1e-4)]  # fmt: skip
    return model, x, y, {**FIT, "callbacks": stop}


@sound("Keras example: time series classification with a transformer")
def signals_by_attention():
    """Attention over a signal with convolutions as the feed-forward part."""
    x, _ = series(48, 1)
    inputs = Input((48, 1))
    z = layers.Conv1D(16, 5, padding="same", activation="relu")(inputs)
    z = z + layers.Embedding(48, 16)(ops.arange(48))
    for _ in range(2):
        z = layers.LayerNormalization()(z + layers.Dropout(0.1)(layers.MultiHeadAttention(2, 8, dropout=0.1)(z, z)))
        y = layers.Conv1D(16, 1)(layers.Conv1D(16, 1, activation="relu")(z))
        z = layers.LayerNormalization()(z + y)
    z = layers.Dense(32, activation="relu")(layers.GlobalAveragePooling1D()(z))
    model = Model(inputs, layers.Dense(2, activation="softmax")(layers.Dropout(0.2)(z)))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model, x, yes_no(x[:, :10]), FIT


@sound("Keras example: anomaly detection with an autoencoder of convolutions")
def signal_autoencoder():
    """Strides down, transposed convolutions up, a linear last layer."""
    x, _ = series(48, 1)
    model = _forecast(
        layers.Conv1D(16, 7, strides=2, padding="same", activation="relu"), layers.Dropout(0.2),
        layers.Conv1D(8, 7, strides=2, padding="same", activation="relu"),
        layers.Conv1DTranspose(8, 7, strides=2, padding="same", activation="relu"), layers.Dropout(0.2),
        layers.Conv1DTranspose(16, 7, strides=2, padding="same", activation="relu"),
        layers.Conv1DTranspose(1, 7, padding="same"), shape=(48, 1),
    )  # fmt: skip
    return model, x, x, FIT


@sound("Malhotra et al.: LSTM-based Encoder-Decoder for Anomaly Detection (2016)")
def recurrent_autoencoder():
    """An LSTM to a vector, and an LSTM back to the series."""
    x, _ = series(20, 2)
    model = _forecast(
        layers.LSTM(16), layers.RepeatVector(20), layers.LSTM(16, return_sequences=True),
        layers.TimeDistributed(layers.Dense(2)), shape=(20, 2), loss="mae",
    )  # fmt: skip
    return model, x, x, FIT


@sound("Salinas et al.: DeepAR (2020), a normal distribution of each next value")
def mean_and_deviation():
    """Two outputs, and the likelihood of a normal distribution as the loss."""
    x, y = series(24, 1)

    def unlikely(y_true, y_pred):
        mean, spread = y_pred[:, :1], ops.softplus(y_pred[:, 1:]) + 1e-3
        return ops.mean(ops.log(spread) + ops.square((y_true - mean) / spread) / 2, axis=-1)

    return _forecast(layers.GRU(24), layers.Dense(2), loss=unlikely), x, np.concatenate([y, y], axis=1), FIT


@sound("Koenker, Bassett: Regression Quantiles (1978)")
def three_quantiles():
    """The pinball loss for three quantiles at once."""
    x, y = series(24, 1)

    def pinball(y_true, y_pred):
        share = ops.convert_to_tensor([0.1, 0.5, 0.9])
        off = y_true - y_pred
        return ops.mean(ops.maximum(share * off, (share - 1) * off), axis=-1)

    return _forecast(layers.LSTM(24), layers.Dense(3), loss=pinball), x, np.repeat(y, 3, axis=1), FIT


@sound("Keras: stateful recurrent layers over consecutive windows, with states reset by hand")
def consecutive_windows():
    """A stateful LSTM with a fixed batch and no shuffling."""
    x, y = series(24, 1)
    inputs = Input(batch_shape=(32, 24, 1))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(16, stateful=True)(inputs)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30, "batch_size": 32, "shuffle": False}


@sound("Borovykh et al.; features of the calendar beside the window")
def window_and_calendar():
    """A recurrent branch and a dense branch for day and hour."""
    x, y = series(24, 1)
    day = draw(1).integers(0, 7, (len(x), 1))
    window, which = Input((24, 1), name="window"), Input((1,), dtype="int32", name="day")
    z = layers.Concatenate()([layers.LSTM(24)(window), layers.Flatten()(layers.Embedding(7, 3)(which))])
    model = Model([window, which], layers.Dense(1)(layers.Dense(16, activation="relu")(z)))
    model.compile("adam", "mse")
    return model, {"window": x, "day": day}, y, FIT


@sound("Oreshkin et al.: N-BEATS (2020)")
def stacked_residual_forecasts():
    """Blocks that take away what they explain, and add up their forecasts."""
    x, y = series(24, 1, ahead=4)
    inputs = Input((24,))
    rest, total = inputs, None
    for _ in range(3):
        z = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(rest))
        rest = layers.Subtract()([rest, layers.Dense(24)(z)]) if _ < 2 else rest
        ahead = layers.Dense(4)(z)
        total = ahead if total is None else layers.Add()([total, ahead])
    model = Model(inputs, total)
    model.compile("adam", "mae")
    return model, x[..., 0], y, FIT


@sound("Zeng et al.: Are Transformers Effective for Time Series Forecasting? (2023)")
def differences_from_the_last_value():
    """The last value is taken away and added again."""
    x, y = series(24, 1, ahead=4)
    inputs = Input((24,))
    last = inputs[:, -1:]
    model = Model(inputs, layers.Dense(4)(inputs - last) + last)
    model.compile("adam", "mse")
    return model, x[..., 0], y, FIT


@sound("Warden: Speech Commands (2018); TensorFlow tutorial of simple audio")
def spoken_words():
    """Spectrograms as pictures, with a Normalization layer that was adapted."""
    x = np.abs(rows(32 * 24, 256)).reshape(-1, 32, 24, 1)
    y = choices(x[:, :4, :4], 4)
    normalize = layers.Normalization(axis=None)
    normalize.adapt(x)
    model = Sequential([
        Input((32, 24, 1)), normalize, layers.Conv2D(16, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dropout(0.5), layers.Dense(4),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, y, FIT


@sound("Ordóñez, Roggen: DeepConvLSTM (2016)")
def activities_by_sensors():
    """Convolutions over time, then LSTMs, for six activities."""
    x, _ = series(48, 6)
    stack = (layers.Conv1D(32, 5, activation="relu"), layers.Conv1D(32, 5, activation="relu"), layers.Dropout(0.3),
             layers.LSTM(32), layers.Dense(6, activation="softmax"))  # fmt: skip
    model = Sequential([Input((48, 6)), *stack])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x[:, :6], 6), FIT


@sound("Hannun et al.: Cardiologist-level arrhythmia detection (2019)")
def deep_residual_signal():
    """Six residual blocks over a signal."""
    x, _ = series(128, 1)
    inputs = Input((128, 1))
    z = layers.Conv1D(16, 9, padding="same")(inputs)
    for step in range(6):
        short = layers.MaxPooling1D(2)(z) if step % 2 else z
        z = layers.Conv1D(16, 9, padding="same")(layers.ReLU()(layers.BatchNormalization()(z)))
        z = layers.Dropout(0.2)(layers.ReLU()(layers.BatchNormalization()(z)))
        z = layers.Add()([layers.Conv1D(16, 9, strides=1 + step % 2, padding="same")(z), short])
    z = layers.GlobalAveragePooling1D()(layers.ReLU()(layers.BatchNormalization()(z)))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x[:, :12], 4), FIT


@sound("Survival and remaining life: a positive target with softplus")
def remaining_life():
    """A positive quantity by softplus, in hundreds of hours."""
    x, _ = series(30, 4)
    life = np.exp(0.4 * quantity(x))
    stack = (layers.GRU(24), layers.Dense(16, activation="relu"), layers.Dense(1, activation="softplus"))
    return _forecast(*stack, shape=(30, 4), loss="mse"), x, life, FIT
