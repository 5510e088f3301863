from dataclasses import fields

import pytest

pytest.importorskip("torch")

from headway.models.family import discover
from headway.networks.plan import Plan, planned
from headway.tasks import Classify
from headway.tasks.recipe import Recipe

TASK = Classify(("no", "yes"))
# Settings whose values are no numbers.
WORDS = {"loss": "focal", "optimizer": "sgd", "schedule": "linear", "class_weights": "balanced", "augment": True}
NETWORKS = ["bag", "cnn", "encoder_fewshot", "encoder_finetune", "encoder_multitask", "image_finetune", "mlp"]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_network_honours_has_a_place_in_its_plan(name):
    for setting in sorted(discover().cards[name].honours):
        plan = planned(Recipe(**{setting: WORDS.get(setting, 0.5)}), TASK, Plan(dropout=0.1))
        assert getattr(plan, setting) == WORDS.get(setting, 0.5)


def test_what_only_language_models_honour_no_network_does():
    names = {field.name for field in fields(Recipe)}
    for setting in ("lora_rank", "dpo_beta"):
        assert setting in names
        assert [name for name in NETWORKS if setting in discover().cards[name].honours] == []
