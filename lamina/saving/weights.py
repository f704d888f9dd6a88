"""`.weights.h5`: the variables of a model, each at the path of attributes that leads to it.

layers/dense/vars/0        the first variable of the first Dense
optimizer/vars/3           the fourth variable of the optimizer
"""

from collections import Counter

import h5py

from lamina.core.context import stem_of
from lamina.errors import FileError, ShapeError, warn
from lamina.saving.files import Store, group_at, open_hdf5, whole_or_unchanged, write_array, written

# What every layer or model has for itself: no part of it is a part of the model that a file names.
_OWN = frozenset(
    "_own_variables _inbound_nodes _init_arguments _stamps _lossy _losses_cell _graph _sequence _sequence_graph "
    "_runner_made _compile_loss _compile_metrics _loss_tracker _compile_arguments history activity_regularizer "
    "input_spec dtype_policy _build_shapes _input_shape_argument".split()
)


def save_weights_file(model, filepath):
    """Write the variables of `model` and of its optimizer."""
    with written(filepath) as beside, h5py.File(beside, "w") as file:
        write_tree(model, file)


def write_tree(model, file):
    """Write each part of the model into the open file."""
    for path, part in parts_of(model):
        group = file.require_group(f"{path}/vars")
        group.attrs["name"] = str(getattr(part, "name", None) or type(part).__name__)
        store = {}
        part.save_own_variables(store)
        for key, value in store.items():
            write_array(group, key, value)


def load_weights_file(model, file, name, skip_mismatch=False):
    """Read what `save_weights_file` (or Keras 3) wrote: every variable of the model, unless `skip_mismatch`."""
    with open_hdf5(file, name) as opened:
        read_tree(model, opened, name, skip_mismatch)


def read_tree(model, file, name, skip_mismatch=False):
    """Read each part of the model from the open file, or change nothing and say what does not fit."""
    failed = []
    optimizer = getattr(model, "optimizer", None)
    with whole_or_unchanged(model):
        for path, part in parts_of(model):
            group = group_at(file, f"{path}/vars")
            if part is optimizer and group is None:
                continue  # a file of weights alone
            try:
                part.load_own_variables(Store(group))
            except (ShapeError, KeyError) as error:
                failed.append(f"{path or model.name}: {getattr(error, 'message', error)}")
        if failed and not skip_mismatch:
            more = f"\n  and {len(failed) - 8} more" if len(failed) > 8 else ""
            raise FileError(
                f"{name} does not fit {model.name} in {len(failed)} place{'s' * (len(failed) > 1)}:\n  "
                + "\n  ".join(failed[:8]) + more,
                fix="Build the same architecture, or pass skip_mismatch=True to keep what does not fit as it is.",
            )  # fmt: skip
    for line in failed:
        warn(f"Not loaded (skip_mismatch=True): {line}")


def parts_of(root):
    """(path, object) for each object with variables of its own, found along the attributes, each once."""
    seen = set()

    def visit(part, path):
        if id(part) in seen:
            return
        seen.add(id(part))
        yield path, part
        for name, child in _children(part):
            below = f"{path}/{name}" if path else name
            if _has_variables(child):
                yield from visit(child, below)
            elif isinstance(child, (list, tuple, set, dict)):
                yield from visit_all(child, below)

    def visit_all(container, path):
        counts = Counter()
        for item in container.values() if isinstance(container, dict) else container:
            if not _has_variables(item):
                continue
            name = stem_of(type(item))
            counts[name] += 1
            number = counts[name] - 1
            yield from visit(item, f"{path}/{name}_{number}" if number else f"{path}/{name}")

    return visit(root, "")


def _children(part):
    """(name, attribute) in the order of Keras's files: by name, private ones last; of a graph, `layers` first."""
    attributes = {name: value for name, value in vars(part).items() if name not in _OWN and not name.startswith("__")}
    if hasattr(type(part), "layers"):
        attributes["layers"] = part.layers
    is_graph = getattr(part, "_graph", None) is not None or hasattr(part, "_sequence")
    names = sorted(attributes, key=lambda name: (is_graph and name != "layers", name.startswith("_"), name))
    return [(name, attributes[name]) for name in names]


def _has_variables(item):
    return hasattr(item, "save_own_variables") and not isinstance(item, type)
