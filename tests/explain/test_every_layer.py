"""Each exported layer of today has its own description, which holds in each configuration."""

import json

import numpy as np
import pytest

import lamina as keras
from lamina.explanations import explain
from lamina.explanations.descriptions import DESCRIPTIONS
from tests import contract

layers = keras.layers
# Too general to count as a description of its own.
GENERAL = {"wrapper", "RNN", "Model"}


def test_exported_layers_have_a_description_or_a_docstring_to_speak_with():
    exported = contract.exported(layers, layers.Layer)
    assert len(exported) > 130
    without = []
    for name, cls in exported.items():
        kinds = [kind for base in cls.__mro__ for kind in (base.__name__, *sorted(vars(base).get("_traits", ())))]
        described = next((kind for kind in kinds if kind in DESCRIPTIONS), None)
        if described is None or (described in GENERAL and described.lower() != name.lower()):
            without.append(name)
    assert all(exported[name].__doc__ for name in without)
    assert len(without) < len(exported) / 10, without


TEXT = {"StringLookup", "TextVectorization"}
WHOLE = {"Embedding", "ReversibleEmbedding", "IntegerLookup", "CategoryEncoding", "Hashing", "HashedCrossing"}
RESTS = {"SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"}


@pytest.mark.parametrize("name", contract.LAYERS)
def test_each_layer_speaks_plainly(name):
    example = contract.example_of_layer(name)
    dtype = "string" if name in TEXT else "int32" if name in WHOLE else "float32"

    def inputs(shapes):
        return [inputs(shape) for shape in shapes] if isinstance(shapes, list) else keras.Input(shapes, dtype=dtype)

    layer = example.cls(**example.kwargs())
    several = isinstance(example.shapes, contract.Each)
    given = [inputs(shape) for shape in example.shapes] if several else [inputs(example.shapes)]
    model = keras.Model(keras.tree.flatten(given), layer(*given))
    (said,) = explain(model, layer).layers
    assert said.sentences
    for sentence in said.sentences:
        assert sentence[-1] in ".:", sentence
        assert "  " not in sentence and "None of" not in sentence and len(sentence) < 330, sentence
    if layer.weights:
        assert f"{layer.count_params():,} weight" in said.weights


def one(made, shape, **kwargs):
    """What is said of one layer on an Input of this shape."""
    model = keras.Sequential([keras.Input(shape, **kwargs), made])
    (said,) = explain(model, made).layers
    return said


