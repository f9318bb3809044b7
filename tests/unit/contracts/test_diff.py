"""What `contracts diff` calls breaking, which version it asks for, and where it points."""

from __future__ import annotations

import copy

import pytest

from contracts.evolution import diff
from contracts.parsing import document
from contracts.parsing.load import load_file
from contracts.types import widens
from tests import orders


def changed(tmp_path, edit, version="1.0.0"):
    """Return the difference that an edit of the contract of orders makes."""
    old = orders.document(slaProperties=[{"property": "frequency", "value": 1, "unit": "d"}])
    new = copy.deepcopy(old) | {"version": version}
    edit(new, new["schema"][0]["properties"])
    before = load_file(orders.write_contract(tmp_path / "old", old), "shop")
    path = orders.write_contract(tmp_path / "new", new)
    return diff.difference(before, load_file(path, "shop"), document.read(path)), path


def amount(properties):
    return properties[2]


CONDITION = {
    "type": "sql", "name": "no free order", "mustBe": 0,
    "query": "select count(*) from {table} where amount = 0 and status = 'paid'",
}  # fmt: skip
EDITS = {
    "nothing": (lambda d, p: None, None, ""),
    "words": (lambda d, p: p[3].update(description="State."), "patch", "description changed"),
    "new column": (lambda d, p: p.append(orders._column("note", "string", "string")), "minor", "new column 'note'"),
    "new required column": (lambda d, p: p.append(orders._column("note", "string", "string", required=True)), "major", "'note' is required"),
    "column gone": (lambda d, p: p.pop(2), "major", "'amount' is gone"),
    "wider": (lambda d, p: p[2].update(physicalType="decimal(12,2)"), "minor", "widened from decimal(10,2)"),
    "narrower": (lambda d, p: p[1].update(physicalType="int"), "major", "changed from bigint to int"),
    "fewer digits before the point": (lambda d, p: p[2].update(physicalType="decimal(10,4)"), "major", "changed from"),
    "required": (lambda d, p: p[2].update(required=True), "major", "required now"),
    "optional": (lambda d, p: p[1].update(required=False), "minor", "rule required is gone"),
    "higher minimum": (lambda d, p: p[2].update(logicalTypeOptions={"minimum": 1}), "major", "range changed from >= 0 to >= 1"),
    "lower minimum": (lambda d, p: p[2].update(logicalTypeOptions={"minimum": -1}), "minor", "range changed"),
    "minimum left out": (lambda d, p: p[2].update(logicalTypeOptions={"exclusiveMinimum": 0}), "major", "range changed from >= 0 to > 0"),
    "new maximum": (lambda d, p: p[2].update(logicalTypeOptions={"minimum": 0, "maximum": 9}), "major", "range changed"),
    "value forbidden": (lambda d, p: p[3]["quality"][0].update(arguments={"validValues": ["open"]}), "major", "no more ['paid']"),
    "value allowed": (lambda d, p: p[3]["quality"][0].update(arguments={"validValues": ["open", "paid", "lost"]}), "minor", "also ['lost']"),
    "pattern": (lambda d, p: p[3].update(logicalTypeOptions={"pattern": "o.*"}), "major", "new rule str_matches"),
    "key": (lambda d, p: p[1].update(primaryKey=True, primaryKeyPosition=2), "major", "the key changed"),
    "unit": (lambda d, p: p[2].update(customProperties=[{"property": "unit", "value": "EUR"}]), "major", "unit changed"),
    "classification": (lambda d, p: p[1].update(classification="personal"), "major", "classification changed"),
    "promise loosened": (lambda d, p: d["slaProperties"][0].update(value=2), "major", "'frequency' loosened"),
    "promise kept better": (lambda d, p: d["slaProperties"][0].update(value=2, unit="h"), "minor", "'frequency' promised"),
    "condition": (lambda d, p: d["schema"][0].update(quality=[CONDITION]), "major", "rule 'no free order' is new"),
    "condition that warns": (lambda d, p: d["schema"][0].update(quality=[CONDITION | {"severity": "warning"}]), "minor", "rule 'no free order' is new"),
    "dataset rule": (lambda d, p: d["schema"][0].update(quality=[{"metric": "rowCount", "mustBeGreaterThan": 0}]), "major", "dataset rule 'rowCount' is new"),
    "reference": (lambda d, p: p[1].update(relationships=[{"to": "customers.id"}]), "minor", "reference 'customer_id in customers' is new"),
    "room": (lambda d, p: d.update(support=[{"tool": "slack", "channel": "#orders"}]), "patch", "channels changed"),
    "promise gone": (lambda d, p: d.pop("slaProperties"), "major", "'frequency' loosened"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_each_change_asks_for_its_part_of_the_version(tmp_path, name):
    """One edit: the part of the version it raises, and the words that describe it."""
    edit, needs, words = EDITS[name]
    difference, _ = changed(tmp_path, edit)
    assert difference.needs == needs, [change.message for change in difference.changes]
    assert words in "; ".join(change.message for change in difference.changes)
    assert difference.is_allowed is (needs != "major")


def test_a_rename_that_is_declared_breaks_no_producer(tmp_path):
    """Without `previousNames` it is a column gone; with it the old name is reported to readers."""

    def rename(properties, **more):
        properties[2] |= {"name": "total"} | more

    difference, _ = changed(tmp_path, lambda d, p: rename(p))
    assert {(c.bump, c.gone) for c in difference.changes} == {("major", "amount"), ("minor", "")}
    evolved = [{"property": "evolution", "value": {"previousNames": ["amount"]}}]
    difference, _ = changed(tmp_path, lambda d, p: rename(p, customProperties=evolved))
    assert {(c.bump, c.gone) for c in difference.changes} == {("minor", "amount")}


def test_a_major_version_allows_it_and_none_goes_back(tmp_path):
    """2.0.0 may drop a column, 1.9.0 may not, 0.9.0 is lower than what there was."""
    for version, allowed in (("2.0.0", True), ("1.9.0", False), ("0.9.0", False)):
        difference, _ = changed(tmp_path, lambda d, p: p.pop(2), version)
        assert (difference.is_allowed, difference.needed_version) == (allowed, "2.0.0")
    assert difference.goes_back
    assert [diff.raised("1.4.2", part) for part in diff.PARTS] == ["2.0.0", "1.5.0", "1.4.3"]


def test_a_change_names_its_line(tmp_path):
    """The line is that of the column in the new file."""
    difference, path = changed(tmp_path, lambda d, p: p[2].update(physicalType="int"))
    (change,) = difference.changes
    lines = path.read_text().splitlines()
    assert (change.file, lines[change.line - 1].strip()) == ("shop/orders.yaml", "- name: amount")


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        ("int", "bigint", True), ("bigint", "int", False), ("float", "double", True),
        ("int", "double", False), ("decimal(10,2)", "decimal(11,2)", True),
        ("decimal(10,2)", "decimal(12,4)", True), ("decimal(10,2)", "decimal(11,4)", False),
        ("decimal(10,2)", "decimal(10,2)", False), ("string", "bigint", False),
    ],
)  # fmt: skip
def test_a_type_widens_if_it_has_every_value_as_it_is(old, new, wider):
    """Whole numbers, floats, and decimals with at least as many digits on both sides."""
    assert widens(old, new) is wider
