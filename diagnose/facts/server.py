"""What a model server's log tells of its own life: boots, init(), readiness, killed workers, requests, and how it ends.

Wordings are those of gunicorn 19 to 27, the Azure ML v1 server, azmlinfsrv 0.8 to 1.5, uvicorn, Triton and TorchServe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from diagnose.lines import bare, stamp
from diagnose.model import Chunk, Log
from diagnose.streams import ServerRun

MARKS: Mapping[str, tuple[str, ...]] = {
    "boot": ("Booting worker with pid", "Started server process ["),
    "invoked": ("Invoking user's init function",),
    "completed": ("init has completed successfully",),
    "init_failed": ("User's init function failed",),
    "ready": (
        "ready for serving traffic",
        "Application startup complete",
        "Started HTTPService at",
        "Inference Bind address",
    ),
    "failed": (
        "Worker failed to boot",
        "Application startup failed",
        "is not normal. Killing image",
        "exited with code 3",
    ),
    "killed": ("was sent SIGKILL!", "was terminated due to signal 9"),
    "timeout": ("WORKER TIMEOUT (pid:",),
    "stop": ("Handling signal: term", "Shutting down: Master", "Finished server process ["),
}
"""Literal texts by what they say."""

_ACCESS = re.compile(r'"(?P<method>GET|POST|PUT) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3})')
_PLAIN_ACCESS = re.compile(r"azmlinfsrv - POST (?P<path>\S+) (?P<status>\d{3}) ")
_HEALTH = ("/", "/healthz", "/health", "/ping", "/livez", "/readyz")
_SETTINGS = {
    "entry_script": re.compile(r"^(?:\S+Z )?Entry Script Name: (\S+)", re.M),
    "model_dir": re.compile(r"^(?:\S+Z )?Model Directory: (\S+)", re.M),
    "listening": re.compile(r"Listening at: https?://([\w.:\[\]*]+?:\d+)"),
    "version": re.compile(r"Azure ML Inferencing HTTP server v([\w.]+)"),
    "worker_timeout_s": re.compile(r"Worker Timeout \(seconds\): (\d+)|worker timeout is set to (\d+)"),
}
_CONTENTS = "Model Directory Contents:"
_CONTENTS_LINE = re.compile(r"azmlinfsrv - (.+)$")
_CONTENTS_SHOWN = 50


def server_runs(log: Log) -> list[ServerRun]:
    """One fact about the server that wrote ``log``; none when nothing in it looks like a server."""
    marks = sorted((mark for chunk in log.chunks for mark in _marks(chunk)), key=lambda mark: mark[0])
    requests = [request for chunk in log.chunks for request in _requests(chunk)]
    counts = {name: sum(1 for _, kind, _ in marks if kind == name) for name in MARKS}
    if not marks and not requests:
        return []
    scores = [status for path, status in requests if path not in _HEALTH]
    settings = _settings(log)
    timeout = settings.get("worker_timeout_s")
    return [
        ServerRun(
            source=log.source,
            subject=log.subject,
            line=_telling_line(marks),
            run=log.run,
            boots=counts["boot"],
            init_invoked=counts["invoked"],
            init_completed=counts["completed"],
            init_failed=counts["init_failed"],
            ready=counts["ready"],
            killed=counts["killed"],
            timeouts=counts["timeout"],
            served=sum(200 <= status < 300 for status in scores),
            failed=sum(status >= 500 for status in scores),
            failed_last=bool(scores) and scores[-1] >= 500,
            ready_line=max((n for n, kind, _ in marks if kind in ("ready", "completed")), default=None),
            probed=sum(path in _HEALTH and status == 200 for path, status in requests),
            ends=_ending([kind for _, kind, _ in marks], serving=bool(requests)),
            init_s=_init_seconds(log, marks),
            model_dir_contents=_contents(log),
            worker_timeout_s=float(timeout) if timeout else None,
            entry_script=settings.get("entry_script", ""),
            model_dir=settings.get("model_dir", ""),
            listening=settings.get("listening", ""),
            version=settings.get("version", ""),
        )
    ]


def _marks(chunk: Chunk) -> Iterator[tuple[int, str, str]]:
    """(line number, what it says, the line) of every mark in a chunk."""
    for kind, texts in MARKS.items():
        for text in texts:
            position = chunk.text.find(text)
            while position >= 0:
                start = chunk.text.rfind("\n", 0, position) + 1
                end = chunk.text.find("\n", position)
                end = end if end >= 0 else len(chunk.text)
                yield chunk.first_line + chunk.text.count("\n", 0, start), kind, chunk.text[start:end]
                position = chunk.text.find(text, end)


def _telling_line(marks: list[tuple[int, str, str]]) -> int | None:
    """The line worth quoting for the run as a whole: where it last went wrong, else its last mark."""
    wrong = [number for number, kind, _ in marks if kind in ("failed", "killed", "timeout", "init_failed")]
    telling = wrong or [number for number, _, _ in marks]
    return telling[-1] if telling else None


def _ending(kinds: list[str], *, serving: bool) -> str:
    """How the run ends; being stopped before init() is through counts as ``initialising``."""
    last = {kind: position for position, kind in enumerate(kinds)}
    ready = max(last.get("ready", -1), last.get("completed", -1))
    failed = max(last.get("failed", -1), last.get("init_failed", -1))
    begun = max(last.get("boot", -1), last.get("invoked", -1))
    if failed > ready and failed > begun:
        return "failed"
    if begun > ready and not (serving and "invoked" not in last):
        return "initialising"
    if ready >= 0 or serving:
        return "stopped" if last.get("stop", -1) > max(ready, begun) else "ready"
    return "unknown"


def _requests(chunk: Chunk) -> Iterator[tuple[str, int]]:
    """(path, status) of every request an access log shows."""
    if "HTTP/1" in chunk.text or "HTTP/2" in chunk.text:
        for found in _ACCESS.finditer(chunk.text):
            yield found["path"].partition("?")[0], int(found["status"])
    elif "azmlinfsrv - POST" in chunk.text:
        for found in _PLAIN_ACCESS.finditer(chunk.text):
            yield found["path"].partition("?")[0], int(found["status"])


def _settings(log: Log) -> dict[str, str]:
    """What the server printed about itself; ``None`` as printed counts as not set."""
    found: dict[str, str] = {}
    for name, pattern in _SETTINGS.items():
        for chunk in log.chunks:
            if match := pattern.search(chunk.text):
                value = next(group for group in match.groups() if group)
                if value != "None":
                    found[name] = value
                break
    return found


def _contents(log: Log) -> tuple[str, ...]:
    """The lines under the last ``Model Directory Contents:`` (azmlinfsrv prints them after a failed init())."""
    for chunk in reversed(log.chunks):
        position = chunk.text.rfind(_CONTENTS)
        if position < 0:
            continue
        shown: list[str] = []
        for line in chunk.text[position:].split("\n")[1 : _CONTENTS_SHOWN + 1]:
            found = _CONTENTS_LINE.search(bare(line))
            if found is None:
                break
            shown.append(found[1].rstrip("\r"))
        return tuple(shown)
    return ()


def _init_seconds(log: Log, marks: list[tuple[int, str, str]]) -> float | None:
    """From the last call of init() to its completion, or to the last time stamp of the log."""
    calls = [(number, stamp(line)) for number, kind, line in marks if kind == "invoked"]
    if not calls or calls[-1][1] is None:
        return None
    number, begun = calls[-1]
    done = next((stamp(line) for at, kind, line in marks if kind == "completed" and at > number), None)
    end = done or next((moment for line in reversed(_tail(log)) if (moment := stamp(line))), None)
    return (end - begun).total_seconds() if end and begun and end >= begun else None


def _tail(log: Log) -> list[str]:
    return log.chunks[-1].text[-64 * 1024 :].split("\n") if log.chunks else []
