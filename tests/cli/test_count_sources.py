"""What ``crowdscale count`` is given beside files: the web, stdin, the clipboard, pages, and what it is not for."""

from __future__ import annotations

import csv
import json
import sys

import pytest
from PIL import Image

from crowdscale.cli.picture_names import picture_names
from crowdscale.files.images import write_image
from tests.support.commands import CROWD, FEW, crowdscale, crowdscale_process
from tests.support.fakes import label_photo
from tests.support.web import body, redirect, web_server

CROWDED, SPARSE = label_photo(CROWD, 240, 200), label_photo(FEW, 240, 200)


@pytest.fixture
def crowd(tmp_path):
    write_image(tmp_path / "crowd.png", CROWDED)
    return tmp_path / "crowd.png"


@pytest.fixture
def scan(tmp_path):
    pages = [Image.fromarray(each) for each in (CROWDED, SPARSE)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    return tmp_path / "scan.tif"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def rows(text):
    return [(row["photo"], row["count"]) for row in csv.DictReader(text.splitlines())]


def test_a_photo_of_the_web_is_counted_without_its_password_in_sight(crowd, label_model, tmp_path):
    pages = {"/p/crowd.png": body(crowd.read_bytes()), "/x": redirect("/p/crowd.png"), "/w": body(b"<html>")}
    with web_server(pages) as address:
        secret = address.replace("http://", "http://user:S3cret@") + "/x?token=T0ken"
        done = crowdscale("count", secret, "--model", label_model, "--csv", "-", "--save", tmp_path / "out")
        wrong = crowdscale("count", f"{address}/w", f"{address}/none.jpg", "--model", label_model)
    shown = address.replace("http://", "http://user:***@") + "/x?token=***"
    assert rows(done.stdout) == [(shown, "96")]
    assert "S3cret" not in done.stdout + done.stderr
    assert "T0ken" not in done.stdout + done.stderr
    assert (tmp_path / "out" / "x_people.jpg").is_file()
    assert wrong.returncode == 2
    assert f"{address}/w is a web page" in wrong.stderr
    assert f"no such photo: {address}/none.jpg" in wrong.stderr


def test_stdin_is_one_photo(crowd, label_model, tmp_path):
    with crowd.open("rb") as stream:
        done = crowdscale_process(
            "count", "-", "--model", label_model, "--save", tmp_path / "out", "--json", "-", stdin=stream
        )
    (row,) = json.loads(done.stdout)
    assert (row["photo"], round(row["count"])) == ("stdin", 96)
    assert (tmp_path / "out" / "stdin_people.jpg").is_file()


def test_stdin_without_a_photo_is_one_sentence(label_model):
    done = crowdscale("count", "-", "--model", label_model)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: expected a photo on stdin, but got nothing.\n"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="programs of Linux")
def test_the_clipboard_is_one_photo_or_a_sentence(crowd, label_model, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    done = crowdscale("count", "clipboard:", "--model", label_model)
    assert done.returncode == 2
    assert "the clipboard needs a screen" in done.stderr
    monkeypatch.setenv("DISPLAY", ":9")
    xclip = tools / "xclip"
    xclip.write_text(f'#!/bin/sh\ncase "$*" in *image/jpeg) cat {crowd};; *) exit 1;; esac\n')
    xclip.chmod(0o755)
    done = crowdscale("count", "clipboard:", "--model", label_model, "--csv", "-")
    assert rows(done.stdout) == [("clipboard", "96")]
    xclip.write_text("#!/bin/sh\nexit 1\n")
    done = crowdscale("count", "clipboard:", "--model", label_model)
    assert "no photo is on the clipboard" in done.stderr


NOTE = "The file has 2 pages: page 1, the first of the largest, was counted. Count each with --pages all."


def test_one_page_is_counted_with_a_note_that_names_the_rest(scan, crowd, label_model, tmp_path):
    done = crowdscale("count", scan, "--model", label_model, "--json", str(tmp_path / "a.json"))
    assert done.stdout.startswith("96 people")
    assert "unlike" not in done.stdout  # a page is no fault of the photo
    assert f"Note: {scan}: {NOTE}" in done.stderr
    (row,) = json.loads((tmp_path / "a.json").read_text())
    assert (row["notes"], row["warnings"]) == ([NOTE], [])
    done = crowdscale("count", scan, crowd, "--model", label_model, "--csv", str(tmp_path / "a.csv"))
    assert "see note" in done.stdout
    first, second = csv.DictReader((tmp_path / "a.csv").open())
    assert (json.loads(first["notes"]), second["notes"]) == ([NOTE], "")
    assert crowdscale("count", scan, "--model", label_model, "--quiet").stderr == ""


def test_the_notes_of_pages_reach_an_archive(scan, label_model, tmp_path):
    crowdscale("count", scan, "--model", label_model, "--out", str(tmp_path / "out"), "--format", "jsonl")
    (part,) = (tmp_path / "out" / "counts").iterdir()
    assert json.loads(part.read_text())["notes"] == [NOTE]


@pytest.mark.parametrize("bulk", [False, True])
def test_all_pages_have_rows_of_their_own(scan, crowd, label_model, tmp_path, bulk):
    out = ["--out", tmp_path / "out", "--format", "csv"] if bulk else ["--csv", tmp_path / "a.csv"]
    arguments = ["count", crowd, scan, "--pages", "all", "--model", label_model, *out]
    done = crowdscale(*arguments, *([] if bulk else ["--save", tmp_path / "pictures"]))
    assert (done.returncode, done.stderr) == (0, "")
    part = next((tmp_path / "out" / "counts").glob("*.csv")) if bulk else tmp_path / "a.csv"
    assert rows(part.read_text()) == [(str(crowd), "96"), (f"{scan}#1", "96"), (f"{scan}#2", "2")]
    if bulk:
        assert "3 photos" in crowdscale(*arguments).stdout
        return
    names = sorted(path.name for path in (tmp_path / "pictures").glob("*_people.jpg"))
    assert names == ["crowd_people.jpg", "scan_1_people.jpg", "scan_2_people.jpg"]


def test_a_page_can_be_named(scan, label_model):
    assert crowdscale("count", f"{scan}#2", "--model", label_model).stdout == "2 people\n"
    done = crowdscale("count", f"{scan}#3", "--model", label_model)
    assert f"expected page 3 of {scan}" in done.stderr.replace("#3", "")
    scan.rename(scan.with_name("scan.tif#2"))
    assert crowdscale("count", f"{scan}#2", "--model", label_model).stdout.startswith("96")


def test_all_pages_of_stdin_and_the_web(scan, label_model):
    with scan.open("rb") as stream:
        done = crowdscale_process(
            "count", "-", "--pages", "all", "--model", label_model, "--csv", "-", stdin=stream
        )
    assert rows(done.stdout) == [("stdin#1", "96"), ("stdin#2", "2")]
    with web_server({"/scan": body(scan.read_bytes())}) as address:
        done = crowdscale("count", f"{address}/scan", "--pages", "all", "--model", label_model, "--csv", "-")
        assert rows(done.stdout) == [(f"{address}/scan#1", "96"), (f"{address}/scan#2", "2")]


def test_a_film_or_a_stream_names_watch(label_model, tmp_path):
    (tmp_path / "party.jpg").write_bytes(b"\0\0\0\x18ftypisom" + bytes(600))
    (tmp_path / "party.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(600))
    for name in ("party.jpg", "party.mkv"):
        done = crowdscale("count", tmp_path / name, "--model", label_model)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(f"Run: crowdscale watch {tmp_path / name}.\n")
    done = crowdscale("count", "rtsp://admin:S3cret@camera/live", "--model", label_model)
    assert "Run: crowdscale watch rtsp://admin:***@camera/live" in done.stderr
    assert "S3cret" not in done.stderr


def test_films_in_a_folder_are_named(crowd, label_model):
    (crowd.parent / "party.mp4").touch()
    done = crowdscale("count", crowd.parent, "--model", label_model)
    assert done.stderr == "Left out 1 other file by suffix: 1 .mp4. Count films with crowdscale watch.\n"


@pytest.mark.parametrize("source", ["-", "clipboard:"])
def test_what_comes_once_goes_into_no_folder_of_results(source, label_model, tmp_path):
    done = crowdscale("count", source, "--out", tmp_path / "out", "--model", label_model)
    assert f"{source} and --out exclude each other" in done.stderr


def test_a_folder_counts_the_files_that_count_when_named(label_model, tmp_path):
    names = ["a.jfif", "b.jpe", "c.gif", "d.avif", "e.dib", "f", "g.PNG", "h.tiff"]
    kinds = ["JPEG", "JPEG", "GIF", "AVIF", "BMP", "PNG", "PNG", "TIFF"]
    for name, kind in zip(names, kinds, strict=True):
        Image.fromarray(CROWDED).save(tmp_path / name, kind)
    for name in ("._a.jfif", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    found = crowdscale("count", tmp_path, "--model", label_model, "--csv", "-")
    named = crowdscale("count", *(tmp_path / name for name in names), "--model", label_model, "--csv", "-")
    assert (found.returncode, named.returncode) == (0, 0)
    strip = [(row[0], row[1]) for row in rows(found.stdout)]
    assert sorted(strip) == sorted(rows(named.stdout))
    assert len(strip) == len(names)


def test_a_folder_never_counts_its_own_results(crowd, label_model):
    folder = crowd.parent
    for _ in range(2):  # the second time over the pictures of the first
        done = crowdscale("count", folder, "--model", label_model, "--save", folder, "--verbose", "--csv", folder / "a.csv", "--json", folder / "a.json")  # fmt: skip
        assert "Pictures: " in done.stdout
    for number, picture in enumerate(sorted(folder.glob("crowd_*.jpg"))):
        picture.rename(folder / f"holiday {number}.jpg")
    done = crowdscale("audit", folder, "--out", folder / "checked", "--tiles", 2, "--model", label_model)
    assert list((folder / "checked" / "tiles").glob("*.png"))
    assert crowdscale("count", folder, "--model", label_model, "--quiet").stdout == "96\n"


def test_pictures_keep_apart_by_suffix_whatever_is_counted_with_them(tmp_path, label_model):
    for name in ("photo.png", "photo.bmp", "other.png"):
        write_image(tmp_path / name, CROWDED)
    crowdscale("count", tmp_path / "photo.png", "--model", label_model, "--save", tmp_path / "out")
    crowdscale("count", tmp_path, "--model", label_model, "--save", tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").glob("*_people.jpg"))
    assert names == ["other_people.jpg", "photo.bmp_people.jpg", "photo.png_people.jpg"]


def test_names_of_pages_addresses_and_stdin():
    names = ["https://host/deep/a%20b.jpg?x=1", "stdin#2", "clipboard", "https://host/"]
    assert [str(name) for name in picture_names(names).values()] == ["a b", "stdin_2", "clipboard", "photo"]
