"""Quantization configs: how a layer or model is to be quantized."""

from typing import Any

from lamina.core.configurable import Configurable
from lamina.errors import ConfigError
from lamina.quantizers.quantizer import AbsMaxQuantizer

__all__ = [
    "AWQConfig", "Float8QuantizationConfig", "GPTQConfig", "Int4QuantizationConfig", "Int8QuantizationConfig",
    "QuantizationConfig",
]  # fmt: skip


class QuantizationConfig(Configurable):
    """Base of the configs: which quantizers are for weights and for activations; `mode` is the name of the way."""

    mode: Any = None
    value_range: Any = None  # what a weight quantizer has to have, if it is not free to choose

    def __init__(self, weight_quantizer=None, activation_quantizer=None):
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer
        for name, wanted in (("value_range", self.value_range), ("output_dtype", "int8")):
            got = getattr(weight_quantizer, name, None)
            if weight_quantizer is not None and wanted is not None and got != wanted:
                raise ConfigError(
                    f"{type(self).__name__} needs a weight_quantizer with {name}={wanted!r}; got {got!r}.",
                    fix=f"AbsMaxQuantizer(axis=0, value_range={self.value_range or (-127, 127)})",
                )

    def policy_name(self):
        """The start of the dtype policy of what is quantized so."""
        return self.mode

    @staticmethod
    def weight_quantizer_or_default(config, default):
        """The weight quantizer of a config that may be None."""
        return default if config is None or config.weight_quantizer is None else config.weight_quantizer

    @staticmethod
    def activation_quantizer_or_default(config, default):
        """The activation quantizer of a config; None in a config means none."""
        return default if config is None else config.activation_quantizer


class Int8QuantizationConfig(QuantizationConfig):
    """Weights and activations in eight bits.

    `activation_quantizer`: "default" is AbsMaxQuantizer(); None leaves activations as they are.

    >>> Int8QuantizationConfig(AbsMaxQuantizer(axis=0)).mode
    'int8'
    """

    mode = "int8"

    def __init__(self, weight_quantizer=None, activation_quantizer="default"):
        default = isinstance(activation_quantizer, str) and activation_quantizer == "default"
        super().__init__(weight_quantizer, AbsMaxQuantizer() if default else activation_quantizer)


class Int4QuantizationConfig(QuantizationConfig):
    """Weights in four bits.

    Args:
        weight_quantizer, activation_quantizer: only without blocks. "default" leaves activations as they are.
        block_size: rows of the kernel that share a scale; None or -1: one scale a column.

    >>> Int4QuantizationConfig(block_size=64).get_config()["block_size"]
    64
    """

    mode = "int4"
    value_range = (-8, 7)

    def __init__(self, weight_quantizer=None, activation_quantizer="default", block_size=128):
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ConfigError(f"block_size is None, -1 or a number of rows; got {block_size}.", fix="block_size=128")
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = None
        if block_size not in (None, -1) and (weight_quantizer is not None or activation_quantizer is not None):
            raise ConfigError(
                f"With blocks (block_size={block_size}) Int4QuantizationConfig takes no quantizers.",
                fix="block_size=None",
            )
        super().__init__(weight_quantizer, activation_quantizer)
        self.block_size = block_size

    @classmethod
    def from_config(cls, config):
        return super().from_config({"block_size": None, **config})  # files from before there were blocks

    def policy_name(self):
        return f"int4/{-1 if self.block_size is None else self.block_size}"


class Float8QuantizationConfig(QuantizationConfig):
    """Training in eight-bit floats; it takes no quantizers.

    >>> Float8QuantizationConfig().get_config()
    {}
    """

    mode = "float8"

    def __init__(self):
        super().__init__()


