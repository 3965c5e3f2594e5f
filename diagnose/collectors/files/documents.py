"""JSON and YAML documents, told apart: objects of Kubernetes, Docker and Azure, and texts in an envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum

from diagnose.collectors.files.azure_answers import answer_of


class Document(Enum):
    """What a document is."""

    KUBERNETES = "Kubernetes objects"
    INSPECTED = "docker inspect"
    AZURE = "answers of Azure"
    TEXT = "a text in an envelope"
    ENGINE = "docker info"
    NOTEBOOK = "a Jupyter notebook"
    OTHER = "other"


_DOCUMENT_START = re.compile(r"^(?=apiVersion: )", re.M)
_LEADING = ("{", "[", '"')
_BLANK = re.compile(r"[\s,\ufeff]*")


def parsed_json(text: str) -> list[object] | None:
    """The documents of a text that is nothing but JSON: one of any kind, or several of a kind that is known.

    None for any other text, and for logs whose records are JSON.
    """
    position, documents = _skipped(text, 0), list[object]()
    if not text.startswith(_LEADING, position):
        return None
    decoder = json.JSONDecoder()
    while position < len(text):
        try:
            document, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return None
        documents.append(document)
        position = _skipped(text, position)
        if position < len(text) and document_of(document) in (Document.OTHER, Document.TEXT):
            return None
    return documents


def _skipped(text: str, position: int) -> int:
    """The position of what comes after blanks and commas."""
    found = _BLANK.match(text, position)
    return found.end() if found else position


def parsed_yaml(text: str) -> list[object] | None:
    """The documents of YAML text, also where the line between two of them was lost. None when it is not valid."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        pieces = _DOCUMENT_START.split(text)
        return [
            document for piece in pieces for document in yaml.load_all(piece, Loader=loader) if document is not None
        ]
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def document_of(value: object) -> Document:
    """What a parsed document is, by the fields only such a document has."""
    if isinstance(value, str):
        return Document.TEXT
    if isinstance(value, list):
        kinds = {document_of(one) for one in value}
        return kinds.pop() if len(kinds) == 1 else Document.OTHER
    if not isinstance(value, Mapping):
        return Document.OTHER
    if "kind" in value and ("apiVersion" in value or "items" in value) and value["kind"] != "Status":
        return Document.KUBERNETES
    if "Id" in value and ("State" in value or "RootFS" in value) and ("Config" in value or "Os" in value):
        return Document.INSPECTED
    if set(value) == {"content"} and isinstance(value["content"], str):
        return Document.TEXT
    if "nbformat" in value and isinstance(value.get("cells"), list):
        return Document.NOTEBOOK
    if "ServerVersion" in value and "OSType" in value:
        return Document.ENGINE
    return Document.AZURE if answer_of(value) else Document.OTHER


def listed(value: object) -> object:
    """The entries of a list as Azure answers it: ``{"value": [...]}``; any other value as it is."""
    is_list = isinstance(value, Mapping) and set(value) <= {"value", "nextLink", "count"}
    return value["value"] if is_list and isinstance(value, Mapping) and isinstance(value.get("value"), list) else value


def text_in(value: object) -> str:
    """The text of an envelope: of the answer of ``getLogs``, or of a string that the Azure CLI printed as JSON."""
    if isinstance(value, list):
        return "\n".join(map(text_in, value))
    return str(value.get("content")) if isinstance(value, Mapping) else str(value)


def printed_by_notebook(notebook: object) -> str:
    """What the cells of a notebook printed, tracebacks among it."""
    cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
    return "\n".join(
        text
        for cell in (cells if isinstance(cells, list) else ())
        if isinstance(cell, Mapping)
        for output in (cell.get("outputs") or () if isinstance(cell.get("outputs"), list) else ())
        if isinstance(output, Mapping)
        for text in _printed(output)
    )


def _printed(output: Mapping[str, object]) -> Iterator[str]:
    for key in ("text", "traceback"):
        lines = output.get(key)
        if isinstance(lines, list):
            yield ("" if key == "text" else "\n").join(map(str, lines))


def objects_in(value: object) -> Iterator[Mapping[str, object]]:
    """Single objects: the entries of lists, each with the kind that its list has in its name (``PodList``)."""
    if isinstance(value, list):
        for one in value:
            yield from objects_in(one)
    elif isinstance(value, Mapping):
        items = value.get("items")
        if not isinstance(items, list) or not str(value.get("kind", "")).endswith("List"):
            yield value
            return
        kind = str(value["kind"]).removesuffix("List")
        for one in items:
            if isinstance(one, Mapping):
                given = {"kind": kind, "apiVersion": value.get("apiVersion")} if kind else {}
                yield from objects_in({**given, **one})
