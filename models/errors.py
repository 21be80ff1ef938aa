"""The one error the exporter reports."""


class ExportError(Exception):
    """A refusal the user can act on: one line naming the file, the field and the fix."""
