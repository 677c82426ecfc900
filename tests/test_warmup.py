"""The cache of compiled kernels: what marks it complete, what is removed from it."""

from __future__ import annotations

import os
import sys
import time

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import warmup
from dedup.align import _texts
from dedup.collection import as_texts, collect
from dedup.kernels import jit
from dedup.kernels.ordering import first_from, stable_order
from dedup.kernels.workspace import no_texts


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder of this version's kernels."""
    monkeypatch.setenv("DEDUP_CACHE_DIR", str(tmp_path))
    jit.cache_folder.cache_clear()
    yield jit.cache_folder()
    monkeypatch.undo()
    jit.cache_folder.cache_clear()


def test_mark(folder):
    assert not jit.compiled()
    jit.mark_compiled()
    assert jit.compiled()


def test_another_install_with_the_same_sources_is_not_marked(folder, tmp_path, monkeypatch):
    jit.mark_compiled()
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "elsewhere" / "jit.py"))
    assert not jit.compiled()


def test_only_folders_unused_for_long_are_removed(folder):
    old = time.time() - (jit.UNUSED_DAYS + 1) * 86_400
    names = ("kernels-" + "0" * 16, "kernels-" + "1" * 16, "kernels-mine", "other")
    unused, used, strange, other = (folder.parent / name for name in names)
    for path in (unused, used, strange, other):
        path.mkdir()
        (path / "complete-0").touch()
        os.utime(path / "complete-0", (old, old))
        os.utime(path, (old, old))
    os.utime(used / "complete-0")
    jit.mark_compiled()
    assert not unused.exists()
    assert all(path.exists() for path in (used, strange, other, folder))


def test_the_alignment_compiles_for_the_types_that_a_run_has():
    run = _texts(collect(as_texts(["The council voted on Tuesday. Nothing else was decided."])))
    assert numba.typeof(no_texts()) == numba.typeof(run)


def test_a_process_beside_that_fails_costs_nothing(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(warmup.sys, "executable", str(tmp_path / "no such interpreter"))
    with warmup._beside() as finished:
        finished()
    monkeypatch.setattr(warmup.sys, "executable", sys.executable)
    monkeypatch.setattr(warmup.sys, "path", [str(tmp_path)])  # without the package
    with warmup._beside() as finished:
        finished()


@given(st.lists(st.integers(-5, 5), max_size=40))
def test_stable_order(keys):
    order, spare = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    stable_order(np.array(keys, np.int64), len(keys), order, spare)
    assert order.tolist() == sorted(range(len(keys)), key=lambda i: keys[i])


@given(st.lists(st.integers(-5, 5)).map(sorted), st.integers(-6, 6))
def test_first_from(ascending, least):
    array = np.array(ascending, np.int64)
    found = first_from(array, np.int64(0), len(array), least)
    assert found == np.searchsorted(array, least)
