"""The folder ``report``: written with a run, replaced with it, and never a foreign file's end."""

from __future__ import annotations

import pytest
from report_fixture import make_run, make_tables

from dedup.api import Result
from dedup.errors import OutputNotEmptyError


@pytest.fixture
def result() -> Result:
    return Result(make_tables(), make_run())


def test_it_is_written_when_asked_for(result, tmp_path):
    result.write(tmp_path / "plain")
    assert not (tmp_path / "plain" / "report").exists()
    result.write(tmp_path / "full", report="full")
    assert (tmp_path / "full" / "report.html").is_file()
    pages = tmp_path / "full" / "report"
    assert sorted(p.name for p in pages.iterdir()) == ["data", "index.html"]
    assert (pages / "data" / "group-0.js").read_text().startswith('dedupChunk("group-0","')


@pytest.mark.parametrize("inside", [False, True])
def test_it_goes_with_its_run(result, tmp_path, monkeypatch, inside):
    out = tmp_path / "out"
    result.write(out, report="full")
    if inside:  # a folder that cannot be renamed is replaced file by file
        monkeypatch.chdir(out)
    result.write(out, report="full", overwrite=True)
    assert (out / "report" / "index.html").is_file()
    result.write(out, overwrite=True)
    assert not (out / "report").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"], "nothing is left behind"


@pytest.mark.parametrize(
    "name", ["notes.txt", "data/notes.txt", "data/group-0.js.bak", "img/x.png"]
)
def test_a_foreign_file_in_it_is_never_deleted(result, tmp_path, name):
    out = tmp_path / "out"
    result.write(out, report="full")
    mine = out / "report" / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(OutputNotEmptyError, match=f"report/{name}"):
        result.write(out, overwrite=True)
    assert mine.read_text() == "mine"


def test_a_link_in_it_is_not_followed(result, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "charts.js").write_text("mine")
    result.write(out)
    (out / "report").mkdir()
    (out / "report" / "data").symlink_to(elsewhere)
    with pytest.raises(OutputNotEmptyError, match="report/data"):
        result.write(out, overwrite=True)
    assert (elsewhere / "charts.js").read_text() == "mine"
