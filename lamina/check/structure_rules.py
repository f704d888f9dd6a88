"""LAM2xx: layers that stand where they do nothing, or not what was meant."""

import math

from lamina.check.rule import rule
from lamina.check.subject import activation_of
from lamina.core import tree
from lamina.core.registry import is_builtin

__all__ = []

_MANY = 1_000_000  # weights
_CONSTANT = ("Zeros", "Ones", "Constant")
_THROUGH = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "Identity")


def _is_convolution(fact):
    return fact.is_a("BaseConv", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "SeparableConv1D",
                     "SeparableConv2D")  # fmt: skip


def _next(fact, through=_THROUGH):
    """The one call that takes the output of this one, beyond layers of these classes; None if there are several."""
    while len(fact.receivers) == 1 and not fact.ends:
        fact = fact.receivers[0]
        if fact.kind not in through:
            return fact
    return None


def _plain(fact):
    """Whether lamina's own class computes it, whose formula is known."""
    return is_builtin(type(fact.layer))


@rule(
    "LAM201", "warning", "Dense on the rows of what was to be one vector", "model",
    "Dense works on the last axis: each row goes through the same weights on its own, and never meets the others.",
    "Keras: Dense, inputs of rank above 2",
)  # fmt: skip
def _dense_before_flatten(subject):
    for fact in subject.facts:
        if fact.kind != "Dense" or not fact.reads or len(fact.input) < 3:
            continue
        following = _next(fact, (*_THROUGH, "Dense", "Activation", "ReLU"))
        if following is not None and following.kind == "Flatten":
            rows = "x".join(str(size) for size in fact.input[1:-1])
            yield (
                fact.name, fact.input,
                f"{fact.name} sees {fact.input[-1]} numbers at a time, at each of {rows} positions; {following.name} "
                "comes only later.",
                f"Put Flatten() before {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM202", "info", "pooling over positions after Dense", "model",
    "Dense mixes the features of one position and looks at no neighbour; pooling then joins positions that were never "
    "compared. A convolution compares them.",
    "Lin, Chen, Yan: Network In Network (2014): Dense on positions is a 1x1 convolution",
)  # fmt: skip
def _pooling_after_dense(subject):
    for fact in subject.facts:
        following = _next(fact, (*_THROUGH, "Activation", "ReLU"))
        if fact.kind == "Dense" and following is not None and following.kind in _WINDOWS_POOLED:
            yield (
                following.name, following.input, f"{following.name} pools positions that {fact.name} has not compared.",
                f"Use a Conv with kernel_size=3 in place of {fact.name}, if neighbours matter.",
            )  # fmt: skip


_WINDOWS_POOLED = ("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
                   "AveragePooling3D")  # fmt: skip


@rule(
    "LAM203", "info", "Dense between convolutions", "model",
    "On a feature map Dense is a convolution with a window of one position.",
    "Lin, Chen, Yan: Network In Network (2014)",
)  # fmt: skip
def _dense_between_convolutions(subject):
    through = (*_THROUGH, *_WINDOWS_POOLED, "Activation", "ReLU", "BatchNormalization")
    for fact in subject.facts:
        if fact.kind != "Dense" or len(fact.input) < 3 or not _comes_from_convolution(fact, through):
            continue
        following = _next(fact, through)
        if following is not None and _is_convolution(following):
            yield (
                fact.name, fact.input, f"{fact.name} works on each position of a feature map for itself.",
                f"Write it as Conv{len(fact.input) - 2}D({fact.output[-1]}, 1), or drop it.",
            )  # fmt: skip


def _comes_from_convolution(fact, through):
    while len(fact.sources) == 1:
        fact = fact.sources[0]
        if _is_convolution(fact):
            return True
        if fact.kind not in through:
            return False
    return False


@rule(
    "LAM204", "info", "Flatten on what is flat", "model",
    "It changes nothing.",
    "Keras: Flatten",
)  # fmt: skip
def _flatten_on_flat(subject):
    for fact in subject.facts:
        if fact.kind == "Flatten" and len(fact.input) == 2:
            yield fact.name, fact.input, f"{fact.name} gets vectors already.", f"Drop {fact.name}."


