"""Every manifest matches its published schema, and names only things that exist."""

import ast
import gzip
import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from ops.refresh.__main__ import parsed
from ops.settings import read_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "ops" / "kubernetes"
RAY = ROOT / "ops" / "ray"
# The oldest Kubernetes release that a provider still supports, and the newest that the validator knows.
RELEASES = ("1.30", "1.37")
CUSTOM = json.loads(gzip.decompress((Path(__file__).parent / "schemas" / "custom-resources.json.gz").read_bytes()))
NOT_OBJECTS = {"kustomization.yaml", "prometheus-adapter.yaml"}

# Fields with names that users choose.
OWN_NAMES = {
    *("metadata", "labels", "annotations", "matchLabels", "requests", "limits", "selector"),
    "rayStartParams",
}

Manifest = dict[str, Any]


def manifests() -> dict[str, Manifest]:
    found = {}
    for path in sorted([*FOLDER.glob("*.yaml"), *RAY.glob("*.yaml")]):
        if path.name not in NOT_OBJECTS:
            for document in yaml.safe_load_all(path.read_text()):
                found[f"{path.name}:{document['kind']}"] = document
    return found


MANIFESTS = manifests()


def closed(schema: Any) -> Any:
    """The schema, changed so that objects have only the listed fields."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    is_open = inner.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in inner
    if (
        isinstance(inner.get("properties"), dict)
        and inner.get("type") == "object"
        and not is_open
        and inner["properties"]
    ):
        inner["additionalProperties"] = False
    return inner


def problems(manifest: Manifest) -> list[str]:
    kind = f"{manifest['apiVersion']} {manifest['kind']}"
    if kind in CUSTOM:
        schema = closed(CUSTOM[kind])
        schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}  # Kubernetes' own, left open there
        return [error.message for error in Draft202012Validator(schema).iter_errors(manifest)]
    found = []
    for release in RELEASES:
        try:
            kubernetes_validate.validate(manifest, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{release}: {error.message}")
    return found


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_manifest_matches_its_published_schema(name: str) -> None:
    assert problems(MANIFESTS[name]) == []


def places(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside whose fields the schema names, so not those with names that users choose."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name not in OWN_NAMES:
                yield from places(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner)


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_misspelt_field_is_found_at_any_depth(name: str) -> None:
    number = sum(1 for _ in places(MANIFESTS[name]))
    assert number > 1
    for place in range(number):
        broken = deepcopy(MANIFESTS[name])
        list(places(broken))[place]["misspelt"] = "1"
        assert problems(broken) != [], f"place {place}"


def test_kustomization_lists_the_manifests_of_its_folder() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    apart = [
        "kserve.yaml",
        "kserve-asgi.yaml",
        "pod-monitor.yaml",
        "refresh.yaml",
    ]  # with an operator, or where ratings come in
    assert sorted([*listed, *NOT_OBJECTS, *apart]) == sorted(path.name for path in FOLDER.glob("*.yaml"))


def test_only_public_addresses_have_a_port() -> None:
    settings = read_settings(ROOT / "config.properties", ROOT)
    assert {host for host, _ in settings.listens} == {"127.0.0.1"}
    [container] = MANIFESTS["deployment.yaml:Deployment"]["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8080, "metrics": 8082}
    assert [port["targetPort"] for port in MANIFESTS["service.yaml:Service"]["spec"]["ports"]] == ["http"]
    http, metrics = MANIFESTS["network-policy.yaml:NetworkPolicy"]["spec"]["ingress"]
    assert [port["port"] for port in http["ports"]] == ["http"]
    assert [port["port"] for port in metrics["ports"]] == ["metrics"]
    assert metrics["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def test_every_selector_finds_the_pods() -> None:
    deployment = MANIFESTS["deployment.yaml:Deployment"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    selectors = [
        deployment["selector"]["matchLabels"],
        MANIFESTS["service.yaml:Service"]["spec"]["selector"],
        MANIFESTS["disruption-budget.yaml:PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        MANIFESTS["network-policy.yaml:NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert selectors == [labels] * 4
    claim = deployment["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == MANIFESTS["model-store.yaml:PersistentVolumeClaim"]["metadata"]["name"]


def test_nightly_job_shares_the_replicas_store_and_starts_a_project_command() -> None:
    job = MANIFESTS["refresh.yaml:CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    claimed = [one for one in job["volumes"] if "persistentVolumeClaim" in one]
    claims = {one["name"]: one["persistentVolumeClaim"]["claimName"] for one in claimed}
    assert claims["model-store"] == MANIFESTS["model-store.yaml:PersistentVolumeClaim"]["metadata"]["name"]
    assert claims["build"] == MANIFESTS["refresh.yaml:PersistentVolumeClaim"]["metadata"]["name"]
    [container] = job["containers"]
    options = parsed([str(word) for word in container["args"]])
    assert container["command"] == ["python", "-m", "ops.refresh"]
    mounted = [one["mountPath"] for one in container["volumeMounts"]]
    assert options.data.startswith("/data/")
    assert {"/srv/ncf/build", "/srv/ncf/model-store", "/data", "/tmp"} <= set(mounted)
    assert str(options.textfile.parent) == "build"


def test_the_autoscaler_uses_a_metric_from_a_recording_rule() -> None:
    [rule] = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    [metric] = MANIFESTS["autoscaler.yaml:HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    recorded = rule["seriesQuery"].split("{")[0]
    groups = yaml.safe_load((ROOT / "ops" / "prometheus" / "rules.yaml").read_text())["groups"]
    assert recorded in {one.get("record") for group in groups for one in group["rules"]}


def test_ray_service_passes_arguments_that_the_application_accepts() -> None:
    service = MANIFESTS["ray-service.yaml:RayService"]["spec"]
    config = yaml.safe_load(service["serveConfigV2"])
    [application] = config["applications"]
    module, builder = application["import_path"].split(":")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    assert builder in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    [allowed] = [node.value for node in tree.body if isinstance(node, ast.Assign) and "_ARGUMENTS" in ast.dump(node)]
    assert set(application["args"]) == ast.literal_eval(allowed)
    for group in [service["rayClusterConfig"]["headGroupSpec"], *service["rayClusterConfig"]["workerGroupSpecs"]]:
        pod = group["template"]["spec"]
        [container] = pod["containers"]
        assert config["http_options"]["port"] in {port["containerPort"] for port in container["ports"]}
        claim = MANIFESTS["model-store.yaml:PersistentVolumeClaim"]["metadata"]["name"]
        assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["cluster"]
    assert pinned == [f"ray[serve]=={service['rayClusterConfig']['rayVersion']}"]
    assert service["rayClusterConfig"]["authOptions"] == {"mode": "token"}  # Ray 2.60 asks for none by itself


def test_the_ray_job_starts_a_command_of_the_project_on_storage_that_all_pods_share() -> None:
    job = MANIFESTS["ray-job.yaml:RayJob"]["spec"]
    python, module, name, *options = job["entrypoint"].split()
    assert (python, module, name) == ("python", "-m", "train.cluster")
    asked = dict(zip(options[::2], options[1::2], strict=True))
    assert set(asked) == {"--data", "--out", "--version", "--processes", "--deadline"}
    cluster = job["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    [workers] = cluster["workerGroupSpecs"]
    head = cluster["headGroupSpec"]
    cores = int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]) * workers["replicas"]
    assert int(asked["--processes"]) == cores + int(head["rayStartParams"]["num-cpus"])
    claim = MANIFESTS["ray-job.yaml:PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for group in (head, workers):
        pod = group["template"]["spec"]
        assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert asked["--out"].startswith(pod["containers"][0]["volumeMounts"][0]["mountPath"] + "/")
    assert cluster["rayVersion"] == MANIFESTS["ray-service.yaml:RayService"]["spec"]["rayClusterConfig"]["rayVersion"]
