"""What every exported layer, loss, metric, optimizer, initializer, regularizer and constraint must do.

`test_contract.py` runs each check here over all that is exported. A layer's example comes from the `EXAMPLES` of the
tests in tests/layers; other classes have theirs in the tables below if no arguments and the default data do not suit.
"""

import contextlib
import copy
import importlib
import inspect
import json
import pathlib
import pickle
import re
from collections import namedtuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.core import Tracer

import lamina
from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor, set_mask
from lamina.core.serialization import deserialize, serialize
from lamina.errors import ConfigError, LaminaError
from lamina.optimizers import OptimizerMap

BATCH = 2
LAYER_TESTS = pathlib.Path(__file__).parent / "layers"

Example = namedtuple("Example", "name cls kwargs shapes")
"""`kwargs` makes the arguments, new each time; `shapes` is the shape of one sample, or a list of them, or an `Each` of
what each argument of the call gets."""


class Each(tuple):
    """The shapes of the arguments of a layer that is called with several."""


SEVERAL_ARGUMENTS = {
    "SimpleRNNCell": (lambda: dict(units=3), Each([(2,), (3,)])),
    "GRUCell": (lambda: dict(units=3), Each([(2,), (3,)])),
    "LSTMCell": (lambda: dict(units=3), Each([(2,), [(3,), (3,)]])),
    "StackedRNNCells": (
        lambda: dict(cells=[lamina.layers.GRUCell(3), lamina.layers.GRUCell(2)]), Each([(2,), [(3,), (2,)]]),
    ),
    "MultiHeadAttention": (lambda: dict(num_heads=2, key_dim=3), Each([(4, 6), (5, 6)])),
    "GroupQueryAttention": (
        lambda: dict(head_dim=3, num_query_heads=4, num_key_value_heads=2), Each([(4, 6), (5, 6)]),
    ),
}  # fmt: skip


def exported(module, base, abstract=()):
    """name -> class of the concrete classes below `base` that a module exports under their own names."""
    names = getattr(module, "__all__", dir(module))
    found = {name: getattr(module, name) for name in names}
    return {
        name: cls
        for name, cls in found.items()
        if type(cls) is type  # no old name of a class (legacy.OldClass)
        and issubclass(cls, base)
        and cls.__name__ == name
        and name not in (base.__name__, *abstract)
    }


# Layers


def examples_of_layers():
    """name -> (kwargs maker, shapes): all `EXAMPLES` of the tests of layers."""
    found = dict(SEVERAL_ARGUMENTS)
    for path in sorted(LAYER_TESTS.rglob("test_*.py")):
        name = ".".join(("tests.layers", *path.relative_to(LAYER_TESTS).with_suffix("").parts))
        found.update(getattr(importlib.import_module(name), "EXAMPLES", {}))
    return found


LAYERS = exported(
    lamina.layers,
    lamina.layers.Layer,
    abstract=("FlaxLayer", "InputLayer", "TFSMLayer", "TorchModuleWrapper", "Wrapper"),
)
_examples = examples_of_layers()


def example_of_layer(name):
    """The example of a layer; fails where its tests offer none."""
    if name not in _examples:
        pytest.fail(
            f'{name} has no example. Its test in tests/layers needs EXAMPLES["{name}"] = (lambda: dict(...), shape).'
        )
    return Example(name, LAYERS[name], *_examples[name])


def symbols(example, dtype, batch=None):
    """Symbolic tensors, one for each argument of a call."""
    return _each(example.shapes, lambda shape: lamina.Input(shape, batch, dtype=dtype))


def arrays(example, dtype, seed=0):
    """Arrays, one for each argument of a call."""
    source = np.random.default_rng(seed)

    def draw(shape):
        if "int" in dtype:
            return source.integers(0, 3, (BATCH, *shape))
        if dtype == "string":
            return source.choice(["a", "b", "c d"], (BATCH, *shape)).astype(object)
        return source.normal(size=(BATCH, *shape)).astype("float32")

    return _each(example.shapes, draw)


def _each(shapes, make):
    if isinstance(shapes, Each):
        return [_structure(one, make) for one in shapes]
    return [_structure(shapes, make)]


