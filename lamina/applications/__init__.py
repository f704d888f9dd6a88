"""Networks for images, with weights trained on ImageNet. The module of a family is imported on first use."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)
