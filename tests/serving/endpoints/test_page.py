import re
from types import MappingProxyType

from headway.evaluation.drift import Drift, Shift
from headway.serving.access import Access
from headway.serving.deployments import deploy_model
from headway.serving.drift.watching import Progress, Window
from headway.serving.keys import KeyRing, add_key
from headway.serving.learning.collecting import Collector, list_figures
from headway.serving.limits import Limits
from headway.serving.page.language import read_words
from headway.serving.settings import Price
from tests.serving.conftest import Asker, make_service
from tests.serving.packages import open_tiny


def test_the_page_says_what_the_model_reads_in_both_languages():
    ask = Asker(make_service("mixed"))
    english = ask("GET", "/?lang=en").text
    chinese = ask("GET", "/", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}).text
    assert "Try the model" in english
    assert "试一试模型" in chinese
    assert '<option value="北京" selected="">北京</option>' in english
    assert 'data-modality="date"' in english


def test_its_examples_ask_the_model_that_it_shows():
    service = make_service("numbers")
    service.put(deploy_model(open_tiny("texts"), name="second", limits=Limits()))
    text = Asker(service)("GET", "/?model=second&lang=en").text
    assert "&quot;model&quot;: &quot;second&quot;" in text
    assert "], model=&#x27;second&#x27;)" in text


def test_its_sentences_stand_together_in_chinese():
    text = Asker(make_service("numbers"))("GET", "/?lang=zh").text
    assert "预测“" in text
    assert "。 " not in text


def test_every_sentence_is_there_in_both_languages():
    assert [key for key, words in read_words().items() if set(words) != {"en", "zh"} or not all(words.values())] == []


def test_it_may_load_from_nowhere_else_and_be_framed_by_nobody(ask):
    policy = ask("GET", "/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_names_cannot_break_the_page():
    from headway.runtime.manifest import InputColumn

    service = make_service("texts")
    evil = InputColumn("review", "text", example='</textarea><script>alert(1)</script>"')
    service.put(deploy_model(open_tiny("texts", inputs=(evil,)), name="<b>'x", limits=Limits()))
    text = Asker(service)("GET", "/?model=%3Cb%3E'x").text
    assert "<script>alert" not in text
    assert "<b>'x" not in text


def test_a_key_opens_the_page_by_a_cookie_for_this_site_only(tmp_path):
    path = tmp_path / "keys.json"
    key = add_key(path, name="me")
    ask = Asker(make_service("numbers", access=Access(KeyRing(path))))
    closed = ask("GET", "/?lang=en")
    assert closed.status_code == 401
    assert "1.5" not in closed.text
    assert ask("GET", "/live").status_code == 401
    assert ask("POST", "/sign-in", data={"key": "wrong"}).status_code == 401
    signed = ask("POST", "/sign-in", data={"key": key})
    assert signed.status_code == 303
    cookie = signed.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ask("GET", "/", headers={"cookie": cookie.partition(";")[0]}).status_code == 200


def test_style_and_script_are_carried_along(ask):
    assert "--paper" in ask("GET", "/page.css").text
    assert ask("GET", "/page.js").headers["content-type"].startswith("text/javascript")


def collector(drifts, progress=MappingProxyType({})):
    """What `/metrics` has of drift, without anything else that is learnt."""
    return Collector(
        lambda: sorted(
            list_figures({}, refused=0, alarms={}, undelivered=0, drifts=drifts, experiments=(), progress=progress),
            key=lambda figure: figure.name,
        )
    )


def test_drift_is_shown_in_the_language_of_the_page_and_for_each_target():
    moved, still = (
        Shift("city", "value", 500, 0.001, 0.4, "北京", 0.1, 0.5),
        Shift("n", "range", 500, 1.0, 0.5, "x", 0, 0),
    )
    mood = Shift("", "mistakes", 200, 0.04, 0.2, "wrong", 0.1, 0.3, target="mood")
    drifts = {
        "m": {Window("rows"): Drift(500, 0.01, (moved, still)), Window("feedback", "mood"): Drift(200, 0.05, (mood,))}
    }
    ask = Asker(make_service("numbers", collectors=(collector(drifts),)))
    english, chinese = (ask("GET", f"/live?lang={lang}").text for lang in ("en", "zh"))
    for text in ("city · values", "mood · mistakes", "n · numbers"):
        assert text in english
    for text in ("city · 取值", "mood · 错误率", "n · 数值分布"):
        assert text in chinese
    assert "values" not in chinese
    assert [re.findall(r"<title>(.*?):", bar) for bar in re.findall(r'class="bar warn".*?</title>', english)][:2] == [
        ["city · values"], ["mood · mistakes"]
    ]  # fmt: skip
    assert 'headway_drift_moved{aspect="mistakes",column="",model="m",target="mood"} 1.0' in ask("GET", "/metrics").text


def test_before_the_first_window_is_full_the_page_says_what_is_missing():
    progress = {
        "m": {Window("rows"): Progress(372, 500), Window("feedback"): Progress(199, 200)}, "n": {},
        "o": {Window("rows"): Progress(1500, 1500)},
    }  # fmt: skip
    ask = Asker(make_service("numbers", collectors=(collector({}, progress),)))
    english, chinese = (ask("GET", f"/live?lang={lang}").text for lang in ("en", "zh"))
    assert "<h3>Drift</h3>" in english
    assert (
        "Watching “m”. Still missing for the first comparison with training: 372 of 500 rows; for its accuracy, \
199 of 200 corrections"
        in english
    )
    assert "1,500 of 1,500 rows" in english
    assert "“n” is not watched for drift" in english
    assert "正在观察“m”。距首次与训练数据比较还差 372 行" in chinese
    assert "未观察“n”的漂移" in chinese
    shift = Shift("a", "range", 500, 0.001, 0.4, "x", 0.1, 0.5)
    later = collector({"m": {Window("rows"): Drift(500, 0.01, (shift,))}}, progress)
    text = Asker(make_service("numbers", collectors=(later,)))("GET", "/live?lang=en").text
    assert "missing for the next comparison: 372 of 500 rows" in text
    assert "Drift" not in Asker(make_service("numbers"))("GET", "/live?lang=en").text


def test_where_several_models_drift_each_bar_names_its_own():
    shift = Shift("city", "value", 500, 0.001, 0.4, "北京", 0.1, 0.5)
    drifts = {name: {Window("rows"): Drift(500, 0.01, (shift,))} for name in ("old", "new")}
    text = Asker(make_service("numbers", collectors=(collector(drifts),)))("GET", "/live?lang=zh").text
    assert "old · city · 取值" in text
    assert "new · city · 取值" in text


def test_the_price_of_the_machine_makes_a_picture_of_costs():
    service = make_service("numbers", price=Price(0.5, "€"))
    ask = Asker(service)
    assert ask("POST", "/v1/predict", json={"rows": [{"a": 1.5, "b": -1.0}] * 3}).status_code == 200
    service.telemetry.add("batch_rows", 3)
    service.telemetry.add("model_us", 3000)
    text = ask("GET", "/live?lang=en").text
    assert "for 1,000 predictions, in €, with a machine at 0.5 an hour" in text
    assert "at full load" in text
    assert "for 1,000 predictions" not in Asker(make_service("numbers"))("GET", "/live?lang=en").text
