"""TensorRT's log: on standard error; its last errors are kept, for calls that say no more than None."""

import collections
import re
import sys

import inferometer_sdk as sdk

KEPT = 3
EXHAUSTED = re.compile("out ?of ?memory|could not be allocated|insufficient memory|bad_alloc", re.IGNORECASE)


def make(trt):
    """A log for TensorRT's objects; all of them take the same."""
    marks = {trt.ILogger.INTERNAL_ERROR: "F", trt.ILogger.ERROR: "E", trt.ILogger.WARNING: "W"}

    class Log(trt.ILogger):
        """Keeps errors; writes them and warnings."""

        def __init__(self):
            trt.ILogger.__init__(self)
            self.errors = collections.deque(maxlen=KEPT)

        def log(self, severity, msg):
            """Called by TensorRT with everything it says."""
            mark = marks.get(severity)
            if mark:
                sys.stderr.write("[TensorRT] [%s] %s\n" % (mark, msg))
            if mark in ("F", "E"):
                self.errors.append(" ".join(msg.split()))

        def error(self, code, words):
            """A RunnerError with the last errors; code ``resource`` where they name memory."""
            told = "; ".join(self.errors)
            if EXHAUSTED.search(told):
                code = "resource"
            return sdk.RunnerError(code, "%s: %s" % (words, told[:1000] or "it gives no reason"))

    return Log()
