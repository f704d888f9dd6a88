"""The nine programs (and two more) explained: the answers to what people ask, about the models as the programs make
them."""

import pathlib
import warnings

import numpy as np
import pytest

import lamina as keras

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # old spellings of the programs
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


class _Fitted:
    """What `fit` would have given: these tests look at the models before they are trained."""

    epoch, history = (), {}

    def plot(self):
        return None


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """`program("csv_cnn")` gives the names that a program leaves, nothing trained; each program runs once."""
    ran = {}
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("programs"))
    patch.setattr(keras.Model, "fit", lambda self, *args, **kwargs: _Fitted())
    patch.setattr(keras.Model, "evaluate", lambda self, *args, **kwargs: [0.0] * (3 if self.loss == "mse" else 2))

    def run(name, main="__main__"):
        if name not in ran:
            names = {"__name__": main, "__file__": str(EXAMPLES / f"{name}.py")}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old spellings of the programs, which tests/examples look at
                exec(compile((EXAMPLES / f"{name}.py").read_text(), name, "exec"), names)
            ran[name] = names
        return ran[name]

    yield run
    patch.undo()


def answer(explanation, start):
    return next(one.text for one in explanation.answers if one.question.startswith(start))


def all_of(model):
    """The explanation of a model and its text in one line."""
    said = model.explain()
    return said, " ".join(said.text.split())


def test_program_1_first_model(program):
    said, text = all_of(program("first_model")["model"])
    dense, relu, head, softmax = (layer for layer in said.layers if layer.kind != "InputLayer")
    assert dense.weights == "784 x 32 kernel + 32 bias = 25,120 weights, all trained"
    assert head.weights == "32 x 10 kernel + 10 bias = 330 weights, all trained"
    assert "outputs = inputs @ kernel + bias: each of the 32 units is a weighted sum of all 784 inputs" in dense.text
    assert f"{relu.name} after it is its activation" in dense.text
    assert "activation='relu' inside" in relu.text and "compute the same" in relu.text
    assert f"{dense.name}.output is the tensor before it" in relu.text
    assert "shares that add up to 1" in softmax.text
    sizes = answer(said, "What do None")
    assert "The model takes (None, 784)" in sizes and "input_shape=(784,)" in sizes
    assert "any number works" in sizes and "Only the first layer needs it" in sizes
    assert f"{dense.name} has 32, so the last axis of its output is 32" in sizes
    head = answer(said, "What comes out")
    assert "10 exclusive classes" in head and "compiled with categorical_crossentropy, which fits" in head
    assert "25,450 of 25,450 weights are trained, in 2 layers" in answer(said, "What changes")
    assert "RMSprop updates them" in answer(said, "What changes")
    counted = answer(said, "How many layers")
    assert "len(model.layers) is 4." in counted and "2 here, 1 of them hidden" in counted
    cost = answer(said, "What does it cost")
    assert "25,450 (99.4 KB)" in cost and "RMSprop 99.4 KB (1 number per weight)" in cost
    assert "784 x 32 x 2" not in text and f"{2 * 784 * 32 + 32:,} operations per sample" in text


def test_program_2_dense_between_convolutions_and_two_sigmoids(program):
    names = program("csv_cnn", main="program")
    model = names["csv_cnn"]()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    said, _ = all_of(model)
    first = next(layer for layer in said.layers if layer.kind == "Dense")
    assert "128 -> 256 on the last axis" in first.text and "at each of 10 positions" in first.text
    assert "that is valid: it is a convolution with a window of 1," in first.text
    assert first.weights == "128 x 256 kernel + 256 bias = 33,024 weights, all trained"
    conv = next(layer for layer in said.layers if layer.kind == "Conv1D")
    assert "from 20 to 10: strides of 2" in conv.text and "depends on 5 positions" in conv.text
    between = answer(said, "May a Dense stand")
    assert between.startswith("Yes:") and "each position alone" in between
    flat = next(layer for layer in said.layers if layer.kind == "Flatten")
    assert "2 x 64" in flat.text and "one row of 128 numbers" in flat.text
    head = answer(said, "What comes out")
    assert "2 probabilities that do not exclude each other" in head
    assert (
        "sparse_categorical_crossentropy, which does not fit: it takes the probabilities of exclusive classes" in head
    )
    mended = names["mended_cnn"]()
    mended.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    said, _ = all_of(mended)
    assert "sparse_categorical_crossentropy, which fits" in answer(said, "What comes out")
    pooled = next(layer for layer in said.layers if layer.kind == "GlobalAveragePooling1D")
    assert (
        "over all 5 positions: 128 features" in pooled.text and "Flatten instead would give 640 features" in pooled.text
    )


