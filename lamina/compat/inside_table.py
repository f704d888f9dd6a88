"""Names of the inside of Keras that packages import, and where they are on lamina."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["ADVICE", "ALL_OBJECTS", "MODULES", "TODAY"]

MODULES: frozenset[str] = frozenset("""
    accuracy_metrics api_export argument_validation array_data_adapter array_slicing audio_dataset_utils awq
    awq_config awq_core backend_utils base_adaptive_pooling base_conv base_conv_transpose base_depthwise_conv
    base_global_pooling base_image_preprocessing_layer base_merge base_optimizer base_pooling
    base_separable_conv bounding_box bounding_boxes cifar clahe cloning code_stats common compile_utils
    confusion_metrics constant_initializers converters correlation_metrics data_adapter data_adapter_utils
    data_adapters dataset_utils distillation_loss distiller distribution_lib dmtree_impl draw_bounding_boxes
    draw_segmentation_masks dropout_rnn_cell dtype_policy_map dtype_utils einops engine epoch_iterator
    export_utils f_score_metrics file_editor file_utils fixes formats generator_data_adapter global_state gptq
    gptq_config gptq_core grain_dataset_adapter grain_utils grouped_query_attention hinge_metrics
    image_dataset_utils image_preprocessing image_utils index_lookup io_utils iou_metrics jax jax_utils
    json_utils keras_saveable keras_tensor legacy_h5_format litert masking max_num_bounding_box metrics_utils
    model_visualization module_utils monitor_callback name_scope naming neptune_model_export_archive node
    npz_utils numerical_utils object_registration onnx openvino operation operation_utils optree_impl orbax_util
    plot_bounding_box_gallery plot_image_gallery plot_segmentation_mask_gallery probabilistic_metrics
    py_dataset_adapter python_utils quantization_config random_initializers reduction_metrics regression_metrics
    remat rng_utils saved_model saved_model_export_archive saving_api saving_lib saving_options saving_utils
    sequence_utils serialization_lib sklearn_wrapper sparse spatial_dropout stateless_scope summary_utils
    symbolic_arguments symbolic_scope tensor_attributes test_case test_utils testing text_dataset_utils
    tf2onnx_lib tf_data_layer tf_dataset_adapter tf_utils timeseries_dataset_utils torch
    torch_data_loader_adapter torch_utils torchtree_impl traceback_utils tracking trainer trainers tree_api
    validation variable_mapping variables version
    """.split())  # fmt: skip
"""The names of internal modules that are not names of something public."""


def _rows(text):
    rows: dict[str, str] = {}
    for line in text.strip().splitlines():
        names, _, target = line.strip().rpartition(" ")
        for name in names.split():
            rows[name] = f"{target}{name.rpartition('.')[2]}" if target.endswith(":") else target
    return rows


TODAY: dict[str, str] = _rows("""
    saving_lib.save_model saving_lib.load_model :
    keras_export any_symbolic_tensors print_msg in_stateless_scope get_stateless_scope in_symbolic_scope :
    get_symbolic_scope is_tracking_enabled no_automatic_dependency_tracking :
    get_global_attribute set_global_attribute shape_equal standardize_tuple standardize_padding validate_string_arg :
    standardize_reduction reduce_values reduce_to_samplewise_values broadcast_shapes compute_conv_output_shape :
    compute_pooling_output_shape compute_expand_dims_output_shape compute_matmul_output_shape :
    compute_reshape_output_shape compute_transpose_output_shape to_tuple_or_list pythonify_logs remove_by_id :
    uniquify get_object_name SerializableDict serialize_dict LazyModule is_default correct_pad :
    filter_traceback inject_argument_info_in_traceback in_grain_data_pipeline in_tf_graph :
    is_batched is_grain_dataset is_tf_dataset is_torch_dataset list_to_tuple GLOBAL_CUSTOM_OBJECTS :
    file_utils.exists file_utils.isdir file_utils.join path_to_string is_tensor :
    file_utils.copy file_utils.rmtree shutil:
    file_utils.listdir file_utils.makedirs file_utils.remove os:
    get_keras_mask remove_keras_mask assert_sklearn_installed keras_option_scope default :
    set_tensor_attr get_tensor_attr :
    core.is_tensor lamina.ops:
    auto_name lamina.core.context:unique_name
    to_snake_case lamina.core.context:snake_case
    AutocastScope lamina.core.context:autocast
    get_autocast_scope lamina.core.context:autocast_dtype
    current_path :
    device_scope lamina.scopes:device
    get_current_remat_mode lamina.rematerialization:current_scope
    standardize_data_format lamina.runtime.settings:
    is_float_dtype is_float lamina.core.dtypes:is_float
    is_int_dtype lamina.core.dtypes:is_integer
    compute_output_spec lamina.core.keras_tensor:trace
    set_keras_mask lamina.core.keras_tensor:set_mask
    standardize_shape lamina.core.array_types:
    Node lamina.core.node:
    KerasHistory lamina.core.node:History
    KerasSaveable lamina.core.configurable:Configurable
    JaxVariable lamina:Variable
    BaseOptimizer JaxOptimizer lamina.optimizers:Optimizer
    Trainer JAXTrainer lamina.training.trainer:Trainer
    MonitorCallback lamina.callbacks.monitor:
    CompileLoss CompileMetrics lamina.training.compile:
    get_loss lamina.training.compile:resolve_loss
    get_metric lamina.training.compile:resolve_metric
    is_binary_or_sparse_categorical lamina.training.compile:is_binary_or_sparse
    functional_from_config lamina.models.functional:graph_from_config
    save_weights_only lamina.saving:save_weights
    load_weights_only lamina.saving:load_weights
    SafeModeScope lamina.core.registry:safe_mode
    in_safe_mode lamina.core.registry:safe_mode_of_load
    ObjectSharingScope contextlib:nullcontext
    squeeze_or_expand_to_same_rank lamina.losses.alignment:same_rank
    reduce_weighted_values lamina.losses.loss:reduce_weighted
    validate_float_arg lamina.regularizers:_factor
    Merge lamina.layers.merging:_Merge
    BaseConv lamina.layers.convolutional:_Conv
    BaseConvTranspose lamina.layers.transposed_convolution:_ConvTranspose
    BaseDepthwiseConv lamina.layers.depthwise_convolution:_DepthwiseConv
    BaseSeparableConv lamina.layers.separable_convolution:_SeparableConv
    BasePooling lamina.layers.pooling:_Pooling
    BaseGlobalPooling lamina.layers.global_pooling:_GlobalPooling
    BaseAdaptivePooling lamina.layers.adaptive_pooling:_AdaptivePooling
    BaseSpatialDropout lamina.layers.regularization:_SpatialDropout
    ConvLSTM lamina.layers.conv_lstm:_ConvLSTM
    ConvLSTMCell lamina.layers.conv_lstm:
    BaseImagePreprocessingLayer lamina.layers.image.base:
    TFDataLayer lamina.layers.data_layer:DataLayer
    Cross Feature lamina.utils.features:
    is_shape_tuple lamina.tree:_is_shape
    is_scipy_sparse lamina.training.data.leaves:
    class_weight_to_sample_weights lamina.training.data.weights:class_weights_of
    assert_input_compatibility lamina.layers.base.input_spec:check_inputs
    canonicalize_axis numpy.lib.array_utils:normalize_axis_index
    register_tree_node_class jax.tree_util:register_pytree_node_class
    make_default_seed lamina.random:default_seed
    jax_draw_seed lamina.random:draw_seed
    get_random_seed lamina.random:global_seed
    Tracker TrackedList TrackedDict TrackedOrderedDict TrackedSet lamina.compat.inside_tracking:
    DotNotTrackScope contextlib:nullcontext
    type_of_target sklearn.utils.multiclass:
    tree lamina:
    FLOAT8_TYPES FLOAT_TYPES INT_TYPES BOOL_TYPES COMPLEX_TYPES ALLOWED_DTYPES :
    SUPPORTS_SPARSE_TENSORS SUPPORTS_RAGGED_TENSORS SUPPORTS_COMPLEX_DTYPES IS_THREAD_SAFE :
    _build_attention_equation _build_proj_equation _get_output_shape lamina.compat.inside_einsum:
    _analyze_einsum_string _analyze_quantization_info lamina.compat.inside_einsum:
    confusion_matrix func_dump func_load lamina.compat.inside_stores:
    H5IOStore DiskIOStore DropoutRNNCell lamina.compat.inside_stores:
    GroupedQueryAttention lamina.layers:GroupQueryAttention
    name_scope lamina:
    removesuffix track_variable ragged_assert_compatible_and_get_flat_values :
    accuracy lamina.metrics.accuracies:
