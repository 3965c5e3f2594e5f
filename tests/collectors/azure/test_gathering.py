"""What the collectors bring, put together."""

from __future__ import annotations

from datetime import UTC, datetime

from diagnose.azure_items import Refusal, Vault
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering, merged
from diagnose.model import Chunk, Collection, Log, Missing, Subject, Why

DENIED = AzureError("AuthorizationFailed", "no", status=403, why=Why.DENIED)
SIGNED_OUT = AzureError("ExpiredAuthenticationToken", "too old", 401, Why.DENIED, "`az login`", sign_in=True)


def gathering() -> Gathering:
    return Gathering(Subject("azure"))


def refuses(error: AzureError) -> Vault:
    raise error


def test_a_stream_that_was_read_and_is_empty_is_there() -> None:
    one = gathering()
    one.add("vaults")
    one.add_logs("logs.build")
    collection = one.collection(7)
    assert (collection.items, collection.logs) == ({"vaults": ()}, {"logs.build": ()})
    assert (collection.collected[0].collector, collection.collected[0].bytes) == ("azure", 7)


def test_a_refusal_is_missing_and_evidence_and_names_the_role() -> None:
    one = gathering()
    assert one.attempt(("vaults", "access"), "vault kv", "Reader on vault kv", lambda: refuses(DENIED)) is None
    collection = one.collection(0)
    assert [gap.stream for gap in collection.missing] == ["vaults", "access"]
    assert {gap.needs for gap in collection.missing} == {"Reader on vault kv"}
    (refusal,) = collection.items["refusals"]
    assert isinstance(refusal, Refusal)
    assert (refusal.call, refusal.status, refusal.code) == ("read vault kv", 403, "AuthorizationFailed")
    assert "vaults" not in collection.items


def test_a_sign_in_that_failed_is_told_once() -> None:
    one = gathering()
    for name in ("a", "b"):
        one.attempt(("vaults",), f"vault {name}", "Reader", lambda: refuses(SIGNED_OUT))
    collection = one.collection(0)
    assert len(collection.items["refusals"]) == 1
    assert {gap.needs for gap in collection.missing} == {"`az login`"}


def test_what_something_better_replaces_is_forgotten() -> None:
    one = gathering()
    one.add("vaults", [Vault(source="old way", name="kv"), Vault(source="new way", name="kv")])
    one.add_logs("logs.container", [Log(stream="logs.container", source="old way, log", chunks=(Chunk(1, "x"),))])
    one.forget(("vaults", "logs.container"), "old way")
    collection = one.collection(0)
    assert [item.source for item in collection.items["vaults"]] == ["new way"]
    assert collection.logs["logs.container"] == ()


def test_several_collections_are_one() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    gap = Missing(stream="pods", why=Why.DENIED, what="pods")
    both = merged(
        [
            Collection(items={"vaults": (Vault(source="a", name="a"),)}, missing=(gap,), now=early),
            Collection(items={"vaults": (Vault(source="b", name="b"),), "pods": ()}, missing=(gap,), now=late),
        ]
    )
    assert [item.source for item in both.items["vaults"]] == ["a", "b"]
    assert both.items["pods"] == ()
    assert both.missing == (gap,)
    assert both.now == late
