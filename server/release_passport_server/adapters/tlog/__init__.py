"""The transparency log: grows the tree out of the audit table's leaves, signs checkpoints, answers with proofs."""
