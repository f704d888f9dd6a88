"""Old spellings of modules, and of the functions and classes in them, with today's, or with what replaces them."""

from __future__ import annotations

__all__ = ["FILES_WITH_OLD_PATHS", "INSTEAD", "MODULES", "NAMES", "SHORT_LOSS_NAMES"]

_PATHS = {
    "": "engine premade type",
    "applications": "applications.mobilenetv2",
    "applications.imagenet_utils": "applications.audio_conv_utils",
    "backend": "backend.common backend.tensorflow_backend backend.theano_backend backend.cntk_backend "
               "backend.numpy_backend backend.load_backend backend_config",
    "callbacks": "callbacks.callbacks callbacks.experimental callbacks.tensorboard_v1 callbacks.tensorboard_v2 "
                 "callbacks_v1",
    "datasets": "datasets.cifar",
    "tensorflow": "backend.tensorflow_backend.tf",
    "distribution": "dtensor dtensor.layout_map dtensor.experimental",
    "export": "export.export_lib",
    "initializers": "initializations initializers.initializers initializers.initializers_v1 "
                    "initializers.initializers_v2",
    "layers": "layers.core layers.activation layers.advanced_activations layers.attention layers.containers "
              "layers.convolutional layers.convolutional_recurrent layers.cudnn_recurrent layers.dense_attention "
              "layers.embeddings layers.experimental layers.experimental.preprocessing layers.kernelized "
              "layers.legacy_rnn "
              "layers.local layers.locally_connected layers.merge layers.merging layers.noise layers.normalization "
              "layers.normalization_v2 layers.pooling layers.preprocessing layers.recurrent layers.recurrent_v2 "
              "layers.regularization layers.reshaping layers.rnn layers.rnn_cell_wrapper_v2 layers.wrappers "
              "layers.attention.base_dense_attention layers.convolutional.base_conv layers.core.lambda_layer "
              "layers.core.tf_op_layer layers.legacy_rnn.rnn_cell_impl layers.legacy_rnn.rnn_cell_wrapper_impl "
              "layers.merging.base_merge layers.normalization.batch_normalization_v1 "
              "layers.preprocessing.category_crossing layers.preprocessing.image_preprocessing "
              "layers.preprocessing.index_lookup layers.rnn.abstract_rnn_cell layers.rnn.base_rnn "
              "layers.rnn.cell_wrappers "
              "layers.rnn.cudnn_gru layers.rnn.cudnn_lstm layers.rnn.gru_lstm_utils layers.rnn.legacy_cells "
              "engine.base_layer engine.base_layer_utils engine.base_preprocessing_layer engine.input_layer "
              "engine.input_spec engine.node engine.topology legacy.layers feature_column type.types",
    "losses": "objectives",
    "metrics": "metrics.accuracy_metrics metrics.base_metric metrics.confusion_metrics metrics.experimental "
               "metrics.f_score_metrics metrics.hinge_metrics metrics.iou_metrics metrics.metrics "
               "metrics.probabilistic_metrics metrics.regression_metrics metrics.py_metric",
    "mixed_precision": "mixed_precision.experimental mixed_precision.policy mixed_precision.loss_scale_optimizer "
                       "mixed_precision.loss_scale mixed_precision.autocast_variable",
    "models": "engine.functional engine.network engine.sequential engine.training engine.training_arrays "
              "engine.training_generator engine.training_v1 engine.container legacy.models models.cloning "
              "models.experimental models.sharpness_aware_minimization premade.linear premade.wide_deep premade_models",
    "optimizers": "optimizers.legacy.adadelta optimizers.legacy.adagrad optimizers.legacy.adam "
                  "optimizers.legacy.adamax "
                  "optimizers.legacy.ftrl optimizers.legacy.nadam optimizers.legacy.rmsprop optimizers.legacy.sgd "
                  "optimizer_v1 optimizer_v2 optimizer_v2.optimizer_v2 optimizer_v2.gradient_descent "
                  "optimizer_v2.utils "
                  "optimizers.experimental optimizers.legacy.gradient_descent optimizers.legacy.optimizer "
                  "optimizers.legacy.optimizer_v2 optimizers.optimizer_experimental "
                  "optimizers.optimizer_experimental.optimizer optimizers.optimizer_v1 optimizers.optimizer_v2 "
                  "optimizers.optimizer_v2.gradient_descent optimizers.optimizer_v2.optimizer_v2 "
                  "optimizers.optimizer_v2.utils optimizers.utils",
    "optimizers.schedules": "experimental optimizer_v2.learning_rate_schedule optimizer_v2.legacy_learning_rate_decay "
                            "optimizers.legacy_learning_rate_decay optimizers.schedules.learning_rate_schedule",
    "preprocessing": "legacy.preprocessing",
    "preprocessing.image": "legacy.preprocessing.image",
    "preprocessing.sequence": "legacy.preprocessing.sequence",
    "preprocessing.text": "legacy.preprocessing.text",
    "saving": "engine.saving saving.experimental saving.experimental.saving_lib saving.hdf5_format saving.legacy "
              "saving.legacy.hdf5_format saving.legacy.model_config saving.legacy.save saving.legacy.serialization "
              "saving.legacy.saving_utils saving.model_config saving.object_registration saving.pickle_utils "
              "saving.save "
              "saving.saving_api saving.saving_lib saving.saving_utils saving.serialization_lib",
    "wrappers": "wrappers.scikit_learn",
    "utils": "datasets.data_utils engine.compile_utils engine.data_adapter engine.keras_tensor engine.training_utils "
             "utils.all_utils utils.audio_dataset utils.conv_utils utils.data_utils utils.dataset_creator "
             "utils.dataset_utils utils.dot_utils utils.experimental utils.generic_utils utils.image_dataset "
             "utils.image_dataset_utils utils.image_utils utils.io_utils utils.layer_utils utils.losses_utils "
             "utils.metrics_utils utils.multi_gpu_utils utils.np_utils utils.object_identity utils.sidecar_evaluator "
             "utils.test_utils utils.text_dataset utils.tf_utils utils.theano_utils utils.timeseries_dataset "
             "utils.traceback_utils utils.training_utils utils.version_utils utils.vis_utils utils.visualize_util",

}  # fmt: skip
MODULES: dict[str, str] = {
    f"lamina.{old}": target if target == "tensorflow" else f"lamina.{target}".strip(".")
    for target, paths in _PATHS.items()
    for old in paths.split()
}
"""Old path of a module -> the module of today that has its names."""

