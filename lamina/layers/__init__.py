"""Layers: what models are made of, a file for each family."""

from lamina.layers.convolutional import *
from lamina.layers.core import *
from lamina.layers.input_layer import Input, InputLayer
from lamina.layers.input_spec import InputSpec
from lamina.layers.layer import Layer
from lamina.layers.pooling import *
from lamina.layers.reshaping import *
