"""What the guides of TensorFlow do besides training."""

import os
import tempfile
import warnings

import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

warnings.simplefilter("ignore")  # what runs op by op
folder = tempfile.mkdtemp()


def show(name, *values):
    print(name, *(value.numpy().tolist() if hasattr(value, "numpy") else value for value in values))


# Operators with lists, and what has no gradient
x = tf.Variable([[1.0], [2.0]])
with tf.GradientTape() as tape:
    y = [[3.0, 4.0]] @ x * [2.0] + (1.0,)
show("lists", y, tape.gradient(y, x), tf.constant([1, 2]) == [1, 3], tf.constant([1, 2]) > [0, 2])
image, delta = tf.Variable([[[0.5, 0.0, 0.0]]]), tf.Variable(0.1)
with tf.GradientTape() as tape:
    changed = tf.image.adjust_contrast(image, delta)
try:
    tape.gradient(changed, [image, delta])
except LookupError as error:
    print("no gradient", type(error).__name__)


# Concrete functions, Python inside of functions, variables made too late
@tf.function
def scaled(a, b=2.0):
    return {"c": a * b}


concrete = scaled.get_concrete_function(tf.TensorSpec([2], tf.float32))
show("concrete", concrete(tf.constant([1.0, 2.0]))["c"], len(concrete.graph.as_graph_def().node) > 1)
print("outputs", concrete.structured_outputs["c"].shape, len(concrete.graph.get_operations()) > 1)
seen = []


@tf.function
def noted(a):
    tf.py_function(seen.append, [a], [])


for _ in range(3):
    noted(1)
show("python", seen[0], len(seen))


@tf.function
def step(w, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * w)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])


step(x, tf.keras.optimizers.Adam())
try:
    step(x, tf.keras.optimizers.Adam())
except ValueError:
    print("made too late")

# Ragged and sparse
ragged = tf.ragged.constant([[1, 2], [3], [4, 5, 6]])
print("ragged", tf.reverse(ragged, [1]).to_list(), tf.tile(ragged, [1, 2]).to_list(), ragged[:, 2:].to_list())
print("batches", [b.to_list() for b in tf.data.Dataset.from_tensor_slices([1, 3, 2]).map(tf.range).ragged_batch(2)])
try:
    ragged + tf.ones((3, 4), tf.int32)
except tf.errors.InvalidArgumentError:
    print("other rows")
sparse = tf.SparseTensor([[0, 0], [1, 1]], [1.0, 2.0], [2, 3])
show("sparse", tf.sparse.reset_shape(sparse).dense_shape)

# Random numbers by name of the argument, NumPy's names
show("stateless", tf.random.stateless_uniform(shape=[2], seed=[3, 4], minval=0, maxval=10, dtype=tf.int32))
joined = np.asarray(tnp.concatenate([[1], [2, 3]])).tolist()
print("numpy", tnp.random.randn(2, 3).shape, joined, tnp.vstack([[1], [2]]).shape)

# Data: records of a data set, the next element if there is one
path = os.path.join(folder, "a.tfrecord")
tf.data.experimental.TFRecordWriter(path).write(tf.data.Dataset.from_tensor_slices(["a", "b"]))
iterator = iter(tf.data.TFRecordDataset(path))
optional = [iterator.get_next_as_optional() for _ in range(3)]
print("records", [one.get_value().numpy() for one in optional if one.has_value()], tf.ones(1).device.endswith("CPU:0"))

# Checkpoints of lists that are filled later
save = tf.train.Checkpoint(rows=[tf.Variable(1.0), tf.Variable(2.0)])
status = tf.train.Checkpoint()
status.restore(save.save(os.path.join(folder, "ck")))
status.rows = []
status.rows.append(tf.Variable(0.0))
show("list", status.rows[0])

# One replica
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    weight = tf.Variable(2.0)
    data = strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensor_slices(np.arange(4.0, dtype="float32")).batch(2)
    )


@tf.function
def replicated(batch):
    def replica(values):
        if tf.reduce_sum(values) > 2.0:
            values = values * weight
        return tf.nn.compute_average_loss(values, global_batch_size=4)

    return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(replica, (batch,)), axis=None)


show("replica", sum(replicated(batch) for batch in data), strategy.num_replicas_in_sync)
