"""Read a sequence in both directions

Nine men said a vowel, as sequences of 7 to 29 frames. Short ones are padded with zeros, which a mask hides from the
layers behind it.
"""

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.japanese_vowels.load_data()
print(x_train.shape, "frames that are padding:", float((x_train == 0).all(axis=-1).mean().round(2)))

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((29, 12)),
        layers.Masking(),
        layers.Bidirectional(layers.GRU(24, return_sequences=True)),
        layers.Bidirectional(layers.GRU(24)),
        layers.Dropout(0.3),
        layers.Dense(9, activation="softmax"),
    ]
)
model.summary()

# %%
# A recurrent layer before another one needs `return_sequences=True`: the second reads the outputs of all steps.

model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=20, validation_data=(x_test, y_test), verbose=0)
history.plot()

# %%
print(f"Test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
keras.visualization.plot_confusion_matrix(model, x_test, y_test)
