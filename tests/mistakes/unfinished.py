"""Subclasses that lack the method that makes them what they are: by folder of lamina, a mistake for each method."""

from tests.mistakes.mistake import Mistake


def lacks(base, method, body, use, more=""):
    """A subclass without a method; the error's fix is the head of the method, or the whole of it."""
    head = f"class Own({base}):\n{more}"
    return Mistake(f"{head}    pass\n{use}", f"{head}    {method}{body}\n{use}", says=method)


LOSS = "def call(self, y_true, y_pred): return keras.ops.abs(y_true - y_pred)"
RULE = "def rule(self, value, gradient, slots, learning_rate, step): return value - learning_rate * gradient"
UPDATE = "def update_state(self, y_true, y_pred, sample_weight=None):"
LENGTH = "    def __len__(self): return 1\n"
ITEM = "    def __getitem__(self, index): return np.ones((2, 1)), np.ones(2)\n"
FIT = "m = keras.Sequential([keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(Own(), verbose=0)"
DISTILL = "Own().compute_loss(np.ones((2, 3)), np.ones((2, 3)))"
UNFINISHED = {
    "losses": [lacks("keras.losses.Loss", LOSS, "", "Own()(np.ones(2), np.ones(2))")],
    "metrics": [
        lacks("keras.metrics.Metric", UPDATE, " pass", "Own().update_state(np.ones(2), np.ones(2))"),
        lacks("keras.metrics.Metric", "def result(self):", " return 1.0", "Own().result()"),
    ],
    "optimizers": [
        lacks("keras.optimizers.Optimizer", RULE, "", "Own(0.1).apply([np.ones(2)], [keras.Variable(np.ones(2))])"),
        lacks(
            "keras.optimizers.schedules.LearningRateSchedule",
            "def __call__(self, step): return 0.01 * 0.99**step", "", "Own()(3)",
        ),
    ],
    "initializers": [
        lacks(
            "keras.initializers.Initializer",
            "def __call__(self, shape, dtype=None): return keras.ops.zeros(shape, dtype)", "", "Own()((2,))",
        ),
    ],
    "distillation": [
        lacks(
            "keras.distillation.DistillationLoss",
            "def compute_loss(self, teacher_outputs, student_outputs, **kwargs):", " return 0.0", DISTILL,
        ),
    ],
    "data": [
        lacks(
            "keras.utils.PyDataset", "def __getitem__(self, index):", " return np.ones((2, 1)), np.ones(2)",
            FIT, LENGTH,
        ),
        lacks("keras.utils.PyDataset", "def __len__(self):", " return 1", FIT, ITEM),
    ],
    "layers": [
        Mistake(
            "x = np.ones((1, 300, 1), 'int32'); keras.layers.STFTSpectrogram()(x)",
            "x = np.ones((1, 300, 1), 'int32'); keras.layers.STFTSpectrogram()(x.astype('float32') / 32768)",
            says="x.astype('float32') / 32768",
        ),
    ],
}  # fmt: skip
