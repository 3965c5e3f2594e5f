"""The moments of a report on one axis of time: where each is drawn, in the units of the picture.

Long stretches in which nothing happened are left out of the axis and said, so that a policy written two days ago does
not press the last minutes into one point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from diagnose.model import MOMENTS, Moment
from diagnose.render.plain import plain_line
from diagnose.render.words import KINDS, clock, duration, in_order, more, utc

WIDTH = 1000
_LEFT, _RIGHT, _TOP = 128.0, 40.0, 12.0
_LANE = 30.0
_FOOT = 46.0
_BREAK = 60.0
"""Width of a stretch that is left out."""
_EDGE = 10.0
"""Kept free on both sides of it."""
_NARROWEST = 56.0
"""Width of a stretch in which all happened at once."""
_EMPTY = 4.0
"""A stretch is left out when it is so many times longer than all the others together."""
_BREAKS = 3
_BESIDE = 20.0
"""Moments nearer than this are drawn as one."""
_TICK = 84.0
"""Least distance between the times at the foot."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY = 86_400
_NAMED = 4
"""Moments named of those drawn as one."""
_SHORT = 110


@dataclass(frozen=True, slots=True)
class Spot:
    """One moment, or several near each other."""

    x: float
    y: float
    shape: str
    """``dot``, ``cross``, ``square`` or ``triangle``."""
    count: int
    told: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time at the foot of the picture."""

    x: float
    time: str
    day: str
    """Empty where it is that of the tick before."""


@dataclass(frozen=True, slots=True)
class Break:
    """A stretch that is left out: from ``x`` to ``end``."""

    x: float
    end: float
    told: str


@dataclass(frozen=True, slots=True)
class Lane:
    """What happened of one kind."""

    y: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The whole picture."""

    width: int
    height: float
    left: float
    right: float
    foot: float
    lanes: tuple[Lane, ...]
    spots: tuple[Spot, ...]
    ticks: tuple[Tick, ...]
    breaks: tuple[Break, ...]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of the axis on which time runs evenly."""

    begin: float
    end: float
    x: float
    width: float

    def place(self, second: float) -> float:
        """Where a moment within it is drawn."""
        span = self.end - self.begin
        return self.x + (self.width * (second - self.begin) / span if span else self.width / 2)


def axis(timeline: Sequence[Moment]) -> Axis | None:
    """None when there are fewer than two moments: then there is no axis to draw."""
    moments = in_order(timeline)
    if len({moment.time for moment in moments}) < 2:
        return None
    kinds = [kind for kind in (*MOMENTS, "") if any(_kind(moment) == kind for moment in moments)]
    heights = {kind: _TOP + _LANE * (place + 0.5) for place, kind in enumerate(kinds)}
    stretches = _stretches(sorted({_second(moment) for moment in moments}))
    foot = _TOP + _LANE * len(kinds)
    return Axis(
        width=WIDTH,
        height=foot + _FOOT,
        left=_LEFT,
        right=WIDTH - _RIGHT + 16,
        foot=foot,
        lanes=tuple(Lane(y, KINDS[kind]) for kind, y in heights.items()),
        spots=tuple(spot for kind, y in heights.items() for spot in _spots(moments, kind, y, stretches)),
        ticks=tuple(_ticks(stretches)),
        breaks=tuple(
            Break(round(one.x + one.width + _EDGE, 1), round(other.x - _EDGE, 1), _long(other.begin - one.end))
            for one, other in pairwise(stretches)
        ),
    )


def _kind(moment: Moment) -> str:
    return moment.kind if moment.kind in MOMENTS else ""


def _second(moment: Moment) -> float:
    return utc(moment.time).timestamp()


def _stretches(seconds: Sequence[float]) -> list[_Stretch]:
    """The axis without its long empty parts; ``seconds`` ascending."""
    parts = _parts(seconds)
    room = WIDTH - _LEFT - _RIGHT - _BREAK * (len(parts) - 1) - _NARROWEST * len(parts)
    whole = sum(part[-1] - part[0] for part in parts)
    stretches, x = list[_Stretch](), _LEFT
    for part in parts:
        share = (part[-1] - part[0]) / whole if whole else 1 / len(parts)
        width = _NARROWEST + room * share
        stretches.append(_Stretch(part[0], part[-1], x + 12, width - 12))
        x += width + _BREAK
    return stretches


def _parts(seconds: Sequence[float]) -> list[Sequence[float]]:
    """``seconds`` split where the longest gap dwarfs all the rest, a few times at most."""
    parts: list[Sequence[float]] = [seconds]
    for _ in range(_BREAKS):
        rest = sum(part[-1] - part[0] for part in parts)
        gap, number, cut = max(
            (part[at] - part[at - 1], number, at) for number, part in enumerate(parts) for at in range(1, len(part))
        )
        if len(seconds) < 3 or gap < 60 or gap < _EMPTY * (rest - gap):
            break
        parts[number : number + 1] = [parts[number][:cut], parts[number][cut:]]
        if all(len(part) == 1 for part in parts):
            break
    return parts


def _spots(moments: Iterable[Moment], kind: str, y: float, stretches: Sequence[_Stretch]) -> Iterator[Spot]:
    near: list[Moment] = []
    places: list[float] = []
    for moment in moments:
        if _kind(moment) != kind:
            continue
        x = _place(moment, stretches)
        if places and x - places[0] >= _BESIDE:
            yield _spot(near, places, kind, y)
            near, places = [], []
        near.append(moment)
        places.append(x)
    if near:
        yield _spot(near, places, kind, y)


def _spot(moments: Sequence[Moment], places: Sequence[float], kind: str, y: float) -> Spot:
    shape = {"crash": "cross", "request": "triangle", "policy": "square"}.get(kind, "dot")
    told = [f"{clock(moment.time)}  {plain_line(moment.what)[:_SHORT]}" for moment in moments[:_NAMED]]
    rest = more(len(moments) - len(told))
    x = round((places[0] + places[-1]) / 2, 1)
    return Spot(x, round(y, 1), shape, len(moments), "\n".join([*told, *([rest] if rest else [])]))


def _place(moment: Moment, stretches: Sequence[_Stretch]) -> float:
    second = _second(moment)
    return next(one.place(second) for one in stretches if second <= one.end)


def _long(seconds: float) -> str:
    """``2 min 5 s``, ``3 h 10 min``, ``2 d 4 h``."""
    if round(seconds) < 3600:
        return duration(seconds)
    hours, minutes = divmod(round(seconds) // 60, 60)
    days, rest = divmod(hours, 24)
    return f"{days} d {rest} h" if days else f"{hours} h {minutes} min"


def _ticks(stretches: Sequence[_Stretch]) -> Iterator[Tick]:
    day, last = "", -_TICK
    for stretch in stretches:
        for second, exact in _times(stretch):
            x = stretch.place(second)
            if x - last < _TICK * 0.8:
                continue
            time = datetime.fromtimestamp(second, UTC)
            here = f"{time:%Y-%m-%d}"
            yield Tick(round(x, 1), f"{time:%H:%M:%S}" if exact else f"{time:%H:%M}", "" if here == day else here)
            day, last = here, x


def _times(stretch: _Stretch) -> list[tuple[float, bool]]:
    """Round times within the stretch, or where it begins; and whether their seconds matter."""
    span = stretch.end - stretch.begin
    step = next((step for step in _STEPS if span and stretch.width * step / span >= _TICK), None)
    if step is None and span:
        step = _DAY * max(1, round(span * _TICK / stretch.width / _DAY))
    if step is None:
        return [(stretch.begin, True)]
    first = -(-stretch.begin // step) * step
    count = int((stretch.end - first) // step) + 1 if first <= stretch.end else 0
    return [(first + step * number, step < 60) for number in range(count)] or [(stretch.begin, True)]
