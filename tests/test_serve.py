"""The service: its answers, what it refuses, and that other people's texts stay inert."""

from __future__ import annotations

import base64
import json
import re
import sys
import urllib.parse

import pytest
from dumps import ROOT
from report_fixture import HOSTILE_ID, TEXTS, make_run, make_tables
from typer.testing import CliRunner

import dedup
from dedup.cli import app as cli
from dedup.errors import UsageError
from dedup.report.tables import write_run
from dedup.texts import Tables
from dedup.web.app import make_app
from dedup.web.bucket import CLIENTS, Buckets
from dedup.web.live import Live
from dedup.web.settings import ServiceSettings, allowed_names, is_loopback, read_token

starlette = pytest.importorskip("starlette.testclient")

TOKEN = "a-token-of-enough-length"  # not a secret
LOCAL = "http://localhost"


def client_of(place, **settings):
    live = Live(place, 1)
    live.renew()
    app = make_app(live, ServiceSettings(**{"rate": 0.0, **settings}))
    return starlette.TestClient(app, base_url=LOCAL)


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory):
    out = tmp_path_factory.mktemp("serve") / "found"
    sample.write(out)
    return out


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("serve") / "index"
    index = dedup.Index.open(path, create=True)
    index.update(ROOT / "data" / "sample" / "articles.jsonl", report=False)
    return path


@pytest.fixture(scope="module", params=["folder", "index"])
def client(request, folder, index):
    with client_of(folder if request.param == "folder" else index) as client:
        yield client


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    out = tmp_path_factory.mktemp("serve") / "hostile"
    write_run(out, Tables.of(make_tables()), make_run(), texts=True)
    with client_of(out) as client:
        yield client


def copies(sample):
    return [row for row in sample.relations.to_pylist() if row["relation"] == "copy"]


def problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert set(body) <= {"type", "title", "status", "detail", "errors"}
    return body


def address(kind, name):
    return f"/{kind}/{urllib.parse.quote(name, safe='')}"


# --- answers --------------------------------------------------------------------------------


def test_a_known_text_is_found(client, sample):
    row = copies(sample)[0]
    texts = dict(zip(*(sample.texts[n].to_pylist() for n in ("ref", "text")), strict=True))
    found = client.post("/api/check", json={"text": texts[row["a"]] + " More."}).json()
    assert {r["b"] for r in found["relations"]} >= {row["a"], row["b"]}
    assert found["article"]["flag"] == "syndicated"
    assert found["article"]["group"]
    for match in found["matches"]:
        assert match["similarity"] >= dedup.Settings().min_similarity


def test_a_new_text_is_unique(client):
    found = client.post("/api/check", json={"text": "Nobody wrote this.", "id": "mine"}).json()
    assert found["article"]["flag"] == "unique"
    assert found["article"]["id"] == "mine"
    assert found["relations"] == []


def test_the_api_answers_what_the_command_does(index, client, sample):
    text = sample.texts["text"].to_pylist()[0]
    told = dedup.Index.open(index).check(text, id="x").as_dict()
    found = client.post("/api/check", json={"text": text, "id": "x"}).json()
    assert found["article"]["flag"] == told["article"]["flag"]
    assert [r["b"] for r in found["relations"]] == [r["b"] for r in told["relations"]]


