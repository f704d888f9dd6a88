"""Program 2 beside Keras: what summary prints, and the accuracy over three seeds."""

import re

import numpy as np
import pytest

pytestmark = [  # the first two tell that input_shape= is an old spelling
    pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Conv1D.input_shape=. is written as:lamina.legacy.OldSpelling"),
    pytest.mark.filterwarnings("ignore:LAM101 error. dense.* has sigmoid over 2 units:UserWarning"),  # found as it was
]


def table(model):
    """The cells of a printed summary, and its totals."""
    lines = []
    model.summary(line_length=100, print_fn=lambda text, **_: lines.extend(text.splitlines()))
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in re.split("[│┃|]", line)[1:-1]]
        if cells and not any(cells[1:]):  # a name that went on in a second line
            rows[-1][0] += f" {cells[0]}"
        elif cells:
            rows.append(cells)
    return [row for row in rows if any(row)], [line.strip() for line in lines if "params" in line]


@pytest.mark.parametrize("make", ["csv_cnn", "mended_cnn"])
def test_summary_prints_what_keras_prints(run, make):
    import keras

    keras.utils.clear_session()
    ours = table(run("csv_cnn", name="ours")[make]())
    theirs = table(run("csv_cnn", name="theirs", keras=True)[make]())
    assert [row[1:] for row in ours[0]] == [row[1:] for row in theirs[0]]
    assert [re.sub(r"_\d+", "", row[0]) for row in ours[0]] == [re.sub(r"_\d+", "", row[0]) for row in theirs[0]]
    assert ours[1] == theirs[1] and len(ours[1]) == 3


def mean_accuracy(names, make, seeds=range(3)):
    train, test = names["load_rows"](names["breast_cancer"].csv_path())
    accuracies = []
    for seed in seeds:
        names["keras"].utils.set_random_seed(seed)
        accuracies.append(names["accuracy_of"](names[make](), train, test))
    return np.mean(accuracies)


def test_mean_accuracy_of_three_seeds_is_within_a_point_of_keras(run):
    ours = mean_accuracy(run("csv_cnn", name="ours"), "csv_cnn")
    theirs = mean_accuracy(run("csv_cnn", name="theirs", keras=True), "csv_cnn")
    assert ours >= theirs - 0.01, (ours, theirs)
    assert ours > 0.92


def test_the_mended_program_learns_as_well(run):
    assert mean_accuracy(run("csv_cnn", name="ours"), "mended_cnn", seeds=[0]) > 0.92
