"""Images with boxes, masks and classes drawn on them."""

import keras as oracle
import numpy as np
import pytest

from lamina import visualization

BLACK = np.zeros((1, 12, 14, 3), "uint8")
FORMATS = {
    "xyxy": [2, 3, 9, 8],
    "yxyx": [3, 2, 8, 9],
    "xywh": [2, 3, 7, 5],
    "center_xywh": [5.5, 5.5, 7, 5],
    "center_yxhw": [5.5, 5.5, 5, 7],
    "rel_xyxy": [2 / 14, 3 / 12, 9.01 / 14, 8.01 / 12],
    "rel_yxyx": [3 / 12, 2 / 14, 8.01 / 12, 9.01 / 14],
}


def boxes(*given, **kwargs):
    return {"boxes": np.array([given], "float32"), "labels": np.array([[1] * len(given)]), **kwargs}


@pytest.mark.parametrize("name", FORMATS)
def test_boxes_in_each_format(name):
    drawn = visualization.draw_bounding_boxes(BLACK, boxes(FORMATS[name]), name, color=(9, 8, 7), line_thickness=1)
    expected = np.zeros((12, 14), bool)
    expected[3:9, 2:10] = True
    expected[4:8, 3:9] = False
    np.testing.assert_array_equal(drawn[0], expected[..., None] * np.array([9, 8, 7]))
    assert drawn.dtype == "uint8"
    assert not BLACK.any()


@pytest.mark.parametrize("thickness", [1, 2, 3, 4, 5])
def test_boxes_are_those_of_keras(thickness):
    pytest.importorskip("cv2", reason="Keras draws with OpenCV")
    given = [BLACK, boxes([2, 3, 9, 8], [0, 0, 20, 11]), "xyxy"]
    kwargs = {"color": (9, 8, 7), "line_thickness": thickness}
    ours = visualization.draw_bounding_boxes(*given, **kwargs)
    np.testing.assert_array_equal(ours, oracle.visualization.draw_bounding_boxes(*given, **kwargs))


def test_labels_and_names():
    pytest.importorskip("PIL", reason="needs Pillow")
    white = np.zeros((1, 60, 90, 3), "uint8")
    plain = visualization.draw_bounding_boxes(white, boxes([5, 30, 80, 55]), "xyxy")
    named = visualization.draw_bounding_boxes(
        white, boxes([5, 30, 80, 55], confidences=[[0.5]]), "xyxy", class_mapping={1: "cat"}
    )
    other = visualization.draw_bounding_boxes(white, boxes([5, 30, 80, 55]), "xyxy", class_mapping={2: "dog"})
    np.testing.assert_array_equal(other, plain)
    changed = (named != plain).any((0, 2, 3))
    assert changed.any() and not changed[30:].any()
    skipped = visualization.draw_bounding_boxes(white, {**boxes([5, 30, 80, 55]), "labels": [[-1]]}, "xyxy")
    assert not skipped.any()


def test_channels_first():
    drawn = visualization.draw_bounding_boxes(
        np.moveaxis(BLACK, -1, 1), boxes([2, 3, 9, 8]), "xyxy", data_format="channels_first"
    )
    np.testing.assert_array_equal(drawn, visualization.draw_bounding_boxes(BLACK, boxes([2, 3, 9, 8]), "xyxy"))


def test_wrong_boxes():
    with pytest.raises(ValueError, match="format"):
        visualization.draw_bounding_boxes(BLACK, boxes([1, 2, 3, 4]), "corners")
    with pytest.raises(ValueError, match="labels"):
        visualization.draw_bounding_boxes(BLACK, {"boxes": [[[1, 2, 3, 4]]]}, "xyxy")
    with pytest.raises(ValueError, match="shape"):
        visualization.draw_bounding_boxes(BLACK, boxes([1, 2, 3]), "xyxy")
    with pytest.raises(ValueError, match="batch"):
        visualization.draw_bounding_boxes(BLACK[0], boxes([1, 2, 3, 4]), "xyxy")


