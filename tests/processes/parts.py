"""What needs whole values of a model of which each process has a part: files, exports, LoRA, quantization, Repeat."""

import pathlib

import numpy as np

import lamina as keras


def used(number):
    """The largest differences of outputs: of a block in Repeat from the block alone, twice; of a model with LoRA from
    its file; of a quantized model from itself."""
    layers, x = keras.layers, np.random.default_rng(0).normal(size=(4, 32)).astype("float32")
    with keras.distribution.ModelParallel.fsdp().scope():
        keras.utils.set_random_seed(2)
        block = layers.Dense(32, "tanh", kernel_initializer=keras.initializers.Orthogonal(seed=1))
        model = keras.Sequential([keras.Input((32,)), layers.Repeat(block, 2)])
        kernels, _ = model.get_weights()
        expected = np.tanh(np.tanh(x @ kernels[0]) @ kernels[1])
        found = [model.predict(x, verbose=0) - expected]
        model.export(f"parts{number}.onnx", format="onnx", verbose=False)
        block.enable_lora(2)
        block.lora_kernel_b.assign(np.full(block.lora_kernel_b.shape, 0.1))
        model.save("parts.keras")
        merged, before = keras.models.load_model("parts.keras"), model.predict(x, verbose=0)
        found.append(merged.predict(x, verbose=0) - before)
        model.quantize("int4")
        found.append(model.predict(x, verbose=0) - before)
    return [pathlib.Path(f"parts{number}.onnx").exists(), *(float(np.abs(one).max()) for one in found)]
