"""Which character encoding a file is in."""

from __future__ import annotations

import codecs
import re

from headway.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that cp1252 leaves undefined; Latin-1 gives them control characters.
_UNDEFINED_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")

_OTHERS = ("big5", "cp932", "euc_jp", "euc_kr", "cp1251", "koi8_r", "cp1253", "cp1256")
# In Latin scripts few letters carry accents; from this share of bytes on, the script is another one.
_FOREIGN = 0.4


def find_encoding(sample: bytes) -> str:
    """Return the Python name of the encoding of a file that starts with `sample`.

    A byte order mark decides. Otherwise UTF-8 if the sample is valid UTF-8, GB18030 if it is valid GB18030 and reads
    like Chinese (see `_is_chinese`). Where many bytes are not ASCII, charset-normalizer is asked for the encodings of
    other scripts; everything else is Latin-1 (its superset cp1252 where that is defined).
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if _decodes(sample, "utf-8") or _has_few_broken_lines(sample):
        return "utf-8"
    if _decodes(sample, "gb18030") and _is_chinese(sample):
        return "gb18030"
    other = _ask_for_others(sample)
    if other is not None:
        return other
    return "latin-1" if _UNDEFINED_IN_CP1252 & set(sample) else "cp1252"


def check_encoding(name: str) -> str:
    """Return the encoding the user named; raise DataError when Python does not know it."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise DataError(
            "unknown encoding",
            where="reading.encoding",
            expected="a name such as utf-8, gb18030, latin-1, big5",
            got=name,
            fix="leave it out to have it found",
        ) from None


def _decodes(sample: bytes, encoding: str) -> bool:
    """Tell whether `sample` is valid, apart from a character cut off at its end."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _has_few_broken_lines(sample: bytes) -> bool:
    """Tell whether nearly all lines with non-ASCII characters are UTF-8, so that the others are damaged lines."""
    lines = [line for line in sample.split(b"\n")[:-1] if not line.isascii()]
    broken = sum(not _decodes(line, "utf-8") for line in lines)
    return len(lines) > 0 and broken * 10 <= len(lines)


def _ask_for_others(sample: bytes) -> str | None:
    """Return the encoding of a text in a script that is not Latin, as charset-normalizer guesses it."""
    if sum(byte > 0x7F for byte in sample) < _FOREIGN * len(sample):
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(sample[:20_000], cp_isolation=list(_OTHERS)).best()
    return None if best is None else best.encoding


def _is_chinese(sample: bytes) -> bool:
    """Tell whether most two-byte characters lie in GB2312 (both bytes above 0xA0), and none is for private use.

    In Latin-1 text an accented letter mostly stands before an ASCII letter, which GB2312 never uses as second byte.
    Big5 read as GB18030 lands in the private use area now and then.
    """
    if re.search("[\ue000-\uf8ff]", codecs.getincrementaldecoder("gb18030")().decode(sample)):
        return False
    inside, position, pairs = 0, 0, 0
    while position < len(sample) - 1:
        if sample[position] < 0x80:
            position += 1
            continue
        pairs += 1
        inside += sample[position] > 0xA0 and sample[position + 1] > 0xA0
        position += 2
    return inside * 2 > pairs
