"""model.explain(): the facts in its sentences."""

import numpy as np
import pytest

import lamina as keras
from lamina.errors import CallError
from lamina.explanations import explain, facts_of
from lamina.facts.cost import count

layers = keras.layers


def classifier():
    return keras.Sequential(
        [
            layers.Dense(32, input_shape=(784,), name="hidden"),
            layers.Activation("relu", name="bend"),
            layers.Dropout(0.25, name="drop"),
            layers.Dense(10, activation="softmax", name="head"),
        ]
    )


pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # input_shape= is what people paste


def answer(explanation, start):
    return next(one.text for one in explanation.answers if one.question.startswith(start))


def test_dense_and_its_activation():
    said = explain(classifier())
    assert "inputs @ kernel + bias" in said["hidden"].text
    assert "784 -> 32 on the last axis" in said["hidden"].text
    assert said["hidden"].weights == "784 x 32 kernel + 32 bias = 25,120 weights, all trained"
    assert "bend after it is its activation" in said["hidden"].text
    assert "hidden.output is the tensor before it" in said["bend"].text
    assert "softmax is inside the layer" in said["head"].text
    assert "then the output of the Dense is the tensor before softmax" in said["head"].text


def test_dropout_names_the_tensor_and_its_mask():
    said = explain(classifier())["drop"].text
    assert "zeroes the output of bend" in said
    assert "(None, 32)" in said
    assert "1 / (1 - 0.25) = 1.33" in said
    assert "Only in training" in said
    model = classifier()
    model.get_layer("hidden").trainable = False
    assert "All layers before it are frozen" in explain(model)["drop"].text


def test_sizes_head_and_counts():
    said = explain(classifier())
    assert "(None, 784)" in answer(said, "What do None")
    assert "sparse_categorical_crossentropy" in answer(said, "What comes out")
    assert "25,450 of 25,450 weights are trained, in 2 layers" in answer(said, "What changes")
    assert "drop: active only in training" in answer(said, "What differs")
    assert "len(model.layers) is 4" in answer(said, "How many layers")
    assert "2 here, 1 of them hidden" in answer(said, "How many layers")


def test_dense_at_each_position():
    model = keras.Sequential([keras.Input((10, 128)), layers.Dense(256, name="dense")])
    said = explain(model, "dense")
    assert "128 -> 256 on the last axis" in said["dense"].text
    assert "the same weights are used at each of 10 positions" in said["dense"].text
    assert said.answers == []


def test_convolution_pooling_and_flatten():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 3)),
            layers.Conv2D(8, 3, name="conv"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(4, 3, strides=2, padding="same", name="second"),
            layers.SpatialDropout2D(0.5, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="head"),
        ]
    )
    said = explain(model)
    assert "27 kernel weights" in said["conv"].text
    assert "from 28 x 28 to 26 x 26" in said["conv"].text
    assert "depends on 3 x 3 positions" in said["conv"].text
    assert "depends on 4 x 4 positions of the input, its neighbour on positions 2 x 2 further" in said["pool"].text
    assert "depends on 8 x 8 positions of the input, its neighbour on positions 4 x 4 further" in said["second"].text
    assert "(None, 1, 1, 4)" in said["drop"].text
    assert "one row of 196 numbers" in said["flat"].text
    assert "would give 4 features, and head 20 kernel weights instead of 980" in said["flat"].text


def test_sequences_and_masks():
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Embedding(100, 8, mask_zero=True, name="words"),
            layers.LSTM(4, return_sequences=True, name="first"),
            layers.LSTM(4, name="second"),
            layers.Dense(1, activation="sigmoid", name="head"),
        ]
    )
    said = explain(model)
    assert "Reads 20 steps of 8 features" in said["first"].text
    assert "return_sequences=True" in said["first"].text
    assert "only the output after the last step" in said["second"].text
    assert said["first"].weights is not None
    assert said["first"].weights.startswith("4 x (8 x 4 kernel + 4 x 4 recurrent kernel + 4 bias) = 208 weights")
    masks = answer(said, "Where do masks")
    assert "starts at words. It passes through first. It ends at second" in masks
    assert "binary_crossentropy" in answer(said, "What comes out")


def test_what_is_frozen():
    base = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(name="norm")])
    base.trainable = False
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(name="mean"), layers.Dense(1, name="head")])
    said = explain(model)
    assert "5 of 133 weights are trained, in 1 layer" in answer(said, "What changes")
    assert "Frozen: conv2d and norm" in answer(said, "What changes")
    assert "norm: frozen, so moving averages in training too" in answer(said, "What differs")
    assert "Frozen: it uses its moving averages" in said["norm"].text
    assert "head 144 kernel weights instead of 4" in said["mean"].text


def test_real_activations():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation="relu", name="dense")])
    model.layers[0].set_weights([np.ones((4, 6)) * [[1, 1, 1, -1, -1, -1]], np.zeros(6)])
    said = model.explain(np.ones((5, 4), "float32"))["dense"].text
    assert "0 to 4" in said
    assert "50% are exactly 0" in said
    assert "3 of 6 units are 0 for every sample" in said


def test_a_model_without_a_graph():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, name="dense")

        def call(self, x):
            return self.dense(self.dense(x))

    model = Twice()
    with pytest.raises(CallError, match="has not seen data"):
        explain(model)
    model(np.ones((2, 3)))
    first, second = facts_of(model)
    assert (first.use, second.use, first.uses) == (1, 2, 2)
    assert second.sources == [first]
    assert "shared by its 2 calls" in explain(model)["dense"].weights
    with pytest.raises(CallError, match="calls no layer 'other'"):
        explain(model, "other")


def test_operations_are_those_of_xla():
    import jax

    def net(x, w):
        return jax.nn.relu(x @ w).sum()

    x, w = np.ones((4, 8), "float32"), np.ones((8, 16), "float32")
    ours = count(jax.make_jaxpr(net)(x, w).jaxpr)
    theirs = jax.jit(net).lower(x, w).compile().cost_analysis()["flops"]
    assert ours == pytest.approx(theirs, rel=0.05)


def test_every_form_holds_the_same_sentences():
    said = explain(classifier())
    for text in (said.text, said.markdown(), said.html().replace("&#x27;", "'"), str(said)):
        assert "784 -> 32 on the last axis" in text.replace("-&gt;", "->")
        assert "How many layers does it have?" in text
    assert "hidden (Dense)" in said.to_terminal()
    assert said._repr_html_() == said.html()


def test_a_class_of_the_program_may_have_the_name_of_one_of_lamina():
    class Attention(layers.Layer):
        """Weighs the steps."""

        def call(self, inputs):
            return inputs.mean(1)

    said = explain(keras.Sequential([keras.Input((4, 3)), Attention(name="mine")]))["mine"].text
    assert "A layer of your own: Weighs the steps." in said


def test_a_graph_of_very_many_paths_is_explained():
    x = start = keras.Input((3,))
    x = keras.layers.Dense(3)(x)
    for _ in range(22):  # 2 ** 22 ways from the output to the Dense
        x = keras.layers.Add()([keras.layers.Activation("relu")(x), keras.layers.Activation("tanh")(x)])
    assert "1 here, 0 of them hidden" in str(keras.Model(start, x).explain())
