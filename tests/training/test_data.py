"""Batches of every kind of input, against Keras's own iterators and by hand."""

import contextlib
import itertools
import os
import random
import threading
import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights
from keras.src.trainers.epoch_iterator import EpochIterator

from lamina.errors import DataError
from lamina.runtime import settings
from lamina.training.data import (
    PyDataset,
    class_weights_of,
    make_batches,
    pack_x_y_sample_weight,
    split_validation,
    unpack_x_y_sample_weight,
)
from lamina.training.data import arrays as module
from lamina.training.data.endless import endless_loop
from lamina.training.data.shares import Share

N = 10
X = np.arange(N * 3, dtype="float32").reshape(N, 3)
Y = np.arange(N, dtype="int32")
W = np.linspace(0, 1, N, dtype="float32")


def ours(*args, epochs=1, seed=0, **kwargs):
    np.random.seed(seed)
    random.seed(seed)
    batches = make_batches(*args, **kwargs)
    found = []
    for _ in range(epochs):
        found += list(batches.epoch())
        batches.end_epoch()
    return found


def theirs(*args, epochs=1, seed=0, steps=None, **kwargs):
    np.random.seed(seed)
    random.seed(seed)
    iterator = EpochIterator(*args, steps_per_epoch=steps, **kwargs)
    found = []
    for _ in range(epochs):
        for _, _, batches in iterator:
            found += [unpack_x_y_sample_weight(batch) for batch in batches]
    return found


