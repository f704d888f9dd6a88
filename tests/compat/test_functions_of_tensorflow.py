"""tf.function, tf.Module, tapes and checkpoints against the numbers of TensorFlow 2.21 and closed forms."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.compat.variables import patch_arrays
from lamina.errors import FileError
from lamina.runtime import protobufs
from tests.compat.namespace import tf


@pytest.fixture(autouse=True)
def arrays_of_tensorflow():
    """Arrays with TensorFlow's attributes, for as long as a test runs."""
    kinds = type(jax.numpy.zeros(())), jax.core.Tracer
    names = "shape", "get_shape", "set_shape", "numpy"
    kept = [(kind, name, kind.__dict__.get(name)) for kind in kinds for name in names]
    patch_arrays()
    yield
    for kind, name, value in kept:
        setattr(kind, name, value) if value is not None else name in kind.__dict__ and delattr(kind, name)


def value(x):
    return np.asarray(x).tolist()


def test_traces_by_shape_and_python_value():
    log = []

    @tf.function
    def f(x, y=2):
        log.append(1)
        return x * y

    found = [f(tf.constant(1.0)), f(tf.constant(2.0)), f(tf.constant([1.0, 2.0])), f(tf.constant(1.0), 3)]
    assert [value(one) for one in found] == [2.0, 4.0, [2.0, 4.0], 3.0]
    assert value(f(x=tf.constant(1.0), y=3)) == 3.0
    assert len(log) == f.experimental_get_tracing_count() == 3
    assert value(f.get_concrete_function(tf.TensorSpec([], tf.float32), 5)(tf.constant(2.0))) == 10.0


def test_variables_are_state():
    v = tf.Variable(1.0)

    @tf.function
    def step(d):
        v.assign_add(d)
        v.assign(v * 2.0)
        return v.read_value()

    assert [value(step(tf.constant(1.0))) for _ in range(2)] == [4.0, 10.0]
    assert float(v) == 10.0
    with tf.GradientTape() as tape:
        z = step(v) * 3.0
    assert value(tape.gradient(z, v)) in (None, 0.0)  # none goes through an assignment

    class Count(tf.Module):
        def __init__(self):
            super().__init__()
            self.n = None

        @tf.function
        def __call__(self):
            if self.n is None:
                self.n = tf.Variable(0)
            return self.n.assign_add(1)

    one, other = Count(), Count()
    assert [int(one()), int(one()), int(other()), len(one.variables)] == [1, 2, 1, 1]


def test_a_graph_that_is_built_inside_a_tape_is_not_recorded():
    class Rows(keras.layers.Layer):
        def call(self, x):
            return tf.reshape(x, [tf.shape(x)[0], -1])

    with tf.GradientTape() as tape:
        symbol = keras.Input((2, 3))
        model = keras.Model(symbol, Rows()(symbol))
        assert not tape.records
        rows = model(tf.ones((4, 2, 3)))
    assert model.output_shape == (None, 6) and rows.shape == (4, 6)


def rows_of(x):
    """Numbers of x in rows, by sizes that are computed in each of the usual ways."""
    n = tf.shape(x)[0]
    doubled = tf.reshape(x, tf.stack([n * 2, 3]))
    joined = tf.reshape(x, tf.concat([tf.shape(x)[:1], [6]], 0))
    return tf.add(tf.reduce_sum(tf.square(doubled)), tf.reduce_sum(joined))


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function])
def test_sizes_of_tensors_have_numbers_where_gradients_are_computed(wrap, recwarn):
    @wrap
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = rows_of(x)
        return tape.gradient(total, x)

    for _ in range(2):
        np.testing.assert_allclose(gradient(tf.ones((4, 2, 3))), np.full((4, 2, 3), 3.0))
    x = tf.ones((4, 6))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(tf.square(tf.reshape(x, tf.constant([8, 3]))))
    np.testing.assert_allclose(tape.gradient(total, x), np.full((4, 6), 2.0))
    assert not recwarn.list  # no function ran op by op


