"""A package as a service: HTTP, batching, what is kept of its answers, experiments, drift and cost."""
