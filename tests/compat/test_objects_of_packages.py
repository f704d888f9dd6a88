"""Own layers and operations in configs and files: beside Keras."""

import numpy as np
import pytest

import lamina

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's variables
X = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture(params=["keras", "lamina"])
def keras(request):
    return lamina if request.param == "lamina" else pytest.importorskip("keras")


def tied(keras):
    """A model in which a layer occurs by itself and inside of another layer, and the class of the other."""

    class Around(keras.layers.Wrapper):
        def call(self, inputs):
            return self.layer(inputs)

    one, two, layer = keras.Input((3,)), keras.Input((3,)), keras.layers.Dense(1, name="shared")
    return keras.Model([one, two], [layer(one), Around(layer, name="around")(two)]), Around


@pytest.mark.parametrize("reader", ["keras", "lamina"])
def test_a_layer_that_occurs_twice_is_one_layer_in_a_file(keras, reader, tmp_path):
    other = lamina if reader == "lamina" else pytest.importorskip("keras")
    model, path = tied(keras)[0], tmp_path / "model.keras"
    model.save(path)
    again = other.models.load_model(path, custom_objects={"Around": tied(other)[1]})
    assert again.get_layer("shared") is again.get_layer("around").layer and len(again.weights) == 2
    for ours, theirs in zip(again([X, X]), model([X, X]), strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6)


def test_layers_that_occur_once_have_no_number(keras):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(2)])
    assert "shared_object_id" not in model.to_json()


def test_from_config_gives_dtype_by_name(keras):
    given = []

    class Own(keras.layers.Layer):
        def __init__(self, dtype=None, **kwargs):
            given.append(dtype)
            super().__init__(dtype=dtype, **kwargs)

    described = keras.saving.serialize_keras_object(Own(dtype="mixed_float16"))
    again = keras.saving.deserialize_keras_object(described, custom_objects={"Own": Own})
    assert given == ["mixed_float16", "mixed_float16"] and again.compute_dtype == "float16"


def test_nodes_of_the_graph(keras):
    """What tools that draw or rebuild models read of an operation's calls."""
    one, layer = keras.Input((3,)), keras.layers.Dense(2)
    (node,) = (made := layer(one), layer._inbound_nodes)[1]
    added = keras.layers.Add()([made, made])
    reader = added._keras_history.operation._inbound_nodes[0]
    assert node.input_tensors == [one] and node.output_tensors == node.outputs == [made] and not node.is_input
    assert node.operation is layer and node.parent_nodes[0].operation is one._keras_history.operation
    assert node.arguments.args == (one,) and not node.arguments.kwargs and node.arguments.keras_tensors == [one]
    assert layer._outbound_nodes == [reader, reader]
    assert reader.parent_nodes == [node, node] and reader.arguments.args == ([made, made],)
    assert one._keras_history.operation._outbound_nodes == [node] and not reader.operation._outbound_nodes


class Plain:
    """What no config can hold."""


@pytest.mark.parametrize("base", ["Operation", "layers.Layer"])
def test_arguments_that_no_config_holds(keras, base):
    kind = keras.Operation if base == "Operation" else keras.layers.Layer

    class Holds(kind):
        def __init__(self, alpha, *rest, name=None):
            super().__init__(name=name)
            self.alpha = alpha

    for made in (Holds(Plain()), Holds(0.5, 1)):
        with pytest.raises(NotImplementedError):
            made.get_config()


def test_operations_with_a_quantization_mode(keras):
    class Own(keras.Operation):
        def call(self, x):
            return x

        def quantized_call(self, x):
            return x + 1

    own = Own()
    assert np.allclose(own(X), X)
    own.quantization_mode = "own"
    assert np.allclose(own(X), X + 1)


def test_inputs_and_outputs_of_an_operation_are_one_tensor_or_a_list(keras):
    class Own(keras.Operation):
        def call(self, x, others):
            return {"sum": x + others["y"], "difference": x - others["z"]}

        def compute_output_spec(self, x, others):
            return {name: keras.KerasTensor(x.shape) for name in ("sum", "difference")}

    x, y, z = (keras.Input((3,), name=name) for name in "xyz")
    own = Own()
    own(x, others={"y": y, "z": z})
    assert [one.name for one in own.input] == ["x", "y", "z"] and isinstance(own.output, list)
    layer = keras.layers.Dense(1)
    layer(x)
    assert layer.input is x


def test_a_mask_among_the_settings_of_lambda(keras):
    layer = keras.layers.Lambda(keras.ops.square, mask=np.ones((2, 3), bool))
    assert np.allclose(layer(X[..., None])[..., 0], X**2) and np.asarray(layer.compute_mask(X)).all()


def test_sizes_may_be_tensors(keras):
    two = keras.ops.convert_to_tensor(2)
    assert [part.shape for part in keras.ops.split(X, two)] == [(1, 3), (1, 3)]
    assert keras.ops.image.resize(X[..., None], (two, 4)).shape == (2, 4, 1)


def test_variables_check_what_is_set(keras):
    variable = keras.Variable([1.0, -2.0])
    for name in ("regularizer", "constraint"):
        with pytest.raises(ValueError, match="Invalid value for attribute"):
            setattr(variable, name, "l2")
        setattr(variable, name, abs)
        assert getattr(variable, name) is abs
        setattr(variable, name, None)
    with pytest.raises(TypeError, match="must be a boolean"):
        variable.overwrite_with_gradient = 1
    variable.overwrite_with_gradient = True
    assert variable.overwrite_with_gradient and not keras.Variable(1.0).overwrite_with_gradient


def test_the_number_of_slices_of_an_unknown_size(keras):
    x = keras.Input((None, 3))
    with pytest.raises(ValueError, match="Cannot infer argument `num` from shape"):
        keras.ops.unstack(x, axis=1)
    for axis in (1, 2):  # nor does another size of a tensor made by hand stand for it
        with pytest.raises(ValueError, match="Cannot infer argument `num` from shape"):
            keras.ops.unstack(keras.KerasTensor((2, None, None)), axis=axis)
    assert len(keras.ops.unstack(x, num=4, axis=1)) == 4
