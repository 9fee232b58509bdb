"""``python -m research.shrink.compact``: a model of half the size, which computes as before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import need_learn
from research.commands import new_app, run

__all__ = ["app", "compact"]


def compact(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
) -> None:
    """Store a model's large kernels in 8 bits a weight: half the bytes, float32 at run time, the same speed."""
    need_learn("research.shrink.compact")
    from crowdscale.learn.export.onnx import export_folder
    from research.shrink.compaction import compact_model

    compact_model(model, out)
    typer.echo(f"Compacted into {out}: largest difference from torch {export_folder(out, [])}")


app = new_app(compact)

if __name__ == "__main__":
    run(app, "research.shrink.compact")
