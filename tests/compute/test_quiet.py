import logging
import warnings

import pytest

from headway.compute.quiet import without_advice


def test_advice_is_kept_back_and_errors_are_not(caplog):
    with pytest.raises(ValueError, match="wrong"), without_advice():  # noqa: PT012 - the block is what is tested
        warnings.warn("some advice", stacklevel=1)
        logging.getLogger("library").warning("some advice")
        logging.getLogger("library").error("a fault")
        raise ValueError("wrong")
    assert [record.message for record in caplog.records] == ["a fault"]


def test_afterwards_everything_is_told_as_before(caplog):
    with without_advice():
        pass
    logging.getLogger("library").warning("some advice")
    assert [record.message for record in caplog.records] == ["some advice"]
    with pytest.warns(UserWarning, match="more"):
        warnings.warn("more advice", stacklevel=1)
