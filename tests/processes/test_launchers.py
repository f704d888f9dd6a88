"""The scripts and manifests of examples/launchers: their syntax, their fields, and what they say about each other."""

import pathlib
import re
import subprocess

import yaml

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
