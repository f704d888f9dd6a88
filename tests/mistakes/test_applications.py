"""Mistakes with applications, devices and settings, and whether the fixes printed for them work."""

# ruff: noqa: E501

from tests.mistakes import everyday, first_hour, notebooks, ordinary, unseen
from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

APP = "a = keras.applications; small = a.mobilenet.MobileNet; utils = a.imagenet_utils; x = np.zeros((8, 8, 1))\n"

MESH = "d = keras.distribution; mesh = d.DeviceMesh((1, 1), ['batch', 'model'], ['cpu:0'])\n"


def code(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says)


def prose(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says, prose=True)


def of_weights(call, right, says):
    """Weights of imagenet that do not exist; the right program makes the net without a download."""
    return prose(APP, call, right, says)


APPLICATIONS = [
    of_weights("a.MobileNet(depth_multiplier=2)", "small(weights=None, depth_multiplier=2)", "weights=None"),
    of_weights("a.MobileNet(alpha=0.3)", "small(weights=None, alpha=0.3)", "weights=None"),
    of_weights("a.MobileNetV2(alpha=0.3)", "a.MobileNetV2(weights=None, alpha=0.3)", "weights=None"),
    of_weights("a.MobileNetV3Small(alpha=0.3)", "a.MobileNetV3Small(weights=None, alpha=0.3)", "weights=None"),
    prose(APP, "small(input_shape=(32, 32))", "small(weights=None, input_shape=(32, 32, 3))", "input_shape=(32, 32, 3)"),
    code(APP, "small(weights=None, input_shape=(3, 32, 32))", "small(weights=None, input_shape=(32, 32, 3))",
         "input_shape=(32, 32, 3)"),
    prose(APP, "a.VGG16(input_shape=(99, 99, 3))", "small(weights=None, include_top=False, input_shape=(99, 99, 3))",
          "include_top=False"),
    code(APP, "small(weights=None, include_top=False, input_shape=(8, 8, 3))",
         "small(weights=None, include_top=False, input_shape=(32, 32, 3))", "input_shape=(32, 32, 3)"),
    prose(APP, "a.VGG16(weights=None, input_shape=(None, None, 3))", "small(weights=None, input_shape=(224, 224, 3))",
          "include_top=False"),
    prose(APP, "small(weights='no.h5')", "small(weights=None)", "weights=None"),
    prose(APP, "small(classes=5)", "small(weights=None, include_top=False)", "include_top=False"),
    prose(APP, "small(classifier_activation='relu')", "small(weights=None, classifier_activation='softmax')",
          "classifier_activation='softmax'"),
    code(APP, "small(weights=None, include_top=False, pooling='mean')",
         "small(weights=None, include_top=False, pooling='avg')", "pooling='avg'"),
    prose(APP, "small(weights=None, include_top=False, input_shape=(32, 32, 3), input_tensor=x)",
          "small(weights=None, include_top=False, input_tensor=keras.Input(shape=(32, 32, 3)))", "keras.Input(shape=(32, 32, 3))"),
    code(APP, "utils.preprocess_input(x, mode='vgg')",
         "utils.preprocess_input(np.repeat(x, 3, -1), mode='caffe')", "mode='caffe'"),
    prose(APP, "utils.preprocess_input(x)", "utils.preprocess_input(np.repeat(x, 3, axis=2))", "np.repeat(x, 3, axis=2)"),
    prose(APP, "utils.preprocess_input(np.zeros((8, 8, 4)))", "utils.preprocess_input(np.zeros((8, 8, 4))[..., :3])", "[..., :3]"),
    prose(APP, "utils.preprocess_input(x[..., 0])", "utils.preprocess_input(np.stack([x[..., 0]] * 3, axis=-1))", "np.stack"),
    prose(APP, "utils.decode_predictions(np.ones((2, 5)))", "np.ones((2, 5)).argmax(-1)", "preds.argmax(-1)"),
    prose(APP, "utils.obtain_input_shape((99, 99, 3), 224, 32, None, True, 'imagenet')",
          "utils.obtain_input_shape((224, 224, 3), 224, 32, None, True, 'imagenet')", "input_shape=(224, 224, 3)"),
    prose(APP, "utils.obtain_input_shape((99, 3), 224, 32)", "utils.obtain_input_shape((224, 224, 3), 224, 32)",
          "input_shape=(224, 224, 3)"),
    prose(APP, "utils.obtain_input_shape((9, 9, 3), 224, 32, None, False)",
          "utils.obtain_input_shape((32, 32, 3), 224, 32, None, False)", "input_shape=(32, 32, 3)"),
]  # fmt: skip
DISTRIBUTION = [
    prose(MESH, "d.DeviceMesh((), [])", "d.DeviceMesh((1, 1), ['batch', 'model'], ['cpu:0'])", "(1, 1), ['batch', 'model']"),
    prose(MESH, "d.DeviceMesh((1,), ['a', 'b'])", "d.DeviceMesh((1, 1), ['a', 'b'], ['cpu:0'])", "for each axis"),
    prose(MESH, "d.DeviceMesh((2,), ['a'], ['cpu:0'])", "d.DeviceMesh((1,), ['a'], ['cpu:0'])", "shape=(1,)"),
    prose(MESH, "d.TensorLayout(('model',), mesh).device_mesh = mesh", "d.TensorLayout(('model',), mesh)", "TensorLayout("),
    prose(MESH, "d.TensorLayout(('no',), mesh)", "d.TensorLayout(('model',), mesh)", "axes of the TensorLayout"),
    prose(MESH, "d.TensorLayout(('model',)).backend_layout", "d.TensorLayout(('model',), device_mesh=mesh).backend_layout",
          "device_mesh="),
    code(MESH + "layout_map = d.LayoutMap(mesh); layout_map['a'] = ('model',); ", "layout_map['a'] = (None,)",
         "del layout_map['a']; layout_map['a'] = (None,)", "del layout_map['a']"),
    prose(MESH + "m = d.LayoutMap(mesh); ", "m['a'] = 'model'", "m['a'] = (None, 'model')", "(None, 'model')"),
    prose(MESH + "m = d.LayoutMap(mesh); m['a.*'] = ('model',); m['.*b'] = ('model',); ", "m['ab']",
          "del m['.*b']; m['ab']", "at most one"),
    prose(MESH + "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]); ",
          "d.auto_layout(model, mesh, axis='modle')", "d.auto_layout(model, mesh, axis='model')", "axis='model'"),
    prose(MESH, "d.DataParallel(device_mesh=3)", "d.DataParallel(devices=d.list_devices())", "list_devices()"),
    *(
        prose(MESH, f"d.ModelParallel({wrong})", "d.ModelParallel(layout_map=d.LayoutMap(mesh))", "LayoutMap(device_mesh)")
        for wrong in ("", "layout_map=mesh")
    ),
    prose(MESH, "d.initialize('a:1,b:1', num_processes=3)", "d.list_devices()", "num_processes=2"),
    code(MESH, "d.DeviceMesh((1,), ['a'], ['cpu:99']).backend_mesh", "d.DeviceMesh((1,), ['a'], ['cpu:0']).backend_mesh", "cpu:0"),
]  # fmt: skip
RUNTIME = [
    code("c = keras.config; ", "c.set_floatx('float8')", 'keras.config.set_floatx("float32")', 'keras.config.set_floatx("float32")'),
    prose("c = keras.config; ", "c.set_image_data_format('last')", "c.set_image_data_format('channels_last')", "channels_last"),
    code("c = keras.config; ", "c.set_checks('loud')", 'keras.config.set_checks("warn")', 'keras.config.set_checks("warn")'),
    code(
        "c = keras.config; ",
        "c.set_broadcast_targets('loud')", 'keras.config.set_broadcast_targets("warn")', 'keras.config.set_broadcast_targets("warn")'),
    code("m = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]); ", "m.predict(np.ones((2, 1)), verbose=7)",
         "m.predict(np.ones((2, 1)), verbose=1)", "verbose=1"),
    code("P = keras.utils.Progbar; ", "P(3, stateful_metrics=['a'], stateless_metrics=['b'])",
         "P(3, stateful_metrics=['a'], stateless_metrics=None)", "stateless_metrics=None"),
    Mistake("keras.ops.ones(1); keras.config.set_process_settings(False)", None, "right after the import",
            because="it must come before the first array of the process"),
    *first_hour.RUNTIME,
    *ordinary.RUNTIME,
    prose("import os; ", "os.makedirs('f', exist_ok=True); os.chmod('f', 0o777); keras.config.set_compilation_cache('f')",
          "os.makedirs('g', exist_ok=True); os.chmod('g', 0o700); keras.config.set_compilation_cache('g'); "
          "keras.config.set_compilation_cache(None)", "chmod 700"),
]  # fmt: skip

FORKED = [("This process was forked", "it needs a fork, which tests/training/test_threads_and_forks.py makes"),
          ("is at {places", "it needs several processes, which tests/processes starts"),
          ("and has waited", "it needs several processes, which tests/processes starts")]  # fmt: skip
MANY = [("processes cannot share", "it needs several processes"), ("The batch size {size}", "it needs TensorFlow"),
        ("no variable has the address", "tests/test_distribution.py sets the variables of launchers"),
        ("auto-sharding", "it needs several processes"),
        ("batch size of the input dataset", "it needs TensorFlow")]  # fmt: skip
test_fixes_work = fixes_work(APPLICATIONS + everyday.APPLICATIONS + notebooks.APPLICATIONS + DISTRIBUTION + RUNTIME)
test_fixes_are_tried = fixes_are_tried(
    "lamina/applications", APPLICATIONS + everyday.APPLICATIONS + notebooks.APPLICATIONS
)
test_fixes_of_distributions_are_tried = fixes_are_tried(
    "lamina/distribution", DISTRIBUTION + unseen.DISTRIBUTION, but=MANY
)
test_fixes_of_settings_are_tried = fixes_are_tried("lamina/runtime", RUNTIME, but=FORKED)
