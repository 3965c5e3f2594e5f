"""Python tracebacks in logs as facts: what was raised, where in the user's own code, and in which phase of serving.

The shapes are those of CPython 3.6 to 3.13, of IPython, and of the Azure ML servers, v1 and azmlinfsrv 0.8 to 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from diagnose.lines import bare, numbered, stamp
from diagnose.model import Log
from diagnose.streams import Traceback

HEADER = "Traceback (most recent call last)"
RECOVERY = ("init has completed successfully", "ready for serving traffic", "Application startup complete")
DOOM = ("Worker failed to boot", "Application startup failed", "Worker exiting", "Killing image", "exited with code")

_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*)|:)?$")
_NOTEBOOK_FRAME = re.compile(r"(?P<file>\S+) in (?P<function>\S+?)\(")
_NOTEBOOK_ARROW = re.compile(r"-+> (?P<line>\d+) (?P<code>.*)")
_DIRECT = "The above exception was the direct cause of the following exception:"
_DURING = "During handling of the above exception, another exception occurred:"
_QUIET = re.compile(r" [WID] \[\d+\]|\| (?:WARNING|INFO|DEBUG) \||\[(?:WARNING|INFO|DEBUG)\]|^(?:WARNING|INFO|DEBUG)\b")
_WARNING = re.compile(r" W \[\d+\]|\| WARNING \||\[WARNING\]|^WARNING\b")
_NEW_RECORD = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:|\[\d{4}-\d\d-\d\d |Worker exiting|\d+\.\d+\.\d+\.\d+ - ")
_LIBRARY = re.compile(
    r"site-packages|dist-packages|/lib(?:64)?/python\d|^<(?!string>|stdin>|ipython)|/var/azureml-server/|\.pyx$|/s?bin/[\w.-]+$|mlflow_score_script"
)
_SERVER_WRAPPERS = ("UserScript", "RunFunctionException", "TimeoutException", "WebserviceException")
_PHASES = (
    ("init", re.compile(r"_user_init\(|driver_module\.init\(|main\.init\(")),
    ("run", re.compile(r"_user_run\(|driver_module\.run\(|user_main\.run\(|self\.wsgi\(|invoke_run\(")),
    ("import", re.compile(r"exec_module\((?:user|driver)_module\)|UserScriptImportException")),
)
_FUNCTIONS = {"init": "init", "load": "init", "__init__": "init", "initialize": "init"} | {
    "run": "run",
    "predict": "run",
    "handle": "run",
    "execute": "run",
}
"""Phases by the user's own function: Azure ML, KServe, Seldon, TorchServe and Triton call these."""
_REQUEST_FUNCTIONS = ("run_endpoint_function", "dispatch_request", "run_asgi", "full_dispatch_request")
"""Functions of FastAPI, Starlette, Flask and uvicorn that only run while a request is answered."""
_START_FUNCTIONS = ("lifespan", "startup", "_startup", "import_from_string", "import_app")
"""Functions of Starlette, uvicorn and gunicorn that only run while the server starts."""
_ONE_LINE = ("ModuleNotFoundError", "FileNotFoundError", "PermissionError", "ImportError", "KeyError", "NameError")
"""Python's own messages of one line: what follows them is the next thing the program printed."""
_MESSAGE_LINES = 20
_RECORD_LINES = 400
"""Lines read for one traceback: a recursion error prints about 2,000 frames but folds them after three."""


@dataclass(frozen=True, slots=True)
class _Frame:
    file: str
    line: int
    function: str
    code: str = ""


@dataclass(slots=True)
class _Part:
    """One traceback of a chain."""

    link: str = ""
    frames: list[_Frame] = field(default_factory=list)
    exception: str = ""
    message: list[str] = field(default_factory=list)


def tracebacks(log: Log) -> list[Traceback]:
    """Every traceback in ``log``, chains folded into one fact whose ``line`` is its first header's."""
    if not any(HEADER in chunk.text for chunk in log.chunks):
        return []
    lines = [(number, bare(line), line) for number, line in numbered(log)]
    found: list[Traceback] = []
    index = 0
    while index < len(lines):
        if HEADER not in lines[index][1]:
            index += 1
            continue
        parts, after = _chain([text for _, text, _ in lines[index : index + _RECORD_LINES]])
        if parts:
            found.append(_fact(log, lines, index, index + after, parts))
        index += max(after, 1)
    return found


def _chain(lines: Sequence[str]) -> tuple[list[_Part], int]:
    """The parts of the chain that begins at ``lines[0]``, and the number of lines it takes."""
    parts: list[_Part] = []
    index, link = 0, ""
    while index < len(lines) and HEADER in lines[index]:
        part, used = _part(lines[index:])
        if part is None:
            break
        part.link = link
        parts.append(part)
        index += used
        ahead = next((n for n in range(index, min(index + 3, len(lines))) if lines[n].strip()), None)
        if ahead is None or lines[ahead].strip() not in (_DIRECT, _DURING):
            break
        link = lines[ahead].strip()
        index = next((n for n in range(ahead + 1, min(ahead + 4, len(lines))) if HEADER in lines[n]), len(lines))
    return parts, index


