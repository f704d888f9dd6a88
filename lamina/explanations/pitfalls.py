"""What to look out for, by class, or by trait of layers."""

from __future__ import annotations

from typing import Any

from lamina.core.registry import is_builtin

__all__ = ["pitfalls_of"]

_LOGITS = (
    "It takes probabilities. Where the model ends without softmax or sigmoid, pass from_logits=True; where it ends "
    "with one, do not: it would be applied twice (LAM103)."
)
_ADAPTIVE = "Rates of about 0.001 suit it; ten times as much often diverges."
_ONLY_TRAINING = "It does something in training alone: predict, evaluate and a bare call return the inputs unchanged."

PITFALLS: dict[str, list[str]] = {
    "Layer": [
        "Make weights in build or __init__, never in call, and keep layers as attributes, so that they are "
        "found."
    ],
    "Dense": [
        "It works on the last axis alone: pictures and sequences need Flatten or pooling before it, or each position "
        "gets a row of outputs of its own.",
        "Two Dense layers without an activation between them compute what one could.",
    ],
    "EinsumDense": ["The letters of bias_axes must occur in the outputs; without bias_axes there is no bias."],
    "convolution": [
        "The last axis of the inputs is that of the channels (data_format='channels_last'): grey pictures of shape "
        "(28, 28) need x[..., None].",
        "padding='valid', the default, shrinks the map; 'same' keeps its size.",
    ],
    "transposed_convolution": ["Where strides do not divide kernel_size, its outputs show a chessboard pattern."],
    "pooling": ["strides is pool_size if it is not given, so windows do not overlap."],
    "global_pooling": ["It drops the positions; keepdims=True keeps them as axes of size 1."],
    "adaptive_pooling": ["output_size is a number of positions, not the size of a window."],
    "BatchNormalization": [
        "Training uses the batch's own statistics, prediction the moving averages: with few steps, or batches of a few "
        "samples, the two differ much.",
        "trainable=False makes it use its moving averages in training too.",
    ],
    "normalization": ["axis is what is normalized, or what each statistic belongs to: read its description above."],
    "Normalization": ["adapt(x) must see the training data before the first call; it does not learn in fit."],
    "dropout": [_ONLY_TRAINING, "Rates above 0.5 often keep a model from learning at all (LAM313)."],
    "noise": [_ONLY_TRAINING],
    "recurrent": [
        "A recurrent layer after it needs return_sequences=True here.",
        "Padding counts as data unless a mask says what it is: Embedding(mask_zero=True) or Masking.",
        "Inputs are (batch, time, features): one number a step still needs an axis, x[..., None].",
    ],
    "recurrent_cell": ["It computes one step: keras.layers.RNN(cell) runs it over a sequence."],
    "embedding": [
        "input_dim is the largest id plus one.",
        "With mask_zero=True the id 0 means padding and must not stand for a word.",
    ],
    "attention": [
        "It does not know the order of the positions: add position embeddings to its inputs.",
        "use_causal_mask=True keeps a position from seeing later ones; a decoder needs it.",
        "In attention_mask, True means that a position may be seen.",
    ],
    "merge": ["The inputs are a list; shapes must agree, apart from axes of size 1, or the axis of Concatenate."],
    "rearranging": ["It moves values and learns nothing. The batch axis is not in its arguments."],
    "Reshape": ["It keeps the order of the values: to exchange axes use Permute."],
    "Flatten": ["After it each position has weights of its own: a Dense on a large map becomes very large."],
    "Lambda": [
        "Weights that the function uses are neither found nor trained, and files with Python code are not loaded: "
        "write a Layer.",
    ],
    "activation": ["Inside the layer before it, as activation=..., it computes the same."],
    "Identity": ["It returns its inputs: a place to put another layer later."],
    "PReLU": ["It has a slope for each position; shared_axes=[1, 2] gives one for each channel of a map."],
    "Resizing": ["It changes the ratio of height to width unless crop_to_aspect_ratio or pad_to_aspect_ratio is True."],
    "CenterCrop": ["Pictures smaller than height and width are enlarged first."],
    "HashedCrossing": ["It takes a list of two or more features, each with one value a sample."],
    "Pipeline": ["Random layers in it change data in training alone."],
    "InputSpec": ["It checks inputs and computes nothing: set self.input_spec in a layer of your own."],
    "JaxLayer": ["call_fn is traced: it must be pure, and gets params and state in place of what it closes over."],
    "FlaxLayer": ["The module is traced: what it stores outside of its variables is lost."],
    "TorchModuleWrapper": ["It cannot be used here: the error says how to move the weights into layers."],
    "TFSMLayer": ["It cannot be used here: the error says what takes its place."],
    "STFTSpectrogram": ["Sequences must be at least frame_length samples long."],
    "MelSpectrogram": ["sampling_rate must be that of the sound; the default is 16,000 samples a second."],
    "MaxNumBoundingBoxes": ["It takes dicts with boxes and labels, not pictures."],
    "AutoContrast": ["value_range must be that of the pictures: 0 to 255, or 0 to 1."],
    "Equalization": ["value_range must be that of the pictures: 0 to 255, or 0 to 1."],
    "ContrastLimitedAdaptiveHistogramEqualization": ["value_range must be that of the pictures: 0 to 255, or 0 to 1."],
    "ReLU": ["A unit that is below 0 for all samples has no gradient and stays dead."],
    "Softmax": ["It wants the axis of the classes (axis=-1). A single unit through softmax is always 1."],
    "Masking": ["A step is masked where all its features equal mask_value; layers that ignore masks drop it."],
    "wrapper": ["The layer inside is not shared with its use elsewhere unless the same object is passed."],
    "Bidirectional": ["merge_mode='concat' doubles the features. It needs the whole sequence: not for forecasts."],
    "TimeDistributed": ["Dense works on the last axis by itself and need not be wrapped."],
    "Rescaling": ["Inside the model it must not be repeated outside: pictures divided by 255 twice are nearly black."],
    "TextVectorization": ["adapt(texts) before the first call; id 0 is padding and id 1 an unknown word."],
    "StringLookup": ["adapt or a vocabulary before the first call; id 0 is an unknown word unless mask_token is set."],
    "IntegerLookup": [
        "adapt or a vocabulary before the first call; id 0 is an unknown number unless mask_token is "
        "set."
    ],
    "Discretization": ["adapt(x) or bin_boundaries before the first call."],
    "Hashing": ["Different values can meet in one bin; with few bins many do."],
    "CategoryEncoding": ["num_tokens is the largest number plus one."],
    "InputLayer": ["shape has no batch axis: Input((784,)) takes arrays of shape (n, 784)."],
    "ActivityRegularization": ["The penalty is added to the loss in fit; a loss printed by evaluate has it too."],
    "CategoricalCrossentropy": [
        "Targets are one-hot rows; for class numbers use SparseCategoricalCrossentropy.",
        _LOGITS,
    ],
    "SparseCategoricalCrossentropy": [
        "Targets are class numbers from 0; for one-hot rows use CategoricalCrossentropy.",
        _LOGITS,
    ],
    "BinaryCrossentropy": ["For one class out of several use a categorical crossentropy with softmax.", _LOGITS],
    "CategoricalFocalCrossentropy": ["Targets are one-hot rows.", _LOGITS],
    "BinaryFocalCrossentropy": ["apply_class_balancing=False by default: alpha is then not used.", _LOGITS],
    "MeanSquaredError": ["A few outliers dominate it; MeanAbsoluteError and Huber are milder. Not for classes."],
    "MeanAbsolutePercentageError": ["Targets near 0 make it enormous."],
    "MeanSquaredLogarithmicError": ["Values below 0 count as 0."],
    "KLDivergence": ["Targets and outputs are probabilities that add up to 1."],
    "Poisson": ["Outputs must be above 0: end the model in exp or softplus."],
    "Hinge": ["Labels are -1 and 1 (0 and 1 are converted), and the output has no sigmoid."],
    "SquaredHinge": ["Labels are -1 and 1 (0 and 1 are converted), and the output has no sigmoid."],
    "CategoricalHinge": ["Targets are one-hot rows."],
    "CosineSimilarity": ["As a loss it is -1 for the same direction; as a metric 1."],
    "Loss": ["Lower is better. It returns the mean over the batch unless reduction says otherwise."],
    "Metric": ["It adds up over batches until reset_state: fit and evaluate reset it at each epoch."],
    "Accuracy": ["It compares values for equality: for probabilities use metrics=['accuracy']."],
    "BinaryAccuracy": ["Above threshold=0.5 counts as yes: for logits use threshold=0."],
    "CategoricalAccuracy": ["Targets are one-hot rows."],
    "SparseCategoricalAccuracy": ["Targets are class numbers."],
    "AUC": ["It takes probabilities unless from_logits=True."],
    "Precision": ["Of several exclusive classes it counts all that are above the threshold: pass class_id or top_k."],
    "Recall": ["Of several exclusive classes it counts all that are above the threshold: pass class_id or top_k."],
    "F1Score": ["average=None returns one number a class; progress bars want 'macro' or 'micro'."],
    "Optimizer": ["One optimizer trains one set of variables: make a new one for a second model."],
    "SGD": ["Without momentum it is slow on deep and recurrent models: momentum=0.9 (LAM312)."],
    "Adam": [_ADAPTIVE], "AdamW": [_ADAPTIVE, "Biases and normalizations are best excluded from the decay: "
                                   "exclude_from_weight_decay."],
    "RMSprop": [_ADAPTIVE], "Nadam": [_ADAPTIVE], "Adamax": [_ADAPTIVE],
    "Adagrad": ["Its steps only become smaller: it starts with larger rates than Adam."],
    "Adadelta": ["With the default rate of 0.001 it hardly moves; the paper uses 1.0."],
    "Lion": ["Its rate is three to ten times smaller than that of Adam, its weight decay as much larger."],
    "Ftrl": ["With l1_regularization_strength many weights become exactly 0."],
    "Muon": ["It is for kernels of hidden layers; the others are given to its Adam part."],
    "relu": ["A unit that is below 0 for all samples has no gradient and stays dead."],
    "sigmoid": ["Far from 0 its gradient vanishes: use it for outputs, not in deep stacks."],
    "tanh": ["Far from 0 its gradient vanishes."],
    "softmax": ["Over the axis of the classes. A single number through softmax is always 1."],
}  # fmt: skip


def pitfalls_of(thing: Any) -> list[str]:
    """What to look out for with a class or a function: what its class says, and its traits, or else its nearest base.

    Args:
        thing: Class or function.
    """
    if not isinstance(thing, type):
        return PITFALLS.get(getattr(thing, "__name__", ""), [])
    for cls in filter(is_builtin, thing.__mro__):
        if cls.__name__ == "Layer" and cls is not thing:
            continue
        traits = sorted(vars(cls).get("_traits", ()))
        said = [line for kind in (cls.__name__, *traits) for line in PITFALLS.get(kind, [])]
        if said:
            return list(dict.fromkeys(said))
    return []
