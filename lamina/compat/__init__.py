"""Run programs written for keras or tensorflow.keras unchanged: `lamina.as_keras()`, which `lamina run` also calls.

After the call, `import keras`, `from tensorflow.keras import layers` and `import tensorflow as tf` import lamina. The
module `tensorflow` provides the TensorFlow functions that such programs use besides Keras. For other functions, the
error names a replacement.
"""

from lamina.compat.finder import as_keras

__all__ = ["as_keras"]
