"""Write facts.json from Keras: `python -m tests.applications.make_facts`. With the name of a network it prints the
first difference of its description instead."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from keras.src.backend.common.stateless_scope import StatelessScope
from keras.src.utils import file_utils

from tests.applications.networks import CALLS, OUTPUTS, describe, images, key, random_weights, summarize

FACTS = Path(__file__).with_name("facts.json")


def without_values(name, kwargs):
    """The network of Keras, its variables without values, which would take minutes to draw."""
    keras.utils.clear_session()
    with StatelessScope() as scope:
        scope.initialize_variables = False
        return getattr(keras.applications, name)(weights=None, **kwargs)


def outputs(name, kwargs):
    model = getattr(keras.applications, name)(weights=None, **kwargs)
    model.set_weights(random_weights(model))
    return model.predict(images(kwargs["input_shape"]) / 127.5 - 1, verbose=0).tolist()


def published():
    """[call, file, address, hash] of all weights that Keras knows."""
    found = []

    class Asked(Exception):
        pass

    def get_file(fname=None, origin=None, file_hash=None, **kwargs):
        found.append([fname, origin, file_hash])
        raise Asked

    original, file_utils.get_file = file_utils.get_file, get_file
    table = []
    for name, kwargs in weight_calls():
        try:
            with StatelessScope() as scope:
                scope.initialize_variables = False
                getattr(keras.applications, name)(weights="imagenet", **kwargs)
        except Asked:
            table.append([key(name, kwargs), *found.pop()])
    file_utils.get_file = original
    return table


def weight_calls():
    """(name, arguments) of every network that has weights."""
    for name in dict.fromkeys(name for name, kwargs in CALLS if not kwargs):
        for top in (True, False):
            variants = [{}]
            if name == "MobileNet":
                variants = [{"alpha": a, "input_shape": (s, s, 3)} for a in (0.25, 0.5, 0.75, 1.0) for s in (128, 224)]
            if name == "MobileNetV2":
                variants = [{"alpha": a, "input_shape": (s, s, 3)} for a in (0.35, 1.0, 1.4) for s in (96, 224)]
            if name.startswith("MobileNetV3"):
                variants = [{"alpha": 0.75}, {}, {"minimalistic": True}]
            for kwargs in variants:
                yield name, {"include_top": top, **kwargs}


def main():
    if len(sys.argv) > 1:
        import lamina

        for name, kwargs in CALLS:
            if name == sys.argv[1]:
                theirs = describe(without_values(name, kwargs))
                lamina.utils.clear_session()
                ours = describe(getattr(lamina.applications, name)(weights=None, **kwargs))
                pairs = zip(*(json.loads(json.dumps(rows, default=str)) for rows in (theirs, ours)), strict=False)
                print(key(name, kwargs), next((pair for pair in pairs if pair[0] != pair[1]), "no difference"))
        return
    facts = {
        "keras": keras.__version__,
        "networks": {key(name, kwargs): summarize(without_values(name, kwargs)) for name, kwargs in CALLS},
        "outputs": {key(name, kwargs): outputs(name, kwargs) for name, kwargs in OUTPUTS},
        "weights": published(),
    }
    FACTS.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
