"""A backend of matplotlib that keeps what `show` shows, as PNG."""

import io

from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg

FigureCanvas = FigureCanvasAgg
SHOWN = []


def show(*args, **kwargs):
    """Keep the open figures and close them."""
    for number in pyplot.get_fignums():
        file = io.BytesIO()
        pyplot.figure(number).savefig(file, format="png", dpi=110, bbox_inches="tight")
        SHOWN.append(file.getvalue())
    pyplot.close("all")
