"""Medical question answering: questions with options, and how models choose between them."""
