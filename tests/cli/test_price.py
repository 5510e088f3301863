import json
import time

import pytest

from headway.cli.price import find_traffic, read_count, read_part
from headway.errors import InputError
from headway.serving.learning import Noted
from headway.serving.observing import Served
from headway.serving.store.opening import open_store
from headway.serving.store.recorder import Keeping, Recorder


@pytest.mark.parametrize(
    ("text", "count"), [("500000", 5e5), ("2M", 2e6), ("1.5k", 1500), ("30万", 3e5), ("1,000", 1e3)]
)
def test_counts(text, count):
    assert read_count(text) == count


@pytest.mark.parametrize("text", ["", "many", "2 M M", "-5"])
def test_other_counts_are_refused(text):
    with pytest.raises(InputError):
        read_count(text)


def test_shares():
    assert read_part("60%", "--margin") == pytest.approx(0.6)
    assert read_part("0.6", "--margin") == pytest.approx(0.6)
    with pytest.raises(InputError, match="--margin"):
        read_part("much", "--margin")


def test_the_traffic_of_the_store_counts(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    served = [
        Noted(Served(f"r{day}-{n}", "m", "v", ({"x": 1},), ({"prediction": "a"},), 0.01), time.time() - day * 86_400)
        for day in range(10)
        for n in range(10)
    ]
    Recorder(open_store(url))(served)
    assert find_traffic(None, url, "m") == pytest.approx(10 * 730 / 24, rel=0.15)
    with pytest.raises(InputError, match="expected: --model m"):
        find_traffic(None, url, "other")
    with pytest.raises(InputError, match="not known"):
        find_traffic(None, None, None)


def test_the_traffic_is_that_of_all_requests_and_of_the_served_name(command, run_folder, tmp_path):
    url, now = f"sqlite:///{tmp_path}/store.db", time.time()
    served = [
        Noted(Served(f"r{n}", "mine", "v", ({"x": 1},), ({"prediction": "a"},), 0.01), now - n * 864)
        for n in range(1000)
    ]
    Recorder(open_store(url), Keeping(0.1))(served)
    price = ("price", run_folder, "--machine-price", "1", "--rows-per-second", "300", "--store", url, "--json")
    with pytest.raises(InputError, match="expected: --model mine"):
        command(*price)
    plain = json.loads(command(*price, "--model", "mine"))
    assert plain["service"]["monthly"] == pytest.approx(100 * 730 / 24, rel=0.4)


def test_a_price_is_proposed_with_its_sums(command, run_folder):
    common = ("price", "--machine-price", "0.085", "--traffic", "2M", "--rows-per-second", "300")
    english = command(*common, "--fixed", "200", "--rival", "0.5")
    assert "break-even: from" in english
    assert "x 1,000 =" in english
    assert "保本量" in command(*common, "--lang", "zh")
    plain = json.loads(command(*common, "--json"))
    assert plain["profit"] / plain["revenue"] == pytest.approx(0.6)
    with pytest.raises(InputError, match="--data"):
        command("price", run_folder, "--machine-price", "1", "--traffic", "2M")


def test_the_speed_is_measured_on_given_rows(command, run_folder, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n" + "1,2\n" * 50)
    told = command("price", run_folder, "--machine-price", "0.1", "--traffic", "1M", "--data", rows)
    assert "measured here and now" in told
