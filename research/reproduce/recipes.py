"""Recipes by name: one for each table and figure of the papers' experiments (AutoScale §4), and one of our own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crowdscale.errors import unknown_name
from research.reproduce import published
from research.reproduce.library import ELSEWHERE
from research.reproduce.recipe import Line, Options, Recipe, Variant, frozen

__all__ = ["RECIPES", "find_recipe"]

POINTS = Variant("points", frozen(method="points", blocks=False))
DENSITY = Variant("density", frozen(method="density", blocks=False))
A = "sha"

COUNTS = ("MAE", "RMSE", "NAE", "bias")
PLACES = ("F 4px", "F 8px", "F 16px", "F knn8")


def _pair(variant: Variant, train: str, test: str, table: published.Pairs | None = None) -> Iterator[Line]:
    """Yield baseline and AutoScale of a variant."""
    for refined in (False, True):
        label = f"{variant.name} AutoScale" if refined else variant.name
        numbers = (table or {}).get((label, test), frozen())
        yield Line(label, variant, refined, train, test, published=numbers)


def _main() -> tuple[Line, ...]:
    return tuple(
        line
        for name in (A, "shb", "qnrf", "jhu", "nwpu")
        for variant in (POINTS, DENSITY)
        for line in _pair(variant, name, name, published.MAIN)
    )


def _regressors() -> tuple[Line, ...]:
    networks = [Variant(name, frozen(method="density", network=name)) for name in ("mcnn", "csrnet", "bl")]
    return tuple(line for variant in (*networks, DENSITY) for line in _pair(variant, A, A))


ZOOMS: tuple[tuple[str, Options], ...] = (
    ("learned", frozen()),
    ("fixed 1", frozen(zoom=1.0)),
    ("fixed 1.5", frozen(zoom=1.5)),
    ("fixed 2", frozen(zoom=2.0)),
    ("to its true spacing", frozen(true_spacing=True)),
)
"""Zooms of a region; the one to its true spacing is a zoom without error, from the annotated heads."""


def _zooms() -> tuple[Line, ...]:
    """Return fixed and true zooms of the baseline, trained without zooms, and of AutoScale's network."""
    lines: list[Line] = []
    for variant in (POINTS, DENSITY):
        base, auto = _pair(variant, A, A, published.MAIN)
        lines.append(base)
        for name, options in ZOOMS[1:]:
            lines.append(replace(base, label=f"{base.label}, {name}", predict=options, published=frozen()))
        for name, options in ZOOMS:
            numbers = auto.published if name == "learned" else frozen()
            lines.append(replace(auto, label=f"{auto.label}, {name}", predict=options, published=numbers))
    return tuple(lines)


def _losses() -> tuple[Line, ...]:
    lines = []
    for loss in ("dynamic", "ce", "focal", "ordinal"):
        # The first is the main table's network itself: the same name and options share its training.
        variant = POINTS if loss == "dynamic" else _points(f"points-{loss}", loss=loss)
        for refined in (False, True):
            numbers = published.LOSSES.get((loss, refined), frozen())
            label = f"{loss} AutoScale" if refined else loss
            lines.append(Line(label, variant, refined, A, A, published=numbers))
    detached = _points("points-detached", bracket_gradient=False)
    lines.append(Line("dynamic, no gradient through its bracket", detached, False, A, A))
    return tuple(lines)


def _points(name: str, **options: object) -> Variant:
    return Variant(name, frozen(**POINTS.options, **options))


def _maxima() -> tuple[Line, ...]:
    lines = [Line("distance labels", POINTS, False, A, A, published=published.MAIN["points", A])]
    for sigma in (1, 2, 4, 8):
        variant = replace(DENSITY, options=frozen(**DENSITY.options, sigma=float(sigma)))
        label = f"maxima of density, σ = {sigma}"
        lines.append(Line(label, variant, False, A, A, predict=frozen(heads=True)))
    return tuple(lines)


CHOICES: tuple[tuple[str, Options], ...] = (
    ("closeness by density", frozen(closeness="density")),
    ("law S·r² (Eq. 2)", frozen(law="paper")),
    ("kernel and labels scaled with r", frozen(scaled_kernel=True)),
    ("zoom's gradient reaches the scale net", frozen(zoom_gradient=True)),
    ("no centre loss, zoom's gradient alone", frozen(zoom_gradient=True, centre_weight=0.0)),
    ("centre moves, α = 0.1", frozen(centre_rate=0.1)),
    ("centre starts at 10 px", frozen(centre=10.0)),
    ("centre starts at 18 px (the authors' code)", frozen(centre=18.0)),
)
"""Options of the second phase that differ from the default: distance, S·r, fixed kernel, α = 0.001."""

