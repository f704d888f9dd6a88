"""Pipelines as tutorials of TensorFlow write them: windows of a series, records, CSV, text, sound, ragged words."""

import os
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

folder = pathlib.Path(tempfile.mkdtemp())
AUTOTUNE = tf.data.AUTOTUNE

# windows of a time series
series = np.stack([np.sin(np.arange(60) / 5), np.arange(60) / 60], -1).astype("float32")
windows = tf.keras.utils.timeseries_dataset_from_array(series, None, sequence_length=7, batch_size=8, shuffle=False)


def split_window(features):
    inputs, labels = features[:, :6, :], tf.stack([features[:, 6:, 0]], axis=-1)
    inputs.set_shape([None, 6, None])
    return inputs, labels


pairs = windows.map(split_window)
print("windows", [tuple(spec.shape) for spec in pairs.element_spec], next(iter(pairs))[1].numpy()[0].round(4).tolist())
by_hand = tf.data.Dataset.range(10).window(5, shift=3, drop_remainder=True).flat_map(lambda w: w.batch(5))
print("by hand", [(x.tolist(), y.tolist()) for x, y in by_hand.map(lambda b: (b[:-1], b[-1:])).as_numpy_iterator()])

# records
path = str(folder / "a.tfrecord")
with tf.io.TFRecordWriter(path) as writer:
    for i in range(4):
        image = tf.io.encode_png(tf.fill([2, 2, 1], tf.cast(i * 10, tf.uint8)))
        features = {
            "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.numpy()])),
            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 2])),
        }
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
description = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}


def parse(record):
    example = tf.io.parse_single_example(record, description)
    return tf.cast(tf.io.decode_png(example["image"], channels=1), tf.float32) / 255.0, example["label"]


records = tf.data.TFRecordDataset(path).map(parse, num_parallel_calls=AUTOTUNE).batch(4).prefetch(AUTOTUNE)
images, labels = next(iter(records))
print("records", images.shape, round(float(tf.reduce_sum(images)) * 255, 3), labels.numpy().tolist())

# a table, and layers that adapt to it
(folder / "t.csv").write_text("age,kind,target\n1,cat,0\n2,dog,1\n3,dog,1\n4,cat,0\n")
table = tf.data.experimental.make_csv_dataset(
    str(folder / "t.csv"), 2, label_name="target", num_epochs=1, shuffle=False
)
normal = tf.keras.layers.Normalization(axis=None)
normal.adapt(table.map(lambda columns, label: tf.cast(columns["age"], tf.float32)))
lookup = tf.keras.layers.StringLookup()
lookup.adapt(table.map(lambda columns, label: columns["kind"]))
columns, target = next(iter(table))
print(
    "table",
    normal(tf.cast(columns["age"], tf.float32)).numpy().round(3).tolist(),
    lookup(columns["kind"]).numpy().tolist(),
)

# text
(folder / "t.txt").write_text("The cat sat.\nA dog ran!\nThe dog sat.\n")
lines = tf.data.TextLineDataset(str(folder / "t.txt")).filter(lambda line: tf.strings.length(line) > 10)
vectorize = tf.keras.layers.TextVectorization(output_sequence_length=4)
vectorize.adapt(lines.batch(2))
print("text", len(list(lines)), vectorize.get_vocabulary()[:3], vectorize(["the dog"]).numpy().tolist())
words = tf.strings.split(tf.strings.lower(["to be", "or not to be"]))
print("ragged", words.row_lengths().numpy().tolist(), words.to_tensor().numpy().tolist()[0], words[1].numpy().tolist())

# files in folders of classes
for name in ("cat", "dog"):
    (folder / "pets" / name).mkdir(parents=True)
    tf.io.write_file(str(folder / "pets" / name / "0.txt"), name)
classes = np.array(["cat", "dog"])
files = tf.data.Dataset.list_files(str(folder / "pets" / "*" / "*"), shuffle=False)
label_of = lambda file: tf.argmax(tf.cast(tf.strings.split(file, os.sep)[-2] == classes, tf.int32))
print("files", [int(label) for label in files.map(label_of)], [tf.io.read_file(f).numpy() for f in files])

# sound
wave = tf.sin(tf.range(400, dtype=tf.float32) / 3)
tf.io.write_file(str(folder / "a.wav"), tf.audio.encode_wav(wave[:, None], 8000))
audio, rate = tf.audio.decode_wav(tf.io.read_file(str(folder / "a.wav")), desired_channels=1)
spectrogram = tf.abs(tf.signal.stft(tf.squeeze(audio, axis=-1), frame_length=64, frame_step=32))
print("sound", int(rate), spectrogram.shape, int(tf.argmax(spectrogram[0])))

# more and less frequent classes
many, few = tf.data.Dataset.from_tensors(0).repeat(), tf.data.Dataset.from_tensors(1).repeat()
mixed = tf.data.Dataset.sample_from_datasets([many, few], weights=[0.5, 0.5], seed=1).take(200)
print("balanced", 70 < sum(int(label) for label in mixed) < 130)
lengths = tf.data.Dataset.range(1, 6).map(lambda n: tf.fill([tf.cast(n, tf.int32)], n))
print(
    "padded",
    [batch.tolist() for batch in lengths.padded_batch(3, padding_values=tf.constant(-1, tf.int64)).as_numpy_iterator()],
)

# random numbers, with those of TensorFlow
tf.random.set_seed(1)
print("random", tf.random.uniform([2]).numpy().round(4).tolist(), tf.random.shuffle(tf.range(5)).numpy().tolist())
generator = tf.random.Generator.from_seed(1)
print(
    "generator",
    generator.normal([2]).numpy().round(4).tolist(),
    generator.split(2)[0].uniform([1]).numpy().round(4).tolist(),
)
print("stateless", tf.random.stateless_uniform([3], seed=(1, 2)).numpy().round(4).tolist())

# tables of words, slices
table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
print("lookup", table.lookup(tf.constant(["b", "z"])).numpy().tolist())
grid = tf.reshape(tf.range(12), [3, 4])
print(
    "slices",
    tf.gather_nd(grid, [[0, 1], [2, 3]]).numpy().tolist(),
    tf.slice(grid, [1, 1], [-1, 2]).numpy().tolist(),
    tf.scatter_nd([[1], [3]], [9, 8], [5]).numpy().tolist(),
)
