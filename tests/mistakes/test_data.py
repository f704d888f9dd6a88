# ruff: noqa: E501
"""Mistakes with data, and whether the fixes printed for them work."""

import numpy as np
import pytest

from lamina.training.data import make_batches
from tests.mistakes import everyday, first_hour, notebooks, ordinary
from tests.mistakes.mistake import Mistake, Paste, fixes_are_tried, fixes_work, make
from tests.mistakes.unfinished import UNFINISHED

READ = "from lamina.training.data import make_batches; make_batches(x, y).peek()"
FRAME = "import pandas as pd; y = np.arange(40); x = pd.DataFrame({'a': np.arange(40.0)}); n = [str(i) for i in y]; "
LABELS = "import pandas as pd; x = np.ones((40, 2)); "
ROWS = "x = np.ones((8, 2)); y = np.ones(8); from lamina.training.data import make_batches; "
STREAM = "from lamina.training.data import make_batches; x = np.ones((4, 2)); y = np.ones(4); "
DATASET = """
class Squares(keras.utils.PyDataset):
    def __init__(self, count, **settings):
        super().__init__(**settings)
        self.count, self.read = count, lambda i: (np.ones((2, 1)), np.ones(2))
    def __len__(self):
        return self.count
    def __getitem__(self, index):
        return self.read(index)
from lamina.training.data import make_batches
"""

LOADED = "Dataset = keras.utils.Dataset; dataset = Dataset.from_tensor_slices(np.ones(4)); generator = iter([1]); "