READINGS: tuple[tuple[str, Options], ...] = (
    ("J = 0.005", frozen(region_minimum=0.005)),
    ("J = 0.05", frozen(region_minimum=0.05)),
    ("J = 0.1", frozen(region_minimum=0.1)),
    ("3 regions", frozen(regions=3)),
    ("all regions", frozen(regions="all")),
    ("all regions, once more where still dense", frozen(regions="all", third_pass=True)),
    ("merge as published", frozen(merge="published")),
)
"""Options of prediction with the same network."""

POINTS_READINGS: tuple[tuple[str, Options], ...] = (
    ("dense below label 7", frozen(region_below=7)),
    ("dense below label 9", frozen(region_below=9)),
)

DENSITY_READINGS: tuple[tuple[str, Options], ...] = (
    ("dense above 1.5 times the mean", frozen(region_times=1.5)),
    ("dense above 3 times the mean", frozen(region_times=3.0)),
    ("threshold as the authors' code", frozen(region_code=True)),
    ("discarded by its box", frozen(region_by="box")),
)


def _choices() -> tuple[Line, ...]:
    lines: list[Line] = []
    for variant in (POINTS, DENSITY):
        base, auto = _pair(variant, A, A)
        lines += [base, auto]
        readings = (*READINGS, *(POINTS_READINGS if variant is POINTS else DENSITY_READINGS))
        lines += [replace(auto, label=f"{auto.label}, {name}", predict=options) for name, options in readings]
        for name, options in CHOICES:
            lines.append(replace(auto, label=f"{auto.label}, {name}", variant=replace(variant, l2s=options)))
    # A crop of 384 pixels seldom holds a region of a tenth of it; the photo does.
    small = replace(DENSITY, l2s=frozen(region_minimum=0.02))
    label = "density AutoScale, smaller regions in training, J = 0.02"
    lines.append(Line(label, small, True, A, A, predict=frozen(region_minimum=0.1)))
    return tuple(lines)


ABROAD = (
    "Sets without test photos and folders of other photos are evaluated on their held-out photos; the column of images "
    "says so. No network of these lines was trained on that set."
)


def _transfer() -> tuple[Line, ...]:
    ways: tuple[tuple[str, str], ...] = (
        (A, "shb"), ("shb", A), ("qnrf", A), ("qnrf", "shb"), (A, "qnrf"),
    )  # fmt: skip
    ways += tuple((train, test) for train in (A, "shb") for test in ELSEWHERE)
    lines = []
    for train, test in ways:
        for variant in (POINTS, DENSITY):
            for line in _pair(variant, train, test):
                numbers = published.TRANSFER.get((line.label, train, test), frozen())
                lines.append(replace(line, published=numbers))
    return tuple(lines)


HYBRID = Variant("hybrid", frozen(method="hybrid", blocks=True, crop=256, batch=4, thinning=2))
"""The bundled models: people counted in blocks, located by labels; small batches, for more steps."""

TRAINED: tuple[tuple[str, str, Options], ...] = (
    ("points alone, counted by labels", "points", frozen(method="points", blocks=False)),
    ("density, squared error", "density", frozen(method="density", blocks=False)),
    ("density, distribution matching", "density-dm", frozen(method="density", blocks=False, loss="dm")),
    ("plain cross-entropy", "hybrid-ce", frozen(loss="ce")),
    ("blocks without errors of squares", "hybrid-likelihood", frozen(block_squares=False)),
    ("block weight 1", "hybrid-blocks1", frozen(block_weight=1.0)),
    ("backbone nano", "hybrid-nano", frozen(backbone="nano")),
    ("backbone lite1", "hybrid-lite1", frozen(backbone="lite1")),
    ("backbone lite2", "hybrid-lite2", frozen(backbone="lite2")),
    ("backbone vgg16", "hybrid-vgg16", frozen(backbone="vgg16")),
    ("crops of 384 px", "hybrid-384", frozen(crop=384)),
    ("no random scale", "hybrid-scale1", frozen(scale_low=1.0, scale_high=1.0)),
    ("scale 0.5 to 2", "hybrid-scale2", frozen(scale_low=0.5, scale_high=2.0)),
    ("half of the crops around a head", "hybrid-crowded", frozen(crowded=0.5)),
    ("no averaged weights (EMA)", "hybrid-ema0", frozen(ema=0.0)),
    ("20 % negatives", "hybrid-negatives", frozen(negatives=0.2)),
    ("other cameras (variety 0.5)", "hybrid-variety", frozen(variety=0.5)),
    ("half of the crops of four photos (mosaic)", "hybrid-mosaic", frozen(mosaic=0.5)),
    ("skipped blocks, up to 0.1", "hybrid-skipped", frozen(skip_blocks=0.1)),
    ("weight decay 0.05", "hybrid-decay", frozen(weight_decay=0.05)),
)
"""Changes in training, one at a time: the line's label, its network's name, options."""

