"""What packages import from the inside of Keras: beside Keras."""

import collections
import json

import numpy as np
import pytest

import lamina
from lamina.compat.inside import Inner
from lamina.compat.tensorflow import InnerModule


@pytest.fixture(params=["keras", "lamina"])
def inside(request):
    """A function of (path below `keras.src`, name)."""
    pytest.importorskip("keras")
    if request.param == "lamina":
        return lambda path, name: getattr(Inner(f"keras.src.{path}", path), name)
    return lambda path, name: getattr(__import__(f"keras.src.{path}", fromlist=[name]), name)


def test_the_version_of_keras(inside):
    assert inside("version", "__version__").startswith("3.")


def test_trackers_follow_containers(inside):
    found = []
    tracker = inside("utils.tracking", "Tracker")({"numbers": (lambda x: isinstance(x, complex), found)})
    a, b = 1j, 2j
    items = inside("utils.tracking", "TrackedList")([], tracker)
    items.append(a)
    items.append("no number")
    items.extend([b])
    assert found == [a, b]
    items.remove(a)
    assert found == [b] and len(items) == 2
    del items[1]
    assert found == []
    items.clear()
    named = inside("utils.tracking", "TrackedOrderedDict")(collections.OrderedDict(x=a), tracker=tracker)
    named["y"] = b
    named.pop("x")
    assert found == [b] and list(named) == ["y"]
    pair = collections.namedtuple("Pair", "x y")
    assert tracker.track(pair(a, (b,))) == (a, (b,)) and found == [b, a]
    tracker.untrack(a)
    assert found == [b]
    assert type(tracker.track({"a": a})).__name__ == "TrackedDict" and found == [b, a]
    tracker.lock("closed")
    with pytest.raises(ValueError, match="closed"):
        tracker.track(3j)
    tracker.unlock()


def test_trees_of_tracked_containers():
    kinds = [getattr(Inner("keras.src.utils.tracking", "utils.tracking"), f"Tracked{kind}") for kind in ("Set", "List")]
    for kind in kinds:
        assert lamina.tree.is_nested(kind([1])) and lamina.tree.flatten([kind([7]), 8]) == [7, 8]
        doubled = lamina.tree.map_structure(lambda x, y: x + y, kind([7]), kind([1]))
        assert type(doubled) is kind and list(doubled) == [8]


def test_helpers(inside, tmp_path, capsys):
    function = inside("utils.python_utils", "func_load")(
        inside("utils.python_utils", "func_dump")(lambda x, y=2: x * y)
    )
    assert function(4) == 8
    assert inside("backend.common.name_scope", "current_path")() == ""
    source, copy = tmp_path / "a", tmp_path / "b"
    source.write_text("a")
    inside("utils.file_utils", "copy")(str(source), str(copy))
    assert copy.read_text() == "a"
    inside("utils.io_utils", "print_msg")("words", line_break=False)
    assert capsys.readouterr().out == "words"
    assert inside("ops", "function").Function is inside("ops.function", "Function")
    assert np.allclose(inside("ops.numpy", "Cross")()([1.0, 0, 0], [0, 1.0, 0]), [0, 0, 1])
    assert np.array(inside("ops.numpy", "Where")()(np.array([0, 1]))).tolist() == [[1]]


def test_stores_stay_in_their_folders(inside, tmp_path):
    store = inside("saving.saving_lib", "DiskIOStore")(str(tmp_path / "assets"), archive=None, mode="w")
    for path in ("../escape", "a/../../escape", "..\\escape"):
        with pytest.raises(ValueError, match="Invalid asset path"):
            store.make(path)
        assert not store.has_path(path)
    assert (tmp_path / "assets" / "a" / "b").samefile(store.make("a/b")) and store.has_path("a/b")


def test_configs(inside):
    serialize = inside("saving.serialization_lib", "serialize_keras_object")
    read = inside("saving.serialization_lib", "deserialize_keras_object")
    described = json.loads(json.dumps(serialize(slice(None, np.array([0, 1]), 1))))
    assert read(described).stop.tolist() == [0, 1]
    dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": "", "config": {"units": 1}}
    assert read(dense).units == 1
    for bad in ({**dense, "config": [1]}, {"class_name": "function", "config": ["no", "text"]}):
        with pytest.raises(TypeError):
            read(bad)


