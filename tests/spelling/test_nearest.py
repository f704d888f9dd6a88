"""The nearest names: slips of the keyboard, shared words, initials, and nothing where nothing is near."""

import pytest

import lamina as keras
from lamina.spelling.nearest import nearest

FAMILIES = {
    keras.losses.get: {
        "sparse_crossentropy": "sparse_categorical_crossentropy", "binary_cross_entropy": "binary_crossentropy",
        "mean_square_error": "mean_squared_error", "catagorical_crossentropy": "categorical_crossentropy",
        "bce_loss": "bce", "nll": "sparse_categorical_crossentropy", "log_loss":
        "binary_crossentropy", "cross_entropy": "categorical_crossentropy", "meansquared": "mean_squared_error",
    },
    keras.metrics.get: {
        "acuracy": "accuracy", "Acuracy": "accuracy", "rmse": "root_mean_squared_error", "f1": "f1_score",
        "precison": "precision", "sparse_accuracy": "sparse_categorical_accuracy", "roc_auc": "auc", "mean_iou":
        "MeanIoU",
    },
    keras.optimizers.get: {
        "adm": "adam", "adamw_": "adamw", "sdg": "sgd", "rms_prop": "rmsprop", "momentum": "SGD(momentum=0.9)",
    },
    keras.activations.get: {"rellu": "relu", "relu6x": "relu6", "softmx": "softmax", "sigmoide": "sigmoid"},
    keras.initializers.get: {"he_norml": "he_normal", "xavier_uniform": "glorot_uniform", "kaiming": "he_normal"},
    keras.regularizers.get: {"l3": "l1"},
}  # fmt: skip
NAMES = [(get, wrong, right) for get, names in FAMILIES.items() for wrong, right in names.items()]


@pytest.mark.parametrize(("get", "wrong", "right"), NAMES, ids=[wrong for _, wrong, _ in NAMES])
def test_a_string_that_names_nothing(get, wrong, right):
    with pytest.raises(ValueError, match="Did you mean|In Keras") as error:
        get(wrong)
    assert f"{right}'" in str(error.value) or right in error.value.fix
    assert len(str(error.value)) < 260


@pytest.mark.parametrize("get", FAMILIES)
@pytest.mark.parametrize("name", ["Mine", "qqq", "my_thing", "transformer"])
def test_no_silly_name_where_nothing_is_near(get, name):
    with pytest.raises(ValueError, match="Could not interpret") as error:
        get(name)
    assert "mean" not in error.value.message.split(".")[1]


@pytest.mark.parametrize(
    "name", ["MyDense", "TransformerBlock", "AttentionLayer", "ResBlock", "Encoder", "Sampling", "my_loss", "Mine"]
)
def test_a_made_up_class_is_near_nothing(name):
    assert nearest(name, [*dir(keras.layers), *dir(keras.losses)], strict=True) == []


def test_of_equally_near_names_the_usual_come_first():
    assert nearest("GlobalAveragePooling", dir(keras.layers)) == [
        "GlobalAveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling3D",
    ]  # fmt: skip
