"""Programs as they stand in books and posts for Keras 1 and 2, with `keras` read as `lamina`, nothing else changed."""

import warnings

import numpy as np
import pytest

import lamina
from lamina.legacy import OldSpelling


def run(program, **given):
    """The names that a program defines, and the lines it was told."""
    names = {"__name__": "program", **given}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", OldSpelling)
        exec(compile(program.replace("keras", "lamina"), "program.py", "exec"), names)
    assert {warning.filename for warning in caught} <= {"program.py"}
    return names, [str(warning.message) for warning in caught]


def digits(samples=256):
    (x, y), _ = lamina.datasets.digits.load_data()
    return x[:samples].reshape(-1, 64).astype("float32") / 16, y[:samples]


MLP = """
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Activation
from keras.optimizers import SGD, RMSprop
from keras.utils import np_utils
from keras.regularizers import l2
from keras.constraints import maxnorm

Y_train = np_utils.to_categorical(y_train, 10)

model = Sequential()
model.add(Dense(32, input_shape=(64,), init='glorot_uniform', W_regularizer=l2(1e-4), W_constraint=maxnorm(3)))
model.add(Activation('relu'))
model.add(Dropout(0.2))
model.add(Dense(output_dim=10))
model.add(Activation('softmax'))
sgd = SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss='categorical_crossentropy', optimizer=sgd, metrics=['accuracy'])
history = model.fit(X_train, Y_train, batch_size=32, nb_epoch=8, verbose=0, validation_split=0.25)
score = model.evaluate(X_train, Y_train, verbose=0)
classes = model.predict_classes(X_train, batch_size=32)
proba = model.predict_proba(X_train, batch_size=32)
"""


def test_mlp_of_keras_1():
    x, y = digits()
    names, lines = run(MLP, X_train=x, y_train=y)
    assert names["score"][1] > 0.9 and len(names["history"].history["val_loss"]) == 8
    np.testing.assert_array_equal(names["classes"], names["proba"].argmax(-1))
    olds = ("init=", "W_regularizer=", "W_constraint=", "maxnorm", "lr=", "decay=", "nb_epoch=", "output_dim=")
    for old in (*olds, "predict_classes", "predict_proba"):
        assert sum(old in line for line in lines) == 1, old


VGG = """
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, ZeroPadding2D, Activation, Dropout, Flatten, Dense
from keras import backend as K
import warnings

K.set_image_dim_ordering('tf')
model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(8, 8, 1)))
model.add(Convolution2D(8, 3, 3, activation='relu', name='conv1_1'))
model.add(Convolution2D(8, 3, 3, border_mode='same', init='he_normal', dim_ordering='tf'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2), strides=(2, 2), border_mode='valid'))
model.add(Convolution2D(nb_filter=16, nb_row=3, nb_col=3, subsample=(2, 2), border_mode='same', bias=False))
model.add(Flatten())
model.add(Dense(32, activation='relu'))
model.add(Dropout(p=0.25))
model.add(Dense(10, activation='softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer='adadelta', metrics=['acc'])
model.optimizer.lr = 1.0
history = model.fit(x, y, batch_size=64, nb_epoch=2, validation_data=(x, y), verbose=0)
with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    model.save_weights(path)
before = model.predict(x, verbose=0)
model.layers[1].set_weights([0 * w for w in model.layers[1].get_weights()])
model.load_weights(path)
after = model.predict(x, verbose=0)
get_features = K.function([model.layers[0].input, K.learning_phase()], [model.layers[3].output])
features = get_features([x, 0])[0]
"""


@pytest.mark.filterwarnings("ignore:save_weights")
def test_vgg_of_keras_1(tmp_path):
    x, y = digits(64)
    names, lines = run(VGG, x=x.reshape(-1, 8, 8, 1), y=y, path=str(tmp_path / "weights.h5"))
    model = names["model"]
    assert [layer.output.shape for layer in model.layers][1:6:2] == [(None, 8, 8, 8), (None, 8, 8, 8), (None, 2, 2, 16)]
    assert set(names["history"].history) == {"loss", "acc", "val_loss", "val_acc"}
    np.testing.assert_allclose(names["before"], names["after"], 1e-6)
    assert names["features"].shape == (64, 8, 8, 8)
    assert "Convolution2D(8, 3, 3) is called Conv2D(8, (3, 3)) since Keras 2." in lines
    assert lamina.backend.image_data_format() == "channels_last"


