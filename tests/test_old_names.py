"""Imports of programs for Keras 0.3 to 2.15: each runs, or its error says what replaces it."""

import json
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import lamina as keras
from lamina import legacy
from lamina.errors import CallError, ConfigError, LaminaError
from lamina.legacy import OldNameError, OldSpelling

IMPORTS = (Path(__file__).parent / "old_imports.txt").read_text("utf-8").splitlines()


def single_imports(lines):
    """Each name of each line by itself, since the first error would hide the others."""
    for line in lines:
        found = re.fullmatch(r"from (\S+) import ([^*]+)", line)
        yield from [f"from {found[1]} import {name.strip()}" for name in found[2].split(",")] if found else [line]


def outcome(line):
    """None where it runs, else the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        try:
            exec(line, {})
        except ImportError as error:
            return error
    return None


def test_every_import_runs_or_says_what_replaces_it():
    lines = [line for line in single_imports(IMPORTS) if re.match(r"(from|import) keras\b(?!\.api)", line)]
    outcomes = {line: outcome(re.sub(r"\bkeras\b", "lamina", line, count=1)) for line in lines}
    failed = {line: error for line, error in outcomes.items() if error is not None}
    unhelpful = [line for line, error in failed.items() if not (isinstance(error, LaminaError) and error.fix)]
    assert not unhelpful, unhelpful
    assert len(IMPORTS) > 250 and len(outcomes) > 800 and len(failed) < 130, (len(outcomes), len(failed))


AS_KERAS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import lamina
lamina.as_keras()
failed = {}
for line in json.load(sys.stdin):
    try:
        exec(line, {})
    except ImportError as error:
        failed[line] = [type(error).__name__, str(error)]
print(json.dumps(failed))
"""


def test_the_same_as_keras_and_as_tensorflow():
    lines = list(single_imports(line for line in IMPORTS if not re.match(r"(from|import) keras\b(?!\.api)", line)))
    run = [sys.executable, "-c", AS_KERAS]
    done = subprocess.run(run, input=json.dumps(lines), capture_output=True, text=True, check=True)
    failed = json.loads(done.stdout.splitlines()[-1])
    unhelpful = {line: error for line, error in failed.items() if "\n" not in error[1]}
    assert len(lines) > 60 and not unhelpful, (len(lines), unhelpful)
    assert len(failed) < 4, failed


def code_and_prose():
    advice = sorted({*legacy.GONE.values(), *legacy.GONE_MODULES.values()})
    return [one for one in advice if not one.endswith(".")], [one for one in advice if one.endswith(".")]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return np.zeros((8, 8)), np.zeros((8, 8))


def test_what_replaces_a_name_is_code_that_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.zeros((8, 8), "float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8)])
    model.compile("sgd", "mse")
    model.save_weights("old.weights.h5")
    names = {
        "keras": keras, "pickle": pickle, "np": np, "x": x, "y": x, "inputs": keras.Input((8,)), "dataset": Batches(),
        "sequences": np.zeros((2, 3, 4)), "sample_weight": np.ones(8), "optimizer": "sgd", "loss": "mse",
    }  # fmt: skip
    code, prose = code_and_prose()
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: ((x, x), (x, x)))
    for line in code:
        exec(line, {**names, "model": model})
    keras.distribution.set_distribution(None)
    named = {name for line in prose for name in re.findall(r"keras(?:\.\w+)+", line)}
    assert named and all(eval(name, names) for name in named)


# Gone, and told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from lamina.layers import SequenceFeatures", "FeatureSpace"),
        ("from lamina.engine.training import _make_batches", "train_step"),
        ("from lamina.metrics import fmeasure", "keras.metrics.F1Score()"),
        ("import lamina.estimator", "model.fit(x, y)"),
        ("from lamina.engine.topology import nothing_of_this_name", "print(dir(keras.layers))"),
        ("from lamina.utils import warmstart_embedding_matrix", "layer.embeddings.assign(rows)"),
        ("from lamina.utils import SidecarEvaluator", "validation_split"),
    ],
)
def test_an_import_that_cannot_run(line, words):
    error = outcome(line)
    assert isinstance(error, LaminaError) and words in error.fix and "lamina" not in str(error)


