from headway.privacy.masking import mask_row
from headway.privacy.masking.rows import column_kind


def test_columns_are_masked_by_their_names():
    row = {"姓名": "阿依古丽", "customerName": "Ann", "review": "很好", "Phone_Number": 123, "price": 12.5}
    assert mask_row(row) == {
        "姓名": "[NAME]",
        "customerName": "[NAME]",
        "review": "很好",
        "Phone_Number": "[PHONE]",
        "price": 12.5,
    }
    assert column_kind("filename") is None


def test_numbers_and_nested_cells():
    row = {"a": 13812345678, "b": 2023050112345678, "c": None, "d": True, "e": ["x@example.com"], "f": float("nan")}
    masked = mask_row(row)
    assert masked["a"] == "[PHONE]"
    assert masked["b"] == 2023050112345678
    assert masked["c"] is None
    assert masked["d"] is True
    assert masked["e"] == ["[EMAIL]"]


def test_empty_cells_stay_empty():
    assert mask_row({"email": "", "姓名": None}) == {"email": "", "姓名": None}
