"""Names of people, where something beside them says that they are names; a bare name in running text is not found."""

# ruff: noqa: E501 - a list of words is read as a whole
from __future__ import annotations

import re

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟"
)
_COMPOUND = "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯"
_HAN = "[\u4e00-\u9fff]"
_FULL = rf"(?:(?:{_COMPOUND})|[{_SURNAMES}]){_HAN}{{1,2}}"
_STOP = r"(?=[，。,.；;！!？?、\s：:（(0-9A-Za-z]|先生|女士|小姐|同学|老师|医生|经理|的|收|和|与|及|在|是|电话|手机|身份证|住|今年|来自|今年|卡号|账号|$)"
_LABELS = "姓名|联系人|收件人|收货人|寄件人|户名|持卡人|患者|病人|乘客|投保人|被保险人|法定代表人|客户姓名|申请人"
_NAME = r"[A-Z][A-Za-z'’-]*[a-z](?:[ -][A-Z](?:\.|[A-Za-z'’-]*[a-z])){0,2}"
_NOBODY = (
    "Sir|Madam|Customer|Team|All|Support|Guest|Friend|Friends|Colleague|Colleagues|User|Hiring|Customers|Members|Member"
)
_PATTERNS = (
    re.compile(rf"(?:{_LABELS})(?:姓名)?[：: 是为]{{1,3}}((?:{_COMPOUND})?{_HAN}{{2,4}}?(?:·{_HAN}{{1,8}})*){_STOP}"),
    re.compile(rf"(?:患者|病人|持卡人|收件人|收货人|联系人|乘客)({_FULL}?){_STOP}"),
    re.compile(rf"(?:我叫|我的名字叫|我的名字是|本人叫|本人是|名叫|他叫|她叫|叫做)({_FULL}?){_STOP}"),
    re.compile(rf"(?:(?<![{_SURNAMES}])|(?<=[感多致]谢))(?!谢)({_FULL}?|[{_SURNAMES}])(?:先生|女士|小姐)(?!们)"),
    re.compile(
        rf"(?i:\bmy (?:full |first |last )?name is|\bname ?[:：]|\bcalled|\b(?:cardholder|recipient|patient|contact|attn|attention"
        rf"|passenger|customer name)(?: name| person)? ?[:：]) ?({_NAME})"
    ),
    re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? ({_NAME})"),
    re.compile(rf"\bDear (?:(?:Mr|Mrs|Ms|Dr)\.? )?(?!(?:{_NOBODY})\b)({_NAME})"),
    re.compile(rf"(?:\b(?:I am|I'm|This is) )({_NAME} {_NAME})(?=[,. ])"),
)


def find_names(text: str) -> list[tuple[int, int]]:
    """Return where names stand that a label, a greeting or a title gives away: start and end of each."""
    return [match.span(1) for pattern in _PATTERNS for match in pattern.finditer(text)]
