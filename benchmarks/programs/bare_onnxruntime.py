"""ONNX Runtime as a short script times it: no SDK, ``perf_counter_ns`` around the call, a list of results.

The request comes on standard input; the latencies of the blocks in ns go to standard output.
"""

import json
import sys
from time import perf_counter_ns

import numpy
import onnxruntime
from turns import Turns

WARM_UP = 100


def main():
    """Load what the request names, wait for turns, time."""
    request = json.loads(sys.stdin.readline())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        request["model"]["path"], options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, numpy.load(request["inputs"])[0])
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")
    for _ in range(WARM_UP):
        session.run_with_iobinding(binding)
    latencies = []
    turns = Turns("b")
    for _ in turns:
        for _ in range(turns.block):
            start = perf_counter_ns()
            session.run_with_iobinding(binding)
            end = perf_counter_ns()
            latencies.append(end - start)
    print(json.dumps(latencies))


if __name__ == "__main__":
    main()
