"""Start here: train, save and load

A classifier of handwritten digits is trained, saved, loaded again, and reads a few digits: about ten seconds.
"""

import lamina as keras
from lamina import layers

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()  # 8x8 pixels of 0 to 16; comes with lamina
x_train, x_test = x_train / 16, x_test / 16

# %%
# Layers in a row. `summary` lists them with the shapes of their outputs and the numbers of their weights.

model = keras.Sequential(
    [
        keras.Input((8, 8)),
        layers.Flatten(),
        layers.Dense(512),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20)

# %%
# How good is it on digits that it has not seen? The file holds the layers, the weights and the settings of `compile`.

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {accuracy:.4f}")

model.save("digits.keras")
again = keras.models.load_model("digits.keras")
print("Predicted:", *again.predict(x_test[:10], verbose=0).argmax(axis=-1))
print("Written:  ", *y_test[:10])
