"""Delivery of one message to one recipient: a webhook, a command, e-mail; repeated with patience.

The waits between attempts double (exponential backoff, by ``tenacity``). What another attempt
cannot help, such as an address that does not exist, is not tried again in the same run.
"""

from __future__ import annotations

import http.client
import os
import smtplib
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING, Any

import orjson
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from dedup.errors import NotificationError
from dedup.job.message import as_text, subject
from dedup.job.recipients import Command, Email, Recipient, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_WAIT = 60.0
_TEMPORARY = {408, 425, 429}
"""HTTP statuses below 500 with which a server asks for another attempt."""
_SHOWN = 200
"""Characters of a program's last words that an error repeats."""


class _TemporaryError(NotificationError):
    """Another attempt may succeed."""


def deliver(recipient: Recipient, message: Mapping[str, Any]) -> str | None:
    """Deliver a message; its ``key`` lets a receiver know a repetition.

    Returns what is to be said of it although it was delivered.
    Raises :class:`~dedup.errors.NotificationError` when the last attempt failed.
    """
    attempts = Retrying(
        stop=stop_after_attempt(recipient.attempts),
        wait=wait_exponential(multiplier=recipient.wait, max=_LONGEST_WAIT),
        retry=retry_if_exception_type(_TemporaryError),
        reraise=True,
    )
    return attempts(_send, recipient, message)


def _send(recipient: Recipient, message: Mapping[str, Any]) -> str | None:
    if isinstance(recipient, Email):
        return _mail(recipient, message)
    if isinstance(recipient, Webhook):
        _post(recipient, message)
    elif isinstance(recipient, Command):
        _run(recipient, message)
    else:
        raise TypeError(f"no way to deliver to {type(recipient).__name__}")
    return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _post(to: Webhook, message: Mapping[str, Any]) -> None:
    headers = {
        "User-Agent": "dedup",
        **dict(to.headers),
        "Content-Type": "application/json",
        "Idempotency-Key": message["key"],
    }
    if to.token_env is not None:
        headers["Authorization"] = f"Bearer {_secret(to.token_env)}"
    request = urllib.request.Request(  # noqa: S310 - the job file allows http and https alone
        to.url, orjson.dumps(message), headers, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=to.timeout):
            return
    except urllib.error.HTTPError as error:
        error.close()
        said = f"{to.address}: HTTP status {error.code} {error.reason}"
        if error.code >= 500 or error.code in _TEMPORARY:
            raise _TemporaryError(said) from error
        if error.code < 400:
            said += "; give the address to which it leads"
        raise NotificationError(said) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TemporaryError(f"{to.address}: {_reason(error)}") from error
    except ValueError as error:  # a token with a line break
        raise NotificationError(f"{to.address}: no valid HTTP header") from error


def _run(to: Command, message: Mapping[str, Any]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own program, without a shell
            to.arguments,
            input=orjson.dumps(message),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=to.timeout,
            cwd=to.folder,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _TemporaryError(f"{to.address}: took longer than {to.timeout:g} seconds") from error
    except OSError as error:
        raise NotificationError(f"{to.address}: cannot be started: {error.strerror}") from error
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()[-_SHOWN:]
        ended = f"ended with {done.returncode}" + (f": {words}" if words else "")
        raise _TemporaryError(f"{to.address}: {ended}")


def _mail(to: Email, message: Mapping[str, Any]) -> str | None:
    mail = EmailMessage()
    mail["From"], mail["To"] = to.sender, ", ".join(to.to)
    mail["Subject"], mail["Date"] = subject(message), formatdate(usegmt=True)
    domain = parseaddr(to.sender)[1].rpartition("@")[2] or socket.gethostname()
    mail["Message-ID"] = f"<{message['key'].replace(':', '')}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(message))
    try:
        with _server(to) as server:
            if to.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if to.user is not None and to.password_env is not None:
                server.login(to.user, _secret(to.password_env))
            refused = server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        said = f"{to.address}: the server said {error.smtp_code} {words}"
        raise (NotificationError if error.smtp_code >= 500 else _TemporaryError)(said) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        said = f"{to.address}: the server takes no mail for any of them ({_codes(codes)})"
        lasting = all(code >= 500 for code in codes)
        raise (NotificationError if lasting else _TemporaryError)(said) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotificationError(f"{to.address}: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise _TemporaryError(f"{to.address}: {_reason(error)}") from error
    # The others have it: another attempt would only tell them twice.
    return f"the server takes no mail for {', '.join(sorted(refused))}" if refused else None


def _server(to: Email) -> smtplib.SMTP:
    if to.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(to.host, to.port, timeout=to.timeout, context=context)
    return smtplib.SMTP(to.host, to.port, timeout=to.timeout)


def _codes(codes: list[int]) -> str:
    return ", ".join(str(code) for code in sorted(set(codes)))


def _secret(variable: str) -> str:
    try:
        return os.environ[variable]
    except KeyError:
        raise NotificationError(f"the environment variable {variable} is not set") from None


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
