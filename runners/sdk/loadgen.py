"""MLPerf's LoadGen says when an inference begins; the runner times each as ever. Python 3.6.

Imported by the SDK for a ``run`` whose request names the driver ``loadgen`` alone. Every inference is on
tensor 0 of the inputs, as in the SDK's own loop, so LoadGen's library of samples holds one.
"""

import os
import re
import shutil
import tempfile

import inferometer_sdk as sdk

WANTED = {"name": str, "scenario": str, "min_duration_ns": 0, "min_query_count": 1, "samples_per_query": 8}
PREFIX = {"SingleStream": "single_stream", "MultiStream": "multi_stream", "Offline": None}
SUMMARY, DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
ISSUED_BEYOND = 1.1  # LoadGen's own margin: an Offline query has so many times the samples that are expected


class Driver:
    """One run of LoadGen. Raises RunnerError for what it cannot do, before any model is loaded."""

    def __init__(self, request):
        given = sdk.checked(request.driver, WANTED, "driver.")
        if given["name"] != "loadgen" or given["scenario"] not in PREFIX:
            told = "%(name)s %(scenario)s" % given
            raise sdk.RunnerError(
                "unsupported", "driver %.60s is unknown; known: loadgen with %s" % (told, ", ".join(PREFIX))
            )
        if given["scenario"] == "SingleStream" and request.batch != 1:
            message = "SingleStream has one sample per query; this artifact takes %d" % request.batch
            raise sdk.RunnerError("unsupported", message)
        if given["scenario"] == "MultiStream":
            most = request.measure["max_iterations"] * request.batch
            if given["samples_per_query"] > most:
                message = (
                    "request: driver.samples_per_query is more than measure.max_iterations can serve (%d)"
                )
                raise sdk.RunnerError("protocol", message % most)
        try:
            import mlperf_loadgen
        except ImportError as error:
            raise sdk.RunnerError("unsupported", "mlcommons-loadgen is not there: %s" % error) from None
        self.given, self.batch, self.library = given, request.batch, mlperf_loadgen
        self.told = {}

    def drive(self, infer, values, expected_ns):
        """Fill ``values`` with the ticks of each inference until LoadGen is done; return their number.

        ``expected_ns``: of one inference, for LoadGen's first guess. Raises what ``infer`` raised.
        """
        library, clock, batch = self.library, sdk.clock, self.batch
        state = {"count": 0, "error": None}
        complete, response = library.QuerySamplesComplete, library.QuerySampleResponse

        def issue(samples):
            for first in range(0, len(samples), batch):
                if state["error"] is None:
                    try:
                        start = clock()
                        infer()
                        end = clock()
                        values[state["count"]] = end - start
                        state["count"] += 1
                    except BaseException as error:  # through C++ it would end the process
                        state["error"] = error
                complete([response(sample.id, 0, 0) for sample in samples[first : first + batch]])

        settings = self.settings(len(values), expected_ns)
        folder = tempfile.mkdtemp(prefix="loadgen-")
        logs = library.LogSettings()
        logs.enable_trace = False
        output = logs.log_output
        output.outdir, output.copy_summary_to_stdout = folder, False
        logs.log_output = output
        system = library.ConstructSUT(issue, lambda: None)
        samples = library.ConstructQSL(1, 1, lambda indices: None, lambda indices: None)
        try:
            library.StartTestWithLogSettings(system, samples, settings, logs)
            self.told.update(read_logs(folder), scenario=self.given["scenario"])
        finally:
            library.DestroyQSL(samples)
            library.DestroySUT(system)
            shutil.rmtree(folder, ignore_errors=True)
        if state["error"] is not None:
            raise state["error"]
        return state["count"]

    def settings(self, most, expected_ns):
        """LoadGen's settings, also kept in ``told``. ``most``: inferences that can be kept."""
        given, library = self.given, self.library
        settings, prefix = library.TestSettings(), PREFIX[given["scenario"]]
        settings.scenario = getattr(library.TestScenario, given["scenario"])
        settings.mode = library.TestMode.PerformanceOnly
        fields = {
            "min_duration_ms": -(-given["min_duration_ns"] // 10**6),
            "min_query_count": given["min_query_count"],
        }
        per_query = 1
        if given["scenario"] == "MultiStream":
            per_query = fields["multi_stream_samples_per_query"] = given["samples_per_query"]
        inferences = -(-per_query // self.batch)
        if prefix:
            fields["max_query_count"] = most // inferences
            fields[prefix + "_expected_latency_ns"] = int(expected_ns * inferences)
        else:
            rate_hz = self.batch * 1e9 / expected_ns
            longest = most * self.batch / (ISSUED_BEYOND * max(fields["min_duration_ms"], 1) / 1e3)
            fields["offline_expected_qps"] = min(rate_hz, longest)
        for name, value in fields.items():
            setattr(settings, name, value)
        if prefix:
            name = prefix + "_target_latency_percentile"
            fields[name] = getattr(settings, name)
        self.told["settings"] = fields
        return settings


def read_logs(folder):
    """The texts of LoadGen's two logs, and its version from the second."""
    texts = {}
    for name, file in (("summary", SUMMARY), ("detail", DETAIL)):
        with open(os.path.join(folder, file), encoding="utf-8", errors="replace") as stream:
            texts[name] = stream.read()
    version = re.search(r'"loadgen_version", "value": "([^"]*)"', texts["detail"])
    return dict(texts, version=version.group(1) if version else None)
