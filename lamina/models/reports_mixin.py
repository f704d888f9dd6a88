"""ReportsMixin: what a model says about itself, in a table, in sentences and on a page; and its quantization."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lamina import check, explanations, view
from lamina.core.keywords import keywords
from lamina.core.probes import unprinted
from lamina.core.registry import is_builtin
from lamina.errors import ConfigError
from lamina.models.shown import html_of, line_of
from lamina.models.summary import summary
from lamina.runtime.terminal import printable
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Sequence

    from lamina.core.typing import PyTree
    from lamina.training.step_costs import StepCosts
    from lamina.training.trainer import Trainer
else:
    Trainer = object  # which stands beside the mixin in Model

__all__ = ["ReportsMixin"]


class ReportsMixin(Trainer):
    """Reports about a model."""

    @filters_traceback
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print a table of the layers with output shapes and numbers of weights.

        Args:
            line_length: Characters of a line. None means the width of the terminal.
            positions: Where each column ends, as fractions of a line. None fits them to the text.
            print_fn: Function that gets the table as a string. None means `print`.
            expand_nested: Whether the layers of models inside are listed as well.
            show_trainable: Whether a column shows which layers are trainable.
            layer_range: Names (or regular expressions) of the first and the last layer to list. None lists all.
        """
        summary(
            self, line_length=line_length, positions=positions, print_fn=print_fn, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip

    def __repr__(self) -> str:
        builtin = type(self).__name__ in ("Sequential", "Functional") and is_builtin(type(self))
        return printable(line_of(self)) if builtin and "built" in self.__dict__ else super().__repr__()

    def _repr_html_(self):
        return html_of(self)

    @filters_traceback
    def explain(
        self, what: Any = None, distribution: Any = None, batch_size: int | None = None, mistakes: Any = None
    ) -> Any:
        """What each layer does to the data, in sentences with this model's own numbers, and answers about the whole.

        With a distribution or a batch size, it is about a training step instead, from the program that XLA compiles for
        those devices: bytes a device, operations, what is exchanged, and what rematerialization would change. The model
        may be one of `keras.abstract()`; nothing is run.

        Args:
            what: None; the name of a layer; or a batch of inputs, whose values after each layer are then described.
            distribution: Distribution over whose devices a step is explained. None means the current one.
            batch_size: Samples of that step, over all devices. None means 32.
            mistakes: (x, y), or a data set of them: what a classifier confuses, in place of all that. See
                `keras.visualization.plot_mistakes`, which has more arguments.

        Print it, or let a notebook show it; `.markdown()` and `.html()` return other forms.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> model.compile("adam", "mse")
        >>> model.explain(batch_size=8).answers[2].sentences
        ['Nothing.']
        """
        if mistakes is not None:
            x, y = mistakes if isinstance(mistakes, (tuple, list)) else (mistakes, None)
            return importlib.import_module("lamina.visualization").plot_mistakes(self, x, y)  # a higher floor
        if distribution is None and batch_size is None:
            return explanations.explain(self, what)
        from lamina.training.step_costs import step_costs

        return explanations.explain_step(self, step_costs(self, batch_size or 32, distribution))

    @filters_traceback
    def memory(self, batch_size: int = 32, distribution: Any = None) -> StepCosts:
        """The memory of a training step, by XLA's analysis of the compiled program: weights, gradients, slots of the
        optimizer, activations, temporaries and the total, in bytes of the fullest device. Nothing is run.

        Args:
            batch_size: Samples of a step, over all devices.
            distribution: Distribution over whose devices the step is compiled. None means the current one.

        Raises:
            CallError: The model is not compiled, or the shapes of its inputs are not known.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> model.compile("adam", "mse")
        >>> costs = model.memory(batch_size=8)
        >>> costs.weights, costs.gradients, costs.slots
        (60, 60, 128)
        """
        from lamina.training.step_costs import step_costs

        return step_costs(self, batch_size, distribution, rematerialize=False)

    @filters_traceback
    def check(
        self,
        x: PyTree = None,
        y: PyTree = None,
        sample_weight: PyTree = None,
        ignore: Collection[str] = (),
        probe: bool = False,
        **settings: Any,
    ) -> Any:
        """What is wrong with the model, and with one batch of its data: see `keras.check`.

        Each finding has a code, severity, layer, message and the one-line fix; print them or iterate.

        Args:
            x: Inputs of a batch. None checks only the model.
            y: Targets of the batch.
            sample_weight: Weights of the samples.
            ignore: Codes of findings to leave out.
            probe: Whether to make some steps on a copy, and judge what they show.
            **settings: Arguments with which `fit` would be called.
        """
        return check.check(self, x, y, sample_weight, ignore, probe, **settings)

    @filters_traceback
    def profile(
        self, x: PyTree, y: PyTree = None, sample_weight: PyTree = None, batch_size: int = 32, kind: str = "train"
    ) -> Any:
        """Where the time of a training step goes, by layer, forward and backward, measured in the compiled step.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: Weights of the samples.
            batch_size: Samples of the step.
            kind: "train", or "predict" for a prediction, for which the model need not be compiled.

        Returns:
            A `Profile`, whose rows, each measured, make up about the time of the step. Print it.

        Raises:
            CallError: If the model is not compiled or runs eagerly.
        """
        return explanations.profile(self, x, y, sample_weight, batch_size, kind)

    @filters_traceback
    def view(
        self,
        path: str | os.PathLike[str] | None = None,
        x: PyTree = None,
        y: PyTree = None,
        history: Any = None,
        open: bool | None = None,
        profile: bool | None = None,
        compare: Any = None,
        vocabulary: Sequence[str] | None = None,
    ) -> Any:
        """The model as an HTML page with its graph: see `keras.view`.

        Args:
            path: HTML file to write; it needs no server and no network. None writes a temporary file. With the ending
                .json it is a file for Google's Model Explorer.
            x: Inputs of a batch, whose values after each layer are shown.
            y: Targets of the batch, for the checks of data.
            history: What `fit` returned. None means that of the last `fit`.
            open: Whether the browser opens the page. None opens it if there is no `path`.
            profile: Whether the time of each layer is measured and saliency computed, which compiles programs. None
                means where there is `x`.
            compare: Another model, or a file of a model or of weights, to show next to it.
            vocabulary: Words by number, to show a text of numbers.
        """
        return view.view(self, path, x, y, history, open, profile, compare, vocabulary)

    @filters_traceback
    def quantize(  # pyright: ignore[reportIncompatibleMethodOverride]  # the arguments of Keras
        self,
        mode: str | None = None,
        config: Any = None,
        filters: str | Sequence[str] | Callable[[Any], bool] | None = None,
        **kwargs: Any,
    ) -> None:
        """Store the kernels of the layers in few bits.

        Args:
            mode: "int8", "int4", "float8", or, with data in `config`, "gptq" or "awq".
            config: Quantizers, block size or data: see `keras.quantizers`. None means those of the mode.
            filters: Regular expression, list of them, or function of a layer: which layers are quantized. None means
                all.
            **kwargs: `type_check=False` quantizes subclasses of layers as well.

        Raises:
            ConfigError: If the mode does not exist, the config is of another mode, or data or blocks are missing.
            CallError: If a layer is not built, or is quantized already.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(2, name="head")])
        >>> model.quantize("int8", filters=lambda layer: layer.name != "head")
        >>> [layer.dtype_policy.name for layer in model.layers]
        ['int8_from_float32', 'float32']
        """
        (type_check,) = keywords("quantize", kwargs, type_check=True)
        if not (filters is None or callable(filters) or isinstance(filters, (str, list, tuple))):
            raise ConfigError(
                f"The `filters` argument must be a regex string, a list or a callable; got {filters!r}.",
                fix="filters=lambda layer: True",
            )
        from lamina.models.quantization import config_of, quantize

        quantize(self, config_of(mode, config), filters, type_check)

    def get_quantization_layer_structure(self, mode: str | None = None) -> dict[str, Any] | None:
        """The blocks that GPTQ and AWQ quantize one after the other: {"pre_block_layers": [...], "sequential_blocks":
        [...]}. Subclasses may override it; None here.

        Args:
            mode: "gptq" or "awq".
        """
        return None

    def _inspect(self, when, *data):
        look = {"fit": check.look_before_fit, "evaluate": check.look_before_evaluate, "batch": check.look_at_batch}
        with unprinted():
            look[when](self, *data)

    def _first_steps(self, verbose) -> Any:
        return check.watch_first_steps(self, verbose)
