"""The service under clients that check articles, alone and while the index is updated.

    python benchmarks/serve.py ../shared/data [--index INDEX] [--clients 50] [--seconds 60]

``--index`` names an index of allsides, of which a copy is served; without it one is made. Each
client checks an article drawn from the corpus, with one sentence added so that no text is known,
then pauses, so that all together ask ``--rate`` times a second. The phases: the service alone,
while another process adds ``--new`` articles, and clients without a pause (as many as threads that
work, and four times as many). Latency is what a client sees, waiting included; the service and the
update share the machine with the clients and with whatever the load average says.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import zstandard
from machine import circumstances, headline

RESULTS = Path(__file__).parent / "results"
_UPDATE = "import dedup,sys; dedup.Index.open(sys.argv[1],create=True).update(sys.argv[2])"


class Service:
    """A process of ``dedup serve`` without a limit for one client."""

    def __init__(self, index: Path) -> None:
        command = [sys.executable, "-m", "dedup", "serve", str(index), "--port", "0", "--rate", "0"]
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(re.search(r":(\d+)\s*$", line)[1])
        while self.state() is None:
            time.sleep(0.2)
        self.ready_seconds = time.perf_counter() - begun

    def state(self) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/healthz")
        state = json.loads(connection.getresponse().read())["state"]
        connection.close()
        return state

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


def ask(
    service: Service, bodies: list[bytes], seconds: float, clients: int, pause: float
) -> dict[str, object]:
    """Latencies and errors of clients that ask for so many seconds."""
    waited: list[float] = []
    errors: dict[str, int] = {}
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.random() * pause)
        while time.monotonic() < until:
            begun = time.perf_counter()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/api/check", chance.choice(bodies), headers)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                outcome = "" if answer.status == 200 else str(answer.status)
            except OSError as error:
                outcome = type(error).__name__
            if outcome:
                errors[outcome] = errors.get(outcome, 0) + 1
            else:
                waited.append(time.perf_counter() - begun)
            time.sleep(chance.uniform(0.5, 1.5) * pause)

    load, worked, begun = os.getloadavg()[0], service.cpu_seconds(), time.perf_counter()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    waited.sort()
    found = {f"p{p}_ms": 1e3 * waited[len(waited) * p // 100] for p in (50, 95, 99)}
    return {
        "clients": clients,
        "seconds": round(took, 1),
        "answers": len(waited),
        "a_second": round(len(waited) / took, 2),
        "errors": errors,
        **{name: round(value) for name, value in found.items()},
        "cpu_ms_an_answer": round(1e3 * (service.cpu_seconds() - worked) / len(waited)),
        "load_before": round(load, 1),
    }


def while_updating(
    service: Service,
    index: Path,
    new: Path,
    bodies: list[bytes],
    seconds: float,
    clients: int,
    pause: float,
) -> dict[str, object]:
    """As :func:`ask`, and an update that begins with the clients; how soon it is served."""
    before, told = service.state(), {}

    def update() -> None:
        worked = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", _UPDATE, str(index), str(new)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        told["update_seconds"] = round(time.perf_counter() - begun, 1)
        told["update_cpu_seconds"] = round(after.ru_utime - worked.ru_utime, 1)
        while service.state() == before:
            time.sleep(0.2)
        told["renewed_after_seconds"] = round(time.perf_counter() - begun, 1)

    updater = threading.Thread(target=update)
    updater.start()
    found = ask(service, bodies, seconds, clients, pause)
    updater.join()
    return {**found, **told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--articles", type=int)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--new", type=int, default=300)
    options = parser.parse_args()
    packed = (options.data / "allsides.jsonl.zst").open("rb")
    lines = zstandard.ZstdDecompressor().stream_reader(packed).read().splitlines(keepends=True)
    lines = lines[: options.articles]
    drawn = [json.loads(line) for line in random.Random(7).sample(lines, min(2000, len(lines)))]
    bodies = [
        json.dumps(
            {
                "text": f"{row['text']} Seen again by client {n}.",
                "title": (row.get("title") or "")[:500],
                "outlet": row.get("outlet"),
            }
        ).encode()
        for n, row in enumerate(drawn)
        if len(row["text"]) < 1_000_000
    ]
    found: dict = {**circumstances(["dedup"]), "articles": len(lines), "rate": options.rate}
    with tempfile.TemporaryDirectory() as folder:
        index, new = Path(folder) / "index", Path(folder) / "new.jsonl"
        if options.index:
            shutil.copytree(options.index, index)
        else:
            (every := Path(folder) / "every.jsonl").write_bytes(b"".join(lines))
            subprocess.run([sys.executable, "-c", _UPDATE, str(index), str(every)], check=True)
        rows = [
            {**row, "id": f"new-{n}", "text": f"{row['text']} Added in part {n}."}
            for n, row in enumerate(drawn[: options.new])
        ]
        new.write_text("".join(json.dumps(row) + "\n" for row in rows))
        found["new_articles"] = len(rows)
        service = Service(index)
        found["ready_seconds"] = round(service.ready_seconds, 1)
        pause = options.clients / options.rate
        ask(service, bodies, 5, 2, 0)  # warm
        found["alone"] = ask(service, bodies, options.seconds, options.clients, pause)
        print("alone", found["alone"])
        found["while_updating"] = while_updating(
            service, index, new, bodies, options.seconds, options.clients, pause
        )
        print("while_updating", found["while_updating"])
        workers = os.cpu_count() or 1
        for name, clients in (("one_a_thread", workers), ("four_a_thread", 4 * workers)):
            found[name] = ask(service, bodies, options.seconds / 3, clients, 0)
            print(name, found[name])
        found["peak_mb"] = round(service.peak_mb())
        found["exit_code"] = service.stop()
    text = table(found)
    print(text)
    (RESULTS / "serve.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "serve.md").write_text(text)


def table(found: dict) -> str:
    phases = {
        "alone": f"the service alone, {found['rate']:g} checks a second",
        "while_updating": f"the same while {found['new_articles']} articles are added",
        "one_a_thread": "no pause, a client for each thread",
        "four_a_thread": "no pause, four clients for each",
    }
    lines = [
        headline(found),
        "",
        (
            f"An index of {found['articles']:,} articles of allsides; ready after "
            f"{found['ready_seconds']:.0f} s; most memory {found['peak_mb']:,} MB"
        ),
        "",
        (
            "| | clients | answers | errors | p50 ms | p95 ms | p99 ms | a second | CPU ms each | "
            "load before |"
        ),
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, says in phases.items():
        f = found[name]
        lines.append(
            f"| {says} | {f['clients']} | {f['answers']:,} | {sum(f['errors'].values())} | "
            f"{f['p50_ms']} | {f['p95_ms']} | {f['p99_ms']} | {f['a_second']} | "
            f"{f['cpu_ms_an_answer']} | {f['load_before']} |"
        )
    f = found["while_updating"]
    lines += [
        "",
        (
            f"The update took {f['update_seconds']} s ({f['update_cpu_seconds']} s of CPU); its "
            f"articles were looked up {f['renewed_after_seconds'] - f['update_seconds']:.0f} s "
            "after it had ended."
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