def test_pages_of_groups_cover_all_once(client, sample):
    seen, after = [], ""
    while after is not None:
        page = client.get("/api/groups", params={"after": after, "limit": 3}).json()
        assert len(page["groups"]) <= 3
        seen += [group["id"] for group in page["groups"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == len(sample.groups)


def test_an_article_and_its_group(client, sample):
    row = next(r for r in sample.articles.to_pylist() if r["group"])
    found = client.get(address("api/articles", row["ref"])).json()
    assert found["article"]["title"] == row["title"]
    assert found["text"]
    group = client.get(address("api/groups", found["article"]["group"])).json()
    assert row["ref"] in group["group"]["articles"]
    assert {a["ref"] for a in group["articles"]} == set(group["group"]["articles"])


def test_of_a_very_large_group_the_first_articles_are_told(client, sample, monkeypatch):
    group = next(g for g in sample.groups.to_pylist() if len(g["articles"]) > 2)
    ref = group["articles"][0]
    name = client.get(address("api/articles", ref)).json()["article"]["group"]
    monkeypatch.setattr("dedup.web.api.ARTICLES", 2)
    found = client.get(address("api/groups", name)).json()
    assert len(found["articles"]) == 2
    assert set(found["group"]["articles"]) == set(group["articles"])
    page = client.get(address("groups", name)).text
    assert f"and {len(group['articles']) - 2} more" in page


def test_search_and_sources(client, sample):
    title = next(t for t in sample.articles["title"].to_pylist() if t)
    words = " ".join(title.split()[:3])
    found = client.get("/api/search", params={"q": words}).json()["articles"]
    assert title in {row["title"] for row in found}
    assert client.get("/api/search", params={"q": "%"}).json()["articles"] == []
    for query in ("CRÓNICA austral", "crónica AUSTRAL"):
        found = client.get("/api/search", params={"q": query}).json()["articles"]
        assert {row["outlet"] for row in found} == {"Crónica Austral"}
    sources = client.get("/api/sources", params={"limit": 100}).json()["sources"]
    assert {s["id"] for s in sources} == set(sample.sources["id"].to_pylist())


def test_explain(client, sample):
    row = copies(sample)[0]
    found = client.get("/api/explain", params={"a": row["a"], "b": row["b"]}).json()
    assert found["recorded"]["relation"]["relation"] == row["relation"]


def test_pages_answer(client, sample):
    a, b = (sample.relations.to_pylist()[0][side] for side in "ab")
    group = client.get("/api/groups", params={"limit": 1}).json()["groups"][0]["id"]
    pages = [
        *("/", "/report/", "/groups", "/sources", "/search", "/search?q=the", "/docs"),
        address("articles", a),
        address("groups", group),
        "/explain?" + urllib.parse.urlencode({"a": a, "b": b}),
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert answer.headers["content-type"].startswith("text/html")
        for link in re.findall(r'(?:href|action)="(/[^"#]*)"', answer.text)[:6]:
            target = client.get(link.replace("&amp;", "&"))
            assert target.status_code in (200, 405), link  # a form's target takes POST


def test_a_form_and_a_file(client, sample):
    text = sample.texts["text"].to_pylist()[0]
    pasted = client.post("/check", data={"text": text}, files={"file": ("", b"")})
    assert pasted.status_code == 200
    assert "<mark" in pasted.text
    dump = (ROOT / "data" / "sample" / "articles.jsonl").read_bytes()
    found = client.post("/check", files={"file": ("../../dump.jsonl", dump)})
    assert found.text.count("<h1>") == 10
    assert "first 10 articles" in found.text
    assert client.post("/check", files={"file": ("a.jsonl", b"{")}).status_code == 422
    assert client.post("/check", data={"title": "only"}).status_code == 422


@pytest.mark.parametrize(("charset", "status"), [("utf-7", 200), ("undefined", 400)])
def test_a_form_in_an_odd_charset(client, charset, status):
    fields = {"text": b"Nobody wrote +2AA- this.", "title": b"+2AA-"}
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    kind = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    answer = client.post("/check", content=b"".join(parts) + b"--x--\r\n", headers=kind)
    assert answer.status_code == status


def test_without_texts(sample, tmp_path):
    sample.write(tmp_path / "bare", texts=False)
    a, b = (sample.relations.to_pylist()[0][side] for side in "ab")
    with client_of(tmp_path / "bare") as client:
        assert "--no-texts" in problem(client.post("/api/check", json={"text": "x"}), 409)["detail"]
        problem(client.get("/api/explain", params={"a": a, "b": b}), 409)
        assert client.get(address("api/articles", a)).json()["text"] is None
        assert "--no-texts" in client.get(address("articles", a)).text
        assert client.get("/report/").status_code == 200


def test_health_and_metrics(folder):
    live = Live(folder, 1)
    client = starlette.TestClient(make_app(live, ServiceSettings()), base_url=LOCAL)
    assert client.get("/healthz").json() == {"status": "starting", "state": None}
    refused = client.post("/api/check", json={"text": "x"})
    assert int(refused.headers["retry-after"]) > 0
    problem(refused, 503)
    live.renew()
    assert client.get("/healthz").status_code == 200
    text = client.get("/metrics").text
    assert 'dedup_requests_total{method="POST",route="/api/check",status="503"} 1.0' in text
    assert "dedup_ready 1.0" in text


# --- renewal --------------------------------------------------------------------------------


def test_an_update_is_followed(index, tmp_path, sample):
    path = tmp_path / "index"
    opened = dedup.Index.open(path, create=True)
    lines = (ROOT / "data" / "sample" / "articles.jsonl").read_text().splitlines()
    (first := tmp_path / "1.jsonl").write_text("\n".join(lines[:10]))
    (second := tmp_path / "2.jsonl").write_text("\n".join(lines[10:]))
    opened.update(first, report=False)
    live = Live(path, 1)
    live.renew()
    app = make_app(live, ServiceSettings(rate=0.0))
    client = starlette.TestClient(app, base_url=LOCAL)
    text = json.loads(lines[-1])["text"]
    assert client.post("/api/check", json={"text": text}).json()["known"] == []
    opened.update(second, report=False)
    # What is told is of the new state at once, what is brought up when the checker is renewed.
    assert client.post("/api/check", json={"text": text}).json()["known"]
    assert client.get(address("api/articles", json.loads(lines[-1])["id"])).status_code == 200
    assert live.renew()
    assert not live.renew()
    found = client.post("/api/check", json={"text": text}).json()
    told = dedup.Index.open(path).check(text).as_dict()
    assert [r["b"] for r in found["relations"]] == [r["b"] for r in told["relations"]]


def test_the_report_takes_its_parts_from_one_state(tmp_path):
    opened = dedup.Index.open(tmp_path / "index", create=True)
    lines = (ROOT / "data" / "sample" / "articles.jsonl").read_text().splitlines()
    (first := tmp_path / "1.jsonl").write_text("\n".join(lines[:40]))
    (second := tmp_path / "2.jsonl").write_text("\n".join(lines[40:]))
    opened.update(first, report=False)
    with client_of(tmp_path / "index") as client:

        def part():
            base = re.search(r'"base":"(data/[^"]+/)"', client.get("/report/").text)[1]
            return f"/report/{base}groups-0.json"

        former = part()
        assert client.get(former).status_code == 200
        opened.update(second, report=False)
        assert client.get(former).status_code == 409
        assert part() != former
        assert client.get(part()).status_code == 200


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/text"]),
        ({"text": 1, "title": 2}, ["/text", "/title"]),
        ({"text": "x", "published": "yesterday"}, ["/published"]),
        ({"text": "x", "published": "2026-05-31T08:00:00"}, ["/published"]),
        ({"text": "x", "file": "/etc/passwd"}, ["/file"]),
        ([], [""]),
    ],
)
def test_wrong_articles_say_where(client, body, pointers):
    found = problem(client.post("/api/check", json=body), 422)
    assert [e["pointer"] for e in found["errors"]] == pointers


def test_wrong_requests(client):
    json_type = {"content-type": "application/json"}
    problem(client.post("/api/check", content=b"{", headers=json_type), 400)
    problem(client.post("/api/check", content=b"x"), 415)
    problem(client.get("/api/check"), 405)
    problem(client.get("/api/groups", params={"limit": "0"}), 422)
    problem(client.get("/api/groups", params={"limit": "99999999999999999999"}), 422)
    problem(client.get("/api/groups", params={"limit": "0000000019999999"}), 422)
    problem(client.get("/api/groups", params={"limit": "0" * 5000}), 422)
    assert len(client.get("/api/groups", params={"limit": "0" * 12 + "2"}).json()["groups"]) == 2
    problem(client.get("/api/groups", params={"sort": "x"}), 422)
    problem(client.get("/api/search"), 422)
    problem(client.get("/api/nothing"), 404)
    problem(client.get("/api/explain", params={"a": "no", "b": "body"}), 404)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..%2f..%2fetc", "a\x00b", "x" * 5000, "%", "*", "' OR 1=1 --"]
)
def test_an_id_is_never_a_path(client, name):
    for kind in ("api/articles", "api/groups"):
        problem(client.get(address(kind, name)), 404)
    assert client.get(address("articles", name)).status_code == 404


