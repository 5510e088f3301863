"""The peer of `benchmarks generate`: nanoGPT's recipe for a CPU, in plain torch, for as long as it is told.

Character-level Shakespeare by the settings of nanoGPT's README ("I only have a macbook"): 4 layers, 4 heads, 128 wide,
block 64, batch 12, no dropout, AdamW with beta2 .99 at 1e-3 decaying to 1e-4 by a cosine, 100 iterations of warm-up.
The decay is stretched over the time there is, which is kinder to it than the 2,000 iterations of the README.
"""

import json
import math
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

LAYERS, HEADS, WIDTH, BLOCK, BATCH = 4, 4, 128, 64, 12
RATE, LOWEST, WARMUP, DECAY, CLIP = 1e-3, 1e-4, 100, 0.1, 1.0


class Block(nn.Module):
    """GPT-2's: LayerNorm, causal attention, LayerNorm, GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.heads, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the states after this block."""
        rows, length, _ = x.shape
        parts = self.heads(self.first(x)).view(rows, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, WIDTH))
        return x + self.down(functional.gelu(self.up(self.second(x))))


class Gpt(nn.Module):
    """Learned positions, tied head."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(LAYERS))), nn.LayerNorm(WIDTH, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                ends = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * LAYERS) if ends else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits."""
        x = self.tokens(ids) + self.places.weight[: ids.shape[1]]
        return functional.linear(self.norm(self.blocks(x)), self.tokens.weight)


def main() -> None:
    """Train on argv[1] for argv[3] seconds, judge on argv[2]; print what it came to."""
    train, test = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3])
    seconds = float(sys.argv[3])
    letters = {letter: number for number, letter in enumerate(sorted(set(train + test)))}
    lesson, exam = (torch.tensor([letters[letter] for letter in text]) for text in (train, test))
    torch.manual_seed(1337)
    network = Gpt(len(letters))
    matrices = [p for p in network.parameters() if p.ndim == 2]
    others = [p for p in network.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
        lr=RATE, betas=(0.9, 0.99), fused=True,
    )  # fmt: skip
    began, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        done = spent / seconds
        rate = LOWEST + (RATE - LOWEST) * (1 + math.cos(math.pi * done)) / 2
        for group in optimizer.param_groups:
            group["lr"] = min(rate, RATE * (steps + 1) / WARMUP)
        starts = torch.randint(len(lesson) - BLOCK, (BATCH,))
        rows = torch.stack([lesson[start : start + BLOCK + 1] for start in starts.tolist()])
        loss = functional.cross_entropy(network(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        steps += 1
    print(json.dumps({"loss": judge(network, exam), "steps": steps, "seconds": time.perf_counter() - began}))


@torch.inference_mode()
def judge(network: Gpt, exam: Tensor) -> float:
    """Return nats a character: every character is predicted from the half of a block, or more, that is before it."""
    network.eval()
    total, count, judged = 0.0, 0, 1
    for begin in range(0, len(exam) - 1, BLOCK // 2):
        stop = min(len(exam), begin + BLOCK + 1)
        if judged >= stop:
            break
        logits = network(exam[None, begin : stop - 1])[0, judged - begin - 1 :]
        total += float(functional.cross_entropy(logits, exam[judged:stop], reduction="sum"))
        count += stop - judged
        judged = stop
    return total / count


if __name__ == "__main__":
    main()
