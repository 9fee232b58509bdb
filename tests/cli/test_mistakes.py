"""The likeliest mistakes of a newcomer: each ends with one sentence that says what to do, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdscale import errors
from tests.support.commands import crowdscale


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("photo.jpg", "no command was named. Run: crowdscale count photo.jpg"),
        ("film.MP4 --every 1s", "no command was named. Run: crowdscale watch film.MP4 --every 1s"),
        ("count photo.jpg", "no such photo: photo.jpg"),
        ("count text.jpg", "text.jpg is no photo. Photos are JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF or BMP."),
        ("count empty.jpg", "empty.jpg is empty"),
        ("count film.avi", "film.avi is a film. Run: crowdscale watch film.avi."),
        ("count folder", "no photos in folder. Photos end with .jpg, .png"),
        ("count text.jpg --model lit", "unknown model 'lit'. Did you mean lite? Choose one of lite, lite-int8, nano. Or give"),
        ("count text.jpg --backend onxx", "unknown backend 'onxx'. Did you mean onnx? Choose one of onnx, openvino"),
        ("count text.jpg --backend torch", "The backend torch needs the extra [learn]. Run: pip install 'crowdscale[learn]'."),
        ("count text.jpg --zones zones.json", "no such file of zones: zones.json. Draw them: crowdscale zones edit PHOTO --out"),
        ("count text.jpg --zones cut.json", "cut.json is no valid JSON"),
        ("count text.jpg --save text.jpg", "text.jpg is a file, and pictures need a folder"),
        ("count text.jpg --out text.jpg", "text.jpg is a file, and --out needs a folder"),
        ("watch film.mp4", "no such film: film.mp4. Name a film, a folder of frames, a camera's number or its address."),
        ("evaluate lite --data photos", "no such folder: photos"),
        ("evaluate lite --data text.jpg", "text.jpg is a file, not a folder"),
        ("evaluate lite --data shaa:photos", "unknown data set 'shaa'. Did you mean sha? Choose one of cc50"),
        ("score none.txt none.csv", "no such folder: none.csv"),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_is_one_sentence(words: str, sentence: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    (tmp_path / "text.jpg").write_text("not a photo")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "film.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    (tmp_path / "cut.json").write_text('{"zones": [')
    (tmp_path / "folder").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    done = crowdscale(*words.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: {sentence}"), done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
