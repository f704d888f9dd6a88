"""The functions of `keras.legacy.saving` are those of `keras.utils.legacy`."""

from lamina.utils.legacy import deserialize_keras_object as deserialize_keras_object
from lamina.utils.legacy import serialize_keras_object as serialize_keras_object
