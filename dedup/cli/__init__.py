"""The command line: options in, exit codes out; everything in between is the API's.

One module a command; importing them registers the commands in the order of ``dedup --help``.
"""

from dedup.cli import scan as scan  # isort: skip
from dedup.cli import compare as compare  # isort: skip
from dedup.cli import report as report  # isort: skip
from dedup.cli import explain as explain  # isort: skip
from dedup.cli import flag as flag  # isort: skip
from dedup.cli import filter as filter  # noqa: A004 # isort: skip
from dedup.cli import update as update  # isort: skip
from dedup.cli import check as check  # isort: skip
from dedup.cli import index as index  # isort: skip
from dedup.cli import job as job  # isort: skip
from dedup.cli import serve as serve  # isort: skip
from dedup.cli import doctor as doctor  # isort: skip
from dedup.cli.options import app

__all__ = ["app"]
