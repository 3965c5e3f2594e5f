"""Texts of a finding, filled from what was matched."""

from __future__ import annotations

from pathlib import Path

from evidence import A, B, book, evidence, judged, log, rule_text

from diagnose.model import Subject
from diagnose.streams import Container

MATCH = "match: {seen: {in: tracebacks, where: {exception: ValueError}}}"
RAISED = 'Traceback (most recent call last):\n  File "score.py", line 6, in init\n    load()\n'


def explained(folder: Path, explain: str, text: str, kind: str = "kubernetes") -> str:
    rule = rule_text("init.exception", MATCH).replace("A sentence that is long enough to be one.", explain)
    return judged(book(folder, rule), evidence(log(text), kind=kind)).findings[0].explain


def test_a_message_of_many_lines_is_one_line_in_a_sentence(tmp_path: Path) -> None:
    rest = "\n".join(f"- field {number} of the array" for number in range(15))
    text = f"{RAISED}ValueError: differs:\n{rest}\n"
    told = explained(tmp_path, "It fails with this message - {seen.message}", text)
    assert told.startswith("It fails with this message - differs: - field 0 of the array - field 1")
    assert told.endswith(" ...")
    assert len(told) < 340


def test_saved_evidence_has_no_service_name(tmp_path: Path) -> None:
    text = f"{RAISED}ValueError: differs\n"
    assert explained(tmp_path, "Look at the endpoint {service|<endpoint>} first.", text, "files") == (
        "Look at the endpoint <endpoint> first."
    )


def test_a_log_of_nobody_knows_whom_is_that_of_the_only_container(tmp_path: Path) -> None:
    rule = rule_text("init.exception", MATCH).replace(
        "A sentence that is long enough to be one.", "These are its lines - {logs} end"
    )
    text = f"{RAISED}ValueError: differs\n"
    one = Container(source="x", subject=A, name="server")
    other = Container(source="x", subject=B, name="server")
    for several, told in (((one,), "kubectl -n ns logs churn-a -c server"), ((one, other), "kubectl -n ns logs <pod>")):
        known = evidence(log(text, Subject("file")), items={"containers": several})
        assert judged(book(tmp_path, rule), known).findings[0].explain.startswith(f"These are its lines - {told}")
