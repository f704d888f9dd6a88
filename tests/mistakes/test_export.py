"""Mistakes with export, and whether the fixes printed for them work."""

# ruff: noqa: E501

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MODEL = """
L = keras.layers
def net(layer, *shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))
model = net(L.Dense(2), 4)
spec = [keras.InputSpec(shape=(None, 4), dtype='float32')]
"""
BITS = "i = keras.Input((3,), dtype='int32'); bits = keras.Model(i, keras.ops.bitwise_and(i, 3)); "
ARCHIVE = (
    MODEL
    + "archive = keras.export.ExportArchive(); archive.track(model); add_endpoint = archive.add_endpoint; call = lambda x: model(x)\n"
)
FULL = ARCHIVE + "add_endpoint('serve', call, spec); write_out = archive.write_out\n"


def code(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says)


def prose(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says, prose=True)


def not_in_onnx(layer, shape="4"):
    """A layer that ONNX cannot hold; StableHLO does."""
    before = MODEL + f"model = net({layer}, {shape}); "
    return prose(
        before, "model.export('name.onnx', verbose=False)", "model.export('name.jax', verbose=False)", "name.jax"
    )


MISTAKES = [
    prose(ARCHIVE, "add_endpoint('serve', call, spec, is_static=False)", "add_endpoint('serve', call, spec)", "Leave is_static out"),
    prose(FULL, "add_endpoint('serve', call, spec)", "add_endpoint('serve_2', call, spec)", "add_endpoint('serve_2'"),
    prose(ARCHIVE, "add_endpoint('my serve!', call, spec)", "add_endpoint('my_serve', call, spec)", "add_endpoint('my_serve'"),
    code(ARCHIVE, "add_endpoint('serve', call)", "add_endpoint('serve', call, input_signature=[keras.InputSpec(shape=(None, 4), dtype='float32')])",
         "input_signature=[keras.InputSpec(shape=(None, 4), dtype='float32')]"),
    prose(ARCHIVE, "add_endpoint('serve', call, [keras.InputSpec(ndim=2)])",
          "add_endpoint('serve', call, [keras.InputSpec(shape=(None, 4), dtype='float32')])", "keras.InputSpec(shape=(None, 4), dtype='float32')"),
    prose(ARCHIVE, "archive.add_variable_collection('w', [1])", "archive.add_variable_collection('w', model.variables)", "model.variables"),
    code(FULL, "write_out('d', options=1)", "write_out('d', options=None)", "options=None"),
    prose(ARCHIVE, "archive.write_out('d')", "add_endpoint('serve', call, spec); archive.write_out('d')", "add_endpoint first"),
    code(FULL + "open('f', 'w').close(); ", "write_out('f')", "write_out('f_export')", "write_out('f_export')"),
    prose(ARCHIVE, "archive.track(3)", "archive.track(model)", "track(model)"),
    prose(ARCHIVE, "archive.track(L.Dense(2))", "layer = L.Dense(2); layer.build((None, 4)); archive.track(layer)", "build(input_shape)"),
    prose(MODEL, "model.export('m', format='coreml', verbose=False)", "model.export('m.onnx', format='onnx', verbose=False)", 'format="onnx"'),
    code(MODEL, "model.export('m.onnx', format='jax')", "model.export('m.jax')", "model.export('m.jax')"),
    prose(MODEL, "model.export('m.onnx', opset_version=5, verbose=False)", "model.export('m.onnx', opset_version=20, verbose=False)", "opset_version=20"),
    prose(BITS, "bits.export('m.onnx', opset_version=17, verbose=False)", "bits.export('m.onnx', opset_version=18, verbose=False)", "opset_version=18"),
    not_in_onnx("L.Lambda(lambda x: __import__('jax').lax.linalg.hessenberg(x)[0])", "3, 3"),
    not_in_onnx("L.Lambda(lambda x: x + keras.random.normal((1, 4), seed=1))"),
    not_in_onnx("L.Lambda(lambda x: keras.ops.fft((x, x))[0])", "9001"),
    code(MODEL + "x = np.zeros((4, 4)); ", "model.export('m.tflite', quantize='int4', verbose=False)", "model.export('m.tflite', quantize=\"dynamic\", verbose=False)", 'quantize="dynamic"'),
    prose(MODEL + "x_train = np.ones((4, 4)); ", "model.export('m.tflite', quantize='int8', verbose=False)",
          "model.export('m.tflite', quantize='int8', representative_data=x_train[:100], verbose=False)", "representative_data=x_train[:100]"),
    code(MODEL + "x = np.ones((4, 4)); ", "model.export('m.tflite', representative_data=x, verbose=False)",
         "model.export('m.tflite', quantize=\"int8\", representative_data=x, verbose=False)", 'quantize="int8"'),
    prose(MODEL + "x_train = np.ones((4, 4)); ", "model.export('m.tflite', quantize='int8', representative_data=np.ones((2, 2, 4, 4)), verbose=False)",
          "model.export('m.tflite', quantize='int8', representative_data=x_train[:100], verbose=False)", "representative_data=x_train[:100]"),
    prose(MODEL + "model = net(L.Lambda(lambda x: keras.ops.eigh(x)[0]), 65, 65); ", "model.export('m', verbose=False)", "model.export('m.jax', verbose=False)",
          'model.export("m.jax")'),
    prose(MODEL + "x_train = np.ones((4, 4)); ", "model.export('m.tflite', inference_input_type='int8', verbose=False)",
          "model.export('m.tflite', inference_input_type='int8', quantize='int8', representative_data=x_train[:100], verbose=False)", 'quantize="int8"'),
    prose(MODEL + "x = np.ones((4, 4)); ", "model.export('m.tflite', inference_input_type='int4', quantize='int8', representative_data=x, verbose=False)",
          "model.export('m.tflite', inference_input_type='int8', quantize='int8', representative_data=x, verbose=False)", 'inference_input_type="int8"'),
    prose(ARCHIVE, "add_endpoint('serve', lambda x: np.zeros(x.shape[0]) + x[:, 0], spec)",
          "add_endpoint('serve', lambda x: np.zeros(x.shape[0]) + x[:, 0], input_signature=[keras.InputSpec(shape=(1, 4), dtype='float32')])",
          "input_signature=[keras.InputSpec(shape=(1, 4), dtype='float32')]"),
    prose("lookup, words = keras.layers.StringLookup(vocabulary=['a']), keras.Input((2,), dtype='string'); after = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); ",
          "keras.Model(words, lookup(words)).export('m.tflite', verbose=False)", "after.predict(lookup([['a', 'b']]), verbose=0); after.export('m.tflite', verbose=False)",
          "Export the model behind the lookup"),
    prose("hashing, words = keras.layers.Hashing(3), keras.Input((2,), dtype='string'); after = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); ",
          "keras.Model(words, hashing(words)).export('m.onnx', verbose=False)", "after.predict(hashing([['a', 'b']]), verbose=0); after.export('m.onnx', verbose=False)",
          "Export the model behind it"),
    prose(ARCHIVE, "keras.export.ExportArchive('tfjs')", "model.export('folder', format='tfjs', verbose=False)", 'model.export("folder", format="tfjs")'),
    prose(MODEL, "model.export('m.onnx', format='tfjs')", "model.export('m', format='tfjs', verbose=False)", "model.export('m', format='tfjs')"),
    prose(MODEL + "open('f', 'w').close(); ", "model.export('f', format='tfjs')", "model.export('f_tfjs', format='tfjs', verbose=False)", "model.export('f_tfjs', format='tfjs')"),
    prose(MODEL, "model.export('m.jax', weight_type='uint8')", "model.export('m', format='tfjs', weight_type='uint8', verbose=False)", 'format="tfjs"'),
    prose(MODEL, "model.export('m.jax', verbose=False, is_static=False)", "model.export('m.jax', verbose=False)", "Leave is_static out"),
    prose(MODEL + "x_test = np.ones((9, 4)); ", "model.export('m.jax', verbose=False, verify=[x_test, x_test])", "model.export('m.jax', verbose=False, verify=x_test[:8])",
          "verify=x_test[:8]"),
    code(MODEL, "model.export('saved_model.pb', verbose=False)", "model.export('saved_model', format='tf_saved_model')", "model.export('saved_model', format='tf_saved_model')"),
    prose(MODEL, "model.export('m', format='tfjs', weight_type='int8')", "model.export('m', format='tfjs', weight_type='float16', verbose=False)", 'weight_type="float16"'),
    prose(MODEL, "net(L.Discretization([0.5]), 4).export('m', format='tfjs')", "net(L.Discretization([0.5]), 4).export('model.onnx', verbose=False)", 'model.export("model.onnx")'),
    prose(MODEL, "net(L.GRU(2), None, 4).export('m', format='tfjs')", "net(L.GRU(2, reset_after=False), None, 4).export('m', format='tfjs', verbose=False)", "GRU(reset_after=False)"),
    prose(MODEL, "net(L.UpSampling2D(interpolation='bilinear'), None, 2, 1).export('m', format='tfjs')",
          "net(L.UpSampling2D(interpolation='nearest'), None, 2, 1).export('m', format='tfjs', verbose=False)", 'UpSampling2D(interpolation="nearest")'),
    prose(MODEL, "keras.Sequential([keras.Input((4,)), L.Embedding(5, 2, mask_zero=True), L.Bidirectional(L.LSTM(2, return_sequences=True))]).export('m', format='tfjs')",
          "keras.Sequential([keras.Input((4,)), L.Embedding(5, 2), L.Bidirectional(L.LSTM(2, return_sequences=True))]).export('m', format='tfjs', verbose=False)", "mask_zero=False"),
    prose(MODEL, "model.quantize('int8'); model.export('m', format='tfjs')", "model.export('m', format='tfjs', weight_type='uint8', verbose=False)", 'weight_type="uint8"'),
    code(MODEL + "__import__('os').makedirs('m.onnx', exist_ok=True); ", "model.export('m.onnx', verbose=False)", "model.export('m_file.onnx')", "model.export('m_file.onnx')"),
    prose(MODEL + "open('f', 'w').close(); ", "model.export('f/m.onnx', verbose=False)", "model.export('m.onnx', verbose=False)", "'m.onnx'"),
    code(MODEL, "model.export('m.h5', verbose=False)", "model.save('m.keras')", "model.save('m.keras')"),
    code(MODEL, "model.export('m', format='huggingface', max_shard_size='5 apples', verbose=False)",
         "model.export('m', format='huggingface', max_shard_size=\"5GB\", verbose=False)", 'max_shard_size="5GB"'),
    prose(MODEL + "x_test = np.ones((9, 4)); ", "model.export('m.jax', verbose=False, verify='yes')", "model.export('m.jax', verbose=False, verify=x_test[:8])",
          "verify=x_test[:8]"),
    prose(MODEL + "x_train = np.ones((9, 4)); ", "model.export('m.tflite', quantize='int8', representative_data=x_train * np.nan, verbose=False)",
          "model.export('m.tflite', quantize='int8', representative_data=x_train[:100], verbose=False)", "representative_data=x_train[:100]"),
    prose(MODEL + "x_train = np.ones((9, 4)); ", "model.export('m.tflite', quantize='int8', representative_data=x_train[:0], verbose=False)",
          "model.export('m.tflite', quantize='int8', representative_data=x_train[:100], verbose=False)", "representative_data=x_train[:100]"),
    code(MODEL, "model.export('', verbose=False)", 'model.export("folder")', 'model.export("folder")'),
    prose(MODEL, "model.export('m.onnx', input_signature=[(None, 4)], verbose=False)",
          "model.export('m.onnx', input_signature=[keras.InputSpec(shape=(None, 4), dtype='float32')], verbose=False)", "keras.InputSpec(shape=(None, 4), dtype='float32')"),
    prose(MODEL + "x_train = np.ones((9, 4)); ", "model.export('m.tflite', quantize='int8', representative_data=np.ones((9, 5)), verbose=False)",
          "model.export('m.tflite', quantize='int8', representative_data=x_train[:100], verbose=False)", "representative_data=x_train[:100]"),
]  # fmt: skip
RARE = [
    ("does not run the program", "it would be a fault of lamina"), ("groups of the batch", "no layer leads there"),
    ("Pushing needs", "a program that has a package cannot miss it"),
    ("TensorFlow has no type", "JAX has no other types"), ("graph of a SavedModel holds", "needs a model of 2 GB"),
    ("LiteRT has no {kind}", "no layer leads there"), ("at most 2 GB", "a test has no such weights"),
    ("scatter of this kind", "no layer leads there"), ("differs from predict", "it would be a fault of lamina"),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/export", MISTAKES, but=RARE)
