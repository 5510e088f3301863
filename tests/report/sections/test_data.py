from dataclasses import replace

from headway.report.content import Change
from headway.report.sections.data import show_data


def test_the_place_of_what_could_not_be_read_is_told_in_the_language_of_the_page(reviews):
    places = {"file": "a.csv", "row": 53, "column": "评分", "value": "五"}
    content = replace(reviews, changes=(Change("rejected", "not a finite number", 12, (places,)),))
    chinese, english = (str(show_data(content, lang)) for lang in ("zh", "en"))
    assert all(f'<span class="cell-name">{word} </span>' in chinese for word in ("文件", "行", "列", "内容"))
    assert '<span class="cell-name">value </span>' in english
    assert ">value " not in chinese
