"""Generated text and relations over the documents of a warehouse: plan, generate, load."""
