"""What belongs to a layer: the variables, layers, metrics and seed generators among its attributes.

Nothing is wrapped: the parts are read off the attributes when they are asked for, in the order in which they were
assigned (layers put into a list later count from the moment they were made). Python keeps the place of an attribute
that is assigned again (`self.kernel = None`, then a variable), so the order of the variables is kept beside.
"""

from __future__ import annotations

import copy
import itertools
import pickle
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import tree
from lamina.core import context
from lamina.core.node import Node
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError, LaminaError, UnknownNameError, warn
from lamina.layers.base.call_signature import signature_of
from lamina.layers.base.misuse import refuse_tensors
from lamina.metrics.metric import Metric
from lamina.random import SeedGenerator
from lamina.runtime.tracebacks import readable
from lamina.spelling.nearest import nearest


class Holder:
    """Base class of objects, as a tf.Module, whose attributes are searched for parts of the layer that has them."""


_clock = itertools.count()
CONTAINERS = (list, tuple, dict, set, Holder)
_PLAIN = (str, int, float, FunctionType, type(None))
UNTRACKED = frozenset(
    "_inbound_nodes _init_arguments _stamps _layers_with_losses _build_shapes _initial_weights _graph _text_graph "
    "optimizer loss loss_weights _compile_arguments _compile_loss _compile_metrics _loss_tracker "
    "_variables_in_order _path _first_output_shape".split()
)

_SWITCHES = "trainable", "stop_training", "run_eagerly", "stateful"  # attributes that are set to True or False


class Tracked:
    """An object with parts among its attributes. `_birth` orders parts that were never assigned by name."""

    _birth: int
    _stamps: dict[int, int]
    _variables_in_order: list[Variable]

    if not TYPE_CHECKING:  # for type checkers the signature is that of __init__

        def __new__(cls, *args, **kwargs):
            try:
                refuse_tensors(cls, args, kwargs)
                instance = super().__new__(cls, *args, **kwargs)
            except (ConfigError, CallError) as error:
                with readable(error) as shown:
                    raise shown from None
            object.__setattr__(instance, "_birth", next(_clock))
            object.__setattr__(instance, "_stamps", {})
            object.__setattr__(instance, "_variables_in_order", [])
            return instance

    def __setattr__(self, name: str, value: Any) -> None:
        holds_variables = False
        if not isinstance(value, _PLAIN) and ("flax.nnx" in sys.modules or "equinox" in sys.modules):
            from lamina.layers.base.held_modules import ReadModules, with_variables

            value, made = with_variables(value, name)
            if made:
                setattr(self, f"_variables_of_{name}", made)
            if isinstance(value, ReadModules):
                self.__dict__.setdefault("_read_modules", {})[name] = value
                return
        if isinstance(value, (Tracked, Variable, SeedGenerator, Metric, *CONTAINERS)) and name not in UNTRACKED:
            context.structure_changed()
            for part in parts_in(value, Tracked):
                self._stamps.setdefault(id(part), next(_clock))
            made = self.__dict__.get("_own_variables")
            just_made = made and made[-1] is value  # by `add_weight`, which has looked
            holds_variables = not just_made and any(True for _ in parts_in(value, Variable))
            if holds_variables:
                self._ordered_variables()  # what was put into lists before this
        elif "_compiled_call" in self.__dict__ and name[:1] != "_":  # a setting that a compiled program holds
            context.structure_changed()
        if value.__class__ is bool and name[:1] in "tsr":
            _warn_of_slip(self, name, value)
        try:
            object.__setattr__(self, name, value)
        except AttributeError as error:
            if not isinstance(getattr(type(self), name, None), property) or isinstance(error, LaminaError):
                raise
            with readable(_reserved(self, name)) as shown:
                raise shown from None
        if holds_variables:
            self._ordered_variables()

    def __delattr__(self, name: str) -> None:
        context.structure_changed()
        object.__delattr__(self, name)

    def _parts_before(self, stamp) -> list[Any]:
        """The layers that were assigned before a `new_stamp()`."""
        return [part for part in self._parts(Tracked) if self._stamps.get(id(part), part._birth) < stamp]

    def _parts(self, kind) -> list[Any]:
        """The parts of a kind among the attributes, each once, in order."""
        parts, wanted = {}, (kind, *CONTAINERS)
        for name, value in self.__dict__.items():  # hot: a model of 300 layers asks some thousand times
            if isinstance(value, wanted) and name not in UNTRACKED:
                for part in (value,) if isinstance(value, kind) else parts_in(value, kind):
                    parts[id(part)] = part
        found = list(parts.values())
        if kind is Tracked:
            found.sort(key=lambda part: self._stamps.get(id(part), part._birth))  # pyright: ignore
        return found

    def _ordered_variables(self) -> list[Variable]:
        """The variables among the attributes, in the order in which they became attributes or were put into one."""
        parts, known = {id(part): part for part in self._parts(Variable)}, self._variables_in_order
        if [*map(id, known)] != [*parts]:
            known[:] = [parts.pop(id(variable)) for variable in known if id(variable) in parts]
            known.extend(parts.values())
        return known


