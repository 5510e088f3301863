"""The training loop that every PyTorch family shares, and its way to ONNX.

A family brings three things: a `build` function that makes its `nn.Module` (logits `[b, labels]`, or `[b, 1]` for
regression), a `Source` of input batches, and a `Plan` (its defaults with the user's `Recipe` laid over them)::

    plan = planned(recipe, task, Plan(learning_rate=2e-3, epochs=12, early_stopping=3))
    trained = train(build, Lesson(source, y, weight), Lesson(valid_source, valid_y), task, plan,
                    seed=seed, clock=clock, settings=settings)
    trained.settings            # hand them back to replay without a validation part
    answers = predict(trained, source)     # float32 [n, labels] probabilities or [n] values

Export is one way for all families: by hand with spox, from the node builders in `nodes` (linear, convolution with its
batch norm folded in, embedding, LSTM, pooling), closed by `answer`. Measured here: `torch.onnx.export(dynamo=True)`
takes 3.7 s for the first small network of a process and .9 s for each after it, plus the optional onnxscript; spox
takes milliseconds, joins the preprocessing nodes without a merge, and names every input as its feed.

This package imports nothing heavy; its modules import torch, so import them from a family's `fitting.py` only.
`plan` and `nodes` work without torch being loaded.
"""
