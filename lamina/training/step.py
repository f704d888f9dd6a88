"""The pure steps: training, testing and prediction as functions (values, batch) -> (logs, new values)."""

from __future__ import annotations

import functools
import inspect
import operator
from functools import partial
from typing import TYPE_CHECKING, Any

import jax

from lamina import training as training_module
from lamina.core import context, tree
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.layers.base.call_signature import signature_of
from lamina.training.compile_mixin import CompileMixin
from lamina.training.data.packing import unpack_x_y_sample_weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import PyTree, Tensor
    from lamina.runtime.compilations import Compilations

__all__ = ["StepMixin", "assigning", "direct", "loss_and_updates", "overridable", "takes_state"]


def overridable(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let type checkers accept overrides with other parameters, such as `train_step(self, data)`."""
    return method


def assigning(*groups: str) -> Callable[..., Any]:
    """A step that is also called as `super().train_step(data)`: it reads the variables, and assigns their new values.

    Args:
        *groups: Attributes of the model with the variables of each part of the state.
    """

    def decorate(step):
        @functools.wraps(step)
        def either(self, state, *data, **kwargs):
            if data or kwargs:
                return step(self, state, *data, **kwargs)
            variables = [operator.attrgetter(group)(self) for group in groups]
            results, after = step(self, tuple(map(_read, variables)), state)
            after = after if isinstance(after, tuple) else (_read(variables[0]), after)  # of a prediction
            for cells, values in zip(variables, after, strict=True):
                for cell, value in zip(cells, values, strict=True):
                    cell.assign(value)
            return results

        _STEPS[either] = step
        return either

    return decorate


_STEPS: dict[Any, Any] = {}  # what users call -> the step itself


def direct(method: Any) -> Any:
    """A step with its state as an argument, without the frame of `assigning` where the model has no step of its own.

    Args:
        method: Bound method.
    """
    step = _STEPS.get(getattr(method, "__func__", None))
    return method if step is None else partial(step, method.__self__)


class StepMixin(CompileMixin):
    """The steps of `fit`, `evaluate` and `predict`, and the methods they consist of. Users may override them."""

    def compilations(self) -> Compilations:
        """The programs that were compiled for this model since `compile`: for which shapes, when, how long it took, and
        whether they came from the disk cache (`keras.config.set_compilation_cache`). They print as a table.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> y = model.predict([[1.0, 2.0, 3.0, 4.0]], verbose=0)
        >>> [(one.kind, one.batch) for one in model.compilations()]
        [('predict', 'float32(1, 4)')]
        """
        return self._runner.recorder.records

    @overridable
    def compute_loss(
        self,
        x: PyTree = None,
        y: PyTree = None,
        y_pred: PyTree = None,
        sample_weight: PyTree = None,
        training: bool = True,
    ) -> Tensor:
        """The loss to minimize: the compiled losses plus losses added by layers (regularization, `add_loss`). May be
        overridden.

        Args:
            x: Inputs of a batch.
            y: Targets. If None, the compiled losses are omitted.
            y_pred: Outputs of the model.
            sample_weight: Weights of the samples. None means 1 for each.
            training: Whether the model was called for training.

        Raises:
            CallError: If there is no loss.
        """
        added = [loss.sum() if getattr(loss, "ndim", 0) else loss for loss in map(unwrap, self.losses)]
        total = None
        if self._compile_loss is not None and y is not None:
            if y_pred is None:
                raise CallError(
                    f"{type(self).__name__}.call returned None.", fix="return outputs  # at the end of call"
                )
            total = self._compile_loss(y, y_pred, sample_weight)
        for loss in added:
            total = loss if total is None else total + loss
        if total is None:
            if self._compile_loss is not None and y is None:
                raise CallError(
                    f"The loss of {self.name} compares its outputs with targets, and none were passed: y is None.",
                    fix=f"{'fit' if training else 'evaluate'}(x, y), validation_data=(x, y), or batches (x, y): each "
                    "`yield x, y` of a generator.",
                )
            raise CallError(
                f"{self.name} has no loss to minimize: compile() has no loss for which there are targets, and no layer "
                "calls add_loss().",
                fix='compile(loss="mse") and fit(x, y), or add_loss() in a layer.',
            )
        return total

    @overridable
    def compute_metrics(self, x: PyTree, y: PyTree, y_pred: PyTree, sample_weight: PyTree = None) -> dict[str, Any]:
        """Update the compiled metrics and return the results of all metrics by name. May be overridden.

        Args:
            x: Inputs of a batch.
            y: Targets. If None, the compiled metrics are not updated.
            y_pred: Outputs of the model.
            sample_weight: Weights of the samples. None means 1 for each.
        """
        if self._compile_metrics is not None and y is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def compute_loss_and_updates(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        metrics_variables: list[Any],
        x: PyTree,
        y: PyTree,
        sample_weight: PyTree,
        training: bool = False,
        optimizer_variables: list[Any] | None = None,
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """(loss, (unscaled loss, outputs, new non-trainable values, new metric values)): a pure function, to be
        differentiated with respect to its first argument.

        Args:
            trainable_variables: Values of `self.trainable_variables`.
            non_trainable_variables: Values of `self.non_trainable_variables`.
            metrics_variables: Values of `self.metrics_variables`.
            x: Inputs of a batch.
            y: Targets, or None.
            sample_weight: Weights of the samples, or None.
            training: Whether the model is called for training.
            optimizer_variables: Values of `self.optimizer.variables`, needed if the optimizer scales the loss.
        """
        scaled, (loss, (outputs, _), others, metric_values) = loss_and_updates(
            self, trainable_variables, non_trainable_variables, metrics_variables, x, y, sample_weight, training,
            optimizer_variables,
        )  # fmt: skip
        return scaled, (loss, outputs, others, metric_values)

    def stateless_compute_loss(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        metrics_variables: list[Any],
        x: PyTree = None,
        y: PyTree = None,
        y_pred: PyTree = None,
        sample_weight: PyTree = None,
        training: bool = True,
    ) -> tuple[Tensor, tuple[list[Any], ...]]:
        """`compute_loss` as a pure function: (loss, (new trainable, non-trainable and metric values)).

        Args:
            trainable_variables: Values of `self.trainable_variables`.
            non_trainable_variables: Values of `self.non_trainable_variables`.
            metrics_variables: Values of `self.metrics_variables`.
            x: Inputs of a batch.
            y: Targets. If None, the compiled losses are omitted.
            y_pred: Outputs of the model.
            sample_weight: Weights of the samples. None means 1 for each.
            training: Whether the model was called for training.
        """
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        values = (trainable_variables, non_trainable_variables, metrics_variables)
        with context.bind([v for group in groups for v in group], [v for group in values for v in group]):
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
            return loss, tuple(_read(group) for group in groups)

    @overridable
    @assigning("trainable_variables", "non_trainable_variables", "optimizer.variables", "metrics_variables")
    def train_step(self, state, data):
        """(logs, new state) for one training step. May be overridden in this form, or as `train_step(self, data)`,
        which assigns variables and returns the logs.

        Args:
            state: Values of the trainable variables, the other variables, the optimizer and the metrics.
            data: Batch as x, (x,), (x, y) or (x, y, sample_weight).
        """
        trainable, others, optimizer_values, metric_values = state
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables, gradient = self.trainable_variables, jax.value_and_grad(loss_and_updates, argnums=1, has_aux=True)
        (_, (loss, y_pred, others, metric_values)), gradients = gradient(
            self, trainable, others, metric_values, x, y, sample_weight, True, optimizer_values
        )
        optimizer = self.optimizer
        with context.bind([*variables, *optimizer.variables], [*trainable, *optimizer_values]):
            if variables:
                optimizer.apply(gradients, variables)
            trainable, optimizer_values = _read(variables), _read(optimizer.variables)
        logs, metric_values = _update_metrics(self, metric_values, x, y, _unpack(y_pred), sample_weight, loss)
        return logs, (trainable, others, optimizer_values, metric_values)

    @overridable
    @assigning("trainable_variables", "non_trainable_variables", "metrics_variables")
    def test_step(self, state, data):
        """(logs, new state) for testing one batch. May be overridden in this form, or as `test_step(self, data)`.

        Args:
            state: Values of the trainable variables, the other variables and the metrics.
            data: Batch as x, (x,), (x, y) or (x, y, sample_weight).
        """
        trainable, others, metric_values = state
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        loss, (_, y_pred, others, metric_values) = loss_and_updates(
            self, trainable, others, metric_values, x, y, sample_weight, False
        )
        logs, metric_values = _update_metrics(self, metric_values, x, y, _unpack(y_pred), sample_weight, loss)
        return logs, (trainable, others, metric_values)

    @overridable
    @assigning("trainable_variables", "non_trainable_variables")
    def predict_step(self, state, data):
        """(outputs, new values of the other variables) for one batch. May be overridden in this form, or as
        `predict_step(self, data)`.

        Args:
            state: Values of the trainable variables and the other variables.
            data: Batch as x, (x,), (x, y) or (x, y, sample_weight).
        """
        trainable, others = state
        x, _, _ = unpack_x_y_sample_weight(data)
        with context.bind([*self.trainable_variables, *self.non_trainable_variables], [*trainable, *others]):
            return unwrap(_caller(self, False)(x)), _read(self.non_trainable_variables)

    def _training_argument(self, training: bool | None) -> dict[str, Any]:
        """`training` as a keyword for a call of this model, where its `call` takes it."""
        signature = signature_of(type(self).call)
        return {"training": training} if signature.has_training or signature.has_any_keyword else {}


def loss_and_updates(
    model: Any,
    trainable: Any,
    others: Any,
    metric_values: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    training: bool | None = False,
    optimizer_values: Any = None,
) -> Any:
    """(loss to differentiate, (loss, outputs with masks, new other values, new metric values)). The first loss is
    scaled if the optimizer scales losses."""
    variables = [*model.trainable_variables, *model.non_trainable_variables, *model.metrics_variables]
    values = [*trainable, *others, *metric_values]
    optimizer: Any = model.optimizer if training and optimizer_values is not None else None
    if optimizer is not None:
        variables, values = [*variables, *optimizer.variables], [*values, *(optimizer_values or ())]
    with context.bind(variables, values):
        y_pred = unwrap(_caller(model, training)(x))
        flag = {"training": training} if "training" in signature_of(type(model).compute_loss).names else {}
        loss = unwrap(model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **flag))
        scaled = loss if optimizer is None else optimizer.scale_loss(loss)
        updated = _read(model.non_trainable_variables), _read(model.metrics_variables)
    return scaled, (loss, _pack(y_pred), *updated)


def _caller(model, training):
    """The function of inputs that gives the outputs of a model. Over several devices, a batch may not divide."""
    runner = model._runner_made
    if runner is None or runner.sharded is None:
        return partial(model, **model._training_argument(training))
    return partial(training_module.call_by_parts, model, training=training)


def _update_metrics(model, metric_values, x, y, y_pred, sample_weight, loss):
    """(results of all metrics, their new values). The loss is weighted by the number of samples."""
    with context.bind(model.metrics_variables, metric_values):
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None and getattr(leaf, "ndim", 0)]
        model._loss_tracker.update_state(loss, sample_weight=leaves[0].shape[0] if leaves else 1)
        logs = model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        return unwrap(logs), _read(model.metrics_variables)


def _read(variables):
    return [variable.read() for variable in variables]


def _pack(outputs):
    """Combine outputs with their masks, which would be lost when a function is differentiated."""
    return outputs, [get_mask(leaf) for leaf in tree.flatten(outputs)]


def _unpack(packed):
    outputs, masks = packed
    for leaf, mask in zip(tree.flatten(outputs), masks, strict=True):
        if mask is not None:
            set_mask(leaf, mask)
    return outputs


def takes_state(method: Any) -> bool:
    """Whether a train_step, test_step or predict_step has the signature (self, state, data) rather than (self,
    data)."""
    parameters = inspect.signature(method).parameters.values()
    names = [parameter.name for parameter in parameters]
    if names[1:] in (["y"], ["labels"], ["targets"], ["target"], ["y_true"]):
        raise CallError(
            f"{method.__name__} takes (self, data), or (self, state, data) of pure functions; it is written as "
            f"(self, {', '.join(names)}).",
            fix=f"def {method.__name__}(self, data): {', '.join(names)} = data",
        )
    return len(parameters) >= 2 or any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