def test_sizes_have_numbers_in_a_train_step_with_a_tape():
    class Rows(keras.layers.Layer):
        def call(self, x):
            return tf.reshape(x, [tf.shape(x)[0], -1])

    class Model(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.subtract(self(x, training=True), y)))
            weights = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return {"loss": loss}

    symbol = keras.Input((2, 3))
    model = Model(symbol, keras.layers.Dense(1, kernel_initializer="zeros")(Rows()(symbol)))
    model.compile(keras.optimizers.SGD(0.1))
    model.fit(np.ones((4, 2, 3), "float32"), np.ones((4, 1), "float32"), batch_size=4, verbose=0)
    np.testing.assert_allclose(model.layers[-1].kernel, np.full((6, 1), 0.2), 1e-6)


@tf.function
def collatz(x):
    n = tf.constant(0)
    while x > 1:
        if x % 2 == 0:  # noqa: SIM108
            x = x // 2
        else:
            x = 3 * x + 1
        n += 1
    return n


@tf.function
def sums(n):
    s, k = tf.constant(0), 0
    for i in tf.range(n):
        if i % 3 == 0 and i % 5 == 0:
            s += 15
        elif i % 3 == 0:
            s += 3
        elif not (i % 5 == 0):  # noqa: SIM201
            continue
        else:
            s += 5
        if s > 40:
            break
        k += 1
    return s, k


@tf.function
def array_of(x):
    a = tf.TensorArray(tf.float32, size=3)
    for i in tf.range(3):
        x = x * 2.0
        a = a.write(i, x)
    return a.stack()


@tf.function
def early(x):
    if tf.reduce_sum(x) > 0:
        return x * 2.0
    return -x if x[0] < 0 else x


def test_statements_on_tensors():
    assert value(collatz(tf.constant(27))) == 111
    assert [value(one) for one in sums(tf.constant(100))] == [52, 7] == [value(one) for one in sums(100)]
    assert value(array_of(tf.constant([1.0, 2.0]))) == [[2.0, 4.0], [4.0, 8.0], [8.0, 16.0]]
    assert value(early(tf.constant([1.0, 2.0]))) == [2.0, 4.0]
    assert value(early(tf.constant([-1.0, 0.5]))) == [1.0, -0.5]


def test_gradients_through_loops_and_branches():
    w = tf.Variable(2.0)

    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            y = x
            for _ in tf.range(3):
                y = y * w
            if y > 0:
                y = y * 2.0
        return tape.gradient(y, w)

    assert value(slope(tf.constant(3.0))) == 72.0  # 2 * 3 * 3 * w ** 2


@pytest.mark.parametrize("name", ["binary", "categorical", "sparse_categorical"])
def test_second_derivatives_of_losses_of_probabilities(name):
    loss = getattr(keras.ops, f"{name}_crossentropy")
    target = np.array([1, 0]) if name.startswith("sparse") else np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], "float32")
    w = keras.Variable(np.array([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]], "float32"))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            total = tf.reduce_sum(loss(target, w))
        first = inner.gradient(total, w)
    expected = jax.grad(lambda x: jax.grad(lambda y: loss(target, y).sum())(x).sum())(w.value)
    np.testing.assert_allclose(outer.gradient(first, w), expected, rtol=1e-5)


def test_a_tape_in_an_eager_train_step_leaves_the_global_seed_as_an_array():
    class Stepping(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.subtract(self(x, training=True), y)))
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

    x = np.ones((4, 3), "float32")
    keras.random.normal(())  # a draw of the global generator
    for run_eagerly in (True, False):
        inputs = keras.Input((3,))
        model = Stepping(inputs, keras.layers.Dense(3)(keras.layers.Dropout(0.5)(inputs)))
        model.compile("sgd", run_eagerly=run_eagerly)
        model.fit(x, x, batch_size=2, verbose=0)
        assert np.isfinite(keras.random.normal((2,))).all()


@tf.function
def unequal(x):
    if x > 0:  # noqa: SIM108
        y = tf.constant(1.0)
    else:
        y = tf.constant([1.0, 2.0])
    return y


@tf.function
def grows(x):
    while tf.reduce_sum(x) < 10.0:
        x = tf.concat([x, x], 0)
    return x


