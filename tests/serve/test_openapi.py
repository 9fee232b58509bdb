"""Whatever the OpenAPI description allows is answered as it says: no server error, no undocumented status."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings


@pytest.fixture(scope="module")
def schema(label_model):
    schemathesis = pytest.importorskip(
        "schemathesis", reason="schemathesis is not installed"
    )  # seconds to import
    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    options = ServeOptions(max_bytes=200_000, max_pixels=1_000_000, batch=3, hosts=("testserver",))
    return schemathesis.openapi.from_asgi(
        "/openapi.json", create_app(Counter.open(str(label_model), options.max_pixels), options)
    )


MANY = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_every_answer_is_described(schema):
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    checks, asked = [not_a_server_error, status_code_conformance, response_schema_conformance], []
    for found in schema.get_all_operations():
        operation = found.ok()

        @MANY
        @given(case=operation.as_strategy())
        def ask(case):
            case.call_and_validate(checks=checks)

        ask()
        asked.append(operation.label)
    assert {"POST /count", "POST /count/batch", "POST /audit/start", "GET /metrics"} <= set(asked)
