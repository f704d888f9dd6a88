"""LiteRT (TFLite) files: the traced program as builtin operators, written without TensorFlow."""
