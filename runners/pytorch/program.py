"""An exported program from its file; one that only a newer torch can read is told as such."""

import json
import zipfile

import inferometer_sdk as sdk


def load(path):
    """What ``torch.export.load`` gives. Raises RunnerError, or what torch says of a damaged file."""
    import torch

    try:
        return torch.export.load(path)
    except Exception as error:
        made_by = maker(path)
        if made_by and numbers(made_by) > numbers(torch.__version__):
            message = "written by torch %s, and this is %s; export it with that or an older one"
            raise sdk.RunnerError("model", message % (made_by, torch.__version__)) from error
        raise


def maker(path):
    """The version of torch that wrote a ``.pt2``, or None where the file does not tell."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("models/model.json")]
            return json.loads(archive.read(names[0]).decode("utf-8"))["torch_version"]
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile):
        return None


def numbers(version):
    """``2.13.0+cpu`` as (2, 13); other words compare as the oldest."""
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0, 0)
