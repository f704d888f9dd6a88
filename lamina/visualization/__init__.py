"""Results to look at: confusion, ROC, precision-recall and calibration, residuals, the worst samples, images with boxes
and masks."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)
