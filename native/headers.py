"""Prints, for CMake, with `;`: the directories of XLA's and of oneDNN's headers, the files of oneDNN's licence and of
the licences of what it contains, the file of its library."""

import importlib.metadata

import jax


def located(distribution, name):
    """The path of that file of an installed distribution."""
    for file in importlib.metadata.files(distribution):
        if file.name == name:
            return file.locate().resolve()
    raise SystemExit(f"{distribution} has no file {name}.")


print(
    jax.ffi.include_dir(),
    located("onednn-devel-cpu-gomp", "dnnl.hpp").parent,
    located("onednn-cpu-gomp", "LICENSE"),
    located("onednn-cpu-gomp", "THIRD-PARTY-PROGRAMS"),
    located("onednn-cpu-gomp", "libdnnl.so.3"),
    sep=";",
    end="",
)