def test_foreign_hosts_are_refused(folder):
    with client_of(folder) as client:
        for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80"):
            problem(client.get("/healthz", headers={"host": host}), 421)
        for host in ("localhost:8765", "127.0.0.1", "[::1]:1", "LOCALHOST"):
            assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_a_token_is_asked_for_everywhere_but_by_probes(folder):
    def basic(password):
        shown = base64.b64encode(f"me:{password}".encode()).decode()
        return {"authorization": f"Basic {shown}"}

    with client_of(folder, token=TOKEN) as client:
        for path in ("/", "/report/", "/metrics", "/api/groups", "/api/openapi.json", "/nothing"):
            refused = client.get(path)
            problem(refused, 401)
            assert refused.headers["www-authenticate"]
            for wrong in ("", TOKEN[:-1], TOKEN + "x", "é"):
                shown = {"authorization": f"Bearer {wrong}".encode()}
                problem(client.get(path, headers=shown), 401)
            problem(client.get(path, headers=basic("wrong")), 401)
            problem(client.get(path, headers={"authorization": "Basic ***"}), 401)
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/groups", headers={"authorization": f"Bearer {TOKEN}"}).is_success
        assert client.get("/groups", headers=basic(TOKEN)).is_success


def test_a_token_may_hold_any_letter(folder):
    token = "ein-langes-Geheimnis-ü-à"  # not a secret
    with client_of(folder, token=token) as client:
        for sent, status in ((token, 200), (token[:-1], 401), (token + "x", 401)):
            shown = {"authorization": f"Bearer {sent}".encode()}
            assert client.get("/api/groups", headers=shown).status_code == status


