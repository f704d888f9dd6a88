"""The page, read without a browser."""

import html.parser
import json

import numpy as np
import pytest

import lamina
from lamina.errors import CallError
from lamina.view import numbers, view
from tests.view.conftest import WICKED


class Reader(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.title, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, text):
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += text
        elif self.open[-1:] == ["title"]:
            self.title += text


@pytest.fixture(scope="module")
def page(trained):
    model, x, y = trained
    return view(model, x=x, y=y, open=False)


@pytest.fixture(scope="module")
def read(page):
    return Reader(page.html)


@pytest.fixture(scope="module")
def data(read):
    return json.loads(read.scripts[0])


def test_names_are_text_and_nothing_else(page, read, data):
    assert len(read.scripts) == 2 and WICKED not in page.html and "<!--" not in page.html
    assert read.title == 'a "model" & <more> - lamina' and data["title"] == 'a "model" & <more>'
    assert data["boxes"][-1]["name"] == WICKED


def test_it_needs_nothing_from_anywhere(read):
    assert not any(name in attributes for _, attributes in read.elements for name in ("src", "href", "action"))
    (policy,) = [a["content"] for _, a in read.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_structure(read):
    tags = [tag for tag, _ in read.elements]
    assert all(tags.count(tag) == 1 for tag in ("h1", "main", "aside", "header", "title"))
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in read.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert name not in attributes or attributes[name] in ids
    assert read.elements[0] == ("html", {"lang": "en"})
    assert any(tag == "svg" and "Training curves" in a.get("aria-label", "") for tag, a in read.elements)


def test_costs_add_up(data):
    model, *layers = data["boxes"]
    assert model["costs"]["weights"] == 40 + 36 * 4 * 3 + 3 and data["time"].startswith("A training step")
    for name in ("time", "memory", "flops", "weights"):
        total = sum(box["costs"][name] for box in layers)
        assert total > 0 and model["costs"][name] == pytest.approx(total)


def test_costs_of_models_inside_and_shared_layers(branched):
    read = Reader(view(branched, open=False).html)
    boxes = {box["name"]: box for box in json.loads(read.scripts[0])["boxes"]}
    assert boxes["tickets"]["costs"]["weights"] == branched.count_params()
    assert boxes["inside"]["costs"] == boxes["hidden"]["costs"] and "time" not in boxes["tickets"]["costs"]
    assert boxes["tickets"]["costs"]["flops"] >= boxes["read"]["costs"]["flops"] > 0


def test_why_time_is_not_measured(trained):
    model, x, _ = trained
    said = json.loads(Reader(view(model, x=x, y=np.zeros((16, 2, 2)), open=False).html).scripts[0])
    assert said["time"].startswith("Time could not be measured: ") and "time" not in said["boxes"][0]["costs"]
    assert json.loads(Reader(view(model, x=x, profile=False, open=False).html).scripts[0])["time"] == ""


def test_two_models_beside_each_other(trained, tmp_path):
    model, x, _ = trained
    other = lamina.models.clone_model(model)
    other.set_weights([1.25 * weight for weight in model.get_weights()])
    other.save_weights(tmp_path / "later.weights.h5")
    page = view(model, x=x, open=False, profile=False, compare=tmp_path / "later.weights.h5")
    assert [(pair.status, pair.weights) for pair in page.comparison.pairs] == [
        ("same", pytest.approx(0.2)),
        ("same", None),
        ("same", pytest.approx(0.2)),
    ]
    assert page.comparison.pairs[0].outputs == pytest.approx(0.2, rel=1e-4)
    data = json.loads(Reader(page.html).scripts[0])
    assert [box["name"][:3] for box in data["boxes"] if box["parent"] == 0] == ["A: ", "B: "]
    ids = data["comparison"][0]["boxes"]
    assert [data["boxes"][number]["name"] for number in ids] == ["conv", "conv"] and ids[0] != ids[1]
    assert max(map(len, page.comparison.text.splitlines())) < 80 and WICKED not in page.html


def test_layers_that_one_model_has(branched):
    def small(units, *more):
        ends = [lamina.layers.Dense(units, "relu"), *more, lamina.layers.Dense(2, name="head")]
        return lamina.Sequential([lamina.Input((4,)), *ends])

    page = view(small(8), compare=small(16, lamina.layers.Dropout(0.5)), open=False)
    first, drop, head = page.comparison.pairs
    assert first.status == "changed" and ("units", "8", "16") in first.settings and first.weights is None
    assert (drop.a, drop.status) == (None, "only B") and head.settings[0][0] == "shape of weights"
    same = view(branched, compare=branched, open=False).comparison
    assert {pair.status for pair in same.pairs} == {"same"} and {pair.weights for pair in same.pairs} == {0.0, None}


def test_what_it_says(data):
    root, entry, conv, _, head = data["boxes"]
    assert root["detail"].endswith("of 4 layers") and entry["kind"] == "InputLayer"
    assert conv["detail"] == "Conv2D 4, 3 x 3, relu" and conv["shape"] == "6 x 6 x 4"
    assert conv["inputs"] == [[1, "8 x 8 x 1"]] and any("3 x 3" in said for said in conv["sentences"])
    assert [weight["name"] for weight in conv["weights"]] == ["kernel", "bias"]
    assert sum(conv["weights"][0]["counts"]) == 36
    assert conv["activity"]["mapSize"] == [6, 6, 4] and conv["activity"]["low"] == 0
    assert any(data["findings"][number]["code"] == "LAM101" for number in head["findings"])
    assert data["answers"]


def test_activations_are_those_of_the_model(trained, data):
    model, x, _ = trained
    outputs = np.asarray(model.get_layer("conv")(x))
    assert data["boxes"][2]["activity"]["high"] == pytest.approx(outputs.max(), rel=1e-3)
    assert data["boxes"][2]["activity"]["zeros"] == pytest.approx((outputs == 0).mean(), rel=1e-3)


def test_files_and_browser(trained, tmp_path, monkeypatch):
    model = trained[0]
    shown = []
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(address) or True)
    page = model.view(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page.html and not shown
    model.view(tmp_path / "a.html", open=True)
    assert shown == [(tmp_path / "a.html").as_uri()]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    page = model.view()
    assert shown[1] == page.path.as_uri() and page.path.is_relative_to(tmp_path)
    assert "srcdoc=" in page._repr_html_() and WICKED not in page._repr_html_()


def test_history_that_is_given_counts(branched):
    assert "Training curves over 3 epochs" in view(branched, history={"loss": [3, 2, 1]}, open=False).html
    assert "Training curves" not in view(branched, open=False).html
    wicked = view(branched, history={'"<script>': [1.0, 2.0]}, open=False).html
    assert len(Reader(wicked).scripts) == 2 and wicked.count("<script>") == 1


def test_models_that_saw_nothing_are_refused():
    with pytest.raises(CallError, match="data"):
        view(lamina.Sequential([lamina.layers.Dense(1)]), open=False)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_halves_have_numbers_too(policy):
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(2, dtype=policy)])
    active = numbers.activations_of(model, np.ones((2, 3), "float32"))[model.layers[0], 1]
    assert sum(active["counts"]) == 4


def test_weights_are_named_by_their_place_in_the_layer():
    layer = lamina.layers.Bidirectional(lamina.layers.GRU(2, name="gru"), name="both")
    layer(np.ones((1, 2, 3), "float32"))
    names = [weight["name"] for weight in numbers.weights_of(layer)]
    assert len(set(names)) == 6 and all(name.endswith(("kernel", "bias")) and "/" in name for name in names)


def test_histograms():
    assert numbers.histogram_of(np.array([np.nan, np.inf])) is None
    found = numbers.histogram_of(np.array([0.0, 1.0, 3.0, np.nan]))
    assert (found["low"], found["high"], sum(found["counts"])) == (0.0, 3.0, 3)
    assert sum(numbers.histogram_of(np.zeros(10**6))["counts"]) <= 50_000


def test_samples_as_pictures():
    assert numbers._picture(np.zeros((40, 30, 20)))["mapSize"] == [24, 24, 8]
    assert numbers._picture(np.zeros((7, 5)))["mapSize"] == [7, 5, 1]
    assert set(numbers._picture(np.array(3.0))) == {"bars"}
    assert numbers.as_bytes(np.array([1.0, 2.0, np.nan])) == "AP8A"
