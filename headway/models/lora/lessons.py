"""What adapters learn from: texts of which some tokens count, and pairs of answers of which one was liked more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headway.models.lora.answers import nats_of, weighted_nats
from headway.models.lora.kept import Kept
from headway.models.lora.network import Tuned
from headway.models.lora.packing import Packed, pack
from headway.models.lora.plan import ANSWER_SHARE
from headway.models.sequences import Sequences

# Tokens that are in memory at once where there is room.
MICRO_TOKENS = 2048


class Lesson(Protocol):
    """Something to learn, in items."""

    def __len__(self) -> int:
        """Return how many items there are."""

    def learn(self, network: Tuned, items: np.ndarray) -> float:
        """Add the gradient of the mean loss of some items to the adapters; return that loss."""

    def judge(self, network: Tuned) -> float:
        """Return the mean loss of all items."""


@dataclass(frozen=True)
class Text:
    """Token ids int64 `[length]`, and which of them (bool `[length]`, never the first) are learnt."""

    ids: np.ndarray
    learnt: np.ndarray

    def __len__(self) -> int:
        """Return the tokens."""
        return len(self.ids)


@dataclass(frozen=True)
class Ready:
    """Texts packed, with the tokens (`wanted`) from which `labels` are told; `text` is the one each belongs to."""

    packed: Packed
    wanted: Tensor
    labels: Tensor
    text: Tensor


def ready(texts: Sequence[Text], device: torch.device) -> Ready:
    """Return texts as a network reads them."""
    packed = pack([text.ids for text in texts])
    spots = [np.flatnonzero(text.learnt) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(each) for each in spots])
    columns = np.concatenate(spots)
    labels = np.concatenate([text.ids[each] for text, each in zip(texts, spots, strict=True)])
    wanted = packed.place[torch.from_numpy(rows), torch.from_numpy(columns - 1)]
    moved = (each.to(device) for each in (wanted, torch.from_numpy(labels), torch.from_numpy(rows)))
    return Ready(packed.to(device), *moved)


def parts_of(texts: Sequence[Text], most: int, *, together: int = 1) -> Iterator[range]:
    """Yield the places of texts in parts of at most about `most` tokens; `together` neighbours are never parted."""
    start, tokens = 0, 0
    for place in range(0, len(texts), together):
        size = sum(map(len, texts[place : place + together]))
        if tokens and tokens + size > most:
            yield range(start, place)
            start, tokens = place, 0
        tokens += size
    yield range(start, len(texts))


@dataclass(frozen=True)
class Answers:
    """Texts; the loss is that of a token that is learnt, in nats.

    `micro`: tokens that are in memory at once; a step of more goes through in parts. `kept`: what lower layers that do
    not learn have made of the texts so far.
    """

    texts: Sequence[Text]
    micro: int = MICRO_TOKENS
    kept: Kept | None = None

    def __len__(self) -> int:
        """Return the texts."""
        return len(self.texts)

    @property
    def tokens(self) -> int:
        """Return the tokens of all texts."""
        return sum(map(len, self.texts))

    def learn(self, network: Tuned, items: np.ndarray) -> float:
        """Teach some texts."""
        chosen = [self.texts[item] for item in items]
        count, total = sum(int(text.learnt.sum()) for text in chosen), 0.0
        for part in parts_of(chosen, self.micro):
            given = ready([chosen[place] for place in part], network.device)
            states = states_of(network, given, self.kept, items[part].tolist())
            weights = torch.full((len(given.labels),), 1 / count, device=network.device)
            loss = weighted_nats(states, network.head, given.labels, weights)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    def judge(self, network: Tuned) -> float:
        """Return the mean loss of the tokens that are learnt."""
        found = sums_of(network, self.texts, self.micro, kept=self.kept)
        return float(found.sum() / sum(int(text.learnt.sum()) for text in self.texts))


def states_of(network: Tuned, given: Ready, kept: Kept | None, numbers: Sequence[int]) -> Tensor:
    """Return what the head reads at the wanted tokens of texts, which `kept` knows by their `numbers`."""
    lower = None if kept is None else kept.states(network, given.packed, numbers)
    return network.finished(network(given.packed, lower), given.wanted)


@torch.no_grad()
def sums_of(
    network: Tuned, texts: Sequence[Text], micro: int, *, kept: Kept | None = None, together: int = 1, first: int = 0
) -> np.ndarray:
    """Return the nats of each text's learnt tokens, float64 `[texts]`; see `Answers` and `parts_of`.

    `first`: the number by which `kept` knows the first of them.
    """
    found = []
    for part in parts_of(texts, micro, together=together):
        given = ready([texts[place] for place in part], network.device)
        nats = nats_of(states_of(network, given, kept, [first + place for place in part]), network.head, given.labels)
        found.append(np.bincount(given.text.cpu().numpy(), nats.double().cpu().numpy(), len(part)))
    return np.concatenate(found)


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts with one beginning, the better one first: Direct Preference Optimization (Rafailov et al. 2023).

    `reference`: float64 `[pairs, 2]`, the nats of both before anything was learnt of the pairs, computed once.
    """

    texts: Sequence[tuple[Text, Text]]
    reference: np.ndarray
    beta: float
    micro: int = MICRO_TOKENS
    kept: Kept | None = None

    def __len__(self) -> int:
        """Return the pairs."""
        return len(self.texts)

    def learn(self, network: Tuned, items: np.ndarray) -> float:
        """Teach some pairs; eq. 7 of the paper, its gradient carried by the sums of both texts."""
        chosen = [text for item in items for text in self.texts[item]]
        numbers = np.stack([2 * items, 2 * items + 1], axis=1).reshape(-1)
        references = torch.from_numpy(self.reference[items]).to(network.device)
        done, total = 0, 0.0
        for part in parts_of(chosen, self.micro, together=2):
            given = ready([chosen[place] for place in part], network.device)
            states = states_of(network, given, self.kept, numbers[part].tolist())
            nats = nats_of(states, network.head, given.labels)
            sums = torch.zeros(len(part), dtype=torch.float64, device=network.device)
            sums.index_add_(0, given.text, nats.double())
            margins = self._margins(sums.view(-1, 2), references[done : done + len(part) // 2])
            pull = (self.beta * torch.sigmoid(-margins) / len(items)).float()
            weights = torch.stack([pull, -pull], dim=1).flatten()[given.text]
            weighted_nats(states, network.head, given.labels, weights).backward()  # type: ignore[no-untyped-call]
            total += float(-functional.logsigmoid(margins).sum()) / len(items)
            done += len(part) // 2
        return total

    def judge(self, network: Tuned) -> float:
        """Return the mean loss of all pairs."""
        sums = pair_sums(network, self.texts, self.micro, kept=self.kept)
        margins = self._margins(torch.from_numpy(sums), torch.from_numpy(self.reference))
        return float(-functional.logsigmoid(margins).mean())

    def _margins(self, sums: Tensor, reference: Tensor) -> Tensor:
        gained = reference - sums
        return self.beta * (gained[:, 0] - gained[:, 1])


def pair_sums(
    network: Tuned,
    texts: Sequence[tuple[Text, Text]],
    micro: int = MICRO_TOKENS,
    *,
    kept: Kept | None = None,
    first: int = 0,
) -> np.ndarray:
    """Return the nats of both texts of each pair, float64 `[pairs, 2]`; `first`: the number of the first pair."""
    flat = [text for pair in texts for text in pair]
    return sums_of(network, flat, micro, kept=kept, together=2, first=2 * first).reshape(-1, 2)


def texts_of(laid: Sequences, learnt: np.ndarray, *, window: int, is_answer: bool) -> tuple[list[Text], int]:
    """Return sequences as texts of at most `window` tokens, and how many had to be cut.

    An answer that would not fit keeps its beginning up to three quarters of the window, and what was asked keeps its
    end. Other texts are cut in pieces, and nothing of them is lost.
    """
    found: list[Text] = []
    cut = 0
    for start, end in zip(laid.starts[:-1].tolist(), laid.starts[1:].tolist(), strict=True):
        ids, mask = laid.ids[start:end].astype(np.int64), learnt[start:end].copy()
        mask[0] = False
        if len(ids) <= window:
            found.append(Text(ids, mask))
        elif is_answer:
            found.append(_shortened(ids, mask, int(laid.scored[start:end].argmax()), window))
            cut += 1
        else:
            places = range(0, len(ids) - 1, window - 1)
            found += [Text(ids[place : place + window], _but_first(mask[place : place + window])) for place in places]
    return [text for text in found if text.learnt.any()], cut


def _shortened(ids: np.ndarray, mask: np.ndarray, answer: int, window: int) -> Text:
    most = int(window * ANSWER_SHARE)
    stop = min(len(ids), answer + max(most, window - answer))
    start = max(0, stop - window)
    return Text(ids[start:stop], _but_first(mask[start:stop]))


def _but_first(mask: np.ndarray) -> np.ndarray:
    found = mask.copy()
    found[0] = False
    return found
