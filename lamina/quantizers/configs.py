"""Quantization configs: they say how a layer or a model is quantized."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lamina.core.arguments import choice, whole
from lamina.core.configurable import Configurable
from lamina.core.typing import Config
from lamina.errors import ConfigError
from lamina.quantizers.quantizer import AbsMaxQuantizer

__all__ = [
    "AWQConfig", "Float8QuantizationConfig", "GPTQConfig", "Int4QuantizationConfig", "Int8QuantizationConfig",
    "QuantizationConfig",
]  # fmt: skip


class QuantizationConfig(Configurable):
    """Base of the configs: the quantizers of weights and of activations. `mode` is the name of the kind of
    quantization.

    Args:
        weight_quantizer: Quantizer of weights; None means the default of the mode.
        activation_quantizer: Quantizer of activations; None leaves them as they are.

    Raises:
        ConfigError: The weight quantizer has another range or type than the mode needs.
    """

    mode: Any = None
    value_range: Any = None  # the range that a weight quantizer must have; None allows any

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer
        for name, wanted in (("value_range", self.value_range), ("output_dtype", "int8")):
            got = getattr(weight_quantizer, name, None)
            if weight_quantizer is not None and wanted is not None and got != wanted:
                raise ConfigError(
                    f"{type(self).__name__} needs a weight_quantizer with {name}={wanted!r}; got {got!r}.",
                    fix=f"AbsMaxQuantizer(axis=0, value_range={self.value_range or (-127, 127)})",
                )

    def policy_name(self) -> str:
        """The start of the name of the dtype policy of quantized layers."""
        return self.mode

    @staticmethod
    def weight_quantizer_or_default(config: QuantizationConfig | None, default: Any) -> Any:
        """The weight quantizer of a config, or a default.

        Args:
            config: Config, or None.
            default: Quantizer for no config, or a config without a weight quantizer.
        """
        return default if config is None or config.weight_quantizer is None else config.weight_quantizer

    @staticmethod
    def activation_quantizer_or_default(config: QuantizationConfig | None, default: Any) -> Any:
        """The activation quantizer of a config; None in a config means no quantizer.

        Args:
            config: Config, or None.
            default: Quantizer for no config.
        """
        return default if config is None else config.activation_quantizer


class Int8QuantizationConfig(QuantizationConfig):
    """Weights and activations in eight bits.

    Args:
        weight_quantizer: Quantizer of weights; None means the default of the mode.
        activation_quantizer: Quantizer of activations; "default" means `AbsMaxQuantizer()`, None leaves them as they
            are.

    >>> Int8QuantizationConfig(AbsMaxQuantizer(axis=0)).mode
    'int8'
    """

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        default = isinstance(activation_quantizer, str) and activation_quantizer == "default"
        super().__init__(weight_quantizer, AbsMaxQuantizer() if default else activation_quantizer)


class Int4QuantizationConfig(QuantizationConfig):
    """Weights in four bits.

    Args:
        weight_quantizer: Quantizer of weights, allowed only without blocks.
        activation_quantizer: Quantizer of activations, allowed only without blocks; "default" leaves activations as
            they are.
        block_size: Number of rows of the kernel that share a scale; None or -1 means all rows.

    Raises:
        ConfigError: The size of a block is not allowed, or quantizers are given with blocks.

    >>> Int4QuantizationConfig(block_size=64).get_config()["block_size"]
    64
    """

    mode = "int4"
    value_range: Any = (-8, 7)

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ) -> None:
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
    def from_config(cls, config: Config) -> Any:
        return super().from_config(
            {"block_size": None, **config}
        )  # files of earlier versions, without blocks, have no block_size

    def policy_name(self) -> str:
        return f"int4/{-1 if self.block_size is None else self.block_size}"


class Float8QuantizationConfig(QuantizationConfig):
    """Training with products in floats of eight bits; it has no quantizers.

    >>> Float8QuantizationConfig().get_config()
    {}
    """

    mode = "float8"

    def __init__(self) -> None:
        super().__init__()


class _Calibrated(QuantizationConfig):
    """Base of GPTQ and AWQ, which choose integers by data. The data are not part of the saved config."""

    _config_skips = frozenset(("weight_quantizer", "activation_quantizer"))
    weight_bits: int
    group_size: int

    def _check_calibration(self, *positive):
        for name in ("num_samples", "sequence_length", *positive):
            whole(self, name, getattr(self, name), example=8)
        if self.group_size < -1 or self.group_size == 0:
            raise ConfigError(
                f"group_size is -1 (one group) or a number of rows; got {self.group_size}.", fix="group_size=128"
            )

    def _argument(self, name, parameter, owner):
        if name in ("dataset", "tokenizer"):
            return None
        value = super()._argument(name, parameter, owner)
        has_layers = name == "quantization_layer_structure" and any((value or {}).values())
        return None if has_layers else value  # the layers have this config in turn

    def dtype_policy_string(self) -> str:
        """The start of the name of the dtype policy of quantized layers: mode/bits/group size."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    policy_name = dtype_policy_string