def _part(lines: Sequence[str]) -> tuple[_Part | None, int]:
    """One traceback from its header on, and the number of lines it takes; None when the log ends within it."""
    part = _Part()
    notebook = not lines[0].endswith(HEADER + ":")
    for index in range(1, len(lines)):
        line = lines[index]
        if frame := _FRAME.match(line):
            code = lines[index + 1].strip() if index + 1 < len(lines) and lines[index + 1].startswith("    ") else ""
            part.frames.append(_Frame(frame["file"], int(frame["line"]), (frame["function"] or "").strip(), code))
        elif notebook and (frame := _NOTEBOOK_FRAME.match(line)):
            part.frames.append(_Frame(frame["file"], 0, frame["function"]))
        elif notebook and (arrow := _NOTEBOOK_ARROW.match(line)) and part.frames:
            last = part.frames[-1]
            part.frames[-1] = _Frame(last.file, int(arrow["line"]), last.function, arrow["code"].strip())
        elif line[:1].strip() and (raised := _EXCEPTION.match(line)) and (part.frames or not notebook):
            part.exception = raised["name"]
            further = [] if raised["name"] in _ONE_LINE else _continuation(lines[index + 1 :])
            part.message = [raised["message"] or "", *further]
            return part, index + len(part.message)
        elif line[:1].strip() and _NEW_RECORD.match(line):
            return None, index
    return None, len(lines)


def _continuation(lines: Sequence[str]) -> list[str]:
    """Further lines of a message: up to a blank line, the next log record or the next traceback."""
    kept: list[str] = []
    for line in lines[: _MESSAGE_LINES - 1]:
        if not line.strip() or _NEW_RECORD.match(line) or HEADER in line or line.startswith(("Worker ", "Exception ")):
            break
        kept.append(line)
    return kept


def _origin(parts: Sequence[_Part]) -> _Part:
    """The part that tells what really happened: not the server's wrapper around it, nor an error of handling it."""
    own = [part for part in parts if not any(word in part.exception for word in _SERVER_WRAPPERS)] or list(parts[:1])
    last = own[-1]
    while last.link == _DIRECT and parts.index(last) > 0 and parts[parts.index(last) - 1] in own:
        last = parts[parts.index(last) - 1]
    return last


def _user_frame(parts: Sequence[_Part]) -> _Frame | None:
    """The deepest frame of the user's own code, looked for in the innermost part first."""
    for part in parts:
        own = [f for f in part.frames if not _LIBRARY.search(f.file) and "driver_module" not in f.code]
        if own:
            return own[-1]
    return None


def _phase(parts: Sequence[_Part], user: _Frame | None) -> str:
    for phase, mark in _PHASES:
        if any(mark.search(frame.code) for part in parts for frame in part.frames):
            return phase
        if any(mark.search(part.exception) for part in parts):
            return phase
    if user is None:
        return "server" if any("server" in f.file for part in parts for f in part.frames) else "other"
    called = [f.function for part in parts for f in part.frames]
    own = [f.function for part in parts for f in part.frames if not _LIBRARY.search(f.file)]
    if any(name in _REQUEST_FUNCTIONS for name in called):
        return "run"
    named = next((_FUNCTIONS[name] for name in own if name in _FUNCTIONS), "")
    if named or "<module>" in own:
        return named or "import"
    return "init" if any(name in _START_FUNCTIONS for name in called) else "other"


def _fact(log: Log, lines: Sequence[tuple[int, str, str]], start: int, end: int, parts: Sequence[_Part]) -> Traceback:
    origin = _origin(parts)
    user = _user_frame([origin, *parts])
    deepest = origin.frames[-1] if origin.frames else None
    rest = [text for _, text, _ in lines[end:]]
    phase = _phase(parts, user)
    recovered = phase != "run" and any(mark in line for line in rest for mark in RECOVERY)
    return Traceback(
        source=log.source,
        subject=log.subject,
        line=lines[start][0],
        time=_time(lines, start),
        exception=origin.exception,
        message="\n".join(origin.message),
        phase=phase,
        file=user.file if user else "",
        file_line=user.line if user else None,
        function=user.function if user else "",
        code=user.code if user else "",
        raised_in=deepest.file if deepest else "",
        raised_line=deepest.line if deepest else None,
        raised_function=deepest.function if deepest else "",
        wrapped_by=tuple(part.exception for part in parts if part is not origin),
        logged_as=_logged_as(lines, start),
        fatal=not recovered and (any(m in line for line in rest[:40] for m in DOOM) or not any(map(str.strip, rest))),
        recovered=recovered,
        stream=log.stream,
        run=log.run,
    )


def _time(lines: Sequence[tuple[int, str, str]], start: int) -> datetime | None:
    return next(
        (moment for _, _, raw in reversed(lines[max(0, start - 3) : start + 1]) if (moment := stamp(raw))), None
    )


def _logged_as(lines: Sequence[tuple[int, str, str]], start: int) -> str:
    """``warning`` when the record the traceback hangs on, on its own line or the one before, is no error.

    Of the line before only a warning counts: an uncaught exception often follows an unrelated INFO line.
    """
    header = lines[start][1]
    if not header.startswith("Traceback"):
        return "warning" if _QUIET.search(header) else "error"
    before = next((text for _, text, _ in reversed(lines[max(0, start - 2) : start]) if text.strip()), "")
    return "warning" if _WARNING.search(before) else "error"
