"""The examples: a job file, cron, systemd, Kubernetes, Airflow."""

from __future__ import annotations

import ast
import configparser
import shutil
import stat
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cronsim import CronSim
from dumps import ROOT
from jobs import RECORDS, environment, put

from dedup.job.checking import Check
from dedup.job.file import load_job

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = ROOT / "examples"
PROGRAM = "/opt/dedup/bin/dedup"
JOB = "/srv/news/job.toml"


@pytest.fixture
def installed(tmp_path) -> tuple[Path, Path]:
    """The program and the job of the examples, in places that exist here."""
    program = tmp_path / "dedup"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dedup "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    text = (EXAMPLES / "job.toml").read_text(encoding="utf-8")
    job = tmp_path / "job.toml"
    job.write_text(text.partition("[[notify]]")[0], encoding="utf-8")
    put(tmp_path, "a.jsonl", RECORDS[:4], drop="incoming")
    return program, job


def moved(text: str, installed: tuple[Path, Path]) -> str:
    program, job = installed
    assert PROGRAM in text
    assert JOB in text
    return text.replace(PROGRAM, str(program)).replace(JOB, str(job))


def run_line(line: str, installed: tuple[Path, Path]) -> None:
    """A command of an example does what it says, by the shell, from wherever."""
    subprocess.run(
        ["sh", "-c", moved(line, installed)],
        cwd="/",
        env=environment(),
        check=True,
        timeout=300,
    )
    assert (installed[1].parent / "news.index" / "index.sqlite").exists()
    assert (installed[1].parent / "dedup.prom").exists()


def test_the_job_file_is_right(tmp_path):
    shutil.copy(EXAMPLES / "job.toml", tmp_path)
    (tmp_path / "incoming").mkdir()
    job = load_job(tmp_path / "job.toml")
    assert [recipient.name for recipient in job.notify] == ["desk", "command"]
    problems = [str(problem) for problem in Check(job).problems]
    assert all("logger" in problem for problem in problems), problems


@pytest.mark.slow
def test_the_line_of_cron_runs(installed):
    lines = (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line and not line.startswith(("#", "MAILTO="))]
    *fields, command = line.split(maxsplit=5)
    assert next(CronSim(" ".join(fields), datetime(2024, 6, 30))) == datetime(2024, 6, 30, 23, 55)
    assert "%" not in command, "cron takes % for a line break"
    run_line(command, installed)


def unit(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((EXAMPLES / name).read_text(encoding="utf-8"))
    return parser


def test_the_service_treats_exit_codes_as_they_are_meant():
    service = unit("dedup.service")["Service"]
    assert service["Type"] == "oneshot"
    assert service["SuccessExitStatus"] == "130"
    assert service["RestartPreventExitStatus"].split() == ["2", "3"]
    assert unit("dedup.timer")["Timer"]["Persistent"] == "true"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_the_units_are_valid(tmp_path, installed):
    for name in ("dedup.service", "dedup.timer"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        if name.endswith(".service"):
            text = moved(text, installed)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            tmp_path / "dedup.service",
            tmp_path / "dedup.timer",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "dedup." in line]
    assert (done.returncode, said) == (0, [])
    calendar = unit("dedup.timer")["Timer"]["OnCalendar"]
    subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


def cronjob() -> dict[str, Any]:
    text = (EXAMPLES / "kubernetes-cronjob.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def test_the_cronjob_follows_the_schema_of_kubernetes():
    import kubernetes_validate

    kubernetes_validate.validate(cronjob(), kubernetes_validate.latest_version(), strict=True)
    broken = cronjob()
    broken["spec"]["jobTemplate"]["spec"]["backoffLimits"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.slow
def test_the_cronjob_runs_one_at_a_time_and_mounts_what_it_names(installed):
    spec = cronjob()["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "a policy for failures needs that"
    (container,) = pod["containers"]
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}
    program, *arguments = container["args"]
    run_line(" ".join([PROGRAM, *arguments]), installed)
    assert program == "dedup"


@pytest.mark.slow
def test_the_task_of_airflow_runs(installed):
    text = (EXAMPLES / "airflow_dag.py").read_text(encoding="utf-8")
    (call,) = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BashOperator"
    ]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    command = ast.literal_eval(given["bash_command"])
    assert not command.endswith((".sh", ".bash")), "Airflow takes that for a template"
    run_line(command, installed)


@pytest.mark.skipif(find_spec("airflow") is None, reason="Airflow is not installed")
def test_airflow_takes_the_dag(tmp_path):
    code = (
        "import runpy\n"
        f"dag = runpy.run_path({str(EXAMPLES / 'airflow_dag.py')!r})['dag']\n"
        "(task,) = dag.tasks\n"
        "assert task.skip_on_exit_code == [4], task.skip_on_exit_code\n"
    )
    folder = environment(AIRFLOW_HOME=str(tmp_path))
    subprocess.run([sys.executable, "-c", code], check=True, env=folder)
