"""Files that somebody wrote who had not read lamina's code: each is refused by an error of lamina, and the model stays
as it was."""

import base64
import json
import marshal
import os

import h5py
import numpy as np
import pytest

import lamina as keras
from lamina.errors import LaminaError

MANY = 10**9


def layer(name, module="keras.layers", /, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def sequential(*rows, shape=(None, 4), dtype="float32", **more):
    start = layer("InputLayer", batch_shape=list(shape), dtype=dtype, name="in")
    return {**layer("Sequential", "keras", name="net", layers=[start, *rows]), **more}


def compiled(**settings):
    return sequential(layer("Dense", units=1), compile_config={"optimizer": "sgd", "loss": "mse", **settings})


def images(*rows):
    return sequential(*rows, shape=(None, 8, 8, 3))


def words(*rows):
    return sequential(*rows, shape=(None, 3), dtype="string")


def times(*rows):
    return sequential(*rows, shape=(None, 3, 2))


def initialized(units, name, **config):
    initializer = layer(name, "keras.initializers", **config)
    return sequential(layer("Dense", units=units, kernel_initializer=initializer), shape=(None, units))


def metric(name, **config):
    return compiled(metrics=[layer(name, "keras.metrics", **config)])


def scheduled(name, **config):
    rate = layer(name, "keras.optimizers.schedules", **config)
    return compiled(optimizer=layer("SGD", "keras.optimizers", learning_rate=rate))


SIZES = {
    "RepeatVector": sequential(layer("RepeatVector", n=MANY)),
    "CategoryEncoding": sequential(layer("CategoryEncoding", num_tokens=10 * MANY)),
    "max_tokens": words(layer("StringLookup", max_tokens=10 * MANY, vocabulary=["a"], pad_to_max_tokens=True)),
    "TextVectorization": words(layer("TextVectorization", max_tokens=MANY, ngrams=MANY, vocabulary=["a"])),
    "frame_length": sequential(layer("STFTSpectrogram", frame_length=2**30, fft_length=2**30), shape=(None, 4000, 1)),
    "sampling_rate": sequential(layer("MelSpectrogram", sampling_rate=MANY), shape=(None, 4000)),
    "windows": sequential(layer("MelSpectrogram", sequence_stride=1, fft_length=2**18), shape=(None, 4000)),
    "EinsumDense": sequential(layer("EinsumDense", equation="ab,bc->ac", output_shape=[10 * MANY])),
    "letters": sequential(layer("EinsumDense", equation="ab,b" + "c" * 9999 + "->a", output_shape=[2])),
    "dilation_rate": sequential(layer("Conv1D", filters=2, kernel_size=3, dilation_rate=MANY), shape=(None, 8, 2)),
    "depth_multiplier": images(layer("DepthwiseConv2D", kernel_size=3, depth_multiplier=MANY)),
    "power_iterations": sequential(
        layer("SpectralNormalization", layer=layer("Dense", units=2), power_iterations=MANY)
    ),
    "cells": times(layer("RNN", cell=layer("StackedRNNCells", cells=[layer("LSTMCell", units=1)] * 20000))),
    "Bidirectional": times(layer("Bidirectional", layer=layer("Bidirectional", layer=layer("LSTM", units=1)))),
    "batch_shape": sequential(layer("Dense", units=1), shape=(MANY, MANY)),
    "lora_rank": sequential(layer("Dense", units=2, lora_rank=MANY)),
    "ReversibleEmbedding": words(layer("ReversibleEmbedding", input_dim=10**5, output_dim=10**5)),
    "num_ops": images(layer("RandAugment", num_ops=MANY)),
    "chain_depth": images(layer("AugMix", chain_depth=[MANY, MANY])),
    "scale": images(layer("RandomElasticTransform", scale=1e300)),
    "kernel_size": images(layer("RandomGaussianBlur", kernel_size=[10**6 + 1, 10**6 + 1])),
    "max_number": images(layer("MaxNumBoundingBoxes", max_number=10 * MANY)),
    "pool_size": images(layer("MaxPooling2D", pool_size=MANY, strides=1, padding="same")),
    "identity": initialized(30000, "Identity"),
    "orthogonal": initialized(14000, "Orthogonal"),
    "axis": sequential(layer("Normalization", axis=list(range(200000)), mean=0.0, variance=1.0)),
    "mean": sequential(layer("Normalization", mean=["nan", "x", {}, []], variance=[-1, 0, 1, 2])),
    "dims": sequential(layer("Permute", dims=[MANY])),
    "target_shape": sequential(layer("Reshape", target_shape=[10**200])),
    "nb_feature": sequential(layer("MaxoutDense", output_dim=4, nb_feature=MANY)),
    "AUC": metric("AUC", num_thresholds=10 * MANY),
    "MeanIoU": metric("MeanIoU", num_classes=10**6),
    "steps_per_execution": compiled(steps_per_execution=10**12),
    "m_mul": scheduled("CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=1, m_mul="inf"),
    "boundaries": scheduled("PiecewiseConstantDecay", boundaries=[1] * 10, values=[0.1] * 3),
}
KINDS = {
    "policy": sequential(
        layer(
            "Dense", units=2, dtype=layer("GPTQDTypePolicy", "keras", mode="gptq/-5/99999999999", source_name="float32")
        )
    ),
    "tensor": sequential(
        layer(
            "Dense", units=2, bias_initializer={"class_name": "__tensor__", "config": {"value": [0.0], "dtype": "f9"}}
        )
    ),
    "array": sequential(
        layer(
            "Dense", units=2, bias_initializer={"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U999"}}
        )
    ),
    "optimizer as layer": sequential(layer("Adam", "keras.optimizers")),
    "metric as activation": sequential(layer("Dense", units=2, activation=layer("AUC", "keras.metrics"))),
    "loss as layer": sequential(layer("MeanSquaredError", "keras.losses")),
    "layer as initializer": sequential(layer("Dense", units=2, kernel_initializer=layer("Dense", units=3))),
    "model as optimizer": compiled(optimizer=sequential(layer("Dense", units=1))),
    "momentum": compiled(optimizer=layer("SGD", "keras.optimizers", momentum=float("nan"))),
    "class as list": {"class_name": ["Sequential"], "config": {"layers": []}},
    "nothing": {},
    "half a character": sequential(layer("Dense", units=2, name="\ud800x")),
    "zero": sequential(layer("Dense", units=2, name="a\x00b")),
    "rate": sequential(layer("Dropout", rate=float("nan"))),
}
MARSHALLED = marshal.dumps((lambda x: os.mkdir("ran")).__code__)
BYTECODE = {"class_name": "__lambda__", "config": {"code": base64.b64encode(MARSHALLED).decode()}}
NAMES = (
    "keras.utils.get_file keras.saving.load_model keras.config.enable_unsafe_deserialization keras.utils.load_img "
    "keras.utils.image_dataset_from_directory keras.ops.zeros keras.ops.custom_gradient keras.saving.save_model "
    "keras.utils.plot_model jax.numpy.load builtins.exec os.system lamina.cli.main"
).split()


def named(name):
    module, _, last = name.rpartition(".")
    return {"module": module, "class_name": "function", "config": last, "registered_name": last}


CODE = {
    **{f"{name} as dict": sequential(layer("Lambda", function=named(name))) for name in NAMES},
    **{f"{name} as text": sequential(layer("Lambda", function=name)) for name in NAMES},
    "bytecode": sequential(layer("Lambda", function=BYTECODE)),
    "bytecode of a mask": sequential(layer("Lambda", function="keras.ops.abs", mask=BYTECODE)),
    "bytecode behind safe_mode": sequential(layer("Lambda", function=BYTECODE, safe_mode=False)),
    "activation": sequential(layer("Dense", units=2, activation=named("keras.utils.get_file"))),
    "partial": sequential(layer("Activation", activation=layer("partial", "functools", func="os.system"))),
    "regularizer": sequential(layer("Dense", units=2, kernel_regularizer=named("keras.saving.load_model"))),
    "initializer": sequential(layer("Dense", units=2, kernel_initializer="os>system")),
    "cell": times(layer("RNN", cell=named("os.system"))),
    "standardize": words(layer("TextVectorization", standardize=named("os.system"), vocabulary=["a"])),
    "TFSMLayer": sequential(layer("TFSMLayer", filepath="/etc")),
    "TorchModuleWrapper": sequential(layer("TorchModuleWrapper", module={"class_name": "__torch__", "config": "gA=="})),
    "JaxLayer": sequential(layer("JaxLayer", call_fn="os.system", init_fn="os.system")),
    "FlaxLayer": sequential(layer("FlaxLayer", module=layer("system", "os"))),
    "another module": sequential({**layer("system", "os", command="touch ran"), "registered_name": "os>system"}),
    "path": words(layer("StringLookup", vocabulary="/etc/passwd")),
    "address": words(layer("TextVectorization", vocabulary="https://example.invalid/words")),
}


@pytest.mark.parametrize("config", [*SIZES.values(), *KINDS.values()], ids=[*SIZES, *KINDS])
def test_sizes_and_kinds(config):
    with pytest.raises(LaminaError):
        keras.models.model_from_json(json.dumps(config))


@pytest.mark.parametrize("config", CODE.values(), ids=CODE)
def test_code(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LaminaError):
        keras.models.model_from_json(json.dumps(config))
    assert os.listdir(tmp_path) == []


TEXTS = {
    "lists in each other": "[" * 3_000_000,
    "dicts in each other": '{"a":' * 500_000 + "1" + "}" * 500_000,
    "digits": json.dumps(sequential(layer("Dense", units=2))).replace('"units": 2', '"units": ' + "9" * 4_000_000),
    "a number": "12345678901234567890",
    "an empty text": "",
    "null": "null",
    "a long name": '{"class_name": "' + "\\u0041" * 2_000_000 + '", "config": {}}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(text):
    with pytest.raises(LaminaError) as caught:
        keras.models.model_from_json(text)
    assert len(str(caught.value)) < 10_000


def small(value):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="small")
    model.set_weights([np.full(weight.shape, value, "float32") for weight in model.weights])
    return model


def virtual(file, name, shape):
    parts = h5py.VirtualLayout(shape, "f4")
    parts[...] = h5py.VirtualSource(".", "other", shape)
    file.create_virtual_dataset(name, parts)


HDF5 = {
    "virtual": virtual,
    "external": lambda file, name, shape: file.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, 99)]),
    "link to a file": lambda file, name, shape: file.__setitem__(name, h5py.ExternalLink("/etc/other.h5", "x")),
    "link in a circle": lambda file, name, shape: file.__setitem__(name, h5py.SoftLink(name)),
    "group": lambda file, name, shape: file.create_group(name),
    "references": lambda file, name, shape: file.create_dataset(name, shape, h5py.ref_dtype),
    "lists": lambda file, name, shape: file.create_dataset(name, shape, h5py.vlen_dtype(np.float32)),
    "texts": lambda file, name, shape: file.create_dataset(name, shape, h5py.string_dtype()),
    "records": lambda file, name, shape: file.create_dataset(name, shape, np.dtype([("a", "f4"), ("b", "f4")])),
    "arrays": lambda file, name, shape: file.create_dataset(name, shape, np.dtype(("f4", (1000, 1000, 100)))),
    "zeros": lambda file, name, shape: file.create_dataset(name, (10**6, 10**6), "f4", chunks=(1000, 1000)),
    "axes": lambda file, name, shape: file.create_dataset(name, (1,) * 32, "f4"),
    "another filter": lambda file, name, shape: file.create_dataset(name, shape, "i4", chunks=shape, scaleoffset=2),
    "complex": lambda file, name, shape: file.create_dataset(name, shape, "c16"),
    "opaque": lambda file, name, shape: file.create_dataset(name, shape, "V8"),
    "nothing": lambda file, name, shape: file.create_dataset(name, data=h5py.Empty("f4")),
    "itself": lambda file, name, shape: file.__setitem__(name, file["/"]),
}


@pytest.mark.parametrize("change", HDF5.values(), ids=HDF5)
def test_arrays_of_hdf5(change, tmp_path):
    small(2.0).save_weights(path := tmp_path / "w.weights.h5")
    with h5py.File(path, "a") as file:
        name = "/layers/dense/vars/1"
        shape = file[name].shape
        del file[name]
        change(file, name, shape)
    model = small(1.0)
    with pytest.raises(LaminaError):
        model.load_weights(path)
    assert all(np.all(np.asarray(weight) == 1) for weight in model.weights)


def test_many_empty_groups_take_no_time_of_their_own(tmp_path):
    small(2.0).save_weights(path := tmp_path / "w.weights.h5")
    with h5py.File(path, "a") as file:
        for number in range(300):
            file.create_group(f"layers/x{number}")
        file["layers/again"] = file["layers"]  # a circle
    model = small(1.0)
    model.load_weights(path)
    assert all(np.all(np.asarray(weight) == 2) for weight in model.weights)
