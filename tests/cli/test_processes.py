"""Each command in a process of its own ends an error with one sentence and exit code 2.

`count`, `watch`, `zones edit` and `--version` run as processes in their own tests, `train` in tests/learn, `serve` in
tests/serve.
"""

from __future__ import annotations

import pytest

from tests.support.commands import crowdscale_process


@pytest.mark.parametrize(
    "words",
    [
        "audit none.jpg",
        "data check nowhere",
        "evaluate none --data nowhere",
        "models show none",
        "score none.txt none.txt",
        "zones check none.json",
    ],
)
def test_an_error_is_one_sentence(words, tmp_path):
    done = crowdscale_process(*words.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
