"""Sound networks explained: nothing is called unfit, nothing is left unsaid, in every form."""

import jax
import pytest

from lamina.models import Model
from tests.check.sound_models import SOUND

WITH_DATA = ("transformer", "siamese", "several_outputs", "subclassed")


@pytest.mark.parametrize("make", SOUND, ids=lambda make: make.__name__)
def test_a_sound_model(make):
    model, x, *_ = make()
    assert isinstance(model, Model)
    some = jax.tree.map(lambda part: part[:2], x)
    if model._graph is None:
        model(some)
    said = model.explain(some if make.__name__ in WITH_DATA else None)
    assert said.layers and all(layer.sentences for layer in said.layers)
    assert any("On this data" in layer.text for layer in said.layers) is (make.__name__ in WITH_DATA)
    assert "does not fit" not in " ".join(said.text.split())
    for text in (said.text, said.markdown(), said.html(), said.to_terminal()):
        assert said.title.split("(")[0].strip() in text
    assert [answer.question for answer in said.answers][-1] == "What does it cost?"
