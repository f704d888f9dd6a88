"""keras.preprocessing: earlier names of functions of `keras.utils`."""

from lamina.core.lazy import show_user_lines
from lamina.preprocessing import image, sequence, text
from lamina.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from lamina.utils.timeseries import timeseries_dataset_from_array

for _file in (image, sequence, text):
    show_user_lines(_file)

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
