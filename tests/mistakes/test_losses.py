"""Mistakes with losses, and whether the fixes printed for them work."""

from tests.mistakes import everyday, notebooks, ordinary
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work
from tests.mistakes.unfinished import UNFINISHED

FIT = """
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", loss)
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
"""
MISTAKES = [
    Mistake(
        wrong="keras.losses.get('sparse_crossentropy')",
        right="m = keras.Sequential(); m.compile(loss='sparse_categorical_crossentropy')",
        says="loss='sparse_categorical_crossentropy'",
    ),
    Mistake(
        wrong="x, y = np.zeros((4, 6, 6, 1)), np.zeros(4); m = keras.Sequential([keras.Input((6, 6, 1)), "
        "keras.layers.Conv2D(1, 3), keras.layers.Dense(2, activation='softmax')]); m.compile('sgd', "
        "'sparse_categorical_crossentropy'); m.fit(x, y, verbose=0)",
        right="x, y = np.zeros((4, 6, 6, 1)), np.zeros(4); m = keras.Sequential([keras.Input((6, 6, 1)), "
        "keras.layers.Conv2D(1, 3), keras.layers.Flatten(), keras.layers.Dense(2, "
        "activation='softmax')]); m.compile('sgd', 'sparse_categorical_crossentropy'); m.fit(x, y, "
        "verbose=0)",
        says="keras.layers.Flatten()",
    ),
    Mistake(
        wrong="x, y = np.zeros((4, 6, 6, 1)), np.zeros(4); m = keras.Sequential([keras.Input((6, 6, 1)), "
        "keras.layers.Conv2D(1, 3), keras.layers.Dense(1, activation='sigmoid')]); m.compile('sgd', "
        "'binary_crossentropy'); m.fit(x, y, verbose=0)",
        right="x, y = np.zeros((4, 6, 6, 1)), np.zeros(4); m = keras.Sequential([keras.Input((6, 6, 1)), "
        "keras.layers.Conv2D(1, 3), keras.layers.Flatten(), keras.layers.Dense(1, "
        "activation='sigmoid')]); m.compile('sgd', 'binary_crossentropy'); m.fit(x, y, verbose=0)",
        says="keras.layers.Flatten()",
    ),
    Mistake(
        wrong="keras.losses.SparseCategoricalCrossentropy()(np.eye(3), np.eye(3))",
        right="keras.losses.CategoricalCrossentropy()(np.eye(3), np.eye(3))",
        says="categorical_crossentropy",
        prose=True,
    ),
    Mistake(
        wrong="keras.losses.SparseCategoricalCrossentropy()(np.zeros(2), np.eye(3))",
        right="keras.losses.SparseCategoricalCrossentropy()(np.zeros(3), np.eye(3))",
        says="(3,)",
        prose=True,
    ),
    Mistake(
        wrong="keras.losses.MeanSquaredError()(np.ones((4, 3)), np.ones((4, 2)))",
        right="keras.losses.MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)))",
        says="2 columns",
        prose=True,
    ),
    Mistake(
        wrong="keras.losses.CategoricalCrossentropy(axis=[1])(np.eye(3), np.eye(3))",
        right="keras.losses.CategoricalCrossentropy(axis=-1)(np.eye(3), np.eye(3))",
        says="axis=-1",
    ),
    Mistake(
        wrong="keras.losses.CategoricalGeneralizedCrossEntropy(q=2)",
        right="keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5)",
        says="q=0.5",
    ),
    Mistake(
        wrong="keras.losses.MeanSquaredError(reduction='avg')",
        right='keras.losses.MeanSquaredError(reduction="sum_over_batch_size")',
        says='reduction="sum_over_batch_size"',
    ),
    Mistake(
        wrong="keras.losses.Reduction.validate('avg')",
        right="keras.losses.Reduction.validate('sum_over_batch_size')",
        says="'sum_over_batch_size'",
    ),
    Mistake(
        wrong="keras.losses.CTC()(np.ones(4), np.ones((4, 5, 3)))",
        right="keras.losses.CTC()(keras.utils.pad_sequences([[1], [2]], padding='post'), np.ones((2, 5, 3)))",
        says="pad_sequences",
        prose=True,
    ),
    Mistake(
        wrong="keras.losses.MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)), sample_weight=np.ones(3))",
        right="keras.losses.MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)), sample_weight=np.ones(4))",
        says="one weight per sample",
        prose=True,
    ),
    Mistake(
        wrong="keras.losses.Circle()(np.eye(3), np.eye(3))",
        right="y = np.eye(3); keras.losses.Circle()(y.argmax(-1), np.eye(3))",
        says="y.argmax(-1)",
    ),
    Mistake(
        wrong="def loss(y_true, y_pred):\n    values = y_true - y_pred\n" + FIT,
        right="def loss(y_true, y_pred):\n    values = y_true - y_pred\n"
        "    return values  # at the end of the function\n" + FIT,
        says="return values  # at the end of the function",
    ),
    Mistake(
        wrong="def loss(y_pred):\n    return y_pred\n" + FIT,
        right="def loss(y_true, y_pred):\n    return y_pred\n" + FIT,
        says="def loss(y_true, y_pred):",
    ),
]

MISTAKES += [*UNFINISHED["losses"], *everyday.LOSSES, *notebooks.LOSSES, *ordinary.LOSSES]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/losses", MISTAKES)
