"""Subscription, resource group and workspace come from the strongest source that tells, and never from a mixture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from azure_server import OTHER_TENANT, RG, SUB, TENANT, WORKSPACE, forget_azure

from diagnose.collectors.azure.place import Place, place_of

OTHER = "00000000-0000-0000-0000-000000000002"


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The Azure CLI's folder, empty; nothing of Azure is in the environment."""
    forget_azure(monkeypatch)
    folder = tmp_path / "cli"
    folder.mkdir()
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def project(cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a project's folder within another one."""
    folder = tmp_path / "models" / "churn"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def write_config(file: Path, subscription: str = SUB, group: str = RG, workspace: str = WORKSPACE) -> None:
    """As the studio offers it for download."""
    content = {"subscription_id": subscription, "resource_group": group, "workspace_name": workspace}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def write_profile(cli: Path, *, active: str = SUB) -> None:
    """As ``az login`` leaves it: with a byte order mark."""
    names = ((SUB, "Production", TENANT), (OTHER, "Playground", OTHER_TENANT))
    entries = [
        {"id": id_, "name": name, "tenantId": tenant, "isDefault": id_ == active, "state": "Enabled"}
        for id_, name, tenant in names
    ]
    (cli / "azureProfile.json").write_text(json.dumps({"subscriptions": entries}), encoding="utf-8-sig")


def names(place: Place) -> tuple[str, str, str]:
    """The three parts."""
    return place.subscription, place.resource_group, place.workspace


# --- one source ---


def test_options_name_it(project: Path) -> None:
    place = place_of(SUB, RG, WORKSPACE)
    assert names(place) == (SUB, RG, WORKSPACE)
    assert (place.strength, place.found_in) == ("named", ("options",))


def test_the_environment_of_a_job_names_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZUREML_ARM_SUBSCRIPTION", SUB)
    monkeypatch.setenv("AZUREML_ARM_RESOURCEGROUP", RG)
    monkeypatch.setenv("AZUREML_ARM_WORKSPACE_NAME", WORKSPACE)
    place = place_of()
    assert names(place) == (SUB, RG, WORKSPACE)
    assert (place.strength, place.found_in) == ("named", ("AZUREML_ARM_*",))


def test_variables_of_the_azure_cli_name_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", SUB)
    monkeypatch.setenv("AZURE_DEFAULTS_GROUP", RG)
    monkeypatch.setenv("AZURE_DEFAULTS_WORKSPACE", WORKSPACE)
    place = place_of()
    assert names(place) == (SUB, RG, WORKSPACE)
    assert place.strength == "named"


@pytest.mark.parametrize("name", ["config.json", ".azureml/config.json", "aml_config/config.json"])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_config_file_here_or_above_names_it(project: Path, name: str, above: int) -> None:
    folder = [project, *project.parents][above]
    write_config(folder / name)
    place = place_of()
    assert names(place) == (SUB, RG, WORKSPACE)
    assert (place.strength, place.found_in) == ("named", (str(folder / name),))


def test_defaults_of_the_azure_cli_name_it(project: Path, cli: Path) -> None:
    write_profile(cli)
    (cli / "config").write_text(f"[defaults]\ngroup = {RG}\nworkspace = {WORKSPACE}\n\n[cloud]\nname = AzureCloud\n")
    place = place_of()
    assert names(place) == (SUB, RG, WORKSPACE)
    assert (place.strength, place.tenant) == ("named", TENANT)


def test_a_mere_login_names_nothing_but_the_subscription(project: Path, cli: Path) -> None:
    write_profile(cli, active=OTHER)
    place = place_of()
    assert names(place) == (OTHER, "", "")
    assert (place.strength, place.tenant) == ("signed in", OTHER_TENANT)


@pytest.mark.parametrize(
    "variables",
    [
        ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
        ("AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"),
        ("AZURE_FEDERATED_TOKEN_FILE",),
        ("IDENTITY_ENDPOINT",),
        ("MSI_ENDPOINT",),
    ],
)
def test_an_identity_in_the_environment_is_a_login(
    project: Path, monkeypatch: pytest.MonkeyPatch, variables: tuple[str, ...]
) -> None:
    for name in variables:
        monkeypatch.setenv(name, "x")
    place = place_of()
    assert (names(place), place.strength) == (("", "", ""), "signed in")


def test_a_machine_without_anything_of_azure_has_no_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "of a managed identity that may not be there")
    assert place_of() == Place(strength="none")


def test_a_cloud_alone_in_the_settings_is_no_place(project: Path, cli: Path) -> None:
    (cli / "config").write_text("[cloud]\nname = AzureCloud\n")
    assert place_of().strength == "none"


def test_after_logging_out_nobody_is_signed_in(project: Path, cli: Path) -> None:
    (cli / "azureProfile.json").write_text('{"subscriptions": []}', encoding="utf-8-sig")
    assert place_of().strength == "none"


# --- several sources ---


