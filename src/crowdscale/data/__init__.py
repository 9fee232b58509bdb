"""Data sets: photos with annotated heads, from files to samples."""

from crowdscale.data.checks import check_points
from crowdscale.data.folder import Folder
from crowdscale.data.lists import list_entry, read_list, split_samples, stratified_names, write_list
from crowdscale.data.opening import DATASETS, Dataset, describe_datasets, open_dataset, protocol_of
from crowdscale.data.protocol import Card, Protocol, SizeLimits
from crowdscale.data.sample import Mask, Sample
from crowdscale.data.sets.shanghaitech import LEAKED, NEAR_DUPLICATES, ShanghaiTech
from crowdscale.data.sizing import limit_sizes

__all__ = [
    "DATASETS",
    "LEAKED",
    "NEAR_DUPLICATES",
    "Card",
    "Dataset",
    "Folder",
    "Mask",
    "Protocol",
    "Sample",
    "ShanghaiTech",
    "SizeLimits",
    "check_points",
    "describe_datasets",
    "limit_sizes",
    "list_entry",
    "open_dataset",
    "protocol_of",
    "read_list",
    "split_samples",
    "stratified_names",
    "write_list",
]
