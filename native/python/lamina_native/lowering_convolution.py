"""JAX's `conv_general_dilated` as one of the three kernels: the convolution and its two gradients.

JAX writes all three as one primitive: dilations of the left side, and which axes are its batch and channels, tell them
apart.
"""

import math

import jax
import jax.numpy as jnp

from lamina_native.convolution import convolve, convolve_input_gradient, convolve_kernel_gradient
from lamina_native.library import supported
from lamina_native.windows import are_known

__all__ = ["convolution_program"]


def convolution_program(
    lhs, rhs, *, window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, feature_group_count,
    batch_group_count, precision=None, preferred_element_type=None, **_
):  # fmt: skip
    """A function of both sides that computes the primitive with kernels, or None if they do not serve it.

    Args:
        lhs, rhs: What has the shape and dtype of each side.
    """
    problem = _Problem(
        *(lhs, rhs, dimension_numbers, window_strides, padding, lhs_dilation, rhs_dilation),
        *(feature_group_count, batch_group_count, _wants_plain_sums(precision)),
    )
    return problem.program() if problem.is_served(preferred_element_type) else None


def _wants_plain_sums(precision):
    each = precision if isinstance(precision, tuple) else (precision,)
    return any(one == jax.lax.Precision.HIGHEST for one in each)


