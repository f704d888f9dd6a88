"""A process that measures one library on one workload. It sets up, then executes the requests on its standard input.

It answers in lines of JSON on the original stdout. Output of the libraries is redirected to stderr.
"""

import importlib
import json
import math
import os
import sys
import time

from lamina_bench.libraries import LIBRARIES
from lamina_bench.workloads import WORKLOADS

__all__ = ["Worker", "main"]

SLOW = 2.0  # seconds; anything slower runs once per turn
UNCOUNTED = 4  # warm-up turns: some libraries recompile after many steps


class Worker:
    """Measures one library on one workload. Each method returns a value that JSON can hold. Times are in seconds."""

    def __init__(self, library, workload, started):
        self.library, self.workload, self.started = library, workload, started

    def set_up(self):
        """Import the library, build the model, and train on one batch, as a program would. Creating the data is not
        timed."""
        begin = time.monotonic()
        x, y = self.workload.data()
        making = time.monotonic() - begin
        module = importlib.import_module(f"lamina_bench.{self.library.subject}_subject")
        self.subject = module.Subject(self.library.module, self.workload)
        begin = time.monotonic()
        self.subject.build()
        build = time.monotonic() - begin
        batch = self.workload.batch
        loss = self.subject.train(self.subject.load(x[:batch], y[:batch]))
        first_step = time.monotonic() - self.started - making
        self.data = self.subject.load(x, y)
        return {
            "build": build, "first_step": first_step, "first_loss": loss, "parameters": self.subject.parameters(),
            "versions": {name: sys.modules[name].__version__ for name in self._modules()},
        }  # fmt: skip

    def _modules(self):
        library = self.library
        return {library.module, *library.needs, *(name for name in library.uses if name in sys.modules)}

    def warm_up(self, seconds):
        """Find how many repetitions of each measure fit into `seconds`, in turns that are not recorded."""
        x = self.workload.many_samples()
        self.one, self.many = self.subject.samples(x[:1]), self.subject.samples(x)
        runs = {"step": self._train, "predict_one": self._predict_one, "predict_many": self._predict_many}
        self.runs, self.slow = {}, set()
        for name, run in runs.items():
            first = _seconds(run, 1)  # this may include compilation
            if first >= SLOW:
                self.slow.add(name)
                self.runs[name] = run, 1
                continue
            took, times = math.inf, 1
            for _ in range(UNCOUNTED):
                took = min(took, _seconds(run, times) / times)
                times = max(1, int(seconds / took))
            self.runs[name] = run, times
        return {}

    def measure(self, name):
        """Seconds per training step, per prediction of one sample, or per sample of a large prediction."""
        run, times = self.runs[name]
        if name not in self.slow:
            run(1)  # not recorded: the caches still hold another library's data
        begin = time.perf_counter()
        count = run(times)
        return {"seconds": (time.perf_counter() - begin) / count}

    def end(self):
        """The peak memory of the process in bytes, and the final training loss."""
        return {"memory": peak_memory(), "last_loss": self.last_loss}

    def _train(self, times):
        self.last_loss = self.subject.train(self.data, times)
        return times * self.workload.steps

    def _predict_one(self, times):
        for _ in range(times):
            self.subject.predict(self.one)
        return times

    def _predict_many(self, times):
        for _ in range(times):
            self.subject.predict(self.many)
        return times * self.workload.many


def _seconds(run, times):
    begin = time.monotonic()
    run(times)
    return time.monotonic() - begin


def peak_memory():
    """The peak memory of this process in bytes, without that of its parent; 0 where the system does not tell."""
    if sys.platform == "linux":
        with open("/proc/self/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    try:
        import resource
    except ImportError:  # Windows
        return 0

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main(library, workload, started):
    """Answer requests such as `["measure", "step"]` until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(LIBRARIES[library], WORKLOADS[workload], float(started))
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        print(json.dumps(getattr(worker, method)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
