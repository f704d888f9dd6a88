"""A loop by hand with tf.GradientTape, gradients of gradients, Jacobians, and gradients of pictures."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

x = tf.constant(3.0)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = x * x
print("square", tape.gradient(y, x).numpy())

x = tf.Variable(2.0)
with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        y = x**3
    slope = inner.gradient(y, x)
print("slopes", slope.numpy(), outer.gradient(slope, x).numpy())

a, b = tf.Variable(2.0), tf.Variable(3.0)
with tf.GradientTape(persistent=True) as tape:
    y = a * tf.stop_gradient(a) + a.value * 0
print("unconnected", tape.gradient(y, a).numpy(), tape.gradient(y, b),
      tape.gradient(y, {"b": b}, unconnected_gradients=tf.UnconnectedGradients.ZERO)["b"].numpy())  # fmt: skip

x = tf.constant([1.0, 2.0, 3.0])
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    y = tf.nn.softmax(x)
    z = tf.sin(tf.reshape(x, (3, 1)))
print("jacobian", (tape.jacobian(y, x).numpy()[0] * 1000).round().tolist())
print("samples", np.allclose(tape.jacobian(z, x)[0, 0], [np.cos(1.0), 0, 0]))

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(3),
    ]
)
optimizer = keras.optimizers.Adam(0.02)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = keras.metrics.SparseCategoricalAccuracy()
rows = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
classes = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0)
data = tf.data.Dataset.from_tensor_slices((rows, classes)).shuffle(256, seed=1).batch(64)
mean = model.layers[1].moving_mean.numpy()


@tf.function
def step(batch, targets):
    with tf.GradientTape() as tape:
        logits = model(batch, training=True)
        loss = loss_of(targets, logits) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
    accuracy.update_state(targets, logits)
    return loss


first = float(step(rows[:64], classes[:64]))
for _ in range(15):
    accuracy.reset_state()
    for batch, targets in data:
        last = step(batch, targets)
print(
    "falls",
    float(last) < first / 2,
    float(accuracy.result()) > 0.85,
    (model.layers[1].moving_mean.numpy() != mean).all(),
)


class Scaled(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 2), initializer="ones")

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel) * 2


layer = Scaled()
with tf.GradientTape() as tape:
    total = tf.reduce_sum(layer(tf.ones((2, 3))))
print("own layer", tape.gradient(total, layer.trainable_variables)[0].numpy().tolist())

pictures = tf.random.normal((2, 8, 8, 3))
network = keras.Sequential(
    [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(2)]
)
with tf.GradientTape() as tape:
    tape.watch(pictures)
    score = network(pictures)[:, 0]
print("saliency", tape.gradient(score, pictures).shape)
