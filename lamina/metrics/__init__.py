"""Metrics: figures gathered over batches, and the functions they average."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from lamina.losses import (
        binary_crossentropy,
        binary_focal_crossentropy,
        categorical_crossentropy,
        categorical_focal_crossentropy,
        categorical_hinge,
        hinge,
        huber,
        kl_divergence,
        log_cosh,
        mean_absolute_error,
        mean_absolute_percentage_error,
        mean_squared_error,
        mean_squared_logarithmic_error,
        poisson,
        sparse_categorical_crossentropy,
        squared_hinge,
    )
    from lamina.metrics.accuracy import (
        Accuracy,
        BinaryAccuracy,
        CategoricalAccuracy,
        SparseCategoricalAccuracy,
        SparseTopKCategoricalAccuracy,
        TopKCategoricalAccuracy,
        binary_accuracy,
        categorical_accuracy,
        sparse_categorical_accuracy,
        sparse_top_k_categorical_accuracy,
        top_k_categorical_accuracy,
    )
    from lamina.metrics.auc import AUC
    from lamina.metrics.confusion import (
        FalseNegatives,
        FalsePositives,
        Precision,
        PrecisionAtRecall,
        Recall,
        RecallAtPrecision,
        SensitivityAtSpecificity,
        SpecificityAtSensitivity,
        TrueNegatives,
        TruePositives,
    )
    from lamina.metrics.f_score import F1Score, FBetaScore
    from lamina.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
    from lamina.metrics.means import (
        BinaryCrossentropy,
        CategoricalCrossentropy,
        CategoricalHinge,
        Hinge,
        KLDivergence,
        LogCoshError,
        MeanAbsoluteError,
        MeanAbsolutePercentageError,
        MeanSquaredError,
        MeanSquaredLogarithmicError,
        Poisson,
        SparseCategoricalCrossentropy,
        SquaredHinge,
    )
    from lamina.metrics.metric import Metric
    from lamina.metrics.reduction import Mean, MeanMetricWrapper, Sum
    from lamina.metrics.regression import (
        ConcordanceCorrelation,
        CosineSimilarity,
        PearsonCorrelation,
        R2Score,
        RootMeanSquaredError,
        concordance_correlation,
        pearson_correlation,
    )
    from lamina.metrics.serialization import deserialize, get, serialize

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "accuracy": (
            "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy SparseTopKCategoricalAccuracy "
            "TopKCategoricalAccuracy accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy "
            "sparse_top_k_categorical_accuracy top_k_categorical_accuracy"
        ),
        "auc": "AUC",
        "confusion": (
            "FalseNegatives FalsePositives Precision PrecisionAtRecall Recall RecallAtPrecision "
            "SensitivityAtSpecificity SpecificityAtSensitivity TrueNegatives TruePositives"
        ),
        "f_score": "F1Score FBetaScore",
        "iou": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        "lamina.losses": (
            "binary_crossentropy binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy "
            "categorical_hinge hinge huber kl_divergence log_cosh mean_absolute_error "
            "mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error poisson "
            "sparse_categorical_crossentropy squared_hinge"
        ),
        "means": (
            "BinaryCrossentropy CategoricalCrossentropy CategoricalHinge Hinge KLDivergence LogCoshError "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson "
            "SparseCategoricalCrossentropy SquaredHinge"
        ),
        "metric": "Metric",
        "reduction": "Mean MeanMetricWrapper Sum",
        "regression": (
            "ConcordanceCorrelation CosineSimilarity PearsonCorrelation R2Score RootMeanSquaredError "
            "concordance_correlation cosine_similarity pearson_correlation"
        ),
        "serialization": "deserialize get serialize",
    },
    old_names_of(__name__),
    unlisted=("accuracy", "concordance_correlation", "cosine_similarity"),
)
