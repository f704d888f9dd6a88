"""The workloads in PyTorch: channels first, returning logits; the loss applies the softmax or sigmoid.

`torch` is passed as an argument, so that this file does not import it. `batch_first` and `padding` are chosen to match
the arithmetic of the other libraries, except that for uneven "same" padding the windows start one element earlier here.
"""

from lamina_bench.inception_table import STAGES, STEM

__all__ = [
    "SEQUENCES", "autoencoder", "cnn_1d", "cnn_2d", "dense_32", "dense_128", "inception", "lstm", "regression",
    "resnet", "separable", "text_gru", "text_lstm", "transformer", "transposed_1d", "transposed_2d",
]  # fmt: skip

SEQUENCES = {"lstm"}  # samples stay (time, features), as LSTM with batch_first expects


def dense_32(torch, units=32):
    """A dense network, 784-units-10."""
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, units), nn.ReLU(), nn.Linear(units, 10))


def dense_128(torch):
    """A dense network, 784-128-10."""
    return dense_32(torch, 128)


def regression(torch):
    """A dense network for regression, 9-64-64-1."""
    nn = torch.nn
    return nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


def cnn_1d(torch):
    """1D convolutions. A Dense layer over channels is a convolution of width 1 if channels come first."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv1d(1, 128, 5, stride=2, padding=2), nn.Conv1d(128, 256, 1), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(256, 128, 3, padding=1), nn.Conv1d(128, 64, 1), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Flatten(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 2)),
    )


def lstm(torch):
    """The last output of an LSTM with 64 units."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = _one_bias(nn.LSTM(12, 64, batch_first=True))
            self.head = nn.Linear(64, 9)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    return Net()


def _one_bias(recurrent):
    """Keep one of the two biases of a PyTorch LSTM at zero, since the other libraries have only one."""
    for name, parameter in recurrent.named_parameters():
        if name.startswith("bias_hh"):
            parameter.data.zero_()
            parameter.requires_grad_(False)
    return recurrent


def cnn_2d(torch):
    """Two 2D convolutions on images of digits."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1600, 10)),
    )


def inception(torch):
    """A new head on a frozen InceptionV3, which runs without gradients and in inference mode."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = inception_base(torch).requires_grad_(False)
            self.head = nn.Sequential(
                nn.Flatten(), nn.Linear(3 * 3 * 2048, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 1)
            )

        def train(self, mode=True):
            super().train(mode)
            self.base.eval()
            return self

        def forward(self, x):
            with torch.no_grad():
                x = self.base(x)
            return self.head(x)

    return Net()


