"""Pictures of the budget stage: what fits on the organisers' machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audio_encoder_checker.render.html.svg import Figure, Plot, Scale, linear, logarithmic

if TYPE_CHECKING:
    from collections.abc import Sequence

GIB = 2**30


class Gauge:
    """How much of something is used, as a range, against its limit.

    Args:
        name: of what is used.
        low, high: from and to, in the limit's unit.
        limit: what there is.
        unit: of all three.
        verdict: in words; empty where exceeding the limit is no error.
    """

    def __init__(self, name: str, low: float, high: float, limit: float, unit: str, verdict: str) -> None:
        self.name, self.verdict = name, verdict
        self.text = f"{_short(low)} to {_short(high)} of {_short(limit)} {unit}"
        if unit == "hours" and high < 1:
            self.text = f"{low * 60:.0f} to {high * 60:.0f} minutes of {_short(limit)} hours"
        whole = max(high, limit) * 1.02
        self.low, self.width, self.limit = (
            round(100 * share / whole, 2) for share in (low, max(high - low, whole / 200), limit)
        )
        over = "bad" if verdict and low > limit else "open"
        self.style = "good" if high <= limit else over


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def gauges(data: dict[str, Any]) -> list[Gauge]:
    """GPU memory, RAM, time and disk, as far as they are known."""
    budget, timings = data["budget"], data["timings"]["budget"]
    if not budget:
        return []
    gpu, ram, encoding = budget["gpu"], budget["ram"], budget["encoding"]
    found = []
    if gpu["lower_bytes"] is not None:
        ends = (gpu["lower_bytes"] / GIB, gpu["upper_bytes"] / GIB, gpu["limit_bytes"] / GIB)
        found.append(Gauge("GPU memory", *ends, "GiB", gpu["verdict"]))
    if ram and timings:
        ends = (timings["ram_lower_bytes"] / GIB, timings["ram_upper_bytes"] / GIB, ram["limit_bytes"] / GIB)
        found.append(Gauge("RAM", *ends, "GiB", ram["verdict"]))
    if encoding and timings:
        low, high = timings["encode_hours_total"]
        found.append(Gauge("time to encode all tasks", low, high, encoding["session_hours"], "hours", ""))
        low, high = (size / 1e9 for size in encoding["disk_bytes"])
        found.append(Gauge("disk for all embeddings", low, high, encoding["disk_limit_bytes"] / 1e9, "GB", ""))
    return found


def budget_figures(data: dict[str, Any]) -> list[Figure]:
    """The pictures there are numbers for."""
    if not data["budget"]:
        return []
    gpu = data["budget"]["gpu"]
    alone = sorted((one for one in gpu["curve"] if one["batch"] == 1), key=lambda one: one["seconds"])
    batches = sorted((one for one in gpu["curve"] if one["seconds"] == 10), key=lambda one: one["batch"])
    made = (
        _memory(gpu, [(one["seconds"], one) for one in alone], "GPU memory of one clip", "seconds of audio"),
        _memory(gpu, [(one["batch"], one) for one in batches], "GPU memory of clips of 10 s", "clips in the batch"),
        _card_time(alone, gpu["card"]),
        _timeline(gpu),
    )
    return [one for one in made if one]


def _memory(gpu: dict[str, Any], points: list[tuple[float, dict[str, Any]]], title: str, x_name: str) -> Figure | None:
    """From and to, with the card's memory as the line that must not be crossed."""
    if len(points) < 2:
        return None
    limit = gpu["limit_bytes"] / GIB
    lower = [(x, max(one["lower_bytes"] / GIB, 1e-3)) for x, one in points]
    upper = [(x, max(one["upper_bytes"] / GIB, 1e-3)) for x, one in points]
    y = logarithmic([value for _, value in lower + upper] + [limit])
    plot = Plot(logarithmic([x for x, _ in points], [x for x, _ in points]), y, x_name, "GiB")
    plot.area(lower, upper, "s1")
    plot.line(upper, "s1")
    plot.line(lower, "s1")
    for x, one in points:
        fits = one["verdict"]
        plot.dot((x, one["upper_bytes"] / GIB), "good" if fits == "fits" else "bad", f"{x:g}: {_range(one)}, {fits}")
    plot.limit(limit, f"{gpu['card']}: {limit:.1f} GiB")
    over = [x for x, one in points if one["lower_bytes"] > gpu["limit_bytes"]]
    most = max(x for x, _ in points)
    says = (
        f"Beyond the card from {min(over):g} {x_name} on."
        if over
        else f"Within the card up to {most:g} {x_name}, the most tried."
    )
    rows = [(f"{x:g}", _range(one), one["verdict"]) for x, one in points]
    how = "measured" if gpu["measured"] else gpu["basis"]
    return Figure(f"{title} ({how})", says, plot.picture(title), (x_name, "GiB", "verdict"), rows)


