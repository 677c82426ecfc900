"""Inputs at addresses (``s3://``, ``gs://``, ``https://`` ...), by fsspec.

Credentials come from the environment, where the libraries of each service look for them. An address
that holds some is refused, because the names of inputs stand in all outputs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import posixpath
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dedup.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_WEB = ("http", "https")
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"} | dict.fromkeys(
    _WEB, "aiohttp"
)
"""What fsspec needs for an address, of the packages of the extra ``cloud``."""
_SECRET = re.compile(r"sig|token|key|secret|password|credential|auth", re.IGNORECASE)
_SILENCE = 60.0
"""Seconds without a byte after which a web server is given up; there is no limit in all."""
_BLOCK = 8 * 2**20


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at an address: what to open, its name for people, its path below what was named, its
    size in bytes (0: not known)."""

    url: str
    name: str
    text_id: str
    size: int


def is_address(given: str) -> bool:
    """Whether an input is an address and not a path.

    >>> is_address("s3://news/2024.jsonl"), is_address("C:/news"), is_address("news")
    (True, False, False)
    """
    return _ADDRESS.match(given) is not None


def find(given: str) -> tuple[list[RemoteFile], str, int]:
    """The files that an address names: itself, what lies below it, or what matches its pattern.

    Returns the files by path, the name of their folder or pattern (``""`` for a file that was named
    itself), and how many hidden files were left out.

    Raises:
        MissingExtraError: the extra ``cloud`` is not installed.
        UsageError: the address holds credentials, or is of an unknown kind.
        InputError: there is nothing at that address, or it cannot be read.
    """
    shown = displayed(given)
    with _explained(given):
        files, path = _file_system(given)
        if _scheme(given) in _WEB:
            size = files.info(path).get("size")
            return (
                [RemoteFile(given, shown, posixpath.basename(urlsplit(given).path), size or 0)],
                "",
                0,
            )
        if any(sign in path for sign in "*?["):
            found = files.glob(path, detail=True)
            root = re.split(r"[^/]*[*?\[]", path, maxsplit=1)[0]
        else:
            info = files.info(path)
            if info["type"] != "directory":
                name = posixpath.basename(path)
                return [RemoteFile(given, shown, name, info.get("size") or 0)], "", 0
            found = files.find(path, detail=True)
            root = path
    remote, hidden = [], 0
    for name, info in found.items():
        if info["type"] == "directory":
            continue
        text_id = posixpath.relpath(name, root or "/")
        if any(part.startswith(".") and part.strip(".") for part in text_id.split("/")):
            hidden += 1
            continue
        url = str(files.unstrip_protocol(name))
        remote.append(RemoteFile(url, url, text_id, info.get("size") or 0))
    remote.sort(key=lambda file: file.text_id)
    return remote, shown, hidden


def open_address(url: str) -> contextlib.AbstractContextManager[IO[bytes]]:
    """The bytes at an address; all errors of the service are ``OSError``."""
    try:
        files, path = _file_system(url)
        handle = files.open(path, "rb", block_size=_BLOCK)
    except Exception as error:  # each service has errors of its own
        raise OSError(_reason(error)) from error
    return contextlib.closing(cast("IO[bytes]", _Guarded(handle)))


class _Guarded:
    """A remote file; whatever reading raises is an ``OSError``."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def read(self, count: int = -1) -> bytes:
        """Up to ``count`` bytes."""
        try:
            return bytes(self._handle.read(count))
        except Exception as error:  # each service has errors of its own
            raise OSError(_reason(error)) from error

    def fileno(self) -> int:
        """There is none."""
        raise OSError("a remote file has no descriptor")

    def close(self) -> None:
        """Close the connection."""
        self._handle.close()


def displayed(url: str) -> str:
    """An address as it is shown and stored: what signs it is left out.

    >>> displayed("https://host/a.zip?part=1&X-Amz-Signature=abc")
    'https://host/a.zip?part=1&X-Amz-Signature=...'
    """
    parts = urlsplit(url)
    if not parts.query:
        return url
    query = [
        (name, "..." if _SECRET.search(name) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(query, safe="./:")))


def _scheme(url: str) -> str:
    found = _ADDRESS.match(url)
    return found[1].lower() if found else ""


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of an address and the path in it."""
    scheme = _scheme(url)
    if importlib.util.find_spec("fsspec") is None:
        raise MissingExtraError("fsspec", "cloud", f"reading {scheme}:// addresses")
    package = _PACKAGES.get(scheme)
    if package is not None and importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, "cloud", f"reading {scheme}:// addresses")
    import fsspec

    options: dict[str, Any] = {}
    if scheme in _WEB:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_SILENCE, sock_read=_SILENCE)
        options["client_kwargs"] = {"timeout": timeout, "trust_env": True}
    files, path = fsspec.core.url_to_fs(url, **options)
    return files, str(path)


@contextlib.contextmanager
def _explained(given: str) -> Iterator[None]:
    """Errors of looking for files at an address, as ours."""
    shown = displayed(given)
    if "@" in urlsplit(given).netloc:
        host = given.rpartition("@")[2]
        raise UsageError(
            f"an address with a user or password ('...@{host}') is not read, since names of inputs "
            "stand in all outputs; put credentials into the environment (docs/input.md)"
        )
    if "::" in given:
        raise UsageError(f"{shown}: chains of file systems ('::') are not read")
    try:
        yield
    except (MissingExtraError, UsageError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"{shown}: no such file or folder") from error
    except ImportError as error:
        raise UsageError(f"{shown}: {_reason(error)}") from error
    except ValueError as error:
        raise UsageError(f"{shown}: cannot be read: {_reason(error)}") from error
    except Exception as error:  # each service has errors of its own
        raise InputError(
            f"{shown}: cannot be read ({_reason(error)}); credentials are taken from the "
            "environment (docs/input.md)"
        ) from error


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300] or type(error).__name__
    # A service repeats the address that was asked for.
    return re.sub(
        r"[?&][^\s'\"]*", lambda query: "?..." if _SECRET.search(query[0]) else query[0], text
    )
