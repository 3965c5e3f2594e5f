"""What saved answers of Azure tell together: a vault of the workspace it belongs to, an endpoint of its deployments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePath

from diagnose.collectors.azure.answers import part, parts, text
from diagnose.collectors.files.azure_answers import Answer, Json, SavedAnswer, answer_of
from diagnose.collectors.files.azure_errors import error_facts
from diagnose.collectors.files.azure_spellings import in_arm_words
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.times import moment
from diagnose.model import Missing, Why

_STREAMS: Mapping[Answer, tuple[str, ...]] = {
    Answer.WORKSPACE: ("workspaces", "identities"),
    Answer.PROBLEMS: ("workspace_problems",),
    Answer.VAULT: ("vaults", "access_policies"),
    Answer.DELETED_VAULT: ("vaults",),
    Answer.TEMPLATE: ("operations",),
    Answer.TEMPLATE_STEP: ("operations",),
    Answer.RUN: ("builds",),
    Answer.ENDPOINT: ("endpoints",),
}
"""Streams that were saved with an answer, even where it gives them no item."""
_OF_LIST = {
    **dict.fromkeys(("role", "roles"), "role_assignments"),
    **dict.fromkeys(("deployment", "deployments"), "online_deployments"),
    **dict.fromkeys(("endpoint", "endpoints"), "endpoints"),
    "activity": "vault_writes",
    "runs": "builds",
    "services": "web_services",
}
"""An empty list does not say of what; the name of its file may."""
_PAST = frozenset(
    (
        *("lastmodifiedat", "createdat", "eventtimestamp", "timestamp", "lasttimestamp", "saved"),
        *("starttime", "endtime", "finishtime", "createtime", "createdtime", "modifiedtime", "updatedtime"),
        *("lastupdatedtime", "createdon", "updatedon", "modifiedon", "creationdate", "deletiondate"),
    )
)
"""Fields, in small letters, with times at which something happened; expiry and purge dates lie in the future."""
_NOTHING = (Answer.KEYS, Answer.BUILD_LOG_LINK, Answer.METRICS, Answer.EVENT)


@dataclass(frozen=True, slots=True)
class SavedLog:
    """A log of a deployment of an online endpoint, with what Azure puts before it, and the file it was in."""

    text: str
    source: str


def saved_answers(document: object, source: str) -> list[SavedAnswer]:
    """The answers of a document that is one, or a list of them."""
    values = parts(document) if isinstance(document, list) else parts([document])
    found = ((answer_of(value), value) for value in values)
    return [
        SavedAnswer(kind, in_arm_words(kind, value), value, source, isinstance(document, list))
        for kind, value in found
        if kind is not None
    ]


def newest_in_answers(value: object) -> datetime | None:
    """The newest time at which something happened, in answers of Azure, whose fields bear the names of many teams."""
    return max(_past_times(value), default=None)


def _past_times(value: object) -> Iterator[datetime]:
    for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(inner, Mapping | list):
            yield from _past_times(inner)
        elif isinstance(inner, str) and str(key).replace("_", "").lower() in _PAST and (time := moment(inner)):
            yield time


@dataclass(frozen=True, slots=True)
class Answers:
    """All that were saved, each once."""

    saved: tuple[SavedAnswer, ...]
    logs: tuple[SavedLog, ...]
    empty: frozenset[str]
    """Streams of which an empty list was saved."""
    now: datetime
    """What ages are counted from."""

    def of(self, *kinds: Answer) -> list[SavedAnswer]:
        """Those about ``kinds``."""
        return [one for one in self.saved if one.kind in kinds]


def facts_of_answers(
    saved: Sequence[SavedAnswer], logs: Sequence[SavedLog], empty: Collection[str], now: datetime | None
) -> Iterator[Fact]:
    """Items, error texts and gaps. ``empty``: streams of which an empty list was saved."""
    from diagnose.collectors.files.azure_access import access_facts
    from diagnose.collectors.files.azure_parts import part_facts
    from diagnose.collectors.files.azure_services import service_facts

    # Without any time in the evidence there is none from which an age could be counted: any clock will do.
    answers = Answers(_once(saved), tuple(logs), frozenset(empty), now or datetime.now(UTC))
    for answer in answers.saved:
        yield from map(Empty, _STREAMS.get(answer.kind, ()))
        yield from error_facts(answer, now)
    yield from access_facts(answers)
    yield from service_facts(answers)
    yield from part_facts(answers)


def _once(saved: Sequence[SavedAnswer]) -> tuple[SavedAnswer, ...]:
    """Of several answers about one resource the latest, or the one that says most."""
    best: dict[object, SavedAnswer] = {}
    for one in saved:
        key = (one.kind, arm_id.lower()) if (arm_id := text(one.body.get("id"))) and one.kind is not Answer.PROBLEMS else id(one)
        if key not in best or _worth(one) > _worth(best[key]):
            best[key] = one
    return tuple(best.values())
