"""Numbers, shapes, plurals and lists in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamina.core.typing import Shape
    from lamina.facts.fact import Fact

__all__ = ["count_of", "list_of", "memory", "product", "shape_of", "shapes_of"]


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """`1 weight`, `1,200 weights`.

    Args:
        number: Whole number.
        noun: What is counted, in the singular.
        plural: Its plural; None adds an s.

    >>> count_of(1200, "weight"), count_of(1, "batch", "batches")
    ('1,200 weights', '1 batch')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shape_of(shape: Shape) -> str:
    """A sample's shape: without the batch, `any` for an open size.

    Args:
        shape: Shape with the batch.

    >>> shape_of((None, 28, 28, 1)), shape_of((None, None, 8))
    ('28 x 28 x 1', 'any x 8')
    >>> shape_of((None, 784)), shape_of((None, None)), shape_of((None,))
    ('784 numbers', 'a row of any length', 'one number')
    """
    if len(shape) == 2:
        return "a row of any length" if shape[1] is None else count_of(shape[1], "number")
    sizes = ["any" if size is None else f"{size:,}" for size in shape[1:]]
    return " x ".join(sizes) if sizes else "one number"


def shapes_of(fact: Fact) -> str:
    """`(None, 3) -> (None, 4)`.

    Args:
        fact: The call.
    """
    sides = [", ".join(map(str, shapes)) for shapes in (fact.inputs, fact.outputs)]
    return " -> ".join(side for side in sides if side)


def list_of(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`.

    Args:
        names: Words.
    """
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"


def product(sizes: Iterable[int | None]) -> str:
    """`3 x 3 x 8`; `1` for no sizes.

    Args:
        sizes: Whole numbers, None for open ones.
    """
    return " x ".join("any" if size is None else f"{size:,}" for size in sizes) or "1"


def memory(size: int) -> str:
    """Bytes in the largest unit below them.

    Args:
        size: Number of bytes.

    >>> memory(0), memory(1536), memory(3 * 2**20)
    ('0 bytes', '1.5 KB', '3.0 MB')
    """
    if size < 1024:
        return f"{size} bytes"
    power = min(int(math.log(size, 1024)), 4)
    return f"{size / 1024**power:.1f} {('bytes', 'KB', 'MB', 'GB', 'TB')[power]}"