FILES_WITH_OLD_PATHS: frozenset[str] = frozenset(f"lamina.{name}" for name in (
    "optimizers.schedules.learning_rate_schedule", *(f"layers.{layers}" for layers in (
    "attention", "convolutional", "locally_connected", "merging", "normalization", "pooling", "preprocessing",
    "recurrent", "regularization", "reshaping", "rnn", "wrappers",
    )),
))  # fmt: skip
"""Old paths that are files of today; these files find the old names with `moved_from`."""


_LOSSES = {
    "kullback_leibler_divergence": "kl_divergence", "cosine_proximity": "cosine_similarity", "logcosh": "log_cosh",
    "cosine": "cosine_similarity", "huber_loss": "huber",
}  # fmt: skip
SHORT_LOSS_NAMES: dict[str, str] = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error", "kld": "kl_divergence", "bce": "binary_crossentropy",
}  # fmt: skip
SHORT_LOSS_NAMES |= {name.upper(): today for name, today in SHORT_LOSS_NAMES.items()}
"""Short names of losses, and of the metrics of the same name, with the functions that they stand for."""

_OF_KERAS_1 = "Highway MaxoutDense SReLU ParametricSoftplus LocallyConnected1D LocallyConnected2D"
_OLD_LAYERS = (
    "AtrousConv1D AtrousConv2D AtrousConvolution1D AtrousConvolution2D Deconv2D Deconv3D Deconvolution2D "
    "Deconvolution3D "
    "SyncBatchNormalization ThresholdedReLU TimeDistributedDense"
)
_OLD_UTILITIES = (
    "HDF5Matrix categorical_probas_to_classes conv_input_length conv_output_length convert_kernel count_params "
    "deconv_length get_test_data has_arg is_all_none multi_gpu_model normalize_padding normalize_tuple object_list_uid "
    "print_summary probas_to_classes slice_arrays to_list to_snake_case unpack_singleton"
)
_K, _MERGE = "lamina.backend", "lamina.models.merge"
_PREMADE = {name: f"lamina.compat.premade.{name}" for name in ("LinearModel", "WideDeepModel")}
_COMMON = {f"_{name.upper()}": f"{_K}.{name}" for name in ("floatx", "epsilon", "image_data_format")}

OF_NETWORKS = ("backend", "layers", "models", "utils")
"""Modules that Keras Applications computes with, and that its functions took as arguments."""

