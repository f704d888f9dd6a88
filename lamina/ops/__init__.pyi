"""The public names of `lamina.ops`: the one table that editors and `lamina.core.lazy` read."""

from lamina.ops import image as image
from lamina.ops import linalg as linalg
from lamina.ops import nn as nn
from lamina.ops import numpy as numpy
from lamina.ops.contractions import *
from lamina.ops.control_flow import *
from lamina.ops.core import *
from lamina.ops.creation import *
from lamina.ops.elementwise import *
from lamina.ops.fourier import *
from lamina.ops.linalg import *
from lamina.ops.linalg import slogdet as slogdet
from lamina.ops.math import *
from lamina.ops.nn import (
    adaptive_average_pool as adaptive_average_pool,
)
from lamina.ops.nn import (
    adaptive_max_pool as adaptive_max_pool,
)
from lamina.ops.nn import (
    average_pool as average_pool,
)
from lamina.ops.nn import (
    batch_normalization as batch_normalization,
)
from lamina.ops.nn import (
    binary_crossentropy as binary_crossentropy,
)
from lamina.ops.nn import (
    categorical_crossentropy as categorical_crossentropy,
)
from lamina.ops.nn import (
    celu as celu,
)
from lamina.ops.nn import (
    conv as conv,
)
from lamina.ops.nn import (
    conv_transpose as conv_transpose,
)
from lamina.ops.nn import (
    ctc_decode as ctc_decode,
)
from lamina.ops.nn import (
    ctc_loss as ctc_loss,
)
from lamina.ops.nn import (
    depth_to_space as depth_to_space,
)
from lamina.ops.nn import (
    depthwise_conv as depthwise_conv,
)
from lamina.ops.nn import (
    dot_product_attention as dot_product_attention,
)
from lamina.ops.nn import (
    elu as elu,
)
from lamina.ops.nn import (
    fold as fold,
)
from lamina.ops.nn import (
    gelu as gelu,
)
from lamina.ops.nn import (
    glu as glu,
)
from lamina.ops.nn import (
    hard_shrink as hard_shrink,
)
from lamina.ops.nn import (
    hard_sigmoid as hard_sigmoid,
)
from lamina.ops.nn import (
    hard_silu as hard_silu,
)
from lamina.ops.nn import (
    hard_swish as hard_swish,
)
from lamina.ops.nn import (
    hard_tanh as hard_tanh,
)
from lamina.ops.nn import (
    layer_normalization as layer_normalization,
)
from lamina.ops.nn import (
    leaky_relu as leaky_relu,
)
from lamina.ops.nn import (
    log_sigmoid as log_sigmoid,
)
from lamina.ops.nn import (
    log_softmax as log_softmax,
)
from lamina.ops.nn import (
    max_pool as max_pool,
)
from lamina.ops.nn import (
    moments as moments,
)
from lamina.ops.nn import (
    multi_hot as multi_hot,
)
from lamina.ops.nn import (
    normalize as normalize,
)
from lamina.ops.nn import (
    one_hot as one_hot,
)
from lamina.ops.nn import (
    polar as polar,
)
from lamina.ops.nn import (
    psnr as psnr,
)
from lamina.ops.nn import (
    relu as relu,
)
from lamina.ops.nn import (
    relu6 as relu6,
)
from lamina.ops.nn import (
    rms_normalization as rms_normalization,
)
from lamina.ops.nn import (
    selu as selu,
)
from lamina.ops.nn import (
    separable_conv as separable_conv,
)
from lamina.ops.nn import (
    sigmoid as sigmoid,
)
from lamina.ops.nn import (
    silu as silu,
)
from lamina.ops.nn import (
    soft_shrink as soft_shrink,
)
from lamina.ops.nn import (
    softmax as softmax,
)
from lamina.ops.nn import (
    softplus as softplus,
)
from lamina.ops.nn import (
    softsign as softsign,
)
from lamina.ops.nn import (
    space_to_depth as space_to_depth,
)
from lamina.ops.nn import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.ops.nn import (
    sparse_plus as sparse_plus,
)
from lamina.ops.nn import (
    sparse_sigmoid as sparse_sigmoid,
)
from lamina.ops.nn import (
    sparsemax as sparsemax,
)
from lamina.ops.nn import (
    squareplus as squareplus,
)
from lamina.ops.nn import (
    swish as swish,
)
from lamina.ops.nn import (
    tanh_shrink as tanh_shrink,
)
from lamina.ops.nn import (
    threshold as threshold,
)
from lamina.ops.nn import (
    unfold as unfold,
)
from lamina.ops.reductions import *
from lamina.ops.shaping import *
