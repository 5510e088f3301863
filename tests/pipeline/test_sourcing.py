from headway.pipeline.sourcing import read_sources
from headway.project import build


def test_reading_keeps_to_half_of_the_memory_of_the_project(tmp_path):
    lines = [f"some words about number {i},{i % 2}" for i in range(60_000)]
    (tmp_path / "a.csv").write_text("text,y\n" + "\n".join(lines) + "\n")

    def read_within(memory):
        project = build(data="a.csv", target="y", folder=tmp_path)
        budget = project.budget.model_copy(update={"memory": memory})
        return read_sources(project.model_copy(update={"budget": budget}), tmp_path / "cache").table

    assert read_within(4096.0).left_out == 0
    small = read_within(2.0)
    assert 0 < small.rows.height < small.read == 60_000
