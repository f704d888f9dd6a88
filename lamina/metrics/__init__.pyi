"""The public names of `lamina.metrics`: the one table that editors and `lamina.core.lazy` read."""

from lamina.losses import (
    binary_crossentropy as binary_crossentropy,
)
from lamina.losses import (
    binary_focal_crossentropy as binary_focal_crossentropy,
)
from lamina.losses import (
    categorical_crossentropy as categorical_crossentropy,
)
from lamina.losses import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from lamina.losses import (
    categorical_hinge as categorical_hinge,
)
from lamina.losses import (
    hinge as hinge,
)
from lamina.losses import (
    huber as huber,
)
from lamina.losses import (
    kl_divergence as kl_divergence,
)
from lamina.losses import (
    log_cosh as log_cosh,
)
from lamina.losses import (
    mean_absolute_error as mean_absolute_error,
)
from lamina.losses import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from lamina.losses import (
    mean_squared_error as mean_squared_error,
)
from lamina.losses import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from lamina.losses import (
    poisson as poisson,
)
from lamina.losses import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.losses import (
    squared_hinge as squared_hinge,
)
from lamina.metrics.accuracies import *
from lamina.metrics.auc import *
from lamina.metrics.confusion import *
from lamina.metrics.f_score import *
from lamina.metrics.iou import *
from lamina.metrics.means import *
from lamina.metrics.metric import Metric as Metric
from lamina.metrics.rate_at_rate import *
from lamina.metrics.reduction import *
from lamina.metrics.regression import *
from lamina.metrics.serialization import *
