"""Parts around a service in saved answers of Azure: registry, cluster, compute, builds, requests, the own check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from diagnose.azure_items import ImageBuild
from diagnose.collectors.azure import build_answers, workspaces
from diagnose.collectors.azure.answers import part, text, versioned
from diagnose.collectors.azure.clusters import cluster_of
from diagnose.collectors.azure.computes import compute_of
from diagnose.collectors.azure.metrics import minutes_of
from diagnose.collectors.azure.registry import registry_of
from diagnose.collectors.files.azure_answers import Answer, Answers, SavedAnswer
from diagnose.collectors.files.errors import readable_log
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.collectors.files.names import Origin
from diagnose.model import Missing, Subject, Why

_MINUTES = "`az monitor metrics list --resource ENDPOINT_ID --metric RequestsPerMinute -o json`"


def part_facts(answers: Answers) -> Iterator[Fact]:
    """Each by itself, builds with what is known of the service's image."""
    for answer in answers.of(Answer.REGISTRY):
        yield replace(registry_of(answer.body), source=answer.source)
    for answer in answers.of(Answer.CLUSTER):
        yield replace(cluster_of(answer.body), source=answer.source)
    for answer in answers.of(Answer.COMPUTE):
        yield replace(compute_of(answer.body), source=answer.source)
    for answer in answers.of(Answer.PROBLEMS):
        yield from _problems(answer)
    for answer in answers.of(Answer.METRICS):
        yield from _minutes(answer)
    yield from _builds(answers)
    for answer in answers.of(Answer.KEYS, Answer.BUILD_LOG_LINK):
        yield _left_alone(answer)


def _problems(answer: SavedAnswer) -> Iterator[Fact]:
    """Its own texts are its messages, in one line each."""
    yield Empty("workspace_problems")
    problems = workspaces.problems_of(answer.body, workspaces.links_of({}))
    yield from (replace(problem, source=answer.source) for problem in problems)
    lines = [f"{one.area}: {one.level}: {one.code}: {one.message}" for one in problems if one.level != "Information"]
    if lines:
        origin = Origin(answer.source, Subject("azure"))
        yield readable_log("\n".join(lines), "logs.deployment", origin, "its problems")


def _minutes(answer: SavedAnswer) -> Iterator[Fact]:
    minutes = minutes_of(answer.body)
    if minutes or "RequestsPerMinute" in str(answer.document):
        yield Empty("http.minutes")
        yield from (replace(minute, source=answer.source) for minute in minutes)
        return
    what = f"{answer.source}, metrics of something else than requests to an online endpoint"
    yield Missing(stream="http.minutes", why=Why.NOT_SUPPLIED, what=what, needs=_MINUTES)


def _left_alone(answer: SavedAnswer) -> Missing:
    if answer.kind is Answer.KEYS:
        what, needs = f"{answer.source}, which holds keys or tokens", "it is not needed: better delete it"
        return Missing(stream="logs.deployment", why=Why.NOT_SUPPORTED, what=what, needs=needs)
    what, needs = f"the build log behind the link in {answer.source}", "open the link, and save what it shows"
    return Missing(stream="logs.build", why=Why.NOT_SUPPLIED, what=what, needs=needs)


# --- builds ---


def _builds(answers: Answers) -> Iterator[Fact]:
    environment = _environment(answers)
    found = [
        *(_of(answer, _environment_build(answer, environment)) for answer in answers.of(Answer.ENVIRONMENT_IMAGE)),
        *(
            _of(answer, build_answers.build_of_status(answer.body, environment))
            for answer in answers.of(Answer.BUILD_STATUS)
        ),
        *(_of(answer, build_answers.build_of_image(answer.body)) for answer in _images(answers)),
    ]
    yield from found
    runs = answers.of(Answer.RUN)
    if runs:
        yield Empty("builds")
    for answer in _runs_worth_reading(runs, found):
        yield _of(answer, build_answers.build_of_run(answer.body))


def _of(answer: SavedAnswer, build: ImageBuild) -> ImageBuild:
    return replace(build, source=answer.source)


def _environment(answers: Answers) -> str:
    """``name:version`` of the only environment that the saved services and deployments use; else empty."""
    used = {versioned(part(one.body, "properties").get("environmentId")) for one in answers.of(Answer.DEPLOYMENT)}
    for answer in answers.of(Answer.SERVICE):
        request = part(answer.body, "environmentImageRequest")
        told = part(request, "environmentReference") or part(request, "environment")
        used.add(":".join(filter(None, (text(told.get("name")), text(told.get("version"))))))
    used.discard("")
    return used.pop() if len(used) == 1 else ""


def _environment_build(answer: SavedAnswer, environment: str) -> ImageBuild:
    name, _, version = environment.rpartition(":")
    return replace(build_answers.build_of_environment(answer.body, name, version), name=environment)


def _images(answers: Answers) -> list[SavedAnswer]:
    """Of the images of a workspace those of the saved services, where these name any."""
    wanted = {image for one in answers.of(Answer.SERVICE) if (image := text(one.body.get("imageId")))}
    images = answers.of(Answer.IMAGE)
    return [one for one in images if text(one.body.get("id")) in wanted] if wanted else images


def _runs_worth_reading(runs: Sequence[SavedAnswer], builds: Sequence[ImageBuild]) -> list[SavedAnswer]:
    """A run that was saved by itself; of a list those that may concern the service, as of a registry."""
    image = next((build.image for build in builds if build.image), "")
    missing = not any(build.in_registry for build in builds)
    listed = [one.body for one in runs if one.listed]
    chosen = build_answers.runs_worth_reading(listed, image, missing=missing)
    return [one for one in runs if not one.listed or any(one.body is body for body in chosen)]
