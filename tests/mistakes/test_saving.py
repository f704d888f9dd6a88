"""Files that do not load, and whether the fixes printed for them work."""

# ruff: noqa: E501

from tests.mistakes import everyday, first_hour
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

MODEL = """
import os, pathlib, json
from lamina.errors import UnsafeFileError
layers = keras.layers
def make(*units, name=None):
    return keras.Sequential([keras.Input((2,)), *(layers.Dense(unit) for unit in units)], name=name)
model = make(2)
load = keras.models.load_model
"""
EDITOR = MODEL + "model.save_weights('a.weights.h5'); editor = keras.saving.KerasFileEditor('a.weights.h5'); "
FIRST = "editor.weights_dict['layers']['dense']; "
TEXT = (
    MODEL
    + "words = layers.StringLookup(); words.adapt(['a', 'b']); model = keras.Sequential([keras.Input((1,), dtype='string'), words]); "
)
GRAPH = (
    MODEL
    + """
read = keras.models.model_from_json
def graph(function, args, kwargs={}, op='TFOpLambda', config=None, nodes=1):
    layers = [
        {'class_name': 'InputLayer', 'name': 'a', 'config': {'batch_input_shape': [None, 2], 'name': 'a'},
         'inbound_nodes': []},
        {'class_name': op, 'name': 'b', 'config': config or {'name': 'b', 'function': function},
         'inbound_nodes': [[args[0], 0, 0, {**kwargs}]] * nodes},
    ]
    return json.dumps({'class_name': 'Functional', 'keras_version': '2.4.0', 'config': {
        'name': 'm', 'layers': layers, 'input_layers': [['a', 0, 0]], 'output_layers': [['b', 0, 0]]}})
"""
)
CHECKPOINT = (
    MODEL
    + """
writer = keras.callbacks.OrbaxCheckpoint('d', save_weights_only=True, save_freq='epoch')
model.compile('sgd', 'mse'); model.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0, callbacks=[writer])
"""
)
REWRITTEN = "model.save_weights('a.weights.h5'); make(2).load_weights('a.weights.h5')"


def code(before, wrong, right, says):
    return Mistake(f"{before}\n{wrong}", f"{before}\n{right}", says)


def prose(before, wrong, right, says):
    return Mistake(f"{before}\n{wrong}", f"{before}\n{right}", says, prose=True)


def other(content, right, says, name="m.h5"):
    """A file that is of another kind than its name says."""
    return prose(MODEL + f"pathlib.Path('{name}').write_bytes({content})", f"load('{name}')", right, says)