@pytest.mark.parametrize(
    ("made", "shape", "words", "absent"),
    [
        (lambda: layers.Dense(3), (4, 5, 6), ["6 -> 3", "each of 20 positions"], ["legal"]),
        (lambda: layers.Dense(3), (None, 6), ["at each position, however many"], []),
        (lambda: layers.Dense(1, use_bias=False), (6,), ["the one unit", "inputs @ kernel:"], ["bias"]),
        (lambda: layers.Conv2D(6, 3, groups=2), (8, 8, 4), ["2 channels of its group (2 groups)", "18 kernel"], []),
        (lambda: layers.Conv2D(4, 3, dilation_rate=2), (9, 9, 1), ["2 x 2 apart (dilation)", "by 4 x 4"], []),
        (lambda: layers.Conv2D(2, 3, data_format="channels_first"), (5, 8, 8), ["all 5 channels", "8 x 8 to"], []),
        (lambda: layers.Conv1D(2, 3, padding="causal"), (8, 2), ["no position sees later ones"], []),
        (lambda: layers.Conv1D(2, 3, padding="same", strides=2), (8, 2), ["8 to 4", "strides of 2"], ["keep"]),
        (lambda: layers.MaxPooling1D(3), (8, 2), ["fill no window are left out"], []),
        (lambda: layers.MaxPooling1D(3, padding="same"), (8, 2), ["8 to 3"], ["left out"]),
        (lambda: layers.MaxPooling2D(3, strides=2), (9, 9, 2), ["they overlap"], []),
        (lambda: layers.Dropout(0.5, noise_shape=(1, None)), (4,), ["(1, 4)", "share the draws"], []),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 1, None)), (7, 4), ["(None, 1, 4)", "along axis 1 all"], []),
        (lambda: layers.Dropout(0), (4,), ["does nothing"], ["zeroes"]),
        (lambda: layers.Dropout(1.0), (4,), ["nothing is left"], ["1 / "]),
        (lambda: layers.SpatialDropout1D(0.5), (7, 4), ["(None, 1, 4)", "whole channel"], []),
        (lambda: layers.SpatialDropout2D(0.5, "channels_first"), (3, 7, 4), ["(None, 3, 1, 1)"], []),
        (lambda: layers.AlphaDropout(0.5), (4,), ["lower limit of selu"], ["zeroes"]),
        (lambda: layers.LSTM(2, go_backwards=True), (5, 3), ["from the last step", "after the first step"], []),
        (lambda: layers.GRU(2, return_state=True, return_sequences=True), (5, 3), ["5 x 2", "further"], ["only"]),
        (lambda: layers.LSTM(2, dropout=0.5), (5, 3), ["dropout acts on the inputs"], []),
        (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="sum"), (5, 3), ["Two LSTM(2)", "added, 2"], []),
        (lambda: layers.TimeDistributed(layers.Dense(2)), (5, 3), ["each of 5 steps", "3 -> 2"], []),
        (lambda: layers.ReLU(6), (5,), ["stops at 6"], []),
        (lambda: layers.LeakyReLU(negative_slope=0.1), (5,), ["by 0.1"], []),
        (lambda: layers.Softmax(axis=1), (5, 3), ["along axis 1"], ["last axis"]),
        (lambda: layers.Flatten(), (6,), ["Changes nothing"], ["Lays"]),
        (lambda: layers.Flatten(), (None, 3), ["to one row of numbers"], []),
        (lambda: layers.Embedding(9, 2, mask_zero=True), (4,), ["9 rows of 2", "0 stands for padding"], ["ordinary"]),
        (lambda: layers.Embedding(9, 2), (4,), ["0 is an ordinary row"], ["mask starts"]),
        (lambda: layers.RMSNormalization(), (4,), ["mean square of 1", "learned scale"], ["variance"]),
        (lambda: layers.LayerNormalization(axis=1), (4, 3), ["along axis 1"], ["each position"]),
        (lambda: layers.BatchNormalization(scale=False), (4,), ["the learned beta"], ["gamma"]),
        (lambda: layers.UpSampling2D(2, interpolation="bilinear"), (4, 4, 1), ["bilinear"], ["repeats"]),
        (lambda: layers.Rescaling(1 / 255), (4,), ["inputs * 0.00392157,"], ["+"]),
        (lambda: layers.RandomRotation(0.1), (8, 8, 3), ["-36 to 36 degrees", "Only in training"], []),
        (lambda: layers.AutoContrast(), (8, 8, 3), ["in training and when predicting"], ["Only"]),
        (lambda: layers.Activation("tanh"), (4,), ["between -1 and 1"], []),
        (lambda: layers.Dense(4, kernel_regularizer="l2", activity_regularizer="l1"), (4,), ["kernel and out"], []),
    ],
)  # fmt: skip
def test_a_configuration(made, shape, words, absent):
    said = one(made(), shape).text
    for word in words:
        assert word in said, said
    for word in absent:
        assert word not in said, said


def test_weights_as_sums():
    assert one(layers.GRU(2, reset_after=False), (5, 3)).weights.startswith(
        "3 x (3 x 2 kernel + 2 x 2 recurrent kernel + 2 bias) = 36"
    )
    assert one(layers.GRU(2), (5, 3)).weights.startswith(
        "3 x (3 x 2 kernel + 2 x 2 recurrent kernel + 2 x 2 bias) = 42"
    )
    assert one(layers.SimpleRNN(2, use_bias=False), (5, 3)).weights.startswith(
        "3 x 2 kernel + 2 x 2 recurrent kernel = 10"
    )
    assert one(layers.Bidirectional(layers.SimpleRNN(2)), (5, 3)).weights.startswith("2 x (")
    assert (
        one(layers.Normalization(), (4,)).weights == "4 mean + 4 variance + 1 count = 9 weights, none of them trained"
    )


def test_few_bits_and_lora():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, name="bits"), layers.Dense(2, name="narrow")])
    model.layers[0].quantize("int8")
    model.layers[1].enable_lora(2)
    said = explain(model)
    assert "quantized (int8)" in said["bits"].text
    assert "LoRA of rank 2" in said["narrow"].text
    assert said["narrow"].weights.endswith("= 22 weights, 8 of them not trained")


def test_a_subclass_of_a_layer_says_so():
    class Doubled(layers.Dense):
        def call(self, inputs):
            return 2 * super().call(inputs)

    assert "Doubled is your own kind of Dense, and may do more" in one(Doubled(3), (4,)).text


