"""The public names of `lamina.optimizers`: the one table that editors and `lamina.core.lazy` read."""

from lamina.optimizers import legacy as legacy
from lamina.optimizers import schedules as schedules
from lamina.optimizers.adadelta import *
from lamina.optimizers.adafactor import *
from lamina.optimizers.adagrad import *
from lamina.optimizers.adam import *
from lamina.optimizers.adamax import *
from lamina.optimizers.adamw import *
from lamina.optimizers.ftrl import *
from lamina.optimizers.lamb import *
from lamina.optimizers.lion import *
from lamina.optimizers.loss_scale_optimizer import *
from lamina.optimizers.multi_optimizer import *
from lamina.optimizers.muon import *
from lamina.optimizers.nadam import *
from lamina.optimizers.optax_optimizer import OptaxOptimizer as OptaxOptimizer
from lamina.optimizers.optimizer import Optimizer as Optimizer
from lamina.optimizers.rmsprop import *
from lamina.optimizers.schedule_free_adamw import *
from lamina.optimizers.serialization import *
from lamina.optimizers.sgd import *
