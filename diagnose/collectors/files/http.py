"""HTTP answers that a client saved: ``curl -i`` and ``curl -v``, and those that error texts of SDKs quote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.times import moment
from diagnose.streams import Response

_STATUS = re.compile(r"(?:< )?HTTP/\d(?:\.\d)? (?P<status>\d{3})(?: (?P<phrase>.*))?")
_HEADER = re.compile(r"(?:< )?(?P<name>[A-Za-z][A-Za-z0-9-]*): ?(?P<value>.*)")
_TOOL_LINE = re.compile(r"[*{}] |\$ |PS [A-Z]:|\S+@\S+[$#] |> (?:GET|POST|PUT|HEAD) ")
"""What curl itself says, and the next prompt."""
_CHATTER = re.compile(r"[*<>{}](?: .*)?|\s*% Total .*|\s*Dload .*|[\s\d.:kMGT-]*")
"""What curl prints besides the answer."""
_BODY_BYTES = 4096
_MANAGEMENT_HEADERS = (
    "x-ms-correlation-request-id",
    "x-ms-routing-request-id",
    "x-ms-ratelimit-remaining-subscription-reads",
)

_CODE = re.compile(r"Response Code: (?P<status>\d{3})\s*$")
_HEADERS = re.compile(r".{0,40}?Headers: (?P<headers>\{.*\})\s*$")
_CONTENT = re.compile(r".{0,40}?Content: (?P<body>.*?)\s*$")
_SAMPLE_CLIENT = re.compile(r"The request failed with status code: (?P<status>\d{3})\n(?P<rest>(?:[^\n]*\n?){0,40})")
_SERVICE_ITSELF = re.compile(r"(?P<status>\d{3}) (?:Client|Server) Error: [^\n]{0,200}? for url: \S{0,500}?/score\b")
_MANAGEMENT = "Model Management Service"
_PAIR = re.compile(r"'(?P<name>[^']+)': '(?P<value>[^']*)'")


def is_answer(lines: Sequence[str], index: int) -> bool:
    """An answer begins at ``lines[index]``: its status line, with headers or a blank line below it."""
    if not _STATUS.fullmatch(lines[index].rstrip()):
        return False
    below = lines[index + 1].strip() if index + 1 < len(lines) else ""
    return below in ("", "<") or _HEADER.fullmatch(below) is not None


def is_chatter(lines: Sequence[str]) -> bool:
    """All of it is what curl prints about its own doing."""
    return all(_CHATTER.fullmatch(line) for line in lines)


def end_of_answer(lines: Sequence[str], index: int) -> int:
    """Index after the answer that begins at ``index``: at the next one, at a prompt, or where its length says."""
    headers, start = _headers(lines, index + 1)
    length, size = headers.get("content-length", ""), 0
    for here in range(start, len(lines)):
        if is_answer(lines, here) or _TOOL_LINE.match(lines[here]):
            return here
        if length.isdigit() and size >= int(length) and not lines[here].strip():
            return here
        size += len(lines[here].encode("utf-8", "replace")) + 1
    return len(lines)


def answer(lines: Sequence[str], origin: Origin) -> tuple[Response, bool] | None:
    """The answer that ``lines`` are, and whether it came from Azure's management and not from the service.

    None for what precedes the real answer: ``100 Continue`` and a proxy's ``200 Connection established``.
    """
    found = _STATUS.fullmatch(lines[0].rstrip())
    if found is None or found["status"].startswith("1") or (found["phrase"] or "").lower() == "connection established":
        return None
    headers, start = _headers(lines, 1)
    body = "\n".join(lines[start:]).strip("\n")
    return _response(int(found["status"]), headers, body, origin), any(name in headers for name in _MANAGEMENT_HEADERS)


def quoted_answers(text: str, origin: Origin) -> Iterator[Response]:
    """Answers of the scoring service that the error text of an SDK or of a sample client quotes."""
    if "Response Code: " in text:
        yield from _answers_of_sdk(text.split("\n"), origin)
    for found in _SAMPLE_CLIENT.finditer(text):
        headers, start = _headers(found["rest"].split("\n"), 0)
        body = "\n".join(found["rest"].split("\n")[start:]).strip()
        yield _response(int(found["status"]), headers, body, _at(text, found.start(), origin))
    for found in _SERVICE_ITSELF.finditer(text):
        yield _response(int(found["status"]), {}, "", _at(text, found.start(), origin))


def _answers_of_sdk(lines: Sequence[str], origin: Origin) -> Iterator[Response]:
    """``Response Code``, ``Headers`` and ``Content`` on three lines, below the line that says who answered."""
    for index, line in enumerate(lines[:-2]):
        code = _CODE.search(line) if "Response Code: " in line else None
        headers, content = (
            (_HEADERS.match(lines[index + 1]), _CONTENT.match(lines[index + 2])) if code else (None, None)
        )
        if code and headers and content and _MANAGEMENT not in lines[index - 1]:
            pairs = {pair["name"].lower(): pair["value"] for pair in _PAIR.finditer(headers["headers"])}
            at = Origin(origin.source, origin.subject, origin.run, origin.line + index, origin.now)
            yield _response(int(code["status"]), pairs, _literal(content["body"]), at)


def _headers(lines: Sequence[str], start: int) -> tuple[Mapping[str, str], int]:
    """Headers by name in small letters, and the index of the first line of the body."""
    headers: dict[str, str] = {}
    for index in range(start, len(lines)):
        found = _HEADER.fullmatch(lines[index].strip())
        if found is None:
            return headers, index + 1 if lines[index].strip() in ("", "<") else index
        headers[found["name"].lower()] = found["value"]
    return headers, len(lines)


def _response(status: int, headers: Mapping[str, str], body: str, origin: Origin) -> Response:
    return Response(
        source=origin.source,
        subject=origin.subject,
        line=origin.line,
        time=moment(headers.get("date", "")),
        status=status,
        server=headers.get("server", ""),
        run_failed=headers.get("x-ms-run-function-failed", ""),
        content_type=headers.get("content-type", ""),
        body=body.encode("utf-8", "replace")[:_BODY_BYTES].decode("utf-8", "ignore"),
    )


def _at(text: str, offset: int, origin: Origin) -> Origin:
    return Origin(origin.source, origin.subject, origin.run, origin.line + text.count("\n", 0, offset), origin.now)


def _literal(text: str) -> str:
    """What a Python literal (``b'...'``) stands for; the text itself when it is none."""
    import ast

    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
