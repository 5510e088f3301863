import pytest

from headway.data.dataset import Column
from headway.pipeline.telling import name_images, name_source


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("/home/me/secret/rows.csv", "rows.csv"),
        ("data/rows.csv", "rows.csv"),
        ("/home/me/pictures/", "pictures"),
        ("postgresql://me:word@host:5432/db?table=rows", "postgresql://host:5432/db?table=rows"),
        ("sqlite:///home/me/rows.db?table=rows", "rows.db?table=rows"),
    ],
)
def test_a_source_is_named_without_folders_and_passwords(data, name):
    assert name_source(data) == name


def test_images_of_the_example_are_named_without_their_folder():
    inputs = (Column("photo", "image"), Column("path", "category"))
    assert name_images({"photo": "/home/me/a.png", "path": "/b"}, inputs) == {"photo": "a.png", "path": "/b"}
