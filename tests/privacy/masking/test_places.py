import pytest

from headway.privacy.masking.places import find_addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("请寄到北京市海淀区中关村大街27号院3号楼502室，谢谢", "北京市海淀区中关村大街27号院3号楼502室"),
        ("我在解放路5号等你", "解放路5号"),
        ("阳光花园3栋2单元501室", "阳光花园3栋2单元501室"),
        ("send to 742 Evergreen Terrace, Springfield, OR 97477", "742 Evergreen Terrace, Springfield, OR 97477"),
    ],
)
def test_addresses(text, address):
    assert [text[start:end] for start, end in find_addresses(text)] == [address]


@pytest.mark.parametrize(
    "text", ["地铁10号线很近", "人民路2号线出口", "走到解放路口2号出口", "5th Avenue is far", "3号柜台"]
)
def test_no_addresses(text):
    assert find_addresses(text) == []
