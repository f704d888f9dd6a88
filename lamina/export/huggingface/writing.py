"""The folder of a model for the Hugging Face hub: config, safetensors, model card; and pushing it there."""

from __future__ import annotations

import datetime
import importlib
import json
import pathlib
import re
from typing import Any

import jax
import numpy as np

from lamina.errors import CallError, ConfigError
from lamina.export.report import TOLERANCE, Written
from lamina.runtime.terminal import escape, harmless
from lamina.saving import load_model
from lamina.saving.formats.huggingface import SHARD_BYTES, write_huggingface
from lamina.saving.formats.keras_archive import KERAS_VERSION
from lamina.saving.formats.safetensors import save_safetensors
from lamina.saving.formats.transformers_layout import family_of

__all__ = ["card", "push", "write_folder", "write_weights"]


def write_weights(model: Any, signature: Any, target: pathlib.Path) -> Written:
    """Write the weights as one file of safetensors.

    Args:
        model: Model.
        signature: Not used.
        target: File.
    """
    save_safetensors(model, target)
    return Written(lost=["the architecture: load_weights reads the file into a model of the same layers"])


def write_folder(
    model: Any, signature: Any, target: pathlib.Path, max_shard_size: float | str | None = None
) -> Written:
    """Write `config.json`, safetensors in shards, and `README.md`.

    Args:
        model: Model. A decoder of KerasHub gets the names that transformers reads.
        signature: Not used: the config has the shapes.
        target: Folder.
        max_shard_size: Gigabytes of a shard, or a text with a unit, such as "200MB"; None means 5.

    Raises:
        ConfigError: `max_shard_size` is no size.
    """
    write_huggingface(model, target, SHARD_BYTES if max_shard_size is None else _bytes_of(max_shard_size))
    metadata = {"keras_version": KERAS_VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    (target / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    (target / "README.md").write_text(card(model), encoding="utf-8")
    tensors = jax.tree_util.tree_leaves(model._symbolic_inputs())

    def load():
        again = load_model(target, compile=False)
        structure = jax.tree_util.tree_structure(model._symbolic_inputs())

        def run(arrays):
            arguments = jax.tree_util.tree_unflatten(structure, arrays)
            made = again.predict(arguments[0] if len(arguments) == 1 else arguments, verbose=0)
            return jax.tree_util.tree_leaves(made)

        return run

    known = family_of(model)
    facts = [f"read by transformers as {known.architecture}"] if known else []
    lost = ["the state of the optimizer"] if getattr(model, "optimizer", None) else []
    avals = [_Aval(tensor) for tensor in tensors]
    return Written(avals, "lamina", load, facts=facts, lost=lost, tolerance=TOLERANCE, last="config.json")


def _bytes_of(size):
    """Bytes of a size in gigabytes, or of one with a unit, as transformers takes it."""
    number, factor = size, 10.0**9
    if isinstance(size, str) and (found := re.fullmatch(r"\s*([\d.]+)\s*([KMGT])(i?)B\s*", size, re.IGNORECASE)):
        number, factor = found[1], (1024.0 if found[3] else 1000.0) ** (1 + "KMGT".index(found[2].upper()))
    try:
        count = float(number) * factor if number is not size or not isinstance(size, (str, bool)) else 0
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count < float("inf"):
        raise ConfigError(f"max_shard_size is a size of files; got {size!r}.", fix='max_shard_size="5GB"')
    return int(count)


class _Aval:
    """Shape and dtype of an input, with open sizes as names."""

    def __init__(self, tensor):
        self.shape = ("batch", *("any" if size is None else size for size in tensor.shape[1:]))
        self.dtype = np.dtype(tensor.dtype)


def card(model: Any) -> str:
    """The model card: metadata, sizes, metrics, and the record of the run.

    Args:
        model: Model.
    """
    history = getattr(getattr(model, "history", None), "history", None) or {}
    last = {name: values[-1] for name, values in history.items() if values}
    known = family_of(model)
    library = "transformers" if known else "keras"
    lines = ["---", f"library_name: {library}", "tags:", "- keras", "- lamina"]
    if known:
        lines.append("pipeline_tag: text-generation")
    if last:
        lines += ["model-index:", f"- name: {_quoted(model.name)}", "  results:", "  - task:", "      type: other",
                  "    dataset:", "      name: not named", "      type: other", "    metrics:"]  # fmt: skip
        for name, value in last.items():
            lines += [f"    - type: {_quoted(name)}", f"      value: {float(value):.6g}"]
    sizes = f"{model.count_params():,} weights in {len(model.layers)} layers."
    lines += ["---", "", f"# {_shown(model.name)}", "", sizes, ""]
    lines += ["```python", *_usage(known), "```", ""]
    if history:
        lines += [
            "## Record of the run",
            "",
            f"| epoch | {' | '.join(map(_shown, history))} |",
            "|---" * (1 + len(history)) + "|",
        ]
        rows = zip(*history.values(), strict=False)
        lines += [f"| {n} | {' | '.join(f'{float(value):.4g}' for value in row)} |" for n, row in enumerate(rows, 1)]
        lines.append("")
    if getattr(model, "optimizer", None):
        lines += ["## Training", "", f"Optimizer {type(model.optimizer).__name__}, with "
                  f"`{json.dumps(_plain(model.optimizer.get_config()))}`.", ""]  # fmt: skip
    lines += ["## Versions", "", f"lamina {importlib.import_module('lamina').__version__}, JAX {jax.__version__}.", ""]
    return "\n".join(lines)


def _quoted(name):
    """A name in YAML, which reads the texts of JSON."""
    return json.dumps(harmless(name), ensure_ascii=False)


def _shown(name):
    """A name of the model in Markdown: on one line, in one cell of a table, and no markup."""
    return escape(" ".join(name.split())).replace("|", "&#124;")


def _usage(known):
    if known:
        return ["import transformers", "", f"model = transformers.{known.architecture}.from_pretrained(folder)"]
    return ["import lamina as keras", "", "model = keras.models.load_model(folder)"]


def _plain(config):
    return {name: value for name, value in config.items() if isinstance(value, (int, float, str)) and name != "name"}


def push(folder: pathlib.Path, repo_id: str, api: Any = None) -> str:
    """Push a folder to the Hugging Face hub.

    Args:
        folder: The folder.
        repo_id: "owner/name" of the repository, which is made if it is not there.
        api: A `huggingface_hub.HfApi`; None makes one, which uses the token that `hf auth login` stored.

    Returns:
        The address of the repository.

    Raises:
        CallError: huggingface_hub is not installed.
    """
    if api is None:
        try:
            import huggingface_hub
        except ImportError as error:
            raise CallError("Pushing needs the package huggingface_hub.", fix="pip install huggingface_hub") from error
        api = huggingface_hub.HfApi()
    address = api.create_repo(repo_id, exist_ok=True)
    api.upload_folder(repo_id=repo_id, folder_path=str(folder), commit_message="Model exported by lamina")
    return str(address)
