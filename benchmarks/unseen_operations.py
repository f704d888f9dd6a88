# ruff: noqa: E501
"""Operations of `keras.ops` as models, of the draw of `unseen_models`."""

import numpy as np

from unusual_models import L, graph, ops

__all__ = ["OPERATIONS"]


class Lists(L.Layer):
    """Operations of `keras.ops` that a layer calls, each result an output."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, *inputs):
        return self.function(*inputs)


def of_ops(function, *shapes, dtype=None):
    return lambda: graph(shapes or [(4, 4)], lambda *inputs: Lists(function)(*inputs), dtype)


def definite(x):
    return x @ ops.transpose(x, (0, 2, 1)) + 4 * ops.eye(4)


OPERATIONS = {
    "solve": of_ops(lambda x: [ops.solve(definite(x), x), ops.solve_triangular(ops.tril(definite(x)), x, lower=True)]),
    "qr": of_ops(lambda x: ops.qr(x)), "svd": of_ops(lambda x: ops.svd(x, compute_uv=False)), "eigh": of_ops(lambda x: ops.eigh(definite(x))[0]),
    "norms": of_ops(lambda x: [ops.norm(x, ord="fro", axis=(1, 2)), ops.norm(x, ord=1, axis=-1), ops.norm(x, ord=np.inf, axis=(1, 2)), ops.logdet(definite(x)), ops.slogdet(definite(x))[1]]),
    "lu": of_ops(lambda x: ops.lu_factor(definite(x))[0]), "cholesky": of_ops(lambda x: ops.cholesky(definite(x))), "pinv": of_ops(lambda x: ops.pinv(x)),
    "products": of_ops(lambda x: [ops.cross(x[..., :3], x[..., 1:]), ops.kron(x[:, 0], x[:, 1]), ops.inner(x[0], x[0])[None] + x, ops.vdot(x, x), ops.trace(x, axis1=1, axis2=2), ops.einsum("...ij,...kj->...ik", x, x), ops.einsum("bii->bi", x), ops.tensordot(x, x[0], axes=([2], [0])), ops.cdist(x, x)]),
    "fft2, ifft2": of_ops(lambda x: [*ops.fft2((x, ops.zeros_like(x))), ops.ifft2((x, x))[0], ops.fft((x, x))[1]]),
    "stft, istft": of_ops(lambda x: ops.istft(ops.stft(x, 16, 8, 16), 16, 8, 16), (64,)), "rfft of open time": of_ops(lambda x: ops.irfft(ops.rfft(x, 16), 16), (20,)),
    "frames": of_ops(lambda x: ops.extract_sequences(x, 8, 4), (30,)),
    "segments": of_ops(lambda x: [f(ops.transpose(x), np.array([0, 0, 1, 3]), num_segments=4) for f in (ops.segment_sum, ops.segment_max, ops.segment_min, ops.segment_prod)], (4,)),
    "sorts": of_ops(lambda x: [ops.sort(x, axis=1), ops.argsort(-x, axis=1), *ops.top_k(x, 3), ops.flip(ops.sort(x)), ops.argpartition(x, 1), ops.median(x, axis=(1, 2)), ops.in_top_k(ops.argmax(x[:, 0], -1), x[:, 0], 2), ops.searchsorted(ops.array([0.2, 0.5, 0.8]), x[:, 0, 0]), ops.quantile(x, [0.1, 0.9], axis=-1), ops.digitize(x, [0.3, 0.6])]),
    "updates": of_ops(lambda x: [ops.scatter_update(x, [[0, 1], [0, 2]], ops.zeros((2, 4))), ops.slice_update(x, (0, 1, 1), x[:, :2, :2]), ops.slice(x, (0, 1, 0), (1, 2, 3)), ops.scatter([[1], [3]], ops.sum(x, (0, 2))[:2], (4,)) + x]),
    "image operations": of_ops(lambda x: [ops.image.gaussian_blur(x), ops.image.pad_images(x, 1, 2, target_height=9, target_width=10), ops.image.crop_images(x, 1, 1, target_height=3, target_width=2), ops.image.rgb_to_grayscale(x), ops.image.sobel_edges(x), ops.image.extract_patches(x, (2, 3), strides=(1, 2))], (6, 6, 3)),
    "image places": of_ops(lambda x: [ops.image.perspective_transform(x, np.array([[0, 0], [0, 5], [5, 0], [5, 5]], "float32"), np.array([[1, 0], [0, 5], [5, 1], [4, 5]], "float32")), ops.image.resize(x, (4, 5), antialias=True), ops.image.scale_and_translate(x, (*x.shape[:1], 5, 5, 3), (0.8, 0.8), (0.5, 0.0), (1, 2), "linear")], (6, 6, 3)),
    "blocks of pixels": of_ops(lambda x: [ops.space_to_depth(x, 2), ops.depth_to_space(x, 2), ops.rot90(x, axes=(1, 2))], (4, 4, 4)),
    "running sums": of_ops(lambda x: [ops.cumsum(x, 1), ops.cumsum(x), ops.cumprod(x, -1), ops.associative_scan(ops.maximum, x, axis=1), ops.diff(x, 2, axis=1), ops.trapezoid(x), ops.logaddexp(x, -x), ops.logsumexp(x, axis=(1, 2))]),
    "while by value": of_ops(lambda x: ops.while_loop(lambda n, y: ops.logical_and(n < 9, ops.max(y) < 50), lambda n, y: (n + 1, y * 1.5 + 1), (0, x))),
    "switch": of_ops(lambda x: ops.switch(ops.cast(ops.sum(x) > 0, "int32"), [lambda y: y, lambda y: y * 2 + 1], x)),
    "scan back": of_ops(lambda x: ops.scan(lambda c, y: (ops.tanh(c + y), c - y), ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)), reverse=True)),
    "map, vectorized_map": of_ops(lambda x: [ops.map(lambda r: ops.sum(r) + r, x), ops.vectorized_map(lambda r: r @ ops.transpose(r), x)]),
    "cond of a batch": of_ops(lambda x: ops.where(ops.any(x > 0.9, (1, 2), keepdims=True), ops.relu(x - 0.5), -x)),
    "special functions": of_ops(lambda x: [ops.erfinv(x * 0.9), ops.erf(x), ops.i0(x), ops.sinc(x), ops.cbrt(x), ops.hypot(x, x + 1), ops.nan_to_num(ops.log(x - 0.5)), ops.logaddexp2(x, x), ops.heaviside(x - 0.5, 0.5), ops.trunc(x * 5), ops.fmod(x * 7, 2.0), ops.deg2rad(x), ops.angle(x - 0.5), ops.exp2(x), ops.arctanh(x * 0.5)]),
    "whole numbers": of_ops(lambda x: [ops.gcd(x + 4, 6), ops.mod(x - 3, 2), ops.floor_divide(x - 3, 2), ops.bitwise_xor(x, 5), ops.right_shift(x + 8, 1), ops.one_hot(x, 3), ops.multi_hot(x, 3), ops.bincount(x, minlength=3), ops.power(x + 2, 3), ops.isin(x, [1, 7])], (4,), dtype="int32"),
    "NaNs": of_ops(lambda x: (lambda y: [ops.nanmean(y, -1), ops.nansum(y, 1), ops.nanmax(y, -1), ops.nanstd(y, -1), ops.isnan(y)])(ops.where(x > 0.2, x, np.nan))),
    "ctc_decode": of_ops(lambda x: ops.ctc_decode(x, ops.full_like(x[:, 0, 0], 4, dtype="int32"), strategy="greedy")),
    "gradient inside": of_ops(lambda x: ops.grad(lambda y: ops.sum(ops.sin(y) * y))(x)),
    "fold, unfold": of_ops(lambda x: ops.unfold(x, 2), (3, 6, 6)),
    "windows by hand": of_ops(lambda x: [ops.max_pool(x, 2, 1, "same"), ops.average_pool(x, (3, 2), 2), ops.conv(x, np.ones((2, 2, 3, 2), "float32"), padding="same"), ops.depthwise_conv(x, np.ones((2, 2, 3, 1), "float32"))], (6, 6, 3)),
    "losses": of_ops(lambda a, b: [ops.categorical_crossentropy(ops.softmax(a), ops.softmax(b)), ops.binary_crossentropy(ops.sigmoid(a), ops.sigmoid(b)), ops.normalize(a), ops.moments(b, (1,))[1], ops.psnr(a, b, 1.0)], (5,), (5,)),
}  # fmt: skip
