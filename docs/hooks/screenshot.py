"""Writes the picture of README.md: the page of `model.view()`, as a headless Chromium shows it.

PYTHONPATH=.:docs python docs/hooks/screenshot.py
"""

import pathlib
import sys
import tempfile
import warnings

import lamina as keras
from hooks.pictures import tickets
from lamina.view import view
from tests.view.browser import Browser

PICTURE = pathlib.Path(__file__).parents[1] / "assets" / "view.png"


def main(width=1180, height=760):
    """Draw the model of docs/view.md, click on a layer, take the picture."""
    keras.utils.set_random_seed(0)
    warnings.simplefilter("ignore")  # the finding is in the picture
    model, x, _ = tickets("sigmoid")
    browser = Browser(width, height)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "model.html")
        view(model, page, x=x)
        browser.open(page)
        if sys.argv[1:]:
            browser.click(sys.argv[1])
        PICTURE.parent.mkdir(exist_ok=True)
        browser.screenshot(PICTURE)
    browser.close()


if __name__ == "__main__":
    main()
