from headway.errors import HeadwayError, MissingExtraError, Problem, ProjectError


def test_a_problem_reads_where_what_expected_got_next():
    error = HeadwayError("no such column", where="headway.yaml:3", expected="one of a, b", got="c", fix="rename it")
    assert str(error) == "headway.yaml:3: no such column\n  expected: one of a, b\n  got: c\n  next: rename it"


def test_a_project_error_keeps_every_problem():
    error = ProjectError((Problem("first"), Problem("second", where="line 2")))
    assert [problem.what for problem in error.problems] == ["first", "second"]
    assert str(error) == "first\nline 2: second"


def test_a_missing_extra_names_the_pip_command():
    assert 'pip install "headway[deep]"' in str(MissingExtraError("deep", purpose="the candidate cnn"))
