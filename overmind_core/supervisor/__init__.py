"""What happens next: decide, save, act."""