def _structure(shapes, make):
    return [make(one) for one in shapes] if isinstance(shapes, list) else make(tuple(shapes))


def make_layer(example, **more):
    return example.cls(**example.kwargs(), **more)


def input_type(layer):
    return layer.input_dtype if layer.input_dtype == "string" or "int" in str(layer.input_dtype) else "float32"


def called(example, **more):
    """(layer, inputs, outputs) of a layer called on arrays in inference."""
    layer = make_layer(example, **more)
    inputs = arrays(example, input_type(layer))
    return layer, inputs, layer(*inputs, training=False)


@contextlib.contextmanager
def policy(name):
    before = lamina.config.dtype_policy()
    lamina.config.set_dtype_policy(name)
    try:
        yield
    finally:
        lamina.config.set_dtype_policy(before)


def assert_equal(one, other, tolerance=1e-6):
    """Structures of arrays are the same in structure, types and values."""
    one, other = tree.flatten(one), tree.flatten(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype and tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(np.asarray(a, "float64"), np.asarray(b, "float64"), tolerance, tolerance)


def layer_draws_what_it_computes(example):
    """The symbolic outputs, with an open batch, have the computed ones' shapes and types; no trace stays behind."""
    layer = make_layer(example)
    drawn = layer(*symbols(example, input_type(layer)))
    assert all(isinstance(tensor, KerasTensor) for tensor in tree.flatten(drawn))
    assert_no_tracers(layer)
    computed = layer(*arrays(example, input_type(layer)))
    for tensor, array in zip(tree.flatten(drawn), tree.flatten(computed), strict=True):
        assert tuple(BATCH if size is None else size for size in tensor.shape) == array.shape
        assert tensor.dtype == str(array.dtype)
    assert layer.built


def assert_no_tracers(layer):
    for part in layer._flatten_layers():
        for name, value in vars(part).items():
            for leaf in jax.tree.leaves(value):
                assert not isinstance(leaf, Tracer), f"{part.name}.{name} holds a tracer"
    for variable in layer.variables:
        assert not isinstance(variable.value, Tracer), f"{variable.path} holds a tracer"


POLICIES = {
    "float32": ("float32", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
    "bfloat16": ("bfloat16", "bfloat16"),
}


def layer_follows_policies(example):
    """Float outputs have the compute type, weights the variable type, of whatever policy."""
    plain = tree.flatten(make_layer(example)(*symbols(example, input_type(make_layer(example)))))
    for name, (compute, variable) in POLICIES.items():
        with policy(name):
            layer = make_layer(example)
            outputs = tree.flatten(layer(*symbols(example, input_type(layer))))
        assert layer.compute_dtype == compute and layer.variable_dtype == variable
        expected = [compute if "float" in tensor.dtype else tensor.dtype for tensor in plain]
        assert [tensor.dtype for tensor in outputs] == expected
        assert {v.dtype for v in layer.trainable_weights} <= {variable}


def layer_trains_in_a_compiled_step(example):
    """Under jit and grad: a finite gradient for every trainable weight, the same outputs, and no trace left behind."""
    layer, inputs, expected = called(example)
    others = [variable.value for variable in layer.non_trainable_variables]

    @jax.jit
    def step(weights):
        def loss(weights):
            outputs, _ = layer.stateless_call(weights, others, *inputs, training=False)
            return sum(jnp.vdot(out, jnp.cos(jnp.arange(out.size))) for out in tree.flatten(outputs)), outputs

        return jax.grad(loss, has_aux=True)(weights) if weights else ([], loss(weights)[1])

    gradients, outputs = step([variable.value for variable in layer.trainable_variables])
    assert_equal(outputs, expected, 1e-5)
    assert_no_tracers(layer)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        assert gradient.shape == variable.shape and bool(jnp.all(jnp.isfinite(gradient))), variable.path
    assert not gradients or any(bool(jnp.any(gradient != 0)) for gradient in gradients)


def layer_is_its_config(example):
    """from_config(get_config()) with the same weights gives the same outputs; the same through serialize and JSON."""
    layer, inputs, expected = called(example)
    described = serialize(layer)
    for other in (type(layer).from_config(layer.get_config()), deserialize(json.loads(json.dumps(described)))):
        assert type(other) is type(layer) and other.name == layer.name
        other(*inputs, training=False)
        other.set_weights(layer.get_weights())
        assert_equal(other(*inputs, training=False), expected)
        assert json.dumps(serialize(other)) == json.dumps(described)


def layer_tells_its_names(example):
    """repr names class and layer; each weight has a name, and a path of its own that starts with the layer's."""
    layer, _, _ = called(example, name="the_layer")
    assert type(layer).__name__ in repr(layer) and "the_layer" in repr(layer)
    paths = [weight.path for weight in layer.weights]
    assert all(weight.name for weight in layer.weights) and len(set(paths)) == len(paths)
    assert all(path.startswith("the_layer/") for path in paths)


def layer_refuses_unknown_arguments(example):
    with pytest.raises(ConfigError, match=example.name) as caught:
        make_layer(example, no_such_argument=1)
    assert "no_such_argument" in str(caught.value)


def layer_says_which_shape_it_cannot_take(example):
    """Inputs with an axis too few or too many work, or raise a LaminaError that names the layer."""
    for wrong in (lambda array: array[0], lambda array: array[None]):
        layer = make_layer(example, name="the_layer")
        inputs = tree.map_structure(wrong, arrays(example, input_type(layer)))
        try:
            layer(*inputs)
        except LaminaError as error:
            assert re.search(r"In the_layer.* \(\w+\), called with", str(error)), str(error)


def layer_takes_training(example):
    """training=None, False and True are accepted; None is inference, unless `call` says otherwise."""
    layer, inputs, expected = called(example)
    default = inspect.signature(layer.call).parameters.get("training")
    if default is None or default.default is not True:
        assert_equal(layer(*inputs, training=None), expected)
    trained = layer(*inputs, training=True)
    assert [out.shape for out in tree.flatten(trained)] == [out.shape for out in tree.flatten(expected)]


def layer_can_be_frozen(example):
    """trainable=False, at the start or later, leaves nothing to train and loses nothing."""
    layer, inputs, _ = called(example, trainable=False)
    assert layer.trainable_variables == [] and not layer.trainable
    layer.trainable = True
    thawed = len(layer.trainable_variables)
    other, _, _ = called(example)
    assert thawed == len(other.trainable_variables)
    other.trainable = False
    assert other.trainable_weights == [] and len(other.weights) == len(layer.weights)
    other(*inputs)


def layer_is_pure_in_stateless_call(example):
    """stateless_call gives the outputs and the new state of a call in training, and changes nothing."""
    layer, inputs, _ = called(example)
    before = [variable.numpy() for variable in layer.variables]
    trainable, others = layer.trainable_variables, layer.non_trainable_variables
    values = [variable.value for variable in trainable], [variable.value for variable in others]
    outputs, updated = layer.stateless_call(*values, *inputs, training=True)
    assert_equal([variable.value for variable in layer.variables], before)
    expected = layer(*inputs, training=True)
    assert_equal(outputs, expected)
    assert_equal(updated, [variable.value for variable in others])


def layer_keeps_its_variables(example):
    """What save_own_variables of a layer and of the layers inside wrote, load_own_variables reads."""
    layer, inputs, expected = called(example)
    other = type(layer).from_config(layer.get_config())
    other(*inputs, training=False)
    for source, target in zip(layer._flatten_layers(), other._flatten_layers(), strict=True):
        store = {}
        source.save_own_variables(store)
        assert all(isinstance(value, np.ndarray) for value in store.values())
        target.load_own_variables(store)
    assert_equal(other.get_weights(), layer.get_weights(), 0)
    assert_equal(other(*inputs, training=False), expected)


def layer_can_be_copied(example):
    """Copies by deepcopy and pickle compute the same and share nothing."""
    layer, inputs, expected = called(example)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert_equal(other(*inputs, training=False), expected)
        assert not {id(variable) for variable in other.variables} & {id(variable) for variable in layer.variables}
        for variable in other.weights:
            variable.assign(np.zeros(variable.shape))
    assert_equal(layer(*inputs, training=False), expected)


# Losses and metrics


def probabilities(seed=2):
    """(4, 3), each row summing to 1."""
    values = np.random.default_rng(seed).uniform(0.1, 1, (4, 3)) ** 3
    return (values / values.sum(-1, keepdims=True)).astype("float32")


ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 0]]
CLASSES = np.array([0, 2, 1, 0])
SPARSE = (dict, (CLASSES, probabilities()))
DEFAULT = (dict, (ONE_HOT, probabilities()))

