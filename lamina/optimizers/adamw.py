"""AdamW."""

from lamina.errors import ConfigError
from lamina.optimizers.adam import Adam
from lamina.optimizers.arguments import with_base_arguments

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with weight decay, which is taken off the variables and not mixed into the gradients
    (Loshchilov & Hutter 2017, arXiv 1711.05101).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.AdamW(0.1, weight_decay=0.5).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.85
    """

    @with_base_arguments
    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        if weight_decay is None:
            raise ConfigError("AdamW needs a weight_decay.", fix="Adam is the one without.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
