"""Who is speaking? An LSTM on sequences

Utterances of 7 to 29 frames of nine men. `Masking` masks the frames of zeros that pad the short ones, and the LSTM
skips them.
"""

import lamina as keras
from lamina.layers import LSTM, Dense, Dropout, Masking

(x_train, y_train), (x_test, y_test) = keras.datasets.japanese_vowels.load_data()

# %%
# One of nine speakers: softmax over nine units.

keras.utils.set_random_seed(0)
model = keras.Sequential()
model.add(Masking(mask_value=0.0, input_shape=(29, 12)))  # frames of zeros follow the end of an utterance
model.add(LSTM(64))
model.add(Dropout(0.3))
model.add(Dense(9, activation="softmax"))
model.summary()

# %%
# Forty epochs.

model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=16, epochs=40, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {accuracy:.4f}")
