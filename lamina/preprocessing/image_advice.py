"""What ImageDataGenerator draws, and what it is called today."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["layers_of_today", "shift_in_pixels"]


def shift_in_pixels(largest: Any, size: int) -> float:
    """A random shift. Whole numbers and lists are chosen from, with either sign.

    Args:
        largest: Largest shift as a share (below 1) or in pixels, or a list of shifts.
        size: Size of the image along that side.
    """
    if not (len(largest) if np.ndim(largest) else largest):
        return 0
    if np.ndim(largest) or isinstance(largest, (int, np.integer)):
        shift = np.random.choice(largest) * np.random.choice([-1, 1])
    else:
        shift = np.random.uniform(-largest, largest)
    return shift * size if np.max(largest) < 1 else shift


def layers_of_today(generator: Any) -> str:
    """The same changes as layers, in one line.

    Args:
        generator: ImageDataGenerator.
    """
    of = vars(generator)
    low, high = generator.zoom_range
    flips = "_and_".join(name for name in ("horizontal", "vertical") if of[f"{name}_flip"])
    shifts = [of[f"{side}_shift_range"] for side in ("height", "width")]
    layers = {
        f"RandomRotation({of['rotation_range']} / 360)": of["rotation_range"],
        f"RandomTranslation({shifts[0]}, {shifts[1]})": any(map(np.any, shifts)),
        f"RandomShear({of['shear_range']} / 57)": of["shear_range"],
        f"RandomZoom(({round(low - 1, 4)}, {round(high - 1, 4)}))": (low, high) != (1, 1),
        f"RandomFlip({flips!r})": flips,
        f"RandomBrightness({of['brightness_range']})": of["brightness_range"] is not None,
        f"Rescaling({_fraction(of['rescale'])})": of["rescale"],
        "Normalization()": of["featurewise_center"] or of["samplewise_center"],
    }
    names = ", ".join(f"layers.{layer}" for layer, is_used in layers.items() if is_used)
    return (
        "ImageDataGenerator is keras.utils.image_dataset_from_directory (or Dataset.from_tensor_slices)"
        f"{f' and, in the model, {names}' if names else ''} since Keras 3."
    )


def _fraction(value):
    """1 / 255 in place of 0.00392156862745098."""
    whole = round(1 / value) if value else 0
    return f"1 / {whole}" if whole > 1 and abs(value * whole - 1) < 1e-9 else value