def test_what_an_option_leaves_open_comes_from_the_config_file(project: Path) -> None:
    write_config(project / "config.json")
    place = place_of(resource_group=RG.upper())
    assert names(place) == (SUB, RG.upper(), WORKSPACE)
    assert place.found_in == ("options", str(project / "config.json"))


def test_a_config_file_of_another_subscription_gives_nothing(project: Path) -> None:
    write_config(project / "config.json")
    place = place_of(subscription=OTHER)
    assert names(place) == (OTHER, "", "")
    assert place.found_in == ("options",)


def test_a_config_file_of_another_workspace_does_not_give_its_group(project: Path) -> None:
    write_config(project / "config.json")
    assert names(place_of(workspace="ws-other")) == (SUB, "", "ws-other")


def test_a_config_file_of_another_group_does_not_give_its_workspace(project: Path) -> None:
    write_config(project / "config.json")
    assert names(place_of(resource_group="rg-other")) == (SUB, "rg-other", "")


def test_the_environment_of_a_job_in_another_subscription_gives_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", OTHER)
    monkeypatch.setenv("AZUREML_ARM_SUBSCRIPTION", SUB)
    monkeypatch.setenv("AZUREML_ARM_RESOURCEGROUP", RG)
    assert names(place_of()) == (OTHER, "", "")


def test_the_environment_is_stronger_than_the_config_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(project / "config.json")
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", OTHER)
    assert names(place_of()) == (OTHER, "", "")


def test_the_nearest_config_file_is_the_one(project: Path) -> None:
    write_config(project.parent / "config.json", workspace="ws-above")
    write_config(project / ".azureml/config.json")
    assert place_of().workspace == WORKSPACE


def test_a_config_file_of_another_program_is_passed_over(project: Path) -> None:
    (project / "config.json").write_text('{"model_type": "bert", "resource_group": "x"}')
    write_config(project.parent / "config.json")
    assert place_of().workspace == WORKSPACE


def test_a_config_file_that_nobody_filled_in_is_passed_over(project: Path) -> None:
    write_config(project / "config.json", "<subscription-id>", "<resource-group>", "<workspace>")
    assert place_of().strength == "none"


def test_the_subscription_of_the_azure_cli_completes_a_group(project: Path, cli: Path) -> None:
    write_profile(cli)
    place = place_of(resource_group=RG)
    assert names(place) == (SUB, RG, "")
    assert (place.strength, place.found_in) == ("named", ("options", "the Azure CLI's subscription"))


def test_a_subscription_is_known_by_its_name(project: Path, cli: Path) -> None:
    write_profile(cli)
    place = place_of(subscription="playground")
    assert (place.subscription, place.tenant) == (OTHER, OTHER_TENANT)


def test_a_name_that_nobody_knows_stays_as_it_is(project: Path, cli: Path) -> None:
    write_profile(cli)
    assert place_of(subscription="Nowhere").subscription == "Nowhere"


# --- files that can not be used ---


def test_a_broken_config_file_is_one_note_with_its_line(project: Path) -> None:
    (project / "config.json").write_text('{\n  "subscription_id": "x",\n}')
    write_config(project.parent / "config.json")
    place = place_of()
    assert place.workspace == WORKSPACE
    (note,) = place.notes
    assert note.startswith(f"{project / 'config.json'}:3: not JSON")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00broken", b"[" * 100_000, b"[]", b"{}", b"null", b'{"workspace_name": 7}']
)
def test_a_config_file_of_the_wrong_kind_is_no_crash(project: Path, content: bytes) -> None:
    (project / "config.json").write_bytes(content)
    assert place_of().strength == "none"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00broken", b"[]", b'{"subscriptions": 7}', b'{"subscriptions": [7, {}]}']
)
def test_a_profile_of_the_wrong_kind_is_no_login(project: Path, cli: Path, content: bytes) -> None:
    (cli / "azureProfile.json").write_bytes(content)
    assert place_of().strength == "none"


def test_broken_settings_of_the_azure_cli_are_a_note(project: Path, cli: Path) -> None:
    (cli / "config").write_text("[defaults\ngroup = x")
    place = place_of()
    assert place.resource_group == ""
    assert place.notes == (f"{cli / 'config'} can not be read: MissingSectionHeaderError; it is passed over",)


# --- how to give what is missing ---


def test_what_is_missing_is_asked_for_with_all_the_ways(project: Path) -> None:
    told = place_of().how_to_give()
    for way in ("--subscription", "--resource-group", "--workspace", "az account set", "config.json"):
        assert way in told
    assert "\n" not in told


def test_only_what_is_missing_is_asked_for(project: Path) -> None:
    place = place_of(SUB, RG)
    assert "--workspace" in place.how_to_give()
    assert "--subscription" not in place.how_to_give()
    assert "--resource-group" in place.how_to_give(["resource group"])
    assert place_of(SUB, RG, WORKSPACE).how_to_give() == ""
