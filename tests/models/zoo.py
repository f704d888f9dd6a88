"""Small models of many shapes, each written once and built by lamina and by Keras."""

import functools
import json

import keras
import numpy as np

import lamina
from lamina.core import context

MODELS = {}  # name -> (function of the library that builds it, shapes of the inputs)


def model(*shapes, **named_shapes):
    """Decorator: put a builder into the zoo. Shapes are those of one sample; named ones make a dict of inputs."""

    def put(build):
        MODELS[build.__name__] = (build, named_shapes or list(shapes))
        return build

    return put


@model((6,))
def mlp(K):
    L = K.layers
    hidden = [L.Dense(4, activation="relu"), L.BatchNormalization(), L.Dropout(0.5)]
    return K.Sequential([K.Input((6,)), *hidden, L.Dense(3)])


@model((6,))
def without_input(K):
    model = K.Sequential([K.layers.Dense(4), K.layers.LayerNormalization(), K.layers.Dense(2)], name="late")
    model.build((None, 6))
    return model


@model((6,))
def sequential_in_sequential(K):
    inner = K.Sequential([K.layers.Dense(4), K.layers.Activation("tanh")])
    model = K.Sequential([K.Input((6,)), inner, K.layers.Dense(2)])
    model.add(K.layers.ReLU())
    return model


@model((6,), (4,))
def two_inputs_two_outputs(K):
    L = K.layers
    a, b = K.Input((6,), name="a"), K.Input((4,), name="b")
    joined = L.Concatenate()([L.Dense(3)(a), L.Dense(5)(b)])
    return K.Model([a, b], [L.Dense(1, name="price")(joined), L.Dense(3, activation="softmax", name="kind")(joined)])


@model(q=(6,), p=(6,))
def dict_in_dict_out(K):
    inputs = {"q": K.Input((6,), name="q"), "p": K.Input((6,), name="p")}
    total = K.layers.add([inputs["q"], inputs["p"]])
    return K.Model(inputs, {"low": K.layers.Dense(1)(total), "high": K.layers.Dense(2)(inputs["q"])})


@model((6,))
def shared_layer(K):
    inputs, shared = K.Input((6,)), K.layers.Dense(6, name="shared")
    return K.Model(inputs, K.layers.Dense(2)(shared(shared(K.layers.Dense(6)(inputs)))))


@model((6,))
def shared_nested(K):
    inner = K.Sequential([K.Input((6,)), K.layers.Dense(4), K.layers.BatchNormalization()], name="inner")
    inputs, shared = K.Input((6,)), K.layers.Dense(6, name="s")
    joined = inner(shared(inputs)) + inner(shared(shared(inputs))) * 2 - 1
    return K.Model(inputs, K.layers.Dense(1)(joined[:, :3]))


@model((6,))
def nested_functional(K):
    x = K.Input((6,))
    inner = K.Model(x, [K.layers.Dense(3)(x), K.layers.Dense(2)(x)], name="twins")
    inputs = K.Input((6,))
    left, right = inner(inputs)
    return K.Model(inputs, K.layers.Concatenate()([right, left, K.layers.Dense(1)(inputs)]))


@model((8, 8, 2))
def resnet(K):
    L = K.layers
    inputs = K.Input((8, 8, 2))
    x = L.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    x = L.BatchNormalization()(x)
    x = L.ReLU()(x)
    shortcut = x
    x = L.Conv2D(4, 3, padding="same")(x)
    x = L.add([x, shortcut])
    x = L.MaxPooling2D()(x)
    x = L.SeparableConv2D(5, 3)(x)
    x = L.GlobalAveragePooling2D()(x)
    return K.Model(inputs, L.Dense(3, activation="softmax")(x), name="resnet")


@model((8, 8, 2))
def fire(K):
    L = K.layers
    inputs = K.Input((8, 8, 2))
    x = L.Conv2D(4, 3, activation="relu")(inputs)
    for filters in (2, 3):
        x = L.Conv2D(filters, 1, activation="relu")(x)
        x = L.Concatenate()([L.Conv2D(2 * filters, 1)(x), L.Conv2D(2 * filters, 3, padding="same")(x)])
    return K.Model(inputs, L.Activation("softmax")(L.GlobalMaxPooling2D()(x)))


@model((7,))
def text(K):
    L = K.layers
    inputs = K.Input((7,), dtype="int32")
    x = L.Embedding(5, 4, mask_zero=True)(inputs)
    x = L.Bidirectional(L.LSTM(3, return_sequences=True))(x)
    return K.Model(inputs, L.Dense(2)(L.GRU(3)(x)))


@model((5, 6))
def branches_of_unequal_depth(K):
    L = K.layers
    inputs = K.Input((5, 6))
    deep = L.Dense(4)(L.Dense(4)(L.Dense(4)(inputs)))
    short = L.Dense(4)(inputs)
    middle = L.TimeDistributed(L.Dense(4))(L.Dropout(0.2)(inputs))
    return K.Model(inputs, [L.Average()([deep, short, middle]), L.Flatten()(short)])


