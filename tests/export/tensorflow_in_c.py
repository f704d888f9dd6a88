"""SavedModels in the C++ loader of TensorFlow, `LoadSavedModel`, which TensorFlow Serving calls too.

    python tensorflow_in_c.py FOLDER ...

with TensorFlow installed, of which only the library is loaded. Each FOLDER has a SavedModel, `in_1.npz`, `in_5.npz`
... with the inputs of batches, and `names.json` with the tensors of its signature; `out_1.npz`, ... are written.
"""

import ctypes
import importlib.util
import json
import pathlib
import sys
from typing import Any

import numpy as np

TYPES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 6: "int8", 9: "int64", 10: "bool", 19: "float16"}
NUMBERS = {name: number for number, name in TYPES.items()}


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Library:
    """The functions of the C API, each with its status checked."""

    def __init__(self):
        spec = importlib.util.find_spec("tensorflow")
        (place,) = (spec and spec.submodule_search_locations) or ()
        self.library = ctypes.CDLL(str(pathlib.Path(place, "libtensorflow_cc.so.2")), ctypes.RTLD_GLOBAL)
        self.status = self.pointer("TF_NewStatus")

    def pointer(self, name, *arguments):
        function = getattr(self.library, name)
        function.restype = ctypes.c_void_p
        return function(*arguments)

    def checked(self, name, *arguments):
        made = self.pointer(name, *arguments, ctypes.c_void_p(self.status))
        assert self.pointer("TF_GetCode", ctypes.c_void_p(self.status)) in (0, None), ctypes.string_at(
            self.pointer("TF_Message", ctypes.c_void_p(self.status))
        )
        return made

    def load(self, folder):
        """(session, graph) of the SavedModel with the tag "serve"."""
        graph = ctypes.c_void_p(self.pointer("TF_NewGraph"))
        tags = (ctypes.c_char_p * 1)(b"serve")
        options = ctypes.c_void_p(self.pointer("TF_NewSessionOptions"))
        path = str(folder).encode()
        session = self.checked("TF_LoadSessionFromSavedModel", options, None, path, tags, 1, graph, None)
        return ctypes.c_void_p(session), graph

    def ends(self, graph, tensors):
        made = (Output * len(tensors))()
        for place, tensor in enumerate(tensors):
            name, _, index = tensor.partition(":")
            operation = self.pointer("TF_GraphOperationByName", graph, name.encode())
            assert operation, f"the graph has no {name}"
            made[place] = Output(operation, int(index))
        return made

    def tensor(self, array):
        array = np.ascontiguousarray(array)
        sizes = (ctypes.c_int64 * array.ndim)(*array.shape)
        number = NUMBERS[array.dtype.name]
        made = self.pointer("TF_AllocateTensor", number, sizes, array.ndim, ctypes.c_size_t(array.nbytes))
        ctypes.memmove(self.pointer("TF_TensorData", ctypes.c_void_p(made)), array.tobytes(), array.nbytes)
        return made

    def array(self, tensor):
        tensor = ctypes.c_void_p(tensor)
        rank = self.library.TF_NumDims(tensor)
        shape = [self.library.TF_Dim(tensor, axis) for axis in range(rank)]
        size = self.pointer("TF_TensorByteSize", tensor) or 0
        data = ctypes.string_at(self.pointer("TF_TensorData", tensor), size) if size else b""
        return np.frombuffer(data, TYPES[self.library.TF_TensorType(tensor)]).reshape(shape)

    def run(self, session, graph, feeds, fetches):
        ins, outs = self.ends(graph, list(feeds)), self.ends(graph, fetches)
        values = (ctypes.c_void_p * len(feeds))(*map(self.tensor, feeds.values()))
        made = (ctypes.c_void_p * len(fetches))()
        self.checked(
            "TF_SessionRun", session, None, ins, values, len(feeds), outs, made, len(fetches), None, 0, None
        )  # fmt: skip
        return [self.array(each) for each in made]


def main(folders):
    library = Library()
    for folder in map(pathlib.Path, folders):
        names = json.loads((folder / "names.json").read_text())
        session, graph = library.load(folder)
        for file in folder.glob("in_*.npz"):
            given = np.load(file)
            feeds = {tensor: given[name] for name, tensor in names["inputs"].items()}
            made = library.run(session, graph, feeds, list(names["outputs"].values()))
            results: dict[str, Any] = dict(zip(names["outputs"], made, strict=True))
            np.savez(folder / file.name.replace("in_", "out_"), **results)


if __name__ == "__main__":
    main(sys.argv[1:])
