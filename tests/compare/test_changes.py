"""Each kind of change by a hand-made pair; what could not be read is never taken for gone, new or unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pytest
from sides import collected, differences, gaps_of, missing, shown

from diagnose.azure_items import (
    AccessPolicy,
    Cluster,
    ContainerGroup,
    Endpoint,
    Identity,
    ImageBuild,
    OnlineDeployment,
    Registry,
    RoleAssignment,
    Vault,
    WebService,
    Workspace,
)
from diagnose.compare.changes import ALL_KINDS, Renamed, changes_of
from diagnose.compare.model import AREAS
from diagnose.model import Item, Subject, Why
from diagnose.streams import (
    STREAMS,
    Autoscaler,
    Claim,
    Container,
    LimitRange,
    Pod,
    Quota,
    ServerRun,
    Service,
    Workload,
)

SHA = "sha256:" + "a" * 64
OTHER_SHA = "sha256:" + "b" * 64
POLICY = AccessPolicy(source="az", vault="kv", principal="P-1", name="identity of ws", secrets=("Get", "List"))


def container(pod: str = "churn-a", **values: object) -> Container:
    subject = Subject("kubernetes", "ns", "churn", pod, "server")
    return Container(**{"source": f"get pod {pod}", "subject": subject, "name": "server", **values})  # type: ignore[arg-type]


def item(made: type[Item], workload: str | None = None, /, **values: object) -> Item:
    return made(**{"source": "s", "subject": Subject("kubernetes", "ns", workload), **values})  # type: ignore[arg-type]


CHANGES: Sequence[tuple[str, Item, dict[str, object], tuple[str, str, str, str]]] = (
    ("containers", container(image="r/a:1"), {"image": "r/a:2"}, ("image", "image", "r/a:1", "r/a:2")),
    (
        "containers",
        container(image="r/a:1", image_id=f"docker-pullable://r/a@{SHA}"),
        {"image_id": f"r/a@{OTHER_SHA}"},
        ("image", "image digest", SHA, OTHER_SHA),
    ),
    (
        "containers",
        container(environment=("A", "B")),
        {"environment": ("B", "C")},
        ("environment", "environment variables", "A", "C"),
    ),
    (
        "containers",
        container(memory_limit_mib=512.0),
        {"memory_limit_mib": 2048.0},
        ("resources", "memory limit", "512 MiB", "2048 MiB"),
    ),
    (
        "containers",
        container(memory_limit_mib=512.0),
        {"memory_limit_mib": None},
        ("resources", "memory limit", "512 MiB", "none"),
    ),
    ("containers", container(cpu_request=0.1), {"cpu_request": 1.0}, ("resources", "CPU request", "0.1 cores", "1 cores")),
    (
        "containers",
        container(liveness_probe=""),
        {"liveness_probe": "http-get :5001/"},
        ("probes", "liveness probe", "none", "http-get :5001/"),
    ),
    ("containers", container(restarts=7), {"restarts": 0}, ("state", "restarts", "7", "0")),
    ("containers", container(command=("a", "b")), {"command": ()}, ("container", "command", "a b", "that of the image")),
    ("containers", container(ports=(5001,)), {"ports": (8080,)}, ("container", "declared ports", "5001", "8080")),
    ("workloads", item(Workload, kind="Deployment", name="churn", desired=1), {"desired": 3}, ("replicas", "wanted replicas", "1", "3")),
    ("workloads", item(Workload, kind="Deployment", name="churn"), {"paused": True}, ("replicas", "rollout paused", "no", "yes")),
    ("workloads", item(Workload, kind="Deployment", name="churn", images=("a:1",)), {"images": ("a:2",)}, ("image", "images", "a:1", "a:2")),
    ("autoscalers", item(Autoscaler, name="churn", max_replicas=3), {"max_replicas": 9}, ("replicas", "most replicas", "3", "9")),
    ("services", item(Service, name="churn", selector="app=a,tier=x"), {"selector": "app=b,tier=x"}, ("network", "selector", "app=a", "app=b")),
    ("services", item(Service, name="churn", endpoints_ready=0), {"endpoints_ready": 2}, ("state", "ready endpoints", "0", "2")),
    ("server", item(ServerRun, "churn", version="1.3"), {"version": "1.4"}, ("container", "version", "1.3", "1.4")),
    ("endpoints", item(Endpoint, name="e", traffic=("blue=100",)), {"traffic": ("blue=0", "green=100")}, ("deployment", "traffic", "blue=100", "blue=0, green=100")),
    ("online_deployments", item(OnlineDeployment, name="blue", traffic_percent=100), {"traffic_percent": 0}, ("deployment", "traffic", "100 %", "0 %")),
    ("online_deployments", item(OnlineDeployment, name="blue", model="m:1"), {"model": "m:2"}, ("image", "model", "m:1", "m:2")),
    ("online_deployments", item(OnlineDeployment, name="blue", instance_type="Standard_F2s_v2"), {"instance_type": "Standard_DS3_v2"}, ("resources", "instance type", "Standard_F2s_v2", "Standard_DS3_v2")),
    ("web_services", item(WebService, name="churn", image="m:1"), {"image": "m:2"}, ("image", "image", "m:1", "m:2")),
    ("web_services", item(WebService, name="churn", auth_enabled=True), {"auth_enabled": False}, ("deployment", "authentication", "yes", "no")),
    ("groups", item(ContainerGroup, name="churn", memory_gb=1.0), {"memory_gb": 2.5}, ("resources", "memory", "1 GB", "2.5 GB")),
    ("builds", item(ImageBuild, origin="environment", name="env:1"), {"name": "env:2"}, ("image", "name", "env:1", "env:2")),
    ("vaults", item(Vault, name="kv"), {"rbac": True}, ("vault", "permission model", "access policies", "Azure RBAC")),
    ("vaults", item(Vault, name="kv", default_action="Allow"), {"default_action": "Deny"}, ("vault", "firewall", "Allow", "Deny")),
    ("access_policies", POLICY, {"secrets": ("get",)}, ("access", "permissions on secrets", "list", "")),
    ("identities", item(Identity, owner_kind="workspace", owner="ws", principal="1"), {"principal": "2"}, ("access", "object id", "1", "2")),
    ("registries", item(Registry, name="acr", admin_user=True), {"admin_user": False}, ("registry", "admin user", "yes", "no")),
    ("workspaces", item(Workspace, name="ws", vault="kv-a"), {"vault": "kv-b"}, ("workspace", "vault", "kv-a", "kv-b")),
    ("clusters", item(Cluster, name="aks", version="1.27"), {"version": "1.29"}, ("workspace", "version", "1.27", "1.29")),
    ("quotas", item(Quota, name="q", resource="pods", hard="4"), {"hard": "2"}, ("limits", "at most", "4", "2")),
    ("limits", item(LimitRange, name="l", type="Container", resource="memory", maximum="1Gi"), {"maximum": ""}, ("limits", "at most", "1Gi", "any")),
    ("claims", item(Claim, name="c", requested="1Gi"), {"requested": "8Gi"}, ("limits", "size", "1Gi", "8Gi")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("stream", "before", "change", "told"), CHANGES, ids=[f"{stream} {told[1]}" for stream, _, _, told in CHANGES]
)
def test_a_change_is_told_with_what_it_was_and_what_it_is(
    stream: str, before: Item, change: dict[str, object], told: tuple[str, str, str, str]
) -> None:
    after = replace(before, **change)  # type: ignore[arg-type]
    assert shown(differences(stream, [before], [after])) == [told]
    assert differences(stream, [after], [after]) == []


@pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.stream)
def test_every_field_that_is_compared_is_there_and_is_told_somewhere(kind: object) -> None:
    stream = kind.stream  # type: ignore[attr-defined]
    known = {field.name for field in fields(STREAMS[stream].item)}
    named = {trait.name for trait in kind.traits} | set(kind.names)  # type: ignore[attr-defined]
    assert named - known == set()
    areas = {trait.area or kind.area for trait in kind.traits} | {kind.area}  # type: ignore[attr-defined]
    assert areas - set(AREAS) == set()


def test_every_area_has_something_to_tell() -> None:
    told = {trait.area or kind.area for kind in ALL_KINDS for trait in kind.traits}
    assert set(AREAS) == told | {"packages"}


def test_a_change_names_where_it_can_be_looked_up() -> None:
    (change,) = differences("containers", [container("a", image="1")], [container("b", image="2")])
    assert (change.subject, change.sources) == ("container server", ("get pod a", "get pod b"))


# --- replicas, revisions, names ---


def test_replicas_with_other_names_are_the_same_container() -> None:
    before = [container(f"churn-{name}", image="a:1", restarts=1) for name in ("x", "y")]
    after = [container(f"churn-{name}", image="a:1", restarts=2) for name in ("p", "q", "r")]
    assert shown(differences("containers", before, after)) == [("state", "restarts", "2", "6")]


def test_replicas_that_differ_are_told_apart() -> None:
    before = [container("x", image="a:1")]
    after = [container("p", image="a:1"), container("q", image="a:2")]
    assert shown(differences("containers", before, after)) == [("image", "image", "a:1", "a:1 | a:2")]


def pod(name: str, *, current: bool | None) -> Pod:
    return Pod(source="s", subject=Subject("kubernetes", "ns", "churn", name), name=name, current=current)


def images_between(old_revision_is_current: bool | None) -> list[tuple[str, str, str, str]]:
    items = {
        "containers": [container("old", image="a:1"), container("new", image="a:2")],
        "pods": [pod("old", current=old_revision_is_current), pod("new", current=True)],
    }
    before = {"containers": [container("old", image="a:1")], "pods": [pod("old", current=True)]}
    return shown(changes_of(collected(before), collected(items), Renamed())[0])


def test_a_rollout_under_way_is_told_by_its_newest_revision() -> None:
    assert images_between(False) == [("image", "image", "a:1", "a:2")]
    assert images_between(None) == [("image", "image", "a:1", "a:1 | a:2")]


def test_a_workload_whose_newest_revision_has_no_pod_is_told_by_the_old_one() -> None:
    items = {"containers": [container("old", image="a:1")], "pods": [pod("old", current=False)]}
    assert changes_of(collected(items), collected(items), Renamed()) == ([], [])


def test_a_replicaset_of_a_deployment_comes_and_goes_unmentioned() -> None:
    def of(name: str) -> Item:
        return item(Workload, "churn", kind="ReplicaSet", name=name)

    assert differences("workloads", [of("churn-1")], [of("churn-2")]) == []
    alone = [item(Workload, name, kind="ReplicaSet", name=name) for name in ("bare", "other")]
    assert [one.what for one in differences("workloads", alone[:1], alone[1:])] == ["is gone", "is new"]


def test_the_images_of_a_workload_are_not_told_twice() -> None:
    def both(tag: str) -> dict[str, list[Item]]:
        workload = item(Workload, "churn", kind="Deployment", name="churn", images=(tag,))
        return {"containers": [container(image=tag)], "workloads": [workload]}

    found, _ = changes_of(collected(both("a:1")), collected(both("a:2")), Renamed())
    assert shown(found) == [("image", "image", "a:1", "a:2")]


def test_the_only_container_of_a_workload_may_have_a_new_name() -> None:
    renamed = replace(container(image="a:2"), name="scorer")
    assert shown(differences("containers", [container(image="a:1")], [renamed])) == [
        ("container", "name", "server", "scorer"),
        ("image", "image", "a:1", "a:2"),
    ]


def test_of_several_containers_none_is_taken_for_another() -> None:
    others = [replace(container(), name=name) for name in ("one", "two")]
    assert [one.what for one in differences("containers", [container()], others)] == ["is gone", "is new", "is new"]


def test_two_services_are_compared_as_one_where_their_names_differ() -> None:
    before = Container(source="s", name="server", image="a:1", subject=Subject("k", "prod", "old", "old-1", "server"))
    after = Container(source="s", name="server", image="a:2", subject=Subject("k", "test", "new", "new-1", "server"))
    as_one = Renamed({"old": "new"}, {"prod": "test"})
    assert shown(differences("containers", [before], [after], as_one)) == [("image", "image", "a:1", "a:2")]
    assert len(differences("containers", [before], [after])) == 2


def test_a_volume_without_a_name_is_the_same_in_the_next_container() -> None:
    first, second = (container(mounts=(f"{letter * 64} -> /data",)) for letter in "ab")
    assert differences("containers", [first], [second]) == []


# --- what came and went ---


def test_an_access_policy_that_is_gone_is_told_with_what_it_allowed() -> None:
    (change,) = differences("access_policies", [POLICY], [])
    assert (change.area, change.what, change.removed) == ("access", "is gone", ("secrets: Get List",))
    assert change.subject == "access policy of P-1 (identity of ws) in vault kv"


def test_capitals_in_the_answers_of_azure_are_no_change() -> None:
    assert differences("access_policies", [POLICY], [replace(POLICY, principal="p-1", secrets=("list", "get"))]) == []


def test_a_policy_through_an_application_is_another_one() -> None:
    through = replace(POLICY, application="app-1")
    assert [one.what for one in differences("access_policies", [POLICY], [through])] == ["is gone", "is new"]


def test_a_role_that_came_is_told_with_its_scope() -> None:
    (change,) = differences("role_assignments", [], [item(RoleAssignment, principal="1", role="AcrPull", scope="/acr")])
    assert (change.what, change.subject, change.added) == ("is new", "roles of 1", ("AcrPull on /acr",))


def test_runs_of_a_registry_are_no_change() -> None:
    runs = [item(ImageBuild, origin="registry run", name=name) for name in ("ca1", "ca2")]
    assert differences("builds", runs[:1], runs[1:]) == []


# --- what is not known ---


@pytest.mark.parametrize("trait", ["image", "image_id", "state"])
def test_a_value_that_one_side_does_not_know_did_not_change(trait: str) -> None:
    known, unknown = container(**{trait: "known"}), container(**{trait: ""})
    assert differences("containers", [known], [unknown]) == []


def test_endpoints_that_could_not_be_read_are_no_change() -> None:
    known = item(Service, name="churn", endpoints_ready=2)
    assert differences("services", [known], [replace(known, endpoints_ready=None)]) == []  # type: ignore[call-arg]


def test_what_was_not_collected_is_not_gone() -> None:
    before = collected({"access_policies": [POLICY]})
    after = collected({}, missing("access_policies", "access policies of kv"))
    assert changes_of(before, after, Renamed())[0] == []
    (gap,) = gaps_of(before, after)
    assert (gap.what, gap.why) == (
        "access policies of key vaults",
        "AFTER: access policies of kv (denied, needs more rights)",
    )


def test_what_neither_side_has_is_not_worth_a_word_unless_it_was_refused() -> None:
    assert gaps_of(collected({}), collected({})) == []
    (gap,) = gaps_of(collected({}, missing("vaults", "vault kv")), collected({}))
    assert gap.why == "BEFORE: vault kv (denied, needs more rights)"


def test_what_nobody_could_have_supplied_is_not_worth_a_word() -> None:
    assert gaps_of(collected({}, missing("vaults", why=Why.NOT_SUPPLIED)), collected({})) == []


def test_what_is_not_in_a_stream_that_was_read_in_part_is_not_gone() -> None:
    before = collected({"containers": [container(), replace(container(), name="other")]})
    after = collected({"containers": [container()]}, missing("containers", "container other"))
    assert changes_of(before, after, Renamed())[0] == []
    assert [gap.what for gap in gaps_of(before, after)] == ["container other"]
    assert changes_of(after, before, Renamed())[0] == []
    assert [gap.why.startswith("BEFORE") for gap in gaps_of(after, before)] == [True]