@model((6,))
def arithmetic(K):
    x = K.Input((6,))
    constant = np.arange(6, dtype="float32")
    terms = [
        x + 1, 2 - x, x * constant, 1 / (x * x + 1.5), x[:, ::-1], x[..., :6], -x, abs(x), x**2, x // 2, x % 3,
        K.ops.maximum(x, 0.0), K.ops.cast(x > 0, "float32"), K.ops.clip(x, -1, 1),
        K.ops.concatenate([x[:, 3:], x[:, :3]], axis=-1),
        K.ops.reshape(K.ops.transpose(K.ops.reshape(x, (-1, 2, 3)), (0, 2, 1)), (-1, 6)),
        K.ops.where(x <= 0.5, x, 0.0), K.ops.softmax(x), K.ops.relu(x) + K.ops.mean(x, axis=-1, keepdims=True),
    ]  # fmt: skip
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return K.Model(x, K.layers.Dense(2)(total))


@model((6,))
def cut(K):
    layers = [K.layers.Dense(5, name="a"), K.layers.Dense(4, name="mixed7"), K.layers.Dense(3)]
    base = K.Sequential([K.Input((6,)), *layers])
    for layer in base.layers:
        layer.trainable = False
    x = K.layers.Dense(2)(base.get_layer("mixed7").output)
    return K.Model(base.inputs, x)


@model((6,))
def from_the_middle(K):
    x = K.Input((6,))
    y = K.layers.Dense(6)(x)
    z = K.layers.Dense(3)(y)
    return K.Model(y, K.layers.Dense(2)(z))


@model((6,))
def nested_outputs(K):
    x = K.Input((6,))
    h = K.layers.Dense(4)(x)
    return K.Model(x, {"a": [K.layers.Dense(1)(h), K.layers.Dense(2)(h)], "b": h})


@model((6,), (6,))
def merging(K):
    dot = K.layers.Dot(axes=1)
    a, b = K.Input((6,)), K.Input((6,))
    return K.Model([a, b], [dot([a, b]), K.layers.Subtract()([K.layers.Dense(6)(b), a])])


@model((6,))
def partly_frozen(K):
    model = K.Sequential([K.Input((6,)), K.layers.Dense(4), K.layers.BatchNormalization(), K.layers.Dense(1)])
    model.layers[1].trainable = False
    return model


def fresh(library):
    """Count names anew, so that both libraries start from the same ones."""
    keras.utils.clear_session(free_memory=False) if library is keras else context.reset_names()


@functools.cache
def pair(name):
    """(lamina's, Keras's) model of that name, with the same weights. They are shared: leave them as they are."""
    made = []
    for library in (lamina, keras):
        fresh(library)
        made.append(MODELS[name][0](library))
    ours, theirs = made
    random = np.random.default_rng(0)
    weights = [np.asarray(random.uniform(0.1, 1.0, w.shape), w.dtype) for w in theirs.get_weights()]
    for model in made:
        model.set_weights(weights)
    return ours, theirs


def inputs_of(name, batch=3):
    """Random inputs for a model of the zoo."""
    random = np.random.default_rng(1)

    def draw(shape):
        shape = (batch, *shape)
        return random.integers(0, 5, shape) if name == "text" else random.normal(size=shape).astype("float32")

    shapes = MODELS[name][1]
    if isinstance(shapes, dict):
        return {key: draw(shape) for key, shape in shapes.items()}
    values = [draw(shape) for shape in shapes]
    return values[0] if len(values) == 1 else values


@functools.cache
def outputs_of(name):
    """Keras's outputs for `inputs_of(name)`, as a list."""
    return keras.tree.flatten(pair(name)[1].predict(inputs_of(name), verbose=0))


def assert_outputs(model, name):
    """The outputs of a model (of either library) are those of Keras's model of that name."""
    outputs = keras.tree.flatten(model.predict(inputs_of(name), verbose=0))
    for got, expected in zip(outputs, outputs_of(name), strict=True):
        np.testing.assert_allclose(got, expected, 1e-5, 1e-5)


def described(weights):
    return [(weight.path, tuple(weight.shape), str(weight.dtype), weight.trainable) for weight in weights]


def json_of(value):
    """A config as a file has it."""
    return json.loads(json.dumps(value))


# class name -> (what of its description differs between the libraries on purpose, why)
DIFFERENCES = {
    "LayerNormalization": ("axis", "Keras makes a list of an int when it builds; ours stays what was passed"),
    **dict.fromkeys(("Average", "Flatten"), ("build_config", "what has no weights needs no shape to be built again")),
    "Softmax": ("axis", "defaults of ops are not written"),
}


def without_differences(described):
    """A description without what DIFFERENCES names, and without None and False among the arguments of calls."""
    if isinstance(described, list):
        return [without_differences(item) for item in described]
    if not isinstance(described, dict):
        return described
    left_out = DIFFERENCES.get(described.get("class_name"), ("",))[0]
    found = {key: without_differences(value) for key, value in described.items() if key != left_out}
    if isinstance(found.get("config"), dict):
        found["config"].pop(left_out, None)
    if "inbound_nodes" in found:
        for node in found["inbound_nodes"]:
            node["kwargs"] = {key: value for key, value in node["kwargs"].items() if value not in (None, False)}
    return found
