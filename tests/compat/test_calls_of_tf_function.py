"""What a tf.function does in every call, not only in the first: texts that it prints, elements that it takes."""

import numpy as np
import pytest

import lamina as keras
from lamina.errors import TracingError
from tests.compat.namespace import tf


@tf.function
def fizzbuzz(n):
    for i in tf.range(1, n + 1):
        if i % 3 == 0:
            tf.print("fizz")
        elif i % 5 == 0:
            tf.print("buzz", end="\n")
        else:
            tf.print(i)


def test_texts_are_printed_in_each_call_and_only_in_their_branch(capsys):
    @tf.function
    def say(x):
        print("traced", x)
        tf.print("runs", x)

    @tf.function
    def loop(x):
        i = 0
        while i < x:
            tf.print(i, end=" ")
            tf.print("text")
            i += 1
        return tf.vectorized_map(lambda row: row * x, tf.ones([2]))

    loop(tf.constant(2))
    assert capsys.readouterr().out == "0 text\n1 text\n"
    say(1), say(1), fizzbuzz(np.int32(6)), print("after")
    assert capsys.readouterr().out.split() == "traced 1 runs 1 runs 1 1 2 fizz 4 buzz fizz after".split()


def test_printed_values_are_written_as_tensorflow_writes_them(capsys):
    text = tf.constant(["a", "b"])
    tf.print(tf.constant([True, False]), tf.constant([0.1, 1234567.0, 1e10]), text, text[0])
    tf.print(text[0])
    tf.print(tf.range(10), summarize=2)
    tf.print(["a", 1, text[1]], {"k": tf.constant(2), "j": (1, "x")}, tf.range(8), np.float64(0.1))
    assert capsys.readouterr().out.splitlines() == [
        '[1 0] [0.1 1234567 1e+10] ["a" "b"] "a"',
        "a",
        "[0 1 ... 8 9]",
        """['a', 1, "b"] {'j': (1, 'x'), 'k': 2} [0 1 2 ... 5 6 7] 0.1""",
    ]
    assert (str(text), f"{text[0]}") == ("[b'a' b'b']", "b'a'")


def test_each_call_takes_the_next_element_of_an_iterator():
    data = keras.utils.Dataset.from_tensor_slices([1, 2, 3, 4])

    @tf.function
    def first(iterator):
        return next(iterator) * 10

    @tf.function
    def pair(iterator):
        total = 0
        for _ in tf.range(2):
            total += iterator.get_next()
        return total

    found = iter(data)
    with pytest.warns(UserWarning, match="first runs op by op.*takes the next element"):
        assert [int(first(found)) for _ in range(2)] == [10, 20]
    with pytest.warns(UserWarning, match="pair runs op by op.*takes the next element"):
        assert int(pair(found)) == 7
    with pytest.warns(UserWarning, match="total_of runs op by op"):
        assert int(total_of(data)) == 10


@tf.function
def total_of(data):
    total = 0
    for x in data:
        total += x
    return total


def test_a_compiled_step_of_keras_refuses_an_iterator():
    class Net(keras.Model):
        def call(self, x):
            return x + next(self.data)

    net = Net()
    net.data = iter(keras.utils.Dataset.from_tensor_slices([1.0, 2.0]))
    with pytest.raises(TracingError, match=r"as an argument of the function"):
        net.predict(np.ones((2, 1)), verbose=0)


@tf.function
def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


@tf.function
def power(a, b):
    return a**b


def step(w, x, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.square(tf.subtract(tf.multiply(w, x), 2.0))
    optimizer.apply([tape.gradient(loss, w)], [w])


def test_texts_are_not_compiled_each_for_itself():
    @tf.function
    def twice(text, n):
        assert tf.executing_eagerly()
        return tf.strings.join([text] * n)

    found = [twice(tf.constant(text), 2).numpy() for text in ("a", "b")]
    assert found == [b"aa", b"bb"] and twice.experimental_get_tracing_count() == 1


def test_functions_that_call_themselves():
    assert int(factorial(5)) == 120


def test_concrete_functions_take_variables_again_and_refuse_other_python_values():
    w = tf.Variable(2.0)
    steps = [
        tf.function(step).get_concrete_function(w, np.float32(-1), keras.optimizers.SGD(rate)) for rate in (0.1, 1)
    ]
    steps[0](w, np.float32(-1))
    assert float(w) == pytest.approx(1.2)
    steps[1](w, np.float32(-1))
    assert float(w) == pytest.approx(-5.2)
    square = power.get_concrete_function(a=tf.TensorSpec([], tf.float32), b=2)
    assert float(square(np.float32(3))) == float(square(np.float32(3), b=2)) == 9.0
    with pytest.raises(TypeError, match="was made for 2; got 3"):
        square(np.float32(3), b=3)


class Kind:
    def __init__(self, one):
        self.kind = type(one)

    def __hash__(self):
        return hash(self.kind)

    def __eq__(self, other):
        return self.kind is other.kind


class Fruit:
    def __tf_tracing_type__(self, context):
        return Kind(self)


def test_functions_show_what_they_take_and_objects_say_what_they_are():
    @tf.function
    def size(fruit, x):
        return x + 1

    assert tf.function(keras.layers.Dense(1)).__name__ == "Dense"
    size(Fruit(), np.float32(1)), size(Fruit(), np.float32(2))
    assert size.experimental_get_tracing_count() == 1
    shown = "  x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(), dtype=float32)\nOutput Type:\n  TensorSpec(shape=(), "
    assert shown in size.pretty_printed_concrete_signatures()
    assert shown in repr(size.get_concrete_function(Fruit(), np.float32(1)))
