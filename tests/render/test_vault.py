"""A vault laid out for a terminal."""

from __future__ import annotations

from diagnose.render.vault import Entry, Section, VaultView, render

PRINCIPAL = "11111111-0000-0000-0000-0000000000d3"
VIEW = VaultView(
    title="vault kv-mlops",
    facts=(("firewall", "open to all networks"),),
    policies=(
        Entry(
            PRINCIPAL,
            "identity of workspace ws-mlops",
            (("keys", ("get", "list", "update", "create", "import", "delete")), ("secrets", ("get",))),
        ),
        Entry("p2", "", ()),
    ),
    policies_title="access policies: 2",
    sections=(Section("to give it back", ("az keyvault set-policy " + "x" * 90,)),),
)


def test_a_vault_as_a_whole():
    assert render(VIEW, 60) == (
        "vault kv-mlops\n"
        "  firewall           open to all networks\n"
        "\n"
        "access policies: 2\n"
        f"  {PRINCIPAL}  identity of workspace ws-mlops\n"
        "    keys               get list update create import delete\n"
        "    secrets            get\n"
        "  p2\n"
        "\n"
        "to give it back\n"
        f"  az keyvault set-policy {'x' * 90}\n"
    )


def test_long_lists_go_on_below_themselves():
    entry = Entry("p", "", (("keys", ("wrapKey",) * 9),))
    lines = render(VaultView(title="t", policies=(entry,), policies_title="policies"), 60).splitlines()
    assert lines[4:] == [
        "    keys               wrapKey wrapKey wrapKey wrapKey",
        "                       wrapKey wrapKey wrapKey wrapKey",
        "                       wrapKey",
    ]


def test_nothing_of_an_answer_reaches_the_terminal_as_a_command():
    view = VaultView(title="vault \x1b[31mkv\x1b[0m", sections=(Section("note", ("a\nb\x07",)),))
    assert render(view) == "vault kv\n\nnote\n  a b\n"


def test_no_policies_are_no_list():
    assert render(VaultView(title="gone")) == "gone\n"
