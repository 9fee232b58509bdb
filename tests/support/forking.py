"""Commands as processes without the second of their imports: a process that has imported all forks for each of them.

Each command is a process of its own with its words, environment, folder and streams. It ends with its own exit code and
gets the signals that its caller sends. ``python -m tests.support.forking SOCKET`` is the process that forks, ``caller``
writes the script that asks it. Whether the imports of a command are right is for tests that start Python anew.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("count", "watch", "audit", "score", "evaluate")
LIBRARIES = (
    "onnxruntime",
    "cv2",
    "scipy.spatial",
    "scipy.special",
    "scipy.sparse.csgraph",
    "rich.table",
    "PIL.ImageDraw",
)
CALLER = """import json, os, signal, socket, sys
module, words = {module!r}, sys.argv[1:]
if module is None and words[:1] == ["-m"]:
    module, words = words[1], words[2:]
if (module is None and not words[0].endswith(".py")) or words[:1] == ["train"]:
    os.execv({python!r}, [{python!r}, *(["-m", module] if module else []), *words])
asking = socket.socket(socket.AF_UNIX)
asking.connect({address!r})
request = {{"module": module, "words": words, "folder": os.getcwd(), "environment": dict(os.environ)}}
socket.send_fds(asking, [json.dumps(request).encode() + b"\\n"], [0, 1, 2])
answers = asking.makefile()
process = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(process, number))
code = int(answers.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if code != -9 else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@cache
def address() -> str:
    """Return where the process that forks listens; it ends with this process."""
    place = str(Path(tempfile.mkdtemp(prefix="forking")) / "socket")
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forking", place], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        process.kill()
        process.wait()

    atexit.register(end)
    return place


def caller(module: str | None) -> str:
    """Return a script that runs a module, or what ``python`` would run, in a process that is forked."""
    code = CALLER.format(module=module, python=sys.executable, address=address())
    return f"#!{sys.executable} -IS\n{code}"


def _serve(place: str) -> None:
    for name in (*(f"crowdscale.cli.{each}" for each in COMMANDS), *LIBRARIES):
        import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listening, 0], [], [])
            if 0 in ready:  # the tests have ended
                return
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                os._exit(_answer(asked))
            asked.close()
            _forget_ended()


def _forget_ended() -> None:
    """Let commands that have ended go from the system's table."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(asked: socket.socket) -> int:
    """Run a command and send its number and its exit code; a caller that is killed takes it along."""
    text, streams, *_ = socket.recv_fds(asked, 1 << 20, 3)
    while not text.endswith(b"\n"):
        text += asked.recv(1 << 20)
    process = os.fork()
    if process == 0:
        asked.close()
        _become(json.loads(text), streams)
    for each in streams:
        os.close(each)
    asked.sendall(f"{process}\n".encode())
    watched = os.pidfd_open(process)
    ready, _, _ = select.select([watched, asked], [], [])
    if watched not in ready:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    try:
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    except OSError:
        return 1
    return 0


def _become(request: dict, streams: list[int]) -> None:
    """Turn this process into the command; it never returns."""
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    module, words = request["module"], request["words"]
    sys.argv = [module, *words] if module else words
    sys.path[0] = request["folder"]
    os._exit(_run(module, words))


def _run(module: str | None, words: list[str]) -> int:
    code = 0
    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


if __name__ == "__main__":
    _serve(sys.argv[1])
