"""Files of questions with options, in the forms that their makers publish."""
