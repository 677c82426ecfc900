"""The table of faults names tests that exist, each fault once."""

from __future__ import annotations

import re

from dumps import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, re.MULTILINE)


def test_every_test_of_the_table_exists() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named <= defined, named - defined


def test_every_fault_has_one_row_with_a_test() -> None:
    numbers = [int(number) for number, _ in ROWS]
    assert numbers == sorted(set(numbers))
    assert all("`test_" in row for _, row in ROWS)


def test_every_test_of_a_fault_stands_in_its_row() -> None:
    rows = {int(number): row for number, row in ROWS}
    for path in (ROOT / "tests").glob("test_faults_*.py"):
        for name, number in re.findall(r"^def (test_fault_(\d+)_\w+)\(", path.read_text(), re.M):
            assert f"`{name}`" in rows[int(number)], name
