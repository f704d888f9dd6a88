"""MLflow against its own server on SQLite, Weights & Biases offline, in one process of their own."""

import json
import subprocess
import sys

import numpy as np
import pytest

import lamina as keras
from lamina.callbacks.trackers import settings_of

RUNS = """
import glob, json, os, threading
os.environ.update(_MLFLOW_SERVER_FILE_STORE="sqlite:///server.db", _MLFLOW_SERVER_ARTIFACT_ROOT="./artifacts",
                  MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", WANDB_SILENT="true")
import mlflow, wandb
import numpy as np
from mlflow.server import app
from werkzeug.serving import make_server
import lamina as keras

server = make_server("127.0.0.1", 0, app)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.25), "mse", metrics=["mae"])

class Kill(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise RuntimeError("killed")

def fit(*callbacks):
    x, y = np.ones((8, 2)), np.ones((8, 1))
    try:
        return model.fit(x, y, epochs=2, validation_split=0.5, verbose=0, callbacks=callbacks)
    except RuntimeError:
        return None

def run_of(run_id):
    run = mlflow.get_run(run_id)
    return {"metrics": run.data.metrics, "params": run.data.params, "status": run.info.status}

uri = f"http://127.0.0.1:{server.port}"
tracker = keras.callbacks.MLflow(uri, experiment="digits", run_name="first", log_model=True, tags={"a": "b"})
history = fit(tracker).history
found = {"history": history, "first": run_of(tracker.run_id), "open": mlflow.active_run() is not None}
found["tags"] = mlflow.get_run(tracker.run_id).data.tags.get("a")
found["steps"] = [one.step for one in mlflow.MlflowClient().get_metric_history(tracker.run_id, "val_loss")]
files = mlflow.artifacts.list_artifacts(run_id=tracker.run_id, artifact_path="model")
found["files"] = [one.path for one in files]
killed = keras.callbacks.MLflow()
fit(killed, Kill())
found["killed"] = run_of(killed.run_id)["status"]
with mlflow.start_run() as mine:
    inside = keras.callbacks.MLflow()
    fit(inside), fit(inside)
    found["mine"] = [inside.run_id == mine.info.run_id, run_of(inside.run_id)["status"]]

tracker = keras.callbacks.WandB(project="digits", mode="offline", dir=".", config={"a": 1}, log_model=True)
fit(tracker)
found["wandb"] = [len(glob.glob("wandb/offline-run-*/*.wandb")), wandb.run is None]
run = wandb.init(mode="offline", dir=".")
fit(keras.callbacks.WandB())
found["wandb_open"] = [wandb.run is run, run.summary["epoch"], run.summary["val_mae"], run.config["optimizer"]]
run.finish()
server.shutdown()
print(json.dumps(found))
"""


def test_runs_as_the_trackers_keep_them(tmp_path):
    pytest.importorskip("wandb"), pytest.importorskip("mlflow"), pytest.importorskip("flask")
    done = subprocess.run([sys.executable, "-c", RUNS], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    first, last = found["first"], {name: values[-1] for name, values in found["history"].items()}
    assert first["status"] == "FINISHED" and not found["open"] and found["steps"] == [0, 1] and found["tags"] == "b"
    assert first["metrics"] == pytest.approx(last)
    wanted = {"model": "sequential", "parameters": "3", "epochs": "2", "loss": "mse", "optimizer": "Adam"}
    assert wanted.items() <= first["params"].items() and float(first["params"]["optimizer.learning_rate"]) == 0.25
    assert found["files"] == ["model/model.keras"] and found["killed"] == "FAILED"
    assert found["mine"] == [True, "RUNNING"]
    assert found["wandb"] == [1, True]
    assert found["wandb_open"][:2] == [True, 1] and found["wandb_open"][3] == "Adam"


@pytest.mark.parametrize(("name", "package"), [("MLflow", "mlflow"), ("WandB", "wandb")])
def test_without_the_package(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    says = rf"keras.callbacks.{name} needs the package {package}, [\s\S]*pip install {package}"
    with pytest.raises(ImportError, match=says):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0, callbacks=[getattr(keras.callbacks, name)()])


def test_settings():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model.compile(keras.optimizers.SGD(rate), keras.losses.Huber())
    settings = settings_of(model, {"epochs": 3, "steps": None})
    assert (
        settings["optimizer.learning_rate"].startswith("CosineDecay(initial_learning_rate=0.1")
        and "steps" not in settings
    )
    assert settings["loss"] == "huber" or "uber" in settings["loss"]
    json.dumps(settings)
