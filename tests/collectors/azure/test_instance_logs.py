"""The log of an online deployment: its leading blocks, and what the container wrote."""

import pytest
from azure_server import body_of

from diagnose.collectors.azure.instance_logs import STEPS, InstanceLog, parted

RECORDED = body_of("machinelearning/online_deployment_get_logs")["content"]
WITH_LINES = """\
Instance status:
SystemSetup: Succeeded
UserContainerImagePull: Succeeded
ModelDownload: Succeeded
UserContainerStart: InProgress

Container events:
Kind: Pod, Name: Pulling, Type: Normal, Time: 2024-03-04T14:09:05.015938Z, Message: Start pulling container image
Kind: Pod, Name: ReadinessProbeFailed, Type: Warning, Time: 2024-03-04T14:09:58.645781Z, Message: Readiness probe failed: HTTP probe failed with statuscode: 502

Container logs:
2024-03-04 14:11:20,474 I [12] azmlinfsrv - Loaded logging config
SystemSetup: this is printed by the user
"""


def steps(*states: str) -> InstanceLog:
    return InstanceLog(dict(zip(STEPS, states, strict=True)))


def test_a_log_that_is_all_blocks():
    log = parted(RECORDED)
    assert log.steps == dict.fromkeys(STEPS, "Succeeded")
    assert log.header == RECORDED
    assert log.content == ""


def test_what_the_container_wrote_keeps_its_line_numbers():
    log = parted(WITH_LINES)
    assert log.steps["UserContainerStart"] == "InProgress"
    assert log.content.splitlines()[0].endswith("Loaded logging config")
    assert log.first_line == 12
    assert WITH_LINES.splitlines()[log.first_line - 1] == log.content.splitlines()[0]


def test_a_user_who_prints_like_a_block_changes_no_step():
    assert parted(WITH_LINES).steps["SystemSetup"] == "Succeeded"


def test_older_logs_have_no_headline_before_the_lines():
    log = parted(RECORDED + "\nBooting worker with pid: 12\nKind: of odd\n")
    assert log.content == "Booting worker with pid: 12\nKind: of odd\n"
    assert log.steps["ModelDownload"] == "Succeeded"


def test_blocks_without_events():
    log = parted("Instance status:\nSystemSetup: InProgress\n\nContainer logs:\nline\n")
    assert (log.steps, log.content, log.first_line) == ({"SystemSetup": "InProgress"}, "line\n", 5)


@pytest.mark.parametrize("content", ["", "Booting worker with pid: 12\n", "no Instance status: here\n"])
def test_a_log_without_blocks_is_all_container(content):
    log = parted(content)
    assert (log.steps, log.header, log.content, log.first_line) == ({}, "", content, 1)


@pytest.mark.parametrize("number", range(4))
def test_the_step_that_failed(number):
    states = ["Succeeded"] * number + ["Failed"] + ["Waiting"] * (3 - number)
    assert steps(*states).failed_step("Failed") == STEPS[number]


def test_a_step_that_failed_is_told_before_azure_gives_up():
    assert steps("InProgress", "Failed", "Waiting", "Waiting").failed_step("Creating") == "UserContainerImagePull"


def test_where_no_step_is_marked_the_one_under_way_is_where_it_stopped():
    assert steps("InProgress", "Succeeded", "InProgress", "Waiting").failed_step("Failed") == "ModelDownload"
    assert steps("Succeeded", "Succeeded", "Succeeded", "InProgress").failed_step("Failed") == "UserContainerStart"
    assert steps("InProgress", "Waiting", "Waiting", "Waiting").failed_step("Failed") == "SystemSetup"


def test_what_is_under_way_has_not_failed():
    assert steps("InProgress", "Succeeded", "InProgress", "Waiting").failed_step("Creating") == ""


def test_an_instance_that_is_up_says_nothing_of_why_an_update_failed():
    assert steps(*["Succeeded"] * 4).failed_step("Failed") == ""
    assert InstanceLog().failed_step("Failed") == ""