@rule(
    "LAM205", "warning", "two linear layers in a row", "model",
    "Without an activation between them two linear layers are one linear layer: the weights of the second add nothing "
    "that can be learned.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.1",
)  # fmt: skip
def _linear_layers_in_a_row(subject):
    for fact in subject.facts:
        following = _next(fact)
        if following is None or not (_plain(fact) and _plain(following)) or activation_of(fact) != "linear":
            continue
        dense = (
            fact.kind == following.kind == "Dense"
            and fact.layer is not following.layer
            and not _is_narrow(fact, following)
        )
        if (dense or _both_windows(fact, following)) and fact.trainable_count:
            yield (
                fact.name, "linear", f"{fact.name} has no activation, and {following.name} comes next.",
                f"Use activation='relu' in {fact.name}.",
            )  # fmt: skip


def _is_narrow(fact, following):
    """Whether it is a bottleneck, which two linear layers may well make: fewer units than what is around it."""
    before, units, after = fact.input[-1], fact.output[-1], following.output[-1]
    return before is None or units < min(before, after) or getattr(fact.layer, "lora_enabled", False)


def _both_windows(fact, following):
    windows = [getattr(one.layer, "kernel_size", (1,)) for one in (fact, following)]
    plain = all(one.kind in ("Conv1D", "Conv2D", "Conv3D") for one in (fact, following))
    square = all(len(set(window)) == 1 and window[0] > 1 for window in windows)
    return plain and square and following.input[-1] is not None and fact.output[-1] >= (fact.input[-1] or 0)


@rule(
    "LAM206", "warning", "an activation twice", "model",
    "The layer before has this activation inside: a second one does nothing (relu) or squeezes the numbers again "
    "(sigmoid, tanh, softmax).",
    "Keras: the activation argument of a layer, and the layer Activation",
)  # fmt: skip
def _activation_twice(subject):
    for fact in subject.facts:
        following = _next(fact)
        if following is None or following.kind not in ("Activation", "ReLU", "Softmax"):
            continue
        first, second = activation_of(fact), activation_of(following)
        if first == second and first in ("relu", "sigmoid", "tanh", "softmax") and _has_default_bounds(following):
            yield (
                following.name, second, f"{following.name} applies {second} to what {fact.name} made with {first}.",
                f"Drop {following.name}.",
            )  # fmt: skip


def _has_default_bounds(fact):
    return fact.kind != "ReLU" or (getattr(fact.layer, "max_value", None) is None)


@rule(
    "LAM207", "error", "an activation around the softmax that spoils it", "model",
    "Softmax takes any numbers and gives probabilities. relu before it takes negative ones away; an activation after "
    "it makes probabilities something else.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2",
)  # fmt: skip
def _activation_around_softmax(subject):
    for fact in subject.facts:
        following = _next(fact)
        if following is None or following.kind not in ("Activation", "ReLU", "Softmax", "Sigmoid", "Tanh"):
            continue
        first, second = activation_of(fact), activation_of(following)
        if first == "softmax" and second in ("relu", "sigmoid", "tanh"):
            yield (
                following.name, second, f"{following.name} applies {second} to the softmax of {fact.name}.",
                f"Drop {following.name}.",
            )  # fmt: skip
        if first == "relu" and fact.kind in ("Dense", "ReLU", "Activation") and second == "softmax" and following.ends:
            yield (
                fact.name, first, f"{following.name} takes softmax of what relu in {fact.name} has cut at 0.",
                f"Use activation=None in {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM208", "info", "a bias before BatchNormalization", "model",
    "BatchNormalization subtracts the mean, and with it any bias; its own beta takes that place.",
    "Ioffe, Szegedy: Batch Normalization (2015), 3.2",
)  # fmt: skip
def _bias_before_batch_normalization(subject):
    for fact in subject.facts:
        following = _next(fact, ())
        if following is None or following.kind != "BatchNormalization":
            continue
        if getattr(fact.layer, "use_bias", False) and activation_of(fact) == "linear":
            yield (
                fact.name, fact.output[-1], f"{fact.name} has a bias that {following.name} undoes.",
                f"Use use_bias=False in {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM209", "info", "Dropout right before BatchNormalization", "model",
    "Dropout changes the variance in training and not in use, and BatchNormalization has learned the variance of "
    "training.",
    "Li, Chen, Hu, Yang: Understanding the Disharmony between Dropout and Batch Normalization (2019)",
)  # fmt: skip
def _dropout_before_batch_normalization(subject):
    for fact in subject.facts:
        following = _next(fact, ())
        dropped = fact.kind in ("Dropout", "SpatialDropout2D", "SpatialDropout1D", "AlphaDropout", "GaussianDropout")
        if dropped and following is not None and following.kind == "BatchNormalization":
            yield (
                fact.name, getattr(fact.layer, "rate", None), f"{fact.name} comes right before {following.name}.",
                f"Put {fact.name} after {following.name} and its activation.",
            )  # fmt: skip


