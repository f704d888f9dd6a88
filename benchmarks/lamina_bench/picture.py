"""The results as a chart: each library's time relative to lamina's, one row per workload."""

from lamina.errors import CallError
from lamina_bench.table import MEASURES, geometric_mean

__all__ = ["draw"]

SHOWN = {"step": "a training step", "predict_one": "predict of one sample", "first_step_warm": "first step, warm cache"}
COLORS = {
    "keras-jax": "#0072b2", "keras-tensorflow": "#e69f00", "keras-torch": "#cc79a7", "tf_keras": "#b58900",
    "jax": "#56b4e9", "torch": "#d55e00",
}  # fmt: skip
MARKS = {"keras-jax": "o", "keras-tensorflow": "s", "keras-torch": "^", "tf_keras": "D", "jax": "o", "torch": "^"}


def draw(report, path):
    """Write the chart as .svg or .png.

    Args:
        report: Report as returned by `run`.
        path: Path of the chart; its extension selects the format.

    Raises:
        CallError: matplotlib is not installed, or lamina was not measured.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise CallError("A picture needs matplotlib.", fix="pip install 'lamina[plots]'") from error
    if "lamina" not in report["libraries"]:
        raise CallError("The picture compares with lamina, which was not measured.", fix="--libraries lamina ...")
    rows = report["workloads"]
    figure = Figure(figsize=(13, 1.8 + 0.36 * (len(rows) + 1)), layout="constrained")
    panels = figure.subplots(1, len(SHOWN), sharey=True)
    for axes, name in zip(panels, SHOWN, strict=True):
        _panel(axes, report, name)
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle("Time of each library divided by lamina's on the same work (right of 1: lamina is faster)")
    figure.savefig(path)


def _panel(axes, report, name):
    measure = next(measure for measure in MEASURES if measure.name == name)
    rows = report["workloads"]
    for library, about in report["libraries"].items():
        if library == "lamina":
            continue
        ratios = [_times_ours(row, measure, library) for row in rows]
        mean = geometric_mean(ratios)
        points = [(value, place) for place, value in enumerate([*ratios, mean]) if value is not None]
        hollow = "none" if library in ("jax", "torch") else COLORS[library]
        axes.plot(
            *zip(*points, strict=True) if points else ([], []), linestyle="none", marker=MARKS[library], markersize=7,
            color=COLORS[library], markerfacecolor=hollow, label=about["title"],
        )  # fmt: skip
    axes.axvline(1, color="#444444", linewidth=1.5, label="lamina")
    axes.axhline(len(rows) - 0.5, color="#bbbbbb", linewidth=1)
    axes.set_xscale("log")
    _ticks(axes)
    axes.grid(axis="both", color="#e5e5e5", which="major")
    axes.set_axisbelow(True)
    axes.set_title(SHOWN[name], fontsize=11)
    axes.set_yticks(range(len(rows) + 1), [*(row["title"] for row in rows), "geometric mean"])


def _ticks(axes):
    """Place ticks at 1x, 10x, 100x; and at 2x and 5x if fewer than two powers of ten are visible."""
    from matplotlib.ticker import LogLocator

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}x")
    axes.xaxis.set_minor_formatter(lambda value, _: "")


def _times_ours(row, measure, library):
    ours, theirs = (measure.of(row["libraries"].get(name, {})) for name in ("lamina", library))
    return None if ours is None or theirs is None else theirs / ours
