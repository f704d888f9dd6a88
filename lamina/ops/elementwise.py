"""Functions of each element, or of each pair of elements after broadcasting. Integers become floats where the result
is no integer."""

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import floating, tensor
from lamina.runtime.settings import floatx

__all__ = [
    "abs",
    "absolute",
    "add",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divide_no_nan",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "i0",
    "imag",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "not_equal",
    "power",
    "rad2deg",
    "real",
    "reciprocal",
    "right_shift",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]  # fmt: skip


def unary(function, doc, floats=False, name=None):
    """The op `name(x)` of a jax.numpy function of one array. floats: whether integers are made floats first."""
    prepare = floating if floats else tensor

    def compute(x):
        return function(prepare(x))

    return _public(compute, name or function.__name__, doc)


def binary(function, doc, floats=False, name=None):
    """The op `name(x1, x2)` of a jax.numpy function of two arrays that broadcast."""

    def compute(x1, x2):
        x1, x2 = _operand(x1), _operand(x2)
        return _float_result(function, x1, x2) if floats else function(x1, x2)

    return _public(compute, name or function.__name__, doc)


def bits(function, doc, name):
    """The op `name(x, y)` on the bits of integers or booleans."""

    def compute(x, y):
        return function(_operand(x), _operand(y))

    return _public(compute, name, doc)


def _public(compute, name, doc):
    compute.__name__ = compute.__qualname__ = name
    compute.__module__ = __name__
    compute.__doc__ = doc
    return op(compute, name=name)


def _operand(x):
    """Numbers stay numbers, so that they take the type of the array they meet."""
    return x if isinstance(x, (bool, int, float, complex)) else tensor(x)


def _float_result(function, x1, x2):
    """`function`, whose result is a float: of integers it is floatx."""
    dtype = jnp.result_type(x1, x2)
    if not jnp.issubdtype(dtype, jnp.inexact):
        x1, x2 = jnp.asarray(x1, floatx()), jnp.asarray(x2, floatx())
    return function(x1, x2)


# Arithmetic

add = binary(jnp.add, "x1 + x2.")
subtract = binary(lambda x1, x2: jnp.subtract(x1, x2), "x1 - x2.", name="subtract")
multiply = binary(jnp.multiply, "x1 * x2.")
divide = binary(jnp.true_divide, "x1 / x2, a float also of integers.", floats=True, name="divide")
true_divide = binary(jnp.true_divide, "x1 / x2, a float also of integers.", floats=True, name="true_divide")
floor_divide = binary(jnp.floor_divide, "The largest integer that is at most x1 / x2.")
mod = binary(jnp.mod, "x1 - x2 * floor(x1 / x2): the remainder with the sign of x2.", name="mod")
fmod = binary(jnp.fmod, "The remainder of x1 / x2 with the sign of x1.")
power = binary(jnp.power, "x1 to the power x2.")
negative = unary(jnp.negative, "-x.")
reciprocal = unary(jnp.reciprocal, "1 / x.", floats=True)
absolute = unary(jnp.absolute, "|x|; of a complex number its length.", name="absolute")
abs = absolute
fabs = unary(jnp.fabs, "|x| as a float.", floats=True)
sign = unary(jnp.sign, "-1, 0 or 1: the sign of x.")
square = unary(jnp.square, "x * x.")
sqrt = unary(jnp.sqrt, "The square root of x.", floats=True)
cbrt = unary(jnp.cbrt, "The real cube root of x.", floats=True)
gcd = binary(jnp.gcd, "The greatest common divisor of two integers.")
lcm = binary(jnp.lcm, "The least common multiple of two integers.")
maximum = binary(jnp.maximum, "The larger of x1 and x2; NaN if one is NaN.")
minimum = binary(jnp.minimum, "The smaller of x1 and x2; NaN if one is NaN.")
fmax = binary(jnp.fmax, "The larger of x1 and x2; the other one if one is NaN.")
fmin = binary(jnp.fmin, "The smaller of x1 and x2; the other one if one is NaN.")