@rule(
    "LAM210", "info", "Dropout of single numbers between convolutions", "model",
    "Neighbours in a feature map are alike, so a number that is dropped is still there in the next one: it regularizes "
    "little.",
    "Tompson, Goroshin, Jain, LeCun, Bregler: Efficient Object Localization Using Convolutional Networks (2015)",
)  # fmt: skip
def _dropout_between_convolutions(subject):
    through = (*_WINDOWS_POOLED, "Activation", "ReLU", "BatchNormalization")
    for fact in subject.facts:
        whole = getattr(fact.layer, "noise_shape", None) is None
        if fact.kind != "Dropout" or not whole or not 3 <= len(fact.input) <= 5:
            continue
        following = _next(fact, through)
        if following is not None and _is_convolution(following) and _comes_from_convolution(fact, through):
            yield (
                fact.name, fact.layer.rate, f"{fact.name} drops single numbers of a feature map {fact.input[1:]}.",
                f"Use SpatialDropout{len(fact.input) - 2}D({fact.layer.rate}), which drops whole channels.",
            )  # fmt: skip


@rule(
    "LAM211", "error", "Dropout after the output", "model",
    "Part of the answers is set to 0 in training, and the loss counts that as error.",
    "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout (2014): of hidden and input units",
)  # fmt: skip
def _dropout_after_output(subject):
    for fact in subject.facts:
        last = fact.ends and fact.depth == 0 and not fact.receivers
        if last and fact.kind == "Dropout" and fact.layer.rate and fact.sources:
            source = fact.sources[0]
            if source.kind == "Dense" and (subject.model.compiled or activation_of(source) in ("softmax", "sigmoid")):
                yield (
                    fact.name, fact.layer.rate, f"{fact.name} drops {fact.layer.rate:.0%} of the output {source.name}.",
                    f"Put {fact.name} before {source.name}.",
                )  # fmt: skip


@rule(
    "LAM212", "info", "Dropout right before the output of a regression", "compiled",
    "The output is a sum of the numbers that are dropped: its variance in training is not that of use, and quantities "
    "are predicted too noisily. Classes mind it less.",
    "Srivastava et al.: Dropout (2014); Li et al. (2019) on the shift of variance",
)  # fmt: skip
def _dropout_before_regression(subject):
    for head in subject.heads:
        source = head.fact.sources[0] if len(head.fact.sources) == 1 else None
        regression = head.activation == "linear" and head.loss_name.startswith(("mean_", "huber", "log_cosh"))
        if regression and source is not None and source.kind == "Dropout" and source.layer.rate:
            yield (
                source.name, source.layer.rate,
                f"{source.name} comes right before {head.layer}, which predicts a quantity.",
                f"Drop {source.name}, or move it one layer up.",
            )  # fmt: skip


@rule(
    "LAM213", "info", "Flatten that feeds millions of weights", "model",
    "Most of the model's weights are in one layer that learns each place of the picture anew; it is slow, large, and "
    "overfits.",
    "Lin, Chen, Yan: Network In Network (2014), 3.2, global average pooling",
)  # fmt: skip
def _flatten_feeding_millions(subject):
    for fact in subject.facts:
        following = _next(fact) if fact.kind == "Flatten" and len(fact.input) > 2 else None
        if following is None or following.kind != "Dense" or following.count < _MANY:
            continue
        spatial = math.prod(size or 1 for size in fact.input[1:-1])
        if spatial > 1 and not fact.reads:
            rank = len(fact.input) - 2
            yield (
                following.name, following.count,
                f"{fact.name} makes {fact.output[-1]} numbers of {fact.input[1:]}, and {following.name} has "
                f"{following.count:,} weights.",
                f"Use GlobalAveragePooling{rank}D() in place of {fact.name}: "
                f"{following.name} then has {(fact.input[-1] + 1) * following.output[-1]:,}.",
            )  # fmt: skip


