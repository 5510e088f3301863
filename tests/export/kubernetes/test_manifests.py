import pytest
from ruamel.yaml import YAML

from headway.export import export
from headway.export.kubernetes.manifests import FEWEST

KINDS = {
    "deployment.yaml": "Deployment",
    "service.yaml": "Service",
    "autoscaler.yaml": "HorizontalPodAutoscaler",
    "disruption-budget.yaml": "PodDisruptionBudget",
}
# The oldest and the newest that the validator knows and that have all these objects.
VERSIONS = ("1.25", "1.34")


@pytest.fixture(scope="module")
def objects(table_package, tmp_path_factory):
    folder = export(
        table_package, "kubernetes", out=tmp_path_factory.mktemp("cluster") / "out", image="r.example/t:1"
    ).folder
    read = YAML(typ="safe")
    return {path.name: read.load(path.read_text()) for path in folder.glob("*.yaml")}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_schema_is_kept(objects, name, version):
    validator = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")
    assert objects[name]["kind"] == KINDS[name]
    validator.validate(objects[name], version, strict=True)


def test_the_validator_would_find_a_mistake(objects):
    validator = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")
    wrong = {**objects["service.yaml"], "spec": {**objects["service.yaml"]["spec"], "portz": []}}
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, VERSIONS[-1], strict=True)


def test_every_selector_finds_the_pods(objects):
    pod = objects["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        objects["deployment.yaml"]["spec"]["selector"]["matchLabels"],
        objects["service.yaml"]["spec"]["selector"],
        objects["disruption-budget.yaml"]["spec"]["selector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= pod.items()
        assert "app.kubernetes.io/version" not in selector
    assert (
        objects["autoscaler.yaml"]["spec"]["scaleTargetRef"]["name"] == objects["deployment.yaml"]["metadata"]["name"]
    )


def test_the_pod_is_probed_bounded_and_drained(objects):
    spec = objects["deployment.yaml"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["image"] == "r.example/t:1"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    ports = {port["name"] for port in container["ports"]}
    assert {
        container[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    } <= ports
    assert objects["service.yaml"]["spec"]["ports"][0]["targetPort"] in ports
    # 100 MB were measured; the server's share and some air come on top.
    assert container["resources"] == {"requests": {"cpu": "500m", "memory": "224Mi"}, "limits": {"memory": "448Mi"}}
    stop = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert 0 < stop < spec["terminationGracePeriodSeconds"] - 10
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["securityContext"]["runAsNonRoot"]


def test_an_upgrade_and_an_emptied_node_leave_pods_standing(objects):
    assert objects["deployment.yaml"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert objects["disruption-budget.yaml"]["spec"]["maxUnavailable"] < FEWEST
    assert "replicas" not in objects["deployment.yaml"]["spec"]  # the autoscaler's to say


def test_one_command_applies_them_all(objects):
    assert set(objects["kustomization.yaml"]["resources"]) == set(KINDS)
