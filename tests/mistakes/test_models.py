"""Mistakes with models, and whether the fixes printed for them work."""

import copy
import pickle
import re

import pytest

import lamina as keras
from tests.mistakes import everyday, first_hour, notebooks, ordinary
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MISTAKES = [
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model[0]",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.layers[0]",
        says="model.layers[0]",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model['a']",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.get_layer('a')",
        says="model.get_layer('a')",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model[1:]",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.layers[1:]",
        says="model.layers[1:]",
    ),
    Mistake(wrong="keras.Input(('8', None))", right="keras.Input(shape=(8, None))", says="shape=(8, None)"),
    Mistake(
        wrong="class M(keras.Model): pass\nM()(np.ones((2, 3)))",
        right="class M(keras.Model):\n    def call(self, inputs): return inputs\nM()(np.ones((2, 3)))",
        says="def call(self, inputs):",
    ),
    Mistake(
        wrong="keras.Model(inputs=keras.Input((2,)))",
        right="inputs = keras.Input((2,)); outputs = keras.layers.Dense(1)(inputs); keras.Model(inputs, outputs)",
        says="keras.Model(inputs, outputs)",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.sumary()",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.summary()",
        says="model.summary",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.parameters()",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.trainable_variables",
        says="model.trainable_variables",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.get_layer()",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.get_layer(index=0)",
        says="model.get_layer(index=0)",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.get_layer(index=9)",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.get_layer(index=0)",
        says="model.get_layer(index=0)",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.get_layer('b')",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model.get_layer('a')",
        says="model.get_layer('a')",
    ),
    Mistake(
        wrong="keras.Sequential(keras.layers.Dense(1), keras.layers.Dense(2))",
        right="keras.Sequential([keras.layers.Dense(1), keras.layers.Dense(2)])",
        says="Sequential([",
        prose=True,
    ),
    Mistake(
        "x = keras.Input((2,)); model = keras.Model(x, 2 * x); keras.models.clone_model(model, input_tensors=(x, x))",
        "x = keras.Input((2,)); model = keras.Model(x, 2 * x); "
        "keras.models.clone_model(model, input_tensors=model.input)",
        says="clone_model(model, input_tensors=model.input)",
    ),
    Mistake(
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); x = np.ones((4, 3)); "
        "keras.models.clone_model(model, input_tensors=x)",
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); "
        "keras.models.clone_model(model, input_tensors=keras.Input((3,)))",
        says="input_tensors=keras.Input((3,))",
    ),
    Mistake(
        wrong="class Mine(keras.Model):\n"
        "    def call(self, x):\n"
        "        return x\n"
        "model = Mine(); keras.models.clone_model(model, clone_function=lambda layer: layer)",
        right="class Mine(keras.Model):\n"
        "    def call(self, x):\n"
        "        return x\n"
        "model = Mine(); keras.models.clone_model(model)",
        says="clone_model(model)",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.quantize('int8', filters=3)",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.quantize('int8', filters=lambda layer: True)",
        says="filters=lambda layer: True",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.get_state_tree(value_format='list')",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        'model.get_state_tree(value_format="numpy_array")',
        says='value_format="numpy_array"',
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.summary(layer_range='a')",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.summary(layer_range=['a', 'a'])",
        says="layer_range=",
        prose=True,
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.summary(layer_range=['x', 'y'])",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.summary(layer_range=['a', 'a'])",
        says="a.",
        prose=True,
    ),
    Mistake(
        wrong="model = keras.Sequential(); model.pop()",
        right="model = keras.Sequential(); model.add(keras.layers.Dense(1)); model.pop()",
        says="model.add(keras.layers.Dense(1))",
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.add(keras.Input((3,)))",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); ",
        says="Leave this Input out",
        prose=True,
    ),
    Mistake(
        wrong="keras.Sequential([3])",
        right="keras.Sequential([keras.layers.Dense(1)])",
        says="keras.Sequential([keras.layers.Dense(1)])",
    ),
    Mistake(
        wrong="keras.Sequential([keras.ops.relu])",
        right="keras.Sequential([keras.layers.Activation(keras.ops.relu)])",
        says="layers.Activation(",
        prose=True,
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.add(keras.layers.Dense(1, name='a'))",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.add(keras.layers.Dense(1, name='b'))",
        says="name=",
        prose=True,
    ),
    Mistake(
        wrong="keras.Sequential().build((None, 3))",
        right="model = keras.Sequential(); model.add(keras.layers.Dense(1)); model.build((None, 3))",
        says="model.add(",
        prose=True,
    ),
    Mistake(
        wrong="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model([a, b], "
        "keras.layers.Dense(1)(a + b)); x = np.ones((4, 2)); model([x])",
        right="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model([a, b], "
        "keras.layers.Dense(1)(a + b)); x = np.ones((4, 2)); model([x, x])",
        says="[a, b]",
        prose=True,
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.compile('sgd', 'mse'); x, y = np.ones((4, 3)), np.ones((4, 2)); model.fit((x, y))",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); "
        "model.compile('sgd', 'mse'); x, y = np.ones((4, 3)), np.ones((4, 2)); model.fit(x, y)",
        says="model.fit(x, y)",
    ),
    Mistake(
        wrong="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model([a, b], "
        "keras.layers.Dense(1)(a + b)); x = np.ones((4, 2)); model([x, None])",
        right="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model([a, b], "
        "keras.layers.Dense(1)(a + b)); x = np.ones((4, 2)); model([x, x])",
        says="Give it",
        prose=True,
    ),
    Mistake(
        wrong="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model({'a': a, "
        "'b': b}, a - b); x = np.ones((4, 2)); model({'a': x})",
        right="a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b'); model = keras.Model({'a': a, "
        "'b': b}, a - b); x = np.ones((4, 2)); model({'a': x, 'b': x})",
        says="'b'",
        prose=True,
    ),
    Mistake(
        wrong="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model(np.ones((4, 5)))",
        right="model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name='a')]); model(np.ones((4, 3)))",
        says="",
        prose=True,
    ),
    Mistake(
        wrong="a = keras.Input((2,)); d = keras.layers.Dense(1, name='d'); e = keras.layers.Dense(1, "
        "name='d'); keras.Model(a, e(d(a)))",
        right="a = keras.Input((2,)); d = keras.layers.Dense(1, name='d'); e = keras.layers.Dense(1, "
        "name='e'); keras.Model(a, e(d(a)))",
        says="name=",
        prose=True,
    ),
    Mistake(
        wrong="class Mine(keras.Model):\n"
        "    def call(self, x):\n"
        "        return x\n"
        "model = Mine(); model.export('m.jax')",
        right="class Mine(keras.Model):\n"
        "    def call(self, x):\n"
        "        return x\n"
        "model = Mine(); model(np.ones((2, 2)))",
        says="Call it once",
        prose=True,
    ),
]

