"""Expressions of ARM templates, as far as they can be decided."""

from __future__ import annotations

import pytest

from diagnose.collectors.azure.expressions import Scope, Undecided, decided

SCOPE = Scope(
    parameters={
        "name": {"type": "string", "defaultValue": "kv"},
        "given": {"type": "string", "defaultValue": "default"},
        "bare": {"type": "string"},
        "list": {"type": "array", "defaultValue": [1, "[parameters('name')]"]},
        "object": {"type": "object", "defaultValue": {"Ids": ["a", "b"], "on": True}},
        "loop": {"type": "string", "defaultValue": "[variables('loop')]"},
    },
    variables={"vault": "[concat(parameters('name'), '-', toLower('MLOPS'))]", "loop": "[parameters('loop')]"},
    given={"GIVEN": "passed"},
    place={"subscription": {"tenantId": "t1"}},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("[[not an expression]", "[not an expression]"),
        ("[parameters('name')]", "kv"),
        ("[parameters('NAME')]", "kv"),
        ("[parameters('given')]", "passed"),
        ("[variables('vault')]", "kv-mlops"),
        ("[format('{0}/{1}', variables('vault'), 'add')]", "kv-mlops/add"),
        ("[parameters('object').ids[1]]", "b"),
        ("[parameters('list')]", [1, "kv"]),
        ("[concat(parameters('list'), createArray('x'))]", [1, "kv", "x"]),
        ("[subscription().tenantId]", "t1"),
        ("[equals(parameters('name'), 'kv')]", True),
        ("[equals(parameters('name'), 'KV')]", False),
        ("[if(parameters('object').on, 'yes', parameters('bare'))]", "yes"),
        ("[and(not(empty('x')), or(false(), bool('True')))]", True),
        ("[empty(parameters('list'))]", False),
        ("[length(createArray())]", 0),
        ("[coalesce(null(), 'x')]", "x"),
        ("['it''s']", "it's"),
        ("[replace(trim(' a-b '), '-', '')]", "ab"),
        ("[first(parameters('list'))]", 1),
        ("[createObject('a', 1).a]", 1),
        ("[string(-7)]", "-7"),
        ("[if(equals('a', 'b'), 'x', json('null'))]", None),
    ],
)
def test_what_can_be_decided(expression, value):
    assert decided(expression, SCOPE) == value


@pytest.mark.parametrize(
    "expression",
    [
        "[parameters('bare')]",
        "[parameters('nobody')]",
        "[variables('nobody')]",
        "[variables('loop')]",
        "[uniqueString(resourceGroup().id)]",
        "[concat('kv', uniqueString('x'))]",
        "[reference(resourceId('Microsoft.X/y', 'z'), '2020-01-01', 'Full').identity.principalId]",
        "[tenant().tenantId]",
        "[format('{0:N}', 'a')]",
        "[format('{7}', 'a')]",
        "[parameters('list')[9]]",
        "[parameters('object').nobody]",
        "[if(parameters('bare'), 'a', 'b')]",
        "[not('perhaps')]",
        "[json('{')]",
        "[bool('perhaps')]",
        "[__import__('os').system('true')]",
        "[concat('a']",
        "[concat('a')) ]",
        "[$]",
        "[]",
        "[" + "concat(" * 500 + "'a'" + ")" * 500 + "]",
    ],
)
def test_what_cannot_is_left_as_it_stands(expression):
    assert decided(expression, SCOPE) == Undecided(expression)


def test_a_list_keeps_what_is_known_of_it():
    found = decided("[concat(createArray('a'), parameters('bare'), createArray('b'))]", SCOPE)
    assert found[0] == "a"
    assert isinstance(found[1], Undecided)
    assert found[2] == "b"


def test_objects_are_decided_part_by_part():
    found = decided({"a": "[parameters('name')]", "b": ["[parameters('bare')]", 3, None]}, SCOPE)
    assert found == {"a": "kv", "b": [Undecided("[parameters('bare')]"), 3, None]}


def test_parameters_at_their_defaults_are_remembered():
    scope = Scope(parameters=SCOPE.parameters, given={"given": "x"})
    decided(["[parameters('name')]", "[parameters('NAME')]", "[parameters('given')]", "[parameters('bare')]"], scope)
    assert scope.defaulted == {"name"}
