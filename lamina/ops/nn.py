"""keras.ops.nn: activations, convolutions, pooling, normalization, losses and what else networks are made of."""

from lamina.ops import activation_functions, convolution, pooling
from lamina.ops.activation_functions import *
from lamina.ops.convolution import *
from lamina.ops.pooling import *

hard_swish, swish = activation_functions.hard_silu, activation_functions.silu

__all__ = ["hard_swish", "swish", *activation_functions.__all__, *convolution.__all__, *pooling.__all__]
