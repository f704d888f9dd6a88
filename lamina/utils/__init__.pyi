"""The public names of `lamina.utils`: the one table that editors and `lamina.core.lazy` read."""

from lamina.core.dtypes import standardize_dtype as standardize_dtype
from lamina.core.node import get_source_inputs as get_source_inputs
from lamina.core.registry import (
    CustomObjectScope as CustomObjectScope,
)
from lamina.core.registry import (
    custom_object_scope as custom_object_scope,
)
from lamina.core.registry import (
    get_custom_objects as get_custom_objects,
)
from lamina.core.registry import (
    get_registered_name as get_registered_name,
)
from lamina.core.registry import (
    get_registered_object as get_registered_object,
)
from lamina.core.registry import (
    register_keras_serializable as register_keras_serializable,
)
from lamina.runtime.progress import Progbar as Progbar
from lamina.runtime.settings import (
    disable_interactive_logging as disable_interactive_logging,
)
from lamina.runtime.settings import (
    enable_interactive_logging as enable_interactive_logging,
)
from lamina.runtime.settings import (
    is_interactive_logging_enabled as is_interactive_logging_enabled,
)
from lamina.saving import (
    deserialize_keras_object as deserialize_keras_object,
)
from lamina.saving import (
    serialize_keras_object as serialize_keras_object,
)
from lamina.training.data import (
    PyDataset as PyDataset,
)
from lamina.training.data import (
    Sequence as Sequence,
)
from lamina.training.data import (
    pack_x_y_sample_weight as pack_x_y_sample_weight,
)
from lamina.training.data import (
    unpack_x_y_sample_weight as unpack_x_y_sample_weight,
)
from lamina.training.data.dataset import Dataset as Dataset
from lamina.utils import bounding_boxes as bounding_boxes
from lamina.utils import legacy as legacy
from lamina.utils.arrays import *
from lamina.utils.batch_size_finder import *
from lamina.utils.csv_files import *
from lamina.utils.directories import *
from lamina.utils.feature_space import FeatureSpace as FeatureSpace
from lamina.utils.files import *
from lamina.utils.images import (
    array_to_img as array_to_img,
)
from lamina.utils.images import (
    img_to_array as img_to_array,
)
from lamina.utils.images import (
    load_img as load_img,
)
from lamina.utils.images import (
    save_img as save_img,
)
from lamina.utils.learning_rate_finder import *
from lamina.utils.plotting import *
from lamina.utils.sequences import *
from lamina.utils.session import *
from lamina.utils.settings import *
from lamina.utils.split import *
from lamina.utils.timeseries import *
