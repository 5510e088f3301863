"""Manifests that run the container image on a Kubernetes cluster."""

from headway.export.kubernetes.manifests import make_manifests

__all__ = ["make_manifests"]
