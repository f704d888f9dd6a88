"""Replacements for TensorFlow names that lamina does not have."""

from __future__ import annotations

from typing import Any

__all__ = ["about"]

_INSTEAD = {
    "Module": "write a keras.layers.Layer, which has variables and build too.",
    "placeholder": "placeholders are of TensorFlow 1. Use keras.Input.",
    "disable_v2_behavior": "graphs and sessions of TensorFlow 1 are gone.",
    "data": "write it with the methods of tf.data.Dataset, or as a keras.utils.PyDataset.",
    "strings": "do it with Python in tf.py_function, or ahead of the pipeline.",
    "ragged": "pad to one length: keras.utils.pad_sequences, or ragged.to_tensor().",
    "sparse": "use dense arrays: tf.sparse.to_dense(sparse).",
    "distribute": "one process: tf.distribute.MirroredStrategy(); many devices: keras.distribution.DataParallel().",
    "lite": "model.export('model.tflite') writes the file, with quantize= a smaller one.",
    "train": "use model.save_weights and model.load_weights, or keras.callbacks.ModelCheckpoint.",
    "estimator": "estimators are gone from TensorFlow too. Write a keras.Model.",
    "feature_column": "use keras.utils.FeatureSpace.",
    "py_function": "functions run as they are: call it. Inside of a compiled step: jax.pure_callback.",
    "numpy_function": "functions run as they are: call it. Inside of a compiled step: jax.pure_callback.",
    "gradients": "use jax.grad.",
    "io": "read such files with Python, ahead of the pipeline or in tf.py_function.",
    "config": "devices are JAX's: see jax.devices() and the environment variable JAX_PLATFORMS.",
    "contrib": "contrib is gone from TensorFlow 2; most of it is in keras or keras.ops.",
    "python": "this is the inside of TensorFlow; lamina has public names only.",
    "raw_ops": "use keras.ops.",
    "quantization": "use model.quantize('int8'), or quantize= in model.export.",
    "queue": "use queue.Queue of Python; data sets read ahead with Dataset.prefetch.",
    "dtensor": "use keras.distribution.ModelParallel with a LayoutMap.",
    "ExponentialMovingAverage": "use use_ema=True of an optimizer.",
    "index_shuffle": "use tf.random.shuffle, or numpy.random.default_rng(seed).permutation(size).",
    "Asset": "files do not become part of a saved model: keep them beside it, and give their path.",
    "tpu": "use keras.distribution; JAX finds the TPU.",
    "compiler": "it is the inside of TensorFlow; every step of lamina is compiled by XLA as it is.",
    "mlir": "use model.export, which writes StableHLO.",
    "Graph": "graphs and sessions of TensorFlow 1 are gone: the code inside runs without one, or in a tf.function.",
    "get_default_graph": "graphs and sessions of TensorFlow 1 are gone.",
    "GraphDef": "frozen graphs are not read; load the model in TensorFlow and save it as .keras.",
    "import_graph_def": "frozen graphs are not read; load the model in TensorFlow and save it as .keras.",
    "global_variables": "use model.variables.",
    "trainable_variables": "use model.trainable_variables.",
    "Saver": "use tf.train.Checkpoint, or model.save_weights and model.load_weights.",
    "FileWriter": "use tf.summary.create_file_writer.",
    "Summary": "use tf.summary.scalar in the block of a tf.summary.create_file_writer.",
    "to_float": "use tf.cast(x, tf.float32).",
    "to_int32": "use tf.cast(x, tf.int32).",
    "to_int64": "use tf.cast(x, tf.int64).",
    "softmax_cross_entropy_with_logits_v2": "use tf.nn.softmax_cross_entropy_with_logits.",
    "rnn_cell": "use keras.layers.LSTMCell and GRUCell.",
    "python_io": "use tf.io: tf.io.TFRecordWriter.",
    "tf_record_iterator": "use tf.data.TFRecordDataset.",
    "gfile": "use tf.io.gfile: tf.io.gfile.GFile.",
    "app": "call the function that it runs: main().",
    "flags": "use argparse of Python.",
    "logging": "use tf.get_logger(), or logging of Python.",
    "mock": "use unittest.mock of Python.",
    "conjugate_gradient": "use jax.scipy.sparse.linalg.cg.",
    "dlpack": "use jax.dlpack.",
    "hessians": "use keras.ops.jacobian of keras.ops.grad, or a tf.GradientTape in another.",
    "xla": "every step of lamina is compiled by XLA as it is.",
    "layers": "use keras.layers: keras.layers.Dense(10)(x).",
    "get_variable": "keep a tf.Variable, or use add_weight of a keras.layers.Layer.",
    "variable_scope": "keep a tf.Variable, or use add_weight of a keras.layers.Layer.",
    "variable_creator_scope": "variables are made as they are asked for: give dtype= and trainable= there.",
    "make_one_shot_iterator": "use iter(dataset) and next, or loop over the data set.",
    "make_initializable_iterator": "use iter(dataset) and next, or loop over the data set.",
    "Optimizer": "use keras.optimizers: SGD, Adam, RMSprop and others.",
    "hub": "load the weights into a model of keras.applications.",
}  # fmt: skip


def about(name: Any) -> Any:
    """The error message for a name of TensorFlow that lamina does not have, with a replacement.

    >>> print(about("tensorflow.raw_ops"))
    tf.raw_ops is TensorFlow's and not part of lamina: use keras.ops.
    """
    parts = name.split(".")[1:]
    shown = ".".join(["tf", *parts])
    after_compat = parts[2:] if parts[:1] == ["compat"] else parts
    for stop in range(len(after_compat), 0, -1):
        last = after_compat[stop - 1]
        last = "Optimizer" if last.endswith("Optimizer") else last
        instead = _INSTEAD.get(".".join(after_compat[:stop])) or _INSTEAD.get(last)
        if instead:
            return f"{shown} is TensorFlow's and not part of lamina: {instead}"
    return (
        f"{shown} is TensorFlow's and not part of lamina: look for it in keras.ops, which works in layers and losses."
    )
