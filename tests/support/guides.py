"""The fenced blocks of a guide, and a new folder to paste them into.

The Markdown is parsed by markdown-it-py, which rich brings. Sybil and pytest-markdown-docs were considered: neither
runs shell blocks, nor gives a block a reason that readers see.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path

from markdown_it import MarkdownIt
from PIL import Image

from tests.support.forking import caller

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOTE = re.compile(r"\*(Not tested|Tested with [^:]+): (.+)\.\*", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block, and the note above it that says how it is tested."""

    language: str
    code: str
    line: int
    note: str = ""

    @property
    def runs(self) -> bool:
        """Whether the block is pasted at all."""
        return self.language in ("sh", "python") and not self.note.startswith("*Not tested")


@cache
def guides() -> tuple[str, ...]:
    """Return the names of the guides, in the order of the site's contents."""
    (listed,) = re.findall(
        r":caption: Guides\n:maxdepth: 1\n\n(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.S
    )
    return tuple(listed.split())


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found, above = [], ""
    for token in MarkdownIt().parse(page):
        if token.type == "fence" and token.map:
            found.append(Block(token.info.strip(), token.content, token.map[0] + 1, above))
            above = ""
        elif token.type == "inline":
            above = token.content if NOTE.fullmatch(token.content) else ""
    return found


def clone(folder: Path, share: float = 1.0) -> Path:
    """Fill a new folder with what a guide may expect: the examples, and programs of this environment.

    Args:
        folder: Empty.
        share: Of the examples' sides; half the side takes a fifth of the time to count.
    """
    shutil.copytree(ROOT / "examples", folder / "examples")
    for path in (folder / "examples").glob("*.jpg") if share < 1 else ():
        with Image.open(path) as photo:
            smaller = photo.resize((round(share * photo.width), round(share * photo.height)))
        smaller.save(path, quality=95)
    for name in ("src", "research"):
        (folder / name).symlink_to(ROOT / name)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in {"crowdscale": "crowdscale", "python": None, "python3": None}.items():
        script = programs / name
        script.write_text(caller(module))
        script.chmod(0o755)
    return folder


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Reader:
    """Someone who pastes the blocks of a guide into a shell and into one Python, in a folder."""

    folder: Path
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})

    def paste(self, block: Block) -> str:
        """Run a block and return what it prints; a failure shows the block and its output."""
        code = block.code
        for shown, instead in self.stand_ins.items() if block.note else ():
            code = code.replace(shown, instead)
        assert not block.note or code != block.code, f"line {block.line}: nothing stands in"
        return self._python(code) if block.language == "python" else self._shell(code, block.line)

    def _python(self, code: str) -> str:
        with chdir(self.folder), redirect_stdout(StringIO()) as printed:
            exec(compile(code, "guide", "exec"), self.names)
        return printed.getvalue()

    def _shell(self, code: str, line: int) -> str:
        lines = [each for each in code.splitlines() if not re.match(r"\s*(pip|npm) install", each)]
        path = os.pathsep.join((str(self.folder / ".venv" / "bin"), os.environ["PATH"]))
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")))
        done = subprocess.run(
            ["bash", "-euc", "\n".join(lines)], cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=900, env={**os.environ, "PATH": path, "PYTHONPATH": paths, "COLUMNS": "80"},
        )  # fmt: skip
        assert done.returncode == 0, f"line {line}:\n{code}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def shape(output: str) -> str:
    """Return an output without its numbers, widths and rules: what stays when a model is trained anew."""
    return re.sub(r"[\s─━–-]+", " ", re.sub(r"\d[\d,.]*", "0", output)).strip()
