"""Two networks and a train_step with tf.GradientTape, which fit compiles."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


class GAN(keras.Model):
    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator

    def compile(self, d_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.loss_fn = d_optimizer, loss_fn

    def train_step(self, data):
        noise = tf.random.normal(shape=(tf.shape(data)[0], 2))
        with tf.GradientTape() as tape:
            loss = self.loss_fn(tf.ones((len(noise), 1)), self.discriminator(self.generator(noise)))
        gradients = tape.gradient(loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(gradients, self.discriminator.trainable_weights))
        return {"loss": loss}


keras.utils.set_random_seed(0)
networks = [keras.Sequential([keras.Input((size,)), keras.layers.Dense(units)]) for size, units in ((3, 1), (2, 3))]
gan = GAN(*networks)
gan.compile(keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True))
history = gan.fit(np.zeros((8, 3), "float32"), epochs=20, verbose=0)
print("falls", history.history["loss"][-1] < history.history["loss"][0])
