"""Many devices: layouts in this process; eight devices, and two processes, in others (see many_devices.py)."""

import os
import socket
import subprocess
import sys

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest

import lamina as keras
from lamina import random
from lamina.core.placement import placement_of
from tests import many_devices

distribution = keras.distribution
DEVICES = [f"cpu:{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def no_distribution_is_left():
    yield
    distribution.set_distribution(None)


def mesh(shape=(2, 4), names=("batch", "model"), of=distribution):
    """A mesh of devices that need not be there: only shardings ask for them."""
    return of.DeviceMesh(shape, list(names), DEVICES[: int(np.prod(shape))])


# Devices, meshes and layouts


def test_devices():
    assert distribution.list_devices() == oracle.distribution.list_devices() == ["cpu:0"]
    assert distribution.get_device_count("CPU") == len(distribution.list_devices("CPU")) == 1
    with pytest.raises(ValueError, match="no device 'cpu:7'"):
        _ = distribution.DeviceMesh((1,), ["batch"], ["cpu:7"]).backend_mesh


def test_meshes_and_layouts_are_those_of_keras():
    for of in (distribution, oracle.distribution):
        grid = mesh(of=of)
        layout = of.TensorLayout(["batch", None], grid)
        assert (grid.shape, grid.axis_names, grid.devices.shape) == ((2, 4), ["batch", "model"], (2, 4))
        assert (layout.axes, layout.device_mesh) == (("batch", None), grid)
        assert repr(layout) == f"<TensorLayout axes=('batch', None), device_mesh={grid}>"
        assert repr(grid) == "<DeviceMesh shape=(2, 4), axis_names=['batch', 'model']>"
        assert list(of.DeviceMesh((1,), ["batch"]).devices) == ["cpu:0"]
        with pytest.raises(ValueError, match="cannot be empty"):
            of.DeviceMesh((), [], DEVICES)
        with pytest.raises(ValueError, match="should have same size"):
            of.DeviceMesh((8,), ["batch", "model"], DEVICES)
        with pytest.raises(ValueError, match="does not match the number of devices"):
            of.DeviceMesh((4,), ["batch"], DEVICES)
        with pytest.raises(ValueError, match="Invalid axis names"):
            of.TensorLayout(["data"], grid)
        late = of.TensorLayout(["model"])
        with pytest.raises(ValueError, match="device mesh is not set"):
            _ = late.backend_layout
        late.device_mesh = grid
        with pytest.raises(ValueError, match="Cannot override"):
            late.device_mesh = grid


def test_a_layout_map_is_that_of_keras():
    for of in (distribution, oracle.distribution):
        layouts = of.LayoutMap(mesh(of=of))
        layouts["dense/kernel"] = (None, "model")
        layouts[".*dense.*kernel"] = of.TensorLayout(["model", None])
        layouts[".*bias"] = ("model",)
        layouts[".*dense.*bias"] = ("batch",)
        assert layouts["dense/kernel"].axes == (None, "model")
        assert layouts["mlp/dense_1/kernel"].axes == ("model", None)
        assert layouts["conv/bias"].axes == ("model",) and layouts["conv/bias"].device_mesh is layouts.device_mesh
        assert layouts["dense/kernel/more"] is None and layouts.get("conv/kernel") is None
        assert (len(layouts), next(iter(layouts))) == (4, "dense/kernel")
        with pytest.raises(ValueError, match="matches multiple"):
            _ = layouts["dense/bias"]
        with pytest.raises(ValueError, match="already exist"):
            layouts[".*bias"] = ("batch",)
        with pytest.raises(ValueError, match="should be a TensorLayout"):
            layouts["other"] = ["model"]
        del layouts[".*bias"]
        assert layouts["dense/bias"].axes == ("batch",)
        with pytest.raises(KeyError):
            layouts.pop(".*conv")


def test_what_distributions_lay_out_is_as_in_keras():
    seen = []
    for of, variable in ((distribution, keras.Variable), (oracle.distribution, oracle.Variable)):
        layouts = of.LayoutMap(mesh(of=of))
        layouts[".*kernel"] = (None, "model")
        layouts["dense/output"] = ("batch", "model")
        made = [
            of.DataParallel(mesh((8,), ["data"], of)),
            of.DataParallel(devices=DEVICES),
            of.ModelParallel(layout_map=layouts),
            of.ModelParallel(layout_map=layouts, batch_dim_name="model", auto_shard_dataset=False),
        ]
        kernel = variable(np.zeros((3, 4)), name="kernel")
        scale = variable(np.zeros(()), name="scale")
        for one in made:
            output = one.get_tensor_layout("dense/output")
            seen.append((
                repr(one), one.batch_dim_name, one.num_model_replicas, one.num_processes, one.data_shard_id,
                one.auto_shard_dataset, one.get_data_layout((4, 2, 2)).axes, one.get_variable_layout(kernel).axes,
                one.get_variable_layout(scale).axes, output and output.axes, one.get_tensor_layout("other/output"),
            ))  # fmt: skip
            assert of.distribution() is None
            with one.scope():
                assert of.distribution() is one
            dataset = object()
            assert one.distribute_dataset(dataset) is dataset
        with pytest.raises(ValueError, match="layout_map"):
            of.ModelParallel()
        with pytest.raises(ValueError, match="LayoutMap"):
            of.ModelParallel(layout_map={})
        with pytest.raises(ValueError, match="DeviceMesh"):
            of.DataParallel(device_mesh=DEVICES)
    assert seen[:4] == seen[4:]
    with pytest.warns(UserWarning, match="'batch' alone"):
        distribution.DataParallel(mesh())


def test_several_processes_share_data(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 4)
    layouts = distribution.LayoutMap(mesh())
    shards = []
    for process in range(4):
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        pair = distribution.ModelParallel(layout_map=layouts)  # two copies of the model, each over two processes
        shards.append((pair.data_shard_id, distribution.DataParallel(devices=DEVICES).data_shard_id))
    assert shards == [(0, 0), (0, 1), (1, 2), (1, 3)]
    with pytest.raises(ValueError, match="is not supported for auto-sharding"):
        pair.distribute_dataset([1, 2])
    pair.auto_shard_dataset = False
    assert pair.distribute_dataset([1, 2]) == [1, 2]
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    with pytest.raises(ValueError, match="3 processes cannot share 2 copies"):
        distribution.ModelParallel(layout_map=layouts)


def test_initialize(monkeypatch):
    calls = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda **kwargs: calls.append(tuple(kwargs.values())))
    monkeypatch.setattr(random, "_global_seed", 5)  # a seed that was set stays
    distribution.initialize("10.0.0.1:1234,10.0.0.2:2345", 2, 0)
    distribution.initialize("10.0.0.1:1234", 2, 0)
    monkeypatch.setenv("KERAS_DISTRIBUTION_JOB_ADDRESSES", "10.0.0.1:1234,10.0.0.2:2345")
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", "1")
    distribution.initialize()
    assert calls == [("10.0.0.1:1234", 2, 0)] * 2 + [("10.0.0.1:1234", 2, 1)]
    with pytest.raises(ValueError, match="has 2 jobs, but num_processes is 3"):
        distribution.initialize("10.0.0.1:1234,10.0.0.2:2345", 3, 0)


