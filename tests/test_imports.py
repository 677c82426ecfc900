"""What importing costs, what the package offers, and what kernels may use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dedup

ROOT = Path(__file__).parent.parent
HEAVY = (
    *("numba", "sklearn", "scipy", "numpy", "pyarrow", "pandas", "datasketch"),
    *("altair", "duckdb", "jinja2", "lxml", "rich", "orjson", "tenacity", "prometheus_client"),
    *("onnxruntime", "tokenizers", "sentence_transformers", "torch"),
    *("resiliparse", "selectolax", "fastwarc", "fsspec", "aiohttp", "s3fs"),
    *("starlette", "uvicorn", "multipart", "python_multipart", "mkdocs"),
    *("pyspark", "py4j", "dedup.engines.spark"),
)
PUBLIC = [
    "DedupError",
    "Evidence",
    "Filtered",
    "Flagged",
    "Index",
    "Match",
    "ReadSettings",
    "Result",
    "Settings",
    "Update",
    "compare",
    "filter",
    "flag",
    "hash32",
    "scan",
    "signature",
    "tokens",
]


def loaded_by(code: str, modules: tuple[str, ...]) -> list[str]:
    """Which of ``modules`` a fresh interpreter has loaded after ``code``."""
    probe = f"{code}\nimport sys\nprint(*[m for m in {modules!r} if m in sys.modules], sep=',')"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=300
    )
    last = done.stdout.splitlines()[-1]
    return [name for name in last.split(",") if name]


def test_import_is_light():
    assert loaded_by("import dedup", HEAVY) == []


def test_reading_lines_loads_nothing_for_pages_or_addresses(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    code = (
        "from dedup.config import ReadSettings\n"
        "from dedup.model import Ledger\n"
        "from dedup.read import read_articles\n"
        f"assert list(read_articles([{str(tmp_path)!r}], ReadSettings(), Ledger()))"
    )
    web = ("resiliparse", "selectolax", "fastwarc", "fsspec", "aiohttp", "s3fs")
    assert loaded_by(code, web) == []


def test_a_small_scan_does_not_wait_for_scikit_learn():
    """Kernels may compile first."""
    sample = ROOT / "data" / "sample" / "articles.jsonl"
    code = f"import dedup\nassert len(dedup.scan({str(sample)!r}).passages)"
    assert loaded_by(code, ("sklearn", "datasketch", "jinja2")) == []


def test_settings_and_errors_are_light():
    assert loaded_by("import dedup\ndedup.Settings(), dedup.DedupError, dedup.Match", HEAVY) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["scan", "--help"],
        ["flag", "--help"],
        ["update", "--help"],
        ["doctor", "--help"],
        ["job", "run", "--help"],
        ["report", "--help"],
        ["explain", "--help"],
        ["serve", "--help"],
        ["--version"],
    ],
)
def test_help_is_light(arguments):
    code = (
        "import contextlib, sys\n"
        f"sys.argv = ['dedup', *{arguments!r}]\n"
        "from dedup.__main__ import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main()"
    )
    assert loaded_by(code, HEAVY) == []


def test_the_process_ends_without_a_last_collection():
    """What is frozen is not walked when the interpreter ends; files are closed as ever."""
    code = (
        "import contextlib, gc, sys\n"
        "sys.argv = ['dedup', '--version']\n"
        "from dedup.__main__ import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "assert gc.get_freeze_count() > 10_000\n"
        "assert gc.isenabled()"
    )
    assert loaded_by(code, HEAVY) == []


def test_public_surface():
    assert dedup.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(dedup))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_resolve_and_are_documented(name):
    assert (getattr(dedup, name).__doc__ or "").strip()


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'sacn'"):
        _ = dedup.sacn


def test_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "dedup", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == f"dedup {dedup.__version__}"
    assert f'version = "{dedup.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_kernels_use_numpy_and_the_compiler_only():
    for path in sorted((ROOT / "dedup" / "kernels").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                names = [node.module or ""]
            else:
                continue
            for name in names:
                allowed = (
                    name.split(".")[0] in ("numpy", "numba", "llvmlite")
                    or name.startswith("dedup.kernels")
                    or name.split(".")[0] in sys.stdlib_module_names
                )
                assert allowed, f"{path.name} imports {name}"
