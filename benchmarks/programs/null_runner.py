"""A runner whose inference does nothing: what is left is what the SDK itself costs."""

import inferometer_sdk as sdk


class Null(sdk.Runner):
    """Takes any file for a model."""

    runtime = "null"
    formats = ("null",)

    def version(self):
        """Nothing is imported."""
        return "1.0.0"

    def load(self):
        """Nothing is loaded."""

    def signature(self):
        """What the inputs of the request hold."""
        tensors = [sdk.tensor("x", [1], "float32")]
        return {"inputs": tensors, "outputs": tensors}

    def bind(self, index):
        """A call that returns at once."""
        return lambda: None

    def placement(self):
        """Nowhere in particular."""
        return {"executed": {"cpu": None}, "nodes": [], "notes": []}


if __name__ == "__main__":
    sdk.serve(Null)
