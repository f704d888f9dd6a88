"""Files made to do harm: what they ask for does not happen, and the error says what was found and where.

Each test makes its own file, with a canary that would appear if the file had its way. The advisories on Keras of a kind
are named in docstrings.
"""

import ast
import base64
import contextlib
import io
import json
import pathlib
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import h5py
import numpy as np
import pytest

import lamina
from lamina import layers, saving
from lamina.core import bytecode, read_limits, registry
from lamina.errors import FileError, LaminaError, UnsafeFileError

LAMINA = pathlib.Path(lamina.__file__).parent


@pytest.fixture
def canary(tmp_path):
    """A file that is made if something of a hostile file runs. It must not be there in the end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


# Files of our own making


def dense(**config):
    described = json.loads(json.dumps(saving.serialize_keras_object(layers.Dense(2, name="d"))))
    described["config"].update(config)
    return described


def sequential(*described):
    start = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "in"}}
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [start, *described]}}


def keras_file(path, config, write_weights=lambda file: None, **members):
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_weights(file)
    whole = {"metadata.json": '{"keras_version": "3.15.1"}', "config.json": json.dumps(config)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**whole, "model.weights.h5": weights.getvalue(), **members}.items():
            archive.writestr(name, data)
    return path


def h5_file(path, config, training=None):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            file.attrs["training_config"] = json.dumps(training).encode()
        file.create_group("model_weights").attrs["layer_names"] = np.array([], "S1")
    return path


def entries(config, tmp_path) -> dict[str, Any]:
    """name -> what reads the config, of all there is; `mode` is safe_mode or nothing."""
    archive, legacy = keras_file(tmp_path / "m.keras", config), h5_file(tmp_path / "m.h5", config)
    return {
        "keras": lambda **mode: saving.load_model(archive, **mode),
        "h5": lambda **mode: saving.load_model(legacy, **mode),
        "deserialize": lambda **mode: saving.deserialize_keras_object(config, **mode),
        "json": lambda **mode: saving.model_from_json(json.dumps(config)) if mode != {"safe_mode": False} else refuse(),
        "from_config": lambda **mode: (
            lamina.Sequential.from_config(config["config"]) if mode != {"safe_mode": False} else refuse()
        ),
    }


def refuse():
    """For entries that have no safe_mode."""
    raise LaminaError


@saving.register_keras_serializable(package="hostile")
class Holder(layers.Layer):
    """A user's layer with something in its config."""

    def __init__(self, held=None, **kwargs):
        super().__init__(**kwargs)
        self.held = held

    def call(self, x):
        return x


def holder(held):
    return {
        "module": None, "class_name": "Holder", "registered_name": "hostile>Holder",
        "config": {"name": "h", "held": held},
    }  # fmt: skip


def wrapped(inner):
    return {"module": "keras.layers", "class_name": "TimeDistributed", "config": {"name": "t", "layer": inner}}


def activation(inner):
    return {"module": "keras.layers", "class_name": "Activation", "config": {"name": "a", "activation": inner}}


PLACES = {
    "a layer": lambda bad: sequential(bad),
    "a layer in a model in a model": lambda bad: sequential(sequential(sequential(bad))),
    "the layer of a wrapper": lambda bad: sequential(wrapped(bad)),
    "an initializer": lambda bad: sequential(dense(kernel_initializer=bad)),
    "a regularizer": lambda bad: sequential(dense(bias_regularizer=bad)),
    "a constraint": lambda bad: sequential(dense(kernel_constraint=bad)),
    "an activation": lambda bad: sequential(dense(activation=bad)),
    "an activation of a layer of its own": lambda bad: sequential(activation(bad)),
    "a dtype": lambda bad: sequential(dense(dtype=bad)),
    "a registered class": lambda bad: sequential(holder(bad)),
    "a list in a registered class": lambda bad: sequential(holder([{"deep": [bad]}])),
}


# Code in the config of a Lambda, or anywhere: CVE-2024-3660, CVE-2025-1550, CVE-2025-9905 (the same in legacy .h5)


def code(canary):
    return bytecode.serialize_lambda(lambda x, where=str(canary): open(where, "w") and x)


