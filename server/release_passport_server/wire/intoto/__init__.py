"""What in-toto statements say, read into the typed facts of evidence; who signed them is known elsewhere."""
