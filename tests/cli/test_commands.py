"""`lamina check | explain | view | summary | convert | completion`: answers, files, exit codes."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import lamina
from lamina.cli import FINDINGS, FINE, UNUSABLE, main
from lamina.cli.completion import completion
from lamina.cli.parser import SHELLS
from lamina.cli.script import show_failure
from tests.cli.processes import python

COMMANDS = ["run", "check", "explain", "view", "summary", "convert", "scan", "versions", "completion"]

SCRIPT = """
import sys
import numpy as np
from tensorflow import keras

print("from the script", sys.argv[1:])
x, y = np.random.default_rng(0).normal(size=(64, 8)).astype("float32"), np.arange(64) % 3
hidden = keras.layers.Dense(4, activation="relu", name="hidden")
good = keras.Sequential([keras.Input((8,)), hidden, keras.layers.Dense(3, activation="softmax")], name="good")
good.compile("adam", "sparse_categorical_crossentropy")
good.fit(x, y, epochs=10**6, verbose=0)
bad = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3, activation="sigmoid", name="head")], name="bad")
bad.compile("adam", "sparse_categorical_crossentropy")
again = bad
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a model in two formats, its weights and its architecture."""
    monkeypatch.chdir(tmp_path)
    layers = [lamina.Input((8,)), lamina.layers.Dense(3, activation="sigmoid", name="head")]
    model = lamina.Sequential(layers, name="wrong")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save("model.keras")
    model.save_weights("weights.safetensors")
    (tmp_path / "model.json").write_text(model.to_json())
    (tmp_path / "make.py").write_text(SCRIPT)
    return model


def test_help_of_every_command_has_examples(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        output = capsys.readouterr().out
        assert stop.value.code == 0 and "examples:" in output and f"lamina {command}" in output
    assert main([]) == FINE
    output = capsys.readouterr().out
    assert all(command in output for command in COMMANDS)


def test_help_is_there_at_once():
    program = (
        "import sys; from lamina.cli import main; main([]); sys.exit('jax' in sys.modules or 'numpy' in sys.modules)"
    )
    done = python("-c", program)
    assert done.returncode == 0 and "COMMAND" in done.stdout, done.stderr


def test_wrong_usage(capsys):
    for arguments in (["nothing"], ["check"], ["convert", "a"], ["check", "x", "--fail-on", "often"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == UNUSABLE
        assert "--help" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"lamina {lamina.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["check", "nowhere.keras"], ["lamina check: There is no file nowhere.keras"]),
        (["summary", "weights.safetensors"], ["weights but no architecture", "--model"]),
        (["explain", "model.keras", "--layer", "nope"], ["'nope'", "head"]),
        (["summary", "model.keras", "--name", "model"], ["--name is for scripts"]),
        (["convert", "weights.safetensors", "new.keras"], ["no architecture", "--model MODEL"]),
        (["convert", "model.keras", "model.keras"], ["model.keras exists", "--overwrite"]),
        (["convert", "model.keras", "model.xyz"], ["no ending", ".safetensors"]),
        (["convert", "model.keras", "new.keras", "--model", "model.json"], ["whole model"]),
    ],
)
def test_errors_of_users_have_no_traceback(files, capsys, arguments, parts):
    assert main(arguments) == UNUSABLE
    said = capsys.readouterr()
    assert said.out == "" and all(part in said.err for part in parts) and "Traceback" not in said.err


def test_check_of_a_file(files, capsys):
    assert main(["check", "model.keras"]) == FINDINGS
    assert "model.keras: 1 error" in capsys.readouterr().out
    assert main(["check", "model.keras", "--json"]) == FINDINGS
    (found,) = json.loads(capsys.readouterr().out)
    assert found["model"] == "model.keras" and [one["code"] for one in found["findings"]] == ["LAM101"]
    assert set(found["findings"][0]) == {"code", "severity", "layer", "value", "message", "why", "fix", "page"}
    assert main(["check", "model.keras", "--fail-on", "never"]) == FINE
    assert main(["check", "model.keras", "--ignore", "LAM101"]) == FINE
    assert "no findings" in capsys.readouterr().out


def test_explain(files, capsys, tmp_path):
    assert main(["explain", "model.keras"]) == FINE
    assert "27 weights" in capsys.readouterr().out
    assert main(["explain", "model.keras", "--layer", "head", "--json"]) == FINE
    (explained,) = json.loads(capsys.readouterr().out)
    assert [layer["name"] for layer in explained["layers"]] == ["head"]
    assert main(["explain", "model.json", "--format", "html", "-o", "page.html"]) == FINE
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "head" in page
    assert main(["explain", "model.keras", "--format", "markdown"]) == FINE
    assert capsys.readouterr().out.startswith("## ")


def test_explain_a_class(files, capsys):
    assert main(["explain", "losses.MeanSquaredError"]) == FINE
    assert "MeanSquaredError()(y_true, y_pred) = 0.625" in capsys.readouterr().out
    assert main(["explain", "Densee"]) == 2
    assert "lamina explain Dense" in capsys.readouterr().err


def test_view(files, capsys, tmp_path):
    assert main(["view", "model.keras"]) == FINE
    assert capsys.readouterr().out == "model.html\n"
    assert "head" in (tmp_path / "model.html").read_text(encoding="utf-8")
    assert main(["view", "model.keras", "--compare", "model.keras"]) == FINE
    said = capsys.readouterr().out
    assert said.endswith("model.html\n") and "Layers: 1 alike." in said


def test_summary(files, capsys):
    assert main(["summary", "model.keras"]) == FINE
    assert "head (Dense)" in capsys.readouterr().out
    assert main(["summary", "model.json", "--json"]) == FINE
    (summary,) = json.loads(capsys.readouterr().out)
    assert (summary["name"], summary["weights"], summary["frozen"]) == ("wrong", 27, 0)
    layer = {"name": "head", "class": "Dense", "output_shape": [None, 3], "weights": 27, "trainable": True}
    assert summary["layers"] == [layer]


@pytest.mark.parametrize("result", ["new.keras", "new.h5", "new.weights.h5", "new.safetensors", "new.json"])
def test_convert(files, capsys, result):
    assert main(["convert", "model.keras", result]) == FINE
    assert f"model.keras -> {result}: 27 weights" in capsys.readouterr().out
    back = ["--model", "model.json"] if result.endswith((".weights.h5", ".safetensors")) else []
    assert main(["convert", result, "back.keras", *back, "--json"]) == FINE
    assert json.loads(capsys.readouterr().out)["result"] == "back.keras"
    loaded = lamina.models.load_model("back.keras")
    if result != "new.json":
        for new, old in zip(loaded.get_weights(), files.get_weights(), strict=True):
            np.testing.assert_array_equal(new, old)
    assert loaded.name == "wrong"


def test_script_is_run_up_to_its_models(files):
    done = python("-m", "lamina", "check", "make.py", "--json", "--args", "one 'two three'")
    assert done.returncode == FINDINGS, done.stderr
    found = {one["model"]: [finding["code"] for finding in one["findings"]] for one in json.loads(done.stdout)}
    assert set(found) == {"good", "bad"}  # `again` is the same model
    assert "LAM101" in found["bad"] and "LAM101" not in found["good"]
    assert "from the script ['one', 'two three']" in done.stderr


def test_one_model_of_a_script(files):
    done = python("-m", "lamina", "summary", "make.py", "--name", "good", "--json")
    assert [one["file"] for one in json.loads(done.stdout)] == ["good"], done.stderr


RUNS = {
    "exit.py": ("import sys; sys.exit(3)", 3, ""),
    "ends.py": ("import sys; sys.exit()", 0, ""),
    "fails.py": ("def f():\n    return 1 / 0\nf()\n", 1, 'fails.py", line 2, in f'),
    "inside.py": ("import tensorflow as tf\ntf.exp([1.0], axis=1)\n", 1, 'inside.py", line 2, in <module>'),
    "syntax.py": ("x = = 1\n", 1, 'syntax.py", line 1'),
    "arguments.py": ("import sys, helper; assert sys.argv[1:] == ['--json', 'a'], sys.argv", 0, ""),
    "helper.py": ("assert __name__ == 'helper' or __name__ == '__main__'", 0, ""),
}


def test_run(tmp_path):
    for name, (text, _, _) in RUNS.items():
        (tmp_path / name).write_text(text)
    program = (
        "import json, sys, io, contextlib\nfrom lamina.cli import main\nfound = {}\n"
        "for name in sys.argv[1:]:\n"
        "    err = io.StringIO()\n"
        "    with contextlib.redirect_stderr(err):\n"
        "        code = main(['run', *(['-m', name[3:]] if name.startswith('-m ') else [name]), '--json', 'a'])\n"
        "    found[name] = [code, err.getvalue()]\n"
        "print(json.dumps(found))"
    )
    done = python("-c", program, *RUNS, "-m helper", "nowhere.py", cwd=tmp_path)
    found = json.loads(done.stdout)
    for name, (_, code, part) in RUNS.items():
        assert found[name][0] == code and part in found[name][1], found[name]
        assert "/lamina/" not in found[name][1] and "runpy" not in found[name][1]
    assert found["-m helper"][0] == 0
    assert found["nowhere.py"][0] == UNUSABLE and "There is no file nowhere.py" in found["nowhere.py"][1]


def test_traceback_begins_in_the_program(capsys):
    try:
        raise KeyError("x")
    except KeyError as error:
        show_failure(error)
    assert "test_traceback_begins_in_the_program" in capsys.readouterr().err


def test_completion_knows_every_command_and_option():
    for shell in SHELLS:
        script = completion(shell)
        assert all(command in script for command in COMMANDS), shell
        assert "fail-on" in script and "overwrite" in script
    assert "fish" in completion("bash")


def test_completion_in_bash():
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    program = completion("bash") + '\nCOMP_WORDS=(lamina ch); COMP_CWORD=1; _lamina; echo "${COMPREPLY[@]}"\n'
    program += 'COMP_WORDS=(lamina check --fa); COMP_CWORD=2; _lamina; echo "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["check", "--fail-on"]


def test_module_is_the_same_program():
    done = python("-m", "lamina", "--version")
    assert done.stdout == f"lamina {lamina.__version__}\n"
