"""Mixed precision: policies that compute in a half type, and the optimizer that scales the loss for float16."""

from typing import Any

from lamina.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from lamina.legacy import old_names_of
from lamina.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
    "set_global_policy",
]  # fmt: skip

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__getattr__: Any = old_names_of(__name__)
