"""Groups keep their ids while they grow, merge and split."""

from __future__ import annotations

from dedup.history import name_groups


def members(*names: str) -> list[tuple[str, str]]:
    return [(name, f"digest of {name}") for name in names]


def events(found):
    return {(e.event, e.group, e.others) for e in found}


def test_a_new_group_is_created_under_the_name_that_a_scan_gives():
    (name,), told = name_groups([members("a", "b")], {}, set())
    assert name.startswith("g-")
    assert events(told) == {("created", name, ())}


def test_a_group_keeps_its_id_as_it_grows():
    ids, told = name_groups([members("0", "a", "b")], {"g-1": members("a", "b")}, {"g-1"})
    assert ids == ["g-1"]
    assert told == []


def test_the_larger_share_keeps_the_id_when_groups_merge():
    former = {"g-1": members("a", "b"), "g-2": members("c", "d", "e")}
    ids, told = name_groups([members("a", "b", "c", "d", "e")], former, set(former))
    assert ids == ["g-2"]
    assert events(told) == {("merged", "g-2", ("g-1",)), ("dissolved", "g-1", ("g-2",))}


def test_parts_of_a_split_group_are_told():
    former = {"g-1": members("a", "b", "c", "d", "e")}
    ids, told = name_groups([members("a", "b"), members("c", "d", "e")], former, set(former))
    assert ids[1] == "g-1"
    assert events(told) == {("split", "g-1", (ids[0],))}


def test_a_group_that_falls_apart_is_dissolved():
    ids, told = name_groups([], {"g-1": members("a", "b")}, {"g-1"})
    assert ids == []
    assert events(told) == {("dissolved", "g-1", ())}


def test_an_id_is_never_given_again():
    (name,), _ = name_groups([members("a", "b")], {}, set())
    (other,), _ = name_groups([members("a", "c")], {}, {name})
    assert other != name
    assert other.startswith(name)
