"""Options and arguments that several commands share, declared once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.zones.zone import Zones

__all__ = [
    "BACKEND",
    "COUNTING",
    "INPUT",
    "MODELS",
    "OUTPUT",
    "SCORING",
    "Average",
    "Backend",
    "Border",
    "Cache",
    "Data",
    "Device",
    "Game",
    "HoldOut",
    "LimitSize",
    "Model",
    "ModelArgument",
    "ModelOut",
    "NoSecondPass",
    "Only",
    "Protocol",
    "Quiet",
    "ReadScale",
    "RegionMinimum",
    "Regions",
    "Seed",
    "Table",
    "Threads",
    "Thresholds",
    "Turn",
    "Write",
    "ZonesFile",
    "Zoom",
    "option",
    "read_zones_file",
    "region_number",
    "seconds_of",
    "turn_of_option",
]

INPUT, OUTPUT, COUNTING, BACKEND, SCORING = "Input", "Output", "Counting", "Backend", "Scoring"
"""Panels of ``--help``."""

MODELS = "A model's name, or the path of its folder or file."


def option(*names: str, panel: str, help: str, metavar: str | None = None, **rest: Any) -> Any:
    """Return a typer option in a panel."""
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=panel, **rest)


def _model_names() -> list[str]:
    """Return the names with which a shell completes ``--model``."""
    from crowdscale.models.finding import known_models

    return sorted(known_models())


Model = Annotated[
    str,
    option("--model", "-m", panel=COUNTING, metavar="MODEL", help=MODELS, autocompletion=_model_names),
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help=MODELS, autocompletion=_model_names)]
Data = Annotated[
    list[str],
    option(
        "--data", panel=INPUT, metavar="SET", help="NAME[/SPLIT]:PATH or a folder; repeat for several sets."
    ),
]
Only = Annotated[
    Path | None,
    option(
        "--only", panel=INPUT, metavar="LIST", help="Use only the photos of this list: one SET/NAME a line."
    ),
]
HoldOut = Annotated[
    Path | None,
    option(
        "--hold-out",
        panel=INPUT,
        metavar="LIST",
        help="Leave out the photos of this list: one SET/NAME a line.",
    ),
]
Border = Annotated[
    list[float] | None,
    option(
        "--border", panel=INPUT, metavar="SHARE",
        help="Share of a side left out along the edges of each --data, in their order; default 0.",
    ),
]  # fmt: skip
ZonesFile = Annotated[
    Path | None,
    option("--zones", panel=INPUT, metavar="FILE", help="Count in these zones, too (see crowdscale zones)."),
]
Cache = Annotated[
    Path | None,
    option("--cache", panel=INPUT, metavar="DIR", help="Keep resized photos here for the next run."),
]
ReadScale = Annotated[
    float | None,
    option(
        "--read-scale",
        panel=INPUT,
        metavar="FACTOR",
        help="Resize photos by this side factor, 2 at most, as they are read.",
    ),
]
Turn = Annotated[
    str,
    option(
        "--turn", panel=INPUT, metavar="auto|90|180|270|off",
        help="Turn photos clockwise first; auto: those that seem to lie on their side or upside down.",
    ),
]  # fmt: skip
Zoom = Annotated[
    float | None,
    option(
        "--zoom",
        panel=COUNTING,
        metavar="FACTOR",
        help="Enlarge regions by this side factor, not the learned one.",
    ),
]
NoSecondPass = Annotated[
    bool,
    option(
        "--no-second-pass",
        panel=COUNTING,
        help="Run the first pass alone: faster, less exact in dense crowds.",
    ),
]
Regions = Annotated[
    str,
    option(
        "--regions",
        panel=COUNTING,
        metavar="K|all",
        help="Give the K largest dense regions a second pass, or all.",
    ),
]
RegionMinimum = Annotated[
    float | None,
    option(
        "--region-minimum", panel=COUNTING, metavar="SHARE",
        help="Smallest region, as a share of the photo's area; default: the model's.",
    ),
]  # fmt: skip
Backend = Annotated[
    str,
    option(
        "--backend", panel=BACKEND, metavar="NAME",
        help="onnx; openvino or openvino-bf16 (extra [openvino]); torch (extra [learn]).",
    ),
]  # fmt: skip
Device = Annotated[str, option("--device", panel=BACKEND, metavar="NAME", help="cpu or cuda.")]
Threads = Annotated[
    int,
    option("--threads", panel=BACKEND, metavar="N", min=0, help="Threads of the backend; 0: its own choice."),
]
Quiet = Annotated[bool, option("--quiet", panel=OUTPUT, help="Print errors alone.")]
Table = Annotated[
    Path | None,
    option("--table", panel=OUTPUT, metavar="FILE", help="Write the table: .md, .csv, .json or .tex."),
]
Write = Annotated[
    bool, option("--write", panel=OUTPUT, help="Write the result into the model's description.")
]
ModelOut = Annotated[
    Path, option("--out", "-o", panel=OUTPUT, metavar="DIR", help="The model folder to write.")
]
Protocol = Annotated[
    str,
    option(
        "--protocol",
        panel=SCORING,
        metavar="NAME",
        help="sha, qnrf, nwpu, … (see data list); default: of the data.",
    ),
]
Thresholds = Annotated[
    str,
    option(
        "--thresholds",
        panel=SCORING,
        metavar="LIST",
        help="In place of the protocol's: 4px,8px,knn8,small,large.",
    ),
]
Average = Annotated[
    str,
    option(
        "--average",
        panel=SCORING,
        metavar="RANGE",
        help="Average P, R and F over whole pixels, such as 1-100.",
    ),
]
Game = Annotated[
    int | None, option("--game", panel=SCORING, metavar="LEVEL", help="The highest level of GAME.")
]
LimitSize = Annotated[
    bool,
    option(
        "--limit-size/--no-limit-size", panel=INPUT, help="Resize photos to the limits of the set's protocol."
    ),
]
Seed = Annotated[int, option("--seed", panel="Options", metavar="N", help="Seed of all random choices.")]

DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|)\s*")
UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as 500ms, 1s, 2m or 1h; a bare number is seconds. Raises OptionError."""
    match = DURATION.fullmatch(text.lower())
    if not match:
        raise OptionError("expected a duration such as 500ms, 1s, 2m or 1h", repr(text))
    return float(match[1]) * UNITS[match[2]]


def region_number(regions: str) -> Any:
    """Return the number of ``--regions``, or ``all``. Raises OptionError."""
    if regions != "all" and not regions.isdigit():
        raise OptionError("expected --regions as a number or all", repr(regions))
    return regions if regions == "all" else int(regions)


def turn_of_option(text: str) -> Any:
    """Return the value of ``--turn`` for ``PredictOptions``. Raises OptionError."""
    from crowdscale.counting.options import TURNS

    turns: dict[str, Any] = {str(value): value for value in TURNS}
    if text not in turns:
        raise OptionError(f"expected --turn as {', '.join(turns)}", repr(text))
    return turns[text]


def read_zones_file(path: Path | None) -> Zones | None:
    """Return the zones of ``--zones``; None without a file."""
    if path is None:
        return None
    from crowdscale.zones.files import read_zones

    zones = read_zones(path)
    for sentence in zones.warnings():
        typer.echo(f"Warning: {path}: {sentence}", err=True)
    return zones