LOSS_EXAMPLES = {
    "SparseCategoricalCrossentropy": SPARSE,
    "CategoricalGeneralizedCrossEntropy": SPARSE,
    "Circle": (dict, (np.array([0, 1, 1, 0]), probabilities())),
    "CTC": (
        dict,
        (np.array([[1, 2], [2, 1], [1, 1], [2, 2]]), np.cos(np.arange(60, dtype="float32")).reshape(4, 5, 3)),
    ),
    "LossFunctionWrapper": (lambda: dict(fn=lamina.losses.mean_squared_error), DEFAULT[1]),
}
_classes_and_scores = (CLASSES[:, None], probabilities())
_classes_both = (CLASSES, np.array([0, 1, 1, 2]))
METRIC_EXAMPLES = {
    "Mean": (dict, (np.arange(3.0),)),
    "Sum": (dict, (np.arange(3.0),)),
    "MeanMetricWrapper": (lambda: dict(fn=lamina.metrics.mean_squared_error), DEFAULT[1]),
    "SparseCategoricalAccuracy": (dict, _classes_and_scores),
    "SparseCategoricalCrossentropy": SPARSE,
    "SparseTopKCategoricalAccuracy": (lambda: dict(k=2), (CLASSES, probabilities())),
    "TopKCategoricalAccuracy": (lambda: dict(k=2), DEFAULT[1]),
    "MeanIoU": (lambda: dict(num_classes=3), _classes_both),
    "IoU": (lambda: dict(num_classes=3, target_class_ids=[0, 1]), _classes_both),
    "OneHotIoU": (lambda: dict(num_classes=3, target_class_ids=[0, 1]), DEFAULT[1]),
    "OneHotMeanIoU": (lambda: dict(num_classes=3), DEFAULT[1]),
    "PrecisionAtRecall": (lambda: dict(recall=0.5), DEFAULT[1]),
    "RecallAtPrecision": (lambda: dict(precision=0.5), DEFAULT[1]),
    "SensitivityAtSpecificity": (lambda: dict(specificity=0.5), DEFAULT[1]),
    "SpecificityAtSensitivity": (lambda: dict(sensitivity=0.5), DEFAULT[1]),
}
LOSSES = exported(lamina.losses, lamina.losses.Loss)
METRICS = exported(lamina.metrics, lamina.metrics.Metric)