def _warn_of_slip(owner, name, value):
    """Warn of `layer.trainble = False` and `model.stop_trainning = True`, which change nothing."""
    switches = [] if hasattr(owner, name) else [one for one in _SWITCHES if hasattr(owner, one)]
    for meant in nearest(name, switches, strict=True):
        warn(f"{owner.name} has no attribute {name!r}, so this changes nothing: {owner.name}.{meant} = {value}.")


def _reserved(owner, name):
    """The error for an assignment to a property."""
    message = f"`{name}` is reserved: it is a property of {type(owner).__name__} that is computed."
    return UnknownNameError(message, lambda: ("", f"self.my_{name}  # another name"))


def new_stamp() -> int:
    """The time now, on the clock by which parts are ordered."""
    return next(_clock)


def parts_in(value: Any, kind: type, around: tuple[Any, ...] = ()) -> Any:
    """The objects of `kind` in a value, containers searched through; `around` are those that are open, for one may hold
    itself."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, CONTAINERS) and not any(value is container for container in around):
        items = vars(value) if isinstance(value, Holder) else value
        for item in list(items.values()) if isinstance(items, dict) else items:
            if isinstance(item, (kind, *CONTAINERS)):
                yield from parts_in(item, kind, (*around, value))


def unique(items: Any) -> list[Any]:
    """Each object once, in order of first appearance."""
    return list({id(item): item for item in items}.values())


class _Members(list[Any]):
    """The parts of a layer of one kind. What is appended becomes a part."""

    def __init__(self, owner: Any, name: str, members: Any) -> None:
        super().__init__(members)
        self._owner, self._name = owner, name

    def append(self, item: Any) -> None:
        """Make an object a part of the layer."""
        super().append(item)
        setattr(self._owner, self._name, [*_listed(vars(self._owner).get(self._name)), item])

    def clear(self) -> None:
        """Drop what was assigned or appended. Attributes of the layer stay parts of it."""
        super().clear()
        vars(self._owner).pop(self._name, None)


tree.CONTAINERS[_Members] = list


def _listed(given):
    return list(given) if isinstance(given, (list, tuple)) else [] if given is None else [given]


def _members(kind, name):
    def read(self):
        given, parts = self.__dict__.get(name), self._parts(kind)
        if given is None:
            return _Members(self, name, parts)
        given = [item for item in _listed(given) if isinstance(item, kind)]
        known = {*map(id, given)}
        return _Members(self, name, [*given, *(part for part in parts if id(part) not in known)])

    return property(read, lambda self, value: setattr(self, name, value))


class _Tracker:
    """The tracker of a layer: lamina reads parts off the attributes, so only what is in none is added to them."""

    locked = locked_by_default = False

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def track(self, attr: Any) -> Any:
        """Make an object a part of the layer, and return it."""
        members = self._layer._metrics if isinstance(attr, Metric) else self._layer._layers
        if isinstance(attr, (Tracked, Metric)) and not any(attr is member for member in members):
            members.append(attr)
        return attr

    def add_to_store(self, store_name: str, value: Any) -> None:
        """Make an object a part of the layer."""
        self.track(value)

    def untrack(self, value: Any) -> None:
        """Take an object out of the parts that `track` added."""
        for name in ("_given_layers", "_given_metrics"):
            if name in vars(self._layer):
                setattr(self._layer, name, [item for item in vars(self._layer)[name] if item is not value])

    def lock(self, *_: Any) -> None:
        """Has no effect: variables may be made at any time."""

    unlock = lock


def _own_weights(trainable):
    """The variables that are the layer's own, which packages read where they load them, and some set."""

    def set_weights(layer, weights):
        from lamina.layers.base.held_modules import listed_weights

        setattr(layer, f"_listed_{trainable}", listed_weights(layer, weights, trainable))

    return property(
        lambda layer: [one for one in layer._variables_of_its_own() if one.initially_trainable is trainable],
        set_weights,
    )


