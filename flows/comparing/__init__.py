"""Two annotation sets side by side: which they are, and how mentions and concepts differ."""
