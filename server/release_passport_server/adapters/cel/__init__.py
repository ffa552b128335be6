"""Rules' expressions in CEL, behind guards: the only importer of the CEL library."""