PASTES = [
    Paste(FRAME + "x['hp'] = n[:31] + ['?'] + n[32:39] + ['?']", READ, "to_numeric(x['hp'], errors='coerce')"),
    Paste(FRAME + "x['hp'] = n", READ, "astype"),
    Paste(FRAME + "x['price'] = ['$1,234.50', '12 €'] * 20", READ, "str.replace"),
    Paste(FRAME + "x['price'] = ['3,5', '1,25'] * 19 + ['-', '3,5']", READ, "errors='coerce'"),
    Paste(FRAME + "x['city'] = ['Paris', 'Rome', 'Oslo', 'Bern'] * 10", READ, "get_dummies(x, columns=['city']"),
    Paste(FRAME + "x['city'] = pd.Categorical(['Paris', None] * 20)", READ, "get_dummies"),
    Paste(FRAME + "x['ok'] = ['Yes', 'No'] * 20", READ, "x['ok'] == 'Yes'"),
    Paste(FRAME + "x['on'] = ['2020-01-02', '2021-03-04'] * 20", READ, "to_datetime"),
    Paste(FRAME + "x['on'] = pd.to_datetime(['2020-01-02', '2021-03-04'] * 20)", READ, "to_datetime"),
    Paste(FRAME + "x['took'] = pd.to_timedelta([1, 2] * 20, 'D')", READ, "total_seconds"),
    Paste(FRAME + "x['text'] = ['text ' + i * 3 for i in n]", READ, "drop(columns=['text'])"),
    Paste(FRAME + "x['n'] = pd.Series([1.0, None] * 20, dtype=object)", READ, "keep"),
    Paste(FRAME + "x['v'] = [[1, 2]] * 40", READ, "np.stack(x['v'])"),
    Paste(FRAME + "x['v'] = [[1, 2]] * 39 + [[3]]", READ, "pad_sequences"),
    Paste(FRAME + "x['hp'] = n[:39] + ['?']; x['c'] = ['r', 'g'] * 20; x['t'] = ['a ' + i for i in n]", READ, "drop"),
    Paste(FRAME + "x = pd.Series(n[:39] + ['?'])", READ, "to_numeric"),
    Paste(FRAME + "import polars as pl; x = pl.DataFrame({'a': y, 'hp': n[:39] + ['?']})", READ, "to_pandas"),
    Paste(FRAME + "x = np.array([n, n[:39] + ['?']]).T", READ, "to_numeric"),
    Paste(FRAME + "x = np.array([n, n]).T", READ, "astype"),
    Paste(FRAME + "x = np.array([n, ['a', 'b'] * 20]).T", READ, "get_dummies"),
    Paste(FRAME + "x = np.array([n, ['a ' + i for i in n]]).T", READ, "np.delete"),
    Paste(FRAME + "x = np.array([1, 2] * 20, object)", READ, "astype"),
    Paste(FRAME + "x = [[1, None]] + [[1, 2]] * 39", READ, "keep"),
    Paste(FRAME + "x = ['red', 'blue'] * 20", READ, "np.unique"),
    Paste(FRAME + "y = list(y); x = [[1, None]] + [[1, 2]] * 39", READ, "np.asarray(y)[keep]"),
    Paste(
        FRAME + "x = np.array([['2020-01-02'], ['2021-03-04']] * 20, 'datetime64[D]')", READ, "np.timedelta64(1, 'D')"
    ),
    Paste("open('a.csv', 'w').write('a,b\\n1,2\\n'); x, y = 'a.csv', None", READ, "dataset_from_csv('a.csv'"),
    Paste(FRAME + "x = np.array(['a ' + i for i in n])", READ, "TextVectorization"),
    Paste(
        "words = keras.layers.TextVectorization(output_sequence_length=2); words.adapt(['good', 'bad'])\n"
        "model = keras.Sequential([words, keras.layers.Embedding(4, 2)]); x = 'good film'",
        "model.predict(x, verbose=0)",
        "x = [x]",
    ),
    Paste("x = np.array(['2020-01-01'], 'datetime64[s]'); y = [1]; import pandas as pd", READ, "to_datetime"),
    Paste("x = [[1, 2], [3]]; y = [0, 1]", READ, "pad_sequences(x)"),
    Paste("x = [[0.5, 2], [3]]; y = [0, 1]", READ, "dtype='float32'"),
    Paste("x = [np.ones(3), np.ones(2)]; y = [0, 1]", READ, "pad_sequences"),
    Paste("x = [np.ones((3, 3))] * 9; y = np.ones(9)", READ, "np.stack(x)"),
    Paste(LABELS + "y = np.array(['cat', 'dog'] * 20)", READ, "classes, y = np.unique(y, return_inverse=True)"),
    Paste(LABELS + "y = ['cat', 'dog'] * 20", READ, "np.unique"),
    Paste(LABELS + "y = pd.Series(['cat', None] * 20)", READ, "pd.notna(y)"),
    Paste(LABELS + "y = pd.DataFrame({'kind': ['cat', 'dog'] * 20})", READ, "np.unique"),
    Paste(LABELS + "y = pd.Series([True, None] * 20, dtype=object)", READ, "to_numeric"),
    Paste("from PIL import Image; x = Image.new('RGB', (4, 4)); y = None", READ, "img_to_array(x)[None]"),
    Paste("x = lambda: iter([(np.ones((2, 2)), np.ones(2))]); y = None", READ, "x = x()"),
    Paste("x = {'a': {3, 1, 2}}; y = [1, 2, 3]", READ, "np.array(list("),
    Paste("x = np.float32(3); y = None", READ, "[None]"),
    Paste("x = ['a', 'b']", "keras.utils.to_categorical(x)", "np.unique"),
    Paste("x = np.array([1, np.nan])", "keras.utils.to_categorical(x)", "isfinite"),
]

