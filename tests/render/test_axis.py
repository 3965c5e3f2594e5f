from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from diagnose.model import MOMENTS, Moment
from diagnose.render.axis import WIDTH, Axis, axis
from diagnose.render.words import KINDS

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _at(seconds: float, kind: str = "start", what: str = "it began") -> Moment:
    return Moment(NOON + timedelta(seconds=seconds), what, "pod", kind)


def _drawn(*moments: Moment) -> Axis:
    drawn = axis(moments)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("moments", [(), (_at(0),), (_at(0), _at(0, "crash"))])
def test_there_is_no_axis_for_a_single_time(moments: tuple[Moment, ...]) -> None:
    assert axis(moments) is None


def test_each_kind_has_a_lane_in_the_order_of_a_deployment() -> None:
    moments = [_at(number, kind) for number, kind in enumerate(("", "crash", "pull", "odd", "deployment"))]
    assert [lane.name for lane in _drawn(*moments).lanes] == ["Deployment", "Image pull", "Crashes", "Other"]


def test_every_kind_has_a_name() -> None:
    assert set(KINDS) == {*MOMENTS, ""}


def test_time_runs_evenly_from_left_to_right() -> None:
    xs = [spot.x for spot in _drawn(_at(0), _at(50), _at(100)).spots]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)


def test_the_zone_of_a_time_does_not_move_it() -> None:
    later = _at(100)
    moved = Moment(later.time.astimezone(timezone(timedelta(hours=5))), later.what, later.subject, later.kind)
    assert _drawn(_at(0), moved) == _drawn(_at(0), later)


def test_moments_near_each_other_are_one_spot_that_says_how_many_and_which() -> None:
    drawn = _drawn(_at(0), *(_at(500 + n / 10, what=f"number {n}") for n in range(6)), _at(1000))
    [many] = [spot for spot in drawn.spots if spot.count > 1]
    assert many.count == 6
    assert many.told.splitlines()[0] == "2026-11-22 12:08:20 UTC  number 0"
    assert many.told.splitlines()[-1] == "and 2 more"


def test_what_went_wrong_has_a_shape_of_its_own() -> None:
    drawn = _drawn(_at(0, "crash"), _at(50, "request"), _at(100, "policy"), _at(150, "start"))
    assert sorted(spot.shape for spot in drawn.spots) == ["cross", "dot", "square", "triangle"]


def test_a_long_empty_stretch_is_left_out_and_said() -> None:
    drawn = _drawn(_at(-2 * 86_400 - 3_600, "policy"), _at(0), _at(30), _at(60, "crash"))
    assert [gap.told for gap in drawn.breaks] == ["2 d 1 h"]
    [policy] = [spot for spot in drawn.spots if spot.shape == "square"]
    [crash] = [spot for spot in drawn.spots if spot.shape == "cross"]
    assert policy.x < drawn.breaks[0].x < drawn.breaks[0].end < min(s.x for s in drawn.spots if s.shape != "square")
    assert crash.x - drawn.breaks[0].end > WIDTH / 2


def test_nothing_is_left_out_of_an_ordinary_stretch() -> None:
    assert _drawn(*(_at(60 * number) for number in range(6))).breaks == ()


@pytest.mark.parametrize("span", [0.5, 3, 40, 300, 4_000, 30_000, 200_000, 5_000_000])
def test_the_foot_has_times_that_do_not_run_into_each_other(span: float) -> None:
    drawn = _drawn(*(_at(span * number / 9) for number in range(10)))
    assert 1 <= len(drawn.ticks) <= 14
    assert drawn.ticks[0].day
    assert all(after.x - before.x > 60 for before, after in pairwise(drawn.ticks))


def test_everything_is_inside_the_picture() -> None:
    drawn = _drawn(*(_at(number**5, kind) for number, kind in enumerate([*MOMENTS, ""])))
    assert all(drawn.left <= spot.x <= drawn.right and 0 < spot.y < drawn.foot for spot in drawn.spots)
    assert all(drawn.left <= tick.x <= drawn.right for tick in drawn.ticks)
    assert all(drawn.left <= gap.x < gap.end <= drawn.right for gap in drawn.breaks)


def test_a_new_day_is_said_once() -> None:
    drawn = _drawn(*(_at(3_600 * number) for number in range(0, 25, 4)))
    days = [tick.day for tick in drawn.ticks if tick.day]
    assert days == ["2026-11-22", "2026-11-23"]
