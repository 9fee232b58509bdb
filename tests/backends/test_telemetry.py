"""ONNX Runtime reports nothing to its maker: it keeps no identifier and no queue of events."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COUNT = "import sys, crowdscale, numpy; crowdscale.load(sys.argv[1], threads=1).predict(numpy.full((64, 64, 3), 90, 'u1'))"


def test_a_count_leaves_no_identifier(label_model: Path, tmp_path: Path):
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(tmp_path))
    command = [sys.executable, "-c", COUNT, str(label_model)]
    subprocess.run(command, env={**kept, **places}, check=True, timeout=120, capture_output=True)
    assert [
        path.name for path in tmp_path.rglob("*") if path.name in ("deviceid", "onnxruntime.db", ".ses")
    ] == []


def test_the_choice_of_the_user_stays():
    name = "ORT_DISABLE_TELEMETRY"
    command = [sys.executable, "-c", f"import crowdscale, os; print(os.environ['{name}'])"]
    done = subprocess.run(
        command, env={**os.environ, name: "0"}, check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "0"