def lambda_layer(function, **config):
    return {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": function, **config}}


@pytest.mark.parametrize("place", [*PLACES, "a Lambda"])
def test_bytecode_is_refused_wherever_it_stands(place, canary, tmp_path):
    """CVE-2024-3660, CVE-2025-1550; CVE-2025-9905: legacy files took no notice of safe_mode. CVE-2026-12481: None is
    not False, in any entry."""
    bad = code(canary)
    config = sequential(lambda_layer(bad)) if place == "a Lambda" else PLACES[place](bad)
    for name, read in entries(config, tmp_path).items():
        for mode in ({}, {"safe_mode": True}, {"safe_mode": None}):
            with pytest.raises(UnsafeFileError, match="bytecode") as caught:
                read(**mode)
            if name in ("keras", "h5"):
                assert f"m.{name}" in str(caught.value)


@pytest.mark.parametrize("shape", ["list", "dict", "type"])
def test_bytecode_as_earlier_versions_wrote_it(shape, canary, tmp_path):
    """CVE-2024-3660: Keras 2 wrote [code, defaults, closure] beside function_type="lambda"."""
    made = code(canary)["config"]
    old = {
        "list": lambda_layer([made["code"], [str(canary)], None], function_type="lambda", module="builtins"),
        "dict": lambda_layer({"class_name": "__lambda__", "config": made}, function_type="lambda"),
        "type": lambda_layer([made["code"], [str(canary)], None], function_type="raw", arguments={}),
    }[shape]
    old["config"].update(output_shape=[3], output_shape_type="raw")
    for read in entries(sequential(old), tmp_path).values():
        with pytest.raises((LaminaError, TypeError, ValueError)):
            read()


def test_a_file_cannot_switch_safety_off(canary, tmp_path):
    """CVE-2025-9906: a config named enable_unsafe_deserialization, or said safe_mode itself, before its Lambda."""
    switches = [
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization",
         "registered_name": "function"},
        {"module": "keras.src.saving.serialization_lib", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "lamina.core.registry", "class_name": "allow_bytecode", "config": {}},
        {"module": "lamina.core.registry", "class_name": "safe_mode", "config": {"value": False}},
    ]  # fmt: skip
    for switch in switches:
        for first in (switch, wrapped(switch), holder(switch), activation(switch)):
            for read in entries(sequential(first, lambda_layer(code(canary))), tmp_path).values():
                with pytest.raises((LaminaError, ValueError), match=r"Unknown name|bytecode|function"):
                    read()
    quiet = sequential(lambda_layer(code(canary), safe_mode=False))
    quiet["safe_mode"] = quiet["config"]["safe_mode"] = False
    for read in entries(quiet, tmp_path).values():
        with pytest.raises((LaminaError, TypeError), match=r"bytecode|safe_mode"):
            read()


def test_the_program_can_switch_safety_off(tmp_path):
    """As in Keras: for one load, or from now on, which then holds whatever safe_mode is passed."""
    config = sequential(lambda_layer(bytecode.serialize_lambda(lambda x: 2 * x)))
    path = keras_file(tmp_path / "m.keras", config)
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(saving.load_model(path, safe_mode=False)(x), 2 * x)
    with registry.safe_mode(None):  # so that what follows ends with the block
        with pytest.raises(UnsafeFileError):
            saving.load_model(path, safe_mode=False)  # inside a load that is safe, no other is less so
        lamina.config.enable_unsafe_deserialization()
        modes: Any = ({}, {"safe_mode": None}, {"safe_mode": True})
        for mode in modes:
            np.testing.assert_array_equal(saving.load_model(path, **mode)(x), 2 * x)
    with pytest.raises(UnsafeFileError):
        saving.load_model(path)


# Names that lead out of the tables: CVE-2025-1550, CVE-2025-8747 (the tools of Keras itself, turned against it)