def example(cls, table, default=(dict, ())):
    """(object, its data): from the table, else without arguments; fails where the class needs some."""
    make, data = table.get(cls.__name__, default)
    try:
        return cls(**make()), data
    except TypeError as error:
        pytest.fail(f"{cls.__name__} has no example in tests/contract.py: {error}")


def assert_described(thing, assert_alike):
    """Its config is JSON and makes the same thing; repr names the class."""
    described = serialize(thing)
    for other in (type(thing).from_config(thing.get_config()), deserialize(json.loads(json.dumps(described)))):
        assert type(other) is type(thing) and serialize(other) == described
        assert_alike(other)
    assert type(thing).__name__ in repr(thing)


def loss_reduces_weighs_and_masks(cls):
    """'none' gives one value a sample; 'sum' and the mean are of those; weights of 0 and masks take samples out."""
    loss, (y_true, y_pred) = example(cls, LOSS_EXAMPLES, DEFAULT)
    loss.reduction = "none"
    values = np.asarray(loss(y_true, y_pred))
    assert np.all(np.isfinite(values)) and loss.dtype == str(values.dtype)
    loss.reduction = "sum"
    np.testing.assert_allclose(loss(y_true, y_pred), values.sum(), 1e-5, 1e-6)
    loss.reduction = "sum_over_batch_size"
    np.testing.assert_allclose(loss(y_true, y_pred), values.mean(), 1e-5, 1e-6)
    if values.ndim:
        weights = np.array([1, 0, 2, 0], "float32")
        np.testing.assert_allclose(loss(y_true, y_pred, weights), (weights * values).mean(), 1e-5, 1e-6)
        masked = jnp.asarray(y_pred)
        set_mask(masked, np.array([True, False, True, False]))
        np.testing.assert_allclose(loss(y_true, masked), values[[0, 2]].mean(), 1e-5, 1e-6)