def test_an_attribute_that_is_gone():
    with pytest.raises(OldNameError, match="keras.layers.SequenceFeatures is gone") as caught:
        keras.layers.SequenceFeatures  # noqa: B018
    assert "FeatureSpace" in caught.value.fix
    assert not hasattr(keras.layers, "SequenceFeatures") and not hasattr(keras, "no_such")
    assert isinstance(outcome("from lamina.layers import Densee"), ImportError)
    assert isinstance(outcome("import lamina.layers.no_such"), ModuleNotFoundError)
    assert isinstance(outcome("import lamina.engine.no_such"), ImportError)


def test_sessions():
    from lamina import backend as K

    with pytest.warns(OldSpelling, match="XLA_PYTHON_CLIENT_PREALLOCATE"):
        K.set_session(None)
    for call in (K.get_session, lambda: K.gradients(1, 2)):
        with pytest.raises(CallError) as caught:
            call()
        assert caught.value.fix
    with pytest.raises(CallError, match="learning phase"), K.learning_phase_scope(1):
        pass
    with K.learning_phase_scope(0), pytest.warns(OldSpelling):
        K.manual_variable_initialization(True)
    assert K.is_placeholder(keras.Input((2,))) and not K.is_placeholder(1) and not K.is_sparse(np.zeros(2))
    np.testing.assert_equal(K.to_dense(np.ones(2)), np.ones(2))
    assert K.print_tensor(keras.ops.ones(2), "x is ").shape == (2,)


# Layers


