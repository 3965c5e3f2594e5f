"""From a service that was found to its evidence: the lists that are left, and the logs, all at the same time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import logs, router
from diagnose.collectors.kubernetes.namespace import SEARCHED, Lists
from diagnose.collectors.kubernetes.objects import items_of
from diagnose.collectors.kubernetes.scope import Scope, belonging, resolve
from diagnose.collectors.kubernetes.view import View
from diagnose.model import Collected, Collection, Item, Log, Missing

LOGS = "logs.container"


def collect(lists: Lists, scope: Scope, limits: Limits) -> Collection:
    """Everything about the service in ``scope``, by the deadline; what could not be read is in ``missing``."""
    lists.start(lists.queries, limits)
    searched = belonging(lists.objects(SEARCHED), scope)
    view = View(searched, _now(lists))
    wanted = logs.worth_reading(view)
    readings = logs.start(lists.cluster, lists.calls, wanted, LOGS, limits)
    front = router.start(lists, limits) if router.concerns(searched, scope) else None

    every = lists.objects(lists.queries)
    final = resolve(every, scope.namespace, scope.service) or scope
    found, gaps = logs.collected(readings)
    texts, missing = {LOGS: found}, [*lists.missing(final), *gaps]
    if front is not None:
        texts[router.STREAM], gaps = front.collected()
        missing += gaps
    if "pods" not in lists.present(final):
        texts[LOGS] = None
    items = _present(items_of(belonging(every, final), _now(lists)), lists, final)
    return _collection(items, {name: text for name, text in texts.items() if text is not None}, missing, lists)


def _now(lists: Lists) -> datetime:
    """By the server's own clock, where it told."""
    return lists.cluster.traffic.server_time or datetime.now(UTC)


def _present(every: Mapping[str, tuple[Item, ...]], lists: Lists, scope: Scope) -> dict[str, tuple[Item, ...]]:
    present = lists.present(scope)
    return {name: items for name, items in every.items() if name in present}


def _collection(
    items: Mapping[str, tuple[Item, ...]], texts: Mapping[str, tuple[Log, ...]], missing: list[Missing], lists: Lists
) -> Collection:
    count = sum(map(len, items.values())) + sum(map(len, texts.values()))
    cost = Collected("kubernetes", count, lists.cluster.traffic.bytes, time.monotonic() - lists.began)
    return Collection(items=items, logs=texts, missing=tuple(missing), collected=(cost,), now=_now(lists))
