"""Mistakes in programs of TensorFlow, and what their fixes say. test_data_sets.py tries them."""

from tests.mistakes.mistake import Mistake

TF = "from tests.compat.namespace import tf\n"
COLUMNS = TF + (
    "from lamina.compat.feature_columns import DenseFeatures\nkeys = ['a', 'b']\n"
    "column = tf.feature_column.categorical_column_with_vocabulary_list('a', ['x'])\n"
)
FUNCTION = (
    TF
    + """
@tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
def f(x):
    return x + 1
g = f.get_concrete_function()
"""
)
SQUARE = (
    TF
    + """
@tf.function
def power(a, b):
    return a**b
square = power.get_concrete_function(tf.TensorSpec([], tf.float32), 2)
"""
)
ELEMENTS = (
    TF
    + """
numbers = iter(keras.utils.Dataset.from_tensor_slices([1.0, 2.0]))
class Net(keras.Model):
    def call(self, x):
        return x + next(numbers)
class Sum(keras.Model):
    def call(self, x):
        return x[0] + x[1]
x = np.ones((2, 1))
"""
)
POINT = (
    TF
    + """
class Point(tf.experimental.ExtensionType):
    x: int
    sizes: tuple[int, int] = (1, 2)
"""
)
CHECKPOINT = (
    TF
    + """
tf.train.Checkpoint(v=tf.Variable([1.0, 2.0]), w=tf.Variable(3.0)).write("ckpt")
def restored(**objects):
    return tf.train.Checkpoint(**objects).read("ckpt")
"""
)
EXAMPLE = (
    TF
    + """
def example(**values):
    feature = {name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in values.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
def parsed(feature, a=(1.0, 2.0)):
    features = {"a": feature} if feature else {"b": tf.io.FixedLenFeature([], "float32")}
    return tf.io.parse_single_example(example(a=a), features)
"""
)
ROWS = TF + "open('x.csv', 'w').write('1,2\\n3,4\\n')\n"
RAGGED = TF + "a, b = tf.ragged.constant([[1, 2], [3]]), tf.ragged.constant([[1], [2, 3]])\n"
SPARSE = TF + "x = tf.sparse.from_dense(np.eye(2, dtype='float32'))\n"


def swap(before, wrong, right, says=None):
    """A program with a wrong and a right end; a fix in words where `says` is given."""
    return Mistake(before + wrong, before + right, right if says is None else says, prose=says is not None)


def function(wrong, right, says, before=""):
    """A function on a tensor with a wrong and a right body, each in lines divided by "; "."""

    def program(body):
        return f"{TF}{before}@tf.function\ndef f(x):\n    {body}\nf(tf.constant(3.0))"

    return Mistake(program(wrong), program(right), says, prose=True)


