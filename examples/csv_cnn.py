"""A 1-D CNN on the rows of a CSV file

Twenty measures of a tumour, malignant or benign. The first model is a program as it was found; the second is a
corrected version, with a third of the weights.

Three things in the first model are legal and odd. Dense between Conv1D and MaxPooling1D works on each position alone;
Flatten ties the weights behind it to the length of the row; and two sigmoids are not a distribution over two classes,
which is what the loss takes them for. The second model pools over all positions and ends in softmax.
"""

import numpy as np

import lamina as keras
from lamina.datasets import breast_cancer
from lamina.layers import Conv1D, Dense, Flatten, GlobalAveragePooling1D, MaxPooling1D
from lamina.models import Sequential


def load_rows(path, test_split=0.2, seed=0):
    """Rows of a CSV file whose last column is the label, features scaled as those of the training rows."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    table = table[np.random.default_rng(seed).permutation(len(table))]
    x, y = table[:, :-1, None], table[:, -1].astype("int64")
    x_train, x_test = np.split(x, [round(len(x) * (1 - test_split))])
    y_train, y_test = np.split(y, [len(x_train)])
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    return ((x_train - mean) / deviation, y_train), ((x_test - mean) / deviation, y_test)


def csv_cnn():
    """The program as it was found."""
    model = Sequential()
    model.add(Conv1D(128, 5, input_shape=(20, 1), strides=2, padding="same"))
    model.add(Dense(256, activation="relu"))
    model.add(MaxPooling1D())
    model.add(Conv1D(128, 3, padding="same"))
    model.add(Dense(64, activation="relu"))
    model.add(MaxPooling1D())
    model.add(Flatten())
    model.add(Dense(32, activation="relu"))
    model.add(Dense(2, activation="sigmoid"))
    return model


def mended_cnn():
    """The same idea with a nonlinearity in each convolution, one pooling over all positions, and softmax at the end."""
    model = Sequential()
    model.add(Conv1D(128, 5, input_shape=(20, 1), strides=2, padding="same", activation="relu"))
    model.add(MaxPooling1D())
    model.add(Conv1D(128, 3, padding="same", activation="relu"))
    model.add(GlobalAveragePooling1D())
    model.add(Dense(32, activation="relu"))
    model.add(Dense(2, activation="softmax"))
    return model


def accuracy_of(model, train, test, epochs=15):
    """Train `model`; its accuracy on the test rows."""
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(*train, batch_size=16, epochs=epochs, verbose=0)
    return model.evaluate(*test, verbose=0)[1]


if __name__ == "__main__":
    train, test = load_rows(breast_cancer.csv_path())
    for make in (csv_cnn, mended_cnn):
        keras.utils.set_random_seed(0)
        model = make()
        model.summary()
        print(f"{make.__name__}: test accuracy {accuracy_of(model, train, test):.4f}")
