"""What saved answers of Azure tell together: a vault of the workspace it belongs to, an endpoint of its deployments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath

from diagnose.collectors.azure.answers import part, parts, text
from diagnose.collectors.files.azure_answers import Answers, SavedAnswer, SavedLog, answer_of
from diagnose.collectors.files.azure_spellings import in_arm_words
from diagnose.collectors.files.facts import Fact
from diagnose.collectors.files.times import moment

_OF_LIST = {
    **dict.fromkeys(("role", "roles"), "role_assignments"),
    **dict.fromkeys(("deployment", "deployments"), "online_deployments"),
    **dict.fromkeys(("endpoint", "endpoints"), "endpoints"),
    **dict.fromkeys(("run", "runs"), "builds"),
    "activity": "vault_writes",
    "services": "web_services",
    "groups": "groups",
}
_PAST = frozenset(
    (
        *("lastmodifiedat", "createdat", "eventtimestamp", "timestamp", "lasttimestamp", "saved"),
        *("starttime", "endtime", "finishtime", "createtime", "createdtime", "modifiedtime", "updatedtime"),
        *("lastupdatedtime", "createdon", "updatedon", "modifiedon", "creationdate", "deletiondate"),
    )
)
"""Fields, in small letters, with times at which something happened; those of expiry and purge lie in the future."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def saved_answers(document: object, source: str) -> list[SavedAnswer]:
    """The answers of a document that is one, or a list of them."""
    listed = isinstance(document, list)
    return [
        SavedAnswer(kind, in_arm_words(kind, value), value, source, listed)
        for value in parts(document if listed else [document])
        if (kind := answer_of(value)) is not None
    ]


def stream_of_empty_list(source: str) -> str:
    """The stream of which a file holds an empty list, which only its name can tell; empty where it does not."""
    words = PurePath(source).stem.lower().replace("_", "-").split("-")
    return next((_OF_LIST[word] for word in words if word in _OF_LIST), "")


def newest_in_answers(document: object) -> datetime | None:
    """The newest time at which something happened, in answers of Azure, whose fields bear the names of many teams."""
    return max(_past_times(document), default=None)


def _past_times(value: object) -> Iterator[datetime]:
    fields: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        fields = value.items()
    elif isinstance(value, list):
        fields = enumerate(value)
    for key, inner in fields:
        if isinstance(inner, Mapping | list):
            yield from _past_times(inner)
        elif isinstance(inner, str) and str(key).replace("_", "").lower() in _PAST and (time := moment(inner)):
            yield time


def facts_of_answers(
    saved: Sequence[SavedAnswer], logs: Sequence[SavedLog], empty: Collection[str], now: datetime | None
) -> Iterator[Fact]:
    """Items, error texts and gaps. ``empty``: streams of which an empty list was saved."""
    from diagnose.collectors.files.azure_access import access_facts
    from diagnose.collectors.files.azure_errors import error_facts
    from diagnose.collectors.files.azure_parts import part_facts
    from diagnose.collectors.files.azure_services import service_facts

    answers = Answers(_once(saved), tuple(logs), frozenset(empty), now)
    yield from access_facts(answers)
    yield from service_facts(answers)
    yield from part_facts(answers)
    yield from error_facts(answers)


def _once(saved: Sequence[SavedAnswer]) -> tuple[SavedAnswer, ...]:
    """Of several answers about one resource the latest, or the one that says most."""
    best: dict[object, SavedAnswer] = {}
    for number, one in enumerate(saved):
        key = (one.kind, text(one.body.get("id")).lower() or number)
        other = best.get(key, one)
        better = max(other, one, key=_worth)
        best[key] = replace(better, listed=one.listed or other.listed)
    return tuple(best.values())


def _worth(answer: SavedAnswer) -> tuple[bool, datetime, int]:
    """A vault's state that was saved as such is what it was before."""
    written = moment(text(part(answer.body, "systemData").get("lastModifiedAt")))
    return ("schema" not in answer.document, written or _NEVER, len(str(answer.document)))
