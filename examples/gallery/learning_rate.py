"""Find a learning rate

Too small a learning rate learns nothing in the time there is; too large a one never settles. A range test looks at many
of them in one short training, and leaves the model as it was.
"""

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        layers.Rescaling(1 / 16),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
found = keras.utils.find_learning_rate(model, x_train, y_train)
found

# %%
# The loss falls fastest near the suggestion. `OneCycle` climbs to it and comes down again within the training.

epochs, batch_size = 10, 32
steps = epochs * -(-len(x_train) // batch_size)
rate = keras.optimizers.schedules.OneCycle(found.suggestion or 0.1, steps)
model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
one_cycle = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=0)
one_cycle.plot()

# %%
# The same network with the rate that SGD has by default, 0.01, for comparison:

keras.utils.set_random_seed(0)
plain = keras.models.clone_model(model)
plain.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
plain.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=0)
for name, one in {"OneCycle": model, "0.01": plain}.items():
    print(f"{name:8} accuracy {one.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
