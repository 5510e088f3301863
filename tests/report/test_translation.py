import ast
from pathlib import Path

import pytest

import headway
from headway.report.translation import translate

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
    "5 rows are nearly equal to another one: kept in the same part of every split": (
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
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_told_in_chinese(sentence):
    assert translate(sentence, "zh") == SENTENCES[sentence]
    assert translate(sentence, "en") == sentence.replace(" 1 inputs", " 1 input")


def test_one_is_told_in_the_singular():
    assert translate("1 rows, 1 inputs", "en") == "1 row, 1 input"
    assert translate("21 rows, 1,001 inputs, 1.1 values", "en") == "21 rows, 1,001 inputs, 1.1 values"


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
