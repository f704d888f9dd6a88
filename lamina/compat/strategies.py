"""tf.distribute in one process: a strategy of one replica, which runs what it is given as it is."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

from lamina.compat import control
from lamina.compat.lifting import inside
from lamina.compat.sessions import Settings, constants
from lamina.core.variable import unwrap
from lamina.errors import CallError, warn

__all__ = ["DISTRIBUTE", "Strategy", "average_loss"]


class ReduceOp(enum.Enum):
    """How `Strategy.reduce` brings values together."""

    SUM = "SUM"
    MEAN = "MEAN"


class InputContext:
    """What a function that makes a data set for a worker is told: there is one worker."""

    num_input_pipelines: int = 1
    input_pipeline_id: int = 0
    num_replicas_in_sync: int = 1
    replica_id_in_sync_group: int = 0

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The batch size of a replica."""
        return global_batch_size


class ReplicaContext(InputContext):
    """Where a function runs that `Strategy.run` calls: the first replica of one."""

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The value itself: there is one replica."""
        return value

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """Call a function with the strategy and the arguments."""
        return merge_fn(current(), *args, **(kwargs or {}))

    all_gather = all_reduce

    @property
    def strategy(self) -> Strategy:
        """The strategy around it."""
        return current()


class Strategy:
    """`tf.distribute.Strategy`, with one replica on one device."""

    num_replicas_in_sync: int = 1

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.extended: Any = SimpleNamespace(worker_devices=("/device:CPU:0",), should_checkpoint=True)
        self.cluster_resolver: Any = settings.get("cluster_resolver") or Resolver()
        if type(self) is not Strategy and jax.device_count() > 1:
            warn(
                f"{type(self).__name__} runs on one of the {jax.device_count()} devices. For all of them, ahead of the "
                "model: keras.distribution.set_distribution(keras.distribution.DataParallel())",
                once=True,
            )

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Make this strategy the current one."""
        _open.append(self)
        try:
            yield self
        finally:
            _open.pop()

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """Call a function, whose statements on tensors are rewritten inside of a tf.function."""
        _replica.append(ReplicaContext())
        try:
            return (control.callee(fn) if inside() else fn)(*args, **(kwargs or {}))
        finally:
            _replica.pop()

    def reduce(self, reduce_op: Any, value: Any, axis: int | None = None) -> Any:
        """A value, or its sum or mean over an axis."""
        if axis is None:
            return value
        is_mean = getattr(reduce_op, "value", str(reduce_op)).upper() == "MEAN"
        return (jnp.mean if is_mean else jnp.sum)(jnp.asarray(unwrap(value)), axis)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The data set itself."""
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable[..., Any], options: Any = None) -> Any:
        """The data set that a function of an InputContext makes."""
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function
    experimental_distribute_values_from_function = distribute_datasets_from_function

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The values of the replicas here."""
        return (value,)

    def gather(self, value: Any, axis: int) -> Any:
        """The values of all replicas along an axis."""
        return value


class Resolver:
    """`tf.distribute.cluster_resolver.TFConfigClusterResolver`: one worker."""

    task_type: str = "worker"
    task_id: int = 0

    def __init__(self, *args: Any, **settings: Any) -> None:
        vars(self).update(settings)

    def cluster_spec(self) -> Any:
        """The workers."""
        return SimpleNamespace(as_dict=lambda: {}, jobs=[], num_tasks=lambda job: 1)

    def master(self) -> str:
        """The address of the first worker: this process."""
        return ""


def _kind(name):
    return type(name, (Strategy,), {"__doc__": f"`tf.distribute.{name}`, in one process."})


def _refused(name):
    def make(*args, **kwargs):
        raise CallError(
            f"tf.distribute.{name} is not part of lamina, which runs one process.",
            fix="strategy = tf.distribute.MirroredStrategy()",
        )

    return make


_open: list[Strategy] = [Strategy()]
_replica: list[ReplicaContext] = []


def current() -> Strategy:
    """The strategy whose scope is open, else one that changes nothing."""
    return _open[-1]


def average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None, **_: Any
) -> Any:  # fmt: skip
    """`tf.nn.compute_average_loss`: the sum of the losses over the size of the whole batch."""
    losses = jnp.asarray(unwrap(per_example_loss))
    losses = losses if sample_weight is None else losses * jnp.asarray(unwrap(sample_weight))
    return jnp.sum(losses) / (losses.shape[0] if global_batch_size is None else global_batch_size)


_KINDS = {name: _kind(name) for name in ("MirroredStrategy", "MultiWorkerMirroredStrategy", "OneDeviceStrategy")}
_REFUSED = {name: _refused(name) for name in ("TPUStrategy", "ParameterServerStrategy")}
DISTRIBUTE: dict[str, Any] = {
    **_KINDS, **_REFUSED, "InputContext": InputContext, "ReduceOp": ReduceOp, "ReplicaContext": ReplicaContext,
    "Strategy": Strategy, "get_strategy": current, "has_strategy": lambda: len(_open) > 1,
    "get_replica_context": lambda: _replica[-1] if _replica else None if len(_open) > 1 else ReplicaContext(),
    "in_cross_replica_context": lambda: len(_open) > 1 and not _replica,
    "experimental_set_strategy": lambda strategy: _open.append(strategy),
    **dict.fromkeys(
        ("HierarchicalCopyAllReduce", "InputOptions", "NcclAllReduce", "ReductionToOneDevice", "RunOptions"), Settings),
    "cluster_resolver": SimpleNamespace(
        SimpleClusterResolver=Resolver, TFConfigClusterResolver=Resolver,
        TPUClusterResolver=_refused("cluster_resolver.TPUClusterResolver")),
    "experimental": SimpleNamespace(
        CentralStorageStrategy=_kind("CentralStorageStrategy"), CollectiveHints=Settings, CommunicationOptions=Settings,
        CommunicationImplementation=constants("CommunicationImplementation", AUTO="AUTO", RING="RING", NCCL="NCCL"),
        MultiWorkerMirroredStrategy=_KINDS["MultiWorkerMirroredStrategy"], **_REFUSED),
}  # fmt: skip
"""Names of `tensorflow.distribute`."""
