"""Scales of int8 from a calibration set, by entropy; for models without Q/DQ nodes, up to TensorRT 10."""

import ctypes

import inferometer_sdk as sdk


def make(trt, numpy, cuda, path, tensor):
    """A calibrator over the tensors of a ``.npy`` file, each one complete input of the network.

    Raises RunnerError where the request names no file.
    """
    if not path:
        words = "int8 needs a calibration set (inputs) or a model with Q/DQ nodes; this one has neither"
        raise sdk.RunnerError("unsupported", words)
    (count, *shape), dtype = sdk.npy_header(path)
    if tuple(shape) != tuple(tensor.shape) or dtype != "float32":
        words = "the calibration set holds %s %s, the model takes float32 %s"
        raise sdk.RunnerError("protocol", words % (dtype, list(shape), list(tensor.shape)))
    inputs = numpy.load(path, mmap_mode="r")

    class Calibrator(trt.IInt8EntropyCalibrator2):
        """TensorRT asks for one batch after the other, as an address of device memory."""

        def __init__(self):
            trt.IInt8EntropyCalibrator2.__init__(self)
            self.at, self.device, self.error = 0, cuda.pointer("cudaMalloc", inputs[0].nbytes), None

        def get_batch_size(self):
            """Inputs in one tensor of the file."""
            return int(shape[0])

        def get_batch(self, names):
            """The next tensor, None after the last. An error is kept: here it would end the process."""
            try:
                return self.next_batch()
            except Exception as error:
                self.error = error
                return None

        def next_batch(self):
            """Copy it to the GPU."""
            if self.at == count:
                return None
            batch = numpy.ascontiguousarray(inputs[self.at])
            source = batch.ctypes.data_as(ctypes.c_void_p)
            status = cuda.library.cudaMemcpyAsync(self.device, source, batch.nbytes, 1, None)
            cuda.check(status or cuda.library.cudaStreamSynchronize(None), "cudaMemcpyAsync")
            self.at += 1
            return [self.device]

        def read_calibration_cache(self):
            """None: scales are found anew, and kept as the engine made of them is."""

        def write_calibration_cache(self, cache):
            """Not kept: see above."""

    return Calibrator()
