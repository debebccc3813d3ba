"""The model card: what an artifact's metadata tells, as Hugging Face lays such cards out.

The layout is that of https://huggingface.co/docs/hub/model-cards: YAML front matter, whose model-index carries every
figure in full, then sections for people. An artifact that tells less gets a card that says less.
"""

from __future__ import annotations

import json
import shlex
import string
from pathlib import Path
from typing import Any

import yaml

from model.vocabulary import Vocabulary, counted
from train.architectures import architecture_named
from train.evaluation.evaluate import shown_predictor
from train.evaluation.fold_words import fold_section
from train.evaluation.metrics import RATING_METRICS
from train.evaluation.ranking_card import ranking_result, ranking_section
from train.evaluation.split_words import describe_split
from train.evaluation.verdict import doubt

_TEMPLATE = Path(__file__).with_name("model_card.md.template")
_GROUPS = {
    "known": "user and {} occur in training",
    "all": "all held-out ratings",
    "new_user": "the user does not occur in training",
}


def model_card(metadata: dict[str, Any]) -> str:
    """The card, Markdown with front matter, of an artifact with this metadata."""
    name = f"ncf-{metadata.get('version', '1.0')}"
    front = yaml.safe_dump(_front_matter(metadata, name), sort_keys=False, allow_unicode=True)
    words = Vocabulary.of(metadata)
    user, item, body = _example(metadata, words)
    text = string.Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=name,
        details=_details(metadata, words),
        training_data=_training_data(metadata, words),
        evaluation=_evaluation(metadata, words),
        user=user,
        item=item,
        an_item=words.an_item,
        one=words.item,
        items=words.items,
        body=body,
    )
    return f"---\n{front}---\n\n{text}"


