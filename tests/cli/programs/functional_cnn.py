"""The functional API, two inputs and two outputs, images from arrays, augmentation by layers."""

import keras
import keras.backend as K
import numpy as np
from keras.layers import (
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPooling2D,
    RandomFlip,
    Rescaling,
)
from keras.models import Model
from keras.preprocessing.image import img_to_array

K.clear_session()
images = np.stack([img_to_array(np.full((12, 12, 3), 10 * i, "uint8")) for i in range(24)])
extra = np.arange(24, dtype="float32")[:, None] / 24
labels = np.arange(24) % 3

image = Input(shape=(12, 12, 3), name="image")
number = Input(shape=(1,), name="number")
h = Rescaling(1.0 / 255)(RandomFlip("horizontal")(image))
for filters in (4, 8):
    h = Conv2D(filters, (3, 3), padding="same", activation="relu")(h)
    h = BatchNormalization()(h)
    h = MaxPooling2D((2, 2))(h)
h = Concatenate()([Flatten()(h), number])
classes = Dense(3, activation="softmax", name="classes")(h)
value = Dense(1, name="value")(h)
model = Model(inputs=[image, number], outputs=[classes, value])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
    loss={"classes": "sparse_categorical_crossentropy", "value": "mse"},
    loss_weights={"classes": 1.0, "value": 0.5},
    metrics={"classes": "accuracy"},
)
model.fit({"image": images, "number": extra}, {"classes": labels, "value": extra}, epochs=2, batch_size=8, verbose=0)
a, b = model.predict([images, extra], verbose=0)
features = Model(model.input, model.get_layer("classes").output)
print("shapes", a.shape, b.shape, K.int_shape(features.output), K.image_data_format())
