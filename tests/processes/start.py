"""Start processes that run one program together on this machine, with simulated devices, and end them by a limit."""

import dataclasses
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
# XLA is told to compile fast, not well.
FLAGS = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@dataclasses.dataclass
class Ended:
    """How a process ended: its exit status (None at the limit), what it wrote, and after how many seconds."""

    status: int | None
    output: str
    errors: str
    seconds: float


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Start:
    """Processes of one program, which finds in its environment what `keras.distribution.initialize()` needs.

    Args:
        program: Path of the program.
        arguments: Its arguments.
        processes, devices: Number of processes, and of devices of each.
        folder: Current folder of the processes; a list gives each its own.
        environment: Further variables.
    """

    def __init__(self, program, *arguments, processes=2, devices=1, folder=None, environment=None):
        port, self.began = free_port(), time.monotonic()
        self.running = []
        for number in range(processes):
            cwd = folder[number] if isinstance(folder, list) else folder
            variables = {
                **os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": FLAGS,
                "JAX_NUM_CPU_DEVICES": str(devices), "PROCESSES": str(processes), "PROCESS": str(number),
                **(environment or {}),
            }  # fmt: skip
            if processes > 1:
                variables |= {
                    "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
                    "KERAS_DISTRIBUTION_NUM_PROCESSES": str(processes),
                    "KERAS_DISTRIBUTION_PROCESS_ID": str(number),
                }
            self.running.append(
                subprocess.Popen(
                    [sys.executable, str(program), *map(str, arguments)],
                    env=variables, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                )
            )  # fmt: skip

    def end(self, limit=120):
        """An Ended for each process. Who is not done after `limit` seconds from the start is killed."""
        ended = []
        for process in self.running:
            try:
                output, errors = process.communicate(timeout=max(self.began + limit - time.monotonic(), 0.1))
                status = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
                status = None
            ended.append(Ended(status, output, errors, time.monotonic() - self.began))
        return ended

    def wait_for(self, path, limit=60):
        """Wait until a file is there."""
        until = time.monotonic() + limit
        while not pathlib.Path(path).exists() and time.monotonic() < until:
            time.sleep(0.02)
        return pathlib.Path(path).exists()