def names(canary):
    target = str(canary)
    return {
        "open": {"module": "builtins", "class_name": "open", "config": {"file": target, "mode": "w"}},
        "function": {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        "class": {"module": "pathlib", "class_name": "Path", "config": {"name": target}, "registered_name": "Path"},
        "os": {"module": "os", "class_name": "mkdir", "config": {"path": target}},
        "os function": {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        "type": {"module": "io", "class_name": "type", "config": "FileIO", "registered_name": "FileIO"},
        "get_file": {
            "module": "keras.utils", "class_name": "get_file",
            "config": {"fname": target, "origin": f"file://{__file__}"}, "registered_name": "get_file",
        },
        "private": {"module": "lamina.core.bytecode", "class_name": "deserialize_lambda", "config": {"code": ""}},
        "callback": {
            "module": "keras.callbacks", "class_name": "CSVLogger", "config": {"filename": target}
        },
        "checkpoint": {
            "module": "keras.callbacks", "class_name": "ModelCheckpoint", "config": {"filepath": target + "/x.keras"}
        },
        "typespec": {"class_name": "__typespec__", "module": "os", "config": [["mkdir", target], {}]},
        "pickle": {
            "module": "pickle", "class_name": "loads", "config": {"data": base64.b64encode(b"cos\nsystem\n").decode()}
        },
        "load_model": {"module": "keras.models", "class_name": "load_model", "config": {"filepath": target}},
        "policy": {
            "module": "keras.config", "class_name": "function", "config": "set_dtype_policy",
            "registered_name": "set_dtype_policy",
        },
        "padding": {
            "module": "keras.utils", "class_name": "function", "config": "pad_sequences",
            "registered_name": "pad_sequences",
        },
        "data": {
            "module": "keras.datasets.mnist", "class_name": "function", "config": "load_data",
            "registered_name": "load_data",
        },
        "function type": {"module": "types", "class_name": "FunctionType", "config": {"code": target}},
        "no string": {"module": "keras.layers", "class_name": ["Dense"], "config": {"units": 2}},
        "odd module": {"module": {"os": 1}, "class_name": "Dense", "config": {"units": 2}},
    }  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_names_are_found_in_closed_tables_only(place, canary, tmp_path):
    """CVE-2025-1550, CVE-2025-8747. Not even safe_mode=False finds more names."""
    for number, bad in enumerate(names(canary).values()):
        for read in entries(PLACES[place](bad), tmp_path).values():
            for mode in ({"safe_mode": False}, {})[: 2 if number < 3 else 1]:  # the default refuses more, never less
                with pytest.raises((LaminaError, TypeError)):
                    read(**mode)


@pytest.mark.parametrize("kind", ["Switch", "Map", "ForiLoop", "WhileLoop", "Scan", "Cond"])
def test_ops_that_call_functions_find_no_more_either(kind, canary):
    """An op beside the graph, of which no output hangs, is called when the graph is read; it may name its function."""
    found = names(canary)
    for bad in (found["os function"], found["policy"], found["padding"], found["data"], code(canary)):
        config = graph()
        tensor = config["config"]["layers"][1]["inbound_nodes"][0]["args"][0]
        args = {"Switch": [0, [bad], tensor], "ForiLoop": [0, 2, bad, tensor]}.get(kind, [bad, tensor])
        config["config"]["layers"].append({
            "module": "keras.src.ops.core", "class_name": kind, "config": {"name": "beside"}, "registered_name": kind,
            "name": "beside", "inbound_nodes": [{"args": args, "kwargs": {}}],
        })  # fmt: skip
        for read in (saving.deserialize_keras_object, lambda config: saving.model_from_json(json.dumps(config))):
            with pytest.raises(LaminaError, match=r"Unknown name|arbitrary code"):
                read(config)


def test_compile_settings_find_no_more_than_the_rest(canary, tmp_path):
    """What is refused in them costs the settings, with a warning, not the weights."""
    found = names(canary)
    del found["no string"]  # is refused before it comes to settings
    for bad in (code(canary), *found.values()):
        for settings in (
            {"optimizer": "sgd", "loss": bad}, {"optimizer": "sgd", "loss": "mse", "metrics": [[bad]]},
            {"optimizer": bad, "loss": "mse"},
        ):  # fmt: skip
            config = {**sequential(), "compile_config": settings}
            with pytest.warns(UserWarning, match="loaded but not compiled"):
                assert not saving.load_model(keras_file(tmp_path / "m.keras", config)).compiled


def test_engines_and_files_of_others_are_not_run(canary, tmp_path):
    """CVE-2026-1462: layers that load a SavedModel. CVE-2025-49655, CVE-2026-12484: or unpickle a module of PyTorch,
    in safe mode, and when nobody had said a mode."""
    module = {"class_name": "__bytes__", "config": {"value": "cos\nsystem\n(S'touch'\ntR."}}
    for bad in (
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": str(tmp_path)}},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": module}},
        {"module": "keras.layers", "class_name": "JaxLayer", "config": {"call_fn": code(canary), "init_fn": None}},
    ):
        for read in entries(sequential(bad), tmp_path).values():
            with pytest.raises((LaminaError, TypeError)):
                read()
        with pytest.raises((LaminaError, TypeError)):
            layers.deserialize(bad)


def test_nothing_in_the_library_runs_what_it_read():
    """What can run code, or find modules by a name, is called in these files alone, and for these reasons."""
    allowed = {
        "cli/notebook.py": {"compile", "eval", "exec"},  # the cells that `lamina run` was told to run
        "compat/autograph.py": {"compile", "exec"},  # functions of the program, rewritten
        "core/bytecode.py": {"marshal.loads"},  # behind safe_mode=False
        "core/registry.py": {"importlib.import_module"},  # of a fixed list
        "datasets/safe_pickle.py": {"pickle.Unpickler"},  # every name in it leads to a stand-in
        "export/litert/model.py": {"eval"},  # sizes as JAX prints them, without builtins
        "training/data/py_dataset.py": {"pickle.load"},  # what this process wrote for its own workers
    }
    lazy = {  # from tables of their own; commands of the command line; modules that programs import
        "callbacks/callback_list.py", "callbacks/trackers.py", "cli/__init__.py", "cli/parser.py", "compat/finder.py",
        "compat/table.py",
        "compat/inside.py", "compat/inside_helpers.py", "compat/tensorflow.py", "core/op.py", "core/traced_errors.py",
        "core/variable.py", "export/formats.py", "export/huggingface/writing.py", "runtime/tracebacks.py",
        "runtime/versions.py", "spelling/elsewhere.py",
        "core/call_sites.py", "core/keras_tensor.py", "core/lazy.py", "core/op_errors.py", "legacy/saving.py",
        "layers/base/input_fixes.py", "layers/base/layer.py", "layers/base/output_specs.py", "legacy/moves.py",
        "models/functional.py", "models/reports_mixin.py",
    }  # fmt: skip
    for path in sorted(LAMINA.rglob("*.py")):
        place, tree, found = path.relative_to(LAMINA).as_posix(), ast.parse(path.read_text()), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in ("eval", "exec", "__import__", "compile") or name.split(".")[0] in ("pickle", "marshal"):
                    found.add(name)
                if name.split(".")[-1] == "import_module" and place not in lazy:
                    found.add("importlib.import_module")
                keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if keywords.get("allow_pickle", "False") != "False":
                    found.add(name)
        found -= {"marshal.dumps", "pickle.dump", "pickle.dumps"}
        assert found <= allowed.get(place, set()), place


