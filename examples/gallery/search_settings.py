"""Search for good settings

Try combinations of settings, judge each on validation data, and keep the best. KerasTuner does the same with more
strategies, and runs with `lamina.as_keras()`.
"""

import itertools

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.wine.load_data()
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation


def make(units, rate, dropout):
    """A network with these settings."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Dense(units, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


grid = itertools.product((4, 16, 64), (0.001, 0.01), (0.0, 0.5))
results = []
for settings in grid:
    history = make(*settings).fit(x_train, y_train, epochs=20, validation_split=0.3, verbose=0).history
    results.append((min(history["val_loss"]), settings))
results.sort()
print("best validation loss   units, learning rate, dropout")
for loss, settings in results:
    print(f"{loss:20.4f}   {settings}")

# %%
# The winner is trained on all training data, and looks at the test data once.

best = make(*results[0][1])
best.fit(x_train, y_train, epochs=20, verbose=0)
print(f"Test accuracy: {best.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
