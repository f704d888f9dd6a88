"""A hand-written training loop in PyTorch."""

import importlib

import numpy as np

from lamina_bench import torch_models

__all__ = ["Subject"]


class Subject:
    """One workload, trained with PyTorch on the CPU with PyTorch's default number of threads."""

    def __init__(self, module, workload):
        self.torch, self.workload = importlib.import_module(module), workload

    def build(self):
        """Build the model, with Keras's initialization of weights, and its optimizer."""
        torch = self.torch
        self.model = getattr(torch_models, self.workload.name)(torch)
        for parameter in self.model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.xavier_uniform_(parameter)
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=1e-3, eps=1e-7, fused=True)

    def parameters(self):
        """The number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.model.parameters() if parameter.requires_grad)

    def load(self, x, y):
        """Convert the data to tensors, channels first."""
        targets = self.torch.from_numpy(self._channels_first(y))
        return self.samples(x), targets.long() if self.workload.target == "classes" else targets

    def samples(self, x):
        """Samples for `predict`: a tensor, channels first."""
        return self.torch.from_numpy(self._channels_first(x))

    def _channels_first(self, array):
        if array.ndim < 3 or self.workload.name in torch_models.SEQUENCES:
            return array
        return np.ascontiguousarray(np.moveaxis(array, -1, 1))

    def train(self, data, epochs=1):
        """Train and return the loss of the last batch."""
        torch, (x, y), batch = self.torch, data, self.workload.batch
        self.model.train()
        loss = float("nan")
        for _ in range(epochs):
            order = torch.randperm(len(x))
            for start in range(0, len(x), batch):
                chosen = order[start : start + batch]
                self.optimizer.zero_grad(set_to_none=True)
                loss = self._loss(self.model(x[chosen]), y[chosen])
                loss.backward()
                self.optimizer.step()
        return float(loss)

    def _loss(self, outputs, targets):
        functional = self.torch.nn.functional
        if self.workload.target == "classes":
            return functional.cross_entropy(outputs, targets)
        if self.workload.target == "numbers":
            return functional.mse_loss(outputs, targets)
        return functional.binary_cross_entropy_with_logits(outputs, targets)

    def predict(self, x):
        """The predictions as a NumPy array."""
        self.model.eval()
        with self.torch.inference_mode():
            batches = [self._finished(self.model(part)) for part in x.split(self.workload.batch)]
            return self.torch.cat(batches).numpy()

    def _finished(self, outputs):
        if self.workload.target == "classes":
            return self.torch.softmax(outputs, -1)
        return outputs if self.workload.target == "numbers" else self.torch.sigmoid(outputs)
