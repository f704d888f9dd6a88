"""Mistakes with layers, and whether the fixes printed for them work."""

from tests.mistakes import everyday, first_hour, notebooks, ordinary
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

START = "from lamina import layers\nx = y = {}\n"


def mistake(wrong, right, says=None, x="0", prose=False):
    """A program with layers on an array x; `right` is the code that the error prints, unless `says` is a part of it."""
    start = START.format(x)
    return Mistake(start + wrong, start + right, says=says or right, prose=prose)


def setting(code, says, x=None):
    """A layer with a wrong argument, as `layers.Dense(units='8')`; `says` is the argument that the error prints."""
    name, _, arguments = code.partition("(")
    wrong = f"layers.{code}"
    key = says.partition("=")[0]
    kept = [one for one in _arguments(arguments[:-1]) if one.partition("=")[0] != key]
    right = f"layers.{name}({', '.join([*kept, says])})"
    call = "" if x is None else "(x)"
    return mistake(wrong + call, right + call, says, x or "0")


def _arguments(text):
    """The arguments of a call, split at commas outside of brackets."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [one.strip() for one in found if one.strip()]


SEQUENCES, ONES = "keras.Input((5, 3))", "np.ones({})".format
UNBUILT = [
    mistake(
        f"layer = layers.{code}; layer.{name}",
        f"layer = layers.{code}; {built}; layer.{name}",
        f"{built}; layer.{name}",
    )
    for code, name in (
        ("Dense(3)", "kernel"),
        ("Embedding(5, 8)", "embeddings"),
        ("SimpleRNNCell(2)", "recurrent_kernel"),
    )
    for built in ["layer.build((None, 8))"]
]
UNBUILT += [
    mistake(
        "layers.Dense(3)(layers.Flatten()(x))",
        "layers.Dense(3)(layers.GlobalAveragePooling2D()(x))",
        "GlobalAveragePooling2D",
        "keras.Input((None, None, 3))",
        True,
    ),
    mistake("keras.Input(8, 8, 1)", "keras.Input((8, 8, 1))", "keras.Input((8, 8, 1))"),
    mistake("keras.Input(28, 28)", "keras.Input((28, 28))", "keras.Input((28, 28))"),
]
RECURRENT = [
    mistake(
        "layers.LSTM(4)(layers.LSTM(4)(x))",
        "layers.LSTM(4)(layers.LSTM(4, return_sequences=True)(x))",
        "LSTM(4, return_sequences=True)",
        SEQUENCES,
    ),
    mistake(
        "layers.Conv1D(4, 2)(layers.Dropout(0.1)(layers.GRU(4)(x)))",
        "layers.Conv1D(4, 2)(layers.Dropout(0.1)(layers.GRU(4, return_sequences=True)(x)))",
        "GRU(4, return_sequences=True)",
        SEQUENCES,
    ),
    mistake(
        "y = layers.Bidirectional(layers.LSTM(4))(x); layers.Attention()([y, y])",
        "y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x); layers.Attention()([y, y])",
        "LSTM(4, return_sequences=True)",
        SEQUENCES,
    ),
    mistake(
        "y = layers.RNN(layers.LSTMCell(4))(x); layers.MultiHeadAttention(2, 2)(y, y)",
        "y = layers.RNN(layers.LSTMCell(4), return_sequences=True)(x); layers.MultiHeadAttention(2, 2)(y, y)",
        "return_sequences=True)",
        SEQUENCES,
        True,
    ),
    mistake(
        "keras.Sequential([layers.SimpleRNN(4), layers.Dropout(0.1), layers.TimeDistributed(layers.Dense(2))])(x)",
        "keras.Sequential([layers.SimpleRNN(4, return_sequences=True), layers.TimeDistributed(layers.Dense(2))])(x)",
        "SimpleRNN(4, return_sequences=True)",
        ONES((2, 5, 3)),
    ),
    mistake(
        "layers.Conv2D(4, 3)(layers.Flatten()(x))",
        "layers.Flatten()(layers.Conv2D(4, 3)(x))",
        "put conv2d before it",
        "keras.Input((8, 8, 1))",
        True,
    ),
]
SHAPES = [
    mistake(
        "layers.Conv1D(4, 3)(x)",
        "layers.Conv1D(4, 3)(keras.Input((10, 1)))",
        "keras.Input((10, 1))",
        "keras.Input((10,))",
    ),
    mistake(
        "layers.Conv2D(4, 3)(x)",
        "layers.Conv2D(4, 3)(keras.Input((28, 28, 1)))",
        "keras.Input((28, 28, 1))",
        "keras.Input((784,))",
    ),
    mistake(
        "layers.Conv2D(4, 3)(layers.Dense(9)(x))",
        "layers.Conv2D(4, 3)(layers.Reshape((3, 3, 1))(layers.Dense(9)(x)))",
        "layers.Reshape((3, 3, 1))",
        "keras.Input((4,))",
    ),
    mistake(
        "layers.LSTM(2)(x)",
        "layers.LSTM(2)(layers.Reshape((-1, 1))(x))",
        "layers.Reshape((-1, 1))",
        "keras.Input((None,))",
    ),
    mistake(
        "layers.LSTM(2)(x)", "layers.LSTM(2)(layers.Reshape((3, 20))(x))", "layers.Reshape((3, 20))", ONES((2, 3, 4, 5))
    ),
    mistake("layers.Conv2D(4, 3)(x)", "layers.Conv2D(4, 3)(x[..., None])", "x[..., None]", ONES((2, 8, 8))),
    mistake(
        "layers.Conv2D(4, 3)(x)", "layers.Conv2D(4, 3)(x.reshape(-1, 4, 4, 1))", "x.reshape(-1, 4, 4, 1)", ONES((2, 16))
    ),
    mistake("layers.Dense(4)(x)", "layers.Dense(4)(x[None])", "x[None]", ONES((3,))),
    mistake(
        "d = layers.Dense(4); d(x); d(x[:, :2])",
        "d = layers.Dense(4); d(x); layers.Dense(4)(x[:, :2])",
        "Dense(4)",
        ONES((2, 3)),
    ),
    mistake(
        "d = layers.Conv2D(4, 3); d(x); d(x[..., :1])",
        "d = layers.Conv2D(4, 3); d(x); x = x[..., :1]; d(keras.ops.repeat(x, 3, axis=-1))",
        "keras.ops.repeat(x, 3, axis=-1)",
        ONES((2, 8, 8, 3)),
    ),
    mistake(
        "d = layers.Conv1D(4, 2); d(x); d(np.ones((2, 3, 6)))",
        "d = layers.Conv1D(4, 2); d(x); x = np.ones((2, 3, 6)); d(keras.ops.moveaxis(x, 1, -1))",
        "keras.ops.moveaxis(x, 1, -1)",
        ONES((2, 6, 3)),
    ),
    mistake(
        "m = keras.Sequential([layers.Dense(4)]); m(x); m(x[:, :2])",
        "m = keras.Sequential([layers.Dense(4)]); m(x); m(x)",
        "dense gets 3 on axis -1",
        ONES((2, 3)),
        True,
    ),
    mistake(
        "layers.Dense(4)(layers.Dense(3))", "layers.Dense(4)(layers.Dense(3)(x))", "Call dense", ONES((2, 3)), True
    ),
    mistake(
        "layers.Dense(4)(1.5)", "dense = layers.Dense(4); x = 1.5; dense(np.array([[x]]))", "dense(np.array([[x]]))"
    ),
    mistake(
        "layers.Dense(4)('a')",
        "layers.Dense(4)(layers.TextVectorization(vocabulary=['a'])(['a', 'b']))",
        "layers.TextVectorization()",
        prose=True,
    ),
    mistake(
        "m = layers.GroupQueryAttention(4, 2, 2); m.input_spec = [m.input_spec] * 2; m([x])",
        "m = layers.Dense(4); m(x)",
        "([x, y])",
        ONES((2, 3, 4)),
        True,
    ),
    mistake("layers.Dense(4)(None)", "layers.Dense(4)(x)", "return", ONES((2, 3)), True),
    mistake(
        "layers.InputLayer((3,))(x)",
        "inputs = keras.Input((3,)); outputs = inputs + 1; keras.Model(inputs, outputs)(x)",
        "keras.Model(inputs, outputs)(x)",
        ONES((2, 3)),
    ),
]
MODELS = [
    mistake(
        f"keras.Sequential([keras.Input({wanted}), layers.ReLU()]).predict(x)",
        f"keras.Sequential([keras.Input({right or wanted}), layers.ReLU()]).predict({'x' if right else says})",
        says if not right else f"keras.Input({right})",
        ONES(shape),
    )
    for shape, wanted, right, says in [
        ((8, 9), (10,), (9,), None),
        ((8, 5, 4), (5, 3), (5, 4), None),
        ((8, 7, 3), (5, 3), (7, 3), None),
        ((8, 15), (5, 3), None, "x.reshape(-1, 5, 3)"),
        ((8, 3, 5), (5, 3), None, "keras.ops.transpose(x, (0, 2, 1))"),
        ((8, 9, 9, 3), (8, 8, 3), None, "keras.ops.image.resize(x, (8, 8))"),
        ((2, 8, 8, 4), (None, None, 3), None, "x[..., :3]"),
        ((2, 8, 8, 1), (8, 8, 3), None, "keras.ops.repeat(x, 3, axis=-1)"),
        ((2, 8, 8), (8, 8, 3), None, "keras.ops.stack([x, x, x], axis=-1)"),
        ((8, 8, 3), (8, 8, 3), None, "x[None]"),
    ]
]
MODELS += [
    mistake(
        "keras.Sequential([keras.Input((2,)), layers.Dense(1)]).predict(x, verbose=0)",
        "keras.Sequential([keras.Input((2,)), layers.Dense(1)]).predict(np.column_stack(list(x.values())), verbose=0)",
        "np.column_stack(list(x.values()))",
        "{'a': np.ones(3), 'b': np.ones(3)}",
    ),
    mistake(
        "keras.Sequential(layers.Dense(3), layers.Dense(2))",
        "from lamina.layers import Dense; from lamina import Sequential; Sequential([Dense(3), Dense(2)])",
        "Sequential([Dense(3), Dense(2)])",
    ),
    mistake(
        "keras.Sequential([layers.Dense])",
        "from lamina.layers import Dense; keras.Sequential([Dense(32)])",
        "Dense(32)",
    ),
]
CONSTRUCTORS = [
    mistake(f"layers.{wrong}", f"layers.{right}", right, x)
    for wrong, right, x in [
        ("Flatten(x)", "Flatten()(x)", ONES((2, 3))),
        ("Dense(4, x)", "Dense(4)(x)", "keras.Input((3,))"),
        ("Dropout(x)", "Dropout(0.5)(x)", "keras.Input((3,))"),
        ("Concatenate([x, y])", "Concatenate()([x, y])", "keras.Input((3,))"),
        ("Add(x, y)", "Add()([x, y])", ONES((3,))),
        ("Conv2D(x)", "Conv2D(32, 3)(x)", "keras.Input((8, 8, 1))"),
        ("MultiHeadAttention(2, 2, x, y)", "MultiHeadAttention(2, 2)(x, y)", ONES((2, 3, 4))),
        ("LSTM(3, activation=x)", "LSTM(3)(x)", SEQUENCES),
        ("Bidirectional(layers.LSTM)", "LSTM(32)", "0"),
        ("TimeDistributed(layers.Dense)", "Dense(32)", "0"),
        ("RNN(layers.LSTMCell)", "LSTMCell(32)", "0"),
    ]
]
SETTINGS = [
    setting("Dense(units=8.0)", "units=8"),
    setting("Dense(units='8')", "units=8"),
    setting("Dense(units=-8)", "units=8"),
    setting("Dense(units=None)", "units=32"),
    setting("Dense(4, trainable='no')", "trainable=False"),
    setting("Dropout(rate=50)", "rate=0.5"),
    setting("Dropout(rate=-0.2)", "rate=0.2"),
    setting("Dropout(0.5, noise_shape=3)", "noise_shape=(None, 1, None)"),
    setting("GaussianDropout(rate=1)", "rate=0.5"),
    setting("Conv2D(4, 3, padding='smae')", "padding='same'"),
    setting("Conv2D(4, 3, strides=0)", "strides=2"),
    setting("Conv2D(4, kernel_size=3.5)", "kernel_size=3"),
    setting("Conv2D(4, kernel_size=(3, 5, 7))", "kernel_size=(3, 5)"),
    setting("ZeroPadding2D(padding=(1, 2, 3))", "padding=((1, 2), (1, 2))"),
    setting("MaxPooling2D(padding='full')", "padding='valid'"),
    setting("UpSampling2D(interpolation='biliner')", "interpolation='bilinear'"),
    setting("Bidirectional(layers.LSTM(4), merge_mode='add')", "merge_mode='concat'"),
    setting("BatchNormalization(axis='x')", "axis=-1"),
    setting("BatchNormalization(axis=[1, 2])", "axis=-1"),
    setting("GroupNormalization(groups=0)", "groups=1"),
    setting("ReLU(max_value=-6)", "max_value=6"),
    setting("Attention(score_mode='sum')", "score_mode='dot'"),
    setting("Reshape(target_shape=(-1, -1))", "target_shape=(-1, 1)"),
    setting("Reshape(target_shape=(-2, 3))", "target_shape=(2, 3)"),
    setting("LSTM(4, use_cudnn='no')", "use_cudnn='auto'"),
    setting("GroupQueryAttention(4, num_query_heads=3, num_key_value_heads=2)", "num_query_heads=4"),
    setting("SpectralNormalization(layers.Dense(2), power_iterations=0)", "power_iterations=1"),
    setting("CategoryEncoding(num_tokens=None)", "num_tokens=10"),
    setting("CategoryEncoding(3, output_mode='int')", "output_mode='one_hot'"),
    setting("Discretization(bin_boundaries=None)", "num_bins=10"),
    setting("StringLookup(output_mode='onehot')", "output_mode='one_hot'"),
    setting("StringLookup(num_oov_indices=-1)", "num_oov_indices=1"),
    setting("StringLookup(pad_to_max_tokens=True)", "max_tokens=1000"),
    setting("StringLookup(vocabulary=['a'], invert=True, output_mode='count')", "output_mode='int'"),
    setting("StringLookup(vocabulary=['a'], idf_weights=[1.0])", "output_mode='tf_idf'"),
    setting("StringLookup(vocabulary=[])", "vocabulary=['a', 'b']"),
    setting("StringLookup(vocabulary=['a', 'b'], output_mode='tf_idf')", "idf_weights=[1.0] * 2"),
    setting("StringLookup(vocabulary=['a', 'b'], max_tokens=2)", "max_tokens=3"),
    setting("StringLookup(vocabulary=['a', 'b'], output_mode='tf_idf', idf_weights=[1.0])", "idf_weights=[1.0] * 2"),
    setting("IntegerLookup(vocabulary_dtype='int32')", "vocabulary_dtype='int64'"),
    setting("IntegerLookup(salt=3)", "oov_method='farmhash'"),
    setting("Hashing(num_bins=0)", "num_bins=10"),
    setting("Hashing(3, salt='a')", "salt=(1, 2)"),
    setting("HashedCrossing(3, dtype='float32')", "dtype='int64'"),
    setting("Hashing(3, output_mode='onehot')", "output_mode='one_hot'"),
    setting("TextVectorization(ngrams='2')", "ngrams=2"),
    setting("TextVectorization(output_mode='count', output_sequence_length=3)", "output_mode='int'"),
    setting("Hashing(3, sparse=True)", "sparse=False"),
    setting("RandomFlip(mode='vertcal')", "mode='vertical'"),
    setting("RandomZoom(height_factor=-1)", "height_factor=(-0.5, 0.5)"),
    setting("RandomRotation(factor='a')", "factor=0.1"),
    setting("RandomGrayscale(factor=20)", "factor=0.2"),
    setting("RandomGaussianBlur(kernel_size=4)", "kernel_size=5"),
    setting("STFTSpectrogram(frame_length=256, frame_step=300)", "frame_step=256"),
    setting("STFTSpectrogram(frame_length=256, fft_length=128)", "fft_length=256"),
    setting("MelSpectrogram(fft_length=128, sequence_length=256)", "fft_length=256"),
    setting("STFTSpectrogram(mode='lgo')", "mode='log'"),
]
MISTAKES = [*RECURRENT, *UNBUILT, *SHAPES, *MODELS, *CONSTRUCTORS, *SETTINGS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_of_checks_are_tried = fixes_are_tried("lamina/core/arguments.py", [*MISTAKES, *ordinary.CORE])
test_fixes_of_inputs_are_tried = fixes_are_tried("lamina/layers/base/input_spec.py", MISTAKES)
test_fixes_of_misuse_are_tried = fixes_are_tried(
    "lamina/layers/base/misuse.py",
    [*MISTAKES, *first_hour.LAYERS, *everyday.LAYERS, *notebooks.LAYERS, *ordinary.LAYERS],
)
test_fixes_of_dense_are_tried = fixes_are_tried("lamina/layers/dense.py", MISTAKES)
