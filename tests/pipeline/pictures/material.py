"""Folders of tiny pictures, and projects that draw them in seconds."""

import pytest
from PIL import Image

from headway.project import build
from tests.models.gan.material import bars


def write_pictures(folder, rows=96, classes=3, *, flat=False, seed=0):
    """Write pictures into a folder per class, or all into one."""
    pixels, labels = bars(rows, classes=classes, seed=seed)
    for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        place = folder if flat else folder / f"bar {label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[:, :, 0]).save(place / f"{number:03d}.png")
    return folder


def drawing(folder, **options):
    wishes = {"budget": {"time": 3000}, "training": {"epochs": 2, "batch_size": 16}, "name": "bars", **options}
    return build(data="pictures", task="generate", folder=folder, **wishes)


@pytest.fixture(autouse=True, scope="module")
def small():
    """Judges that see each picture a few times, and few pictures to be judged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headway.models.cnn.fitting.VIEWS", 1)
        patch.setattr("headway.models.gan.training.LOOK_PICTURES", 48)
        patch.setattr("headway.models.gan.training.LOOKS", 4)
        patch.setattr("headway.pipeline.pictures.judging.DRAWN", 60)
        yield
