"""Mistakes with data sets, files, preprocessing and `lamina.compat`, and whether the fixes printed for them work."""

import pytest

from tests.mistakes import everyday, notebooks
from tests.mistakes.mistake import Mistake, Paste, fixes_are_tried, fixes_work
from tests.mistakes.tensorflow_programs import PROGRAMS

FOLDER = """
import os
def picture(path, size=(6, 6, 3)):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    keras.utils.save_img(path, np.arange(np.prod(size)).reshape(size) % 255.0)
for i in range(4):
    picture(f"data/{'ab'[i % 2]}/{i}.png")
def images(folder="data", **arguments):
    given = {"image_size": (4, 4), "verbose": False, "shuffle": False, **arguments}
    return [list(part) for part in [keras.utils.image_dataset_from_directory(folder, **given)]]
"""
WAV = """
import os, wave
os.makedirs("data/a", exist_ok=True)
with wave.open("data/a/0.wav", "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes(bytes(20))
"""
CSV = """
def read(text, **arguments):
    open("x.csv", "w").write(text)
    return list(keras.utils.dataset_from_csv("x.csv", verbose=False, **arguments))
"""
FRAME = (
    FOLDER
    + """
import pandas as pd
df = pd.DataFrame({"filename": ["a/0.png", "b/1.png", "a/2.png"], "class": ["a", "b", "a"], "number": [1, 2, 3],
                   "weight": ["1", "2", "3"]})
data = keras.preprocessing.image.ImageDataGenerator()
def frame(**arguments):
    return next(data.flow_from_dataframe(df, "data", target_size=(4, 4), **arguments))
"""
)
GENERATOR = "from lamina.preprocessing import image, sequence, text\nimages = np.ones((4, 6, 6, 3))\n"
SPACE = "from lamina.utils import FeatureSpace\n"
INSIDE = "from lamina.compat.inside import Inner\n"
HELPERS = "from lamina.compat import inside_helpers\n"
RANKS = "dataset = keras.utils.Dataset.from_generator(lambda: iter([np.ones(2), np.ones((2, 2))]))\n"
TF = "from lamina.compat import functions, images, random_numbers\n"


def swap(before, call, says):
    """A call with `WRONG`, in whose place the fix stands in the right program."""
    wrong, right = call.split(" -> ")
    return Mistake(before + wrong, before + right, says=says)


