"""Translation of primitives of JAX and of lamina's kernels to operations of a SmallProgram."""

import itertools
import math

import numpy as np

__all__ = ["Translation", "UnsupportedProgram"]

FEW = 8  # with at most this many filters, each filter is a row of dot products

_BINARY = {
    "add": "add", "add_any": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "max": "larger",
    "min": "smaller", "pow": "power", "gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal",
    "eq": "equal", "ne": "not_equal", "and": "multiply", "or": "larger", "xor": "not_equal", "add_bias": "add",
}  # fmt: skip
_UNARY = {
    "neg": "negative", "abs": "magnitude", "exp": "exp", "expm1": "exp_less_one", "log": "log", "tanh": "tanh",
    "log1p": "log_one_more", "logistic": "logistic", "sqrt": "sqrt", "rsqrt": "rsqrt", "erf": "erf",
    "erfc": "erfc",
}  # fmt: skip
_REDUCED = {"reduce_sum": ("add_up", 0.0), "reduce_max": ("largest", -np.inf), "reduce_min": ("smallest", np.inf)}
_DTYPES = ("float32", "bool")  # booleans are stored as the floats 0 and 1
_SAME = ("stop_gradient", "copy", "copy_p", "optimization_barrier")


class UnsupportedProgram(Exception):
    """The program has an unsupported operation, or too much work."""


