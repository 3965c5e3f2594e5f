"""How far the deployment got: the furthest stage there is proof of, and where it stopped."""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.engine import azure
from diagnose.engine.health import stage_index
from diagnose.engine.rule import Rule
from diagnose.model import LADDER, Evidence, Finding, Role, StageState
from diagnose.streams import Container, Event, Pod, ServerRun

_PULLING = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_NOT_STARTED = (*_PULLING, "CreateContainerConfigError", "CreateContainerError", "ContainerCreating", "PodInitializing")


def stopped_at(findings: tuple[Finding, ...], rules: Mapping[str, Rule]) -> str | None:
    """The stage at which the first answer stopped it.

    A failure of the families stops where the earliest cause folded under it does, else the earliest symptom; a failure
    that may show itself later than its own stage, where the causes folded under it do: a wrong model version that only
    fails in run() stops at score.
    """
    telling = (f for f in findings if f.role in (Role.ROOT_CAUSE, Role.SYMPTOM) and f.severity in ("error", "critical"))
    first = next(telling, None)
    if first is None:
        return None
    own = rules[first.rule].stops
    folded = [rules[told] for told in first.explains if told in rules and rules[told].stops]
    if not own:
        causes = [rule for rule in folded if rule.kind == "cause"]
        return min((rule.stops for rule in causes or folded), key=stage_index, default=None)
    shown = min((rule.stops for rule in folded if rule.kind == "cause"), key=stage_index, default=own)
    return max(own, shown, key=stage_index)


def ladder(evidence: Evidence, failed: str | None) -> tuple[tuple[tuple[str, StageState], ...], str | None]:
    """The state of each stage, and the furthest that was reached."""
    passed = _furthest_passed(evidence)
    if failed is not None:
        limit = stage_index(failed)
        states = {
            stage: StageState.FAILED
            if stage == failed
            else StageState.NOT_REACHED
            if stage_index(stage) > limit
            else StageState.PASSED
            for stage in LADDER
        }
        return _rungs(states, evidence), failed
    known = stage_index(passed) if passed else -1
    states = {stage: StageState.PASSED if stage_index(stage) <= known else StageState.UNKNOWN for stage in LADDER}
    return _rungs(states, evidence), passed


def _rungs(states: Mapping[str, StageState], evidence: Evidence) -> tuple[tuple[str, StageState], ...]:
    """Without the scheduler where there is none."""
    skip = ("schedule",) if evidence.target.kind in ("docker", "aci", "endpoint") else ()
    return tuple((stage, state) for stage, state in states.items() if stage not in skip)


def _furthest_passed(evidence: Evidence) -> str | None:
    """The last stage there is proof of having passed, by whichever replica got furthest."""
    proofs = [*_by_pods(evidence), *_by_containers(evidence), *_by_servers(evidence), *_by_events(evidence)]
    return max([*proofs, *azure.stages_passed(evidence)], key=stage_index, default=None)


def _by_pods(evidence: Evidence) -> list[str]:
    pods = [pod for pod in evidence.items.get("pods", ()) if isinstance(pod, Pod)]
    stages = ["deploy" for _ in pods]
    stages += ["schedule" for pod in pods if pod.scheduled]
    return [*stages, *("probe" for pod in pods if pod.ready)]


def _by_containers(evidence: Evidence) -> list[str]:
    containers = [c for c in evidence.items.get("containers", ()) if isinstance(c, Container) and c.kind == "app"]
    stages = [
        "pull" for c in containers if c.state in ("running", "terminated", "created") or c.reason not in _NOT_STARTED
    ]
    return [*stages, *("start" for c in containers if c.state == "running" or c.restarts)]


def _by_servers(evidence: Evidence) -> list[str]:
    servers = [s for s in evidence.items.get("server", ()) if isinstance(s, ServerRun)]
    stages = ["start" for _ in servers]
    stages += ["init" for s in servers if s.ready or s.init_completed or s.served]
    stages += ["probe" for s in servers if s.probed or s.served]
    return [*stages, *("score" for s in servers if s.served)]


def _by_events(evidence: Evidence) -> list[str]:
    proof = {"Scheduled": "schedule", "Pulled": "pull", "Started": "start"}
    return [proof[e.reason] for e in evidence.items.get("events", ()) if isinstance(e, Event) and e.reason in proof]
