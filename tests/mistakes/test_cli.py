# ruff: noqa: E501
"""Mistakes on the command line, in explanations, diagrams and galleries, and whether the fixes printed for them work."""

import importlib
import pathlib
import shlex
import sys
from unittest import mock

import pytest

from lamina.cli.parser import make_parser
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work


def lamina(line):
    """Run a command as `lamina` does, in this process; its errors are raised."""
    args = make_parser().parse_args(shlex.split(line))
    with mock.patch("lamina.cli.script.as_keras"), mock.patch.multiple(sys, argv=sys.argv, path=[*sys.path]):
        assert not importlib.import_module(args.module).main(args)


WRITE = """
import pathlib
from tests.mistakes.test_cli import lamina
pathlib.Path('train.py').write_text('''
import lamina as keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="dense")])
''')
pathlib.Path('empty.py').write_text('x = 1')
pathlib.Path('stops.py').write_text('import sys; model = None; sys.exit(len(sys.argv) < 2)')
pathlib.Path('nb.ipynb').write_text('{}')
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="dense")])
model.save('a.keras'); model.save_weights('a.weights.h5'); pathlib.Path('a.json').write_text(model.to_json())
"""


def wrong(command, right, says, prose=False):
    return Mistake(f"{WRITE}lamina('{command}')", f"{WRITE}lamina('{right}')" if right else None, says, prose)


TRAIN = (
    WRITE
    + """
from lamina.core import context
context.reset_names()
program = '''
import numpy as np, lamina as keras
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="dense")])
model.compile("sgd", "mse")
model.fit(np.ones((8, 4)), np.ones(8), verbose=0, resume="run1")
'''
pathlib.Path('fits.py').write_text(program)
lamina('run fits.py')
"""
)

