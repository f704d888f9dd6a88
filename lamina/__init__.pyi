"""The public names of `lamina`: the one table that editors and `lamina.core.lazy` read."""

from lamina import (
    activations as activations,
)
from lamina import (
    applications as applications,
)
from lamina import (
    backend as backend,
)
from lamina import (
    callbacks as callbacks,
)
from lamina import (
    check as check,
)
from lamina import (
    config as config,
)
from lamina import (
    constraints as constraints,
)
from lamina import (
    datasets as datasets,
)
from lamina import (
    distillation as distillation,
)
from lamina import (
    distribution as distribution,
)
from lamina import (
    dtype_policies as dtype_policies,
)
from lamina import (
    errors as errors,
)
from lamina import (
    export as export,
)
from lamina import (
    initializers as initializers,
)
from lamina import (
    layers as layers,
)
from lamina import (
    legacy as legacy,
)
from lamina import (
    losses as losses,
)
from lamina import (
    metrics as metrics,
)
from lamina import (
    mixed_precision as mixed_precision,
)
from lamina import (
    models as models,
)
from lamina import (
    ops as ops,
)
from lamina import (
    optimizers as optimizers,
)
from lamina import (
    preprocessing as preprocessing,
)
from lamina import (
    quantizers as quantizers,
)
from lamina import (
    random as random,
)
from lamina import (
    regularizers as regularizers,
)
from lamina import (
    saving as saving,
)
from lamina import (
    tree as tree,
)
from lamina import (
    utils as utils,
)
from lamina import (
    visualization as visualization,
)
from lamina import (
    wrappers as wrappers,
)
from lamina.compat import as_keras as as_keras
from lamina.core.abstract import abstract as abstract
from lamina.core.graph import Operation as Operation
from lamina.core.keras_tensor import KerasTensor as KerasTensor
from lamina.core.variable import Variable as Variable
from lamina.dtype_policies import DTypePolicy as DTypePolicy
from lamina.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
from lamina.explanations.explaining import explain as explain
from lamina.initializers import Initializer as Initializer
from lamina.layers import Input as Input
from lamina.layers import InputSpec as InputSpec
from lamina.layers import Layer as Layer
from lamina.losses import Loss as Loss
from lamina.metrics import Metric as Metric
from lamina.models import Function as Function
from lamina.models import Model as Model
from lamina.models import Sequential as Sequential
from lamina.optimizers import Optimizer as Optimizer
from lamina.quantizers import Quantizer as Quantizer
from lamina.regularizers import Regularizer as Regularizer
from lamina.rematerialization import *
from lamina.runtime.versions import show_versions as show_versions
from lamina.scopes import *

__version__: str

def version() -> str: ...
