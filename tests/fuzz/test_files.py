"""A few mutants of each format, read by the same code as by the nightly job: tests/fuzz/files.py."""

import random

import pytest

from tests.fuzz import files

pytestmark = pytest.mark.filterwarnings("ignore")
OF_MODELS = ("keras", "h5", "old_h5")  # tests/saving/test_mutations.py reads these, in a process of its own


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    return files.formats(folder)


def test_mutants_are_read_or_refused_and_then_the_model_is_as_it_was(formats, tmp_path):
    known = formats
    results = set()
    for name in known.keys() - {*OF_MODELS}:
        for number in range(4):
            rng, scratch = random.Random(f"{name} {number}"), tmp_path / f"{name}{number}"
            scratch.mkdir()
            file, data = rng.choice(known[name].files)
            if known[name].beside:
                files._neighbours(known[name].beside, scratch)
            result, wrong = files.attempt(known[name], scratch / file, known[name].mutate(rng, data))
            assert not wrong, f"{name} {number}: {wrong}"
            results.add(result)
    assert {"read", "FileError"} <= results


def test_a_checkpoint_of_tensorflow_is_read_as_a_whole_or_not_at_all(formats, tmp_path):
    form, refused = formats["tensorflow"], set()
    index, data = (dict(form.files)[name] for name in ("w.index", "w.data-00000-of-00001"))
    (tmp_path / "w.index").write_bytes(index)
    for length in range(0, len(data), len(data) // 20):
        result, wrong = files.attempt(form, tmp_path / "w.data-00000-of-00001", data[:length])
        assert not wrong, wrong
        refused.add(result)
    (tmp_path / "w.data-00000-of-00001").write_bytes(data)
    for place in range(0, len(index), 40):
        changed = index[:place] + bytes([index[place] ^ 0x41]) + index[place + 1 :]
        result, wrong = files.attempt(form, tmp_path / "w.index", changed)
        assert not wrong, f"{place}: {wrong}"
    assert "UnsafeFileError" in refused
