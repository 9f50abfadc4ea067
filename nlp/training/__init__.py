"""What trainings have in common: their progress, and transformers' Trainer with our habits."""
