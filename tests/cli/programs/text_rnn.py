"""Words to numbers, Embedding, Bidirectional LSTM; old module paths."""

import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, Embedding, TextVectorization
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.python.keras.layers import Dropout

texts = np.array(["Good<br />film!", "bad film", "very good", "very bad indeed"] * 8)
labels = np.array([1, 0, 1, 0] * 8)


def standardize(data):
    data = tf.strings.regex_replace(tf.strings.lower(data), "<br />", " ")
    return tf.strings.regex_replace(data, f"[{re.escape(string.punctuation)}]", "")


vectorize = TextVectorization(standardize=standardize, max_tokens=50, output_mode="int", output_sequence_length=4)
vectorize.adapt(texts)
x = pad_sequences(np.asarray(vectorize(texts)), maxlen=5, padding="post")
model = Sequential([
    Embedding(50, 8, mask_zero=True), Bidirectional(LSTM(6)), Dropout(0.1), Dense(1, activation="sigmoid"),
])  # fmt: skip
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, labels, epochs=2, verbose=0)
print(x.shape, model.predict(x[:2], verbose=0).shape, vectorize.vocabulary_size())
