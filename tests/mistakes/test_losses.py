"""Mistakes with losses, and whether the fixes printed for them work."""

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

L = "keras.losses."
CNN = "x, y = np.zeros((4, 6, 6, 1)), np.zeros(4); m = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(1, 3), {}keras.layers.Dense({}, activation='{}')]); m.compile('sgd', '{}'); m.fit(x, y, verbose=0)"
SPARSE = ("2", "softmax", "sparse_categorical_crossentropy")
BINARY = ("1", "sigmoid", "binary_crossentropy")
FLAT = "keras.layers.Flatten(), "

MISTAKES = [
    Mistake(L + "get('sparse_crossentropy')", "m = keras.Sequential(); m.compile(loss='sparse_categorical_crossentropy')", says="loss='sparse_categorical_crossentropy'"),
    Mistake(CNN.format("", *SPARSE), CNN.format(FLAT, *SPARSE), says="keras.layers.Flatten()"),
    Mistake(CNN.format("", *BINARY), CNN.format(FLAT, *BINARY), says="keras.layers.Flatten()"),
    Mistake(L + "SparseCategoricalCrossentropy()(np.eye(3), np.eye(3))", L + "CategoricalCrossentropy()(np.eye(3), np.eye(3))", says="categorical_crossentropy", prose=True),
    Mistake(L + "SparseCategoricalCrossentropy()(np.zeros(2), np.eye(3))", L + "SparseCategoricalCrossentropy()(np.zeros(3), np.eye(3))", says="(3,)", prose=True),
    Mistake(L + "MeanSquaredError()(np.ones((4, 3)), np.ones((4, 2)))", L + "MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)))", says="2 columns", prose=True),
    Mistake(L + "CategoricalCrossentropy(axis='last')(np.eye(3), np.eye(3))", L + "CategoricalCrossentropy(axis=-1)(np.eye(3), np.eye(3))", says="axis=-1"),
    Mistake(L + "CategoricalGeneralizedCrossEntropy(q=2)", L + "CategoricalGeneralizedCrossEntropy(q=0.5)", says="q=0.5"),
    Mistake(L + "MeanSquaredError(reduction='avg')", L + "MeanSquaredError(reduction=\"sum_over_batch_size\")", says='reduction="sum_over_batch_size"'),
    Mistake(L + "CTC()(np.ones(4), np.ones((4, 5, 3)))", L + "CTC()(keras.utils.pad_sequences([[1], [2]], padding='post'), np.ones((2, 5, 3)))", says="pad_sequences", prose=True),
    Mistake(L + "MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)), sample_weight=np.ones(3))", L + "MeanSquaredError()(np.ones((4, 2)), np.ones((4, 2)), sample_weight=np.ones(4))", says="one weight per sample", prose=True),
    Mistake(L + "Circle()(np.eye(3), np.eye(3))", "y = np.eye(3); " + L + "Circle()(y.argmax(-1), np.eye(3))", says="y.argmax(-1)"),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/losses", MISTAKES)