MISTAKES = [
    Mistake(ROWS + "x = [1.0, [2.0]]; make_batches(x)",
            ROWS + "x = [1.0, [2.0]]; x = [np.atleast_1d(row) for row in x]; make_batches(np.stack(x))",
            "x = [np.atleast_1d(row) for row in x]"),
    Mistake(ROWS + "x = [[[1], [2, 3]], [[1], [2]]]; make_batches(x)",
            ROWS + "x = [[[1], [2]], [[1], [2]]]; make_batches(np.array(x))", "shows the shapes", prose=True),
    Mistake(ROWS + "make_batches(None, y)", ROWS + "make_batches(x, y)", "model.fit(x, y)", prose=True),
    Mistake(ROWS + "make_batches({}, None)", ROWS + "make_batches(x, y)", "model.fit(x, y)", prose=True),
    Mistake(ROWS + "make_batches(x, y[:7])", ROWS + "make_batches(x, y)", "Row i of y", prose=True),
    Mistake(ROWS + "make_batches(x[:0], y[:0])", ROWS + "make_batches(x, y)", "Check the filter", prose=True),
    Mistake(ROWS + "make_batches(x, y, batch_size=0)", ROWS + "make_batches(x, y, batch_size=32)", "batch_size=32"),
    Mistake(ROWS + "make_batches(x, y, shuffle='rows')", ROWS + "make_batches(x, y, shuffle=True)", "shuffle=True"),
    Mistake(ROWS + "make_batches(x, y, steps=0)", ROWS + "make_batches(x, y, steps=None)", "steps=None"),
    Mistake(ROWS + "make_batches('x.npy')",
            "np.save('x.npy', np.ones((2, 2))); " + ROWS + "make_batches(np.load('x.npy'))", "np.load(", prose=True),
    Mistake(ROWS + "make_batches(3j * np.ones(2), object())", ROWS + "make_batches(x, y)", "NumPy or JAX arrays",
            prose=True),
    Mistake(ROWS + "make_batches(x, y, y, class_weight={0: 2.0})", ROWS + "make_batches(x, y, 2.0 * y)",
            "Multiply them", prose=True),
    Mistake(ROWS + "make_batches(x, y, class_weight=[1.0, 5.0])",
            ROWS + "make_batches(x, y, class_weight={0: 1.0, 1: 5.0})", "class_weight={0: 1.0, 1: 5.0}"),
    Mistake(ROWS + "make_batches(x, [y, y], class_weight={0: 2.0})", ROWS + "make_batches(x, [y, y], [y, y])",
            "Pass sample_weight", prose=True),
    Mistake(ROWS + "make_batches(x, [y, y], [y])", ROWS + "make_batches(x, [y, y], y)",
            "Or give one array", prose=True),
    Mistake(ROWS + "make_batches(x, [y, y], x)", ROWS + "make_batches(x, [y, y], [y, y])",
            "one array for each", prose=True),
    Mistake(STREAM + "make_batches([(np.ones(2), 1.0), (np.ones(2), 0.0)]).peek()",
            STREAM + "x = [(np.ones(2), 1.0), (np.ones(2), 0.0)]\n"
            "x, y = map(np.stack, zip(*x)); make_batches(x, y).peek()", "x, y = map(np.stack, zip(*x))"),
    Mistake(STREAM + "make_batches([(np.ones(2), np.array(1.0)), (np.ones(2), np.array(0.0))]).peek()",
            STREAM + "x = [(np.ones(2), 1.0), (np.ones(2), 0.0)]\n"
            "x, y = map(np.stack, zip(*x)); make_batches(x, y).peek()", "x, y = map(np.stack, zip(*x))"),
    Mistake(STREAM + "make_batches(iter([(x, y)]), y)", STREAM + "make_batches(iter([(x, y)]))",
            "Leave out y", prose=True),
    Mistake(STREAM + "make_batches(zip(x, y)).peek()", STREAM + "make_batches(x, y).peek()",
            "model.fit(x, y)", prose=True),
    Mistake(STREAM + "make_batches(iter([(x, x, y, y)])).peek()", STREAM + "make_batches(iter([((x, x), y, y)])).peek()",
            "yield ((a, b), y)", prose=True),
    Mistake(STREAM + "make_batches(iter([])).peek()", STREAM + "make_batches(iter([(x, y)])).peek()",
            "yields something", prose=True),
    Mistake(DATASET + "make_batches(Squares(0))", DATASET + "make_batches(Squares(2))", "Check the filter", prose=True),
    Mistake(DATASET + "make_batches(Squares(2, workers=2, use_multiprocessing=True)).peek()",
            DATASET + "make_batches(Squares(2, workers=2, use_multiprocessing=False)).peek()",
            "use_multiprocessing=False"),
    Mistake("from lamina.training.data.leaves import split_validation; split_validation((np.ones(4), None, None), 4)",
            "from lamina.training.data.leaves import split_validation\n"
            "keys = dict(validation_split=0.2); split_validation((np.ones(5), None, None), *keys.values())",
            "validation_split=0.2"),
    Mistake("from lamina.training.data.leaves import split_validation; split_validation((iter([1]), None, None), 0.5)",
            STREAM + "validation_data = make_batches(iter([(x, y)]))", "validation_data", ),
    Mistake("from lamina.training.data.leaves import split_validation; split_validation((np.ones(1), None, None), 0.5)",
            "from lamina.training.data.leaves import split_validation; split_validation((np.ones(2), None, None), 0.5)",
            "Give more data", prose=True),
    Mistake(LOADED + "Dataset.from_tensor_slices(5)", LOADED + "Dataset.from_tensors(5)", "Dataset.from_tensors(5)"),
    Mistake(LOADED + "Dataset.from_generator(generator)", LOADED + "Dataset.from_generator(lambda: generator)",
            "Dataset.from_generator(lambda: generator)"),
    Mistake(LOADED + "dataset.batch(0)", LOADED + "dataset.batch(batch_size=32)", "batch_size=32"),
    Mistake(LOADED + "dataset.shuffle(0)", LOADED + "dataset.shuffle(buffer_size=1000)", "buffer_size=1000"),
    Mistake(LOADED + "Dataset.from_tensor_slices((np.ones(3), np.ones(2)))",
            LOADED + "tensors = np.ones(3), np.ones(2)\nDataset.from_tensor_slices(tuple(one[:2] for one in tensors))",
            "tuple(one[:2] for one in tensors)"),
    Mistake(LOADED + "dataset.get_single_element()", LOADED + "dataset.take(1).get_single_element()", "dataset.take(1)"),
    Mistake(LOADED + "list(Dataset.from_generator(lambda: iter([[1], [1, 2]])).batch(2))",
            LOADED + "dataset = Dataset.from_generator(lambda: iter([[1], [1, 2]])); list(dataset.padded_batch(32))",
            "dataset.padded_batch(32)"),
]  # fmt: skip

