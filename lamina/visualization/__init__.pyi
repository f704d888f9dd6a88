"""The public names of `lamina.visualization`: the one table that editors and `lamina.core.lazy` read."""

from lamina.drawing.figure import *
from lamina.visualization.confusion import *
from lamina.visualization.curves import *
from lamina.visualization.drawing import draw_bounding_boxes as draw_bounding_boxes
from lamina.visualization.drawing import draw_segmentation_masks as draw_segmentation_masks
from lamina.visualization.galleries import *
from lamina.visualization.mistakes import *
from lamina.visualization.residuals import *
from lamina.visualization.worst_samples import plot_worst_samples as plot_worst_samples
