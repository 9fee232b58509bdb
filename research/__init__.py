"""The laboratory beside the package: tables of the papers, smaller models, drawn scenes; run from a clone."""
