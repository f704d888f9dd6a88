"""Program 6: tanh three ways, and three small networks."""

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore:.*input_shape=. is written as:lamina.legacy.OldSpelling")


def test_three_ways_to_tanh_give_the_same_numbers(run):
    names = run("activation_functions", name="defined")
    x = np.random.default_rng(0).normal(size=(5, 64)).astype("float32")
    by_name, as_layer, as_function = names["three_ways_to_tanh"](x)
    np.testing.assert_array_equal(by_name, as_layer)
    np.testing.assert_array_equal(by_name, as_function)
    assert np.abs(by_name).max() <= 1 and by_name.std() > 0.1


@pytest.mark.parametrize(
    ("make", "epochs", "bar"), [("norm_before_relu", 8, 0.93), ("resnet", 8, 0.92), ("squeezenet", 12, 0.8)]
)
def test_small_networks_learn_digits(run, make, epochs, bar):
    names = run("activation_functions", name="defined")
    keras = names["keras"]
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    keras.utils.set_random_seed(0)
    model = names[make]()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train[..., None] / 16, y_train, epochs=epochs, verbose=0)
    assert model.evaluate(x_test[..., None] / 16, y_test, verbose=0)[1] > bar
