"""The same two networks, with the step that lamina's error shows."""

import jax
import keras
import numpy as np
import tensorflow as tf


class Regression(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.normal = keras.layers.Dense(1), keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.dense(self.normal(x, training=training))

    def train_step(self, data):
        x, y = data

        def loss_of(weights, others):
            y_pred, others = self.stateless_call(weights, others, x, training=True)
            return self.compute_loss(y=y, y_pred=y_pred), (y_pred, others)

        weights = [v.value for v in self.trainable_variables]
        others = [v.value for v in self.non_trainable_variables]
        (loss, (y_pred, others)), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, others)
        self.optimizer.apply(gradients, self.trainable_variables)
        for variable, value in zip(self.non_trainable_variables, others, strict=True):
            variable.assign(value)
        return {"loss": loss, "mean": tf.reduce_mean(y_pred)}


keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
y = x.sum(1, keepdims=True)
model = Regression()
model.compile(keras.optimizers.Adam(0.05), "mse")
history = model.fit(x, y, epochs=10, verbose=0)
print("falls", history.history["loss"][-1] < 0.7 * history.history["loss"][0], sorted(history.history))
