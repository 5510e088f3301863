import pytest

from headway.privacy.masking.names import find_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我叫欧阳修文，来自长沙", "欧阳修文"),
        ("感谢梁思小姐", "梁思"),
        ("收件人：周杰 电话", "周杰"),
        ("My name is Peter O'Brien, hello", "Peter O'Brien"),
        ("Dear Anna, hello", "Anna"),
    ],
)
def test_names(text, name):
    assert [text[start:end] for start, end in find_names(text)] == [name]


@pytest.mark.parametrize("text", ["尊敬的客户：您好", "Dear Customer, hello", "My name is not here", "王者荣耀很好玩"])
def test_no_names(text):
    assert find_names(text) == []
