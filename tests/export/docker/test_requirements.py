from importlib.metadata import PackageNotFoundError, requires, version

import pytest

from headway.errors import MissingExtraError
from headway.export.docker import requirements
from headway.export.docker.requirements import needed_distributions, write_requirements


def test_what_serving_needs_is_pinned_to_what_runs_here():
    needed = needed_distributions(tokens=False)
    assert needed["numpy"] == f"=={version('numpy')}"
    assert {"onnxruntime", "pillow", "typer", "uvicorn", "prometheus-client", "h11"} <= set(needed)
    assert f"numpy=={version('numpy')}\n" in write_requirements(needed)


def test_nothing_of_training_is_needed():
    heavy = {
        "torch",
        "scikit-learn",
        "scipy",
        "polars",
        "lightgbm",
        "onnx",
        "spox",
        "transformers",
        "tokenizers",
        "sympy",
    }
    assert not heavy & set(needed_distributions(tokens=False))


def test_tokens_are_added_where_the_package_reads_them():
    needed = needed_distributions(tokens=True)
    assert "tokenizers" in needed
    assert "huggingface-hub" not in needed


def forget(monkeypatch, forgotten):
    def known(name):
        if name == forgotten:
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(requirements, "version", known)


def test_a_missing_server_names_the_extra(monkeypatch):
    forget(monkeypatch, "uvicorn")
    with pytest.raises(MissingExtraError, match=r"headway\[serve\]"):
        needed_distributions(tokens=False)


def test_what_only_the_image_needs_keeps_its_range(monkeypatch):
    def named(name):
        return ["loop-of-linux>=2; implementation_name == 'other'"] if name == "h11" else requires(name)

    image = {**requirements._LINUX, "implementation_name": "other"}
    monkeypatch.setattr(requirements, "requires", named)
    monkeypatch.setattr(requirements, "_LINUX", image)
    assert needed_distributions(tokens=False)["loop-of-linux"] == ">=2"
