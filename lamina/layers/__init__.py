"""Layers: what models are made of, a file for each family, read when one of its layers is first used."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy
from lamina.legacy import install_old_modules

if TYPE_CHECKING:
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

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "activation_layers": "ELU LeakyReLU PReLU ReLU Softmax",
        "attention": "AdditiveAttention Attention",
        "categories": "CategoryEncoding",
        "conv_lstm": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        "convolutional": (
            "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Convolution1D "
            "Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose "
            "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D SeparableConvolution1D "
            "SeparableConvolution2D"
        ),
        "core": "Activation Dense Identity Masking",
        "discretization": "Discretization",
        "einsum_dense": "EinsumDense",
        "embedding": "Embedding",
        "gone": "gone",
        "hashing": "HashedCrossing Hashing",
        "image.color": (
            "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomGaussianBlur "
            "RandomGrayscale RandomHue RandomInvert RandomPosterization RandomSaturation RandomSharpness "
            "Solarization"
        ),
        "image.contrast": "AutoContrast ContrastLimitedAdaptiveHistogramEqualization Equalization",
        "image.geometry": (
            "RandomElasticTransform RandomFlip RandomPerspective RandomRotation RandomShear RandomTranslation "
            "RandomZoom"
        ),
        "image.mixing": "CutMix MaxNumBoundingBoxes MixUp RandomErasing",
        "image.policies": "AugMix RandAugment",
        "image.resizing": "CenterCrop RandomCrop Resizing",
        "input_layer": "Input InputLayer",
        "input_spec": "InputSpec",
        "jax_layer": "FlaxLayer JaxLayer",
        "lambda_layer": "Lambda",
        "layer": "Layer",
        "lookup": "IntegerLookup StringLookup",
        "merging": (
            "Add Average Concatenate Dot Maximum Minimum Multiply Subtract add average concatenate dot maximum "
            "minimum multiply subtract"
        ),
        "multi_head_attention": "GroupQueryAttention MultiHeadAttention",
        "normalization": (
            "BatchNormalization GroupNormalization LayerNormalization RMSNormalization SpectralNormalization "
            "UnitNormalization"
        ),
        "other_engines": "TFSMLayer TorchModuleWrapper",
        "pipeline": "Pipeline",
        "pooling": (
            "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D "
            "AdaptiveMaxPooling2D AdaptiveMaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D "
            "AvgPool2D AvgPool3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
            "GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D "
            "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D MaxPool1D MaxPool2D MaxPool3D MaxPooling1D "
            "MaxPooling2D MaxPooling3D"
        ),
        "preprocessing": "Normalization Rescaling",
        "recurrent": "GRU LSTM RNN SimpleRNN",
        "recurrent_cells": "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
        "regularization": (
            "ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D "
            "SpatialDropout2D SpatialDropout3D"
        ),
        "reshaping": (
            "Cropping1D Cropping2D Cropping3D Flatten Permute RepeatVector Reshape UpSampling1D UpSampling2D "
            "UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D"
        ),
        "reversible_embedding": "ReversibleEmbedding",
        "serialization": "deserialize serialize",
        "spectrograms": "MelSpectrogram STFTSpectrogram",
        "text_vectorization": "TextVectorization",
        "wrapper": "Wrapper",
        "wrappers": "Bidirectional TimeDistributed",
    },
)

install_old_modules(__name__)
