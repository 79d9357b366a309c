"""The text format of Prometheus: what a metric is, and how it is written."""

from collections.abc import Iterator, Mapping, Sequence
from math import isinf, isnan
from typing import NamedTuple

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The type of the text."""


class Sample(NamedTuple):
    """One value of a metric, with its labels; a part of a histogram has a suffix."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


class Metric(NamedTuple):
    """A metric: its name, its help text, its values, and `gauge`, `counter` or `histogram`."""

    name: str
    help: str
    samples: Sequence[Sample]
    kind: str = "gauge"


def write_metrics(metrics: Sequence[Metric]) -> str:
    """Returns metrics as text: one sample a line, each group with its help and type."""
    return "".join(line + "\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for value, labels, suffix in metric.samples:
        pairs = ",".join(f'{name}="{_quotable(text)}"' for name, text in labels.items())
        yield f"{metric.name}{suffix}{'{' + pairs + '}' if pairs else ''} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quotable(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    """Returns a value as Prometheus writes it."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))
