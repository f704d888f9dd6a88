"""Descriptions of layers that add noise in training only: dropout and its variants, and image augmentation."""

import math

from lamina.explanations.descriptions import Once, describes
from lamina.facts.words import list_of

__all__ = []


def _when(fact):
    """When a layer that adds noise is active here."""
    if fact.training is True:
        return "Always, since it is called with training=True"
    if fact.training is False:
        return "Never here, since it is called with training=False"
    return "Only in training"


def _of(fact):
    return f"the output of {list_of(fact.givers)}" if fact.givers else "its input"


@describes("GaussianNoise")
def _noise(fact):
    scale = f"{fact.layer.stddev:g}"
    return [f"{_when(fact)}: it adds random numbers with standard deviation {scale} to {_of(fact)}.", _off(fact)]


@describes("GaussianDropout")
def _gaussian_dropout(fact):
    rate = fact.layer.rate
    return [
        f"{_when(fact)}: it multiplies each number of {_of(fact)} by a random one around 1, with standard deviation "
        f"sqrt({rate:g} / (1 - {rate:g})) = {math.sqrt(rate / (1 - rate)):.3g}.",
        _off(fact),
    ]


@describes("ActivityRegularization")
def _activity(fact):
    layer = fact.layer
    terms = [f"{layer.l1:g} * sum(|x|)" if layer.l1 else "", f"{layer.l2:g} * sum(x^2)" if layer.l2 else ""]
    penalty = " + ".join(filter(None, terms)) or "0"
    return [f"Returns its inputs unchanged, and adds ({penalty}) / batch size to the loss."]


def _off(fact):
    said = Once("In prediction and evaluation it returns its inputs unchanged.", "no noise")
    return said if fact.training is None else ""


@describes("dropout")
def _dropout(fact):
    rate = fact.layer.rate
    if rate == 0:
        return ["Its rate is 0, so it does nothing."]
    shape = _noise_shape(fact)
    which = _which(fact, shape)
    if fact.is_a("AlphaDropout"):
        does = f"sets {which} of {_of(fact)} to the lower limit of selu"
        rest = ", and scales and shifts all values to keep mean and variance"
    else:
        does = f"zeroes {_of(fact)}, {which}"
        rest = (
            f", drawn again in every step; the rest is multiplied by 1 / (1 - {rate:g}) = {1 / (1 - rate):.3g} to "
            "keep the mean"
            if rate < 1
            else ": nothing is left"
        )
    return [
        f"{_when(fact)}: it {does} with probability {rate:g}{rest}.",
        f"The mask has shape {shape}{_axes(fact, shape)}.",
        _off(fact),
        *_gradient(fact),
    ]


def _noise_shape(fact):
    shape = tuple(fact.input)
    given = fact.layer.noise_shape
    if given is None:
        return shape
    given = (*[1] * (len(shape) - len(given)), *given)
    return tuple(of if size is None else size for size, of in zip(given, shape, strict=True))


def _which(fact, shape):
    if shape == tuple(fact.input):
        return "each number"
    return "each whole channel" if fact.kind.startswith("Spatial") else "each group of numbers that shares a draw"


def _axes(fact, shape):
    ones = [axis for axis, (size, of) in enumerate(zip(shape, fact.input, strict=True)) if size == 1 and of != 1]
    if not ones:
        return ""
    if ones == [0]:
        return ": all samples of a batch share the draws"
    along = list_of(map(str, ones))
    return f": along {'axis' if len(ones) == 1 else 'axes'} {along} all values are dropped together"


def _gradient(fact):
    """What happens to the layers before it and to the gradient."""
    if not fact.sources or fact.training is False:
        return []
    if (
        fact.depth == 0
        and all(one.whole for one in _before(fact))
        and not any(one.trainable_count for one in _before(fact))
    ):
        frozen = any(one.count for one in _before(fact))
        said = "All layers before it are frozen" if frozen else "No layer before it has weights"
        return [
            f"{said}: nothing before it changes or gets a gradient; the layers after it see another draw each step."
        ]
    source = fact.sources[0]
    weights = f"Weights of {source.name} are not zeroed" if source.count else "It zeroes values, not weights"
    return [f"{weights}; in that step no gradient flows through the dropped values, only through the kept ones."]


def _before(fact):
    """The calls that a call depends on."""
    seen, waiting = set(), list(fact.sources)
    while waiting:
        source = waiting.pop()
        if source not in seen:
            seen.add(source)
            waiting.extend(source.sources)
    return seen


# Image augmentation: what each layer does to an image, with its own numbers.


def _range(pair, scale=1, unit=""):
    low, high = (bound * scale for bound in pair)
    return f"{low:.3g}{unit} to {high:.3g}{unit}" if low != high else f"{low:.3g}{unit}"


def _flip(layer):
    sides = {"horizontal": "left and right", "vertical": "up and down"}.get(
        layer.mode, "left and right, and up and down, each"
    )
    return f"mirrors half of the images ({sides})"


