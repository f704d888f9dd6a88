"""Networks for images, with weights trained on ImageNet. The module of a family is imported on first use."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))
