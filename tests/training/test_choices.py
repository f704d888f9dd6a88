"""`Dataset`: groups and draws that a function, or chance, chooses; folders that keep elements."""

import numpy as np

import lamina as keras

Dataset = keras.utils.Dataset


def numbers(dataset):
    return [item.tolist() for item in dataset.as_numpy_iterator()]


def test_scan_and_unique():
    assert numbers(Dataset.range(1, 5).scan(0, lambda total, i: (total + i, total + i))) == [1, 3, 6, 10]
    assert numbers(Dataset.from_tensor_slices([3, 1, 3, 2, 1]).unique()) == [3, 1, 2]
    assert numbers(Dataset.from_tensor_slices(["b", "a", "b"]).unique()) in (["b", "a"], [b"b", b"a"])


def test_windows_of_a_key():
    by_parity = Dataset.range(7).group_by_window(lambda i: i % 2, lambda key, window: window.batch(2), window_size=2)
    assert numbers(by_parity) == [[0, 2], [1, 3], [4, 6], [5]]
    sizes = Dataset.range(6).group_by_window(
        lambda i: i % 2, lambda key, window: window.batch(9), window_size_func=lambda key: 1 + 2 * key
    )
    assert numbers(sizes) == [[0], [2], [4], [1, 3, 5]]


def test_buckets_by_length():
    rows = Dataset.from_generator(lambda: iter([[1], [1, 2, 3], [2, 2], [3], [4, 4, 4, 4]]))
    assert numbers(rows.bucket_by_sequence_length(len, [3], [2, 2])) == [
        [[1, 0], [2, 2]], [[1, 2, 3, 0], [4, 4, 4, 4]], [[3]],
    ]  # fmt: skip
    filled = rows.take(1).bucket_by_sequence_length(len, [4], [2, 2], pad_to_bucket_boundary=True)
    assert numbers(filled) == [[[1, 0, 0]]]


def test_draws_among_data_sets():
    low, high = Dataset.range(3), Dataset.range(10, 13)
    chosen = Dataset.choose_from_datasets([low, high], Dataset.from_tensor_slices([1, 0, 0, 1]))
    assert numbers(chosen) == [10, 0, 1, 11]
    assert numbers(Dataset.sample_from_datasets([low, high], weights=[1.0, 0.0], seed=1)) == [0, 1, 2]
    both = Dataset.sample_from_datasets([low, high], seed=3)
    assert sorted(numbers(both)) == [0, 1, 2, 10, 11, 12]
    ends = Dataset.sample_from_datasets([low.repeat(), high], seed=3, stop_on_empty_dataset=True)
    assert [i for i in numbers(ends) if i >= 10] == [10, 11, 12]
    drawn = Dataset.sample_from_datasets([low.repeat(), high.repeat()], [0.8, 0.2], seed=5).take(2000)
    assert abs(np.mean(np.array(numbers(drawn)) < 10) - 0.8) < 0.04  # 4 standard deviations
    again = Dataset.random(seed=4).take(3)
    assert numbers(again) == numbers(again) and len(set(numbers(again))) == 3


def test_resampled_classes():
    data = Dataset.from_tensor_slices(np.arange(2000) % 10 == 0).map(lambda rare: np.int64(rare))
    pairs = list(data.rejection_resample(lambda i: i, [0.5, 0.5], initial_dist=[0.9, 0.1], seed=2).as_numpy_iterator())
    labels = np.array([int(label) for label, _ in pairs])
    assert all(int(label) == int(item) for label, item in pairs)
    assert labels.sum() == 200 and abs(labels.mean() - 0.5) < 0.12  # every rare one stays


def test_folders(tmp_path):
    read = []
    data = Dataset.range(3).map(lambda i: (read.append(1), i * 2)[1])
    kept = data.snapshot(str(tmp_path / "kept"))
    assert numbers(kept) == numbers(kept) == [0, 2, 4] and len(read) <= 4
    data.save(str(tmp_path / "saved"))
    loaded = Dataset.load(str(tmp_path / "saved"))
    assert numbers(loaded) == [0, 2, 4] and len(loaded) == 3
