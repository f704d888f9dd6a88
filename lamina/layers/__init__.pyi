"""The public names of `lamina.layers`: the one table that editors and `lamina.core.lazy` read."""

from lamina.layers import keras1 as keras1
from lamina.layers.activation_layers import *
from lamina.layers.adaptive_pooling import *
from lamina.layers.attention import *
from lamina.layers.base.input_spec import InputSpec as InputSpec
from lamina.layers.base.layer import Layer as Layer
from lamina.layers.batch_normalization import *
from lamina.layers.categories import *
from lamina.layers.conv_lstm import *
from lamina.layers.convolutional import *
from lamina.layers.dense import *
from lamina.layers.depthwise_convolution import *
from lamina.layers.discretization import *
from lamina.layers.einsum_dense import *
from lamina.layers.embedding import *
from lamina.layers.global_pooling import *
from lamina.layers.image.color import *
from lamina.layers.image.contrast import *
from lamina.layers.image.distortion import *
from lamina.layers.image.effects import *
from lamina.layers.image.geometry import *
from lamina.layers.image.mixing import *
from lamina.layers.image.policies import *
from lamina.layers.image.resizing import *
from lamina.layers.input_layer import Input as Input
from lamina.layers.input_layer import InputLayer as InputLayer
from lamina.layers.jax_layer import *
from lamina.layers.lambda_layer import *
from lamina.layers.merge_functions import *
from lamina.layers.merging import *
from lamina.layers.multi_head_attention import *
from lamina.layers.normalization import *
from lamina.layers.other_engines import *
from lamina.layers.padding_layers import *
from lamina.layers.pipeline import *
from lamina.layers.pooling import *
from lamina.layers.preprocessing import *
from lamina.layers.recurrent import *
from lamina.layers.recurrent_cells import *
from lamina.layers.regularization import *
from lamina.layers.repeat import *
from lamina.layers.reshaping import *
from lamina.layers.reversible_embedding import *
from lamina.layers.rnn import *
from lamina.layers.separable_convolution import *
from lamina.layers.serialization import *
from lamina.layers.spectral_normalization import *
from lamina.layers.spectrograms import *
from lamina.layers.stacked_cells import *
from lamina.layers.text.hashing import *
from lamina.layers.text.lookups import *
from lamina.layers.text.vectorization import *
from lamina.layers.transposed_convolution import *
from lamina.layers.upsampling import *
from lamina.layers.wrapper import *
from lamina.layers.wrappers import *
