"""Folders for the Hugging Face hub: shards, index, card, loading back, pushing without a network."""

import json

import numpy as np
import pytest

import lamina as keras
from lamina.errors import FileError
from lamina.export.placing import beside

L = keras.layers


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.BatchNormalization(), L.Dense(2)], name="small")
    model.compile("adam", "mse", metrics=["mae"])
    x = np.random.default_rng(0).random((8, 6), "float32")
    model.fit(x, x[:, :2], epochs=2, verbose=0)
    return model, x


def test_files_of_an_earlier_export_go_last(tmp_path, monkeypatch):
    (tmp_path / "old-1").write_text("weights")

    def full(source, target):
        raise OSError("No space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"), beside(tmp_path, True, replaced=["old-*"]) as place:
        (place / "new-1").write_text("weights")
    assert [path.name for path in tmp_path.iterdir()] == ["old-1"]


def test_a_folder_loads_back(trained, tmp_path):
    model, x = trained
    report = model.export(tmp_path / "small", format="safetensors", verbose=False, max_shard_size=2e-7)
    assert report.format == "huggingface" and report.difference == 0 and report.lost == ["the state of the optimizer"]
    index = json.loads((tmp_path / "small" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 4 * model.count_params() and len(set(index["weight_map"].values())) > 1
    again = keras.models.load_model(tmp_path / "small")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.optimizer is not None
    (tmp_path / "small" / "keras.json").write_text("{}")  # of a decoder that was exported here before
    (tmp_path / "small" / "model-notes.txt").write_text("kept")
    again.layers[0].bias.assign(again.layers[0].bias + 1)
    again.export(tmp_path / "small", format="huggingface", verbose=False, max_shard_size="1 MB")
    names = {path.name for path in (tmp_path / "small").iterdir()}
    assert names == {"README.md", "config.json", "metadata.json", "model.safetensors", "model-notes.txt"}
    changed = keras.models.load_model(tmp_path / "small")  # not what the shards of the first export held
    np.testing.assert_array_equal(changed.predict(x, verbose=0), again.predict(x, verbose=0))
    again.export(tmp_path / "small", format="huggingface", verbose=False, verify=False, max_shard_size=2e-7)
    index["weight_map"] = dict.fromkeys(index["weight_map"], "../outside.safetensors")
    (tmp_path / "small" / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(FileError, match="has no file"):
        keras.models.load_model(tmp_path / "small")


def test_the_card_has_the_metrics_and_the_run(trained, tmp_path):
    model, _ = trained
    model.export(tmp_path / "small", format="huggingface", verbose=False, verify=False)
    assert (tmp_path / "small" / "model.safetensors").is_file()
    card = (tmp_path / "small" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\n") and '- type: "mae"\n      value: 0.' in card
    assert "| epoch | mae | loss |" in card or "| epoch | loss | mae |" in card
    assert "| 2 | " in card and "Adam" in card and f"lamina {keras.__version__}" in card


def test_pushing(trained, tmp_path, monkeypatch, capsys):
    hub, calls = pytest.importorskip("huggingface_hub"), []

    class Api:
        def create_repo(self, repo_id, exist_ok):
            calls.append((repo_id, exist_ok))
            return f"https://huggingface.co/{repo_id}"

        def upload_folder(self, repo_id, folder_path, commit_message):
            calls.append((repo_id, folder_path))

    monkeypatch.setattr(hub, "HfApi", Api)
    trained[0].export(tmp_path / "small", format="huggingface", repo_id="me/small", verify=False)
    assert calls == [("me/small", True), ("me/small", str(tmp_path / "small"))]
    assert "pushed to https://huggingface.co/me/small" in capsys.readouterr().out


def test_weights_alone(trained, tmp_path):
    model, x = trained
    model.export(tmp_path / "w.safetensors", verbose=False)
    again = keras.models.clone_model(model)
    again.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