MISTAKES += [*first_hour.MODELS, *everyday.MODELS, *notebooks.MODELS, *ordinary.MODELS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/models",
    MISTAKES,
    but=[
        ("models/merge.py", "tests/test_legacy.py has Merge, a layer of Keras 1."),
        ("models/quantization.py", "tests/models/test_quantization.py has its configs."),
        ("models/host.py", "tests/models/test_text.py has text inside of models."),
    ],
)


@pytest.mark.parametrize(
    "change, fix",
    [
        ("model.layers.pop()", "model.pop()"),
        ("del model.layers[-1]", "model.pop()"),
        ("model.layers[-1] = keras.layers.Dense(5)", "model.pop(); model.add(keras.layers.Dense(1))"),
        ("model.layers.append(keras.layers.Dense(5))", "model.add(keras.layers.Dense(1))"),
        ("other.layers.pop()", "model = keras.Model(model.input, model.layers[-2].output)"),
        (
            "other.layers[-1] = keras.layers.Dense(5)",
            "model = keras.Model(model.input, keras.layers.Dense(1)(model.layers[-2].output))",
        ),
        ("model.layers.remove(model.layers[0])", "layers.pop(0); model = keras.Sequential(layers)"),
        ("model.layers.clear()", "model = keras.Sequential()"),
    ],
)
def test_a_change_of_the_list_of_layers_that_changes_nothing_is_told(change, fix):
    names = {"keras": keras}
    exec("model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.Dense(2)])", names)
    exec("other = keras.Model(model.input, model.output)", names)
    with pytest.warns(UserWarning, match=re.escape(fix)):
        exec(change, names)
    assert len(names["model"].layers) == 2
    exec(fix if fix.startswith("model") else f"layers = model.layers; {fix}", names)


def test_a_list_of_layers_that_a_program_keeps_is_its_own():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    kept = model.layers
    for _ in range(3):
        last = model.layers.pop()  # read, in place of model.layers[-1]
    assert last is kept.pop() and len(kept) == 1 and keras.Sequential(kept).layers == kept
    kept[0] = last
    kept.reverse()
    del kept[0]
    assert keras.tree.flatten(model.layers) == model.layers == copy.copy(model.layers)
    assert type(pickle.loads(pickle.dumps(model.layers))) is list and bool(model)