LOOKS: tuple[tuple[str, Options], ...] = (
    ("mean with the mirror image", frozen(average_flip=True)),
    ("mean with scales 0.8 and 1.25", frozen(average_scales=(0.8, 1.25))),
)
"""Options of prediction with the same network."""

L2S: tuple[tuple[str, Options], ...] = (
    ("learning to scale", frozen()),
    ("learning to scale, the factor alone", frozen(l2s_frozen=True)),
    ("learning to scale, the zoom's gradient, too", frozen(zoom_gradient=True)),
)


def _ours() -> tuple[Line, ...]:
    """Return the bundled models' training, and the same with one change each."""
    base = Line("hybrid", HYBRID, False, A, A)
    lines = [base, replace(base, label="A and B", train="sha+shb")]
    for label, name, options in TRAINED:
        # Thinning has no effect on losses without labels.
        changed = Variant(name, frozen(**{**HYBRID.options, **options}))
        lines.append(replace(base, label=label, variant=changed))
    lines += [replace(base, label=label, predict=options) for label, options in LOOKS]
    for label, options in L2S:
        lines.append(Line(label, replace(HYBRID, l2s=options), True, A, A))
    return tuple(lines)


def _vehicles() -> tuple[Line, ...]:
    return (Line("points", POINTS, False, "trancos", "trancos", published=published.VEHICLES),)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "main", "AutoScale and its baselines (Tab. 2, 3 and 4)", _main(),
            (*COUNTS, *PLACES, "F 1–100px", "F large"), ("levels", "factors", "maps"),
            "NWPU's test split has no public heads: its val split is evaluated here.", seeds=(0, 1, 2),
        ),
        Recipe(
            "regressors", "Learning to scale on other regressors (journal version)", _regressors(),
            COUNTS, ("levels", "factors"),
        ),
        Recipe(
            "zooms", "Learned against fixed zooms (Fig. 8 and 9)", _zooms(), (*COUNTS, "F 4px", "F 8px"),
            ("levels", "factors"), "Fig. 9 is drawn, without numbers for the fixed zooms in its text.",
        ),
        Recipe("losses", "Losses of distance labels (Tab. 5, journal version)", _losses(), (*COUNTS, "F 4px", "F 8px")),
        Recipe(
            "maxima", "Heads as maxima of density maps against distance labels (Fig. 10)", _maxima(),
            (*COUNTS, "F 4px", "F 8px"), (),
            "Fig. 10 gives no number for each σ; by the gains stated in its text the best has MAE 109.5, RMSE 213.2.",
        ),
        Recipe(
            "choices", "Closeness, kernels, thresholds, several regions (§3, §4.7, journal version)", _choices(),
            (*COUNTS, "F 4px", "F 8px"), ("factors",),
        ),
        Recipe(
            "transfer", "Trained on one data set, evaluated on another (Tab. 6)", _transfer(), COUNTS, remark=ABROAD
        ),
        Recipe(
            "vehicles", "Vehicles of TRANCOS, baseline with distance labels (Tab. 7)", _vehicles(),
            ("MAE", "GAME0", "GAME1", "GAME2", "GAME3"), ("maps",),
        ),
        Recipe(
            "pictures", "Maps, regions and heads beside the truth (Fig. 5, 6, 7 and 11)",
            tuple(line for line in _main() if line.train == A), ("MAE", "RMSE"), ("levels", "factors", "maps"),
        ),
        Recipe(
            "recipes", "What the bundled models are trained with, each thing alone", _ours(),
            (*COUNTS, "F 4px", "F 8px"), (),
            "None is of the papers. A mean with other looks is an option of prediction, never the default.",
            held_out=True,
        ),
    )
}  # fmt: skip
"""Recipes by name."""


def find_recipe(name: str) -> Recipe:
    """Return a recipe.

    Raises:
        OptionError: The name is unknown.
    """
    if name not in RECIPES:
        raise unknown_name("table", name, RECIPES)
    return RECIPES[name]
