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


# End-to-end tests with a project of their own: each file goes where there is room.
HAVE_OWN_PROJECTS = {"docs_commands", "make", "own_model", "readme"}
# End-to-end tests that share a trained project, and start its server in their own way.
START_SERVERS = {
    *("auth", "auth_verbs", "browser_keys", "image", "kserve", "logs", "never_wait", "one_server"),
    *("failures_archives", "failures_load", "failures_supervisor", "failures_worker"),
    *("prometheus", "ray", "roll_out", "soak"),
}
# The largest groups go first, so that this training of minutes (test_accuracy.py) does not begin last.
SLOW = "tests/train/evaluation"


class Rooms(LoadScopeScheduling):
    """Of two processes, one takes the end-to-end tests that share a server, one those that share a project only.

    All others go file by file to the process that is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = str(super()._split_scope(nodeid))
        if path.startswith(SLOW):
            return SLOW
        name = path.removeprefix("tests/e2e/test_").removesuffix(".py")
        if not path.startswith("tests/e2e/") or name in HAVE_OWN_PROJECTS:
            return path
        return "tests/e2e/starting" if name in START_SERVERS else "tests/e2e/served"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Rooms:
    """How `make test` spreads the tests; xdist's own groups come to nothing with pytest 9.2."""
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
