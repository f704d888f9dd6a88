"""Random shapes beside those of the tables of the tests: LAMINA_NATIVE_SHAPES=SEED:COUNT adds COUNT of each kind.

A shape is made from the seed and its number alone, and its name says both, so that a failure can be run again. They are
small, and lie where loops have their ends: around multiples of the registers' widths, windows as large as the inputs.
"""

import os
import random

SIZES = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65)


def random_cases(make):
    """{name: make(rng)} of as many cases as the environment asks for.

    Args:
        make: Function of a `random.Random` that returns a case of a table.
    """
    seed, _, count = os.environ.get("LAMINA_NATIVE_SHAPES", "0:0").partition(":")
    names = [f"random {seed}:{number}" for number in range(int(count or 20))]
    return {name: make(random.Random(f"{make.__name__} {name}")) for name in names}


def convolution(rng):
    """Space, channels, filters, window, strides, dilation, groups, padding."""
    axes = rng.choice((1, 2, 2, 2, 3))
    window = tuple(rng.randint(1, 5) for _ in range(axes))
    dilation = tuple(rng.choice((1, 1, 1, 2, 3)) for _ in range(axes))
    covered = [(width - 1) * step + 1 for width, step in zip(window, dilation, strict=True)]
    space = tuple(size + rng.randint(0, (40, 14, 6)[axes - 1]) for size in covered)
    strides = tuple(rng.choice((1, 1, 2, 3)) for _ in range(axes))
    kind = rng.choice(("whole", "whole", "grouped", "depthwise"))
    channels = rng.choice(SIZES)
    groups = {"whole": 1, "depthwise": channels, "grouped": rng.choice((2, 3, 4))}[kind]
    if kind == "grouped":
        channels = groups * rng.choice(SIZES[:9])
    filters = groups * (rng.choice((1, 1, 2)) if kind == "depthwise" else rng.choice(SIZES[: 17 if groups == 1 else 9]))
    padding = rng.choice(("SAME", "VALID", tuple((rng.randint(0, 3), rng.randint(0, 3)) for _ in range(axes))))
    return space, channels, filters, window, strides, dilation, groups, padding


def pooling(rng):
    """Space, channels, window, strides, padding."""
    axes = rng.choice((1, 2, 2, 3))
    window = tuple(rng.randint(1, 4) for _ in range(axes))
    space = tuple(width + rng.randint(0, (30, 12, 5)[axes - 1]) for width in window)
    strides = tuple(rng.randint(1, 4) for _ in range(axes))
    return space, rng.choice(SIZES), window, strides, rng.choice(("SAME", "VALID"))


def attention(rng):
    """Batch, queries, keys, heads, size, size of the values."""
    return (
        rng.randint(1, 3),
        *(rng.choice((*SIZES, 70)) for _ in range(2)),
        rng.randint(1, 4),
        *rng.choices(SIZES, k=2),
    )


def sequence(rng):
    """Steps, batch, units."""
    return rng.randint(1, 12), rng.choice(SIZES), rng.choice(SIZES)


def product(rng):
    """Rows, inner size, columns."""
    return tuple(rng.choice((*SIZES, 127, 130, 257)) for _ in range(3))


def rows(rng):
    """Rows and columns of what is normalised."""
    return rng.choice(SIZES), rng.choice((*SIZES, 127, 130, 257))
