"""JSON and YAML documents, told apart."""

import json

import pytest

from diagnose.collectors.files.documents import (
    Document,
    document_of,
    listed,
    objects_in,
    parsed_json,
    parsed_yaml,
    printed_by_notebook,
    text_in,
)

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "churn"}}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (POD, Document.KUBERNETES),
        ([POD, POD], Document.KUBERNETES),
        ({"kind": "PodList", "items": []}, Document.KUBERNETES),
        ({"kind": "Status", "apiVersion": "v1", "reason": "Forbidden"}, Document.OTHER),
        ([{"Id": "0df1", "State": {}, "Config": {}}], Document.INSPECTED),
        ([{"Id": "sha256:fd", "RootFS": {}, "Os": "linux"}], Document.INSPECTED),
        ({"ServerVersion": "20.10", "OSType": "linux"}, Document.ENGINE),
        ({"name": "churn", "containers": [], "osType": "Linux"}, Document.AZURE),
        ({"name": "churn", "properties": {"containers": [], "instanceView": {}}}, Document.AZURE),
        ({"id": "/x/containerGroups/churn", "properties": {"events": []}}, Document.AZURE),
        ([{"name": "churn", "containers": [], "osType": "Linux"}, {"logLink": "https://x"}], Document.AZURE),
        ({"content": "Instance status:\n"}, Document.TEXT),
        ("Instance status:\n", Document.TEXT),
        ({"nbformat": 4, "cells": []}, Document.NOTEBOOK),
        ({"error": {"code": "X", "message": "y"}}, Document.OTHER),
        ({"content": "x", "code": "y"}, Document.OTHER),
        ([POD, {"a": 1}], Document.OTHER),
        (3, Document.OTHER),
    ],
)
def test_documents_by_the_fields_only_they_have(value, kind):
    assert document_of(value) is kind


def test_several_objects_one_after_another():
    line = json.dumps(POD)
    assert parsed_json(f"{line}\n{line}\n") == [POD, POD]
    assert parsed_json(f"\ufeff{json.dumps(POD, indent=2)}\n{line}") == [POD, POD]


@pytest.mark.parametrize(
    "text",
    [
        "[2020-08-11 06:51:02 +0000] [1] [INFO] Starting gunicorn",
        '{"level": "info", "message": "a"}\n{"level": "info", "message": "b"}\n',
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"na',
        "Error: {}",
    ],
)
def test_logs_and_broken_documents_are_no_json(text):
    assert parsed_json(text) is None


def test_yaml_documents_whose_separator_was_lost():
    document = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: churn\n"
    assert parsed_yaml(document + document) == [POD, POD]
    assert parsed_yaml(f"---\n{document}---\n{document}") == [POD, POD]


def test_broken_yaml_is_none():
    assert parsed_yaml("apiVersion: v1\nkind: [Pod\n") is None


def test_entries_of_lists_get_the_kind_of_their_list():
    entries = list(objects_in({"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "churn"}}]}))
    assert entries == [POD]
    assert list(objects_in({"kind": "List", "apiVersion": "v1", "items": [POD]})) == [POD]


def test_texts_in_envelopes():
    assert text_in({"content": "a\nb"}) == "a\nb"
    assert text_in(["a", "b"]) == "a\nb"


def test_azure_lists_are_opened():
    assert listed({"value": [POD], "nextLink": None}) == [POD]
    assert listed({"value": [POD], "code": "X"}) == {"value": [POD], "code": "X"}


def test_a_notebook_gives_what_its_cells_printed():
    notebook = {
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# Deploy"]},
            {
                "cell_type": "code",
                "source": ["service = Model.deploy(...)"],
                "outputs": [
                    {"output_type": "stream", "text": ["Running....\n", "Failed\n"]},
                    {
                        "output_type": "error",
                        "traceback": ["Traceback (most recent call last)", "WebserviceException: x"],
                    },
                ],
            },
        ],
    }
    assert (
        printed_by_notebook(notebook)
        == "Running....\nFailed\n\nTraceback (most recent call last)\nWebserviceException: x"
    )
