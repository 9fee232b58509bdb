"""The page of inputs has the table of the code; real results fit the published schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from crowdscale.files.images import write_image
from crowdscale.files.kinds import KINDS
from tests.support.commands import CROWD, crowdscale
from tests.support.fakes import label_photo

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_page_names_each_kind(kind):
    suffixes = " ".join(f"`{suffix}`" for suffix in kind.suffixes)
    line = f"| {kind.name} | {suffixes} | {kind.reader} | {kind.note} |"
    assert line in (DOCS / "guides" / "inputs.md").read_text(encoding="utf-8")


def test_real_results_fit_the_published_schema(tmp_path, label_model):
    schema = json.loads((DOCS / "count-1.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    write_image(tmp_path / "crowd.png", label_photo(CROWD, 240, 200))
    done = crowdscale(
        "count", tmp_path / "crowd.png", tmp_path / "none.png", "-m", label_model, "--json", "-"
    )
    rows = json.loads(done.stdout)
    jsonschema.validate(rows, schema)
    assert [set(row) for row in rows] == [set(schema["items"]["properties"])] * 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{**rows[0], "count": "many"}], schema)
