"""ONNX: the traced program of a model, equation by equation, as standard operators."""
