"""The error tree. Every error that a user can cause derives from :class:`DedupError`.

Each class carries the process exit code of the output contract, so that the command line
needs no table of its own.
"""

from __future__ import annotations


class DedupError(Exception):
    """Base of all errors raised on purpose by ``dedup``.

    ``exit_code`` is what the command line ends with: 2 usage, 3 input incomplete,
    4 locked, 5 failed.
    """

    exit_code = 5


class UsageError(DedupError):
    """The call is wrong: an unknown option value, setting, column or path."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is unknown or outside its range; the message names it and the range."""


class OutputNotEmptyError(UsageError):
    """The output folder holds files already and overwriting was not asked for."""


class OutputNotWritableError(DedupError):
    """The output folder cannot be written; said before anything is read."""


class SpillError(DedupError):
    """Temporary files that stand in for memory cannot be written."""


class MissingExtraError(UsageError):
    """An optional dependency is needed; the message names the pip command."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}'. Install it with: "
            f"pip install 'dedup[{extra}]'"
        )


class InputError(DedupError):
    """Input that cannot be used at all: a missing file, an unreadable folder."""

    exit_code = 3


class IncompleteInputError(InputError):
    """An input ended early or is damaged, or records were rejected under ``strict``."""


class LockedError(DedupError):
    """Another process holds the index."""

    exit_code = 4


class InternalError(DedupError):
    """A stage failed; the message names the stage and what to report."""


class IndexMissingError(UsageError):
    """A folder that should hold an index holds none."""


class IndexDamagedError(DedupError):
    """An index cannot be used: damaged, or made by another version, scheme or configuration; the
    message names the command that helps."""


class FrameDamagedError(IndexDamagedError):
    """What an index keeps of a text is not what was written.

    ``node``: which of the texts asked for, from 0; ``reason``: what is wrong with its frame.
    """

    def __init__(self, node: int, reason: str) -> None:
        super().__init__(
            f"the frame of text {node + 1} {reason}; 'dedup index verify' says what is damaged, "
            "'dedup index rebuild' makes it anew"
        )
        self.node = node
        self.reason = reason


class IndexWriteError(DedupError):
    """An index cannot be written; what it held before is intact."""


class NotificationError(DedupError):
    """A notification could not be delivered; the run that it tells of is done all the same."""
