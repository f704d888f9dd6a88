"""Mistakes in training, and whether the fixes printed for them work."""

from tests.mistakes import everyday, first_hour, notebooks, ordinary, unseen
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MISTAKES = [
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, epoch=2)",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, epochs=2)",
        says="epochs=2",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, epochs='2')",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, epochs=2)",
        says="model.fit(x, y, epochs=2)",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, batch_size='4')",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, batch_size=4)",
        says="model.fit(x, y, batch_size=4)",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, "
        "validation_split='0.5')",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y, "
        "validation_split=0.5)",
        says="validation_split=0.5",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.compile(optimiser='adam', loss_fn='mse')",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.compile(optimizer='adam', "
        "loss='mse')",
        says="model.compile(optimizer='adam', loss='mse')",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(zip(x, y))",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); model = m; model.fit(x, y)",
        says="model.fit(x, y)",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'binary_crossentropy'); y = np.array([0] * 6 + [1] * "
        "2); m.fit(x, y, verbose=0, class_weight='balanced')",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'binary_crossentropy'); y = np.array([0] * 6 + [1] * "
        "2); m.fit(x, y, verbose=0, class_weight={0: 0.6667, 1: 2.0})",
        says="class_weight={0: 0.6667, 1: 2.0}",
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.fit(x, y)",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        'keras.layers.Dense(1)]); model = m; model.compile("adam", loss="mse"); m.fit(x, y)',
        says='model.compile("adam", loss="mse")',
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd'); m.fit(x, y)",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y)",
        says='compile(loss="mse")',
        prose=True,
    ),
    Mistake(
        wrong="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "['mse'] * 3); m.fit(x, [y, y])",
        right="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "loss=['mse', 'mse']); m.fit(x, [y, y])",
        says="loss=['mse', 'mse']",
    ),
    Mistake(
        wrong="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "{'r': 'mse'}); m.fit(x, [y, y])",
        right="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "{'p': 'mse', 'q': 'mse'}); m.fit(x, [y, y])",
        says="'p'",
        prose=True,
    ),
    Mistake(
        wrong="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "'mse'); m.fit(x, [y, y, y])",
        right="a = keras.Input((2,)); m = keras.Model(a, [keras.layers.Dense(1, name='p')(a), "
        "keras.layers.Dense(1, name='q')(a)]); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "'mse'); m.fit(x, [y, y])",
        says="y = ",
        prose=True,
    ),
    Mistake(
        wrong="class Two(keras.Model):\n"
        "    def call(self, x):\n"
        "        return [x * self.w, x * self.w]\n"
        "    def build(self, shape):\n"
        "        self.w = self.add_weight(())\n"
        "m = Two(); x, y = np.ones((8, 2)), np.ones((8, 2)); m.compile('sgd', {'a': 'mse'}); m.fit(x, "
        "[y, y])",
        right="class Two(keras.Model):\n"
        "    def call(self, x):\n"
        "        return [x * self.w, x * self.w]\n"
        "    def build(self, shape):\n"
        "        self.w = self.add_weight(())\n"
        "m = Two(); x, y = np.ones((8, 2)), np.ones((8, 2)); m.compile('sgd', ['mse', 'mse']); m.fit(x, "
        "[y, y])",
        says="as a list",
        prose=True,
    ),
    Mistake(
        wrong="a = keras.Input((2,)); m = keras.Model(a, {'p': keras.layers.Dense(1, name='p')(a), 'q': "
        "keras.layers.Dense(1, name='q')(a)}); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "{'r': 'mse'}); m.fit(x, {'p': y, 'q': y})",
        right="a = keras.Input((2,)); m = keras.Model(a, {'p': keras.layers.Dense(1, name='p')(a), 'q': "
        "keras.layers.Dense(1, name='q')(a)}); x, y = np.ones((8, 2)), np.ones((8, 1)); m.compile('sgd', "
        "{'p': 'mse'}); m.fit(x, {'p': y, 'q': y})",
        says="'p'",
        prose=True,
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, [y, y])",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit(x, y)",
        says="one array",
        prose=True,
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.predict_on_batch(keras.Input((2,)))",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.predict_on_batch(x)",
        says="np.asarray(x)",
        prose=True,
    ),
    Mistake(
        wrong="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit_generator((pair for pair in ()), "
        "samples_per_epoch=8)",
        right="x, y = np.ones((8, 2)), np.ones((8, 1)); m = keras.Sequential([keras.Input((2,)), "
        "keras.layers.Dense(1)]); m.compile('sgd', 'mse'); m.fit_generator(((x, y) for _ in range(1)), "
        "samples_per_epoch=8)",
        says="make a new generator",
        prose=True,
    ),
]

