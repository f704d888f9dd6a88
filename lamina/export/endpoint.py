"""Endpoint: a function with its weights, as the bytes of one file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax.export

from lamina.core import context, tree
from lamina.core.placement import on_one_device
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.export.decompositions import WITHOUT_LAPACK
from lamina.export.program import Program, for_open_sizes, trace
from lamina.kernels.native import portable

__all__ = ["PLATFORMS", "Endpoint"]

FOLDERS = "jax_hlo_source_file_canonicalization_regex"
PLATFORMS = ("cpu", "cuda", "tpu")  # that programs of StableHLO are lowered for, whatever the platform is that writes


@contextlib.contextmanager
def _without_folders() -> Iterator[None]:
    """Inside the block JAX writes names of source files without their folders, which are nobody's business but the
    author's."""
    before = getattr(jax.config, FOLDERS)
    jax.config.update(FOLDERS, r".*[/\\]")
    try:
        yield
    finally:
        jax.config.update(FOLDERS, before)


class Endpoint:
    """A function of arrays, with the values that its variables have when it is first called or written.

    Args:
        name: Its name.
        function: Function of arrays.
        signature: An entry for each argument, see `lamina.export.program.structs_of`.
        variables: The variables that the function reads.
        format: Name of the format.
        opset: Version of the operators of ONNX; None means the default.
        input_names: Names of the inputs; None numbers them.
        output_names: Names of the outputs; None numbers them.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        signature: Any,
        variables: Sequence[Variable],
        format: str,
        opset: int | None = None,
        input_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
    ) -> None:
        self.name: str = name
        self.format: str = format
        self.opset: int | None = opset
        self._function, self._signature, self._variables = function, signature, list(variables)
        self._values = [on_one_device(variable.read()) for variable in self._variables]
        self.input_names, self.output_names = input_names, output_names
        self.input_avals  # noqa: B018  (what cannot be exported says so now)

    def call(self, *args: Any) -> Any:
        """The results of the exported function."""
        return self.exported.call(*args)

    @functools.cached_property
    def exported(self) -> Any:
        """The function as `jax.export.Exported`."""

        def run(*args):
            with context.bind(self._variables, self._values):  # assignments of the function end with the block
                return self._function(*args)

        def export(structs):
            jitted = jax.jit(run)
            jitted.trace(*structs)  # what fails here fails for every platform
            rules: Any = {"_override_lowering_rules": WITHOUT_LAPACK} if self.format == "tf_saved_model" else {}
            here = jax.export.default_export_platform()
            try:
                return jax.export.export(jitted, platforms=list(dict.fromkeys((here, *PLATFORMS))), **rules)(*structs)
            except Exception:  # an operation that only this platform has, or that only LAPACK has
                return jax.export.export(jitted)(*structs)

        with _without_folders():
            return self._make(export)

    @functools.cached_property
    def program(self) -> Program:
        """The function as equations."""
        return self._make(
            lambda structs: trace(
                self.name, self._function, structs, self._variables, self._values, self.input_names, self.output_names
            )
        )

    @property
    def input_avals(self) -> list[Any]:
        """Shape and dtype of each input; sizes that are open are symbolic."""
        return self.program.input_avals if self.format in ("onnx", "litert") else list(self.exported.in_avals)

    def _make(self, make):
        try:
            with portable(), context.without_distribution():
                return for_open_sizes(self._signature, make)
        except Exception as error:
            first = str(error).splitlines()[0]
            is_open = type(error).__name__ == "InconclusiveDimensionOperation" or any(
                words in first
                for words in ("is inconclusive", "requires a constant", "non-constant size", "hape polymorphism")
            )
            if not is_open and "got 'batch'" not in first:
                raise
            fixed = [
                f"keras.InputSpec(shape={tuple(size or 1 for size in spec.shape)}, dtype={spec.dtype!r})"
                for spec in tree.flatten(self._signature)
            ]
            wanted = ConfigError(
                f"{self.name} needs a size as a number that the input_signature leaves open: {first}",
                fix=f"input_signature=[{', '.join(fixed)}]",
            )
            notes = [getattr(error, "where", None), *getattr(error, "__notes__", ())]
            wanted.where = next((note for note in notes if note and note.startswith("In ")), None)
            raise wanted from None

    def serialized(self) -> bytes:
        """The file: what `jax.export.deserialize` reads, or what runtimes of ONNX or LiteRT read. For a SavedModel the
        StableHLO in it."""
        if self.format == "jax":
            return bytes(self.exported.serialize())
        if self.format == "tf_saved_model":
            from lamina.export.savedmodel.model import stablehlo_of

            return stablehlo_of(self.exported)
        if self.format == "litert":
            from lamina.export.litert.model import to_litert

            return to_litert(self.program)
        from lamina.export.onnx.model import to_onnx

        return to_onnx(self.program, self.opset).SerializeToString()
