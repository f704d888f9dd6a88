"""ExportArchive and Model.export: files that JAX alone runs, with the numbers of the model."""

import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.errors import CallError, ConfigError, LaminaError
from lamina.export.savedmodel import model as savedmodel

X = np.random.default_rng(0).normal(size=(3, 8, 8, 2)).astype("float32")


def image_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(), keras.layers.Dropout(0.5), keras.layers.Flatten(), keras.layers.Dense(3),
        ]
    )  # fmt: skip


def test_a_model_runs_without_lamina(tmp_path, capsys):
    model = image_model()
    report = model.export(tmp_path / "model", format="jax", verify=X)
    said = capsys.readouterr().out
    assert said == f"{report}\n" and "serve.jax: " in said and "(jax, the given inputs)" in said
    assert report.size == report.path.stat().st_size and report.difference < 1e-5 and report.latency > 0
    assert report.operators["convolution"] == 1 and not report.lost
    assert (
        str(pathlib.Path(keras.__file__).parent).encode() not in report.path.read_bytes()
    )  # nor any folder of a person
    np.save(tmp_path / "x.npy", X)
    program = (
        "import sys, jax, numpy as np; folder = sys.argv[1];"
        "serve = jax.export.deserialize(open(folder + '/model/serve.jax', 'rb').read());"
        "np.save(folder + '/y.npy', serve.call(np.load(folder + '/x.npy'))); assert 'lamina' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model.predict(X, verbose=0), 1e-5, 1e-6)


def test_a_folder_is_a_saved_model(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)  # it is of other formats
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    report = model.export(tmp_path / "model.v1", verbose=False)
    archive = keras.export.ExportArchive()
    archive.track_and_add_endpoint("serve", model, model._symbolic_inputs())
    archive.write_out(tmp_path / "archive", verbose=False)
    assert archive.format == report.format == "tf_saved_model" and "for cpu, cuda, tpu" in report.facts
    assert all((tmp_path / name / "saved_model.pb").is_file() for name in ("model.v1", "archive"))
    assert archive._endpoints["serve"].exported.platforms == ("cpu", "cuda", "tpu")
    assert archive.serialized("serve")[:4] == b"ML\xefR"  # bytecode of MLIR


def test_what_one_platform_has_is_written_for_it(tmp_path, monkeypatch):
    export = jax.export.export

    def of_one(function, **options):
        if options:
            raise NotImplementedError("no rule for cuda")
        return export(function)

    monkeypatch.setattr(jax.export, "export", of_one)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    report = model.export(tmp_path / "model.jax", verbose=False)
    assert report.facts == ["for cpu"] and report.lost == ["platforms without an operator of the model: cuda, tpu"]


def test_endpoints_and_collections(tmp_path):
    model, scale = image_model(), keras.Variable(2.0, name="scale")
    archive = keras.export.ExportArchive(format="jax")
    archive.track(model)
    archive.track(scale)

    def scaled(inputs):
        scale.assign_add(1.0)
        return model(inputs["image"]) * scale.value

    call = archive.add_endpoint("scaled", scaled, [{"image": keras.InputSpec(shape=(None, 8, 8, 2), dtype="float32")}])
    np.testing.assert_allclose(call({"image": X}), 3 * np.asarray(model(X)), 1e-5, 1e-6)
    assert float(scale.value) == 2.0
    archive.add_variable_collection("all", model.variables)
    archive.write_out(tmp_path / "archive", verbose=False)
    again = jax.export.deserialize((tmp_path / "archive" / "scaled.jax").read_bytes())
    np.testing.assert_allclose(again.call({"image": X[:1]}), 3 * np.asarray(model(X[:1])), 1e-5, 1e-6)
    with np.load(tmp_path / "archive" / "all.npz") as held:
        np.testing.assert_array_equal(held[model.layers[0].kernel.path], model.layers[0].kernel.value)
    assert len(archive.trainable_variables) == 7
    assert len(archive.non_trainable_variables) == 3  # the moving averages and the seed of Dropout


def test_a_subclass_and_a_graph_of_several_inputs():
    class Doubled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return 2 * self.dense(inputs)

    model = Doubled()
    with pytest.raises(CallError, match="not built"):
        model.export("nowhere", format="jax")
    model(X[:, 0, 0])
    archive = keras.export.ExportArchive(format="jax")
    serve = archive.track_and_add_endpoint("serve", model, model._symbolic_inputs())
    np.testing.assert_allclose(serve(X[:, 0, 0]), model(X[:, 0, 0]), 1e-6)

    a, b = keras.Input((2,)), keras.Input((None,))
    pair = keras.Model([a, b], [keras.ops.sum(a), keras.ops.mean(b, axis=-1)])
    serve = archive.track_and_add_endpoint("pair", pair, pair._symbolic_inputs())
    got = serve([np.ones((3, 2), "float32"), np.ones((3, 7), "float32")])
    np.testing.assert_allclose(got[0], 6.0)
    assert got[1].shape == (3,)


def test_a_subclass_takes_what_it_was_called_with_and_stays_as_it_was(tmp_path):
    class Step(keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = keras.layers.Embedding(7, 3)
            self.calls = self.add_weight((), "zeros", trainable=False, name="calls")

        def call(self, inputs):
            self.calls.assign_add(1.0)
            row = keras.ops.slice(inputs["cache"], (0, inputs["start"][0], 0), (1, 1, 3))
            return self.embed(inputs["tokens"]) * inputs["flags"][:, None, None] + row + self.calls

    model = Step()
    inputs = {"tokens": np.zeros((2, 1), "int32"), "start": np.ones(2, "int32"), "flags": np.ones(2, bool)}
    inputs["cache"] = np.ones((2, 4, 3), "float32")
    model(inputs)
    assert [tensor.name for tensor in keras.tree.flatten(model._symbolic_inputs())] == sorted(inputs)
    report = model.export(tmp_path / "step.jax", verbose=False, verify=inputs)
    assert report.difference == 0 and float(model.calls) == 1
    taken = jax.export.deserialize(report.path.read_bytes()).in_avals
    assert [str(aval.dtype) for aval in taken] == ["float32", "bool", "int32", "int32"]


def test_signatures_of_one_size_and_the_folder_of_now(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    spec = [keras.InputSpec(shape=(3, 4), dtype="float32")]
    for given, path in ((spec, "three.onnx"), (np.zeros((3, 4), "float32"), "three.jax")):
        report = model.export(tmp_path / path, input_signature=given, verify=np.ones((3, 4)), verbose=False)
        assert report.difference < 1e-6 and report.checks[-1].startswith("a batch takes")
    with pytest.raises(ConfigError, match=r"of \[\(3, 4\)\]; got \[\(8, 4\)\]") as caught:
        model.export(tmp_path / "three.jax", input_signature=spec, verify=np.ones((8, 4)), verbose=False)
    assert caught.value.fix == "verify=x_test[:3]"
    monkeypatch.chdir(tmp_path)
    model.export(".", verify=False, verbose=False)
    assert (tmp_path / "saved_model.pb").is_file()


@pytest.mark.parametrize("format", ["onnx", "tf_saved_model"])
def test_keys_of_dicts_are_names(format, tmp_path):
    archive = keras.export.ExportArchive(format)
    signature = [{key: keras.InputSpec(shape=(None, 2), dtype="float32") for key in ("b", "a")}]
    archive.add_endpoint("serve", lambda given: {"sums": given["a"] + given["b"], "last": given["a"]}, signature)
    archive.write_out(tmp_path / "made", verbose=False)
    program = archive._endpoints["serve"]
    if format == "onnx":
        assert program.program.input_names == ["a", "b"] and program.program.output_names == ["last", "sums"]
    else:
        functions = savedmodel._Function("serve", program)
        assert [spec.name for spec in functions.inputs] == ["a", "b"]
        assert [spec.name for spec in functions.outputs] == ["last", "sums"]


@pytest.mark.parametrize("format", ["openvino", "torch", "wrong"])
def test_formats_of_other_engines(format):
    with pytest.raises(ConfigError, match=r"(?s)is not written.*format=\"jax\""):
        keras.export.ExportArchive(format)
    with pytest.raises(ConfigError, match="is not written"):
        image_model().export("nowhere", format=format)


def test_paths_that_nothing_is_written_to(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "file").write_text("mine")
    for path, match in [
        ("folder.onnx", "is a folder"), ("file", "is a file"), ("file/m.jax", "Nothing can be written to"),
        ("m.keras", r"model\.save"), ("m.H5", r"model\.save"), ("m.lite", r"ends in '\.tflite'"),
    ]:  # fmt: skip
        with pytest.raises(LaminaError, match=match):
            model.export(tmp_path / path, verbose=False)
    with pytest.raises(ConfigError, match="path of a file"):
        model.export("")
    with pytest.raises(ConfigError, match="shapes and types"):
        model.export(tmp_path / "m.jax", input_signature=[(None, 4)])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder.onnx"]
    assert (tmp_path / "file").read_text() == "mine"
    assert model.export(tmp_path / "m.JAX", verbose=False).path.is_file()


@pytest.mark.parametrize(
    ("use", "match"),
    [
        (lambda archive: archive.add_endpoint("serve", abs), "needs an input_signature"),
        (lambda archive: archive.add_endpoint("a/b", abs, [X]), "letters"),
        (lambda archive: archive.add_endpoint("serve", abs, [keras.InputSpec(ndim=2)]), "shapes and types"),
        (lambda archive: archive.add_endpoint("serve", abs, [X], jax2tf_kwargs={}), "jax2tf_kwargs"),
        (lambda archive: archive.add_endpoint("serve", abs, [X], is_static=False), "keeps no state"),
        (lambda archive: archive.track(3), "can be tracked"),
        (lambda archive: archive.track(keras.layers.Dense(2)), "not built"),
        (lambda archive: archive.add_variable_collection("v", [3]), "of variables"),
        (lambda archive: archive.write_out("nowhere"), "nothing to write"),
        (lambda archive: archive.write_out("nowhere", options=1), "options"),
    ],
)
def test_errors(use, match):
    with pytest.raises((ConfigError, CallError), match=match):
        use(keras.export.ExportArchive(format="jax"))


def test_an_endpoint_that_needs_sizes_says_so():
    archive = keras.export.ExportArchive(format="jax")
    with pytest.raises(ConfigError, match="(?s)needs a size as a number.*input_signature="):
        archive.add_endpoint(
            "serve", lambda x: np.zeros(x.shape[0]) + x[:, 0], [keras.InputSpec(shape=(None, 2), dtype="float32")]
        )


def test_open_sizes_that_have_to_be_equal(tmp_path):
    a, b = keras.Input((None, 3)), keras.Input((None, 3))
    report = keras.Model([a, b], a * b).export(tmp_path / "product.jax", verbose=False)
    assert report.lost == ["all open sizes but that of the batch have to be equal"] and report.difference == 0


@pytest.mark.parametrize("format", ["jax", "tflite"])
def test_text_is_refused_and_leaves_no_file(format, tmp_path):
    words = keras.Sequential([keras.Input((3,), dtype="string"), keras.layers.StringLookup(vocabulary=["a", "b"])])
    with pytest.raises(ConfigError, match="an input of text"):
        words.export(tmp_path / f"words.{format}")
    assert not list(tmp_path.iterdir())


def test_the_operation_that_onnx_cannot_say_is_named(tmp_path):
    x = keras.Input((9001,))
    with pytest.raises(ConfigError, match=r"(?s)at most 8192 are.*In keras\.ops\.FFT"):
        keras.Model(x, keras.ops.fft((x, x))[0]).export(tmp_path / "long.onnx")
    assert not list(tmp_path.iterdir())
