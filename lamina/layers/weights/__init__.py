"""Kinds of weights: low-rank updates (LoRA) and kernels in few bits, for layers that read as their formula."""

from lamina.layers.weights.codes import Calibrated, Codes, Layout
from lamina.layers.weights.kernels import WithKernels
from lamina.layers.weights.weight import LoRA, Weight, einsum, matmul, take

__all__ = ["Calibrated", "Codes", "Layout", "LoRA", "Weight", "WithKernels", "einsum", "matmul", "take"]