def loss_trains_in_a_compiled_step(cls):
    """The same under jit, with finite gradients that are not all 0."""
    loss, (y_true, y_pred) = example(cls, LOSS_EXAMPLES, DEFAULT)
    value, gradient = jax.jit(jax.value_and_grad(lambda y_pred: loss(y_true, y_pred)))(y_pred)
    np.testing.assert_allclose(value, loss(y_true, y_pred), 1e-5, 1e-6)
    assert gradient.shape == y_pred.shape and bool(jnp.all(jnp.isfinite(gradient))) and bool(jnp.any(gradient != 0))


def loss_is_its_config(cls):
    loss, data = example(cls, LOSS_EXAMPLES, DEFAULT)
    assert_described(loss, lambda other: assert_equal(other(*data), loss(*data)))
    assert lamina.losses.get(serialize(loss)).name == loss.name


def metric_gathers_and_resets(cls):
    """A batch changes the variables, two are gathered, reset_state brings the start back."""
    metric, data = example(cls, METRIC_EXAMPLES, DEFAULT)
    metric.update_state(*data)
    first = metric.result()
    after_one = [variable.numpy() for variable in metric.variables]
    assert all(np.all(np.isfinite(leaf)) for leaf in tree.flatten(first)) and metric.variables
    metric.update_state(*data)
    assert any(np.any(variable.numpy() != before) for variable, before in zip(metric.variables, after_one, strict=True))
    metric.reset_state()
    assert_equal(metric(*data), first)
    assert_equal([variable.value for variable in metric.variables], after_one)


def metric_is_pure_in_stateless_calls(cls):
    """The stateless methods, compiled, give what the others do, and change nothing."""
    metric, data = example(cls, METRIC_EXAMPLES, DEFAULT)
    metric.update_state(*data)  # some make their variables when they see the first batch
    metric.reset_state()
    start = metric.stateless_reset_state()
    updated = jax.jit(lambda values: metric.stateless_update_state(values, *data))(start)
    result = jax.jit(metric.stateless_result)(updated)
    assert_equal([variable.value for variable in metric.variables], start)
    assert not any(isinstance(variable.value, Tracer) for variable in metric.variables)
    metric.update_state(*data)
    assert_equal([variable.value for variable in metric.variables], updated)
    assert_equal(metric.result(), result)


def metric_is_its_config(cls):
    metric, data = example(cls, METRIC_EXAMPLES, DEFAULT)
    expected = metric(*data)
    assert_described(metric, lambda other: assert_equal(other(*data), expected))


# Optimizers

OPTIMIZERS = exported(lamina.optimizers, lamina.optimizers.Optimizer)
OPTIMIZER_EXAMPLES = {
    "LossScaleOptimizer": (lambda: dict(inner_optimizer=lamina.optimizers.SGD(0.1)), ()),
    "MultiOptimizer": (lambda: dict(optimizer_map=OptimizerMap(lamina.optimizers.SGD(0.1))), ()),
    "OptaxOptimizer": (lambda: dict(transformation=optax.sgd(0.1)), ()),
}
NOT_DESCRIBED = ("OptaxOptimizer",)  # it holds the functions of a transformation


def _variables():
    shapes = {"kernel": (3, 2), "bias": (2,)}
    return [lamina.Variable(np.zeros(shape, "float32"), name=name) for name, shape in shapes.items()]


GRADIENTS = [np.full((3, 2), 0.5, "float32"), np.full(2, -0.5, "float32")]


