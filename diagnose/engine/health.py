"""What works now, by the state of containers and by how logs end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from diagnose.engine import azure
from diagnose.engine.match import Hit, Match
from diagnose.engine.places import ByPlace
from diagnose.model import LADDER, Evidence, Item, Line, Subject
from diagnose.streams import Condition, Container, Event, Node, Pod, Response, ServerRun, Service, Traceback, Workload

_PROGRESS = ("Scheduled", "Pulled", "Started", "NodeReady")
"""Events that prove that something which failed before went well after all."""
_FINE_AFTER = 20
"""Answered requests per failed one after which failed scoring is past, provided the last request was answered."""
_REQUEST_STAGES = ("score", "serve")


@dataclass(frozen=True)
class Health:
    """Answers "does it work now?", for the whole and for a subject."""

    evidence: Evidence

    @cached_property
    def containers(self) -> list[Container]:
        """App containers that have a say: those of finished or vanishing pods have none."""
        gone = {pod.subject for pod in self.pods if pod.deleting or pod.phase in ("Succeeded", "Failed")}
        every = [c for c in self.evidence.items.get("containers", ()) if isinstance(c, Container) and c.kind == "app"]
        ended = ByPlace((subject, subject) for subject in gone if subject.pod)
        return [container for container in every if not ended.joining(container.subject)]

    @cached_property
    def placed(self) -> ByPlace[Container]:
        """The same by their subjects."""
        return ByPlace((container.subject, container) for container in self.containers)

    @cached_property
    def working(self) -> frozenset[Subject]:
        """Subjects of the containers that work."""
        return frozenset(container.subject for container in self.containers if self._works(container))

    @cached_property
    def pods(self) -> list[Pod]:
        return [pod for pod in self.evidence.items.get("pods", ()) if isinstance(pod, Pod)]

    @cached_property
    def workloads(self) -> list[Workload]:
        """Those that own pods in the end: ReplicaSets only count where nothing owns them."""
        every = [w for w in self.evidence.items.get("workloads", ()) if isinstance(w, Workload)]
        top = [w for w in every if w.kind != "ReplicaSet"]
        return top or every

    @cached_property
    def servers(self) -> list[ServerRun]:
        """What present logs say; a log of a previous run says nothing of now."""
        return [s for s in self.evidence.items.get("server", ()) if isinstance(s, ServerRun) and s.run == "current"]

    @cached_property
    def services(self) -> list[Service]:
        return [s for s in self.evidence.items.get("services", ()) if isinstance(s, Service)]

    @cached_property
    def azure(self) -> list[azure.State]:
        """What Azure's own objects say of themselves."""
        return azure.states(self.evidence)

    @cached_property
    def stranded(self) -> frozenset[Subject]:
        """Pods that are not ready although their containers were when their node was last heard of."""
        every = [c for c in self.evidence.items.get("conditions", ()) if isinstance(c, Condition) and c.kind == "Pod"]
        told = {(c.subject, c.type, c.status) for c in every}
        unready = {c.subject for c in every if c.type == "Ready" and c.status in ("False", "Unknown") and c.subject.pod}
        return frozenset(pod for pod in unready if (pod, "ContainersReady", "True") in told)

    def container_works(self, container: Container) -> bool:
        """Up, ready, and its server, where its log tells, through init() and not killed again and again."""
        return container.subject in self.working

    def _works(self, container: Container) -> bool:
        if not container.stable or any(container.subject.joins(pod) for pod in self.stranded):
            return False
        if any(s.works is False and s.subject and s.subject.joins(container.subject) for s in self.azure):
            return False
        if container.ready and container.readiness_probe:
            return True
        servers = [s for s in self.servers if s.subject.container and s.subject.joins(container.subject)]
        return all(server.ends not in ("failed", "initialising") for server in servers)

    def works_now(self, hit: Hit) -> bool:
        """True when what the rule tells of is over: its subject does what the failing stage kept it from doing."""
        items = [match.item for match in hit.items()]
        if any(map(azure.is_broken, items)):
            return False
        if hit.rule.stage in _REQUEST_STAGES or any(_in_request(match) for match in hit.items()):
            return self._requests_fine(hit.subject) and not any(_seen_by_client(match) for match in hit.items())
        if items and all(map(self._of_another_time, hit.items())):
            return self.all_well()
        if (self.containers or self.pods) and not all(map(_about_node, items)):
            return self._state_fine(hit.subject)
        return all(self._outlived(match) for match in hit.items())

    def _of_another_time(self, match: Match) -> bool:
        """A setting, or an error text beside states of Azure that all are well: Azure keeps old texts for long."""
        told = match.log is not None and match.log.stream == "logs.deployment"
        return azure.is_setting(match.item) or (told and bool(self.azure))

    def _requests_fine(self, subject: Subject) -> bool:
        servers = [s for s in self.servers if s.subject.joins(subject) and s.served + s.failed]
        return bool(servers) and all(not s.failed_last and s.served >= _FINE_AFTER * max(1, s.failed) for s in servers)

    def _state_fine(self, subject: Subject) -> bool:
        mine = self.placed.joining(subject)
        if any(state.works is False for state in self.azure):
            return False  # what runs may be the version before the one that failed
        if subject.pod is None or not mine:
            return self._nothing_short() and bool(self.containers) and all(map(self.container_works, mine))
        return all(map(self.container_works, mine))

    def _nothing_short(self) -> bool:
        """No workload lacks a replica, and no pod waits to become ready."""
        return not any(workload.short for workload in self.workloads)

    def _outlived(self, match: Match) -> bool:
        """Without any state: a later sign in the same log or in later events."""
        item = match.item
        if isinstance(item, Traceback):
            return item.recovered or (item.phase != "run" and self._ready_after(match))
        if isinstance(item, Line):
            return self._ready_after(match)
        if isinstance(item, Event):
            return self._progressed(item)
        return False

    def _ready_after(self, match: Match) -> bool:
        for server in self.servers:
            if server.source == match.item.source and server.subject == match.item.subject:
                return server.ends in ("ready", "stopped") and (server.ready_line or 0) > (match.item.line or 0)
        return False

    def _progressed(self, event: Event) -> bool:
        for other in self.evidence.items.get("events", ()):
            if not isinstance(other, Event) or other.name != event.name or other.reason not in _PROGRESS:
                continue
            if other.kind == "Node" and other.reason == "NodeReady" and _later(other, event):
                return True
            if event.reason in ("FailedScheduling", "Failed", "FailedMount", "BackOff") and _later(other, event):
                return event.reason != "BackOff" or "pulling" in event.message
        return False

    def serving(self) -> bool:
        """There is proof that some of it serves now."""
        if self.services and any(s.pods_of_workload and s.endpoints_ready == 0 and s.selector for s in self.services):
            return False
        if self.containers:
            return any(self.container_works(container) for container in self.containers)
        if self.workloads:
            return any(workload.available for workload in self.workloads)
        if self.azure:
            return azure.serves(self.evidence)
        answers = [r.status for r in self.evidence.items.get("responses", ()) if isinstance(r, Response)]
        return any(s.ends in ("ready", "stopped") for s in self.servers) or bool(answers and answers[-1] < 400)

    def all_well(self) -> bool:
        """Everything whose state is known works."""
        states = [self.container_works(container) for container in self.containers]
        states += [not workload.short for workload in self.workloads]
        states += [bool(state.works) for state in self.azure]
        states += [pod.ready for pod in self.pods if pod.phase == "Running" and not pod.deleting]
        states += [pod.phase in ("Running", "Succeeded") or pod.deleting for pod in self.pods if pod.phase != "Failed"]
        if states:
            return all(states) and self.serving()
        return self.serving() and all(s.ends not in ("failed", "initialising") for s in self.servers)

    def unwell(self) -> bool:
        """Some state says plainly that it does not work."""
        if any(state.works is False for state in self.azure):
            return True
        return any(workload.short for workload in self.workloads) or any(
            (c.state == "terminated" and c.exit_code not in (0, None)) or c.state == "waiting" for c in self.containers
        )


def _about_node(item: Item) -> bool:
    return isinstance(item, Node) or (isinstance(item, Event) and item.kind == "Node")


def _in_request(match: Match) -> bool:
    """It failed a request, whatever the stage of the rule: a model that loads may still fail in run()."""
    return isinstance(match.item, Traceback) and match.item.phase == "run"


def _seen_by_client(match: Match) -> bool:
    """A client kept it as a failure, which a 200 in the log of the server does not outweigh."""
    return isinstance(match.item, Response) or (match.log is not None and match.log.stream == "logs.deployment")


def _later(one: Event, other: Event) -> bool:
    if one.time and other.time:
        return one.time > other.time
    return one.age_s is not None and other.age_s is not None and one.age_s < other.age_s


def stage_index(stage: str) -> int:
    """Position in the ladder; families stand behind it."""
    return LADDER.index(stage) if stage in LADDER else len(LADDER)
