"""Data sets: one reader a set; files to samples, knows no network."""

from crowdscale.data.checks import check_points
from crowdscale.data.folder import Folder
from crowdscale.data.lists import list_entry, read_list, split_samples, stratified_names, write_list
from crowdscale.data.opening import DATASETS, Dataset, open_dataset
from crowdscale.data.sample import Sample
from crowdscale.data.shanghaitech import LEAKED, NEAR_DUPLICATES, ShanghaiTech

__all__ = [
    "DATASETS",
    "LEAKED",
    "NEAR_DUPLICATES",
    "Dataset",
    "Folder",
    "Sample",
    "ShanghaiTech",
    "check_points",
    "list_entry",
    "open_dataset",
    "read_list",
    "split_samples",
    "stratified_names",
    "write_list",
]
