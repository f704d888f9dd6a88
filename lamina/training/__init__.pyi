"""The public names of `lamina.training`: the one table that editors and `lamina.core.lazy` read."""

from lamina.callbacks.logs import read_logs as read_logs
from lamina.runtime.interrupts import Interrupts as Interrupts
from lamina.runtime.processes import as_one as as_one
from lamina.runtime.processes import ends_all as ends_all
from lamina.runtime.processes import together as together
from lamina.training import step as step
from lamina.training.compile import CompileLoss as CompileLoss
from lamina.training.compile import CompileMetrics as CompileMetrics
from lamina.training.compile_config import check_compile_config as check_compile_config
from lamina.training.data import (
    PyDataset as PyDataset,
)
from lamina.training.data import (
    make_batches as make_batches,
)
from lamina.training.data import (
    split_validation as split_validation,
)
from lamina.training.data import (
    unpack_x_y_sample_weight as unpack_x_y_sample_weight,
)
from lamina.training.data.leaves import (
    differ_in_rows as differ_in_rows,
)
from lamina.training.data.text_advice import text_advice as text_advice
from lamina.training.executor import Runner as Runner
from lamina.training.lockstep import batch_of_all as batch_of_all
from lamina.training.loop import (
    evaluate_batches as evaluate_batches,
)
from lamina.training.loop import (
    fit_batches as fit_batches,
)
from lamina.training.loop import (
    predict_batches as predict_batches,
)
from lamina.training.loop import (
    to_numpy as to_numpy,
)
from lamina.training.odd_rows import call_by_parts as call_by_parts
from lamina.training.op_by_op import host_step_of as host_step_of
from lamina.training.outputs import results_of as results_of