_CHANGES = {
    "RandomFlip": _flip,
    "RandomRotation": lambda a: f"rotates each image by a random angle, {_range(a.factor, 360)} degrees",
    "RandomTranslation": lambda a: (
        f"moves each image by {_range((a.height_lower, a.height_upper), 100, '%')} of its height and "
        f"{_range((a.width_lower, a.width_upper), 100, '%')} of its width"
    ),
    "RandomZoom": lambda a: (
        f"shows more or less of each image: {_range((1 + a.height_lower, 1 + a.height_upper), 100, '%')} of its height"
    ),
    "RandomShear": lambda a: f"slants each image, along x by {_range(a.x_factor)} and along y by {_range(a.y_factor)}",
    "RandomPerspective": lambda a: "shows images as if seen from another angle",
    "RandomElasticTransform": lambda a: "stretches images locally, as if printed on rubber",
    "RandomBrightness": lambda a: (
        f"makes each image brighter or darker by {_range(a.factor, 100, '%')} of the range of values"
    ),
    "RandomContrast": lambda a: (
        f"multiplies the contrast of each image by {_range((1 - a.factor[0], 1 + a.factor[1]))}"
    ),
    "RandomColorDegeneration": lambda a: (
        f"moves the colours of each image towards gray by {_range(a.factor, 100, '%')}"
    ),
    "RandomGrayscale": lambda a: f"makes images gray with probability {a.factor:g}",
    "RandomHue": lambda a: f"shifts the hues of each image by {_range(a.factor, 180)} degrees, in either direction",
    "RandomSaturation": lambda a: "makes the colours of each image stronger or paler",
    "RandomSharpness": lambda a: "makes each image smoother or sharper",
    "RandomGaussianBlur": lambda a: f"blurs some of the images with a bell curve over {a.kernel_size} pixels",
    "RandomInvert": lambda a: "turns some of the images into their negatives",
    "RandomPosterization": lambda a: "keeps only the highest bits of the pixels of each image",
    "Solarization": lambda a: "inverts the bright pixels of each image, above a random threshold",
    "RandomColorJitter": lambda a: (
        "changes brightness, contrast, saturation and hue of each image, by the factors that it was given"
    ),
    "RandomErasing": lambda a: f"fills a rectangle of some of the images, {_range(a.scale, 100, '%')} of the area",
    "CutMix": lambda a: "puts a rectangle of another image of the batch into each image; labels are mixed by area",
    "MixUp": lambda a: "blends each image with another one of the batch; labels are blended in the same proportion",
    "RandAugment": lambda a: f"applies {a.num_ops} layers, drawn for each batch from eleven",
    "AugMix": lambda a: f"blends each image with {a.num_chains} chains of changes, drawn for each batch",
    "Equalization": lambda a: "equalizes the brightness, so that all levels are about equally frequent",
}


@describes(*_CHANGES)
def _augmentation(fact):
    change = next(_CHANGES[cls.__name__] for cls in type(fact.layer).__mro__ if cls.__name__ in _CHANGES)
    said = [f"{_when(fact)}: it {change(fact.layer)}."]
    if fact.training is None:
        said.append(
            Once("evaluate and predict leave images unchanged; called outside of a model it is active too.", "augments")
        )
    return said


@describes("RandomCrop")
def _random_crop(fact):
    layer = fact.layer
    size = f"{layer.height} x {layer.width}"
    if fact.training is False:
        return [f"Cuts the middle {size} out of each image."]
    return [
        f"In training it cuts a part of {size} out of the images, at a random place; otherwise the middle. Smaller "
        "images are resized."
    ]


@describes("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization")
def _contrast(fact):
    what = "Stretches each channel of each image to the full range of values"
    if fact.is_a("ContrastLimitedAdaptiveHistogramEqualization"):
        down, across = fact.layer.tile_grid_size
        what = f"Equalizes the brightness of each image by the histograms of {down} x {across} tiles"
    return [f"{what}, in training and when predicting."]


@describes("CenterCrop", "Resizing")
def _resize(fact):
    layer = fact.layer
    if fact.is_a("Resizing"):
        how = f" by {layer.interpolation} interpolation"
        kept = layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio
        ratio = " The aspect ratio is kept." if kept else ""
        return [
            f"Resizes each image to {layer.height} x {layer.width} pixels{how}, in training and when predicting.{ratio}"
        ]
    return [
        f"Cuts the middle {layer.height} x {layer.width} pixels out of each image, in training and when predicting; "
        "smaller images are resized."
    ]


@describes("MaxNumBoundingBoxes")
def _boxes(fact):
    return [f"Makes {fact.layer.max_number} boxes for each image: surplus ones are cut off, missing ones filled in."]


@describes("Pipeline")
def _pipeline(fact):
    kinds = [type(layer).__name__ for layer in fact.layer.layers]
    return [f"Applies {list_of(kinds)}, one after the other."]
