"""Precision: sound networks get no finding above info."""

import time

import numpy as np
import pytest

import lamina as keras
from lamina.check import check
from tests.check.more_sound_models import MORE
from tests.check.sound_models import SOUND

FIT = {"batch_size": 16, "epochs": 3, "validation_split": 0.25}


@pytest.mark.parametrize("make", [*SOUND, *MORE], ids=lambda make: make.__name__)
def test_sound_network(make):
    model, x, y = make()
    found = check(model, x, y, **FIT)
    assert not found.of("error", "warning"), found.text


@pytest.mark.parametrize("name", [
    "ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50", "ResNet50V2", "VGG16", "Xception",
])  # fmt: skip
def test_applications(name):
    model = getattr(keras.applications, name)(weights=None)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    found = check(model)
    assert not found.of("error", "warning"), found.text


def test_check_of_300_layers_is_quick():
    model = keras.applications.InceptionV3(weights=None)
    model.compile("adam", "categorical_crossentropy")
    x, y = np.zeros((2, 299, 299, 3), "float32"), np.eye(1000)[:2]
    start = time.process_time()
    check(model, x, y)
    assert time.process_time() - start < 1
