# ruff: noqa: DTZ001 - cells of tables have no time zone
from datetime import datetime

import openpyxl
import pytest

from headway.data.sources.excel import read_excel
from headway.errors import DataError
from headway.project.schema import Reading


def write(folder, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "data.xlsx")
    return folder / "data.xlsx"


def test_the_first_sheet_that_holds_anything_is_read_with_types(tmp_path):
    rows = [["名字", "n", "when"], ["甲", 1, datetime(2024, 3, 5)], ["乙", 2.5, None]]
    part = read_excel(write(tmp_path, empty=[], data=rows), Reading())
    assert part.frame.columns == ["名字", "n", "when"]
    assert part.frame.rows() == [("甲", 1.0, datetime(2024, 3, 5)), ("乙", 2.5, None)]
    assert part.first == 2


def test_a_sheet_is_chosen_by_name(tmp_path):
    path = write(tmp_path, one=[["a"], [1]], two=[["b"], [2]])
    assert read_excel(path, Reading(sheet="two")).frame.columns == ["b"]
    with pytest.raises(DataError, match="no such sheet"):
        read_excel(path, Reading(sheet="three"))


def test_mixed_cells_become_text(tmp_path):
    assert read_excel(write(tmp_path, s=[["code"], [7], ["x7"]]), Reading()).frame["code"].to_list() == ["7", "x7"]


def test_doubled_headers_damaged_and_old_files_are_errors(tmp_path):
    with pytest.raises(DataError, match="more than once"):
        read_excel(write(tmp_path, s=[["a", "a"], [1, 2]]), Reading())
    (tmp_path / "bad.xlsx").write_bytes(b"not a zip")
    with pytest.raises(DataError, match="damaged"):
        read_excel(tmp_path / "bad.xlsx", Reading())
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf")
    with pytest.raises(DataError, match="save it as"):
        read_excel(tmp_path / "old.xls", Reading())


def test_an_empty_book_is_an_error(tmp_path):
    with pytest.raises(DataError, match="empty"):
        read_excel(write(tmp_path, s=[]), Reading())