TEXT = """
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Dropout, Embedding, LSTM, GRU, Bidirectional
from keras.callbacks import EarlyStopping, ModelCheckpoint, LearningRateScheduler, ReduceLROnPlateau
import keras.backend as K

x = sequence.pad_sequences(texts, maxlen=12)
model = Sequential()
model.add(Embedding(50, 8, input_length=12, dropout=0.2))
model.add(LSTM(8, dropout_W=0.1, dropout_U=0.1, inner_activation='hard_sigmoid', return_sequences=True,
               consume_less='gpu'))
model.add(Bidirectional(GRU(output_dim=4)))
model.add(Dense(1, activation='sigmoid'))
model.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'], class_mode='binary')
callbacks = [
    EarlyStopping(monitor='val_loss', patience=3),
    ReduceLROnPlateau(monitor='val_loss', factor=0.5, patience=1, min_lr=1e-5),
    LearningRateScheduler(lambda epoch: 0.01 / (1 + epoch)),
]
history = model.fit(x, y, batch_size=16, nb_epoch=3, validation_data=[x, y], callbacks=callbacks, verbose=0)
rate = K.get_value(model.optimizer.lr)
K.set_value(model.optimizer.lr, 0.5 * rate)
score, acc = model.evaluate(x, y, batch_size=16, verbose=0)
"""


def test_text_model_of_keras_1_with_callbacks():
    source = np.random.default_rng(0)
    texts = [source.integers(1, 50, source.integers(3, 20)).tolist() for _ in range(32)]
    labels = np.array([text[0] > 25 for text in texts], "int32")
    names, lines = run(TEXT, texts=texts, y=labels)
    assert names["model"].output_shape == (None, 1) and 0 <= names["acc"] <= 1
    assert names["history"].history["val_accuracy"] and len(names["history"].epoch) == 3
    assert float(names["rate"]) <= 0.01 / 3 + 1e-6
    assert sum("Embedding(dropout=) is left out" in line for line in lines) == 1


FUNCTIONAL = """
from keras.layers import Input, Dense, Flatten, BatchNormalization, Lambda, merge
from keras.layers.merge import add, concatenate
from keras.layers.advanced_activations import LeakyReLU
from keras.engine.topology import Layer
from keras.models import Model
from keras.optimizers import Adam
import keras.backend as K


class Scale(Layer):
    def __init__(self, axis=-1, **kwargs):
        self.axis = axis
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.gamma = self.add_weight(name='gamma', shape=(input_shape[self.axis],), initializer='one', trainable=True)
        super(Scale, self).build(input_shape)

    def call(self, x, mask=None):
        return K.reshape(self.gamma, (1, -1)) * x

    def compute_output_shape(self, input_shape):
        return input_shape


a = Input(shape=(64,), name='a')
b = Input(shape=(64,), name='b')
x = LeakyReLU(alpha=0.1)(BatchNormalization(mode=0)(Dense(16)(a)))
y = Scale()(Dense(16, activation=K.relu)(b))
z = Lambda(lambda t: K.square(t[0] - t[1]))([x, y])
out = Dense(10, activation='softmax', name='out')(concatenate([add([x, y]), z]))
model = Model(input=[a, b], output=out)
adam = Adam(lr=0.01, beta_1=0.9, beta_2=0.999, epsilon=None, decay=0.0, amsgrad=False)
model.compile(optimizer=adam, loss={'out': 'categorical_crossentropy'}, metrics=['accuracy'])
history = model.fit({'a': data, 'b': data}, {'out': labels}, nb_epoch=3, batch_size=32, verbose=0)
shape = K.int_shape(z)
"""