@rule(
    "LAM214", "warning", "a feature map shrunk to nothing", "model",
    "The window lies almost wholly on padding: only the middle of the kernel ever meets data.",
    "Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (2019)",
)  # fmt: skip
def _shrunk_to_nothing(subject):
    found = [fact for fact in subject.facts if _slides_over_one_position(fact)]
    for fact in found[:1]:
        window = "x".join(map(str, fact.layer.kernel_size))
        others = f", and {len(found) - 1} layers after it too" if len(found) > 1 else ""
        yield (
            fact.name, fact.input, f"{fact.name} slides a window of {window} over a map of one position{others}.",
            f"Stop before {fact.name}: fewer strides and poolings, or larger images.",
        )  # fmt: skip


def _slides_over_one_position(fact):
    spatial, window = _spatial(fact), getattr(fact.layer, "kernel_size", None)
    slides = fact.is_a("Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2D", "SeparableConv2D")
    one = slides and "Transpose" not in fact.kind and spatial and set(spatial) == {1}
    return one and isinstance(window, tuple) and min(window) > 1


def _spatial(fact):
    first = getattr(fact.layer, "data_format", "channels_last") == "channels_first"
    return fact.input[2:] if first else fact.input[1:-1]


@rule(
    "LAM215", "warning", "a recurrent layer over one step", "model",
    "A recurrence over a sequence of length 1 remembers nothing: it is a Dense layer with gates.",
    "Keras: LSTM, inputs (batch, timesteps, features)",
)  # fmt: skip
def _one_step(subject):
    for fact in subject.facts:
        layer = fact.layer
        states = getattr(layer, "stateful", False) or getattr(layer, "return_state", False) or len(fact.inputs) > 1
        recurrent = fact.is_a("LSTM", "GRU", "SimpleRNN", "Bidirectional") and not states and len(fact.input) == 3
        if recurrent and fact.input[1] == 1:
            before = _recurrent_behind(fact)
            stacked = f"; {before.name} before it gives its last step alone" if before else ""
            fix = "Shape the data as (samples, steps, features): several steps in the middle axis."
            yield (
                fact.name, fact.input, f"{fact.name} gets {fact.input[-1]} features at one step{stacked}.",
                f"Use return_sequences=True in {before.name}, without the layer between." if before else fix,
            )  # fmt: skip


def _recurrent_behind(fact):
    """The recurrent layer whose last step was made a sequence of one."""
    shaped = fact.sources[0] if fact.sources else None
    if shaped is None or not shaped.sources or shaped.kind not in ("Reshape", "RepeatVector", "ExpandDims"):
        return None
    return shaped.sources[0] if shaped.sources[0].is_a("LSTM", "GRU", "SimpleRNN") else None


@rule(
    "LAM216", "warning", "a mask that is dropped on the way", "model",
    "The layer behind would pass over padded steps, but hears of no mask: it counts padding as data.",
    "Keras guide: Masking and padding",
)  # fmt: skip
def _mask_dropped(subject):
    for fact in subject.facts:
        if not fact.masked or fact.gives_mask or len(fact.output) < 3 or fact.inner or not _plain(fact):
            continue
        user = _user_of_mask(fact)
        if user is not None and user is not fact and fact.input[1] == fact.output[1]:
            yield (
                fact.name, fact.kind, f"A mask comes to {fact.name} and does not come out; {user.name} would use it.",
                f"Drop mask_zero=True, or put {user.name} before {fact.name}.",
            )  # fmt: skip


def _user_of_mask(fact):
    """The first layer behind that would use a mask and has none."""
    following = _next(fact, (*_THROUGH, "Activation", "ReLU", "LayerNormalization", "BatchNormalization", "Dense"))
    users = ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "GlobalAveragePooling1D", "MultiHeadAttention", "Attention")
    return following if following is not None and following.is_a(*users) and not following.masked else None


