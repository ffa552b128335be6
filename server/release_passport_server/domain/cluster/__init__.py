"""Objects of a cluster: what they say as evidence, and which rights reading them takes."""
