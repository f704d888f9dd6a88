"""Where lamina differs from Keras on purpose: one row for each row of the table in docs/design.md, with the test that
shows it. What has no test elsewhere has one here."""

import ast
import pathlib

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = "test_differences.py"
DIFFERENCES = {
    "`layer(x, training=...)` inside a functional model":
        "models/test_functional.py test_training_that_was_said_stays_said",
    "targets of another shape than the outputs": "losses/test_losses.py test_targets_of_other_shapes_are_refused",
    "weights `(batch,)` for values `(batch, time)`": "losses/test_losses.py test_one_weight_a_sample_weighs_samples",
    "`sparsemax`": "test_activations.py test_sparsemax_is_the_nearest_point_of_the_simplex",
    "masks in training": f"{HERE} test_metrics_see_the_mask",
    "unseeded `keras.random` draws in a step": "training/test_fit.py test_unseeded_draws_differ_from_step_to_step",
    "`metrics_names`": f"{HERE} test_metrics_names_are_the_keys_of_the_logs",
    "a metric given twice in `evaluate`'s list": f"{HERE} test_metrics_names_are_the_keys_of_the_logs",
    "max pooling with a window larger than the input": "layers/test_pooling.py test_bad_inputs",
    "a fully masked row in `GlobalAveragePooling1D`": "layers/test_pooling.py test_nothing_left_by_the_mask_is_zero",
    "binary labels nearer to 2 or -1 than to 0 or 1":
        "metrics/test_metrics.py test_binary_labels_that_are_neither_0_nor_1_are_nan",
    "a batch that does not divide by the devices": "test_distribution.py test_eight_devices",
    "a model made outside of a distribution's scope": "test_distribution.py test_eight_devices",
    "arrays, generators, ... in several processes": "test_distribution.py test_several_processes_share_data",
    "an Orbax checkpoint whose paths are not the model's":
        "callbacks/test_orbax_checkpoint.py test_weights_alone_and_other_models",
    "`RandomBrightness`, `RandomSaturation` of whole numbers (uint8)":
        "layers/image/test_color.py test_whole_numbers_where_keras_cannot",
    "`AutoContrast`, `RandomColorJitter` with `channels_first`":
        "layers/image/test_color.py test_channels_first_is_the_same_with_axes_moved",
    "`AugMix` in a compiled step": "layers/image/test_programs.py test_a_policy_inside_a_model_draws_anew_each_step",
    "`RandomGrayscale`": "layers/image/test_color.py test_the_config_of_grayscale_holds_its_seed",
    "boxes in image layers": "layers/image/test_geometry.py test_boxes_follow_their_images_in_any_format",
    "masks in image layers": "layers/image/test_resizing.py test_boxes_and_masks_follow_their_images",
    "`RandomCrop` of smaller images, and out of training":
        "layers/image/test_resizing.py test_random_crop_gives_the_largest_part_of_its_ratio_out_of_training",
    "`MixUp`, `CutMix` of class numbers": "layers/image/test_mixing.py test_numbers_of_classes_are_not_mixed",
    "`RandomElasticTransform`":
        "layers/image/test_geometry.py test_elastic_transform_moves_masks_as_images_and_no_boxes",
    "`layer.kernel` of a quantized layer":
        "layers/test_quantized_weights.py test_the_kernel_reads_as_the_numbers_it_stands_for",
    "GPTQ and AWQ": "models/test_quantization.py test_looking_at_the_data_helps",
    "a file of a GPTQ layer": "layers/test_quantized_weights.py test_fit_and_files_are_those_of_keras",
    "the gradient of an int8 `ReversibleEmbedding` called backwards":
        "layers/test_quantized_weights.py test_embeddings",
    "optimizers with `_resource_apply_dense` or `get_updates`; old arguments of functions (`to_categorical(y=)`, "
    "`K.pow(x=, a=)`)":
        "optimizers/test_old_rules.py test_old_rules_train_like_those_of_today",
    "LoRA on a quantized `ReversibleEmbedding`, `lora_alpha=` of Dense and Embedding":
        "layers/test_lora.py test_the_asked_for_alpha_holds",
    '`"...i,io->...o"` in int8 and int4 `EinsumDense`': f"{HERE} test_dots_in_quantized_equations",
    "`scan`, `while_loop`, `fori_loop`, `map` outside of a compiled function":
        f"{HERE} test_loops_see_variables_as_they_are",
    "`unique`, `nonzero`, `bincount` of symbolic tensors": "ops/test_every_op.py test_sizes_that_hang_on_values",
    "`fit` of a model that cannot learn what was meant": "check/test_at_fit.py test_says_each_finding_in_a_line_once",
    "a size that is `min(batch, 3)` (`diag`, `qr`)": f"{HERE} test_the_smaller_of_two_sizes",
    "masks in ConvLSTM": "layers/test_conv_lstm.py test_masked_steps_are_passed_over",
    "`MelSpectrogram.compute_output_shape`":
        "layers/test_spectrograms.py test_mel_shapes_are_those_of_the_outputs",
    "a `.keras` file in `KerasFileEditor`":
        "saving/test_file_editor.py test_files_of_keras_with_layers_inside_layers",
    "`model.export` by default": "export/test_export.py test_a_folder_is_a_saved_model",
    "`keras.optimizers.legacy`": f"{HERE} test_legacy_optimizers_are_those_of_today",
    "a saved model with a quantized `MultiHeadAttention`":
        "models/test_quantization.py test_a_quantized_layer_of_layers_is_made_so_again",
    "rows of an `EinsumDense` kernel in GPTQ and AWQ": "models/test_quantization.py test_looking_at_the_data_helps",
    "strings in a model": "models/test_text.py test_only_what_reads_text_runs_on_the_host",
    "outputs of lookups that are no numbers of tokens": "layers/test_lookup.py test_modes",
    "integers beyond 32 bits to hash or look up": "layers/test_categories.py test_values",
    "an adapted vocabulary saved to `.h5`": "models/test_text.py test_files_keep_vocabularies",
    "initial values": "test_initializers.py test_no_shape_costs_a_compilation",
    "unknown arguments of `imdb.load_data`": "datasets/test_downloads.py test_word_arguments_are_checked",
}  # fmt: skip


