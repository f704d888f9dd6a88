"""Knowledge distillation: a small model learns from the outputs of a large one."""

from lamina.distillation.distiller import Distiller
from lamina.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
