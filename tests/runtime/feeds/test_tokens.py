import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from headway.errors import PackageError
from headway.runtime.feeds import encode
from headway.runtime.manifest import TokenFeed


def tokenizer(**words):
    made = Tokenizer(WordLevel({"[UNK]": 0, **words}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made.to_str().encode()


FILES = {"tokenizer.json": tokenizer(good=1, bad=2, query=3)}


def tokens(cells, files=FILES, **options):
    arrays = encode(TokenFeed("t", ("a",), **options), {"a": cells}, files=files)
    assert set(arrays) == {"t.ids", "t.mask"}
    return arrays["t.ids"], arrays["t.mask"]


def test_ids_are_padded_and_masked():
    ids, mask = tokens(["good bad good", "what", None], pad_id=9)
    assert ids.tolist() == [[1, 2, 1], [0, 9, 9], [9, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64


def test_texts_are_cut_and_prefixed():
    ids, _ = tokens(["good bad good"], max_length=2, prefix="query ")
    assert ids.tolist() == [[3, 1]]
    assert tokens(["good bad good"])[0].shape == (1, 3)


def test_lone_surrogates_do_not_stop_it():
    assert tokens(["good \ud800"])[0].tolist() == [[1, 0]]


def test_no_rows_keep_one_column():
    assert tokens([])[0].shape == (0, 1)


@pytest.mark.parametrize("files", [{}, {"tokenizer.json": b"{}"}, {"tokenizer.json": b"\xff"}])
def test_a_bad_tokenizer_is_a_package_error(files):
    with pytest.raises(PackageError, match="tokenizer"):
        tokens(["x"], files)
