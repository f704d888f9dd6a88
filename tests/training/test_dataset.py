"""`keras.utils.Dataset`: the methods of tf.data, what it says of itself, and passes that can be resumed."""

import threading
import time

import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError, DataError, FileError
from lamina.training.data.threads import in_threads

Dataset = keras.utils.Dataset


def numbers(dataset):
    return [item.tolist() for item in dataset.as_numpy_iterator()]


def test_groups():
    data = Dataset.range(7)
    assert numbers(data.batch(3).rebatch(2)) == [[0, 1], [2, 3], [4, 5], [6]]
    assert numbers(data.shard(3, 1)) == [1, 4] and len(data.shard(3, 1)) == 2
    assert numbers(data.take_while(lambda i: i < 3)) == [0, 1, 2]
    windows = data.window(3, shift=2, drop_remainder=True)
    assert [numbers(window) for window in windows._open()] == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert numbers(windows.flat_map(lambda window: window.batch(3))) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert [numbers(w) for w in data.window(2, stride=2, shift=4)._open()] == [[0, 2], [4, 6]]
    twice = lambda i: Dataset.from_tensors(i).repeat(2)
    assert numbers(Dataset.range(3).interleave(twice, cycle_length=2)) == [0, 1, 0, 1, 2, 2]
    assert int(data.reduce(0, lambda state, i: state + i)) == 21
    assert int(data.take(1).get_single_element()) == 0
    with pytest.raises(DataError, match="more than one element"):
        data.get_single_element()


def test_pairs_and_names():
    data = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 2)).map(lambda x, y: {"a": x, "b": y})
    assert [sorted(item) for item in data] == [["a", "b"]] * 4
    joined = Dataset.zip({"one": Dataset.range(3), "two": Dataset.range(5, 9)})
    assert [(int(i["one"]), int(i["two"])) for i in joined] == [(0, 5), (1, 6), (2, 7)] and len(joined) == 3
    assert numbers(Dataset.range(2).concatenate(Dataset.range(7, 9))) == [0, 1, 7, 8]
    counted = Dataset.range(5, 7).enumerate(start=1)
    assert [(int(i), int(x)) for i, x in counted] == [(1, 5), (2, 6)]


def test_padded_batches():
    rows = Dataset.from_generator(lambda: iter([([1], "a"), ([2, 3], "b"), ([4, 5, 6], "c")]))
    (first, names), (second, _) = rows.padded_batch(2, padding_values=(-1, None)).as_numpy_iterator()
    assert first.tolist() == [[1, -1], [2, 3]] and second.tolist() == [[4, 5, 6]] and names.tolist() == ["a", "b"]
    only = rows.map(lambda x, name: x).padded_batch(3, padded_shapes=[4])
    assert numbers(only) == [[[1, 0, 0, 0], [2, 3, 0, 0], [4, 5, 6, 0]]]
    with pytest.raises(DataError, match=r"elements of one shape; got \(1,\), \(2,\)\.\ndataset.padded_batch\(32\)"):
        list(rows.map(lambda x, name: x).batch(2))


def test_lengths_and_words():
    data = Dataset.from_tensor_slices((np.zeros((5, 2), "float32"), ["a", "b", "c", "d", "e"]))
    assert repr(data) == "Dataset(5 elements: float32 (2,), string ())"
    assert repr(data.batch(2, drop_remainder=True).repeat()) == "Dataset(endless batches: float32 (2, 2), string (2,))"
    mapped = data.batch(2).map(lambda x, y: x)
    assert repr(mapped) == "Dataset(3 batches: not read yet)"
    assert mapped.element_spec.shape == (None, 2) and mapped.element_spec.dtype == np.float32
    assert repr(mapped) == "Dataset(3 batches: float32 (None, 2))" and mapped.passes == 0
    assert repr(data.filter(lambda x, y: True)).startswith("Dataset(elements, how many is unknown: ")
    data.class_names = list("abcdefgh")
    assert repr(data.batch(5)).endswith("; class_names=['a', 'b', 'c', 'd', 'e', 'f', ... 8 in all])")
    lengths = [data.take(9), data.take(-1), data.skip(3), data.skip(-1), data.repeat(2), data.unbatch().repeat(0)]
    assert [int(d.cardinality()) for d in lengths] == [5, 5, 2, 0, 10, -2] and numbers(Dataset.range(3).skip(-1)) == []
    with pytest.raises(TypeError, match="infinite"):
        len(data.repeat())
    assert bool(data.repeat()) and Dataset.range(0).repeat().cardinality() == 0


def test_generators_are_called_for_each_pass_and_typed():
    data = Dataset.from_generator(lambda n: ([i, i] for i in range(n)), args=[2], output_types=("float32", "int32"))
    assert [x.dtype.name for x in next(data.as_numpy_iterator())] == ["float32", "int32"]
    assert len(list(data)) == len(list(data)) == 2
    with pytest.raises(DataError, match=r"got generator\.\nDataset.from_generator\(lambda: generator\)"):
        Dataset.from_generator(i for i in range(3))


