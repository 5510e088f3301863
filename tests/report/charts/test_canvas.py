from headway.report.charts.canvas import Drawing, circle, figure, measure, shorten, words


def test_a_figure_is_drawn_for_a_page_and_for_a_phone_with_words_for_those_who_cannot_see_it():
    made = figure(lambda width: Drawing(width / 2, []), title="a <title>", description="says all", caption="more")
    assert 'viewBox="0 0 720 360"' in made
    assert 'viewBox="0 0 340 170"' in made
    assert made.count('role="img" aria-label="a &lt;title&gt;"') == 2
    assert made.count("<desc>says all</desc>") == 2


def test_text_is_measured_by_its_letters_and_cut_to_its_room():
    assert measure("汉字") > measure("ab")
    assert measure("WW") > measure("ii")
    assert shorten("short", 200) == "short"
    cut = shorten("a text that is too long", 60)
    assert cut.endswith("…")
    assert measure(cut) <= 60
    assert shorten("汉字", 1) == "…"


def test_notes_and_words_are_escaped():
    assert "<title>&lt;b&gt;</title>" in circle(1, 2, 3, "dot", note="<b>")
    assert ">&lt;b&gt;</text>" in words(1, 2, "<b>")
