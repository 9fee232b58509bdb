"""``crowdscale zones``: draw, check and show zones; flows and occupancy are in ``zones_rows``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.errors import terminated_like_ctrl_c
from crowdscale.cli.options import OUTPUT, option
from crowdscale.cli.panels import Entry, command_group

if TYPE_CHECKING:
    from crowdscale.files.images import Pixels
    from crowdscale.zones.zone import Zone, Zones

__all__ = ["check", "edit", "show", "zones_app"]

zones_app = command_group(
    "Draw, check and show zones; flows and occupancy from rows.",
    Entry("edit", "Draw zones over a photo in the browser.", "zones:edit"),
    Entry("check", "Check zones and list them.", "zones:check"),
    Entry("show", "Draw zones into a picture.", "zones:show"),
    Entry("flow", "People who passed a line, with an interval; marches.", "zones_rows:flow"),
    Entry("occupancy", "People of each zone over time, from rows.", "zones_rows:occupancy"),
)

Photo = Annotated[
    str, typer.Argument(metavar="PHOTO", help="A photo, or a video or camera, of which the first frame.")
]
ZonesArgument = Annotated[
    Path, typer.Argument(metavar="ZONES", help="JSON of this program, or of an annotation tool.")
]


def edit(
    photo: Photo,
    out: Annotated[
        Path,
        option("--out", panel=OUTPUT, metavar="FILE", help="The zones; those in the file can be changed."),
    ] = Path("zones.json"),
    port: Annotated[
        int, option("--port", panel="Page", metavar="N", help="Port of the page; 0 takes a free one.")
    ] = 0,
    no_browser: Annotated[
        bool, option("--no-browser", panel="Page", help="Print the address and open no browser.")
    ] = False,
) -> None:
    """Draw zones over a photo on a page in the browser; Done or Ctrl-C ends it."""
    import io

    from PIL import Image

    from crowdscale.serve.zone_editor import ZoneEditor

    pixels = _pixels(photo)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    editor = ZoneEditor(stream.getvalue(), (pixels.shape[1], pixels.shape[0]), out, port)
    editor.start()
    print(f"Draw zones at {editor.address} (Done there, or Ctrl-C here, ends it)", flush=True)
    if not no_browser:
        import webbrowser

        webbrowser.open(editor.opening())
    with terminated_like_ctrl_c():
        try:
            while not editor.done.wait(0.2):
                pass
        except KeyboardInterrupt:
            print(file=sys.stderr)
    editor.close()
    if editor.saved:
        print(f"{len(editor.zones.zones)} zones in {out}")
    else:
        print("Nothing was saved.")


def check(
    file: ZonesArgument,
    photo: Annotated[
        str | None, typer.Argument(metavar="[PHOTO]", help="The photo or video that they must fit.")
    ] = None,
) -> None:
    """Check zones and list them."""
    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.zones.files import read_zones

    zones = read_zones(file)
    for sentence in zones.warnings():
        print(f"Warning: {sentence}", file=sys.stderr)
    size = zones.size
    if photo is not None:
        pixels = _pixels(photo)
        size = (pixels.shape[1], pixels.shape[0])
    if size is not None:
        zones = zones.fit(size)
    table = new_table(zone="left", kind="left", corners="right", capacity="right", alarm="left", m2="right")
    for zone in zones.zones:
        table.add_row(*_cells(zone), _metres(zones, zone, size))
    print_table(table)


def _cells(zone: Zone) -> list[str]:
    """Return the cells of a zone: name, kind, corners, capacity, alarm."""
    kind = "counted only here" if zone.roi else "left out" if zone.exclude else zone.kind
    alarm = "" if zone.alarm is None else f"above {zone.alarm.above:g}, below {zone.alarm.low:g}"
    return [zone.name, kind, str(len(zone.points)), str(zone.capacity or ""), alarm]


def _metres(zones: Zones, zone: Zone, size: tuple[int, int] | None) -> str:
    """Return the square metres of a zone; empty without a size or a ground plane."""
    if size is None or zones.ground is None:
        return ""
    return f"{zones.ground.square_metres(zone.shape(size)):.1f}"


def show(
    file: ZonesArgument,
    photo: Photo,
    out: Annotated[Path, option("--out", panel=OUTPUT, metavar="FILE", help="The picture to write.")] = Path(
        "zones.png"
    ),
) -> None:
    """Draw zones into a picture."""
    from crowdscale.files.images import write_image
    from crowdscale.zones.files import read_zones
    from crowdscale.zones.pictures import draw_zones

    write_image(out, draw_zones(_pixels(photo), read_zones(file)), drawn=True)
    print(f"Written: {out}")


def _pixels(photo: str) -> Pixels:
    """Return the photo, or the first frame of a video."""
    from crowdscale.files.finding import IMAGE_SUFFIXES
    from crowdscale.files.images import read_image
    from crowdscale.files.names import address_of

    photo = address_of(photo)
    path = Path(photo)
    if "://" not in photo and (path.suffix.lower() in IMAGE_SUFFIXES or not path.exists()):
        return read_image(photo).pixels
    from crowdscale.video.sources import VideoError, open_source

    frame = next(iter(open_source(photo)), None)
    if frame is None:
        raise VideoError.plain(f"no frame in {photo}")
    return frame.pixels
