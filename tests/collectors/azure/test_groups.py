"""Container groups, asked from Azure Resource Manager."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from azure_server import GROUP, AzureServer, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.groups import collect_group, facts_of, groups_of_service, list_groups
from diagnose.model import Chunk, Log, Subject, Why

GROUPS = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups"
LOGS = f"{GROUPS}/mysvc/containers/mysvc/logs"
NOW = datetime(2021, 8, 19, 6, 25, 13, 387000, tzinfo=UTC)
SUBJECT = Subject("aci", workload="mysvc", container="mysvc")


@pytest.fixture
def gathering() -> Gathering:
    return Gathering(Subject("aci", workload="mysvc"), now=NOW)


def body(name: str) -> dict[str, Any]:
    found = body_of(f"containerinstance/{name}")
    assert isinstance(found, dict)
    return found


def the_log(gathering: Gathering) -> Log:
    (log,) = gathering.collection(0).logs["logs.container"]
    return log


# --- what one answer says ---


def test_a_group_whose_container_crashes_again_and_again():
    group, (container,), events = facts_of(body("container_group_get_crashloop"), NOW)
    assert (group.name, group.state, group.provisioning_state) == ("mysvc", "Running", "Succeeded")
    assert (group.public_ports, group.container_ports) == ((5001,), (5001,))
    assert (group.fqdn, group.location) == ("mysvc-x.westeurope.azurecontainer.io", "westeurope")
    assert (group.cpu, group.memory_gb, group.restart_policy) == (0.1, 0.5, "Always")
    assert (container.reason, container.exit_code, container.restarts) == ("CrashLoopBackOff", 111, 3)
    assert (container.subject, container.ended_s, container.line) == (SUBJECT, 60.0, None)
    assert [(event.reason, event.count) for event in events] == [
        ("Pulling", 2),
        ("Pulled", 2),
        ("Started", 4),
        ("Killing", 4),
    ]
    assert group.source == container.source == events[0].source == "az container show -g rg-mlops -n mysvc"


def test_a_group_that_has_done_its_work():
    group, (container,), events = facts_of(body("container_group_get_terminated_ok"), NOW)
    assert (group.state, group.restart_policy, group.public_ports) == ("Succeeded", "OnFailure", ())
    assert (container.state, container.exit_code, container.end_reason) == ("terminated", 0, "Completed")
    assert container.liveness_probe == "exec cat/tmp/healthy delay 0s period 5s timeout 1s failures 3"
    assert container.liveness_allows_s == 15.0
    assert len(events) == 4


def test_a_group_in_a_network_has_no_public_ports():
    answer = body("container_group_get_crashloop")
    answer["properties"] |= {"subnetIds": [{"id": "subnet"}]}
    answer["properties"]["ipAddress"]["type"] = "Private"
    group, _, _ = facts_of(answer, NOW)
    assert (group.in_network, group.public_ports, group.container_ports) == (True, (), (5001,))


def test_a_list_of_groups_knows_no_states():
    (listed,) = body("container_groups_list")["value"]
    group, (container,), events = facts_of(listed, NOW)
    assert (group.name, group.state, container.state, events) == ("mysvc", "", "unknown", [])


def test_the_groups_of_a_service_are_told_by_name_address_or_tag():
    groups = [
        {"name": "MySvc"},
        {"name": "mysvc-2", "tags": {"ServiceName": "mysvc"}},
        {"name": "aci-1", "properties": {"ipAddress": {"fqdn": "mysvc-x.westeurope.azurecontainer.io"}}},
        {"name": "mysvc-other", "tags": None},
    ]
    assert groups_of_service(groups, "mysvc") == groups[:2]
    assert groups_of_service(groups, "mysvc", "mysvc-x.westeurope.azurecontainer.io") == groups[:3]


# --- calls ---


def test_groups_of_a_resource_group_and_of_the_subscription(azure: AzureServer, arm: Arm) -> None:
    assert [group["name"] for group in list_groups(arm, "rg-mlops")] == ["mysvc"]
    everywhere = GROUPS.replace("/resourceGroups/rg-mlops", "")
    azure.use("containerinstance/container_groups_list", at=everywhere)
    assert [group["name"] for group in list_groups(arm, None)] == ["mysvc"]
    assert azure.paths() == [GROUPS, everywhere]


def test_a_crashing_group_is_collected_with_its_log(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("containerinstance/container_group_get_crashloop", "containerinstance/container_logs")
    group = collect_group(arm, f"{GROUPS}/mysvc", gathering, Limits())
    collection = gathering.collection(0)
    assert {stream: len(items) for stream, items in collection.items.items()} == {
        "groups": 1,
        "containers": 1,
        "events": 4,
    }
    assert collection.items["groups"] == (group,)
    log = the_log(gathering)
    assert (log.subject, log.cut) == (SUBJECT, "")
    assert log.source == "az container logs -g rg-mlops -n mysvc --container-name mysvc"
    assert "ModuleNotFoundError: No module named 'joblib'" in log.chunks[0].text
    asked = next(request for request in azure.requests if request.path == LOGS)
    assert (asked.query["tail"], asked.query["timestamps"]) == ("5000", "true")
    assert collection.missing == ()


def test_an_empty_log_is_a_log(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("containerinstance/container_group_get_terminated_ok", "containerinstance/container_logs_empty")
    collect_group(arm, f"{GROUPS}/mysvc", gathering, Limits())
    assert (the_log(gathering).chunks, gathering.collection(0).missing) == ((), ())


def test_a_container_that_waits_for_its_first_start_is_not_asked_for_a_log(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    answer = body("container_group_get_crashloop")
    view = {"restartCount": 0, "currentState": {"state": "Waiting", "detailStatus": "Pulling image"}}
    answer["properties"]["containers"][0]["properties"]["instanceView"] = view
    azure.answer("GET", f"{GROUPS}/mysvc", 200, answer)
    assert collect_group(arm, f"{GROUPS}/mysvc", gathering, Limits()) is not None
    assert azure.paths() == [f"{GROUPS}/mysvc"]
    assert gathering.collection(0).logs == {"logs.container": ()}


def test_a_log_that_is_not_there_yet_is_missing_and_no_refusal(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    azure.use("containerinstance/container_group_get_crashloop")
    error = {"error": {"code": "ContainerLogNotAvailable", "message": "not available yet"}}
    azure.answer("GET", LOGS, 404, error)
    collect_group(arm, f"{GROUPS}/mysvc", gathering, Limits())
    (missing,) = gathering.collection(0).missing
    assert (missing.stream, missing.why, missing.subject) == ("logs.container", Why.NOT_FOUND, SUBJECT)
    assert "refusals" not in gathering.collection(0).items


def test_states_are_kept_where_the_log_is_denied(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("containerinstance/container_group_get_crashloop")
    azure.answer("GET", LOGS, 403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    collect_group(arm, f"{GROUPS}/mysvc", gathering, Limits())
    collection = gathering.collection(0)
    (missing,) = collection.missing
    assert (missing.stream, missing.why) == ("logs.container", Why.DENIED)
    assert "containers/logs/read on container group mysvc" in missing.needs
    assert len(collection.items["containers"]) == 1


def test_a_group_that_was_never_made_leaves_every_stream_missing(arm: Arm, gathering: Gathering) -> None:
    assert collect_group(arm, f"{GROUPS}/none", gathering, Limits()) is None
    collection = gathering.collection(0)
    assert {missing.stream for missing in collection.missing} == {"groups", "containers", "events", "logs.container"}
    assert {missing.why for missing in collection.missing} == {Why.NOT_FOUND}


def collect_log(azure: AzureServer, arm: Arm, gathering: Gathering, content: str, limits: Limits) -> Log:
    azure.use("containerinstance/container_group_get_crashloop")
    azure.answer("GET", LOGS, 200, {"content": content})
    collect_group(arm, f"{GROUPS}/mysvc", gathering, limits)
    return the_log(gathering)


def test_a_log_beyond_what_was_asked_for_says_so(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    log = collect_log(azure, arm, gathering, "line\n" * 5000, Limits())
    assert "only the last 5,000 lines were asked for" in log.cut


def test_of_a_log_that_is_too_large_the_end_is_kept(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    log = collect_log(azure, arm, gathering, "".join(f"line {n}\n" for n in range(1, 101)), Limits(log_bytes=20))
    assert log.chunks == (Chunk(99, "line 99\nline 100"),)
    assert "the first 98 lines" in log.cut


STAMPED = "2021-08-19T06:00:00.000000000Z one\n2021-08-19T06:24:00.000000000Z two\n  its second line\n"


def test_only_young_lines_are_kept_where_only_those_are_wanted(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    log = collect_log(azure, arm, gathering, STAMPED, Limits(since_s=120))
    assert log.chunks == (Chunk(2, "2021-08-19T06:24:00.000000000Z two\n  its second line"),)
    assert log.cut == "only lines of the last 120 s were kept"


def test_a_log_of_which_every_line_is_too_old_is_cut_and_not_empty(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    log = collect_log(azure, arm, gathering, STAMPED, Limits(since_s=10))
    assert (log.chunks, log.cut) == ((), "only lines of the last 10 s were kept")


def test_a_log_without_times_is_kept_whole(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    log = collect_log(azure, arm, gathering, "one\ntwo\n", Limits(since_s=10))
    assert (log.chunks, log.cut) == ((Chunk(1, "one\ntwo"),), "")
