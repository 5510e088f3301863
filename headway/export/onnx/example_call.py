"""Run model.onnx on the encoded row of example.json; needs numpy and onnxruntime only."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


def main() -> None:
    """Answer the example and say whether this machine answers as the one that wrote it."""
    folder = Path(__file__).parent
    example = json.loads((folder / "example.json").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    wanted = example["outputs"]
    answers = session.run(list(wanted), {name: array(tensor) for name, tensor in example["inputs"].items()})
    for (name, expected), answer in zip(wanted.items(), answers, strict=True):
        labels = example["labels"][name]
        sys.stdout.write(f"{name}: {answer.tolist()}\n")
        if labels:
            sys.stdout.write(f"most probable: {labels[int(answer[0].argmax())]}\n")
        if not np.allclose(answer, array(expected), atol=1e-4, rtol=1e-4):
            sys.exit(f"expected: {expected['data']}")


def array(tensor: dict[str, Any]) -> np.ndarray:
    """Return a tensor of the example as an array; null is a missing number."""
    data = [float("nan") if value is None else value for value in tensor["data"]]
    return np.array(data, dtype=object if tensor["type"] == "string" else tensor["type"]).reshape(tensor["shape"])


if __name__ == "__main__":
    main()
