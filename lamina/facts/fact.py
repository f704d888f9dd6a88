"""Fact: what is known of one call of a layer in a model."""

from __future__ import annotations

import dataclasses
import functools
import math
import weakref
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from lamina.core import tree
from lamina.core.registry import is_builtin
from lamina.facts.activations import builtin_activation, is_activation
from lamina.facts.cost import flops_of
from lamina.layers.base.traits import has_trait

if TYPE_CHECKING:
    from lamina.core.typing import Shape
    from lamina.core.variable import Variable

__all__ = ["Fact", "Window"]


@dataclasses.dataclass(frozen=True)
class Window:
    """The part of the input that one output depends on, along one axis.

    Attributes:
        size: Positions of the input that an output depends on at most.
        step: How many positions further the part of the next output begins.
        whole: Positions of the whole input; None where that is open.
    """

    size: int = 1
    step: int | Fraction = 1
    whole: int | None = None


@dataclasses.dataclass(eq=False)
class Fact:
    """One call of one layer (or op) in a model.

    Attributes:
        layer: Layer or operation.
        inputs, outputs: Shapes, None for the batch and other open sizes.
        owner: Innermost model that it is nested in.
        depth: How many models it is nested in.
        sources: Facts that the inputs come from.
        use, uses: This is call number `use` (from 1) of `uses` calls of the layer.
        masked, gives_mask: Whether its inputs have a mask, and whether its outputs have one.
        window: Receptive field along each spatial axis; None where it is not known.
        training: Mode written into the call, or into that of a model around it; None where none is.
        reads: Positions among the inputs of its owner that it takes itself.
        ends: (position among the outputs of the model, which of this call's outputs) for each output of the model.
        inner: Calls inside a model, or inside a layer of your own that holds layers.
        whole: Whether every input is known to come from `sources` or from the model's inputs.
        arguments: (positional, keyword) arguments of the call; None where they are not known.
        receiver_refs: Weak references to the facts that take the outputs, which refer to this one.
    """

    layer: Any
    inputs: list[Shape]
    outputs: list[Shape]
    owner: Any
    depth: int = 0
    sources: list[Fact] = dataclasses.field(default_factory=list)
    use: int = 1
    uses: int = 1
    masked: bool = False
    gives_mask: bool = False
    window: tuple[Window, ...] | None = None
    training: Any = None
    reads: list[int] = dataclasses.field(default_factory=list)
    ends: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    inner: list[Fact] = dataclasses.field(default_factory=list, repr=False)
    whole: bool = True
    arguments: tuple[Any, Any] | None = dataclasses.field(default=None, repr=False)
    receiver_refs: list[weakref.ref[Fact]] = dataclasses.field(default_factory=list, repr=False)

    @property
    def receivers(self) -> list[Fact]:
        """Facts that take the outputs."""
        return [fact for ref in self.receiver_refs if (fact := ref()) is not None]

    @functools.cached_property
    def flops(self) -> int | None:
        """Operations for one sample, counted when first read; open sizes count as one; None where counting fails."""
        if self.inner and getattr(self.layer, "_graph", None) is not None:
            return sum(fact.flops or 0 for fact in self.inner)
        return None if self.arguments is None else flops_of(self.layer, *self.arguments)

    @property
    def name(self) -> str:
        """The name of the layer."""
        return self.layer.name

    @property
    def kind(self) -> str:
        """The name of the layer's class."""
        return type(self.layer).__name__

    @property
    def input(self) -> Shape:
        """The shape of the first input; () where there is none."""
        return self.inputs[0] if self.inputs else ()

    @property
    def output(self) -> Shape:
        """The shape of the first output."""
        return self.outputs[0] if self.outputs else ()

    @property
    def givers(self) -> list[str]:
        """Names of the layers whose outputs it takes, in the order of its arguments, as far as they are known."""
        given = tree.flatten(self.arguments) if self.arguments else []
        makers = [leaf._keras_history.operation for leaf in given if hasattr(leaf, "_keras_history")]
        names = [maker.name for maker in makers if self.depth == 0 or type(maker).__name__ != "InputLayer"]
        return list(dict.fromkeys(names or [source.name for source in self.sources]))

    @property
    def weights(self) -> list[Variable]:
        """The weights of the layer; none for an op."""
        return list(getattr(self.layer, "weights", []))

    @property
    def own_weights(self) -> list[Variable]:
        """The weights that belong to no call inside and to no earlier call of the layer."""
        inside = {id(weight) for fact in self.inner for weight in fact.weights}
        return [weight for weight in self.weights if id(weight) not in inside] if self.use == 1 else []

    @functools.cached_property
    def count(self) -> int:
        """How many numbers its weights hold."""
        return sum(weight.size for weight in self.weights)

    @functools.cached_property
    def trainable_count(self) -> int:
        """How many numbers its trainable weights hold."""
        return sum(weight.size for weight in getattr(self.layer, "trainable_weights", []))

    @property
    def values(self) -> int:
        """How many numbers one sample's outputs hold; open sizes count as one."""
        return sum(math.prod(size or 1 for size in shape[1:]) for shape in self.outputs)

    @property
    def innermost(self) -> Fact:
        """The call inside a model that makes its output; itself where it is no model, or one with several outputs."""
        fact = self
        while fact.inner:
            ends = [one for one in fact.inner if one.ends]
            if len(ends) != 1:
                break
            fact = ends[0]
        return fact

    @property
    def is_input(self) -> bool:
        """Whether it is the Input of a graph."""
        return self.kind == "InputLayer"

    @property
    def is_builtin(self) -> bool:
        """Whether lamina's own class computes it, so that the class says what it does."""
        return is_builtin(type(self.layer))

    def has(self, *traits: str) -> bool:
        """Whether its class, or one that it comes from, has one of these traits.

        Args:
            *traits: Words of `lamina.layers.base.traits`.
        """
        return has_trait(self.layer, *traits) or ("activation" in traits and is_activation(self.layer))

    @property
    def activation(self) -> str | None:
        """The name of the activation that it ends in, "linear" for none; None where only its author knows."""
        return builtin_activation(self.layer, len(self.output))

    @property
    def is_affine(self) -> bool:
        """Whether it multiplies its inputs by a kernel, adds a bias and applies its activation: Dense, convolutions."""
        return self.has("weighted") and not self.has("recurrent", "recurrent_cell", "attention")

    @property
    def is_on_maps(self) -> bool:
        """Whether it is a convolution or pooling layer."""
        return self.has("convolution", "convolutional_recurrent", "pooling", "global_pooling", "adaptive_pooling")

    def is_a(self, *names: str) -> bool:
        """Whether its class, or one of lamina's that it comes from, has one of these names.

        Args:
            *names: Names of classes.
        """
        return any(cls.__name__ in names and is_builtin(cls) for cls in type(self.layer).__mro__)
