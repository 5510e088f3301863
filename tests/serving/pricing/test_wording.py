import pytest

from headway.serving.pricing.costs import Service
from headway.serving.pricing.proposal import propose
from headway.serving.pricing.wording import money, tell_proposal


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1234.5, "$1,234.50"), (0.1310, "$0.131"), (0.0000787, "$0.0000787"), (0, "$0.00"), (-3.2, "-$3.20")],
)
def test_amounts(amount, text):
    assert money(amount, "$") == text


def test_the_sums_are_shown_in_both_languages():
    proposal = propose(Service(300, 0.085, 5e6, fixed=200), margin=0.6, rival=0.5)
    english = "\n".join(tell_proposal(proposal, currency="$", source="measured", language="en"))
    chinese = "\n".join(tell_proposal(proposal, currency="¥", source="实测", language="zh"))
    assert "$262.05 / 5,000,000 x 1,000 = $0.0524" in english
    assert "break-even: from 2,000,000" in english
    assert "保本量" in chinese
    assert "¥262.05" in chinese