@rule(
    "LAM217", "warning", "layers that no loss reaches", "compiled",
    "No gradient comes to their weights: they stay as they were.",
    "Keras: losses of several outputs",
)  # fmt: skip
def _layers_without_loss(subject):
    if subject.own_step and not all(_plain(fact) for fact in subject.facts):
        return  # a layer of the user's own may add a loss
    lossless = [head for head in subject.heads if head.loss is None]
    if not subject.own_step or not lossless or len(lossless) == len(subject.heads):
        return
    reached, waiting = set(), [head.fact for head in subject.heads if head.loss is not None]
    while waiting:
        fact = waiting.pop()
        if fact not in reached:
            reached.add(fact)
            waiting.extend(fact.sources)
    living = {id(weight) for fact in reached for weight in getattr(fact.layer, "trainable_weights", [])}
    for head in lossless:
        fact = head.fact
        while fact.trainable_count == 0 and len(fact.sources) == 1:
            fact = fact.sources[0]
        weights = getattr(fact.layer, "trainable_weights", [])
        dead = fact not in reached and weights and not any(id(weight) in living for weight in weights)
        if dead and not getattr(fact.layer, "activity_regularizer", None):
            yield (
                fact.name, fact.trainable_count,
                f"{fact.name} leads only to the output {head.name}, which has no loss: its "
                f"{fact.trainable_count:,} weights do not move.",
                f"Give {head.name} a loss, or set trainable=False in {fact.name}.",
            )  # fmt: skip


@rule(
    "LAM218", "warning", "an input that is not used", "model",
    "What is fed there changes nothing.",
    "Keras: Model(inputs, outputs)",
)  # fmt: skip
def _inputs_not_used(subject):
    graph = getattr(subject.model, "_graph", None)
    passed_on = {id(tensor) for tensor in tree.flatten(graph.outputs)} if graph is not None else ()
    for name, tensor in zip(subject.input_names, graph.input_tensors if graph is not None else (), strict=True):
        if not subject.readers[name] and id(tensor) not in passed_on:
            yield (
                name, tensor.shape, f"No layer takes the input {name}.",
                f"Connect {name}, or leave it out of Model(inputs=...).",
            )  # fmt: skip


@rule(
    "LAM219", "warning", "a kernel that begins with equal numbers", "model",
    "Units that begin alike get alike gradients and stay alike; behind zeros and relu none comes at all.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 8.4",
)  # fmt: skip
def _constant_kernels(subject):
    for fact in subject.facts:
        layer, kernel = fact.layer, getattr(fact.layer, "kernel", None)
        name = type(getattr(layer, "kernel_initializer", None)).__name__
        if name not in _CONSTANT or not fact.is_a("Dense", "Conv1D", "Conv2D", "Conv3D", "EinsumDense"):
            continue
        hidden = _next(fact, (*_THROUGH, "Activation", "ReLU", "Flatten", *_WINDOWS_POOLED))
        feeds = hidden is not None and hidden.is_a("Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU")
        values = kernel.numpy() if kernel is not None and feeds and fact.output[-1] != 1 and layer.trainable else None
        if values is not None and values.size > 1 and values.min() == values.max():
            yield (
                fact.name, float(values.min()), f"All {values.size:,} numbers of the kernel of {fact.name} are "
                f"{values.min():g}.",
                f"Leave out kernel_initializer in {fact.name} (then it is 'glorot_uniform').",
            )  # fmt: skip


@rule(
    "LAM220", "warning", "channels first in data, channels last in the layer", "model",
    "The layer slides over colours and rows, and takes each column of the picture for a channel.",
    "Keras: image_data_format",
)  # fmt: skip
def _channels_first_by_shape(subject):
    for fact in subject.facts:
        last = getattr(fact.layer, "data_format", "") == "channels_last"
        if not last or not _is_convolution(fact) or len(fact.input) != 4 or not fact.reads:
            continue
        channels, height, width = fact.input[1:]
        if channels in (1, 3) and height == width and (height or 0) >= 8:
            yield (
                fact.name, fact.input, f"{fact.name} takes {fact.input[1:]} as (height, width, channels).",
                "Turn the images: x.transpose(0, 2, 3, 1), with "
                f"keras.Input(({height}, {width}, {channels})).",
            )  # fmt: skip


@rule(
    "LAM221", "info", "a model that has not seen data", "model",
    "Without the shapes of its inputs the rules on layers and outputs cannot look.",
    "Keras: subclassed models are built at their first call",
)  # fmt: skip
def _unseen(subject):
    if not subject.facts and subject.own_step:
        yield (
            None, None, f"{subject.model.name} has not been called yet.",
            "Call model(x[:1]) first, or give check the data: model.check(x, y).",
        )  # fmt: skip