# Paths: vocabularies (CVE-2025-12058)


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_a_config_names_no_vocabulary_to_read(name, tmp_path):
    """CVE-2025-12058: the vocabulary of a lookup layer was any file or address that the config named."""
    secret = tmp_path / "secret.txt"
    secret.write_text("1\n2\n")
    described = json.loads(json.dumps(saving.serialize_keras_object(getattr(layers, name)())))
    for bad in (str(secret), f"file://{secret}", {"class_name": "__bytes__", "config": {"value": str(secret)}},
                {"class_name": "__numpy__", "config": {"value": str(secret), "dtype": "string"}}):  # fmt: skip
        described["config"]["vocabulary"] = bad
        for place in (sequential(described), sequential(holder(described))):
            for read in entries(place, tmp_path).values():
                with pytest.raises((LaminaError, TypeError, ValueError)) as caught:
                    read()
                assert not isinstance(caught.value, OSError)
    described["config"]["vocabulary"] = str(secret)
    with pytest.raises(UnsafeFileError, match=r"secret\.txt"):
        saving.deserialize_keras_object(described)


# HDF5: CVE-2026-1669 (arrays kept in other files), CVE-2026-0897 (shapes that fill the memory)


def weights(file, kernel=None):
    file["layers/dense/vars/0"] = np.ones((3, 2), "float32") if kernel is None else kernel
    file["layers/dense/vars/1"] = np.ones(2, "float32")


def legacy_weights(file):
    file.attrs["layer_names"] = np.array([b"d"])
    file.create_group("d").attrs["weight_names"] = np.array([b"d/kernel", b"d/bias"])
    file["d/d/kernel"], file["d/d/bias"] = np.ones((3, 2), "float32"), np.ones(2, "float32")


def model():
    return lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])


def read_everywhere(change, tmp_path, match):
    """The change, made to a `.weights.h5`, a `.keras` and a legacy file, is refused by each."""

    def with_change(write, kernel, bias):
        def fill(file):
            write(file)
            change(file, kernel, bias)

        return fill

    today = with_change(weights, "layers/dense/vars/0", "layers/dense/vars/1")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        today(file)
    with h5py.File(tmp_path / "old.h5", "w") as file:
        with_change(legacy_weights, "d/d/kernel", "d/d/bias")(file)
    keras_file(tmp_path / "m.keras", json.loads(model().to_json()), today)
    ours = model()
    before = ours.get_weights()
    for read in (
        lambda: ours.load_weights(tmp_path / "m.weights.h5"),
        lambda: ours.load_weights(tmp_path / "old.h5"),
        lambda: ours.load_weights(tmp_path / "m.keras"),
        lambda: saving.load_model(tmp_path / "m.keras"),
    ):
        with pytest.raises(FileError, match=match):
            read()
    for now, then in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    for name in ("m.weights.h5", "m.keras"):
        with contextlib.suppress(FileError):  # it has no variables to compare with
            assert set(saving.KerasFileEditor(tmp_path / name).weights_dict) == {"layers"}


def test_the_files_are_good_until_they_are_changed(tmp_path):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        read_everywhere(lambda file, kernel, bias: None, tmp_path, None)


