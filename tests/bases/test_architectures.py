import pytest

from headway.bases.architectures import KINDS, OWN, POSITIONS_AFTER_PADDING, kind_of
from headway.errors import BaseModelError


def test_every_architecture_is_one_that_transformers_carries():
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    assert [name for name in KINDS if name not in CONFIG_MAPPING_NAMES and name not in OWN] == []
    assert set(KINDS) >= POSITIONS_AFTER_PADDING


def test_an_architecture_has_one_kind():
    assert kind_of("xlm-roberta", where="x") == "text_encoder"
    assert kind_of("qwen3", where="x") == "decoder"
    with pytest.raises(BaseModelError, match="unknown here"):
        kind_of("t5", where="x")
