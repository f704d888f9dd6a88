"""Networks for images, with weights trained on ImageNet. The module of a family is read when it is first used."""

import importlib
from typing import Any

_FAMILIES = {
    "convnext": "ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge",
    "densenet": "DenseNet121 DenseNet169 DenseNet201",
    "efficientnet": (
        "EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6 "
        "EfficientNetB7"
    ),
    "efficientnet_v2": (
        "EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2L EfficientNetV2M "
        "EfficientNetV2S"
    ),
    "imagenet_utils": "",
    "inception_resnet_v2": "InceptionResNetV2",
    "inception_v3": "InceptionV3",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3": "MobileNetV3Large MobileNetV3Small",
    "nasnet": "NASNetLarge NASNetMobile",
    "resnet": "ResNet101 ResNet152 ResNet50",
    "resnet50": "",
    "resnet_v2": "ResNet101V2 ResNet152V2 ResNet50V2",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "xception": "Xception",
}
_NAMES = {name: family for family, names in _FAMILIES.items() for name in names.split()}
__all__ = sorted([*_FAMILIES, *_NAMES])


def __getattr__(name) -> Any:
    if name in _FAMILIES:
        return importlib.import_module(f"lamina.applications.{name}")
    if name in _NAMES:
        value = globals()[name] = getattr(importlib.import_module(f"lamina.applications.{_NAMES[name]}"), name)
        return value
    raise AttributeError(f"module 'lamina.applications' has no attribute {name!r}")


def __dir__():
    return __all__
