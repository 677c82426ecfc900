"""Delivery: a web server that fails first, a mail server, a program."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import ssl
import sys
from contextlib import contextmanager

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from jobs import web_server

from dedup.errors import NotificationError
from dedup.job.message import as_text, subject
from dedup.job.notify import deliver
from dedup.job.recipients import Command, Email, Webhook

COMMON = ("desk", ("changed",), 10.0, 3, 0.0)
MESSAGE = {
    "key": "k1",
    "job": "news",
    "host": "h",
    "status": "done",
    "exit_code": 0,
    "changed": True,
    "run": {"id": "k1", "number": 1},
    "out": "/srv/runs/1",
    "incomplete": [],
    "error": None,
    "articles": {"new": 1200, "read": 1300},
    "flags": {"syndicated": 17, "unique": 900},
}
FAILED = {**MESSAGE, "status": "failed", "error": "error: the disk is full", "flags": None}


def webhook(url: str, **more) -> Webhook:
    return Webhook(*COMMON, url, more.get("headers", ()), more.get("token_env"))


def mail_to(port: int, **more) -> Email:
    given = {
        "to": ("one@example.org", "two@example.org"),
        "sender": "Dedup <job@example.org>",
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "user": None,
        "password_env": None,
    }
    return Email(*COMMON, **(given | more))


@contextmanager
def mail_server(*, host: str = "127.0.0.1", **options):
    """An SMTP server; yields it with the mails that it took, refused by ``fail`` first."""

    class Handler:
        def __init__(self) -> None:
            self.mails: list[tuple[list[str], email.message.EmailMessage]] = []
            self.fail: list[str] = []
            self.refuse: set[str] = set()

        async def handle_RCPT(self, server, session, envelope, address, options):
            if address in self.refuse:
                return "550 no such user"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            if self.fail:
                return self.fail.pop(0)
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.mails.append((envelope.rcpt_tos, parsed))
            return "250 OK"

    handler = Handler()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname=host, port=port, **options)
    controller.start()
    try:
        yield port, handler
    finally:
        controller.stop()


def test_a_webhook_that_fails_twice_is_told_once_under_one_key(monkeypatch):
    monkeypatch.setenv("DEDUP_TEST_TOKEN", "t0ken")
    with web_server() as received:
        received.answers = [503, 429]
        to = webhook(received.url, headers=(("X-Desk", "7"),), token_env="DEDUP_TEST_TOKEN")
        assert deliver(to, MESSAGE) is None
    assert len(received) == 3
    for headers, body in received:
        assert headers["Idempotency-Key"] == "k1"
        assert headers["Content-Type"] == "application/json"
        assert (headers["X-Desk"], headers["Authorization"]) == ("7", "Bearer t0ken")
        assert body == MESSAGE


@pytest.mark.parametrize(
    ("status", "attempts", "said"),
    [
        (400, 1, "HTTP status 400"),
        (404, 1, "HTTP status 404"),
        (302, 1, "give the address to which it leads"),
        (500, 3, "HTTP status 500"),
        (408, 3, "HTTP status 408"),
    ],
)
def test_what_another_attempt_cannot_help_is_not_tried_again(status, attempts, said):
    with web_server() as received:
        received.answers = [status] * 9
        with pytest.raises(NotificationError, match=said) as caught:
            deliver(webhook(received.url), MESSAGE)
    assert len(received) == attempts
    assert "secret" not in str(caught.value)


def test_a_webhook_that_does_not_answer_is_left_after_its_time():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        to = Webhook("desk", ("changed",), 0.2, 2, 0.0, url, (), None)
        with pytest.raises(NotificationError, match="no answer in time"):
            deliver(to, MESSAGE)
    with pytest.raises(NotificationError, match="refused"):
        deliver(webhook(to.url), MESSAGE)


def test_a_token_that_is_no_header_is_an_error_that_does_not_show_it(monkeypatch):
    monkeypatch.setenv("DEDUP_TEST_TOKEN", "se\ncret")
    with web_server() as received, pytest.raises(NotificationError, match="no valid") as caught:
        deliver(webhook(received.url, token_env="DEDUP_TEST_TOKEN"), MESSAGE)
    assert "cret" not in str(caught.value)
    assert not received


def test_a_command_gets_the_message_on_its_input(tmp_path):
    code = "import sys; open('told.json', 'w').write(sys.stdin.read())"
    assert deliver(Command(*COMMON, (sys.executable, "-c", code), tmp_path), MESSAGE) is None
    assert json.loads((tmp_path / "told.json").read_text()) == MESSAGE


def test_a_command_that_fails_is_tried_again_and_its_words_are_said(tmp_path):
    script = "echo x >> tries; echo not today >&2; exit 7"
    with pytest.raises(NotificationError, match="ended with 7: not today"):
        deliver(Command(*COMMON, ("sh", "-c", script), tmp_path), MESSAGE)
    assert (tmp_path / "tries").read_text() == "x\n" * 3
    with pytest.raises(NotificationError, match="cannot be started"):
        deliver(Command(*COMMON, ("no-such-program-of-ours",), tmp_path), MESSAGE)
    slow = Command("desk", ("changed",), 0.1, 1, 0.0, ("sleep", "30"), tmp_path)
    with pytest.raises(NotificationError, match=r"longer than 0\.1 seconds"):
        deliver(slow, MESSAGE)


def test_a_mail_says_it_in_a_line_and_holds_everything():
    with mail_server() as (port, server):
        server.fail = ["451 try later", "452 full"]
        assert deliver(mail_to(port), MESSAGE) is None
    ((to, mail),) = server.mails
    assert to == ["one@example.org", "two@example.org"]
    assert mail["Subject"] == "dedup news: 1,200 new articles; new or changed: 17 syndicated"
    assert mail["Message-ID"] == "<k1@example.org>"
    assert "/srv/runs/1" in mail.get_content()
    assert '"number": 1' in mail.get_content()


def test_a_mail_that_one_address_refuses_reaches_the_others():
    with mail_server() as (port, server):
        server.refuse = {"two@example.org"}
        assert "two@example.org" in (deliver(mail_to(port), MESSAGE) or "")
        server.refuse.add("one@example.org")
        with pytest.raises(NotificationError, match="no mail for any of them"):
            deliver(mail_to(port), MESSAGE)
    assert len(server.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
def test_a_mail_server_gets_the_password_of_the_environment(monkeypatch):
    def authenticator(server, session, envelope, mechanism, data):
        right = (data.login, data.password) == (b"me", b"pass word")
        return AuthResult(success=right, handled=False)

    options = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": False}
    to = {"user": "me", "password_env": "DEDUP_TEST_PASSWORD"}
    with mail_server(**options) as (port, server):
        monkeypatch.setenv("DEDUP_TEST_PASSWORD", "pass word")
        assert deliver(mail_to(port, **to), MESSAGE) is None
        monkeypatch.setenv("DEDUP_TEST_PASSWORD", "another")
        with pytest.raises(NotificationError, match="535") as caught:
            deliver(mail_to(port, **to), MESSAGE)
    assert len(server.mails) == 1
    assert "another" not in str(caught.value)


@pytest.fixture
def certificate(tmp_path, monkeypatch) -> ssl.SSLContext:
    """A certificate for ``localhost``, of an authority that the system trusts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    return context


@pytest.mark.parametrize(("tls", "option"), [("starttls", "tls_context"), ("tls", "ssl_context")])
def test_a_mail_goes_encrypted_to_a_server_whose_name_is_certified(tls, option, certificate):
    with mail_server(host="localhost", **{option: certificate}) as (port, server):
        assert deliver(mail_to(port, host="localhost", tls=tls), MESSAGE) is None
        assert len(server.mails) == 1
        with pytest.raises(NotificationError, match="certificate"):
            deliver(mail_to(port, host="127.0.0.1", tls=tls), MESSAGE)
    assert len(server.mails) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_server_without_the_encryption_asked_for_gets_nothing(tls):
    with mail_server() as (port, server), pytest.raises(NotificationError):
        deliver(mail_to(port, tls=tls), MESSAGE)
    assert server.mails == []


def test_a_failure_is_told_in_words():
    assert subject(FAILED) == "dedup news: failed"
    assert "the disk is full" in as_text(FAILED)
    assert "next run goes on" in as_text(FAILED)
    assert "Nothing changed" in as_text({**MESSAGE, "changed": False})
