"""Mistakes with ops, and whether the fixes printed for them work."""
# ruff: noqa: E501  (each program is one string)

from tests.mistakes import everyday, first_hour, notebooks, ordinary, unseen
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

START = "from lamina import ops\nx, x1, x2 = {}\n"


def mistake(wrong, right, says=None, values="0, 0, 0", prose=False):
    """A call of an op on arrays x, x1 and x2; `right` is the call that the error prints, unless `says` is another."""
    start = START.format(values)
    return Mistake(start + wrong, start + right, says=says or right, prose=prose)


def pair(op, first, second, right, says=None, prose=False):
    """An op on x1 and x2 of these shapes."""
    values = f"0, np.ones({first}), np.ones({second})"
    return mistake(f"ops.{op}(x1, x2)", right, says, values, prose)


SHAPES = [
    pair("matmul", (2, 3), (4, 5), "ops.matmul(x1, np.ones((3, 5)))", "x2 of shape (3, 5)", prose=True),
    pair("matmul", (2, 3), (2, 3), "keras.ops.matmul(x1, keras.ops.transpose(x2))"),
    pair("matmul", (2, 3), (5, 2), "keras.ops.matmul(x2, x1)"),
    pair("matmul", (4, 2, 3), (4, 2, 3), "keras.ops.matmul(x1, keras.ops.swapaxes(x2, -1, -2))"),
    pair("matmul", (4, 2, 3), (5, 3, 2), "ops.matmul(x1, x2[:1])", "axis -3, or 1", prose=True),
    pair("dot", (3,), (2, 3), "keras.ops.dot(x2, x1)"),
    pair("matmul", (), (3,), "x1 * x2"),
    pair("add", (2, 3), (4, 5), "ops.add(x1[:1], x2[:, :3])", "3 on axis -1, or 1", prose=True),
    pair("add", (2, 3), (2,), "keras.ops.add(x1, x2[:, None])"),
    pair("subtract", (8, 3), (8, 5, 3), "keras.ops.subtract(x1[:, None], x2)"),
    pair("multiply", (2, 3), (3, 2), "keras.ops.multiply(x1, keras.ops.transpose(x2))"),
    pair("tensordot", (2, 3), (2, 4), "ops.tensordot(x1, x2, axes=[[0], [0]])", "axes=[[0], [0]]"),
    mistake("x + x1", "x + x1[:3]", "3 on axis -1", "keras.Input((3,)), np.ones(4), 0", prose=True),
    mistake(
        "ops.matmul(x, x1)", "ops.matmul(x, np.ones((3, 5)))", "(3, 5)", "keras.Input((3,)), np.ones((4, 5)), 0", True
    ),
    mistake(
        "ops.where(x, x1, 0)", "ops.where(x, x1[:3], 0)", "3 on axis -1", "np.ones((2, 3)) > 0, np.ones(4), 0", True
    ),
    mistake(
        "ops.concatenate(x)",
        "xs = x; keras.ops.concatenate(xs, axis=1)",
        "keras.ops.concatenate(xs, axis=1)",
        values="[np.ones((2, 3)), np.ones((2, 4))], 0, 0",
    ),
    mistake(
        "ops.concatenate(x)",
        "ops.concatenate([x[0], x[1][:, :3]])",
        "3 on axis 1",
        "[np.ones((2, 3)), np.ones((3, 4))], 0, 0",
        True,
    ),
    mistake(
        "ops.concatenate(x)",
        "ops.concatenate([x[0][..., None], x[1]])",
        "xs[0][..., None]",
        "[np.ones((2, 3)), np.ones((2, 3, 1))], 0, 0",
        True,
    ),
    mistake(
        "class L(keras.layers.Layer):\n    def call(self, x):\n        return ops.concatenate([x, ops.ones((3, 1))], axis=1)\nL()(x)",
        "class L(keras.layers.Layer):\n    def call(self, x):\n        return ops.concatenate([x, ops.ones((keras.ops.shape(x)[0], 1))], axis=1)\nL()(x)",
        "keras.ops.shape(x)[0]",
        "keras.Input((3,)), 0, 0",
    ),
    mistake(
        "ops.concatenate(x)",
        "ops.concatenate([x[0][None, None], x[1]])",
        "the rank 3",
        "[np.ones(3), np.ones((2, 1, 3))], 0, 0",
        True,
    ),
    mistake("ops.stack(x)", "keras.ops.concatenate(x, axis=0)", values="[np.ones(2), np.ones(3)], 0, 0"),
    mistake(
        "ops.hstack(x)",
        "xs = x; keras.ops.concatenate(xs, axis=0)",
        "keras.ops.concatenate(xs, axis=0)",
        "[np.ones((2, 3)), np.ones((3, 3))], 0, 0",
    ),
    mistake("ops.reshape(x, (4, 2))", "keras.ops.reshape(x, (-1, 2))", values="np.ones((2, 3)), 0, 0"),
    mistake("ops.squeeze(x, 0)", "keras.ops.squeeze(x, axis=2)", values="np.ones((2, 3, 1)), 0, 0"),
    mistake("ops.squeeze(x, 0)", "keras.ops.take(x, 0, 0)", values="np.ones((2, 3)), 0, 0"),
    mistake("ops.split(x, 4)", "keras.ops.split(x, 3, axis=0)", values="np.ones((6, 3)), 0, 0"),
    mistake("ops.split(x, 2)", "keras.ops.array_split(x, 2, axis=0)", values="np.ones((5, 3)), 0, 0"),
    mistake("ops.transpose(x, (0, 2))", "keras.ops.transpose(x, (1, 0))", values="np.ones((5, 3)), 0, 0"),
    mistake("x[:, 0, 0]", "x[:, 0]", values="keras.Input((3,)), 0, 0"),
    mistake("x[::2, 0, 0]", "x[::2, 0]", values="keras.Input((3,)), 0, 0"),
    mistake(
        "ops.einsum('ij,jk->ik', x1, x2)",
        "ops.einsum('ij,jk->ik', x1, x2[:3])",
        "one size of 'j'",
        "0, np.ones((2, 3)), np.ones((4, 5))",
        True,
    ),
    mistake(
        "ops.einsum('ij,jk->iz', x1, x2)",
        "ops.einsum('ij,jk->i', x1, x2)",
        "'ij,jk->i'",
        "0, np.ones((2, 3)), np.ones((3, 5))",
    ),
    mistake(
        "ops.einsum('ijk,jk->ik', x1, x2)",
        "ops.einsum('ij,jk->ik', x1, x2)",
        "'ij'",
        "0, np.ones((2, 3)), np.ones((3, 5))",
        True,
    ),
    mistake(
        "ops.einsum('ij,jk->ik', x1)",
        "ops.einsum('ij,jk->ik', x1, x2)",
        "'ij,jk->ik'",
        "0, np.ones((2, 3)), np.ones((3, 5))",
    ),
]
ARGUMENTS = [
    mistake("ops.sum(x, axis=4)", "ops.sum(x, axis=-1)", "axis=-1", "np.ones((2, 3)), 0, 0"),
    mistake("ops.softmax(x, axis=4)", "ops.softmax(x, axis=-1)", "axis=-1", "keras.Input((3,)), 0, 0"),
    mistake(
        "ops.sum([[1, 2], [3]])",
        "ops.sum(keras.utils.pad_sequences([[1, 2], [3]]))",
        "keras.utils.pad_sequences(",
        prose=True,
    ),
    mistake("ops.relu(None)", "ops.relu(0.0)", "return", prose=True),
    mistake("ops.add(x, '1')", "ops.add(x, np.array('1', dtype='float32'))", "dtype='float32')"),
    mistake(
        "ops.relu(np.array([1, 2], object))",
        "ops.relu(np.array(np.array([1, 2], object), dtype='float32'))",
        "dtype='float32')",
    ),
    mistake("ops.one_hot(x, '3')", "keras.ops.one_hot(x, 3)", values="np.ones(3, int), 0, 0"),
    mistake("ops.norm(x, ord='x')", "ops.norm(x, ord='fro')", "ord='fro'", "np.ones((2, 3)), 0, 0"),
]
REPAIRS = [  # found by trying changes of one argument
    mistake("ops.expand_dims(x, axis=1.5)", "ops.expand_dims(x, axis=1)", "axis=1", "np.ones(3), 0, 0"),
    mistake("ops.logsumexp(x, axis='last')", "ops.logsumexp(x, axis=-1)", "axis=-1", "np.ones((2, 3)), 0, 0"),
    mistake("ops.pad(x, 1, 'reflec')", "ops.pad(x, 1, mode='reflect')", "mode='reflect'", "np.ones(3), 0, 0"),
    mistake("ops.top_k(x, 9)", "ops.top_k(x, k=3)", "k=3", "np.ones((2, 3)), 0, 0"),
    mistake("ops.slice(x, [0, 0], [9, 2])", "ops.slice(x, [0, 0], shape=(4, 2))", "(4, 2)", "np.ones((4, 4)), 0, 0"),
    mistake("ops.zeros((2, -1))", "ops.zeros(shape=(2,))", "shape=(2,)"),
    mistake(
        "ops.take(x, x1)",
        "indices = x1; ops.take(x, keras.ops.cast(indices, 'int32'))".replace("'", '"'),
        'keras.ops.cast(indices, "int32")',
        "np.ones(3), np.ones(2), 0",
    ),
    mistake(
        "ops.bitwise_and(x, x1)",
        'y = x1; x, y = keras.ops.cast(x, "int32"), keras.ops.cast(y, "int32"); ops.bitwise_and(x, y)',
        'x, y = keras.ops.cast(x, "int32"), keras.ops.cast(y, "int32")',
        "np.ones(3), np.ones(3), 0",
    ),
    mistake("ops.depth_to_space(x, 2)", "ops.depth_to_space(x[None], 2)", "x[None]", "np.ones((4, 3, 8)), 0, 0"),
    mistake(
        "ops.average(x, axis=1, weights=x1)",
        "ops.average(x, axis=1, weights=x1[:2])",
        "Give `weights` the shape (2, 3)",
        "np.ones((2, 3)), np.ones((4, 3)), 0",
        True,
    ),
    mistake(
        "ops.vectorized_map(x, x)",
        "ops.vectorized_map(function=lambda x: ..., elements=x) if 0 else 0",
        "function=lambda x: ...",
        "np.ones(3), 0, 0",
    ),
    mistake(
        "ops.scan(lambda carry, x: carry, 0.0, x)",
        "ops.scan(lambda carry, x: (carry, x), 0.0, x)",
        "help(keras.ops.scan)",
        "np.ones(3), 0, 0",
        True,
    ),
]
CALLS = [
    mistake("ops.cross(x, x)", "ops.cross(x[..., :3], x[..., :3])", "x1[..., :3]", "np.ones((2, 4)), 0, 0", True),
    mistake(
        "ops.unstack(keras.Input((None, 3)), axis=1)", "ops.unstack(keras.Input((None, 3)), num=3, axis=1)", "num=3"
    ),
    mistake("ops.unstack(x, 3)", "ops.unstack(x, num=2)", "num=2", "np.ones((2, 3)), 0, 0"),
    mistake(
        "ops.rearrange(x, 'a b')",
        "ops.rearrange(np.ones((1, 2, 2, 1)), 'b h w c -> b (h w) c')",
        "'b h w c -> b (h w) c'",
        "np.ones((2, 3)), 0, 0",
    ),
    mistake(
        "ops.rearrange(x, 'a b -> a')",
        "ops.rearrange(x, 'a b -> b a')",
        "b on both sides",
        "np.ones((2, 3)), 0, 0",
        True,
    ),
    mistake("ops.rearrange(x, 'a -> a')", "ops.rearrange(x, 'b h -> h b')", "'b h'", "np.ones((2, 3)), 0, 0", True),
    mistake(
        "ops.rearrange(x, '(a b) c -> a b c', a=4)",
        "ops.rearrange(x, '(a b) c -> a b c', a=3)",
        "a=3",
        "np.ones((6, 3)), 0, 0",
    ),
    mistake(
        "ops.categorical_crossentropy([0, 1], x)",
        "target = [0, 1]; ops.categorical_crossentropy(keras.ops.one_hot(target, 3), x)",
        "keras.ops.one_hot(target, 3)",
        "np.ones((2, 3)), 0, 0",
    ),
    mistake("ops.fft(x)", "ops.fft((x, keras.ops.zeros_like(x)))", "(x, keras.ops.zeros_like(x))", "np.ones(4), 0, 0"),
    mistake(
        "ops.view_as_complex(x)",
        "ops.view_as_complex(keras.ops.stack([x, keras.ops.zeros_like(x)], axis=-1))",
        "keras.ops.stack([x, keras.ops.zeros_like(x)], axis=-1)",
        "np.ones(4), 0, 0",
    ),
    mistake("ops.stft(x, 4, 2, 3)", "ops.stft(x, 4, 2, fft_length=4)", "fft_length=4", "np.ones(9), 0, 0"),
    mistake(
        "ops.stft(x, 4, 2, 4, window=np.ones(3))",
        "ops.stft(x, 4, 2, 4, window=np.hanning(4))",
        "np.hanning(4)",
        "np.ones(9), 0, 0",
    ),
    mistake("ops.where(x, 1)", "ops.where(x, 1, x2=0)", "x2=0"),
    mistake("ops.nonzero(x)", "keras.ops.where(x, x, 1.0)", "keras.ops.where(", "keras.Input((3,)), 0, 0"),
    mistake("ops.inv(x)", "keras.ops.pinv(x)", values="np.ones((2, 3)), 0, 0"),
    mistake("ops.det(x)", "keras.ops.diag(x)", values="np.ones(3), 0, 0"),
    mistake("ops.cholesky(x)", "keras.ops.cholesky(x + 1e-3 * keras.ops.eye(2))", values="np.ones((2, 2)), 0, 0"),
    mistake(
        "ops.multi_hot(x)",
        "multi_hot = ops.multi_hot; multi_hot(x, num_classes=10)",
        "multi_hot(x, num_classes=10)",
        "np.ones(3, int), 0, 0",
    ),
    mistake(
        "ops.pad(x, 1, 'edge', 3)",
        "ops.pad(x, 1, mode='constant', constant_values=3)",
        "mode='constant'",
        "np.ones(3), 0, 0",
    ),
    mistake("ops.unique(x)", "ops.unique(x, size=10)", "size=10", "keras.Input((3,)), 0, 0"),
    mistake(
        "ops.bincount(x)", "ops.bincount(x, minlength=10)", "minlength=10", "keras.Input((3,), dtype='int32'), 0, 0"
    ),
    mistake(
        "ops.convert_to_numpy(x)",
        "m = keras.Model(x, x + 1); ops.convert_to_numpy(m(np.ones((1, 3))))",
        "Call a model on arrays",
        "keras.Input((3,)), 0, 0",
        True,
    ),
    mistake(
        "ops.convert_to_tensor(x, ragged=True)",
        "ops.convert_to_tensor(x)",
        "Pad to one length",
        "np.ones(3), 0, 0",
        True,
    ),
    mistake(
        "ops.dot_product_attention(x, x, x)",
        "query = x; y = query[None]; ops.dot_product_attention(y, y, y)",
        "query[None]",
        "np.ones((5, 2, 4)), 0, 0",
    ),
    mistake("ops.normalize(x, order=-2)", "ops.normalize(x, order=2)", "order=2", "np.ones(3), 0, 0"),
]
WINDOWS = [
    mistake(
        "ops.conv(x, np.ones((3, 3, 8)))",
        "ops.conv(x, np.ones((3, 4, 8)))",
        "(..., 4, filters)",
        "np.ones((2, 8, 4)), 0, 0",
        True,
    ),
    mistake(
        "ops.conv(x, np.ones((3, 3, 8)))",
        "ops.conv(x, np.ones((3, 3, 8)), data_format='channels_first')",
        "data_format='channels_first'",
        "np.ones((2, 3, 8)), 0, 0",
    ),
    mistake(
        "ops.conv_transpose(x, np.ones((3, 8, 4)))",
        "ops.conv_transpose(np.ones((2, 8, 4)), np.ones((3, 8, 4)))",
        "inputs with 4 channels",
        "np.ones((2, 8, 3)), 0, 0",
        True,
    ),
    mistake(
        "ops.conv(x, np.ones((3, 3, 1, 8)))",
        "inputs = x; ops.conv(inputs[..., None], np.ones((3, 3, 1, 8)))",
        "inputs[..., None]",
        "np.ones((2, 8, 8)), 0, 0",
    ),
    mistake(
        "ops.conv(x, np.ones((3, 8)))",
        "ops.conv(x, np.ones((3, 3, 3, 8)))",
        "(3, 3, 3, 8)",
        "np.ones((2, 8, 8, 3)), 0, 0",
    ),
    mistake(
        "ops.conv(x, np.ones((3, 4, 8)), padding='saem')",
        "ops.conv(x, np.ones((3, 4, 8)), padding='same')",
        "padding='same'",
        "np.ones((2, 8, 4)), 0, 0",
    ),
    mistake(
        "ops.conv(x, np.ones((9, 4, 8)))",
        "ops.conv(x, np.ones((9, 4, 8)), padding='same')",
        "padding='same'",
        "np.ones((2, 8, 4)), 0, 0",
    ),
    mistake(
        "ops.max_pool(x, (2, 2, 2))",
        "ops.max_pool(x, pool_size=(2, 2))",
        "pool_size=(2, 2)",
        "np.ones((2, 8, 8, 4)), 0, 0",
    ),
    mistake("ops.max_pool(x, 2)", "inputs = x; ops.max_pool(inputs[None], 2)", "inputs[None]", "np.ones((8, 4)), 0, 0"),
]
IMAGES = [
    mistake("ops.image.resize(x, 4)", "ops.image.resize(x, size=(4, 4))", "size=(4, 4)", "np.ones((8, 8, 3)), 0, 0"),
    mistake(
        "ops.image.resize(x, (4, 4), 'biliner')",
        "ops.image.resize(x, (4, 4), interpolation='bilinear')",
        "interpolation='bilinear'",
        "np.ones((8, 8, 3)), 0, 0",
    ),
    mistake(
        "ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)",
        "ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=False)",
        "pad_to_aspect_ratio=False",
        "np.ones((8, 8, 3)), 0, 0",
    ),
    mistake(
        "ops.image.resize(x, (4, 4))",
        "images = x; ops.image.resize(images[None], (4, 4))",
        "images[None]",
        "np.ones((8, 8)), 0, 0",
    ),
    mistake(
        "ops.image.rgb_to_grayscale(x)",
        "images = x; ops.image.rgb_to_grayscale(images[..., :3])",
        "images[..., :3]",
        "np.ones((8, 8, 4)), 0, 0",
    ),
    mistake(
        "ops.image.rgb_to_grayscale(x)",
        "images = x; ops.image.rgb_to_grayscale(keras.ops.moveaxis(images, -3, -1))",
        "keras.ops.moveaxis(images, -3, -1)",
        "np.ones((3, 8, 8)), 0, 0",
    ),
    mistake(
        "ops.image.rgb_to_hsv(x)",
        "images = x; ops.image.rgb_to_hsv(images / 255.0)",
        "images / 255.0",
        "np.ones((8, 8, 3), 'uint8'), 0, 0",
    ),
    mistake(
        "ops.image.pad_images(x, top_padding=1, left_padding=1, target_width=9)",
        "ops.image.pad_images(x, left_padding=1, target_width=9, top_padding=0, target_height=8)",
        "top_padding=0, target_height=8",
        "np.ones((8, 8, 3)), 0, 0",
    ),
    mistake(
        "ops.image.crop_images(x, 0, 0, target_height=9, target_width=4)",
        "ops.image.crop_images(x, 0, 0, target_height=8, target_width=4)",
        "at most 8",
        "np.ones((8, 8, 3)), 0, 0",
        True,
    ),
    mistake(
        "ops.image.map_coordinates(x, np.ones((5, 2)), 1)",
        "coordinates = np.ones((5, 2)); ops.image.map_coordinates(x, keras.ops.moveaxis(coordinates, -1, 0), 1)",
        "keras.ops.moveaxis(coordinates, -1, 0)",
        "np.ones((8, 8)), 0, 0",
    ),
    mistake(
        "ops.image.map_coordinates(x, np.ones((2, 5)), 3)",
        "ops.image.map_coordinates(x, np.ones((2, 5)), order=1)",
        "order=1",
        "np.ones((8, 8)), 0, 0",
    ),
    mistake(
        "ops.image.perspective_transform(x, [[0, 0]], [[0, 0]])",
        "p = [[0, 0], [8, 0], [8, 8], [0, 8]]; ops.image.perspective_transform(x, p, p)",
        "[[0, 0], [8, 0], [8, 8], [0, 8]]",
        "np.ones((8, 8, 3)), 0, 0",
    ),
]
BOX = "np.array([[10, 20, 30, 60]]), 0, 0"
CONVERT, ENCODE = "keras.utils.bounding_boxes.convert_format", "keras.utils.bounding_boxes.encode_box_to_deltas"
BOXES = [
    mistake(f"{CONVERT}(x, 'xyxy', 'xywhh')", f"{CONVERT}(x, 'xyxy', 'xywh')", "'xywh'", BOX),
    mistake(
        f"{CONVERT}(x, 'xyxy', 'rel_xyxy')",
        f"{CONVERT}(x, 'xyxy', 'rel_xyxy', height=480, width=640)",
        "height=480, width=640",
        BOX,
    ),
    mistake(
        f"{CONVERT}(x[0], 'xyxy', 'xywh')", f"boxes = x[0]; {CONVERT}(boxes[None], 'xyxy', 'xywh')", "boxes[None]", BOX
    ),
    mistake(
        f"{ENCODE}(x, x, 'xyxy', 'xyxy', variance=[1])",
        f"{ENCODE}(x, x, 'xyxy', 'xyxy', variance=[0.1, 0.1, 0.2, 0.2])",
        "variance=[0.1, 0.1, 0.2, 0.2]",
        BOX,
    ),
]
MISTAKES = [*SHAPES, *ARGUMENTS, *REPAIRS, *CALLS, *WINDOWS, *IMAGES, *BOXES]
MISTAKES += [
    Mistake(
        "x = np.ones(2, 'int32'); keras.ops.grad(keras.ops.sum)(x)",
        "x = np.ones(2, 'int32'); x = keras.ops.cast(x, \"float32\"); keras.ops.grad(keras.ops.sum)(x)",
        'keras.ops.cast(x, "float32")',
    ),
    Mistake(
        "keras.ops.grad(keras.ops.exp)(np.ones(2, 'float32'))",
        "keras.ops.grad(lambda x: keras.ops.sum(keras.ops.exp(x)))(np.ones(2, 'float32'))",
        "keras.ops.sum(y)",
        prose=True,
    ),
]

MISTAKES += [*first_hour.OPS, *everyday.OPS, *notebooks.OPS, *ordinary.OPS, *unseen.OPS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_of_ops_are_tried = fixes_are_tried("lamina/ops", MISTAKES)
test_fixes_of_shapes_are_tried = fixes_are_tried("lamina/core/op_shapes.py", MISTAKES)
test_fixes_of_repairs_are_tried = fixes_are_tried("lamina/core/op_repairs.py", MISTAKES)
test_fixes_of_arguments_are_tried = fixes_are_tried("lamina/core/op_errors.py", MISTAKES)