def _front_matter(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    file = metadata.get("data", {}).get("file", "ratings")
    results = []
    for group, by_predictor in metadata.get("metrics", {}).items():
        figures = by_predictor["network"]
        results.append(
            {
                "task": {"type": "tabular-regression", "name": "Rating prediction"},
                "dataset": {"type": "ratings", "name": file, "split": f"held out, {group}"},
                "metrics": [
                    {"type": figure, "name": figure.upper(), "value": figures[figure]} for figure in RATING_METRICS
                ],
            }
        )
    if metadata.get("rankings"):
        results.append(ranking_result(metadata["rankings"], file))
    return {
        "license": "other",
        "license_name": "terms-of-the-training-data",
        "library_name": "ncf-serve",
        "pipeline_tag": "tabular-regression",
        "tags": ["recommendation", "collaborative-filtering", "explicit-ratings", "torchscript", "torchserve"],
        "metrics": list(RATING_METRICS),
        "model-index": [{"name": f"ncf-{_measured(metadata)}" if "updates" in metadata else name, "results": results}],
    }


def _measured(metadata: dict[str, Any]) -> str:
    """The version whose errors the metadata tells: an update is not measured anew."""
    return str(metadata.get("metrics_of", metadata).get("version", "1.0"))


def _details(metadata: dict[str, Any], words: Vocabulary) -> str:
    libraries = ", ".join(f"{library} {version}" for library, version in metadata.get("libraries", {}).items())
    chosen = ", ".join(f"{name} {value}" for name, value in metadata.get("chosen", {}).items())
    facts = {
        "Network": _network(metadata),
        "Knows": _knows(metadata["num_users"], metadata[words.num_items], words),
        "Chosen on an inner split of the training rows": chosen,
        "Seed": str(metadata.get("seed", "")),
        "Created": metadata.get("created", ""),
        "Made with": libraries,
        "Digest of tensors and id maps (SHA-256)": f"`{metadata['digest']}`",
        "Licence": "the code is Apache-2.0; the parameters are made of the ratings, whose terms hold for them",
    }
    return "\n".join(f"- **{name}:** {value}" for name, value in facts.items() if value)


def _network(metadata: dict[str, Any]) -> str:
    """The network's class, and what it is, if the metadata has the name of its architecture."""
    network = metadata.get("architecture", "")
    name = metadata.get("config", {}).get("architecture")
    return f"`{network}`: {architecture_named(name).summary}" if name else network


def _knows(users: int, items: int, words: Vocabulary, kind: str = "") -> str:
    return f"{counted(users, f'{kind}user')}, {counted(items, f'{kind}{words.item}', f'{kind}{words.items}')}"


def _training_data(metadata: dict[str, Any], words: Vocabulary) -> str:
    minimum, maximum = metadata["rating_scale"]
    data, split = metadata.get("data", {}), metadata.get("split", {})
    lines = [f"{counted(metadata['num_ratings'], 'explicit rating')} on a scale of {minimum:g} to {maximum:g}."]
    if "adopted" in metadata:
        network = metadata["adopted"]
        lines = [f"The network was trained elsewhere: `{network['file']}`, SHA-256 `{network['sha256']}`."]
        lines += ["", f"- **Scale:** {minimum:g} to {maximum:g}, of a network that gives a {network['output']}"]
        lines.append(f"- **Ratings beside it:** {metadata['num_ratings']:,}")
    if "file" in data:
        digest = f", SHA-256 `{data['sha256']}`" if "sha256" in data else ""
        lines += [*([] if "adopted" in metadata else [""]), f"- **File:** `{data['file']}`{digest}"]
    if "density" in data:
        whole = f"Version {_measured(metadata)} was trained on" if "updates" in metadata else "In all"
        knows = _knows(data["users"], data[words.items], words)
        lines.append(f"- **{whole}:** {counted(data['ratings'], 'rating')}, {knows}")
        repeated = counted(
            data["repeated_pairs"], "row repeats a pair, and is kept", "rows repeat a pair, and are kept"
        )
        lines.append(f"- **Density:** {data['density']:.2%}; {repeated}")
        for side in ("user", words.item):
            spread = data[f"ratings_per_{side}"]
            lines.append(f"- **Ratings per {side}:** median {spread['median']:g}, at most {spread['max']:,.0f}")
    if metadata.get("num_events"):
        lines.append(f"- **Events without ratings:** {metadata['num_events']:,}; they change recommendations alone")
    for step in metadata.get("updates", []):
        file, new = step["data"], _knows(step["new_users"], step[f"new_{words.items}"], words, "new ")
        told = f"`{file['file']}`, SHA-256 `{file['sha256']}`: {counted(step['ratings'], 'rating')}, {new}"
        lines.append(f"- **Taken in since, without training:** {told}")
    if held_out := describe_split(split):
        served = "all ratings, the held-out ones included" if split["served"] == "all" else "the other ratings alone"
        lines.append(f"- **Held out to report on:** {held_out}; what is served was trained on {served}")
    return "\n".join(lines)


def _evaluation(metadata: dict[str, Any], words: Vocabulary) -> str:
    groups = metadata.get("metrics", {})
    if not groups:
        return "No ratings were held out, so no error is reported."
    columns = " | ".join(name.upper() for name in RATING_METRICS)
    head = f"| held-out ratings | predictor | {columns} | network - this, squared error |"
    lines = [head, "|---|---|" + "--:|" * (len(RATING_METRICS) + 1)]
    for group, by_predictor in groups.items():
        for name, figures in by_predictor.items():
            errors = " | ".join(f"{figures[figure]:.4f}" for figure in RATING_METRICS)
            gap = ""
            if "standard_error" in figures:
                gap = f"{figures['network_minus_this']:+.4f} ± {figures['standard_error']:.4f}"
            shown = shown_predictor(name, words).replace("_", " ")
            lines.append(f"| {group}, {figures['rows']:,} | {shown} | {errors} | {gap} |")
    if line := doubt(groups, words):
        lines += ["", f"**{line}**"]
    meanings = {group: meaning.format(words.item) for group, meaning in _GROUPS.items() if group in groups}
    told = "; ".join(f"*{group}*: {meaning}" for group, meaning in meanings.items())
    measured = "Errors are in rating units, of a network that saw the training rows alone."
    if "updates" in metadata:
        measured = f"Measured on version {_measured(metadata)}, before the updates. {measured}"
    errors_told = "\n".join([measured, "", *lines, "", f"{told}. ± is the standard error of the paired difference."])
    errors_told += fold_section(metadata, words)
    if not metadata.get("rankings"):
        return errors_told
    return f"{errors_told}\n\n{ranking_section(metadata['rankings'], words)}"


def _example(metadata: dict[str, Any], words: Vocabulary) -> tuple[str, str, str]:
    """A user and an item to try, as Python writes them, and the body that asks for both, quoted for a shell."""
    example = metadata.get("example", {"user_id": 1, words.item_ids: [1]})
    user, item = example["user_id"], example[words.item_ids][0]
    body = json.dumps({"user_id": user, words.item_id: item}, ensure_ascii=False)
    return repr(user), repr(item), shlex.quote(body)