class _Calibrated(QuantizationConfig):
    """What GPTQ and AWQ have in common: data to calibrate on, which is no part of the config."""

    _config_skips = frozenset(("weight_quantizer", "activation_quantizer"))
    weight_bits: int
    group_size: int

    def _check_calibration(self, *positive):
        for name in ("num_samples", "sequence_length", *positive):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} of {type(self).__name__} is above 0; got {getattr(self, name)}.")
        if self.group_size < -1 or self.group_size == 0:
            raise ConfigError(
                f"group_size is -1 (one group) or a number of rows; got {self.group_size}.", fix="group_size=128"
            )

    def _argument(self, name, parameter, owner):
        return None if name in ("dataset", "tokenizer") else super()._argument(name, parameter, owner)

    def dtype_policy_string(self):
        """The start of the dtype policy of layers quantized so: mode/bits/group size."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    policy_name = dtype_policy_string


class GPTQConfig(_Calibrated):
    """Weights rounded one after the other, each error made up for by those that follow (Frantar et al., 2022).

    Args:
        dataset: samples to calibrate on: texts, or arrays of tokens.
        tokenizer: what makes tokens of texts; or a function.
        weight_bits: 2, 3, 4 or 8.
        num_samples, sequence_length: how much of the dataset is used.
        per_channel: a scale for each output.
        hessian_damping: the share of the mean of the Hessian's diagonal that is added to it.
        group_size: rows that share a scale; -1: all.
        symmetric: without a zero point.
        activation_order: the most important rows first.
        quantization_layer_structure: {"pre_block_layers": [...], "sequential_blocks": [...]}.
    """

    mode = "gptq"

    def __init__(
        self,
        dataset,
        tokenizer,
        *,
        weight_bits=4,
        num_samples=128,
        per_channel=True,
        sequence_length=512,
        hessian_damping=0.01,
        group_size=128,
        symmetric=False,
        activation_order=False,
        quantization_layer_structure=None,
    ):
        super().__init__()
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.weight_bits = weight_bits
        self.num_samples = num_samples
        self.per_channel = per_channel
        self.sequence_length = sequence_length
        self.hessian_damping = hessian_damping
        self.group_size = group_size
        self.symmetric = symmetric
        self.activation_order = activation_order
        self.quantization_layer_structure = quantization_layer_structure
        self._check_calibration()
        if weight_bits not in (2, 3, 4, 8):
            raise ConfigError(f"weight_bits of GPTQConfig is 2, 3, 4 or 8; got {weight_bits}.")
        if not 0 <= hessian_damping <= 1:
            raise ConfigError(f"hessian_damping is from 0 to 1; got {hessian_damping}.", fix="hessian_damping=0.01")


class AWQConfig(_Calibrated):
    """Weights in four bits, those that meet large activations scaled up first (Lin et al., 2023).

    Args:
        dataset, tokenizer, num_samples, sequence_length: what it is calibrated on.
        weight_bits: 4.
        group_size: rows that share a scale; -1: all.
        num_grid_points: how many scalings are tried.
        quantization_layer_structure: {"pre_block_layers": [...], "sequential_blocks": [...]}.
    """

    mode = "awq"

    def __init__(
        self,
        dataset,
        tokenizer,
        *,
        weight_bits=4,
        num_samples=128,
        sequence_length=512,
        group_size=128,
        num_grid_points=20,
        quantization_layer_structure=None,
    ):
        super().__init__()
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.weight_bits = weight_bits
        self.num_samples = num_samples
        self.sequence_length = sequence_length
        self.group_size = group_size
        self.num_grid_points = num_grid_points
        self.quantization_layer_structure = quantization_layer_structure
        self._check_calibration("num_grid_points")
        if weight_bits != 4:
            raise ConfigError(f"weight_bits of AWQConfig is 4; got {weight_bits}.")


_OF_MODE = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig, "float8": Float8QuantizationConfig,
            "gptq": GPTQConfig, "awq": AWQConfig}  # fmt: skip


def config_of(mode, config=None):
    """The config that arguments of `quantize` mean: the one given, or the one that a mode has when nothing is said."""
    if isinstance(config, str):
        mode, config = config, None
    if config is not None and not isinstance(config, QuantizationConfig):
        raise ConfigError(f"config is an instance of `QuantizationConfig`; got {config!r}.", fix="config=None")
    if mode is not None and mode not in _OF_MODE:
        raise ConfigError(f"Invalid quantization mode. Expected one of {tuple(_OF_MODE)}; got {mode!r}.")
    if mode is None and config is None:
        raise ConfigError("You must provide either `mode` or `config` to `quantize`.", fix="quantize('int8')")
    if config is None and mode in ("gptq", "awq"):
        raise ConfigError(f"{mode} needs data: pass a config.", fix=f"{_OF_MODE[mode].__name__}(dataset, tokenizer)")
    config = _OF_MODE[str(mode)]() if config is None else config
    if mode is not None and config.mode != mode:
        raise ConfigError(f"Contradictory arguments: mode={mode!r}, and a config of mode {config.mode!r}.")
    return config
