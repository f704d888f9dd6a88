"""Pictures from folders

One folder for each class is the usual form of a picture data set. The program first makes such folders.
"""

import pathlib

import numpy as np
from PIL import Image

import lamina as keras
from lamina import layers

(images, labels), _ = keras.datasets.digits.load_data()
for number, (image, label) in enumerate(zip(images[:400], labels[:400], strict=True)):
    folder = pathlib.Path("digits", f"class_{label}")
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 - image * 15).astype("uint8")).resize((24, 24)).save(folder / f"{number}.png")
print(*sorted(path.name for path in pathlib.Path("digits").iterdir()))

# %%
# `image_dataset_from_directory` reads the names of the classes from the folders, and the pictures in batches.

train, validation = (
    keras.utils.image_dataset_from_directory(
        "digits", image_size=(24, 24), color_mode="grayscale", validation_split=0.2, subset=subset, seed=0
    )
    for subset in ("training", "validation")
)
pictures, numbers = next(iter(train))
print(np.asarray(pictures).shape, np.asarray(numbers)[:8])

# %%
# The data set goes into `fit` as it is.

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((24, 24, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(3),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train, validation_data=validation, epochs=12, verbose=0)
history.plot()
