"""What Keras has for names of PyTorch, TensorFlow 1, scikit-learn and everyday speech."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from typing import Any

from lamina.spelling.nearest import letters_of

__all__ = ["ARGUMENTS", "ATTRIBUTES", "LEFT_OUT", "NAMES", "translated"]

ARGUMENTS: dict[str, tuple[str, ...]] = {
    old: tuple(new.split())
    for old, new in {
        "out_features": "units", "hidden_size": "units", "hidden_units": "units", "num_outputs": "units",
        "num_units": "units", "neurons": "units", "nodes": "units", "size": "units kernel_size pool_size target_size",
        "out_channels": "filters", "channels": "filters", "num_filters": "filters", "stride": "strides",
        "dilation": "dilation_rate", "kernel": "kernel_size", "window": "kernel_size pool_size", "bias": "use_bias",
        "num_embeddings": "input_dim", "embedding_dim": "output_dim", "vocab_size": "input_dim", "p": "rate",
        "prob": "rate", "dropout_rate": "rate dropout", "dropout": "rate", "nonlinearity": "activation",
        "activation_fn": "activation", "non_linearity": "activation", "function": "activation",
        "weights_initializer": "kernel_initializer", "initializer": "kernel_initializer",
        "biases_initializer": "bias_initializer", "weights_regularizer": "kernel_regularizer",
        "regularizer": "kernel_regularizer", "embed_dim": "key_dim output_dim", "nheads": "num_heads",
        "nhead": "num_heads", "num_features": "axis", "normalized_shape": "axis", "eps": "epsilon",
        "dim": "axis", "dims": "axis", "axes": "axis", "reduction_indices": "axis", "keepdim": "keepdims",
        "keep_dims": "keepdims", "input": "x inputs", "tensor": "x", "other": "x2", "scope": "name",
        "is_training": "training", "lr": "learning_rate", "eta": "learning_rate", "step_size": "learning_rate",
        "alpha": "learning_rate negative_slope", "criterion": "loss", "loss_fn": "loss", "loss_function": "loss",
        "objective": "loss", "cost": "loss", "solver": "optimizer", "scoring": "metrics", "max_iter": "epochs",
        "iterations": "epochs", "num_iterations": "epochs", **dict.fromkeys(
            ("eval_set", "eval_data", "val_set", "val_data", "val_ds", "val_dataset", "valid_data", "validation",
             "validation_set", "validation_dataset", "test_data"), "validation_data"),
        **dict.fromkeys(("test_size", "test_split", "val_size", "val_split", "validation_size", "valid_split"),
                        "validation_split"),
        "wait": "patience", "delta": "min_delta",
        "metric": "monitor metrics", "filename": "filepath", "file": "filepath path", "path": "filepath",
        "best_only": "save_best_only", "restore_best": "restore_best_weights", "gamma": "decay_rate",
        "features": "x", "labels": "y y_true", "targets": "y y_true", "X": "x",
        **dict.fromkeys(("X_train", "x_train", "train_x", "train_X", "images", "inputs", "train_data"), "x inputs"),
        **dict.fromkeys(("Y_train", "y_train", "train_y", "train_labels"), "y"), "X_test": "x", "x_test": "x",
        "Y_test": "y", "y_test": "y", "Y": "y", "data": "x", "target": "y y_true", "predictions": "y_pred",
        "logits": "y_pred x inputs",
        "std": "stddev", "sd": "stddev", "sigma": "stddev", "minimum": "minval", "low": "minval",
        "maximum": "maxval", "high": "maxval", "in_shape": "shape input_shape", "kernel_size": "pool_size size",
        "num_classes": "classes num_classes", "n_classes": "num_classes classes", "pretrained": "weights",
        "nb_words": "num_words", "max_length": "maxlen", "max_len": "maxlen",
        "momentum": "beta_1", "beta_1": "momentum",
    }.items()
}  # fmt: skip
"""Name of an argument elsewhere -> its names in Keras, of which the first that a signature has is meant."""

_INPUTS = "the number of inputs follows from the data"
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(("in_features", "in_channels", "num_inputs", "input_size", "fan_in", "n_inputs"), _INPUTS),
    "device": "lamina computes on the accelerator that JAX finds",
    "reuse": "calling the same layer again reuses its weights",
    "batch_first": "the batch is always the first axis",
    "num_layers": "one layer is one object; stack several",
    "track_running_stats": "the moving statistics are always kept",
    "affine": "see center= and scale=",
    "inplace": "arrays are never changed in place",
    "requires_grad": "set layer.trainable = False",
    "bidirectional": "wrap the layer in keras.layers.Bidirectional",
    "return_dict": "results are a list, or a dict where a method has return_dict",
    "workers": "they are an argument of keras.utils.PyDataset",
}
"""Arguments without a like in Keras, and why."""


OF_PARTS: dict[str, tuple[str, str]] = {
    "from_logits": ("loss", "BinaryCrossentropy"), "label_smoothing": ("loss", "CategoricalCrossentropy"),
    **dict.fromkeys(("learning_rate", "momentum", "weight_decay", "clipnorm", "clipvalue"), ("optimizer", "SGD")),
    "lr": ("optimizer", "SGD"),
}  # fmt: skip
"""Arguments of the objects that `compile` takes: the argument that takes the object, and a class of it."""


def code_of(value: Any, name: str) -> str:
    """A literal as it is written; the name of the argument for anything else.

    Args:
        value: Value of an argument.
        name: Its name.
    """
    try:
        text = repr(value)
        return text if len(text) <= 60 and ast.literal_eval(text) == value else name
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value.__name__ if isinstance(value, type) else name


def without_inputs(
    positional: list[str], given: Any, known: dict[str, Any], kwargs: dict[str, Any]
) -> tuple[str, Any, dict[str, Any]]:
    """(a sentence, arguments by position, by name) of a layer that got the number of its inputs first, as in PyTorch;
    of others "" and the arguments as they are.

    Args:
        positional: Names of the arguments that a position may give.
        given: Arguments by position.
        known: Arguments by name, without one that was given by its position too.
        kwargs: The same with it.

    >>> without_inputs(["filters", "kernel_size"], (3, 16), {"padding": 1}, {"kernel_size": 3, "padding": 1})[1:]
    ((16,), {'kernel_size': 3, 'padding': 'same'})
    """
    first = positional[0] if positional else ""
    if first not in ("filters", "units") or first in kwargs or [type(one) for one in given] != [int, int]:
        return "", given, known
    same = {"padding": "same"} if isinstance(kwargs.get("padding"), int) else {}
    words = " It takes the number of its outputs alone: that of its inputs follows from the data."
    return words, given[1:], kwargs | same


def of_compile(unknown: list[str], kwargs: dict[str, Any]) -> str:
    """The call of `compile` with the arguments of a wrong call of `fit` that belong there; "" for none.

    Args:
        unknown: Arguments that `fit` does not have.
        kwargs: All arguments by name.
    """
    own = [f"{name}={code_of(kwargs[name], name)}" for name in unknown if name in ("optimizer", "loss", "metrics")]
    return f"model.compile({', '.join(own)}); " if own else ""


def class_of_part(name: str, given: Any) -> str:
    """Code of the class whose argument it is: that which was given by its name, or one that has it.

    Args:
        name: Argument in `OF_PARTS`.
        given: What `compile` got for the part.
    """
    part, usual = OF_PARTS[name]
    module = {"loss": "losses", "optimizer": "optimizers"}[part]
    classes = [one for one in importlib.import_module(f"lamina.{module}").__all__ if one[0].isupper()]
    return f"keras.{module}.{next((one for one in classes if letters_of(one) == letters_of(str(given))), usual)}"


def translated(name: str, value: Any, accepted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments that stand for one of another library, or None where it is not known.

    Args:
        name: Its name there.
        value: Its value there.
        accepted: The names that the signature has.
    """
    if name in LEFT_OUT:
        return {}
    if name == "keep_prob" and isinstance(value, (int, float)) and "rate" in accepted:
        return {"rate": round(1 - value, 6)}
    if name == "betas" and "beta_1" in accepted and isinstance(value, (tuple, list)) and len(value) == 2:
        return {"beta_1": value[0], "beta_2": value[1]}
    found = next((new for new in ARGUMENTS.get(name, ()) if new in accepted), None)
    return None if found is None else {found: value}


