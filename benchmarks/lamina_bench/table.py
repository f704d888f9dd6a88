"""The results as tables: one per measure, one row per workload, with the ratio of lamina to the best other library."""

import dataclasses
import math
import statistics

from rich import box
from rich.table import Table

__all__ = ["MEASURES", "Measure", "best", "geometric_mean", "ratio", "tables"]


@dataclasses.dataclass(frozen=True)
class Measure:
    """One kind of figure.

    Attributes:
        name: Name in the JSON report.
        title: Title of its table.
        scale: Factor from the JSON value to the value in the table.
        format: Format of a value in the table.
    """

    name: str
    title: str
    scale: float
    format: str = ",.0f"

    def of(self, figures):
        """The figure of a library: the best of several, or None if there is none."""
        found = figures.get(self.name)
        return min(found, default=None) if isinstance(found, list) else found


MEASURES = [
    Measure("step", "Training step inside fit, microseconds", 1e6),
    Measure("first_step_cold", "From the start of the process to the first step's end, no cache, seconds", 1, ".2f"),
    Measure("first_step_warm", "The same, compiled programs in the cache where a library keeps one, seconds", 1, ".2f"),
    Measure("build", "Making the model and its optimizer, milliseconds", 1e3),
    Measure("predict_one", "predict of one sample, microseconds", 1e6),
    Measure("predict_many", "predict of many samples, microseconds a sample", 1e6, ",.1f"),
    Measure("memory", "The most memory of the process, MB", 1e-6),
]
KERAS_API = ("keras-jax", "keras-tensorflow", "keras-torch", "tf_keras")


def best(row, measure, among=None):
    """The smallest figure of the libraries other than lamina, or of those in `among`; None if there is none."""
    figures = [measure.of(row["libraries"][name]) for name in row["libraries"] if name != "lamina"
               and (among is None or name in among)]  # fmt: skip
    return min((figure for figure in figures if figure is not None), default=None)


def ratio(row, measure, among=None):
    """lamina's figure divided by the best other figure; None if either is missing."""
    ours, theirs = measure.of(row["libraries"].get("lamina", {})), best(row, measure, among)
    return None if ours is None or theirs is None else ours / theirs


def geometric_mean(ratios):
    """The geometric mean of the ratios that are not None; None if there are none."""
    found = [value for value in ratios if value is not None]
    return statistics.geometric_mean(found) if found else None


def tables(report):
    """Yield the tables of a report."""
    if report["workloads"]:
        yield from (_table(report, measure) for measure in MEASURES)
        yield _arithmetic(report)
    if report["import"]:
        yield _imports(report)


def _table(report, measure):
    names, rows = list(report["libraries"]), report["workloads"]
    table = _columns(measure.title, report, ["to the best", "to the best Keras"])
    for row in rows:
        figures = [measure.of(row["libraries"].get(name, {})) for name in names]
        cells = [_cell(figure, measure.scale, measure.format) for figure in figures]
        table.add_row(row["title"], *cells, *(_cell(ratio(row, measure, among)) for among in (None, KERAS_API)))
    means = [geometric_mean(ratio(row, measure, among) for row in rows) for among in (None, KERAS_API)]
    table.add_section()
    table.add_row("geometric mean", *([""] * len(names)), *map(_cell, means))
    return table


def _arithmetic(report):
    step = MEASURES[0]
    table = _columns("GFLOP/s of the step; that of a matrix product of 2048x2048 is last", report, ["matrix product"])
    for row in report["workloads"]:
        times = [step.of(row["libraries"].get(name, {})) for name in report["libraries"]]
        speeds = [None if time is None else row["flops"] / time / 1e9 for time in times]
        cells = [_cell(speed, 1, ",.1f") for speed in [*speeds, row["matrix_gflops"]]]
        table.add_row(row["title"], *cells)
    return table


def _imports(report):
    table = _columns("Import in a new process, milliseconds", report, [])
    for name, what in (("alone", "import"), ("models", "and the classes of models")):
        times = [report["import"].get(library, {}).get(name, []) for library in report["libraries"]]
        found = [min(seconds, default=None) for seconds in times]
        table.add_row(what, *(_cell(seconds, 1e3, ",.0f") for seconds in found))
    return table


def _columns(title, report, more):
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("")
    for heading in [*(library["title"] for library in report["libraries"].values()), *more]:
        table.add_column(heading, justify="right")
    return table


def _cell(figure, scale=1.0, style=".2f"):
    return "-" if figure is None or math.isnan(figure) else format(figure * scale, style)
