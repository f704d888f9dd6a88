"""The public names of `lamina.saving`: the one table that editors and `lamina.core.lazy` read."""

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
from lamina.saving.api import *
from lamina.saving.file_editor import *