# What launchers set -> the arguments of `jax.distributed.initialize`; None leaves all to JAX.
LAUNCHED = {
    "JAX_COORDINATOR_ADDRESS=a:1 JAX_NUM_PROCESSES=4 JAX_PROCESS_ID=3": ("a:1", 4, 3, None),
    "MASTER_ADDR=a MASTER_PORT=29500 TORCHELASTIC_USE_AGENT_STORE=True WORLD_SIZE=4 RANK=3 LOCAL_RANK=1 "
    "LOCAL_WORLD_SIZE=2": ("a:29501", 4, 3, [1]),
    "MASTER_ADDR=a MASTER_PORT=23456 WORLD_SIZE=4 RANK=3": ("a:23456", 4, 3, None),  # PyTorchJob of Kubeflow
    "PMIX_NAMESPACE=prterun-node-7-70000@1 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 "
    "OMPI_COMM_WORLD_LOCAL_RANK=1": ("node-7:61808", 2, 1, [1]),
    "PMI_SIZE=2 PMI_RANK=1 MPI_LOCALNRANKS=2 MPI_LOCALRANKID=1": (
        f"127.0.0.1:{61440 + os.getppid() % 4096}",
        2,
        1,
        [1],
    ),
    "PMI_SIZE=2 PMI_RANK=1 MPI_LOCALNRANKS=1 MPI_LOCALRANKID=0 JAX_COORDINATOR_ADDRESS=a:1": ("a:1", 2, 1, None),
    "COORDINATOR_ADDRESS=a COORDINATOR_PORT=6666 NUM_PROCESSES=2 PROCESS_ID=1": ("a:6666", 2, 1, None),  # JAXJob
    "WORLD_SIZE=1 RANK=0 JAX_COORDINATOR_PORT=1234": ("127.0.0.1:1234", 1, 0, None),
    "SLURM_JOB_ID=7 SLURM_STEP_NODELIST=a SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_LOCALID=0 SLURM_STEP_NUM_NODES=2": None,
    "SLURM_JOB_ID=7 SLURM_STEP_NODELIST=a SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_LOCALID=0 PMI_SIZE=2 PMI_RANK=1": None,
    "OMPI_MCA_orte_hnp_uri=1314521088.0;tcp://10.0.0.1:2 OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1": None,
    "JAX_COORDINATOR_ADDRESS=a:1": None,
}


