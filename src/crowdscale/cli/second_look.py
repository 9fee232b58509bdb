"""Options of the second look as they are typed: which regions, how many, once more or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crowdscale.evaluation.run import Evaluation
    from crowdscale.models.description import ZoomOptions

__all__ = ["Again", "Minimum", "Regions", "second_look", "told_dense"]

Regions = Annotated[
    str, typer.Option(metavar="K|all", help="Dense regions looked at again: the K largest, or all.")
]
Again = Annotated[bool, typer.Option("--again", help="Look once more where a region is still too dense.")]
Minimum = Annotated[
    float | None, typer.Option(help="Share of the photo below which a region is none (J); the model's own.")
]


def second_look(regions: str, again: bool, **rule: Any) -> dict[str, Any]:
    """Return the options of prediction for what was typed.

    Args:
        regions: A number or ``all``.
        again: Whether a region is looked at once more.
        rule: Parts of the region rule, None where the model's own is kept.

    Raises:
        OptionError: The number is none.
    """
    from crowdscale.errors import OptionError
    from crowdscale.maps.regions import RuleChoice

    if regions != "all" and not regions.isdigit():
        raise OptionError("expected --regions as a number or all", repr(regions))
    number = "all" if regions == "all" else int(regions)
    return {"regions": number, "third_pass": again, "rule": RuleChoice(**rule)}


def told_dense(result: Evaluation, zoom: ZoomOptions) -> str:
    """Return what the second look did to the dense regions alone, as a Markdown table and a line."""
    from crowdscale.evaluation.diagnosis import diagnose

    known = diagnose(result, zoom)
    if not known.regions:
        return "No photo has a dense region."
    low, middle, high = known.factors
    facts = (
        f"{known.regions} regions of {known.images} photos with {known.heads} heads; factor {low:.2f}, {middle:.2f}, "
        f"{high:.2f} (10th, 50th, 90th percentile), clamped below {100 * known.clamped_low:.0f} %, above "
        f"{100 * known.clamped_high:.0f} %, capped {100 * known.capped:.0f} %; correlation with the true spacing "
        f"{known.factor_fit:.2f}"
    )
    return f"dense regions alone\n\n{known.table().markdown()}\n\n{facts}"
