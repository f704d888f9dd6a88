"""Callbacks: act while training

Callbacks stop, save, change the learning rate, or do what you write between epochs.
"""

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.auto_mpg.load_data()
mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation


class PrintNow(keras.callbacks.Callback):
    """Prints a line every few epochs, and stops when the error is small enough."""

    def __init__(self, every, enough):
        self.every, self.enough = every, enough

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if epoch % self.every == 0:
            rate = float(self.model.optimizer.learning_rate)
            print(f"epoch {epoch}: validation error {logs['val_mae']:.2f} MPG, learning rate {rate:.4f}")
        if logs["val_mae"] < self.enough:
            self.model.stop_training = True


keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((9,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
history = model.fit(
    x_train,
    y_train,
    epochs=200,
    validation_split=0.2,
    verbose=0,
    callbacks=[
        PrintNow(every=10, enough=1.5),
        keras.callbacks.ReduceLROnPlateau(patience=5, factor=0.5),
        keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True),
        keras.callbacks.CSVLogger("log.csv"),
    ],
)
history.plot()

# %%
# The file of the best epoch, and the log:

best = keras.models.load_model("best.keras")
print(f"Mean absolute error on the test set: {best.evaluate(x_test, y_test, verbose=0)[1]:.2f} MPG")
with open("log.csv") as file:
    print(*[next(file) for _ in range(3)], sep="")
