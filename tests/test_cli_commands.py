"""The command line against a made-up API: options, exit codes, messages."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import types
from dataclasses import fields
from pathlib import Path

import pytest
from report_fixture import TEXTS, make_run, make_tables
from typer.testing import CliRunner

from dedup.cli import app
from dedup.config import Settings
from dedup.errors import IncompleteInputError, LockedError
from dedup.model import Match
from dedup.report import console

TESTS = Path(__file__).parent


class FakeApi(types.ModuleType):
    """Stands in for ``dedup.api`` and remembers how it was called."""

    def __init__(self) -> None:
        super().__init__("dedup.api")
        self.calls: list[dict] = []
        self.error: BaseException | None = None
        self.run_json = make_run()

    def scan(self, inputs, **options):
        self.calls.append({"inputs": list(inputs), **options})
        options["progress"]("align", 1, 2)
        if self.error is not None:
            raise self.error
        return types.SimpleNamespace(tables=make_tables(), run=self.run_json)

    def compare(self, text_a, text_b, settings=None, semantic=None):
        self.calls.append({"texts": (text_a, text_b), "settings": settings})
        return [Match(0, 5, 1, 6, 0.5, "prose")]


@pytest.fixture
def api(monkeypatch):
    fake = FakeApi()
    import dedup

    monkeypatch.setitem(sys.modules, "dedup.api", fake)
    monkeypatch.setattr(dedup, "api", fake, raising=False)
    monkeypatch.setattr(console.Interruption, "said", False)
    return fake


@pytest.fixture
def dump(tmp_path):
    path = tmp_path / "dump.jsonl"
    path.write_text("{}\n")
    return str(path)


def dedup(*args):
    return CliRunner().invoke(app, [str(a) for a in args])


def test_scan_writes_and_says(api, dump, tmp_path):
    done = dedup("scan", dump, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("8 articles; 3 (37.5 %) are syndicated")
    assert "report.html" in done.stdout
    assert done.stderr == ""
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"articles.jsonl", "texts.parquet", "run.json", "report.html"} <= names
    call = api.calls[0]
    assert call["inputs"] == [dump]
    assert call["settings"] == Settings()
    assert call["threads"] is None
    assert call["memory"] is None


def test_scan_options(api, dump, tmp_path):
    out = tmp_path / "out"
    done = dedup(
        "scan", dump, "--out", out, "--format", "csv", "--field", "text=body", "--field",
        "id=key=2", "--outlet", "X", "--strict", "--reject-invalid-utf8", "--threads", "2",
        "--agencies", "a.toml", "--no-texts", "--no-report", "--quiet", "--min-similarity", "0.5",
        "--max-partners", "7",
    )  # fmt: skip
    assert done.exit_code == 3, "records were rejected under --strict"
    assert done.stdout == ""
    assert {p.suffix for p in out.iterdir()} == {".csv", ".json"}
    call = api.calls[0]
    assert call["settings"] == Settings(min_similarity=0.5, max_partners=7)
    assert call["read"].fields == (("text", "body"), ("id", "key=2"))
    assert call["read"].default_outlet == "X"
    assert call["read"].strict
    assert call["read"].reject_invalid_utf8
    assert call["threads"] == 2
    assert call["agencies"] == Path("a.toml")


def test_all_relations(api, dump, tmp_path):
    for option, expected in (((), 5), (("--all-relations",), 6)):
        dedup("scan", dump, "-o", tmp_path / "out", "--overwrite", *option)
        text = (tmp_path / "out" / "relations.jsonl").read_text()
        assert len(text.splitlines()) == expected


def test_help_shows_every_setting_with_default():
    text = " ".join(dedup("scan", "--help").stdout.split())
    for field in fields(Settings):
        assert f"--{field.name.replace('_', '-')}" in text
        assert f"[default: {field.default};" in text


@pytest.mark.parametrize(
    ("toml", "options", "expected"),
    [
        ("min_similarity = 0.6\n", (), Settings(min_similarity=0.6)),
        ("[settings]\nmin_similarity = 0.6\n", (), Settings(min_similarity=0.6)),
        ("seed = 3\n[settings]\nmin_similarity = 0.6\n", (), Settings(min_similarity=0.6, seed=3)),
        ("min_similarity = 0.6\n", ("--min-similarity", "0.7"), Settings(min_similarity=0.7)),
        ("copy_share = 0.6\n", ("--seed", "5"), Settings(copy_share=0.6, seed=5)),
    ],
)  # fmt: skip
def test_settings_file(api, dump, tmp_path, toml, options, expected):
    file = tmp_path / "s.toml"
    file.write_text(toml)
    done = dedup("scan", dump, "--out", tmp_path / "out", "--settings", file, *options)
    assert done.exit_code == 0, done.output
    assert api.calls[0]["settings"] == expected


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("sensitivty = 0.5\n", "unknown setting 'sensitivty'"),
        ("[settings]\nnix = 1\n", "unknown setting 'nix'"),
        ("[other]\nseed = 1\n", "unknown setting 'other'"),
        ("seed = 1\n[settings]\nseed = 2\n", "'seed' stands at the top level and"),
        ("settings = 3\n", "must be a table"),
        ("seed = 'x'\n", "setting 'seed'"),
        ("seed = \n", "not valid TOML"),
        (None, "cannot be read"),
    ],
)
def test_bad_settings_file(api, dump, tmp_path, toml, message):
    file = tmp_path / "s.toml"
    if toml is not None:
        file.write_text(toml)
    done = dedup("scan", dump, "--out", tmp_path / "out", "--settings", file)
    assert done.exit_code == 2
    assert message in done.stderr
    assert str(file) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not api.calls


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("scan",),
        ("scan", "x"),
        ("scan", "x", "--out", "o", "--format", "xml"),
        ("scan", "x", "--out", "o", "--min-similarity", "7"),
        ("scan", "x", "--out", "o", "--seed", "1.5"),
        ("scan", "x", "--out", "o", "--threads", "0"),
        ("scan", "x", "--out", "o", "--field", "text"),
        ("scan", "x", "--out", "o", "--nix"),
        ("compare", "x"),
        ("nix",),
    ],
)
def test_usage_errors(api, tmp_path, monkeypatch, args):
    monkeypatch.chdir(tmp_path)
    done = dedup(*args)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert not api.calls
    assert list(tmp_path.iterdir()) == []


def test_output_is_checked_before_reading(api, dump, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "x").write_text("")
    done = dedup("scan", dump, "--out", out)
    assert done.exit_code == 2
    assert done.stderr.startswith("dedup: error: ")
    done = dedup("scan", dump, "--out", out / "x")
    assert done.exit_code == 5
    assert "is a file" in done.stderr
    assert not api.calls


def test_inputs_and_output_stay_apart(api, dump, tmp_path):
    out = tmp_path / "out"
    assert dedup("scan", dump, "-o", out).exit_code == 0
    for source in (out, out / "articles.jsonl", tmp_path):
        done = dedup("scan", source, "-o", out, "--overwrite")
        assert done.exit_code == 2
        assert "choose another" in done.stderr
    assert len(api.calls) == 1


def test_incomplete_input_ends_with_3_after_writing(api, dump, tmp_path):
    api.run_json = make_run(incomplete="gzip ends early")
    done = dedup("scan", dump, "--out", tmp_path / "out", "--exit-code")
    assert done.exit_code == 3
    assert "dump.jsonl: incomplete input: gzip ends early" in done.stderr
    assert "incomplete: dump.jsonl" in done.stdout
    assert (tmp_path / "out" / "run.json").is_file()


def test_exit_code_says_that_something_was_flagged(api, dump, tmp_path, monkeypatch):
    assert dedup("scan", dump, "--out", tmp_path / "a", "--exit-code").exit_code == 10
    tables = make_tables()
    index = tables["articles"].schema.get_field_index("flag")
    tables["articles"] = tables["articles"].set_column(index, "flag", [["unique"] * 8])
    monkeypatch.setattr(
        api, "scan", lambda *a, **k: types.SimpleNamespace(tables=tables, run=make_run())
    )
    assert dedup("scan", dump, "--out", tmp_path / "b", "--exit-code").exit_code == 0


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (IncompleteInputError("a.gz: ends early"), 3, "dedup: error: a.gz: ends early"),
        (LockedError("held"), 4, "dedup: error: held"),
        (ValueError("odd\x1b[3m"), 5, "dedup: internal error in stage align: ValueError: odd␛[3m"),
        (MemoryError(), 5, "dedup: error: out of memory in stage align; scan less at once"),
        (KeyboardInterrupt(), 130, "dedup: interrupted. Nothing was written"),
    ],
)  # fmt: skip
def test_errors_are_one_line(api, dump, tmp_path, error, code, message):
    api.error = error
    done = dedup("scan", dump, "--out", tmp_path / "out")
    assert done.exit_code == code
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_debug_shows_the_traceback(api, dump, tmp_path, monkeypatch):
    monkeypatch.setenv("DEDUP_DEBUG", "1")
    api.error = ValueError("odd")
    # `traceback` writes to the real stream, which the runner does not see.
    done = dedup("scan", dump, "--out", tmp_path / "out")
    assert done.exit_code == 5
    assert "Traceback" in done.stderr


def test_compare_files(api, tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffعاجل\r\nx".encode())
    (tmp_path / "b.txt").write_bytes("b 🌊".encode("utf-16"))
    done = dedup("compare", tmp_path / "a.txt", tmp_path / "b.txt")
    assert done.exit_code == 0, done.output
    assert api.calls[0]["texts"] == ("عاجل\r\nx", "b 🌊")
    assert "share 1 prose passage" in " ".join(done.stdout.split())  # wraps where paths are long
    done = dedup("compare", "--json", tmp_path / "a.txt", tmp_path / "b.txt")
    report = json.loads(done.stdout)
    assert report["matches"][0] == {
        "a_start": 0, "a_end": 5, "b_start": 1, "b_end": 6, "similarity": 0.5, "kind": "prose",
        "a_text": "عاجل\r", "b_text": " 🌊",
    }  # fmt: skip


def test_compare_articles_of_a_run(api, dump, tmp_path):
    out = tmp_path / "out"
    api.run_json["settings"]["min_similarity"] = 0.77
    dedup("scan", dump, "--out", out)
    done = dedup("compare", "zh/../1", "blog-9", "--run", out)
    assert done.exit_code == 0, done.output
    assert api.calls[-1]["texts"] == (TEXTS["zh/../1"], TEXTS["blog-9"])
    assert api.calls[-1]["settings"] == Settings(min_similarity=0.77)
    assert dedup("compare", "nix", "blog-9", "--run", out).exit_code == 2
    assert dedup("compare", "a", "b", "--run", tmp_path).exit_code == 3


def test_compare_without_a_file(api, tmp_path):
    done = dedup("compare", tmp_path / "nix", tmp_path / "nix")
    assert done.exit_code == 3
    assert "No such file" in done.stderr


# --- as a process ---------------------------------------------------------------------------


def process(*args: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "dedup", *args],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_version():
    done = process("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("dedup ")


def test_help_imports_nothing_heavy():
    code = (
        "import sys, contextlib, dedup.cli\n"
        "with contextlib.suppress(SystemExit): dedup.cli.app(['scan', '--help'])\n"
        "heavy = {'pyarrow', 'numpy', 'numba', 'sklearn', 'jinja2', 'rich', 'datasketch'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    assert "HEAVY []" in done.stderr


SLOW = """
import sys, time, types, threading
sys.path.insert(0, {tests!r})
import dedup
from concurrent.futures import ThreadPoolExecutor
api = types.ModuleType("dedup.api")
def scan(inputs, **options):
    with ThreadPoolExecutor(2) as pool:  # leaving it waits for a thread that does not end
        print("started", file=sys.stderr, flush=True)
        pool.submit(time.sleep, 30).result()
