"""The scripts and manifests of examples/launchers: their syntax, their fields, what they say about each other, and that
launchers which are installed here start them. The nightly job installs all of them."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.processes import start

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "launchers"
# The fields that the versions of these interfaces publish, as far as the examples go; None takes any value.
META, CLAIM = {"name": None}, {"name": None, "persistentVolumeClaim": {"claimName": None}}
ENV = {"name": None, "value": None, "valueFrom": {"fieldRef": {"fieldPath": None}}}
CONTAINER = {
    "name": None, "image": None, "command": None, "env": [ENV], "volumeMounts": [{"name": None, "mountPath": None}],
    "ports": [{"name": None, "containerPort": None}],
}  # fmt: skip
POD = {"spec": {"restartPolicy": {"Never", "OnFailure", "Always"}, "terminationGracePeriodSeconds": None,
                "containers": [CONTAINER], "volumes": [CLAIM]}}  # fmt: skip
JOB = {"spec": {"parallelism": None, "completions": None, "completionMode": {"Indexed", "NonIndexed"},
                "backoffLimit": None, "template": POD}}  # fmt: skip
FIELDS = {
    "jobset.yaml": {
        "apiVersion": {"jobset.x-k8s.io/v1alpha2"}, "kind": {"JobSet"}, "metadata": META,
        "spec": {
            "failurePolicy": {"maxRestarts": None},
            "network": {"enableDNSHostnames": None, "publishNotReadyAddresses": None},
            "replicatedJobs": [{"name": None, "replicas": None, "template": JOB}],
        },
    },
    "kubeflow.yaml": {
        "apiVersion": {"kubeflow.org/v1"}, "kind": {"JAXJob"}, "metadata": META,
        "spec": {
            "runPolicy": {"backoffLimit": None},
            "jaxReplicaSpecs": {"Worker": {"replicas": None, "template": POD, "restartPolicy": {
                "Always", "OnFailure", "Never", "ExitCode"}}},
        },
    },
}  # fmt: skip


def check(value, fields, place):
    if isinstance(fields, set):
        assert value in fields, place
    elif isinstance(fields, list):
        for number, one in enumerate(value):
            check(one, fields[0], f"{place}[{number}]")
    elif fields is not None:
        assert set(value) <= set(fields), f"{place} has no {set(value) - set(fields)}"
        for name, one in value.items():
            check(one, fields[name], f"{place}.{name}")


def test_manifests():
    for name, fields in FIELDS.items():
        check(yaml.safe_load((FOLDER / name).read_text()), fields, name)
    (job,) = yaml.safe_load((FOLDER / "jobset.yaml").read_text())["spec"]["replicatedJobs"]
    (container,) = job["template"]["spec"]["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["JAX_NUM_PROCESSES"] == str(job["template"]["spec"]["completions"])
    assert variables["JAX_COORDINATOR_ADDRESS"] == "train-workers-0-0.train:1234"  # JobSet, job, replica, pod


def test_scripts():
    subprocess.run(["bash", "-n", FOLDER / "slurm.sh"], check=True)
    script = (FOLDER / "slurm.sh").read_text()
    assert re.search(r"^#SBATCH --requeue$", script, re.MULTILINE) and "-eq 75" in script
    for program in FOLDER.glob("*.py"):
        compile(program.read_text(), program, "exec")


# What launchers that cannot run here set, in the process `{number}` of two.
VARIABLES = {
    "plain": "JAX_COORDINATOR_ADDRESS=127.0.0.1:{port} JAX_NUM_PROCESSES=2 JAX_PROCESS_ID={number}",
    "Slurm": "SLURM_JOB_ID=7 SLURM_STEP_NODELIST=localhost SLURM_NTASKS=2 SLURM_PROCID={number} SLURM_LOCALID={number} "
    "SLURM_STEP_NUM_NODES=1 JAX_COORDINATOR_PORT={port}",
}
COUNT = """
import lamina as keras
keras.distribution.initialize()
print(len(keras.distribution.list_devices()), "devices")
"""


def environment(**more):
    settings = {"PYTHONPATH": str(start.ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": start.FLAGS}
    return {**os.environ, **settings, **more}


@pytest.mark.parametrize("launcher", VARIABLES)
def test_variables_join_two_processes(launcher):
    port, running = start.free_port(), []
    for number in range(2):
        given = dict(one.split("=") for one in VARIABLES[launcher].format(port=port, number=number).split())
        settings = environment(JAX_NUM_CPU_DEVICES="1", **given)
        running.append(subprocess.Popen([sys.executable, "-c", COUNT], env=settings, stdout=subprocess.PIPE, text=True))
    assert ["2 devices" in one.communicate(timeout=120)[0] for one in running] == [True, True]


LAUNCHERS = {
    "mpirun": ["-np", "2", sys.executable, "train.py"],
    "torchrun": ["--nproc-per-node", "2", "--no-python", sys.executable, "train.py"],
}


def launched(command, **settings):
    ran = subprocess.run(
        command, cwd=FOLDER, env=environment(JAX_NUM_CPU_DEVICES="1", **settings), capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_starts_the_example(launcher, tmp_path):
    program = shutil.which(launcher, path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{launcher} is not installed")
    # Open MPI refuses more processes than cores, and to run as the user of a container, unless it is told
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}  # fmt: skip
    output = launched([program, *LAUNCHERS[launcher], tmp_path / "run"], **allowed)
    assert output.count("Epoch 8/8") == 1  # of the first process
    results = re.findall(r"\{'accuracy'.*\}", output)
    assert len(results) == 2 and len(set(results)) == 1


def test_ray_train_starts_the_example(tmp_path_factory):
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    output = launched([sys.executable, "ray_train.py", tmp_path_factory.mktemp("ray"), "2"], RAY_AUTH_MODE="disabled")
    losses = re.findall(r"\{'loss': (.*), 'devices': 2\}", output)
    assert len(losses) >= 2 and len(set(losses)) == 1
