"""WithKernels: base class of layers with kernels. Handles LoRA, quantization and the order of variables in files."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import dtype_policies, initializers
from lamina.core import context, registry
from lamina.dtype_policies import Int4DTypePolicy, QuantizedFloat8DTypePolicy
from lamina.errors import CallError, ConfigError, UnsupportedError
from lamina.layers.base.layer import Layer
from lamina.layers.base.repeated import changes_each
from lamina.layers.weights.codes import Calibrated, Int4, Int8, Layout
from lamina.layers.weights.float8 import Float8
from lamina.layers.weights.weight import LoRA, parts_of
from lamina.quantizers.configs import Int4QuantizationConfig, config_of

if TYPE_CHECKING:
    from lamina.initializers import InitializerLike

CALIBRATED = ("gptq", "awq")


class _Stored:
    """`layer._kernel`, as Keras calls it: what is stored of a kernel, which its parts compute it from. An attribute of
    that name comes first."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name[1:]

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        weight = None if layer is None else getattr(layer, self.name, None)
        weight = weight.base if isinstance(weight, LoRA) else weight
        return self if layer is None else None if weight is None else parts_of(weight)[0]


class WithKernels(Layer):
    """A layer that creates its kernels with `_add_kernel` and uses them through `matmul`, `einsum` or `take` of this
    package, or through their `value`."""

    _config_optional = frozenset(("lora_rank", "lora_alpha"))
    quantization_modes: tuple[str, ...] = ()  # modes that the layer's `call` supports
    quantization_config: Any = None
    kernel: Any
    embeddings: Any
    bias: Any
    _kernel, _embeddings = _Stored(), _Stored()

    def __init__(self, *args: Any, lora_rank: int | None = None, lora_alpha: float | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lora_rank, self.lora_alpha = lora_rank, lora_rank if lora_alpha is None else lora_alpha
        self._layouts: dict[str, Any] = {}  # layouts of the kernels, by name

    def _add_kernel(self, shape: Any, name: str = "kernel", **settings: Any) -> Any:
        """Create a weight of the kind that the dtype policy requests.

        Args:
            shape: Shape of the kernel, or a Layout.
            name: Name of the attribute and of the variable.
            **settings: Arguments of `add_weight`.
        """
        layout = shape if isinstance(shape, Layout) else Layout(tuple(shape))
        self._layouts[name] = layout
        plain = functools.partial(self.add_weight, shape=layout.shape, name=name, **settings)
        if self.quantization_mode not in self.quantization_modes:
            return plain()
        self._is_quantized = True
        return self._quantized(name, self.quantization_mode, self.quantization_config, plain)

    def _quantized(self, name, mode, config, make_plain, original=None):
        """A weight quantized with `mode`. Its values are not set yet, unless the mode keeps the float kernel."""
        layout, policy = self._layouts[name], self._policy
        if mode == "float8":
            default = QuantizedFloat8DTypePolicy.default_amax_history_length
            return Float8(self, name, make_plain, getattr(policy, "amax_history_length", default))
        if mode in CALIBRATED:
            source = policy if config is None else config
            return Calibrated(self, name, layout, mode, source.weight_bits, source.group_size, original)
        if mode == "int4":
            return Int4(self, name, layout, config, self._block_size(config))
        return Int8(self, name, layout, config)

    def _block_size(self, config):
        for source, kind in ((config, Int4QuantizationConfig), (self._policy, Int4DTypePolicy)):
            if isinstance(source, kind):
                return source.block_size
        return None

    def _after_build(self):
        if self.lora_rank and not self.lora_enabled:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    @property
    def _int4_block_size(self) -> Any:
        return next((weight.block_size for weight in self._bases() if isinstance(weight, Int4)), None)

    @property
    def _bias_to_add(self) -> Any:
        """The bias to add to products. After float8 products it is rounded to bfloat16, which is faster."""
        value = self.bias.value
        rounds = self.quantization_mode == "float8" and value.dtype == "float32"
        return value.astype("bfloat16").astype("float32") if rounds else value

    # LoRA

    @property
    def lora_enabled(self) -> bool:
        """Whether the kernel is frozen and a low-rank update is trained."""
        return any(isinstance(weight, LoRA) for weight in self._kernels())

    def _kernels(self):
        return [getattr(self, name) for name in self._layouts]

    def _bases(self):
        """The kernels without their LoRA updates."""
        return [weight.base if isinstance(weight, LoRA) else weight for weight in self._kernels()]

    @changes_each
    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: InitializerLike = "he_uniform",
        b_initializer: InitializerLike = "zeros",
    ) -> None:
        """Freeze the kernel and train a low-rank update `lora_alpha / rank * a @ b` (Hu et al., 2021,
        arXiv:2106.09685).

        Args:
            rank: Rank of the update.
            lora_alpha: Factor of the update, which is divided by the rank; None means the rank.
            a_initializer: Initializer of a, the factor that is applied to the inputs first.
            b_initializer: Initializer of b, the factor that is applied second.

        Raises:
            CallError: If the layer is not built, or already has LoRA.
            ConfigError: If the kernel has a constraint.
            NotImplementedError: If the kernel is quantized with float8, GPTQ or AWQ.

        >>> import lamina as keras
        >>> layer = keras.layers.Dense(8)
        >>> layer.build((None, 4))
        >>> layer.enable_lora(rank=2)
        >>> [(v.name, v.shape) for v in layer.trainable_variables]
        [('bias', (8,)), ('lora_kernel_a', (4, 2)), ('lora_kernel_b', (2, 8))]
        """
        name, which = ("embeddings", "embedding") if hasattr(self, "embeddings_constraint") else ("kernel", "kernel")
        if getattr(self, f"{name}_constraint"):
            raise ConfigError(f"Lora is incompatible with {which} constraints.", fix=f"Leave out {name}_constraint.")
        if not self.built:
            raise CallError("Cannot enable lora on a layer that isn't yet built.", fix="Call build(input_shape) first.")
        if self.lora_enabled:
            raise CallError(
                "lora is already enabled. This can only be done once per layer.",
                fix="Make another layer for other ranks: enable_lora is called once.",
            )
        if self._is_quantized and self.quantization_mode in (*CALIBRATED, "float8"):
            raise UnsupportedError(
                f"lora is not supported with {self.quantization_mode} quantization.",
                fix="Load the float model, enable_lora, and quantize('int8').",
            )
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        a, b = initializers.get(a_initializer), initializers.get(b_initializer)
        regularizer = getattr(self, f"{name}_regularizer")
        setattr(self, name, LoRA(self, getattr(self, name), rank, self.lora_alpha, a, b, regularizer))

    # Quantization

    @changes_each
    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Quantize the kernels.

        int8 and int4 kernels can no longer be trained; float8 kernels can. For GPTQ and AWQ this only prepares the
        layer: `Model.quantize` calibrates it with data.

        Args:
            mode: "int8", "int4", "float8", "gptq" or "awq"; None means the mode of `config`.
            type_check: Whether to raise an error for a subclass, whose `call` may compute something else.
            config: Quantizers, block size or calibration data; see keras.quantizers.

        Raises:
            ConfigError: If the mode is unknown, or differs from that of the config.
            CallError: If the layer is not built, or is already quantized.
            NotImplementedError: If the layer does not support the mode, or is a subclass.

        >>> import lamina as keras
        >>> layer = keras.layers.Dense(8)
        >>> layer.build((None, 4))
        >>> layer.quantize("int8")
        >>> [(v.name, v.dtype) for v in layer.variables]
        [('bias', 'float32'), ('kernel', 'int8'), ('kernel_scale', 'float32')]
        """
        config = config_of(mode, config)
        self._check_quantization(config.mode, type_check)
        self.quantization_config, self._is_quantized = config, True
        for name in self._layouts:
            self._quantize_kernel(name, config)
        if self._policy.quantization_mode is None:
            self.dtype_policy = dtype_policies.get(f"{config.policy_name()}_from_{self._policy.name}")
        context.structure_changed()

    def _check_quantization(self, mode, type_check):
        if not self.built:
            unbuilt = f"Layer {self.name!r} (of type {type(self).__name__!r}) is not built yet."
            raise CallError(f"Cannot quantize a layer that isn't yet built. {unbuilt}", fix="Call it, or build(shape).")
        if self._is_quantized:
            already = f"is already quantized with dtype_policy={self._policy.name!r}"
            message = f"Layer {self.name!r} {already}; got mode={mode!r}."
            raise CallError(message, fix="Load the model with its float weights again, and quantize that.")
        if mode == "int8" and self.compute_dtype == "float16":
            raise ConfigError(
                "int8 kernels cannot be used with float16, which overflows.", fix="Use a bfloat16 policy."
            )
        if (type_check and not registry.is_builtin(type(self))) or not self.quantization_modes:
            raise UnsupportedError(
                f"Layer {type(self).__name__} does not have a `quantize` method implemented.",
                fix="layer.quantize(mode, type_check=False), if its call uses the kernel as its base class does.",
            )
        if mode not in self.quantization_modes or (mode == "float8" and self.lora_enabled):
            raise UnsupportedError(
                f"Invalid quantization mode. {type(self).__name__} takes {self.quantization_modes}, float8 not beside "
                f"LoRA; got {mode!r}.",
                fix=f"layer.quantize({self.quantization_modes[0]!r})",
            )

    def _quantize_kernel(self, name, config):
        weight = getattr(self, name)
        plain: Any = weight.base if isinstance(weight, LoRA) else weight
        kept = self._quantized(name, config.mode, config, lambda: plain, plain)
        if isinstance(weight, LoRA):
            weight.base = kept
        else:
            setattr(self, name, kept)
        if config.mode in ("int8", "int4"):
            kept.assign(plain.read())
            self._remove_variable(plain)

    def _remove_variable(self, variable):
        self._own_variables = [own for own in self._own_variables if own is not variable]

    def quantized_build(self, input_shape: Any, mode: str, config: Any = None) -> None:
        """Recreate the kernels for `mode`, without values.

        Args:
            input_shape: Ignored, since the shapes of the kernels are known.
            mode: Mode of quantization.
            config: Quantizers or block size; see keras.quantizers.
        """
        if mode not in self.quantization_modes:
            message = f"Invalid quantization mode. Expected {self.quantization_modes}; got {mode!r}."
            raise UnsupportedError(message, fix=f"mode={self.quantization_modes[0]!r}")
        for name in self._layouts:
            setattr(self, name, self._quantized(name, mode, config, lambda name=name: getattr(self, name)))

    # Files

    def _saved_weights(self):
        """The variables to save, in the order of Keras: the kernel, the bias, the other parts of the kernel, other
        kernels. If a kernel is calibrated by GPTQ or AWQ, the bias comes first."""
        kernels = [parts_of(weight) for weight in self._bases()] or [[]]
        bias = [] if getattr(self, "bias", None) is None else [self.bias]
        head = 0 if self._is_quantized and self.quantization_mode in CALIBRATED else 1
        order = [*kernels[0][:head], *bias, *kernels[0][head:], *(part for parts in kernels[1:] for part in parts)]
        known = {id(part) for part in order} | {id(part) for weight in self._kernels() for part in parts_of(weight)}
        known |= {id(getattr(weight, "original", None)) for weight in self._kernels()}
        return [*order, *(own for own in self._variables_of_its_own() if id(own) not in known)]

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own variables. A LoRA update is merged into the kernel.

        Args:
            store: Dict that receives the arrays under the keys "0", "1" and so on.
        """
        if not self.built:
            return
        values = {id(part): np.asarray(part) for part in self._saved_weights()}
        for weight in self._kernels():
            if isinstance(weight, LoRA):
                values |= {id(part): value for part, value in zip(parts_of(weight.base), weight.merged(), strict=True)}
        for index, part in enumerate(self._saved_weights()):
            store[str(index)] = values[id(part)]

    def load_own_variables(self, store: Any) -> None:
        """Load the variables that `save_own_variables` wrote.

        Args:
            store: Dict of arrays with the keys "0", "1" and so on.
        """
        super().load_own_variables(store)
        for weight in self._kernels():
            if isinstance(weight, LoRA):
                weight.forget_update()
            self._drop_original(weight)  # values in files are calibrated

    @property
    def inputs_quantizer(self) -> Any:
        """The quantizer of the inputs of products, or None if they are not quantized."""
        return getattr(next(iter(self._bases()), None), "inputs_quantizer", None)

    @property
    def is_gptq_calibrated(self) -> bool:
        """Whether GPTQ has calibrated the kernel."""
        return self._is_calibrated("gptq")

    @property
    def is_awq_calibrated(self) -> bool:
        """Whether AWQ has calibrated the kernel."""
        return self._is_calibrated("awq")

    @is_gptq_calibrated.setter
    def is_gptq_calibrated(self, value: bool) -> None:
        self._set_calibrated(value)

    @is_awq_calibrated.setter
    def is_awq_calibrated(self, value: bool) -> None:
        self._set_calibrated(value)

    def _set_calibrated(self, value):
        """Use the codes as they are from now on. The float kernel is gone then, so there is no way back."""
        if value:
            for weight in self._bases():
                self._drop_original(weight)

    def _drop_original(self, weight):
        if isinstance(weight, Calibrated) and weight.original is not None:
            self._remove_variable(weight.original)
            weight.original = None

    def _is_calibrated(self, mode):
        kernel = next(iter(self._bases()), None)
        return self.quantization_mode == mode and isinstance(kernel, Calibrated) and kernel.original is None
