"""A comparison on a screen and in a comment: the same facts, in order, with what is left out said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sides import collected, gap, side, told

from diagnose.compare import compare
from diagnose.compare.model import Change, Comparison, NotCompared, Side
from diagnose.model import Citation, Moment, Role, Verdict
from diagnose.render import Options
from diagnose.render.comparison import FORMATS, markdown, terminal
from diagnose.render.markdown import LIMIT

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHA = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)
POLICY = "access policy of 1111 (identity of workspace ws) in vault kv"


def before() -> Side:
    return side(
        told("probe.slow"),
        told("pull.gone", severity="critical", explains=("pull.back-off",)),
        told("pull.back-off", role=Role.SYMPTOM),
        told("pull.hint", role=Role.ADVICE),
        told("serve.hidden", severity="warning"),
        verdict=Verdict.DEGRADED,
        failed="pull",
        name="before.tar.gz",
        where="context lab, namespace ns",
        time=NOON,
        evidence=collected(),
    )


def after() -> Side:
    cited = Citation("kubectl logs churn-a", "ImportError: no module named numpy", 58)
    return side(
        told("probe.slow"),
        told("init.import", severity="critical", citation=cited, explains=("start.loop",)),
        told("start.loop", role=Role.SYMPTOM),
        failed="init",
        name="after.tar.gz",
        where="context lab, namespace ns",
        time=NOON.replace(hour=14),
        not_checked=(gap("events of churn", "serve.hidden"),),
        evidence=collected(),
    )


def comparison(*changes: Change) -> Comparison:
    """One with something in every part."""
    some = (
        Change(area="image", subject="container server", what="image digest", before=SHA[0], after=SHA[1], sources=("a", "b")),
        Change(area="environment", subject="container server", what="environment variables", removed=("A",), added=("B", "C")),
        Change(area="access", subject=POLICY, what="is gone", removed=("secrets: get list",)),
        Change(area="state", subject="container server", what="restarts", before="0", after="5"),
    )  # fmt: skip
    return replace(
        compare(before(), after()),
        changes=changes or some,
        between=(Moment(NOON.replace(hour=13), "vaults/write of kv by a@b.c: Succeeded", "azure"),),
        not_compared=(NotCompared("packages in the image", "AFTER: has no build log"),),
    )


SCREEN = """\
churn  DEGRADED → FAILING
Before serves in part, fails at pull; collected 2026-11-22 12:00:00 UTC;
       context lab, namespace ns (evidence before.tar.gz)
After  stopped at init; collected 2026-11-22 14:00:00 UTC; context lab,
       namespace ns (evidence after.tar.gz)
Findings: 1 new, 1 still there, 1 not known, 1 fixed. Settings changed: 3.

New: 1 finding
  Title of init.import
    Rule: init.import, critical, stage init
    Where: ns/churn
    With it: Title of start.loop (start.loop)
    Evidence: kubectl logs churn-a, line 58
    > ImportError: no module named numpy

Still there: 1 finding
  Title of probe.slow
    Rule: probe.slow, error, stage init
    Where: ns/churn

Not known any more: 1 finding
  Title of serve.hidden
    Rule: serve.hidden, warning, stage init
    Where: ns/churn
    Note: AFTER lacks events of churn (denied; it needs more rights)

Fixed: 1 finding
  Title of pull.gone
    Rule: pull.gone, critical, stage init
    Where: ns/churn
    With it: Title of pull.back-off (pull.back-off)
  Advice, and what has no effect at present: Title of pull.hint (pull.hint)

What was changed in between
  Image and model
    container server, image digest: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb
  Environment variables
    container server, environment variables: removed A; added B, C
  Access
    access policy of 1111 (identity of workspace ws) in vault kv is gone:
      secrets: get list
  State, which may be what came of it
    container server, restarts: 0 → 5

What happened in between
  2026-11-22 13:00:00 UTC  vaults/write of kv by a@b.c: Succeeded

What could not be compared
  packages in the image: AFTER: has no build log
"""


def test_the_screen_tells_what_came_first() -> None:
    assert terminal(comparison(), Options(width=80)) == SCREEN


COMMENT = """\
## churn: DEGRADED → FAILING

