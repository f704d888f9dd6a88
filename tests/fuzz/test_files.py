"""A few mutants of each format, read by the same code as by the nightly job: tests/fuzz/files.py."""

import pathlib
import random

import pytest

from tests.fuzz import files

pytestmark = pytest.mark.filterwarnings("ignore")
OF_MODELS = ("keras", "h5", "old_h5")  # tests/saving/test_mutations.py reads these, in a process of its own


@pytest.fixture(scope="module")
def formats(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    return folder, files.formats(folder)


def test_mutants_are_read_or_refused_and_then_the_model_is_as_it_was(formats, tmp_path):
    folder, known = formats
    results = set()
    for name in known.keys() - {*OF_MODELS}:
        source = folder / "web" if name == "tfjs" else folder
        for number in range(4):
            rng, scratch = random.Random(f"{name} {number}"), tmp_path / f"{name}{number}"
            scratch.mkdir()
            file, data = rng.choice(known[name].files)
            if name in ("shards", "tfjs"):
                files._neighbours(pathlib.Path(source), scratch)
            result, wrong = files.attempt(known[name], scratch / file, known[name].mutate(rng, data))
            assert not wrong, f"{name} {number}: {wrong}"
            results.add(result)
    assert {"read", "FileError"} <= results