@pytest.mark.parametrize("kind", [h5py.SoftLink, lambda path: h5py.ExternalLink("other.h5", path)], ids=["soft", "ext"])
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_links_are_refused_at_each_step_of_a_path(kind, depth, tmp_path):
    """CVE-2026-1669 and its like: soft and external links."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        weights(file)
        legacy_weights(file)

    def change(file, kernel, bias):
        parts = kernel.split("/")
        path = "/".join(parts[: min(depth, len(parts) - 1) + 1])
        del file[path]
        file[path] = kind("/" + path)

    read_everywhere(change, tmp_path, "link to another place")


def put(kernel_of):
    def change(file, kernel, bias):
        del file[kernel]
        kernel_of(file, kernel)

    return change


def external(file, kernel):
    file.create_dataset(kernel, (3, 2), "float32", external=[("/etc/hostname", 0, 24)])


def virtual(file, kernel):
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 2))
    file.create_virtual_dataset(kernel, layout)


def texts(file, kernel):
    file.create_dataset(kernel, data=[["a"] * 2] * 3, dtype=h5py.string_dtype())


def ragged(file, kernel):
    file.create_dataset(kernel, (3, 2), dtype=h5py.vlen_dtype(np.float32))


def references(file, kernel):
    file.create_dataset(kernel, data=[[file.ref] * 2] * 3, dtype=h5py.ref_dtype)


def records(file, kernel):
    file.create_dataset(kernel, data=np.zeros((3, 2), [("x", "f4")]))


def inner_arrays(file, kernel):
    file.create_dataset(kernel, (3, 2), dtype=np.dtype(("f4", (4,))))


def no_shape(file, kernel):
    file.create_dataset(kernel, data=h5py.Empty("f4"))


@pytest.mark.parametrize("make", [external, virtual, texts, ragged, references, records, inner_arrays, no_shape])
def test_arrays_that_are_elsewhere_or_no_numbers(make, tmp_path):
    """CVE-2026-1669: a dataset with external storage reads any file of the machine; CVE-2026-12480: a virtual one reads
    any HDF5 file of it."""
    read_everywhere(put(make), tmp_path, r"No file that|does not fit|not numbers")


@pytest.mark.parametrize("kind", ["virtual", "external", "soft", "link"])
@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras"])
def test_the_editor_reads_no_other_file(kind, name, tmp_path):
    """CVE-2026-9335, CVE-2026-12480: KerasFileEditor followed links and virtual datasets into files of the machine."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.full((3, 2), 7, "float32")

    def change(file):
        weights(file)
        path = "layers/dense/vars/0"
        del file[path]
        if kind == "virtual":
            layout = h5py.VirtualLayout((3, 2), "float32")
            layout[:] = h5py.VirtualSource(secret, "x", (3, 2))
            file.create_virtual_dataset(path, layout)
        elif kind == "external":
            file.create_dataset(path, (3, 2), "float32", external=[(str(secret), 0, 24)])
        else:
            file[path] = h5py.SoftLink("/layers/dense/vars/1") if kind == "soft" else h5py.ExternalLink(secret, "x")

    if name == "m.keras":
        keras_file(tmp_path / name, json.loads(model().to_json()), change)
    else:
        with h5py.File(tmp_path / name, "w") as file:
            change(file)
            assert kind != "virtual" or (file["layers/dense/vars/0"][()] == 7).all()  # the attack works on h5py alone
    with pytest.raises(UnsafeFileError, match="No file that"):
        saving.KerasFileEditor(tmp_path / name)
    with pytest.raises(UnsafeFileError, match="No file that"):
        model().load_weights(tmp_path / name)


def huge(file, kernel):
    file.create_dataset(kernel, (1 << 40, 2), "float32", chunks=(1 << 10, 2), fillvalue=1)


def huge_of_the_right_shape(file, kernel):
    file.create_dataset(kernel, (3, 2), "float32", chunks=(1 << 20, 2), maxshape=(None, 2), compression="gzip")


def inflating(file, kernel):
    dataset = file.create_dataset(kernel, (3, 2), "float32", chunks=(3, 2), compression="gzip")
    dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 22)))


def packed_by_another(file, kernel):
    dataset = file.create_dataset(kernel, (3, 2), "int32", chunks=(3, 2), scaleoffset=4)
    dataset[...] = 1


def packed_twice(file, kernel):
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((3, 2))
    created.set_deflate(9)
    created.set_deflate(9)
    space = h5py.h5s.create_simple((3, 2))
    parent = file.require_group(kernel.rpartition("/")[0])
    h5py.h5d.create(parent.id, kernel.rpartition("/")[2].encode(), h5py.h5t.IEEE_F32LE, space, created)


@pytest.mark.parametrize("make", [huge, huge_of_the_right_shape, inflating, packed_by_another, packed_twice])
def test_arrays_that_would_fill_the_memory(make, tmp_path, peak):
    """CVE-2026-0897, CVE-2026-12570: a few bytes that say they are terabytes."""
    read_everywhere(put(make), tmp_path, r"No file that|does not fit|shape|int32")


def test_the_editor_is_bounded_too(tmp_path, peak):
    """It has no variables to compare shapes with: the bytes that the file really holds are its bound."""
    for name in ("m.weights.h5", "m.keras"):
        with h5py.File(tmp_path / "m.weights.h5", "w") as file:
            weights(file)
            put(huge)(file, "layers/dense/vars/0", None)
        data = (tmp_path / "m.weights.h5").read_bytes()
        keras_file(tmp_path / "m.keras", sequential(), **{"model.weights.h5": data})
        with pytest.raises(UnsafeFileError, match="8192.0 GiB"):
            saving.KerasFileEditor(tmp_path / name)


