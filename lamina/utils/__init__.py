"""Utilities: data in and out, seeds, progress."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy
from lamina.legacy import install_old_modules

if TYPE_CHECKING:
    from lamina.core.dtypes import standardize_dtype
    from lamina.core.progress import Progbar
    from lamina.core.registry import (
        CustomObjectScope,
        custom_object_scope,
        get_custom_objects,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
    )
    from lamina.core.settings import (
        disable_interactive_logging,
        enable_interactive_logging,
        is_interactive_logging_enabled,
    )
    from lamina.saving import deserialize_keras_object, serialize_keras_object
    from lamina.training.data import PyDataset, Sequence, pack_x_y_sample_weight, unpack_x_y_sample_weight
    from lamina.utils import bounding_boxes, legacy
    from lamina.utils.arrays import normalize, to_categorical
    from lamina.utils.directories import (
        audio_dataset_from_directory,
        image_dataset_from_directory,
        text_dataset_from_directory,
    )
    from lamina.utils.feature_space import FeatureSpace
    from lamina.utils.files import get_file
    from lamina.utils.graphs import get_source_inputs
    from lamina.utils.images import array_to_img, img_to_array, load_img, save_img
    from lamina.utils.plotting import model_to_dot, plot_model
    from lamina.utils.sequences import pad_sequences
    from lamina.utils.session import clear_session, is_keras_tensor, set_random_seed
    from lamina.utils.settings import Config
    from lamina.utils.split import split_dataset
    from lamina.utils.timeseries import timeseries_dataset_from_array

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "arrays": "normalize to_categorical",
        "bounding_boxes": "bounding_boxes",
        "directories": "audio_dataset_from_directory image_dataset_from_directory text_dataset_from_directory",
        "feature_space": "FeatureSpace",
        "files": "get_file",
        "graphs": "get_source_inputs",
        "images": "array_to_img img_to_array load_img save_img",
        "lamina.core.dtypes": "standardize_dtype",
        "lamina.core.progress": "Progbar",
        "lamina.core.registry": (
            "CustomObjectScope custom_object_scope get_custom_objects get_registered_name get_registered_object "
            "register_keras_serializable"
        ),
        "lamina.core.settings": "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
        "lamina.saving": "deserialize_keras_object serialize_keras_object",
        "lamina.training.data": "PyDataset Sequence pack_x_y_sample_weight unpack_x_y_sample_weight",
        "legacy": "legacy",
        "plotting": "model_to_dot plot_model",
        "sequences": "pad_sequences",
        "session": "clear_session is_keras_tensor set_random_seed",
        "settings": "Config",
        "split": "split_dataset",
        "timeseries": "timeseries_dataset_from_array",
    },
)

install_old_modules(__name__)