def test_a_layer_of_the_programs_own_speaks_with_its_docstring_and_shows_what_it_calls():
    class Block(layers.Layer):
        """A Dense, and what comes in added."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(4, name="inside")

        def call(self, inputs):
            return inputs + self.inner(inputs)

    model = keras.Sequential([keras.Input((4,)), Block(name="block"), layers.Dense(1, name="head")])
    said = explain(model)
    assert "A layer of your own: A Dense, and what comes in added." in said["block"].text
    assert [layer.depth for layer in said.layers] == [0, 0, 1, 0]
    assert said["inside"].weights == "4 x 4 kernel + 4 bias = 20 weights, all trained"


def test_ops_in_a_graph_are_formulas():
    x = keras.Input((4,), name="x")
    y = layers.Dense(4, name="y")(x)
    model = keras.Model(x, keras.ops.mean((x + y) * 2 - 1, axis=-1))
    said = explain(model)
    texts = [layer.text for layer in said.layers]
    assert any(
        "x + y, which gives 4 numbers. In training the gradient passes through the sum to both" in t for t in texts
    )
    assert any("add * 2" in t for t in texts) and any("multiply - 1" in t for t in texts)
    assert any("mean(subtract, axis=-1)" in t for t in texts)


def test_modes_that_are_written_into_a_call():
    x = keras.Input((4,))
    y = layers.Dropout(0.5, name="always")(x, training=True)
    y = layers.Dropout(0.5, name="never")(y, training=False)
    y = layers.BatchNormalization(name="still")(y, training=False)
    said = explain(keras.Model(x, y))
    assert said["always"].text.startswith("Always, since it is called with training=True")
    assert said["never"].text.startswith("Never here")
    assert "called with training=False: it uses its moving averages" in said["still"].text


def test_sums_and_means_and_gates():
    x = keras.Input((8, 8, 4), name="x")
    gate = layers.Dense(4, activation="sigmoid", name="gate")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    y = layers.Multiply(name="product")([x, gate])
    model = keras.Model(x, [layers.Average(name="mean")([x, y]), layers.Add(name="sum")([y, x])])
    said = explain(model)
    assert "gated: from 0, closed, to 1, open" in said["gate"].text
    assert "The product of x and gate" in said["product"].text and "Shapes differ" in said["product"].text
    assert "gradient" not in said["mean"].text and "The sum of product and x" in said["sum"].text
    assert "the same weights are used" not in said["gate"].text  # there is one position only


def test_calls_of_one_layer_and_models_inside():
    encoder = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")], name="encoder")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    model = keras.Model([left, right], encoder(left) - encoder(right))
    said = explain(model)
    assert [layer.name for layer in said.layers] == [
        "left",
        "right",
        "encoder",
        "dense",
        "encoder",
        "dense",
        "subtract",
    ]
    assert "Call 1 of 2 of the same layer" in said["dense"].text
    assert "shared by its 2 calls" in said["dense"].weights
    assert "15 of 15 weights are trained, in 1 layer" in said.text.replace("\n    ", " ")


def test_real_data_of_every_form():
    x = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    joined = layers.Concatenate(name="joined")([x["a"], x["b"]])
    model = keras.Model(x, layers.Dense(2, activation="relu", name="out")(joined))
    said = model.explain({"a": np.ones((2, 3)), "b": np.zeros((2, 2))})
    assert "On this data: 0 to 1, mean 0.6" in said["joined"].text
    assert "40% are exactly 0" in said["joined"].text
    two = keras.Model([x["a"], x["b"]], joined)
    assert "mean 0.6" in two.explain([np.ones((2, 3)), np.zeros((2, 2))])["joined"].text
    recurrent = keras.Sequential([keras.Input((4, 2)), layers.RNN(layers.LSTMCell(3), name="rnn")])
    assert "On this data" in recurrent.explain(np.ones((2, 4, 2)))["rnn"].text
    broken = keras.Sequential([keras.Input((2,)), layers.Rescaling(2, name="twice")])
    assert "50% are not finite" in broken.explain(np.array([[1, np.nan]]))["twice"].text


def test_text_on_the_host():
    words = layers.TextVectorization(output_sequence_length=3, vocabulary=["good", "bad"], name="words")
    model = keras.Sequential(
        [keras.Input((1,), dtype="string"), words, layers.Embedding(4, 2, mask_zero=True, name="table")]
    )
    said = model.explain(np.array([["good bad"], ["so so"]]))
    assert "vocabulary of 4" in said["words"].text and "on the host" in said["words"].text
    assert "On this data: 0 to 3" in said["words"].text


def test_names_are_escaped_everywhere():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="a<b>*c*")], name="<script>")
    said = model.explain()
    assert "<script>" not in said.html() and "a<b>" not in said.html()
    assert "a\\<b>\\*c\\*" in said.markdown()
    assert "a<b>*c*" in said.to_terminal() and said._repr_markdown_() == said.markdown()
    assert json.loads(json.dumps(said.as_dict()))["layers"][1]["name"] == "a<b>*c*"
    assert all(len(line) <= 80 for line in said.text.splitlines())
    assert all(len(line) <= 80 for line in said.to_terminal().splitlines())


def test_models_without_a_graph():
    class Frozen(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.base = keras.Sequential([keras.Input((5, 3)), layers.BatchNormalization(name="inner")], name="base")
            self.both = layers.Bidirectional(layers.LSTM(2), name="both")
            self.head = layers.Dense(1, name="head")

        def call(self, data):
            x = self.base(data["steps"], training=False)
            return self.head(self.both(x) + data["more"])

    model = Frozen()
    model({"steps": np.ones((2, 5, 3)), "more": np.ones((2, 4))})
    said = explain(model)
    assert [(layer.name, layer.depth) for layer in said.layers] == [("base", 0), ("inner", 1), ("both", 0), ("head", 0)]
    assert "called with training=False" in said["inner"].text
    text = " ".join(said.text.split())
    assert "takes 2 inputs: (None, 4) and (None, 5, 3)" in text
    assert "The output is that of head: one number, without an activation" in text
    assert "longest way" not in text  # a sum stands between, unseen


@pytest.mark.parametrize(
    ("units", "activation", "loss", "words"),
    [
        (3, "softmax", "sparse_categorical_crossentropy", "which fits."),
        (3, "softmax", "binary_crossentropy", "categorical_crossentropy is usual after softmax"),
        (3, "softmax", keras.losses.CategoricalCrossentropy(from_logits=True), "the loss applies softmax itself, so"),
        (1, "softmax", "binary_crossentropy", "does not fit: it is always 1"),
        (3, "sigmoid", "categorical_crossentropy", "does not fit: it takes the probabilities of exclusive classes"),
        (3, "sigmoid", "binary_crossentropy", "which fits."),
        (1, "sigmoid", keras.losses.BinaryCrossentropy(from_logits=True), "the loss applies sigmoid itself, so"),
        (1, None, keras.losses.BinaryCrossentropy(from_logits=True), "which fits: the loss applies sigmoid itself"),
        (1, None, "binary_crossentropy", "does not fit: it takes probabilities: use sigmoid here"),
        (3, None, "sparse_categorical_crossentropy", "does not fit: it takes probabilities: use softmax here"),
        (1, None, "mae", "mean_absolute_error, which fits."),
        (1, "relu", "mse", "mean_squared_error: targets must be 0 or more"),
        (1, "tanh", "hinge", "which fits: labels are -1 and 1"),
        (1, None, lambda y, p: keras.ops.mean(y - p), "a loss of your own"),
        (1, lambda x: 2 * x, "mse", "through a function of your own. It is compiled with mean_squared_error."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("apart", [False, True])
def test_whether_the_loss_fits(units, activation, loss, words, apart):
    parts = [layers.Dense(units), layers.Activation(activation)] if apart else [layers.Dense(units, activation)]
    model = keras.Sequential([keras.Input((4,)), *parts])
    model.compile("adam", loss)
    out = next(answer.text for answer in explain(model).answers if answer.question.startswith("What comes out"))
    assert words in out


def test_masks_that_are_lost():
    x = keras.Input((6, 4))
    y = layers.Masking(name="start")(x)
    model = keras.Model(x, [layers.Dense(2, name="kept")(y), y + 1])
    masks = next(answer.text for answer in explain(model).answers if answer.question.startswith("Where do masks"))
    assert "starts at start. It passes through kept. It is lost at add" in masks and "It reaches an output" in masks


def test_each_output_has_its_own_loss():
    x = keras.Input((4,))
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    price, extra = layers.Dense(1, name="price")(x), layers.Dense(2, name="extra")(x)
    steps = layers.TimeDistributed(layers.Dense(2, activation="sigmoid"), name="steps")(layers.RepeatVector(3)(x))
    model = keras.Model(x, {"k": kind, "p": price, "e": extra, "s": steps})
    model.compile("adam", {"k": "mse", "p": "mae", "s": "binary_crossentropy"})
    out = next(answer.text for answer in explain(model).answers if answer.question.startswith("What comes out"))
    assert "that of extra: 2 numbers, without an activation. compile was given no loss for it." in out
    assert "mean_absolute_error, which fits" in out and "mean_squared_error: targets must be between 0 and 1" in out
    assert "that of steps: 3 x 2 through sigmoid. So at each position it gives 2 probabilities" in out
    model.compile("adam", "mse")
    assert "no loss" not in explain(model).text


def test_an_activation_behind_a_branch():
    x = keras.Input((4,))
    dense = layers.Dense(3, name="dense")(x)
    bend = layers.Activation("relu", name="bend")(dense)
    said = explain(keras.Model(x, layers.Add()([bend, layers.Dense(3, name="other")(dense)])))
    assert "dense.output is the tensor before it" in said["bend"].text
    assert "would compute the same" not in said["bend"].text  # the other branch would change
    assert "bend after it is its activation. other takes its output without" in said["dense"].text


def test_bits_of_each_kind():
    for mode, words in (
        ("int8", "quantized (int8)"),
        ("int4", "quantized (int4)"),
        ("float8", "the kernel keeps its precision"),
    ):
        model = keras.Sequential([keras.Input((8,)), layers.Dense(4, name="dense")])
        model.quantize(mode)
        assert words in explain(model)["dense"].text


def test_what_differs_in_training():
    x = keras.Input((4, 3))
    y = layers.TimeDistributed(layers.Dropout(0.5), name="each")(x)
    y = layers.MultiHeadAttention(1, 2, name="plain")(y, y)
    y = layers.MultiHeadAttention(1, 2, dropout=0.1, name="dropping")(y, y)
    y = layers.Dropout(0, name="idle")(y)
    y = layers.SpectralNormalization(layers.Dense(3), name="bounded")(y)
    model = keras.Model(x, layers.LSTM(2, recurrent_dropout=0.1, name="lstm")(y))
    modes = next(answer for answer in explain(model).answers if answer.question.startswith("What differs"))
    assert modes.sentences == [
        "each: layers inside it differ in training.",
        "dropping and lstm: the dropout inside is active only in training.",
        "bounded: the singular value of its kernel is updated only in training.",
    ]


def test_a_softmax_along_another_axis_is_no_head():
    model = keras.Sequential([keras.Input((4, 3)), layers.Softmax(axis=1, name="shares")])
    out = next(answer.text for answer in explain(model).answers if answer.question.startswith("What comes out"))
    assert out == "The output is that of shares: 4 x 3."


def test_open_sizes_are_not_told_as_sizes():
    assert "map goes" not in one(layers.MaxPooling2D(2), (None, None, 3)).text
    assert "from any" not in one(layers.UpSampling2D(2), (None, None, 3)).text
    assert "Strides of 2 x 2 move" in one(layers.Conv2D(4, 3, 2, padding="same"), (None, None, 3)).text
    assert one(layers.Dense(2), (None, 3)).operations.endswith("open sizes counted as 1")
    assert "each channel of each sample" in one(layers.GroupNormalization(groups=-1), (4, 6)).text
    assert "4 bins that adapt(data) computes" in one(layers.Discretization(num_bins=4), (3,)).text


class Blur(layers.Layer):
    """Blurs each channel with a trained window."""

    __module__ = "lamina.layers.blur"  # as if it were lamina's own
    _traits = frozenset(("convolution", "weighted"))
    kernel_size, strides, padding, dilation_rate = (3, 3), (1, 1), "same", (1, 1)

    def build(self, input_shape):
        self.kernel = self.add_weight((3, 3, 1, 1), name="kernel")

    def call(self, inputs):
        return inputs


def test_a_new_layer_with_traits_needs_no_edit_in_explain_and_check(monkeypatch):
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, padding="same"), layers.Dense(4, name="mix"), Blur(name="blur"),
    ])  # fmt: skip
    said = explain(model)["blur"]
    assert "Blurs each channel with a trained window." in said.text and "1 kernel = 9 weights" in said.weights
    assert ("LAM203", "mix") in [(finding.code, finding.layer) for finding in model.check()]
    monkeypatch.setitem(DESCRIPTIONS, "Blur", lambda fact: [f"A blur with a window of {fact.layer.kernel_size[0]}."])
    assert explain(model)["blur"].text.startswith("A blur with a window of 3.")