@pytest.fixture(params=["keras", "lamina"])
def keras(request):
    return lamina if request.param == "lamina" else pytest.importorskip("keras")


def test_functions_that_keras_3_6_wrote_without_their_package(keras):
    @keras.saving.register_keras_serializable(package="of_tests")
    def function_of_3_6(x):
        return x

    described = {"module": "builtins", "class_name": "function", "registered_name": "function"}
    for name in ("function_of_3_6", "of_tests>function_of_3_6"):
        assert keras.saving.deserialize_keras_object({**described, "config": name}) is function_of_3_6


def test_operations_have_the_config_of_their_arguments(keras):
    class Scale(keras.Operation):
        def __init__(self, alpha, beta=1.0, name=None):
            super().__init__(name=name)
            self.alpha, self.beta = alpha, beta

    assert Scale(0.2, name="s").get_config() == {"alpha": 0.2, "beta": 1.0, "name": "s"}
    assert Scale.from_config(Scale(0.2, 3.0).get_config()).beta == 3.0


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_iou_leaves_out_places_of_other_classes(keras):
    for y_true, y_pred in (([0, 2], [0, 1]), ([0, 1], [0, 2]), ([-1, 0], [0, 0]), ([0, 1], [-1, 1])):
        assert float(keras.metrics.MeanIoU(num_classes=2)(y_true, y_pred)) > 0.999


def test_bytes_of_int4_of_either_sign(keras):
    packed = np.array([[45], [135]], "uint8")
    assert np.array(keras.quantizers.unpack_int4(packed, 4)).ravel().tolist() == [-3, 2, 7, -8]


def test_values_of_metrics_of_keras_2():
    path = "utils.metrics_utils"
    flat = Inner(f"tensorflow.python.keras.{path}", path).ragged_assert_compatible_and_get_flat_values
    assert flat([1, 2], 3) == ([1, 2], 3)
    assert Inner("tensorflow.python.keras.backend", "backend").track_variable(flat) is flat
    smart_cond = InnerModule("tensorflow.python.framework").smart_cond
    assert smart_cond.smart_cond(True, lambda: 1, lambda: 2) == smart_cond(False, lambda: 2, lambda: 1) == 1


def test_modules_for_networks_of_keras_applications():
    from lamina.applications import get_submodules_from_kwargs  # pyright: ignore[reportAttributeAccessIssue]

    assert get_submodules_from_kwargs({"layers": json}) == (lamina.backend, json, lamina.models, lamina.utils)


def test_sparse_matrices_of_the_inside_of_tensorflow():
    from tests.compat.namespace import tf

    inner = InnerModule("tensorflow.python.ops.linalg.sparse").sparse
    dense = np.array([[0.0, 2.0], [3.0, 0.0]], "float32")
    matrix = inner.CSRSparseMatrix(tf.sparse.from_dense(dense))
    assert inner.matmul(matrix, dense).tolist() == [[6.0, 0.0], [0.0, 6.0]]
    squared = inner.matmul(matrix, matrix).to_sparse_tensor()
    assert np.asarray(squared.indices).tolist() == [[0, 0], [1, 1]]
    places, values = InnerModule("tensorflow.python.ops.gen_sparse_ops").sparse_reorder(
        [[1, 0], [0, 1]], [3, 2], (2, 2)
    )
    assert np.asarray(places).tolist() == [[0, 1], [1, 0]] and np.asarray(values).tolist() == [2, 3]


def test_networks_of_keras_applications_take_their_modules():
    from lamina.compat.finder import Networks
    from lamina.compat.inside import public_module

    home = Networks("keras_applications.mobilenet_v2", public_module("applications.mobilenet_v2"))
    modules = {name: getattr(lamina, name) for name in ("backend", "layers", "models", "utils")}
    network = home.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, include_top=False, **modules)
    assert network.output_shape == (None, 1, 1, 1280) and home.preprocess_input(np.zeros(3), **modules).max() == -1
