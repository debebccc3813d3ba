"""Small models with sparse, shuffled ids that hold 0 and a large one, so that a row is never its own id."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from model.artifact import Artifact
from model.catalogue import Catalogue
from model.history import History
from model.ids import IdMap
from model.interest import Interest
from model.network import EmbeddingMLP
from model.scale import RatingScale

# How much hypothesis tries. The quick one tries the same each time; the long one tries something else each time.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.register_profile(
    "long", deadline=None, max_examples=2500, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

torch.set_num_threads(1)  # these networks are small, and tests share their machine

USER_IDS = [0, 7, 19, 11_242, 2**40]
MOVIE_IDS = [3, 10_007, 10_102, 10_253, 77_777, 2**62]
GENRES = [["Crime"], ["Drama", "Crime"], [], ["Comedy"], ["Drama"], None]


# End-to-end tests that share the running image (see `running` in tests/e2e/conftest.py).
SHARE_THE_IMAGE = {"image", "kserve", "logs", "prometheus", "roll_out"}
# End-to-end tests that start servers of their own. All others share one server.
START_SERVERS = {
    *("auth", "auth_verbs", "browser_keys", "docs_commands", "make", "never_wait", "one_server", "own_model"),
    *("failures_archives", "failures_load", "failures_supervisor", "failures_worker"),
    *("ray", "readme", "report_page", "soak"),
}
# The groups that take longest, the longest first: one that began late would go on alone.
LONGEST = (
    "tests/e2e/served",
    "tests/train/evaluation/test_accuracy.py",
    *(f"tests/e2e/test_{name}.py" for name in ("own_model", "docs_commands", "readme", "make")),
    "tests/e2e/image",
    "tests/train/cluster/test_cluster.py",
    *(f"tests/e2e/test_{name}.py" for name in ("soak", "ray", "auth_verbs", "failures_supervisor")),
    *(f"tests/train/test_{name}.py" for name in ("resume", "run", "full_disk", "distributed")),
    *(f"tests/bench/test_{name}.py" for name in ("gpu_served", "gpu", "gpu_carry")),
    *("tests/score/cluster/test_cluster.py", "tests/score/test_command.py", "tests/train/parts/test_run.py"),
    *(f"tests/e2e/test_{name}.py" for name in ("failures_archives", "auth", "never_wait", "failures_worker")),
)


class Rooms(LoadScopeScheduling):
    """Each file goes to the process that is free. Files that share a server go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test: its file, or what it shares."""
    path = nodeid.partition("::")[0]
    name = path.removeprefix("tests/e2e/test_").removesuffix(".py")
    if not path.startswith("tests/e2e/") or name in START_SERVERS:
        return path
    return "tests/e2e/image" if name in SHARE_THE_IMAGE else "tests/e2e/served"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups come first."""
    places = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid), len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Rooms:
    """How `make test` spreads the tests; xdist's own groups come to nothing with pytest 9.2."""
    config.option.loadscopereorder = False  # keeps the order of `pytest_collection_modifyitems`
    return Rooms(config, log)


class Encoding(EmbeddingMLP):
    """A user's vector is the sum of the rated movies' towers, weighted by rating: any encoder will do in tests."""

    @torch.jit.export
    def encode_users(
        self, owner: torch.Tensor, movie_index: torch.Tensor, rating: torch.Tensor, num_users: int
    ) -> torch.Tensor:
        rows = self.movie_tower(movie_index) * (rating - 5).unsqueeze(1)
        return rows.new_zeros(num_users, rows.shape[1]).index_add_(0, owner, rows)


def make_artifact(user_ids: np.ndarray, movie_ids: np.ndarray, seed: int = 0) -> Artifact:
    """A network with large random weights, so that each pair has a rating of its own."""
    torch.manual_seed(seed)
    network = EmbeddingMLP(len(user_ids), len(movie_ids), embedding_dim=4, hidden_dims=(8, 4)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    history = History.from_ratings(
        np.array([3, 1, 3]), np.array([0, 2, 4]) % len(movie_ids), np.array([8.0, 2.0, 9.0]), num_users=len(user_ids)
    )
    titles = [f"Movie {row}" for row in range(len(movie_ids))]
    catalogue = Catalogue({"title": titles, "genres": GENRES[: len(movie_ids)]}, len(movie_ids))
    return Artifact(network, IdMap(user_ids), IdMap(movie_ids), RatingScale(1, 10), history, catalogue, {"seed": seed})


@pytest.fixture
def artifact() -> Artifact:
    return make_artifact(np.array(USER_IDS), np.array(MOVIE_IDS))


@pytest.fixture
def ranked_artifact(artifact: Artifact) -> Artifact:
    """The same with an encoder, so that it takes new ratings in, and with an interest part.

    2**62 has no weights, and nobody rated it.
    """
    network = Encoding(len(USER_IDS), len(MOVIE_IDS), embedding_dim=4, hidden_dims=(8, 4)).eval()
    network.load_state_dict(artifact.network.state_dict())
    generator = torch.Generator().manual_seed(0)
    weights = torch.zeros(6, 6)
    weights[:5, :5] = torch.rand(5, 5, generator=generator).fill_diagonal_(0)
    interest = Interest(
        column=torch.tensor([0, 1, 2, 3, 4, 5, 5]),
        weights=weights,
        popularity=torch.tensor([0.4, 0.2, 0.6, 0.2, 0.8, 0.0, 0.0]),
        level=0.2,
        prior=0.5,
        restraint=0.0,
        rating_weight=0.05,
        rating_center=6.0,
    )
    return replace(artifact, network=network, interest=interest)


@pytest.fixture
def string_artifact() -> Artifact:
    return make_artifact(np.array([b"ann", b"bob", b"eve", b"zo\xc3\xab"]), np.array([b"0002844", b"2844", b"a b"]))
