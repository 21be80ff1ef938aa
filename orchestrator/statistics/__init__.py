"""Figures from raw latencies. Pure; per-trial figures use no numpy, so the measuring process stays small."""
