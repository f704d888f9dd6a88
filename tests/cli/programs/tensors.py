"""The part of a notebook that plays with tensors."""

import logging

import numpy as np
import tensorflow as tf

tf.get_logger().setLevel(logging.ERROR)
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
print("version", tf.__version__ >= "2.0", "gpus", len(tf.config.list_physical_devices("GPU")))
a = tf.constant([[1.0, 2.0], [3.0, 4.0]])
v = tf.Variable(tf.zeros((2, 2)), name="state", trainable=False)
v.assign(a)
v.assign_add(tf.ones_like(a))
assert isinstance(v, tf.Variable) and isinstance(a, tf.Tensor) and a.dtype == tf.float32
print(v.numpy().tolist(), tf.transpose(a).numpy().tolist(), (a @ a).numpy().tolist())
print(tf.argmax(a, axis=1).numpy(), tf.reduce_mean(a, axis=[0, 1]).numpy(), tf.reduce_sum(a, 1, keepdims=True).shape)
print(tf.one_hot([0, 2], depth=3).numpy().tolist(), tf.cast([1.7, 2.2], tf.int32).numpy().tolist())
print(tf.squeeze(tf.expand_dims(a, 0)).shape, tf.range(3).numpy(), tf.range(1, 7, 2).numpy(), tf.zeros([2, 3]).dtype)
print([part.shape for part in tf.split(tf.range(10), [3, -1])], tf.gather([5, 6, 7], [2, 0]).numpy())
print(tf.where(a > 2).numpy().tolist(), tf.where(a > 2, a, 0.0).numpy().tolist(), tf.boolean_mask(a, a > 2).numpy())
print(tf.clip_by_value(a, 1.5, 3.5).numpy().tolist(), tf.math.reduce_std(a).numpy(), tf.norm(a).numpy().round(4))
print(tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0], logits=tf.constant([2.0, -2.0])).numpy().round(4))
print(tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy().tolist(), tf.unique([3, 1, 3])[0].numpy())
print(tf.pad(a, [[1, 0], [0, 0]]).shape, tf.tile([1, 2], [2]).numpy(), tf.random.uniform((3,), 0, 9, tf.int32).shape)
print(tf.image.resize(tf.ones((1, 4, 4, 3)), [2, 2]).shape, tf.image.flip_left_right(np.eye(2)[..., None])[0, 0, 0])


@tf.function
def square_sum(x):
    return tf.reduce_sum(tf.square(x))


print(square_sum(a).numpy(), tf.convert_to_tensor(np.arange(3)).shape, tf.math.top_k([1, 5, 3], k=2).values)
tf.print("printed", 3)
with tf.device("/CPU:0"):
    print(tf.linalg.det(a).numpy().round(4), "tf.estimator" if hasattr(tf, "estimator") else "no tf.estimator")
assert tf.constant([[1, 2, 3], [4, 5, 6]])[:, (True, False, True)].numpy().tolist() == [[1, 3], [4, 6]]
try:
    tf.constant([1, 2]) + tf.constant([1, 2, 3])
except tf.errors.InvalidArgumentError as error:
    assert "(2,)" in str(error) and "(3,)" in str(error)
else:
    raise AssertionError("the shapes do not fit")
