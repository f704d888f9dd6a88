"""Small programs without XLA: a fixed list of operations on float32 arrays, executed by one native call."""

import ctypes
import math
import threading
from typing import NamedTuple

import numpy as np

from lamina_native.library import has_small_programs, python_library

__all__ = ["SmallProgram", "View", "has_small_programs"]

# The position in this tuple is the code in src/small_programs.cc.
KINDS = (
    *("copy", "negative", "magnitude", "exp", "exp_less_one", "log", "log_one_more", "tanh", "logistic", "sqrt"),
    *("rsqrt", "erf", "erfc", "add", "subtract", "multiply", "divide", "larger", "smaller", "power"),
    *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "select"),
    *("add_up", "largest", "smallest", "product", "dots"),
)
RANK = 5  # maximum axes of an operation, after contiguous axes are merged
_ALIGNED = 16  # elements per cache line


class _Array(ctypes.Structure):
    _fields_ = (("place", ctypes.c_int64), ("steps", ctypes.c_int64 * RANK))


class _Operation(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int64), ("sizes", ctypes.c_int64 * RANK), ("result", _Array), ("operands", _Array * 3),
    )  # fmt: skip


class View(NamedTuple):
    """A strided view of the memory: offset of the first element, shape, and strides (in elements) along each axis."""

    place: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def is_dense(self):
        """Whether its elements are contiguous, in row-major order."""
        each = zip(self.shape, self.steps, _steps(self.shape), strict=True)
        return all(size == 1 or step == dense for size, step, dense in each)

    def moved(self, place, shape, steps):
        """A view whose first element is `place` elements further on, with another shape and other strides."""
        return View(self.place + place, tuple(shape), tuple(steps))

    def reshaped(self, shape):
        """A dense array in another shape, in which one size may be -1."""
        known = -math.prod(shape)
        shape = tuple(math.prod(self.shape) // known if size == -1 else size for size in shape)
        return View(self.place, shape, _steps(shape))


def _steps(shape):
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


class SmallProgram:
    """Operations from one input to one output. Add them one by one, then call `finish`, then call the program.

    >>> program = SmallProgram((2, 3), (2, 3))
    >>> program.add("tanh", program.output, program.input)
    >>> program.finish()
    >>> program(np.zeros((2, 3), np.float32))
    array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)

    Other arrays (from `array`) can be assigned between calls with `write`. Concurrent calls are serialized.
    """

    def __init__(self, input_shape, output_shape):
        self.size = 0  # elements in its memory
        self._operations = {False: [], True: []}  # True: operations that run only in `finish` and `write`
        self._constants = []
        self._lock = threading.Lock()
        self.input, self.output = self.array(input_shape), self.array(output_shape)

    def array(self, shape, value=None):
        """Allocate a dense array, either with a value or to be written by an operation."""
        view = View(self.size, tuple(shape), _steps(shape))
        self.size += -(-math.prod(shape) // _ALIGNED) * _ALIGNED
        if value is not None:
            self._constants.append((view, value))
        return view

    def add(self, kind, result, *operands, once=False):
        """Add an operation. All operands have the shape of the result.

        The reductions "add_up", "largest" and "smallest" accumulate into the result instead: the result has the shape
        of the operand, with stride 0 along the reduced axes. An operation with `once` runs only in `finish` and
        `write`, not in each call. Raises ValueError if more than five axes remain.
        """
        shape = operands[0].shape
        arrays = (result, *operands)
        kept = [axis for axis, size in enumerate(shape) if size != 1]
        sizes, steps = [], [[] for _ in arrays]
        for axis in kept:
            size, here = shape[axis], [array.steps[axis] for array in arrays]
            if sizes and all(before[-1] == step * size for before, step in zip(steps, here, strict=True)):
                sizes[-1] *= size
                for before, step in zip(steps, here, strict=True):
                    before[-1] = step
            else:
                sizes.append(size)
                for before, step in zip(steps, here, strict=True):
                    before.append(step)
        if len(sizes) > RANK:
            raise ValueError(f"An operation has at most {RANK} axes; got one on arrays of {shape}.")
        _put_longest_last(sizes, steps)
        lead = [1] * (RANK - len(sizes))
        views = [_Array(a.place, (*(0 for _ in lead), *own)) for a, own in zip(arrays, steps, strict=True)]
        self._append(kind, (*lead, *sizes), views, once)

    def add_product(self, result, left, right, transposed=False, once=False):
        """Add result = left @ right, or a product with a transposed right side, which is faster for few columns.

        The left side has shape (outer, rows, parts, inner), like the windows of an image: the inner axis is contiguous,
        the others have any strides. The right side is a dense matrix with parts * inner rows. The result is dense.
        """
        views = [_Array(view.place, view.steps[:3]) for view in (result, left, right)]
        columns = right.shape[0 if transposed else 1]
        self._append("dots" if transposed else "product", (*left.shape, columns), views, once)

    def _append(self, kind, sizes, views, once):
        result, *operands = views
        self._operations[once].append(_Operation(KINDS.index(kind), tuple(sizes), result, tuple(operands)))

    def finish(self):
        """Complete the program, so that it can be called."""
        self._memory = _aligned(self.size)
        for view, value in self._constants:
            self.memory(view)[...] = value
        self._input, self._output = self.memory(self.input), self.memory(self.output)
        self._lists = {once: (_Operation * len(some))(*some) for once, some in self._operations.items()}
        self._calls = {
            once: (ctypes.addressof(some), len(some), self._memory.ctypes.data) for once, some in self._lists.items()
        }
        self._run(self._calls[True])

    def write(self, values):
        """Assign values to dense arrays between calls, given pairs (array, value)."""
        with self._lock:
            for view, value in values:
                self.memory(view)[...] = value
            self._run(self._calls[True])

    def memory(self, view):
        """The memory of a dense array as a NumPy view."""
        return self._memory[view.place : view.place + math.prod(view.shape)].reshape(view.shape)

    def __call__(self, x):
        """The output for an input of the declared shape, as a new array."""
        with self._lock:
            self._input[...] = x
            self._run(self._calls[False])
            return self._output.copy()

    @staticmethod
    def _run(call):
        if python_library.lamina_run_small_program(*call):
            raise MemoryError("There is no memory left to run a small program.")


def _put_longest_last(sizes, steps):
    """Move the longest axis to the end if the last axis is short: one long inner loop is faster than many short
    ones."""
    if sizes and sizes[-1] < _ALIGNED:
        longest = max(range(len(sizes)), key=sizes.__getitem__)
        for numbers in (sizes, *steps):
            numbers.append(numbers.pop(longest))


def _aligned(size):
    whole = np.zeros(size + _ALIGNED, np.float32)
    first = -whole.ctypes.data // 4 % _ALIGNED
    return whole[first : first + size]
