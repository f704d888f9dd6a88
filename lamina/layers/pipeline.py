"""Pipeline: layers one after the other, as one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError
from lamina.layers.base import call_signature
from lamina.layers.base.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import Config

__all__ = ["Pipeline"]


class Pipeline(Layer):
    """`layers[-1](... layers[1](layers[0](inputs)))`: for the preprocessing of data, or inside a model.

    Inputs may be arrays or a dict {"images", "labels", ...}.

    Args:
        layers: Layers, the first of which gets the inputs.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> pipeline = keras.layers.Pipeline([keras.layers.Resizing(8, 8), keras.layers.RandomFlip()])
    >>> pipeline(keras.ops.ones((2, 4, 4, 3))).shape
    (2, 8, 8, 3)
    """

    _traits = frozenset(("container",))
    _config_skips = frozenset(("activity_regularizer", "autocast", "dtype", "trainable"))  # the layers have their own

    layers: Any = ()

    def __init__(self, layers: Sequence[Layer], name: str | None = None, **kwargs: Any):
        super().__init__(name=name, **kwargs)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Layer) for layer in layers):
            raise ConfigError(
                f"Pipeline takes a list of layers; got layers={layers!r}.",
                fix="Pipeline([layers.Rescaling(1 / 255), layers.RandomFlip('horizontal')])",
            )
        self.layers = list(layers)
        self.autocast = False  # each layer casts what it takes

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        for layer in self.layers:
            takes_mask = mask is not None and "mask" in call_signature.signature_of(type(layer).call).names
            inputs = layer(inputs, training=training, **({"mask": mask} if takes_mask else {}))
            mask = call_signature.masks_of(inputs)
        return inputs

    def _mask_outputs(self, args, kwargs, masks_of_inputs, outputs):
        """The layers inside have attached their masks."""

    @classmethod
    def from_config(cls, config: Config) -> Any:
        if not isinstance(config.get("layers"), (list, tuple)):
            raise ConfigError(f"The config of a Pipeline has a list `layers`; got {config.get('layers')!r}.")
        return super().from_config(config)
