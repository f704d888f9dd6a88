"""Compare the copies of a model that several processes train together."""

from __future__ import annotations

import json
from typing import Any

from lamina.core import context
from lamina.errors import ConfigError
from lamina.runtime import processes
from lamina.runtime.digests import part_digests, program_digest

__all__ = ["Comparison"]

_STEPS = {"train": "training steps", "test": "steps of evaluate", "predict": "steps of predict"}
_SMALL = 1024  # elements of a variable that is compared after each epoch, such as a bias or a learning rate
_IN_TURN = 2**24  # elements of the others that are compared after an epoch, which takes some 0.05 s


class Comparison:
    """What the processes have compared of a model: its values, and the steps of each kind.

    Attributes:
        is_done: Whether all values were compared.
    """

    def __init__(self) -> None:
        self.is_done: bool = False
        self._steps: set[str] = set()
        self._turn: int = 0  # the first of the large variables that is compared after the next epoch

    def restart(self) -> None:
        """Compare everything again: variables were moved or made."""
        self.is_done = False
        self._steps.clear()

    def values(self, groups: dict[str, list[Any]], after: str = "") -> None:
        """Raise an error if processes have different values of what is one value of the model: copies of it, trained
        together, would stay different and none of them would be right.

        Args:
            groups: The variables of the model, in groups.
            after: After which epoch those whose turn it is are compared, in words; else all are, once.

        Raises:
            ConfigError: A value differs.
        """
        variables = [*(variable for group in groups.values() for variable in group), *context.global_refs()]
        if after:
            variables = self._due(variables)
        digests = [part_digests(variable.read()) for variable in variables]
        found = processes.gather(digests, "comparing the model")
        counts = [len(one) for one in found]
        if len(set(counts)) > 1:
            raise ConfigError(
                f"The processes have different models: their layers, optimizers and metrics have {counts} variables.",
                fix="Make and compile the same model in every process.",
            )
        for index, variable in enumerate(variables):
            of_part: dict[str, str] = {}
            if any(of_part.setdefault(part, digest) != digest for one in found for part, digest in one[index].items()):
                raise ConfigError(
                    f"{after}The processes have different values of {getattr(variable, 'path', 'a seed')}.",
                    fix="Let callbacks change the model by its logs, which are the same in all processes, and not by "
                    "a clock or by random numbers of their own."
                    if after
                    else "keras.utils.set_random_seed(1) in each process, before the model is made or loaded.",
                )
        if not after:
            self.is_done = True

    def _due(self, variables):
        """The variables to compare after an epoch: the small ones, and of the large ones some in turn, so that the time
        does not grow with the model. A value that one process changed stays different until its turn comes."""
        small = sorted([one for one in variables if _elements(one) <= _SMALL], key=_elements)
        large = [one for one in variables if _elements(one) > _SMALL]
        large, taken, size = large[self._turn :] + large[: self._turn], 0, 0
        while taken < len(large) and (not taken or size + _elements(large[taken]) <= _IN_TURN):
            size += _elements(large[taken])
            taken += 1
        self._turn = (self._turn + taken) % max(len(large), 1)
        return small + large[:taken]

    def first_step(self, model: Any, kind: str, program: Any, arguments: tuple[Any, ...]) -> None:
        """Raise an error if processes are about to take different first steps of a kind: with other values or another
        loss in one of them, the devices would add what does not belong together, or wait for each other forever.

        Args:
            model: The model.
            kind: "train", "test" or "predict".
            program: Its compiled step.
            arguments: What the step takes.

        Raises:
            ConfigError: The values or the steps differ.
        """
        if kind in self._steps or processes.together() is None:
            return
        if not self.is_done:
            self.values(model._runner.groups)
        self._steps.add(kind)
        if model.run_eagerly:
            return
        digests = processes.gather(program_digest(program.trace(*arguments).jaxpr), "comparing the step")
        other = next((index for index, one in enumerate(digests) if one != digests[0]), None)
        if other is None:
            return
        settings = json.loads(json.dumps(model.get_compile_config(), default=repr))
        found = processes.gather(settings, "comparing the settings of compile")
        words = [f"{path} is {first!r} in process 0 and {second!r} in process {other}"
                 for path, first, second in _unlike(found[0], found[other])]  # fmt: skip
        raise ConfigError(
            f"The processes have different {_STEPS[kind]}: "
            f"{', and '.join(words) or 'layers, losses or data compute something else'}.",
            fix="Make and compile the same model in every process, and give each data of the same types.",
        )


def _elements(variable):
    return getattr(variable, "size", 1)  # of a seed 1


def _unlike(first, second, path=""):
    """(path, value, value) of what differs in two configs, but names of objects, which are counted in each process."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in first:
            if key != "name":
                yield from _unlike(first[key], second.get(key), f"{path}.{key}".removeprefix("."))
    elif first != second:
        yield path, first, second