def old(which, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        return getattr(keras.layers, which)(*args, **kwargs)


A, B = np.array([[1.0, 2.0, 2.0]], "float32"), np.array([[2.0, 0.0, 1.0]], "float32")
MODES = {
    "sum": A + B, "mul": A * B, "ave": (A + B) / 2, "max": np.maximum(A, B), "min": np.minimum(A, B), "sub": A - B,
    "concat": np.hstack([A, B]), "dot": [[4.0]], "cos": [[4 / (3 * np.sqrt(5))]],
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_merge(mode):
    np.testing.assert_allclose(old("Merge", mode=mode)([A, B]), MODES[mode], 1e-6)
    x, y = keras.Input((3,)), keras.Input((3,))
    merged = old("merge", [x, y], mode=mode, name="both")
    assert merged.shape == (None, np.shape(MODES[mode])[1])


def test_merge_by_a_function_and_merge_of_models(tmp_path):
    np.testing.assert_allclose(old("merge", [A, B], mode=lambda both: both[0] - 2 * both[1]), A - 2 * B)
    with pytest.warns(OldSpelling, match=r"Merge\(mode='concat'\) is Concatenate\(axis=-1\)"):
        keras.models.merge.Merge(mode="concat")
    branches = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(2)]
    model = keras.Sequential()
    model.add(old("Merge", branches, mode="concat", concat_axis=1))
    model.add(keras.layers.Dense(1))
    assert model.output_shape == (None, 1) and model.input_shape == [(None, 3), (None, 3)]
    model.compile("sgd", "mse")
    model.fit([A, B], np.ones((1, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict([A, B], verbose=0), model.predict([A, B], verbose=0))


def test_other_layers_of_earlier_versions():
    assert old("AtrousConvolution2D", 4, 3, 3, atrous_rate=(2, 2)).dilation_rate == (2, 2)
    made = old("Deconvolution2D", 4, 3, 3, output_shape=(None, 8, 8, 4), subsample=(2, 2), border_mode="same")
    assert type(made).__name__ == "Conv2DTranspose" and made.strides == (2, 2)
    assert old("TimeDistributedDense", 4)(np.zeros((2, 3, 5), "float32")).shape == (2, 3, 4)
    np.testing.assert_allclose(old("ThresholdedReLU", theta=0.5)(np.array([0.4, 0.6], "float32")), [0, 0.6])
    assert old("SyncBatchNormalization").synchronized
    assert old("Highway")(np.zeros((2, 3), "float32")).shape == (2, 3)
    assert old("MaxoutDense", 2)(np.zeros((2, 3), "float32")).shape == (2, 2)


@pytest.mark.parametrize(
    ("kind", "kernel"),
    [("gaussian", lambda d: np.exp(-(d**2).sum() / 2 / 1.5)), ("laplacian", lambda d: np.exp(-np.abs(d).sum()))],
)
def test_random_fourier_features(kind, kernel):
    """Twice the mean product of two rows approximates the kernel of their difference, for its default width."""
    layer = old("RandomFourierFeatures", 20_000, kind)
    x = np.array([[0.1, 0.4, -0.3], [0.5, 0.2, 0.2]], "float32")
    features = np.asarray(layer(x))
    np.testing.assert_allclose(2 * features[0] @ features[1] / 20_000, kernel(x[0] - x[1]), atol=0.03)
    again = type(layer).from_config(layer.get_config())
    assert again(x).shape == (2, 20_000) and again.get_config() == layer.get_config() and not layer.trainable_variables


@pytest.mark.parametrize(("name", "axis"), [("RandomHeight", -3), ("RandomWidth", -2)])
def test_layers_that_draw_the_size_of_their_outputs(name, axis):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        layer = getattr(keras.layers, name)((-0.5, 0.5), seed=3)
    x = np.random.default_rng(0).random((2, 8, 8, 3)).astype("float32")
    sizes = {layer(x, training=True).shape[axis] for _ in range(12)}
    assert len(sizes) > 3 and min(sizes) >= 4 and max(sizes) <= 12
    np.testing.assert_array_equal(layer(x), x)
    images = layer(keras.Input((8, 8, 3)))
    assert images.shape[axis] is None and type(layer).from_config(layer.get_config()).factor == (-0.5, 0.5)
    rows = layer(x, training=True).shape[1:3]
    expected = keras.ops.image.resize(x, rows)  # of another size than the next one, which is drawn anew
    assert expected.shape[1:3] == rows
    model = keras.Sequential([keras.Input((8, 8, 3)), layer, keras.layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(x, np.zeros((2, 3)), verbose=0)
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=f"{name} draws the size") as error:
        model.fit(x, np.zeros((2, 3)), verbose=0)
    assert "RandomZoom" in error.value.fix
    with pytest.raises(ValueError, match="a pair in order"):
        type(layer)((0.5, 0.1))


def test_category_crossing():
    """As the table of examples of Keras 2.6 has it: all columns, or as many as `depth` says, from one on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        crossing = keras.layers.CategoryCrossing
    columns = [np.array([["1"], ["2"]]), np.array([["a"], ["b"]]), np.array([[5], [6]])]
    assert crossing()(columns[:2]).tolist() == [["1_X_a"], ["2_X_b"]]
    assert crossing(depth=2)(columns[:2]).tolist() == [["1", "a", "1_X_a"], ["2", "b", "2_X_b"]]
    assert crossing(depth=(2, 3), separator="-")(columns).tolist() == [
        ["1-a", "1-5", "a-5", "1-a-5"], ["2-b", "2-6", "b-6", "2-b-6"]]  # fmt: skip
    assert crossing()([["x", "y"], [["p", "q"], ["r", "s"]]]).tolist() == [["x_X_p", "x_X_q"], ["y_X_r", "y_X_s"]]
    layer = crossing(depth=2)
    assert layer.compute_output_shape([(None, 1), (None, 2)]) == (None, 5)
    assert crossing.from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(ValueError, match="joins 3 columns; got 2"):
        crossing(3)(columns[:2])


# YAML


def from_yaml(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        from lamina.models import model_from_yaml
    return model_from_yaml(text)


def test_models_as_yaml_of_keras_1_and_2():
    old = """
backend: tensorflow
class_name: Sequential
config:
- class_name: Dense
  config:
    activation: relu
    activity_regularizer: null
    batch_input_shape: !!python/tuple [null, 8]
    bias_initializer:
      class_name: Zeros
      config: {}
    dtype: !!python/unicode 'float32'
    kernel_initializer: &id001
      class_name: VarianceScaling
      config: {distribution: uniform, mode: fan_avg, scale: 1.0, seed: null}
    name: dense_1
    trainable: true
    units: 12
    use_bias: true
- class_name: Dense
  config: {activation: sigmoid, kernel_initializer: *id001, name: dense_2, units: 1, use_bias: true}
keras_version: 2.0.2
"""
    model = from_yaml(old)
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2"] and model.input_shape == (None, 8)
    assert model.layers[0].activation is keras.activations.relu and model.layers[1].units == 1
    from lamina.saving.formats.yaml_text import yaml_of

    assert from_yaml(yaml_of(model)).get_config() == model.get_config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class_name: !!python/object/apply:os.system ['true']", "object of Python"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)), "parts"),
        ("a: [1, 2", "not YAML"),
        ("a: &a [*a]", "parts"),
        ("[1, 2]", "not of a model"),
    ],
)  # fmt: skip
def test_yaml_that_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        from_yaml(text)


# scikit-learn


def classifier(units=3, last=3):
    layers = [keras.Input((4,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(last, "softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def estimators():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpelling)
        from lamina.wrappers.scikit_learn import KerasClassifier, KerasRegressor
    return KerasClassifier, KerasRegressor


def test_keras_classifier():
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    KerasClassifier, _ = estimators()
    x, y = load_iris(return_X_y=True)
    labels = np.array(["a", "b", "c"])[y]
    estimator = KerasClassifier(build_fn=classifier, nb_epoch=20, batch_size=16, verbose=0)
    estimator.fit(x, labels)
    assert list(estimator.classes_) == ["a", "b", "c"] and len(estimator.history.epoch) == 20
    assert estimator.predict_proba(x).shape == (150, 3) and set(estimator.predict(x)) <= set("abc")
    assert estimator.score(x, labels) == np.mean(estimator.predict(x) == labels)
    assert estimator.get_params()["build_fn"] is classifier and estimator.set_params(units=4).get_params()["units"] == 4
    assert estimator.filter_sk_params(classifier) == {"units": 4}
    small = KerasClassifier(build_fn=classifier, epochs=1, verbose=0)
    assert len(cross_val_score(make_pipeline(StandardScaler(), small), x, y, cv=2)) == 2
    search = GridSearchCV(small, {"units": [2, 3]}, cv=2).fit(x, y)
    assert search.best_params_["units"] in (2, 3)


def test_keras_classifier_of_one_output_of_one_hot_labels_and_of_a_subclass():
    KerasClassifier, _ = estimators()

    class Mine(KerasClassifier):
        def __call__(self, units=1):
            model = keras.Sequential(
                [keras.Input((2,)), keras.layers.Dense(units, "sigmoid" if units == 1 else "softmax")]
            )
            model.compile("sgd", "binary_crossentropy" if units == 1 else "categorical_crossentropy")
            return model

    x = np.eye(2)
    assert Mine(epochs=1, verbose=0).fit(x, [3, 7]).epoch == [0]
    mine = Mine(verbose=0)
    mine.fit(x, [3, 7])
    assert set(mine.predict(x)) <= {3, 7} and mine.predict_proba(x).shape == (2, 2)
    hot = Mine(units=2, verbose=0)
    hot.fit(x, x)
    assert 0 <= hot.score(x, x) <= 1
    with pytest.raises(ConfigError, match="'unit'"):
        KerasClassifier(build_fn=classifier, unit=3)
    with pytest.raises(ConfigError, match="not trained"):
        KerasClassifier(build_fn=classifier).predict(x)


def test_keras_regressor():
    _, KerasRegressor = estimators()

    def make():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    estimator = KerasRegressor(build_fn=make, epochs=2, verbose=0)
    estimator.fit(np.eye(2), np.array([1.0, 2.0]))
    assert estimator.predict(np.eye(2)).shape == (2,) and estimator.score(np.eye(2), np.array([1.0, 2.0])) <= 0


def test_reductions_and_states_as_in_keras_2():
    with pytest.warns(OldSpelling, match="sum_over_batch_size"):
        reduction = keras.losses.Reduction
    assert keras.losses.MeanSquaredError(reduction=reduction.NONE)([[1.0], [3.0]], [[0.0], [0.0]]).tolist() == [1, 9]
    assert reduction.AUTO == reduction.SUM_OVER_BATCH_SIZE == "sum_over_batch_size" and reduction.SUM == "sum"
    reduction.validate("sum")
    with pytest.raises(ConfigError, match="Invalid reduction"):
        reduction.validate("median")
    metric = keras.metrics.Mean()
    metric.update_state([1.0, 3.0])
    with pytest.warns(OldSpelling, match="reset_state"):
        metric.reset_states()
    assert float(metric.result()) == 0


# Functions


def test_functions_of_utils(tmp_path):
    from lamina.applications import imagenet_utils
    from lamina.utils import old_functions as utils

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(6)
    with pytest.warns(OldSpelling, match="h5py"):
        assert utils.HDF5Matrix(tmp_path / "x.h5", "x", 1, 3, lambda x: 2 * x).tolist() == [2, 4]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.warns() as told:
        assert utils.multi_gpu_model(model, gpus=64) is model
    assert "DataParallel" in str(told[0].message) and "runs on one" in str(told[1].message)
    lines = []
    utils.print_summary(model, print_fn=lambda line, **_: lines.append(line))
    assert lines and utils.count_params(model.weights) == 9
    assert utils.probas_to_classes([[0.2], [0.7]]).tolist() == [0, 1]
    assert utils.categorical_probas_to_classes([[0.2, 0.8]]).tolist() == [1]
    assert utils.convert_kernel(np.arange(4).reshape(2, 2, 1, 1)).ravel().tolist() == [3, 2, 1, 0]
    for padding in ("same", "valid", "causal"):
        layer = keras.layers.Conv1D(1, 3, strides=2, padding=padding)
        assert utils.conv_output_length(9, 3, padding, 2) == layer.compute_output_shape((1, 9, 1))[1]
    for padding in ("same", "valid"):
        layer = keras.layers.Conv1DTranspose(1, 3, strides=2, padding=padding)
        assert utils.deconv_length(9, 2, 3, padding) == layer.compute_output_shape((1, 9, 1))[1]
    assert utils.conv_input_length(4, 3, "valid", 2) == 9 and utils.normalize_tuple(2, 3, "size") == (2, 2, 2)
    assert utils.to_list(1) == [1] and utils.unpack_singleton([1]) == 1 and utils.is_all_none([None])
    assert utils.has_arg(utils.has_arg, "name") and utils.to_snake_case("MaxPooling2D") == "max_pooling2d"
    assert utils.slice_arrays([A, None], 0, 1)[0].shape == (1, 3) and utils.object_list_uid([A])
    (x, y), (x_test, _) = utils.get_test_data(nb_train=6, nb_test=2, input_shape=(3,), nb_class=2)
    assert x.shape == (6, 3) and y.shape == (6,) and x_test.shape == (2, 3)
    assert utils.normalize_padding("SAME") == "same"
    assert imagenet_utils.obtain_input_shape(None, 224, 32) == (224, 224, 3)
    assert imagenet_utils.obtain_input_shape((64, 48, 3), 224, 32, weights=None) == (64, 48, 3)
