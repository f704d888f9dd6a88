"""Classify rows of a table

Four measures of a flower, three species. The program goes through all steps: look, scale, train, measure, use.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.iris.load_data()
names = keras.datasets.iris.target_names
print(keras.datasets.iris.feature_names)
print(x_train[:3], [names[label] for label in y_train[:3]])

# %%
# A `Normalization` layer keeps the mean and the deviation of each column inside the model, so that whoever uses the
# model passes plain centimetres.

normalize = layers.Normalization()
normalize.adapt(x_train)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.Input((4,)), normalize, layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=50, validation_split=0.2, verbose=0)
history.plot()

# %%
# The confusion matrix says which species are taken for which.

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {accuracy:.3f}")
keras.visualization.plot_confusion_matrix(model, x_test, y_test, class_names=names)

# %%
# One new flower. A batch of one row is `[[...]]`.

probabilities = model.predict(np.array([[5.9, 3.0, 4.2, 1.5]]), verbose=0)[0]
{name: round(float(p), 3) for name, p in zip(names, probabilities, strict=True)}
