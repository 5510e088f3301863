def test_a_run_is_exported_and_the_next_step_named(headway, run_folder, tmp_path):
    done = headway("export", run_folder, "--to", "kubernetes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tiny-kubernetes: ")
    assert "tiny-kubernetes/README.md" in done.stdout
    assert (tmp_path / "tiny-kubernetes" / "deployment.yaml").is_file()


def test_chinese_readers_are_sent_to_the_chinese_note(headway, run_folder, tmp_path):
    done = headway("export", run_folder, "--to", "onnx", "--out", tmp_path / "plain", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "README.zh.md" in done.stdout
    assert "下一步" in done.stdout
    assert "差评" in (tmp_path / "plain" / "README.zh.md").read_text(encoding="utf-8")


def test_an_unknown_target_is_wrong_usage(headway, run_folder):
    done = headway("export", run_folder, "--to", "floppy")
    assert done.returncode == 2
    assert "browser" in done.stderr


def test_a_folder_in_use_is_left_alone(headway, run_folder, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    done = headway("export", run_folder, "--to", "onnx", "--out", tmp_path)
    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
