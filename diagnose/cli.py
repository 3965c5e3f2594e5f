"""The command line: options in, exit code out. Everything heavy is imported when a command runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from diagnose.model import Report
    from diagnose.pipeline import Settings
    from diagnose.render import Options

FORMATS = ("terminal", "json", "html", "markdown", "junit", "sarif", "github", "azure-devops")
"""Written here so that --help need not import the renderers; a test compares with them."""
LANGUAGES = ("en", "es")
SEVERITIES = ("info", "warning", "error", "critical")
COMPARISON_FORMATS = ("terminal", "json", "markdown")
PLACES = ("docker", "kubernetes", "aci", "endpoint", "azure")
_SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".xml": "junit",
    ".sarif": "sarif",
    ".txt": "terminal",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CALL = TypeVar("_CALL", bound=Callable[..., object])


class Services(click.Group):
    """A group whose unknown command is a service name: ``diagnose churn-model``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help", "-h", "--version"):
            args = ["service", *args]
        return super().parse_args(ctx, args)


def _duration(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds of ``90s``, ``10m``, ``2h`` or ``1d``."""
    if value is None:
        return None
    number, unit = value[:-1], value[-1:]
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit():
        raise click.BadParameter(f"{value!r} is no duration; write 90s, 10m, 2h or 1d")
    return float(number) * _UNITS[unit]


def _common(command: _CALL) -> _CALL:
    """The options that every command which reports has."""
    path = click.Path(path_type=Path)
    severity = click.Choice(SEVERITIES)
    wait = click.FloatRange(min=1)
    options = (
        click.option(
            "--format",
            "formats",
            type=click.Choice(FORMATS),
            multiple=True,
            help="May be given again. [default: terminal]",
        ),
        click.option(
            "-o",
            "--output",
            "outputs",
            type=path,
            multiple=True,
            help="File for the --format at the same place; without one its ending tells: .html, .json, .md, .sarif, "
            ".txt, .xml (JUnit).",
        ),
        click.option("--fail-on", type=severity, default="error", show_default=True, help="Exit with 1 from here on."),
        click.option(
            "--timeout",
            type=wait,
            default=30,
            show_default=True,
            metavar="SECONDS",
            help="For each service; a partial answer is still an answer.",
        ),
        click.option(
            "--since", callback=_duration, metavar="DURATION", help="Only log lines this young: 90s, 10m, 2h, 1d."
        ),
        click.option("--rules", type=path, multiple=True, metavar="DIR", help="Further rules, beside those that ship."),
        click.option("-q", "--quiet", is_flag=True, help="Only the verdict, the cause and the first fix."),
        click.option("-v", "--verbose", is_flag=True, help="All evidence, timings, the time line."),
        click.option("--no-color", is_flag=True, help="No colour; the variable NO_COLOR does the same."),
        click.option(
            "--lang", type=click.Choice(LANGUAGES), help="Language of the explanations. [default: the locale's]"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _in_azure(command: _CALL) -> _CALL:
    """The options that say where in Azure."""
    options = (
        click.option("-w", "--workspace", help="Azure Machine Learning workspace."),
        click.option("-g", "--resource-group", help="Azure resource group."),
        click.option("--subscription", help="Azure subscription."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=Services, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="diagnose", message="%(prog)s %(version)s")
def program() -> None:
    """Say why an ML model deployment fails, show the evidence, and how to fix it.

    \b
    diagnose SERVICE        look for it in Docker, Kubernetes and Azure, and say what is wrong
    diagnose analyze PATH   the same on saved logs, kubectl output and error texts
    diagnose collect        save the evidence of a service in one file, for analyze and compare
    diagnose compare        say what changed between two such files, or two reports
    diagnose demo           a recorded incident; needs nothing else

    Exit codes: 0 nothing wrong, 1 something found, 2 wrong usage, 3 could not look.
    """


@program.command("service", short_help="Diagnose services by name (the word may be left out).")
@click.argument("services", nargs=-1, required=True, metavar="SERVICE...")
@click.option("-n", "--namespace", help="Kubernetes namespace. [default: the context's, then all]")
@click.option("--context", help="Kubernetes context. [default: the current one]")
@_in_azure
@click.option("--on", type=click.Choice(PLACES), help="Only look there; aci, endpoint: in Azure, only that kind.")
@_common
def service_command(
    services: tuple[str, ...],
    namespace: str | None,
    context: str | None,
    subscription: str | None,
    resource_group: str | None,
    workspace: str | None,
    on: str | None,
    **common: object,
) -> None:
    """Look for SERVICE in the local Docker Engine, in Kubernetes and in Azure, and say what is wrong with it.

    Of several services, the one that needs somebody soonest comes first, and a cause they share is named once.

    In Azure: web services of SDK v1, online endpoints of v2, and container groups. Subscription, resource group and
    workspace come from these options, else from the environment, config.json or the Azure CLI's defaults.

    Nothing is changed and no request is sent to the service: inspect, get, list and logs are all it does.
    """
    from diagnose.pipeline import diagnose_each
    from diagnose.targets import Wanted

    wanted = [
        Wanted(
            service=service,
            namespace=namespace,
            context=context,
            subscription=subscription,
            resource_group=resource_group,
            workspace=workspace,
            on=on,
        )
        for service in services
    ]
    _reported(lambda settings: diagnose_each(wanted, settings, _progress(common)), common)


@program.command("analyze", short_help="Diagnose saved evidence: logs, kubectl output, error texts.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_common
def analyze_command(paths: tuple[str, ...], **common: object) -> None:
    """Diagnose saved evidence in files and folders; - is standard input.

    What a file is, is told from its content: container logs, build logs, kubectl get -o json|yaml, kubectl describe,
    tables of pods and events, docker inspect, HTTP responses, error texts of SDK and CLI, tracebacks. One folder, and
    one file, may mix them.
    """
    from diagnose.pipeline import analyze

    stdin = sys.stdin.buffer if "-" in paths else None
    _reported(lambda settings: [analyze(paths, settings, stdin)], common)


@program.command("collect", short_help="Save the evidence of a service, to be diagnosed elsewhere.")
@click.argument("service")
@click.option("-n", "--namespace", help="Kubernetes namespace. [default: the context's, then all]")
@click.option("--context", help="Kubernetes context. [default: the current one]")
@_in_azure
@click.option("--on", type=click.Choice(PLACES), help="Only look there; aci, endpoint: in Azure, only that kind.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to; the ending tells how: .json, .json.gz or .tar.gz.",
)
@click.option("--timeout", type=click.FloatRange(min=1), default=30, show_default=True, metavar="SECONDS")
@click.option("--since", callback=_duration, metavar="DURATION", help="Only log lines this young: 90s, 10m, 2h, 1d.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what was collected.")
def collect_command(
    service: str, output: Path, timeout: float, since: float | None, quiet: bool, **place: str | None
) -> None:
    """Find SERVICE as `diagnose SERVICE` does, and save what there is to read of it, secrets replaced, in one file.

    `diagnose analyze FILE` gives the same report anywhere, and `diagnose compare` tells what changed between two such
    files. Nobody but you may read the file. Exit codes: 0 saved, 2 wrong usage, 3 nothing could be read.
    """
    from diagnose.pipeline import Settings, save
    from diagnose.render.collected import lines
    from diagnose.targets import Wanted

    with _errors():
        settings = Settings(timeout_s=timeout, since_s=since)
        evidence = save(Wanted(service=service, **place), settings, output, _progress({"quiet": quiet}))
    for line in () if quiet else lines(evidence, str(output)):
        click.echo(line, err=True)
    sys.exit(0 if any(evidence.items.values()) or any(evidence.logs.values()) else 3)


@program.command("compare", short_help="Say what changed between two reports or collected files.")
@click.argument("before")
@click.argument("after")
@click.option("--format", "formats", type=click.Choice(COMPARISON_FORMATS), multiple=True, help="[default: terminal]")
@click.option("-o", "--output", "outputs", type=click.Path(path_type=Path), multiple=True, metavar="FILE")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True, help="Exit with 1 from here on."
)
@click.option("--rules", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="Further rules.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdicts and how much changed.")
@click.option("-v", "--verbose", is_flag=True, help="All of it, with where it can be looked up.")
@click.option("--no-color", is_flag=True, help="No colour; the variable NO_COLOR does the same.")
def compare_command(before: str, after: str, rules: tuple[Path, ...], **common: object) -> None:
    """Say which failures are new, still there and fixed from BEFORE to AFTER, and what was changed in between.

    Each is a file that `diagnose collect` saved, or a JSON report. Only what was collected tells of images, packages,
    environment, limits, probes, replicas, access policies and other settings: a report holds findings alone.

    Exit codes: 0 nothing new, 1 something new at or above --fail-on, 2 a file that cannot be used, 3 AFTER could not
    be judged.
    """
    from diagnose.pipeline import Settings, compared
    from diagnose.render.comparison import FORMATS as RENDERERS

    destinations = _destinations(common["formats"], common["outputs"])  # type: ignore[arg-type]
    for name, path in destinations:
        if name not in COMPARISON_FORMATS:
            raise click.UsageError(f"-o {path}: a comparison has no format {name}; give .json, .md or .txt")
    with _errors():
        comparison = compared(before, after, Settings(rules=rules))
    for name, path in destinations:
        _put(RENDERERS[name](comparison, _options(common)), path)
    sys.exit(comparison.exit_code(str(common["fail_on"])))


@program.command("vault", short_help="Show a key vault's access policies, and what a template would take from them.")
@click.argument("name")
@_in_azure
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Save policies and settings there.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE|TEMPLATE",
    help="A saved state: what was lost since. An ARM template: what it would take. Both: what it would take from that.",
)
@click.option("--timeout", type=click.FloatRange(min=1), default=30, show_default=True, metavar="SECONDS")
def vault_command(name: str, **options: object) -> None:
    """Show the access policies of key vault NAME, with names where they can be told, and who wrote it last.

    Nothing is ever written to the vault. Exit codes: 0 nothing is lost, 1 something is, 2 a file that cannot be used, 3
    the vault could not be read, or what would be lost cannot be decided.
    """
    from diagnose.vaults import Asked, inspect

    with _errors():
        answer = inspect(Asked(name=name, timeout_s=options.pop("timeout"), **options), _width())  # type: ignore[arg-type]
    click.echo(answer.text.encode("utf-8", "replace"), nl=False)
    sys.exit(answer.exit_code)


@program.command("demo", short_help="Diagnose a recorded incident that ships with the program.")
@click.argument("case", default="get-model-path")
@click.option("--list", "listed", is_flag=True, help="Name the recorded incidents.")
@_common
def demo_command(case: str, listed: bool, **common: object) -> None:
    """Diagnose a recorded incident. Needs no cluster, no Docker and no network."""
    from diagnose.pipeline import demo, demo_cases

    if listed:
        click.echo("\n".join(demo_cases()))
        return
    _reported(lambda settings: [demo(case, settings)], common)


@program.group("rules", short_help="List, show, test and write rules.")
def rules_group() -> None:
    """The known failures: one YAML file each."""


@rules_group.command("list")
@click.option("--stage", help="Only this stage.")
@click.option(
    "--rules", "directories", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="Further rules."
)
def rules_list(stage: str | None, directories: tuple[Path, ...]) -> None:
    """List the rules: id, severity, kind and title."""
    from diagnose import catalogue

    with _errors():
        click.echo(catalogue.listed(directories, stage))


@rules_group.command("show")
@click.argument("rule_id")
@click.option(
    "--rules", "directories", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="Further rules."
)
def rules_show(rule_id: str, directories: tuple[Path, ...]) -> None:
    """Show what a rule looks for, why it fails, and the fixes."""
    from diagnose import catalogue

    with _errors():
        click.echo(catalogue.shown(rule_id, directories))


@rules_group.command("test")
@click.argument("path", required=False, type=click.Path(path_type=Path))
def rules_test(path: Path | None) -> None:
    """Run the examples of the rules in PATH (a file or folder), or of those that ship."""
    from diagnose import catalogue

    with _errors():
        text, holds = catalogue.tested(path)
    click.echo(text)
    if not holds:
        sys.exit(1)


@rules_group.command("new")
@click.argument("rule_id")
@click.option(
    "--in",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("rules"),
    show_default=True,
    help="Folder of the rules.",
)
def rules_new(rule_id: str, directory: Path) -> None:
    """Write the skeleton of a rule, with examples to fill in."""
    from diagnose import catalogue

    with _errors():
        click.echo(f"wrote {catalogue.begun(rule_id, directory)}; fill it in, then: diagnose rules test {directory}")


@rules_group.command("schema")
@click.option("--report", is_flag=True, help="That of the JSON report instead, for programs that read it.")
def rules_schema(report: bool) -> None:
    """Print the JSON Schema of rule files, for editors."""
    from diagnose import catalogue

    click.echo(catalogue.report_schema() if report else catalogue.json_schema())


class _errors:  # noqa: N801 - reads as a statement: with _errors()
    """Turns an error the user can act on into its lines and its exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from diagnose.errors import DiagnoseError

        if isinstance(error, DiagnoseError):
            _end(str(error), error.exit_code)


def _end(message: str, code: int) -> NoReturn:
    from diagnose.redact import Redactor
    from diagnose.render.plain import plain

    for line in Redactor().text(message).splitlines():
        click.echo(f"diagnose: {plain(line)}", err=True)
    sys.exit(code)


def _reported(run: Callable[[Settings], Sequence[Report]], common: dict[str, object]) -> None:
    """Run, write every format where it was asked for, and end with the exit code of the gravest report."""
    from diagnose.language import choose
    from diagnose.pipeline import Settings

    choose(common["lang"])  # type: ignore[arg-type]
    with _errors():
        reports = run(Settings(rules=common["rules"], timeout_s=common["timeout"], since_s=common["since"]))  # type: ignore[arg-type]
        _write(reports, common)
    codes = {_exit_code(report, str(common["fail_on"])) for report in reports}
    sys.exit(next(code for code in (1, 3, 0) if code in codes))


def _exit_code(report: Report, threshold: str) -> int:
    from diagnose.model import Verdict
    from diagnose.outcome import fails

    if fails(report, threshold):
        return 1
    return 3 if report.verdict is Verdict.UNKNOWN else 0


def _write(reports: Sequence[Report], common: dict[str, object]) -> None:
    from diagnose.render import FORMATS as RENDERERS

    for name, path in _destinations(common["formats"], common["outputs"]):  # type: ignore[arg-type]
        text = RENDERERS[name].render_all(reports, _options(common))
        _put(text if path or name == "azure-devops" else _without_commands(text), path)


def _without_commands(text: str) -> str:
    """An agent of Azure Pipelines runs what follows ``##vso[`` anywhere on the screen, a quoted log line included."""
    return text.replace("##vso[", "## vso[") if os.environ.get("TF_BUILD") else text


def _options(common: dict[str, object]) -> Options:
    from diagnose.render import Options

    return Options(
        colour=not common["no_color"] and not os.environ.get("NO_COLOR") and sys.stdout.isatty(),
        width=_width(),
        verbose=bool(common["verbose"]),
        quiet=bool(common["quiet"]),
        fail_on=str(common["fail_on"]),
    )


def _put(text: str, path: Path | None) -> None:
    if path is None:
        click.echo(text.encode("utf-8", "replace"), nl=False)
    else:
        _save(path, text)


def _destinations(formats: Sequence[str], outputs: Sequence[Path]) -> list[tuple[str, Path | None]]:
    """Each format with its file; without a format files go by their endings, and the screen has the report too."""
    pairs: list[tuple[str, Path | None]] = []
    for number, path in enumerate(outputs):
        name = formats[number] if number < len(formats) else _SUFFIXES.get(path.suffix.lower())
        if name is None:
            raise click.UsageError(f"-o {path}: its ending tells no format; give --format")
        pairs.append((name, path))
    pairs += [(name, None) for name in formats[len(outputs) :]]
    return pairs if formats else [("terminal", None), *pairs]


def _save(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        _end(f"{path}: cannot be written: {error.strerror}; give another file with -o", 2)
    click.echo(f"wrote {path}", err=True)


def _width() -> int:
    import shutil

    return max(60, min(200, shutil.get_terminal_size((80, 24)).columns))


def _progress(common: dict[str, object]) -> Callable[[str], None]:
    """Says on standard error what goes on, when somebody watches."""
    if common["quiet"] or not sys.stderr.isatty():
        return lambda _text: None
    from diagnose.render.plain import plain

    return lambda text: click.echo(f"\r\x1b[K{plain(text)}{' ...' if text else ''}", nl=False, err=True)


def main() -> None:
    """The entry point: an error of ours costs one line, not a traceback (``DIAGNOSE_DEBUG=1`` shows it)."""
    try:
        program(prog_name="diagnose")
    except Exception as error:
        if os.environ.get("DIAGNOSE_DEBUG"):
            raise
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        _end(
            f"internal error: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}; please report it", 3
        )
