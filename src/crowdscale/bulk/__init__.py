"""Many photos: results written as they come, resumed after any stop, by threads here or on a Ray cluster."""

from crowdscale.bulk.job import Job, Summary, run_job
from crowdscale.bulk.results import ResultFolder
from crowdscale.bulk.rows import PhotoRow, count_photo
from crowdscale.bulk.tables import FORMATS

__all__ = ["FORMATS", "Job", "PhotoRow", "ResultFolder", "Summary", "count_photo", "run_job"]