TRACKER = (
    "from lamina.compat.inside_tracking import Tracker\n"
    "tracker = Tracker({'numbers': (lambda x: isinstance(x, complex), [])}); "
)
MISTAKES = [
    # The inside of Keras
    Mistake(
        INSIDE + "Inner('keras.src.layers.nothing', 'layers.nothing')",
        "keras.layers.Dense(1)",
        says="Use the public names of keras.layers.",
        prose=True,
    ),
    swap(
        HELPERS,
        "inside_helpers.validate_string_arg('x', ['a'], 'Layer', 'mode') -> "
        "mode='a'; inside_helpers.validate_string_arg(mode, ['a'], 'Layer', 'mode')",
        "mode='a'",
    ),
    # Files
    swap(FOLDER, "images(image_size=(4,)) -> images(image_size=(180, 180))", "image_size=(180, 180)"),
    swap(FOLDER, "images(interpolation='biliner') -> images(interpolation='bilinear')", "interpolation='bilinear'"),
    swap(FOLDER, "images(color_mode='RGB') -> images(color_mode='rgb')", "color_mode='rgb'"),
    swap(
        FOLDER,
        "images(crop_to_aspect_ratio=True, pad_to_aspect_ratio=True) -> images(crop_to_aspect_ratio=True)",
        "crop_to_aspect_ratio=True",
    ),
    swap(FOLDER, "images(on_error='ignore') -> images(on_error='raise')", "on_error='raise'"),
    swap(FOLDER, "images(label_mode='integer') -> images(label_mode='int')", "label_mode='int'"),
    swap(FOLDER, "images(labels='infered') -> images(labels='inferred')", "labels='inferred'"),
    swap(
        FOLDER, "images(labels=None, class_names=['a']) -> images(labels='inferred', class_names=['a'])", "'inferred'"
    ),
    swap(FOLDER, "images(labels=[1, 2]) -> images(labels='inferred')", "labels='inferred'"),
    swap(FOLDER, "images(class_names=['a', 'c']) -> images(class_names=['a', 'b'])", "class_names=['a', 'b']"),
    swap(
        FOLDER + "picture('data/c/1.png')\n",
        "images(label_mode='binary') -> images(label_mode='int')",
        "label_mode='int'",
    ),
    swap(FOLDER + "open('data/a/9.jpg', 'w').write('x')\n", "images() -> images(on_error='skip')", "on_error='skip'"),
    swap(FOLDER, "images(format='tensorflow') -> images(format='tf')", "format='tf'"),
    swap(FOLDER, "images(batch_size=0) -> images(batch_size=32)", "batch_size=32"),
    swap(
        FOLDER,
        "images(validation_split=0.2) -> images(validation_split=0.2, subset='training')",
        "validation_split=0.2, subset='training'",
    ),
    swap(
        FOLDER,
        "images(validation_split=20, subset='training') -> images(validation_split=0.2, subset='training')",
        "validation_split=0.2",
    ),
    swap(
        FOLDER,
        "images(validation_split=0.5, subset='train') -> images(validation_split=0.5, subset='training')",
        "subset='training'",
    ),
    swap(
        FOLDER,
        "images(validation_split=0.5, subset='training', shuffle=True) -> "
        "images(validation_split=0.5, subset='training', shuffle=True, seed=0)",
        "seed=0",
    ),
    swap(
        FOLDER,
        "images(validation_split=0.1, subset='validation') -> images(validation_split=0.5, subset='validation')",
        "validation_split=0.5",
    ),
    swap(
        WAV,
        "keras.utils.audio_dataset_from_directory('data', ragged=True, output_sequence_length=3) -> "
        "keras.utils.audio_dataset_from_directory('data', ragged=False, output_sequence_length=3)",
        "ragged=False",
    ),
    Mistake(
        "from lamina.utils.audio import read_wav\nopen('x.wav', 'wb').write(b'RIFF'); read_wav('x.wav')",
        WAV + "from lamina.utils.audio import read_wav\nread_wav('data/a/0.wav')",
        says="16-bit PCM",
        prose=True,
    ),
    # CSV
    swap(CSV, "read('a\\n1\\n', on_missing='drop') -> read('a\\n1\\n', on_missing='raise')", "on_missing='raise'"),
    swap(CSV, "read('a\\nx\\n', as_dict=False) -> read('a\\nx\\n', as_dict=True)", "as_dict=True"),
    swap(CSV, "read('a,b,c\\nx,y,1\\n', label_column=['a', 'b']) -> read('a,b,c\\nx,y,1\\n', label_column='a')", "'a'"),
    swap(
        CSV,
        "read('age,kind\\n1,2\\n', label_column='kinds') -> read('age,kind\\n1,2\\n', label_column='kind')",
        "'kind'",
    ),
    swap(
        CSV,
        "read('a;b\\n1;2\\n', label_column='b', delimiter=',') -> "
        "read('a;b\\n1;2\\n', label_column='b', delimiter=';')",
        "delimiter=';'",
    ),
    swap(CSV, "read('1,2\\n3,4\\n') -> read('1,2\\n3,4\\n', header=False)", "header=False"),
    swap(CSV, "read('1,2\\n') -> read('1,2\\n', header=False)", "header=False"),
    swap(CSV, "read('a,b\\n') -> read('a,b\\n', header=False)", "header=False"),
    swap(CSV, "read('a,a\\n1,2\\n') -> read('a,a\\n1,2\\n', header=False)", "header=False"),
    swap(CSV, "read('a\\n1\\n?\\n') -> read('a\\n1\\n?\\n', on_missing='skip')", "on_missing='skip'"),
    swap(CSV, "read('a\\n?\\n', on_missing='skip') -> read('a\\n?\\n', on_missing='keep')", "on_missing='keep'"),
    swap(
        CSV, "read('a\\n1\\n2\\n3x\\n') -> read('a\\n1\\n2\\n3x\\n', dtypes={'a': 'string'})", "dtypes={'a': 'string'}"
    ),
    Mistake(CSV + "read('a,b\\nx, y,2\\n')", CSV + "read('a,b\\n\"x, y\",2\\n')", says="in quotes", prose=True),
    Mistake(
        "open('x.csv', 'wb').write('grö\\n1'.encode('latin-1')); keras.utils.dataset_from_csv('x.csv')",
        "open('x.csv', 'wb').write('grö\\n1'.encode('latin-1'))\n"
        "keras.utils.dataset_from_csv('x.csv', encoding='latin-1')",
        says="encoding='latin-1'",
    ),
    # Images and arrays
    swap(
        FOLDER,
        "keras.utils.load_img('data/a/0.png', 'gray') -> keras.utils.load_img('data/a/0.png', 'grayscale')",
        "'grayscale'",
    ),
    swap(
        FOLDER,
        "keras.utils.load_img('data/a/0.png', interpolation='linear') -> "
        "keras.utils.load_img('data/a/0.png', interpolation='bilinear')",
        "interpolation='bilinear'",
    ),
    Mistake(
        FOLDER + "path = open('data/a/0.png', 'rb').read(); keras.utils.load_img(path)",
        FOLDER + "import io; path = open('data/a/0.png', 'rb').read(); keras.utils.load_img(io.BytesIO(path))",
        says="io.BytesIO(path)",
    ),
    Mistake(
        "keras.utils.load_img(3)",
        FOLDER + "import shutil; shutil.copy('data/a/0.png', 'image.png')\nkeras.utils.load_img('image.png')",
        says="load_img('image.png')",
    ),
    Mistake(
        "keras.utils.img_to_array(np.ones((2, 4, 4, 3)))",
        "from lamina.utils import img_to_array; img = np.ones((2, 4, 4, 3)); [img_to_array(one) for one in img]",
        says="[img_to_array(one) for one in img]",
    ),
    Mistake(
        "keras.utils.array_to_img(np.ones((4, 4)))",
        "from lamina.utils import array_to_img; x = np.ones((4, 4)); array_to_img(x[..., None])",
        says="array_to_img(x[..., None])",
    ),
    Mistake(
        "keras.utils.array_to_img(np.ones((4, 4, 2)))",
        "from lamina.utils import array_to_img; x = np.ones((4, 4, 2)); array_to_img(x[..., :1])",
        says="array_to_img(x[..., :1])",
    ),
    Mistake(
        "keras.preprocessing.image.smart_resize(np.ones((4, 4, 3)), (3,))",
        "keras.preprocessing.image.smart_resize(np.ones((4, 4, 3)), size=(224, 224))",
        says="size=(224, 224)",
    ),
    Mistake(
        "keras.preprocessing.image.smart_resize(np.ones((4, 4)), (3, 3))",
        "x = np.ones((4, 4)); keras.preprocessing.image.smart_resize(x[..., None], (3, 3))",
        says="x[..., None]",
    ),
    Mistake(
        "keras.utils.to_categorical([1, 2, 3], 3)",
        "keras.utils.to_categorical([1, 2, 3], num_classes=4)",
        says="num_classes=4",
    ),
    Paste("x = np.array(['a', 'b'])", "keras.utils.to_categorical(x)"),
    Paste("x = [0.5, 1.5]", "keras.utils.to_categorical(x)"),
    Paste("x = np.array([1.0, np.nan])", "keras.utils.to_categorical(x)"),
    Mistake(
        "keras.utils.pad_sequences([1, 2])",
        "from lamina.utils import pad_sequences; row = [1, 2]; pad_sequences([row])",
        says="pad_sequences([row])",
    ),
    Mistake(
        "keras.utils.pad_sequences(['good film', 'bad'])",
        "words = keras.layers.TextVectorization(); words.adapt(['good film', 'bad']); words(['good film', 'bad'])",
        says="adapt(texts) first",
        prose=True,
    ),
    Mistake(
        "keras.utils.pad_sequences([['a']], value='x')",
        "keras.utils.pad_sequences([['a']], value='x', dtype=object)",
        says="dtype=object",
    ),
    Mistake(
        "keras.utils.pad_sequences([[1]], padding='left')",
        "keras.utils.pad_sequences([[1]], padding='pre')",
        says="padding='pre'",
    ),
    Mistake(
        "keras.utils.pad_sequences(['a cat'])",
        "from lamina import layers\nwords = layers.TextVectorization(); words.adapt(['a cat'])\n"
        "keras.utils.pad_sequences(words(['a cat']))",
        says="layers.TextVectorization()",
    ),
    Paste("sequences = [np.ones((2, 3)), np.ones((2, 2))]", "keras.utils.pad_sequences(sequences)"),
    Mistake(
        "keras.utils.split_dataset(np.arange(5))",
        "keras.utils.split_dataset(np.arange(5), left_size=0.8)",
        says="left_size=0.8",
    ),
    Mistake(
        "keras.utils.split_dataset(np.arange(5), 4, 3)",
        "keras.utils.split_dataset(np.arange(5), left_size=0.8, right_size=None)",
        says="left_size=0.8, right_size=None",
    ),
    Mistake(
        "keras.utils.split_dataset(np.arange(5), 5)",
        "keras.utils.split_dataset(np.arange(5), left_size=0.5)",
        says="left_size=0.5",
    ),
    Mistake(
        "keras.utils.split_dataset(np.arange(5), 80.0)",
        "keras.utils.split_dataset(np.arange(5), left_size=0.5)",
        says="left_size=0.5",
    ),
    Mistake(
        "keras.utils.split_dataset(3, 0.5)",
        "from lamina.utils import split_dataset\nsplit_dataset(np.arange(10), left_size=0.8)",
        says="split_dataset(np.arange(10), left_size=0.8)",
    ),
    Mistake(
        "keras.utils.split_dataset((np.ones(3), np.ones(2)), 0.5)",
        "dataset = (np.ones(3), np.ones(2)); keras.utils.split_dataset(tuple(one[:2] for one in dataset), 0.5)",
        says="tuple(one[:2] for one in dataset)",
    ),
    *(
        Mistake(
            f"keras.utils.timeseries_dataset_from_array(np.arange(5), None, **{given})",
            f"keras.utils.timeseries_dataset_from_array(np.arange(5), None, {right})",
            says=says,
        )
        for given, right, says in (
            ({"sequence_length": 9}, "sequence_length=1", "sequence_length=1"),
            ({"sequence_length": 2, "start_index": 9}, "2, start_index=0", "start_index=0"),
            ({"sequence_length": 2, "end_index": 9}, "2, end_index=None", "end_index=None"),
        )
    ),
    # get_file, configs and FeatureSpace
    Mistake("keras.utils.get_file('x')", None, says="origin='https://...'", because="it needs a network"),
    Mistake("keras.utils.get_file('a/b', 'https://x')", None, says="cache_subdir", because="it needs a network"),
    Mistake(
        "keras.utils.get_file('x', 'https://x', hash_algorithm='sha1')",
        None,
        says="hash_algorithm='sha256'",
        because="it needs a network",
    ),
    Mistake(
        "keras.utils.get_file('x', 'https://x', file_hash='12')",
        None,
        says="file_hash=None",
        because="it needs a network",
    ),
    Mistake(
        "open('a.txt', 'w').write('x'); import pathlib\n"
        "keras.utils.get_file('x', pathlib.Path('a.txt').absolute().as_uri(), extract=True, cache_dir='c')",
        "open('a.txt', 'w').write('x'); import pathlib\n"
        "keras.utils.get_file('x', pathlib.Path('a.txt').absolute().as_uri(), extract=False, cache_dir='c')",
        says="extract=False",
    ),
    Mistake(
        "import pathlib, tarfile\nwith tarfile.open('a.tar.gz', 'w:gz') as file:\n"
        "    open('x', 'wb').write(bytes(range(256)) * 99); file.add('x')\n"
        "whole = pathlib.Path('a.tar.gz').read_bytes(); pathlib.Path('a.tar.gz').write_bytes(whole[:-60])\n"
        "keras.utils.get_file('a', pathlib.Path('a.tar.gz').absolute().as_uri(), extract=True, cache_dir='c')",
        None,
        says="Delete it",
        because="it downloads again",
    ),
    Mistake(
        SPACE + "s = FeatureSpace({'a': FeatureSpace.feature('float32', keras.layers.Rescaling(1.0), 'one_hot')})\n"
        "s({'a': [1.0]})",
        SPACE
        + "s = FeatureSpace({'a': FeatureSpace.feature('float32', keras.layers.Rescaling(1.0), output_mode=\"int\")},"
        "output_mode='dict'); s({'a': [1.0]})",
        says='output_mode="int"',
    ),
    Paste("config = keras.utils.Config(a=1); config.freeze()", "config.a = 2"),
    Mistake(
        SPACE + "FeatureSpace({})", SPACE + 'FeatureSpace({"age": "float"})', says='FeatureSpace({"age": "float"})'
    ),
    Mistake(SPACE + "FeatureSpace({'a': 'floats'})", SPACE + "FeatureSpace({'a': 'float'})", says="{'a': 'float'}"),
    Mistake(
        SPACE + "FeatureSpace({'a': 'float'}, output_mode='concatenate')",
        SPACE + "FeatureSpace({'a': 'float'}, output_mode='concat')",
        says="output_mode='concat'",
    ),
    Mistake(
        SPACE + "FeatureSpace({'a': FeatureSpace.integer_categorical(output_mode='onehot')})",
        SPACE + "FeatureSpace({'a': FeatureSpace.integer_categorical(output_mode='one_hot')})",
        says="output_mode='one_hot'",
    ),
    Mistake(
        SPACE + "FeatureSpace.cross(('a', 'b'), 3, output_mode='ints')",
        SPACE + "FeatureSpace.cross(('a', 'b'), 3, output_mode='int')",
        says="output_mode='int'",
    ),
    Mistake(
        SPACE + "FeatureSpace({'a': 'integer_categorical', 'b': 'integer_categorical'}, crosses=[('a', 'b')],"
        "crossing_dim=None)",
        SPACE + "FeatureSpace({'a': 'integer_categorical', 'b': 'integer_categorical'}, crosses=[('a', 'b')],"
        "crossing_dim=32)",
        says="crossing_dim=32",
    ),
    Mistake(
        SPACE + "FeatureSpace({'age': 'integer_categorical', 'b': 'integer_categorical'}, crosses=[('ages', 'b')])",
        SPACE + "FeatureSpace({'age': 'integer_categorical', 'b': 'integer_categorical'}, crosses=[['age', 'b']])",
        says="crosses=[['age', 'b']]",
    ),
    Mistake(
        SPACE + "FeatureSpace({'a': 'string_categorical'})({'a': ['x']})",
        SPACE + "space = FeatureSpace({'a': 'string_categorical'}); space.adapt({'a': ['x']}); space({'a': ['x']})",
        says="learn from data: a",
        prose=True,
    ),
    Mistake(
        SPACE + "FeatureSpace({'a': 'string_categorical'}).adapt(3)",
        SPACE + "feature_space = FeatureSpace({'age': 'float_normalized'}); feature_space.adapt({'age': [20, 30]})",
        says="feature_space.adapt({'age': [20, 30]})",
    ),
    Mistake(
        SPACE + "FeatureSpace({'age': 'float_normalized'}).adapt({'ages': [1.0]})",
        SPACE + "data = {'ages': [1.0]}\ndata = dict(data); data['age'] = data.pop('ages')\n"
        "FeatureSpace({'age': 'float_normalized'}).adapt(data)",
        says="data = dict(data); data['age'] = data.pop('ages')",
    ),
    Mistake(
        SPACE + "s = FeatureSpace({'a': FeatureSpace.string_categorical(output_mode='int'), 'b': 'float'})\n"
        "s.adapt({'a': ['x'], 'b': [1.0]}); s({'a': ['x'], 'b': [1.0]})",
        SPACE + "s = FeatureSpace({'a': FeatureSpace.string_categorical(output_mode='int'), 'b': 'float'},"
        "output_mode='dict')\ns.adapt({'a': ['x'], 'b': [1.0]}); s({'a': ['x'], 'b': [1.0]})",
        says="output_mode='dict'",
    ),
    Mistake(
        "keras.utils.legacy.deserialize_keras_object('Mine', {})",
        "keras.utils.legacy.deserialize_keras_object('Mine', {}, custom_objects={'Mine': keras.layers.ReLU})",
        says="custom_objects={'Mine': ",
    ),
    Mistake(
        "keras.utils.legacy.deserialize_keras_object({'name': 'x'}, {})",
        "keras.utils.legacy.deserialize_keras_object("
        "{'class_name': 'Dense', 'config': {'units': 2}}, {'Dense': keras.layers.Dense})",
        says="{'class_name': 'Dense', 'config': {'units': 2}}",
    ),
    # Data sets inside the package
    Mistake(
        "keras.datasets.cifar100.load_data('course')", None, says="label_mode='coarse'", because="it needs a network"
    ),
    Mistake(
        "keras.datasets.california_housing.load_data('Small')",
        None,
        says="version='small'",
        because="it needs a network",
    ),
    Mistake(
        "keras.datasets.iris.load_data(test_split=20)",
        "keras.datasets.iris.load_data(test_split=0.2)",
        says="test_split=0.2",
    ),
    Mistake(
        "from lamina.datasets.sequences import _drop_long; _drop_long([[1, 2]], np.ones(1), 1)",
        "from lamina.datasets.sequences import _drop_long; _drop_long([[1, 2]], np.ones(1), 3)",
        says="maxlen=3",
        prose=True,
    ),
    # Dataset
    Mistake(
        "keras.utils.Dataset.from_tensor_slices(5)",
        "from lamina.utils import Dataset; Dataset.from_tensors(5)",
        says="Dataset.from_tensors(5)",
    ),
    Mistake(
        "keras.utils.Dataset.from_tensor_slices(([1], [1, 2]))",
        "tensors = ([1], [1, 2]); keras.utils.Dataset.from_tensor_slices(tuple(one[:1] for one in tensors))",
        says="tuple(one[:1] for one in tensors)",
    ),
    Mistake(
        "keras.utils.Dataset.from_generator(i for i in range(3))",
        "from lamina.utils import Dataset; generator = range(3); Dataset.from_generator(lambda: generator)",
        says="Dataset.from_generator(lambda: generator)",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).batch(0)",
        "keras.utils.Dataset.range(3).batch(batch_size=32)",
        says="batch_size=32",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).shuffle(0)",
        "keras.utils.Dataset.range(3).shuffle(buffer_size=1000)",
        says="buffer_size=1000",
    ),
    Mistake(
        "list(keras.utils.Dataset.from_generator(lambda: iter([[1], [1, 2]])).batch(2))",
        "dataset = keras.utils.Dataset.from_generator(lambda: iter([[1], [1, 2]])); list(dataset.padded_batch(32))",
        says="dataset.padded_batch(32)",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).get_single_element()",
        "dataset = keras.utils.Dataset.range(3); dataset.take(1).get_single_element()",
        says="dataset.take(1)",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).group_by_window(lambda i: 0, lambda key, window: window)",
        "keras.utils.Dataset.range(3).group_by_window(lambda i: 0, lambda key, window: window, window_size=32)",
        says="window_size=32",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).bucket_by_sequence_length(len, [3], [2])",
        "keras.utils.Dataset.range(3).bucket_by_sequence_length(len, [3], bucket_batch_sizes=[32, 32])",
        says="bucket_batch_sizes=[32, 32]",
    ),
    Mistake(
        "keras.utils.Dataset.range(3).ragged_batch(2)",
        "dataset = keras.utils.Dataset.range(3); dataset.padded_batch(2)",
        says="dataset.padded_batch(2)",
    ),
    # ImageDataGenerator and its kin
    *(
        Mistake(
            f"{GENERATOR}image.ImageDataGenerator({wrong})", f"{GENERATOR}image.ImageDataGenerator({right})", says=right
        )
        for wrong, right in (
            ("validation_split=20", "validation_split=0.2"),
            ("brightness_range=0.5", "brightness_range=(0.8, 1.2)"),
            ("zoom_range=(1, 2, 3)", "zoom_range=(0.8, 1.2)"),
        )
    ),
    swap(
        GENERATOR,
        "image.ImageDataGenerator(validation_split=0.5).flow(images, subset='train') -> "
        "image.ImageDataGenerator(validation_split=0.5).flow(images, subset='training')",
        "subset='training'",
    ),
    swap(
        GENERATOR + "from lamina.preprocessing.image import ImageDataGenerator\n",
        "image.ImageDataGenerator().flow(images, subset='training') -> "
        "ImageDataGenerator(validation_split=0.2).flow(images, subset='training')",
        "ImageDataGenerator(validation_split=0.2)",
    ),
    swap(
        GENERATOR,
        "image.ImageDataGenerator().flow(images, batch_size=0) -> "
        "image.ImageDataGenerator().flow(images, batch_size=32)",
        "batch_size=32",
    ),
    swap(
        GENERATOR,
        "image.ImageDataGenerator().flow(images[..., 0]) -> "
        "x = images[..., 0]; image.ImageDataGenerator().flow(x[..., None])",
        "x[..., None]",
    ),
    swap(
        GENERATOR,
        "image.ImageDataGenerator().fit(images[..., 0]) -> "
        "x = images[..., 0]; image.ImageDataGenerator().fit(x[..., None])",
        "x[..., None]",
    ),
    Paste(
        GENERATOR + "x, y = images, np.arange(3)", "image.ImageDataGenerator().flow(x, y)", says="x, y = x[:3], y[:3]"
    ),
    Paste(
        GENERATOR + "np.random.seed(1); x, y = np.ones((40, 4, 4, 3)), np.arange(40) // 20",
        "image.ImageDataGenerator(validation_split=0.3).flow(x, y, subset='training')",
    ),
    *(
        swap(FRAME, f"frame({wrong}) -> frame({right})", right)
        for wrong, right in (
            ("color_mode='RGB'", "color_mode='rgb'"),
            ("class_mode='category'", "class_mode='categorical'"),
        )
    ),
    swap(
        FRAME,
        "frame(y_col='number', class_mode='multi_output') -> frame(y_col=['number'], class_mode='multi_output')",
        "y_col=['number']",
    ),
    swap(
        FRAME + "df['class'] = list('abc'); picture('data/c/5.png')\n",
        "frame(class_mode='binary') -> frame(class_mode='sparse')",
        "class_mode='sparse'",
    ),
    swap(FRAME, "frame(x_col='file') -> frame(x_col='filename')", "'filename'"),
    Paste(FRAME, "frame(y_col='number')"),
    Paste(FRAME, "frame(weight_col='weight')"),
    Paste(
        FRAME + "df['filename'] = [1, 2, 3]; open('data/1', 'w')\n",
        "data.flow_from_dataframe(df, 'data', class_mode=None, validate_filenames=False)",
    ),
    Mistake(
        FOLDER + "open('data/a/9.jpg', 'w').write('x')\ndata = keras.preprocessing.image.ImageDataGenerator()\n"
        "next(data.flow_from_directory('data', shuffle=False))",
        FOLDER + "os.remove('data/a/9.jpg')\n"
        "data = keras.preprocessing.image.ImageDataGenerator()\n"
        "next(data.flow_from_directory('data', shuffle=False))",
        says="Remove or repair",
        prose=True,
    ),
    swap(
        GENERATOR,
        "image.apply_affine_transform(images[0], row_axis=0) -> "
        "image.apply_affine_transform(images[0], row_axis=0, col_axis=1, channel_axis=2)",
        "row_axis=0, col_axis=1, channel_axis=2",
    ),
    Mistake(
        GENERATOR + "image.apply_affine_transform(images, theta=3)",
        GENERATOR + "[image.apply_affine_transform(one, theta=3) for one in images]",
        says="one image at a time",
        prose=True,
    ),
    swap(
        GENERATOR,
        "image.random_zoom(images[0], 0.2) -> image.random_zoom(images[0], zoom_range=(0.8, 1.2))",
        "zoom_range=(0.8, 1.2)",
    ),
    swap(
        GENERATOR,
        "sequence.TimeseriesGenerator(np.ones(9), np.ones(9), 2, stride=0) -> "
        "sequence.TimeseriesGenerator(np.ones(9), np.ones(9), 2, stride=1)",
        "stride=1",
    ),
    swap(
        GENERATOR,
        "sequence.TimeseriesGenerator(np.ones(9), np.ones(9), 20) -> "
        "sequence.TimeseriesGenerator(np.ones(9), np.ones(9), length=8)",
        "length=8",
    ),
    Paste(GENERATOR + "data, targets = np.ones(9), np.ones(7)", "sequence.TimeseriesGenerator(data, targets, 2)"),
    Mistake(
        GENERATOR + "sequence.TimeseriesGenerator([np.ones(2)] * 9, np.ones(9), 2).to_json()",
        GENERATOR + "data = np.ones((9, 2)); sequence.TimeseriesGenerator(data.tolist(), np.ones(9), 2).to_json()",
        says="data.tolist()",
    ),
    swap(GENERATOR, "text.one_hot('a b', 1) -> text.one_hot('a b', n=1000)", "n=1000"),
    swap(
        GENERATOR,
        "text.Tokenizer(5).sequences_to_matrix([[1]], mode='frequency') -> "
        "text.Tokenizer(5).sequences_to_matrix([[1]], mode='freq')",
        "mode='freq'",
    ),
    Mistake(
        GENERATOR + "text.Tokenizer().sequences_to_matrix([[1]])",
        GENERATOR + "texts = ['a']; tokenizer = text.Tokenizer(); tokenizer.fit_on_texts(texts)\n"
        "tokenizer.sequences_to_matrix([[1]])",
        says="tokenizer.fit_on_texts(texts)",
    ),
    Mistake(
        GENERATOR + "text.Tokenizer(5).sequences_to_matrix([[1]], 'tfidf')",
        GENERATOR + "texts = ['a']; tokenizer = text.Tokenizer(5); tokenizer.fit_on_texts(texts)\n"
        "tokenizer.sequences_to_matrix([[1]], 'tfidf')",
        says="tokenizer.fit_on_texts(texts)",
    ),
    # Names of TensorFlow
    swap(
        TF,
        "random_numbers.RANDOM['uniform']((2,), dtype='int32') -> "
        "random_numbers.RANDOM['uniform']((2,), dtype='int32', maxval=10)",
        "maxval=10",
    ),
    Mistake(
        TF + "images.decode_image('data/a/0.png')",
        FOLDER
        + TF
        + "import types; tf = types.SimpleNamespace(io=types.SimpleNamespace(**images.IO)); path = 'data/a/0.png'\n"
        "images.decode_image(tf.io.read_file(path))",
        says="tf.io.read_file(path)",
    ),
    swap(
        TF,
        "functions.conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), 1, 'SAME', data_format='NCHW') -> "
        "functions.conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), 1, 'SAME', data_format='NHWC')",
        "data_format='NHWC'",
    ),
    *PROGRAMS,
    # Paths and what is found there
    Mistake(
        CSV + "open('data.csv', 'w').write('a\\n1\\n'); list(keras.utils.dataset_from_csv('dta.csv', verbose=False))",
        CSV + "open('data.csv', 'w').write('a\\n1\\n'); list(keras.utils.dataset_from_csv('data.csv', verbose=False))",
        says="data.csv",
    ),
    Mistake(CSV + "read('')", CSV + "read('a\\n1\\n')", says="a line of names", prose=True),
    Mistake(FOLDER + "images('dta')", FOLDER + "images('data')", says="'data'"),
    Mistake(FRAME + "data.flow_from_directory('dta')", FRAME + "data.flow_from_directory('data')", says="'data'"),
    Mistake(
        "import os; os.makedirs('none/a'); keras.utils.image_dataset_from_directory('none', verbose=False)",
        FOLDER + "images('data')",
        says="a folder of files for each class",
        prose=True,
    ),
    Mistake(
        FOLDER + "keras.utils.audio_dataset_from_directory('data', output_sequence_length=3)",
        WAV + "keras.utils.audio_dataset_from_directory('data', output_sequence_length=3)",
        says="Convert the files to .wav",
        prose=True,
    ),
    Mistake(
        FOLDER + "picture('flat/0.png'); images('flat')",
        FOLDER + "picture('flat/0.png'); images('flat', labels=None)",
        says="labels=None",
    ),
    Mistake(
        "keras.utils.Dataset.list_files('*.nothing')",
        "open('a.txt', 'w'); keras.utils.Dataset.list_files('*.txt')",
        says="files that are there",
        prose=True,
    ),
    Mistake(
        "keras.utils.Dataset.from_generator(lambda: iter([])).element_spec",
        "keras.utils.Dataset.from_generator(lambda: iter([1.0])).element_spec",
        says="one element or more",
        prose=True,
    ),
    Mistake(
        RANKS + "list(dataset.padded_batch(2))",
        RANKS + "list(dataset.map(lambda x: keras.ops.reshape(x, (-1,))).padded_batch(2))",
        says="dataset.map(lambda x: keras.ops.reshape(x, (-1,)))",
        prose=True,
    ),
    Mistake(
        "import pathlib, tarfile; from lamina.datasets.images import read_cifar\n"
        "tarfile.open('c.tar.gz', 'w:gz').close()\n"
        "read_cifar(pathlib.Path('c.tar.gz'), [['a']], b'labels')",
        None,
        says="the next call of load_data downloads it again",
        because="it needs the network",
    ),
    Mistake(
        "import io, pickle, pathlib, tarfile; from lamina.datasets.images import read_cifar\n"
        "with tarfile.open('c.tar.gz', 'w:gz') as archive:\n"
        "    data, member = pickle.dumps({}), tarfile.TarInfo('a'); member.size = len(data)\n"
        "    archive.addfile(member, io.BytesIO(data))\n"
        "read_cifar(pathlib.Path('c.tar.gz'), [['a']], b'labels')",
        None,
        says="the next call of load_data downloads it again",
        because="it needs the network",
    ),
    Mistake(
        "keras.utils.legacy.serialize_keras_object(3)",
        "class A:\n    def get_config(self): return {}  # its arguments, by name\n"
        "keras.utils.legacy.serialize_keras_object(A())",
        says="def get_config(self): return {}",
    ),
    Mistake(
        "keras.utils.legacy.deserialize_keras_object(3, module_objects={'Dense': keras.layers.Dense})",
        'keras.utils.legacy.deserialize_keras_object({"class_name": "Dense", "config": {"units": 1}}, '
        "module_objects={'Dense': keras.layers.Dense})",
        says='{"class_name": "Dense", "config": {"units": 1}}',
    ),
    Mistake(
        "from lamina.compat.inside_stores import DiskIOStore\nDiskIOStore('a', mode='w').make('../b')",
        'from lamina.compat.inside_stores import DiskIOStore\nDiskIOStore("a", mode="w").make(path="layers/dense")',
        says='path="layers/dense"',
    ),
    Mistake(
        TRACKER + "tracker.lock(); tracker.track(1j)",
        TRACKER + "tracker.track(1j); tracker.lock()",
        says="before the tracker is locked",
        prose=True,
    ),
]

