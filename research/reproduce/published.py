"""The papers' own numbers, from their text: [A] arXiv 1912.09632v1 with its table or figure, [J] the journal version."""

from __future__ import annotations

from collections.abc import Mapping

from research.reproduce.recipe import Options, frozen

__all__ = ["LOSSES", "MAIN", "TRANSFER", "VEHICLES"]


def _pair(mae: float, rmse: float, **more: str) -> Options:
    return frozen(
        MAE=f"{mae}", RMSE=f"{rmse}", **{name.replace("_", " "): value for name, value in more.items()}
    )


Pairs = Mapping[tuple[str, str], Options]

MAIN: Pairs = {
    ("density", "sha"): _pair(66.1, 111.9),
    ("density AutoScale", "sha"): _pair(60.5, 100.4),
    ("points", "sha"): _pair(75.7, 150.4, F_knn8="82.1", F_4px="47.5", F_8px="71.1", F_16px="80.1"),
    ("points AutoScale", "sha"): _pair(65.8, 112.1, F_knn8="82.3", F_4px="51.1", F_8px="71.7", F_16px="80.6"),
    ("density", "shb"): _pair(8.0, 12.0),
    ("density AutoScale", "shb"): _pair(6.8, 11.3),
    ("points", "shb"): _pair(10.4, 18.8),
    ("points AutoScale", "shb"): _pair(8.6, 13.9),
    ("density", "qnrf"): _pair(103.8, 178.7),
    ("density AutoScale", "qnrf"): _pair(96.4, 161.9),
    ("points", "qnrf"): _pair(137.5, 256.6, **{"F_1–100px": "71.1"}),
    ("points AutoScale", "qnrf"): _pair(114.7, 177.4, **{"F_1–100px": "71.4"}),
    ("points AutoScale", "nwpu"): _pair(123.9, 515.5, F_large="62.0"),
}
"""Tab. 2, 3 and 4 of [A]; NWPU of [J], on its test split, whose heads are not public."""

LOSSES: Mapping[tuple[str, bool], Options] = {
    ("ce", False): _pair(82.3, 159.8),
    ("dynamic", False): _pair(75.7, 150.4),
    ("ce", True): _pair(71.5, 127.6),
    ("dynamic", True): _pair(65.8, 112.1),
}
"""Tab. 5 of [A]."""

TRANSFER: Mapping[tuple[str, str, str], Options] = {
    ("density", "sha", "shb"): _pair(32.3, 44.7),
    ("density AutoScale", "sha", "shb"): _pair(30.9, 42.6),
    ("points", "sha", "shb"): _pair(23.0, 40.9),
    ("points AutoScale", "sha", "shb"): _pair(23.1, 39.0),
    ("density", "shb", "sha"): _pair(143.6, 229.2),
    ("density AutoScale", "shb", "sha"): _pair(130.8, 220.9),
    ("points", "shb", "sha"): _pair(133.6, 218.5),
    ("points AutoScale", "shb", "sha"): _pair(131.3, 210.3),
    ("density", "qnrf", "sha"): _pair(72.5, 123.6),
    ("density AutoScale", "qnrf", "sha"): _pair(71.5, 121.8),
    ("points", "qnrf", "sha"): _pair(78.5, 157.3),
    ("points AutoScale", "qnrf", "sha"): _pair(75.5, 128.1),
    ("density", "qnrf", "shb"): _pair(19.8, 26.2),
    ("density AutoScale", "qnrf", "shb"): _pair(13.2, 21.3),
    ("points", "qnrf", "shb"): _pair(18.6, 31.9),
    ("points AutoScale", "qnrf", "shb"): _pair(15.8, 23.0),
    ("density", "sha", "qnrf"): _pair(194.6, 374.8),
    ("density AutoScale", "sha", "qnrf"): _pair(172.5, 345.3),
    ("points", "sha", "qnrf"): _pair(173.2, 320.5),
    ("points AutoScale", "sha", "qnrf"): _pair(165.1, 300.7),
}
"""Tab. 6 of [A]."""

VEHICLES: Options = frozen(GAME0="2.88", GAME1="4.97", GAME2="6.64", GAME3="9.73")
"""Tab. 7 of [A]."""
