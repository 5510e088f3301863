from headway.compression.gate import Change
from headway.compression.storage import load_verdicts, save_verdicts
from headway.compression.verdict import Verdict
from headway.package.measuring import Measured

CHANGE = Change("accuracy", 100, (0.9, 0.89), 0.01, (-0.01, 0.03), 0.05)
VERDICTS = (
    Verdict("original", "original", "original", measured=Measured(1.0, 2.0, 100.0, 5.0, 60.0)),
    Verdict("int8", "quantised", "chosen", measured=Measured(0.5, 1.0, 200.0, 2.0, 50.0), change=CHANGE, seconds=1.5),
    Verdict("bag student", "distilled", "skipped", "needs about 9 s, 2 s are left"),
)


def test_verdicts_read_back_as_they_were_written(tmp_path):
    path = tmp_path / "compressed" / "verdicts.json"
    assert load_verdicts(path) is None
    save_verdicts(path, VERDICTS, drop=0.005)
    assert load_verdicts(path) == (VERDICTS, 0.005)
