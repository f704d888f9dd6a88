"""What a pickle would import and call, read off its opcodes. Nothing of it is run."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lamina.cli.scan_growth import Growth, left, take
from lamina.cli.scan_opcodes import opcodes_in

__all__ = ["HARMLESS", "PickleReport", "is_of_python", "read_pickle"]

# The names that honest files of arrays import. All others are reported: a list of what is harmful is never complete.
_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
_STORAGES = "Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble QInt8 QUInt8 QInt32"
_TYPES = (
    "float16 float32 float64 bfloat16 float8_e4m3fn float8_e5m2 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool "
    "complex64 complex128"
)
_LISTS = "build_intlist build_tensorlist build_doublelist build_boollist restore_type_tag"
_REBUILT = "tensor tensor_v2 tensor_v3 parameter parameter_with_state sparse_tensor qtensor"
_PLAIN = (
    "set frozenset list dict tuple int float complex bool str bytes bytearray slice range object Ellipsis "
    "NotImplemented xrange"
)
_BITS = (
    "bfloat16 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz "
    "float8_e8m0fnu float4_e2m1fn int2 int4 uint2 uint4"
)
_GENERATORS = "_mt19937.MT19937 _pcg64.PCG64 _pcg64.PCG64DXSM _philox.Philox _sfc64.SFC64"
_SEEDS = "bit_generator.SeedSequence bit_generator.__pyx_unpickle_SeedSequence"
_CTORS = "_pickle.__randomstate_ctor _pickle.__generator_ctor _pickle.__bit_generator_ctor"
_KINDS = (
    "matrixlib.defmatrix.matrix rec.recarray rec.record core.records.recarray ma.core._mareconstruct "
    "ma.core.MaskedArray ma.MaskedArray"
)
HARMLESS = {
    *((module, name) for module in _NUMPY for name in ("ndarray", "dtype", "_reconstruct", "scalar", "_frombuffer")),
    *(("torch", f"{kind}Storage") for kind in _STORAGES.split()),
    *(("torch", name) for name in ("Size", "device", "Tensor", *_TYPES.split())),
    *(("torch.storage", f"{kind}Storage") for kind in ("Untyped", "Typed")),
    *(("torch._utils", f"_rebuild_{what}") for what in _REBUILT.split()),
    *(("torch.jit._pickle", name) for name in _LISTS.split()),
    ("torch", "per_tensor_affine"), ("torch", "per_channel_affine"), ("torch.serialization", "_get_layout"),
    ("torch._tensor", "_rebuild_from_type_v2"), ("torch.nn.parameter", "Parameter"),
    *(("collections", name) for name in ("OrderedDict", "defaultdict", "deque")),
    *(("datetime", name) for name in ("datetime", "timedelta", "date", "time", "timezone")),
    *(("ml_dtypes", name) for name in _BITS.split()),
    *((f"numpy.random.{module}", name) for module, name in
      (text.split(".") for text in f"{_GENERATORS} {_SEEDS} {_CTORS}".split())),
    *(tuple(f"numpy.{text}".rsplit(".", 1)) for text in f"{_KINDS} record recarray matrix".split()),
    ("random", "Random"), ("uuid", "UUID"), ("types", "SimpleNamespace"), ("jax._src.array", "_reconstruct_array"),
    *((module, f"{kind}Path") for module in ("pathlib", "pathlib._local")
      for kind in ("Posix", "Windows", "PurePosix", "PureWindows")),
    ("decimal", "Decimal"), ("fractions", "Fraction"), ("_codecs", "encode"),
    *((module, name) for module in ("builtins", "__builtin__") for name in _PLAIN.split()),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor"),
}  # fmt: skip
_TEXTS = ("UNICODE", "STRING")
_CALLS = frozenset(("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST"))
_MOST_OPCODES, _MOST_ITEMS, _MOST_DIMENSIONS = 20_000_000, 2**26, 64
_EXPONENT = re.compile(r"[eE]\+?([0-9_]+)")


def is_of_python(name: str) -> bool:
    """Whether Python's own library has a name, as far as it can be told without importing anything.

    Args:
        name: `module.name`.
    """
    module, _, attribute = name.rpartition(".")
    known = sys.modules.get(module)
    return module.partition(".")[0] in sys.stdlib_module_names and (known is None or hasattr(known, attribute))


class PickleReport:
    """What pickles in one stream would do.

    Attributes:
        imported: (module, name) that are imported, in order; None for a part that is computed.
        damage: Why reading ended before the end, or "".
        growth: What is wrong with the size of its value, or "".
        over: How many values its stack has at the end beside that of the pickle: none, where pickle wrote it.
        items: How many items its calls make because a number says so.
        pickles: How many pickles ended by STOP.
        calls: Whether anything is called.
        is_whole: Whether nothing follows the last pickle.
    """

    def __init__(self) -> None:
        self.imported: dict[tuple[str | None, str | None], None] = {}
        self.damage = self.growth = ""
        self.calls = self.is_whole = False
        self.pickles = self.over = self.items = 0

    def harmful(self) -> list[str]:
        """The imports that honest files of arrays do not have, as `module.name`."""
        return [
            f"{module or '?'}.{name or '?'}"
            for module, name in self.imported
            if (module, name) not in HARMLESS and f"{module}.".partition(".")[0] != "__torch__"  # of the archive itself
        ]


def read_pickle(file: Any) -> PickleReport:
    """Read the opcodes of one pickle after the other, up to the end of a file or the first byte that is none.

    Args:
        file: File open for reading bytes.
    """
    report = PickleReport()
    while True:
        start = file.tell()
        if not file.read(1):
            report.is_whole = report.pickles > 0
            return report
        file.seek(start)
        imports_more, growth = False, Growth()
        try:
            for module, name in _imports(file, growth, report):
                report.imported[module, name], imports_more = None, True
            report.growth, report.over = report.growth or growth.wrong(), max(report.over, growth.over)
            if report.items > _MOST_ITEMS:
                report.growth = f"is a pickle whose calls make {report.items} items that it does not hold"
        except Exception as error:  # readers of opcodes raise what they like on bytes that are no pickle
            if report.pickles == 0 or imports_more:  # else it may be arrays that follow, as in old files of PyTorch
                report.damage = str(error).splitlines()[0] if str(error) else type(error).__name__
            return report
        report.pickles += 1


class _Name(NamedTuple):
    """A class or function that was imported."""

    module: str | None
    name: str | None


_WRAPPER, _DTYPE = _Name("joblib.numpy_pickle", "NumpyArrayWrapper"), _Name("numpy", "dtype")
_SIZED = frozenset("bytes bytearray ndarray recarray matrix MaskedArray _reconstruct Tensor".split())


@dataclass
class _Made:
    """An array of joblib, another instance of INST, a dtype of NumPy with the text that it is made from, None after its
    state has changed it, a range with its length, or a decimal number with its text."""

    of: _Name
    text: Any = None


def _imports(file: Any, growth: Growth, report: PickleReport) -> Iterator[tuple[str | None, str | None]]:
    """(module, name) of each import up to STOP, found by following the stack."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for count, (opcode, argument) in enumerate(opcodes_in(file)):
        if count > _MOST_OPCODES:
            raise ValueError(f"it has more than {_MOST_OPCODES} opcodes")
        name = opcode.name
        growth.follow(opcode, argument)
        if name.startswith("EXT"):
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
            taken = take(stack, opcode)
            made = _left_by(name, argument, taken)
            if name in _CALLS:
                report.calls = True
                report.items += _items_made(*_call(name, argument, taken))
            if name in ("GLOBAL", "INST", "STACK_GLOBAL"):
                yield made.of if isinstance(made, _Made) else made
            if name == "BUILD":
                yield from _skip_array(file, taken, report)
            stack += left(opcode, made)


