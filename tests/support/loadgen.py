"""A double of MLPerf's LoadGen that issues what it is told to."""

from __future__ import annotations

from pathlib import Path

# As much of ``mlperf_loadgen`` as is called; QUERIES queries of as many samples as the scenario asks for.
DOUBLE = """
import collections, os

SCENARIOS = ("SingleStream", "MultiStream", "Offline")
TestScenario = collections.namedtuple("S", SCENARIOS)(*SCENARIOS)
TestMode = collections.namedtuple("M", "PerformanceOnly")("PerformanceOnly")
QuerySampleResponse = collections.namedtuple("R", "id data size")
Sample = collections.namedtuple("Q", "id index")
QUERIES = 5
done = []

class TestSettings:
    multi_stream_samples_per_query = 8
    single_stream_target_latency_percentile = 0.9
    multi_stream_target_latency_percentile = 0.99

class LogSettings:
    def __init__(self):
        self.log_output = type("Output", (), {})()

def ConstructSUT(issue, flush):
    return issue

def ConstructQSL(total, performance, load, unload):
    assert (total, performance) == (1, 1)

def DestroySUT(system):
    pass

DestroyQSL = DestroySUT

def QuerySamplesComplete(responses):
    done.extend(response.id for response in responses)

def StartTestWithLogSettings(issue, library, settings, logs):
    count = {"SingleStream": 1, "MultiStream": settings.multi_stream_samples_per_query, "Offline": 7}
    number = 0
    for _ in range(1 if settings.scenario == "Offline" else QUERIES):
        samples = [Sample(number + one, 0) for one in range(count[settings.scenario])]
        number += len(samples)
        issue(samples)
    assert done == list(range(number)), done
    for name in ("summary", "detail"):
        with open(os.path.join(logs.log_output.outdir, "mlperf_log_%s.txt" % name), "w") as file:
            file.write('the %s {"key": "loadgen_version", "value": "9.9 @ abc"}' % name)
"""


def write(folder: Path) -> None:
    """The double as a module in a new folder, to be put on a runner's path."""
    folder.mkdir()
    (folder / "mlperf_loadgen.py").write_text(DOUBLE)