api.scan = scan
dedup.api = sys.modules["dedup.api"] = api
sys.argv = ["dedup", "scan", sys.argv[1], "--out", sys.argv[2]]
from dedup.__main__ import main
main()
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stop_is_quick_even_when_threads_are_not(stop, dump, tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(tests=str(TESTS)), dump, str(tmp_path / "out")],
        cwd=TESTS.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert running.stderr.readline() == "started\n"
    begin = time.monotonic()
    running.send_signal(stop)
    _, said = running.communicate(timeout=10)
    assert time.monotonic() - begin < 2.5
    assert running.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert {p.name for p in tmp_path.iterdir()} == {"dump.jsonl"}


def test_a_closed_pipe_is_no_error(tmp_path):
    code = (
        "import os, sys\nfrom dedup.report.console import show\n"
        "read, write = os.pipe()\nos.close(read)\nos.dup2(write, 1)\nshow('x' * 100000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_that_is_lost_while_an_object_is_freed_still_ends_the_command():
    code = (
        "import time\n"
        "from dedup import __main__ as command\n"
        "class Freed:\n"
        "    def __del__(self):\n"
        "        command._interrupt(15, None)\n"
        "Freed()\n"
        "time.sleep(60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_waits_until_a_kernel_is_compiled_or_loaded():
    code = (
        "import os, signal, time\n"
        "from dedup import __main__ as command\n"
        "signal.signal(signal.SIGTERM, command._interrupt)\n"
        "body = '''\n"
        "def load():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.2)\n"
        "    print('loaded', flush=True)\n"
        "'''\n"
        "names = {**globals(), '__name__': 'numba.core.codegen'}\n"
        "exec(body, names)\n"
        "try:\n"
        "    names['load']()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
        "    os._exit(130)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "loaded\ninterrupted\n", "")
