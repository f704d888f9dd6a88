"""Alternate between the libraries on each workload, so that other load on the machine affects all of them equally."""

import contextlib
import dataclasses
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from lamina_bench.libraries import LIBRARIES, Library, missing
from lamina_bench.machine import describe
from lamina_bench.processes import ProcessFailed, WorkerProcess, environment, seconds_to_import
from lamina_bench.workloads import Workload

__all__ = ["Settings", "run"]

MEASURES = ("step", "predict_one", "predict_many")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a measurement.

    Attributes:
        rounds: How many turns each library has for each measure. All figures are kept; tables show the fastest.
        seconds: Approximate duration of a turn.
        imports: How many processes measure the import time of a library; 0 for none.
        first_steps: Whether to start libraries that have a cache once more with an empty cache.
        cache_for_all: Whether all libraries based on JAX use JAX's cache, which is off by default.
        rest: Seconds to wait between turns, so that threads go to sleep.
    """

    rounds: int = 3
    seconds: float = 0.3
    imports: int = 3
    first_steps: bool = True
    cache_for_all: bool = False
    rest: float = 0.05


def run(workloads, libraries, settings, tell):
    """The report of all measurements, in the form that `--json` writes.

    Args:
        workloads: A list of `Workload`.
        libraries: A list of `Library`; those that are not installed are left out.
        settings: A `Settings`.
        tell: Function that is called with progress messages.
    """
    lacking = {library.name: missing(library) for library in libraries}
    skipped = {name: f"not installed: {', '.join(modules)}" for name, modules in lacking.items() if modules}
    for name, why in skipped.items():
        tell(f"{LIBRARIES[name].title} is left out ({why})")
    libraries = [library for library in libraries if library.name not in skipped]
    report = {
        "machine": describe(), "settings": dataclasses.asdict(settings), "skipped": skipped, "versions": {},
        "libraries": {library.name: {"title": library.title, "does": library.does} for library in libraries},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        report["import"] = _imports(libraries, settings, pathlib.Path(folder), tell) if settings.imports else {}
        limits = _machine(workloads)
        report["workloads"] = []
        for workload in workloads:
            begin = time.monotonic()
            found = _workload(workload, libraries, settings, pathlib.Path(folder), tell)
            for name, figures in found.items():
                versions = figures.pop("versions", {})
                if versions and not report["workloads"]:  # report this once, early: an installed library may be broken
                    for module in set(LIBRARIES[name].uses) - set(versions):
                        tell(f"{LIBRARIES[name].title} ran without {module}")
                report["versions"].update(versions)
            row = {"name": workload.name, "title": workload.title, "batch": workload.batch, "many": workload.many}
            row |= {"flops": limits["flops"][workload.name], "matrix_gflops": limits["matrix_gflops"]}
            report["workloads"].append({**row, "libraries": found})
            tell(f"{workload.title}: {time.monotonic() - begin:.0f} s")
    return report


def _imports(libraries, settings, folder, tell):
    """{name: lists of the seconds for the import alone and including the classes of models}."""
    found = {library.name: {"alone": [], "models": []} for library in libraries}
    for _ in range(settings.imports):
        for library in libraries:
            try:
                alone, models = seconds_to_import(library, folder / "imports")
            except ProcessFailed as failed:
                tell(str(failed))
                continue
            found[library.name]["alone"].append(alone)
            found[library.name]["models"].append(models)
    return found


def _machine(workloads):
    command = [sys.executable, "-m", "lamina_bench.machine", *(workload.name for workload in workloads)]
    done = subprocess.run(command, env=environment(LIBRARIES["jax"], ""), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessFailed(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _workload(workload, libraries, settings, folder, tell):
    """{name of a library: its figures}."""
    found = {library.name: {} for library in libraries}
    with contextlib.ExitStack() as open_processes:
        workers = {}
        for number, stage in enumerate((_first_steps, _set_up, _warm_up, *[_turns] * settings.rounds, _end)):
            # A random order in each round, since a library is affected by caches and threads left by the one before it.
            for library in random.Random(number).sample(libraries, len(libraries)):
                figures = found[library.name]
                if "failed" in figures:
                    continue
                try:
                    stage(_Turn(workload, library, settings, folder, figures, workers, open_processes))
                except ProcessFailed as failed:
                    figures["failed"] = str(failed)
                    tell(f"{workload.title}: {failed}")
    return found


@dataclasses.dataclass
class _Turn:
    """What a stage needs to measure one library."""

    workload: Workload
    library: Library
    settings: Settings
    folder: pathlib.Path
    figures: dict
    workers: dict
    open_processes: contextlib.ExitStack

    def start(self):
        cache = self.folder / self.library.name / self.workload.name
        process = WorkerProcess(self.library, self.workload, cache, self.settings.cache_for_all)
        return contextlib.closing(process)


def _first_steps(turn):
    """Measure the first steps with an empty cache. The main process later uses the cache that this writes."""
    if turn.settings.first_steps and (turn.library.cache or turn.settings.cache_for_all):
        with turn.start() as process:
            turn.figures["first_step_cold"] = process.ask("set_up")["first_step"]


def _set_up(turn):
    process = turn.workers[turn.library.name] = turn.open_processes.enter_context(turn.start())
    turn.figures.update(process.ask("set_up"))
    turn.figures["first_step_warm"] = turn.figures.pop("first_step")
    turn.figures.setdefault("first_step_cold", turn.figures["first_step_warm"])


def _warm_up(turn):
    turn.workers[turn.library.name].ask("warm_up", turn.settings.seconds)
    turn.figures.update({measure: [] for measure in MEASURES})


def _turns(turn):
    for measure in MEASURES:
        time.sleep(turn.settings.rest)
        turn.figures[measure].append(turn.workers[turn.library.name].ask("measure", measure)["seconds"])


def _end(turn):
    turn.figures.update(turn.workers[turn.library.name].ask("end"))