class KerasAttributes(Tracked):
    """The layers and metrics of a layer as lists, its tracker, and what its `call` takes."""

    _layers: Any = _members(Tracked, "_given_layers")

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy of the attributes; of the config and the weights where an attribute cannot be copied, as a lock."""
        if type(self).__reduce__ is not object.__reduce__:
            return copy._reconstruct(self, memo, *self.__reduce_ex__(4))  # pyright: ignore[reportAttributeAccessIssue]
        twin = memo[id(self)] = type(self).__new__(type(self))
        try:
            twin.__dict__.update({name: copy.deepcopy(value, memo) for name, value in self.__dict__.items()})
        except (TypeError, pickle.PicklingError):
            make, arguments = self._by_config()
            twin = memo[id(self)] = make(*arguments)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        """The attributes; the config and the weights where an attribute cannot be pickled."""
        if type(self).__reduce__ is object.__reduce__ and not all(map(_is_picklable, self.__dict__.values())):
            return self._by_config()
        return super().__reduce_ex__(protocol)

    def _by_config(self):
        layer: Any = self
        return _made_again, (type(self), layer.get_config(), layer.get_build_config(), layer.get_weights())

    _metrics: Any = _members(Metric, "_given_metrics")
    _trainable_variables: Any = _own_weights(True)
    _non_trainable_variables: Any = _own_weights(False)
    _trainable_weights, _non_trainable_weights = _trainable_variables, _non_trainable_variables  # of Keras 1 and 2

    @property
    def _tracker(self):
        return _Tracker(self)

    @property
    def _call_has_training_arg(self):
        return signature_of(type(self).call).has_training  # pyright: ignore[reportAttributeAccessIssue]

    @_call_has_training_arg.setter
    def _call_has_training_arg(self, value):
        self._passes_training = bool(value)

    @property
    def _call_has_mask_arg(self):
        return "mask" in signature_of(type(self).call).names  # pyright: ignore[reportAttributeAccessIssue]

    @_call_has_mask_arg.setter
    def _call_has_mask_arg(self, value):
        """A layer without the argument is not given it."""

    @property
    def _call_signature(self):
        signature: Any = signature_of(type(self).call).signature  # pyright: ignore[reportAttributeAccessIssue]
        return signature.replace(parameters=[*signature.parameters.values()][1:])

    @property
    def _build_shapes_dict(self):
        return self._build_shapes  # pyright: ignore[reportAttributeAccessIssue]


def _is_picklable(value):
    if isinstance(value, (KerasAttributes, Variable, Metric, SeedGenerator, Node, FunctionType, np.ndarray)):
        return True
    if isinstance(value, (list, tuple, dict)):
        return all(map(_is_picklable, value.values() if isinstance(value, dict) else value))
    try:
        pickle.dumps(value)
    except TypeError:
        return False
    except (AttributeError, pickle.PicklingError):
        return True  # a class or function made in a function: pickle says which
    return True


def _made_again(cls, config, build_config, weights):
    layer = cls.from_config(config)
    if build_config:
        layer.build_from_config(build_config)
    if weights:
        layer.set_weights(weights)
    return layer