@pytest.mark.parametrize("variables", LAUNCHED)
def test_launchers(monkeypatch, variables):
    calls = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda **given: calls.append(given))
    for variable in variables.split():
        monkeypatch.setenv(*variable.split("=", 1))
    distribution.initialize()
    names, values = ("coordinator_address", "num_processes", "process_id", "local_device_ids"), LAUNCHED[variables]
    expected = {name: value for name, value in zip(names, values or (), strict=False) if value is not None}
    assert calls == [expected | ({"cluster_detection_method": "deactivate"} if expected else {})]


def test_a_process_that_nobody_launched_trains_alone(monkeypatch, capsys):
    monkeypatch.setattr(jax.distributed, "initialize", lambda **given: pytest.fail("it has no neighbours"))
    distribution.initialize()
    assert "this process trains alone" in capsys.readouterr().out
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(keras.errors.ConfigError, match="WORLD_SIZE is 2, and no variable has the address of process 0"):
        distribution.initialize()


# Tensors and variables


def test_tensors_are_laid_out():
    layout = distribution.TensorLayout(["batch", None], mesh((1,), ["batch"]))
    eager = distribution.distribute_tensor(np.ones((2, 3), "float32"), layout)
    assert eager.sharding == layout.backend_layout
    assert distribution.distribute_tensor(eager, layout.backend_layout) is eager
    text = jax.jit(lambda x: distribution.distribute_tensor(x, layout) + 1).lower(jnp.ones((2, 3))).as_text()
    assert "sharding" in text.split("func.func public @main", 1)[1].split("\n", 1)[1]
    symbol = keras.KerasTensor((None, 3))
    assert distribution.distribute_tensor(symbol, layout) is symbol
    variable = keras.Variable([[1.0, 2.0]])
    np.testing.assert_array_equal(distribution.distribute_tensor(variable, layout), variable)


def test_variables_take_layouts():
    grid = mesh((1, 1))
    own = distribution.TensorLayout([None, "model"], grid)
    variable = keras.Variable(np.ones((2, 3)), layout=own, name="a")
    assert variable.layout is own and variable.value.sharding == own.backend_layout
    variable.assign(np.zeros((2, 3)))
    assert variable.value.sharding == own.backend_layout
    layouts = distribution.LayoutMap(grid)
    layouts["dense/kernel"] = ("model", None)
    layouts["dense/bias"] = ("model", None, None)
    with distribution.ModelParallel(layout_map=layouts).scope():
        kept = keras.Variable(np.ones((2, 3)), layout=own)
        dense = keras.layers.Dense(4, name="dense", use_bias=False)
        dense.build((None, 2))
        calls = []
        keras.Variable(lambda shape, dtype: calls.append(shape) or np.zeros(shape), shape=5)
        with pytest.raises(keras.errors.ShapeError, match=r"dense/bias of shape \(4,\) cannot be split"):
            keras.layers.Dense(4, name="dense").build((None, 2))
    assert kept.layout is own and dense.kernel.layout is layouts["dense/kernel"] and calls == [(5,)]
    assert keras.Variable(1.0).layout is None and placement_of((2, 3)) is None
    optimizer = keras.optimizers.Adam()
    optimizer.build([dense.kernel])
    assert {slot.layout for slot in optimizer.variables if slot.shape == (2, 4)} == {layouts["dense/kernel"]}
    factored = keras.optimizers.Adafactor()  # its slots have other shapes than the variable, and layouts of their own
    with distribution.ModelParallel(layout_map=layouts).scope():
        factored.build([dense.kernel])
    assert {slot.layout.axes for slot in factored.variables if slot.ndim == 1} == {(None,)}


def test_programs_are_kept_from_scope_to_scope():
    model, plain = many_devices.classifier(), many_devices.classifier()
    scopes = distribution.DataParallel()
    x, y = many_devices.X[:16], many_devices.Y[:16]
    for _ in range(2):
        with scopes.scope():
            logs = model.train_on_batch(x, y)
            program = model._runner.programs["train"]
        np.testing.assert_allclose(logs, plain.train_on_batch(x, y), rtol=1e-6)
    with scopes.scope():
        model.train_on_batch(x, y)
        assert model._runner.programs["train"] is program and program._cache_size() == 1
    assert model.predict(x[:2], verbose=0).shape == (2, 3)  # outside it runs where its variables are


