"""Layer: its arguments, its dtype policy, its losses, and what it says of a class that does not fit together."""

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, dtype_policies
from lamina.errors import CallError, ConfigError
from lamina.layers.base.layer import Layer
from lamina.layers.dense import Dense

ONES = np.ones((4, 1), "float32")


class Lossy(Layer):
    def call(self, inputs):
        self.add_loss(1.0)
        return inputs


def test_losses_of_an_earlier_call_leave_with_the_next():
    layer = Lossy()
    layer(ONES)
    model = Sequential([layer, Lossy()])
    model(ONES)
    assert [float(loss) for loss in model.losses] == [1.0, 1.0]
    layer(ONES)
    assert [float(loss) for loss in layer.losses] == [1.0]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", dtype_policies.DTypePolicy("mixed_bfloat16")])
def test_dtype_policy_can_be_set(policy):
    layer = Dense(2)
    layer.dtype_policy = policy
    assert (layer.dtype_policy.name, layer.compute_dtype, layer.dtype) == ("mixed_bfloat16", "bfloat16", "float32")
    assert layer(ONES).dtype == "bfloat16" and layer.kernel.dtype == "float32"


@pytest.mark.parametrize("trainable", ["yes", 1, None])
def test_trainable_is_a_boolean(trainable):
    with pytest.raises(ConfigError, match=f"Dense expects `trainable` to be a boolean; got {trainable!r}"):
        Dense(2, trainable=trainable)
    assert Dense(2, trainable=np.bool_(False)).trainable is False


@pytest.mark.parametrize(
    "make",
    [
        lambda: lamina.layers.Dense(3, use_bias="False"),
        lambda: lamina.losses.BinaryCrossentropy(from_logits="false"),
        lambda: lamina.optimizers.SGD(nesterov="False"),
        lambda: lamina.callbacks.ModelCheckpoint("m.keras", save_best_only="False"),
    ],
)
def test_a_text_is_no_boolean(make):
    with pytest.raises(ConfigError, match="to be a boolean; got '[Ff]alse'.\n.*=False"):
        make()
    assert lamina.layers.Dense(3, name="true").name == "true"


def test_build_takes_shapes_by_the_names_of_call():
    class Pair(Layer):
        def build(self, second_shape, first_shape):
            self.shapes = first_shape, second_shape

        def call(self, first, second):
            return first + second

    layer = Pair()
    layer(ONES, np.ones((4, 2), "float32"))
    assert layer.shapes == ((4, 1), (4, 2))

    class Unnamed(Pair):
        def build(self, first_shape, second):
            self.shapes = first_shape, second

    class Foreign(Pair):
        def build(self, first_shape, third_shape):
            self.shapes = first_shape, third_shape

    with pytest.raises(CallError, match=r"argument `second`, which does not end in `_shape`"):
        Unnamed()(ONES, ONES)
    with pytest.raises(CallError, match=r"`third_shape`, but `call\(\)` does not have argument `third`"):
        Foreign()(ONES, ONES)


def test_a_layer_without_call_says_so():
    class Empty(Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty does not have a `call` method implemented"):
        Empty()(ONES)


class Late(Layer):
    """Makes its layers in `build`, and ends it in the way of Keras 2."""

    def build(self, input_shape):
        self.dense = Dense(3)
        self.scale = self.add_weight(shape=(3,), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return self.dense(inputs) * self.scale


def test_build_of_a_subclass_may_end_with_that_of_the_base():
    layer = Late()
    assert layer(ONES).shape == (4, 3) and len(layer.weights) == 3


def test_build_of_a_subclass_may_take_further_arguments():
    class Own(Dense):
        def build(self, input_shape, *args, **kwargs):
            super().build(input_shape, *args, **kwargs)

    assert Own(2)(Input((3,))).shape == (None, 2)


def test_layers_inside_one_without_build_are_built_by_symbols():
    class Twice(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inside = Dense(2)

        def call(self, inputs):
            return 2 * self.inside(inputs)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 2)

    layer = Twice(name="twice")
    assert layer(Input((3,))).shape == (None, 2)
    assert [variable.path for variable in layer.weights] == ["twice/dense/kernel", "twice/dense/bias"]

    class Eager(Twice):
        def call(self, inputs):
            return self.inside(inputs) if float(inputs[0, 0]) > 0 else inputs

    with pytest.warns(UserWarning, match="built by its first call on arrays"):
        Eager()(Input((3,)))


def test_a_shape_rule_need_not_know_the_tensors_that_are_none():
    class Second(Layer):
        def call(self, first, second, third=None):
            return second if third is None else third

        def compute_output_shape(self, first_shape, second_shape, third_shape=None):
            return second_shape if third_shape is None else third_shape

    assert Second()(Input((3,)), Input((4,))).shape == (None, 4)
    assert Second()(Input((3,)), Input((4,)), third=Input((5,))).shape == (None, 5)