MISTAKES += [*first_hour.TRAINING, *everyday.TRAINING, *notebooks.TRAINING, *ordinary.TRAINING]
MISTAKES += [
    Mistake(
        wrong="keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).memory(2)",
        right="m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); "
        'm.compile("adam", loss="mse"); m.memory(2)',
        says='compile("adam", loss="mse")',
        prose=True,
    ),
    Mistake(
        wrong="m = keras.Sequential([keras.layers.Dense(1)]); m.compile('adam', 'mse'); m.memory(2)",
        right="m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); m.compile('adam', 'mse'); m.memory(2)",
        says="Begin the model with a keras.Input",
        prose=True,
    ),
]

KEEPS = """
class Keeps(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="keeps")
        self.seen = []
BUILD
    def call(self, x):
        CALL
        return x
layer = Keeps()
model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.ones((8, 2))
model.fit(x, np.ones((8, 1)), verbose=0)
"""
KEEPS_ONE = KEEPS.replace("BUILD", "").replace("CALL", "self.seen.append(keras.ops.mean(x))")
WEIGHT = "    def build(self, shape):\n        self.kept = self.add_weight(shape=(), trainable=False)"
MISTAKES += [
    Mistake(
        wrong=KEEPS_ONE + "float(layer.seen[-1])",
        right=KEEPS.replace("BUILD", WEIGHT).replace("CALL", "self.kept.assign(keras.ops.mean(x))")
        + "assert layer.kept.numpy() == 1",
        says="self.kept = self.add_weight(shape=(), trainable=False); in call: self.kept.assign(x)",
        prose=True,
    ),
    Mistake(
        wrong=KEEPS_ONE + "layer.seen[-1] + 1", right=None, says="self.kept.assign(x)", because="It is done above."
    ),
    Mistake(
        wrong=KEEPS.replace("BUILD", "").replace("CALL", "self.seen.append(x)") + "np.mean(layer.seen[-1])",
        right=KEEPS.replace("BUILD", "").replace("CALL", "pass")
        + "assert np.mean(keras.Model(model.inputs, model.get_layer('keeps').output).predict(x)) == 1",
        says="keras.Model(model.inputs, model.get_layer('keeps').output).predict(x)",
    ),
    Mistake(
        wrong=(KEEPS_LOSS := KEEPS.replace("BUILD", "").replace("CALL", "pass").replace('"mse"', "loss")).replace(
            "\n", "\nkept = {}\ndef loss(y, p):\n    kept['p'] = p\n    return keras.ops.square(y - p)\n", 1
        )
        + "print(kept['p'][0])",
        right=KEEPS_LOSS.replace("loss)", "'mse')") + "print(model.predict(x)[0])",
        says="model.predict(x)",
    ),
]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/training",
    [*MISTAKES, *unseen.DATA],
    but=[
        ("training/data/", "tests/mistakes/test_data.py has these."),
        ("validation_steps_every", "tests/mistakes/test_old_names.py has it."),
        ("devices", "tests/test_distribution.py has several devices."),
        ("out_of_memory", "tests/training/test_memory.py allocates too much."),
        ("processes have different", "tests/processes starts several processes."),
        ("found in the model's output: it is", "Keys at the place of one array: tests/training/test_loss_rows.py."),
    ],
)