""")
"""Internal name -> `module:name`; `:name` is of inside_helpers. A name with a dot counts in that module only."""

ALL_OBJECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ALL_OBJECTS": lambda members: {*members.values()},
    "ALL_OBJECTS_DICT": lambda members: members,
}
"""Internal names that list the members of a public module."""

ADVICE: dict[str, str] = {
    "get_data_adapter": "Pass the data to model.fit, or use a keras.utils.PyDataset.",
    "TestCase": "Use unittest.TestCase and numpy.testing.assert_allclose.",
    "EpochIterator": "for batch in keras.utils.Dataset.from_tensor_slices((x, y)).batch(32): ...",
    "train_validation_split": "keras.utils.split_dataset((x, y), left_size=0.8)",
    "tf_dataset_adapter": "Use a keras.utils.PyDataset, or tf.data.Dataset of lamina.as_keras().",
    "torch_data_loader_adapter": "Pass the torch.utils.data.DataLoader to model.fit.",
    "SymbolicArguments": "Use keras.tree.flatten((args, kwargs)).",
    "RestrictedUnpickler": "numpy.load(path, allow_pickle=False)",
    "hash_file": "hashlib.sha256(open(path, 'rb').read()).hexdigest()",
    "global_norm": "keras.ops.sqrt(sum(keras.ops.sum(keras.ops.square(x)) for x in gradients))",
}
"""Internal names that are not there -> today's public way."""
