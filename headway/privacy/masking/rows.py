"""Mask the cells of a row; the name of a column may say what stands in it."""

# ruff: noqa: E501 - a list of words is read as a whole
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headway.privacy.masking.finding import find, mask
from headway.privacy.masking.kinds import Kind

_COLUMNS: Mapping[Kind, str] = {
    "name": "name|full name|first name|last name|surname|given name|customer name|contact name|user name|username|patient name"
    "|姓名|名字|客户姓名|联系人|收件人|收货人|患者姓名|用户名",
    "email": "email|e mail|mail|email address|邮箱|电子邮箱|电子邮件|邮件",
    "phone": "phone|phone number|mobile|mobile number|tel|telephone|cell|fax|电话|手机|手机号|手机号码|电话号码|联系电话|联系方式",
    "address": "address|street|street address|home address|shipping address|postal address|地址|住址|家庭住址|收货地址|通讯地址",
    "resident_id": "id card|id number|national id|identity number|身份证|身份证号|身份证号码|证件号|证件号码",
    "ssn": "ssn|social security number",
    "passport": "passport|passport number|passport no|护照|护照号|护照号码",
    "bank_card": "card number|credit card|bank card|account number|卡号|银行卡|银行卡号|账号|银行账号",
    "iban": "iban",
    "plate": "license plate|licence plate|plate|plate number|车牌|车牌号",
    "ip": "ip|ip address|client ip",
    "secret": "password|passwd|token|api key|secret|密码",
    "account": "wechat|qq|微信|微信号|qq号",
}  # fmt: skip
_KINDS: Mapping[str, Kind] = {name: kind for kind, names in _COLUMNS.items() for name in names.split("|")}


def mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with personal data masked, in texts and in whole numbers.

    Every cell of a column that is named after personal data (`email`, `姓名`) is masked, whatever stands in it.
    """
    return {name: _mask_cell(name, cell) for name, cell in row.items()}


def column_kind(name: str) -> Kind | None:
    """Return what a column holds by its name: `Customer_Name`, `customerName` and `客户姓名` hold names."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return _KINDS.get(" ".join(re.split(r"[\s_.\-]+", words.strip())).casefold())


def _mask_cell(name: str, cell: Any) -> Any:
    kind = column_kind(name)
    if kind is not None and isinstance(cell, str | int | float) and cell != "":
        return f"[{kind.upper()}]"
    if isinstance(cell, str):
        return mask(cell).text
    if isinstance(cell, int | float) and cell == cell // 1:
        return _mask_number(cell)
    if isinstance(cell, Mapping):
        return mask_row(cell)
    if isinstance(cell, list | tuple):
        return [_mask_cell("", item) for item in cell]
    return cell


def _mask_number(cell: float) -> Any:
    text = str(int(cell))
    found = find(text) if len(text) >= 11 else ()
    return f"[{found[0].kind.upper()}]" if found and (found[0].start, found[0].end) == (0, len(text)) else cell
