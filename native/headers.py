"""Prints, for CMake, the directories of XLA's and of oneDNN's headers and the file of oneDNN's library, with `;`."""

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
    located("onednn-cpu-gomp", "libdnnl.so.3"),
    sep=";",
    end="",
)
