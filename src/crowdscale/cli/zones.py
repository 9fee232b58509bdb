"""``crowdscale zones``: draw zones over a picture, check them, show them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.bulk import terminated_like_ctrl_c

if TYPE_CHECKING:
    from crowdscale.files.images import Pixels
    from crowdscale.zones.zone import Zones

__all__ = ["zones_app"]

zones_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Draw, check and show zones.")

Picture = Annotated[str, typer.Argument(help="A photo, or a video or camera whose first frame is taken.")]


@zones_app.command()
def edit(
    picture: Picture,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Zones; what it holds is there to be changed.")
    ] = Path("zones.json"),
    port: Annotated[int, typer.Option(help="Of the page on this machine; 0 takes a free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address alone.")] = False,
) -> None:
    """Draw zones over a picture on a page in the browser; Done or Ctrl-C ends it."""
    import io

    from PIL import Image

    from crowdscale.serve.zone_editor import ZoneEditor

    pixels = _pixels(picture)
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


@zones_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Zones: our JSON, Label Studio's or CVAT's export.")],
    picture: Annotated[str | None, typer.Argument(help="The photo or video that they must fit.")] = None,
) -> None:
    """Read zones, say what is wrong with them, and list them."""
    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.zones.files import read_zones

    zones = read_zones(file)
    size = zones.size
    if picture is not None:
        pixels = _pixels(picture)
        size = (pixels.shape[1], pixels.shape[0])
    if size is not None:
        zones = zones.fit(size)
    table = new_table(zone="left", kind="left", corners="right", capacity="right", alarm="left", m2="right")
    for zone in zones.zones:
        kind = "counted only here" if zone.roi else zone.kind
        alarm = "" if zone.alarm is None else f"above {zone.alarm.above:g}, below {zone.alarm.low:g}"
        metres = "" if size is None or zones.ground is None else _metres(zones, zone.name, size)
        table.add_row(zone.name, kind, str(len(zone.points)), str(zone.capacity or ""), alarm, metres)
    print_table(table)


def _metres(zones: Zones, name: str, size: tuple[int, int]) -> str:
    zone = next(each for each in zones.zones if each.name == name)
    return "" if zones.ground is None else f"{zones.ground.square_metres(zone.shape(size)):.1f}"


@zones_app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Zones.")],
    picture: Picture,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The picture to write.")] = Path("zones.png"),
) -> None:
    """Draw zones on a picture."""
    from crowdscale.files.images import write_image
    from crowdscale.zones.files import read_zones
    from crowdscale.zones.pictures import draw_zones

    write_image(out, draw_zones(_pixels(picture), read_zones(file)))
    print(f"Written: {out}")


def _pixels(picture: str) -> Pixels:
    """The photo, or the first frame of a video."""
    from crowdscale.files.finding import IMAGE_SUFFIXES
    from crowdscale.files.images import read_image

    if "://" not in picture and (
        Path(picture).suffix.lower() in IMAGE_SUFFIXES or not Path(picture).exists()
    ):
        return read_image(picture).pixels
    from crowdscale.video.sources import VideoError, open_source

    frames = iter(open_source(picture))
    frame = next(frames, None)
    if frame is None:
        raise VideoError("expected a video with pictures", f"{picture} without any")
    return frame.pixels
