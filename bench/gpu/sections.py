"""The sections of the GPU check, in their order. The most telling ones come first, in case the time is too short."""

from __future__ import annotations

from bench.gpu.section import Section

SECTIONS = (
    Section("tests", "bench.gpu.tests", 130),
    Section("in process", "bench.gpu.in_process", 90),
    Section("training", "bench.gpu.training", 150),
    Section("served", "bench.gpu.served", 100),
)
