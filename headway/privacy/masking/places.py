"""Postal addresses: a street with a house number, or a building with a room."""

# ruff: noqa: E501 - a pattern is read as a whole
from __future__ import annotations

import re
from collections.abc import Iterator

_HAN = "[\u4e00-\u9fff]"
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
# A house number, and what may follow it inside the house; `10号线` and `3号店` are none.
_NUMBER = r"(?:[0-9]{1,5}(?:[-之][0-9]{1,4})?(?:弄[0-9]{1,4})?(?:号(?!线|门|台|桌|店|机|车|出口|口|技师|柜|球)|弄)|[一二三四五六七八九十百]{1,5}号(?!线|门|店|楼))院?"
_INSIDE = r"(?:[,， ]?(?:[0-9A-Za-z一二三四五六七八九十]{1,5}(?:-[0-9]{1,4})*|[东西南北])(?:号楼|号|院|栋|幢|座|楼|层|单元|室|房|门|区)(?!员))"
_STREET = r"(?:大道|大街|路|街|道|巷|胡同|弄|里|村|段)(?:[东西南北中一二三四五]段?)?"
_ESTATE = r"(?:小区|花园|公寓|花苑|家园|新村|大厦|广场|公馆|宿舍|社区|府|苑|城|园|里)"
_AREA = rf"(?:(?:{_PROVINCES})(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)?)?(?:{_HAN}{{2,5}}?(?:市|自治州|盟))?(?:{_HAN}{{1,5}}?(?:新区|区|县|旗))?(?:{_HAN}{{2,4}}?(?:镇|乡|街道))?"
_CHINESE = re.compile(
    rf"{_AREA}{_HAN}{{1,8}}?{_STREET}{_NUMBER}(?:{_HAN}{{2,8}}?{_ESTATE})?{_INSIDE}{{0,4}}"
    rf"|{_AREA}(?:{_HAN}{{1,6}}?{_STREET})?{_HAN}{{2,8}}?{_ESTATE}(?:[A-Z]?[0-9]{{1,3}}[期区])?(?:{_INSIDE}{{2,5}}|[0-9]{{1,3}}(?:-[0-9]{{1,4}}){{1,3}}(?![0-9]))"
)
# What must occur anywhere; it is far quicker to look for.
_CORE = re.compile(rf"[路街道巷同弄里村段东西南北中一二三四五]{_NUMBER}|{_ESTATE}[A-Z]?[0-9]")
# How far an address reaches before and behind its core.
_LONGEST = 40
# Words that end before an address begins; the first pattern above takes some of them in.
_BEFORE = re.compile(
    r"^.*(?:地址[是为]?|(?<!解)放[在到]?|寄[到往给]|送[到往至]|发[到往]|邮寄|住[在址]?|家在|位于|搬[到至]|[在到于往至是从])"
)
_STREETS = "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Crescent|Close"
_UNIT = r"(?:,? ?(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room)\.? ?#?|#)\w{1,6})"
_TOWN = r"(?:,? (?:[A-Z][a-z]+\.? ?){1,3})"
_ZIP = r"(?:,? [A-Z]{2} \d{5}(?:-\d{4})?|,? [A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|,? \d{5}(?!\d))"
_ENGLISH = re.compile(
    rf"(?<![\w.,-])(?:(?:Flat|Unit|Apt|Apartment|Suite) \w{{1,4}},? )?\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}})? (?:(?:[NSEW]|North|South|East|West)\.? )?(?:[A-Z][\w'’]*\.? |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}?(?:{_STREETS})\b\.?{_UNIT}?(?:{_TOWN}{_ZIP}|{_ZIP})?"
    rf"|\bP\.? ?O\.? Box \d{{1,6}}(?:{_TOWN}{_ZIP}|{_ZIP})?"
)


def find_addresses(text: str) -> list[tuple[int, int]]:
    """Return where postal addresses stand: start and end of each."""
    return [*_find_chinese(text), *(match.span() for match in _ENGLISH.finditer(text))]


def _find_chinese(text: str) -> Iterator[tuple[int, int]]:
    """Yield Chinese addresses; only the surroundings of their core are searched in full."""
    end = 0
    for core in _CORE.finditer(text):
        if core.start() < end:
            continue
        for match in _CHINESE.finditer(text, max(end, core.start() - _LONGEST), core.end() + _LONGEST):
            before = _BEFORE.match(match[0][: _marker(match[0])])
            end = match.end()
            yield match.start() + (before.end() if before else 0), end


def _marker(address: str) -> int:
    """Return where the first word for a region, a street or a number stands: before it, function words may."""
    found = re.search(r"省|市|区|县|镇|路|街|道|\d", address)
    return found.start() if found else 0