MISTAKES = [
    Mistake(f"{WRITE}lamina('reproduce run1')", TRAIN + "lamina('reproduce run1')", 'model.fit(x, y, resume="run1")', True),
    Mistake(f"{TRAIN}pathlib.Path('fits.py').write_text(program + '# now')\nlamina('reproduce run1')",
            f"{TRAIN}pathlib.Path('fits.py').write_text(program + '# now')\nlamina('reproduce run1 --program fits.py')",
            "lamina reproduce run1 --program fits.py", prose=True),
    Mistake(f"{TRAIN}pathlib.Path('fits.py').rename('train.py')\nlamina('reproduce run1')",
            f"{TRAIN}pathlib.Path('fits.py').rename('train.py')\nlamina('reproduce run1 --program train.py')",
            "lamina reproduce run1 --program train.py", prose=True),
    Mistake(f"{TRAIN}import os\nos.mkdir('a'), os.chdir('a')\nlamina('reproduce ../run1')",
            f"{TRAIN}import os\nos.mkdir('a'), os.chdir('a')\nlamina(f'reproduce ../run1 --program ../fits.py')",
            "lamina reproduce ../run1 --program ", prose=True),
    wrong("explain Densee", "explain Dense", "lamina explain Dense", True),
    wrong("run trian.py", "run train.py", "train.py"),
    wrong("summary a.keras --name x", "summary a.keras", "Leave --name out", True),
    wrong("summary train.py --name modle", "summary train.py --name model", "--name model"),
    wrong("summary empty.py", "summary train.py", "Keep the model in a variable", True),
    wrong("summary a.weights.h5", "convert a.weights.h5 b.keras --model a.keras", "lamina convert needs --model", True),
    wrong("serve a.json", "convert a.weights.h5 model.keras --model a.json", "lamina convert WEIGHTS model.keras --model a.json", True),
    wrong("convert a.keras b.txt", "convert a.keras b.keras", ".keras"),
    wrong("convert a.keras a.keras", "convert a.keras a.keras --overwrite", "--overwrite"),
    wrong("convert a.keras b.h5 --model a.keras", "convert a.keras b.h5", "Leave --model out", True),
    wrong("convert a.weights.h5 b.keras", "convert a.weights.h5 b.keras --model a.keras", "--model"),
    Mistake(f"{WRITE}lamina('summary nb.ipynb')", f"{WRITE}import json\npathlib.Path('nb.ipynb').write_text(json.dumps("
            "{'cells': [{'cell_type': 'code', 'source': pathlib.Path('train.py').read_text()}]}))\nlamina('summary nb.ipynb')",
            "Save it with Jupyter", prose=True),
    Mistake(f"{WRITE}pathlib.Path('keys').write_text(''); lamina('serve a.keras --keys keys')", None, "one key on each line",
            because="it would serve until it is stopped: tests/serve"),
    Mistake(f"{WRITE}model.profile(np.ones((8, 4)), np.ones(8))",
            f"{WRITE}model.compile('adam', 'mse'); model.profile(np.ones((8, 4)), np.ones(8))", "model.compile('adam', 'mse')"),
    Mistake(f"{WRITE}model.explain('dens')", f"{WRITE}model.explain('dense')", "model.explain('dense')"),
    Mistake("m = keras.Sequential([keras.layers.Dense(1)]); m.explain()",
            "m = keras.Sequential([keras.layers.Dense(1)]); m(np.ones((1, 4))); m.explain()", "Call it once", prose=True),
    Mistake("from lamina.drawing.diagram import Diagram; Diagram(rankdir='down')",
            'from lamina.drawing.diagram import Diagram; Diagram(rankdir="TB")', 'rankdir="TB"'),
]  # fmt: skip
DRAW = "from lamina.visualization import draw_bounding_boxes as boxes_on, draw_segmentation_masks as masks_on\n"
DRAW += "images, boxes, labels = np.zeros((1, 8, 8, 3), 'uint8'), np.ones((1, 1, 4)), np.ones((1, 1))\n"
DRAW += "masks = np.zeros((1, 8, 8, 1), 'int32')\n"
SCAN = "import pathlib; from lamina.cli.scan import _reports; open('old.h5', 'w'); "
PICTURES = [
    Mistake(SCAN + "list(_reports(pathlib.Path('odl.h5')))", SCAN + "list(_reports(pathlib.Path('old.h5')))", "old.h5"),
    Mistake(DRAW + "masks_on(images[0], masks[..., 0])", DRAW + "images = images[0]; masks_on(images[None], masks[..., 0])",
            "images[None]"),
    Mistake(DRAW + "boxes_on(images, {'boxes': boxes}, 'xyxy')",
            DRAW + 'bounding_boxes={"boxes": boxes, "labels": labels}\nboxes_on(images, bounding_boxes, "xyxy")',
            'bounding_boxes={"boxes": boxes, "labels": labels}'),
    Mistake(DRAW + "boxes_on(images, {'boxes': boxes[0], 'labels': labels}, 'xyxy')",
            DRAW + "boxes = boxes[0]; boxes_on(images, {'boxes': boxes[None], 'labels': labels}, 'xyxy')", "boxes[None]"),
    Mistake(DRAW + "masks_on(images, masks[0, ..., 0])", DRAW + "masks = masks[0, ..., 0]; masks_on(images, masks[None])", "masks[None]"),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES + PICTURES)


@pytest.mark.parametrize("folder", ["cli", "facts", "serve", "view", "drawing/diagram.py", "visualization/drawing.py"])
def test_fixes_are_tried(folder, tmp_path, monkeypatch):
    but = [
        ("pip install", "it needs an environment without the package"),
        ("sys.exit", "it ends the process: tests/cli"),
    ]
    fixes_are_tried(f"lamina/{folder}", MISTAKES + PICTURES, but)(tmp_path, monkeypatch)


def test_a_path_with_nothing_like_it_is_said_to_be_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Pass the path of a file that is there"):
        lamina(f"run {pathlib.Path('x.py')}")