def _range(one: dict[str, Any]) -> str:
    return f"{one['lower_bytes'] / GIB:.2f} to {one['upper_bytes'] / GIB:.2f}"


def _card_time(points: list[dict[str, Any]], card: str) -> Figure | None:
    """Seconds that the card needs, over the length of one clip, with the line of real time."""
    known = [(one["seconds"], one["card_s"]) for one in points if one["card_s"] > 0]
    if len(known) < 2:
        return None
    lengths = [seconds for seconds, _ in known]
    y = logarithmic([took for _, took in known] + [lengths[0]])
    plot = Plot(logarithmic(lengths, lengths), y, "seconds of audio", f"seconds on a {card}")
    plot.line(known, "s2")
    for seconds, took in known:
        plot.dot((seconds, took), "s2", f"{seconds:g} s: {took:.3g} s")
    longest, took = known[-1]
    says = f"A clip of {longest:g} s takes about {took:.3g} s of the card, by the roofline of its operations."
    rows = [(f"{seconds:g}", f"{took:.4g}", f"{seconds / took:,.0f}") for seconds, took in known]
    title = "Forecast of the card's time"
    return Figure(title, says, plot.picture(title), ("seconds of audio", "seconds", "times real time"), rows)


def _timeline(gpu: dict[str, Any]) -> Figure | None:
    """What lies on the card while one call goes on, layer upon layer."""
    moments = gpu["timeline"]
    if len(moments) < 2:
        return None
    x = [share * 100 for share, *_ in moments]
    layers = [[size / GIB for size in sizes] for sizes in zip(*(sizes for _, *sizes in moments), strict=True)]
    tops: list[list[float]] = [[0.0] * len(x)]
    for layer in layers:
        tops.append([below + size for below, size in zip(tops[-1], layer, strict=True)])
    plot = Plot(Scale(0, 100, (0, 25, 50, 75, 100)), linear(tops[-1]), "% of the call's allocations", "GiB", height=220)
    names = ("weights", "activations", "temporary buffers")
    for style, below, above in zip(("s3", "s1", "s4"), tops, tops[1:], strict=False):
        plot.area(list(zip(x, below, strict=True)), list(zip(x, above, strict=True)), style)
    peak = max(range(len(x)), key=lambda n: tops[-1][n])
    parts = ", ".join(f"{name} {layer[peak]:.3f}" for name, layer in zip(names, layers, strict=True))
    title = "GPU memory while one call goes on"
    says = f"The peak of {tops[-1][peak]:.3f} GiB is at {x[peak]:.0f} %: {parts} GiB."
    rows = _sampled(x, layers)
    legend = list(zip(("s3", "s1", "s4"), names, strict=True))
    return Figure(title, says, plot.picture(title), ("%", *(f"{name}, GiB" for name in names)), rows, legend)


def _sampled(x: list[float], layers: list[list[float]]) -> list[Sequence[str]]:
    """About a dozen of the moments, for the table."""
    step = max(len(x) // 12, 1)
    return [(f"{x[n]:.0f}", *(f"{layer[n]:.3f}" for layer in layers)) for n in range(0, len(x), step)]
