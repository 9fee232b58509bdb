"""Audits through the service: start, count, report, check; records that cannot be are a sentence."""

from __future__ import annotations

import json

import pytest

from crowdscale.trust.audit import AuditRecord
from crowdscale.trust.audit.report import read_report

DEEP = b"[" * 3000
"""JSON that is nested more deeply than Python reads."""


def started(client, crowd) -> dict:
    answer = client.post("/audit/start", files=[("photos", ("a.png", crowd))], data={"seed": "7"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_audit_from_the_start_to_the_report(client, crowd):
    state = started(client, crowd)
    assert state["estimate"]["count"] == pytest.approx(5, abs=0.01)
    assert state["record"]["plan"]["seed"] == "7"
    for _ in range(2):
        record, following = state["record"], state["next"]
        left, top, *_ = following["box"]
        record["answers"].append(
            {"cell": following["cell"], "count": 1, "heads": [[left + 1, top + 1]], "by": "Ann", "at": ""}
        )
        answer = client.post("/audit/state", json=record)
        assert answer.status_code == 200, answer.text
        state = answer.json()
    assert state["estimate"]["counted"] == 2
    assert "2 of" in state["headline"]
    files = [("photos", ("a.png", crowd))]
    report = client.post("/audit/report", files=files, data={"record": json.dumps(state["record"])})
    assert report.headers["content-type"].startswith("text/html")
    assert read_report(report.text).counts == (1, 1)
    assert AuditRecord.from_dict(state["record"]).answers[0].by == "Ann"


def test_records_that_cannot_be(client, crowd):
    state = started(client, crowd)
    record = state["record"]
    wrong = {"cell": state["next"]["cell"], "count": 1, "heads": [[-50, 0]], "by": "", "at": ""}
    far = {**wrong, "heads": [[10**400, 0]]}
    bodies = (
        b"{",
        b"[]",
        b"{}",
        DEEP,
        *(json.dumps({**record, "answers": [each]}).encode() for each in (wrong, far)),
    )
    for body in bodies:
        answer = client.post("/audit/state", content=body)
        assert answer.status_code == 400, body[:40]
        assert answer.json()["error"].endswith(".")
    empty = client.post(
        "/audit/report", files=[("photos", ("a.png", crowd))], data={"record": json.dumps(record)}
    )
    assert "counted tile" in empty.json()["error"]
    twice = client.post("/audit/start", files=[("photos", ("a.png", crowd))] * 2)
    assert "same name" in twice.json()["error"]
