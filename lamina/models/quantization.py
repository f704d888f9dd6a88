"""Quantization of a model: each layer with a kernel by itself, or block after block with data."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.core.stacked import Stacked
from lamina.errors import ConfigError, UnsupportedError, warn
from lamina.layers.repeat import Repeat
from lamina.layers.weights import Calibrated
from lamina.quantizers import calibration
from lamina.quantizers.configs import config_of
from lamina.runtime.progress import Progbar

__all__ = ["calibrate", "config_of", "is_wanted", "quantize"]


def quantize(model: Any, config: Any, filters: Any = None, type_check: bool = True) -> None:
    """Quantize the layers that have kernels and match the filters.

    Args:
        model: Built model.
        config: Quantization config, from `config_of`.
        filters: Regular expression, list of them, function of a layer, or None for all layers.
        type_check: Whether subclasses of layers are left as they are.
    """
    blocks = _structure_of(model, config) if config.mode in ("gptq", "awq") else None
    left = []
    for layer in model._flatten_layers():
        if len(layer._flatten_layers()) > 1 or not is_wanted(layer, filters):
            continue
        try:
            layer.quantize(config.mode, type_check=type_check, config=config)
        except NotImplementedError:
            left += [layer.name] if layer.weights else []
    if left:
        warn(f"Layers of {model.name} without a kernel that {config.mode} can quantize are left as they are: {left}.")
    if blocks is not None:
        calibrate(config, *blocks, filters)


def is_wanted(layer: Any, filters: Any) -> bool:
    """Whether a layer matches the filters.

    Args:
        layer: Layer.
        filters: Regular expression that is found in its name, list of them, function of a layer, or None for all.
    """
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    return any(re.search(pattern, layer.name) for pattern in ([filters] if isinstance(filters, str) else filters))


def _structure_of(model, config):
    """(layers before the blocks, blocks)."""
    if config.dataset is None or config.tokenizer is None:
        raise ConfigError(
            f"{config.mode} requires a dataset and a tokenizer. Pass them in its config.",
            fix='model.quantize("int8") needs no data.',
        )
    structure = config.quantization_layer_structure or model.get_quantization_layer_structure(config.mode)
    form = "{'pre_block_layers': [embedding], 'sequential_blocks': [block, ...]}"
    if structure is None:
        raise ConfigError(
            f"For mode={config.mode!r}, a valid quantization structure must be provided: the config's "
            "quantization_layer_structure, or the model's get_quantization_layer_structure(mode).",
            fix=form,
        )
    if not structure.get("sequential_blocks"):
        raise ConfigError("No sequential blocks found in the quantization structure.", fix=form)
    return structure.get("pre_block_layers", []), structure["sequential_blocks"]


def calibrate(config: Any, before: list[Any], blocks: list[Any], filters: Any = None) -> None:
    """Choose the codes of each block's kernels by their inputs, which pass through the blocks quantized before.

    Args:
        config: Quantization config with a dataset and a tokenizer.
        before: Layers before the blocks.
        blocks: Blocks in their order.
        filters: Regular expression, list of them, function of a layer, or None for all layers.
    """
    samples = calibration.windows(config.dataset, config.tokenizer, config.sequence_length, config.num_samples)
    inputs = [jnp.asarray(sample[None]) for sample in samples]
    for layer in before:
        inputs = [layer(one) for one in inputs]
    progress = Progbar(len(blocks))
    for number, block in enumerate(blocks):
        waiting = {layer: layer.kernel.original for layer in _waiting(block) if is_wanted(layer, filters)}
        for one, is_last in _repetitions(block):
            for layer, original in waiting.items():
                layer.kernel.original = original
            _settle(config, one, inputs, list(waiting))
            if number < len(blocks) - 1 or not is_last:
                inputs = [_first(one(each)) for each in inputs]
        for layer, original in waiting.items():
            layer._remove_variable(original)
        progress.update(number + 1)


def _settle(config, block, inputs, layers):
    """Choose the codes of the kernels of some layers of a block."""
    seen = {layer: _STATISTICS[config.mode]() for layer in layers}
    for layer, statistic in seen.items():
        layer.kernel.observer = statistic.add
    if seen:
        for one in inputs:
            block(one)
    for layer, statistic in seen.items():
        statistic.settle(layer, config)


def _repetitions(block):
    """(block, whether it is the last) of each repetition of a Repeat, whose variables are its own while it is out; of
    another block itself."""
    if not isinstance(block, Repeat):
        yield block, True
        return
    variables, results = block.layer.variables, []
    values = [variable.read() for variable in variables]
    for index in range(block.n):
        with context.bind(variables, [value[index] for value in values]) as slots:
            yield block.layer, index == block.n - 1
            results.append([slots[variable] for variable in variables])
    for variable, *each in zip(variables, *results, strict=True):
        variable.write(jnp.stack(each))


def _waiting(block):
    """The layers of a block whose codes are not chosen yet."""
    repeated = 1 if isinstance(block, Repeat) else 0
    for layer in block._flatten_layers():
        kernel = getattr(layer, "kernel", None)
        if isinstance(kernel, Calibrated) and kernel.original is not None:
            original = kernel.original
            if isinstance(original, Stacked) and original.ndim - original.inner_ndim > repeated:
                raise UnsupportedError(
                    f"{layer.name} is repeated inside a block: {kernel.mode} needs the Repeat among sequential_blocks.",
                    fix="model.quantize('int8')",
                )
            yield layer


def _first(outputs):
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


class _Statistic:
    """A statistic of a kernel's inputs, and the choice of codes by it."""

    seen: Any = np.float32(0)

    def choose(self, matrix, config):
        """The values of the parts of the kernel."""
        raise NotImplementedError

    def settle(self, layer, config):
        kernel = layer.kernel
        matrix = kernel.original.numpy().astype("float32").reshape(kernel.layout.rows, -1).T
        kernel.observer = None
        kernel.settle(*self.choose(matrix, config))


class _Hessian(_Statistic):
    """2 / N * inputs.T @ inputs."""

    count = 0

    def add(self, inputs):
        inputs = inputs.astype("float32")
        self.seen = self.seen + np.asarray(inputs.T @ inputs)
        self.count += len(inputs)

    def choose(self, matrix, config):
        return calibration.gptq(matrix, 2 * self.seen / self.count, config)


class _LargestInput(_Statistic):
    """max(|inputs|) of each feature."""

    def add(self, inputs):
        self.seen = np.maximum(self.seen, np.asarray(jnp.max(jnp.abs(inputs.astype("float32")), 0)))

    def choose(self, matrix, config):
        return calibration.awq(matrix, self.seen, config)


_STATISTICS = {"gptq": _Hessian, "awq": _LargestInput}
