import pytest

from tests.serving.page.browser import Browser


@pytest.fixture
def browse(tmp_path):
    """Open browser windows; all are closed with the test."""
    opened = []

    def start(**shape):
        opened.append(Browser(tmp_path / f"profile-{len(opened)}", **shape))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
