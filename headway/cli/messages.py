"""What the command line says, in English and Chinese."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Literal

from headway.errors import RunError
from headway.report.translation import name_metric

Language = Literal["en", "zh"]

_MESSAGES: Mapping[str, tuple[str, str]] = {
    "classify": ("classify", "分类"),
    "text": ("text", "文本"),
    "number": ("number", "数值"),
    "category": ("category", "类别"),
    "date": ("date", "日期"),
    "image": ("image", "图片"),
    "audio": ("audio", "音频"),
    "regress": ("regress", "回归"),
    "several": ("several targets", "多个目标"),
    "generate": ("generate", "生成"),
    "perplexity": ("perplexity", "困惑度"),
    "perplexity_float32": ("perplexity in float32", "float32 的困惑度"),
    "perplexity_change": ("change of perplexity", "困惑度变化"),
    "tokens_per_second": ("tokens a second", "每秒词元数"),
    "tokens_per_second_float32": ("tokens a second in float32", "float32 每秒词元数"),
    "size_mb_float32": ("MB in float32", "float32 的 MB"),
    "read": ("read", "读取"),
    "clean": ("clean", "清洗"),
    "split": ("split", "划分"),
    "tournament": ("tournament", "比选"),
    "evaluate": ("evaluate", "评估"),
    "package": ("package", "打包"),
    "compress": ("compress", "压缩"),
    "report": ("report", "报告"),
    "left": ("{time} left", "剩余 {time}"),
    "about": ("about {time}", "约 {time}"),
    "best": ("best so far", "目前最佳"),
    "resumed": ("from the earlier run", "沿用之前的结果"),
    "won": ("won", "胜出"),
    "ok": ("ok", "完成"),
    "over_limit": ("over the limits", "超出限制"),
    "dropped": ("dropped", "提前淘汰"),
    "skipped": ("skipped", "跳过"),
    "failed": ("failed", "失败"),
    "refused": ("refused", "未通过"),
    "chosen": ("chosen", "选用"),
    "original": ("original", "原模型"),
    "candidate": ("candidate", "候选模型"),
    "valid": ("{metric} (valid)", "{metric}（验证）"),
    "estimate": ("estimate", "预计耗时"),
    "memory": ("memory", "内存"),
    "note": ("note", "说明"),
    "fit": ("fit", "训练"),
    "latency": ("p50 / p95", "延迟 p50 / p95"),
    "size": ("size", "大小"),
    "status": ("status", "结果"),
    "wins": (
        "{winner} wins: {metric} {score} on {rows} test rows",
        "{winner} 胜出：在 {rows} 行测试数据上 {metric} {score}",
    ),
    "interval": ("95% interval {low} to {high}", "95% 区间 {low} 至 {high}"),
    "took": ("the whole run took {time}", "全程用时 {time}"),
    "took:over": (
        "the whole run took {time}, more than its budget of {budget}",
        "全程用时 {time}，超过了预算 {budget}",
    ),
    "rows": (
        "{read} read, {rejected} rejected, {duplicates} duplicates, {used} used",
        "读取 {read}，剔除 {rejected}，重复 {duplicates}，使用 {used}",
    ),
    "threshold": (
        "{label} from probability {threshold} on: precision {precision} ({low} to {high}), recall {recall} ({basis})",
        "概率达到 {threshold} 时判为 {label}：精确率 {precision}（{low} 至 {high}），召回率 {recall}（{basis}）",
    ),
    "threshold:basis": ("{rows} validation rows were answered so", "依据验证集中如此判出的 {rows} 行"),
    "threshold:missed": (
        "; the wanted precision {wanted} was not reached, this is the nearest",
        "；未达到要求的精确率 {wanted}，这是最接近的",
    ),
    "threshold:few": ("; so few rows say little", "；行数太少，不足为凭"),
    "mean_cost": (
        "the answers of least expected cost, of which fewer may be right: {cost} a test row",
        "取期望代价最小的答案（答对的可能因此变少）：测试集每行平均代价 {cost}",
    ),
    "decision:label": ("decision", "决策"),
    "rows:label": ("rows", "数据行"),
    "figures:label": ("test", "测试"),
    "report:label": ("report", "报告"),
    "package:label": ("package", "模型包"),
    "next:label": ("next", "下一步"),
    "checking": ("reading the data and probing the candidates", "正在读取数据并试探各候选模型"),
    "inputs": ("inputs", "输入"),
    "check:rows": (
        "{read} rows read, {rejected} rejected; {train} to train, {test} to test",
        "读取 {read} 行，剔除 {rejected} 行；训练 {train} 行，测试 {test} 行",
    ),
    "check:refusal": (
        "set aside: {count} × {reason} (first: {file}, row {row})",
        "不予使用：{count} 处，{reason}（第一处：{file} 第 {row} 行）",
    ),
    "check:pace": ("tokens/s", "词元/秒"),
    "check:folds": (", {folds} folds", "，{folds} 折交叉验证"),
    "demo:written": ("the example is in {path}; edit it as you like", "示例在 {path}，可以随意修改"),
    "demo:first": ("the first row of the table", "表格的第一行"),
    "stopped": ("stopped; nothing that was finished is lost", "已停止；已完成的部分不会丢失"),
    "run": ("run {folder} (if it is stopped: {command})", "运行目录 {folder}（若中断：{command}）"),
    "predict:unread": ("{cells} cannot be read, missing for the model:", "{cells}无法读取，按缺失处理："),
    "predict:rejected": ("no answer: {words}", "没有答案：{words}"),
    "predict:kept": (
        "{records} cannot be read: kept in place, without an answer",
        "{records}无法读取：保留在原位，答案留空",
    ),
    "predict:done": ("{rows} in {time} to {path}", "{rows}，用时 {time}，写入 {path}"),
    "history:until": (
        "the package remembers rows up to {until} (UTC); later rows of this file are each other's past",
        "模型包记得 {until}（UTC）以前的行；本文件中更晚的行互为历史",
    ),
    "history:lack": (
        "{rows} without a readable time: nothing is told of their past",
        "{rows}没有可读的时间：无法给出其历史",
    ),
    "history:forgotten": (
        "{rows} without a readable time, or before {since} (UTC), which is forgotten: nothing is told of their past",
        "{rows}没有可读的时间，或早于 {since}（UTC，模型包已不记得）：无法给出其历史",
    ),
    "history:gap": (
        "{rows} look back further: nothing is known of the time from {first} to {last} (UTC); put its rows in too",
        "{rows}需要回看的时间早于本文件：对 {first} 至 {last}（UTC）一无所知；请把这段时间的行也放入文件",
    ),
    "drift:few": (
        "{rows} are too few to tell drift from chance: {least} or more are needed, and as many in training",
        "{rows}太少，无法区分漂移与偶然：至少需要 {least} 行，训练数据也是",
    ),
    "drift:whole": (
        "answers are compared for {rows} only, those whose past is known",
        "只比较历史完整的{rows}的预测结果",
    ),
    "evaluate:left_out": ("{rows} left out: {reason}", "{rows}未计入：{reason}"),
    "warning": ("warning: {words}", "注意：{words}"),
    "more": ("{shown} and {count} more", "{shown} 及另外 {count} 个"),
    "init:done": (
        "{path}: predict {target} ({reason}) from {inputs}",
        "{path}：预测 {target}（{reason}），输入为 {inputs}",
    ),
    "init:text": ("{path}: learn to write from this text", "{path}：从这些文本学习写作"),
    "init:written": (
        "{path}: learn to write {target}, whose cells are texts of their own; --target names another column",
        "{path}：学习写出 {target}：其单元格是各不相同的文本；--target 可指定另一列",
    ),
    "init:to_write": ("texts, nearly all of them different: to be written", "几乎各不相同的文本：要写出的内容"),
    "init:draws": ("{path}: learn to draw from these pictures", "{path}：从这些图片学习绘画"),
    "init:pictures": ("{count} pictures", "{count} 张图片"),
    "init:no_classes": ("pictures without classes: draw more like them", "没有类别的图片：画出类似的图片"),
    "init:characters": ("{count} characters", "{count} 个字符"),
    "init:stream": ("one running text", "一篇连续的文本"),
    "init:documents": ("texts, each by itself", "各自独立的文本"),
    "init:answers": ("prompts with what is to be written for them", "提示与要写出的回答"),
    "init:next": ("next: {check}, then {run}", "下一步：先 {check}，再 {run}"),
    "evaluate:missing": (
        "counts as missing: {cells}, {reason}, in {column}",
        "按缺失处理：{column} 中{cells}，{reason}",
    ),
    "unread:cell": ("row {row}, column {column}: {value}", "第 {row} 行，列 {column}：{value}"),
    "predict:place": ("{file}, row {row}: {reason}", "{file} 第 {row} 行：{reason}"),
    "verified": (
        "{path}: {name} is whole; {count} files match their sha256",
        "{path}：{name} 完好；{count} 个文件与其 sha256 相符",
    ),
    "latency_p50_ms": ("latency_p50_ms", "单行耗时 p50（毫秒）"),
    "latency_p95_ms": ("latency_p95_ms", "单行耗时 p95（毫秒）"),
    "rows_per_second": ("rows_per_second", "每秒行数"),
    "size_mb": ("size_mb", "大小（MB）"),
    "memory_mb": ("memory_mb", "内存（MB）"),
    "show:with": ("{created} with {libraries}", "{created}，使用 {libraries}"),
    "range": ("({low} to {high})", "（{low} 至 {high}）"),
    "show:name": ("name", "名称"),
    "show:task": ("task", "任务"),
    "show:reads": ("reads", "输入"),
    "show:answers": ("answers", "答案"),
    "show:model": ("model", "模型"),
    "show:test": ("test", "测试"),
    "show:measured": ("measured", "实测"),
    "show:base": ("base", "基础模型"),
    "show:made": ("made", "制作"),
    "show:files": ("files", "文件"),
    "compress:size": ("MB", "MB"),
    "compress:rate": ("rows/s", "行/秒"),
    "compress:memory": ("memory MB", "内存 MB"),
    "compress:loss": ("loss (95%)", "损失（95%）"),
    "compress:done": (
        "{name} ships: {before} to {after}; {metric} loses {loss} on {rows} rows ({low} to {high}; {drop} allowed)",
        "采用 {name}：{before} 变为 {after}；在 {rows} 行上 {metric} 损失 {loss}（{low} 至 {high}，允许 {drop}）",
    ),
    "compress:kept": ("the original is unchanged: {package}", "原模型包未改动：{package}"),
    "generate:ask": (
        "what do you ask? type it here, then Ctrl-D on a line of its own (on Windows Ctrl-Z and Enter)",
        "您要问什么？在此输入，然后另起一行按 Ctrl-D（Windows 上按 Ctrl-Z 再按回车）",
    ),
    "generate:begin": (
        "how does the text begin? type it here, then Ctrl-D on a line of its own (on Windows Ctrl-Z and Enter)",
        "文本怎样开头？在此输入，然后另起一行按 Ctrl-D（Windows 上按 Ctrl-Z 再按回车）",
    ),
    "generate:done": ("{tokens} tokens, {rate} a second", "{tokens} 个词元，每秒 {rate} 个"),
    "generate:drawn": (
        "{path}: {count} pictures, {rate} a second",
        "{path}：{count} 张图片，每秒 {rate} 张",
    ),
    "packaged:base": (
        "{folder}: {size} MB, weights in {precision}, perplexity {change} against float32, {rate} tokens a second",
        "{folder}：{size} MB，权重为 {precision}，困惑度与 float32 相比 {change}，每秒 {rate} 个词元",
    ),
    "packaged:no_chat": (
        "it continues texts; it has no chat template that can be written down plainly",
        "它只续写文本；没有可以直接写下来的对话模板",
    ),
    "export:done": ("{folder}: {size}", "{folder}：{size}"),
    "export:next": ("next: {path} says how to use it", "下一步：用法见 {path}"),
    "export:untried": (
        "not tried here: Node.js is not installed, so the page was not compared with the Python runtime",
        "未在此验证：没有安装 Node.js，未与 Python 运行时对比",
    ),
    "bases:usable": ("usable now", "本机可用"),
    "bases:known": ("can be fetched (headway bases get NAME)", "可以获取（headway bases get 名称）"),
    "bases:none": ("none", "无"),
    "bases:next": (
        "in the project: base: NAME, a folder, a .gguf file or an id of the hub; auto takes one of those usable now",
        "在项目中写 base: 名称、文件夹、.gguf 文件或 Hub 上的 id；auto 从本机可用的里面选",
    ),
    "bases:getting": ("fetching {name}", "正在获取 {name}"),
    "bases:got": ("{name} is ready in {folder}", "{name} 已就绪：{folder}"),
    "bases:there": ("{name} is on this machine already: {folder}", "{name} 本机已有：{folder}"),
    "bases:use": (
        "next: base: {name} in the project, or leave base: auto",
        "下一步：在项目中写 base: {name}，或保留 base: auto",
    ),
    "bases:kind": ("kind", "类型"),
    "bases:languages": ("languages", "语言"),
    "bases:licence": ("licence", "许可证"),
    "bases:parameters": ("parameters", "参数"),
    "bases:size": ("weights", "权重"),
    "bases:download": ("download", "下载"),
    "bases:where": ("where", "来源"),
    "bases:installed": ("unpacked at first use", "首次使用时解包"),
    "bases:multi": ("about 100", "约 100 种"),
    "bases:text_encoder": ("text encoder", "文本编码器"),
    "bases:image_encoder": ("image encoder", "图片编码器"),
    "bases:decoder": ("decoder", "生成模型"),
    "label:words": ("from the words of the labels alone", "仅根据标签的文字"),
    "label:rows": ("from the rows that have a label", "根据已有标签的行"),
    "label:done": (
        "{path}: {ranked} rows to correct, the most teaching first, and {labelled} with a label; proposed {source}",
        "{path}：{ranked} 行待修正，最有价值的在前，另有 {labelled} 行已有标签；建议{source}",
    ),
    "label:rest": (
        "{path}: {rows} rows without a label; name it `unlabelled:` in the project",
        "{path}：{rows} 行没有标签；可在项目中写作 `unlabelled:`",
    ),
    "label:textless": (
        "{path}: its last {rows} rows have no text to propose a label from",
        "{path}：最后 {rows} 行没有文字，无法建议标签",
    ),
    "label:next": (
        "next: correct the column {target}, then: {init} and headway run",
        "下一步：修正 {target} 列，然后运行 {init} 和 headway run",
    ),
    "interrupted": ("stopped", "已停止"),
    "unforeseen": (
        "headway: this should not have happened: {error}\n  next: run it again with --debug and report the traceback",
        "headway: 不应发生的错误：{error}\n  下一步：加上 --debug 再运行一次，并报告错误栈",
    ),
    "resume": ("continue with: {command}", "继续运行：{command}"),
    "serve:start": (
        "serving at {url} (ready in {seconds} s; Ctrl-C stops)",
        "服务地址 {url}（{seconds} 秒就绪；按 Ctrl-C 停止）",
    ),
    "serve:plan": (
        "processes: {workers}, threads of the model in each: {threads}",
        "进程数 {workers}，每个进程的模型线程数 {threads}",
    ),
    "serve:open": (
        "anybody who reaches this address may ask, and nobody may deploy: think of --keys FILE and of --tls-cert",
        "任何能访问该地址的人都可以调用，谁都不能更换模型包：请考虑 --keys FILE 与 --tls-cert",
    ),
    "serve:restart": (
        "worker {worker} ended ({code}); another takes its place",
        "工作进程 {worker} 已退出（{code}），正在补上",
    ),
    "serve:deployed": ("{name} is served in version {version} now", "{name} 现在由版本 {version} 提供服务"),
    "serve:refused": ("a package was not deployed: {error}", "模型包未上线：{error}"),
    "serve:stop": ("stopped; every request under way was answered", "已停止；处理中的请求均已答复"),
    "serve:cut": (
        "stopped after {seconds:.1f} s (--drain); requests not answered: {unanswered}, killed processes: {ended}",
        "{seconds:.1f} 秒后停止（--drain）：{unanswered} 个请求未得到答复，强制结束的进程数 {ended}",
    ),
    "deploy:done": (
        "{name} {version} is served now (it replaces {replaces}; one row takes {row_ms} ms)",
        "{name} {version} 已上线（替换 {replaces}；单行耗时 {row_ms} 毫秒）",
    ),
    "deploy:writes": (
        "{name} {version} is served now (it replaces {replaces}, which finishes what it is writing)",
        "{name} {version} 已上线（替换 {replaces}，旧包会写完手头的文本）",
    ),
    "deploy:score": ("{metric}: {before} before, {now} now", "{metric}：之前 {before}，现在 {now}"),
    "keys:added": (
        "keep it safe: it is shown this once and stored as a hash only in {path}",
        "请妥善保存：密钥只显示这一次，{path} 中只存其哈希值",
    ),
    "keys:revoked": ("{id} ({name}) is revoked", "{id}（{name}）已吊销"),
    "keys:id": ("id", "编号"),
    "keys:name": ("name", "名称"),
    "keys:may": ("may", "权限"),
    "keys:rate": ("rate", "频率上限"),
    "keys:created": ("created", "创建时间"),
    "keys:state": ("state", "状态"),
    "keys:valid": ("valid", "有效"),
    "keys:gone": ("revoked {when}", "已于 {when} 吊销"),
}  # fmt: skip


_NOUNS: Mapping[str, str] = {"row": "行", "record": "条记录", "cell": "个单元格"}


def choose_language(wanted: str | None, environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language asked for, else the one of HEADWAY_LANG, LC_ALL, LC_MESSAGES or LANG, else English.

    Raises `RunError` when another language is asked for.
    """
    if wanted is not None and not wanted.lower().startswith(("en", "zh")):
        raise RunError("--lang: this language is not spoken here", expected="en or zh", got=wanted)
    for word in (wanted, *(environment.get(name) for name in ("HEADWAY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))):
        if word:
            return "zh" if word.lower().startswith("zh") else "en"
    return "en"


def call_metric(metric: str, language: Language) -> str:
    """Return a metric's name for the terminal: in English as a project file spells it."""
    return name_metric(metric, language) if language == "zh" else metric


def say_count(count: int, noun: str, language: Language) -> str:
    """Return how many rows, records or cells there are: `1 row`, `1,200 rows`, `1,200 行`."""
    from headway.project.units import write_count

    return f"{count:,} {_NOUNS[noun]}" if language == "zh" else write_count(count, noun)


def as_word(path: object) -> str:
    """Return a path as one word of a command line: in quotes only where a shell needs them, not for Chinese."""
    text = str(path)
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text) else shlex.quote(text)


def shorten_list(names: Sequence[str], most: int, language: Language) -> str:
    """Return names in a row, and beyond `most` of them only how many more there are."""
    shown = ", ".join(names[:most])
    if len(names) <= most:
        return shown
    return say("more", language).format(shown=shown, count=len(names) - most)


def say(key: str, language: Language) -> str:
    """Return the message called `key`, with its blanks `{...}` still open; an unknown key is its own message."""
    english, chinese = _MESSAGES.get(key, (key, key))
    return chinese if language == "zh" else english
