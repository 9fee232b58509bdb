"""The user's own folder: heads beside photos, two writers, a full disk, annotations of others."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from crowdscale.data.folder import Folder
from crowdscale.errors import CrowdscaleError, DataError, ImageError
from crowdscale.points import Points
from crowdscale.serve.folder import OvertakenError, PhotoFolder
from crowdscale.serve.storing import StorageError
from tests.support.layouts import write_photo


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.jpg", "deep/b.jpg"):
        write_photo(tmp_path / name)
    return tmp_path


def test_saved_heads_train_and_are_read_again(root):
    folder = PhotoFolder(root)
    new = folder.save("deep/b.jpg", [[1.5, 2.0]], [[0, 0, 1, 1]], "")
    assert folder.read("deep/b.jpg") == new
    assert PhotoFolder(root).read("deep/b.jpg") == new
    assert {each["name"]: each["saved"] for each in folder.listed()} == {"a.jpg": False, "deep/b.jpg": True}
    (sample,) = Folder(root, unlabelled="skip")
    assert sample.points == Points([[1.5, 2]])


def test_what_the_page_does_not_edit_stays(root):
    (root / "a.json").write_text('{"points": [[3, 4]], "photo_size": [64, 48]}')
    folder = PhotoFolder(root)
    folder.save("a.jpg", [], [], folder.read("a.jpg").revision)
    assert json.loads((root / "a.json").read_text()) == {"points": [], "photo_size": [64, 48]}


def test_a_second_writer_overwrites_nothing(root):
    one, two = PhotoFolder(root), PhotoFolder(root)
    one.save("a.jpg", [[1, 1]], [], "")
    with pytest.raises(OvertakenError, match=r"a\.jpg was saved in another tab .* nothing was overwritten"):
        two.save("a.jpg", [[2, 2]], [], "")
    assert two.read("a.jpg").values["points"] == [[1, 1]]


def test_a_full_disk_keeps_the_old_file(root, monkeypatch):
    folder = PhotoFolder(root)
    before = folder.save("a.jpg", [[1, 1]], [], "")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"The disk is full, so a\.json was not saved"):
        folder.save("a.jpg", [[2, 2]], [], before.revision)
    assert folder.read("a.jpg") == before
    assert sorted(path.name for path in root.iterdir()) == ["a.jpg", "a.json", "deep"]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        pytest.param("a.csv", "x,y\n1,2\n", "data convert", id="csv"),
        pytest.param("points.csv", "image,x,y\na.jpg,1,2\n", r"points\.csv", id="table"),
        pytest.param("a.json", '{"points": [[1, 2]], "sizes": [[3, 3]]}', "would lose", id="boxes"),
        pytest.param("a.json", '{"points": [], "only": [[0, 0, 9, 9]]}', "would lose", id="tiles"),
        pytest.param("a.json", "no JSON", r"a\.json", id="broken"),
    ],
)
def test_annotations_that_the_page_would_lose_are_left_alone(root, name, content, word):
    (root / name).write_text(content)
    folder = PhotoFolder(root)
    with pytest.raises(CrowdscaleError, match=word):
        folder.save("a.jpg", [[5, 5]], [], "")
    assert (root / name).read_text() == content
    assert folder.save("deep/b.jpg", [], [], "").revision


def test_only_listed_photos_are_opened(root):
    (root / "secret.txt").touch()
    folder = PhotoFolder(root)
    for name in ("secret.txt", "../a.jpg", "/etc/passwd", "a.json"):
        with pytest.raises(DataError, match="no photo"):
            folder.photo(name)
    with pytest.raises(ImageError):
        PhotoFolder(root / "deep" / ".." / "empty") if (root / "empty").mkdir() is None else None


def test_over_http(root, label_model):
    from fastapi.testclient import TestClient

    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    app = create_app(Counter.open(str(label_model), 10**6), ServeOptions(folder=root))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/site.json").json()["folder"] == str(root)
        assert [each["name"] for each in client.get("/folder").json()["photos"]] == ["a.jpg", "deep/b.jpg"]
        assert client.get("/folder/photo?name=a.jpg").content == (root / "a.jpg").read_bytes()
        assert client.get("/folder/photo?name=../a.jpg").status_code == 400
        saved = client.post("/folder/heads?name=a.jpg", json={"heads": [[1, 2]]})
        assert saved.json() == client.get("/folder/heads?name=a.jpg").json()
        assert client.post("/folder/heads?name=a.jpg", json={"heads": []}).status_code == 409
        assert client.post("/folder/heads?name=a.jpg", content=b'{"heads": [[NaN, 1]]}').status_code == 400
