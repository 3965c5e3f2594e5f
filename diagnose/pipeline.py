"""target -> collect -> evidence -> match -> findings -> rank -> report, on one page."""

from __future__ import annotations

import difflib
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from diagnose import bundle, facts, packing
from diagnose.collectors import Limits
from diagnose.engine.load import RuleBook, database, load
from diagnose.engine.report import report
from diagnose.engine.scan import sieve
from diagnose.errors import DiagnoseError, InputError
from diagnose.model import Collection, Evidence, Log, Missing, Report, Target, Why
from diagnose.redact import Redactor, secret_patterns
from diagnose.streams import STREAMS
from diagnose.targets import Candidate, Finder, Found, Unsearched, Wanted, finders

if TYPE_CHECKING:
    from diagnose.compare.model import Comparison, Side

_T = TypeVar("_T")
_GRACE_S = 0.5
"""What a source may take beyond the deadline to hand over what it has."""
_PACKAGES = ("azure-identity", "azure-mgmt-keyvault", "docker", "kubernetes", "hyperscan", "google-re2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options say."""

    rules: tuple[Path, ...] = ()
    timeout_s: float = 30.0
    since_s: float | None = None

    def limits(self) -> Limits:
        """The limits of a run that begins now."""
        return Limits(deadline=time.monotonic() + self.timeout_s, since_s=self.since_s)


class NotFoundError(DiagnoseError):
    """The service is nowhere that could be searched; the text says what is near and what could not be searched."""


def diagnose(wanted: Wanted, settings: Settings, progress: Callable[[str], None]) -> Report:
    """Find the service, collect, judge. Raises NotFoundError, RuleError, InputError."""
    book = _book(settings)
    return judged(book, collect(wanted, settings, progress))


def diagnose_each(wanted: Sequence[Wanted], settings: Settings, progress: Callable[[str], None]) -> tuple[Report, ...]:
    """A report of each service, one after the other; of one that is nowhere too, which says so.

    Raises NotFoundError when a single one is wanted and not there, RuleError, InputError.
    """
    if len(wanted) == 1:
        return (diagnose(wanted[0], settings, progress),)
    return tuple(_one_of_several(one, settings, progress) for one in wanted)


def _one_of_several(wanted: Wanted, settings: Settings, progress: Callable[[str], None]) -> Report:
    try:
        return diagnose(wanted, settings, lambda text: progress(f"{wanted.service}: {text}" if text else ""))
    except NotFoundError as error:
        what, _, more = str(error).partition("\n")
        gap = Missing(stream="containers", why=Why.NOT_FOUND, what=what, needs=" ".join(more.split()))
        target = Target(service=wanted.service, kind=wanted.on or "nowhere")
        return judged(_book(settings), admitted(target, Collection(missing=(gap,))))


def collect(wanted: Wanted, settings: Settings, progress: Callable[[str], None]) -> Evidence:
    """Find the service and read what there is to read, its secrets replaced. Raises NotFoundError."""
    limits = settings.limits()
    try:
        progress("looking for the service")
        candidate = _choice(wanted, _search(wanted, limits))
        progress(f"reading {candidate.target.where}")
        collection = _collected(candidate, limits)
    finally:
        progress("")
    return admitted(candidate.target, collection)


def save(wanted: Wanted, settings: Settings, path: Path, progress: Callable[[str], None]) -> Evidence:
    """Find the service, and save what there is to read of it at ``path``. Raises NotFoundError, InputError."""
    packing.check_target(path)
    evidence = collect(wanted, settings, progress)
    packing.write(path, bundle.saved(evidence))
    return evidence


def analyze(paths: Sequence[str], settings: Settings, stdin: BinaryIO | None = None) -> Report:
    """Judge saved evidence. Raises InputError for paths that cannot be used, RuleError."""
    from diagnose.collectors.files import collect_files

    book = _book(settings)
    if (evidence := _saved_evidence(paths)) is not None:
        return judged(book, evidence)

    def sifted(path: Path, stream: str) -> Log:
        return sieve(path, stream, str(path), book.patterns, book.context)

    collection = collect_files(paths, settings.limits(), stdin, sifted)
    name = Path(paths[0]).name if len(paths) == 1 and paths[0] != "-" else "saved evidence"
    notes = ("--since does not apply: saved files are read whole",) if settings.since_s is not None else ()
    target = Target(
        service=name or "saved evidence", kind="files", where=", ".join(paths), objects=tuple(paths), notes=notes
    )
    return judged(book, admitted(target, collection))


def _saved_evidence(paths: Sequence[str]) -> Evidence | None:
    """Evidence that this program saved, when that is what the only path holds. Raises InputError for one of several."""
    bundles = [
        path for path in paths if Path(path).is_file() and bundle.FORMAT.encode() in packing.beginning(path, 100)
    ]
    if bundles and len(paths) > 1:
        raise InputError(
            f"{bundles[0]}: a bundle is read when it is named alone; two are compared by: diagnose compare"
        )
    return bundle.loaded(packing.contents(bundles[0]), bundles[0]) if bundles else None


def compared(before: str, after: str, settings: Settings) -> Comparison:
    """Compare two files, each a bundle or a JSON report. Raises InputError for anything else, RuleError."""
    from diagnose.compare import compare

    book = _book(settings)
    return compare(_side(before, book), _side(after, book))


def _side(path: str, book: RuleBook) -> Side:
    from diagnose.compare import reports

    data = packing.contents(path)
    match reports.schema_of(data):
        case reports.SCHEMA:
            return reports.loaded(data, path)
        case bundle.FORMAT:
            evidence = facts.derived(bundle.loaded(data, path))
            told = report(book, evidence, _versions(book))
            return reports.side_of(told, path, evidence, frozenset(book.by_id))
    wanted = "what `diagnose collect` or --format json wrote"
    raise InputError(f"{path}: is neither saved evidence nor a JSON report of diagnose; name {wanted}")


def demo(case: str, settings: Settings) -> Report:
    """Judge a recorded incident that ships with the package. Raises InputError for a case there is not."""
    cases = demo_cases()
    if case not in cases:
        raise InputError(f"no demo {case!r}; there are {', '.join(cases)}")
    evidence = bundle.loaded(files("diagnose").joinpath("demo", f"{case}.json").read_bytes(), case)
    return judged(_book(settings), evidence)


def demo_cases() -> list[str]:
    """Names of the recorded incidents."""
    return sorted(path.name.removesuffix(".json") for path in files("diagnose").joinpath("demo").iterdir())


def admitted(target: Target, collection: Collection) -> Evidence:
    """The door: nothing that a collector brought is shown, saved or matched before its secrets are replaced."""
    redactor = Redactor(database(secret_patterns()))
    return Evidence(
        target=redactor.value(target),
        items={stream: redactor.value(items) for stream, items in collection.items.items()},
        logs={stream: redactor.value(logs) for stream, logs in collection.logs.items()},
        missing=redactor.value(collection.missing),
        collected=collection.collected,
        redactions=dict(redactor.counts),
        now=collection.now,
    )


def judged(book: RuleBook, evidence: Evidence) -> Report:
    """The report on redacted evidence."""
    return report(book, facts.derived(evidence), _versions(book))


def _book(settings: Settings) -> RuleBook:
    return load(settings.rules, facts.TEXTS)


def _versions(book: RuleBook) -> dict[str, str]:
    known = {"diagnose": version("diagnose"), "python": platform.python_version(), "rules": str(len(book.rules))}
    for package in _PACKAGES:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known


def _search(wanted: Wanted, limits: Limits) -> list[Found]:
    """What the places answered, those where the user gave no reason to look only when the others know nothing."""
    chosen = [finder for finder in finders() if wanted.on is None or wanted.on in finder.places]
    expected = [finder for finder in chosen if wanted.on or finder.expected(wanted)]
    found = _asked(expected, wanted, limits)
    if any(one.candidates for one in found) or limits.stop.is_set():
        return found
    return [*found, *_asked([finder for finder in chosen if finder not in expected], wanted, limits)]


def _asked(chosen: Sequence[Finder], wanted: Wanted, limits: Limits) -> list[Found]:
    """What each answered, asked side by side; a place that breaks or hangs is one that could not be searched."""
    waiting = [(finder.places[0], _begun(partial(finder.find, wanted, limits))) for finder in chosen]
    found: list[Found] = []
    for place, result in waiting:
        try:
            found.append(result.result(max(0.0, limits.deadline - time.monotonic()) + _GRACE_S))
        except TimeoutError:
            found.append(_unreachable(place, "did not answer in time", "allow more with --timeout"))
        except KeyboardInterrupt:
            limits.stop.set()
            found.append(_unreachable(place, "the search was interrupted", "let it end"))
        except Exception as error:  # noqa: BLE001 - a finder that breaks costs its own place, not the run
            found.append(_unreachable(place, f"the search broke: {type(error).__name__}", "please report this"))
    return found


def _unreachable(place: str, why: str, remedy: str) -> Found:
    return Found(place=place, reachable=False, unsearched=(Unsearched(place=place, why=why, remedy=remedy),))


def _collected(candidate: Candidate, limits: Limits) -> Collection:
    """What the place has to say; Ctrl-C and the deadline end the collection, not the run."""
    result = _begun(partial(candidate.collect, limits))
    try:
        return result.result(max(0.0, limits.deadline - time.monotonic()) + _GRACE_S)
    except KeyboardInterrupt:
        limits.stop.set()
        return _partial(result, candidate.target, "interrupted")
    except TimeoutError:
        return _partial(result, candidate.target, "not done in time")
    except Exception as error:  # noqa: BLE001 - a collector that breaks costs its own answer, not the run
        return _nothing(
            candidate.target, Why.FAILED, f"the collector broke: {type(error).__name__}", "please report this"
        )


def _begun(work: Callable[[], _T]) -> Future[_T]:
    """``work`` on a daemon thread: what hangs holds up neither the run nor the end of the program."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _partial(result: Future[Collection], target: Target, why: str) -> Collection:
    """What a collector hands over once it was told to stop."""
    try:
        return result.result(_GRACE_S)
    except TimeoutError:
        return _nothing(target, Why.TIMED_OUT, why, "allow more with --timeout")


def _nothing(target: Target, why: Why, what: str, needs: str) -> Collection:
    streams = ("containers", "logs.container")
    return Collection(
        missing=tuple(
            Missing(stream=name, why=why, what=f"{STREAMS[name].title} of {target.service}: {what}", needs=needs)
            for name in streams
        )
    )


def _choice(wanted: Wanted, found: Sequence[Found]) -> Candidate:
    """The candidate to look at: of several the first that is unwell. Raises NotFoundError."""
    candidates = _joined([candidate for one in found for candidate in one.candidates])
    candidates = [candidate for candidate in candidates if not candidate.unseen] or candidates
    if not candidates:
        raise NotFoundError(_not_found(wanted, found))
    taken = next((candidate for candidate in candidates if candidate.unwell), candidates[0])
    others = [candidate.target.where for candidate in candidates if candidate is not taken]
    notes = [f"also found in {where}" for where in others]
    if others:
        why = "something is wrong there" if taken.unwell else "nothing is wrong in either"
        notes.append(f"taken: {taken.target.where}, because {why}; choose with --on, --namespace or --context")
    unsearched = [f"not searched: {gap.place}: {gap.why}; {gap.remedy}" for one in found for gap in one.unsearched]
    target = replace(taken.target, notes=(*taken.target.notes, *notes, *unsearched))
    return replace(taken, target=target)


def _joined(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Two accounts of one service, Azure's and the cluster's, as one candidate."""
    for one in candidates:
        for other in candidates if one.join else ():
            both = one.join(other) if one.join and other is not one else None
            if both is not None:
                return [both, *(rest for rest in candidates if rest is not one and rest is not other)]
    return list(candidates)


def _not_found(wanted: Wanted, found: Sequence[Found]) -> str:
    gaps = [f"  {gap.place}: {gap.why}; {gap.remedy}" for one in found for gap in one.unsearched]
    if not any(one.reachable for one in found):
        return "\n".join(["nothing could be searched:", *gaps])
    names = dict.fromkeys(name for one in found for name in one.names)
    near = difflib.get_close_matches(wanted.service, list(names), n=3, cutoff=0.5)
    places = " and ".join(one.place for one in found if one.reachable)
    lines = [f"no service {wanted.service!r} in {places}"]
    if near:
        lines.append(f"did you mean {' or '.join(near)}?")
    elif names:
        lines.append(f"there are: {', '.join(list(names)[:10])}{' ...' if len(names) > 10 else ''}")
    return "\n".join([*lines, *(["not searched:", *gaps] if gaps else [])])
