import ast
import json
import re
from pathlib import Path

import pytest

import headway
from headway.errors import TrainingError
from headway.report.translation import translate, translate_error

SOURCE = Path(headway.__file__).parent
ROOMS = ("data", "training", "pipeline")
# Where sentences for users are made: which argument of which call holds one.
CALLS = {
    "Remark": 0,
    "Outcome": 2,
    "Finding": 3,
    "Leak": 0,
    "Reject": 3,
    "list_changes": 2,
    "CastColumn": 2,
    "Record": 2,
}
NAMES = {"reason", "reasons", "message", "note", "told", "verdict", "UNPROBED", "need"}
FUNCTIONS = {
    "saturation",
    "verdict_so_far",
    "find_fault",
    "_find_fault",
    "reason_to_stay_out",
    "loss_out_of_reach",
    "read_target",
    "too_many_rows",
}
# Words that no reader meets by themselves, or that only label a thing: an error's text, a mark, a list of parts.
SILENT = {"", "7: 7", "open", "7", "over"}

SENTENCES = {
    "needs about 9.4 s, 0.0 s are free in the budget": "约需 9.4 秒，预算中只剩 0.0 秒",
    "clearly behind ngram_linear (0.8012 on the same rows) after 2 of 5 folds": (
        "完成 5 折中的 2 折后明显落后于 ngram_linear（同样的行上得分 0.8012）"
    ),
    "of a 0.95, b 0.05; trained on a sample of 9,000 rows, as the time allowed": (
        "由 a 0.95, b 0.05 组成；因时间有限，只用 9,000 行样本训练"
    ),
    "not tried: on 640 rows trees added nothing beyond noise, nor will this one": (
        "未尝试：在 640 行数据上，trees 带来的改进没有超出噪声，再加一个也不会更好"
    ),
    "no time left to refit its members": "没有时间重新训练其成员",
    "size_mb 12 > 10; latency_p95_ms 6 > 5": "大小（MB） 12 > 10；单行耗时 p95（毫秒） 6 > 5",
    'needs torch: pip install "headway[deep]"': '缺少 torch：请运行 pip install "headway[deep]"',
    "reads image; the inputs are category, number": "读取图片；而输入为类别、数值",
    "nearly the same text": "文本几乎相同",
    "every input is missing": "所有输入均缺失",
    "the same input and target": "输入和目标完全相同",
    "the same input stands under 'a' and 'b'": "相同的输入同时带有标签 'a' 和 'b'",
    "id is left out: identifier: a different code in every row": "列 id 未使用：编号：每一行都是不同的代码",
    "x: suspected leak: a copy of the target (kept)": "列 x：疑似直接透露答案：与目标列相同（予以保留）",
    "5 rows nearly equal to another one: kept in the same part of every split": (
        "5 行与其他行几乎相同：划分时归为一组"
    ),
    "the budget holds only the baseline: no time is left in the budget to find out what it needs": (
        "预算只够训练基线模型：预算中已没有时间试探它的需求"
    ),
    "7,766 rows, 1 inputs": "7,766 行，1 个输入",
    "7,766 rows, 1 rejected, 0 dropped or set aside": "7,766 行，无法读取 1 行，去除或搁置 0 行",
    "6,000 to train (5 folds), 1,766 to test": "训练 6,000 行（5 折），测试 1,766 行",
    "6,000 to train (900 to validate), 1,766 to test": "训练 6,000 行（其中验证 900 行），测试 1,766 行",
    "ngram_linear wins, accuracy 0.9123 in validation": "ngram_linear 胜出，验证集上准确率 0.9123",
    "rmse 3.2100 on 1,766 test rows": "1,766 行测试数据上均方根误差（RMSE） 3.2100",
    "measured on what ships, size_mb is 12, over the limit of 10": "对交付的模型实测：大小（MB） 为 12，超出限制 10",
    "nearly the same image or text": "图片或文本几乎相同",
    "needs a text encoder: there is none for it on this machine": "需要文本编码器：本机没有合适的",
    "needs a text encoder: the base lite is of another kind": "需要文本编码器：基础模型 lite 是另一类",
    "no base on this machine: candidates that need an image encoder stay out; headway bases get efficientnet-lite0": (
        "本机没有基础模型：需要图片编码器的候选模型不参加；可运行 headway bases get efficientnet-lite0"
    ),
    "base: auto takes e5 (118M parameters) for 900 rows of Chinese texts": (
        "base: auto 为 900 行中文文本选用 e5（118M 参数）"
    ),
    "base: auto finds none for Chinese texts, only a, b": "base: auto 没有找到适合中文文本的基础模型，只有 a, b",
    "base: auto finds none that fits the budget and the limits; big needs about 9,000 MB, the budget is 500 MB": (
        "base: auto 没有找到符合预算和限制的基础模型；big 约需 9,000 MB 内存，预算为 500 MB"
    ),
    "base tiny: the tokenizer has no padding token: its end token </s> fills the batches": (
        "基础模型 tiny：分词器没有填充词元：用结束词元 </s> 填充"
    ),
    "12% of the texts are longer than the 256 tokens that tiny reads": "12% 的文本超过 tiny 读取的 256 个词元",
    "its name sounds like it; --target names another": "从名称看像是目标；可用 --target 另选",
    "Chinese text, 104 characters on average": "中文文本，平均 104 字",
    "a code by its name; 71 values that recur": "从名称看是代码；71 个重复出现的值",
    "192 rows, 2 columns; 7 records cannot be read": "192 行，2 列；7 条记录无法读取",
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_told_in_chinese(sentence):
    assert translate(sentence, "zh") == SENTENCES[sentence]
    assert translate(sentence, "en") == sentence.replace(" 1 inputs", " 1 input")


def test_one_is_told_in_the_singular():
    assert translate("1 rows, 1 inputs", "en") == "1 row, 1 input"
    assert translate("21 rows, 1,001 inputs, 1.1 values", "en") == "21 rows, 1,001 inputs, 1.1 values"


def test_an_error_of_a_candidate_is_told_in_one_line():
    error = TrainingError("the time ended while the base read the images", expected="features of 153 images",
                          got="128 read; what is read is kept for the next run", fix="raise budget.time")  # fmt: skip
    assert translate(str(error), "zh") == (
        "基础模型读取图片时时间已用完（期望：153 张图片的特征；"
        "实际：已读取 128 张；读过的会保留给下次运行；下一步：请提高 budget.time）"
    )
    assert translate(str(error), "en") == (
        "the time ended while the base read the images (expected: features of 153 images; "
        "got: 128 read; what is read is kept for the next run; next: raise budget.time)"
    )
    assert translate("the time ended before the texts were read", "zh") == "读取文本之前时间已用完"
    assert translate("column a: the target is empty\n  got: a\nb", "zh") == "列 a：目标是空的（实际：a\nb）"


def test_what_is_not_known_stays_as_it_is():
    assert translate("RuntimeError: something broke", "zh") == "RuntimeError: something broke"
    assert translate("", "zh") == ""


def test_every_sentence_in_the_sources_has_a_translation():
    found = {each for room in ROOMS for path in (SOURCE / room).rglob("*.py") for each in collect(path)}
    assert len(found) > 55
    assert sorted(each for each in found if translate(each, "zh") == each) == []


def collect(path: Path) -> set[str]:
    """Return the sentences for users that a source file holds, every filled place as 7."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS and len(node.args) > CALLS[name]:
                found.append(node.args[CALLS[name]])
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMES:
                found.append(value)
            case ast.Assign(targets=[ast.Attribute(attr="text")], value=value):
                found.append(value)
            case ast.FunctionDef(name=name) if name in FUNCTIONS:
                found += [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
    return {text for value in found for text in read(value) if text not in SILENT}


def read(value: ast.expr) -> list[str]:  # noqa: PLR0911 - one case for each kind of expression
    """Return the sentences an expression may come to; none where they are made elsewhere."""
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr():
            return ["".join(part.value if isinstance(part, ast.Constant) else "7" for part in value.values)]
        case ast.IfExp():
            return [*read(value.body), *read(value.orelse)]
        case ast.BinOp(op=ast.Add()):
            return [left + right for left in read(value.left) for right in read(value.right)]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [text for part in parts for text in read(part)]
        case ast.ListComp(elt=part):
            return read(part)
        case ast.BoolOp(values=parts):
            return [text for part in parts for text in read(part)]
    return []


# Parts of errors that a reader meets by name only, or that are made of others.
PARTS = ("what", "expected", "got", "fix", "purpose")
# The same in both languages: what stands in a file or on a command line, and names of types and shapes.
ALIKE = re.compile(
    r"--|npm |sha256 |sqlite:|reading: |uint8 |float32 |format_version |a 7$|7, a 7$|7, past\.0\.key|7 of 7$"
    r"|7 cannot be$|the store 7$|a package of this name 7|module 'headway|the base 7$|wire type 7"
)


def test_what_errors_say_is_known_in_chinese():
    found = {text for path in SOURCE.rglob("*.py") for text in collect_errors(path) if not ALIKE.match(text)}
    unknown = sorted(text for text in found if translate_error(text, "zh") == text)
    assert len(found) > 700
    assert unknown == []


def test_every_chinese_error_keeps_the_places_of_the_english_one():
    pairs = json.loads((SOURCE / "report" / "errors.json").read_text(encoding="utf-8"))
    places = re.compile(r"\{\w+\}")
    assert [pair for pair in pairs if set(places.findall(pair["en"])) != set(places.findall(pair["zh"]))] == []
    assert len({pair["en"] for pair in pairs}) == len(pairs)


def test_errors_of_several_choices_and_what_is_not_known():
    assert translate_error("a number or a list", "zh") == "数字 或 一个列表"
    assert translate_error("a number or a surprise", "zh") == "a number or a surprise"
    assert translate_error("3 of 199 records cannot be used", "en") == "3 of 199 records cannot be used"
    reasons = "gpt: needs about 2.9 s, 0.0 s are free in the budget; lora: raise budget.time"
    assert translate_error(reasons, "zh") == "gpt：约需 2.9 秒，预算中只剩 0.0 秒；lora：请提高 budget.time"
    assert translate_error("name: my own words", "zh") == "name: my own words"
    assert translate_error("39 x 4 fields where 2 were expected; 2 x not a date", "zh") == (
        "39 条：有 4 个字段，应为 2 个；2 条：不是日期"
    )


def collect_errors(path: Path) -> set[str]:
    """Return the parts of errors that a source file holds, every filled place as 7."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name.endswith("Error") or name == "Problem":
                parts = [*node.args[:1], *(each.value for each in node.keywords if each.arg in PARTS)]
                found |= {text for part in parts for text in read(part)}
    return {text for text in found if " " in text.replace("7", "").strip() and not text.startswith(("7", "headway "))}
