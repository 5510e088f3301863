"""Conversations as tokens, in the words of a package."""

import polars as pl

from headway.data.corpus.conversations import Turn as Said
from headway.data.corpus.conversations import write_turns
from headway.models.conversations import lay_out_talks, messages_of, plain_chat, worse_of
from headway.runtime.generation.prompts import Prompts
from headway.runtime.generation.wishes import Message
from headway.runtime.manifest import Chat, Turn
from tests.runtime.generation.packages import CHAT, facts_of, tokenizer_of

PROMPTS = Prompts(tokenizer_of().to_str().encode(), facts_of(end_ids=(258,)))


def said(*turns):
    return write_turns(tuple(Said(role, content) for role, content in turns))


def test_a_row_without_turns_is_a_question():
    rows = pl.DataFrame({"prompt": ["Hi", None], "text": ["a", "b"]})
    assert messages_of(rows, CHAT) == [[Message("user", "Hi")], []]


def test_a_system_message_goes_where_the_model_has_room_for_it():
    rows = pl.DataFrame({"prompt": ["x"], "turns": [said(("system", "Be kind"), ("user", "Hi"))], "text": ["a"]})
    assert messages_of(rows, CHAT) == [[Message("system", "Be kind"), Message("user", "Hi")]]
    bare = Chat("", {role: Turn("", "\n") for role in ("user", "assistant")}, "")
    assert messages_of(rows, bare) == [[Message("user", "Be kind\n\nHi")]]
    alone = rows.with_columns(turns=pl.lit(said(("system", "Once"), ("assistant", "upon"))))
    assert messages_of(alone, CHAT) == [[Message("user", "Once\nupon")]]


def test_the_last_answer_is_judged_and_all_are_learnt():
    turns = said(("user", "Hi"), ("assistant", "Ho"), ("user", "<|close|>"))
    rows = pl.DataFrame({"prompt": ["Hi\nHo\n<|close|>"], "turns": [turns], "text": ["Ha"]})
    laid, learnt = lay_out_talks(rows, PROMPTS, begin=256, end=258)
    assert laid.ids[laid.scored].tolist() == [*PROMPTS.words("Ha"), 258]
    assert laid.ids[learnt].tolist() == [*PROMPTS.words("Ho"), 258, *PROMPTS.words("Ha"), 258]
    # What a user writes never becomes a mark: three turns before the answer, three marks that close.
    assert (laid.ids == 258).sum() == 5


def test_rows_that_nobody_asked_for_begin_with_the_begin():
    rows = pl.DataFrame({"prompt": [None], "text": ["Ha"]}, schema_overrides={"prompt": pl.String})
    laid, learnt = lay_out_talks(rows, PROMPTS, begin=256, end=258)
    assert laid.ids.tolist() == [256, *PROMPTS.words("Ha"), 258]
    assert learnt.tolist() == laid.scored.tolist() == [False, True, True, True]


def test_a_plain_template_ends_answers_with_a_mark():
    chat = plain_chat("<|end|>")
    facts = facts_of(chat=chat, end_ids=(256,))
    prompts = Prompts(tokenizer_of().to_str().encode(), facts)
    ids = prompts.conversation([Message("user", "Hi"), Message("assistant", "Ho"), Message("user", "Hm")])
    assert ids.count(256) == 1
    assert prompts.tokenizer.decode(ids, skip_special_tokens=False).endswith("### User:\nHm\n\n### Assistant:\n")


def test_answers_that_were_liked_less():
    rows = pl.DataFrame({"text": ["a", "b"], "worse": [None, "c"]})
    places, worse = worse_of(rows)
    assert (places.tolist(), worse) == ([1], ["c"])
    assert worse_of(rows.drop("worse"))[1] == []