class Translation:
    """Builds a SmallProgram step by step.

    Args:
        program: SmallProgram without operations.
        max_numbers: Maximum number of elements in the program's memory.
        variables: Values of the jaxpr for variables, which change between calls.
        x: Value of the jaxpr for the input.

    Attributes:
        views: View of each value in the program's memory.
    """

    def __init__(self, program, max_numbers, variables, x):
        self.program, self.max_numbers, self.variables = program, max_numbers, set(variables)
        self.views = {x: program.input}
        self.changing = {x}  # values that depend on the input, not only on variables
        self.once = False  # whether newly added operations run only after variables have changed

    def take(self, step):
        """Add the operations for a step."""
        self.once = self.changing.isdisjoint(step.inputs)
        if not self.once:
            self.changing.update(step.results)
        if any(value.dtype not in _DTYPES for value in step.results):
            raise UnsupportedProgram
        method = getattr(self, f"on_{step.name}", None)
        if method is not None:
            results = method(step)
        elif step.name in _SAME:
            results = [self.view(value) for value in step.inputs]
        elif step.name in _BINARY or step.name in _UNARY:
            results = self._elementwise(_BINARY.get(step.name) or _UNARY[step.name], step)
        elif step.name in _REDUCED:
            results = self.fold(*_REDUCED[step.name], self.view(step.inputs[0]), step.settings["axes"])
        else:
            raise UnsupportedProgram
        self.views.update(zip(step.results, results if isinstance(results, list) else [results], strict=True))
        if self.program.size > self.max_numbers:
            raise UnsupportedProgram

    def view(self, value):
        """The view of a value. A variable or constant is allocated at its first use."""
        view = self.views.get(value)
        if view is None:
            if value.dtype not in _DTYPES or (value.known is None and value not in self.variables):
                raise UnsupportedProgram
            view = self.views[value] = self.program.array(value.shape, value.known)
        return view

    def number(self, value, shape):
        """An array in which every element is the same number."""
        return _broadcast(self.program.array((), value), shape)

    def make(self, kind, shape, *operands):
        """The dense result of an element-wise operation."""
        result = self.program.array(shape)
        self.put(kind, result, *operands)
        return result

    def put(self, kind, result, *operands, once=False):
        """Add an operation."""
        try:
            self.program.add(kind, result, *operands, once=once or self.once)
        except ValueError:  # too many axes
            raise UnsupportedProgram from None

    def dense(self, view):
        """The array itself if it is contiguous, otherwise a contiguous copy."""
        return view if view.is_dense else self.make("copy", view.shape, view)

    def _elementwise(self, kind, step):
        shape = step.results[0].shape
        return self.make(kind, shape, *(_broadcast(self.view(value), shape) for value in step.inputs))

    def on_select_n(self, step):
        if len(step.inputs) != 3 or step.inputs[0].dtype != "bool":
            raise UnsupportedProgram
        return self._elementwise("select", step)

    def on_not(self, step):
        return self._with_number("equal", step, 0.0)

    def _with_number(self, kind, step, number):
        shape = step.results[0].shape
        return self.make(kind, shape, self.view(step.inputs[0]), self.number(number, shape))

    def on_square(self, step):
        view = self.view(step.inputs[0])
        return self.make("multiply", view.shape, view, view)

    def on_integer_pow(self, step):
        return self.on_square(step) if step.settings["y"] == 2 else self._with_number("power", step, step.settings["y"])

    def on_clamp(self, step):
        least, view, most = (_broadcast(self.view(value), step.results[0].shape) for value in step.inputs)
        return self.make("smaller", view.shape, self.make("larger", view.shape, view, least), most)

    def on_convert_element_type(self, step):
        (value,), (result,) = step.inputs, step.results
        if result.dtype != "float32":
            raise UnsupportedProgram
        if value.known is None:
            return self.view(value)
        result.known = np.asarray(value.known, "float32")
        return self.program.array(result.shape, result.known)

    def on_iota(self, step):
        (result,), axis = step.results, step.settings["dimension"]
        sizes = [1] * axis + [-1] + [1] * (len(result.shape) - axis - 1)
        return self.program.array(result.shape, np.arange(result.shape[axis]).reshape(sizes))

    def fold(self, kind, start, view, axes):
        """Reduce an array over some axes with an operation that has a start value."""
        result = self.program.array([size for axis, size in enumerate(view.shape) if axis not in axes])
        self.put("copy", result, self.number(start, result.shape))
        steps = list(result.steps)
        for axis in sorted(axes):
            steps.insert(axis, 0)
        self.put(kind, result.moved(0, view.shape, steps), view)
        return result

    def on_standardize(self, step):
        """Standardize along the last axis."""
        view = self.view(step.inputs[0])
        rank, size = len(view.shape) - 1, view.shape[-1]

        def mean(of):
            total = self.fold("add_up", 0.0, of, (rank,))
            return self.make("multiply", total.shape, total, self.number(1 / size, total.shape))

        def along(of):
            return of.moved(0, view.shape, (*of.steps, 0))

        centered = self.make("subtract", view.shape, view, along(mean(view)))
        variance = mean(self.make("multiply", view.shape, centered, centered))
        epsilon = self.number(step.settings["epsilon"], variance.shape)
        scale = self.make("rsqrt", variance.shape, self.make("add", variance.shape, variance, epsilon))
        return self.make("multiply", view.shape, centered, along(scale))

    # Views of an array

    def on_reshape(self, step):
        if step.settings.get("dimensions") is not None:
            raise UnsupportedProgram
        return self.dense(self.view(step.inputs[0])).reshaped(step.results[0].shape)

    def on_squeeze(self, step):
        return self.on_reshape(step)

    def on_expand_dims(self, step):
        return self.on_reshape(step)

    def on_transpose(self, step):
        view, order = self.view(step.inputs[0]), step.settings["permutation"]
        return view.moved(0, [view.shape[axis] for axis in order], [view.steps[axis] for axis in order])

    def on_broadcast_in_dim(self, step):
        view, shape = self.view(step.inputs[0]), step.results[0].shape
        steps = [0] * len(shape)
        for axis, to in enumerate(step.settings["broadcast_dimensions"]):
            steps[to] = view.steps[axis] if view.shape[axis] == shape[to] else 0
        return view.moved(0, shape, steps)

    def on_slice(self, step):
        view, shape = self.view(step.inputs[0]), step.results[0].shape
        strides = step.settings["strides"] or [1] * len(shape)
        first = sum(start * own for start, own in zip(step.settings["start_indices"], view.steps, strict=True))
        return view.moved(first, shape, [own * by for own, by in zip(view.steps, strides, strict=True)])

    def on_rev(self, step):
        view, axes = self.view(step.inputs[0]), step.settings["dimensions"]
        last = sum((view.shape[axis] - 1) * view.steps[axis] for axis in axes)
        return view.moved(last, view.shape, [-own if axis in axes else own for axis, own in enumerate(view.steps)])

    def on_split(self, step):
        view, axis, first, parts = self.view(step.inputs[0]), step.settings["axis"], 0, []
        for result in step.results:
            parts.append(view.moved(first * view.steps[axis], result.shape, view.steps))
            first += result.shape[axis]
        return parts

    def on_concatenate(self, step):
        whole, axis, first = self.program.array(step.results[0].shape), step.settings["dimension"], 0
        for value in step.inputs:
            self.put("copy", whole.moved(first * whole.steps[axis], value.shape, whole.steps), self.view(value))
            first += value.shape[axis]
        return whole

    def on_pad(self, step):
        number = step.inputs[1].known
        if number is None:
            raise UnsupportedProgram
        return self.padded(self.view(step.inputs[0]), number, step.settings["padding_config"])

    def padded(self, view, number, sides):
        """Pad an array with `number` around and between its elements; `sides`: (before, after, between) per axis."""
        if any(before < 0 or after < 0 for before, after, _ in sides):
            raise UnsupportedProgram
        if not any(map(any, sides)):
            return view
        sizes = [
            size + before + after + (size - 1) * between
            for size, (before, after, between) in zip(view.shape, sides, strict=True)
        ]
        whole = self.program.array(sizes)
        self.put("copy", whole, self.number(number, sizes), once=True)
        first = sum(side[0] * own for side, own in zip(sides, whole.steps, strict=True))
        steps = [own * (side[2] + 1) for side, own in zip(sides, whole.steps, strict=True)]
        self.put("copy", whole.moved(first, view.shape, steps), view)
        return whole

    # Products

    def on_product(self, step):
        if step.settings["transpose_left"] or step.settings["transpose_right"]:
            raise UnsupportedProgram
        return self.product(*map(self.view, step.inputs))

    def product(self, left, right):
        """`left @ right` of two matrices."""
        left = left if left.shape[1] == 1 or left.steps[1] == 1 else self.dense(left)
        rows, inner = left.shape
        result = self.program.array((rows, right.shape[1]))
        windows = left.moved(0, (1, rows, 1, inner), (0, left.steps[0], 0, 1))
        self.program.add_product(result, windows, self.dense(right), once=self.once)
        return result

    def on_dot_general(self, step):
        (left_axes, right_axes), batch = step.settings["dimension_numbers"]
        left, right = map(self.view, step.inputs)
        if any(batch) or tuple(left_axes) != (len(left.shape) - 1,) or tuple(right_axes) != (0,):
            raise UnsupportedProgram
        matrices = self.dense(left).reshaped((-1, left.shape[-1])), self.dense(right).reshaped((right.shape[0], -1))
        return self.product(*matrices).reshaped(step.results[0].shape)

    def on_convolve(self, step):
        """Multiply the windows, which are a view of the inputs, by the kernel."""
        window, kernel = step.settings["window"], self.view(step.inputs[1])
        if window.groups != 1:
            raise UnsupportedProgram
        x = self.padded(self.view(step.inputs[0]), 0.0, _around(window.padding))
        fixed = step.inputs[1] not in self.changing
        return self.windows_times_kernel(x, step.results[0].shape[1:-1], window.strides, window.dilation, kernel, fixed)

    def windows_times_kernel(self, x, space, strides, dilation, kernel, fixed, first=0):
        """For each output, the product of its window of `x` and the kernel. `first` is the offset of the first window.

        Shapes: x (samples, *, channels), kernel (*taps, channels, filters) -> (samples, *space, filters).
        """
        samples, own, (*taps, channels, filters) = x.shape[0], x.steps[1:-1], kernel.shape
        steps = [step * stride for step, stride in zip(own, strides, strict=True)]
        places = [step * rate for step, rate in zip(own, dilation, strict=True)]
        windows = x.moved(first, (samples, *space, *taps, channels), (x.steps[0], *steps, *places, x.steps[-1]))
        few = filters <= FEW
        if few:  # filters first
            axes = (len(taps) + 1, *range(len(taps) + 1))
            kernel = kernel.moved(0, [kernel.shape[axis] for axis in axes], [kernel.steps[axis] for axis in axes])
        if not kernel.is_dense:
            turned = self.program.array(kernel.shape)
            self.put("copy", turned, kernel, once=fixed)
            kernel = turned
        weights = kernel.reshaped((filters, -1) if few else (-1, filters))
        result = self.program.array((samples, *space, filters))
        for sample, of_sample in self._rows(windows, len(space), few or filters % 16 == 0):
            part = result.moved(sample * result.steps[0], result.shape, result.steps)
            self.program.add_product(part, of_sample, weights, few, once=self.once)
        return result

    def _rows(self, windows, rank, accumulates):
        """[(sample index, its windows as (outer, rows, parts, inner))], or one entry for a copy of all samples."""
        samples, *space = windows.shape[: rank + 1]
        *taps, channels = windows.shape[rank + 1 :]
        steps, inner = windows.steps, taps[-1] * channels
        contiguous = steps[-1] == 1 and steps[-2] == channels and inner >= 16
        enough = space[-1] >= 12 or math.prod(space[:-1]) == 1  # enough rows for each product
        if accumulates and contiguous and enough and rank < 3:
            planar = (space[0], steps[1]), (taps[0], steps[3])
            (outer, outer_step), (parts, part_step) = planar if rank == 2 else ((1, 0), (1, 0))
            shape, own = (outer, space[-1], parts, inner), (outer_step, steps[rank], part_step, 1)
            return [(i, windows.moved(i * steps[0], shape, own)) for i in range(samples)]
        rows, inner = samples * math.prod(space), math.prod(taps) * channels
        return [(0, self.dense(windows).moved(0, (1, rows, 1, inner), (0, inner, 0, 1)))]

    def on_convolve_input_gradient(self, step):
        """Transposed convolutions. With a stride of two, every second output uses the same taps of the kernel. Each
        such set of outputs, called a phase, is computed as a convolution."""
        window, cotangent, kernel = step.settings["window"], step.inputs[0], self.view(step.inputs[1])
        shape = step.results[0].shape
        if window.groups != 1:
            raise UnsupportedProgram
        axes = [
            [_Phase(size, taps, stride, rate, low, first) for first in range(min(stride, size))]
            for size, taps, stride, rate, (low, _) in zip(
                shape[1:-1], kernel.shape, window.strides, window.dilation, window.padding, strict=False
            )
        ]
        around = [_Phase.around(phases, size) for phases, size in zip(axes, cotangent.shape[1:-1], strict=True)]
        x = self.padded(self.view(cotangent), 0.0, _around(around))
        whole = self.program.array(shape)
        if not all(phase.places for phases in axes for phase in phases):
            self.put("copy", whole, self.number(0.0, shape), once=True)
        for phases in itertools.product(*axes):
            if all(phase.places for phase in phases):
                weights = self._weights(phases, kernel)
                starts = (phase.start + before for phase, (before, _) in zip(phases, around, strict=True))
                first = sum(start * own for start, own in zip(starts, x.steps[1:], strict=False))
                counts, rates = zip(*((phase.count, phase.rate) for phase in phases), strict=True)
                part = self.windows_times_kernel(
                    x, counts, [1] * len(rates), rates, weights, step.inputs[1] not in self.changing, first
                )
                steps = [own * stride for own, stride in zip(whole.steps[1:-1], window.strides, strict=True)]
                place = sum(phase.first * own for phase, own in zip(phases, whole.steps[1:], strict=False))
                self.put("copy", whole.moved(place, part.shape, (whole.steps[0], *steps, 1)), part)
        return whole

    @staticmethod
    def _weights(phases, kernel):
        """The kernel taps used by the outputs of a phase, with filters before channels."""
        *own, channel_step, filter_step = kernel.steps
        channels, filters = kernel.shape[-2:]
        first = sum(phase.places[0] * step for phase, step in zip(phases, own, strict=True))
        steps = (phase.place_step * step for phase, step in zip(phases, own, strict=True))
        return kernel.moved(
            first, (*(len(phase.places) for phase in phases), filters, channels), (*steps, filter_step, channel_step)
        )


