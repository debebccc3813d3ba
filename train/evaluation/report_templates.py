"""The templates of the report's pages, which share their style and the block that compares two versions."""

from __future__ import annotations

from pathlib import Path

import jinja2

from model.vocabulary import counted


def template(name: str) -> jinja2.Template:
    """The template of this name, beside this file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,.0f}"
    environment.filters["counted"] = counted
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment.get_template(name)