@pytest.fixture
def peak():
    """The memory that the test took, as far as NumPy's arrays and Python's objects tell, stays small."""
    import tracemalloc

    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 << 20


def test_other_numbers_than_the_variables_are_not_read(tmp_path):
    def complexes(file, kernel):
        file.create_dataset(kernel, data=np.ones((3, 2), "complex64"))

    read_everywhere(put(complexes), tmp_path, "complex64; the model needs float32")


def test_packed_arrays_of_good_files_are_read(tmp_path):
    for settings in ({"compression": "gzip", "shuffle": True, "fletcher32": True}, {"compression": "lzf"}, {}):
        with h5py.File(tmp_path / "m.weights.h5", "w") as file:
            weights(file)
            del file["layers/dense/vars/0"]
            chunked = {"chunks": (2, 2)} if settings else {}
            file.create_dataset("layers/dense/vars/0", data=np.full((3, 2), 7, "float64"), **chunked, **settings)
        ours = model()
        ours.load_weights(tmp_path / "m.weights.h5")
        assert (ours.get_weights()[0] == 7).all()


def test_attributes_are_bounded(tmp_path):
    def text_of_objects(file):
        file.attrs.create("layer_names", [file.ref], dtype=h5py.ref_dtype)

    def many_texts(file):
        file.attrs.create("layer_names", ["x" * 600_000, *["x"] * 1999], dtype=h5py.string_dtype())

    def numbers(file):
        file.attrs["layer_names"] = np.arange(3)

    for change, message in ((text_of_objects, "No file that"), (numbers, "not a list of names"),
                            (lambda file: file.attrs.update(layer_names=b"nothing"), "no weights for it")):  # fmt: skip
        with h5py.File(tmp_path / "m.h5", "w") as file:
            change(file)
        with pytest.raises(FileError, match=message):
            model().load_weights(tmp_path / "m.h5")
    with h5py.File(tmp_path / "big.h5", "w", libver="latest") as file:
        many_texts(file)
    with pytest.raises(UnsafeFileError, match="2000 texts without a limit"):
        model().load_weights(tmp_path / "big.h5")


@pytest.mark.parametrize("reserved", [0, 7])  # a byte that HDF5 does not look at
def test_heaps_in_circles_end(tmp_path, reserved):
    """A free place of no length, at which libhdf5 would stay for ever."""
    path = h5_file(tmp_path / "m.h5", sequential(dense()))
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    struct.pack_into("<Q", data, heap + 16 + 8, 10**6)
    data[heap + 5] = reserved
    path.write_bytes(data)
    with pytest.raises(FileError, match=f"heap at byte {heap} are inconsistent"):
        saving.load_model(path)


def test_groups_in_circles_end(tmp_path):
    def circle(file):
        weights(file)
        file["layers/dense/again"] = file["layers"]

    saving.load_model(keras_file(tmp_path / "m.keras", json.loads(model().to_json()), circle))


# The archive


def test_members_are_read_in_memory_and_never_extracted(canary, tmp_path, monkeypatch):
    """Path traversal, as in CVE-2025-12060, has nowhere to go: no path of an archive reaches the disk."""
    bad = {"../canary": "x", str(canary): "x", "..\\canary": "x"}
    keras_file(tmp_path / "m.keras", json.loads(model().to_json()), weights, **bad)
    for name in ("extract", "extractall"):
        monkeypatch.setattr(zipfile.ZipFile, name, refuse)
    monkeypatch.chdir(tmp_path)
    saving.load_model(tmp_path / "m.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.keras"]


@pytest.mark.parametrize("name", ["../canary", "a/../../canary", "/canary"])
def test_names_of_layers_are_no_paths(name, canary, tmp_path):
    """CVE-2026-12479: the name of a layer was part of the path of a folder that was made on the disk."""
    for kind in ("Dense", "StringLookup"):
        config = {"name": name, **({"units": 2} if kind == "Dense" else {"vocabulary": ["a"]})}
        for read in entries(sequential({"class_name": kind, "config": config}), tmp_path).values():
            with pytest.raises(LaminaError, match="without '/'"):
                read()


