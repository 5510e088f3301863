"""Read, profile, clean and split.

In the order of a run: `reading.read` gives a Table, `inference.infer` says what its columns are, `cleaning.clean`
gives a Dataset, `profiling.profile` its figures for the report, `splitting.split` the parts to train and test on.
`streaming.scan_batches` reads files of any length for prediction, `label_errors.find_label_errors` looks for wrong
labels once there are out-of-fold answers, `linkage.link` finds records of one thing. Sources are in `sources`.
"""
