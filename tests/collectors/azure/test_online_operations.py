"""The last operation on an endpoint or deployment."""

import pytest
from azure_server import body_of

from diagnose.collectors.azure.online_operations import operation_of
from diagnose.model import Subject


def test_an_operation_that_failed_tells_its_code_in_front_of_the_message():
    item = operation_of(body_of("machinelearning/operation_status_failed"), "deployment", "blue")
    assert (item.status, item.code) == ("Failed", "ResourceNotReady")
    assert item.message.startswith("ResourceNotReady: User container has crashed")
    assert item.subject == Subject("endpoint", workload="blue")
    assert item.time is not None
    assert item.time.isoformat() == "2022-10-28T19:41:49.974985+00:00"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("machinelearning/operation_status_updating", "Running"),
        ("machinelearning/operation_status_succeeded", "Succeeded"),
    ],
)
def test_operations_that_did_not_fail(name, status):
    item = operation_of(body_of(name), "endpoint", "mysvc")
    assert (item.status, item.code, item.message) == (status, "", "")
