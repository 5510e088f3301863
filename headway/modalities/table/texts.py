"""Free text in a table, told in a few numbers: latent semantic analysis of its character n-grams.

TF-IDF of character 1- to 3-grams, each text of length 1, projected on its largest singular vectors (Deerwester et al.
1990, "Indexing by latent semantic analysis"). In the graph that is one row of a table per n-gram, summed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse
import spox
import spox.opset.ai.onnx.v21 as op
from spox import Var

from headway.modalities.table import session
from headway.modalities.text.characters import Texts, read_texts
from headway.modalities.text.vocabulary import Vocabulary, learn

_COMPONENTS = 24
_MOST_NGRAMS = 8_000
_LONGEST = 3
_FAINT = 1e-2
# Vectors from so many texts are as good as from all.
_MOST_ROWS = 10_000


@dataclass(frozen=True)
class TextComponents:
    """The n-grams of one column and `table`, float32 `[1 + n-grams, components + 1]`.

    A row holds an n-gram's weight times its singular vectors, and the square of its weight; row 0 is zero.
    """

    vocabulary: Vocabulary
    table: np.ndarray


def fit_components(rows: pl.DataFrame, column: str, *, seed: int) -> TextComponents:
    """Learn the components of a text column; one that is always empty gets a single zero."""
    if rows.height > _MOST_ROWS:
        rows = rows[np.random.default_rng(seed).permutation(rows.height)[:_MOST_ROWS]]
    texts = read_texts(rows, column)
    vocabulary = learn(texts, "characters", longest=_LONGEST, least=2, most=_MOST_NGRAMS)
    idf = np.log((1 + vocabulary.documents) / (1 + vocabulary.frequency)) + 1
    vectors = _singular_vectors(_counts(texts, vocabulary), idf, seed)
    table = np.concatenate([vectors * idf[:, None], (idf**2)[:, None]], axis=1)
    return TextComponents(vocabulary, np.concatenate([np.zeros((1, table.shape[1])), table]).astype(np.float32))


def component_nodes(components: TextComponents, codes: Var) -> Var:
    """Return float32 `[rows, components]` of code points int32 `[rows, longest]`."""
    found = op.gather(op.const(components.table), components.vocabulary.ids(codes), axis=0)
    sums = op.reduce_sum(found, _integers([1]), keepdims=0)
    edge = components.table.shape[1] - 1
    projected = op.slice(sums, _integers([0]), _integers([edge]), _integers([1]))
    squares = op.slice(sums, _integers([edge]), _integers([edge + 1]), _integers([1]))
    return op.div(projected, op.sqrt(op.max([squares, op.const(np.float32(1e-6))])))


def _counts(texts: Texts, vocabulary: Vocabulary) -> scipy.sparse.csr_array:
    """Return which n-grams each text has, `[rows, n-grams]`."""
    codes = spox.argument(spox.Tensor(np.int32, ("rows", None)))
    run = session.opened(session.build({"codes": codes}, {"ids": vocabulary.ids(codes)}))
    places, ngrams = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for positions, batch in texts.batches:
        ids = run({"codes": batch})[0]
        row, column = np.nonzero(ids)
        places.append(positions[row])
        ngrams.append(ids[row, column] - 1)
    row, column = np.concatenate(places), np.concatenate(ngrams)
    return scipy.sparse.csr_array((np.ones(len(row)), (row, column)), shape=(texts.rows, len(vocabulary)))


def _singular_vectors(counts: scipy.sparse.csr_array, idf: np.ndarray, seed: int) -> np.ndarray:
    """Return `[n-grams, components]` right singular vectors of the normalised TF-IDF matrix."""
    from sklearn.utils.extmath import randomized_svd

    components = min(_COMPONENTS, min(counts.shape) - 1)
    if components < 1:
        return np.zeros((len(idf), 1))
    weighted = counts * idf[None, :]
    norms = np.sqrt(np.asarray((weighted**2).sum(axis=1))).ravel()
    scaled = scipy.sparse.csr_matrix(scipy.sparse.diags_array(1 / np.maximum(norms, 1e-6)) @ weighted)
    _, sizes, vectors = randomized_svd(scaled, components, random_state=seed)
    # Beyond the rank of few or repeated texts there is only rounding error, which scaling would blow up.
    return np.asarray(vectors[sizes > _FAINT * sizes[0]].T)


def _integers(value: list[int]) -> Var:
    return op.const(np.array(value, np.int64))
