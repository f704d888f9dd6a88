"""Programs written for keras or tensorflow.keras, unchanged: `lamina.as_keras()`, which `lamina run` calls for you.

From then on `import keras`, `from tensorflow.keras import layers` and `import tensorflow as tf` are lamina. Of
TensorFlow itself there is what such programs use beside Keras; anything else is an error that names it and says what to
write.
"""

from lamina.compat.finder import as_keras

__all__ = ["as_keras"]
