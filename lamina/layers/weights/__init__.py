"""Kinds of weights for layers: low-rank updates (LoRA) and quantized kernels. Layers use them like plain variables."""

from lamina.layers.weights.codes import Calibrated, Codes, Layout
from lamina.layers.weights.kernels import WithKernels
from lamina.layers.weights.weight import LoRA, Weight, einsum, matmul, take

__all__ = ["Calibrated", "Codes", "Layout", "LoRA", "Weight", "WithKernels", "einsum", "matmul", "take"]
