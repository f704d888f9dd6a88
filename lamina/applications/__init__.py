"""Networks for images, with weights trained on ImageNet. The module of a family is read when it is first used."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)
