from headway.data.dataset import Column
from headway.models.family import Card, Registry
from headway.tasks.recipe import Recipe
from headway.training.entrants import list_entries

BOTH = frozenset({"classify", "regress"})
BASELINE = Card("baseline", "", frozenset({"text", "number"}), BOTH)
TEXT = Card("texts", "", frozenset({"text"}), BOTH, honours=frozenset({"l1"}))
PICTURES = Card("pictures", "", frozenset({"image"}), BOTH)
ABSENT = Card("absent", "", frozenset({"text"}), BOTH, extra="deep", needs=("no_such_module_anywhere",))
TABLES = Card("tables", "", frozenset({"text", "number"}), BOTH, among=frozenset({"number"}))
REGISTRY = Registry({card.name: card for card in (BASELINE, TEXT, PICTURES, ABSENT, TABLES)})
INPUTS = (Column("review", "text"),)


def entries(models=None, recipe=None):
    return list_entries(REGISTRY, inputs=INPUTS, task="classify", models=models, recipe=recipe or Recipe())


def test_auto_takes_every_family_that_reads_an_input():
    found = entries()
    assert [entrant.card.name for entrant in found.entrants] == ["baseline", "texts"]


def test_a_family_whose_extra_is_missing_is_listed_with_the_pip_command():
    (outcome,) = entries().turned_away
    assert (outcome.name, outcome.status) == ("absent", "skipped")
    assert 'pip install "headway[deep]"' in outcome.reason


def test_a_family_asked_for_that_cannot_read_the_inputs_is_listed_with_the_reason():
    found = entries(models={"pictures": Recipe()})
    assert [entrant.card.name for entrant in found.entrants] == ["baseline"]
    assert "reads image" in found.turned_away[0].reason


def test_a_table_family_stays_out_of_a_project_of_nothing_but_texts():
    assert "tables" not in [entrant.card.name for entrant in entries().entrants]
    (outcome,) = entries(models={"tables": Recipe()}).turned_away
    assert outcome.reason == "reads text only beside a column of kind number"


def test_own_settings_win_over_general_ones():
    found = entries(models={"texts": Recipe(l1=2.0)}, recipe=Recipe(l1=1.0))
    assert found.entrants[1].recipe.l1 == 2.0


def test_a_general_setting_that_a_family_does_not_honour_is_remarked_and_not_handed_on():
    found = entries(recipe=Recipe(l1=1.0, dropout=0.5))
    assert found.entrants[1].recipe == Recipe(l1=1.0)
    assert found.remarks == ("texts has no use for training.dropout",)


def test_a_family_that_cannot_train_with_the_wished_loss_says_so():
    card = Card("boosted", "", frozenset({"text"}), BOTH, honours=frozenset({"loss"}), losses=frozenset({"mse"}))
    registry = Registry({"baseline": BASELINE, "boosted": card})
    found = list_entries(registry, inputs=INPUTS, task="classify", models=None, recipe=Recipe(loss="focal"))
    assert [outcome.reason for outcome in found.turned_away] == [
        "needs another loss: it cannot train with focal, only with mse"
    ]


def test_a_family_for_unlabelled_rows_takes_part_where_there_are_some_with_a_base_or_without():
    card = Card(
        "pretrained", "", frozenset({"text"}), BOTH, base="text_encoder", base_optional=True, unlabelled=True
    )  # fmt: skip
    registry = Registry({"baseline": BASELINE, "pretrained": card})

    def found(models=None, *, unlabelled):
        return list_entries(
            registry, inputs=INPUTS, task="classify", models=models, recipe=Recipe(), unlabelled=unlabelled,
            without={"text_encoder": "needs a base model"},
        )  # fmt: skip

    assert [entrant.card.name for entrant in found(unlabelled=True).entrants] == ["baseline", "pretrained"]
    assert found(unlabelled=False).turned_away == ()
    (asked,) = found({"pretrained": Recipe()}, unlabelled=False).turned_away
    assert "name some with unlabelled" in asked.reason
