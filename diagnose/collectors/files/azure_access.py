"""The workspace and its vault in saved answers of Azure: who is listed there, and who or what wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diagnose.azure_items import AccessPolicy, Identity, Operation, Vault, Workspace
from diagnose.collectors.azure import activity, templates, vault
from diagnose.collectors.azure.answers import part, text, within
from diagnose.collectors.azure.identities import identities_of, identities_of_cluster, names_of
from diagnose.collectors.azure.templates import Deployment
from diagnose.collectors.azure.workspaces import workspace_of
from diagnose.collectors.files.azure_answers import Answer, Answers, SavedAnswer
from diagnose.collectors.files.azure_roles import Known, role_facts
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.model import Missing, Why

_OWNERS = {Answer.WORKSPACE: "workspace", Answer.ENDPOINT: "endpoint", Answer.COMPUTE: "compute"}
_KEY_VAULT = "microsoft.keyvault/"
_LOG = "`az monitor activity-log list --resource-id VAULT_ID --offset 89d -o json`"


def access_facts(answers: Answers) -> Iterator[Fact]:
    """Workspaces, vaults with policies and writes, template deployments, identities, and what these may do."""
    spaces = [replace(workspace_of(one.body), source=one.source) for one in answers.of(Answer.WORKSPACE)]
    identities = [identity for answer in answers.saved for identity in _identities(answer)]
    known = Known(spaces, identities, _vaults(answers, spaces), _policies(answers, identities))
    if spaces:
        yield Empty("identities")
    if answers.of(Answer.VAULT):
        yield Empty("access_policies")
    yield from (*spaces, *identities, *known.vaults, *known.policies)
    done = _templates(answers)
    yield from _operations(done)
    yield from _writes(answers, [template.deployment for template in done])
    yield from role_facts(answers, known)


def _identities(answer: SavedAnswer) -> Iterator[Identity]:
    if answer.kind is Answer.CLUSTER:
        found = identities_of_cluster(answer.body)
    elif answer.kind in _OWNERS:
        found = identities_of(answer.body, _OWNERS[answer.kind])
    else:
        return
    yield from (replace(one, source=answer.source) for one in found)


# --- vaults ---


def _vaults(answers: Answers, spaces: Sequence[Workspace]) -> list[Vault]:
    found = []
    for answer in answers.of(Answer.VAULT):
        name = text(answer.body.get("name")).casefold()
        owner = next((space for space in spaces if space.vault.casefold() == name), None)
        item = vault.vault_of(answer.body, [owner.principal] if owner else [], answers.clock)
        found.append(replace(item, source=answer.source, of_workspace=owner is not None))
    for answer in answers.of(Answer.DELETED_VAULT):
        item = vault.deleted_vault_of(answer.body, answers.clock)
        owned = any(space.vault.casefold() == item.name.casefold() for space in spaces)
        found.append(replace(item, source=answer.source, of_workspace=owned))
    return found


def _policies(answers: Answers, identities: Sequence[Identity]) -> list[AccessPolicy]:
    """Of the vaults that were saved; else what a change of policies, which holds those that it changed, tells."""
    told = answers.of(Answer.VAULT)
    names = {text(one.body.get("name")).casefold() for one in told}
    told += [one for one in answers.of(Answer.POLICIES) if within(one.body.get("id"), "vaults").casefold() not in names]
    return [
        replace(policy, source=answer.source)
        for answer in told
        for policy in vault.policies_of(answer.body, {**_names_in(answer), **names_of(identities)})
    ]


def _names_in(answer: SavedAnswer) -> dict[str, str]:
    """Who the principals of a saved state are, as it says itself."""
    return {principal.casefold(): text(name) for principal, name in part(answer.document, "names").items()}


# --- who wrote them ---


@dataclass(slots=True)
class _Template:
    """A template deployment, as far as it was saved: itself, its steps, or both."""

    deployment: Deployment
    answer: SavedAnswer | None = None
    steps: list[SavedAnswer] = field(default_factory=list)

    def operations(self) -> Iterator[Operation]:
        """The steps that failed or wrote a vault."""
        for step in self.steps:
            found = templates.operations_of({"value": [step.body]}, self.deployment)
            yield from (replace(operation, source=step.source) for operation in found)


def _templates(answers: Answers) -> list[_Template]:
    found: dict[tuple[str, str], _Template] = {}
    for answer in answers.of(Answer.TEMPLATE):
        deployment = templates.deployment_of(answer.body)
        found[_key(deployment)] = _Template(deployment, answer)
    for answer in answers.of(Answer.TEMPLATE_STEP):
        arm_id = answer.body.get("id")
        name, group = within(arm_id, "deployments"), within(arm_id, "resourceGroups")
        alone = Deployment(name, group, state="", began=None, ended=None, correlation="", error={})
        found.setdefault(_key(alone), _Template(alone)).steps.append(answer)
    for template in found.values():
        if template.steps:
            template.deployment = replace(template.deployment, vaults=_vaults_of(template.operations()))
    return list(found.values())


def _key(deployment: Deployment) -> tuple[str, str]:
    return deployment.resource_group.casefold(), deployment.name.casefold()


def _vaults_of(operations: Iterator[Operation]) -> tuple[str, ...]:
    """Names of the vaults that were written, or should have been."""
    written = (one for one in operations if one.resource_type.lower().startswith(f"{_KEY_VAULT}vaults"))
    return tuple(dict.fromkeys(one.resource.partition("/")[0] for one in written))


def _operations(done: Sequence[_Template]) -> Iterator[Fact]:
    if done:
        yield Empty("operations")
    for template in done:
        if template.answer and template.deployment.failed:
            yield replace(templates.failure_of(template.deployment), source=template.answer.source)
        yield from template.operations()


def _writes(answers: Answers, deployments: Sequence[Deployment]) -> Iterator[Fact]:
    """Changes of vaults. A log without a word of vaults does not say that nobody wrote one: it was asked for others."""
    events = answers.of(Answer.EVENT)
    if not events:
        return
    if not any(_KEY_VAULT in _about(one.body) for one in events):
        what = f"{events[0].source}, an activity log without any event of a key vault"
        yield Missing(stream="vault_writes", why=Why.NOT_SUPPLIED, what=what, needs=_LOG)
        return
    yield Empty("vault_writes")
    for source in dict.fromkeys(one.source for one in events):
        told = {"value": [one.body for one in events if one.source == source]}
        found = templates.attributed(activity.writes_of(told, answers.clock), deployments)
        yield from (replace(write, source=source) for write in found)


def _about(event: Mapping[str, object]) -> str:
    return f"{text(event.get('resourceId'))} {text(part(event, 'operationName').get('value'))}".lower()
