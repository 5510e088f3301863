"""The run in plain words, for a reader who knows no statistics."""

from __future__ import annotations

import numpy as np

from headway.report.content import ReportContent
from headway.report.figures import (
    write_megabytes,
    write_metric,
    write_milliseconds,
    write_number,
    write_of_hundred,
    write_seconds,
    write_share,
)
from headway.report.translation import Lang
from headway.report.words import Say, speak


def summarise(content: ReportContent, lang: Lang) -> list[str]:
    """Return the paragraphs that open the report: how good, against what, which model, what it needs, which rows."""
    say = speak(lang)
    quality = _word_quality(content, say, lang)
    return [_join(quality, lang), _join(_word_winner(content, say), lang), _join(_word_rows(content, say), lang)]


def _word_quality(content: ReportContent, say: Say, lang: Lang) -> list[str]:
    if content.task == "several":
        first = say(
            "answers_several",
            rows=f"{content.scores.rows:,}",
            count=len(content.parts),
            score=write_metric("mean_score", content.scores.metrics["mean_score"]),
            interval=_word_interval(content.scores.intervals.get("mean_score"), say, shares=False),
        )
        parts = (_join(_word_quality(part, say, lang), lang) for part in content.parts)
        own = zip(content.parts, parts, strict=True)
        return [first, *(say("of_target", target=part.target, words=words) for part, words in own)]
    word = {"classify": _word_labels, "regress": _word_values, "generate": _word_texts}[content.task]
    return word(content, say)


def commonest_label(content: ReportContent) -> tuple[str, float]:
    """Return the label that occurs most in the test part, and its share: what guessing would get."""
    counts = np.asarray([content.scores.per_class[str(label)]["support"] for label in content.labels])
    commonest = int(counts.argmax())
    return str(content.labels[commonest]), float(counts[commonest] / max(counts.sum(), 1))


def rare_label(content: ReportContent) -> str | None:
    """Return the rarer of two labels where it has less than 30% of the test rows."""
    if len(content.labels) != 2:
        return None
    rarer = min(content.scores.per_class.items(), key=lambda item: item[1]["support"])
    return rarer[0] if rarer[1]["support"] < 0.3 * content.scores.rows else None


def _word_labels(content: ReportContent, say: Say) -> list[str]:
    scores = content.scores
    interval = _word_interval(scores.intervals.get("accuracy"), say, shares=True)
    right = write_of_hundred(scores.metrics["accuracy"])
    sentences = [say("answers_right", rows=f"{scores.rows:,}", share=right, interval=interval)]
    label, share = commonest_label(content)
    sentences.append(say("against_commonest", label=label, share=write_of_hundred(share)))
    rare = rare_label(content)
    if rare is not None:
        figures = scores.per_class[rare]
        recall, precision = write_of_hundred(figures["recall"]), write_of_hundred(figures["precision"])
        sentences.append(say("finds_rare", label=rare, recall=recall, precision=precision))
    return sentences


def _word_values(content: ReportContent, say: Say) -> list[str]:
    scores = content.scores
    interval = _word_interval(scores.intervals.get("mae"), say, shares=False)
    mae, median = (write_number(scores.metrics[name]) for name in ("mae", "median_absolute_error"))
    first = say("misses_by", rows=f"{scores.rows:,}", mae=mae, median=median, interval=interval)
    r2 = scores.metrics["r2"]
    if r2 <= 0:
        return [first, say("explains_nothing", target=content.target, r2=f"{r2:.3f}")]
    return [first, say("explains", target=content.target, r2=write_share(r2))]


def _word_pictures(content: ReportContent, say: Say) -> list[str]:
    metrics = content.scores.metrics
    distance, floor = (write_number(metrics[name]) for name in ("frechet_distance", "frechet_floor"))
    first = say("draws", rows=f"{content.scores.rows:,}", distance=distance, floor=floor)
    shares = {name: write_of_hundred(metrics[f"picture_{name}"]) for name in ("precision", "recall")}
    sentences = [first]
    if all(np.isfinite(metrics[f"picture_{name}"]) for name in shares):
        sentences.append(say("draws_manifold", **shares))
    if "class_kept" in metrics:
        sentences.append(say("draws_class", share=write_of_hundred(metrics["class_kept"])))
    return sentences


def _word_texts(content: ReportContent, say: Say) -> list[str]:
    if content.drawing is not None:
        return _word_pictures(content, say)
    scores, writing = content.scores, content.writing
    bits, interval = scores.metrics["bits_per_character"], scores.intervals.get("bits_per_character")
    first = say(
        "expects", rows=f"{scores.rows:,}", bits=f"{bits:.3f}", interval=_word_interval(interval, say, shares=False)
    )
    if writing is None:
        return [first]
    theirs = writing.baseline["bits_per_character"]
    away = write_share(abs(1 - bits / theirs))
    key = "expects_better" if bits < theirs else "expects_worse"
    sentences = [first, say(key, baseline=f"{theirs:.3f}", away=away)]
    if writing.before is not None:
        before = writing.before.metrics["bits_per_character"]
        sentences.append(say("expects_before", name=writing.before.name, before=f"{before:.3f}"))
    if "form_kept" in scores.metrics:
        lengths = say("comma").join(map(str, writing.lengths))
        sentences.append(say("keeps_form", share=write_share(scores.metrics["form_kept"]), lengths=lengths))
    return sentences


def _word_winner(content: ReportContent, say: Say) -> list[str]:
    tried = sum(outcome.status != "skipped" for outcome in content.outcomes)
    seconds = write_seconds(content.seconds, say)
    sentences = [say("won" if tried > 1 else "won_alone", winner=content.winner, count=tried, seconds=seconds)]
    if content.package is not None:
        latency = content.package.latency_p50_ms
        of = "_token" if content.package.writes else "_picture" if content.package.draws else ""
        key = f"ships_latency{of}"
        words = "" if latency is None else say(key, latency=write_milliseconds(latency))
        sentences.append(say("ships", size=write_megabytes(content.package.size_mb), latency=words))
    return sentences


def _word_rows(content: ReportContent, say: Say) -> list[str]:
    rows = content.rows
    sentences = [say("rows_kept", read=f"{rows.read:,}", used=f"{rows.used:,}")]
    if rows.rejected + rows.duplicates + rows.set_aside == 0:
        return [*sentences, say("rows_clean")]
    lost = {"rejected": rows.rejected, "duplicates": rows.duplicates, "set_aside": rows.set_aside}
    return [*sentences, say("rows_lost", **{name: f"{count:,}" for name, count in lost.items()})]


def _word_interval(interval: tuple[float, float] | None, say: Say, *, shares: bool) -> str:
    if interval is None:
        return say("no_interval")
    low, high = (f"{100 * end:.1f}" if shares else write_number(end) for end in interval)
    return say("between", low=low, high=high)


def _join(sentences: list[str], lang: Lang) -> str:
    return ("" if lang == "zh" else " ").join(sentences)
