"""Unchanged programs for keras or tensorflow.keras: `lamina.as_keras()`, which `lamina run` calls too.

After the call, `import keras`, `from tensorflow.keras import layers` and `import tensorflow as tf` import lamina. It
has the functions of TensorFlow that such programs use besides Keras; for others the error names a replacement.
"""

from lamina.compat.finder import as_keras

__all__ = ["as_keras"]
