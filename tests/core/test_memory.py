"""Keeping freed memory: a setting of the C library, so each case has a process of its own."""

import ast
import os
import pathlib
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from lamina.runtime.allocator import keep_freed_memory

kept = keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(50_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(kept, faults())
"""


HEAP = """
from lamina.runtime.allocator import keep_freed_memory

keep_freed_memory()
with open("/proc/self/smaps") as lines:
    heap = next(line for line in lines if line.rstrip().endswith("[heap]"))
    start, end = (int(address, 16) for address in heap.split()[0].split("-"))
    print(end - start >= 2**30, "hg" in next(line for line in lines if line.startswith("VmFlags")).split())
"""


def run(program=PROGRAM, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC", "GLIBC", "LAMINA"))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept | environment, capture_output=True, text=True, check=True
    )
    return ast.literal_eval(",".join(done.stdout.split()))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Only glibc has the setting.")
def test_memory_that_was_freed_is_used_again_without_new_pages():
    kept, faults = run()
    assert kept
    assert faults < 100 < run(LAMINA_KEEP_MEMORY="0")[1]


LARGE_PAGES = pathlib.Path("/sys/kernel/mm/transparent_hugepage")


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not LARGE_PAGES.exists(), reason="Only Linux has the setting, where built in."
)
def test_the_heap_may_have_large_pages():
    assert run(HEAP) == (True, True)
    assert run(HEAP, LAMINA_KEEP_MEMORY="0") == (False, False)


@pytest.mark.parametrize("environment", [{"LAMINA_KEEP_MEMORY": "0"}, {"MALLOC_ARENA_MAX": "4"}])
def test_the_user_decides(environment):
    assert run(**environment)[0] is False