# Other processes


def program(*arguments, devices):
    """many_devices.py in a process that has so many devices. XLA is told to compile fast, not well."""
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    environment = {
        **os.environ, "PYTHONPATH": str(many_devices.ROOT), "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{flags} --xla_llvm_disable_expensive_passes=true",
    }  # fmt: skip
    command = [sys.executable, many_devices.__file__, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def results_of(process, path):
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    with np.load(path) as results:
        return dict(results)


@pytest.fixture(scope="module")
def one():
    """The results of one device."""
    parts = {"plain": many_devices.trained()[1], "dropout": many_devices.trained_with_dropout()}
    parts |= {"block": many_devices.trained_block()[1], "mixing": many_devices.mixing()}
    return {f"{part}/{key}": value for part, values in parts.items() for key, value in values.items()}


def assert_close(results, expected, prefix):
    names = [name for name in expected if name.startswith(prefix)]
    assert names and set(names) <= set(results)
    for name in names:
        np.testing.assert_allclose(results[name], expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.filterwarnings("ignore")  # Orbax's own, and of slots that load_weights finds no optimizer for
def test_eight_devices(tmp_path, one, subtests):
    """One test, so that the process runs once however tests are shared out."""
    results = results_of(program(tmp_path, devices=8), tmp_path / "results.npz")
    with subtests.test("losses, metrics, validation, outputs and batch statistics are those of one device"):
        assert_close(results, one, "plain")
        assert results["plain/loss"].shape == (3,)
        assert_close(results, one, "mixing")
    with subtests.test("with Dropout too: its masks are those of the whole batch"):
        assert_close(results, one, "dropout")
    with subtests.test("a step compiles once for each size of batch"):
        assert sorted(results["programs"]) == [2, 3, 3]  # predict: 16, 4; train: 16, 4, 5; test: 16, 32, 4
        assert results["told_before"].size == 0  # the last batch of an epoch is not worth a word
        assert results["told_of_rows"].size == 0  # rows that are apart are divided
        assert "A batch of 20 cannot be divided evenly among 8 devices, and mixing computes" in results["told"][0]
        assert "A batch of 20 cannot be divided evenly among 8 devices, and own has a train_step" in results["told"][1]
        assert results["told"].size == 2  # once for each model
    with subtests.test("a split block gives what a whole one gives"):
        assert_close(results, one, "block")
        for name in ("moved", "moved_again"):
            np.testing.assert_allclose(results[name], one["block/before"], rtol=1e-5, atol=1e-5)
        assert "Variable up/kernel of shape (4, 3) cannot be split" in str(results["error"])
    with subtests.test("an optimizer, or all, split over the devices gives what a whole one gives"):
        for way in ("data", "zero", "fsdp", "auto", "both"):
            np.testing.assert_allclose(results[f"split/{way}"], results["split/one"], rtol=1e-5, err_msg=way)
    with subtests.test("checkpoints of eight devices load on two and on one"):
        on_one = many_devices.loaded(tmp_path)
        for name, predicted in on_one.items():
            np.testing.assert_allclose(results[f"on_two/{name}"], predicted, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(on_one["weights"], on_one["keras"], rtol=1e-6)
        np.testing.assert_allclose(on_one["block"], results["block/after"], rtol=1e-5, atol=1e-5)
        if "orbax" in on_one:
            np.testing.assert_allclose(on_one["orbax"], on_one["orbax_weights"], rtol=1e-6)
            np.testing.assert_allclose(on_one["orbax"], results["plain/predict"], rtol=1e-5, atol=1e-6)


def test_two_processes_train_one_model(tmp_path, one):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    processes = [program(tmp_path, address, number, devices=2) for number in range(2)]
    first, second = (
        results_of(process, tmp_path / f"process_{number}.npz") for number, process in enumerate(processes)
    )
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert_close(first, {name.removeprefix("plain/"): one[name] for name in one if name.startswith("plain/")}, "")
    assert_close(first, one, "block")
    for process in range(2):
        model = keras.models.load_model(tmp_path / f"block_{process}.keras")
        predicted = model.predict(many_devices.SEQUENCES, verbose=0)
        np.testing.assert_allclose(predicted, first["block/after"], rtol=1e-5, atol=1e-5)
