"""What a pickle would import and call, read off its opcodes. Nothing of it is run."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import Any

__all__ = ["HARMLESS", "PickleReport", "read_pickle"]

# The names that honest files of arrays import. All others are reported: a list of what is harmful is never complete.
_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_STORAGES = "Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble QInt8 QUInt8 QInt32"
_TYPES = "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128"
_REBUILT = "tensor tensor_v2 tensor_v3 parameter parameter_with_state sparse_tensor qtensor"
_PLAIN = "set frozenset list dict tuple int float complex bool str bytes bytearray slice range object"
HARMLESS = {
    *((module, name) for module in _NUMPY for name in ("ndarray", "dtype", "_reconstruct", "scalar", "_frombuffer")),
    *(("torch", f"{kind}Storage") for kind in _STORAGES.split()),
    *(("torch", name) for name in ("Size", "device", "Tensor", *_TYPES.split())),
    *(("torch.storage", f"{kind}Storage") for kind in ("Untyped", "Typed")),
    *(("torch._utils", f"_rebuild_{what}") for what in _REBUILT.split()),
    ("torch._tensor", "_rebuild_from_type_v2"), ("torch.nn.parameter", "Parameter"),
    *(("collections", name) for name in ("OrderedDict", "defaultdict", "deque")),
    *(("datetime", name) for name in ("datetime", "timedelta", "date")),
    ("decimal", "Decimal"), ("fractions", "Fraction"), ("ml_dtypes", "bfloat16"), ("_codecs", "encode"),
    *((module, name) for module in ("builtins", "__builtin__") for name in _PLAIN.split()),
    ("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor"), ("numpy.random._pickle", "__randomstate_ctor"),
}  # fmt: skip
_TEXTS = ("UNICODE", "STRING")
_MOST_OPCODES = 20_000_000


class PickleReport:
    """What pickles in one stream would do.

    Attributes:
        imported: (module, name) that are imported, in order; None for a part that is computed.
        damage: Why reading ended before the end, or "".
        pickles: How many pickles ended by STOP.
    """

    def __init__(self) -> None:
        self.imported: dict[tuple[str | None, str | None], None] = {}
        self.damage = ""
        self.pickles = 0

    def harmful(self) -> list[str]:
        """The imports that honest files of arrays do not have, as `module.name`."""
        return [f"{module or '?'}.{name or '?'}" for module, name in self.imported if (module, name) not in HARMLESS]


def read_pickle(file: Any) -> PickleReport:
    """Read the opcodes of one pickle after the other, up to the end of a file or the first byte that is none.

    Args:
        file: File open for reading bytes.
    """
    report = PickleReport()
    while True:
        start = file.tell()
        if not file.read(1):
            return report
        file.seek(start)
        try:
            for module, name in _imports(file):
                report.imported[module, name] = None
        except Exception as error:  # pickletools raises what it likes on bytes that are no pickle
            if report.pickles == 0 or report.imported:
                report.damage = str(error).splitlines()[0] if str(error) else type(error).__name__
            return report
        report.pickles += 1


def _imports(file) -> Iterator[tuple[str | None, str | None]]:
    """(module, name) of each import up to STOP, found by following the stack of strings."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    operations: Any = pickletools.genops(file)
    for count, (opcode, argument, _) in enumerate(operations):
        if count > _MOST_OPCODES:
            raise ValueError(f"it has more than {_MOST_OPCODES} opcodes")
        name = opcode.name
        if name in ("GLOBAL", "INST"):
            module, _, attribute = argument.partition(" ")
            yield module, attribute
        elif name == "STACK_GLOBAL":
            module, attribute = (part if isinstance(part, str) else None for part in [None, None, *stack][-2:])
            yield module, attribute
        elif name.startswith("EXT"):
            yield "copyreg extension", str(argument)
        top = stack[-1] if stack else None
        if name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = top
        elif name == "MEMOIZE":
            memo[len(memo)] = top
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo.get(argument))
        elif name == "DUP":
            stack.append(top)
        else:
            _move(stack, opcode, argument)


_MARK = object()


def _move(stack, opcode, argument):
    """Pop what an opcode takes, and push what it leaves: strings, a mark, or nothing known."""
    before = opcode.stack_before
    if pickletools.markobject in before:
        while stack and stack.pop() is not _MARK:
            pass
        before = before[: before.index(pickletools.markobject)]
    del stack[max(len(stack) - len(before), 0) :]
    for left in opcode.stack_after:
        is_text = any(word in opcode.name for word in _TEXTS)
        stack.append(_MARK if left is pickletools.markobject else argument if is_text else None)
