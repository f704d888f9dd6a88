"""keras.ops.nn, keras.ops.math and linear algebra: one table, compared with Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina.errors import ConfigError, DataError, ShapeError
from tests.ops.op_checks import assert_same, check_gradients, check_symbolic, check_values, is_float_array

rng = np.random.default_rng(1)


def floats(*shape):
    return rng.normal(size=shape).astype("float32")


def case(name, *args, **kwargs):
    return name, args, kwargs


SPACE = (7, 6, 5)
WINDOW = (3, 2, 3)
LAST, FIRST = "channels_last", "channels_first"


def images(rank, data_format=LAST):
    return floats(4, *SPACE[:rank], 4) if data_format == LAST else floats(4, 4, *SPACE[:rank])


def spatial():
    """Every rank, both data formats, both paddings; strides and dilation in turn."""
    for rank, data_format in ((1, LAST), (1, FIRST), (2, LAST), (2, FIRST), (3, LAST)):
        x, window = images(rank, data_format), WINDOW[:rank]
        for padding, strides, dilation in (("valid", 1, 2), ("same", 2, 1), ("valid", 2, 1), ("same", 1, 2)):
            if (rank == 3 and (padding, strides) != ("same", 2)) or (data_format == FIRST and strides == 2):
                continue
            settings = dict(padding=padding, strides=strides, data_format=data_format)
            yield case("conv", x, floats(*window, 4, 6), dilation_rate=dilation, **settings)
            yield case("conv_transpose", x, floats(*window, 3, 4), dilation_rate=dilation, **settings)
            if rank < 3 and (padding == "same" or data_format == LAST):
                yield case("depthwise_conv", x, floats(*window, 4, 2), dilation_rate=dilation, **settings)
            yield case("max_pool", x, pool_size=2, **settings)
            yield case("average_pool", x, pool_size=3, **settings)
        yield case("adaptive_average_pool", x, output_size=3, data_format=data_format)
        yield case("adaptive_max_pool", x, output_size=(2, 3, 4)[:rank], data_format=data_format)


CONVOLUTIONS = [
    *spatial(),
    case("conv", images(2), floats(3, 2, 2, 6), padding="same", data_format=LAST),
    case("separable_conv", images(2), floats(3, 2, 4, 2), floats(1, 1, 8, 3), padding="same", data_format=LAST),
    case("separable_conv", images(1), floats(3, 4, 2), floats(1, 8, 3), strides=2, data_format=LAST),
    case("max_pool", images(2), pool_size=(3, 2), strides=(3, 2), data_format=LAST),
    *(
        case("conv_transpose", images(1), floats(k, 3, 4), strides=s, padding=p, output_padding=o, data_format=LAST)
        for k, s, p, o in [
            (3, 2, "same", 1),
            (4, 3, "same", 2),
            (2, 3, "valid", 1),
            (5, 2, "same", 0),
            (1, 3, "same", None),
        ]
    ),
]

PROBABILITIES = np.abs(floats(4, 5)) + 0.1
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
CLASSES = np.array([0, 4, 2, 1])
POSITIVE_DEFINITE = (lambda a: a @ a.T + 3 * np.eye(3, dtype="float32"))(floats(3, 3))
QUERY, KEY, VALUE = floats(4, 5, 4, 6), floats(4, 7, 2, 6), floats(4, 7, 2, 6)
MASK = rng.random((4, 1, 5, 7)) > 0.3
MASK[..., 0] = True

NETWORKS = [
    *(case(name, floats(4, 3, 5)) for name in ("normalize", "layer_normalization", "rms_normalization")),
    case("normalize", floats(4, 3, 5), axis=1, order=3),
    case("normalize", floats(4, 3, 5), axis=(1, 2), epsilon=10.0),
    case("layer_normalization", floats(4, 3, 5), floats(5), floats(5), epsilon=1e-3),
    case("layer_normalization", floats(4, 3, 5), floats(3), floats(3), axis=1),
    case("layer_normalization", floats(4, 3, 5), floats(3, 5), floats(3, 5), axis=(1, 2)),
    case("rms_normalization", floats(4, 3, 5), floats(5), epsilon=1e-3),
    case("moments", floats(4, 3, 5), axes=(0, 1)),
    case("moments", floats(4, 3, 5), axes=[2], keepdims=True),
    case("batch_normalization", floats(4, 3, 5), floats(5), np.abs(floats(5)), 2, floats(5), floats(5)),
    case("batch_normalization", floats(4, 3, 5), floats(3), np.abs(floats(3)), 1),
    case("binary_crossentropy", (PROBABILITIES > 0.2).astype("float32"), PROBABILITIES),
    case("binary_crossentropy", (PROBABILITIES > 0.2).astype("float32"), floats(4, 5), from_logits=True),
    case("categorical_crossentropy", PROBABILITIES[::-1].copy(), PROBABILITIES * 2),
    case("categorical_crossentropy", PROBABILITIES, floats(4, 5), from_logits=True),
    case("categorical_crossentropy", floats(4, 5, 2) ** 2, floats(4, 5, 2) ** 2, axis=1),
    case("sparse_categorical_crossentropy", CLASSES, PROBABILITIES),
    case("sparse_categorical_crossentropy", CLASSES[:, None], floats(4, 5), from_logits=True),
    case("one_hot", CLASSES, 5),
    case("one_hot", np.array([-1, 7, 2]), 5, axis=0, dtype="int32"),
    case("multi_hot", np.array([[0, 4], [1, 1], [2, 2], [3, 0]]), 5),
    case("multi_hot", np.array([0, 4]), num_classes=5),
    case("dot_product_attention", QUERY, KEY, VALUE),
    case("dot_product_attention", QUERY, KEY, VALUE, floats(1, 4, 5, 7), MASK, scale=0.3),
    case("dot_product_attention", QUERY, KEY[:, :5], VALUE[:, :5], is_causal=True),
    case("unfold", floats(4, 3, 6, 5), 2),
    case("unfold", floats(4, 3, 6, 5), (2, 3), dilation=2, padding=1, stride=2),
    case("fold", floats(4, 12, 12), (5, 4), 2),
    case("fold", floats(4, 12, 9), (5, 4), 2, padding=1, stride=2),
    *(case("depth_to_space", floats(4, 4, 3, 8), 2, data_format=df) for df in (LAST,)),
    case("depth_to_space", floats(4, 8, 2, 3), 2, data_format=FIRST),
    case("space_to_depth", floats(4, 4, 6, 3), 2),
    case("space_to_depth", floats(4, 3, 4, 6), 2, data_format=FIRST),
    case("psnr", floats(4, 3), floats(4, 3), 2.0),
    case("polar", np.abs(floats(4, 3)), floats(4, 3)),
    case("ctc_loss", rng.integers(1, 5, (4, 3)), floats(4, 8, 5), np.array([3, 2, 1, 3]), np.array([8, 7, 8, 6])),
    case(
        "ctc_loss", np.array([[1, 1], [2, 3], [1, 2], [3, 3]]), floats(4, 6, 5), np.array([2] * 4), np.array([6] * 4), 4
    ),
    case("ctc_decode", floats(4, 8, 5), np.array([8, 7, 8, 6])),
    case("ctc_decode", floats(4, 8, 5), np.array([8, 7, 8, 6]), merge_repeated=False, mask_index=4),
]

MATHEMATICS = [
    case("logsumexp", floats(4, 3), axis=1),
    case("top_k", floats(4, 5), 2),
    case("in_top_k", CLASSES, PROBABILITIES, 2),
    case("in_top_k", np.array([0, 1]), np.ones((2, 3), "float32"), 1),
    *(
        case(n, floats(6, 2), np.array([0, 0, 2, 1, 2, 2]), 4)
        for n in ("segment_sum", "segment_max", "segment_min", "segment_prod")
    ),
    case("segment_sum", floats(6), np.array([0, 0, 1, 1, 2, 2]), num_segments=3, sorted=True),
    case("extract_sequences", floats(4, 9), 4, 2),
    case("cdist", floats(4, 3), floats(5, 3)),
    case("fft", (floats(4, 8), floats(4, 8))),
    *(case(name, (floats(4, 8), floats(4, 8))) for name in ("fft2", "ifft2", "irfft")),
    case("rfft", floats(4, 8)),
    case("rfft", floats(4, 8), 6),
    case("irfft", (floats(4, 5), floats(4, 5)), 7),
    *(
        case("stft", floats(4, 40), 8, 4, 10, window=w, center=c)
        for w, c in (("hann", True), ("hamming", False), (None, True))
    ),
    case("stft", floats(4, 40), 8, 4, 8, window=np.abs(floats(8))),
    *(
        case("istft", (floats(4, 9, 5), floats(4, 9, 5)), 8, 4, 8, window=w, length=n)
        for w, n in (("hann", None), ("hamming", 30))
    ),
    case("scatter", np.array([[0, 1], [2, 0], [0, 1]]), floats(3), (3, 2)),
    case("scatter", np.array([[1], [3]]), floats(2, 2), (4, 2)),
    *(
        case("scatter_update", floats(4, 3), np.array([[0, 1], [2, 0]]), floats(2), reduction=r)
        for r in (None, "add", "max", "min", "mul")
    ),
    case("slice", floats(4, 3), [0, 1], [4, 2]),
    case("slice_update", floats(4, 3), [0, 1], floats(4, 2)),
    case("unstack", floats(4, 3), axis=1),
    case("cast", floats(4, 3) * 9, "int8"),
    case("saturate_cast", floats(4, 3) * 300, "uint8"),
    case("saturate_cast", np.array([-5, 300, 7]), "int8"),
    case("rearrange", floats(4, 6, 3), "b (h s) c -> b c h s", s=2),
    case("det", floats(4, 3, 3)),
    case("slogdet", floats(4, 3, 3)),
    case("logdet", POSITIVE_DEFINITE),
    case("inv", floats(4, 3, 3)),
    case("cholesky", POSITIVE_DEFINITE),
    case("cholesky", POSITIVE_DEFINITE, upper=True),
    case("cholesky_inverse", np.linalg.cholesky(POSITIVE_DEFINITE)),
    case("cholesky_inverse", np.linalg.cholesky(POSITIVE_DEFINITE).T.copy(), upper=True),
    case("eigh", POSITIVE_DEFINITE),
    case("eig", POSITIVE_DEFINITE),
    case("lstsq", floats(5, 3), floats(5, 2)),
    case("lu_factor", floats(3, 3)),
    case("matrix_rank", np.diag(np.array([1, 0, 2], "float32"))),
    case("norm", floats(4, 3)),
    *(case("norm", floats(4, 3), ord=o, axis=(0, 1)) for o in ("fro", "nuc", 1, 2, np.inf)),
    *(case("norm", floats(4, 3), ord=o, axis=1, keepdims=True) for o in (None, 0, 1, 2, 3, -np.inf)),
    case("pinv", floats(4, 3)),
    case("qr", floats(4, 3)),
    case("qr", floats(4, 3), mode="complete"),
    case("solve", floats(3, 3), floats(3, 2)),
    case("solve", floats(3, 3), floats(3)),
    case("solve_triangular", np.tril(floats(3, 3)) + 2 * np.eye(3, dtype="float32"), floats(3, 2), lower=True),
    case("svd", floats(4, 3), full_matrices=False),
    case("svd", floats(4, 3), compute_uv=False),
    case("istft", (floats(4, 9, 5), floats(4, 9, 5)), 8, 4, 8, window=None),
    case("conv", floats(4, 6, 3), floats(2, 3, 4), padding="SAME"),
    case("conv_transpose", floats(4, 6, 3), floats(2, 4, 3), padding="VALID"),
]


def name_of(row):
    return "-".join([row[0], *(str(value) for value in row[2].values() if not isinstance(value, np.ndarray))])


LOOSE = {"pinv": 1e-4, "inv": 1e-4, "istft": 1e-4, "polar": 1e-4}
NOT_SYMBOLIC = {"eig", "scatter", "matrix_rank"}


@pytest.mark.parametrize("row", [*CONVOLUTIONS, *NETWORKS, *MATHEMATICS], ids=name_of)
def test_values_and_symbolic_shapes(row):
    ours = check_values(*row, compiled=row[0] != "rearrange")  # Keras cannot compile that
    if row[0] not in NOT_SYMBOLIC and not isinstance(row[1][0], tuple):
        check_symbolic(ours, *row)


WITHOUT_GRADIENT = {"ctc_decode", "multi_hot", "one_hot", "polar"}
SMOOTH = ("cdist", "stft", "segment_max", "norm", "extract_sequences")
DIFFERENTIABLE = [
    *(row for row in CONVOLUTIONS if row[2].get("data_format") == LAST and row[1][0].ndim < 5),
    *(row for row in NETWORKS if row[0] not in WITHOUT_GRADIENT and any(map(is_float_array, row[1]))),
    *(row for row in MATHEMATICS if row[0] in SMOOTH),
]


def test_points_have_no_distance_to_themselves():
    points = floats(4, 3) + 100
    assert not np.diagonal(lamina.ops.cdist(points, points)).any()


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=name_of)
def test_gradients(row):
    check_gradients(*row)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(dtype):
    x, kernel = (jnp.asarray(value, dtype) for value in (images(2), floats(3, 2, 4, 5)))
    for name, args in {"conv": (x, kernel), "layer_normalization": (x,), "moments": (x, (1, 2))}.items():
        assert_same(getattr(lamina.ops, name)(*args), getattr(keras.ops, name)(*args))
    for pool in ("max_pool", "average_pool"):
        ours, theirs = (
            getattr(ops, pool)(x, 2, 2, padding="same", data_format=LAST) for ops in (lamina.ops, keras.ops)
        )
        assert_same(ours, theirs)
    paths = jnp.asarray(floats(1, 3, 4), dtype)
    for ops in (lamina.ops, keras.ops):
        assert ops.ctc_loss(np.array([[1, 2]]), paths, np.array([2]), np.array([3])).dtype == "float32"
    gradient = jax.grad(lambda w: jnp.sum(lamina.ops.conv(x, w)).astype("float32"))(kernel)
    assert gradient.dtype == dtype and bool(jnp.isfinite(gradient).all())


def test_causal_convolution_sees_no_later_input():
    x, kernel = floats(1, 6, 2), floats(3, 2, 2)
    outputs = lamina.ops.conv(x, kernel, padding="causal")
    x[:, 4:] = 0
    np.testing.assert_array_equal(lamina.ops.conv(x, kernel, padding="causal")[:, :4], outputs[:, :4])
    assert outputs.shape == (1, 6, 2)


def test_beam_search_finds_the_likeliest_labels():
    """Against the sum over all paths of three steps, written out."""
    logits = floats(1, 3, 3)
    labels, scores = lamina.ops.ctc_decode(logits, np.array([3]), strategy="beam_search", beam_width=30, top_paths=2)
    probabilities = np.exp(np.asarray(jax.nn.log_softmax(logits[0])))
    totals = {}
    for path in np.ndindex(3, 3, 3):
        merged = [c for i, c in enumerate(path) if c and (i == 0 or path[i - 1] != c)]
        weight = np.prod([probabilities[t, c] for t, c in enumerate(path)])
        totals[tuple(merged)] = totals.get(tuple(merged), 0) + weight
    best = sorted(totals, key=lambda labels: -totals[labels])[:2]
    assert [tuple(int(c) for c in row if c >= 0) for row in np.asarray(labels)[:, 0]] == best
    np.testing.assert_allclose(np.exp(scores[0]), [totals[labels] for labels in best], rtol=1e-5)


def test_soft_cap_limits_the_logits():
    capped = lamina.ops.dot_product_attention(QUERY * 100, KEY, VALUE, attn_logits_soft_cap=1e-6)
    mean = np.repeat(VALUE.mean(axis=1, keepdims=True), 2, axis=2)
    np.testing.assert_allclose(capped, np.broadcast_to(mean, capped.shape), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ShapeError, lambda ops: ops.conv(floats(2, 5), floats(3, 5, 2))),
        (ShapeError, lambda ops: ops.conv(floats(2, 5, 5), floats(3, 4, 2))),
        (ConfigError, lambda ops: ops.conv(floats(2, 5, 5), floats(3, 5, 2), padding="full")),
        (ConfigError, lambda ops: ops.conv(floats(2, 5, 5), floats(3, 5, 2), strides=(1, 2))),
        (ShapeError, lambda ops: ops.max_pool(floats(2, 5), 2)),
        (ConfigError, lambda ops: ops.max_pool(floats(2, 5, 5), 2, padding="causal")),
        (ShapeError, lambda ops: ops.categorical_crossentropy(floats(2, 5), floats(2, 4))),
        (ShapeError, lambda ops: ops.sparse_categorical_crossentropy(np.zeros(3), floats(2, 4))),
        (DataError, lambda ops: ops.cholesky(-np.eye(2, dtype="float32"))),
        (ShapeError, lambda ops: ops.inv(floats(2, 3))),
        (ConfigError, lambda ops: ops.fft(floats(2, 3))),
        (ShapeError, lambda ops: ops.rearrange(floats(2, 5), "a (b c) -> a b c", b=2)),
        (ShapeError, lambda ops: ops.dot_product_attention(floats(2, 3), floats(2, 3), floats(2, 3))),
        (ConfigError, lambda ops: ops.scatter_update(floats(2), [[0]], floats(1), reduction="mean")),
    ],
)
def test_errors(error, call):
    with pytest.raises(error):
        call(lamina.ops)
