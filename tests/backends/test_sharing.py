"""Cores shared by photos that are counted in parallel."""

from __future__ import annotations

import os

from crowdscale.backends import share_cores


def test_cores_are_shared_by_photos(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert share_cores("onnx") == (4, 2)
    assert share_cores("onnx", photos=2) == (2, 4)
    assert share_cores("onnx", workers=8) == (8, 1)
    assert share_cores("onnx", threads=3) == (4, 3)
    assert share_cores("openvino-bf16") == share_cores("torch", "cuda") == (1, 8)
    assert share_cores("openvino", workers=2) == (2, 4)