MASKS = np.array([[[0, 1, 2], [3, -1, 1]]])
GRAY = np.full((1, 2, 3, 3), 100, "uint8")
COLORS = {0: (10, 20, 30), 1: (200, 100, 0), 2: (1, 2, 3), 3: (4, 5, 6)}


@pytest.mark.parametrize("kwargs", [{}, {"alpha": 0.3}, {"ignore_index": 1}, {"color_mapping": COLORS}], ids=str)
@pytest.mark.parametrize("masks", [MASKS, MASKS[..., None]], ids=["no channel", "a channel"])
def test_masks_are_those_of_keras(masks, kwargs):
    pytest.importorskip("cv2", reason="Keras draws with OpenCV")
    ours = visualization.draw_segmentation_masks(GRAY, masks, num_classes=4, **kwargs)
    np.testing.assert_array_equal(
        ours, oracle.visualization.draw_segmentation_masks(GRAY, MASKS[..., None], num_classes=4, **kwargs)
    )


def test_masks_by_hand():
    drawn = visualization.draw_segmentation_masks(GRAY, MASKS, alpha=0.5)
    colors = np.array([[0, 0, 0], [1, 127, 31], [2, 254, 62], [3, 126, 93]])
    np.testing.assert_array_equal(drawn[0, 0], np.int64(50 + 0.5 * colors[[0, 1, 2]]))
    np.testing.assert_array_equal(
        drawn[0, 1], [*np.int64(50 + 0.5 * colors[[3]]), [100] * 3, *np.int64(50 + 0.5 * colors[[1]])]
    )
    alone = visualization.draw_segmentation_masks(GRAY, MASKS, num_classes=2, blend=False)
    np.testing.assert_array_equal(alone[0, 0], [[0, 0, 0], [1, 127, 31], [100, 100, 100]])
    with pytest.raises(ValueError, match="shape"):
        visualization.draw_segmentation_masks(GRAY, MASKS[:, :1])


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_image_gallery(plt, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (5, 4, 4, 3))
    figure = visualization.plot_image_gallery(
        images, y_true=[0, 1, 0, 1, 0], y_pred=np.array([0, 0, 1, 1, 2]), label_map={0: "cat", 1: "dog"}, show=False
    )
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes[:3]] == [
        "GT: cat Pred: cat",
        "GT: dog Pred: cat",
        "GT: cat Pred: dog",
    ]
    assert figure.axes[4].get_title() == "GT: cat Pred: Unknown"
    np.testing.assert_allclose(figure.axes[1].get_images()[0].get_array(), images[1] / 255, rtol=1e-5)
    assert visualization.plot_image_gallery(images, rows=1, path=tmp_path / "gallery.png") is None
    assert (tmp_path / "gallery.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="label_map"):
        visualization.plot_image_gallery(images, y_true=[0] * 5)
    with pytest.raises(ValueError, match="show"):
        visualization.plot_image_gallery(images, path="a.png", show=True)


def test_galleries_of_boxes_and_masks(plt):
    figure = visualization.plot_bounding_box_gallery(
        BLACK, "xyxy", boxes([2, 3, 9, 8]), boxes([1, 1, 5, 5]), legend=True, show=False
    )
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())
    np.testing.assert_allclose(shown[8, 9], np.array([0, 188, 212]) / 255, rtol=1e-5)
    np.testing.assert_allclose(shown[1, 1], np.array([255, 235, 59]) / 255, rtol=1e-5)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Ground Truth", "Prediction"]
    figure = visualization.plot_segmentation_mask_gallery(GRAY, 4, y_true=MASKS, y_pred=MASKS, blend=False, show=False)
    assert len(figure.axes) == 3
    shown = np.asarray(figure.axes[1].get_images()[0].get_array())
    np.testing.assert_allclose(shown[0, 1], np.array([1, 127, 31]) / 255, rtol=1e-5)
