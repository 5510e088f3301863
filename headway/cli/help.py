"""The help of every command: fast in English, translated in Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import typer

HELP_OPTIONS = ["-h", "--help"]
_CHINESE: Mapping[str, str] = {
    "From a small team's raw data to a small, proven, packaged model, on the machine the team has.": (
        "从小团队的原始数据，到一个小而可靠、打包好的模型，就在团队自己的机器上。"
    ),
    "Show the version and exit.": "显示版本后退出。",
    "Show the traceback of an error.": "出错时显示错误栈。",
    "Show this message and exit.": "显示本说明后退出。",
    # init
    "Look at the data and write a commented project file: what was found, and why.": (
        "查看数据，写出带注释的项目文件：发现了什么，为什么。"
    ),
    "A file, glob, folder of images, zip archive or database URL.": (
        "文件、通配符、图片文件夹、zip 压缩包或数据库网址。"
    ),
    "The column to predict; guessed without it.": "要预测的列；不写则自动猜测。",
    "The file to write.": "要写出的文件。",
    "Overwrite the file.": "覆盖已有的文件。",
    "Language of what is said: en or zh.": "输出的语言：en 或 zh。",
    # label
    "Propose labels for rows that have none, in the order in which correcting them teaches the most.": (
        "为没有标签的行建议标签，并按修正后最有价值的顺序排列。"
    ),
    "Rows, some or all without a label; or a project file.": "数据行，部分或全部没有标签；也可以是项目文件。",
    "The labels to choose from, separated by commas; those in the rows count too.": (
        "可选的标签，以逗号分隔；数据行中已有的标签也算在内。"
    ),
    "The column of labels; guessed by its name, or made.": "标签列；按列名猜测，没有则新建。",
    "A base model: a name, a folder or auto.": "基础模型：名称、文件夹或 auto。",
    "The file to write: .csv, .jsonl or .parquet.": "要写出的文件：.csv、.jsonl 或 .parquet。",
    "How many rows to rank.": "排出多少行。",
    # generate
    "Write text with a package and show it while it is written, or draw pictures with it.": (
        "用模型包写文本（边写边显示），或生成图片。"
    ),
    "How many pictures to draw.": "要生成多少张图片。",
    "What the pictures shall show; any label without it.": "图片的类别；不写则不限。",
    "A .png for a grid of the pictures, or a folder for one file each.": (
        "写 .png 则输出一张拼图；写文件夹则每张图片一个文件。"
    ),
    # check, run
    "Check the project and its data, and estimate what each candidate would cost, without training.": (
        "检查项目和数据，并估计每个候选模型的花费，不训练。"
    ),
    "The project file, or its folder.": "项目文件，或它所在的文件夹。",
    "Language of the answer: en or zh.": "回答的语言：en 或 zh。",
    "Prepare, train, evaluate, package and report, within the project's budget.": (
        "在项目的预算之内准备数据、训练、评估、打包并写出报告。"
    ),
    "Where run folders go; runs/ by default.": "运行目录放在哪里；默认为 runs/。",
    "Continue the run in this folder.": "继续这个目录中的运行。",
    "Language of the summary and the report: en or zh.": "摘要和报告的语言：en 或 zh。",
    "Print the end result only.": "只输出最终结果。",
    "Time budget instead of the project's, such as 60s; with --resume, more time in all.": (
        "代替项目中的时间预算，如 60s；与 --resume 同用时，为增加后的总时间。"
    ),
    # predict, evaluate, compare
    "Keep every column of FILE and add the prediction, its confidence and the probability of each label.": (
        "保留 FILE 的每一列，并加上预测、置信度和每个标签的概率。"
    ),
    "A package folder, a .headway file or a run: runs/x/latest.": (
        "模型包文件夹、.headway 文件或一次运行：runs/x/latest。"
    ),
    "The rows: whatever `data:` of a project may name.": "数据行：项目的 data: 可以写的一切。",
    "Where to write: .csv, .tsv, .jsonl or .parquet; CSV on the terminal without it.": (
        "写到哪里：.csv、.tsv、.jsonl 或 .parquet；不写则以 CSV 输出到终端。"
    ),
    "Score a package on the rows of FILE, which must have the target column.": (
        "用 FILE 的数据行给模型包评分，其中须有目标列。"
    ),
    "A package folder, a .headway file or a run.": "模型包文件夹、.headway 文件或一次运行。",
    "Rows with the target column.": "带目标列的数据行。",
    "Print the metrics as JSON.": "以 JSON 输出指标。",
    "Compare two runs by a paired test on the test rows that both answered.": (
        "在两次运行都回答过的测试行上，用配对检验比较它们。"
    ),
    "A run folder.": "一个运行目录。",
    "Another run folder, tested on the same rows.": "另一个运行目录，在相同的行上测试过。",
    "accuracy by default; mean_cost with costs, rmse for numbers, bits_per_character for texts.": (
        "默认为 accuracy；设有代价时为 mean_cost，预测数值时为 rmse，写文本时为 bits_per_character。"
    ),
    "Language of the verdict: en or zh.": "结论的语言：en 或 zh。",
    "Print the comparison as JSON.": "以 JSON 输出比较结果。",
    # report, show, schema, demo, package
    "Name the report of a finished run; with --lang, write it again in that language first.": (
        "指出已完成的运行的报告在哪里；加上 --lang 则先以该语言重写。"
    ),
    "A run folder, such as runs/x/latest.": "运行目录，如 runs/x/latest。",
    "Write it again in this language: en or zh.": "以这种语言重写：en 或 zh。",
    "Open it in the browser.": "在浏览器中打开。",
    "Show what a package reads, what it answers and how good it is.": "显示模型包读什么、答什么、有多好。",
    "Print the whole manifest as JSON.": "以 JSON 输出整个清单。",
    "Print the JSON Schema of the project file, for editors.": "输出项目文件的 JSON Schema，供编辑器使用。",
    "Write an example that you can edit, run it and ask it a question.": (
        "写出一个可以修改的示例，运行它，并问它一个问题。"
    ),
    "reviews, digits or diagnosis.": "reviews（评论）、digits（数字）或 diagnosis（诊断）。",
    "Its folder; headway-demo-NAME here by default.": "它的文件夹；默认为此处的 headway-demo-NAME。",
    "Time budget instead of the example's, such as 60s.": "代替示例中的时间预算，如 60s。",
    "Check a package, or make one of a pretrained model.": "检查模型包，或把预训练模型做成模型包。",
    "Make a package that writes text of a pretrained model as it is.": "把预训练模型原样做成会写文本的模型包。",
    "A pretrained decoder: a name, a folder, a .gguf file or a hub id.": (
        "预训练的解码器：名称、文件夹、.gguf 文件或 hub 上的 id。"
    ),
    "The memory that the base must fit, such as 4GB; what is free here without it.": (
        "基础模型须放得下的内存，如 4GB；不写则为本机空闲的内存。"
    ),
    "The folder to write; NAME.headway is written beside it.": "要写出的文件夹；旁边会写出 NAME.headway。",
    "Text to measure the perplexity on; written by the model itself without it.": (
        "用来测困惑度的文本；不写则由模型自己写。"
    ),
    "Bits of the weights; the fewest that keep the perplexity without it.": (
        "权重的位数；不写则取困惑度不变的最少位数。"
    ),
    # generate
    "How the text begins, or what is asked; standard input without it.": "文本的开头，或要问的话；不写则读标准输入。",
    "What the assistant is told before the conversation.": "对话之前告诉助手的话。",
    "Ask, or let a text be continued; what the package can.": "提问，或让它续写文本；默认看模型包会什么。",
    "The most tokens of the answer.": "回答最多多少个词元。",
    "0: always the likeliest token.": "0：总是取最可能的词元。",
    "Keep the likeliest tokens that have this share together.": "只保留合起来占这个比例的最可能的词元。",
    "The same seed writes the same text.": "相同的种子写出相同的文本。",
    "End before this text; may be repeated.": "在这段文本之前结束；可以多次给出。",
    "Check every byte, path and operator of a package, and that it opens.": (
        "检查模型包的每个字节、路径和算子，以及它能否打开。"
    ),
}  # fmt: skip


def speak_chinese(command: Any) -> None:
    """Put the help of a command, its options and the commands below it into Chinese, where it is known."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = "参数"
    rich_utils.OPTIONS_PANEL_TITLE = "选项"
    rich_utils.COMMANDS_PANEL_TITLE = "命令"
    rich_utils.DEFAULT_STRING = "[默认：{}]"
    _translate(command)
    _set_markup(command, "rich")  # the plain writer takes a Chinese character for one column; it fills two


def speak_plainly(command: Any) -> None:
    """Show help without Rich, whose import takes as long as all the rest of the start; no line of it is cut."""
    _set_markup(command, None)
    for below in _below(command):
        below.short_help = below.short_help or (below.help or "").partition("\n\n")[0]
        speak_plainly(below)


def _set_markup(command: Any, mode: str | None) -> None:
    command.rich_markup_mode = mode
    for below in _below(command):
        _set_markup(below, mode)


def _below(command: Any) -> Iterable[Any]:
    """Return the commands of a group; none where it is a plain command."""
    return getattr(command, "commands", {}).values()


def _translate(command: Any) -> None:
    command.help = _CHINESE.get(command.help, command.help)
    command.short_help = _CHINESE.get(command.short_help, command.short_help)
    context = typer.Context(command, help_option_names=HELP_OPTIONS)
    for parameter in (*command.params, command.get_help_option(context)):
        if getattr(parameter, "help", None):
            parameter.help = _CHINESE.get(parameter.help, parameter.help)
    for below in _below(command):
        _translate(below)
