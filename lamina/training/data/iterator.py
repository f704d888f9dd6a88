"""DatasetIterator: one pass over a data set, as `iter(dataset)` returns it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from lamina.core import context
from lamina.errors import TracingError
from lamina.runtime.tracebacks import filters_traceback
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.limits import naming
from lamina.training.data.elements import map_leaves, on_device

__all__ = ["DatasetIterator", "NumpyIterator"]

_END = object()


class DatasetIterator:
    """One pass over a data set.

    Args:
        dataset: Data set.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset: Any = dataset
        self.taken: int = 0
        """How many elements were taken."""
        self._items: Iterator[Any] = dataset._open()

    def __iter__(self) -> Self:
        return self

    @filters_traceback
    def __next__(self) -> Any:
        if context.is_bound():  # a compiled function would have this element in every call
            raise TracingError(
                "A function that is compiled takes the next element of a data set.",
                fix="step(next(iterator)), with the element as an argument of the function",
            )
        item = next(self._items)
        self.taken += 1
        return map_leaves(on_device, item)

    def get_next(self) -> Any:
        """The next element, as `next` returns it."""
        return next(self)

    @property
    def element_spec(self) -> Any:
        """The TensorSpec of each component of an element."""
        return self.dataset.element_spec

    def get_state(self) -> dict[str, Any]:
        """The position: how many elements were taken, and the passes of the data sets before this one."""
        state = self.dataset.get_state()
        return {"taken": self.taken, "data": {**state, "passes": state["passes"] - 1}}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to a position, by drawing the same elements.

        Args:
            state: What `get_state` returned.

        Raises:
            FileError: It is no such state, or that of a longer data set. The position stays as it was.
        """
        before = self.dataset.get_state(), self._items, self.taken
        try:
            with naming("The state of an iterator"):
                self._go_to(state)
        except BaseException:
            self.dataset.set_state(before[0])
            self._items, self.taken = before[1:]
            raise

    def _go_to(self, state):
        self.dataset.set_state(state["data"])
        self._items, self.taken = self.dataset._open(), 0
        for _ in range(int(state["taken"])):
            if next(self._items, _END) is _END:
                raise damaged(f"{state['taken']} elements were taken by an iterator; the data set has {self.taken}.")
            self.taken += 1


class NumpyIterator:
    """What `as_numpy_iterator` gives: an iterator whose next element `next()` gives too.

    Args:
        items: The elements.
    """

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def __next__(self) -> Any:
        return next(self._items)

    def next(self) -> Any:
        """The next element."""
        return next(self._items)
