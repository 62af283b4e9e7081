"""Identity and Access Management v3: tokens, the catalog, projects."""
