"""The architectures that Headway opens, by the `model_type` of their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from headway.bases.base import BaseKind
from headway.errors import BaseModelError

# Encoders and decoders that Transformers carries in its own code: nothing here runs code that comes with a model.
_BY_KIND: Mapping[BaseKind, str] = {
    "text_encoder": """albert bert camembert convbert data2vec-text deberta deberta-v2 distilbert electra ernie
        eurobert megatron-bert mobilebert modernbert mpnet nystromformer roberta roformer squeezebert xlm-roberta
        xlm-roberta-xl xmod""",
    "image_encoder": """beit convnext convnextv2 data2vec-vision deit dinov2 dinov2_with_registers dinov3_convnext
        dinov3_vit efficientnet efficientnet_lite hgnet_v2 levit mobilenet_v1 mobilenet_v2 mobilevit mobilevitv2
        poolformer pvt pvt_v2 regnet resnet swin swinv2 vit vit_msn""",
    "decoder": """cohere falcon gemma gemma2 gemma3_text gpt2 gpt_neo gpt_neox granite llama mistral olmo olmo2 phi
        phi3 qwen2 qwen3 smollm3 stablelm starcoder2""",
}
# Ours, not one of Transformers'.
OWN = frozenset({"efficientnet_lite"})
KINDS: Mapping[str, BaseKind] = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}
# Their positions start behind the id of the padding token.
POSITIONS_AFTER_PADDING = frozenset(
    {"camembert", "data2vec-text", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl", "xmod"}
)


def kind_of(architecture: str, *, where: str) -> BaseKind:
    """Return what an architecture is for; raises `BaseModelError` for one that Headway does not open."""
    if architecture in KINDS:
        return KINDS[architecture]
    near = get_close_matches(architecture.lower(), list(KINDS), n=1)
    raise BaseModelError(
        f'the architecture "{architecture}" is unknown here',
        where=where,
        expected=f"a model_type such as {', '.join(name for name in ('bert', 'xlm-roberta', 'vit', 'qwen2'))}",
        fix=f'did you mean "{near[0]}"?' if near else "take another base: headway bases lists those that open",
    )
