"""`lamina bench`: compare lamina and the other installed libraries on the same workloads, measured in turns."""

import json
import pathlib
import sys

from rich.console import Console

from lamina.errors import CallError
from lamina_bench.libraries import LIBRARIES
from lamina_bench.picture import draw
from lamina_bench.rounds import Settings, run
from lamina_bench.table import tables
from lamina_bench.workloads import WORKLOADS

__all__ = ["main"]

IMPORT = "import"  # name of the import time for `--only`
IMPORTS = 3
QUICK = {
    "only": ["dense_128", "regression", "cnn_1d", "lstm", "cnn_2d", IMPORT],
    "libraries": ["lamina", "keras-jax"],
}


def main(args):
    """Run the measurements, or read earlier results from files, and show them."""
    for file in (args.json, args.picture):
        if file and not pathlib.Path(file).absolute().parent.is_dir():
            raise CallError(f"There is no folder for {file}.", fix="Make it first.")
    report = _read(args.read) if args.read else _measure(args)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.picture:
        draw(report, args.picture)
    console = Console(width=None if sys.stdout.isatty() else 200)
    for table in tables(report):
        console.print(table)
    machine, versions = report["machine"], [f"{name} {value}" for name, value in report["versions"].items()]
    words = [f"{machine['cores']} cores", machine["processor"], f"Python {machine['python']}", *versions]
    console.print(", ".join(words), highlight=False)


def _measure(args):
    chosen = QUICK if args.quick else {}
    only = args.only or chosen.get("only") or [*WORKLOADS, IMPORT]
    workloads = _chosen([name for name in only if name != IMPORT], WORKLOADS, "workload")
    libraries = _chosen(args.libraries or chosen.get("libraries") or LIBRARIES, LIBRARIES, "library")
    settings = Settings(
        args.rounds, args.seconds, IMPORTS if IMPORT in only else 0, not args.quick, args.cache_for_all
    )  # fmt: skip
    return run(workloads, libraries, settings, lambda line: print(line, file=sys.stderr, flush=True))


def _chosen(names, table, kind):
    unknown = sorted(set(names) - set(table))
    if unknown:
        raise CallError(f"There is no {kind} called {', '.join(unknown)}.", fix=f"There is: {', '.join(table)}.")
    return [table[name] for name in names]


def _read(files):
    """Merge reports from files. If a library was measured several times on a workload, the last report counts."""
    reports = [json.loads(pathlib.Path(file).read_text(encoding="utf-8")) for file in files]
    rows = {}
    for row in (row for report in reports for row in report["workloads"]):
        before = rows.get(row["name"], {}).get("libraries", {})
        rows[row["name"]] = {**row, "libraries": {**before, **row["libraries"]}}
    merged = {**reports[-1], "workloads": [rows[name] for name in WORKLOADS if name in rows]}
    for key in ("libraries", "versions", "skipped", "import"):
        merged[key] = {name: value for report in reports for name, value in report[key].items()}
    return merged
