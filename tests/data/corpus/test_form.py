from headway.data.corpus.form import find_form, keeps_form

FIVE, SEVEN = "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。", "故人西辞黄鹤楼，烟花三月下扬州。"


def test_the_form_of_verse_is_found():
    assert find_form([FIVE] * 6 + [SEVEN] * 4) == (5, 7)
    assert find_form([FIVE] * 99 + [SEVEN]) == (5,)


def test_prose_has_no_form():
    assert find_form(["今天天气很好，我们去公园玩吧。"] * 5 + [FIVE]) == ()
    assert find_form([]) == ()


def test_a_text_keeps_the_form_or_not():
    assert keeps_form(FIVE, (5, 7))
    assert keeps_form(SEVEN, (5, 7))
    assert not keeps_form(FIVE + "一二三。", (5, 7))
    assert not keeps_form("春眠不觉晓", (5, 7))
    assert not keeps_form("一二三四，五六七八。", (5, 7))
