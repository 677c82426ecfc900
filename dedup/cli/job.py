"""``dedup job``: the scheduled job, by its file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dedup.cli.options import Command, app
from dedup.report.console import errors, say

job_app = typer.Typer(
    name="job",
    help="Run a scheduled job, or check its file.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(job_app)

JobFile = Annotated[Path, typer.Argument(metavar="JOB.toml", help="The job's file.")]


@job_app.command(cls=Command)
def run(job: JobFile) -> None:
    """Run a job once: what is new goes into the index, what changed is written and told.

    Prints nothing but its log: JSON, one object a line, on stderr or where the file says. A run
    that was interrupted is continued by the next one. Exit codes: 0 done (also when a notification
    has to wait for the next run), 2 usage, 3 input incomplete (or, with strict, records
    rejected), 4 another job is changing the index, 5 failed.
    """
    written = "The index holds what was committed last. The next run goes on from there."
    with errors(written):
        from dedup.job.file import load_job

        loaded = load_job(job)
        from dedup.job.running import run_job

        code = run_job(loaded)
    raise typer.Exit(code)


@job_app.command(cls=Command)
def check(job: JobFile) -> None:
    """Check a job's file, and say what a run would read, write and tell.

    Changes nothing and uses no network. Exit codes: 0 the job can run, 2 the file is wrong, 3 an
    input is missing, 5 the index cannot be used or an output not be written.
    """
    with errors("Nothing was changed."):
        from dedup.job.file import load_job

        loaded = load_job(job)
        from dedup.job.checking import Check
        from dedup.report.safe import visible

        checked = Check(loaded)
        for line in checked.lines:
            typer.echo(visible(line).replace("\n", " "))
        for problem in checked.problems:
            say(f"error: {problem}")
    raise typer.Exit(checked.exit_code)