class _Problem:
    """The settings of one convolution. Settings of axes are lists, in the order of the spatial axes."""

    def __init__(self, lhs, rhs, numbers, strides, padding, left, right, groups, batch_groups, plain_sums):
        self.lhs, self.rhs, self.numbers = lhs, rhs, numbers
        self.strides, self.left, self.right = list(strides), list(left), list(right)  # left, right: dilations
        self.padding = [tuple(pair) for pair in padding]
        self.groups, self.batch_groups, self.plain_sums = groups, batch_groups, plain_sums
        self.space = [lhs.shape[axis] for axis in numbers.lhs_spec[2:]]
        self.window = [rhs.shape[axis] for axis in numbers.rhs_spec[2:]]

    def is_served(self, result_dtype):
        sizes = (*self.lhs.shape, *self.rhs.shape, *self.strides, *self.left, *self.right, *sum(self.padding, ()))
        if not are_known(sizes) or not 1 <= len(self.space) <= 3:
            return False
        if 0 in self.lhs.shape or 0 in self.rhs.shape or min(self.outputs) < 1:
            return False
        one_dtype = self.lhs.dtype == self.rhs.dtype and result_dtype in (None, self.lhs.dtype)
        return one_dtype and supported(self.lhs.dtype)

    @property
    def outputs(self):
        """The spatial sizes of the result."""
        return [
            (_spread(size, left) + sum(pair) - _spread(width, right)) // stride + 1
            for size, pair, width, stride, left, right in zip(
                self.space, self.padding, self.window, self.strides, self.left, self.right, strict=True
            )
        ]

    def program(self):
        """The function of both sides, by the kernel that fits."""
        of_kernel = self._looks_like_kernel_gradient()
        if self.groups > 1 and of_kernel:
            return self._per_group()
        if self.batch_groups > 1 and not of_kernel:
            return None
        if max(self.left) == 1:
            return self._kernel_gradient if of_kernel else self._forward
        if of_kernel and max(self.right) == 1 and self.batch_groups == 1:
            return self._kernel_gradient_of_transposed
        if not of_kernel and max(self.strides) == 1:
            return self._input_gradient
        return self._with_zeros_between()

    def _looks_like_kernel_gradient(self):
        """JAX's gradients of kernels sum over the samples, which are the channels of that convolution, and their
        windows are the outputs of the other one: as large as its results, or larger."""
        batch, channels, *_ = self.numbers.lhs_spec
        is_wide = math.prod(self.window) >= math.prod(self.outputs)
        return self.batch_groups > 1 or (channels < batch and is_wide)

    def _with_zeros_between(self):
        """The same with a left side that is dilated beforehand."""
        axes = dict(zip(self.numbers.lhs_spec[2:], self.left, strict=True))
        config = [(0, 0, axes.get(axis, 1) - 1) for axis in range(len(self.lhs.shape))]

        def widened(lhs):
            return jax.lax.pad(lhs, jnp.zeros((), lhs.dtype), config)

        rest = self._with(lhs=jax.eval_shape(widened, self.lhs), left=[1] * len(self.left))
        program = rest.program()
        return program and (lambda lhs, rhs: program(widened(lhs), rhs))

    def _with(self, **changes):
        same = dict(
            lhs=self.lhs, rhs=self.rhs, numbers=self.numbers, strides=self.strides, padding=self.padding,
            left=self.left, right=self.right, groups=self.groups, batch_groups=self.batch_groups,
            plain_sums=self.plain_sums,
        )  # fmt: skip
        return _Problem(**(same | changes))

    def _per_group(self):
        """Kernel gradients of one sample each, as from `vmap` of a gradient: group after group in a loop."""
        (_, channels, *_), (filters, *_), (_, out_filters, *_) = self.numbers
        lhs, rhs = (
            jax.ShapeDtypeStruct(
                [size // self.groups if axis == cut else size for axis, size in enumerate(side.shape)], side.dtype
            )
            for side, cut in ((self.lhs, channels), (self.rhs, filters))
        )
        single = self._with(lhs=lhs, rhs=rhs, groups=1).program()

        def run(lhs, rhs):
            parts = _split(lhs, channels, self.groups), _split(rhs, filters, self.groups)
            results = jnp.moveaxis(jax.lax.map(lambda pair: single(*pair), parts), 0, out_filters)
            shape = list(results.shape)
            shape[out_filters : out_filters + 2] = [-1]
            return results.reshape(shape)

        return single and run

    # Each side with batch, space, channels; kernels with window, channels, filters

    def _left_side(self, lhs):
        batch, channels, *space = self.numbers.lhs_spec
        return lhs.transpose(batch, *space, channels)

    def _right_side(self, rhs):
        filters, channels, *space = self.numbers.rhs_spec
        return rhs.transpose(*space, channels, filters)

    def _result(self, y):
        """From batch, space, channels to the axes that the result has."""
        batch, channels, *space = self.numbers.out_spec
        order = (batch, *space, channels)
        return y.transpose([order.index(axis) for axis in range(y.ndim)])

    def _settings(self, strides, dilation, padding):
        settings = dict(strides=strides, dilation=dilation, padding=padding)
        return settings | dict(groups=self.groups * self.batch_groups, plain_sums=self.plain_sums)

    def _forward(self, lhs, rhs):
        x = _cut(self._left_side(lhs), [(max(0, -low), max(0, -high)) for low, high in self.padding])
        if 0 in x.shape:  # the windows see nothing but zeros
            return self._result(jnp.zeros((x.shape[0], *self.outputs, rhs.shape[self.numbers.rhs_spec[0]]), x.dtype))
        padding = [(max(0, low), max(0, high)) for low, high in self.padding]
        y = convolve(x, self._right_side(rhs), **self._settings(self.strides, self.right, padding))
        return self._result(y)

    def _input_gradient(self, lhs, rhs):
        """As the gradient of a convolution whose strides are the dilation of the left side, with the kernel flipped."""
        dy, kernel = self._left_side(lhs), jnp.flip(self._right_side(rhs), range(len(self.window)))
        filters, channels = kernel.shape[-2] * self.groups, kernel.shape[-1]
        if self.groups > 1:
            parts = kernel.reshape(*self.window, filters // self.groups, self.groups, channels // self.groups)
            kernel = jnp.moveaxis(parts, (-1, -3), (-3, -1))
        else:
            kernel = kernel.swapaxes(-1, -2)
        kernel = kernel.reshape(*self.window, channels // self.groups, filters)
        axes = zip(self.space, self.outputs, self.window, self.left, self.right, self.padding, strict=True)
        fits = [_fit_inputs(*axis) for axis in axes]
        dy = _cut(dy, [fit[0] for fit in fits])
        if 0 in dy.shape or min(fit[1] for fit in fits) < 1:
            return self._result(jnp.zeros((dy.shape[0], *self.outputs, channels), dy.dtype))
        shape = dy.shape[0], *(fit[1] for fit in fits), channels
        settings = self._settings(self.left, self.right, [fit[2] for fit in fits])
        dx = convolve_input_gradient(dy, kernel, shape, **settings)
        return self._result(jnp.pad(dx, ((0, 0), *(fit[3] for fit in fits), (0, 0))))

    def _kernel_gradient(self, lhs, rhs):
        batch, channels, *space = self.numbers.lhs_spec
        filters, samples, *places = self.numbers.rhs_spec
        x, dy = lhs.transpose(channels, *space, batch), rhs.transpose(samples, *places, filters)
        low = [pair[0] for pair in self.padding]
        return self._result(self._sum_over_samples(x, dy, self.right, low))

    def _kernel_gradient_of_transposed(self, lhs, rhs):
        """The outputs of a transposed convolution are the inputs of the one whose gradient it is, so both sides change
        places, and the result is flipped."""
        batch, channels, *space = self.numbers.lhs_spec
        filters, samples, *places = self.numbers.rhs_spec
        x, dy = rhs.transpose(samples, *places, filters), lhs.transpose(channels, *space, batch)
        axes = zip(self.outputs, self.strides, self.padding, strict=True)
        low = [(size - 1) * step - pair[0] for size, step, pair in axes]
        result = jnp.flip(self._sum_over_samples(x, dy, self.left, low), range(1, x.ndim - 1))
        return self._result(result.swapaxes(0, -1))

    def _sum_over_samples(self, x, dy, steps, low):
        """`convolve_kernel_gradient` of windows that begin `low` before x, `steps` apart; with the axes of samples in
        front: (channels, *window, filters)."""
        cuts, padding = [], []
        axes = zip(x.shape[1:-1], dy.shape[1:-1], steps, self.strides, self.outputs, low, strict=True)
        for size, count, step, dilation, width, before in axes:
            behind = (count - 1) * step + (width - 1) * dilation + 1 - before - size
            cuts.append((max(0, -before), max(0, -behind) if behind <= -step else 0))
            padding.append((max(0, before), max(0, behind)))
        shape = *self.outputs, x.shape[-1] // self.batch_groups, dy.shape[-1]
        x = _cut(x, cuts)
        if 0 in x.shape:
            return jnp.moveaxis(jnp.zeros(shape, x.dtype), -2, 0)
        settings = self._settings(steps, self.strides, padding)
        return jnp.moveaxis(convolve_kernel_gradient(x, dy, shape, **settings), -2, 0)


def _spread(size, dilation):
    return (size - 1) * dilation + 1


def _split(array, axis, parts):
    """That axis cut into parts, which are a new first axis."""
    shape = *array.shape[:axis], parts, array.shape[axis] // parts, *array.shape[axis + 1 :]
    return jnp.moveaxis(array.reshape(shape), axis, 0)


def _cut(x, cuts):
    """Without some elements before and behind, along the spatial axes."""
    if not any(map(any, cuts)):
        return x
    kept = [slice(low, max(low, size - high)) for size, (low, high) in zip(x.shape[1:-1], cuts, strict=True)]
    return x[(slice(None), *kept)]


def _fit_inputs(count, size, width, stride, dilation, padding):
    """Along one axis, how a result of `size` is the gradient of the inputs of a convolution with `count` outputs:
    (elements cut from the outputs before and behind, size of those inputs, padding, zeros around them)."""
    reach = (width - 1) * dilation
    cut_low, cut_high = (max(0, -number) // stride for number in padding)
    count -= cut_low + cut_high
    low = reach - padding[0] - cut_low * stride
    zeros_low, low = max(0, -low), max(0, low)  # the first results see no element of the outputs
    size -= zeros_low
    high = (count - 1) * stride + reach + 1 - size - low
    zeros_high = -high if high <= -stride else 0  # nor do the last
    return (cut_low, cut_high), size - zeros_high, (low, max(0, high)), (zeros_low, zeros_high)