def _left_by(name: str, argument: Any, taken: list[Any]) -> Any:
    """What an opcode leaves, if it is a text, a number, a tuple or dict of them, an import or a call of one."""
    if any(word in name for word in _TEXTS) or name.startswith(("INT", "BININT", "LONG")):
        return argument
    if name == "GLOBAL":
        return _Name(*argument)
    if name == "INST":
        return _made_by(*_call(name, argument, taken)) or _Made(_Name(*argument))
    if name == "STACK_GLOBAL":
        return _Name(*(part if isinstance(part, str) else None for part in taken))
    if "TUPLE" in name:
        return tuple(taken)
    if name == "EMPTY_DICT":
        return {}
    if name in ("EMPTY_LIST", "LIST"):
        return taken[:_MOST_DIMENSIONS]
    if name in ("APPEND", "APPENDS") and isinstance(taken[0], list):
        taken[0] += taken[1 : 1 + _MOST_DIMENSIONS - len(taken[0])]
    if name in ("SETITEM", "SETITEMS") and isinstance(taken[0], dict):
        pairs = zip(taken[1::2], taken[2::2], strict=False)
        taken[0].update({key: value for key, value in pairs if isinstance(key, str)})
    if name in _CALLS:
        return _made_by(*_call(name, argument, taken))
    return taken[0] if name in ("SETITEM", "SETITEMS", "APPEND", "APPENDS", "BUILD") and taken else None


