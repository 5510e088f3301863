import re

from headway.export.words import _read_words


def test_both_languages_have_the_same_places():
    for key, words in _read_words().items():
        places = {lang: set(re.findall(r"(?<!\{)\{(\w+)", words[lang])) for lang in ("en", "zh")}
        assert places["en"] == places["zh"], key
        assert re.search(r"[一-鿿]", words["zh"]), key