NAMES: dict[str, str] = {
    **{name: f"keras.applications.mobilenet_v2.{of}" for name, of in (
        ("preprocessinput", "preprocess_input"), ("decodepredictions", "decode_predictions"))},
    "confusionmatrix": "keras.visualization.plot_confusion_matrix",
    # layers
    "linear": "keras.layers.Dense", "fullyconnected": "keras.layers.Dense", "fc": "keras.layers.Dense",
    "denselayer": "keras.layers.Dense", "module": "keras.layers.Layer", "modulelist": "keras.Sequential",
    "lazylinear": "keras.layers.Dense", "convtranspose1d": "keras.layers.Conv1DTranspose",
    "convtranspose2d": "keras.layers.Conv2DTranspose", "convtranspose3d": "keras.layers.Conv3DTranspose",
    "deconv2d": "keras.layers.Conv2DTranspose",
    **{f"batchnorm{d}": "keras.layers.BatchNormalization" for d in ("", "1d", "2d", "3d")},
    **{f"instancenorm{d}": "keras.layers.GroupNormalization(groups=-1)" for d in ("1d", "2d", "3d")},
    **{f"dropout{d}": f"keras.layers.SpatialDropout{d.upper()}" for d in ("1d", "2d", "3d")},
    **{f"maxpool{d}": f"keras.layers.MaxPooling{d.upper()}" for d in ("1d", "2d", "3d")},
    **{f"avgpool{d}": f"keras.layers.AveragePooling{d.upper()}" for d in ("1d", "2d", "3d")},
    **{f"zeropad{d}": f"keras.layers.ZeroPadding{d.upper()}" for d in ("1d", "2d", "3d")},
    "meanpooling2d": "keras.layers.AveragePooling2D", "normalize": "keras.layers.Normalization",
    "lstmlayer": "keras.layers.LSTM", "selfattention": "keras.layers.MultiHeadAttention", "relu6": "keras.ops.relu6",
    "globalmeanpooling2d": "keras.layers.GlobalAveragePooling2D", "upsample": "keras.layers.UpSampling2D",
    "pixelshuffle": "keras.ops.reshape and keras.ops.transpose", "parameter": "keras.Variable", "nn": "keras.layers",
    "functional": "keras.ops", "modelcheckpoints": "keras.callbacks.ModelCheckpoint", "bilstm":
    "keras.layers.Bidirectional(keras.layers.LSTM(32))", "transformerencoderlayer": "keras.layers.MultiHeadAttention",
    "gradienttape": "jax.value_and_grad(loss)(weights), and model.fit computes the gradients by itself",
    "imageclassifier": "keras.applications.ResNet50(weights='imagenet', include_top=False, pooling='avg')",
    **{name.partition(".")[2].lower(): f"keras_hub.{name}" for name in (
        "layers.TokenAndPositionEmbedding layers.PositionEmbedding layers.SinePositionEncoding layers.RotaryEmbedding "
        "layers.TransformerEncoder layers.TransformerDecoder layers.CachedMultiHeadAttention models.TextClassifier "
        "models.CausalLM models.Backbone models.MaskedLM models.Seq2SeqLM models.Tokenizer samplers.TopKSampler"
    ).split()},
    "unflatten": "keras.layers.Reshape", "view": "keras.layers.Reshape",
    "placeholder": "keras.Input", "dataloader": "keras.utils.PyDataset", "dataset": "keras.utils.PyDataset",
    "tensor": "keras.ops.convert_to_tensor", "noise": "keras.layers.GaussianNoise", "softmax2d": "keras.layers.Softmax",
    "resnet18": "keras.applications.ResNet50", "resnet34": "keras.applications.ResNet50",
    "cat": "keras.ops.concatenate", "cnn": "keras.layers.Conv2D", "hstack": "keras.ops.hstack",
    # losses, under the names that classes of PyTorch have
    "CrossEntropyLoss": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    "NLLLoss": "keras.losses.SparseCategoricalCrossentropy", "BCELoss": "keras.losses.BinaryCrossentropy",
    "BCEWithLogitsLoss": "keras.losses.BinaryCrossentropy(from_logits=True)",
    "MSELoss": "keras.losses.MeanSquaredError", "L1Loss": "keras.losses.MeanAbsoluteError",
    "SmoothL1Loss": "keras.losses.Huber", "KLDivLoss": "keras.losses.KLDivergence",
    "nll": "sparse_categorical_crossentropy", "logloss": "binary_crossentropy", "l1": "mae", "l2": "mse",
    "negativeloglikelihood": "sparse_categorical_crossentropy", "l2loss": "mse", "l1loss": "mae",
    "softmaxcrossentropy": "categorical_crossentropy", "sigmoidcrossentropy": "binary_crossentropy",
    "tripletloss": "circle", "focal": "binary_focal_crossentropy", "focalloss": "binary_focal_crossentropy",
    # metrics, optimizers, initializers
    "rocauc": "auc", "aucroc": "auc", "f1": "f1_score", "top5": "top_k_categorical_accuracy",
    "top5accuracy": "top_k_categorical_accuracy", "gradientdescent": "sgd", "gradientdescentoptimizer": "SGD",
    "momentum": "keras.optimizers.SGD(momentum=0.9)", "adamoptimizer": "keras.optimizers.Adam",
    "stochasticgradientdescent": "sgd", "steplr": "keras.optimizers.schedules.PiecewiseConstantDecay",
    "exponentiallr": "keras.optimizers.schedules.ExponentialDecay", "reducelronplateau":
    "keras.callbacks.ReduceLROnPlateau", "cosineannealinglr": "keras.optimizers.schedules.CosineDecay",
    "xavier": "glorot_uniform", "xavieruniform": "glorot_uniform", "xaviernormal": "glorot_normal",
    "kaiming": "he_normal", "kaimingnormal": "he_normal", "kaiminguniform": "he_uniform", "he": "he_normal",
    "gaussian": "random_normal",
    # functions of other libraries in keras.ops
    "unsqueeze": "keras.ops.expand_dims", "permute": "keras.ops.transpose", "reducesum": "keras.ops.sum",
    "reducemean": "keras.ops.mean", "reducemax": "keras.ops.max", "reducemin": "keras.ops.min", "randn":
    "keras.random.normal", "rand": "keras.random.uniform", "todevice": "nothing: JAX places arrays itself",
    "setseed": "keras.utils.set_random_seed", "manualseed": "keras.utils.set_random_seed", "clip": "keras.ops.clip",
    "mm": "keras.ops.matmul", "bmm": "keras.ops.matmul", "save": "model.save('model.keras')", "load":
    "keras.models.load_model('model.keras')", "loadmodels": "keras.models.load_model", "fit": "model.fit(x, y)",
    "compile": "model.compile(optimizer, loss)", "summary": "model.summary()",
    # scikit-learn
    "function": "jax.jit",
    "traintestsplit": "keras.utils.split_dataset", "standardscaler": "keras.layers.Normalization",
    "minmaxscaler": "keras.layers.Rescaling", "labelencoder": "keras.layers.StringLookup",
    "onehotencoder": "keras.layers.CategoryEncoding", "kbinsdiscretizer": "keras.layers.Discretization",
    "tfidfvectorizer": "keras.layers.TextVectorization(output_mode='tf_idf')",
    "countvectorizer": "keras.layers.TextVectorization(output_mode='count')",
}  # fmt: skip
"""Name elsewhere, without capitals and underscores -> what Keras has for it."""

