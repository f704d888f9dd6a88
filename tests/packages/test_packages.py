"""Packages built on Keras run on lamina through `as_keras()`: as their own introductions use them."""

import importlib.util
import os
import sys

import pytest

from tests.cli.processes import python

START = """
import warnings, tempfile, lamina
warnings.simplefilter("ignore")
keras = lamina.as_keras()
import numpy as np
x = np.random.default_rng(0).normal(size=(16, 6, 2)).astype("float32")
y = x[:, -1, :1]
def trained(*layers):
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile("adam", "mse")
    assert len(model.fit(x, y, batch_size=8, verbose=0).history["loss"]) == 1
    return model
"""
PROGRAMS = {
    "keras_tuner": """
import keras_tuner
def build(hp):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(hp.Int("units", 2, 4)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-2, sampling="log")), "mse")
    return model
with tempfile.TemporaryDirectory() as folder:
    tuner = keras_tuner.RandomSearch(build, "val_loss", max_trials=2, directory=folder)
    tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
    assert tuner.get_best_models(1)[0].predict(x, verbose=0).shape == (16, 1)
    assert set(tuner.get_best_hyperparameters()[0].values) == {"units", "rate"}
""",
    "scikeras": """
import copy, pickle
from scikeras.wrappers import KerasClassifier
def build(meta):
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), keras.layers.Dense(1, activation="sigmoid")])
x, y = x[:, 0], np.arange(16) % 2
estimator = KerasClassifier(build, loss="binary_crossentropy", optimizer="sgd", optimizer__learning_rate=0.1, verbose=0)
estimator.fit(x, y)
assert estimator.predict_proba(x).shape == (16, 2) and set(estimator.history_) == {"loss"}
for again in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
    assert np.allclose(again.predict_proba(x), estimator.predict_proba(x))
""",
    "tcn": """
from tcn import TCN
model = trained(TCN(4, dilations=(1, 2), use_layer_norm=True), keras.layers.Dense(1))
with tempfile.TemporaryDirectory() as folder:
    model.save(folder + "/m.keras")
    again = keras.models.load_model(folder + "/m.keras", custom_objects={"TCN": TCN})
assert np.allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)
""",
    "ncps": """
import ncps.keras
from ncps.wirings import AutoNCP
trained(ncps.keras.LTC(AutoNCP(6, 1)))
trained(ncps.keras.CfC(4, mode="no_gate"), keras.layers.Dense(1))
""",
    "bayesflow": """
import bayesflow
data = {"a": x[:, 0].astype("float64"), "b": x[:, 1].astype("float64")}
names = bayesflow.Adapter().convert_dtype("float64", "float32")
names = names.rename("a", "inference_variables").rename("b", "inference_conditions")
network = bayesflow.networks.FlowMatching(subnet_kwargs={"widths": (8,)})
approximator = bayesflow.approximators.ContinuousApproximator(inference_network=network, adapter=names)
approximator.compile(optimizer="adam")
batches = bayesflow.OfflineDataset(data, batch_size=8, adapter=names)
assert np.isfinite(approximator.fit(dataset=batches, epochs=1, verbose=0).history["loss"]).all()
with tempfile.TemporaryDirectory() as folder:
    approximator.save(folder + "/m.keras")
    again = keras.saving.load_model(folder + "/m.keras")
assert again.sample(num_samples=3, conditions={"b": data["b"][:2]})["a"].shape == (2, 3, 2)
""",
    "keras_rs": """
import keras_rs
trained(keras.layers.Flatten(), keras_rs.layers.FeatureCross(projection_dim=2), keras.layers.Dense(1))
metric = keras_rs.metrics.NDCG(k=2)
metric.update_state([[1.0, 0.0, 2.0]], [[0.2, 0.1, 0.4]])
assert float(metric.result()) == 1
""",
}


@pytest.mark.parametrize("package", PROGRAMS)
def test_package(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    found = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = python("-W", "ignore", "-c", START + PROGRAMS[package], env=found)
    assert done.returncode == 0, done.stderr[-3000:]
