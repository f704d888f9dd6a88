"""What packages take from `keras.src` under `as_keras()`."""

import importlib
import inspect
import os

import numpy as np
import pytest

import lamina
from lamina.compat import inside_table
from lamina.compat.inside import Inner
from lamina.errors import UnknownImportError


def inside(module):
    return Inner(f"keras.src.{module}", module)


def test_public_names_are_found_in_the_files_that_have_them_in_keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("keras")
    wrong = []
    for package in ("", "layers", "losses", "metrics", "optimizers", "callbacks", "utils", "models", "saving", "random",
                    "initializers", "regularizers", "constraints", "activations", "quantizers", "ops"):  # fmt: skip
        theirs, ours = (importlib.import_module(f"{root}.{package}".strip(".")) for root in ("keras", "lamina"))
        for name, thing in vars(theirs).items():
            home = getattr(thing, "__module__", None) or ""
            if inspect.ismodule(thing) or not home.startswith("keras.src.") or name != thing.__name__:
                continue
            found = getattr(inside(home.removeprefix("keras.src.")), name)
            if not any(found is getattr(place, name, None) for place in (ours, lamina, lamina.backend)):
                wrong.append(f"{home}.{name}")
    assert not wrong


def test_rows_lead_to_something():
    for row in inside_table.TODAY:
        module, _, name = row.rpartition(".")
        assert hasattr(inside(module or "backend"), name), row


def test_helpers():
    operations = inside("ops.operation_utils")
    assert operations.compute_conv_output_shape((None, 8, 8, 3), 4, (3, 3), 2, "same") == (None, 4, 4, 4)
    assert operations.compute_pooling_output_shape((None, 9, 1), (2,), (2,)) == (None, 4, 1)
    assert operations.compute_reshape_output_shape((None, 4, 2), (-1, 8)) == (None, 8)
    assert operations.broadcast_shapes((1, 3), (2, 1)) == [2, 3]
    scope = inside("backend.common.symbolic_scope").in_symbolic_scope
    with lamina.SymbolicScope():
        assert scope()
    assert not scope()
    assert inside("activations").ALL_OBJECTS_DICT["relu"] is lamina.activations.relu
    with lamina.saving.CustomObjectScope({}):
        inside("activations").ALL_OBJECTS_DICT["of_a_package"] = lamina.activations.relu
        assert lamina.activations.get("of_a_package") is lamina.activations.relu
    assert inside("ops.numpy").Sum(1)(np.ones((2, 3))).tolist() == [3, 3]
    assert inside("utils.python_utils").pythonify_logs({"a": {"b": np.float32(1)}}) == {"b": 1.0}
    assert inside("layers.activations").relu.ReLU is lamina.layers.ReLU
    assert inside("backend").SUPPORTS_SPARSE_TENSORS and inside("tree").map_shape_structure(sum, [(2, 3)]) == [5]
    assert not inside("utils.module_utils").no_such_package.available
    with pytest.raises(UnknownImportError, match=r"keras.src.nothing .*\n.*public names"):
        inside("nothing")


def test_store(tmp_path):
    store = inside("saving.saving_lib").H5IOStore
    file = store(tmp_path / "x.h5", mode="w")
    file.make("layers/dense")["0"] = np.arange(3)
    file.close()
    assert store(tmp_path / "x.h5").get("layers/dense")["0"][:].tolist() == [0, 1, 2]