PROGRAMS = [
    Mistake(SQUARE + "square(3.0, b=3)", SQUARE + "square(3.0, b=2)", says="__inference_power(a, b)", prose=True),
    Mistake(
        ELEMENTS + "Net().predict(x, verbose=0)",
        ELEMENTS + "Sum().predict([x, np.broadcast_to(next(numbers), x.shape)], verbose=0)",
        says="step(next(iterator)), with the element as an argument of the function",
        prose=True,
    ),
    # tf.function and its control flow
    swap(FUNCTION, "f(np.ones((2, 3), 'float32'))", "f(np.ones((2, 2), 'float32'))", "tf.cast(x, tf.float32)"),
    swap(FUNCTION, "f()", "f(np.ones((2, 2), 'float32'))", "a tf.TensorSpec for each argument"),
    swap(FUNCTION, "g(y=1)", "g(x=np.ones((2, 2), 'float32'))", "(x)"),
    swap(FUNCTION, "g()", "g(np.ones((2, 2), 'float32'))", "(x)"),
    swap(TF, "tf.function(3)", "tf.function(lambda x: x)", "above `def f(x):`"),
    swap(TF, "tf.gradients(1.0, 2.0)",
         "with tf.GradientTape() as tape:\n    v = tf.Variable(2.0)\n    y = v * v\ntape.gradient(y, v)",
         "with tf.GradientTape() as tape"),
    function("if x > 2:\n        y = x\n    return y", "y = 0.0\n    if x > 2:\n        y = x\n    return y",
             "y = ..."),
    function("if x > 2:\n        y = x\n    else:\n        y = tf.ones((2,))\n    return y",
             "if x > 2:\n        y = tf.ones((2,))\n    else:\n        y = tf.zeros((2,))\n    return y",
             "tensors of one shape"),
    function("y = x\n    while x < 9:\n        x, y = x + 1, tf.ones((2,))\n    return y",
             "y = tf.zeros((2,))\n    while x < 9:\n        x, y = x + 1, tf.ones((2,))\n    return y",
             "the later shape and dtype"),
    function("y = []\n    while x < 9:\n        x, y = x + 1, [*y, x]\n    return y",
             "y = tf.TensorArray(tf.float32, size=9)\n    i = 0\n    while x < 9:\n"
             "        x, y, i = x + 1, y.write(i, x), i + 1\n    return y.stack()", "tf.TensorArray"),
    swap(TF + "made = []\n@tf.function\ndef f(x):\n    ",
         "made.append(tf.Variable(1.0))\n    return x\nf(tf.constant(1.0)); f(tf.ones((2,)))",
         "if not made:\n        made.append(tf.Variable(1.0))\n    return x\nf(tf.constant(1.0)); f(tf.ones((2,)))",
         "Make the tf.Variable outside"),
    # Arrays, variables, checks
    swap(TF, "tf.TensorArray(tf.float32, size=1).write(3, 1.0)",
         "tf.TensorArray(tf.float32, size=1, dynamic_size=True).write(3, 1.0)",
         "tf.TensorArray(tf.float32, size=1, dynamic_size=True)"),
    swap(TF + "array = tf.TensorArray(tf.float32, size=2)\nvalue = 1.0\n", "array.read(1)",
         "array = array.write(1, value)\narray.read(1)", "array = array.write(1, value)"),
    swap(TF, "tf.tpu.experimental.embedding.TPUEmbedding(None, None)", "keras.layers.Embedding(1000, 16)"),
    swap(COLUMNS, "DenseFeatures(column)", "DenseFeatures(tf.feature_column.indicator_column(column))",
         "tf.feature_column.indicator_column(column)"),
    swap(COLUMNS, "tf.feature_column.crossed_column(keys, 1000, hash_key=3)",
         "tf.feature_column.crossed_column(keys, 1000)", "crossed_column(keys, 1000)"),
    swap(TF, "tf.TensorShape([2, 3]).assert_is_compatible_with([2, 4])",
         "tf.TensorShape([2, 3]).assert_is_compatible_with(tf.TensorShape([2, 3]))", "tf.TensorShape([2, 3])"),
    swap(TF, "tf.TensorShape([None, 2]).assert_is_fully_defined()", "tf.TensorShape([4, 2]).assert_is_fully_defined()",
         "x.set_shape([32, 32, 3])"),
    swap(POINT, "Point(1, (1, 2, 3))", "Point(1, (1, 2))", "sizes: tuple[int, int]"),
    swap(POINT, "Point('a')", "Point(1)", "x: str"),
    swap(POINT, "Point(1).x = 2", "new = Point(x=2)", "new = Point(x=value, ...)"),
    swap(TF, "tf.experimental.unregister_dispatch_for(print)",
         "tf.experimental.unregister_dispatch_for(tf.experimental.dispatch_for_api(tf.stack)(lambda values: 1))",
         "tf.experimental.dispatch_for_api"),
    swap(TF, "tf.Variable(1.0, size=3)", "tf.Variable(1.0, trainable=True)", "trainable=True"),
    swap(TF + "v, texts = tf.Variable('a'), ['b', 'c']\n", "v.assign(texts)", "tf.Variable(texts)"),
    swap(TF + "from lamina.compat.variables import _set_shape\nx = tf.ones((2, 3))\n", "_set_shape(x, (3, 2))",
         "x = tf.reshape(x, [3, 2])\n_set_shape(x, (3, 2))", "x = tf.reshape(x, [3, 2])"),
    swap(TF, "tf.debugging.assert_equal(1, 2)", "tf.debugging.assert_equal(1, 1)", "change the value"),
    swap(TF, "tf.debugging.assert_rank(np.ones(2), 2)", "tf.debugging.assert_rank(np.ones(2), 1)", "change the value"),
    swap(TF, "tf.debugging.assert_type(np.ones(2), tf.int32)", "tf.debugging.assert_type(np.ones(2), tf.float64)",
         "change the value"),
    swap(TF, "tf.debugging.assert_shapes([(np.ones(2), (3,))])", "tf.debugging.assert_shapes([(np.ones(2), (2,))])",
         "change the value"),
    swap(TF, "tf.Module(name='1 net')", "tf.Module(name='_1_net')", "name='_1_net'"),
    # Calls of the table
    swap(TF + "x = [1.0]\n", "tf.exp()", "tf.exp(x)", "exp(x)"),
    swap(TF + "x = [1.0]\n", "tf.exp(x, 2, 3)", "tf.exp(x)", "exp(x)"),
    swap(TF + "x = [1.0]\n", "tf.exp(x, axis=1)", "tf.exp(x)", "exp(x)"),
    # Checkpoints
    swap(CHECKPOINT, "restored(v=tf.Variable([0.0, 0.0])).assert_consumed()",
         "restored(v=tf.Variable([0.0, 0.0])).expect_partial()", "status.expect_partial()"),
    swap(CHECKPOINT, "restored(u=tf.Variable(0.0)).assert_existing_objects_matched()",
         "restored(u=tf.Variable(0.0)).expect_partial()", "status.expect_partial()"),
    swap(CHECKPOINT, "restored(u=tf.Variable(0.0)).assert_nontrivial_match()",
         "restored(w=tf.Variable(0.0)).assert_nontrivial_match()", "tf.train.list_variables(path)"),
    swap(CHECKPOINT, "tf.train.Checkpoint().read('other')", "tf.train.Checkpoint().read('ckpt')",
         "tf.train.latest_checkpoint(folder)"),
    swap(CHECKPOINT, "open('bad.index', 'wb').write(b'nothing'); tf.train.load_checkpoint('bad')",
         "tf.train.load_checkpoint('ckpt')", "tf.train.latest_checkpoint(folder)"),
    swap(CHECKPOINT + "from lamina.export.savedmodel.bundle import write_bundle\n",
         "write_bundle('old', {'w': np.ones(2, 'float32')}); tf.train.Checkpoint().read('old')",
         "write_bundle('old', {'w': np.ones(2, 'float32')}); tf.train.load_checkpoint('old').get_tensor('w')",
         "tf.train.load_checkpoint(path).get_tensor(name)"),
    swap(TF + "SPEC = [tf.TensorSpec([None, 4], tf.float32)]\nclass Net(tf.Module):\n"
         "    @tf.function(input_signature=SPEC)\n    def f(self, x):\n        return x\n    ",
         "def __call__(self, x):\n        return x\ntf.saved_model.save(Net(), 'net')\ntf.saved_model.load('net')(1.0)",
         "@tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])\n    def __call__(self, x):\n"
         "        return x\ntf.saved_model.save(Net(), 'net')\ntf.saved_model.load('net')(tf.ones((1, 4)))",
         "@tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])"),
    swap(TF, "tf.distribute.TPUStrategy()", "strategy = tf.distribute.MirroredStrategy()",
         "strategy = tf.distribute.MirroredStrategy()"),
    swap(TF + "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])\n"
         "model.export('of_keras', verbose=False)\n",
         "tf.saved_model.load('of_keras')", "tf.saved_model.save(model, 'saved'); tf.saved_model.load('saved')",
         "reads a model that tf.keras saved"),
    # Files and messages
    swap(ROWS, "list(tf.data.experimental.CsvDataset('x.csv', [0.0]))",
         "list(tf.data.experimental.CsvDataset('x.csv', record_defaults=[0.0, 0.0]))", "record_defaults=[0.0, 0.0]"),
    swap(ROWS, "tf.data.experimental.make_csv_dataset('x.csv', 1, column_names=['a', 'b'], label_name='lable_b')",
         "tf.data.experimental.make_csv_dataset('x.csv', 1, column_names=['a', 'b'], label_name='b')",
         "label_name='b'"),
    swap(ROWS, "tf.io.decode_csv(['1,2'], [0.0])", "tf.io.decode_csv(['1,2'], record_defaults=[0.0, 0.0])",
         "record_defaults=[0.0, 0.0]"),
    swap(ROWS, "tf.io.decode_csv(['1,'], [0.0, tf.float32])", "tf.io.decode_csv(['1,'], [0.0, 0.0])",
         "a default value in place of the dtype"),
    swap(TF, "list(tf.data.Dataset.range(3).apply(tf.data.experimental.assert_cardinality(2)))",
         "list(tf.data.Dataset.range(3).apply(tf.data.experimental.assert_cardinality(3)))",
         "tf.data.experimental.assert_cardinality(3)"),
    swap(EXAMPLE, "parsed(None)", "parsed(tf.io.FixedLenFeature([2], 'float32'))", "default_value=0"),
    swap(EXAMPLE, "parsed(tf.io.FixedLenFeature([3], 'float32'))", "parsed(tf.io.FixedLenFeature([2], 'float32'))",
         "tf.io.FixedLenFeature([2], dtype)"),
    swap(EXAMPLE, "tf.train.Example.FromString(b'\\xff\\xff')", "tf.train.Example.FromString(example(a=[1.0]))",
         "SerializeToString()"),
    swap(TF, "tf.train.Example(feature=1)", "tf.train.Example(features=None)", "tf.train.Example(features="),
    swap(TF, "tf.train.BytesList(value=[5])", "tf.train.BytesList(value=[b'5'])"),
    swap(TF, "tf.train.Int64List(value=[1.5])", "tf.train.FloatList(value=[1.5])"),
    swap(TF + "open('x', 'wb').write(b'no record of any kind')\n", "list(tf.data.TFRecordDataset('x'))",
         "with tf.io.TFRecordWriter('x') as file:\n    file.write(b'a')\nlist(tf.data.TFRecordDataset('x'))",
         "as it was written"),
    swap(TF + "with tf.io.TFRecordWriter('x') as file:\n    file.write(b'abcdef')\ndata = open('x', 'rb').read()\n",
         "open('x', 'wb').write(data[:-3]); list(tf.data.TFRecordDataset('x'))",
         "open('x', 'wb').write(data); list(tf.data.TFRecordDataset('x'))", "Write the file anew"),
    swap(TF, "tf.audio.decode_wav(b'MP3')", "tf.audio.encode_wav(np.zeros((4, 1), 'float32'), 8000)",
         "tf.io.read_file(path)"),
    swap(TF + "data = bytearray(tf.audio.encode_wav(np.zeros((4, 1), 'float32'), 8000).item())\n",
         "data[34] = 8; tf.audio.decode_wav(bytes(data))", "tf.audio.decode_wav(bytes(data))", "sox in.wav -b 16"),
    # Pictures, texts, ragged and sparse tensors
    swap(TF + "x = np.ones((4, 4, 3))\n", "tf.image.random_crop(x, (5, 4, 3))",
         "tf.image.random_crop(x, (4, 4, 3))"),
    swap(TF + "x = ['1.5']\n", "tf.strings.to_number(x, tf.int32)", "tf.strings.to_number(x, tf.float32)"),
    swap(TF, "tf.strings.substr('abc', 5, 1)", "tf.strings.substr('abc', pos=3, len=1)", "pos=3"),
    swap(TF, "tf.gather([5, 6], [2])", "tf.gather([5, 6], [1])", "tf.clip_by_value(indices, 0, 1)"),
    swap(TF, "tf.ragged.constant(['A', ['B', 'C']])", "tf.ragged.constant([['A'], ['B', 'C']])"),
    swap(TF, "tf.ragged.constant([['one', 'two'], [3, 4]])", "tf.ragged.constant([['one', 'two'], ['3', '4']])"),
    swap(RAGGED, "a + b", "a.to_tensor() + b.to_tensor()"),
    swap(TF + "ragged = tf.ragged.constant([[[1], [2, 3]], [[4]]])\n", "tf.reduce_sum(ragged, axis=1)",
         "tf.reduce_sum(ragged.to_tensor(), axis=1)"),
    swap(TF + "x = tf.ragged.constant([[1.0, 2.0], [3.0]])\nmodel = keras.Sequential([keras.layers.Dense(1)])\n"
         "model.compile('sgd', 'mse')\n", "model.fit(x, [0.0, 1.0], verbose=0)",
         "model.fit(x.to_tensor(), [0.0, 1.0], verbose=0)", "x = x.to_tensor()"),
    swap(TF + "from lamina.compat.saved_models import endpoint\nmodel = keras.Sequential([keras.Input((3,)), "
         "keras.layers.Dense(2)])\ntf.saved_model.save(model, 'm')\n"
         "read = lambda call_endpoint: endpoint('m', call_endpoint)\n",
         "read(call_endpoint='serve')", "read(call_endpoint='serving_default')", "call_endpoint='serving_default'"),
    swap(TF + "linear, network = keras.layers.Dense(1), keras.layers.Dense(1)\n"
         "model = keras.models.WideDeepModel(linear, network)\n",
         "model.compile(['sgd', 'sgd', 'adam'], 'mse')", "model.compile(['sgd', 'adam'], 'mse')"),
    swap(TF, "tf.compat.v1.losses.mean_squared_error([1.0], [2.0], reduction='mean')",
         "tf.compat.v1.losses.mean_squared_error([1.0], [2.0], reduction='weighted_sum_by_nonzero_weights')",
         "reduction='weighted_sum_by_nonzero_weights'"),
    swap(SPARSE, "tf.sort(x)", "tf.sort(tf.sparse.to_dense(x))"),
    swap(TF + "ragged = tf.ragged.constant([[[1], [2, 3]], [[4]]])\n", "ragged.to_sparse()",
         "tf.sparse.from_dense(ragged.to_tensor())"),
    swap(TF, "with tf.summary.create_file_writer('logs').as_default() as file:\n    tf.summary.scalar('loss', 1.0)",
         "with tf.summary.create_file_writer('logs').as_default() as file:\n    tf.summary.scalar('loss', 1.0, step=0)",
         "step=0"),
    swap(TF + "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n",
         "converter = tf.lite.TFLiteConverter.from_saved_model('folder')",
         "converter = tf.lite.TFLiteConverter.from_keras_model(model)"),
]  # fmt: skip
