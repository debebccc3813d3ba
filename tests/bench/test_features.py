"""docs/features.md: every cell has a source, and every feature of this project has a command that exists."""

import re
from pathlib import Path

from tests.e2e.project import ROOT

DOCUMENT = ROOT / "docs" / "features.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
FEATURES = (
    *("raw ids", "unknown ids", "per-item errors", "top-k", "exclude seen", "filters", "titles", "new users"),
    *("versions", "protocols", "metrics", "auth", "explanations"),
)


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, row by row, the header first."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if set("".join(row)) - set("-: ")]


def shown() -> dict[str, tuple[str, list[str]]]:
    """The command that shows each feature, and what its answer holds."""
    rows = table("Shown here")[1:]
    return {name: (command.strip("`"), re.findall("`([^`]+)`", holds)) for name, command, holds, _ in rows}


def test_every_peer_is_compared_on_every_feature() -> None:
    servers, recommenders = table("Servers of any model"), table("Recommenders")
    for header, *rows in (servers, recommenders):
        assert [row[0] for row in rows] == list(FEATURES)
        assert {len(row) for row in rows} == {len(header)}
    named = " ".join(servers[0] + recommenders[0])
    for peer in ("FastAPI", "LitServe", "BentoML", "MLServer", "Ray", "Triton", "TorchServe"):
        assert peer in named
    for peer in ("gorse", "LibRecommender", "Surprise", "Merlin"):
        assert peer in named


def test_every_cell_has_a_source() -> None:
    sources = dict(re.findall(r'^\[(\d+)\]: (https://\S+) "[^"]+"$', TEXT, re.MULTILINE))
    used = set()
    for heading in ("Servers of any model", "Recommenders"):
        for feature, ours, *theirs in table(heading)[1:]:
            assert re.fullmatch(r"\[[^]]+\]\(#shown-here\)", ours), (feature, ours)
            for cell in theirs:
                claims = re.split(r"(?<=\])[,;] ", cell)
                numbers = [re.fullmatch(r"\[[^]]+\]\[(\d+)\]", claim) for claim in claims]
                assert all(numbers), (feature, cell)
                used |= {number[1] for number in numbers if number}
    assert used == sources.keys()
    assert len(set(sources.values())) == len(sources)


def test_every_source_is_pinned_to_a_version() -> None:
    pinned = r"https://github\.com/[\w.-]+/[\w.-]+/blob/(v?\d+\.\d+\.\d+|[0-9a-f]{40})/\S+"
    for source in re.findall(r"^\[\d+\]: (\S+)", TEXT, re.MULTILINE):
        assert re.fullmatch(pinned, source), source


def test_every_feature_has_a_command_and_every_verb_exists() -> None:
    assert list(shown()) == list(FEATURES)
    targets = set(re.findall(r"^([a-z-]+):", "\n".join(path.read_text() for path in makefiles()), re.MULTILINE))
    verbs = set(re.findall(r"(?:`|&& |; )make ([a-z-]+)", TEXT))
    assert {"predict", "serve", "update", "rollback"} <= verbs <= targets
    assert all(holds for _, holds in shown().values())


def test_further_evidence_is_a_test_of_the_running_server() -> None:
    links = {name: re.findall(r"\(([^)]+)\)", more) for name, _, _, more in table("Shown here")[1:]}
    assert all(links[name] for name in ("auth", "versions", "protocols"))
    for path in [path for paths in links.values() for path in paths]:
        assert path.startswith("../tests/e2e/test_")
        assert (DOCUMENT.parent / path).is_file(), path


def makefiles() -> list[Path]:
    return [ROOT / "Makefile", *ROOT.glob("*/*.mk")]