def test_errors_name_the_line():
    for function, given in ((unequal, tf.constant(1.0)), (grows, tf.constant([1.0]))):
        line = function.python_function.__code__.co_firstlineno + 2
        with pytest.raises(ValueError, match=f"Line {line}: "):
            function(given)


def test_what_has_no_fixed_shape_runs_op_by_op():
    @tf.function
    def chosen(x):
        return tf.boolean_mask(x, x > 1.0)

    with pytest.warns(UserWarning, match=r"chosen runs op by op.*line \d+"):
        assert value(chosen(tf.constant([1.0, 2.0, 3.0]))) == [2.0, 3.0]


def test_assignments_on_a_tape_and_custom_gradients():
    v, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        a = tf.multiply(v, v)
        v.assign_add(1.0)
        b = tf.multiply(v, a)
    assert value(tape.gradient(b, v)) == 16.0  # as in TensorFlow: both values of v count

    @tf.custom_gradient
    def linear(x, w):
        return tf.multiply(x, w), lambda up: (up * 10.0, up * 100.0)

    with tf.GradientTape() as tape:
        b = linear(v, y)
    assert [value(one) for one in tape.gradient(b, [v, y])] == [10.0, 100.0]
    assert tape.watched_variables() == (v, y)
    with tf.autodiff.ForwardAccumulator([v, y], [tf.constant(1.0), tf.constant(2.0)]) as forward:
        b = tf.multiply(v, y)
    assert value(forward.jvp(b)) == 9.0  # 1 * 3 + 3 * 2

    @tf.function
    def both(x):
        z = tf.square(x)
        return tf.gradients(z, x), tf.gradients(ys=[z, x], xs=[x], grad_ys=[2.0, 3.0])

    assert [value(one[0]) for one in both(tf.constant(3.0))] == [6.0, 15.0]


def model_of():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    return model, keras.optimizers.Adam(0.1)


def test_checkpoints(tmp_path):
    model, optimizer = model_of()
    optimizer.build(model.trainable_variables)
    saved = tf.train.Checkpoint(step=tf.Variable(7), model=model, optimizer=optimizer, many=[tf.Variable([1.0, 2.0])])
    manager = tf.train.CheckpointManager(saved, tmp_path, max_to_keep=1)
    manager.save()
    path = manager.save()
    assert tf.train.latest_checkpoint(tmp_path) == path == manager.latest_checkpoint
    assert not list(tmp_path.glob("ckpt-1*")) and len(list(tmp_path.glob("ckpt-2*"))) == 2

    other, optimizer = model_of()
    restored = tf.train.Checkpoint(step=tf.Variable(0), model=other, optimizer=optimizer)
    status = restored.restore(path)
    assert int(restored.step) == 7
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    with pytest.raises(AssertionError, match="many/0"):
        status.assert_consumed()
    restored.many = [tf.Variable([0.0, 0.0])]  # restored as soon as it is there
    assert restored.many[0].numpy().tolist() == [1.0, 2.0]
    optimizer.build(other.trainable_variables)
    status.assert_consumed()
    with open(f"{path}.index", "r+b") as file:
        file.truncate(60)
    with pytest.raises(FileError, match="damaged"):
        restored.restore(path)


def test_checksums_of_long_data_are_those_of_its_bytes_one_by_one(monkeypatch):
    data = np.random.default_rng(0).bytes(20_001)
    for size in (16_384, 16_640, 20_001):
        side_by_side = protobufs.checksum(data[:size])
        with monkeypatch.context() as patch:
            patch.setattr(protobufs, "_LONG", 1 << 30)
            assert protobufs.checksum(data[:size]) == side_by_side


def test_colours_of_images_are_last_whatever_keras_is_set_to():
    image = np.array([[[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]], "float32")
    keras.config.set_image_data_format("channels_first")
    try:
        assert value(tf.image.rgb_to_hsv(image)[0, 0]) == [0.0, 0.5, 0.5]
        assert np.allclose(tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(image)), image)
        assert value(tf.image.adjust_hue(image, 1 / 3)[0, 1]) == [0.0, 0.0, 1.0]
    finally:
        keras.config.set_image_data_format("channels_last")
