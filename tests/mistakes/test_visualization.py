"""Mistakes with figures of results, and whether the fixes printed for them work."""

# ruff: noqa: E501

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

SHOW = "v = keras.visualization; p2 = np.array([[.9, .1], [.2, .8]]); "
MODEL = (
    SHOW
    + "m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation='softmax')]); "
    + "x = np.ones((4, 2)); y = [0, 1, 0, 1]; "
)
IMAGES = "import matplotlib; matplotlib.use('agg'); v = keras.visualization; x = np.zeros((2, 8, 8, 3)); "


def prose(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says, prose=True)


def code(before, wrong, right, says):
    return Mistake(before + wrong, before + right, says)


MISTAKES = [
    prose(SHOW, "v.plot_roc([0, 1])", "v.plot_roc([0, 1], [.2, .8])", "y_true and y_pred"),
    code(SHOW, "v.plot_mistakes([0, 1], p2, count=0)", "v.plot_mistakes([0, 1], p2, count=5)", "count=5"),
    prose(SHOW, "v.plot_mistakes([0, 1], ['a', 'b'])", "v.plot_mistakes([0, 1], p2)", "model.predict(x) as it is"),
    prose(SHOW, "v.plot_mistakes([1, 2], p2)", "v.plot_mistakes([0, 1], p2)", "from 0"),
    prose(MODEL, "v.plot_roc(m)", "v.plot_roc(m, x, y)", "x and y"),
    prose(MODEL, "v.plot_roc(m, x)", "v.plot_roc(m, x, y)", "third argument"),
    prose(MODEL, "v.plot_roc(m, iter([x]))", "v.plot_roc(m, iter([(x, np.array(y))]))", "(x, y)"),
    prose(MODEL, "v.plot_roc(m, iter([]))", "v.plot_roc(m, iter([(x, np.array(y))]))", "filter"),
    prose(SHOW, "v.plot_roc([[0], [1, 0]], [.1, .2])",
          "v.plot_roc(keras.utils.pad_sequences([[0], [1]]), [.1, .2])", "pad_sequences"),
    prose(SHOW, "v.plot_roc([0, 1], {'a': p2})", "v.plot_roc([0, 1], {'a': p2}['a'])", "y_pred['a']"),
    prose(SHOW, "v.plot_roc([0, 1], [p2, p2])", "v.plot_roc([0, 1], [p2, p2][0])", "y_pred[0]"),
    prose(MODEL + "model = keras.Model(m.inputs, [m.output, m.output]); ", "v.plot_roc(model, x, y)",
          "model = keras.Model(model.inputs, model.outputs[0]); v.plot_roc(model, x, y)",
          "model = keras.Model(model.inputs, model.outputs[0])"),
    prose(SHOW, "v.plot_residuals(1.0, 2.0)", "v.plot_residuals([1.0], [2.0])", "[1.0]"),
    code(SHOW, "y_true = [0, 1, 1]; v.plot_confusion_matrix(y_true, p2)",
         "y_true = [0, 1, 1]; v.plot_confusion_matrix(y_true[:2], p2)", "y_true[:2]"),
    prose(SHOW, "v.plot_confusion_matrix([0], p2)", "v.plot_confusion_matrix([0], p2[:1])", "only the samples"),
    prose(SHOW, "v.plot_confusion_matrix([], [])", "v.plot_confusion_matrix([0], [1])", "at least one"),
    code(SHOW + "y = np.array([0, 1]); ", "v.plot_roc(y, [.5, np.nan])",
         "y = np.array([0, 1, 1]); y_pred = np.array([.5, .6, np.nan]); "
         "keep = np.isfinite(y_pred.reshape(len(y_pred), -1)).all(1); v.plot_roc(y[keep], y_pred[keep])",
         "keep = np.isfinite(y_pred.reshape(len(y_pred), -1)).all(1)"),
    code(SHOW, "v.plot_confusion_matrix([0, 2], [1, 2], class_names=['a', 'b'])",
         "v.plot_confusion_matrix([0, 2], [1, 2], class_names=['a', 'b', '2'])", "class_names=['a', 'b', '2']"),
    prose(SHOW, "v.plot_confusion_matrix([[1, 1], [0, 1]], p2)",
          "v.plot_confusion_matrix(np.array([[1, 1], [0, 1]])[:, 0], p2[:, 0])", "[:, 0]"),
    prose(SHOW, "v.plot_confusion_matrix(np.zeros((2, 2, 2)), [0, 1])",
          "v.plot_confusion_matrix(np.zeros((2, 2, 2)).reshape(-1), [0] * 8)", "reshape(-1)"),
    prose(SHOW, "v.plot_confusion_matrix([.5, 1.5], [0, 1])", "v.plot_residuals([.5, 1.5], [0, 1])", "plot_residuals"),
    code(SHOW, "v.plot_confusion_matrix(['a', 'c'], p2, class_names=['a', 'b'])",
         "v.plot_confusion_matrix(['a', 'c'], [0, 2], class_names=['a', 'b', 'c'])", "class_names=['a', 'b', 'c']"),
    prose(SHOW, "v.plot_roc([0, 1], [0, 1])", "v.plot_roc([0, 1], p2)", "probabilities"),
    code(SHOW, "v.plot_roc(['a', 'b'], p2)", "v.plot_roc(['a', 'b'], p2, class_names=['a', 'b'])",
         "class_names=['a', 'b']"),
    prose(SHOW, "v.plot_roc([1, 2], p2)", "v.plot_roc([0, 1], p2)", "from 0"),
    code(SHOW, "v.plot_calibration([0, 1], [-2., 3.])", "v.plot_calibration([0, 1], [-2., 3.], from_logits=True)",
         "from_logits=True"),
    prose(SHOW, "v.plot_confusion_matrix([1, 2], p2)", "v.plot_confusion_matrix([0, 1], p2)", "from 0"),
    code(SHOW, "v.plot_confusion_matrix(['a', 'b'], [0, 1])",
         "v.plot_confusion_matrix(['a', 'b'], [0, 1], class_names=['a', 'b'])", "class_names=['a', 'b']"),
    code(SHOW, "v.plot_confusion_matrix([0, 1], p2, normalize=True)",
         "v.plot_confusion_matrix([0, 1], p2, normalize=\"true\")", 'normalize="true"'),
    prose(SHOW, "v.plot_roc([1, 1], [.2, .3])", "v.plot_roc([1, 0], [.2, .3])", "both classes"),
    code(SHOW, "v.plot_calibration([0, 1], p2, bins=0)", "v.plot_calibration([0, 1], p2, bins=10)", "bins=10"),
    prose(SHOW, "v.plot_calibration([[1, 1], [0, 1]], p2)",
          "v.plot_calibration(np.array([[1, 1], [0, 1]])[:, 0], p2[:, 0])", "[:, 0]"),
    prose(SHOW, "v.plot_residuals(['a'], ['b'])", "v.plot_confusion_matrix(['a'], ['b'])", "plot_confusion_matrix"),
    prose(SHOW, "v.plot_residuals([1., 2.], p2)", "v.plot_residuals([1., 2.], p2[:, 0])", "[:, 0]"),
    code(SHOW, "v.plot_residuals(p2, p2, names=['a'])", "v.plot_residuals(p2, p2, names=['0', '1'])",
         "names=['0', '1']"),
    code(MODEL, "v.plot_worst_samples(m, x, y, count=0, loss='mse')",
         "v.plot_worst_samples(m, x, np.eye(2)[y], count=10, loss='mse')", "count=10"),
    code(MODEL, "v.plot_worst_samples(m, x, y)",
         "v.plot_worst_samples(m, x, y, loss=\"sparse_categorical_crossentropy\")",
         'loss="sparse_categorical_crossentropy"'),
    code(MODEL, "v.plot_worst_samples(m, x, y, loss=lambda a, b: 1.0)",
         "v.plot_worst_samples(m, x, np.eye(2)[y], loss=\"mse\")", 'loss="mse"'),
    code(IMAGES, "v.plot_image_gallery(x, path='a.png', show=True)",
         "v.plot_image_gallery(x, path='a.png', show=False)", "show=False"),
    code(IMAGES, "v.plot_image_gallery(x, y_true=[0, 1], path='a.png')",
         "v.plot_image_gallery(x, y_true=[0, 1], path='a.png', label_map={0: \"cat\", 1: \"dog\"})",
         'label_map={0: "cat", 1: "dog"}'),
    code(IMAGES, "v.plot_bounding_box_gallery(x, 'xyxy', legend=True, legend_handles=[], path='a.png')",
         "v.plot_bounding_box_gallery(x, 'xyxy', legend=False, legend_handles=[], path='a.png')", "legend=False"),
]  # fmt: skip
DRAWN = (
    "v = keras.visualization; x = np.zeros((1, 9, 9, 3)); boxes = np.ones((1, 1, 4)); labels = np.zeros((1, 1), int)\n"
)
MISTAKES += [
    prose(DRAWN, "v.draw_bounding_boxes(x[0], {'boxes': boxes, 'labels': labels}, 'xyxy')",
          "images = x[0]; v.draw_bounding_boxes(images[None], {'boxes': boxes, 'labels': labels}, 'xyxy')", "images[None]"),
    prose(DRAWN, "v.draw_bounding_boxes(x, {'boxes': boxes}, 'xyxy')",
          "v.draw_bounding_boxes(x, {'boxes': boxes, 'labels': labels}, 'xyxy')", '"labels": labels'),
    prose(DRAWN, "v.draw_bounding_boxes(x, {'boxes': boxes[0], 'labels': labels}, 'xyxy')",
          "boxes = boxes[0]; v.draw_bounding_boxes(x, {'boxes': boxes[None], 'labels': labels}, 'xyxy')", "boxes[None]"),
    prose(DRAWN, "v.draw_segmentation_masks(x, np.zeros((9, 9), int))",
          "masks = np.zeros((9, 9), int); v.draw_segmentation_masks(x, masks[None])", "masks[None]"),
]  # fmt: skip
FIGURES = [
    code("m = keras.Sequential([keras.Input((1,))]); ", "keras.utils.plot_model(m, 'a.svg', rankdir='down')",
         "keras.utils.plot_model(m, 'a.svg', rankdir=\"TB\")", 'rankdir="TB"'),
    code("m = keras.Sequential([keras.Input((1,))]); ", "keras.utils.plot_model(m, 'model.jpeg2')",
         "keras.utils.plot_model(m, 'model.png')", "'model.png'"),
    code(SHOW, "f = v.plot_roc([0, 1], p2); figure = f; f.save('a.xyz')",
         "f = v.plot_roc([0, 1], p2); figure = f; figure.save(\"a.svg\")", 'figure.save("a.svg")'),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES + FIGURES)
test_fixes_are_tried = fixes_are_tried(
    "lamina/visualization", MISTAKES, but=[("pip install", "a program that has a package cannot miss it")]
)
test_figure_fixes_are_tried = fixes_are_tried("lamina/drawing", FIGURES)