class GPTQConfig(_Calibrated):
    """Weights rounded column by column, each rounding error compensated by the columns that follow (Frantar et al.,
    2022, arXiv:2210.17323).

    Args:
        dataset: Iterable of samples for the calibration: texts, or arrays of tokens.
        tokenizer: Object with `tokenize`, or function, from a text to tokens.
        weight_bits: Number of bits: 2, 3, 4 or 8.
        num_samples: Number of sequences that are used.
        per_channel: Whether each output has its own scale.
        sequence_length: Number of tokens in a sequence.
        hessian_damping: Share of the mean of the diagonal of the Hessian that is added to the diagonal.
        group_size: Number of rows that share a scale; -1 means all.
        symmetric: Whether there is no zero point.
        activation_order: Whether the most important rows are rounded first.
        quantization_layer_structure: Dict with the lists of layers "pre_block_layers" and "sequential_blocks".

    Raises:
        ConfigError: A number is outside its range.
    """

    mode = "gptq"

    def __init__(
        self,
        dataset: Iterable[Any],
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        per_channel: bool = True,
        sequence_length: int = 512,
        hessian_damping: float = 0.01,
        group_size: int = 128,
        symmetric: bool = False,
        activation_order: bool = False,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
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
        choice(self, "weight_bits", weight_bits, (4, 2, 3, 8))
        if not 0 <= hessian_damping <= 1:
            raise ConfigError(f"hessian_damping is from 0 to 1; got {hessian_damping}.", fix="hessian_damping=0.01")


class AWQConfig(_Calibrated):
    """Weights in four bits, where those that meet large activations are scaled up first (Lin et al., 2023,
    arXiv:2306.00978).

    Args:
        dataset: Iterable of samples for the calibration: texts, or arrays of tokens.
        tokenizer: Object with `tokenize`, or function, from a text to tokens.
        weight_bits: Number of bits, which is 4.
        num_samples: Number of sequences that are used.
        sequence_length: Number of tokens in a sequence.
        group_size: Number of rows that share a scale; -1 means all.
        num_grid_points: Number of scalings that are tried.
        quantization_layer_structure: Dict with the lists of layers "pre_block_layers" and "sequential_blocks".

    Raises:
        ConfigError: A number is outside its range.
    """

    mode = "awq"

    def __init__(
        self,
        dataset: Iterable[Any],
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        sequence_length: int = 512,
        group_size: int = 128,
        num_grid_points: int = 20,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
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
        choice(self, "weight_bits", weight_bits, (4,))


_CONFIGS = {"int8": Int8QuantizationConfig, "int4": Int4QuantizationConfig, "float8": Float8QuantizationConfig,
            "gptq": GPTQConfig, "awq": AWQConfig}  # fmt: skip


def config_of(mode: Any, config: Any = None) -> QuantizationConfig:
    """The config for the arguments of `quantize`: the one given, or the default of a mode.

    Args:
        mode: "int8", "int4", "float8", "gptq" or "awq"; None means the mode of the config.
        config: Config, name of a mode, or None.

    Raises:
        ConfigError: Neither is given, both contradict each other, or the mode needs data.
    """
    if isinstance(config, str):
        mode, config = config, None
    if config is not None and not isinstance(config, QuantizationConfig):
        raise ConfigError(f"config is an instance of `QuantizationConfig`; got {config!r}.", fix="config=None")
    if mode is not None:
        choice("Invalid quantization mode. quantize", "mode", mode, _CONFIGS)
    if mode is None and config is None:
        raise ConfigError("You must provide either `mode` or `config` to `quantize`.", fix="quantize('int8')")
    if config is None and mode in ("gptq", "awq"):
        raise ConfigError(f"{mode} needs data: pass a config.", fix=f"{_CONFIGS[mode].__name__}(dataset, tokenizer)")
    config = _CONFIGS[str(mode)]() if config is None else config
    if mode is not None and config.mode != mode:
        raise ConfigError(
            f"Contradictory arguments: mode={mode!r}, and a config of mode {config.mode!r}.",
            fix="quantize(config=config)",
        )
    return config