_TO = "Nothing to do: JAX places arrays on the accelerator by itself."
_MODE = "fit trains, predict and evaluate do not; of one call: model(x, training={})."
_STEP = "model.fit(x, y) computes gradients and applies them; in a train_step of your own: optimizer.apply(gradients)."

ATTRIBUTES: dict[str, dict[str, str]] = {
    "model": {
        **dict.fromkeys(("parameters", "trainable_parameters", "params"), "model.trainable_variables"),
        **dict.fromkeys(("compile_loss", "compiled_loss"), "self.compute_loss(x=x, y=y, y_pred=y_pred)"),
        "named_parameters": "{v.path: v for v in model.trainable_variables}",
        "state_dict": 'model.get_weights(), or in a file model.save_weights("my.weights.h5")',
        "load_state_dict": 'model.load_weights("my.weights.h5"), or model.set_weights(values)',
        "buffers": "model.non_trainable_variables",
        "eval": _MODE.format(False), "train": _MODE.format(True), "forward": "model(x)",
        **dict.fromkeys(("cuda", "cpu", "to", "gpu", "to_device", "half", "float", "double"), _TO),
        **dict.fromkeys(("zero_grad", "backward", "step", "train_on_epoch"), _STEP),
        **dict.fromkeys(("children", "modules", "named_modules", "named_children"), "model.layers"),
        "requires_grad_": "model.trainable = False", "freeze": "model.trainable = False",
        "unfreeze": "model.trainable = True", "register_buffer": "layer.add_weight(shape, trainable=False)",
        "register_parameter": "layer.add_weight(shape)", "append": "model.add(layer)", "add_module": "model.add(layer)",
        "add": "model = keras.Model(model.input, keras.layers.Dense(1)(model.output))",
        "pop": "model = keras.Model(model.input, model.layers[-2].output)",
        "score": "model.evaluate(x, y)", "predict_log_proba": "numpy.log(model.predict(x))",
        "validate": "model.evaluate(x, y)", "test": "model.evaluate(x, y)", "transform": "model.predict(x)",
        "fit_transform": "model.fit(x, y), then model.predict(x)", "partial_fit": "model.train_on_batch(x, y)",
        "coef_": "model.get_weights()", "classes_": "model.predict(x).argmax(axis=-1) counts classes from 0",
        "plot": "keras.utils.plot_model(model)", "describe": "model.summary()", "info": "model.summary()",
        "load": 'keras.models.load_model("model.keras")', "save_model": 'model.save("model.keras")',
        "load_model": 'keras.models.load_model("model.keras")', "num_parameters": "model.count_params()",
        "save_pretrained": 'model.save("model.keras")', "run": "model.predict(x)", "infer": "model.predict(x)",
        "inference": "model.predict(x)", "history": "history = model.fit(x, y), then history.history",
        "accuracy": 'model.evaluate(x, y, return_dict=True)["accuracy"]', "nparams": "model.count_params()",
        "learning_rate": "model.optimizer.learning_rate", "lr": "model.optimizer.learning_rate",
        "early_stopping": "model.fit(x, y, callbacks=[keras.callbacks.EarlyStopping()])",
    },
    "optimizer": {
        "step": _STEP, "zero_grad": "Nothing to do: fit and jax.value_and_grad make new gradients in every step.",
        "param_groups": "optimizer.learning_rate", "state_dict": "optimizer.variables",
        "load_state_dict": "optimizer.load_own_variables(store), or load the whole model",
        "minimize": _STEP, "compute_gradients": _STEP, "get_lr": "optimizer.learning_rate",
        "rate": "optimizer.learning_rate", "set_lr": "optimizer.learning_rate = 0.001",
        "set_learning_rate": "optimizer.learning_rate = 0.001",
    },
    "history": {
        "losses": 'history.history["loss"]', "epochs": "history.epoch", "logs": "history.history",
        "keys": "history.history.keys()", "items": "history.history.items()",
    },
    "tensor": {
        "view": "keras.ops.reshape(x, shape)", "permute": "keras.ops.transpose(x, axes)",
        "unsqueeze": "keras.ops.expand_dims(x, axis)", "squeeze": "keras.ops.squeeze(x, axis)",
        "reshape": "keras.ops.reshape(x, shape)", "flatten": "keras.layers.Flatten()(x)",
        "detach": "keras.ops.stop_gradient(x)", "size": "x.shape", "dim": "len(x.shape)", "ndimension": "len(x.shape)",
        "get_shape": "x.shape", "float": 'keras.ops.cast(x, "float32")', "long": 'keras.ops.cast(x, "int32")',
        "int": 'keras.ops.cast(x, "int32")', "astype": "keras.ops.cast(x, dtype)", "type": "keras.ops.cast(x, dtype)",
        "contiguous": "Nothing to do: x stands for an array in order.", "t": "keras.ops.transpose(x)",
        "T": "keras.ops.transpose(x)", "transpose": "keras.ops.transpose(x, axes)",
        **dict.fromkeys(("cuda", "cpu", "to", "requires_grad_", "device"), _TO),
        **dict.fromkeys(("numpy", "item", "tolist", "eval"), (
            "A symbolic tensor has no numbers yet: make a model, keras.Model(inputs, x), and call model.predict(data)."
        )),
        "clamp": "keras.ops.clip(x, low, high)", "clip": "keras.ops.clip(x, low, high)",
        "matmul": "keras.ops.matmul(x, y)", "mm": "keras.ops.matmul(x, y)", "repeat": "keras.ops.tile(x, repeats)",
        "expand": "keras.ops.broadcast_to(x, shape)", "copy": "x", "clone": "x", "fill_": "keras.ops.full_like(x, 0)",
        "backward": _STEP, "grad": _STEP, "data": "x",
    },
    "array": {
        **dict.fromkeys(("numpy", "eval", "cpu"), "np.asarray(x)"),
        **dict.fromkeys(("cuda", "to", "requires_grad_"), _TO),
        "detach": "keras.ops.stop_gradient(x)", "unsqueeze": "keras.ops.expand_dims(x, axis)",
        "permute": "keras.ops.transpose(x, axes)", "numel": "x.size", "get_shape": "x.shape", "dim": "x.ndim",
        "float": 'x.astype("float32")', "long": 'x.astype("int32")', "double": 'x.astype("float64")',
        "clamp": "keras.ops.clip(x, low, high)", "mm": "keras.ops.matmul(x, y)", "clone": "x.copy()",
        "expand": "keras.ops.broadcast_to(x, shape)", "contiguous": "Nothing to do: an array is in order.",
        "backward": _STEP, "grad": _STEP, "assign": "keras.Variable(x).assign(value)",
    },
    "variable": {
        "data": "variable.value", "grad": _STEP, "size": "variable.shape", "detach": "variable.value",
        "requires_grad": "variable.trainable", "requires_grad_": "variable.trainable = False",
        "copy_": "variable.assign(value)", "set_value": "variable.assign(value)", "get_value": "variable.numpy()",
        "zero_": "variable.assign(keras.ops.zeros_like(variable))", "eval": "variable.numpy()",
        "load": "variable.assign(value)", "initialized_value": "variable.value", "cpu": "variable.numpy()",
        "view": "keras.ops.reshape(variable, shape)", "permute": "keras.ops.transpose(variable, axes)",
        "unsqueeze": "keras.ops.expand_dims(variable, axis)", "to": _TO, "cuda": _TO,
    },
}  # fmt: skip
"""Kind of object -> attribute elsewhere -> what Keras has for it."""
ATTRIBUTES["layer"] = {
    name: text.replace("model", "layer")
    for name, text in ATTRIBUTES["model"].items()
    if not any(part in text for part in ("fit", "predict", "evaluate", "load_model", "plot_model", "save("))
} | {
    "weight": "layer.kernel", "in_features": "layer.input.shape[-1]", "out_features": "layer.units",
    "forward": "layer(x)", "fit": "layers are trained in a model: keras.Sequential([layer]).fit(x, y)",
    "eval": "layer(x, training=False)", "train": "layer(x, training=True)", "get_output": "layer.output",
    "fit_transform": "layer.adapt(x), then layer(x)", "transform": "layer(x)", "inverse_transform":
    "of Normalization: keras.layers.Normalization(invert=True); of StringLookup: StringLookup(invert=True)",
    "get_input": "layer.input", "shape": "layer.output.shape, once the layer is called", "children": "layer._layers",
}  # fmt: skip
