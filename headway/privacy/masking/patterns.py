"""What personal data look like: one pattern, its check, and where in the match the data stand.

Boundaries name ASCII letters and digits on purpose: Chinese is written without blanks, so a number may touch a word.
"""

# ruff: noqa: E501 - a pattern is read as a whole
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from headway.privacy.masking import checks
from headway.privacy.masking.kinds import Kind

_START, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_SEP = r"[ \-]?"


@dataclass(frozen=True)
class Detector:
    """How one form of a kind is found.

    `needs`: one of these characters must occur, else the text is not searched ("0" stands for any digit, "" for none).
    `check` is given the match without blanks and hyphens where `bare`, else as it stands; group 1, where the pattern has
    one, is the personal part.
    """

    kind: Kind
    pattern: re.Pattern[str]
    needs: str = "0"
    check: Callable[[str], bool] | None = None
    bare: bool = False


def _of(
    kind: Kind,
    pattern: str,
    needs: str = "0",
    check: Callable[[str], bool] | None = None,
    *,
    any_case: bool = False,
    bare: bool = False,
) -> Detector:
    return Detector(kind, re.compile(pattern, re.IGNORECASE if any_case else 0), needs, check, bare)


_PARAMETER = (
    r"(?:access_?token|refresh_?token|id_?token|token|api_?key|apikey|key|sig|signature|secret|password|passwd|pwd|auth|"
    r"session(?:_?id)?|sid|jwt|code|ticket|credential)"
)
_URL = r"[!#-&(-;=?-~]"  # ASCII without blanks, quotes and angle brackets: Chinese text may follow at once
_LABEL = r"(?:号码|号|证号|编号)?(?: ?(?:no|number|num|nr|id)\b\.?)?(?: ?(?:是|为|is|[:：=#]))? ?"

