"""What became of the weights in a file."""

import logging
from dataclasses import dataclass, field

from lamina.errors import warn

__all__ = ["LoadReport"]

_SHOWN = 8


@dataclass
class LoadReport:
    """What `load_weights` took from a file: returned by it, and logged under the name `lamina` with `load_model`.

    `loaded` is (path of the variable, shape) pairs; `skipped` says in lines what of the model the file did not fit
    (`skip_mismatch=True`); `unused` is (path in the file, shape) pairs of arrays that no layer took.
    """

    file: str
    model: str
    loaded: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    unused: list = field(default_factory=list)

    def took(self, variables):
        """Note that these variables have values from the file now."""
        self.loaded.extend((variable.path, tuple(variable.shape)) for variable in variables)

    def tell(self):
        """Log it, and warn of what was skipped or is left over in the file; return it."""
        logging.getLogger("lamina").info("%s", self)
        for line in self.skipped:
            warn(f"Not loaded (skip_mismatch=True): {line}")
        if self.unused:
            names = ", ".join(f"{path} {shape}" for path, shape in self.unused[:_SHOWN])
            more = f" and {len(self.unused) - _SHOWN} more" if len(self.unused) > _SHOWN else ""
            warn(f"{self.file} has weights that nothing in {self.model} takes: {names}{more}.")
        return self

    def __str__(self):
        parts = [f"{self.file} -> {self.model}: {len(self.loaded)} weights loaded"]
        for what, found in (("skipped", self.skipped), ("unused in the file", self.unused)):
            if found:
                parts.append(f"{len(found)} {what}")
        return ", ".join(parts)

    def __repr__(self):
        rows = [str(self)]
        rows += [f"  loaded  {path} {shape}" for path, shape in self.loaded]
        rows += [f"  skipped {line}" for line in self.skipped]
        rows += [f"  unused  {path} {shape}" for path, shape in self.unused]
        return "\n".join(rows)
