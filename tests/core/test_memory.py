"""Keeping freed memory: a setting of the C library, so each case has a process of its own."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from lamina.core.memory import keep_freed_memory

kept = keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(50_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(kept, faults())
"""


def run(**environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC", "LAMINA"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=kept | environment, capture_output=True, text=True, check=True
    )
    answer, faults = done.stdout.split()
    return answer == "True", int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Only glibc has the setting.")
def test_memory_that_was_freed_is_used_again_without_new_pages():
    kept, faults = run()
    assert kept
    assert faults < 100 < run(LAMINA_KEEP_MEMORY="0")[1]


@pytest.mark.parametrize("environment", [{"LAMINA_KEEP_MEMORY": "0"}, {"MALLOC_ARENA_MAX": "4"}])
def test_the_user_decides(environment):
    assert run(**environment)[0] is False
