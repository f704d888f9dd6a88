"""The list that `model.layers` returns: a new one each time, so a change of it alone is told."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import jax

from lamina import tree
from lamina.core.call_sites import site_above
from lamina.errors import ArgumentError, warn

__all__ = ["LayerList"]

_HEAD = "model = keras.Model(model.input, keras.layers.Dense(1)({}))"


class LayerList(list[Any]):
    """The layers of a model, as a list of one's own.

    A change of the list does not change the model. One of a list that nobody keeps, `model.layers.pop()`, changes
    nothing at all, and is warned of; a list that a program keeps is its own to change.

    Args:
        layers: The layers.
        grows: Whether the model is a Sequential, which has `add` and `pop`.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="hidden"), keras.layers.Dense(1)])
    >>> model.layers[-1].units, len(model.layers)
    (1, 2)
    """

    __slots__ = ("_grows",)

    def __init__(self, layers: Iterable[Any] = (), grows: bool = False) -> None:
        super().__init__(layers)
        self._grows = grows

    if not TYPE_CHECKING:  # for type checkers it is a list

        def __getitem__(self, key):
            if isinstance(key, str):
                message = f"model.layers is a list, whose indices are whole numbers; got {key!r}."
                raise ArgumentError(message, fix=f"model.get_layer({key!r})")
            return super().__getitem__(key)

        def __setitem__(self, key, value):
            self._changed("assigning", self._replaced(key))
            super().__setitem__(key, value)

        def __delitem__(self, key):
            self._changed("del", self._shortened(key))
            super().__delitem__(key)

        def pop(self, index=-1):
            self._changed("pop", self._shortened(index))
            return super().pop(index)

        def append(self, layer):
            self._changed("append", self._grown())
            super().append(layer)

        def insert(self, index, layer):
            self._changed("insert", self._grown())
            super().insert(index, layer)

        def extend(self, layers):
            self._changed("extend", self._grown())
            super().extend(layers)

        def remove(self, layer):
            self._changed("remove", self._shortened(None))
            super().remove(layer)

        def clear(self):
            self._changed("clear", "model = keras.Sequential()")
            super().clear()

    def __reduce__(self) -> Any:
        return list, (list(self),)

    def _changed(self, how, fix):
        """Warn if nobody but the expression that changes this list has it."""
        if sys.getrefcount(self) > _references(how):
            return
        site = site_above()
        if how == "pop" and site is not None and site.text != site.statement:
            return  # the layer is what the program wants: `last = model.layers.pop()`
        warn(f"model.layers is a new list at each reading: {how} changed that list, and not the model.\n{fix}")

    def _shortened(self, key):
        if key in (-1, len(self) - 1):
            return "model.pop()" if self._grows else "model = keras.Model(model.input, model.layers[-2].output)"
        return "layers = model.layers; layers.pop(0); model = keras.Sequential(layers)"

    def _replaced(self, key):
        if key in (-1, len(self) - 1):
            return f"model.pop(); {self._grown()}" if self._grows else _HEAD.format("model.layers[-2].output")
        return "layers = model.layers; layers[0] = keras.layers.Dense(1); model = keras.Sequential(layers)"

    def _grown(self):
        return "model.add(keras.layers.Dense(1))" if self._grows else _HEAD.format("model.output")


class _Counting(LayerList):
    """A list that keeps how many references to it there were when it was changed, as `_changed` counts them."""

    counts: list[int] = []

    def _changed(self, how, fix):
        self.counts.append(sys.getrefcount(self))


def _assigned(make):
    make()[:] = ()


def _deleted(make):
    del make()[:]


def _called(make):
    make().clear()


@functools.cache
def _references(how):
    """The references to a list without a name while it is changed; -1 where Python counts one with a name alike."""
    change, named = {"assigning": _assigned, "del": _deleted}.get(how, _called), _Counting()
    change(_Counting)
    change(lambda: named)
    alone, kept = _Counting.counts[-2:]
    return alone if alone < kept else -1


def _listed(_: Any, layers: Any) -> Any:
    return list(layers)


jax.tree_util.register_pytree_node(LayerList, lambda layers: (tuple(layers), None), _listed)
tree.CONTAINERS[LayerList] = list