def inception_base(torch):
    """InceptionV3 without its head, built from the table. The scale of batch normalization stays one."""
    nn = torch.nn

    def layer(what, channels):
        if what == "max":
            return nn.MaxPool2d(3, 2), channels
        if what == "average":
            return nn.AvgPool2d(3, 1, 1, count_include_pad=False), channels
        if isinstance(what, tuple) and isinstance(what[0], tuple):
            return Branches([[branch] for branch in what], channels), sum(branch[0] for branch in what)
        filters, height, width, stride, padding = what
        around = (height // 2, width // 2) if padding == "same" else 0
        convolution = nn.Conv2d(channels, filters, (height, width), stride, around, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU(inplace=True)), filters

    def sequence(whats, channels):
        layers = []
        for what in whats:
            made, channels = layer(what, channels)
            layers.append(made)
        return nn.Sequential(*layers), channels

    class Branches(nn.Module):
        def __init__(self, branches, channels):
            super().__init__()
            made = [sequence(branch, channels) for branch in branches]
            self.branches = nn.ModuleList(branch for branch, _ in made)
            self.channels = sum(count for _, count in made)

        def forward(self, x):
            return torch.cat([branch(x) for branch in self.branches], 1)

    stem, channels = sequence(STEM, 3)
    stages = []
    for stage in STAGES:
        stages.append(Branches(stage, channels))
        channels = stages[-1].channels
    return nn.Sequential(stem, *stages)


def _text(torch, recurrent):
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(5000, 32)
            self.recurrent = recurrent
            self.head = nn.Linear(64, 1)

        def forward(self, x):
            last = self.recurrent(self.embedding(x))[1]
            state = last[0] if isinstance(last, tuple) else last
            return self.head(torch.cat([state[0], state[1]], 1))

    return Net()


def text_gru(torch):
    """A bidirectional GRU on texts, from whose two directions the last states are used."""
    return _text(torch, torch.nn.GRU(32, 32, batch_first=True, bidirectional=True))


def text_lstm(torch):
    """A bidirectional LSTM on texts, from whose two directions the last states are used."""
    return _text(torch, _one_bias(torch.nn.LSTM(32, 32, batch_first=True, bidirectional=True)))


def resnet(torch):
    """A stem, a residual block, and a residual block that halves the image size."""
    nn = torch.nn

    def normalized(channels, filters, size=3, stride=1):
        convolution = nn.Conv2d(channels, filters, size, stride, size // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01))

    class Block(nn.Module):
        def __init__(self, channels, filters, stride=1):
            super().__init__()
            self.shortcut = nn.Identity() if stride == 1 else normalized(channels, filters, 1, stride)
            self.first = normalized(channels, filters, stride=stride)
            self.second = normalized(filters, filters)

        def forward(self, x):
            return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))

    stem = normalized(3, 32), nn.ReLU()
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
    return nn.Sequential(*stem, Block(32, 32), Block(32, 64, 2), *head)


def transformer(torch):
    """An encoder block with one product for queries, keys and values, and PyTorch's attention."""
    nn, functional = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(5000, 64)
            self.project, self.out = nn.Linear(64, 3 * 64), nn.Linear(64, 64)
            self.feed = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.Dropout(0.1))
            self.norm_1, self.norm_2 = nn.LayerNorm(64, eps=1e-6), nn.LayerNorm(64, eps=1e-6)
            self.dropout, self.head = nn.Dropout(0.1), nn.Linear(64, 2)

        def forward(self, x):
            x = self.embedding(x)
            heads = self.project(x).view(*x.shape[:2], 3, 4, 16).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
            attended = self.out(attended.transpose(1, 2).flatten(2))
            x = self.norm_1(x + self.dropout(attended))
            return self.head(self.norm_2(x + self.feed(x)).mean(1))

    return Net()


def separable(torch):
    """A depthwise convolution followed by a pointwise convolution."""
    nn = torch.nn

    def convolution(channels, filters):
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        return depthwise, nn.Conv2d(channels, filters, 1), nn.ReLU()

    return nn.Sequential(
        *(*convolution(3, 32), *convolution(32, 64), nn.MaxPool2d(2), *convolution(64, 128)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)),
    )


def autoencoder(torch):
    """Downsample images to 7x7 and upsample them again."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.ConvTranspose2d(32, 32, 3, 2, 1, output_padding=1), nn.ReLU()),
        *(nn.ConvTranspose2d(32, 32, 3, 2, 1, output_padding=1), nn.ReLU()),
        nn.Conv2d(32, 1, 3, padding=1),
    )


def transposed_1d(torch):
    """Downsample a series to a quarter of its length and upsample it again."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv1d(1, 32, 7, 2, 3), nn.ReLU(), nn.Conv1d(32, 16, 7, 2, 3), nn.ReLU()),
        *(nn.ConvTranspose1d(16, 16, 7, 2, 3, output_padding=1), nn.ReLU()),
        *(nn.ConvTranspose1d(16, 32, 7, 2, 3, output_padding=1), nn.ReLU()),
        nn.ConvTranspose1d(32, 1, 7, 1, 3),
    )


def transposed_2d(torch):
    """Generate an image from 64 numbers with transposed convolutions."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Linear(64, 7 * 7 * 64), nn.ReLU(), nn.Unflatten(1, (64, 7, 7))),
        *(nn.ConvTranspose2d(64, 64, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU()),
        nn.Conv2d(32, 1, 5, padding=2),
    )
