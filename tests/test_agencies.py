"""A user's own agencies: what a file may hold, and what is refused with its place."""

from __future__ import annotations

import pytest
from dumps import write_jsonl

import dedup
from dedup.agencies import load
from dedup.errors import SettingsError

OWN = """
[[agency]]
id = "coastal"
name = "Coastal News Service"
aliases = ["Coastal News Service"]
domains = ["coastal-news.test"]
"""


def write(path, toml: str | bytes):
    path.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return path


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    own = load(write(tmp_path / "mine.toml", "\ufeff" + OWN))
    assert own.name("coastal") == "Coastal News Service"
    assert own.own_sources("coastal-news.test") == {"coastal-news.test", "coastal"}
    assert len(own) == len(load()) + 1


def entry(rest: str, identity: str = "coastal") -> str:
    return f'[[agency]]\nid = "{identity}"\nname = "Coastal"\n{rest}\n'


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (b"id = '\xff'", "not valid TOML"),
        ("a = " + "[" * 50_000, "not valid TOML"),
        ("[[agencies]]", "unknown table 'agencies'; known are: agency, outlet"),
        ("agency = 3", "'agency' must be a list of tables"),
        (entry("colour = 1"), r"agency 1 \('coastal'\): unknown key 'colour'"),
        (entry('aliases = "Coastal"'), "'aliases' must be a list of texts"),
        (entry('aliases = ["C"]'), "'C' in 'aliases' is too short"),
        (entry('kind = "paper"'), "kind 'paper' must be agency, press-release or outlet"),
        (entry("", "unknown"), "'id' must be lower case .* not 'unknown'"),
        (entry("", "Coastal News"), "'id' must be lower case"),
        (entry("", r"c\u001b[31m"), "'id' must be lower case"),
        (entry('domains = ["https://coastal-news.test/"]'), "must be a domain such as"),
        (entry('domains = ["www.coastal-news.test"]'), "must be a domain such as"),
        (entry('aliases = ["Coastal"]\nnot = ["Coastal"]'), "stands under 'not' and among"),
        (entry("") + entry(""), "id occurs twice"),
        (entry('aliases = ["Associated Press"]'), "name 'Associated Press' belongs to 'ap'"),
        (entry('domains = ["reuters.com"]'), "domain 'reuters.com' belongs to 'reuters'"),
    ],
)
def test_wrong_files_are_refused(tmp_path, toml, message):
    path = write(tmp_path / "mine.toml", toml)
    with pytest.raises(SettingsError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))


def test_a_run_says_which_agencies_it_knew(tmp_path):
    dump = write_jsonl(tmp_path / "a.jsonl", [{"id": "a", "text": "PORT (Coastal News) - Rain."}])
    plain = dedup.scan(dump, threads=1).run
    own = dedup.scan(dump, threads=1, agencies=write(tmp_path / "own.toml", OWN)).run
    copy = dedup.scan(dump, threads=1, agencies=write(tmp_path / "copy.toml", OWN)).run
    assert "agencies" not in plain
    assert own["agencies"] == str(tmp_path / "own.toml")
    assert own["fingerprint"] == copy["fingerprint"] != plain["fingerprint"]