def optimizer_moves(cls):
    """Steps move every variable against its gradient and stay finite; iterations count them."""
    optimizer, _ = example(cls, OPTIMIZER_EXAMPLES)
    variables = _variables()
    for _ in range(2):
        optimizer.apply(GRADIENTS, variables)
    for variable, gradient in zip(variables, GRADIENTS, strict=True):
        assert np.all(np.isfinite(variable.numpy())) and np.all(np.sign(variable.numpy()) == -np.sign(gradient))
    assert int(optimizer.iterations.numpy()) == 2


def optimizer_is_pure_in_stateless_apply(cls):
    optimizer, _ = example(cls, OPTIMIZER_EXAMPLES)
    variables = _variables()
    optimizer.build(variables)
    before = [variable.value for variable in optimizer.variables]
    moved, state = jax.jit(optimizer.stateless_apply)(before, GRADIENTS, [variable.value for variable in variables])
    assert_equal([variable.value for variable in optimizer.variables], before)
    optimizer.apply(GRADIENTS, variables)
    assert_equal([variable.value for variable in variables], moved)
    assert_equal([variable.value for variable in optimizer.variables], state)


def optimizer_is_its_config(cls):
    """The config, and what save_own_variables wrote, make an optimizer that goes on in the same way."""
    if cls.__name__ in NOT_DESCRIBED:
        return
    optimizer, _ = example(cls, OPTIMIZER_EXAMPLES)
    variables = _variables()
    optimizer.apply(GRADIENTS, variables)
    store = {}
    optimizer.save_own_variables(store)
    described, values = serialize(optimizer), [variable.numpy() for variable in variables]
    optimizer.apply(GRADIENTS, variables)

    def goes_on(other):
        again = [lamina.Variable(value, name=variable.name) for value, variable in zip(values, variables, strict=True)]
        other.build(again)
        other.load_own_variables(store)
        other.apply(GRADIENTS, again)
        assert_equal([variable.value for variable in again], [variable.value for variable in variables])

    assert json.loads(json.dumps(described)) == serialize(type(optimizer).from_config(optimizer.get_config()))
    assert_described(optimizer, goes_on)


# Initializers, regularizers, constraints

INITIALIZERS = exported(lamina.initializers, lamina.initializers.Initializer, abstract=("RandomInitializer",))
REGULARIZERS = exported(lamina.regularizers, lamina.regularizers.Regularizer)
CONSTRAINTS = exported(lamina.constraints, lamina.constraints.Constraint)


def initializer_gives_arrays(cls):
    """Of the shape and type asked for; equal configs give equal values."""
    initializer, _ = example(cls, {})
    shape = (8, 2, 5) if cls.__name__.startswith("STFT") else (4, 3)
    for dtype in ("float32", "bfloat16"):
        values = initializer(shape, dtype)
        assert values.shape == shape and str(values.dtype) == dtype and bool(jnp.all(jnp.isfinite(values)))
    seeded = cls(seed=3) if "seed" in inspect.signature(cls).parameters else initializer
    assert_described(seeded, lambda other: assert_equal(other(shape), seeded(shape)))


def regularizer_gives_a_penalty(cls):
    """One number of 0 or more, with gradients."""
    regularizer, _ = example(cls, {})
    weights = jnp.asarray(probabilities())
    penalty, gradient = jax.jit(jax.value_and_grad(regularizer))(weights)
    assert penalty.shape == () and penalty >= 0 and bool(jnp.all(jnp.isfinite(gradient)))
    assert_described(regularizer, lambda other: assert_equal(other(weights), regularizer(weights)))


def constraint_is_a_projection(cls):
    """Once and twice are the same, and what is allowed already stays."""
    constraint, _ = example(cls, {})
    weights = 5 * jnp.asarray(probabilities()) - 1
    once = constraint(weights)
    assert once.shape == weights.shape and bool(jnp.any(once != weights))
    assert_equal(constraint(once), once, 1e-5)
    assert_described(constraint, lambda other: assert_equal(other(weights), once))


def checks(kind):
    """The checks of this file for a kind, in order."""
    return [item for name, item in globals().items() if name.startswith(f"{kind}_") and inspect.isfunction(item)]
