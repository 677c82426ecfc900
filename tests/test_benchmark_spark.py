"""What the benchmark of the Spark engine reads out of an event log."""

from __future__ import annotations

import json

import pytest
import spark_events


def task(stage, milliseconds, rows=1, written=10, read=100):
    return {
        "Event": "SparkListenerTaskEnd",
        "Stage ID": stage,
        "Task Metrics": {
            "Executor Run Time": milliseconds,
            "Executor CPU Time": milliseconds * 500_000,
            "Input Metrics": {"Records Read": 0, "Bytes Read": 0},
            "Shuffle Read Metrics": {
                "Total Records Read": rows,
                "Local Bytes Read": read,
                "Remote Bytes Read": 0,
            },
            "Shuffle Write Metrics": {
                "Shuffle Bytes Written": written,
                "Shuffle Records Written": rows,
            },
        },
    }


JOB = {
    "Event": "SparkListenerJobStart",
    "Stage IDs": [0, 1, 2],
    "Properties": {"spark.job.description": "aligned"},
}


def test_tasks_without_rows_are_no_measure_of_the_others():
    log = [JOB, *(task(0, t, read=t // 10) for t in (500, 1000, 4000))]
    stages = spark_events.stages_of(log + [task(0, 1, rows=0)] * 9)
    assert stages == [
        {"stage": "aligned", "tasks": 3, "longest": 4.0, "median": 1.0, "most_bytes": 4.0}
    ]
    assert spark_events.uneven(stages)[0]["times"] == 4.0


def test_tasks_are_summed_by_stage():
    other = {**JOB, "Stage IDs": [7], "Properties": {"spark.job.description": "links"}}
    log = [JOB, other, task(0, 500), task(1, 1500, rows=3), task(7, 100)]
    found = spark_events.spent(log)
    assert list(found) == ["aligned", "links"]
    assert found["aligned"] == {
        "tasks": 2,
        "seconds": 2.0,
        "jvm_seconds": 1.0,
        "shuffled_bytes": 20,
        "shuffled_rows": 4,
    }


def test_short_stages_and_those_of_two_tasks_are_left_out():
    log = [JOB, task(0, 1000), task(0, 9000), *(task(1, t) for t in (10, 20, 900))]
    assert spark_events.uneven(spark_events.stages_of(log)) == []


def test_the_log_is_read_from_its_folder(tmp_path):
    events = [JOB, task(0, 10, written=5), task(1, 10, written=7)]
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "events_1").write_text("".join(json.dumps(e) + "\n" for e in events))
    (tmp_path / "app" / "appstatus_app").write_text("")
    (tmp_path / "app" / ".events_1.crc").write_bytes(b"\xff\0")
    found = spark_events.events(tmp_path)
    assert found == events
    assert spark_events.shuffled(found) == 12


def test_a_log_that_was_compressed_is_no_silent_nothing(tmp_path):
    (tmp_path / "events_1.zstd").write_bytes(b"\x28\xb5\x2f\xfd\xff\xff")
    with pytest.raises(UnicodeDecodeError):
        spark_events.events(tmp_path)