NAMES: dict[str, dict[str, str]] = {
    "lamina": {"merge": f"{_MERGE}.merge", "Merge": f"{_MERGE}.Merge"},
    "lamina.constraints": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "lamina.regularizers": {
        "l1l2": "l1_l2", "activity_l1": "l1", "activity_l2": "l2", "activity_l1l2": "l1_l2",
        "WeightRegularizer": "L1L2",
        "ActivityRegularizer": "L1L2", "L1L2Regularizer": "L1L2",
    },
    "lamina.initializers": {"normal": "random_normal", "uniform": "random_uniform", "one": "ones", "zero": "zeros"},
    "lamina.losses": {**SHORT_LOSS_NAMES, **_LOSSES, **{
        name: "lamina.losses.old_reduction.Reduction" for name in ("Reduction", "ReductionV2")
    }},
    "lamina.metrics": {
        **SHORT_LOSS_NAMES, **_LOSSES, "logcosh": "LogCoshError", "huber_loss": "lamina.losses.huber",
        "acc": "binary_accuracy", "ACC": "binary_accuracy",
        "cosine": "cosine_similarity",
    },
    "lamina.layers": {
        **{name: f"lamina.layers.keras1.{name}" for name in _OF_KERAS_1.split()},
        "RandomFourierFeatures": "lamina.layers.random_fourier_features.RandomFourierFeatures",
        **{name: f"lamina.layers.old_layers.{name}" for name in _OLD_LAYERS.split()},
        "Merge": f"{_MERGE}.Merge", "merge": f"{_MERGE}.merge", "CuDNNLSTM": "LSTM",
        "CuDNNGRU": "GRU", "Recurrent": "RNN", "ConvRecurrent2D": "ConvLSTM2D",
        "DepthwiseConvolution2D": "DepthwiseConv2D", "DepthwiseConvolution1D": "DepthwiseConv1D",
        "DenseFeatures": "lamina.compat.feature_columns.DenseFeatures",
        "CategoryCrossing": "lamina.layers.text.category_crossing.CategoryCrossing", "PreprocessingLayer": "Layer",
        **{name: f"lamina.layers.image.random_sizes.{name}" for name in ("RandomHeight", "RandomWidth")},
        "BatchNormalizationV1": "BatchNormalization",
        "BatchNormalizationV2": "BatchNormalization", "BatchNormalizationBase": "BatchNormalization", "K": _K,
        "Container": "lamina.models.Model", "Network": "lamina.models.Model", "AbstractRNNCell": "Layer",
        "GRUV2": "GRU", "LSTMV2": "LSTM", "LSTMV1": "LSTM", "BaseRandomLayer": "Layer", "_Merge": "Layer",
        **{f"_Pooling{rank}D": "lamina.layers.pooling._Pooling" for rank in (1, 2, 3)},
        **{f"_GlobalPooling{rank}D": f"GlobalAveragePooling{rank}D" for rank in (1, 2, 3)},
    },
    "lamina.models": {
        "model_from_config": "lamina.layers.deserialize", "Input": "lamina.layers.Input",
        "model_from_yaml": "lamina.saving.formats.yaml_text.model_from_yaml",
        "InputLayer": "lamina.layers.InputLayer", "Container": "Model", "Network": "Model",
        "clone_and_build_model": "clone_model", **_PREMADE,
    },
    "lamina.saving": {"load_model_from_hdf5": "load_model", "save_model_to_hdf5": "save_model",
                      "model_from_json": "lamina.models.model_from_json"},
    "lamina.optimizers": {
        **{name.lower(): name for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")},
        **{f"{name.lower()}_v2": "lamina.optimizers" for name in (
            "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam", "Ftrl", "RMSprop", "gradient_descent",
        )},
        "OptimizerV2": "Optimizer", "RMSProp": "RMSprop", "optimizer_from_config": "deserialize",
        "TFOptimizer": "OptaxOptimizer",
    },
    "lamina.optimizers.legacy": {name: f"lamina.optimizers.{name}" for name in ("Adadelta", "Adamax", "Nadam")},
    "lamina.optimizers.schedules": {
        "exponential_decay": "ExponentialDecay", "piecewise_constant": "PiecewiseConstantDecay",
        "polynomial_decay": "PolynomialDecay", "inverse_time_decay": "InverseTimeDecay", "cosine_decay": "CosineDecay",
        "cosine_decay_restarts": "CosineDecayRestarts", **_PREMADE,
    },
    "lamina.callbacks": {"BackupAndRestoreExperimental": "BackupAndRestore"},
    "lamina.mixed_precision": {"set_policy": "set_global_policy", "experimental_global_policy": "global_policy"},
    "lamina.backend": {
        **_COMMON, "normalize_data_format": "lamina.runtime.settings.standardize_data_format",
        "py_all": "builtins.all", "py_any": "builtins.any", "py_sum": "builtins.sum", "py_slice": "builtins.slice", **{
            f"{kind}_focal_crossentropy": f"lamina.losses.{kind}_focal_crossentropy"
            for kind in ("binary", "categorical")
        },
    },
    "lamina.utils": {
        **{name: f"lamina.utils.old_functions.{name}" for name in _OLD_UTILITIES.split()},
        "plot": "plot_model", "layer_from_config": "lamina.layers.deserialize", "KerasTensor": "lamina.KerasTensor",
        "model_from_config": "lamina.layers.deserialize", "get_file_from_google": "get_file",
        "normalize_data_format": "lamina.runtime.settings.standardize_data_format",
        "urlretrieve": "urllib.request.urlretrieve", "shape_type_conversion": "copy.copy",  # of functions: the same
        "is_generator_or_sequence": "inspect.isgenerator",
        "deconv_output_length": "lamina.utils.old_functions.deconv_length", "to_graph": "model_to_dot",
        "smart_resize": "lamina.preprocessing.image.smart_resize",
    },
    "lamina.wrappers": {name: f"lamina.wrappers.old_estimators.{name}" for name in (
        "BaseWrapper", "KerasClassifier", "KerasRegressor",
    )},
    "lamina.applications": {
        "get_submodules_from_kwargs": "lamina.compat.inside_helpers.get_submodules_from_kwargs",
        **{f"_KERAS_{name.upper()}": f"lamina.{name}" for name in OF_NETWORKS},
    },
    "lamina.applications.mobilenet": {"relu6": "lamina.activations.relu6"},
    "lamina.applications.imagenet_utils": {"_obtain_input_shape": "obtain_input_shape"},
}  # fmt: skip
"""Module of today -> old name -> today's name: in the same module, or a path."""

INSTEAD: dict[str, str] = {
    "Highway": "a functional model: t * h + (1 - t) * x with t = Dense(units, activation='sigmoid')(x)",
    "MaxoutDense": "Dense(units * n), Reshape((n, units)) and GlobalMaxPooling1D()",
    "SReLU": "PReLU()", "ParametricSoftplus": "Activation('softplus')", "ThresholdedReLU": "ReLU(threshold=theta)",
    "LocallyConnected1D": "Conv1D, with shared weights", "LocallyConnected2D": "Conv2D, with shared weights",
    "AtrousConvolution1D": "Conv1D(dilation_rate=...)", "AtrousConvolution2D": "Conv2D(dilation_rate=...)",
    "AtrousConv1D": "Conv1D(dilation_rate=...)", "AtrousConv2D": "Conv2D(dilation_rate=...)",
    **{f"{name}{rank}D": f"Conv{rank}DTranspose" for name in ("Deconv", "Deconvolution") for rank in (2, 3)},
    "model_from_yaml": "model_from_json", "CategoryCrossing": "HashedCrossing(num_bins)",
    "DenseFeatures": "keras.utils.FeatureSpace", "LinearModel": "keras.Sequential([keras.layers.Dense(1)])",
    "WideDeepModel": "keras.layers.Add()([linear(x), network(x)])",
    "RandomHeight": "RandomZoom(height_factor, 0.0)", "RandomWidth": "RandomZoom(0.0, width_factor)",
    "TimeDistributedDense": "Dense", "SyncBatchNormalization": "BatchNormalization(synchronized=True)",
    "Merge": "one layer for each mode, such as Add() and Concatenate()",
    "merge": "one function for each mode, such as add and concatenate",
    "KerasClassifier": "keras.wrappers.SKLearnClassifier", "KerasRegressor": "keras.wrappers.SKLearnRegressor",
    "multi_gpu_model": "keras.distribution.DataParallel", "HDF5Matrix": "h5py.File(path)[name][start:end]",
    **dict.fromkeys(("Reduction", "ReductionV2"), 'reduction="sum_over_batch_size", "sum" or "none"'),
    "print_summary": "model.summary()", "probas_to_classes": "y.argmax(axis=-1)",
    "categorical_probas_to_classes": "y.argmax(axis=-1)", "count_params": "model.count_params()",
}  # fmt: skip
"""Old names that still work, for which there is another spelling today."""
