# ruff: noqa: E501
"""What a finding prints as its fix, done in the program of its page, ends the finding."""

import pathlib
import re

import numpy as np
import pytest

import lamina as keras
from lamina.check import RULES
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

PAGES = pathlib.Path(__file__).parents[2] / "docs" / "checks"
SOFTMAX, SIGMOID, ACTIVATION = 'activation="softmax"', 'activation="sigmoid"', "activation='softmax'"

# code -> (a part of the fix, what of the program it replaces, by what) for each thing that the fix proposes
DONE = {
    "LAM123": [("Return 1 - score", "return (2", "return 1 - (2")],
    "LAM124": [("Add a small number before sqrt", "axis=-1)", "axis=-1) + 1e-7")],
    "LAM318": [
        ("Load trained weights first", "model.compile", "base.layers[-1].bias.assign(np.ones(8))\nmodel.compile"),
        ("set conv.trainable = True", "model = ", "base.layers[-1].trainable = True\nmodel = "),
    ],
    "LAM239": [
        ("Remove norm", ', layers.LayerNormalization(name="norm")', ""),
        ("put it before the layer", 'layers.Dense(1), layers.LayerNormalization(name="norm")',
         'layers.LayerNormalization(name="norm"), layers.Dense(1)'),
    ],
    "LAM240": [("at its default, 'tanh'", 'activation="relu", ', "")],
    "LAM241": [
        ("table(h, reverse=True) in place of scores(h)",
         r"layers\.Embedding(.*)scores = [^\n]*\n(.*)scores\((.*)\)\)\nscores[^\n]*\n",
         r"layers.ReversibleEmbedding\1\2table(\3, reverse=True))\n"),
    ],
    "LAM242": [("Make the layer in __init__", r"__init__\(\)\n(.*)layers\.Dense\((16[^)]*)\)\(x\)",
                r"__init__()\n        self.inner = layers.Dense(\2)\n\1self.inner(x)")],
    "LAM125": [("label_smoothing=0.1", "label_smoothing=0.9", "label_smoothing=0.1")],
    "LAM243": [("norm.adapt(x)", r'(name="norm"\))', r"\1\nnorm.adapt(x)")],
    "LAM319": [("validation_split=0.1", "validation_split=0.9", "validation_split=0.1")],
    "LAM320": [("momentum=0.75", "BatchNormalization(", "BatchNormalization(momentum=0.75, "),
               ("more and smaller batches", "epochs=5, batch_size=50", "epochs=20, batch_size=16")],
    "LAM421": [("x.transpose(0, 2, 3, 1)", "first.reshape(-1, 16, 16, 3)", "first.transpose(0, 2, 3, 1)")],
    "LAM422": [("x, y = x[order], y[order]", r"x, y = rows\[order\], labels", "x, y = rows[order], labels[order]")],
    "LAM246": [("Use keras.random.normal(..., seed=self.seed_generator)",
                r"np\.random\.normal\(size=\(4,\)\)\.astype\(.float32.\)",
                "keras.random.normal((4,), seed=self.seed_generator)")],
    "LAM418": [("value_range=(0, 1)", "RandomBrightness(0.2,", "RandomBrightness(0.2, value_range=(0, 1),")],
    "LAM419": [("layers.Masking(-10)", "layers.Masking(", "layers.Masking(-10, ")],
    "LAM420": [("Take the rows of the index", "slice(0, 16)", "slice(16 * index, 16 * index + 16)")],
    "LAM101": [
        (ACTIVATION, SIGMOID, ACTIVATION),
        ("loss='binary_crossentropy'", '"sparse_categorical_crossentropy"', "loss='binary_crossentropy'"),
    ],
    "LAM102": [
        ("activation='sigmoid'", SOFTMAX, "activation='sigmoid'"),
        ("as many units as there are classes", 'Dense(1, activation="softmax", name="head"),\n])\nmodel.compile("adam", "binary',
         'Dense(2, activation="softmax", name="head"),\n])\nmodel.compile("adam", "sparse_categorical'),
    ],
    "LAM103": [
        ("Remove either activation='softmax'", SOFTMAX + ", ", ""),
        ("or from_logits=True", "from_logits=True", ""),
    ],
    "LAM104": [
        (ACTIVATION, 'name="head"', "activation='softmax', name='head'"),
        ("loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)", '"sparse_categorical_crossentropy"',
         "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
    ],
    "LAM105": [
        ("activation='linear'", 'activation="relu", name="head"', "activation='linear', name='head'"),
        ("scale the targets into its range", "print(", "y = (y - y.min()) / (y.max() - y.min())\nprint("),
    ],
    "LAM106": [
        ("Give head 4 units", "Dense(3", "Dense(4"),
        ("number the classes from 0", "print(", "y = np.unique(y, return_inverse=True)[1]\nprint("),
    ],
    "LAM107": [("loss='binary_crossentropy'", '"mse"', "loss='binary_crossentropy'")],
    "LAM108": [("Give head 3 units", "Dense(4", "Dense(3")],
    "LAM109": [("loss='sparse_categorical_crossentropy'", '"categorical_crossentropy"',
                "loss='sparse_categorical_crossentropy'")],
    "LAM110": [("(y + 1) / 2 as labels", "print(", "y = (y + 1) / 2\nprint(")],
    "LAM111": [
        ("activation='sigmoid'", 'softmax", name="head"),\n])\nmodel.compile("adam", "categorical',
         'sigmoid", name="head"),\n])\nmodel.compile("adam", "binary'),
        ("correct the rows", "print(", "y = np.eye(3)[y.argmax(1)]\nprint("),
    ],
    "LAM112": [("ops.reshape(y_true, (-1,)) and ops.reshape(y_pred, (-1,))", "(y_true - y_pred[:, 0])",
                "(keras.ops.reshape(y_true, (-1,)) - keras.ops.reshape(y_pred, (-1,)))")],
    "LAM113": [("metrics=['mae']", 'metrics=["accuracy"]', "metrics=['mae']")],
    "LAM114": [
        ("activation='sigmoid' and loss='binary_crossentropy'", '"categorical_crossentropy"', "loss='binary_crossentropy'"),
        ("as many units as there are classes", "Dense(1,", "Dense(2,"),
    ],
    "LAM115": [
        ("loss='categorical_crossentropy'", '"binary_crossentropy"', "loss='categorical_crossentropy'"),
        ("activation='sigmoid'", SOFTMAX, "activation='sigmoid'"),
    ],
    "LAM116": [
        ("Flatten()", 'layers.Dense(3, "softmax"', 'layers.Flatten(), layers.Dense(3, "softmax"'),
        ("GlobalAveragePooling", 'layers.Dense(3, "softmax"', 'layers.GlobalAveragePooling1D(), layers.Dense(3, "softmax"'),
        ("return_sequences=False", "return_sequences=True", "return_sequences=False"),
    ],
    "LAM117": [("keras.Input((28, 28, 1))", "layers.Conv2D", "keras.Input((28, 28, 1)), layers.Conv2D")],
    "LAM118": [("padding='same'", 'Conv2D(8, 3,', "Conv2D(8, 3, padding='same',")],
    "LAM119": [("activation='softplus'", 'name="count"', "activation='softplus', name='count'")],
    "LAM120": [("activation='softmax' and loss='categorical_crossentropy'",
                SIGMOID + ', name="head"),\n])\nmodel.compile("adam", "binary', SOFTMAX + '),\n])\nmodel.compile("adam", "categorical')],
    "LAM121": [("Dense(3, activation='softmax')", "Dense(10", "Dense(3")],
    "LAM201": [("Flatten() before hidden", "layers.Dense(128", "layers.Flatten(), layers.Dense(128")],
    "LAM202": [("Conv with kernel_size=3 in place of mix", 'Dense(64, "relu"', 'Conv1D(64, kernel_size=3, activation="relu"')],
    "LAM203": [
        ("Conv1D(64, 1)", r"layers\.Dense\(64[^\n]*", 'layers.Conv1D(64, 1, activation="relu"),'),
        ("or remove it", r"layers\.Dense\(64[^\n]*", ""),
    ],
    "LAM204": [("Remove flat", 'layers.Flatten(name="flat"),', "")],
    "LAM205": [("activation='relu' in hidden", 'name="hidden"', "activation='relu', name='hidden'")],
    "LAM206": [("Remove again", r'layers\.\w+\([^\n]*name="again"\),', "")],
    "LAM207": [("activation=None in scores", r"Dense\(3,[^\n]*", "Dense(3, activation=None, name='scores'),")],
    "LAM208": [("use_bias=False in hidden", 'name="hidden"', "use_bias=False, name='hidden'")],
    "LAM209": [("Put drop after norm", r'(layers\.Dropout[^\n]*)(.*?"norm"\),)', r"\2\1")],
    "LAM210": [("SpatialDropout2D(0.2)", "Dropout(0.2,", "SpatialDropout2D(0.2,")],
    "LAM211": [("Put drop before head", r'(layers\.Dense\(3[^\n]*)(\s*layers\.Dropout[^\n]*)', r"\2\1")],
    "LAM212": [
        ("Remove drop", r"layers\.Dropout[^\n]*", ""),
        ("move it one layer earlier", r'(layers\.Dense\(64, "relu"\),)(\s*layers\.Dropout[^\n]*)', r"\2\1"),
    ],
    "LAM213": [("GlobalAveragePooling2D() in place of flat", 'Flatten(name="flat")', "GlobalAveragePooling2D()")],
    "LAM214": [
        ("fewer strides and poolings", "layers.MaxPooling2D(4),", ""),
        ("or larger images", "(8, 8, 3)", "(32, 32, 3)"),
    ],
    "LAM215": [("return_sequences=True in first, without the layer between", r'name="first"\),\s*layers.Reshape[^\n]*',
                "return_sequences=True, name='first'),")],
    "LAM216": [
        ("Remove mask_zero=True", "mask_zero=True", ""),
        ("put reader before conv", r"(layers\.Conv1D[^\n]*)\s*layers\.LSTM[^\n]*",
         r"layers.LSTM(16, return_sequences=True, name='reader'), \1 layers.Flatten(),"),
    ],
    "LAM217": [
        ("Give kind a loss", '{"price": "mse"}', '{"price": "mse", "kind": "sparse_categorical_crossentropy"}'),
        ("trainable=False in kind", 'Dense(3, "softmax"', 'Dense(3, "softmax", trainable=False'),
    ],
    "LAM218": [
        ("Connect right", "(left)", "(layers.Concatenate()([left, right]))"),
        ("leave it out", "[left, right], layers", "[left], layers"),
    ],
    "LAM219": [("Leave out kernel_initializer", 'kernel_initializer="zeros", ', "")],
    "LAM220": [("x.transpose(0, 2, 3, 1), with keras.Input((32, 32, 3))", "model =", "images = images.transpose(0, 2, 3, 1)\nmodel =")],
    "LAM221": [
        ("Call model(x[:1]) first", "print(", "model(np.ones((1, 4)))\nprint("),
        ("model.check(x, y)", "check()", "check(np.ones((8, 4)))"),
    ],
    "LAM222": [("activation='relu' in hidden", SOFTMAX + ', name="hidden"', "activation='relu', name='hidden'")],
    "LAM223": [("activation='relu' in hidden0 to hidden3", SIGMOID, "activation='relu'")],
    "LAM224": [("layers.BatchNormalization() after every layer", "for number in range(12)),",
                "for number in range(6)), layers.BatchNormalization(),")],
    "LAM225": [("Give narrow 40 units", "Dense(2,", "Dense(40,")],
    "LAM226": [("activation='relu' in conv", 'name="conv"', "activation='relu', name='conv'")],
    "LAM227": [("Give second 64 filters or more, and first 16", r"Conv2D\(64(.*?)Conv2D\(16", r"Conv2D(16\1Conv2D(64")],
    "LAM122": [("Leave out the last activation of the model", 'Classifier("softmax")', "Classifier(None)")],
    "LAM228": [("softmax(scores, axis=-1)", "axis=1", "axis=-1")],
    "LAM229": [("Divide them by sqrt(16)", "scores / 16.0", "scores / np.sqrt(16)")],
    "LAM230": [("attention_mask=ops.not_equal(tokens, 0)[:, None, :]", "attention_mask=mask",
                "attention_mask=keras.ops.not_equal(inputs, 0)[:, None, :]")],
    "LAM231": [("layers.Embedding(...)(x) + layers.Embedding(length, width)(ops.arange(length))", "layers.Embedding(50, 16)(inputs)",
                "layers.Embedding(50, 16)(inputs) + layers.Embedding(8, 16)(keras.ops.arange(8))")],
    "LAM232": [("layers.Permute", "layers.Reshape((40, 12))", "layers.Permute((2, 1))")],
    "LAM233": [("z = z + attention(z, z)", "z = layers.MultiHeadAttention(2, 8)(z, z)",
                "z = z + layers.MultiHeadAttention(2, 8)(z, z)")],
    "LAM234": [("ops.softmax(z, axis=-1)", "axis=0", "axis=-1")],
    "LAM235": [("strides=2 or less in patches", "strides=4", "strides=2")],
    "LAM236": [("Leave training=True out of the call of second", ", training=True", "")],
    "LAM237": [("kernel_initializer='he_normal'", "keras.initializers.RandomNormal(stddev=2.0, seed=0)", "'he_normal'")],
    "LAM238": [("layers.LayerNormalization() in place of norm", 'axis=1, name="norm"', "")],
    "LAM316": [
        ("Leave out stateful=True in lstm", ", stateful=True", ""),
        ("shuffle=False, rows in order, and a callback that resets it", "epochs=20",
         "epochs=20, shuffle=False, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: None), "
         "type('Reset', (keras.callbacks.Callback,), {})()]"),
    ],
    "LAM317": [("momentum=0.9", "momentum=1.0", "momentum=0.9")],
    "LAM412": [("x, y = tokens[:, :-1], tokens[:, 1:]", "tokens[:, :-1], tokens[:, :-1]", "tokens[:, :-1], tokens[:, 1:]")],
    "LAM413": [("np.delete(x, 4, axis=1) as inputs", "network(table).check(table", "network(np.delete(table, 4, axis=1)).check(np.delete(table, 4, axis=1)")],
    "LAM414": [("order = np.random.permutation(len(x)); x, y = x[order], y[order]", "(x, y[order])", "(x[order], y[order])")],
    "LAM415": [("tokens + 1, and input_dim one larger", r"Embedding\(20(.*?)check\(tokens", r"Embedding(21\1check(tokens + 1")],
    "LAM416": [
        ("x_val, x = x[-n:], x[:-n]", "check(x, y", "check(x[:-28], y[:-28]"),
        ("validation_split=0.2", "validation_data=(x[-28:], y[-28:])", "validation_split=0.2"),
    ],
    "LAM417": [("whole numbers divided by 255 with // are 0", "// 255", "/ 255")],
    "LAM301": [("keras.optimizers.Adam(0.001)", r"keras\.optimizers\.\w+\([^)]*\)", "keras.optimizers.Adam(0.001)")],
    "LAM302": [("base.trainable = False", "print(", "base.trainable = False\nprint(")],
    "LAM303": [("model.trainable = True", "model.compile", "model.trainable = True\nmodel.compile")],
    "LAM304": [("Call model.compile(...) again", "print(", "model.compile('adam', 'mse')\nprint(")],
    "LAM305": [("batch_size=", "batch_size=256", "FIX")],
    "LAM306": [
        ("validation_split=0.2", "epochs=20", "epochs=20, validation_split=0.2"),
        ("EarlyStopping(monitor='loss', patience=5)", "EarlyStopping(patience=3)",
         "EarlyStopping(monitor='loss', patience=5)"),
    ],
    "LAM307": [("decay_steps=40", "decay_steps=1000", "decay_steps=40")],
    "LAM308": [("order = np.random.permutation(len(x)); x, y = x[order], y[order]", "print(",
                "order = np.random.permutation(len(x)); x, y = x[order], y[order]\nprint(")],
    "LAM309": [("class_weight={0: 1.0, 1: 1.0, 2: 5.0}", r"class_weight=\{[^}]*\}",
                "class_weight={0: 1.0, 1: 1.0, 2: 5.0}")],
    "LAM310": [("Leave out shuffle=False", ", shuffle=False", "")],
    "LAM311": [("a learning rate of 0.001, and more epochs", r"Adam\(1e-6\)(.*?)epochs=10", r"Adam(0.001)\1epochs=500")],
    "LAM312": [
        ("keras.optimizers.Adam(0.001)", '"sgd"', "keras.optimizers.Adam(0.001)"),
        ("SGD(0.01, momentum=0.9, clipnorm=1.0)", '"sgd"', "keras.optimizers.SGD(0.01, momentum=0.9, clipnorm=1.0)"),
    ],
    "LAM313": [("a rate of 0.2 to 0.5", "0.9", "0.4")],
    "LAM314": [("kernel_regularizer=keras.regularizers.L2(0.0001)", "kernel_regularizer=keras.regularizers.L2(1.0)",
                "kernel_regularizer=keras.regularizers.L2(0.0001)")],
    "LAM315": [
        ("batch_size=32", "batch_size=1", "batch_size=32"),
        ("layers.LayerNormalization() in place of norm", 'layers.BatchNormalization(name="norm")', "layers.LayerNormalization()"),
    ],
    "LAM601": [("layout_map['.*kernel'] = (None, 'model')", 'layout_map["kernel"]', "layout_map['.*kernel']")],
    "LAM602": [("layout_map['.*wide/kernel'] = (None, 'model')", "with keras",
                "layout_map['.*wide/kernel'] = (None, 'model')\nwith keras")],
    "LAM408": [
        ("Remove scale", 'layers.Rescaling(1 / 255, name="scale"), ', ""),
        ("from 0 to 255", "check(images)", "check(255 * images)"),
    ],
    "LAM409": [("(y - y.mean()) / y.std()", "(x, y)", "(x, (y - y.mean()) / y.std())")],
    "LAM410": [("use_causal_mask=True", "(x, x)", "(x, x, use_causal_mask=True)")],
    "LAM411": [("mask_zero=True in words", 'name="words"', 'mask_zero=True, name="words"')],
    "LAM401": [
        ("x / 255", "check(images)", "check(images / 255)"),
        ("layers.Rescaling(1 / 255) as the first layer", "layers.Conv2D", "layers.Rescaling(1 / 255), layers.Conv2D"),
    ],
    "LAM402": [("keep = np.isfinite(x).all(axis=1); x, y = x[keep], y[keep]", "print(",
                "keep = np.isfinite(x).all(axis=1); x, y = x[keep], y[keep]\nprint(")],
    "LAM403": [("x[:, x.std(axis=0) > 0]", "model =", "x = x[:, x.std(axis=0) > 0]\nmodel =")],
    "LAM404": [("Embedding(input_dim=21", "Embedding(20, 4", "Embedding(input_dim=21, output_dim=4")],
    "LAM405": [("class_weight={0: 1.0, 1: 49.0}", "(x, y)", "(x, y, class_weight={0: 1.0, 1: 49.0})")],
    "LAM406": [("Scale the inputs (layers.Normalization()), and leave the initializers at their defaults",
                r"x = 40 \* x[^\n]*(.*?), kernel_initializer=keras[^)]*\)(.*?), kernel_initializer=keras[^)]*\)", r"\1\2")],
    "LAM520": [("Mend what the message names", "loss_of(y", "self.compute_loss(x, y")],
    "LAM521": [("learning_rate=0.2 in the optimizer", "SGD(2.0)", "SGD(learning_rate=0.2)")],
    "LAM522": [("learning_rate=0.01 in the optimizer", "SGD(1e-6)", "SGD(learning_rate=0.01)")],
    "LAM523": [("that inputs differ from sample to sample", "    layers.Lambda(lambda x: 0 * x),\n", "")],
    "LAM524": [("learning_rate=0.01 in the optimizer", "SGD(1e-4)", "SGD(learning_rate=0.01)")],
    "LAM525": [("a metric that reads what the model returns", "MeanIoU(2)", "BinaryIoU()")],
    "LAM526": [("clipnorm=1.0 in the optimizer and a learning rate ten times smaller", "SGD(0.02)",
                "SGD(0.002, clipnorm=1.0)")],
    "LAM527": [("Leave kernel_initializer at its default", r", kernel_initializer=[^)]*\)", "")],
    "LAM407": [("Scale x_val as x_train was scaled", "255 * rows", "rows")],
}  # fmt: skip


def found_by(program):
    """The Findings that a program of a page prints."""
    printed = []
    keras.utils.clear_session(free_memory=False)
    exec(compile(program, "page.py", "exec"), {"__name__": "page", "print": printed.append})
    return printed[-1]


def program_of(code):
    (program, *_) = re.findall(r"^```python\n(.*?)^```", (PAGES / f"{code}.md").read_text(), re.MULTILINE | re.DOTALL)
    return program.replace(".codes)", ")")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", sorted(DONE))
def test_what_the_fix_says_ends_the_finding(code):
    program = program_of(code)
    (finding,) = (one for one in found_by(program) if one.code == code)
    for says, old, new in DONE[code]:
        assert says in finding.fix
        new = re.sub(r"FIX", lambda match: re.search(r"batch_size=\d+", finding.fix)[0], new)
        new = new if "\\" in new else new.replace("\\", "\\\\")
        pattern = old if "\\" in old else re.escape(old)
        done, count = re.subn(pattern, new, program, count=0 if code in ("LAM103", "LAM527") else 1, flags=re.DOTALL)
        assert count, f"{code}: {old} is not in the program"
        assert code not in found_by(done).codes, f"{code}: {says}\n{done}"


def test_every_rule_that_looks_before_training_is_tried():
    assert set(DONE) == {code for code, rule in RULES.items() if rule.needs != "watch"}


CHECKED = """
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, 'softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
keras.config.set_checks('{}')
try:
    model.fit(np.ones((8, 4)), np.arange(8), verbose=0)
finally:
    keras.config.set_checks('warn')
"""
PROBED = """
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
{}
x, y = np.ones((8, 4)), np.ones(8)
{}
"""
MISTAKES = [
    Mistake(PROBED.format("model.compile('adam', 'mse')", "model.check(probe=True)"),
            PROBED.format("model.compile('adam', 'mse')", "model.check(x, y, probe=True)"), "model.check(x, y, probe=True)"),
    Mistake(CHECKED.format("error"), CHECKED.format("warn"), "keras.config.set_checks('warn')", prose=True),
    Mistake("from lamina.check.page import page_of; page_of('LAM40')",
            "from lamina.check.page import page_of; page_of('LAM401')", "lamina explain LAM", prose=True),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/check", MISTAKES, but=[("Each sample needs a label", "an error that LAM118 says; it is never raised")]
)


def test_weights_of_many_classes_are_python():
    y = np.repeat(np.arange(30), [9000, *[1] * 29])
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(30, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(len(y), 4))
    (finding,) = (one for one in model.check(x, y) if one.code == "LAM405")
    weights = eval(re.search(r"class_weight=(.*) to fit", finding.fix)[1], {"np": np, "y": y})
    assert "LAM405" not in model.check(x, y, class_weight=weights).codes
    assert weights[0] < 1 < weights[29]


@pytest.mark.parametrize(("loss", "code"), [("mse", "LAM105"), ("binary_crossentropy", "LAM115")])
def test_class_numbers_with_another_loss(loss, code):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    x, y = np.ones((6, 4)), np.array([0, 1, 2] * 2)
    model.compile("adam", loss)
    (finding,) = (one for one in model.check(x, y) if one.code == code)
    model.compile("adam", re.search(r"loss='(\w+)'", finding.fix)[1])
    assert code not in model.check(x, y).codes and np.isfinite(model.evaluate(x, y, verbose=0))