def same(found, wanted):
    assert len(found) == len(wanted)
    for ours_, theirs_ in zip(found, wanted, strict=True):
        assert jax.tree.structure(tuple(ours_)) == jax.tree.structure(tuple(theirs_))
        for a, b in zip(jax.tree.leaves(tuple(ours_)), jax.tree.leaves(tuple(theirs_)), strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


ARRAYS = {
    "x": (X,),
    "x, y": (X, Y),
    "x, y, w": (X, Y, W),
    "float64": (X.astype("float64"), Y),
    "jax": (jnp.asarray(X), jnp.asarray(Y)),
    "list": ([X, X[:, :1]], Y),
    "tuple": ((X, X[:, :1]), Y),
    "dict": ({"b": X, "a": {"c": X[:, 0]}}, {"out": Y}),
    "several outputs, one weight": (X, [Y, X], W),
    "several outputs, several weights": (X, [Y, X], [W, W[:, None]]),
    "frame": (pd.DataFrame(X.astype("float64"), columns=list("abc")), pd.Series(Y)),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("settings", [{}, {"batch_size": 4}, {"batch_size": 4, "shuffle": True}, {"shuffle": "batch"}])
def test_arrays_give_the_batches_of_keras(name, settings):
    same(ours(*ARRAYS[name], epochs=2, **settings), theirs(*ARRAYS[name], epochs=2, **settings))


@pytest.mark.parametrize("shuffle", [False, True])
def test_rows_of_much_data_are_taken_in_a_thread(shuffle, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(22.0, dtype="float32").reshape(11, 2))
    on_file, labels = np.load(tmp_path / "x.npy", mmap_mode="r"), scipy.sparse.csr_array(np.eye(11, 3))

    def epochs():
        np.random.seed(5)
        batches = make_batches(on_file, labels, batch_size=4, shuffle=shuffle)
        return jax.tree.map(np.asarray, [list(batches.epoch()), list(batches.epoch())])

    wanted, readers, is_mapped = epochs(), set(), module._is_mapped
    monkeypatch.setattr(module, "MAX_BYTES_ON_DEVICE", 0)
    monkeypatch.setattr(module, "_is_mapped", lambda leaf: readers.add(threading.current_thread()) or is_mapped(leaf))
    jax.tree.map(np.testing.assert_array_equal, epochs(), wanted)
    assert len(readers) == 2 and threading.main_thread() not in readers  # one an epoch


def test_types_of_leaves():
    x, y, _ = make_batches({"f": X.astype("float64"), "h": X.astype("float16"), "b": X > 3}, Y.astype("int64")).peek()
    assert [leaf.dtype.name for leaf in jax.tree.leaves(x)] == ["bool", "float32", "float32"]
    assert y.dtype == "int32"


def test_numbers_in_lists_and_sparse_rows():
    (x, y, _), *_ = ours(X.tolist(), Y.tolist(), batch_size=4)
    np.testing.assert_array_equal(x, X[:4])
    np.testing.assert_array_equal(y, Y[:4])
    rows = [np.asarray(x) for x, _, _ in ours(scipy.sparse.coo_matrix(X), Y, batch_size=4)]
    np.testing.assert_array_equal(np.concatenate(rows), X)
    shuffled = np.concatenate([x for x, _, _ in ours(scipy.sparse.csr_array(X), batch_size=4, shuffle=True)])
    assert sorted(shuffled[:, 0].tolist()) == X[:, 0].tolist()
    assert isinstance(shuffled, np.ndarray)


def test_frames_with_numbers_of_several_types():
    frame = pd.DataFrame({"i": [1, 2], "b": [True, False], "f": [0.5, 1.5], "n": pd.array([1, None], dtype="Int64")})
    x = make_batches(frame).peek()[0]
    np.testing.assert_array_equal(x, np.array([[1, 1, 0.5, 1], [2, 0, 1.5, np.nan]], "float32"))


def test_device_rows_compile_once():
    from lamina.training.data import arrays

    array = jnp.asarray(X)
    np.testing.assert_array_equal(arrays._rows_on_device(array, slice(4, 8)), X[4:8])
    np.testing.assert_array_equal(arrays._rows_on_device(array, np.array([3, 1])), X[[3, 1]])
    size = arrays._window._cache_size()
    arrays._rows_on_device(array, slice(0, 4))
    assert arrays._window._cache_size() == size


@pytest.mark.parametrize("steps, size", [(3, None), (2, 2), (5, 2)])
def test_steps_go_on_where_the_last_epoch_stopped(steps, size):
    settings = {"steps": steps, "batch_size": size, "shuffle": True}
    same(ours(X, Y, epochs=2, **settings), theirs(X, Y, epochs=2, **settings))
    assert make_batches(X, Y, **settings).num_batches == steps


def test_more_steps_than_data_warns_and_goes_on():
    batches = make_batches(X, Y, batch_size=5, steps=3)
    for _ in range(2):
        with pytest.warns(UserWarning, match="ran out"):
            assert len(list(batches.epoch())) == 2


def test_peek_loses_nothing_and_draws_nothing():
    np.random.seed(0)
    batches = make_batches(X, batch_size=4, shuffle=True)
    assert batches.peek()[0].shape == (4, 3)
    first = next(iter(batches.epoch()))[0]
    np.testing.assert_array_equal(first, ours(X, batch_size=4, shuffle=True)[0][0])
    stream = make_batches(iter([(X[:2],), (X[2:4],)]))
    assert stream.peek()[0].shape == (2, 3)
    assert [x[0, 0] for x, _, _ in stream.epoch()] == [0, 6]


def test_the_part_that_one_of_several_processes_reads_may_be_empty():
    rows = [(X[:0], Y[:0]), (X[:2], Y[:2])]
    stream = make_batches(iter(rows))
    stream.share = Share(number=3, count=4, devices=2)
    assert [len(x) for x, _, _ in stream.epoch()] == [0, 2]
    with pytest.raises(DataError, match="empty: 0 samples"):
        list(make_batches(iter(rows)).epoch())


def test_sizes():
    batches = make_batches(X, Y, batch_size=4)
    assert (batches.num_batches, batches.batch_size, batches.num_samples) == (3, 4, N)
    stream = make_batches(iter([X]))
    assert (stream.num_batches, stream.batch_size, stream.num_samples) == (None, None, None)


def chunks(kind=lambda x, y, w: (x, y, w)):
    for start in range(0, N, 4):
        yield kind(X[start : start + 4], Y[start : start + 4], W[start : start + 4])


KINDS = {
    "(x,)": lambda x, y, w: (x,),
    "(x, y)": lambda x, y, w: (x, y),
    "(x, y, w)": lambda x, y, w: (x, y, w),
    "inputs": lambda x, y, w: ((x, {"a": x}), [y, y]),
    "jax": lambda x, y, w: (jnp.asarray(x), jnp.asarray(y)),
    "float64": lambda x, y, w: (x.astype("float64"), y),
}


@pytest.mark.parametrize("kind", KINDS)
def test_generators_give_the_batches_of_keras(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns at the end of any generator
        wanted = theirs(chunks(KINDS[kind]))
    same(ours(chunks(KINDS[kind])), wanted)
    for x, _, _ in ours(chunks(KINDS[kind])):
        assert all(leaf.dtype == "float32" for leaf in jax.tree.leaves(x))


@pytest.mark.parametrize("kind", [lambda x, y, w: x, lambda x, y, w: {"a": x}, lambda x, y, w: [x, y]])
def test_generators_that_keras_refuses(kind):
    """Bare inputs and lists, which Keras takes from a PyDataset but not from a generator."""
    same(ours(chunks(kind)), [unpack_x_y_sample_weight(batch) for batch in chunks(kind)])


def test_an_endless_generator_with_steps():
    def endless():
        while True:
            yield from chunks()

    batches = make_batches(endless(), steps=2)
    firsts = [x[0, 0] for _ in range(2) for x, _, _ in batches.epoch()]
    assert firsts == [0, 12, 24, 0]


def test_a_generator_that_ended_says_so():
    batches = make_batches(chunks())
    assert len(list(batches.epoch())) == 3
    assert not batches.exhausted
    with pytest.warns(UserWarning, match="ran out"):
        assert list(batches.epoch()) == []
    assert batches.exhausted


class Squares(PyDataset):
    """Batch i holds i and its square; counts its epochs."""

    def __init__(self, count=5, **kwargs):
        super().__init__(**kwargs)
        self.count, self.events = count, []

    @property
    def num_batches(self):
        return self.count

    def __getitem__(self, index):
        return np.full((2, 1), index, "float32"), np.full((2, 1), index**2, "float32")

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


class KerasSquares(keras.utils.PyDataset):
    """The same as a dataset of Keras itself."""

    __getitem__ = Squares.__getitem__

    def __len__(self):
        return 5


class Sequence:
    """What tf.keras called a Sequence, with no base class."""

    __getitem__ = Squares.__getitem__

    def __len__(self):
        return 5


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dataset", [Squares(), Squares(workers=3, max_queue_size=2), KerasSquares(), Sequence()])
def test_py_datasets(dataset, shuffle):
    wanted = theirs(KerasSquares(), epochs=2, shuffle=shuffle)
    same(ours(dataset, epochs=2, shuffle=shuffle), wanted)


def test_hooks_and_length_of_a_py_dataset():
    dataset = Squares()
    batches = make_batches(dataset)
    assert batches.num_batches == 5
    list(batches.epoch())
    batches.end_epoch()
    dataset.count = 3
    assert len(list(batches.epoch())) == 3
    assert dataset.events == ["begin", "end", "begin"]


def test_an_endless_py_dataset_with_threads():
    batches = make_batches(Squares(count=None, workers=2), steps=3)
    assert [int(x[0, 0]) for x, _, _ in batches.epoch()] == [0, 1, 2]


class Failing(Squares):
    """Fails at batch 2."""

    def __getitem__(self, index):
        if index == 2:
            raise ZeroDivisionError("batch 2")
        return super().__getitem__(index)


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_workers_arrive(workers):
    seen = []
    with pytest.raises(ZeroDivisionError, match="batch 2"):
        seen.extend(int(x[0, 0]) for x, _, _ in make_batches(Failing(workers=workers)).epoch())
    assert len(seen) == 0 or seen == [0, 1]


def test_processes(tmp_path, monkeypatch):
    """They live over the epochs, and see what the dataset's hooks changed."""
    (tmp_path / "their_data.py").write_text(
        "import os, numpy as np\n"
        "class Data:\n"
        "    workers, use_multiprocessing, max_queue_size, epoch = 1, True, 4, 0\n"
        "    def __len__(self): return 3\n"
        "    def __getitem__(self, i): return np.array([[i, os.getpid(), self.epoch]])\n"
        "    def on_epoch_end(self): self.epoch += 1\n"
        "class Lambda(Data):\n"
        "    def __init__(self): self.function = lambda: 0\n"
        "class Dying(Data):\n"
        "    def __getitem__(self, i): os._exit(3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import their_data

    batches = make_batches(their_data.Data())
    rows = []
    for _ in range(2):
        rows += [x[0].tolist() for x, _, _ in batches.epoch()]
        batches.end_epoch()
    assert [(index, epoch) for index, _, epoch in rows] == [(i, epoch) for epoch in range(2) for i in range(3)]
    processes = {process for _, process, _ in rows}
    assert len(processes) == 1 and os.getpid() not in processes
    with pytest.raises(DataError, match="cannot be sent to other processes"):
        make_batches(their_data.Lambda()).peek()
    with pytest.raises(DataError, match="__main__"):
        make_batches(their_data.Dying()).peek()


def test_grain_datasets():
    import grain

    rows = grain.MapDataset.source([(row, label) for row, label in zip(X, Y, strict=True)]).batch(4)
    for dataset in (rows, rows.to_iter_dataset()):
        batches = make_batches(dataset)
        for _ in range(2):
            found = list(batches.epoch())
            np.testing.assert_array_equal(np.concatenate([x for x, _, _ in found]), X)
            np.testing.assert_array_equal(np.concatenate([y for _, y, _ in found]), Y)
    assert make_batches(rows).num_batches == 3
    assert make_batches(rows.repeat()).num_batches is None
    loader = grain.DataLoader(
        data_source=[row for row in X],
        sampler=grain.samplers.IndexSampler(N, grain.sharding.NoSharding(), num_epochs=1),
        operations=[grain.transforms.Batch(4)],
    )
    assert [x.shape for x, _, _ in make_batches(loader).epoch()] == [(4, 3), (4, 3), (2, 3)]


def foreign(name, module, **members):
    """A stand-in for a class of a library that is not installed here."""
    return type(name, (), {"__module__": module, **members})


def test_torch_loaders_and_tensors():
    def numpy(self):
        return self.array

    tensor = foreign("Tensor", "torch", detach=lambda self: self, cpu=lambda self: self, numpy=numpy)

    def of(array):
        made = tensor()
        made.array = array
        made.__class__.__array__ = lambda self, dtype=None, copy=None: self.array
        return made

    loader = foreign("DataLoader", "torch.utils.data.dataloader", batch_size=4, __len__=lambda self: 3)
    loader.__iter__ = lambda self: ([of(x), of(y)] for x, y, _ in chunks())
    batches = make_batches(loader())
    assert (batches.num_batches, batches.batch_size) == (3, 4)
    same(list(batches.epoch()), [(x, y, None) for x, y, _ in chunks()])
    same(ours(of(X), of(Y), batch_size=4), [(x, y, None) for x, y, _ in chunks()])


@pytest.mark.parametrize("cardinality, length", [(3, 3), (-1, None), (-2, None)])
def test_tf_datasets(cardinality, length):
    base = foreign("DatasetV2", "tensorflow.python.data.ops.dataset_ops")
    members = {"as_numpy_iterator": lambda self: chunks(), "cardinality": lambda self: cardinality}
    dataset = type("_BatchDataset", (base,), {**members, "__iter__": lambda self: iter(())})()
    batches = make_batches(dataset)
    assert batches.num_batches == length
    for _ in range(2):
        same(list(batches.epoch()), list(chunks()))
    assert batches.num_batches == 3


@pytest.mark.parametrize(
    "labels",
    [Y, Y[:, None].astype("float32"), np.eye(N, dtype="float32"), jnp.asarray(Y), np.array([0.0, 1.0, 2.0, 1.9])],
)
def test_class_weights_are_those_of_keras(labels):
    weights = {0: 2.0, 2: 0.5, 9: 7.0}
    np.testing.assert_array_equal(class_weights_of(labels, weights), class_weight_to_sample_weights(labels, weights))


def test_class_weight_becomes_sample_weight():
    weight = {1: 3.0}
    assert ours(X, Y, class_weight=weight, batch_size=5)[0][2].tolist() == [1, 3, 1, 1, 1]
    assert ours(iter([(X, Y)]), class_weight=weight)[0][2].tolist() == [1, 3] + [1] * 8
    assert class_weights_of(np.array([[0, 1], [1, 0]]).repeat(2, 0).reshape(2, 2, 2), {0: 1.0, 1: 3.0}).shape == (2, 2)


def test_validation_split_takes_the_last_part():
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    for fraction in (0.1, 0.25, 0.5, 0.8):
        train, validation = split_validation((X, {"a": Y}, None), fraction)
        wanted_train, wanted_validation = train_validation_split((X, Y), fraction)
        for found, wanted in ((train, wanted_train), (validation, wanted_validation)):
            np.testing.assert_array_equal(found[0], wanted[0][:])
            np.testing.assert_array_equal(found[1]["a"], wanted[1][:])
            assert found[2] is None
    sparse = split_validation((scipy.sparse.csr_array(X), Y, None), 0.2)[1][0]
    assert sparse.shape == (2, 3)


def test_pack_and_unpack():
    for data in (X, (X,), (X, Y), (X, Y, W), [X, Y]):
        same([unpack_x_y_sample_weight(data)], [keras.utils.unpack_x_y_sample_weight(data)])
    for data in ((X,), ([X],), (X, Y), (X, Y, W)):
        same([(pack_x_y_sample_weight(*data),)], [(keras.utils.pack_x_y_sample_weight(*data),)])


MISTAKES = {
    "no data": ((None, Y), {}, "x is None"),
    "other counts": ((X, Y[:9]), {}, "x: 10, y: 9"),
    "other counts inside": (({"a": X, "b": X[:3]}, Y), {}, r"x\['a'\]: 10, x\['b'\]: 3, y: 10"),
    "empty": ((X[:0], Y[:0]), {}, "0 samples"),
    "empty list": (([], []), {}, "0 samples"),
    "scalar": ((np.float32(3),), {}, "single number"),
    "strings": ((np.array(["a", "b"]),), {}, "strings"),
    "list of strings": ((["a", "b"],), {}, "strings"),
    "objects": ((np.array([1, None]),), {}, r"x\[1\] is None"),
    "ragged": (([[1, 2], [3]],), {}, "pad_sequences"),
    "ragged array": ((np.array([[1, 2], [3]], dtype=object),), {}, "pad_sequences"),
    "dates": ((np.array(["2020-01-01"], "datetime64[s]"),), {}, "dates"),
    "text columns": ((pd.DataFrame({"n": [1], "s": ["a"]}),), {}, "'s'"),
    "no array": ((object(),), {}, "must be an array"),
    "batch size": ((X, Y), {"batch_size": 0}, "batch_size"),
    "batch size float": ((X, Y), {"batch_size": 2.5}, "batch_size"),
    "shuffle": ((X, Y), {"shuffle": "rows"}, "shuffle"),
    "steps": ((X, Y), {"steps": 0}, "steps"),
    "both weights": ((X, Y, W), {"class_weight": {0: 1.0}}, "class_weight and sample_weight"),
    "class weight without y": ((X,), {"class_weight": {0: 1.0}}, "no y"),
    "class weight, outputs": ((X, [Y, Y]), {"class_weight": {0: 1.0}}, "several outputs"),
    "class weight list": ((X, Y), {"class_weight": [1.0]}, "dict"),
    "class weight names": ((X, Y), {"class_weight": {"a": 1.0}}, "dict"),
    "weights of other structure": ((X, [Y, Y], [W]), {}, "each output"),
    "wide weight": ((X, [Y, Y], X), {}, r"\(samples,\)"),
    "y beside generator": ((chunks(), Y), {}, "y was given with a generator"),
    "weight beside dataset": ((Squares(), None, W), {}, "sample_weight was given with a Squares"),
    "no batches": ((Squares(count=0),), {}, "0 batches"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_what_came_and_the_fix(name):
    args, settings, message = MISTAKES[name]
    with pytest.raises(DataError, match=message):
        make_batches(*args, **settings)


def test_a_batch_size_beside_batches_is_told_and_left_aside():
    with pytest.warns(
        UserWarning, match="batch_size=3 is left aside: a Squares yields batches of its own size"
    ) as told:
        assert len(list(make_batches(Squares(), batch_size=3).epoch())) == Squares().num_batches
    assert told[0].filename == __file__


def test_a_sequence_is_read_by_length_and_index_whatever_its_iterator_does():
    class Endless(Squares):
        def __iter__(self):
            while True:
                yield self[0]

        def __next__(self):
            return self[0]

    class Plain:
        """No PyDataset at all."""

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[:2] + index, Y[:2]

        __iter__ = __next__ = lambda self: iter([])

    wanted = [x.tolist() for x, _, _ in make_batches(Squares()).epoch()]
    assert [x.tolist() for x, _, _ in make_batches(Endless()).epoch()] == wanted
    assert len(list(make_batches(Plain()).epoch())) == 3


def test_mistakes_found_in_the_first_batch():
    with pytest.raises(DataError, match="got 4 parts"):
        make_batches(iter([(X, Y, W, W)])).peek()
    with pytest.raises(DataError, match="x: 10, y: 9"):
        make_batches(iter([(X, Y[:9])])).peek()
    with pytest.raises(DataError, match="yielded no batch"):
        make_batches(iter([])).peek()
    with pytest.raises(DataError, match="validation_data"):
        split_validation((chunks(), None, None), 0.5)
    with pytest.raises(DataError, match="too few"):
        split_validation((X[:1], Y[:1], None), 0.5)
    with pytest.raises(DataError, match="between 0 and 1"):
        split_validation((X, Y, None), 1.5)


def test_a_limit_on_steps(monkeypatch):
    monkeypatch.setitem(settings._settings, "max_steps_per_epoch", 2)
    assert len(ours(X, batch_size=2)) == make_batches(X, batch_size=2).num_batches == 2
    assert len(ours(X, batch_size=2, steps=5)) == 2
    assert len(ours(X, batch_size=2, steps=1)) == 1
    assert len(ours(X, batch_size=10)) == 1
    assert len(ours(chunks())) == 2


def forever(batches):
    while True:
        for batch in batches:
            if not batch:
                break
            yield batch


def counted(batches):
    with contextlib.nullcontext():
        for number in itertools.count():
            yield batches[number % 2]


def ending(batches):
    while True:
        yield from batches
        if batches:
            return


def broken_off(batches):
    while True:
        yield batches[0]
        try:
            batches.pop()
        except IndexError:
            break


@pytest.mark.parametrize("function", [forever, counted, ending, broken_off])
def test_a_generator_without_an_end_is_told(function):
    generator, is_endless = function([np.ones((2, 1))]), function in (forever, counted)
    assert (endless_loop(generator) is not None) is is_endless
    expected = pytest.warns(UserWarning, match=f"{function.__name__} never leaves its loop in line")
    with expected if is_endless else contextlib.nullcontext():
        make_batches(generator)
    make_batches(function([]), steps=3)