def test_program_3_activation_as_a_layer_and_branches(program):
    names = program("activation_as_layer")
    said, _ = all_of(names["branches"])
    first = next(layer for layer in said.layers if layer.kind == "Dense")
    kinds = [layer.kind for layer in said.layers]
    assert kinds.count("Dense") == 2 and "Add" in kinds
    assert "after it is its activation. dense_1 takes its output without that activation" in first.text
    add = next(layer for layer in said.layers if layer.kind == "Add")
    assert "activation + dense_1, which gives 64 numbers" in add.text and "gradient passes through the sum" in add.text
    said, _ = all_of(names["model"])
    where = answer(said, "Does the activation")
    assert "both compute the same" in where and "keras.Model(model.inputs, model.get_layer('dense_3').output)" in where
    said, _ = all_of(names["classifier"])
    assert "binary_crossentropy, which fits" in answer(said, "What comes out")
    assert "the probability of yes" in answer(said, "What comes out")


def test_program_4_transfer_learning(program):
    names = program("transfer_learning")
    said, _ = all_of(names["model"])
    drop = next(layer for layer in said.layers if layer.kind == "Dropout")
    assert "zeroes the output of dense_1, each number with probability 0.2" in drop.text
    assert "(None, 1024)" in drop.text and "Weights of dense_1 are not zeroed" in drop.text
    assert "Frozen: it uses its moving averages in training too" in said["norm1"].text
    assert said["conv2"].weights.endswith("all frozen")
    assert "norm1: frozen, so moving averages in training too" in answer(said, "What differs")
    moves = answer(said, "What changes")
    assert "Frozen: conv1, norm1, conv2 and mixed7" in moves and "no trained layer precedes them" in moves.lower()
    assert "compile need not be called again" in moves
    flat = next(layer for layer in said.layers if layer.kind == "Flatten")
    assert "4 x 4 x 32" in flat.text and "GlobalAveragePooling2D instead would give 32 features" in flat.text
    assert "depends on 10 x 10 positions" in said["mixed7"].text or "whole input" in said["mixed7"].text
    names["model"].get_layer("conv2").trainable = True  # after compile: counts at once
    again, _ = all_of(names["model"])
    assert "Frozen: conv1, norm1 and mixed7" in answer(again, "What changes")
    assert again["conv2"].weights.endswith("all trained")
    assert "Trained layers precede them too" in answer(again, "What changes")
    names["model"].get_layer("conv2").trainable = False


def test_program_4_dropout_behind_frozen_layers():
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    base.trainable = False
    model = keras.Sequential([base, keras.layers.Dropout(0.5, name="drop"), keras.layers.Dense(1)])
    said = model.explain()["drop"].text
    assert "All layers before it are frozen: nothing before it changes or gets a gradient" in said


def test_program_5_masks_of_dropout():
    """The four Dropouts of the program, in models: what falls together."""

    def mask_of(noise_shape, shape):
        drop = keras.layers.Dropout(0.5, noise_shape=noise_shape)
        return keras.Sequential([keras.Input(shape, batch_size=4), drop]).explain(drop).layers[0].text

    assert "has shape (4, 6, 12)." in mask_of(None, (6, 12)) and "each number with" in mask_of(None, (6, 12))
    assert "(4, 1, 12): along axis 1 all values are dropped together" in mask_of((4, 1, 12), (6, 12))
    assert "(1, 1, 12): along axes 0 and 1 all values are dropped together" in mask_of((1, 1, 12), (6, 12))
    assert "(1, 12): all samples of a batch share the draws" in mask_of((1, 12), (12,))


def test_program_6_activations_norms_shortcuts_fire_modules(program):
    names = program("activation_functions", main="program")
    for model in _three_ways(names):
        text = " ".join(model.explain().text.split())
        assert "tanh maps each value to between -1 and 1" in text
    said, _ = all_of(names["norm_before_relu"]())
    dense = next(layer for layer in said.layers if layer.kind == "Dense")
    assert "is its activation, after batch_normalization" in dense.text and "bias" not in dense.weights
    said, _ = all_of(names["resnet"]())
    add = next(layer for layer in said.layers if layer.kind == "Add")
    assert "gradient passes through a sum to each of its inputs" in add.text and "conv2d" in add.text
    said, _ = all_of(names["squeezenet"]())
    joined = [layer for layer in said.layers if layer.kind == "Concatenate"]
    assert all("32 + 32 = 64" in layer.text for layer in joined) and len(joined) == 2
    pooled = next(layer for layer in said.layers if layer.kind == "GlobalAveragePooling2D")
    assert "over all 4 x 4 positions: 10 features" in pooled.text


