"""Extension types and what is defined for them, `if` and loops on tensors in layers, signatures, checks, settings."""

from typing import Tuple  # noqa: UP035

import numpy as np
import tensorflow as tf


class Masked(tf.experimental.ExtensionType):
    values: tf.Tensor
    mask: tf.Tensor

    def with_default(self, default):
        return tf.where(self.mask, self.values, default)


class Named(tf.experimental.BatchableExtensionType):
    x: tf.Tensor
    name: str = "a"
    sizes: Tuple[int, ...] = (1, 2)  # noqa: UP006

    def __validate__(self):
        if self.name == "far":
            raise ValueError("far")


@tf.function
def masked(x: Masked):
    return Masked(x.values + 1, x.mask)


def refused(function):
    try:
        function()
    except (AttributeError, TypeError, ValueError) as error:
        return next(kind.__name__ for kind in (AttributeError, TypeError, ValueError) if isinstance(error, kind))


one = Masked([[1, 2], [3, 4]], [[True, False], [True, True]])
print("fields", masked(one).with_default(0).numpy().tolist(), Named([1.0]).sizes, bool(one == one))
print("refused", refused(lambda: setattr(one, "mask", 1)), refused(lambda: Named([1.0], 5)),
      refused(lambda: Named([1.0], "far")))  # fmt: skip
rows = tf.data.Dataset.from_tensor_slices(Named([[1, 2], [3, 4], [5, 6]])).batch(2)
print("rows", [row.x.numpy().tolist() for row in rows])


@tf.function(input_signature=[Masked.Spec(tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.bool))])
def total(x):
    return tf.reduce_sum(x.with_default(0.0)), tf.shape(x.values)[0]


print("signature", [value.numpy() for value in total(Masked([1.0, 2.0], [True, False]))])


@tf.experimental.dispatch_for_unary_elementwise_apis(Masked)
def unary(api_func, x):
    return Masked(api_func(x.values), x.mask)


@tf.experimental.dispatch_for_api(tf.stack)
def stacked(values: list[Masked], axis=0):
    return Masked(tf.stack([one.values for one in values], axis), tf.stack([one.mask for one in values], axis))


print("dispatched", tf.abs(Masked([-1.0], [True])).values.numpy(), tf.stack([one, one]).mask.shape)


class Gate(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x, training=None):
        if training:
            self.count.assign_add(1.0)
        if tf.reduce_mean(x) > 0.0:
            x = x * 2.0
        else:
            x = x - 1.0
        while tf.reduce_max(x) > 4.0:
            x = x / 2.0
        return x


def loss(y_true, y_pred):
    if tf.reduce_max(tf.abs(y_true - y_pred)) > 1.0:
        return tf.reduce_mean(tf.abs(y_true - y_pred))
    return tf.reduce_mean((y_true - y_pred) ** 2)


gate = Gate()
model = tf.keras.Sequential([tf.keras.Input((2,)), gate, tf.keras.layers.Dense(1, kernel_initializer="ones")])
model.compile(tf.keras.optimizers.SGD(0.0), loss)
x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
history = model.fit(x, np.zeros((2, 1), "float32"), epochs=2, verbose=0).history
print("layer", history["loss"], float(gate.count), model.predict(-x, verbose=0).ravel())


@tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
def positive(x):
    tf.debugging.assert_positive(x)
    return tf.zeros([tf.shape(x)[0], 1])


try:
    positive(-x)
except tf.errors.InvalidArgumentError:
    print("checked", positive(x).shape, tf.TensorSpec([None, 2]).is_compatible_with(x))


class Case(tf.test.TestCase):
    def runTest(self):
        self.assertAllClose({"a": tf.constant([1.0])}, {"a": [1.0]})
        exact, estimated = tf.test.compute_gradient(lambda x: x**2, [tf.constant([3.0])])
        self.assertAllClose(exact, estimated, 1e-2, 1e-2)


print("test", Case().run().wasSuccessful(), tf.config.get_visible_devices("CPU")[0].device_type, tf.errors.ABORTED)
values = tf.Variable([1.0, 2.0, 3.0])
with tf.GradientTape(persistent=True) as tape:
    sparse = tf.SparseTensor([[0, 1], [1, 0], [2, 1]], values, [3, 2])
    product = tf.reduce_sum(tf.sparse.sparse_dense_matmul(sparse, tf.constant([[1.0], [2.0]])))
    ragged = tf.RaggedTensor.from_row_lengths(values, [1, 2])
    means = tf.reduce_sum(tf.reduce_mean(ragged * 2.0, axis=1) ** 2)
print("tape", tape.gradient(product, values).numpy(), tape.gradient(means, values).numpy())
layer = tf.keras.layers.TextVectorization(ragged=True)
layer.adapt(["foo bar baz", "baz"])
print("texts", isinstance(tf.constant("a"), tf.Tensor), layer(["foo", "baz baz"]).to_list())
try:
    tf.matmul(tf.ones([1, 4]), tf.ones([3, 3]))
except tf.errors.InvalidArgumentError as error:
    print("shapes", isinstance(error, ValueError))
