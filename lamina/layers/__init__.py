"""Layers: what models are made of, a file for each family."""

from lamina.layers import gone
from lamina.layers.activation_layers import *
from lamina.layers.attention import *
from lamina.layers.categories import *
from lamina.layers.conv_lstm import *
from lamina.layers.convolutional import *
from lamina.layers.core import *
from lamina.layers.discretization import *
from lamina.layers.einsum_dense import *
from lamina.layers.embedding import *
from lamina.layers.hashing import *
from lamina.layers.image.color import *
from lamina.layers.image.contrast import *
from lamina.layers.image.geometry import *
from lamina.layers.image.mixing import *
from lamina.layers.image.policies import *
from lamina.layers.image.resizing import *
from lamina.layers.input_layer import Input, InputLayer
from lamina.layers.input_spec import InputSpec
from lamina.layers.jax_layer import *
from lamina.layers.lambda_layer import *
from lamina.layers.layer import Layer
from lamina.layers.lookup import *
from lamina.layers.merging import *
from lamina.layers.multi_head_attention import *
from lamina.layers.normalization import *
from lamina.layers.other_engines import *
from lamina.layers.pipeline import *
from lamina.layers.pooling import *
from lamina.layers.preprocessing import *
from lamina.layers.recurrent import *
from lamina.layers.recurrent_cells import *
from lamina.layers.regularization import *
from lamina.layers.reshaping import *
from lamina.layers.reversible_embedding import *
from lamina.layers.serialization import deserialize, serialize
from lamina.layers.spectrograms import *
from lamina.layers.text_vectorization import *
from lamina.layers.wrapper import *
from lamina.layers.wrappers import *
from lamina.legacy import install_old_modules

install_old_modules(__name__)