def test_functional_model_of_keras_1_with_a_layer_of_its_own():
    x, y = digits()
    names, lines = run(FUNCTIONAL.replace(", merge\n", "\n"), data=x, labels=np.eye(10, dtype="float32")[y])
    losses = names["history"].history["loss"]
    assert losses[-1] < losses[0] and names["shape"] == (None, 16)
    assert "gamma" in [weight.name for weight in names["model"].weights]
    assert sum("Model(input=)" in line for line in lines) == 1


GENERATOR = """
from keras.models import Sequential
from keras.layers import Dense
from keras.utils import Sequence
from keras.utils.np_utils import to_categorical
import numpy as np


def batches(x, y, size):
    while True:
        for start in range(0, len(x), size):
            yield x[start:start + size], to_categorical(y[start:start + size], 10)


class Batches(Sequence):
    def __init__(self, x, y, size):
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return int(np.ceil(len(self.x) / float(self.size)))

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.x[rows], to_categorical(self.y[rows], 10)


model = Sequential([Dense(32, input_dim=64, activation='relu'), Dense(10, activation='softmax')])
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
first = model.fit_generator(batches(x, y, 32), samples_per_epoch=len(x), nb_epoch=2, verbose=0,
                            validation_data=batches(x, y, 32), nb_val_samples=64)
second = model.fit_generator(batches(x, y, 32), steps_per_epoch=8, epochs=2, verbose=0, workers=2,
                             validation_data=(x, to_categorical(y, 10)))
third = model.fit_generator(Batches(x, y, 32), epochs=2, verbose=0, max_queue_size=4, use_multiprocessing=False)
score = model.evaluate_generator(Batches(x, y, 32), steps=8)
outputs = model.predict_generator(Batches(x, y, 32), steps=8)
"""


@pytest.mark.filterwarnings("ignore")
def test_generators_of_keras_1_and_2():
    x, y = digits()
    names, lines = run(GENERATOR, x=x, y=y)
    assert len(names["first"].history["val_accuracy"]) == 2 and len(names["third"].epoch) == 2
    assert names["outputs"].shape == (256, 10)
    np.testing.assert_allclose(names["score"][1], (names["outputs"].argmax(-1) == y).mean(), 1e-5)
    assert sum(line.startswith("Model.fit_generator is fit(generator)") for line in lines) == 3


KERAS_2 = """
from keras import backend as K
from keras import Sequential, layers, optimizers
from keras.layers import Conv1D, GlobalAveragePooling1D, InputLayer, ReLU

model = Sequential()
model.add(InputLayer(input_shape=(8, 8)))
model.add(Conv1D(16, 3, padding='same', kernel_initializer='he_normal'))
model.add(ReLU(max_value=6., negative_slope=0.1))
model.add(Conv1D(16, 3, padding='causal', dilation_rate=2, activation='relu'))
model.add(GlobalAveragePooling1D())
model.add(layers.Dense(10, activation='softmax'))
model.compile(optimizer=optimizers.RMSprop(lr=0.01, rho=0.9, epsilon=None, decay=1e-4),
              loss='sparse_categorical_crossentropy', metrics=['acc'], sample_weight_mode=None)
history = model.fit(x, y, batch_size=32, epochs=4, validation_split=0.2, shuffle=True, verbose=0, workers=1)
acc, val_acc = history.history['acc'], history.history['val_acc']
stateful = Sequential([layers.LSTM(4, batch_input_shape=(2, 3, 5), stateful=True, implementation=1)])
one = stateful.predict_on_batch(series)
two = stateful.predict_on_batch(series)
stateful.reset_states()
three = stateful.predict_on_batch(series)
K.clear_session()
"""


def test_sequential_of_keras_2_with_a_stateful_lstm():
    x, y = digits()
    names, lines = run(KERAS_2, x=x.reshape(-1, 8, 8), y=y, series=np.ones((2, 3, 5), "float32"))
    assert len(names["acc"]) == len(names["val_acc"]) == 4
    assert not np.allclose(names["one"], names["two"])
    np.testing.assert_allclose(names["one"], names["three"], 1e-6)
    assert "RMSprop(lr=) is called learning_rate since Keras 3." in lines
    assert "Model.reset_states is reset_state() of its stateful layers since Keras 3." in lines
