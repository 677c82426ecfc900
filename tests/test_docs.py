"""README and docs: examples run, links lead somewhere, generated parts are current."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dedup import agencies
from dedup.config import settings_from
from dedup.corrections import load_corrections
from dedup.families import load_families
from dedup.job.file import load_job
from dedup.model import table_schemas

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(read(page)) if found == language]


def run(command: list[str], folder: Path) -> None:
    here = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like the repository to an example."""
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "examples" / "incoming").mkdir()
    return tmp_path


@pytest.mark.slow  # each command is a process of its own
@pages
def test_shell_examples_run(page, folder):
    examples = [b for b in blocks(page, "sh") if b.startswith(("dedup ", "python "))]
    assert examples == blocks(page, "sh"), "fence what cannot run in a test as text"
    for example in examples:
        run(["sh", "-e", "-c", example], folder)


@pages
def test_python_examples_run(page, folder):
    # One after another, as a reader would enter them.
    if examples := blocks(page, "python"):
        run([sys.executable, "-c", "\n".join(examples)], folder)


@pages
def test_toml_examples_are_accepted(page, tmp_path, monkeypatch):
    for n, example in enumerate(blocks(page, "toml")):
        (path := tmp_path / f"{n}.toml").write_text(example, encoding="utf-8")
        tables = set(tomllib.loads(example))
        if tables & {"agency", "outlet"}:
            agencies.load(str(path))
        elif tables == {"family"}:
            load_families(path, agencies.load())
        elif "index" in tables:
            monkeypatch.setenv("DEDUP_SMTP_PASSWORD", "password")
            load_job(path)
        elif "[[" in example:
            load_corrections(path, agencies.load())
        else:
            settings_from(tomllib.loads(example))


@pages
def test_links_lead_somewhere(page):
    for link in LINK.findall(read(page)):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def builder(name: str):
    """The module ``tools/<name>.py``."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["build_settings_doc", "build_commands_doc"])
def test_generated_pages_are_current(name):
    tool = builder(name)
    assert read(tool.TARGET) == tool.render(), "run `make docs`"


@pytest.mark.parametrize("name", ["build_columns_doc", "build_performance_doc"])
def test_generated_tables_are_current(name):
    tool = builder(name)
    assert read(tool.TARGET) == tool.render(read(tool.TARGET)), "run `make docs`"


@pytest.mark.parametrize("table", table_schemas())
def test_every_field_of_the_output_is_explained(table):
    text = read(ROOT / "docs" / "output.md")
    section = re.search(rf"^## {table}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/output.md has no section {table}"
    schema = table_schemas()[table]
    explained = set(re.findall(r"`([\w.]+)`", section[1]))
    if table == "near_misses":
        explained |= set(table_schemas()["relations"].names)
    assert set(schema.names) - explained == set()


def test_every_module_named_in_the_docs_exists():
    text = read(ROOT / "docs" / "how-it-works.md")
    headings = re.findall(r"^## .*\((.+)\)$", text, re.MULTILINE)
    named = {name for heading in headings for name in heading.split(", ")}
    assert named
    for name in named:
        assert (ROOT / "dedup" / name.strip("`")).exists(), name


def test_all_documentation_is_reachable_from_the_readme():
    linked = {link.partition("#")[0] for link in LINK.findall(read(ROOT / "README.md"))}
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= linked


@pytest.mark.slow
def test_the_site_builds():
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    builder("build_site").main()
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = ROOT / ".site" / "html"
    for page in PAGES:
        name = {"README": "index", "index": "the-index"}.get(page.stem, page.stem)
        assert (site / f"{name}.html").is_file(), name
    api = (site / "api.html").read_text(encoding="utf-8")
    assert all(f">{name}<" in api for name in ("scan", "compare", "Index"))
