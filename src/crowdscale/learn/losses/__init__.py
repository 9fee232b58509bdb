"""Losses of both papers and their rivals, each a function and a Module; ``choice`` selects one for a map."""

from crowdscale.learn.losses.bayesian import BayesianLoss, bayesian_loss
from crowdscale.learn.losses.blocks import BlockCountLoss, block_count_loss, expected_blocks, twin_loss
from crowdscale.learn.losses.choice import (
    DENSITY_LOSSES,
    LABEL_LOSSES,
    LossOptions,
    MapLoss,
    choose_loss,
    whole_cells,
)
from crowdscale.learn.losses.density import DensityLoss, density_loss
from crowdscale.learn.losses.distribution import DistributionLoss, Matching, distribution_loss
from crowdscale.learn.losses.labels import (
    CrossEntropy,
    DynamicCrossEntropy,
    FocalLoss,
    OrdinalLoss,
    cross_entropy,
    dynamic_cross_entropy,
    focal_loss,
    ordinal_loss,
)
from crowdscale.learn.losses.reduction import Reduction, reduce_pixels
from crowdscale.learn.losses.transport import transport_cost

__all__ = [
    "DENSITY_LOSSES",
    "LABEL_LOSSES",
    "BayesianLoss",
    "BlockCountLoss",
    "CrossEntropy",
    "DensityLoss",
    "DistributionLoss",
    "DynamicCrossEntropy",
    "FocalLoss",
    "LossOptions",
    "MapLoss",
    "Matching",
    "OrdinalLoss",
    "Reduction",
    "bayesian_loss",
    "block_count_loss",
    "choose_loss",
    "cross_entropy",
    "density_loss",
    "distribution_loss",
    "dynamic_cross_entropy",
    "expected_blocks",
    "focal_loss",
    "ordinal_loss",
    "reduce_pixels",
    "transport_cost",
    "twin_loss",
    "whole_cells",
]
