"""InceptionV3 as data, for hand-written implementations (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567).

A convolution is (filters, height, width, stride, padding), each followed by batch normalization without a scale and by
ReLU. A stage is a tuple of branches whose outputs are concatenated. A branch is a list of convolutions. It may begin
with "average" (3x3 average pooling, stride 1) or consist only of "max" (3x3 max pooling, stride 2), and may end in a
tuple of parallel convolutions.
"""

__all__ = ["STAGES", "STEM"]


def _c(filters, height=1, width=None, stride=1, padding="same"):
    return filters, height, height if width is None else width, stride, padding


def _valid(filters, size, stride=1):
    return _c(filters, size, size, stride, "valid")


def _small(pooled):
    """A block for 35x35 feature maps."""
    return [_c(64)], [_c(48), _c(64, 5)], [_c(64), _c(96, 3), _c(96, 3)], ["average", _c(pooled)]


def _wide(filters):
    """A block for 17x17 feature maps, with 7x7 convolutions factorized into 1x7 and 7x1."""
    twice = [_c(filters), _c(filters, 7, 1), _c(filters, 1, 7), _c(filters, 7, 1), _c(192, 1, 7)]
    return [_c(192)], [_c(filters), _c(filters, 1, 7), _c(192, 7, 1)], twice, ["average", _c(192)]


def _last():
    """A block for 8x8 feature maps, with branches that branch again."""
    pair = (_c(384, 1, 3), _c(384, 3, 1))
    return [_c(320)], [_c(384), pair], [_c(448), _c(384, 3), pair], ["average", _c(192)]


STEM = [_valid(32, 3, 2), _valid(32, 3), _c(64, 3), "max", _c(80), _valid(192, 3), "max"]
STAGES = [
    _small(32),
    _small(64),
    _small(64),
    ([_valid(384, 3, 2)], [_c(64), _c(96, 3), _valid(96, 3, 2)], ["max"]),
    _wide(128),
    _wide(160),
    _wide(160),
    _wide(192),
    (
        [_c(192), _valid(320, 3, 2)],
        [_c(192), _c(192, 1, 7), _c(192, 7, 1), _valid(192, 3, 2)],
        ["max"],
    ),
    _last(),
    _last(),
]
