"""WithKernels: what layers have that keep kernels of any kind: LoRA, quantization, and the order of files."""

import functools
from typing import Any

from lamina import dtype_policies, initializers
from lamina.core import context, registry
from lamina.dtype_policies import Int4DTypePolicy, QuantizedFloat8DTypePolicy
from lamina.errors import CallError, ConfigError
from lamina.layers.base.layer import Layer
from lamina.layers.weights.codes import Calibrated, Int4, Int8, Layout
from lamina.layers.weights.float8 import Float8
from lamina.layers.weights.weight import LoRA, parts_of
from lamina.quantizers.configs import Int4QuantizationConfig, config_of

CALIBRATED = ("gptq", "awq")


class WithKernels(Layer):
    """A layer that makes its kernels by `add_kernel` and uses them by `matmul`, `einsum` or `take` of this package, or
    by their `value`."""

    _config_optional = frozenset(("lora_rank", "lora_alpha"))
    quantization_modes: tuple[()] = ()  # which ways of quantization its formula goes with
    quantization_config: Any = None
    kernel: Any = None
    embeddings: Any = None
    bias: Any = None

    def __init__(self, *args, lora_rank=None, lora_alpha=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.lora_rank, self.lora_alpha = lora_rank, lora_rank if lora_alpha is None else lora_alpha
        self._layouts = {}  # of the kernels, by name

    def add_kernel(self, shape, name="kernel", **settings):
        """The weight of that shape, or Layout, of the kind that the dtype policy says; `settings` of `add_weight`."""
        layout = shape if isinstance(shape, Layout) else Layout(tuple(shape))
        self._layouts[name] = layout
        plain = functools.partial(self.add_weight, shape=layout.shape, name=name, **settings)
        if self.quantization_mode not in self.quantization_modes:
            return plain()
        self._is_quantized = True
        return self._quantized(name, self.quantization_mode, self.quantization_config, plain)

    def _quantized(self, name, mode, config, make_plain, original=None):
        """A weight of the kind of `mode`, without its numbers yet where it keeps none as floats."""
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
    def bias_to_add(self):
        """The bias as it is added to products: beside float8 ones it is rounded to bfloat16, which is fast."""
        value = self.bias.value
        rounds = self.quantization_mode == "float8" and value.dtype == "float32"
        return value.astype("bfloat16").astype("float32") if rounds else value

    # LoRA

    @property
    def lora_enabled(self):
        """Whether the kernel is frozen and an update of low rank is trained."""
        return any(isinstance(weight, LoRA) for weight in self._kernels())

    def _kernels(self):
        return [getattr(self, name) for name in self._layouts]

    def _bases(self):
        """The kernels without what LoRA adds."""
        return [weight.base if isinstance(weight, LoRA) else weight for weight in self._kernels()]

    def enable_lora(self, rank, lora_alpha=None, a_initializer="he_uniform", b_initializer="zeros"):
        """Freeze the kernel and train `lora_alpha / rank * a @ b` beside it (Hu et al., 2021, arXiv:2106.09685).

        Raises:
            CallError: when the layer is not built, or has it already.
            ConfigError: when the kernel has a constraint.
            NotImplementedError: for a kernel quantized by float8, GPTQ or AWQ.

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
            raise CallError("lora is already enabled. This can only be done once per layer.")
        if self._is_quantized and self.quantization_mode in (*CALIBRATED, "float8"):
            raise NotImplementedError(f"lora is not supported with {self.quantization_mode} quantization.")
        self.lora_rank, self.lora_alpha = rank, rank if lora_alpha is None else lora_alpha
        a, b = initializers.get(a_initializer), initializers.get(b_initializer)
        regularizer = getattr(self, f"{name}_regularizer")
        setattr(self, name, LoRA(self, getattr(self, name), rank, self.lora_alpha, a, b, regularizer))

    # Quantization

    def quantize(self, mode=None, type_check=True, config=None):
        """Keep the kernels in few bits: "int8", "int4", "float8", or with a config "gptq" or "awq".

        int8 and int4 kernels are no longer trained; float8 ones are. GPTQ and AWQ only get ready for the choice that
        `Model.quantize` makes by data.

        Args:
            type_check: whether a subclass, whose formula may be another, is refused.
            config: which quantizers, blocks or data; see keras.quantizers.

        Raises:
            ConfigError: for a mode that is none, or a config of another mode.
            CallError: when the layer is not built, or is quantized already.
            NotImplementedError: for a mode that the layer has not, and for subclasses.

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
            told = f"Layer {self.name!r} (of type {type(self).__name__!r}) is not built yet."
            raise CallError(f"Cannot quantize a layer that isn't yet built. {told}", fix="Call it, or build(shape).")
        if self._is_quantized:
            already = f"is already quantized with dtype_policy={self._policy.name!r}"
            raise CallError(f"Layer {self.name!r} {already}; got mode={mode!r}.")
        if mode == "int8" and self.compute_dtype == "float16":
            raise ConfigError("int8 kernels do not go with float16: it overflows.", fix="Use a bfloat16 policy.")
        if (type_check and not registry.is_builtin(type(self))) or not self.quantization_modes:
            raise NotImplementedError(f"Layer {type(self).__name__} does not have a `quantize` method implemented.")
        if mode not in self.quantization_modes or (mode == "float8" and self.lora_enabled):
            raise NotImplementedError(
                f"Invalid quantization mode. {type(self).__name__} takes {self.quantization_modes}, float8 not beside "
                f"LoRA; got {mode!r}."
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
            self._forget(plain)

    def _forget(self, variable):
        """Have one variable less."""
        self._own_variables = [own for own in self._own_variables if own is not variable]

    def quantized_build(self, input_shape, mode, config=None):
        """Make the kernels of `mode` anew, without their numbers."""
        if mode not in self.quantization_modes:
            raise NotImplementedError(f"Invalid quantization mode. Expected {self.quantization_modes}; got {mode!r}.")
        for name in self._layouts:
            setattr(self, name, self._quantized(name, mode, config, lambda name=name: getattr(self, name)))

    # Files

    def _saved_weights(self):
        """The variables that a file holds, in the order of Keras: the kernel, the bias, what else the kernel is made
        of, other kernels; where a kernel is calibrated the bias comes first."""
        kernels = [parts_of(weight) for weight in self._bases()] or [[]]
        bias = [] if self.bias is None else [self.bias]
        head = 0 if self._is_quantized and self.quantization_mode in CALIBRATED else 1
        order = [*kernels[0][:head], *bias, *kernels[0][head:], *(part for parts in kernels[1:] for part in parts)]
        known = {id(part) for part in order} | {id(part) for weight in self._kernels() for part in parts_of(weight)}
        known |= {id(getattr(weight, "original", None)) for weight in self._kernels()}
        return [*order, *(own for own in self._variables_of_its_own() if id(own) not in known)]

    def save_own_variables(self, store):
        """Write the variables; an update of low rank is added to the kernel, as whoever reads the file needs it."""
        if not self.built:
            return
        values = {id(part): part.numpy() for part in self._saved_weights()}
        for weight in self._kernels():
            if isinstance(weight, LoRA):
                values |= {id(part): value for part, value in zip(parts_of(weight.base), weight.merged(), strict=True)}
        for index, part in enumerate(self._saved_weights()):
            store[str(index)] = values[id(part)]

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote."""
        super().load_own_variables(store)
        for weight in self._kernels():
            if isinstance(weight, LoRA):
                weight.forget_update()
            if isinstance(weight, Calibrated) and weight.original is not None:  # what is in a file was chosen
                self._forget(weight.original)
                weight.original = None

    @property
    def inputs_quantizer(self):
        """What quantizes the inputs of products, None where nothing does."""
        return getattr(next(iter(self._bases()), None), "inputs_quantizer", None)

    @property
    def is_gptq_calibrated(self):
        """Whether GPTQ has chosen the kernel."""
        return self._is_calibrated("gptq")

    @property
    def is_awq_calibrated(self):
        """Whether AWQ has chosen the kernel."""
        return self._is_calibrated("awq")

    def _is_calibrated(self, mode):
        kernel = next(iter(self._bases()), None)
        return self.quantization_mode == mode and isinstance(kernel, Calibrated) and kernel.original is None
