"""The peer of `benchmarks gan`: the DCGAN tutorial of PyTorch, for as long as it is told.

The recipe (docs.pytorch.org, "DCGAN Tutorial"; after Radford et al. 2016) with one halving less, as the digits fit in
32 x 32 pixels where the tutorial has 64 x 64: transposed convolutions of 256, 128 and 64 channels (ngf 64), the critic
in reverse (ndf 64), batch norm, 100 numbers of noise, weights from N(0, .02), Adam at 2e-4 with betas .5 and .999,
batch 128, binary cross-entropy, one step of each network in turn. Digits are laid on a black ground of 32 x 32 pixels,
and cut out of it again.
"""

import sys
import time

import numpy as np
import torch
from torch import Tensor, nn

NOISE, CHANNELS, BATCH = 100, 64, 128
RATE, BETAS = 2e-4, (0.5, 0.999)
EDGE = 2


def up(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a transposed convolution that doubles the sides, with its norm and ReLU."""
    return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def down(inputs: int, outputs: int, *, norm: bool) -> list[nn.Module]:
    """Return a convolution that halves the sides, with its norm and leaky ReLU."""
    middle = [nn.BatchNorm2d(outputs)] if norm else []
    return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), *middle, nn.LeakyReLU(0.2, inplace=True)]


def make_generator() -> nn.Sequential:
    """Return noise `[n, 100, 1, 1]` -> pictures `[n, 1, 32, 32]`, -1 to 1."""
    c = CHANNELS
    return nn.Sequential(
        nn.ConvTranspose2d(NOISE, 4 * c, 4, 1, 0, bias=False), nn.BatchNorm2d(4 * c), nn.ReLU(inplace=True),
        *up(4 * c, 2 * c), *up(2 * c, c), nn.ConvTranspose2d(c, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip


def make_critic() -> nn.Sequential:
    """Return pictures -> the probability that each is real."""
    c = CHANNELS
    return nn.Sequential(
        *down(1, c, norm=False), *down(c, 2 * c, norm=True), *down(2 * c, 4 * c, norm=True),
        nn.Conv2d(4 * c, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip


def initialise(module: nn.Module) -> None:
    """Draw weights as the tutorial does."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def train(digits: Tensor, seconds: float) -> tuple[nn.Sequential, int]:
    """Return the generator after so many seconds, and how many steps it took."""
    began = time.monotonic()
    generator, critic = make_generator().apply(initialise), make_critic().apply(initialise)
    drawing, judging = (torch.optim.Adam(each.parameters(), lr=RATE, betas=BETAS) for each in (generator, critic))
    loss = nn.BCELoss()
    steps = 0
    while True:
        for places in torch.randperm(len(digits)).split(BATCH):
            if time.monotonic() - began > seconds:
                return generator, steps
            real = digits[places]
            yes, no = torch.ones(len(real)), torch.zeros(len(real))
            critic.zero_grad()
            loss(critic(real).view(-1), yes).backward()
            drawn = generator(torch.randn(len(real), NOISE, 1, 1))
            loss(critic(drawn.detach()).view(-1), no).backward()
            judging.step()
            generator.zero_grad()
            loss(critic(drawn).view(-1), yes).backward()
            drawing.step()
            steps += 1


@torch.no_grad()
def draw(generator: nn.Sequential, count: int) -> np.ndarray:
    """Return uint8 `[count, 28, 28, 1]`, in batches and with their norms, as the tutorial looks at its pictures."""
    parts = [generator(torch.randn(BATCH, NOISE, 1, 1)) for _ in range(-(-count // BATCH))]
    pictures = torch.cat(parts)[:count, :, EDGE:-EDGE, EDGE:-EDGE].permute(0, 2, 3, 1)
    return pictures.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).numpy()


def main() -> None:
    """Train on the digits in the first argument, and write pictures into the second."""
    source, out, seconds, count = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    torch.manual_seed(0)
    digits = torch.from_numpy(np.load(source)).permute(0, 3, 1, 2).float() / 127.5 - 1
    generator, steps = train(nn.functional.pad(digits, (EDGE,) * 4, value=-1.0), seconds)
    np.save(out, draw(generator, count))
    print(f"{steps} steps, {steps * BATCH / len(digits):.1f} epochs in {seconds:.0f} s")


if __name__ == "__main__":
    main()