def _three_ways(names):
    """The models of the program's function, which gives only what they predict."""
    made = []
    sequential = names["Sequential"]
    names["Sequential"] = lambda *args: made.append(sequential(*args)) or made[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names["three_ways_to_tanh"](np.zeros((2, 8), "float32"))
    names["Sequential"] = sequential
    assert len(made) == 3
    return made


def test_program_7_images(program):
    said, _ = all_of(program("image_classification")["model"])
    assert "28 x 28 to one row of 784 numbers" in next(x for x in said.layers if x.kind == "Flatten").text
    dense, head = (layer for layer in said.layers if layer.kind == "Dense")
    assert "Its activation relu is inside the layer" in dense.text
    assert "Its activation softmax is inside the layer" in head.text
    assert "class numbers 0 to 9 of shape (samples,)" in answer(said, "What comes out")
    assert "sparse_categorical_crossentropy, which fits" in answer(said, "What comes out")


def test_program_8_regression(program):
    said, _ = all_of(program("regression")["model"])
    out = answer(said, "What comes out")
    assert "one number, without an activation" in out and "it can reach any number" in out
    assert "mean_squared_error, which fits" in out
    assert "4,865 of 4,865 weights are trained, in 3 layers" in answer(said, "What changes")
    assert "3 here, 2 of them hidden" in answer(said, "How many layers")


def test_program_9_lstm(program):
    said, _ = all_of(program("lstm_classifier")["model"])
    lstm = next(layer for layer in said.layers if layer.kind == "LSTM")
    assert "Reads 29 steps of 12 features" in lstm.text and "a state of 64 numbers" in lstm.text
    assert "return_sequences=False: it returns only the output after the last step, 64 numbers" in lstm.text
    assert "masked steps are skipped" in lstm.text
    assert lstm.weights.startswith("4 x (12 x 64 kernel + 64 x 64 recurrent kernel + 64 bias) = 19,712 weights")
    drop = next(layer for layer in said.layers if layer.kind == "Dropout")
    assert f"zeroes the output of {lstm.name}" in drop.text and "(None, 64)" in drop.text
    masks = answer(said, "Where do masks")
    assert "starts at masking" in masks and f"It ends at {lstm.name}, which uses it" in masks
    assert f"{drop.name}: active only in training" in answer(said, "What differs")


def test_program_10_text(program):
    said, _ = all_of(program("text_classifier")["model"])
    text = next(layer for layer in said.layers if layer.kind == "TextVectorization")
    table = next(layer for layer in said.layers if layer.kind == "Embedding")
    pooled = next(layer for layer in said.layers if layer.kind == "GlobalAveragePooling1D")
    assert "cut or padded to 12 tokens" in text.text and "on the host" in text.text
    assert "300 rows of 16 numbers" in table.text and "a mask starts here" in table.text
    assert "Masked positions do not count" in pooled.text
    assert "binary_crossentropy, which fits" in answer(said, "What comes out")


def test_quickstart(program):
    said, _ = all_of(program("quickstart")["model"])
    norm = next(layer for layer in said.layers if layer.kind == "BatchNormalization")
    assert "each of the 512 channels" in norm.text and "updates its moving averages (momentum 0.99)" in norm.text
    assert "1,024 weights of BatchNormalization are moving averages" in answer(said, "What changes")
    assert "Adam" in answer(said, "What does it cost") and "(2 numbers per weight)" in answer(said, "What does it cost")


def test_inception(program):
    names = program("transfer_learning_inception", main="program")
    model = names["with_new_top"](names["frozen_network"]())
    said = model.explain()
    assert len(said.layers) > 220
    assert "38,537,217" not in said.title and "of layers" not in said.title
    assert "7 x 7 x 768 to one row of 37,632 numbers" in next(x for x in said.layers if x.kind == "Flatten").text
    moves = answer(said, "What changes")
    assert "in 2 layers" in moves and "Frozen: conv2d, batch_normalization" in moves
