"""Overfitting, and four remedies

A large network learns a small data set by heart: the training loss goes to 0 while the validation loss rises.
"""

import lamina as keras
from lamina import layers, regularizers

(x_train, y_train), (x_test, y_test) = keras.datasets.breast_cancer.load_data()
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
x_train, y_train = x_train[:100], y_train[:100]  # few samples, so that the effect is strong


def train(*hidden, callbacks=()):
    """Train a network with these hidden layers; its history."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((30,)), *hidden, layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model.fit(
        x_train, y_train, epochs=60, validation_data=(x_test, y_test), verbose=0, callbacks=list(callbacks)
    )


plain = train(layers.Dense(256, activation="relu"), layers.Dense(256, activation="relu"))
plain.plot()

# %%
# **Weight decay** adds the squares of the weights to the loss. **Dropout** sets random outputs to 0 while training.
# **EarlyStopping** ends training when the validation loss has not improved for some epochs, and brings the best
# weights back. **Fewer units** cannot learn as much by heart.

stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
penalty = regularizers.L2(0.01)
runs = {
    "plain": plain,
    "L2": train(*[layers.Dense(256, activation="relu", kernel_regularizer=penalty) for _ in range(2)]),
    "Dropout": train(*[one for _ in range(2) for one in (layers.Dense(256, activation="relu"), layers.Dropout(0.6))]),
    "EarlyStopping": train(*[layers.Dense(256, activation="relu") for _ in range(2)], callbacks=[stop]),
    "fewer units": train(layers.Dense(8, activation="relu")),
}
for name, history in runs.items():
    losses = history.history["val_loss"]
    print(f"{name:14}{len(losses):3} epochs   last validation loss {losses[-1]:.3f}   best {min(losses):.3f}")

# %%
# With Dropout:

runs["Dropout"].plot()
