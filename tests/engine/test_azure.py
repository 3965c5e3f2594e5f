"""What Azure's own states mean for the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import book, evidence, judged, log, rule_text

from diagnose.azure_items import (
    Cluster,
    ContainerGroup,
    Endpoint,
    ImageBuild,
    OnlineDeployment,
    Operation,
    Refusal,
    RequestMinute,
    Vault,
    WebService,
)
from diagnose.model import Item, Report, Role, StageState, Subject, Verdict

NO_RULE = rule_text("deploy.quiet", "match: {seen: {in: responses, where: {status: 599}}}")
ODD_VAULT = rule_text("keyvault.workspace-identity-missing", "match: {seen: {in: vaults, where: {policies: 0}}}")


def service(state: str) -> WebService:
    return WebService(source="x", subject=Subject("azure", workload="s"), name="s", state=state)


def deployment(state: str, traffic: int = 100) -> OnlineDeployment:
    subject = Subject("endpoint", workload="blue")
    return OnlineDeployment(source="x", subject=subject, name="blue", provisioning_state=state, traffic_percent=traffic)


def endpoint(state: str = "Succeeded", traffic: int = 100) -> Endpoint:
    return Endpoint(source="x", name="e", provisioning_state=state, traffic_percent=traffic, deployments=1)


def report(tmp_path: Path, rule: str, **items: tuple[Item, ...]) -> Report:
    return judged(book(tmp_path, rule), evidence(items={name.replace("__", "."): of for name, of in items.items()}))


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ({"web_services": (service("Healthy"),)}, Verdict.HEALTHY),
        ({"web_services": (service("Unhealthy"),)}, Verdict.FAILING),
        ({"web_services": (service("Unschedulable"),)}, Verdict.FAILING),
        ({"web_services": (service("Transitioning"),)}, Verdict.UNKNOWN),
        ({"endpoints": (endpoint(),), "online_deployments": (deployment("Succeeded"),)}, Verdict.HEALTHY),
        ({"endpoints": (endpoint(),), "online_deployments": (deployment("Failed"),)}, Verdict.FAILING),
        ({"endpoints": (endpoint(traffic=0),), "online_deployments": (deployment("Succeeded", 0),)}, Verdict.FAILING),
        ({"endpoints": (endpoint(),), "online_deployments": (deployment("Updating"),)}, Verdict.UNKNOWN),
        ({"groups": (ContainerGroup(source="x", name="g", state="Running"),)}, Verdict.HEALTHY),
        ({"groups": (ContainerGroup(source="x", name="g", state="Failed"),)}, Verdict.FAILING),
        ({"groups": (ContainerGroup(source="x", name="g", state="Stopped"),)}, Verdict.FAILING),
    ],
)
def test_the_verdict_follows_the_states(tmp_path: Path, items: dict[str, tuple[Item, ...]], verdict: Verdict) -> None:
    assert report(tmp_path, NO_RULE, **items).verdict is verdict


def test_one_deployment_that_serves_beside_one_that_failed_is_degraded(tmp_path: Path) -> None:
    green = OnlineDeployment(source="x", name="green", provisioning_state="Failed", traffic_percent=0)
    found = report(tmp_path, NO_RULE, endpoints=(endpoint(),), online_deployments=(deployment("Succeeded"), green))
    assert found.verdict is Verdict.DEGRADED


def test_a_setting_is_latent_while_the_service_works(tmp_path: Path) -> None:
    vault = Vault(source="x", name="kv", policies=0)
    works = report(tmp_path, ODD_VAULT, vaults=(vault,), web_services=(service("Healthy"),))
    broken = report(tmp_path, ODD_VAULT, vaults=(vault,), web_services=(service("Failed"),))
    assert (works.verdict, works.findings[0].role) == (Verdict.HEALTHY, Role.LATENT)
    assert (broken.verdict, broken.findings[0].role) == (Verdict.FAILING, Role.ROOT_CAUSE)


def test_a_failed_operation_is_no_less_true_because_the_old_version_runs(tmp_path: Path) -> None:
    rule = rule_text("deploy.operation", "match: {seen: {in: operations, where: {status: Failed}}}")
    failed = Operation(source="x", kind="service", status="Failed")
    found = report(tmp_path, rule, operations=(failed,), web_services=(service("Healthy"),))
    assert found.findings[0].role is Role.ROOT_CAUSE


def test_what_was_refused_to_us_says_nothing_against_the_service(tmp_path: Path) -> None:
    rule = rule_text("auth.refused", "match: {seen: {in: refusals, where: {status: 403}}}")
    found = report(
        tmp_path,
        rule,
        refusals=(Refusal(source="x", call="read vault", status=403),),
        web_services=(service("Healthy"),),
    )
    assert (found.verdict, found.findings[0].role) == (Verdict.HEALTHY, Role.ADVICE)


@pytest.mark.parametrize(
    ("items", "reached"),
    [
        ({"builds": (ImageBuild(source="x", origin="environment", in_registry=True),)}, "push"),
        ({"builds": (ImageBuild(source="x", origin="environment", in_registry=False, status="Failed"),)}, None),
        ({"online_deployments": (deployment("Creating"),)}, "register"),
        ({"online_deployments": (deployment("Succeeded"),)}, "probe"),
        ({"http__minutes": (RequestMinute(source="x", requests=3, ok=3),)}, "score"),
        ({"groups": (ContainerGroup(source="x", name="g"),)}, "deploy"),
    ],
)
def test_the_ladder_counts_what_azure_proves(
    tmp_path: Path, items: dict[str, tuple[Item, ...]], reached: str | None
) -> None:
    found = report(tmp_path, NO_RULE, **items)
    assert found.reached == reached
    assert (dict(found.ladder)["register"] is StageState.PASSED) is (reached is not None)


def test_a_state_that_says_broken_is_not_outweighed_by_answers_of_before(tmp_path: Path) -> None:
    rule = rule_text("score.http-404-no-traffic", "match: {seen: {in: endpoints, where: {traffic_percent: 0}}}")
    known = evidence(
        log('"POST /score HTTP/1.1" 200 4\n' * 40),
        items={"endpoints": (endpoint(traffic=0),), "online_deployments": (deployment("Succeeded", 0),)},
    )
    assert judged(book(tmp_path, rule), known).findings[0].role is Role.ROOT_CAUSE


@pytest.mark.parametrize(
    "cluster", [Cluster(source="x", name="c", power_state="Stopped"), Cluster(source="x", name="c", gone=True)]
)
def test_a_cluster_that_is_not_there_outweighs_the_state_that_azure_remembers(tmp_path: Path, cluster: Cluster) -> None:
    rule = rule_text("deploy.cluster-stopped", "match: {seen: {in: clusters, where: {name: c}}}")
    found = report(tmp_path, rule, clusters=(cluster,), web_services=(service("Healthy"),))
    assert found.findings[0].role is Role.ROOT_CAUSE
    assert found.verdict is not Verdict.HEALTHY


def test_a_failed_template_of_the_group_is_not_this_services(tmp_path: Path) -> None:
    rule = rule_text("keyvault.soft", "match: {seen: {in: operations, where: {status: Failed}}}")
    failed = Operation(source="x", kind="template", status="Failed")
    found = report(tmp_path, rule, operations=(failed,), web_services=(service("Healthy"),))
    assert (found.verdict, found.findings[0].role) == (Verdict.HEALTHY, Role.LATENT)


def test_an_old_error_text_beside_states_that_are_well_is_latent(tmp_path: Path) -> None:
    rule = rule_text("deploy.text", "match: {seen: {in: logs.deployment, where: {line: {contains: QuotaExceeded}}}}")
    text = log("QuotaExceeded: no", stream="logs.deployment")
    known = evidence(text, items={"web_services": (service("Healthy"),)})
    assert judged(book(tmp_path, rule), known).findings[0].role is Role.LATENT
    broken = evidence(text, items={"web_services": (service("Failed"),)})
    assert judged(book(tmp_path, rule), broken).findings[0].role is Role.ROOT_CAUSE
