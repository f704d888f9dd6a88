"""Layers of Keras that run TensorFlow or PyTorch: here for their names, and to say what to use instead."""

from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer

__all__ = ["TFSMLayer", "TorchModuleWrapper"]


class TFSMLayer(Layer):
    """A TensorFlow SavedModel as a layer in Keras; here an error, since JAX is the only engine.

    Raises:
        ConfigError: always.
    """

    def __init__(
        self, filepath, call_endpoint="serve", call_training_endpoint=None, trainable=True, name=None, dtype=None
    ):
        raise ConfigError(
            f"TFSMLayer runs TensorFlow, and JAX is the only engine here; got filepath={str(filepath)!r}.",
            fix="Save the model as .keras and use keras.saving.load_model, or call the SavedModel in TensorFlow.",
        )


class TorchModuleWrapper(Layer):
    """A torch.nn.Module as a layer in Keras; here an error, since JAX is the only engine.

    Raises:
        ConfigError: always.
    """

    def __init__(self, module, name=None, output_shape=None, **kwargs):
        raise ConfigError(
            f"TorchModuleWrapper runs PyTorch, and JAX is the only engine here; got a {type(module).__name__}.",
            fix="Write it with keras.layers and copy its weights: layer.set_weights([p.detach().numpy(), ...]); "
            "a kernel of Dense is the transpose of torch's.",
        )
