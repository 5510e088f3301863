"""The objects of a service: deployment, service, autoscaler, disruption budget, and how to apply them."""

from __future__ import annotations

import io
from typing import Any

from headway.export.content import Content, Options
from headway.export.docker.image import PORT, USER, image_name
from headway.export.kubernetes.resources import Resources, measure_resources
from headway.export.packed import Packed
from headway.export.words import Language, say

FEWEST, MOST = 2, 10
# A pod is first taken out of the service and serves on for so long, while the cluster learns of it.
_PRE_STOP, _GRACE = 5, 45

Object = dict[str, Any]


def make_manifests(packed: Packed, options: Options) -> Content:
    """Return one YAML file for each object, a kustomization over them, and a note.

    Memory is asked for by what the package was measured to need.
    """
    image = options.image or image_name(packed)
    resources = measure_resources(packed)
    objects = {
        "deployment.yaml": deployment(packed, image, resources),
        "service.yaml": service(packed),
        "autoscaler.yaml": autoscaler(packed),
        "disruption-budget.yaml": disruption_budget(packed),
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(objects),
    }
    files = {name: _yaml(content) for name, content in {**objects, "kustomization.yaml": kustomization}.items()}
    notes = {"README.md": _note(packed, image, resources, "en"), "README.zh.md": _note(packed, image, resources, "zh")}
    return Content({**files, **{name: text.encode() for name, text in notes.items()}})


def deployment(packed: Packed, image: str, resources: Resources) -> Object:
    """Return the deployment: probed, bounded in memory, without rights, drained before it ends."""
    container = {
        "name": "headway",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # One worker: memory stays predictable, and the autoscaler adds pods where more is needed.
        "args": ["--workers", "1"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": {
            "requests": {"cpu": resources.cpu, "memory": f"{resources.memory_mi}Mi"},
            "limits": {"memory": f"{resources.memory_limit_mi}Mi"},
        },
        "startupProbe": _probe("/health", every=1, failures=60),
        "livenessProbe": _probe("/health", every=10, failures=3),
        "readinessProbe": _probe("/ready", every=5, failures=2),
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sleep", str(_PRE_STOP)]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - inside the container
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": _GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selector(packed)},
            }
        ],
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "256Mi"}}],
    }
    spec = {
        "selector": {"matchLabels": _selector(packed)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {"metadata": {"labels": _labels(packed)}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(packed), "spec": spec}


def service(packed: Packed) -> Object:
    """Return the service inside the cluster; an ingress is the cluster's own affair."""
    spec = {
        "type": "ClusterIP",
        "selector": _selector(packed),
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(packed), "spec": spec}


def autoscaler(packed: Packed) -> Object:
    """Return the autoscaler: more pods above 70% of the asked CPU, fewer after five calm minutes."""
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": packed.slug},
        "minReplicas": FEWEST,
        "maxReplicas": MOST,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": 0},
            "scaleDown": {"stabilizationWindowSeconds": 300},
        },
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(packed),
        "spec": spec,
    }


def disruption_budget(packed: Packed) -> Object:
    """Return the budget: nodes are emptied one pod at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _selector(packed)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _metadata(packed), "spec": spec}


def _probe(path: str, *, every: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": every,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _metadata(packed: Packed) -> Object:
    return {"name": packed.slug, "labels": _labels(packed)}


def _labels(packed: Packed) -> dict[str, str]:
    return {
        **_selector(packed),
        "app.kubernetes.io/version": packed.version,
        "app.kubernetes.io/managed-by": "headway",
    }


def _selector(packed: Packed) -> dict[str, str]:
    """Return the labels that never change for a name; a selector may not."""
    return {"app.kubernetes.io/name": packed.slug}


def _yaml(content: Object) -> bytes:
    """Return an object as YAML."""
    from ruamel.yaml import YAML

    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 120
    stream = io.BytesIO()
    writer.dump(content, stream)
    return stream.getvalue()


def _note(packed: Packed, image: str, resources: Resources, lang: Language) -> str:
    """Return how to apply the manifests, in Markdown."""
    return say("kubernetes:note", lang).format(
        name=packed.manifest.name,
        slug=packed.slug,
        image=image,
        fewest=FEWEST,
        most=MOST,
        measured=f"{resources.measured_mb:.0f}",
        memory=resources.memory_mi,
        limit=resources.memory_limit_mi,
    )
