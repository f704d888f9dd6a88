"""A small network learns from a large one

The outputs of a trained teacher say more than the label: that this 7 looks a little like a 1. A student that learns
from them and from the labels is better than one that sees the labels alone (Hinton et al., 2015).
"""

import lamina as keras
from lamina import layers
from lamina.distillation import Distiller, LogitsDistillation

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def student():
    """A network of few weights."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(6, activation="relu"), layers.Dense(10)]
    )


keras.utils.set_random_seed(0)
teacher = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
)
teacher.compile("adam", loss, metrics=["accuracy"])
teacher.fit(x_train, y_train, epochs=12, verbose=0)

alone = student()
alone.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
alone.fit(x_train, y_train, epochs=25, verbose=0)

taught = student()
distiller = Distiller(teacher, taught, LogitsDistillation(temperature=3.0), student_loss_weight=0.3)
distiller.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
history = distiller.fit(x_train, y_train, epochs=25, verbose=0)
taught.compile(loss=loss, metrics=["accuracy"])

for name, model in (("teacher", teacher), ("student alone", alone), ("student taught", taught)):
    print(
        f"{name:15}{model.count_params():7,} weights   test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}"
    )

# %%
# The losses of the student while it was taught:

history.plot()
