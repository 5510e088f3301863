import numpy as np
import onnxruntime
import pytest
import torch
from spox import Tensor, argument
from torch import nn

from headway.networks import nodes


def run(inputs, output, feeds):
    session = onnxruntime.InferenceSession(nodes.model_bytes(inputs, {"out": output}))
    return session.run(None, feeds)[0]


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_linear_agrees_with_torch():
    layer, x = nn.Linear(5, 3), torch.randn(4, 5)
    var = argument(Tensor(np.float32, ("rows", 5)))
    out = run({"x": var}, nodes.linear(var, layer), {"x": x.numpy()})
    np.testing.assert_allclose(out, layer(x).detach(), atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_folds_its_batch_norm(stride):
    layer, norm = nn.Conv2d(3, 8, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(8)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(2, 3, 9, 7)
    var = argument(Tensor(np.float32, ("rows", 3, 9, 7)))
    out = run({"x": var}, nodes.convolution(var, layer, norm), {"x": x.numpy()})
    np.testing.assert_allclose(out, norm.eval()(layer(x)).detach(), atol=1e-5)


def test_one_dimensional_convolution_agrees_with_torch():
    layer, x = nn.Conv1d(4, 6, 3, padding=1), torch.randn(2, 4, 11)
    var = argument(Tensor(np.float32, ("rows", 4, "length")))
    out = run({"x": var}, nodes.convolution(var, layer), {"x": x.numpy()})
    np.testing.assert_allclose(out, layer(x).detach(), atol=1e-5)


def test_normalised_agrees_with_torch():
    norm = nn.BatchNorm1d(5)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(3, 5)
    var = argument(Tensor(np.float32, ("rows", 5)))
    out = run({"x": var}, nodes.normalised(var, norm), {"x": x.numpy()})
    np.testing.assert_allclose(out, norm.eval()(x).detach(), atol=1e-5)


def test_masked_pooling_ignores_padding():
    layer = nn.Embedding(10, 4)
    ids, mask = np.array([[1, 2, 3], [4, 0, 0]]), np.array([[1, 1, 1], [1, 0, 0]])
    vectors = layer(torch.from_numpy(ids)).detach().numpy()
    names = {name: argument(Tensor(np.int64, ("rows", "length"))) for name in ("ids", "mask")}
    feeds = {"ids": ids, "mask": mask}
    mean = run(names, nodes.masked_mean(nodes.embedding(names["ids"], layer), names["mask"]), feeds)
    np.testing.assert_allclose(mean, [vectors[0].mean(0), vectors[1, 0]], atol=1e-6)
    largest = run(names, nodes.masked_max(nodes.embedding(names["ids"], layer), names["mask"]), feeds)
    np.testing.assert_allclose(largest, [vectors[0].max(0), vectors[1, 0]], atol=1e-6)


@pytest.mark.parametrize(("layers", "both_ways"), [(1, False), (2, True)])
def test_lstm_agrees_with_torch_on_rows_of_different_lengths(layers, both_ways):
    layer = nn.LSTM(4, 6, num_layers=layers, bidirectional=both_ways, batch_first=True)
    x, lengths = torch.randn(3, 5, 4), torch.tensor([5, 2, 1])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    var, sizes = argument(Tensor(np.float32, ("rows", "length", 4))), argument(Tensor(np.int32, ("rows",)))
    feeds = {"x": x.numpy(), "lengths": lengths.numpy().astype(np.int32)}
    out = run({"x": var, "lengths": sizes}, nodes.lstm(var, layer, sizes), feeds)
    np.testing.assert_allclose(out, expected.detach(), atol=1e-5)
