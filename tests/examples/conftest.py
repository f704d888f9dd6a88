"""Runs a program of examples/ in an empty folder; by `keras=True` under Keras, with the imports changed."""

import pathlib
import re
import warnings

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`run("csv_cnn")` gives the names that the program leaves; with another `name` its main part does not run.

    `told` has a part of each warning that is expected; there may be no others.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run_program(program, name="__main__", keras=False, told=()):
        path = EXAMPLES / f"{program}.py"
        source = path.read_text()
        if keras:
            source = source.replace("import lamina as keras", "import keras")
            source = re.sub(r"from lamina(?!\.datasets)\b", "from keras", source)
        names = {"__name__": name, "__file__": str(path)}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(compile(source, path, "exec"), names)
        messages = {str(warning.message) for warning in caught}
        unexpected = [message for message in messages if not any(part in message for part in told)]
        untold = [part for part in told if not any(part in message for message in messages)]
        assert not unexpected and not untold, (unexpected, untold)
        return names

    return run_program
