"""Quality over time: what each run found, by corpus and label, and how far it has drifted."""
