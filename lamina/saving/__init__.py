"""Files: models and weights in Keras's formats. Names in them are looked up in closed tables; nothing is run."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.core.registry import (
        CustomObjectScope,
        custom_object_scope,
        get_custom_objects,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
    )
    from lamina.saving.file_editor import KerasFileEditor
    from lamina.saving.files_of_models import (
        deserialize_keras_object,
        load_model,
        load_weights,
        model_from_json,
        save_model,
        save_weights,
        serialize_keras_object,
        to_json,
    )

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "file_editor": "KerasFileEditor",
        "files_of_models": (
            "deserialize_keras_object load_model load_weights model_from_json save_model save_weights "
            "serialize_keras_object to_json"
        ),
        "lamina.core.registry": (
            "CustomObjectScope custom_object_scope get_custom_objects get_registered_name get_registered_object "
            "register_keras_serializable"
        ),
    },
)
