"""Names and modules of Keras 1 and 2 that are gone, with one line of what replaces each: code, or a sentence."""

from __future__ import annotations

__all__ = ["GONE", "GONE_MODULES"]

_FUNCTIONAL = "outputs = keras.layers.Dense(1)(inputs); model = keras.Model(inputs, outputs)"
_TRAIN_STEP = "Override train_step or compute_loss of keras.Model; fit reads the data."
_WEIGHTS = 'model.load_weights("old.weights.h5")'
_SAVED = 'model.save("model.keras"); model = keras.models.load_model("model.keras")'
_ACCEPTED = "Old argument names are accepted as they are; write today's."
_CALLED = "Subclass keras.constraints.Constraint and write __call__(self, w)."
_METRICS = "model.compile(optimizer, loss, metrics=[keras.metrics.{}()])"
_LARGE_MODELS = "keras.applications has ResNet50V2, EfficientNetV2B0 and ConvNeXtTiny for the same purpose."
_INSIDE = "This was the inside of Keras; lamina has public names only."

_NAMES = {
    _FUNCTIONAL: "Graph AutoEncoder LambdaMerge Siamese SiameseHead MusicTaggerCRNN",
    _TRAIN_STEP: "SharpnessAwareMinimization standardize_X slice_X make_batches batch_shuffle standardize_weights "
                 "standardize_input_data standardize_sample_weights standardize_class_weights weighted_objective "
                 "weighted_masked_objective collect_metrics check_array_lengths DataHandler DataAdapter "
                 "check_loss_and_target_compatibility LossesContainer MetricsContainer",
    "model.fit(data), where data is a keras.utils.PyDataset(workers=4).":
        "OrderedEnqueuer GeneratorEnqueuer SequenceEnqueuer threadsafe_generator ThreadsafeIter",
    _WEIGHTS: "load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name save_weights_to_hdf5_group "
              "preprocess_weights_for_loading convert_nested_model load_attributes_from_hdf5_group H5Dict "
              "convert_all_kernels_in_model convert_dense_weights_data_format load_from_binary_h5py "
              "save_to_binary_h5py array_to_binary_str",
    _METRICS.format("Precision"): "precision", _METRICS.format("Recall"): "recall",
    _METRICS.format("F1Score"): "fmeasure f1score fscore", _METRICS.format("FBetaScore"): "fbeta_score",
    _METRICS.format("Mean"): "MeanTensor MeanRelativeError Reduce SumOverBatchSize",
    "Subclass keras.metrics.Metric; keras.ops has the functions.": "matthews_correlation",
    "Subclass keras.losses.Loss and write call(self, y_true, y_pred).": "LossFunctionWrapper",
    "keras.regularizers.OrthogonalRegularizer()": "EigenvalueRegularizer",
    _CALLED: "RadialConstraint radial_constraint",
    "keras.layers.BatchNormalization()": "LRN2D",
    "keras.layers.ConvLSTM2D(8, 3)": "ConvLSTM2DCell ConvRNN2D ConvRNN",
    "Write a layer with state_size and call(self, inputs, states); keras.layers.RNN(cell) runs it.": "PeepholeLSTMCell",
    "keras.layers.Dense(8)(sequences)": "time_distributed_dense",
    'features = keras.utils.FeatureSpace({"age": "float_normalized"})': "SequenceFeatures",
    "Subclass keras.layers.Attention.": "BaseDenseAttention",
    "keras.optimizers.schedules.CosineDecay(0.1, decay_steps=1000)":
        "LinearCosineDecay NoisyLinearCosineDecay linear_cosine_decay noisy_linear_cosine_decay natural_exp_decay",
    _SAVED: "export_saved_model load_from_saved_model save_to_saved_model",
    "keras.optimizers.Adam(global_clipnorm=1.0)": "clip_norm",
    "The History that fit returns has the mean of each epoch.": "BaseLogger",
    "Decorate the function with @keras.saving.register_keras_serializable().": "func_dump func_load",
    "model.fit(dataset)": "DatasetCreator",
    "model.fit(x, y, validation_split=0.2)": "SidecarEvaluator SidecarEvaluatorModelExport",
    "There are no sessions: outputs = model.predict(x); number = keras.backend.get_value(variable).":
        "Session SessionLocal get_graph get_default_session_config",
    _ACCEPTED: "generate_legacy_interface recurrent_args_preprocessor",
    "A part of a whole model: keras.Model(base.input, base.get_layer(name).output).":
        "identity_block conv_block conv2d_bn dense_block transition_block block1 block2 block3 stack1 stack2 stack3 "
        "inception_resnet_block",
    "Test a layer with pytest: layer(x), and type(layer).from_config(layer.get_config())(x).": "layer_test keras_test",
    "keras.applications.VGG16(weights=None) needs no injection.": "keras_modules_injection",
    "keras.utils.is_keras_tensor(x)": "is_symbolic_tensor",
    "keras.losses.MeanSquaredError()(y, y, sample_weight)": "compute_weighted_loss",
    "(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()": "load_batch",
    "keras.Variable(0.0)": "sharedX shared_zeros shared_scalar shared_ones",
    "keras.layers.Lambda(lambda x: 2 * x)": "TFOpLambda SlicingOpLambda TensorFlowOpLayer",
    "keras.losses.categorical_crossentropy(y, y)": "multiclass_logloss binary_logloss",
    "data = pickle.dumps(model); model = pickle.loads(data)":
        "serialize_model_as_bytecode deserialize_model_from_bytecode",
    "keras.layers.keras1.LocallyConnected1D(8, 3)": "local_conv local_conv1d local_conv2d",
    "keras.distribution.list_devices()": "get_available_gpus",
    "keras.ops.convert_to_tensor(x)": "to_tensor",
    'Give the hash to get_file: keras.utils.get_file(origin=url, file_hash="...").': "validate_file",
    'model.save("model.keras", overwrite=True)': "ask_to_proceed_with_overwrite",
    "keras.ops.ctc_loss takes dense labels.": "ctc_label_dense_to_sparse",
    "keras.optimizers.legacy.Adam(0.001)": "LegacyOptimizerWarning",
    "Copy the rows of words that both vocabularies have: layer.embeddings.assign(rows).": "warmstart_embedding_matrix",
}  # fmt: skip
GONE: dict[str, str] = {name: advice for advice, names in _NAMES.items() for name in names.split()}
"""Name, in whatever module, without a leading underscore -> what replaces it."""

_MODULES = {
    "model.fit(x, y)": "estimator",
    _ACCEPTED: "legacy.interfaces",
    _SAVED: "saving.saved_model saving.saved_model_experimental",
    "keras.distribution.set_distribution(keras.distribution.DataParallel())": "distribute",
    _LARGE_MODELS: "applications.regnet applications.resnet_rs applications.resnext",
    _FUNCTIONAL: "applications.music_tagger_crnn",
    "call(self, inputs, training=None) says whether a layer trains.": "utils.mode_keys",
    "keras.ops.cond(True, lambda: 1, lambda: 0)": "utils.control_flow_util",
    _INSIDE: "protobuf testing_utils testing_infra combinations tests benchmarks integration_test legacy_tf_layers "
             "keras_parameterized utils.tf_inspect utils.tf_contextlib utils.kernelized_utils utils.timed_threads "
             "utils.keras_logging",
}  # fmt: skip
GONE_MODULES: dict[str, str] = {
    f"lamina.{path}": advice for advice, paths in _MODULES.items() for path in paths.split()
}
"""Path of a module -> what replaces it."""
