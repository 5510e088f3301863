import pytest

from headway.privacy.masking.checks import is_card, is_iban, is_ip, is_resident_id, is_ssn, looks_like_resident_id


def test_resident_ids():
    assert is_resident_id("11010519491231002X")
    assert is_resident_id("11010519491231002x")
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("99010519491231002X")  # no such province
    assert not looks_like_resident_id("110105194913310021")  # no thirteenth month


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "6222020200112233446"])
def test_cards(number):
    assert is_card(number)
    assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_no_card_of_one_digit():
    assert not is_card("0" * 16)


def test_ibans_addresses_and_security_numbers():
    assert is_iban("DE89 3704 0044 0532 0130 00")
    assert not is_iban("DE88 3704 0044 0532 0130 00")
    assert is_ip("2001:db8::1")
    assert not is_ip("300.1.1.1")
    assert not is_ip("127.0.0.1")
    assert is_ssn("078-05-1120")
    assert not is_ssn("666-05-1120")
