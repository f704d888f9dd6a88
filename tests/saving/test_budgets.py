"""What a number in a config may cost comes out of the budget of the file, for each class that is exported."""

import json
import math
import time

import pytest

import lamina
from lamina import cli, layers, saving
from lamina.cli.scan_configs import config_findings
from lamina.core import config_values, read_limits
from lamina.core.serialization import deserialize, serialize
from lamina.errors import ConfigError, LaminaError, UnsafeFileError
from lamina.facts.receptive_field import _Reach, _Unknown
from lamina.saving.safety.limits import reading
from tests import contract

FREE = config_values._NO_SIZES | config_values._ANY_NUMBER


def refusals(kinds, values):
    """(layer, argument, value) of each argument of these kinds whose value is not refused before it is used."""
    taken = []
    for name, cls in contract.LAYERS.items():
        described = json.loads(json.dumps(serialize(contract.make_layer(contract.example_of_layer(name)))))
        described.pop("build_config", None)
        for argument, words in config_values._kinds_of(cls).items():
            if not words & kinds or argument in FREE or argument not in described["config"]:
                continue
            for value in values:
                changed = {**described, "config": {**described["config"], argument: value}}
                try:
                    with reading("file", 0):
                        deserialize(changed)
                except (LaminaError, ValueError, TypeError):
                    continue
                taken.append((name, argument, value))
    return taken


@pytest.mark.filterwarnings("ignore")
def test_no_layer_is_made_with_a_size_that_the_file_does_not_explain():
    assert refusals({"int", "Size"}, [10**9, -(10**9), [10**9, 1], "text", {}, math.nan]) == []


@pytest.mark.filterwarnings("ignore")
def test_no_layer_is_made_with_a_number_of_another_kind():
    assert refusals({"float"}, [math.nan]) == []
    assert refusals({"bool"}, [10**9, {}, [1], 0.5]) == []


def test_sizes_that_the_arrays_of_a_file_explain_are_read():
    embedding = serialize(layers.Embedding(10**7, 1))
    refused = pytest.raises(UnsafeFileError, match="input_dim of Embedding is 10000000, but the file holds only 0.0")
    with refused, reading("file", 0):
        deserialize(embedding)
    with reading("file", 4 * 10**7):
        assert deserialize(embedding).input_dim == 10**7
    assert saving.deserialize_keras_object(embedding).input_dim == 10**7  # a config of the program


def test_steps_of_training_are_no_sizes(tmp_path):
    rate = lamina.optimizers.schedules.CosineDecay(0.1, 10**8, warmup_target=0.2, warmup_steps=10**7)
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(rate, gradient_accumulation_steps=3 * 10**6), "mse")
    model.save(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras").compiled  # without a warning


ONE = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "i"}}
LONG = "x" * 10**6


