"""`lamina bench`: the models of each library are the same, processes answer, tables, JSON and the picture are made."""

import dataclasses
import importlib
import importlib.metadata
import json
import pathlib
import tomllib

import jax
import numpy as np
import pytest

import lamina
from lamina.cli import FINE, UNUSABLE, main
from lamina.cli.completion import completion
from lamina.kernels.native import is_native
from lamina_bench import jax_models, keras_models, torch_models
from lamina_bench.jax_frame import Frame
from lamina_bench.jax_subject import Subject
from lamina_bench.libraries import LIBRARIES
from lamina_bench.machine import flops
from lamina_bench.rounds import Settings, run
from lamina_bench.table import MEASURES, best, geometric_mean, ratio
from lamina_bench.workloads import WORKLOADS

PROJECT = tomllib.loads((pathlib.Path(__file__).parents[2] / "benchmarks" / "pyproject.toml").read_text())["project"]
SHORT = Settings(rounds=2, seconds=0.001, imports=1, first_steps=False, rest=0.0)
NAMES = list(WORKLOADS)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The entry points of lamina-bench, whether it is installed here or in the checkout alone; returns their list."""
    points = [
        importlib.metadata.EntryPoint(name, value, group)
        for group, found in PROJECT["entry-points"].items()
        for name, value in found.items()
    ]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda **wanted: importlib.metadata.EntryPoints(points).select(**wanted)
    )
    return points


@pytest.fixture(scope="module")
def measured():
    """(report, what was told) of a small workload: lamina, JAX by hand, one that is not there and one that fails."""
    absent = dataclasses.replace(LIBRARIES["torch"], needs=("no_such_library",))
    broken = dataclasses.replace(LIBRARIES["keras-jax"], environment={"KERAS_BACKEND": "nothing"})
    told = []
    report = run([WORKLOADS["regression"]], [LIBRARIES["lamina"], LIBRARIES["jax"], absent, broken], SHORT, told.append)
    return report, told


def inputs(workload, samples=2):
    return dataclasses.replace(workload, batch=samples, steps=1).data()[0]


@pytest.mark.parametrize("name", NAMES)
def test_models_by_hand_have_the_weights_and_outputs_of_those_in_keras(name):
    workload = WORKLOADS[name]
    model, x = getattr(keras_models, name)(lamina), inputs(workload)
    frame = Frame()
    outputs = jax.eval_shape(lambda x: getattr(jax_models, name)(frame, x), x)
    assert outputs.shape == (2, *model.output_shape[1:])
    counts = {kind: sum(int(np.prod(shape)) for shape, _ in wanted) for kind, wanted in frame.wanted.items()}
    seeds = [weight for weight in model.weights if "seed" in weight.path]
    assert counts["trained"] == sum(weight.value.size for weight in model.trainable_weights)
    assert sum(counts.values()) == model.count_params() - sum(seed.value.size for seed in seeds)


@pytest.mark.parametrize("name", ["dense_32", "regression", "cnn_1d", "cnn_2d", "lstm", "text_gru", "text_lstm"])
def test_models_by_hand_compute_the_same(name):
    workload = WORKLOADS[name]
    model, x = getattr(keras_models, name)(lamina), inputs(workload)
    by_hand = Subject("jax", workload).outputs([model.get_weights(), [], []], x)
    np.testing.assert_allclose(by_hand, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_models_in_torch_have_as_many_weights(name):
    torch = pytest.importorskip("torch", reason="the loop by hand in PyTorch needs PyTorch")
    with torch.device("meta"):
        model = getattr(torch_models, name)(torch)
    wanted = sum(np.prod(w.shape) for w in getattr(keras_models, name)(lamina).trainable_weights)
    assert sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) == wanted


def weights_of(library, name):
    """Elements of the trained weights in a library of layers on JAX, from an abstract evaluation; shape of outputs."""
    counts, module = [], importlib.import_module(f"lamina_bench.{library}_subject")

    def outputs(x):
        if library == "nnx":
            net = module.Net(getattr(jax_models, name))
            made = net(x, training=False)
            trained = module.nnx.state(net, module.nnx.Param)
        else:
            layers = []
            made = getattr(jax_models, name)(module.Layers(layers, [], None, jax.random.key(0)), x)
            trained = module.eqx.nn.make_with_state(module.Net)(layers, [])[0]
        leaves = [leaf for leaf in jax.tree.leaves(trained) if isinstance(leaf, jax.Array)]
        counts.append(sum(leaf.size for leaf in leaves))
        return made

    return jax.eval_shape(outputs, inputs(WORKLOADS[name])).shape, counts[0]


@pytest.mark.parametrize("library", ["nnx", "equinox"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("inception", "text_gru")])
def test_models_of_layers_on_jax_have_as_many_weights(library, name):
    model = getattr(keras_models, name)(lamina)
    shape, count = weights_of(library, name)
    assert shape == (2, *model.output_shape[1:])
    assert count == sum(weight.value.size for weight in model.trainable_weights)


@pytest.mark.parametrize("library", ["nnx", "equinox"])
def test_loops_of_layers_on_jax_learn(library):
    workload = dataclasses.replace(WORKLOADS["regression"], steps=4)
    subject = importlib.import_module(f"lamina_bench.{library}_subject").Subject(library, workload)
    subject.build()
    data = subject.load(*workload.data())
    first = subject.train(data)
    assert subject.train(data, 100) < 0.5 * first
    assert subject.predict(workload.many_samples()[:33]).shape == (33, 1)
    assert subject.parameters() == 9 * 64 + 64 + 64 * 64 + 64 + 65


def test_loop_in_jax_learns():
    workload = dataclasses.replace(WORKLOADS["regression"], steps=4)
    subject = Subject("jax", workload)
    subject.build()
    data = subject.load(*workload.data())
    first = subject.train(data)
    assert subject.train(data, 100) < 0.5 * first


def test_flops_are_those_of_the_formula():
    first, second = 32 * 784 * 128, 32 * 128 * 10
    assert flops(WORKLOADS["dense_128"]) == 2 * (2 * first + 3 * second)  # the first layer's inputs need no gradient


def test_report(measured):
    report, told = measured
    assert report["skipped"] == {"torch": "not installed: no_such_library"}
    assert "PyTorch by hand is left out (not installed: no_such_library)" in told
    (row,) = report["workloads"]
    assert set(row["libraries"]) == {"lamina", "jax", "keras-jax"} and "failed" in row["libraries"]["keras-jax"]
    for name in ("lamina", "jax"):
        figures = row["libraries"][name]
        assert figures["parameters"] == 9 * 64 + 64 + 64 * 64 + 64 + 65
        for measure in MEASURES:
            assert measure.of(figures) > 0
        assert len(figures["step"]) == 2 and figures["last_loss"] < 10
    native = {"lamina_native"} if is_native() else set()
    assert set(report["versions"]) == {"lamina", "jax"} | native and report["machine"]["cores"] >= 1
    assert ("lamina ran without lamina_native" in told) == (not native)
    assert ratio(row, MEASURES[0]) == MEASURES[0].of(row["libraries"]["lamina"]) / best(row, MEASURES[0])


def test_command_shows_what_was_measured(measured, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="a picture needs matplotlib")
    (tmp_path / "one.json").write_text(json.dumps(measured[0]))
    other = json.loads(json.dumps(measured[0]).replace('"regression"', '"lstm"'))
    (tmp_path / "two.json").write_text(json.dumps(other))
    files = [str(tmp_path / name) for name in ("one.json", "two.json", "both.json", "both.svg")]
    assert main(["bench", "--read", *files[:2], "--json", files[2], "--picture", files[3]]) == FINE
    said = capsys.readouterr().out
    assert "Training step" in said and "JAX by hand" in said and "geometric mean" in said
    both = json.loads((tmp_path / "both.json").read_text())
    assert [row["name"] for row in both["workloads"]] == ["regression", "lstm"]
    assert "<svg" in (tmp_path / "both.svg").read_text()


@pytest.mark.parametrize(
    "arguments, workloads, libraries, imports",
    [
        ([], NAMES, list(LIBRARIES), 3),
        (["--quick"], ["dense_128", "regression", "cnn_1d", "lstm", "cnn_2d"], ["lamina", "keras-jax"], 3),
        (["--only", "lstm", "--libraries", "torch", "lamina", "--rounds", "7"], ["lstm"], ["torch", "lamina"], 0),
        (["--only", "import"], [], list(LIBRARIES), 3),
    ],
)
def test_command_measures_what_was_asked_for(measured, monkeypatch, arguments, workloads, libraries, imports):
    given = []
    monkeypatch.setattr("lamina_bench.command.run", lambda *found: given.extend(found) or measured[0])
    assert main(["bench", *arguments]) == FINE
    assert [workload.name for workload in given[0]] == workloads
    assert [library.name for library in given[1]] == libraries
    assert given[2].imports == imports and given[2].rounds == (7 if "--rounds" in arguments else 3)


def test_geometric_mean_leaves_out_what_is_not_there():
    assert geometric_mean([1.0, None, 4.0]) == pytest.approx(2.0) and geometric_mean([None]) is None


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (["--libraries", "caffe"], ["caffe", "keras-torch"]),
        (["--only", "nothing"], ["nothing", "regression"]),
        (["--json", "no/such/folder.json"], ["no/such/folder.json"]),
    ],
)
def test_errors(arguments, parts, capsys):
    assert main(["bench", *arguments]) == UNUSABLE
    said = capsys.readouterr().err
    assert all(part in said for part in parts)


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["bench", "--help"])
    said = capsys.readouterr().out
    assert stop.value.code == FINE and "examples:" in said and "--cache-for-all" in said
    assert "--cache-for-all" in completion("bash")


def test_without_lamina_bench_one_line_says_what_to_install(installed, capsys):
    installed.clear()
    for arguments in (["--quick"], ["--help"]):
        with pytest.raises(SystemExit) as stop:
            main(["bench", *arguments])
        said = capsys.readouterr()
        assert stop.value.code == UNUSABLE and said.out == ""
        assert said.err.count("\n") == 1 and "pip install ./benchmarks" in said.err
    assert " bench " in completion("bash")
