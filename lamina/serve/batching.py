"""Batcher: requests that arrive together are computed in one prediction."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from lamina.serve.errors import Refused
from lamina.serve.metrics import Metrics
from lamina.serve.served import ServedModel

__all__ = ["Batcher"]


class _Request:
    """Arrays that wait for their outputs."""

    def __init__(self, arrays, future):
        self.arrays, self.future, self.came = arrays, future, time.monotonic()
        self.size = len(next(iter(arrays.values())))
        self.key = tuple((array.shape[1:], array.dtype) for array in arrays.values())


class Batcher:
    """Computes requests in one thread: those of the same shapes together, as many as are waiting.

    A batch is padded to a power of two with copies of its last sample, so that few programs are compiled.

    Args:
        served: Model.
        max_batch: Most samples of one prediction.
        max_wait: Seconds that a request may wait for others while nothing is computed.
        max_waiting: Most samples that wait; more are refused.
        metrics: Where batches are counted.
    """

    def __init__(
        self, served: ServedModel, max_batch: int, max_wait: float, max_waiting: int, metrics: Metrics
    ) -> None:
        self.served: ServedModel = served
        self._max_batch = max_batch if served.batches else 1
        self._max_wait, self._max_waiting, self._metrics = max_wait, max_waiting, metrics
        self._waiting: deque[_Request] = deque()
        self._arrived, self._thread = asyncio.Event(), ThreadPoolExecutor(1, "lamina-serve")
        self._task: asyncio.Task[None] | None = None
        self.ready: bool = False

    async def start(self) -> None:
        """Compile the programs for all sizes of a batch, then take requests."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._warm_up)
        self._task, self.ready = asyncio.create_task(self._work()), True

    async def stop(self) -> None:
        """Compute what is waiting, then end."""
        self.ready = False
        while self._waiting:
            await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown()

    @property
    def waiting(self) -> int:
        """The number of samples that wait."""
        return sum(request.size for request in self._waiting)

    async def predict(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs for the samples of one request.

        Args:
            arrays: What `ServedModel.check` returned.

        Raises:
            Refused: Too many samples are waiting.
        """
        request = _Request(arrays, asyncio.get_running_loop().create_future())
        if self._waiting and self.waiting + request.size > self._max_waiting:
            raise Refused(
                503, f"{self.waiting} samples are waiting; at most {self._max_waiting} may.", "Try again later."
            )
        self._waiting.append(request)
        self._arrived.set()
        return await request.future

    async def _work(self):
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            until = self._waiting[0].came + self._max_wait if self._waiting else 0.0
            while self.waiting < self._max_batch and (rest := until - time.monotonic()) > 0:
                self._arrived.clear()
                try:
                    await asyncio.wait_for(self._arrived.wait(), rest)
                except TimeoutError:
                    break
            batch = self._take()
            if batch:
                await loop.run_in_executor(self._thread, self._compute, batch)
                for request in batch:
                    if not request.future.done():
                        failed = isinstance(request.result, Exception)
                        (request.future.set_exception if failed else request.future.set_result)(request.result)
            if not self._waiting:
                self._arrived.clear()

    def _take(self):
        """The first request that somebody waits for, and those of its shapes that fit beside it."""
        batch, others, size = [], deque(), 0
        while self._waiting:
            request = self._waiting.popleft()
            if request.future.done():  # its client has gone, or its time is over
                continue
            if not batch or (request.key == batch[0].key and size + request.size <= self._max_batch):
                batch.append(request)
                size += request.size
            else:
                others.append(request)
        self._waiting = others
        return batch

    def _compute(self, batch):
        """Give each request its result, which is an exception where it has none."""
        try:
            sizes = [request.size for request in batch]
            names = batch[0].arrays
            joined = {name: np.concatenate([request.arrays[name] for request in batch]) for name in names}
            results = self._predict(joined, sum(sizes))
            self._metrics.batches.observe(sum(sizes))
            ends = np.cumsum(sizes)
            for request, start, end in zip(batch, ends - sizes, ends, strict=True):
                request.result = {name: array[start:end] for name, array in results.items()}
        except Exception as error:
            for request in batch:
                request.result = error
                if len(batch) > 1:  # one of them may be at fault
                    self._compute([request])

    def _predict(self, arrays, size):
        if not self.served.batches:
            return self.served.predict(arrays)
        parts = []
        for start in range(0, size, self._max_batch):
            part = {name: array[start : start + self._max_batch] for name, array in arrays.items()}
            count = min(self._max_batch, size - start)
            padded = min(1 << (count - 1).bit_length(), self._max_batch)
            part = {name: array[[*range(count), *[-1] * (padded - count)]] for name, array in part.items()}
            parts.append({name: array[:count] for name, array in self.served.predict(part).items()})
        return parts[0] if len(parts) == 1 else {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}

    def _warm_up(self):
        size = 1
        while (sample := self.served.sample(size)) is not None:
            results: Any = self.served.predict(sample)
            if size > 1 and any(array.shape[:1] != (size,) for array in results.values()):
                self.served.batches, self._max_batch = False, 1  # an output is of the batch, not of its samples
            if size >= self._max_batch:
                break
            size = min(2 * size, self._max_batch)
