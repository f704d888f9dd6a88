"""Mistakes with calls of layers and with layers of text and pictures, and whether the fixes printed for them work."""
# ruff: noqa: E501  (each program is one string)

from tests.mistakes import everyday, first_hour, notebooks, ordinary, test_layers, unseen
from tests.mistakes.mistake import fixes_are_tried, fixes_work
from tests.mistakes.test_layers import mistake
from tests.mistakes.unfinished import UNFINISHED


def table(x, rows):
    """Mistakes with an array x: (wrong, right), with the printed part of `right` where it is not all of it; a last True
    says that it is prose."""
    return [mistake(wrong, right, rest[0] if rest else None, x, len(rest) > 1) for wrong, right, *rest in rows]


MERGING = table(
    "np.ones((2, 3))",
    [
        ("layers.Add()(x)", "layers.Add()([x, y])", "Add()([x, y])"),
        ("layers.Subtract()([x])", "layers.Subtract()([x, y])", "Subtract()([x, y])"),
        (
            "layers.Add()([x, x[:, :2]])",
            "y, x = x, x[:, :2]; layers.Add()([y, layers.Dense(3)(x)])",
            "layers.Dense(3)(x)",
        ),
        ("layers.Add().compute_mask(x, [None])", "layers.Add().compute_mask([x], [None])", "inputs=[x, y]", True),
        (
            "layers.Add().compute_mask([x, x], [None])",
            "layers.Add().compute_mask([x, x], mask=[None, None])",
            "mask=[None, None]",
        ),
        (
            "layers.Concatenate()([x, x[None]])",
            "layers.Concatenate()([layers.Reshape((1, 3))(x), x[:, None]])",
            "layers.Reshape((1, 3))(x)",
        ),
        ("layers.Concatenate(axis=3)([x, x])", "layers.Concatenate(axis=-1)([x, x])", "axis=-1"),
        ("layers.Concatenate()([x, x[:1]])", "layers.Concatenate(axis=0)([x, x[:1]])", "axis=0"),
        ("layers.Concatenate()([x, x[:1, :2]])", "layers.Concatenate()([x[:1], x[:1, :2]])", "number of samples", True),
        (
            "z = np.ones((2, 8, 8, 3)); layers.Concatenate()([layers.Conv2D(2, 3)(z), layers.Conv2D(2, 5)(z)])",
            "z = np.ones((2, 8, 8, 3)); layers.Concatenate()([layers.Conv2D(2, 3, padding='same')(z), layers.Conv2D(2, 5, padding='same')(z)])",
            "padding='same'",
        ),
        ("layers.Dot('a')([x, x])", "layers.Dot(axes=-1)([x, x])", "Dot(axes=-1)"),
        (
            "layers.Dot(1)([x[:, 0], x[:, 0]])",
            "z = layers.Reshape((-1,))(x[:, 0]); layers.Dot(1)([z, z])",
            "layers.Reshape((-1,))",
        ),
        ("layers.Dot(2)([x, x])", "layers.Dot(axes=-1)([x, x])", "axes=-1"),
        ("layers.Dot(1)([x, x[:, :2]])", "y = x[:, :2]; layers.Dot(1)([x, layers.Dense(3)(y)])", "layers.Dense(3)(y)"),
        (
            "layers.Dot((1, 1))([np.ones((2, 3, 4)), np.ones((2, 4, 3))])",
            "layers.Dot(axes=(2, 1))([np.ones((2, 3, 4)), np.ones((2, 4, 3))])",
            "axes=(2, 1)",
        ),
        ("layers.Dot(1)([x, x[:1]])", "layers.Dot(1)([x, x])", "number of samples", True),
    ],
)
ATTENTION = table(
    "np.ones((2, 3, 4))",
    [
        ("layers.Attention()(x)", "layers.Attention()([x, x])", "Attention()([x, x])"),
        (
            "layers.Attention()([x, x], mask=x[..., 0])",
            "mask = np.ones((2, 3), bool); layers.Attention()([x, x], mask=[None, mask])",
            "mask=[None, mask]",
        ),
        (
            "layers.MultiHeadAttention(2, 2)(x, x, x[:, :2])",
            "layer = layers.MultiHeadAttention(2, 2); query = value = x; layer(query, value)",
            "layer(query, value)",
        ),
        (
            "layers.MultiHeadAttention(2, 2, attention_axes=2)(x[..., None], x[:, :2, :, None])",
            "layers.MultiHeadAttention(2, 2, attention_axes=(1, 2))(x[..., None], x[:, :2, :, None])",
            "attention_axes=(1, 2)",
        ),
        (
            "layers.MultiHeadAttention(2, 2, attention_axes=(1, 2))(x[..., None], x[..., None], use_causal_mask=True)",
            "layers.MultiHeadAttention(2, 2, attention_axes=(1, 2))(x[..., None], x[..., None], use_causal_mask=False)",
            "use_causal_mask=False",
        ),
        (
            "layers.MultiHeadAttention(2, 2, dropout=0.1, flash_attention=True)",
            "layers.MultiHeadAttention(2, 2, dropout=0.0, flash_attention=True)",
            "dropout=0.0",
        ),
        (
            "layers.MultiHeadAttention(2, 2, flash_attention=True)(x, x, return_attention_scores=True)",
            "layers.MultiHeadAttention(2, 2, flash_attention=False)(x, x, return_attention_scores=True)",
            "flash_attention=False",
        ),
        (
            "layers.Softmax()(x, mask=x[:, :2])",
            "mask = x[..., 0]; layers.Softmax()(x, mask[..., None])",
            "mask[..., None]",
        ),
        (
            "layers.BatchNormalization()(x, training=True, mask=x)",
            "mask = x; layers.BatchNormalization()(x, training=True, mask=mask[..., 0])",
            "mask[..., 0]",
        ),
        (
            "layers.TimeDistributed(layers.Dense(2))(x, mask=np.ones((2, 5)))",
            "layers.TimeDistributed(layers.Dense(2))(x, mask=np.ones((2, 3), bool))",
            "np.ones((2, 3), bool)",
        ),
        ("layers.EinsumDense('ab,bc->ac', 3)(x)", "layers.EinsumDense('...b,bc->...c', 3)(x)", "with '...'", True),
        ("layers.EinsumDense('abc', 3)(x)", "layers.EinsumDense('abc,cd->abd', (None, 3))(x)", "'abc,cd->abd'"),
        (
            "layers.EinsumDense('abc,ce->abd', (None, 3))",
            "layers.EinsumDense('abc,cd->abd', (None, 3))",
            "'abc,cd->abd'",
            True,
        ),
        (
            "layers.EinsumDense('abc,cd->abd', 3)(x)",
            "layers.EinsumDense('abc,cd->abd', output_shape=(None, 32))(x)",
            "output_shape=(None, 32)",
        ),
        (
            "layers.EinsumDense('abc,cd->abd', (5, 3))(x)",
            "layers.EinsumDense('abc,cd->abd', (None, 3))(x)",
            "None in output_shape",
            True,
        ),
        (
            "layers.EinsumDense('abc,cd->abd', (None, 3), bias_axes='c')",
            "layers.EinsumDense('abc,cd->abd', (None, 3), bias_axes='d')",
            "bias_axes='d'",
        ),
        (
            "layers.EinsumDense('abc,cd->abd', (None, 3))(keras.Input((3, None)))",
            "layers.EinsumDense('abc,cd->abd', (None, 3))(keras.Input((3, 4)))",
            "keras.Input(",
            True,
        ),
    ],
)
RECURRENT = table(
    "np.ones((2, 5, 3))",
    [
        (
            "layers.LSTM(2)(keras.Input((5, None)))",
            "layers.LSTM(2)(keras.Input((None, 3)))",
            "keras.Input((None, features))",
            True,
        ),
        (
            "layers.LSTM(2, stateful=True)(keras.Input((5, 3)))",
            "layers.LSTM(2, stateful=True)(keras.Input((5, 3), batch_size=32))",
            "keras.Input((5, 3), batch_size=32)",
        ),
        (
            "l = layers.LSTM(2, stateful=True); l(x); l(x[:1])",
            "l = layers.LSTM(2, stateful=True); l(x); l(x)",
            "that size",
            True,
        ),
        (
            "layers.LSTM(2)(x, initial_state=np.ones((2, 2)))",
            "layers.LSTM(2)(x, initial_state=[np.ones((2, 2)), np.ones((2, 2))])",
            "[hidden, carry]",
            True,
        ),
        (
            "layers.Bidirectional(layers.GRU(2))(x, initial_state=[np.ones((2, 2))])",
            "layers.Bidirectional(layers.GRU(2))(x, initial_state=[np.ones((2, 2))] * 2)",
            "backwards",
            True,
        ),
        (
            "layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2))",
            "layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2, go_backwards=True))",
            "go_backwards=True",
        ),
        (
            "layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2, go_backwards=True, return_state=True))",
            "layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2, go_backwards=True, return_state=False))",
            "return_state=False",
        ),
        (
            "layers.Bidirectional(layers.Dense(2))",
            "layers.Bidirectional(layers.LSTM(32))",
            "Bidirectional(layers.LSTM(32))",
        ),
        ("layers.TimeDistributed(3)", "layers.TimeDistributed(layers.Dense(32))", "TimeDistributed(layers.Dense(32))"),
        ("layers.Repeat(3, 2)", "layers.Repeat(layers.Dense(32), 4)", "Repeat(layers.Dense(32), 4)"),
        (
            "layers.Repeat(layers.Dense(5), 2)(x)",
            "layers.Repeat(layers.Dense(x.shape[-1]), 2)(x)",
            "Dense(inputs.shape[-1])",
            True,
        ),
        (
            "total = keras.Variable(0.0)\nlayers.Repeat(layers.Lambda(lambda x: total.assign_add(1.0) * x), 2)(x)",
            "class Block(layers.Layer):\n    def build(self, input_shape):\n        self.total = self.add_weight(shape=())\n"
            "    def call(self, x):\n        self.total.assign_add(1.0)\n        return x\nlayers.Repeat(Block(), 2)(x)",
            "self.total = self.add_weight(",
            True,
        ),
        (
            "layers.RNN(3)",
            "class C:\n    state_size = 3\n    def call(self, inputs, states):\n        return inputs, states\nlayers.RNN(C())",
            "def call(self, inputs, states)",
        ),
        (
            "class C(layers.LSTMCell):\n    def call(self, inputs, states, training=False):\n        self.add_loss(1.0)\n        return super().call(inputs, states)\nlayers.RNN(C(2))(x)",
            "layers.RNN(layers.LSTMCell(2))(x)",
            "a layer around",
            True,
        ),
        (
            "layers.ConvLSTM1D(2, 3)(keras.Input((5, None, 3)))",
            "layers.ConvLSTM1D(2, 3)(keras.Input((None, 8, 3)))",
            "keras.Input((None, ",
            True,
        ),
        (
            "layers.ConvLSTM1D(2, 3)(x[..., None][:, :, :2])",
            "layers.ConvLSTM1D(2, 3, padding='same')(x[..., None][:, :, :2])",
            "padding='same'",
        ),
    ],
)
PICTURES = table(
    "np.ones((2, 8, 8, 3), 'float32')",
    [
        (
            "layers.PReLU()(keras.Input((None, 3)))",
            "layers.PReLU(shared_axes=[1])(keras.Input((None, 3)))",
            "PReLU(shared_axes=[1])",
        ),
        (
            "layers.Conv2D(4, 3, strides=2, dilation_rate=2)",
            "layers.Conv2D(4, 3, strides=2, dilation_rate=1)",
            "dilation_rate=1",
        ),
        (
            "layers.Conv2D(4, 3)(keras.Input((8, 8, None)))",
            "layers.Conv2D(4, 3)(keras.Input((8, 8, 3)))",
            "keras.Input(",
            True,
        ),
        (
            "layers.Conv2D(5, 3, groups=2)",
            "layers.Conv2D(filters=6, kernel_size=3, groups=2)",
            "filters=6",
        ),
        ("layers.Conv2D(4, 3, groups=2)(x)", "layers.Conv2D(4, 3, groups=1)(x)", "groups=1"),
        (
            "layers.Conv2DTranspose(4, 3, strides=2, output_padding=2)",
            "layers.Conv2DTranspose(4, 3, strides=2, output_padding=None)",
            "output_padding=None",
        ),
        (
            "layers.Cropping2D(cropping=4)(x)",
            "layers.Cropping2D(cropping=((3, 3), (3, 3)))(x)",
            "cropping=((3, 3), (3, 3))",
        ),
        ("layers.GroupNormalization(2)(x)", "layers.GroupNormalization(groups=1)(x)", "GroupNormalization(groups=1)"),
        ("layers.LayerNormalization(axis=5)(x)", "layers.LayerNormalization(axis=-1)(x)", "axis=-1"),
        (
            "layers.LayerNormalization()(keras.Input((3, None)))",
            "layers.LayerNormalization()(keras.Input((3, 4)))",
            "Input(shape=",
            True,
        ),
        (
            "layers.BatchNormalization(renorm=True, renorm_clipping={'rmin': 2.0, 'rmax': 1.0})",
            "layers.BatchNormalization(renorm=True, renorm_clipping={'rmin': 0.5, 'rmax': 2.0, 'dmax': 1.0})",
            "renorm_clipping={'rmin': 0.5, 'rmax': 2.0, 'dmax': 1.0}",
        ),
        (
            "layers.Dropout(0.5, noise_shape=(2, 3, 8, 3))(x, training=True)",
            "layers.Dropout(0.5, noise_shape=(None, 1, 8, 3))(x, training=True)",
            "None stands",
            True,
        ),
        ("layers.Reshape((5, 3))(x)", "layers.Reshape(target_shape=(-1, 3))(x)", "target_shape=(-1, 3)"),
        ("layers.Permute((0, 1))", "layers.Permute(dims=(2, 1))", "dims=(2, 1)"),
        (
            "layers.SpectralNormalization(layers.Flatten())(x)",
            "layers.SpectralNormalization(layers.Dense(32))(x)",
            "SpectralNormalization(layers.Dense(32))",
        ),
        (
            "layers.Pipeline(layers.Dense(3))",
            "layers.Pipeline([layers.Rescaling(1 / 255), layers.RandomFlip('horizontal')])",
            "Pipeline([layers.Rescaling(1 / 255), layers.RandomFlip('horizontal')])",
        ),
        (
            "layers.RandomFlip()({'images': x, 'bounding_boxes': {'boxes': np.ones((2, 1, 4)), 'labels': np.ones((2, 1))}})",
            "layers.RandomFlip(bounding_box_format='xyxy')",
            "bounding_box_format='xyxy'",
            True,
        ),
        (
            "layers.RandomFlip(bounding_box_format='xyxy')({'images': x, 'bounding_boxes': {'boxes': np.ones((2, 1, 4))}})",
            "boxes, labels = np.ones((2, 1, 4)), np.ones((2, 1)); layers.RandomFlip(bounding_box_format='xyxy')({'images': x, 'bounding_boxes': {'boxes': boxes, 'labels': labels}})",
            "{'boxes': boxes, 'labels': labels}",
        ),
        (
            "layers.RandomFlip(bounding_box_format='xyxy')({'images': x, 'bounding_boxes': {'boxes': np.ones(4), 'labels': np.ones(1)}})",
            "layers.RandomFlip(bounding_box_format='xyxy')({'images': x, 'bounding_boxes': {'boxes': np.ones((2, 8, 4)), 'labels': np.ones((2, 8))}})",
            "boxes (2, 8, 4)",
            True,
        ),
        (
            "layers.RandomContrast(0.1, value_range=3)",
            "layers.RandomContrast(0.1, value_range=(0, 255))",
            "value_range=(0, 255)",
        ),
        (
            "layers.MixUp()({'images': x, 'labels': np.array([0, 1])}, training=True)",
            "layers.MixUp()({'images': x, 'labels': keras.utils.to_categorical(np.array([0, 1]))}, training=True)",
            "keras.utils.to_categorical(",
            True,
        ),
        ("layers.Resizing(4, 4)(x[0, 0])", "images = x[0]; layers.Resizing(4, 4)(images[None])", "images[None]"),
        (
            "layers.LocallyConnected1D(2, 3, padding='same')",
            "layers.LocallyConnected1D(2, 3, padding='valid', implementation=1)",
            "padding='valid', implementation=1",
        ),
        (
            "layers.LocallyConnected1D(2, 3)(keras.Input((None, 3)))",
            "layers.LocallyConnected1D(2, 3)(keras.Input((32, 3)))",
            "keras.Input((32, 3))",
        ),
        (
            "layers.ParametricSoftplus()(keras.Input((None, 3)))",
            "layers.ParametricSoftplus(shared_axes=[1])(keras.Input((None, 3)))",
            "shared_axes=[1",
            True,
        ),
    ],
)
WEIGHTS = table(
    "np.ones((2, 3))",
    [
        (
            "class L(layers.Layer):\n    def __init__(self):\n        pass\nL()(x)",
            "class L(layers.Layer):\n    def __init__(self):\n        super().__init__()\nL()",
            "super().__init__()",
            True,
        ),
        (
            "d = layers.Dense(2); d(x); d.set_weights([np.ones((3, 2))])",
            "layer = layers.Dense(2); layer(x); kernel, bias = np.ones((3, 2)), np.ones(2)\n"
            "layer.set_weights([kernel, bias])",
            "layer.set_weights([kernel, bias])",
            True,
        ),
        (
            "d = layers.Dense(2); d(x); d.set_weights([np.ones((2, 3)), np.ones(2)])",
            "d = layers.Dense(2); d(x); value = np.ones((2, 3)); d.set_weights([np.reshape(value, (3, 2)), np.ones(2)])",
            "np.reshape(value, (3, 2))",
        ),
        (
            "layers.Dense(2).count_params()",
            "d = layers.Dense(2); d.build((None, 3)); d.count_params()",
            "build(input_shape)",
            True,
        ),
        (
            "layers.Dense(2).stateless_call([], [], x)",
            "d = layers.Dense(2); d(x); d.stateless_call(d.trainable_variables, [], x)",
            "Call it once",
            True,
        ),
        (
            "d = layers.Dense(2); d(x); d.stateless_call([], [], x)",
            "layer = layers.Dense(2); layer(x); layer.stateless_call(layer.trainable_variables, layer.non_trainable_variables, x)",
            "stateless_call(layer.trainable_variables, layer.non_trainable_variables, x)",
        ),
        (
            "d = layers.Dense(2); d(x); d.load_own_variables({})",
            "d = layers.Dense(2); d(x); d.load_own_variables({'0': np.ones((3, 2)), '1': np.ones(2)})",
            "the shape it was saved with",
            True,
        ),
        (
            "layers.Dense(2, lora_rank=2, kernel_constraint='non_neg')(x); layers.Dense(2, kernel_constraint='non_neg').enable_lora(2)",
            "layers.Dense(2, lora_rank=2)(x)",
            "kernel_constraint",
            True,
        ),
        (
            "layers.Dense(2).enable_lora(2)",
            "d = layers.Dense(2); d.build((None, 3)); d.enable_lora(2)",
            "build(input_shape)",
            True,
        ),
        (
            "d = layers.Dense(2); d(x); d.enable_lora(2); d.enable_lora(2)",
            "d = layers.Dense(2); d(x); d.enable_lora(2)",
            "called once",
            True,
        ),
        (
            "layers.Dense(2).quantize('int8')",
            "d = layers.Dense(2); d.build((None, 3)); d.quantize('int8')",
            "build(shape)",
            True,
        ),
        (
            "d = layers.Dense(2); d(x); d.quantize('int8'); d.quantize('int8')",
            "d = layers.Dense(2); d(x); d.quantize('int8')",
            "float weights",
            True,
        ),
        (
            "d = layers.Dense(2, dtype='float16'); d(x); d.quantize('int8')",
            "d = layers.Dense(2, dtype='bfloat16'); d(x); d.quantize('int8')",
            "bfloat16",
            True,
        ),
        ("keras.Input(None)", "keras.Input((3,))", "shape", True),
        ("layers.InputLayer(input_tensor=x)", "keras.Input(shape=(784,))"),
        ("layers.InputLayer((3,), batch_shape=(2, 3))", "layers.InputLayer(batch_shape=(2, 3))", "batch_shape", True),
        (
            "layers.InputLayer(dtype='int32', input_tensor=keras.Input((3,)))",
            "layers.InputLayer(input_tensor=keras.Input((3,)))",
            "Leave `dtype` out",
            True,
        ),
    ],
)
TEXT = table(
    "np.array(['a', 'b'])",
    [
        ("layers.StringLookup()(x)", "l = layers.StringLookup(); l.adapt(x); l(x)", "adapt(data)", True),
        (
            "layers.StringLookup(vocabulary=['a']).adapt(x)",
            "layers.StringLookup().adapt(x)",
            "without `vocabulary`",
            True,
        ),
        (
            "layers.StringLookup(vocabulary=['a', 'a'])",
            "vocabulary = ['a', 'a']; layers.StringLookup(vocabulary=list(dict.fromkeys(vocabulary)))",
            "vocabulary=list(dict.fromkeys(vocabulary))",
        ),
        (
            "layers.StringLookup(vocabulary=['a', ''], mask_token='')",
            "layers.StringLookup(vocabulary=['a'], mask_token='')",
            "Remove ''",
            True,
        ),
        ("layers.StringLookup(max_tokens=1)", "layers.StringLookup(max_tokens=1000)", "max_tokens=1000"),
        (
            "layers.StringLookup(vocabulary='none.txt')",
            "open('some.txt', 'w').write('a'); layers.StringLookup(vocabulary='some.txt')",
            "one token a line",
            True,
        ),
        ("layers.StringLookup(vocabulary=[1, 2])", "layers.IntegerLookup()", "layers.IntegerLookup()"),
        ("layers.StringLookup(vocabulary=['a'])(np.array([1]))", "layers.IntegerLookup()", "layers.IntegerLookup()"),
        ("layers.IntegerLookup(vocabulary=[1])(x)", "layers.StringLookup()", "layers.StringLookup()"),
        (
            "layers.StringLookup(vocabulary=['a'], num_oov_indices=0)(x)",
            "layers.StringLookup(vocabulary=['a'], num_oov_indices=1)(x)",
            "num_oov_indices=1",
        ),
        (
            "layers.StringLookup().adapt(3)",
            "layers.IntegerLookup().adapt(np.array([1, 2, 3]))",
            "adapt(np.array([1, 2, 3]))",
        ),
        ("layers.StringLookup().adapt('a b')", "layers.StringLookup().adapt(['a b'])", "adapt(['a b'])"),
        (
            "layers.StringLookup.from_config({**layers.StringLookup(vocabulary=['a']).get_config(), 'vocabulary': 'a.txt'})",
            "layers.StringLookup(vocabulary=['a'])",
            "config",
            True,
        ),
        ("layers.TextVectorization(ragged=True)", "layers.TextVectorization(ragged=False)", "ragged=False"),
        (
            "layers.TextVectorization(standardize='lowr')",
            "layers.TextVectorization(standardize='lower')",
            "standardize='lower'",
        ),
        (
            "l = layers.TextVectorization(vocabulary=['a']); l(np.array([['a', 'b']]))",
            "l = layers.TextVectorization(vocabulary=['a'], split=None); l(np.array([['a', 'b']]))",
            "split=None",
        ),
        (
            "layers.HashedCrossing(3)(x)",
            "y = x; layers.HashedCrossing(num_bins=10)((x, y))",
            "HashedCrossing(num_bins=10)((x, y))",
        ),
        (
            "layers.HashedCrossing(3)([x])",
            "y = x; layers.HashedCrossing(num_bins=10)((x, y))",
            "HashedCrossing(num_bins=10)((x, y))",
        ),
        (
            "z = np.array([['a', 'b']]); layers.HashedCrossing(3)((z, z))",
            "x = np.array([['a', 'b']]); layers.HashedCrossing(3)((x[:, 0], x[:, 1]))",
            "(x[:, 0], x[:, 1])",
        ),
        (
            "layers.HashedCrossing(3)((np.ones(2), x))",
            "layers.HashedCrossing(3)((np.ones(2, int), x))",
            "Discretization",
            True,
        ),
        (
            "layers.Hashing(3)(np.ones(2))",
            "layers.Discretization(bin_boundaries=[0.5])(np.ones(2))",
            "Discretization",
            True,
        ),
        (
            "layers.StringLookup(vocabulary=['a'])(np.array(['a', None], object))",
            "x = np.array(['a', None], object); x = [text or '' for text in x]; layers.StringLookup(vocabulary=['a'])(x)",
            "x = [text or '' for text in x]",
            True,
        ),
        (
            "layers.IntegerLookup(vocabulary=[1])(np.array([2**40]))",
            "layers.StringLookup(vocabulary=['1'])(np.array(['1']))",
            "strings",
            True,
        ),
        (
            "layers.IntegerLookup(vocabulary=[1])([[1, 2], [1]])",
            "x = [[1, 2], [1]]; layers.IntegerLookup(vocabulary=[1])(keras.utils.pad_sequences(x))",
            "keras.utils.pad_sequences(x)",
        ),
        (
            "layers.CategoryEncoding(3)(np.array([1, 2]), count_weights=np.ones(2))",
            "layers.CategoryEncoding(3, output_mode='count')(np.array([1, 2]), count_weights=np.ones(2))",
            "output_mode='count'",
        ),
        (
            "layers.CategoryEncoding(3, output_mode='count')(np.array([1, 2]), count_weights=np.ones(3))",
            "layers.CategoryEncoding(3, output_mode='count')(np.array([1, 2]), count_weights=np.ones((2,)))",
            "np.ones((2,))",
        ),
        (
            "layers.Discretization(num_bins=3, bin_boundaries=[1.0])",
            "layers.Discretization(num_bins=None, bin_boundaries=[1.0])",
            "num_bins=None",
        ),
        (
            "layers.Discretization(num_bins=3)(np.ones(2))",
            "l = layers.Discretization(num_bins=3); l.adapt(np.ones(4)); l(np.ones(2))",
            "adapt",
            True,
        ),
        (
            "layers.Discretization(bin_boundaries=[1.0]).adapt(np.ones(2))",
            "layers.Discretization(num_bins=3).adapt(np.ones(2))",
            "num_bins",
            True,
        ),
    ],
)
NUMBERS = table(
    "np.ones((2, 3))",
    [
        (
            "layers.Normalization().adapt(3)",
            "layers.Normalization(axis=None).adapt(np.array([1.0, 2.0, 3.0]))",
            "adapt(np.array([1.0, 2.0, 3.0]))",
        ),
        (
            "layers.Normalization().adapt([[1.0, 2.0]])",
            "layers.Normalization(axis=None).adapt(np.array([1.0, 2.0, 3.0]))",
            "adapt(np.array([1.0, 2.0, 3.0]))",
        ),
        ("layers.Normalization(mean=0.0)", "layers.Normalization(mean=0.0, variance=1.0)", "mean=0.0, variance=1.0"),
        (
            "layers.Normalization(mean=[0.0, 1.0], variance=[1.0])",
            "layers.Normalization(mean=[0.0, 1.0], variance=[1.0, 1.0])",
            "one number for each",
            True,
        ),
        ("layers.Normalization(axis=4)(x)", "layers.Normalization(axis=-1)(x)", "axis=-1"),
        (
            "layers.Normalization()(keras.Input((None,)))",
            "layers.Normalization(axis=None)(keras.Input((None,)))",
            "axis=None",
        ),
        (
            "layers.Normalization(mean=0.0, variance=1.0).adapt(x)",
            "layers.Normalization().adapt(x)",
            "layers.Normalization()",
        ),
        ("layers.Normalization().adapt(iter([]))", "layers.Normalization().adapt(x)", "Pass an array", True),
        (
            "n = layers.Normalization(); n.adapt(x); n.adapt(x[:, :2])",
            "n = layers.Normalization(); n.adapt(x); layers.Normalization().adapt(x[:, :2])",
            "layers.Normalization()",
        ),
    ],
)
OWN = table(
    "np.ones((2, 3))",
    [
        (
            "layers.JaxLayer(lambda params, inputs: inputs)(x)",
            "layers.JaxLayer(lambda inputs: inputs)(x)",
            "init_fn",
            True,
        ),
        (
            "layers.JaxLayer(lambda params, x: x, params=[x])",
            "layers.JaxLayer(lambda params, inputs: inputs, params=[x])",
            "def call_fn(",
            True,
        ),
        (
            "layers.JaxLayer(lambda inputs, epoch: inputs)",
            "layers.JaxLayer(lambda inputs, training: inputs)",
            "def call_fn(",
            True,
        ),
        (
            "layers.JaxLayer(lambda state, inputs: (inputs, [state]), state=x)(x)",
            "layers.JaxLayer(lambda state, inputs: (inputs, state), state=x)(x)",
            "Return (outputs, state)",
            True,
        ),
        (
            "class Reader(layers.Layer):\n    def call(self, inputs, training=None): return layers.Hashing(2)(inputs)\n"
            "Reader()(keras.Input((1,), dtype='string'))",
            "class Reader(layers.Layer):\n    def call(self, inputs): return layers.Hashing(2)(inputs)\n"
            "Reader()(keras.Input((1,), dtype='string'))",
            "def call(self, inputs):",
            True,
        ),
    ],
)
TRIED = table(  # found by trying other inputs and settings
    "np.ones((2, 3))",
    [
        (
            "class L(layers.Layer): pass\nL()(x)",
            "class L(layers.Layer):\n    def call(self, inputs): return inputs\nL()(x)",
            "def call(self, inputs): return inputs",
        ),
        (
            "class L(layers.Layer):\n    def call(self, inputs): return inputs @ self.w\nL()(x)",
            "class L(layers.Layer):\n    def build(self, input_shape):\n"
            "        self.w = self.add_weight(shape=(input_shape[-1], 8))\n"
            "    def call(self, inputs): return inputs @ self.w\nL()(x)",
            "self.w = self.add_weight(shape=(input_shape[-1], 8))",
        ),
        (
            "layers.Bidirectional(layers.LSTM(2))({'a': x[None]})",
            "layers.Bidirectional(layers.LSTM(2))(x[None])",
            "help(keras.layers.Bidirectional)",
            True,
        ),
        ("layers.Add()(None)", "layers.Add()([x, x])", "lack its `return`", True),
        ("layers.BatchNormalization()(object())", "layers.BatchNormalization()(np.array(x))", "(np.array(x))"),
        ("layers.BatchNormalization()(x.astype(str))", "layers.BatchNormalization()(x)", "reads numbers", True),
        (
            "layers.BatchNormalization(name='b')({'a': x})",
            "b = layers.BatchNormalization(); x = {'a': x}; b(x['a'])",
            "b(x['a'])",
        ),
        (
            "layers.CategoryEncoding(3, name='c')(x)",
            'c = layers.CategoryEncoding(3); c(keras.ops.cast(x, "int32"))',
            'c(keras.ops.cast(x, "int32"))',
        ),
        (
            "layers.MultiHeadAttention(2, 2, name='m')(x[None])",
            "m = layers.MultiHeadAttention(2, 2); query = value = x[None]; m(query, value)",
            "m(query, value)",
        ),
        ("layers.Concatenate(axis='a')([x, x])", "layers.Concatenate(axis=-1)([x, x])", "axis=-1"),
        (
            "layers.RNN(layers.LSTMCell(2))({'a': x[None], 'b': x})",
            "layers.RNN(layers.LSTMCell(2))(x[None])",
            "x['a']",
            True,
        ),
        ("layers.Reshape(('a',))", "layers.Reshape(target_shape=(-1,))", "target_shape=(-1,)"),
        ("layers.StringLookup(vocabulary=3)", "layers.StringLookup(vocabulary=['a', 'b'])", "vocabulary=['a', 'b']"),
    ],
)
MISTAKES = [*TRIED, *MERGING, *ATTENTION, *RECURRENT, *PICTURES, *WEIGHTS, *TEXT, *NUMBERS, *OWN, *UNFINISHED["layers"]]
BUT = [
    ("TFSMLayer runs", "TensorFlow is not installed where the tests run."),
    ("TorchModuleWrapper runs", "PyTorch is not installed where the tests run."),
    ("which a compiled program cannot contain", "Only programs of earlier versions reach it."),
    ("has no method {method", "Flax is not installed where the tests run."),
    ("tokens with line breaks", "Only files of earlier versions have such tokens."),
    ("a kernel whose first axes", "Only equations with an uncommon order of axes reach it."),
    ("call returned None", "See test_core.py."),
]

MISTAKES += [*first_hour.LAYERS, *everyday.LAYERS, *notebooks.LAYERS, *ordinary.LAYERS]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_of_layers_are_tried = fixes_are_tried(
    "lamina/layers", [*test_layers.MISTAKES, *MISTAKES, *unseen.LAYERS], BUT
)
test_fixes_of_classes_are_tried = fixes_are_tried("lamina/core/class_errors.py", [*MISTAKES, *ordinary.CORE])
