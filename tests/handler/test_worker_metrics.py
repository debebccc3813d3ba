"""The worker's metrics, as the lines that TorchServe's front end reads."""

import logging
import re
from collections import Counter
from collections.abc import Callable

import pytest
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl

from handler.batch_metrics import BUCKETS_S
from handler.worker_metrics import WorkerMetrics
from model.artifact import Artifact
from model.asks import Answer, Ask, BestAsk, ColumnsAsk, ExplainAsk, FoldInAsk, PairAsk
from model.predictor import Predictor
from tests.conftest import MOVIE_IDS
from tests.handler.conftest import SETTINGS

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # TorchServe's, of metrics.yaml
Emitted = Callable[[], dict[tuple[str, ...], float]]
STRANGER = 5


@pytest.fixture
def metrics() -> WorkerMetrics:
    cache = MetricsCacheYamlImpl(str(SETTINGS.with_name("metrics.yaml")))
    cache.initialize_cache()
    return WorkerMetrics(cache, "ncf", "1.0", 0)


@pytest.fixture
def emitted(metrics: WorkerMetrics, caplog: pytest.LogCaptureFixture) -> Emitted:
    """Emits, and gives the lines' values by name and by dimensions beside the model's name and version."""
    caplog.set_level(logging.INFO, logger="ts.metrics")

    def emit() -> dict[tuple[str, ...], float]:
        caplog.clear()
        metrics.emit()
        lines = [re.fullmatch(r"\[METRICS\](\w+)\.\w+:([\d.]+)\|#([^|]*)\|.*", message) for message in caplog.messages]
        found = [(line[1], line[3].split(","), float(line[2])) for line in lines if line]
        assert len(found) == len(caplog.messages)
        return {(name, *(one.split(":")[1] for one in dimensions[2:])): value for name, dimensions, value in found}

    return emit


def count(metrics: WorkerMetrics, *answers: Answer, seconds: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
    metrics.count_batch(Counter({("pair", 200): len(answers)}), answers, seconds)


@pytest.mark.parametrize(
    ("ask", "pairs", "unknown"),
    [
        (PairAsk(7, 3), 1, 0),
        (PairAsk(STRANGER, 3), 1, 1),
        (PairAsk(STRANGER, 4), 1, 2),
        (ColumnsAsk([7, STRANGER, STRANGER], [3, 3, 4]), 3, 3),
        (BestAsk(7), len(MOVIE_IDS), 0),
        (BestAsk(STRANGER, top_k=2), len(MOVIE_IDS), 1),  # all are rated, two are answered
        (BestAsk(7, [3, 4, 10_253], top_k=1), 3, 1),
        (BestAsk(7, genres=["Crime"]), 2, 0),
        (ExplainAsk(STRANGER, 3), 1, 1),
        (FoldInAsk(PairAsk(None, 3), [10_102, 4], [2.0, 9.0]), 1, 1),
        (FoldInAsk(BestAsk(STRANGER, top_k=1), [4], [2.0]), len(MOVIE_IDS), 2),
    ],
)
def test_rated_pairs_and_unknown_ids_are_counted(
    metrics: WorkerMetrics, emitted: Emitted, ranked_artifact: Artifact, ask: Ask, pairs: int, unknown: int
) -> None:
    count(metrics, *Predictor(ranked_artifact).answer([ask, PairAsk(7, 3)]))
    figures = emitted()
    assert figures["ncf_pairs_total",] == pairs + 1
    assert figures.get(("ncf_unknown_ids_total",), 0) == unknown
    assert (figures["ncf_batches_total",], figures["ncf_batched_requests_total",]) == (1, 2)


def test_requests_are_counted_by_kind_and_status(metrics: WorkerMetrics, emitted: Emitted) -> None:
    for _ in range(2):
        metrics.count_batch(Counter({("pair", 200): 3, ("undecoded", 400): 1}), [], (0.5, 0.25, 0.125))
    figures = emitted()
    assert (figures["ncf_requests_total", "pair", "200"], figures["ncf_requests_total", "undecoded", "400"]) == (6, 2)
    seconds = [figures[f"ncf_{part}_seconds_total",] for part in ("decode", "predict", "encode")]
    assert seconds == [1.0, 0.5, 0.25]


def test_bucket_includes_its_upper_bound(metrics: WorkerMetrics, emitted: Emitted) -> None:
    for seconds in (BUCKETS_S[0], BUCKETS_S[3], BUCKETS_S[3] * 1.001, BUCKETS_S[-1] * 2):
        count(metrics, seconds=(0.0, seconds, 0.0))
    figures = emitted()
    found = [figures["ncf_batch_seconds_bucket", bound] for bound in (*map(str, BUCKETS_S), "+Inf")]
    assert found == [1, 1, 1, 2] + [3] * (len(BUCKETS_S) - 4) + [4]


def test_counters_that_have_not_grown_are_not_sent(metrics: WorkerMetrics, emitted: Emitted) -> None:
    count(metrics)
    assert emitted()["ncf_worker_starts_total",] == 1
    assert all(name.endswith(("_seconds", "_bytes")) for name, *_ in emitted())  # gauges