@pytest.mark.parametrize("what", ["twice", "encrypted", "bz2", "overlapping", "inflating", "lying"])
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_members_that_no_archive_of_ours_has(what, tmp_path):
    path = keras_file(tmp_path / "m.keras", json.loads(model().to_json()), weights)
    data = bytearray(path.read_bytes())
    if what == "twice":
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("config.json", "{}")
    elif what == "bz2":
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "n.keras", "w", zipfile.ZIP_BZIP2) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
        (tmp_path / "n.keras").replace(path)
    elif what == "inflating":
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "n.keras", "w", zipfile.ZIP_DEFLATED) as new:
            new.writestr("config.json", b" " * (70 << 20))
            new.writestr("metadata.json", old.read("metadata.json"))
            new.writestr("model.weights.h5", old.read("model.weights.h5"))
        (tmp_path / "n.keras").replace(path)
    else:
        entry = data.index(b"PK\x01\x02")  # the first entry of the directory
        if what == "encrypted":
            for place in (m for m in range(len(data) - 3) if data[m : m + 4] == b"PK\x01\x02"):
                data[place + 8] |= 1
        elif what == "overlapping":
            second = data.index(b"PK\x01\x02", entry + 1)
            data[second + 42 : second + 46] = data[entry + 42 : entry + 46]
        else:
            struct.pack_into("<I", data, entry + 24, 5)  # 5 bytes, it says
        path.write_bytes(data)
    with pytest.raises(FileError, match=r"occurs twice|encrypted|neither stored|overlaps|would decompress|damaged"):
        saving.load_model(path)


@pytest.mark.parametrize("name", ["model.weights.npz", "model.safetensors", "model.safetensors.index.json"])
def test_weights_of_an_archive_are_hdf5(name, tmp_path, peak):
    """Keras can write npz and does not: its members could say any size. Folders alone hold safetensors."""
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", model().to_json())
        archive.writestr(name, bytes(100))
    for read in (saving.load_model, model().load_weights):
        with pytest.raises(FileError, match=r"has no model\.weights\.h5"):
            read(tmp_path / "m.keras")


# Archives of data that get_file takes apart


