"""A vault's settings and access policies as a file, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from azure_server import body_of

from diagnose.collectors.azure.comparison import lost_between
from diagnose.collectors.azure.saved_vault import is_state, loaded, saved, state_of, write_private
from diagnose.errors import InputError

NOW = datetime(2026, 11, 22, 10, 30, 5, tzinfo=UTC)
BODY = body_of("keyvault/vault_item_network_rules")
PRINCIPAL = "11111111-0000-0000-0000-000000000001"
NAMES = {PRINCIPAL: "identity of workspace ws-mlops", "other": "nobody here"}
WORKSPACES = {PRINCIPAL: "ws-mlops"}


def content(**changes: object) -> dict[str, object]:
    return json.loads(saved(BODY, NAMES, WORKSPACES, NOW)) | changes


def test_a_saved_state_is_the_same_when_it_is_loaded():
    found = loaded(content(), "f", NOW)
    state = state_of(BODY, NAMES, WORKSPACES, NOW)
    assert found.saved == "2026-11-22T10:30:05+00:00"
    assert found.state == state
    assert lost_between(state, found.state).exit_code == 0
    assert found.state.policies[0].name == "identity of workspace ws-mlops"


def test_a_saved_state_names_its_schema_and_holds_only_settings():
    found = content()
    assert (found["schema"], found["names"]) == ("diagnose/vault/1", {PRINCIPAL: "identity of workspace ws-mlops"})
    assert found["vault"]["properties"]["networkAcls"] == BODY["properties"]["networkAcls"]
    assert "tags" not in found["vault"]
    assert is_state(found)


def test_what_az_keyvault_show_printed_is_a_state_too():
    assert is_state(BODY)
    found = loaded(BODY, "f", NOW)
    assert (found.saved, found.state.vault.name, len(found.state.policies)) == ("", "kv-mlops", 1)


@pytest.mark.parametrize(
    "broken",
    [
        {"vault": None},
        {"vault": {"name": "kv"}},
        {"vault": {"name": "", "properties": {}}},
        {"vault": {"name": "kv", "properties": {"accessPolicies": {}}}},
        {"vault": {"name": "kv", "properties": {"accessPolicies": [{"objectId": "p"}]}}},
        {"vault": {"name": "kv", "properties": {"accessPolicies": ["p"]}}},
    ],
)
def test_a_state_that_somebody_broke_is_refused_by_name(broken):
    with pytest.raises(InputError, match=r"^state\.json: "):
        loaded(content(**broken), "state.json", NOW)


def test_a_vault_with_rbac_may_have_no_list():
    assert loaded(content(vault={"name": "kv", "properties": {"accessPolicies": None}}), "f", NOW).state.policies == ()


def test_a_file_is_for_nobody_else(tmp_path):
    file = tmp_path / "state.json"
    file.write_text("older, and open to all")
    file.chmod(0o644)
    write_private(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(InputError, match=r"cannot be written: .*--save"):
        write_private(tmp_path / "no" / "such" / "folder", b"")
