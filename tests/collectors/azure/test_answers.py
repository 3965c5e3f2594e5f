"""Parts of Azure's answers as typed values."""

from datetime import UTC, datetime

import pytest
from azure_server import body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import (
    TAIL,
    Told,
    flag,
    kept_of,
    log_of,
    name_of,
    number,
    part,
    parts,
    seconds,
    tail_of,
    text,
    told_by,
    versioned,
    whole,
    within,
)
from diagnose.model import Subject

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ODD = (None, "", 1, 1.5, True, [], {}, ["x"], {"x": 1})


@pytest.mark.parametrize("value", ODD)
def test_values_of_another_kind_are_none(value):
    assert part(value, "a", "b") == {}
    assert text(value) == (value if isinstance(value, str) else "")
    assert flag(value) is (value if isinstance(value, bool) else None)
    assert parts(value) == []
    assert seconds(value) is None
    assert told_by(value) == Told()
    assert name_of(value) == within(value, "vaults") == versioned(value) == ""


def test_true_is_no_number():
    assert (number(True), number(1), number(1.5), number("1")) == (None, 1.0, 1.5, None)
    assert (whole(100.0), whole(None)) == (100, None)


def test_a_path_of_keys():
    assert part({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert part({"a": None}, "a") == {}
    assert parts([{"a": 1}, None, "x", {"b": 2}]) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("duration", "told"),
    [
        ("PT5M", 300.0),
        ("PT0S", 0.0),
        ("P1DT2H", 93600.0),
        ("PT1M30.5S", 90.5),
        ("P", None),
        ("PT", None),
        ("5 m", None),
    ],
)
def test_durations(duration, told):
    assert seconds(duration) == told


def test_names_in_ids_however_their_parts_are_spelled():
    arm_id = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.Keyvault/vaults/kv"
    assert (name_of(arm_id), within(arm_id, "resourceGroups"), within(arm_id, "subscriptions")) == ("kv", "rg", "s")
    assert (name_of("kv"), within(arm_id, "workspaces"), within("/subscriptions", "subscriptions")) == ("kv", "", "")


def test_the_version_of_an_environment_is_told_with_its_name():
    assert versioned(body_of("machinelearning/environment_version_get")["id"]) == "myenv:3"
    assert versioned("azureml://registries/azureml/environments/sklearn/labels/latest") == "sklearn:latest"
    assert versioned("azureml:churn@latest") == "churn@latest"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"code": "Conflict", "message": "one\ntwo"}, Told("Conflict", "one")),
        ({"message": "ResourceNotReady: User container"}, Told("ResourceNotReady", "ResourceNotReady: User container")),
        (
            {"code": None, "message": "(None) ResourceNotReady: x"},
            Told("ResourceNotReady", "(None) ResourceNotReady: x"),
        ),
        ({"message": "Something went wrong: see below"}, Told("", "Something went wrong: see below")),
    ],
)
def test_the_code_of_an_error_is_the_first_word_of_its_message_where_it_has_none(error, told):
    assert told_by(error) == told


def test_a_log_without_lines_has_no_chunks():
    assert log_of("\n", "logs.container", "az ...", Subject("azure")).chunks == ()


def test_the_end_of_a_text_is_kept_in_whole_lines():
    assert tail_of("one\ntwo\n", 100, 7) == ("one\ntwo\n", 7, "")
    content, first_line, cut = tail_of("one\ntwo\nthree\n", 8, 7)
    assert (content, first_line) == ("three\n", 9)
    assert cut.startswith("the first 2 lines")


def test_one_endless_line_is_cut_too():
    content, first_line, cut = tail_of("x" * 100, 10)
    assert (content, first_line) == ("x" * 10, 1)
    assert cut


LOG = "banner\n2026-11-20T07:00:00Z old\nold too\n2026-11-20 08:50:00,123 I [12] new\nnew too\n"


def test_lines_that_are_too_old_are_left_out():
    content, first_line, cut = kept_of(LOG, Limits(since_s=900), NOW, 3)
    assert content.splitlines() == ["2026-11-20 08:50:00,123 I [12] new", "new too"]
    assert first_line == 6
    assert cut == "only lines of the last 900 s were kept"


def test_a_log_that_is_all_too_old_is_empty():
    assert kept_of(LOG, Limits(since_s=60), NOW)[0] == ""


def test_a_log_without_times_is_kept_whole():
    assert kept_of("a\nb\n", Limits(since_s=60), NOW) == ("a\nb\n", 1, "")


def test_a_log_as_long_as_was_asked_for_may_have_been_longer():
    assert "only the last 5,000 lines were asked for" in kept_of("x\n" * TAIL, Limits(), NOW)[2]
    assert kept_of("x\n" * (TAIL - 1), Limits(), NOW)[2] == ""
