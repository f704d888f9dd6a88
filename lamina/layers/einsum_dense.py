"""EinsumDense: a dense layer whose product is any einsum equation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError, ShapeError
from lamina.initializers import VarianceScaling
from lamina.kernels.bias_add import add_bias
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.settings import keep_arguments
from lamina.layers.weights import Layout, WithKernels, einsum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["EinsumDense"]

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class EinsumDense(WithKernels):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: Einsum equation of inputs, kernel and outputs, "abc,cd->abd"; "..." on the left or on the right of
            inputs and outputs stands for axes that the kernel does not have.
        output_shape: Sizes of the output's axes after the batch (after "..." where that is on the left); None takes the
            size of the inputs.
        activation: Activation applied to the sum. None leaves it as it is.
        bias_axes: Letters of the output's axes that the bias has; None for no bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        lora_rank: Rank of the trained LoRA update that is added to the frozen kernel; None trains the kernel itself.
        lora_alpha: Factor of the update, which is divided by the rank; None means the rank.
        gptq_unpacked_column_size: Number of columns of a kernel that GPTQ quantized, as files have it; None for others.
        quantization_config: Quantizers, block size or calibration data of a quantized kernel; see keras.quantizers.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: for an equation that is none of one input and one kernel.
        ShapeError: where the shapes of inputs and outputs do not fit it, or the size of a kernel's axis is not known.

    >>> import lamina as keras
    >>> layer = keras.layers.EinsumDense("...x,xhd->...hd", output_shape=(2, 3), bias_axes="hd")
    >>> layer(keras.Input((10, 8))).shape, layer.kernel.shape, layer.bias.shape
    ((None, 10, 2, 3), (8, 2, 3), (2, 3))
    """

    equation: str
    activation: Any
    bias_axes: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    _traits = frozenset(("weighted",))
    _config_optional = frozenset(("lora_rank", "lora_alpha", "gptq_unpacked_column_size"))
    quantization_modes: tuple[str, ...] = ("int8", "int4", "float8", "gptq", "awq")

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: ActivationLike = None,
        bias_axes: str | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        keep_arguments(self, locals())
        self.output_shape: tuple[int] | tuple[int | None, ...] = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        )
        self._columns, self._axes = gptq_unpacked_column_size, _Axes(equation)
        unknown = set(bias_axes or ()) - set(self._axes.outputs)
        if unknown:
            raise ConfigError(
                f"bias_axes are letters of the output of {equation!r}; got {bias_axes!r}.",
                fix=f"bias_axes={self._axes.outputs[-1]!r}",
            )

    def build(self, input_shape: Shape) -> None:
        sizes, elided = self._axes.sizes(input_shape, self.output_shape)
        shape = tuple(sizes[letter] for letter in self._axes.kernel)
        if None in shape:
            raise ShapeError(
                f"The kernel {self._axes.kernel!r} of {self.equation!r} needs known sizes; got {shape} from inputs of "
                f"shape {tuple(input_shape)} and output_shape={self.output_shape}.",
                fix="Give the sizes in keras.Input(shape=...), or in output_shape.",
            )
        layout, initializer = self._axes.layout(shape, elided), self._initializer_of_kernel()
        self.kernel: Any = self._add_weight_of("kernel", layout, make=self._add_kernel, initializer=initializer)
        self.bias = None
        if self.bias_axes is not None:
            self.bias: Any = self._add_weight_of("bias", self._shape_of_bias(sizes, elided))
        self.input_spec: Any = InputSpec(ndim=len(input_shape))

    @property
    def gptq_unpacked_column_size(self) -> int | None:
        """How many columns a kernel that GPTQ quantized has; None for others. Files tell it."""
        has = self.built and self.quantization_mode == "gptq"
        return self.kernel.layout.columns if has else self._columns

    def _initializer_of_kernel(self):
        """The initializer of the kernel with its input and output axes, which follow from the equation."""
        given = self.kernel_initializer
        if not isinstance(given, VarianceScaling) or None not in (given.input_axes, given.output_axes):
            return given
        axes = {True: [], False: []}
        for axis, letter in enumerate(self._axes.kernel):
            axes[letter in self._axes.outputs].append(axis)
        config = {**given.get_config(), "seed": given.seed, "input_axes": axes[False], "output_axes": axes[True]}
        return type(given).from_config(config)

    def _shape_of_bias(self, sizes, elided):
        """From the first axis it has to the last of the output; 1 where it has none."""
        letters = self._axes.outputs
        first = min(letters.index(letter) for letter in self.bias_axes)
        ones = () if self._axes.left else (1,) * elided
        return (*(sizes[letter] if letter in self.bias_axes else 1 for letter in letters[first:]), *ones)

    def call(self, inputs: Tensor) -> Tensor:
        outputs = einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = add_bias(outputs, self._bias_to_add)
        return self.activation(outputs)