WIDE = (
    "import json; row = keras.Sequential([keras.Input((2, 1)), keras.layers.UpSampling1D(10**8)]); "
    "text = row.to_json()\n"
)
MISTAKES = [
    code(MODEL, "model.save('m.zip')", "model.save('m.keras')", "model.save('m.keras')"),
    code(MODEL, "model.save('m')", "model.save('m.keras')", "model.save('m.keras')"),
    prose(MODEL + "model.export('d', verbose=False, verify=False); ", "keras.models.load_model('d')", "model.save('model.h5'); keras.models.load_model('model.h5')",
          "model.save('model.h5')"),
    code(MODEL, "model.save('m.keras', zipped=False)", "model.save('m', zipped=False)", "model.save('m', zipped=False)"),
    code(MODEL, "model.save_weights('w.ckpt')", "model.save_weights('w.weights.h5')", "model.save_weights('w.weights.h5')"),
    code(MODEL, "model.save_weights('w.weights.json')", "model.save_weights('name.weights.json', max_shard_size=5)",
         "model.save_weights('name.weights.json', max_shard_size=5)"),
    code(MODEL, "model.save_weights('w.weights.h5', max_shard_size=1)", "model.save_weights('w.weights.h5')",
         "model.save_weights('w.weights.h5')"),
    code(MODEL, "model.save_weights('w', max_shard_size=1)", "model.save_weights('name.weights.h5')",
         "model.save_weights('name.weights.h5')"),
    code(MODEL + "model.save_weights('w.weights.h5')", "model.load_weights('w.weights.h5', by_name=True)",
         "model.load_weights('w.weights.h5', skip_mismatch=True)",
         "model.load_weights('w.weights.h5', skip_mismatch=True)"),
    code(MODEL + "model.save('model.keras')", "model.load_weights('model.keras', objects_to_skip=[])",
         "model.load_weights('model.keras', skip_mismatch=True)",
         "model.load_weights('model.keras', skip_mismatch=True)"),
    prose(MODEL + "os.makedirs('d', exist_ok=True); model.save('d/m.keras')", "load('d')", "load('d/m.keras')", "path of a .keras"),
    code(MODEL + "model.save('model.keras')", "load('modle.keras')", "load('model.keras')", "'model.keras'"),
    prose(MODEL + "model.save('model.keras')", "load('x')", "load('model.keras')", "there are: model.keras"),
    prose(MODEL, "load('no/such/x.h5')", "model.save('x.h5'); load('x.h5')", "that is there"),
    code(MODEL, "model.save('new/folder/m.keras')", "import os; os.makedirs('new/folder'); model.save('new/folder/m.keras')",
         "import os; os.makedirs('new/folder')"),
    prose(MODEL + "model.save('m.keras')", "model.save('m.keras', overwrite=False)",
          "model.save('m.keras', overwrite=True)", "overwrite=True"),
    code(TEXT, "model.save('m.h5')", "model.save('m.keras')", "model.save('m.keras')"),
    # Another architecture
    prose(MODEL + "model.save_weights('w.weights.h5')", "make(3).load_weights('w.weights.h5')",
          "make(2).load_weights('w.weights.h5')", "same architecture"),
    prose(MODEL + "model.save_weights('w.h5')", "make(3).load_weights('w.h5')", "make(2).load_weights('w.h5')",
          "same architecture"),
    prose(MODEL + "model.save_weights('w.h5')", "make(2, 2).load_weights('w.h5')",
          "make(2, 2).load_weights('w.h5', by_name=True)", "by_name=True"),
    prose(MODEL + "model.save_weights('w.h5'); free = keras.Sequential([layers.Dense(2)])", "free.load_weights('w.h5')",
          "free(np.ones((1, 2))); free.load_weights('w.h5')", "on data first"),
    prose(MODEL + "model.save_weights('w.h5')", "load('w.h5')", "model.load_weights('w.h5')", "model.load_weights(path)"),
    prose(MODEL + """
class Own(keras.Model):
    def __init__(self, size):
        super().__init__()
        self.v = self.add_weight(shape=(size,), name='v')
        self.built = True
Own(2).save_weights('w.h5')""", "Own(3).load_weights('w.h5')", "Own(2).load_weights('w.h5')", "same model"),
    prose(MODEL, "model.set_state_tree({'trainable_variables': {'no': 1.0}})",
          "model.set_state_tree(model.get_state_tree())", "It has: "),
    # Files of another kind
    other("b''", "model.save('m.h5'); load('m.h5')", "incomplete"),
    other("b'<!DOCTYPE html><html>'", "model.save('m.h5'); load('m.h5')", "download the file itself"),
    other("b'version https://git-lfs.github.com/spec/v1'", "model.save('m.h5'); load('m.h5')", "git lfs pull"),
    prose(MODEL + "model.save('a.keras'); os.rename('a.keras', 'm.h5')", "load('m.h5')",
          "os.rename('m.h5', 'm.keras'); load('m.keras')", "m.keras"),
    prose(MODEL + "model.save('a.h5'); os.rename('a.h5', 'm.keras')", "load('m.keras')",
          "os.rename('m.keras', 'm.h5'); load('m.h5')", "m.h5"),
    prose(MODEL + "pathlib.Path('m.h5').write_text(model.to_json())", "load('m.h5')",
          "keras.models.model_from_json(open('m.h5').read())", "model_from_json"),
    other("b'\\x80\\x04\\x95'", "model.save('m.h5'); load('m.h5')", "PyTorch", name="m.pt"),
    prose(MODEL + "import gzip; model.save('a.h5'); pathlib.Path('m.h5').write_bytes(gzip.compress(open('a.h5', 'rb').read()))",
          "load('m.h5')", "pathlib.Path('b.h5').write_bytes(gzip.decompress(open('m.h5', 'rb').read())); load('b.h5')",
          "gzip"),
    prose(MODEL + "model.save('a.keras'); data = open('a.keras', 'rb').read(); pathlib.Path('m.keras').write_bytes(data[:900])",
          "load('m.keras')", "load('a.keras')", "copy or download it again"),
    prose(MODEL, "keras.models.model_from_json('[1]')", "keras.models.model_from_json(model.to_json())", "model.to_json()"),
    prose(MODEL + "pathlib.Path('w.weights.json').write_text('{}')", "model.load_weights('w.weights.json')",
          "model.save_weights('v.weights.json', max_shard_size=1); model.load_weights('v.weights.json')", "max_shard_size"),
    prose(MODEL + "model.save_weights('v.weights.json', max_shard_size=1); (part,) = pathlib.Path().glob('v_*'); "
          "data = part.read_bytes(); part.unlink()", "model.load_weights('v.weights.json')",
          "part.write_bytes(data); model.load_weights('v.weights.json')", "Copy v_00000.weights.h5"),
    prose(MODEL + "pathlib.Path('m.json').write_text(json.dumps({'format': 'graph-model'}))", "load('m.json')",
          "model.save('m.h5'); load('m.h5')", "layers model"),
    prose(MODEL, "from lamina.saving.formats.orbax import load_orbax_weights as get; os.makedirs('d', exist_ok=True); get(model, 'd')",
          "keras.callbacks.OrbaxCheckpoint('d')", "OrbaxCheckpoint"),
    prose(CHECKPOINT, "load('d')", "make(2).load_weights('d')", "model.load_weights(folder)"),
    prose(CHECKPOINT, "make(2, 2).load_weights('d')", "make(2).load_weights('d')", "same layer names"),
    prose(CHECKPOINT, "make(3).load_weights('d')", "make(2).load_weights('d')", "same model"),
    prose(MODEL + "model.add_weight(name='h', shape=(1,), dtype='complex64', initializer='zeros')",
          "model.save_weights('w.safetensors')", "model.save_weights('w.weights.h5')", ".weights.h5"),
    # Checkpoints and the editor
    prose(MODEL + "from lamina.saving.checkpoints import CheckpointFolder as F; os.makedirs('c', exist_ok=True); "
          "pathlib.Path('c/1.checkpoint').write_bytes(b'x'); import shutil", "F('c', 1).newest()",
          "shutil.rmtree('c'); F('c', 1).newest()", "Delete the folder c"),
    prose(MODEL, "keras.saving.KerasFileEditor('a.txt')",
          "model.save('a.keras'); keras.saving.KerasFileEditor('a.keras')", "save the model as .keras"),
    code(EDITOR, "editor.rename_object('dense', 'layers/b')", "editor.rename_object('dense', 'b')",
         "editor.rename_object('dense', 'b')"),
    code(EDITOR, "editor.delete_weight('dense', 'kernel')", "editor.delete_weight('dense', '0')",
         "editor.delete_weight('dense', '0')"),
    code(EDITOR, "editor.save('b.keras')", "editor.save('b.weights.h5')", "editor.save('b.weights.h5')"),
    prose(EDITOR, "editor.add_object('no/b', {'0': np.ones(2)})",
          "editor.summary(); editor.add_object('layers/b', {'0': np.ones(2)})", "editor.summary()"),
    prose(EDITOR, "editor.delete_object('no')", "editor.summary(); editor.delete_object('dense')", "editor.summary()"),
    code(EDITOR, "editor.add_weights('dense', [1])",
         'kernel = bias = np.ones(2); editor.add_weights("dense", {"0": kernel, "1": bias})', '{"0": kernel, "1": bias}'),
    prose(MODEL, "twice = keras.Model(i := keras.Input((2,)), layers.Dense(1, name='a')(i)); "
          "twice.b = twice.add_weight(name='a', shape=(1,)); twice.c = twice.add_weight(name='a', shape=(1,)); "
          "twice.get_state_tree()", "make(2, 2).get_state_tree()", "its own name"),
    prose(WIDE, "keras.models.model_from_json(text)", "keras.saving.deserialize_keras_object(json.loads(text))",
          "keras.saving.deserialize_keras_object(json.loads(text))"),
    # Graphs of TensorFlow
    prose(GRAPH, "read(graph('no.such', ['a']))", REWRITTEN, "layers and keras.ops"),
    prose(GRAPH, "read(graph('math.reduce_sum', ['a'], {'no_such': 3}))", REWRITTEN, "keras.ops"),
    prose(GRAPH, "read(graph('math.exp', ['a'], nodes=2))", REWRITTEN, "keras.ops"),
    prose(GRAPH, "read(graph('reshape', ['a'], {'shape': [-1, ['a', 0, 0]]}))", REWRITTEN, "keras.ops"),
    prose(GRAPH, "read(graph('', ['a'], op='TensorFlowOpLayer', config={'name': 'b', 'node_def': 'binary'}))", REWRITTEN,
          "keras.ops"),
    prose(GRAPH, "read(graph('', ['a'], op='Merge', config={'name': 'b', 'mode': 'mine'}))", REWRITTEN, "keras.ops"),
]  # fmt: skip

MISTAKES += [*first_hour.SAVING, *everyday.SAVING]

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/saving",
    MISTAKES,
    but=[
        ("pip install", "a program that has a package cannot miss it"),
        ("The layout of transformers", "needs KerasHub"),
        ("transformers has no place", "needs KerasHub"),
        ("in common in", "it needs several processes, which tests/processes starts"),
    ],
)
