"""Models that tf.keras had ready-made: a linear one, and one beside a network ("wide and deep")."""

from __future__ import annotations

from typing import Any

from lamina import activations, optimizers
from lamina.core import tree
from lamina.core.tape import Tape
from lamina.errors import ConfigError
from lamina.layers import Dense
from lamina.models import Model
from lamina.utils import unpack_x_y_sample_weight

__all__ = ["LinearModel", "WideDeepModel"]


class LinearModel(Model):
    """`tf.keras.experimental.LinearModel`: `activation(sum of inputs @ kernel + bias)`, over one input or several.

    Shapes: (batch, features), or a list or dict of them -> (batch, units).

    Args:
        units: Number of outputs.
        activation: Function of the outputs, or its name.
        use_bias: Whether a bias is added.
        kernel_initializer: Initial values of the kernels.
        bias_initializer: Initial values of the bias.
        kernel_regularizer: Penalty of the kernels.
        bias_regularizer: Penalty of the bias.
        **kwargs: Arguments of every model.

    Reference: Cheng et al., Wide & Deep Learning for Recommender Systems, 2016.
    """

    def __init__(
        self,
        units: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.activation, self.use_bias = units, activations.get(activation), use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.dense_layers: list[Any] = []

    def build(self, input_shape: Any) -> None:
        """Create a kernel for each input, and the bias."""
        shapes = input_shape.values() if isinstance(input_shape, dict) else input_shape
        several = isinstance(input_shape, dict) or isinstance(input_shape[-1], (list, tuple))
        names = sorted(input_shape) if isinstance(input_shape, dict) else [None] * (len(shapes) if several else 1)
        self.dense_layers = [
            Dense(
                self.units,
                use_bias=False,
                kernel_initializer=self.kernel_initializer,
                kernel_regularizer=self.kernel_regularizer,
                name=name,
            )
            for name in names
        ]
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, name="bias", regularizer=self.bias_regularizer
            )

    def call(self, inputs: Any) -> Any:
        """The weighted sums."""
        values = [inputs[name] for name in sorted(inputs)] if isinstance(inputs, dict) else tree.flatten(inputs)
        outputs = sum(layer(value) for layer, value in zip(self.dense_layers, values, strict=True))
        return self.activation(outputs + self.bias if self.use_bias else outputs)


class WideDeepModel(Model):
    """`tf.keras.experimental.WideDeepModel`: the sum of what a linear model and a network compute.

    Its inputs are those of both models, or the pair (inputs of the linear model, inputs of the network). `compile`
    takes one optimizer, or a list of two: the linear model's, and the network's.

    Args:
        linear_model: Model, such as `LinearModel`.
        dnn_model: Model with outputs of the same shape.
        activation: Function of the sum, or its name.
        **kwargs: Arguments of every model.

    Reference: Cheng et al., Wide & Deep Learning for Recommender Systems, 2016.
    """

    def __init__(self, linear_model: Any, dnn_model: Any, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.linear_model, self.dnn_model, self.activation = linear_model, dnn_model, activations.get(activation)
        self.linear_optimizer: Any = None

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """As that of every model; a list of two optimizers has one for each of the two models.

        Args:
            optimizer: Optimizer, or a list of two.
            *args, **kwargs: The other arguments of `compile`.
        """
        given = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        if len(given) > 2:
            message = f"WideDeepModel has two parts; got {len(given)} optimizers."
            raise ConfigError(message, fix="model.compile(['sgd', 'adam'], 'mse')")
        self.linear_optimizer = optimizers.get(given[0]) if len(given) == 2 else None
        super().compile(given[-1], *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """The sum of both outputs."""
        is_pair = isinstance(inputs, (list, tuple)) and len(inputs) == 2
        wide, deep = inputs if is_pair else (inputs, inputs)
        return tree.map_structure(
            lambda one, other: self.activation(one + other), self.linear_model(wide), self.dnn_model(deep)
        )

    def train_step(self, data: Any) -> Any:
        """A step of each part by its optimizer.

        Args:
            data: (inputs, targets, weights of the samples), of which the last may be left out.
        """
        if self.linear_optimizer is None:
            return super().train_step(data)
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with Tape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        parts = [self.linear_model.trainable_variables, self.dnn_model.trainable_variables]
        gradients = tape.gradient(loss, parts)
        self.linear_optimizer.apply(gradients[0], parts[0])
        self.optimizer.apply(gradients[1], parts[1])
        self._loss_tracker.update_state(loss, sample_weight=tree.flatten(x)[0].shape[0])
        return self.compute_metrics(x, y, y_pred, sample_weight)
