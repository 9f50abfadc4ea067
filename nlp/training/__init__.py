"""What trainings have in common: progress, checkpoints, our own loop and transformers' Trainer."""