class _Phase:
    """Along one axis, every `stride`-th element of the inputs of a convolution, starting at `first`.

    `places` are the kernel taps that read them, last first. `start` is the output that reads the first element with
    the first of these taps; the output that uses the next tap is `rate` further on.
    """

    def __init__(self, size, window, stride, rate, low, first):
        self.first, self.count = first, len(range(first, size, stride))
        ends = {place: first + low - place * rate for place in reversed(range(window))}
        self.places = [place for place, end in ends.items() if end % stride == 0]
        starts = [ends[place] // stride for place in self.places]
        self.start, self.stop = (starts[0], starts[-1] + self.count) if starts else (0, 0)
        several = len(starts) > 1
        self.rate = starts[1] - starts[0] if several else 1
        self.place_step = self.places[1] - self.places[0] if several else 0

    @staticmethod
    def around(phases, size):
        """(zeros before, zeros after) needed around `size` outputs so that all phases fit."""
        return max(0, *(-phase.start for phase in phases)), max(0, *(phase.stop - size for phase in phases))


def _around(padding):
    return [(0, 0, 0), *((before, after, 0) for before, after in padding), (0, 0, 0)]


def _broadcast(view, shape):
    """Broadcast a scalar, or an array of the last axes, to a shape."""
    lead = len(shape) - len(view.shape)
    steps = [own if size == here else 0 for own, size, here in zip(view.steps, view.shape, shape[lead:], strict=True)]
    return view.moved(0, shape, [0] * lead + steps)
