"""tf.data, as notebooks use it."""

import numpy as np
import tensorflow as tf

AUTOTUNE = tf.data.AUTOTUNE
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (64, 8, 8, 1)).astype("uint8")
labels = (images.mean((1, 2, 3)) > 127).astype("int64")


def prepare(image, label):
    image = tf.cast(image, tf.float32) / 255.0
    image = tf.image.random_flip_left_right(image)
    return image, label


train = tf.data.Dataset.from_tensor_slices((images, labels))
train = train.shuffle(64).map(prepare, num_parallel_calls=AUTOTUNE).batch(16).cache().prefetch(AUTOTUNE)
test = tf.data.Dataset.from_tensor_slices((images[:20], labels[:20])).map(prepare).batch(16)
for batch, targets in train.take(1):
    print(batch.shape, targets.numpy().dtype, float(tf.reduce_max(batch)) <= 1)
model = tf.keras.Sequential([
    tf.keras.layers.Flatten(input_shape=(8, 8, 1)),
    tf.keras.layers.Dense(8, activation=tf.nn.relu),
    tf.keras.layers.Dense(2),
])  # fmt: skip
model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = model.fit(train, epochs=2, validation_data=test, verbose=0)
print(len(train), len(test), sorted(history.history), train.cardinality().numpy())
endless = tf.data.Dataset.range(5).repeat().batch(2, drop_remainder=True)
print([item.tolist() for item in endless.take(3).as_numpy_iterator()])
pairs = tf.data.Dataset.zip((tf.data.Dataset.range(3), tf.data.Dataset.from_generator(lambda: iter("abc"))))
print([(int(number), letter) for number, letter in pairs.as_numpy_iterator()])
