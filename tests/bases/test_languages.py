import pytest

from headway.bases.languages import find_language


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["the room was clean", "never again!!", "", "123"], "en"),
        (["房间很大", "服务 very good，下次还来", "性价比高"], "zh"),
        (["房间很大", "the room was clean"], "multi"),
        (["das Frühstück war übrigens köstlich"], "multi"),
        (["部屋はとても広かったです"], "multi"),
        (["номер был чистым"], "multi"),
        (["clean room"] * 95 + ["房间很大"] * 5, "en"),
        (["12", "!!"], "en"),
        ([], "en"),
    ],
)
def test_scripts_tell_the_language(texts, language):
    assert find_language(texts) == language