def test_the_table_is_that_of_the_docs():
    table = (ROOT / "docs/design.md").read_text().split("## Where lamina differs")[1]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert set(rows[1:]) == set(DIFFERENCES), "a difference stands in docs/design.md and here, with its test"


@pytest.mark.parametrize("what", DIFFERENCES)
def test_each_difference_has_a_test(what):
    file, name = DIFFERENCES[what].split()
    tree = ast.parse((ROOT / "tests" / file).read_text())
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_metrics_see_the_mask():
    layers = lamina.layers
    model = lamina.Sequential([lamina.Input((3,)), layers.Embedding(5, 2, mask_zero=True), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.array([[1, 2, 0], [3, 0, 0]]), np.zeros((2, 3, 1), "float32")
    outputs = np.abs(model.predict(x, verbose=0)[..., 0])
    wanted = outputs[x > 0]
    assert model.evaluate(x, y, verbose=0) == pytest.approx([np.mean(wanted**2), np.mean(wanted)], rel=1e-4)


def test_metrics_names_are_the_keys_of_the_logs():
    model = lamina.Sequential([lamina.Input((2,)), lamina.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae", "mae"])
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert list(logs) == model.metrics_names
    assert len(model.evaluate(x, y, verbose=0)) == len(logs)


def test_loops_see_variables_as_they_are():
    def results(ops, variable):
        grow = lambda carry, x: (carry + x * variable.value, carry)
        double = lambda i, x: x * variable.value
        found = []
        for value in (1.0, 3.0):
            variable.assign(value)
            found.append(
                (float(ops.scan(grow, jnp.zeros(()), jnp.ones(4))[0]), float(ops.fori_loop(0, 2, double, 1.0)))
            )
        return found

    assert results(lamina.ops, lamina.Variable(0.0)) == [(4.0, 1.0), (12.0, 9.0)]
    assert results(keras.ops, keras.Variable(0.0)) == [(4.0, 1.0), (4.0, 1.0)]


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_dots_in_quantized_equations(mode):
    layer, x = lamina.layers.EinsumDense("...i,io->...o", 8), np.random.default_rng(0).normal(size=(2, 5, 64))
    plain = np.asarray(layer(x))
    layer.quantize(mode)
    assert np.abs(np.asarray(layer(x)) - plain).mean() < (0.02 if mode == "int8" else 0.3) * np.abs(plain).mean()


def test_the_smaller_of_two_sizes():
    assert lamina.ops.diag(lamina.Input((3,))).shape == (3,)
    assert lamina.ops.diag(np.ones((2, 3))).shape == (2,)
    assert keras.ops.diag(keras.Input((3,))).shape == (None,)


def test_legacy_optimizers_are_those_of_today():
    assert type(lamina.optimizers.legacy.Adam()) is lamina.optimizers.Adam
    with pytest.raises(ImportError, match="not supported in Keras 3"):
        keras.optimizers.legacy.Adam()