def _call(name, argument, taken):
    """What an opcode calls, and with what."""
    if name == "INST":
        return _Name(*argument), tuple(taken)
    return taken[0], taken[1] if name == "REDUCE" and isinstance(taken[1], tuple) else tuple(taken[1:])


def _items_made(called, arguments):
    """How many items, or digits, a call makes because a number says so: those are not in the file."""
    flat, rest = [called], list(arguments)
    while rest and len(flat) < 1000:
        value = rest.pop(0)
        flat.append(value)
        rest += value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    names = {one.name or "" for one in flat if isinstance(one, _Name)}
    items = sum(one.text for one in flat if isinstance(one, _Made) and isinstance(one.text, int))
    if names & _SIZED or any(name.endswith("Storage") for name in names):
        items += math.prod([abs(one) for one in flat if isinstance(one, int)] or [0])
    if names & {"int", "Fraction"}:
        texts = [one.text if isinstance(one, _Made) else one for one in flat]
        items += sum(int(digits) for text in texts if isinstance(text, str) for digits in _EXPONENT.findall(text[:999]))
    return items


def _made_by(called, arguments):
    """What a call of an import gives. A class of joblib may be an argument of what makes its instance."""
    if called == _WRAPPER or _WRAPPER in arguments:
        return _Made(_WRAPPER)
    if called == _DTYPE and arguments and isinstance(arguments[0], str):
        return _Made(_DTYPE, arguments[0])
    name = called.name if isinstance(called, _Name) else None
    if name in ("Size", "tuple", "list", "int"):
        return arguments
    if name == "Decimal" and arguments:  # of a text, or of its sign, digits and exponent
        text = arguments[0]
        return _Made(called, f"e{text[2]}" if isinstance(text, tuple) and len(text) == 3 else str(text))
    if name in ("range", "xrange") and all(isinstance(one, int) for one in arguments):
        start, stop, step = (*arguments, 0, 1)[:3] if arguments[1:] else (0, *(*arguments, 0)[:1], 1)
        return _Made(called, max(0, (stop - start) // (step or 1)))
    return None


def _is_plain(kind):
    """Whether a dtype has values of a known size, none of which is an object."""
    import numpy as np  # it takes a while to import

    return isinstance(kind, _Made) and kind.text is not None and not np.dtype(kind.text).hasobject


def _set_state(made: _Made, state: Any) -> None:
    """The state of a dtype says its parts and size again: where they are not those of its text, it is not known."""
    import numpy as np  # it takes a while to import

    _, _, inner, _, parts, size, *_ = state
    is_known = inner is None and (parts is None or (parts and all(_is_plain(part[0]) for part in parts.values())))
    if not is_known or size not in (-1, np.dtype(made.text).itemsize):
        made.text = None


def _skip_array(file: Any, taken: list[Any], report: PickleReport) -> Iterator[tuple[str | None, str | None]]:
    """After the state of an array of joblib, read over its values, which lie within the pickle, or the imports of the
    pickle that holds them."""
    import numpy as np  # it takes a while to import

    made, state = taken
    if isinstance(made, _Made) and made.of == _DTYPE and made.text is not None:
        _set_state(made, state)
    if not (isinstance(made, _Made) and made.of == _WRAPPER):
        return
    shape, kind = state["shape"], state["dtype"]
    if not _is_plain(kind):
        yield from _imports(file, Growth(), report)
        return
    if state.get("numpy_array_alignment_bytes") is not None:
        file.seek(file.read(1)[0], 1)
    size, place = math.prod(shape) * np.dtype(kind.text).itemsize, file.tell()
    file.seek(0, 2)
    if min(shape, default=0) < 0 or place + size > file.tell():
        raise ValueError(f"it has an array of joblib of {size} bytes, which it does not hold")
    file.seek(place + size)