@op
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0.

    >>> import lamina as keras
    >>> keras.ops.divide_no_nan(1.0, 0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    x1, x2 = tensor(x1), tensor(x2)
    safe = jnp.where(x2 == 0, jnp.ones_like(x2), x2)
    return jnp.where(x2 == 0, 0, jnp.true_divide(x1, safe))


# Exponentials and logarithms

exp = unary(jnp.exp, "e to the power x.", floats=True)
exp2 = unary(jnp.exp2, "2 to the power x.", floats=True)
expm1 = unary(jnp.expm1, "exp(x) - 1, exact for small x.", floats=True)
log = unary(jnp.log, "The natural logarithm of x.", floats=True)
log10 = unary(jnp.log10, "The logarithm of x to base 10.", floats=True)
log1p = unary(jnp.log1p, "log(1 + x), exact for small x.", floats=True)
log2 = unary(jnp.log2, "The logarithm of x to base 2.", floats=True)
logaddexp = binary(jnp.logaddexp, "log(exp(x1) + exp(x2)) without overflow.", floats=True, name="logaddexp")
logaddexp2 = binary(jnp.logaddexp2, "log2(2**x1 + 2**x2) without overflow.", floats=True, name="logaddexp2")
ldexp = binary(lambda x1, x2: jnp.ldexp(floating(x1), x2), "x1 * 2**x2 for an integer x2.", name="ldexp")

# Trigonometry

sin = unary(jnp.sin, "The sine of x radians.", floats=True)
cos = unary(jnp.cos, "The cosine of x radians.", floats=True)
tan = unary(jnp.tan, "The tangent of x radians.", floats=True)
arcsin = unary(jnp.arcsin, "The angle in [-pi/2, pi/2] whose sine is x.", floats=True, name="arcsin")
arccos = unary(jnp.arccos, "The angle in [0, pi] whose cosine is x.", floats=True, name="arccos")
arctan = unary(jnp.arctan, "The angle in (-pi/2, pi/2) whose tangent is x.", floats=True, name="arctan")
arctan2 = binary(jnp.arctan2, "The angle in (-pi, pi] of the point (x2, x1).", floats=True, name="arctan2")
sinh = unary(jnp.sinh, "The hyperbolic sine of x.", floats=True)
cosh = unary(jnp.cosh, "The hyperbolic cosine of x.", floats=True)
tanh = unary(jnp.tanh, "The hyperbolic tangent of x.", floats=True)
arcsinh = unary(jnp.arcsinh, "The number whose hyperbolic sine is x.", floats=True, name="arcsinh")
arccosh = unary(jnp.arccosh, "The positive number whose hyperbolic cosine is x.", floats=True, name="arccosh")
arctanh = unary(jnp.arctanh, "The number whose hyperbolic tangent is x.", floats=True, name="arctanh")
hypot = binary(jnp.hypot, "sqrt(x1**2 + x2**2) without overflow.", floats=True)
sinc = unary(jnp.sinc, "sin(pi x) / (pi x), and 1 at 0.", floats=True)
deg2rad = unary(jnp.deg2rad, "Degrees in radians.", floats=True, name="deg2rad")
rad2deg = unary(jnp.rad2deg, "Radians in degrees.", floats=True, name="rad2deg")
i0 = unary(jnp.i0, "The modified Bessel function of the first kind, order 0.", floats=True)

# Rounding

ceil = unary(jnp.ceil, "The smallest whole number not below x.", floats=True)
floor = unary(jnp.floor, "The largest whole number not above x.", floats=True)
trunc = unary(jnp.trunc, "x without its fraction.")


@op
def round(x, decimals=0):
    """x rounded to `decimals` places, halves to the even neighbour."""
    return jnp.round(tensor(x), decimals)


@op(settings=("x_min", "x_max"))
def clip(x, x_min, x_max):
    """x limited to [x_min, x_max].

    >>> import lamina as keras
    >>> keras.ops.clip([-2, 0, 2], -1, 1)
    Array([-1,  0,  1], dtype=int32)
    """
    x = tensor(x)
    x = x.astype("int32") if x.dtype == bool else x
    return jnp.clip(x, x_min, x_max)


@op
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with NaN, inf and -inf replaced; None means the largest and smallest finite numbers."""
    return jnp.nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)


# Comparison and logic

equal = binary(jnp.equal, "Whether x1 == x2.")
not_equal = binary(jnp.not_equal, "Whether x1 != x2.")
less = binary(jnp.less, "Whether x1 < x2.")
less_equal = binary(jnp.less_equal, "Whether x1 <= x2.")
greater = binary(jnp.greater, "Whether x1 > x2.")
greater_equal = binary(jnp.greater_equal, "Whether x1 >= x2.")
logical_and = binary(jnp.logical_and, "Whether both are true (not zero).")
logical_or = binary(jnp.logical_or, "Whether one or both are true (not zero).")
logical_xor = binary(jnp.logical_xor, "Whether exactly one is true (not zero).")
logical_not = unary(jnp.logical_not, "Whether x is false (zero).")
isfinite = unary(jnp.isfinite, "Whether x is neither infinite nor NaN.")
isinf = unary(jnp.isinf, "Whether x is infinite.")
isnan = unary(jnp.isnan, "Whether x is NaN.")
isneginf = unary(jnp.isneginf, "Whether x is -inf.", name="isneginf")
isposinf = unary(jnp.isposinf, "Whether x is inf.", name="isposinf")
isreal = unary(jnp.isreal, "Whether the imaginary part of x is zero.")
signbit = unary(jnp.signbit, "Whether the sign bit of x is set (also of -0.0).")
nextafter = binary(jnp.nextafter, "The next number from x1 towards x2 that the type can hold.", floats=True)
heaviside = binary(jnp.heaviside, "0 below zero, 1 above it, and x2 at zero.", floats=True)


@op
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether |x1 - x2| <= atol + rtol * |x2|."""
    return jnp.isclose(tensor(x1), tensor(x2), rtol, atol, equal_nan)


# Bits

bitwise_and = bits(jnp.bitwise_and, "The bits set in both integers.", name="bitwise_and")
bitwise_or = bits(jnp.bitwise_or, "The bits set in one or both integers.", name="bitwise_or")
bitwise_xor = bits(jnp.bitwise_xor, "The bits set in exactly one of two integers.", name="bitwise_xor")
bitwise_not = unary(jnp.bitwise_not, "Every bit of an integer turned over.", name="bitwise_not")
bitwise_invert = bitwise_not
bitwise_left_shift = bits(jnp.left_shift, "The bits of x moved up by y places.", name="bitwise_left_shift")
bitwise_right_shift = bits(jnp.right_shift, "The bits of x moved down by y places.", name="bitwise_right_shift")
left_shift, right_shift = bitwise_left_shift, bitwise_right_shift

# Complex numbers

conjugate = unary(jnp.conjugate, "The complex conjugate.", name="conjugate")
conj = conjugate
real = unary(jnp.real, "The real part.", name="real")
imag = unary(jnp.imag, "The imaginary part.", name="imag")
angle = unary(jnp.angle, "The angle of a complex number, in radians.", floats=True)
