"""Losses: what training makes small. Each is a function of (y_true, y_pred) and a class that weighs and reduces it."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from lamina.losses.hinges import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
    from lamina.losses.loss import Loss, LossFunctionWrapper
    from lamina.losses.overlap import Dice, Tversky, dice, tversky
    from lamina.losses.probabilistic import (
        BinaryCrossentropy,
        BinaryFocalCrossentropy,
        CategoricalCrossentropy,
        CategoricalFocalCrossentropy,
        CategoricalGeneralizedCrossEntropy,
        KLDivergence,
        Poisson,
        SparseCategoricalCrossentropy,
        binary_crossentropy,
        binary_focal_crossentropy,
        categorical_crossentropy,
        categorical_focal_crossentropy,
        categorical_generalized_cross_entropy,
        kl_divergence,
        poisson,
        sparse_categorical_crossentropy,
    )
    from lamina.losses.regression import (
        CosineSimilarity,
        Huber,
        LogCosh,
        MeanAbsoluteError,
        MeanAbsolutePercentageError,
        MeanSquaredError,
        MeanSquaredLogarithmicError,
        cosine_similarity,
        huber,
        log_cosh,
        mean_absolute_error,
        mean_absolute_percentage_error,
        mean_squared_error,
        mean_squared_logarithmic_error,
    )
    from lamina.losses.sequence import CTC, ctc
    from lamina.losses.serialization import deserialize, get, serialize
    from lamina.losses.similarity import Circle, circle

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "hinges": "CategoricalHinge Hinge SquaredHinge categorical_hinge hinge squared_hinge",
        "loss": "Loss LossFunctionWrapper",
        "overlap": "Dice Tversky dice tversky",
        "probabilistic": (
            "BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy "
            "CategoricalGeneralizedCrossEntropy KLDivergence Poisson SparseCategoricalCrossentropy "
            "binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy "
            "categorical_generalized_cross_entropy kl_divergence poisson sparse_categorical_crossentropy"
        ),
        "regression": (
            "CosineSimilarity Huber LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError "
            "MeanSquaredLogarithmicError cosine_similarity huber log_cosh mean_absolute_error "
            "mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error"
        ),
        "sequence": "CTC ctc",
        "serialization": "deserialize get serialize",
        "similarity": "Circle circle",
    },
    old_names_of(__name__),
)
