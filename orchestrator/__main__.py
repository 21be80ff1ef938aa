"""``python -m orchestrator`` is ``inferometer``."""

from orchestrator.cli import main

main(prog_name="inferometer")
