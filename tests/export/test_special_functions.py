"""Functions that formats have no operator for, written out: beside JAX's own, and in the runtimes."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.export.decompositions import DECOMPOSITIONS
from lamina.export.special_functions import SPECIAL

L = keras.layers
GENERATOR = np.random.default_rng(0)
A, B = GENERATOR.uniform(0.1, 20, (2, 300)).astype("float32")
UNIT = np.append(GENERATOR.uniform(0, 1, 298), [0, 1]).astype("float32")
SIGNED = np.concatenate([GENERATOR.uniform(-9, 9, 295), [-2, -1, 0, 1, 2]]).astype("float32")
EDGES = np.array([0, -0.0, np.inf, -np.inf, np.nan, 3.4028235e38, -1.17549435e-38], "float32")
WHOLE = np.append(GENERATOR.integers(-(2**31), 2**31, 300), [0, 1, -1, 2**31 - 1, -(2**31)]).astype("int32")


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("lgamma", (SIGNED,)), ("digamma", (SIGNED,)), ("bessel_i1e", (SIGNED,)), ("zeta", (A + 1.2, B)),
        ("polygamma", (np.floor(A / 5), B)), ("igamma", (A, B)), ("igammac", (A, B)),
        ("regularized_incomplete_beta", (A, B, UNIT)), ("population_count", (WHOLE,)), ("clz", (WHOLE,)),
    ],
)  # fmt: skip
def test_values_are_those_of_jax(name, operands):
    own = {"regularized_incomplete_beta": "betainc"}.get(name, name)
    wanted = np.array(getattr(jax.lax, own)(*operands))
    (made,) = SPECIAL[name](*map(jax.numpy.asarray, operands))
    assert made.dtype == wanted.dtype
    if name == "digamma":
        wanted[operands[0] == 0] = -np.inf  # NaN before JAX 0.12
    finite = np.isfinite(wanted)
    np.testing.assert_allclose(made[finite], wanted[finite], 1e-5, 1e-5)
    np.testing.assert_array_equal(made[~finite], wanted[~finite])


@pytest.mark.parametrize(
    ("name", "operands", "settings", "wanted"),
    [
        ("log2", (A,), {"accuracy": None}, [np.log2(A)]),
        ("one_minus_square", (UNIT,), {}, [1 - UNIT.astype(float) ** 2]),
        ("polynomial", (UNIT, np.float32(1), np.float32(2), np.float32(3)), {}, [1 + UNIT * (2 + 3 * UNIT)]),
        ("unstack", (A.reshape(3, 100),), {"axis": 0}, list(A.reshape(3, 100))),
        ("unstack", (A.reshape(100, 3),), {"axis": 1}, list(A.reshape(100, 3).T)),
        ("empty", (), {"shape": (2, 3), "dtype": np.dtype("int32"), "out_sharding": None}, [np.zeros((2, 3), "int32")]),
    ],
)  # fmt: skip
def test_primitives_of_newer_versions_of_jax(name, operands, settings, wanted):
    made = DECOMPOSITIONS[name](*map(jax.numpy.asarray, operands), **settings)
    assert len(made) == len(wanted)
    for one, other in zip(made, wanted, strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-7)


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_bits_of_numbers(dtype):
    numbers = np.concatenate([SIGNED, EDGES])
    bits = jax.lax.bitcast_convert_type(numbers, dtype)
    (made,) = SPECIAL["bitcast_convert_type"](jax.numpy.asarray(numbers), new_dtype=np.dtype(dtype))
    np.testing.assert_array_equal(made, bits)
    (back,) = SPECIAL["bitcast_convert_type"](bits, new_dtype=np.dtype("float32"))
    np.testing.assert_array_equal(np.asarray(back).view("int32"), numbers.view("int32"))


@pytest.mark.parametrize("ending", ["onnx", "tflite"])
def test_runtimes_compute_them(ending, tmp_path):
    def call(x):
        special, whole = jax.scipy.special, jax.numpy.floor(x * 99).astype("int32")
        return [
            special.gammaln(x * 9 - 4.3), special.digamma(x * 5 + 0.1), special.betainc(x + 0.5, x + 2, x),
            special.gammainc(x + 1, x * 3), special.i1e(x * 9 - 5), special.polygamma(1, x + 0.5),
            jax.lax.population_count(whole), jax.lax.clz(whole), jax.numpy.signbit(x - 0.5),
            jax.lax.bitcast_convert_type(x * 9 - 4, "int32"), jax.numpy.log2(x + 1),
            jax.numpy.polyval(jax.numpy.array([1.0, -2.0, 3.0]), x),
            jax.numpy.searchsorted(jax.numpy.array([0.2, 0.5, 0.7]), x),
        ]  # fmt: skip

    inputs = keras.Input((4,))
    report = keras.Model(inputs, L.Lambda(call)(inputs)).export(tmp_path / f"m.{ending}", verbose=False)
    assert report.difference < 1e-5