MISTAKES += [*UNFINISHED["data"], *first_hour.CACHED, *first_hour.DATA, *everyday.DATA, *notebooks.DATA, *ordinary.DATA]

test_fixes_work = fixes_work(PASTES + MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/training/data",
    PASTES + MISTAKES,
    but=[
        ("This DatasetDict", "the package `datasets` is not among those of the tests"),
        ("choices.py", "tests/mistakes/test_data_sets.py tries them"),
        ("iterator.py", "tests/mistakes/test_data_sets.py tries it"),
        ("The data set is empty, so", "test_data_sets.py"),
        ("Arrays of different rank", "test_data_sets.py"),
        ("The data is divided among", "it needs several processes, which tests/processes starts"),
        ("A process that computes batches", "it needs a process that is killed: tests/training/test_data.py does it"),
    ],
)


@pytest.mark.parametrize(
    ("paste", "message"),
    [
        (PASTES[0], r"x['hp'] is text: 38 of its 40 values are numbers, but row 31 is '?' (1 more, in row 39)."),
        (PASTES[11], "x['n'], row 1 is None (19 more, in rows 3, 5, 7, ...)."),
        (PASTES[17], "x[:, 1] is text: 39 of its 40 values are numbers, but x[39, 1] is '?'."),
        (PASTES[30], "The rows of x differ in length: x[0] has 2 values, x[1] has 1."),
    ],
)
def test_says_where(paste, message):
    assert message in str(make(paste)[0])


def test_rows_have_the_labels_of_their_index():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": ["1", "2", "?"]}, index=[7, 9, 12])
    with pytest.raises(ValueError, match=r"row 2 \(index 12\) is '\?'"):
        make_batches(table)


def test_the_batch_of_a_generator_is_named():
    batches = make_batches(iter([(np.ones((2, 2)), [0, 1]), (np.array([["1", "2"], ["3", "?"]]), [0, 1])]))
    with pytest.raises(ValueError, match=r"x\[1, 1\] is '\?'.* This is in batch 1, counted from 0\."):
        list(batches.epoch())
