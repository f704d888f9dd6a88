"""Layers of Keras that run TensorFlow or PyTorch. They raise an error that says what to use instead, but for the
SavedModels that lamina reads in programs for TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer

if TYPE_CHECKING:
    from pathlib import Path

    from lamina.core.typing import ShapeLike

__all__ = ["TFSMLayer", "TorchModuleWrapper"]


class TFSMLayer(Layer):
    """A SavedModel as a layer, in programs for TensorFlow (`lamina run`): what lamina wrote, or a model of tf.keras.
    Elsewhere an error, since JAX is the only backend.

    Args:
        filepath: Path of the SavedModel.
        call_endpoint: Name of its endpoint for inference.
        call_training_endpoint: Name of its endpoint for training.
        trainable: Whether an optimizer may change the variables.
        name: Name of the layer, unique in a model.
        dtype: Type or dtype policy; None means the global policy.

    Raises:
        ConfigError: Outside of programs for TensorFlow, and when a file asks for the layer.
    """

    _read: Any = None
    """In programs for TensorFlow, the function that gives an endpoint of a folder."""

    def __init__(
        self,
        filepath: str | Path,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ):
        if self._read is None:
            raise _refused(filepath)
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath, self.call_endpoint = str(filepath), call_endpoint
        self.call_training_endpoint = call_training_endpoint
        self._endpoint = self._read(filepath, call_endpoint)
        self._in_training = self._read(filepath, call_training_endpoint) if call_training_endpoint else self._endpoint

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """What the endpoint computes.

        Args:
            inputs: Tensors as the endpoint takes them.
            training: Whether the endpoint for training is called.
        """
        return (self._in_training if training else self._endpoint)(inputs)

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """Refused: a file must not name other files to read.

        Args:
            config: Config.
            custom_objects: No effect.

        Raises:
            ConfigError: Always.
        """
        raise _refused(config.get("filepath"))


def _refused(filepath):
    return ConfigError(
        f"TFSMLayer runs TensorFlow, and JAX is the only backend here; got filepath={str(filepath)!r}.",
        fix="Save the model as .keras and use keras.saving.load_model, or call the SavedModel in TensorFlow.",
    )


class TorchModuleWrapper(Layer):
    """In Keras a torch.nn.Module as a layer; here an error, since JAX is the only backend.

    Args:
        module: The torch.nn.Module.
        name: Name of the layer, unique in a model.
        output_shape: Shape of its outputs.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: Always.
    """

    def __init__(self, module: Any, name: str | None = None, output_shape: ShapeLike | None = None, **kwargs: Any):
        raise ConfigError(
            f"TorchModuleWrapper runs PyTorch, and JAX is the only backend here; got a {type(module).__name__}.",
            fix="Write it with keras.layers and copy its weights: layer.set_weights([p.detach().numpy(), ...]); "
            "a kernel of Dense is the transpose of torch's.",
        )
