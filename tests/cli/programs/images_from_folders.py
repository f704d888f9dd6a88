"""The tutorial on classes of images: folders of files, tf.data, augmentation, a frozen base."""

import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from PIL import Image

folder = pathlib.Path(tempfile.mkdtemp())
for name, grey in {"dark": 40, "light": 200}.items():
    (folder / name).mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(grey - 30, grey + 30, (20, 24, 3)).astype("uint8")
        Image.fromarray(pixels).save(folder / name / f"{number}.png")

settings = dict(validation_split=0.25, seed=123, image_size=(16, 16), batch_size=6)
train_ds = tf.keras.utils.image_dataset_from_directory(folder, subset="training", **settings)
val_ds = tf.keras.utils.image_dataset_from_directory(folder, subset="validation", **settings)
class_names = train_ds.class_names
for images, labels in train_ds.take(1):
    print(class_names, images.shape, labels.shape, images[0].numpy().astype("uint8").shape)

AUTOTUNE = tf.data.AUTOTUNE
train_ds = train_ds.cache().shuffle(1000).prefetch(buffer_size=AUTOTUNE)
val_ds = val_ds.cache().prefetch(buffer_size=AUTOTUNE)
normalized = train_ds.map(lambda x, y: (tf.keras.layers.Rescaling(1.0 / 255)(x), y))
print(float(tf.reduce_max(next(iter(normalized))[0])) <= 1.0)

base = tf.keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
base.trainable = False
model = tf.keras.Sequential([
    tf.keras.layers.RandomFlip("horizontal"),
    tf.keras.layers.Resizing(32, 32),
    tf.keras.layers.Rescaling(1.0 / 127.5, offset=-1),
    base,
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(len(class_names)),
])  # fmt: skip
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
history = model.fit(train_ds, validation_data=val_ds, epochs=1, verbose=0)
file = tf.io.read_file(str(folder / "dark" / "0.png"))
image = tf.image.resize(tf.image.decode_png(file, channels=3), [16, 16])
score = tf.nn.softmax(model.predict(tf.expand_dims(image, 0), verbose=0)[0])
print(sorted(history.history), class_names[np.argmax(score)] in class_names, len(train_ds), len(val_ds))
