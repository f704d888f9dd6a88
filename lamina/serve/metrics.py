"""Counts of requests, times and batches, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter

__all__ = ["Histogram", "Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Numbers counted by upper bounds.

    Args:
        bounds: The bounds, ascending.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds: tuple[float, ...] = bounds
        self.counts: list[int] = [0] * (len(bounds) + 1)
        self.sum: float = 0.0

    def observe(self, value: float) -> None:
        """Count a number.

        Args:
            value: The number.
        """
        self.counts[next((i for i, bound in enumerate(self.bounds) if value <= bound), -1)] += 1
        self.sum += value

    def lines(self, name: str) -> list[str]:
        """The lines of its counts.

        Args:
            name: Name of the metric.

        >>> one = Histogram((1, 2))
        >>> one.observe(2)
        >>> one.lines("x")
        ['x_bucket{le="1"} 0', 'x_bucket{le="2"} 1', 'x_bucket{le="+Inf"} 1', 'x_sum 2.0', 'x_count 1']
        """
        total, lines = 0, []
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self.sum}", f"{name}_count {total}"]


class Metrics:
    """What a server counts.

    Attributes:
        requests: Answers by route and status.
        in_flight: Requests that are not answered yet.
        seconds: Times from the head of a request to its answer.
        batches: Samples of each prediction.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.in_flight: int = 0
        self.seconds: Histogram = Histogram(SECONDS)
        self.batches: Histogram = Histogram(SIZES)

    def text(self, model: str, waiting: int) -> str:
        """All counts in the text format 0.0.4.

        Args:
            model: Name of the model.
            waiting: Samples that wait.
        """
        described = [
            ("lamina_model_info", "gauge", "The model that is served.", [f'lamina_model_info{{name="{model}"}} 1']),
            ("lamina_requests_total", "counter", "Answers by route and status.",
             [f'lamina_requests_total{{route="{route}",status="{status}"}} {count}'
              for (route, status), count in sorted(self.requests.items())]),
            ("lamina_requests_in_flight", "gauge", "Requests that are not answered yet.",
             [f"lamina_requests_in_flight {self.in_flight}"]),
            ("lamina_samples_waiting", "gauge", "Samples that wait for a prediction.",
             [f"lamina_samples_waiting {waiting}"]),
            ("lamina_request_seconds", "histogram", "Seconds from the head of a request to its answer.",
             self.seconds.lines("lamina_request_seconds")),
            ("lamina_batch_samples", "histogram", "Samples of each prediction.",
             self.batches.lines("lamina_batch_samples")),
        ]  # fmt: skip
        return "".join(
            "\n".join([f"# HELP {name} {help}", f"# TYPE {name} {kind}", *lines, ""])
            for name, kind, help, lines in described
        )