@pytest.mark.parametrize("folder", ["/", ".", "cache/datasets"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_archives_of_data_stay_in_their_folder_wherever_the_program_stands(kind, folder, tmp_path, canary, monkeypatch):
    """CVE-2024-55459, CVE-2025-12060: names that lead out. CVE-2026-11816: paths were compared with the folder in which
    the program stood, so that in / all were good. CVE-2026-12482: links, and files below them, were not looked at."""
    (tmp_path / "cache" / "datasets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    plain = [("../../canary", None), (str(canary), None), ("a/../../../canary", None)]
    linked = [("link", str(tmp_path)), ("link", "../.."), ("link", "/")]
    for number, (name, target) in enumerate(plain if kind == "zip" else plain + linked):
        path = tmp_path / f"bad{number}.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(name, "x")
        else:
            with tarfile.open(path, "w") as archive:
                for form in (tarfile.SYMTYPE, tarfile.LNKTYPE) if target else ():
                    info = tarfile.TarInfo(name)
                    info.type, info.linkname = form, target
                    archive.addfile(info)
                info = tarfile.TarInfo(f"{name}/canary" if target else name)
                info.size = 1
                archive.addfile(info, io.BytesIO(b"x"))
        with pytest.raises(FileError):
            lamina.utils.get_file(f"d{number}", path.as_uri(), extract=True, cache_dir=str(tmp_path / "cache"))
    made = {path.name.removesuffix("_archive") for path in (tmp_path / "cache" / "datasets").iterdir()}
    assert made <= {f"d{number}" for number in range(6)}
    assert not any(path.is_dir() for path in (tmp_path / "cache" / "datasets").iterdir())


# Descriptions that ask for much: CVE-2026-0897


def layer(kind, **config):
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


@pytest.mark.parametrize(
    "described",
    [
        layer("Dense", units=10**12),
        layer("Dense", units=10**8),
        layer("Embedding", input_dim=10**12, output_dim=64),
        layer("LSTM", units=10**9),
        layer("RepeatVector", n=10**12),
        layer("GaussianNoise", stddev=10**400),
        layer("ZeroPadding1D", padding=10**30),
        layer("UpSampling1D", size=10**30),
        layer("Reshape", target_shape=[10**30]),
        layer("Dense", units=1e999),
        layer("Dense", units=float("nan")),
        layer("Dense", units=[[[]]]),
        layer("Dense", units=2, dtype=[]),
        layer("Dense", units=2, dtype="V1000000000"),
    ],
    ids=lambda described: json.dumps(described["config"])[:60],
)
def test_sizes_are_counted_before_anything_is_made(described, tmp_path, peak):
    config = sequential(described)
    if described["class_name"] == "LSTM":
        config["config"]["layers"][0]["config"]["batch_shape"] = [None, 5, 3]
    if described["class_name"] in ("RepeatVector", "GaussianNoise"):
        described["config"].pop("stddev", None)
        config["config"]["layers"].append(layer("Flatten"))
        config["config"]["layers"].append(layer("Dense", units=64))
    for name, read in entries(config, tmp_path).items():
        if name in ("keras", "h5", "json") and described["config"].get("units") != 10**8:
            with pytest.raises((FileError, LaminaError, ValueError)):
                read()
    with pytest.raises((FileError, LaminaError, ValueError)):
        saving.load_model(tmp_path / "m.keras")


def test_an_error_of_size_says_what_and_where(tmp_path):
    path = keras_file(tmp_path / "m.keras", sequential(layer("Dense", units=10**8)))
    with pytest.raises(UnsafeFileError) as caught:
        saving.load_model(path)
    told = str(caught.value)
    assert "units of Dense is 100000000" in told and "the file holds only 0.0 MiB" in told and "safe_mode=False" in told
    assert f"In {path}, Sequential 's'" in told
    assert caught.value.place[0] == str(path)


def test_metrics_of_many_thresholds_are_left_out(tmp_path, peak):
    auc = {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**10}}
    config = {**sequential(), "compile_config": {"optimizer": "sgd", "loss": "mse", "metrics": [auc]}}
    with pytest.warns(UserWarning, match="not compiled: num_thresholds of AUC is 1"):
        saving.load_model(keras_file(tmp_path / "m.keras", config))


def test_descriptions_that_are_too_deep_long_or_no_descriptions(tmp_path, peak):
    deep = "[" * 100_000 + "]" * 100_000
    nested = dense()
    for _ in range(100):
        nested = sequential(nested)
    for text, message in (
        ('{"a": ' + deep + "}", "nested more than"), (json.dumps(nested), "nested more than"),
        ('{"a": ' + "1" * 5000 + "}", "is not JSON"), ("[]", "not of a model"), ("{", "is not JSON"),
        ("", "is not JSON"),
        ('{"a": NaN}', "cannot be read|not of a model|Unknown"), (b"\xff\xfe\x00", "is not JSON"),
    ):  # fmt: skip
        if message.startswith("cannot"):
            continue
        with pytest.raises(FileError, match=message):
            saving.model_from_json(text)
    for _ in range(200):
        nested = sequential(nested)
    with pytest.raises(UnsafeFileError, match="nested too deep"):
        saving.deserialize_keras_object(nested)
    many = {"layers": [{"class_name": "x", "config": {}}] * 100_001}
    with pytest.raises(UnsafeFileError, match="100000 objects"):
        saving.model_from_json(json.dumps(many))


def graph():
    x = lamina.Input((3,), name="x")
    y = layers.Dense(3, name="a")(x)
    return json.loads(lamina.Model(x, layers.Dense(3, name="b")(y), name="m").to_json())


def inbound(config, name):
    found = next(one for one in config["config"]["layers"] if one["name"] == name)
    return found["inbound_nodes"][0]["args"][0]["config"]


def test_graphs_with_circles_strangers_and_twins(tmp_path):
    circle, stranger, twins, constant, far = graph(), graph(), graph(), graph(), graph()
    inbound(circle, "a")["keras_history"][0] = "b"
    inbound(stranger, "a")["keras_history"][0] = "nobody"
    twins["config"]["layers"][2]["name"] = "a"
    constant["config"]["layers"][1]["inbound_nodes"][0]["args"] = [
        {"class_name": "__tensor__", "config": {"value": [[1.0, 2, 3]], "dtype": "float32"}}
    ]
    inbound(far, "a")["keras_history"][2] = 10**9
    for config, message in (
        (circle, "need tensors that no layer computes"), (stranger, "need tensors that no layer computes"),
        (twins, "two layers 'a'"), (constant, "takes no tensor"), (far, "IndexError"),
    ):  # fmt: skip
        with pytest.raises((FileError, LaminaError), match=message):
            saving.model_from_json(json.dumps(config))


def test_long_graphs_in_the_wrong_order_are_read_in_one_pass():
    x = y = lamina.Input((3,), name="x")
    for index in range(300):
        y = layers.Activation("relu", name=f"a{index}")(y)
    config = json.loads(lamina.Model(x, y).to_json())
    config["config"]["layers"].reverse()
    assert len(saving.model_from_json(json.dumps(config)).layers) == 301


def test_models_in_models_that_double_are_bounded(monkeypatch):
    """Thirty models, each calling the one before twice on a shape it was not drawn with, are a thousand million."""
    x = lamina.Input((None, 3), name="x")
    inner = lamina.Model(x, layers.Activation("relu", name="r")(x), name="m")
    for index in range(29):
        x = lamina.Input((None, 3), name="x")
        inner = lamina.Model(x, inner(inner(x)), name=f"m{index}")
    config = json.loads(inner.to_json())

    def widen(described):
        if isinstance(described, dict):
            if described.get("class_name") == "InputLayer":
                described["config"]["batch_shape"] = [len(widened) + 2, None, 3]
                widened.append(1)
            for value in described.values():
                widen(value)
        elif isinstance(described, list):
            for value in described:
                widen(value)

    widened = []
    widen(config)
    monkeypatch.setattr(read_limits, "MAX_STEPS", 1000)
    with pytest.raises(UnsafeFileError, match="1000 are allowed"):
        saving.model_from_json(json.dumps(config))
