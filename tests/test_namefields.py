"""Names in bylines and metadata: every field that can name a source reaches attribution."""

from __future__ import annotations

import json

import pytest

from dedup.agencies import load
from dedup.attribute import Attributor
from dedup.config import ReadSettings
from dedup.creditfields import CREDIT_FIELDS, folded
from dedup.model import Ledger
from dedup.namefields import LONGEST_PART, metadata_values
from dedup.read import read_articles


@pytest.fixture(scope="module")
def attributor() -> Attributor:
    return Attributor(load())


@pytest.mark.parametrize(
    "column",
    ["newsagency", "Credit_Line", "provider", "credit", "copyrightholder", "distributor", "wire"],
)
def test_columns_of_tables_that_name_a_source_are_credits(tmp_path, attributor, column):
    path = tmp_path / "a.csv"
    path.write_text(f"id,outlet,text,{column}\n1,Daily,Rain fell.,Reuters\n", encoding="utf-8")
    (batch,) = read_articles([str(path)], ReadSettings(), Ledger())
    metadata = batch["metadata"][0].as_py()
    found, _ = attributor.evidence(ref="1", text="Rain fell.", metadata=metadata)
    assert [(c.role, c.source, c.text) for c in found] == [("metadata", "reuters", "Reuters")]


def test_every_credit_field_is_looked_at():
    assert [name for name in CREDIT_FIELDS if folded(name) != name] == []
    table = dict.fromkeys(CREDIT_FIELDS.values(), "Reuters")
    assert len(list(metadata_values(json.dumps(table)))) == len(CREDIT_FIELDS)


def test_no_value_is_too_long_and_no_list_too_long(attributor):
    notice = "All rights reserved. " * 400 + "; Reuters"
    many = [f"Person {i}" for i in range(60)] + ["Reuters"]
    metadata = json.dumps({"copyrightNotice": notice, "agencies": many})
    found, _ = attributor.evidence(ref="1", text="Rain fell.", metadata=metadata)
    assert {c.field for c in found} == {"metadata.copyrightNotice", "metadata.agencies.60"}
    for credit in found:
        assert credit.text == "Reuters"


def test_running_text_names_nobody(attributor):
    metadata = json.dumps({"copyrightNotice": "x" * LONGEST_PART + " Reuters"})
    assert attributor.evidence(ref="1", text="Rain fell.", metadata=metadata) == ([], [])


def test_nested_values_are_followed_by_their_names():
    metadata = json.dumps({"provider": {"name": ["A", {"literal": "B", "id": 7}]}, "other": "C"})
    assert list(metadata_values(metadata)) == [
        ("provider.name.0", "A"),
        ("provider.name.1.literal", "B"),
    ]


@pytest.mark.parametrize("metadata", ["", "[]", "7", "{", "[" * 100_000])
def test_what_is_no_object_names_nobody(metadata):
    assert list(metadata_values(metadata)) == []