class _Axes:
    """The letters of an equation, one for each axis, and on which side "..." stands for more."""

    def __init__(self, equation: str):
        found = _EQUATION.fullmatch(equation) if isinstance(equation, str) else None
        parts: Any = found.groups(default="") if found else [""] * 7
        left, inputs, right, kernel, left_out, outputs, right_out = parts
        if not found or left != left_out or right != right_out or (left and right):
            raise ConfigError(
                f"EinsumDense needs an equation of inputs, kernel and outputs; got {equation!r}.",
                fix="'abc,cd->abd', '...c,cd->...d' or 'abc...,bd->adc...'.",
            )
        alone = {*kernel} ^ {*outputs}
        if not alone <= {*inputs}:
            raise ConfigError(
                f"Axes of {equation!r} stand only in its kernel or only in its outputs: {alone - {*inputs}}.",
                fix="Each letter of the kernel stands in the inputs or the outputs, as in 'abc,cd->abd'.",
            )
        self.equation, self.inputs, self.kernel, self.outputs = equation, inputs, kernel, outputs
        self.left, self.elided = bool(left), bool(left or right)

    def layout(self, shape: Any, elided: int) -> Any:
        """How a kernel of this shape stands in the product; `elided` axes are behind "..."."""
        summed = tuple(axis for axis, letter in enumerate(self.kernel) if letter not in self.outputs)
        kept = [letter for letter in self.outputs if letter in self.kernel]
        scale = [shape[self.kernel.index(letter)] if letter in kept else 1 for letter in self.outputs]
        beside = [1] * elided
        scale = (*beside, *scale) if self.left else (*scale, *beside)
        return Layout(shape, summed, tuple(self.kernel.index(letter) for letter in kept), scale)

    def sizes(self, input_shape: Any, output_shape: Any) -> Any:
        """(letter -> size, how many axes "..." stands for)."""
        elided = len(input_shape) - len(self.inputs)
        if elided < 0 or (elided and not self.elided):
            rank = f"{len(self.inputs)}{' or more' * self.elided}"
            raise ShapeError(
                f"{self.equation!r} needs inputs of rank {rank}; got shape {tuple(input_shape)}.",
                fix=f"Start the terms of inputs and outputs with '...', or give inputs of rank {len(self.inputs)}.",
            )
        shape = input_shape[elided:] if self.left else input_shape
        sizes: dict[str, Any] = dict(zip(self.inputs, shape, strict=False))
        batch_is_elided = self.left and elided > 0
        letters = self.outputs if batch_is_elided else self.outputs[1:]
        if len(letters) != len(output_shape):
            raise ShapeError(
                f"{self.equation!r} needs an output_shape with a size for each of {letters}; got {output_shape}.",
                fix=f"output_shape={tuple(None if letter in sizes else 32 for letter in letters)}",
            )
        for letter, size in zip(letters, output_shape, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size:
                raise ShapeError(
                    f"Axis {letter!r} of {self.equation!r} has size {known} in the inputs, {tuple(input_shape)}, and "
                    f"{size} in output_shape={output_shape}.",
                    fix="None in output_shape stands for the size of the inputs.",
                )
            sizes[letter] = known if size is None else size
        return sizes, elided
