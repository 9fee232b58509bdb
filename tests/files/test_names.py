"""Names that tables hold, and secrets that stay out of the words of a command."""

from __future__ import annotations

import pytest

from crowdscale.errors import OptionError
from crowdscale.files.names import address_of, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("trip/Café.jpg", "trip/Café.jpg"),
        ("caf\udce9.png", "caf\\xe9.png"),
        ("half\ud83d.png", "half\\ud83d.png"),
        ("https://user:S3cret@host/a.jpg", "https://user:***@host/a.jpg"),
    ],
)
def test_names_are_text_without_passwords(name, shown):
    assert shown_name(name) == shown
    assert shown_name(name).encode()


def test_secrets_come_from_the_environment_or_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMERA_PASSWORD", "S3cret")
    monkeypatch.chdir(tmp_path)
    assert address_of("rtsp://admin:${CAMERA_PASSWORD}@camera/live") == "rtsp://admin:S3cret@camera/live"
    (tmp_path / "camera.txt").write_text("rtsp://admin:${CAMERA_PASSWORD}@camera/live\n# the gate\n")
    assert address_of("@camera.txt") == "rtsp://admin:S3cret@camera/live"
    (tmp_path / "@a.jpg").touch()
    assert address_of("@a.jpg") == "@a.jpg"
    assert address_of("trip/$a{b}.jpg") == "trip/$a{b}.jpg"


@pytest.mark.parametrize("source", ["@none.txt", "rtsp://admin:${NO_SUCH_VARIABLE}@camera/live"])
def test_a_secret_that_is_not_there_is_one_sentence(source):
    with pytest.raises(OptionError, match="expected"):
        address_of(source)