def test_other_addresses_than_the_loopback_need_a_token(tmp_path, monkeypatch):
    monkeypatch.delenv("DEDUP_TOKEN", raising=False)
    with pytest.raises(UsageError, match="--token-file"):
        ServiceSettings(host="0.0.0.0")
    with pytest.raises(UsageError, match="16 are the least"):
        ServiceSettings(token="short")
    with pytest.raises(UsageError, match="--allow-host"):
        allowed_names("0.0.0.0", [])
    assert "news.example" in allowed_names("0.0.0.0", ["News.example"])
    assert "news.example" in allowed_names("0.0.0.0", ["news.example:8000"])
    assert {"fd00::1", "fd00::2"} <= set(allowed_names("::", ["[fd00::1]:8000", "fd00::2"]))
    assert ServiceSettings(host="0.0.0.0", token=TOKEN).token == TOKEN
    assert is_loopback("127.0.0.8")
    assert is_loopback("::1")
    assert not is_loopback("news.example")
    (file := tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(file) == TOKEN
    file.write_text("\n")
    with pytest.raises(UsageError, match="holds no token"):
        read_token(file)
    monkeypatch.setenv("DEDUP_TOKEN", TOKEN)
    assert read_token(None) == TOKEN


def test_large_bodies_are_refused_stated_or_not(folder):
    with client_of(folder, body=1000) as client:
        problem(client.post("/api/check", json={"text": "x" * 2000}), 413)
        parts = (b"x" * 100 for _ in range(100))
        headers = {"content-type": "application/json"}
        problem(client.post("/api/check", content=parts, headers=headers), 413)
        assert client.post("/api/check", json={"text": "x"}).status_code == 200


def test_too_many_requests_wait(folder):
    with client_of(folder, rate=0.5, burst=3) as client:
        found = [client.get("/api/groups") for _ in range(5)]
        assert [r.status_code for r in found] == [200] * 3 + [429] * 2
        assert int(found[-1].headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200


def test_buckets_fill_and_forget():
    now = [0.0]
    buckets = Buckets(2.0, 3, lambda: now[0])
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait("b") == 0
    now[0] += 0.5
    assert buckets.wait("a") == 0
    assert buckets.wait("a") == 0.5
    now[0] += 100
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    for number in range(CLIENTS + 10):
        buckets.wait(str(number))
    assert len(buckets._left) == CLIENTS
    assert Buckets(0.0, 1).wait("a") == 0


def test_forms_of_other_sites_are_refused(client):
    assert client.post("/check", data={"text": "x"}).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    problem(client.post("/check", data={"text": "x"}, headers=foreign), 403)


def test_every_answer_is_hardened(client):
    for path in ("/", "/report/", "/healthz", "/api/groups", "/nothing", "/api/nothing"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
    assert "script-src" not in client.get("/").headers["content-security-policy"]


# --- hostile texts --------------------------------------------------------------------------


def inert(answer):
    text = answer.text
    kind = answer.headers["content-type"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if kind.startswith("text/html"):
        assert "<script" not in text
        assert "<img" not in text
        assert "onerror=alert" not in re.sub(r"&lt;img src=x onerror=alert", "", text)
        assert not re.search(r'(?:href|src|action)="(?!/|\?|https?://)', text)
        assert "\u202e" not in text
        assert "\x00" not in text
    else:
        assert kind in ("application/json", "application/problem+json")
        json.loads(text)


def test_hostile_texts_are_inert_in_every_answer(hostile):
    groups = hostile.get("/api/groups", params={"limit": 100}).json()["groups"]
    paths = ["/groups", "/sources", "/search?q=a", "/api/groups", "/api/sources"]
    for name in TEXTS:
        paths += [address("articles", name), address("api/articles", name)]
        pair = urllib.parse.urlencode({"a": name, "b": HOSTILE_ID})
        paths += [f"/explain?{pair}", f"/api/explain?{pair}"]
        paths.append("/search?" + urllib.parse.urlencode({"q": name}))
    for group in groups:
        paths += [address("groups", group["id"]), address("api/groups", group["id"])]
    for path in paths:
        answer = hostile.get(path)
        assert answer.status_code == 200, path
        inert(answer)
    for text in (*TEXTS.values(), "<script>alert(1)</script>"):
        fields = dict.fromkeys(
            ("title", "outlet", "byline"), "</script><img src=x onerror=alert(2)>"
        )
        inert(hostile.post("/check", data={"text": text, **fields}))
        body = {"text": text, "id": HOSTILE_ID, "url": "javascript:alert(1)", **fields}
        inert(hostile.post("/api/check", json=body))
    for path in ("/articles/<script>alert(1)</script>", "/explain?a=<script>&b=<img>"):
        inert(hostile.get(path))


def test_the_hostile_report_keeps_its_own_policy(hostile):
    page = hostile.get("/report/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "connect-src 'self'" in policy
    assert "<script>alert" not in page.text
    for name in ("passages", "groups-0", "sources-0", "quotes", "near-misses", "charts"):
        chunk = hostile.get(f"/report/data/folder/{name}.json")
        assert chunk.headers["content-type"] == "application/json"
        chunk.json()
    for name in ("nothing", "..%2f..%2frun", "groups-99999"):
        assert hostile.get(f"/report/data/folder/{name}.json").status_code == 404


# --- the document ---------------------------------------------------------------------------


def test_every_error_is_in_the_document(client):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for methods in document["paths"].values():
        for operation in methods.values():
            statuses = set(operation["responses"])
            assert {"200", "401", "413", "421", "422", "429", "503"} <= statuses


def test_without_the_extra_the_command_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = CliRunner().invoke(cli, ["serve", str(folder)])
    assert done.exit_code == 2
    assert "dedup[serve]" in done.output
