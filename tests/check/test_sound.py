"""Precision: sound networks get no finding above info."""

import collections

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


def test_check_of_300_layers_traces_each_twice(monkeypatch):
    model = keras.applications.InceptionV3(weights=None)
    model.compile("adam", "categorical_crossentropy")
    calls, call = collections.Counter(), keras.layers.Conv2D.call
    monkeypatch.setattr(keras.layers.Conv2D, "call", lambda self, *args: calls.update([self.name]) or call(self, *args))
    check(model, np.zeros((2, 299, 299, 3), "float32"), np.eye(1000)[:2])
    assert len(calls) == 94 and max(calls.values()) <= 2  # once as predictions, once in training
