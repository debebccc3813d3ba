"""The sections of the GPU check, in their order: what fails soonest comes first, and what takes longest last."""

from __future__ import annotations

from bench.gpu.section import Section

SECTIONS = (
    Section("tests", "bench.gpu.tests", 120),
    Section("in process", "bench.gpu.in_process", 100),
    Section("training", "bench.gpu.training", 160),
    Section("served", "bench.gpu.served", 100),
)