test_fixes_work = fixes_work(MISTAKES + everyday.UTILS + notebooks.UTILS + everyday.PREPROCESSING)
OF_OTHERS = tuple(
    (part, "another test tries it")
    for part in ("find_batch_size", "memory=8", "find_learning_rate", "min_batch_size", "multi_gpu_model",
                 "gpus=", "layer.kernel", "was changed while",
                 "(3,) * n", 'padding="same"', "needs data that can be read again", "session of TensorFlow 1")
)  # fmt: skip
test_fixes_of_utils = fixes_are_tried("lamina/utils", MISTAKES + everyday.UTILS + notebooks.UTILS, OF_OTHERS)
test_fixes_of_preprocessing = fixes_are_tried("lamina/preprocessing", MISTAKES + everyday.PREPROCESSING)
test_fixes_of_data_sets = fixes_are_tried(
    "lamina/datasets", MISTAKES,
    [("remote.url", "test_downloads.py has servers"), ("remote.digest", "test_downloads.py has servers")],
)  # fmt: skip
test_fixes_of_compat = fixes_are_tried(
    "lamina/compat",
    MISTAKES,
    [
        ("TooLateError", "tests/cli/test_as_keras.py starts a process"),
        ("read_value()", "tests/compat/test_further_functions.py calls `value()` and `read_value()`"),
        *OF_OTHERS,
    ],
)


@pytest.mark.parametrize("file", ["choices", "dataset", "groups", "elements", "iterator", "transformations"])
def test_fixes_of_dataset(file, tmp_path, monkeypatch):
    fixes_are_tried(f"lamina/training/data/{file}.py", MISTAKES)(tmp_path, monkeypatch)
