"""A null run of mlcommons-loadgen: ``null_loadgen.py FOLDER QUERIES`` prints LoadGen's own summary.

Scenario SingleStream: the next query is issued when the last one completed, as in our loop. The system
under test answers each query at once from its Python callback; the detailed trace log is off.
"""

import sys

import mlperf_loadgen as loadgen


def issue(samples):
    """Answer without any work."""
    loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0) for sample in samples])


def main(folder, queries):
    """Run and print ``mlperf_log_summary.txt``."""
    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.SingleStream
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.single_stream_expected_latency_ns = 1000
    settings.min_duration_ms = 0
    settings.min_query_count = settings.max_query_count = queries
    logs = loadgen.LogSettings()
    logs.enable_trace = False
    output = logs.log_output
    output.outdir, output.copy_summary_to_stdout = folder, False
    logs.log_output = output
    system = loadgen.ConstructSUT(issue, lambda: None)
    library = loadgen.ConstructQSL(1, 1, lambda indices: None, lambda indices: None)
    loadgen.StartTestWithLogSettings(system, library, settings, logs)
    loadgen.DestroyQSL(library)
    loadgen.DestroySUT(system)
    with open(folder + "/mlperf_log_summary.txt") as file:
        print(file.read())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
