"""Tables that a run derives from the others at its end, so that analysts' questions are fast."""
