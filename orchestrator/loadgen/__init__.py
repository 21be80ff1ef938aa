"""MLPerf's LoadGen as a driver: one launch more of each case, and its verdict beside our figures."""

from orchestrator.loadgen.launches import FOLDER, drive_all, driver_of, results, settings_of
from orchestrator.loadgen.summary import Summary, parse

__all__ = ["FOLDER", "Summary", "drive_all", "driver_of", "parse", "results", "settings_of"]
