"""The models of the zoo exported to LiteRT and run for batches of 1 and 5 beside `predict`.

    PYTHONPATH=. python tests/export/litert_zoo.py [part of a name ...]

prints a line for each that differs or is refused, and how many of them are right.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time

import jax
import numpy as np

import lamina as keras
from tests.export.zoo import ZOO


def perturbed(model):
    """Weights that are not those of the start: biases of 0 would hide mistakes."""
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        if weight.dtype.startswith("float"):
            weight.assign(weight.numpy() + 0.1 * generator.normal(size=weight.shape).astype(np.float32))
    return model


def feeds_for(runner, batch, size=8):
    generator = np.random.default_rng(batch)
    feeds = {}
    for name, detail in runner.get_input_details().items():
        signature = detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]
        shape = [size if n == -1 else n for n in signature]
        shape[0] = batch
        is_float = np.issubdtype(detail["dtype"], np.floating)
        values = generator.random(shape) if is_float else generator.integers(0, 4, shape)
        feeds[name] = values.astype(detail["dtype"])
    return feeds


def worst_of(model, path, batches=(1, 5)):
    """The largest difference to `predict`, as a part of the largest output."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path)).get_signature_runner()
    worst = 0.0
    for batch in batches:
        feeds = feeds_for(runner, batch)
        leaves, structure = jax.tree_util.tree_flatten(model._symbolic_inputs())
        names = [getattr(leaf, "name", None) for leaf in leaves]
        ordered = [feeds[name] for name in names] if set(names) == set(feeds) else list(feeds.values())
        arguments = jax.tree_util.tree_unflatten(structure, ordered)
        predicted = model.predict(arguments[0] if len(arguments) == 1 else arguments, verbose=0)
        wanted, names = jax.tree_util.tree_leaves(predicted), model.output_names
        names = sorted(predicted) if isinstance(predicted, dict) else names and list(names)
        results = runner(**feeds)
        if names is None or len(set(names)) != len(results):
            names = [f"output_{n}" for n in range(len(results))] if len(results) > 1 else ["output"]
        assert set(names) == set(results), (names, list(results))
        for name, value in zip(names, wanted, strict=True):
            result, value = (np.asarray(a, np.float64) for a in (results[name], value))
            assert result.shape == value.shape, (result.shape, value.shape)
            with np.errstate(invalid="ignore"):
                off = np.where((result == value) | (np.isnan(result) & np.isnan(value)), 0, np.abs(result - value))
            worst = max(
                worst, float(np.max(off, initial=0) / max(np.abs(value[np.isfinite(value)]).max(initial=0), 1e-30))
            )
    return worst


def main():
    right, total = 0, 0
    for name, build in ZOO.items():
        if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
            continue
        total += 1
        start = time.perf_counter()
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        with tempfile.TemporaryDirectory() as folder:
            try:
                model = build() if name.startswith(("application", "int", "mixed")) else perturbed(build())
                path = pathlib.Path(folder, "model.tflite")
                model.export(path, verbose=False, verify=False)
                exported = time.perf_counter() - start
                worst = worst_of(model, path)
                said = "" if worst <= (2e-2 if "mixed" in name else 1e-4) else f"differs by {worst:.1e}"
                if exported > 20:
                    print(f"{name}: {exported:.0f} s")
            except Exception as error:
                said = f"{type(error).__name__}: {' '.join(str(error).split())[:230]}"
        right += not said
        if said:
            print(f"{name}: {said}", flush=True)
    print(f"{right} of {total} are right.")


if __name__ == "__main__":
    main()