**Before:** serves in part, fails at pull; collected 2026-11-22 `12:00:00` UTC; context lab, namespace ns (evidence `before.tar.gz`)

**After:** stopped at init; collected 2026-11-22 `14:00:00` UTC; context lab, namespace ns (evidence `after.tar.gz`)

Findings: 1 new, 1 still there, 1 not known, 1 fixed. Settings changed: 3.

### New: 1 finding

**Title of `init.import`**

- Rule: `init.import`, critical, stage init
- Where: ns/churn
- With it: Title of `start.loop` (`start.loop`)
- Evidence: kubectl logs churn-a, line 58

```text
> ImportError: no module named numpy
```
"""


def test_the_comment_tells_the_same() -> None:
    told = markdown(comparison(), Options())
    assert told.startswith(COMMENT)
    assert "- container server, restarts: 0 → 5" in told
    assert "### What could not be compared" in told


def test_every_word_of_the_screen_is_in_the_comment() -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[\w.@→-]+", text.replace("`", ""))

    comment = set(words(markdown(comparison(), Options())))
    assert [word for word in words(terminal(comparison(), Options(width=200))) if word not in comment] == []


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    long = Change(area="image", subject="container " + "server " * 30, what="image", before="r/" + "a" * 300, after="b")
    assert max(map(len, terminal(comparison(long), Options(width=width)).splitlines())) <= width


def test_verbose_tells_where_to_look_and_leaves_nothing_out() -> None:
    told = terminal(comparison(), Options(width=200, verbose=True))
    assert SHA[0] in told
    assert "See: a; b" in told


def test_quiet_tells_the_verdicts_and_how_much() -> None:
    told = terminal(comparison(), Options(quiet=True))
    assert told.splitlines()[0] == "churn  DEGRADED → FAILING"
    assert told.splitlines()[-1].startswith("Findings: ")


def test_of_many_changes_the_first_are_shown_and_the_others_counted() -> None:
    many = [Change(area="packages", subject="build", what=f"p{n}", before="1", after="2") for n in range(40)]
    told = terminal(comparison(*many), Options())
    assert ("p14: 1 → 2" in told, "p15: 1 → 2" in told, "and 25 more (--verbose shows all)" in told) == (
        True,
        False,
        True,
    )
    assert "p39: 1 → 2" in terminal(comparison(*many), Options(verbose=True))


def test_a_comment_fits_into_a_comment() -> None:
    many = [
        Change(area=area, subject="x" * 150, what=f"p{n}", before="1" * 150, after="2" * 150)
        for area in ("image", "packages", "vault", "access", "state")
        for n in range(300)
    ]
    for options in (Options(), Options(verbose=True)):
        assert len(markdown(comparison(*many), options)) <= LIMIT


def test_colour_only_where_it_is_wanted() -> None:
    assert "\x1b[" in terminal(comparison(), Options(colour=True))
    assert "\x1b[" not in terminal(comparison(), Options())


def test_a_side_that_has_no_cause_says_how_it_is() -> None:
    stops = {
        verdict: terminal(compare(side(verdict=verdict), side(verdict=verdict)), Options(width=200)).splitlines()[1]
        for verdict in Verdict
    }
    assert {verdict: stop.removeprefix("Before ") for verdict, stop in stops.items()} == {
        Verdict.FAILING: "does not work (report file.json)",
        Verdict.DEGRADED: "serves in part (report file.json)",
        Verdict.HEALTHY: "no failure found (report file.json)",
        Verdict.UNKNOWN: "could not be judged (report file.json)",
    }


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_comparison_is_laid_out_in_the_same_bytes(name: str) -> None:
    assert FORMATS[name](comparison(), Options()) == FORMATS[name](comparison(), Options())


def test_markup_from_outside_stays_text() -> None:
    evil = "<script>alert(1)</script> [x](http://e.vil) @all #1 | `a` \n# heading"
    told = markdown(comparison(Change(area="image", subject=evil, what=evil, before=evil, after=evil)), Options())
    outside = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", told)
    assert [mark for mark in ("<script", "](", "@all", "#1") if mark in outside] == []
    assert "\n# heading" not in told