@pytest.mark.parametrize(
    "rows",
    [
        [{"class_name": "InputLayer", "config": {"batch_shape": [None, 1.5]}}],
        [{"class_name": "InputLayer", "config": {"batch_shape": [None, "3"]}}],
        [ONE, {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": "x"}}],
        [ONE, {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": [None, -5]}}],
        [ONE, {"class_name": "Dense", "config": {"units": 2, "dtype": LONG}}],
        [ONE, {"class_name": "Dense", "config": {"units": 2, "activation": LONG}}],
        [ONE, {"class_name": "Dense", "config": {"units": 2, LONG: 1}}],
        [ONE, {"class_name": LONG, "config": {}}],
        [{"class_name": "Dense", "config": 1}] * 200_000,
    ],
    ids=lambda rows: str(rows)[-60:-2],
)
def test_what_no_model_has_is_refused_in_a_moment_and_in_few_words(rows):
    text, start = json.dumps({"class_name": "Sequential", "config": {"layers": rows}}), time.process_time()
    with pytest.raises(LaminaError) as caught:
        saving.model_from_json(text)
    assert time.process_time() - start < 1 and len(str(caught.value)) < 5000


def test_a_place_before_the_first_output_is_refused():
    model = json.loads(lamina.Model(x := lamina.Input((3,)), layers.Dense(2)(x)).to_json())
    model["config"]["output_layers"][2] = -1
    with pytest.raises(LaminaError, match="does not exist"):
        saving.model_from_json(json.dumps(model))


def test_arguments_of_earlier_versions_count_too():
    old = {
        "class_name": "Convolution2D",
        "config": {"nb_filter": 2, "nb_row": 3, "nb_col": 3, "subsample": [10**9] * 2},
    }
    with pytest.raises(LaminaError):
        saving.model_from_json(json.dumps({"class_name": "Sequential", "config": [old], "keras_version": "1.2.2"}))


def test_classes_of_the_program_take_what_they_like():
    class Wide(layers.Layer):
        def __init__(self, number: int = 1, **kwargs):
            super().__init__(**kwargs)
            self.number = number

    with saving.custom_object_scope({"Wide": Wide}), reading("file", 0):
        assert deserialize({"class_name": "Wide", "config": {"number": 10**12}}).number == 10**12


def test_python_code_that_nobody_counted_ends_when_the_seconds_are_used_up():
    start = time.thread_time()
    refused = pytest.raises(UnsafeFileError, match="more CPU time")
    with refused, read_limits.memory_budget(2**20, "it is small", seconds=0.1):
        while True:
            pass
    assert time.thread_time() - start < 5
    with read_limits.cpu_limit(lambda: 0.0, TimeoutError):
        pass  # what was over before the limit was looked at is not disturbed


def test_decompositions_count_as_work():
    with pytest.raises(UnsafeFileError, match="QR decomposition"), reading("file", 0):
        lamina.initializers.Orthogonal()((10_000, 10_000))


def test_receptive_fields_are_not_followed_through_absurd_strides():
    with pytest.raises(_Unknown):
        _Reach().transposed(3, 10**9, 0)
    x = lamina.Input((4, 4, 1))
    model = lamina.Model(x, layers.UpSampling2D(10**6)(layers.Conv2DTranspose(1, 3, strides=10**5)(x)))
    assert model.check() is not None and str(model.explain())


def test_configs_say_of_which_kind_a_value_is():
    with pytest.raises(ConfigError, match=r"rate of Dropout in the config is 'text'; it is a number"):
        deserialize({"class_name": "Dropout", "config": {"rate": "text"}})
    with pytest.raises(ConfigError, match="learning_rate of SGD in the config is nan"):
        deserialize({"module": "keras.optimizers", "class_name": "SGD", "config": {"learning_rate": math.nan}})


SGD, RELU = (
    {"module": "keras.optimizers", "class_name": "SGD", "config": {}},
    {"class_name": "function", "config": "relu"},
)


@pytest.mark.parametrize("described", [{}, SGD, RELU, {"class_name": "MeanSquaredError", "config": {}}])
def test_what_is_no_model_is_refused_as_one(described):
    with pytest.raises(LaminaError):
        saving.model_from_json(json.dumps(described))


DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}
LOSS = {"module": "keras.losses", "class_name": "MeanSquaredError", "config": {}}
FUNCTION_OF_LOSSES = {"module": "keras.losses", "class_name": "function", "config": "mean_squared_error"}
ARGUMENTS = [
    ("layers.Dense", "kernel_initializer"), ("layers.Dense", "kernel_regularizer"), ("layers.Dense", "bias_constraint"),
    ("layers.Dense", "activation"), ("layers.Dense", "dtype"), ("layers.Dense", "activity_regularizer"),
    ("layers.Activation", "activation"), ("layers.Dropout", "seed"), ("layers.TimeDistributed", "layer"),
    ("layers.RNN", "cell"), ("layers.Lambda", "function"), ("losses.LossFunctionWrapper", "fn"),
    ("metrics.MeanMetricWrapper", "fn"), ("optimizers.SGD", "learning_rate"), ("optimizers.Adam", "learning_rate"),
    ("optimizers.schedules.ExponentialDecay", "initial_learning_rate"), ("layers.LayerNormalization", "axis"),
]  # fmt: skip
NEEDED = {"Dense": {"units": 2}, "ExponentialDecay": {"decay_steps": 10, "decay_rate": 0.9}}


def described_with(kind, argument, value):
    module, _, name = kind.rpartition(".")
    return {"module": f"keras.{module}", "class_name": name, "config": {**NEEDED.get(name, {}), argument: value}}


@pytest.mark.parametrize(("kind", "argument"), ARGUMENTS)
def test_arguments_take_objects_of_their_own_family_alone(kind, argument):
    for value in (DENSE, LOSS, SGD, FUNCTION_OF_LOSSES, {}, [1, "a"], "no_such_name", {"a": 1}):
        fits = (value is DENSE and argument == "layer") or (
            value is FUNCTION_OF_LOSSES and argument in ("function", "fn")
        )
        if not fits:
            with pytest.raises((LaminaError, TypeError)):
                deserialize(described_with(kind, argument, value))


@pytest.mark.parametrize(("kind", "argument", "value"), [
    ("optimizers.Adam", "beta_1", -1), ("optimizers.Adam", "learning_rate", 1e308), ("optimizers.SGD", "momentum", 5),
    ("optimizers.SGD", "learning_rate", None), ("layers.BatchNormalization", "momentum", -1),
    ("layers.BatchNormalization", "epsilon", -1), ("layers.BatchNormalization", "momentum", None),
    ("optimizers.schedules.ExponentialDecay", "initial_learning_rate", None),
])  # fmt: skip
def test_numbers_out_of_range_and_nothing_in_place_of_one_are_refused(kind, argument, value):
    with pytest.raises(ConfigError, match=argument):
        deserialize(described_with(kind, argument, value))


def test_what_stands_for_a_value_is_held_against_the_type_too():
    for kind in ("__tuple__", "__numpy__", "__tensor__"):
        hidden = {"class_name": kind, "config": {"value": [10**9, 10**9], "dtype": "int64"}}
        with pytest.raises(UnsafeFileError, match="size of UpSampling2D"), reading("file", 0):
            deserialize({"module": "keras.layers", "class_name": "UpSampling2D", "config": {"size": hidden}})


def test_layers_serve_as_activations_and_the_program_s_classes_anywhere():
    relu = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}
    assert deserialize(described_with("layers.Dense", "activation", relu)).activation.negative_slope == 0.1
    with saving.custom_object_scope({"Mine": lamina.initializers.Zeros, "mine": lamina.ops.cos}):
        mine = {"class_name": "function", "config": "mine", "registered_name": "mine"}
        assert deserialize(described_with("layers.Dense", "activation", mine)).activation is lamina.ops.cos


@pytest.mark.parametrize("ends", ["input_layers", "output_layers"])
def test_a_graph_has_inputs_and_outputs(ends):
    x = lamina.Input((3,))
    described = json.loads(lamina.Model(x, layers.Dense(2)(x)).to_json())
    for nothing in ([], {}, None):
        described["config"][ends] = nothing
        with pytest.raises(ConfigError, match="without inputs or outputs"):
            saving.model_from_json(json.dumps(described))


def test_a_million_layers_are_counted_in_the_text(tmp_path, capsys):
    row, path = ",".join(['{"class_name":"D","config":{}}'] * 1_000_000), tmp_path / "m.json"
    text = f'{{"class_name": "Sequential", "config": {{"layers": [{row}]}}}}'
    path.write_text(text)
    for read in (lambda: saving.model_from_json(text), lambda: saving.load_model(path)):
        start = time.process_time()
        with pytest.raises(UnsafeFileError, match="more than 1000000 lists and dicts"):
            read()
        assert time.process_time() - start < 1
    start = time.process_time()
    assert cli.main(["summary", str(path)]) == 2 and "lists and dicts" in capsys.readouterr().err
    assert time.process_time() - start < 1
    path.write_text('{"a":' * 100_000)
    assert cli.main(["explain", str(path)]) == 2 and "levels deep" in capsys.readouterr().err


@pytest.mark.parametrize("function", [[1, 2], "no_such_function", 5, {}, None])
def test_a_lambda_has_a_function(function):
    with pytest.raises((LaminaError, TypeError)):
        deserialize({"module": "keras.layers", "class_name": "Lambda", "config": {"function": function}})


DENSE = {"class_name": "Dense", "config": {"units": 2, "name": "d"}}


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": [1]}, {"loss": math.nan}, {"loss": DENSE}, {"loss": {"class_name": "type", "config": "Dense"}},
        {"loss": "names_nothing"}, {"loss": {"d": True}}, {"metrics": [math.nan]}, {"weighted_metrics": [[7]]},
        {"metrics": ["names_nothing"]}, {"loss": "mse", "loss_weights": ["x"]}, {"loss_weights": math.inf},
        {"steps_per_execution": "x"}, {"steps_per_execution": 0}, {"steps_per_execution": 10**12},
        {"run_eagerly": "x"}, {"jit_compile": [1]}, {"optimizer": 7}, {"optimizer": [1]},
    ],
)  # fmt: skip
def test_a_model_is_not_compiled_with_settings_of_another_kind(settings):
    described = {"class_name": "Sequential", "config": {"layers": [ONE, DENSE]}, "compile_config": settings}
    with pytest.raises(LaminaError):
        saving.model_from_json(json.dumps(described))