# In order of precedence: where two overlap, the earlier one wins.
DETECTORS: tuple[Detector, ...] = (
    # Addresses of pages that let the reader in, or say who the reader is.
    _of("url", rf"https?://{_URL}*[?&#]{_PARAMETER}={_URL}{{4,}}", ":", any_case=True),
    _of("url", rf"https?://[^\s/@:]+:[^\s/@]+@{_URL}+", "@"),
    _of("url", rf"https?://{_URL}*/(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{{24,}}(?![\w.-]){_URL}*", ":"),
    _of("email", rf"{_START}[A-Za-z0-9](?:[A-Za-z0-9._%+-]*[A-Za-z0-9_+-])?@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}", "@"),
    _of(
        "email",
        rf"{_START}[A-Za-z0-9._%+-]+ ?[\[(（](?:at|AT|@)[\])）] ?[A-Za-z0-9-]+(?: ?(?:\.|[\[(（](?:dot|DOT)[\])）]) ?[A-Za-z]{{2,}})+",
        "",
    ),
    _of("secret", rf"{_START}eyJ[\w-]{{8,}}\.[\w-]{{8,}}\.[\w-]*", ""),
    _of(
        "secret",
        rf"{_START}(?:sk|pk|rk)[-_][\w-]{{16,}}|{_START}gh[pousr]_\w{{20,}}|{_START}(?:AKIA|ASIA|LTAI)[A-Za-z0-9]{{12,}}{_END}",
        "0",
    ),
    _of(
        "secret",
        r"(?:password|passwd|pwd|passcode|api[ _-]?key|secret|token)(?: is|[:=：])[ ]?([^\s，。；,;]{6,})",
        "",
        any_case=True,
    ),
    _of("secret", r"(?:密码|口令|密钥|验证码)(?:是|为|[:：=])[ ]?([A-Za-z0-9!@#$%^&*_.\-]{4,})", ""),
    # Documents.
    _of("resident_id", rf"{_START}\d{{17}}[\dXx]{_END}", "0", checks.is_resident_id),
    _of("resident_id", rf"{_START}\d{{6}}[ -]\d{{8}}[ -]\d{{3}}[\dXx]{_END}", "0", checks.is_resident_id, bare=True),
    _of("resident_id", rf"身份证{_LABEL}(\d{{17}}[\dXx]|\d{{15}}){_END}", "0", checks.looks_like_resident_id),
    _of(
        "iban", rf"{_START}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,4}})?{_END}", "0", checks.is_iban
    ),
    _of("bank_card", rf"{_START}\d(?:[ \-]?\d){{12,18}}{_END}", "0", checks.is_card, bare=True),
    _of(
        "bank_card",
        rf"(?:卡号|银行卡|储蓄卡|信用卡|账号|帐号|card|account){_LABEL}(\d(?:[ \-]?\d){{11,18}}){_END}",
        "0",
        any_case=True,
    ),
    _of("ssn", rf"{_START}\d{{3}}-\d{{2}}-\d{{4}}(?![0-9A-Za-z-])", "0", checks.is_ssn),
    _of("passport", rf"{_START}(?:E[A-HJ-NP-Z]\d{{7}}|[EDSPG]\d{{8}}){_END}", "0"),
    _of("passport", rf"(?:passport|护照|通行证){_LABEL}([A-Z]{{0,2}}\d{{6,10}}){_END}", "0", any_case=True),
    _of(
        "plate",
        rf"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·•・-]?(?=[A-Z0-9]{{0,5}}\d)(?:[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]|[DF][A-HJ-NP-Z0-9]\d{{4}}|\d{{5}}[DF]){_END}",
        "0",
    ),
    _of(
        "plate",
        rf"(?:license plate|licence plate|number plate|plate|registration){_LABEL}([A-Z0-9]{{1,4}}[ -]?[A-Z0-9]{{2,4}}){_END}",
        "0",
        any_case=True,
    ),
    # Machines.
    _of(
        "ip",
        r"(?<![0-9A-Za-z.])(?<!v)(?<!version )(?<!版本)(?:\d{1,3}\.){3}\d{1,3}(?![0-9A-Za-z]|\.\d)",
        "0",
        checks.is_ip,
    ),
    _of(
        "ip",
        r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]*::?[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{6,39}(?![0-9A-Za-z:])",
        ":",
        checks.is_ip,
    ),
    _of("ip", rf"{_START}(?:[0-9A-Fa-f]{{2}}[:-]){{5}}[0-9A-Fa-f]{{2}}{_END}", ":-"),
    # Telephones.
    _of(
        "phone",
        r"(?<![0-9A-Za-z+])\+\d{1,3}(?:[ .\-]?\(?\d{1,4}\)?){2,6}(?![0-9A-Za-z])",
        "0",
        checks.is_international_phone,
    ),
    _of(
        "phone",
        rf"(?<![0-9A-Za-z.])(?:(?:\+|00)86|\(86\)|\(\+86\)|86(?=[ -]))?{_SEP}1[3-9]\d(?:{_SEP}\d{{4}}){{2}}{_END}",
        "0",
    ),
    _of("phone", rf"{_START}1[3-9]\d{{2}}[ -]\d{{3}}[ -]\d{{4}}{_END}", "0"),
    _of(
        "phone",
        rf"(?<![0-9A-Za-z])[(（]?0(?:10|2\d|[3-9]\d{{2}})[)）]?[ -]?[2-9]\d{{2,3}}[ -]?\d{{4}}(?:(?:[ -]|转|ext\.? ?)\d{{1,5}})?{_END}",
        "0",
    ),
    _of("phone", rf"{_START}[48]00[ -]\d{{3}}[ -]?\d{{4}}{_END}|{_START}[48]00[ -]\d{{4}}[ -]\d{{3}}{_END}", "0"),
    _of(
        "phone",
        rf"(?<![0-9A-Za-z(])(?:1[-. ])?(?:\([2-9]\d{{2}}\) ?|[2-9]\d{{2}}[-. ])[2-9]\d{{2}}[-. ]\d{{4}}{_END}",
        "0",
    ),
    _of(
        "phone",
        rf"{_START}0\d{{3,4}} \d{{3}} ?\d{{3,4}}{_END}|{_START}02\d \d{{4}} \d{{4}}{_END}|{_START}07\d{{9}}{_END}",
        "0",
    ),
    _of(
        "phone",
        rf"(?:电话|手机|手机号|联系方式|座机|phone|mobile|tel|call|whatsapp|my number|我的号码){_LABEL}(\+?\d(?:[ \-]?\d){{6,13}}){_END}",
        "0",
        any_case=True,
    ),
    # Accounts elsewhere.
    _of("account", rf"qq(?:号码|号|群)?(?:是|为|[:：])? ?([1-9]\d{{4,10}}){_END}", "0", any_case=True),
    _of(
        "account",
        rf"(?:微信|wechat|weixin|vx|薇信|v信)(?:号码|号|id)?(?: ?(?:是|为|is|[:：]))* ?([A-Za-z][-_A-Za-z0-9]{{5,19}}){_END}",
        "",
        any_case=True,
    ),
)
