"""Training: data as batches, losses and metrics by output, the step, and the one loop of fit, evaluate and predict."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.callbacks.logs import read_logs
    from lamina.training import step
    from lamina.training.compile import CompileLoss, CompileMetrics
    from lamina.training.data import PyDataset, make_batches, split_validation, unpack_x_y_sample_weight
    from lamina.training.loop import evaluate_batches, fit_batches, predict_batches, to_numpy
    from lamina.training.runner import Runner

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "compile": "CompileLoss CompileMetrics",
        "data": "PyDataset make_batches split_validation unpack_x_y_sample_weight",
        "lamina.callbacks.logs": "read_logs",
        "loop": "evaluate_batches fit_batches predict_batches to_numpy",
        "runner": "Runner",
        "step": "step",
    },
)