def test_threads_keep_the_order_and_a_bounded_number_of_results():
    running, most = [0], [0]
    lock = threading.Lock()

    def slow(i):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002 * (i % 3))
        with lock:
            running[0] -= 1
        return i

    taken = []
    results = in_threads(slow, (taken.append(i) or i for i in range(50)), workers=3, waiting=5)
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(taken) <= 16 and most[0] <= 3
    assert list(results) == list(range(10, 50))
    data = Dataset.range(40).map(slow, num_parallel_calls=4).prefetch(2)
    assert numbers(data) == list(range(40))
    failing = Dataset.range(40).map(lambda i: 1 // (20 - int(i)), num_parallel_calls=-1).prefetch(-1)
    with pytest.raises(ZeroDivisionError):
        list(failing)


def test_reading_overlaps_the_step():
    """Two seconds of reading and of steps would take longer one after the other."""

    def read(i):
        time.sleep(0.01)
        return i

    begin = time.perf_counter()
    for _ in Dataset.range(20).map(read).prefetch(2):
        time.sleep(0.01)
    assert time.perf_counter() - begin < 0.37


def test_each_pass_of_a_shuffle_has_its_order_and_the_state_brings_it_back():
    keras.utils.set_random_seed(1)
    data = Dataset.range(9).shuffle(9, seed=1).cache().shuffle(4).batch(2).prefetch(1)
    again = Dataset.range(9).shuffle(9, seed=1).cache().shuffle(4, seed=2)
    first, second = numbers(again), numbers(again)
    assert first != second and sorted(first) == list(range(9))
    other = Dataset.range(9).shuffle(9, seed=1).cache().shuffle(4, seed=2)
    state = again.get_state()
    third = numbers(again)
    other.set_state(state)
    assert numbers(other) == third
    assert sorted(number for batch in numbers(data) for number in batch) == list(range(9))
    unseeded = [numbers(Dataset.range(20).shuffle(20)) for _ in range(2) if not keras.utils.set_random_seed(3)]
    assert unseeded[0] == unseeded[1]


def model():
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def test_a_killed_fit_goes_on_with_the_same_orders(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 1)).astype("float32")
    data = lambda: Dataset.from_tensor_slices((x, 2 * x)).shuffle(12, seed=5).batch(3)

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1 and self.params["epochs"] == 3 and self.model.optimizer.iterations == 6:
                raise KeyboardInterrupt

    whole = model()
    whole.fit(data(), epochs=3, verbose=0)
    killed = model()
    with pytest.raises(KeyboardInterrupt):
        killed.fit(data(), epochs=3, verbose=0, resume=tmp_path / "run", callbacks=[Stop()])
    resumed = model()
    resumed.fit(data(), epochs=3, verbose=0, resume=tmp_path / "run")
    for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fit_takes_maps_with_layers_and_text():
    x = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3)).astype("uint8")
    flip = keras.layers.RandomFlip("horizontal", seed=1)
    data = Dataset.from_tensor_slices((x, np.arange(8) % 2)).batch(4).map(lambda x, y: (flip(x, training=True), y))
    made = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    made.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert len(made.fit(data.prefetch(-1), epochs=2, verbose=0).history["loss"]) == 2
    text = Dataset.from_tensor_slices((["good film", "bad film"], [1, 0])).batch(2)
    lookup = keras.layers.TextVectorization(output_sequence_length=2)
    lookup.adapt(text.map(lambda words, label: words))
    assert "film" in lookup.get_vocabulary()
    ((words, _),) = list(text)
    assert words.numpy().tolist() == [b"good film", b"bad film"] and words[0].numpy() == b"good film"
    assert [str(one) for one in words] == ["good film", "bad film"] and lookup(words).shape == (2, 2)
    scale = keras.layers.Normalization()
    scale.adapt(Dataset.from_tensor_slices(np.arange(6.0).reshape(3, 2)).batch(2))
    np.testing.assert_allclose(np.ravel(scale.mean), [2, 3])


@pytest.mark.parametrize("method", ["batch", "shuffle", "padded_batch"])
def test_sizes_are_positive(method):
    with pytest.raises(ConfigError, match="positive integer; got 0.\n(batch|buffer)_size=1?"):
        getattr(Dataset.range(3), method)(0)


def test_a_cache_in_a_file(tmp_path):
    path, read = tmp_path / "folder" / "train.cache", []

    def elements():
        for i in range(3):
            read.append(i)
            yield (
                {"x": np.full((i + 1, 2), i, "float32"), "text": np.array(["ab", "ü" * i])},
                np.str_(f"n{i}"),
                b"\0a\0",
            )

    def check(data):
        for i, (parts, name, raw) in enumerate(data.as_numpy_iterator()):
            assert parts["x"].tolist() == [[i, i]] * (i + 1) and parts["x"].dtype == "float32"
            assert parts["text"].tolist() == ["ab", "ü" * i] and name == f"n{i}" and raw.item() == b"\0a\0"
        assert i == 2

    data = Dataset.from_generator(elements).cache(path)
    next(iter(data))
    assert not path.exists() and not list(path.parent.iterdir())  # the pass was not complete
    check(data), check(data), check(Dataset.from_generator(list).cache(str(path)))
    assert read == [0, 0, 1, 2] and [item.name for item in path.parent.iterdir()] == [path.name]

    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[: len(whole) // 2], whole.replace(b"text", b"tent"), b"\x80\x04N."):
        path.write_bytes(damaged)
        with pytest.raises(FileError, match="damaged|no file that"):
            list(data)
    with pytest.raises(DataError, match="cannot be kept in the file"):
        list(Dataset.from_tensors(np.array([print], object)).cache(tmp_path / "b"))
    assert not (tmp_path / "b").exists()
