from headway.report.card import model_card


def test_the_card_speaks_both_languages(reviews):
    card = model_card(reviews)
    english, chinese = card.split("\n---\n")
    assert english.startswith("# hotel reviews\n")
    assert "| Accuracy ↑ |" in english
    assert "runtime.load('runs/hotel/package')" in english
    assert "- review: ≥ 402 characters: 70.0%, 87.0% overall" in english
    assert " of 100 rows that are “差评” are answered “好评" in english
    assert "→" not in card
    assert "80 行与其他行完全重复" in chinese
    assert "| 准确率 ↑ |" in chinese
    assert model_card(reviews, languages=("zh",)).count("# hotel reviews") == 1


def test_markdown_and_html_in_the_data_are_text(reviews):
    card = model_card(reviews)
    assert "<script>" not in card
    assert "&lt;script&gt;" in card


def test_a_regression_has_a_card_without_package_and_labels(prices):
    card = model_card(prices, languages=("en",))
    assert "Root mean squared error ↓" in card
    assert "How to use it" not in card