def test_compile_settings_of_the_program_are_read():
    def own(y_true, y_pred):
        return y_true - y_pred

    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])
    model.compile("adam", {"d": own}, loss_weights={"d": 2}, metrics=["acc", own, [lamina.losses.Huber()]])
    copy = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="d")])
    with saving.custom_object_scope({"own": own}):
        copy.compile_from_config(json.loads(json.dumps(model.get_compile_config())))
    assert copy.loss == {"d": own}


@pytest.mark.parametrize("nodes", [7, "x", {"a": 1}, [[[]]], [{}], [{"args": 3, "kwargs": {}}], [None]])
def test_from_config_refuses_what_is_no_graph(nodes):
    rows = [{**ONE, "name": "i", "inbound_nodes": []}, {**DENSE, "name": "d", "inbound_nodes": nodes}]
    graph = {"layers": rows, "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}
    with pytest.raises(LaminaError):
        lamina.Model.from_config(graph)


@pytest.mark.parametrize("ends", ["i", 7, ["i", 0], [[]], {"x": "i"}, [[["i"], 0, 0]]])
def test_from_config_refuses_ends_that_name_no_tensor(ends):
    graph = {"layers": [{**ONE, "name": "i", "inbound_nodes": []}], "output_layers": [["i", 0, 0]]}
    with pytest.raises(LaminaError):
        lamina.Model.from_config({**graph, "input_layers": ends})


@pytest.mark.parametrize("rows", [7, None, [7], [None], ["Dense"], [{"class_name": "Dense", "config": 7}]])
def test_from_config_refuses_what_are_no_layers(rows):
    with pytest.raises(LaminaError):
        lamina.Sequential.from_config({"layers": rows})
    with pytest.raises(LaminaError):
        saving.deserialize_keras_object({"class_name": "Sequential", "config": {"layers": rows}})


def test_more_layers_than_any_model_has_are_counted_before_one_is_made():
    scaling = {"class_name": "Rescaling", "config": {"scale": 1.0}}
    many = {"class_name": "Pipeline", "config": {"layers": [scaling] * 10_001}}
    start = time.thread_time()
    with pytest.raises(UnsafeFileError, match="10002 layers or more"):
        saving.model_from_json(json.dumps({"class_name": "Sequential", "config": {"layers": [many]}}))
    assert time.thread_time() - start < 1


def test_repetitions_of_variables_are_counted_before_they_are_made():
    model = lamina.Sequential([lamina.Input((4,)), layers.Repeat(layers.Dense(4), 2)])
    described = model.to_json().replace('"units": 4', '"units": 110340').replace('"n": 2', '"n": 5850')
    assert '"n": 5850' in described and "110340" in described
    start = time.process_time()
    with pytest.raises(UnsafeFileError, match=r"would take 9.6 GiB, but a description alone may ask for 2 GiB"):
        saving.model_from_json(described)
    assert time.process_time() - start < 2


@pytest.mark.filterwarnings("ignore")
def test_scan_reports_each_size_that_is_refused():
    unseen = []
    for name, cls in contract.LAYERS.items():
        described = json.loads(json.dumps(serialize(contract.make_layer(contract.example_of_layer(name)))))
        for argument, words in config_values._kinds_of(cls).items():
            if words & {"int", "Size"} and argument not in FREE and argument in described["config"]:
                changed = {**described, "config": {**described["config"], argument: [10**9, 1]}}
                unseen += [(name, argument)] * ("memory" not in dict(config_findings(changed, 0)))
    assert unseen == []
    built = {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": [None, 10**9]}}
    assert "memory" in dict(config_findings(built, 0))
    with pytest.raises(UnsafeFileError, match="build_config of Dense"), reading("file", 0):
        deserialize(built)
