"""``crowdscale serve``: the page and an HTTP interface on this machine, or the page as a static site."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from crowdscale.cli.options import OUTPUT, Backend, Model, Threads, option
from crowdscale.cli.serve_cameras import watched_cameras
from crowdscale.errors import MissingExtraError, OptionError

__all__ = ["serve"]

SERVICE, LIMITS = "Service", "Limits"


def serve(
    host: Annotated[
        str,
        option(
            "--host",
            panel=SERVICE,
            metavar="ADDRESS",
            help="Address; another than this machine's needs a token.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, option("--port", panel=SERVICE, metavar="N", help="Port; 0 takes a free one.")
    ] = 8000,
    token: Annotated[
        str,
        option(
            "--token",
            panel=SERVICE,
            metavar="SECRET",
            envvar="CROWDSCALE_TOKEN",
            help="Secret of each request.",
        ),
    ] = "",
    allow_host: Annotated[
        list[str] | None,
        option(
            "--allow-host",
            panel=SERVICE,
            metavar="NAME",
            help="Another name of this service, as behind a proxy.",
        ),
    ] = None,
    watch: Annotated[
        list[str] | None,
        option(
            "--watch",
            panel=SERVICE,
            metavar="NAME=SOURCE",
            help="A video or camera that /watch may stream.",
        ),
    ] = None,
    cameras: Annotated[
        Path | None,
        option(
            "--cameras",
            panel=SERVICE,
            metavar="FILE",
            help="Watch the cameras of a .toml file, shown at /dashboard.",
        ),
    ] = None,
    no_browser: Annotated[
        bool, option("--no-browser", panel=SERVICE, help="Print the address and open no browser.")
    ] = False,
    max_mb: Annotated[
        float, option("--max-mb", panel=LIMITS, metavar="MB", help="Largest photo in megabytes.")
    ] = 50,
    max_megapixels: Annotated[
        float, option("--max-megapixels", panel=LIMITS, metavar="MP", help="Largest photo in megapixels.")
    ] = 100,
    waiting: Annotated[
        int,
        option("--waiting", panel=LIMITS, metavar="N", min=0, help="Photos that wait; more get status 503."),
    ] = 8,
    timeout: Annotated[
        float,
        option("--timeout", panel=LIMITS, metavar="SECONDS", help="Time for one photo, with its waiting."),
    ] = 120,
    folder: Annotated[
        Path | None,
        option(
            "--folder", panel=SERVICE, metavar="DIR", help="Your photos: the page saves heads beside them."
        ),
    ] = None,
    model: Model = "lite",
    backend: Backend = "onnx",
    threads: Threads = 0,
    corrections: Annotated[
        Path | None,
        option("--corrections", panel=OUTPUT, metavar="DIR", help="Folder for photos corrected on the page."),
    ] = None,
    export: Annotated[
        Path | None,
        option(
            "--export",
            panel=OUTPUT,
            metavar="DIR",
            help="Write the page as a static site that counts in the browser.",
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        option(
            "--runtime",
            panel=OUTPUT,
            metavar="DIR",
            help="With --export: a folder of onnxruntime-web, or its dist.",
        ),
    ] = None,
) -> None:
    """Open the page that counts photos on this machine; Ctrl-C ends it."""
    if export is not None:
        _export(export, model, runtime)
        return
    if runtime is not None:
        raise OptionError.plain("--runtime needs --export")
    for library in ("fastapi", "uvicorn", "prometheus_client"):
        if find_spec(library) is None:
            raise MissingExtraError("crowdscale serve", "serve")
    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions
    from crowdscale.serve.running import run_service

    options = ServeOptions(
        host=host, port=port, token=token, hosts=tuple(allow_host or ()), waiting=waiting, timeout=timeout,
        corrections=corrections, folder=folder, sources=dict(map(_source, watch or ())), max_bytes=int(max_mb * 1e6), max_pixels=int(max_megapixels * 1e6),
    )  # fmt: skip
    counter = Counter.open(model, options.max_pixels, backend, threads)

    def ready(address: str) -> None:
        page = f"{address}#token={token}" if token and options.is_local else address
        print(f"crowdscale counts with {counter.config.name} at {page} (Ctrl-C ends it)", flush=True)
        if cameras is not None:
            print(f"Cameras: {page.replace(address, f'{address}dashboard')}", flush=True)
        # A token on a browser's command line could be read by other users of this machine.
        if not no_browser and options.is_local and not token and _has_screen():
            import webbrowser

            webbrowser.open(page)

    with watched_cameras(cameras, counter) as watched:
        run_service(create_app(counter, options, watched), options, ready)


def _source(text: str) -> tuple[str, str]:
    name, sign, source = text.partition("=")
    if not (name and sign and source):
        raise OptionError("--watch needs NAME=SOURCE", text, "For example --watch gate=rtsp://camera/stream")
    return name, source


def _has_screen() -> bool:
    return (
        os.name == "nt" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or _is_mac()
    )


def _is_mac() -> bool:
    import sys

    return sys.platform == "darwin"


def _export(folder: Path, model: str, runtime: Path | None) -> None:
    from crowdscale.serve.export import export_site

    size = export_site(folder, model, runtime)
    print(f"Written: {folder} ({size / 1e6:.0f} MB). Any web server can serve it.")
